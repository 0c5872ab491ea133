/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classic histograms: rows of one group (equal labels but for le) are sorted by their bound once, then each time is
 * worked out over the buckets present at it. Functions of native histograms find no float to work on.
 */
#include "codec/num.h"
#include "promql/eval_priv.h"
#include "promql/kernels.h"

#include <stdlib.h>

#define BUCKET_LABEL STR("le")

struct bucket {
    double bound, count;
};

struct bound_row {
    double bound;
    const double *v;
};

struct classic {
    struct labels lb;
    struct str metric;
    bool drop;
    VEC(struct bound_row) rows;
};

struct histograms {
    struct query *q;
    const struct node *n, *arg;
    const struct frame *f;
    struct label_index index;
    VEC(struct classic) v;
    struct bucket *buckets; /* room for the widest */
};

/* ---- one time of one histogram ---- */

static int by_bound(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Those present, equal bounds summed. */
static size_t buckets_at(const struct classic *h, size_t at, struct bucket *out)
{
    size_t n = 0;
    VEC_FOR(r, &h->rows) {
        if (is_absent(r->v[at])) continue;
        if (n && r->bound <= out[n - 1].bound) {
            out[n - 1].count += r->v[at];
        } else {
            out[n++] = (struct bucket){ r->bound, r->v[at] };
        }
    }
    return n;
}

/* Equal but for rounding: a trillionth of their sum. */
static bool nearly_equal(double a, double b)
{
    static const double TOLERANCE = 1e-12, SMALLEST = 0x1p-1022;
    double sum = fabs(a) + fabs(b), diff = fabs(a - b);
    if (!(diff > 0)) return true;
    if (!(fabs(a) > 0) || !(fabs(b) > 0) || sum < SMALLEST) return diff < TOLERANCE * SMALLEST;
    return diff / fmin(sum, 0x1.fffffffffffffp1023) < TOLERANCE;
}

/* Counts must not fall with the bound; true when more than rounding had to be mended. */
static bool make_monotonic(struct bucket *b, size_t n)
{
    bool forced = false;
    for (size_t i = 1; i < n; i++) {
        if (nearly_equal(b[i - 1].count, b[i].count)) {
            b[i].count = b[i - 1].count;
        } else if (b[i].count < b[i - 1].count) {
            b[i].count = b[i - 1].count;
            forced = true;
        }
    }
    return forced;
}

static double quantile_in(double q, struct bucket *b, size_t n, bool *forced)
{
    if (isnan(q)) return NOT_A_NUMBER;
    if (q < 0) return -INFINITE;
    if (q > 1) return INFINITE;
    if (!isinf(b[n - 1].bound) || b[n - 1].bound < 0) return NOT_A_NUMBER;
    *forced = make_monotonic(b, n);
    if (n < 2 || !(b[n - 1].count > 0 || b[n - 1].count < 0)) return NOT_A_NUMBER;
    double rank = q * b[n - 1].count;
    size_t i = 0;
    while (i < n - 1 && !(b[i].count >= rank)) i++;
    if (i == n - 1) return b[n - 2].bound;
    if (i == 0 && b[0].bound <= 0) return b[0].bound;
    double from = 0, count = b[i].count;
    if (i > 0) {
        from = b[i - 1].bound;
        count -= b[i - 1].count;
        rank -= b[i - 1].count;
    }
    return from + (b[i].bound - from) * (rank / count);
}

/* How many observations lie below x; rank: those below the bucket; NaN where x is not in it. */
static double rank_in(double x, double from, const struct bucket *b, double rank)
{
    if (from >= x && from <= x) return rank;
    if (!(from < x && b->bound > x)) return NOT_A_NUMBER;
    if (isinf(from)) return b->count;
    return rank + (b->count - rank) * (x - from) / (b->bound - from);
}

static double fraction_in(double lower, double upper, const struct bucket *b, size_t n)
{
    double count = b[n - 1].count, rank = 0, low = NOT_A_NUMBER, high = NOT_A_NUMBER;
    if (!isinf(b[n - 1].bound) || b[n - 1].bound < 0) return NOT_A_NUMBER;
    if (!(count > 0 || count < 0) || isnan(lower) || isnan(upper)) return NOT_A_NUMBER;
    if (lower >= upper) return 0;
    double from = b[0].bound <= 0 ? -INFINITE : 0;
    for (size_t i = 0; i < n; i++) {
        if (i) from = b[i - 1].bound;
        if (isnan(low)) low = rank_in(lower, from, &b[i], rank);
        if (isnan(high)) high = rank_in(upper, from, &b[i], rank);
        rank = b[i].count;
    }
    /* below the first bucket nothing is counted, past the last everything is */
    double begin = b[0].bound <= 0 ? -INFINITE : 0;
    if (isnan(low)) low = lower < begin ? 0 : count;
    if (isnan(high)) high = upper < begin ? 0 : count;
    if (low > count) low = count;
    if (high > count) high = count;
    return (high - low) / count;
}

/* ---- groups ---- */

static bool bound_of(struct query *q, const struct histograms *hs, const struct row *r, double *out)
{
    struct str le = labels_get(r->lb, BUCKET_LABEL);
    if (le.n && num_parse_f64(le, out) != ERR_SYNTAX) return true;
    struct str metric = labels_get(r->lb, METRIC_NAME);
    query_warn(
        q, hs->arg,
        "bucket label \"le\" is missing or has a malformed value of \"" STR_FMT "\"%s" STR_FMT "%s",
        STR_ARG(le), metric.n ? " for metric name \"" : "", STR_ARG(metric), metric.n ? "\"" : "");
    return false;
}

static void group_rows(struct histograms *hs, const struct vec *in)
{
    struct query *q = hs->q;
    size_t widest = 0;
    for (size_t i = 0; i < in->n; i++) {
        const struct row *r = &in->v[i];
        double bound;
        bool fresh;
        if (!bound_of(q, hs, r, &bound)) continue;
        struct labels_builder b;
        labels_builder_init(&b, q->a, r->lb);
        labels_del(&b, BUCKET_LABEL);
        size_t id = label_index_add(q, &hs->index, labels_build(&b), &fresh);
        if (fresh) {
            struct classic *h = vec_push(q->a, &hs->v);
            h->lb = hs->index.sets.v[id];
            h->metric = labels_get(r->lb, METRIC_NAME);
        }
        struct classic *h = &hs->v.v[id];
        h->drop |= r->drop;
        *vec_push(q->a, &h->rows) = (struct bound_row){ bound, r->v };
        if (h->rows.n > widest) widest = h->rows.n;
    }
    hs->buckets = arena_array(q->a, widest + 1, sizeof(*hs->buckets));
    VEC_FOR(h, &hs->v) {
        qsort(h->rows.v, h->rows.n, sizeof(*h->rows.v), by_bound);
    }
}

static void note_forced(const struct histograms *hs, const struct classic *h)
{
    query_info(hs->q, hs->arg,
               "input to histogram_quantile needed to be fixed for monotonicity (see "
               "https://prometheus.io/docs/prometheus/latest/querying/functions/"
               "#histogram_quantile) for metric name \"" STR_FMT "\"",
               STR_ARG(h->metric));
}

static void note_quantiles(const struct histograms *hs, const struct node *arg, const double *v)
{
    for (size_t i = 0; i < hs->f->n; i++) {
        if (v[i] >= 0 && v[i] <= 1) continue;
        BUF(b, 0);
        num_write_g(&b, v[i]);
        query_warn(hs->q, arg, "quantile value should be between 0 and 1, got " STR_FMT,
                   STR_ARG(buf_str(&b)));
    }
}

/* ---- the functions ---- */

static enum err quantile_row(struct histograms *hs, const struct classic *h, const double *qs,
                             struct labels lb, row_fn *fn, void *ctx)
{
    struct row r = { lb, values_new(hs->q, hs->f), h->drop };
    bool any_forced = false;
    for (size_t i = 0; i < hs->f->n; i++) {
        bool forced = false;
        size_t n = buckets_at(h, i, hs->buckets);
        r.v[i] = n ? quantile_in(qs[i], hs->buckets, n, &forced) : ABSENT;
        any_forced |= forced;
    }
    if (any_forced) note_forced(hs, h);
    row_drop_name(hs->q, &r);
    return fn(hs->q, ctx, &r);
}

static enum err quantile_rows(struct histograms *hs, row_fn *fn, void *ctx)
{
    double *qs = values_new(hs->q, hs->f);
    TRY(eval_scalar(hs->q, hs->n->call.args[0], hs->f, qs));
    note_quantiles(hs, hs->n->call.args[0], qs);
    VEC_FOR(h, &hs->v) {
        TRY(query_tick(hs->q));
        TRY(quantile_row(hs, h, qs, h->lb, fn, ctx));
    }
    return OK;
}

/* One quantile of every histogram, told apart by a label. */
static enum err one_of_quantiles(struct histograms *hs, const struct node *arg, row_fn *fn,
                                 void *ctx)
{
    struct query *q = hs->q;
    double *qs = values_new(q, hs->f);
    TRY(eval_scalar(q, arg, hs->f, qs));
    note_quantiles(hs, arg, qs);
    BUF(text, 0);
    num_write_f(&text, qs[0]);
    struct str value = arena_dup(q->a, buf_str(&text));
    VEC_FOR(h, &hs->v) {
        struct labels_builder b;
        labels_builder_init(&b, q->a, h->lb);
        labels_set(&b, eval_string(hs->n->call.args[1]), value);
        TRY(query_tick(q));
        TRY(quantile_row(hs, h, qs, labels_dup(q->a, labels_build(&b)), fn, ctx));
    }
    return OK;
}

static enum err quantiles_rows(struct histograms *hs, row_fn *fn, void *ctx)
{
    for (size_t i = 2; i < hs->n->call.n; i++) {
        TRY(one_of_quantiles(hs, hs->n->call.args[i], fn, ctx));
    }
    return OK;
}

static enum err fraction_rows(struct histograms *hs, row_fn *fn, void *ctx)
{
    double *lower = values_new(hs->q, hs->f), *upper = values_new(hs->q, hs->f);
    TRY(eval_scalar(hs->q, hs->n->call.args[0], hs->f, lower));
    TRY(eval_scalar(hs->q, hs->n->call.args[1], hs->f, upper));
    VEC_FOR(h, &hs->v) {
        struct row r = { h->lb, values_new(hs->q, hs->f), h->drop };
        for (size_t i = 0; i < hs->f->n; i++) {
            size_t n = buckets_at(h, i, hs->buckets);
            r.v[i] = n ? fraction_in(lower[i], upper[i], hs->buckets, n) : ABSENT;
        }
        row_drop_name(hs->q, &r);
        TRY(query_tick(hs->q));
        TRY(fn(hs->q, ctx, &r));
    }
    return OK;
}

enum err histogram_call_rows(struct query *q, const struct node *n, const struct frame *f,
                             row_fn *fn, void *ctx)
{
    struct vec in = { 0 };
    struct histograms hs = { .q = q, .n = n, .f = f };
    enum function_id id = n->call.fn->id;
    size_t at = id == FN_HISTOGRAM_FRACTION ? 2 : id == FN_HISTOGRAM_QUANTILE ? 1 : 0;
    hs.arg = n->call.args[at];
    TRY(eval_vec(q, hs.arg, f, &in));
    enum err e = OK;
    if (id == FN_HISTOGRAM_FRACTION || id == FN_HISTOGRAM_QUANTILE ||
        id == FN_HISTOGRAM_QUANTILES) {
        group_rows(&hs, &in);
    }
    if (id == FN_HISTOGRAM_QUANTILE) e = quantile_rows(&hs, fn, ctx);
    if (id == FN_HISTOGRAM_QUANTILES) e = quantiles_rows(&hs, fn, ctx);
    if (id == FN_HISTOGRAM_FRACTION) e = fraction_rows(&hs, fn, ctx);
    query_drop(q, in.samples);
    return e;
}
