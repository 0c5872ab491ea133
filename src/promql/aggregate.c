/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Aggregations. A row finds its group once; then its column is added into the group's columns, so memory is groups x
 * times, however many series there are. What needs all values of a time at once (quantile, topk, count_values ...)
 * collects rows first: aggregate_k.c.
 */
#include "promql/aggregate.h"

#include "promql/kernels.h"

struct group {
    struct row out;
    double *a, *b, *n; /* what they hold is up to the operation; n counts */
    bool *incremental; /* avg: where its sum overflowed */
};

struct aggregate {
    const struct node *n;
    const struct frame *f;
    enum token_kind op;
    struct grouping by;
    VEC(struct group) groups;
};

/* ---- groups ---- */

void grouping_init(struct grouping *g, const struct node *n)
{
    *g = (struct grouping){ .n = n, .one = !n->aggregate.without && !n->aggregate.by.n };
}

static bool is_listed(struct names names, struct str name)
{
    for (size_t i = 0; i < names.n; i++) {
        if (str_eq(names.v[i], name)) return true;
    }
    return false;
}

/* What a row is grouped by, in the grouping's room. */
static struct labels pick_labels(struct query *q, struct grouping *g, struct labels lb)
{
    struct names by = g->n->aggregate.by;
    bool without = g->n->aggregate.without;
    size_t n = 0;
    if (without) lb = labels_nameless(q, lb);
    if (g->room_n < lb.n) {
        g->room_n = lb.n * 2;
        g->room = arena_raw(q->a, g->room_n * sizeof(*g->room));
    }
    for (size_t i = 0; i < lb.n; i++) {
        if (is_listed(by, lb.v[i].name) == without) continue;
        if (without && str_eq(lb.v[i].name, METRIC_NAME)) continue;
        g->room[n++] = lb.v[i];
    }
    return (struct labels){ g->room, n };
}

size_t grouping_add(struct query *q, struct grouping *g, struct labels lb, struct labels *group,
                    bool *fresh)
{
    struct labels picked = { 0 };
    if (!g->one) picked = pick_labels(q, g, lb);
    *fresh = false;
    if (!g->index.sets.n || !labels_eq(g->index.sets.v[g->last], picked)) {
        g->last = label_index_add(q, &g->index, picked, fresh);
    }
    struct labels *kept = &g->index.sets.v[g->last];
    if (*fresh) {
        struct label *v = arena_raw(q->a, picked.n * sizeof(*v));
        if (picked.n) memcpy(v, picked.v, picked.n * sizeof(*v));
        *kept = (struct labels){ v, picked.n };
    }
    *group = *kept;
    return g->last;
}

static struct group *group_of(struct query *q, struct aggregate *x, const struct row *r)
{
    bool fresh;
    struct labels lb;
    size_t id = grouping_add(q, &x->by, r->lb, &lb, &fresh);
    if (fresh) {
        struct group *g = vec_push(q->a, &x->groups);
        g->out = (struct row){ lb, values_new(q, x->f), false };
        g->a = g->out.v;
        g->b = arena_array(q->a, x->f->n, sizeof(double));
        g->n = arena_array(q->a, x->f->n, sizeof(double));
        memset(g->a, 0, x->f->n * sizeof(double));
        if (x->op == TOK_AVG) g->incremental = arena_array(q->a, x->f->n, sizeof(bool));
    }
    struct group *g = &x->groups.v[id];
    g->out.drop |= r->drop;
    return g;
}

/* ---- one column into a group ---- */

static void add_sum(struct group *g, size_t i, double v)
{
    if (g->n[i] > 0) {
        kahan_add(v, &g->a[i], &g->b[i]);
    } else {
        g->a[i] = v;
    }
}

static void add_avg(struct group *g, size_t i, double v)
{
    struct mean m = { g->a[i], g->b[i], g->n[i], g->incremental[i] };
    mean_add(&m, v);
    g->a[i] = m.sum;
    g->b[i] = m.c;
    g->incremental[i] = m.incremental;
}

static void add_max(struct group *g, size_t i, double v)
{
    if (!(g->n[i] > 0) || g->a[i] < v || isnan(g->a[i])) g->a[i] = v;
}

static void add_min(struct group *g, size_t i, double v)
{
    if (!(g->n[i] > 0) || g->a[i] > v || isnan(g->a[i])) g->a[i] = v;
}

/* Welford: a is the sum of squared distances, b the mean. */
static void add_variance(struct group *g, size_t i, double v)
{
    if (!(g->n[i] > 0)) {
        g->a[i] = isnan(v) || isinf(v) ? NOT_A_NUMBER : 0;
        g->b[i] = v;
        return;
    }
    double delta = v - g->b[i];
    g->b[i] += delta / (g->n[i] + 1);
    g->a[i] += delta * (v - g->b[i]);
}

static void add_value(enum token_kind op, struct group *g, size_t i, double v)
{
    switch (op) {
    case TOK_SUM: add_sum(g, i, v); break;
    case TOK_AVG: add_avg(g, i, v); break;
    case TOK_MAX: add_max(g, i, v); break;
    case TOK_MIN: add_min(g, i, v); break;
    case TOK_STDDEV:
    case TOK_STDVAR: add_variance(g, i, v); break;
    default: break; /* count, group: n alone */
    }
    g->n[i]++;
}

static enum err add_row(struct query *q, void *ctx, struct row *r)
{
    struct aggregate *x = ctx;
    struct group *g = NULL;
    for (size_t i = 0; i < x->f->n; i++) {
        if (is_absent(r->v[i])) continue;
        if (!g) g = group_of(q, x, r);
        add_value(x->op, g, i, r->v[i]);
    }
    return OK;
}

static double group_value(enum token_kind op, const struct group *g, size_t i)
{
    struct mean m;
    if (!(g->n[i] > 0)) return ABSENT;
    switch (op) {
    case TOK_SUM: return g->a[i] + g->b[i];
    case TOK_AVG:
        m = (struct mean){ g->a[i], g->b[i], g->n[i], g->incremental[i] };
        return mean_value(&m);
    case TOK_COUNT: return g->n[i];
    case TOK_GROUP: return 1;
    case TOK_STDVAR: return g->a[i] / g->n[i];
    case TOK_STDDEV: return sqrt(g->a[i] / g->n[i]);
    default: return g->a[i];
    }
}

enum err aggregate_rows(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                        void *ctx)
{
    struct aggregate x = { .n = n, .f = f, .op = n->aggregate.op };
    if (op_takes_param(x.op)) return aggregate_param_rows(q, n, f, fn, ctx);
    grouping_init(&x.by, n);
    TRY(eval_rows(q, n->aggregate.inner, f, add_row, &x));
    for (size_t id = 0; id < x.groups.n; id++) {
        struct group *g = &x.groups.v[id];
        TRY(query_tick(q));
        for (size_t i = 0; i < f->n; i++) g->out.v[i] = group_value(x.op, g, i);
        TRY(fn(q, ctx, &g->out));
    }
    return OK;
}
