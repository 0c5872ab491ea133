/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notation.h - series as unit test files write them: up{job="a"} and 1+2x10 _ stale
 *
 * Limits: NOTATION_MAX values a series; a native histogram ({{schema:0 ...}}) is refused.
 * Source: Prometheus docs/configuration/unit_testing_rules, promql/promqltest/README.
 */
#ifndef PROMQL_NOTATION_H
#define PROMQL_NOTATION_H

#include "base/arena.h"
#include "base/err.h"
#include "model/labels.h"

enum { NOTATION_MAX = 10000000 };

struct notated {
    double v; /* the staleness marker, too */
    bool gap; /* no sample at this step */
};

/* Errors: ERR_SYNTAX in the words of the parser, with the column in the text. */
enum err notation_metric(struct arena *a, struct str text, struct labels *out, struct diag *d);

/* Errors: ERR_SYNTAX, ERR_LIMIT, ERR_UNSUPPORTED */
enum err notation_values(struct arena *a, struct str text, struct notated **out, size_t *n,
                         struct diag *d);

#endif
