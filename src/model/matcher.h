/* SPDX-License-Identifier: Apache-2.0 */
/*
 * matcher.h - one condition on one label
 *
 * Threads: immutable once made; matching is safe from any thread.
 * Owns:    a compiled regex; matcher_done() ends it. Name and value are borrowed.
 */
#ifndef MODEL_MATCHER_H
#define MODEL_MATCHER_H

#include "base/err.h"
#include "codec/regex.h"
#include "model/labels.h"

enum match_op { MATCH_EQ, MATCH_NE, MATCH_RE, MATCH_NRE };

struct matcher {
    enum match_op op;
    struct str name, value;
    struct regex *re; /* of MATCH_RE and MATCH_NRE: anchored, dot matches newline */
};

/* Compiles; value and name must outlive the matcher. Errors: ERR_SYNTAX with Go's regexp text. */
enum err matcher_init(struct matcher *m, enum match_op op, struct str name, struct str value,
                      struct diag *d);
void matcher_done(struct matcher *m);

/* An absent label is matched as the empty string. */
bool matcher_match(const struct matcher *m, struct str value);
bool matchers_match(const struct matcher *m, size_t n, struct labels lb);

const char *match_op_text(enum match_op op); /* "=", "!=", "=~", "!~" */

#endif
