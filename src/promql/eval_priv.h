/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eval_priv.h - what the evaluation's files share; nobody else includes it
 *
 * An expression is evaluated over a frame: n times, step apart. A vector is a set of rows: labels and a column of n
 * values, one a time; a time without a value holds ABSENT. Rows are pushed one by one into a row_fn, so that an
 * aggregation over a selector or a range function never holds more than the row at hand; whoever needs all of them
 * collects (eval_vec). A pushed row may be changed by the callee and is gone when it returns.
 */
#ifndef PROMQL_EVAL_PRIV_H
#define PROMQL_EVAL_PRIV_H

#include "base/map.h"
#include "base/vec.h"
#include "promql/eval.h"
#include "promql/functions.h"

#include <math.h>

struct frame {
    int64_t start, step;
    size_t n;
};
static inline int64_t frame_time(const struct frame *f, size_t i)
{
    return f->start + (int64_t)i * f->step;
}

/* No computation yields the staleness marker, so it can stand for "no value here". */
#define ABSENT stale_nan()
static inline bool is_absent(double v) { return is_stale_nan(v); }

struct row {
    struct labels lb;
    double *v;
    bool drop; /* the name goes when the query ends (delayed name removal) */
};

struct vec {
    struct row *v;
    size_t n, cap;
    uint64_t samples; /* values held, for the limit */
};

struct query;
typedef enum err row_fn(struct query *q, void *ctx, struct row *r);

struct annotations {
    VEC(struct str) list;
    struct map seen;
};

struct query {
    struct arena *a;
    struct queryable *qa;
    struct querier *qr;
    const struct promql_options *o;
    const struct expr *e;
    int64_t start, end, step; /* of the whole query */
    const _Atomic(bool) *cancel;
    int64_t deadline_ms; /* of o->mono_ms; 0: none */
    unsigned ticks;
    uint64_t samples;  /* held now */
    struct column col; /* scratch of whoever reads series; see query_column */
    bool col_busy;
    struct annotations warnings, infos;
    struct diag *d;
};

/* Asked at every series: canceled, out of time, out of memory. */
enum err query_tick(struct query *q);

/* n more values are held; ERR_LIMIT past --query.max-samples. */
enum err query_hold(struct query *q, uint64_t n);
static inline void query_drop(struct query *q, uint64_t n) { q->samples -= n; }

bool query_has(const struct query *q, uint32_t feature);

/* "PromQL warning: TEXT (1:5)": the place is where n begins; equal ones are noted once. */
void query_warn(struct query *q, const struct node *n, const char *fmt, ...) PRINTF(3, 4);
void query_info(struct query *q, const struct node *n, const char *fmt, ...) PRINTF(3, 4);

/* An error of execution with the original's text. */
#define query_fail(q, ...) diag_set((q)->d, ERR_SYNTAX, __VA_ARGS__)

/* ---- nodes ---- */

enum err eval_rows(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                   void *ctx);
enum err eval_vec(struct query *q, const struct node *n, const struct frame *f, struct vec *out);

/* out has room for f->n. */
enum err eval_scalar(struct query *q, const struct node *n, const struct frame *f, double *out);
struct str eval_string(const struct node *n); /* a literal, through parentheses */
enum err eval_span(struct query *q, struct span s, int64_t *ms);

/* ---- rows and vectors ---- */

double *values_new(struct query *q, const struct frame *f); /* not set */
double *values_absent(struct query *q, const struct frame *f);
struct row *vec_add(struct query *q, struct vec *v, struct labels lb, bool drop, double *values);
enum err vec_push_rows(struct query *q, struct vec *v, row_fn *fn, void *ctx);

/* Without __name__ (and __type__, __unit__ with their feature), in memory of the query where it must be. */
struct labels labels_nameless(struct query *q, struct labels lb);

/* Now, or marked for later. */
void row_drop_name(struct query *q, struct row *r);

/*
 * Rows of equal labels become one; ERR_SYNTAX "vector cannot contain metrics with the same labelset" where two have a
 * value at one time, or in any case when strict.
 */
enum err vec_merge(struct query *q, struct vec *v, const struct frame *f, bool strict);

/* Can dropping the name make two of n's rows equal? */
bool node_names_differ(const struct node *n);

/* Collects what make() pushes, merges equal label sets, and pushes the result. */
typedef enum err make_fn(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                         void *ctx);
enum err rows_unique(struct query *q, const struct node *n, const struct frame *f, bool strict,
                     make_fn *make, row_fn *fn, void *ctx);

/* From label sets to small numbers, in order of their appearance. */
struct label_index {
    uint32_t *slots; /* id + 1 */
    size_t cap;
    VEC(struct labels) sets;
    VEC(uint64_t) hashes;
};
/* lb is kept by reference; *fresh says that it is new. */
size_t label_index_add(struct query *q, struct label_index *ix, struct labels lb, bool *fresh);

/* ---- selectors (select.c) ---- */

/* offset and @, worked out. */
struct place {
    int64_t offset, at;
    bool fixed; /* at holds for every time of the frame */
};
enum err place_of(struct query *q, const struct shift *s, struct place *out);
static inline int64_t place_time(const struct place *p, const struct frame *f, size_t i)
{
    return (p->fixed ? p->at : frame_time(f, i)) - p->offset;
}

enum err select_rows(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                     void *ctx);

/* timestamp() of a plain selector: each value is its sample's own time in seconds. */
enum err select_timestamps(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                           void *ctx);

/* The samples of each series of a matrix selector or subquery that some window of the frame may need. */
struct range {
    const struct node *n; /* NODE_MATRIX or NODE_SUBQUERY */
    int64_t ms;
    struct place place;
    int64_t before,
        after; /* how much further than the windows the samples reach (anchored, smoothed) */
};
typedef enum err column_fn(struct query *q, void *ctx, struct labels lb, bool drop,
                           const struct column *c);
enum err range_of(struct query *q, const struct node *n, struct range *out);
enum err range_each(struct query *q, const struct range *r, const struct frame *f, column_fn *fn,
                    void *ctx);

/* ---- the rest of the family ---- */

enum err unary_rows(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                    void *ctx);
enum err binary_rows(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                     void *ctx);
enum err aggregate_rows(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                        void *ctx);
enum err call_rows(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                   void *ctx);
enum err range_call_rows(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                         void *ctx);
enum err label_call_rows(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                         void *ctx);
enum err histogram_call_rows(struct query *q, const struct node *n, const struct frame *f,
                             row_fn *fn, void *ctx);
enum err info_rows(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                   void *ctx);
bool function_is_range(enum function_id id);
enum err scalar_call(struct query *q, const struct node *n, const struct frame *f, double *out);

/* The labels that the equality matchers of a selector fix, for absent() and absent_over_time(). */
struct labels absent_labels(struct query *q, const struct node *arg);

double binary_value(enum token_kind op, double l, double r);
bool binary_holds(enum token_kind op, double l, double r);

#endif
