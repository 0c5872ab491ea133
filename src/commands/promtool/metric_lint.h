/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metric_lint.h - a /metrics page as families, and what is wrong with their names
 *
 * Source: client_golang prometheus/testutil/promlint (rules and texts), as promtool 2.42 answers.
 */
#ifndef COMMANDS_PROMTOOL_METRIC_LINT_H
#define COMMANDS_PROMTOOL_METRIC_LINT_H

#include "base/map.h"
#include "base/vec.h"
#include "codec/expo_read.h"

struct lint_label {
    struct str name;
    size_t times; /* samples that carry it */
};

struct family {
    struct str name;
    enum expo_type type;
    bool has_help, has_inf;
    size_t cardinality; /* time series */
    VEC(struct lint_label) labels;
};

struct problem {
    struct str metric, text;
};

struct families {
    struct arena *a;
    struct map by_name;
    VEC(struct family *) v; /* sorted by name once read */
};

/* Errors: ERR_SYNTAX with the reader's text and line. */
enum err families_read(struct families *f, struct str page, struct diag *d);
void families_done(struct families *f);

/* Sorted by metric and text. */
void families_lint(const struct families *f, struct problem **out, size_t *n);

#endif
