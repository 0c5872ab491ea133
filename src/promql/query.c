/* SPDX-License-Identifier: Apache-2.0 */
/* What a running query is asked at each step (limits, cancel), its annotations, and vectors of rows. */
#include "promql/eval_priv.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

enum err query_tick(struct query *q)
{
    enum { CLOCK_EVERY = 64 };
    if (q->cancel && atomic_load_explicit(q->cancel, memory_order_relaxed)) {
        return diag_set(q->d, ERR_CANCELED, "query was canceled in expression evaluation");
    }
    if (arena_over(q->a)) {
        return diag_set(q->d, ERR_LIMIT, "query needs more memory than its limit of %zu bytes",
                        q->a->limit);
    }
    if (q->deadline_ms && q->ticks++ % CLOCK_EVERY == 0 && q->o->mono_ms() > q->deadline_ms) {
        return diag_set(q->d, ERR_TIMEOUT, "query timed out in expression evaluation");
    }
    return OK;
}

enum err query_hold(struct query *q, uint64_t n)
{
    q->samples += n;
    if (q->samples <= q->o->max_samples) return OK;
    return diag_set(q->d, ERR_LIMIT,
                    "query processing would load too many samples into memory in query execution");
}

bool query_has(const struct query *q, uint32_t feature) { return q->o->features & feature; }

static void annotate(struct query *q, struct annotations *to, const char *kind,
                     const struct node *n, const char *fmt, va_list ap) PRINTF(5, 0);
static void annotate(struct query *q, struct annotations *to, const char *kind,
                     const struct node *n, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    char *text = arena_raw(q->a, len < 0 ? 1 : (size_t)len + 1);
    (void)vsnprintf(text, len < 0 ? 1 : (size_t)len + 1, fmt, ap);
    struct str place = parse_place(q->a, q->e->text, n->start);
    struct str s = arena_fmt(q->a, "PromQL %s: %s (" STR_FMT ")", kind, text, STR_ARG(place));
    if (map_get(&to->seen, s)) return;
    (void)map_put(&to->seen, s, to);
    *vec_push(q->a, &to->list) = s;
}

void query_warn(struct query *q, const struct node *n, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    annotate(q, &q->warnings, "warning", n, fmt, ap);
    va_end(ap);
}

void query_info(struct query *q, const struct node *n, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    annotate(q, &q->infos, "info", n, fmt, ap);
    va_end(ap);
}

/* ---- rows ---- */

double *values_new(struct query *q, const struct frame *f)
{
    return arena_raw(q->a, f->n * sizeof(double));
}

double *values_absent(struct query *q, const struct frame *f)
{
    double *v = values_new(q, f);
    for (size_t i = 0; i < f->n; i++) v[i] = ABSENT;
    return v;
}

struct row *vec_add(struct query *q, struct vec *v, struct labels lb, bool drop, double *values)
{
    struct row *r = vec_push(q->a, v);
    *r = (struct row){ lb, values, drop };
    return r;
}

struct collect {
    struct vec *v;
    const struct frame *f;
};

static enum err collect_row(struct query *q, void *ctx, struct row *r)
{
    struct collect *c = ctx;
    uint64_t have = 0;
    for (size_t i = 0; i < c->f->n; i++) have += !is_absent(r->v[i]);
    if (!have) return OK;
    TRY(query_hold(q, have));
    c->v->samples += have;
    double *values = values_new(q, c->f);
    memcpy(values, r->v, c->f->n * sizeof(double));
    (void)vec_add(q, c->v, r->lb, r->drop, values);
    return OK;
}

enum err eval_vec(struct query *q, const struct node *n, const struct frame *f, struct vec *out)
{
    struct collect c = { out, f };
    return eval_rows(q, n, f, collect_row, &c);
}

enum err vec_push_rows(struct query *q, struct vec *v, row_fn *fn, void *ctx)
{
    for (size_t i = 0; i < v->n; i++) {
        TRY(query_tick(q));
        TRY(fn(q, ctx, &v->v[i]));
    }
    return OK;
}

/* ---- names ---- */

static bool is_meta(const struct query *q, struct str name)
{
    if (str_eq(name, METRIC_NAME)) return true;
    return query_has(q, PROMQL_TYPE_AND_UNIT) &&
           (str_eq(name, STR("__type__")) || str_eq(name, STR("__unit__")));
}

struct labels labels_nameless(struct query *q, struct labels lb)
{
    size_t skip = 0, meta = 0;
    for (size_t i = 0; i < lb.n; i++) meta += is_meta(q, lb.v[i].name);
    if (!meta) return lb;
    while (skip < lb.n && is_meta(q, lb.v[skip].name)) skip++;
    /* they come first, mostly */
    if (skip == meta) return (struct labels){ lb.v + skip, lb.n - skip };
    struct label *v = arena_array(q->a, lb.n - meta, sizeof(*v));
    size_t n = 0;
    for (size_t i = 0; i < lb.n; i++) {
        if (!is_meta(q, lb.v[i].name)) v[n++] = lb.v[i];
    }
    return (struct labels){ v, n };
}

void row_drop_name(struct query *q, struct row *r)
{
    if (query_has(q, PROMQL_DELAYED_NAME_REMOVAL)) {
        r->drop = true;
    } else {
        r->lb = labels_nameless(q, r->lb);
    }
}

bool node_names_differ(const struct node *n)
{
    n = node_unwrap(n);
    switch (n->kind) {
    case NODE_SELECTOR:
        for (size_t i = 0; i < n->selector.n; i++) {
            const struct matcher *m = &n->selector.matchers[i];
            if (m->op == MATCH_EQ && str_eq(m->name, METRIC_NAME)) return false;
        }
        return true;
    case NODE_MATRIX: return node_names_differ(n->matrix.selector);
    case NODE_SUBQUERY: return node_names_differ(n->subquery.inner);
    case NODE_UNARY: return node_names_differ(n->unary.inner);
    default: return n->type != VALUE_SCALAR;
    }
}

/* ---- equal label sets ---- */

static void index_grow(struct query *q, struct label_index *ix)
{
    size_t cap = ix->cap ? ix->cap * 2 : 64;
    uint32_t *slots = arena_array(q->a, cap, sizeof(*slots));
    for (size_t id = 0; id < ix->hashes.n; id++) {
        size_t at = ix->hashes.v[id] & (cap - 1);
        while (slots[at]) at = (at + 1) & (cap - 1);
        slots[at] = (uint32_t)id + 1;
    }
    ix->slots = slots;
    ix->cap = cap;
}

size_t label_index_add(struct query *q, struct label_index *ix, struct labels lb, bool *fresh)
{
    if ((ix->sets.n + 1) * 2 > ix->cap) index_grow(q, ix);
    uint64_t h = labels_hash(lb);
    size_t at = h & (ix->cap - 1);
    for (; ix->slots[at]; at = (at + 1) & (ix->cap - 1)) {
        size_t id = ix->slots[at] - 1;
        if (ix->hashes.v[id] != h || !labels_eq(ix->sets.v[id], lb)) continue;
        if (fresh) *fresh = false;
        return id;
    }
    ix->slots[at] = (uint32_t)ix->sets.n + 1;
    *vec_push(q->a, &ix->sets) = lb;
    *vec_push(q->a, &ix->hashes) = h;
    if (fresh) *fresh = true;
    return ix->sets.n - 1;
}

static enum err same_labelset(struct query *q)
{
    return query_fail(q, "vector cannot contain metrics with the same labelset");
}

static enum err merge_into(struct query *q, struct row *to, const struct row *from,
                           const struct frame *f)
{
    for (size_t i = 0; i < f->n; i++) {
        if (is_absent(from->v[i])) continue;
        if (!is_absent(to->v[i])) return same_labelset(q);
        to->v[i] = from->v[i];
    }
    to->drop |= from->drop;
    return OK;
}

enum err vec_merge(struct query *q, struct vec *v, const struct frame *f, bool strict)
{
    struct label_index ix = { 0 };
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++) {
        bool fresh;
        size_t id = label_index_add(q, &ix, v->v[i].lb, &fresh);
        if (fresh) {
            v->v[n++] = v->v[i];
        } else if (strict) {
            return same_labelset(q);
        } else {
            TRY(merge_into(q, &v->v[id], &v->v[i], f));
        }
    }
    v->n = n;
    return OK;
}
