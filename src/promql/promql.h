/* SPDX-License-Identifier: Apache-2.0 */
/*
 * promql.h - the query language: text to expression, expression over a queryable to value
 *
 * Shape:   promql_new() gives a struct evaluator (model/evaluator.h); everything else here is what the API
 *          and the tools want of a compiled expression: its canonical text, its tree, its selectors.
 * Threads: an evaluator and an expression are immutable; use them from any thread at once.
 * Owns:    an expression owns its tree until release(); results live in the arena given to eval().
 * Source:  Prometheus 3.14 promql/parser, promql/engine.go, docs/querying.
 */
#ifndef PROMQL_PROMQL_H
#define PROMQL_PROMQL_H

#include "base/buf.h"
#include "model/evaluator.h"
#include "model/matcher.h"
#include "model/storage.h"

/* What the originals' --enable-feature switches on. Zero is what 3.14 does without the flag. */
enum promql_feature {
    PROMQL_EXPERIMENTAL_FUNCTIONS = 1 << 0, /* promql-experimental-functions */
    PROMQL_DURATION_EXPR = 1 << 1,          /* promql-duration-expr: arithmetic in [ ] and offset */
    PROMQL_EXTENDED_RANGE = 1 << 2,       /* promql-extended-range-selectors: anchored, smoothed */
    PROMQL_BINOP_FILL = 1 << 3,           /* promql-binop-fill-modifiers: fill(), fill_left() ... */
    PROMQL_DELAYED_NAME_REMOVAL = 1 << 4, /* promql-delayed-name-removal */
    PROMQL_TYPE_AND_UNIT = 1 << 5,        /* type-and-unit-labels */
};

/* A zeroed struct is the original's defaults, without a timeout. */
struct promql_options {
    int64_t lookback_ms;      /* 0: 5m */
    int64_t subquery_step_ms; /* resolution of [r:]: global.evaluation_interval; 0: 1m */
    uint64_t max_samples;     /* --query.max-samples; 0: 50,000,000 */
    int64_t timeout_ms;       /* --query.timeout; 0, or no clock: none */
    int64_t (*mono_ms)(void); /* the deadline's clock: clock_mono_ms, or a hand-turned one */
    uint32_t features;        /* of enum promql_feature */
};

/* qa and the options' clock must outlive the evaluator. promql_free(NULL) is fine. */
struct evaluator *promql_new(struct queryable *qa, const struct promql_options *o);
void promql_free(struct evaluator *ev);

/* The type an expression evaluates to. */
enum value_kind promql_kind(const struct expr *e);
const char *promql_kind_text(enum value_kind kind); /* "scalar", "vector", "matrix", "string" */

/* The API's format_query: one line up to 100 columns, else broken and indented. In a's memory. */
struct str promql_pretty(const struct expr *e, struct arena *a);

/* The API's parse_query: the tree as JSON. */
void promql_write_ast(const struct expr *e, struct buf *b);

/*
 * A series selector (match[] of the API, federation): `up`, `{job=~"a.*"}`, `{"odd name"}`. What it needs is in
 * a's memory, compiled regular expressions included: end them with matcher_done() on each. A selector that selects
 * everything ({}) is the caller's to refuse, in its own words.
 * Errors: ERR_SYNTAX with the original's text and position
 */
enum err promql_parse_matchers(struct str text, struct arena *a, struct matcher **out, size_t *n,
                               struct diag *d);

/* The matchers of every selector in the expression, in the order of the text; borrowed from it. */
struct promql_selector {
    const struct matcher *v;
    size_t n;
};
size_t promql_selectors(const struct expr *e, struct arena *a, struct promql_selector **out);

#endif
