/* SPDX-License-Identifier: Apache-2.0 */
/*
 * matchers.h - lists of label matchers as people write them: {severity="critical", team=~"a|b"}
 *
 * Shape:  two grammars. The classic one is a regular expression and a splitter; the UTF-8 one a small parser with positions.
 *         The default runs both: where they differ the classic one wins and a warning says how to quote.
 * Source: Alertmanager documentation "Label matchers", behaviour of 0.34 (matcher/compat, pkg/labels).
 */
#ifndef ALERT_MATCHERS_H
#define ALERT_MATCHERS_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/matcher.h"

enum matchers_mode { MATCHERS_FALLBACK, MATCHERS_CLASSIC, MATCHERS_UTF8 };

struct matchers {
    struct matcher *v;
    size_t n;
};

/*
 * Names and values are in a; compiled expressions are ended by matchers_done(). *warning is set where the two grammars do
 * not agree (may be NULL). Errors: ERR_SYNTAX with the original's text.
 */
enum err matchers_parse(struct arena *a, struct str text, enum matchers_mode mode,
                        struct matchers *out, struct str *warning, struct diag *d);
void matchers_done(struct matchers *m);

/* One matcher, its expression anchored as Alertmanager does: `.` does not match a newline. */
enum err alert_matcher_init(struct arena *a, struct matcher *m, enum match_op op, struct str name,
                            struct str value, struct diag *d);

/* name="value", both sides quoted where the name needs it; the order that group keys use. */
void matcher_write(struct buf *b, const struct matcher *m);
void matchers_write(struct buf *b, const struct matchers *m); /* {a="b",c=~"d"} */
void matchers_sort(struct matchers *m);                       /* by name, value, operator */
bool matchers_eq(const struct matchers *x, const struct matchers *y);

/* Whether a set of labels {} would match: such a silence would hide everything. */
bool matchers_match_empty(const struct matchers *m);

/* A label name valid in this mode. */
bool alert_label_name_ok(struct str name, enum matchers_mode mode);

#endif
