/* SPDX-License-Identifier: Apache-2.0 */
/* Aggregations with a parameter: each looks at all values of a group at one time. */
#include "base/assert.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "codec/num.h"
#include "promql/aggregate.h"
#include "promql/kernels.h"

#include <stdlib.h>

struct members {
    struct labels lb;
    bool drop;
    VEC(uint32_t) rows;
};

struct param_aggregate {
    struct query *q;
    const struct node *n;
    const struct frame *f;
    enum token_kind op;
    const double *param; /* a value each time; NULL for count_values */
    struct vec in;
    struct grouping by;
    VEC(struct members) groups;
};

static void find_groups(struct param_aggregate *x)
{
    grouping_init(&x->by, x->n);
    for (uint32_t i = 0; i < x->in.n; i++) {
        bool fresh;
        struct labels lb;
        size_t id = grouping_add(x->q, &x->by, x->in.v[i].lb, &lb, &fresh);
        if (fresh) vec_push(x->q->a, &x->groups)->lb = lb;
        x->groups.v[id].drop |= x->in.v[i].drop;
        *vec_push(x->q->a, &x->groups.v[id].rows) = i;
    }
}

/* ---- quantile ---- */

static enum err quantile_rows(struct param_aggregate *x, row_fn *fn, void *ctx)
{
    double *values = arena_raw(x->q->a, x->in.n * sizeof(double));
    VEC_FOR(g, &x->groups) {
        struct row r = { g->lb, values_new(x->q, x->f), g->drop };
        for (size_t i = 0; i < x->f->n; i++) {
            size_t n = 0;
            VEC_FOR(at, &g->rows) {
                double v = x->in.v[*at].v[i];
                if (!is_absent(v)) values[n++] = v;
            }
            r.v[i] = n ? quantile_of(x->param[i], values, n) : ABSENT;
        }
        TRY(query_tick(x->q));
        TRY(fn(x->q, ctx, &r));
    }
    return OK;
}

/* ---- topk, bottomk: a heap of k rows, the one to lose at its head ---- */

struct heap_k {
    uint32_t *v;
    size_t n;
    const struct param_aggregate *x;
    size_t at;
};

static double heap_value(const struct heap_k *h, size_t i) { return h->x->in.v[h->v[i]].v[h->at]; }

static bool loses(const struct heap_k *h, double a, double b)
{
    if (isnan(a)) return true;
    return h->x->op == TOK_TOPK ? a < b : a > b;
}

static void heap_swap(struct heap_k *h, size_t i, size_t j)
{
    uint32_t v = h->v[i];
    h->v[i] = h->v[j];
    h->v[j] = v;
}

static void heap_up(struct heap_k *h, size_t i)
{
    while (i > 0) {
        size_t parent = (i - 1) / 2;
        if (!loses(h, heap_value(h, i), heap_value(h, parent))) break;
        heap_swap(h, i, parent);
        i = parent;
    }
}

static void heap_down(struct heap_k *h, size_t i)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= h->n) return;
        bool right = child + 1 < h->n && loses(h, heap_value(h, child + 1), heap_value(h, child));
        if (right) child++;
        if (!loses(h, heap_value(h, child), heap_value(h, i))) return;
        heap_swap(h, i, child);
        i = child;
    }
}

static void heap_offer(struct heap_k *h, size_t k, uint32_t row)
{
    double v = h->x->in.v[row].v[h->at];
    if (!k) return;
    if (h->n < k) {
        h->v[h->n] = row;
        heap_up(h, h->n++);
        return;
    }
    double head = heap_value(h, 0);
    bool better = h->x->op == TOK_TOPK ? head < v : head > v;
    if (!better && !(isnan(head) && !isnan(v))) return;
    h->v[0] = row;
    heap_down(h, 0);
}

/* ---- what a group keeps at one time: rows of h->v ---- */

static void keep_best(const struct param_aggregate *x, const struct members *g, size_t at, size_t k,
                      struct heap_k *h)
{
    *h = (struct heap_k){ h->v, 0, x, at };
    VEC_FOR(row, &g->rows) {
        if (!is_absent(x->in.v[*row].v[at])) heap_offer(h, k, *row);
    }
}

static void keep_first(const struct param_aggregate *x, const struct members *g, size_t at,
                       size_t k, struct heap_k *h)
{
    *h = (struct heap_k){ h->v, 0, x, at };
    VEC_FOR(row, &g->rows) {
        if (h->n < k && !is_absent(x->in.v[*row].v[at])) h->v[h->n++] = *row;
    }
}

/* The bytes that the original hashes for limit_ratio: each name and value behind its length. */
static void put_sized(struct buf *b, struct str s)
{
    if (s.n < 255) {
        buf_char(b, (char)s.n);
    } else {
        const char size[4] = { (char)255, (char)(s.n & 255), (char)(s.n >> 8 & 255),
                               (char)(s.n >> 16 & 255) };
        buf_put(b, str_make(size, sizeof(size)));
    }
    buf_put(b, s);
}

static double ratio_of(struct labels lb)
{
    BUF(b, 0);
    for (size_t i = 0; i < lb.n; i++) {
        put_sized(&b, lb.v[i].name);
        put_sized(&b, lb.v[i].value);
    }
    return (double)hash_xxh64(buf_str(&b)) / (double)UINT64_MAX;
}

static void keep_ratio(const struct param_aggregate *x, const struct members *g, size_t at,
                       double ratio, const double *ratios, struct heap_k *h)
{
    ASSERT(ratios != NULL);
    *h = (struct heap_k){ h->v, 0, x, at };
    VEC_FOR(row, &g->rows) {
        double r = ratios[*row];
        bool kept = (ratio >= 0 && r < ratio) || (ratio < 0 && r >= 1.0 + ratio);
        if (kept && !is_absent(x->in.v[*row].v[at])) h->v[h->n++] = *row;
    }
}

static int by_value_up(const void *a, const void *b, void *ctx)
{
    const struct heap_k *h = ctx;
    double x = h->x->in.v[*(const uint32_t *)a].v[h->at];
    double y = h->x->in.v[*(const uint32_t *)b].v[h->at];
    if (isnan(x) || isnan(y)) return isnan(x) ? !isnan(y) : -1;
    int order = x < y ? -1 : x > y;
    return h->x->op == TOK_TOPK ? -order : order;
}

/* One time: the rows come out best first, group by group. */
static enum err emit_ordered(struct param_aggregate *x, struct heap_k *h, row_fn *fn, void *ctx)
{
    if (x->op == TOK_TOPK || x->op == TOK_BOTTOMK) {
        qsort_r(h->v, h->n, sizeof(*h->v), by_value_up, h);
    }
    for (size_t i = 0; i < h->n; i++) TRY(fn(x->q, ctx, &x->in.v[h->v[i]]));
    return OK;
}

static size_t limit_of(double param, size_t rows)
{
    if (!(param >= 1)) return 0;
    return param < (double)rows ? (size_t)param : rows;
}

static void keep_group(struct param_aggregate *x, const struct members *g, size_t at,
                       const double *ratios, struct heap_k *h)
{
    size_t k = limit_of(x->param[at], x->in.n);
    if (x->op == TOK_LIMIT_RATIO) {
        keep_ratio(x, g, at, x->param[at], ratios, h);
    } else if (x->op == TOK_LIMITK) {
        keep_first(x, g, at, k, h);
    } else {
        keep_best(x, g, at, k, h);
    }
}

/* Marks what is kept at each time, then clears the rest. */
static enum err keep_rows_many(struct param_aggregate *x, struct heap_k *h, const double *ratios,
                               row_fn *fn, void *ctx)
{
    bool *kept = arena_array(x->q->a, x->in.n, sizeof(bool));
    for (size_t at = 0; at < x->f->n; at++) {
        TRY(query_tick(x->q));
        memset(kept, 0, x->in.n * sizeof(bool));
        VEC_FOR(g, &x->groups) {
            keep_group(x, g, at, ratios, h);
            for (size_t i = 0; i < h->n; i++) kept[h->v[i]] = true;
        }
        for (size_t i = 0; i < x->in.n; i++) {
            if (!kept[i]) x->in.v[i].v[at] = ABSENT;
        }
    }
    return vec_push_rows(x->q, &x->in, fn, ctx);
}

static enum err keep_rows(struct param_aggregate *x, row_fn *fn, void *ctx)
{
    double *ratios = NULL;
    struct heap_k h = { .v = arena_raw(x->q->a, (x->in.n + 1) * sizeof(*h.v)) };
    if (x->op == TOK_LIMIT_RATIO) {
        ratios = arena_raw(x->q->a, x->in.n * sizeof(double));
        for (size_t i = 0; i < x->in.n; i++) ratios[i] = ratio_of(x->in.v[i].lb);
    }
    if (x->f->n > 1) return keep_rows_many(x, &h, ratios, fn, ctx);
    VEC_FOR(g, &x->groups) {
        TRY(query_tick(x->q));
        keep_group(x, g, 0, ratios, &h);
        TRY(emit_ordered(x, &h, fn, ctx));
    }
    return OK;
}

/* ---- count_values ---- */

static enum err count_row(struct param_aggregate *x, struct vec *out, struct label_index *ix,
                          struct str name, uint32_t at)
{
    struct query *q = x->q;
    const struct row *r = &x->in.v[at];
    bool unused;
    struct labels base;
    (void)grouping_add(q, &x->by, r->lb, &base, &unused);
    for (size_t i = 0; i < x->f->n; i++) {
        if (is_absent(r->v[i])) continue;
        BUF(b, 0);
        num_write_f(&b, r->v[i]);
        struct labels_builder lb;
        labels_builder_init(&lb, q->a, base);
        labels_set(&lb, name, arena_dup(q->a, buf_str(&b)));
        bool fresh;
        size_t id = label_index_add(q, ix, labels_build(&lb), &fresh);
        if (fresh) (void)vec_add(q, out, ix->sets.v[id], r->drop, values_absent(q, x->f));
        double *to = &out->v[id].v[i];
        *to = is_absent(*to) ? 1 : *to + 1;
    }
    return OK;
}

static enum err count_values_rows(struct param_aggregate *x, row_fn *fn, void *ctx)
{
    struct vec out = { 0 };
    struct label_index ix = { 0 };
    struct str name = eval_string(x->n->aggregate.param);
    if (!name.n || !utf8_valid(name)) {
        BUF(b, 0);
        str_write_quoted(&b, name);
        return query_fail(x->q, "invalid label name " STR_FMT, STR_ARG(buf_str(&b)));
    }
    grouping_init(&x->by, x->n);
    for (uint32_t i = 0; i < x->in.n; i++) {
        TRY(query_tick(x->q));
        TRY(count_row(x, &out, &ix, name, i));
    }
    return vec_push_rows(x->q, &out, fn, ctx);
}

/* ---- parameters ---- */

static struct str number_text(struct query *q, double v)
{
    BUF(b, 0);
    num_write_g(&b, v);
    return arena_dup(q->a, buf_str(&b));
}

static enum err check_count(struct param_aggregate *x)
{
    for (size_t i = 0; i < x->f->n; i++) {
        double v = x->param[i];
        struct str text = number_text(x->q, v);
        if (isnan(v)) return query_fail(x->q, "Parameter value is NaN");
        if (v >= 9223372036854775808.0) {
            return query_fail(x->q, "Scalar value " STR_FMT " overflows int64", STR_ARG(text));
        }
        if (v < -9223372036854775808.0) {
            return query_fail(x->q, "Scalar value " STR_FMT " underflows int64", STR_ARG(text));
        }
    }
    return OK;
}

static enum err check_ratio(struct param_aggregate *x, double *param)
{
    for (size_t i = 0; i < x->f->n; i++) {
        if (isnan(param[i])) return query_fail(x->q, "Ratio value is NaN");
        if (fabs(param[i]) <= 1) continue;
        double capped = param[i] > 0 ? 1 : -1;
        query_warn(x->q, x->n->aggregate.param,
                   "ratio value should be between -1 and 1, got " STR_FMT ", capping to " STR_FMT,
                   STR_ARG(number_text(x->q, param[i])), STR_ARG(number_text(x->q, capped)));
        param[i] = capped;
    }
    return OK;
}

static void check_quantile(struct param_aggregate *x)
{
    for (size_t i = 0; i < x->f->n; i++) {
        if (x->param[i] >= 0 && x->param[i] <= 1) continue;
        query_warn(x->q, x->n->aggregate.param,
                   "quantile value should be between 0 and 1, got " STR_FMT,
                   STR_ARG(number_text(x->q, x->param[i])));
    }
}

static enum err check_param(struct param_aggregate *x)
{
    double *param = values_new(x->q, x->f);
    TRY(eval_scalar(x->q, x->n->aggregate.param, x->f, param));
    x->param = param;
    if (x->op == TOK_QUANTILE) {
        check_quantile(x);
        return OK;
    }
    return x->op == TOK_LIMIT_RATIO ? check_ratio(x, param) : check_count(x);
}

enum err aggregate_param_rows(struct query *q, const struct node *n, const struct frame *f,
                              row_fn *fn, void *ctx)
{
    struct param_aggregate x = { .q = q, .n = n, .f = f, .op = n->aggregate.op };
    if (x.op != TOK_COUNT_VALUES) TRY(check_param(&x));
    TRY(eval_vec(q, n->aggregate.inner, f, &x.in));
    if (x.op == TOK_COUNT_VALUES) return count_values_rows(&x, fn, ctx);
    find_groups(&x);
    TRY(x.op == TOK_QUANTILE ? quantile_rows(&x, fn, ctx) : keep_rows(&x, fn, ctx));
    query_drop(q, x.in.samples);
    return OK;
}
