/* SPDX-License-Identifier: Apache-2.0 */
/*
 * promql_store.h - series in arrays behind model/storage.h: for tests, fuzzing and benchmarks of the query engine
 *
 * Shape: a store owns its series; series are sorted by labels when it is opened. `touched` turns true when a series
 *        that was marked is selected.
 */
#ifndef TESTS_PROMQL_STORE_H
#define TESTS_PROMQL_STORE_H

#include "base/vec.h"
#include "model/storage.h"

#include <stdlib.h>

struct store_series {
    struct labels lb;
    struct column c;
    bool marked; /* stands for something that cannot be kept here */
};

struct store {
    struct queryable qa;    /* first */
    struct querier querier; /* one at a time */
    struct arena a;
    VEC(struct store_series *) v;
    size_t sorted; /* how many were there when they were sorted */
    bool touched;
};

static struct store *store_of_querier(struct querier *q)
{
    return (struct store *)(void *)((char *)q - offsetof(struct store, querier));
}

static int store_order(const void *a, const void *b)
{
    return labels_cmp((*(struct store_series *const *)a)->lb,
                      (*(struct store_series *const *)b)->lb);
}

static enum err store_select(struct querier *q, struct arena *a, const struct matcher *m, size_t n,
                             int64_t mint, int64_t maxt, struct series **out, size_t *out_n,
                             struct diag *d)
{
    struct store *s = store_of_querier(q);
    struct series *found = arena_array(a, s->v.n, sizeof(*found));
    size_t count = 0;
    (void)d;
    for (size_t i = 0; i < s->v.n; i++) {
        struct store_series *x = s->v.v[i];
        if (!matchers_match(m, n, x->lb)) continue;
        s->touched |= x->marked;
        if (!x->c.n || x->c.t[0] > maxt || x->c.t[x->c.n - 1] < mint) continue;
        found[count++] = (struct series){ x->lb, i, x };
    }
    *out = found;
    *out_n = count;
    return OK;
}

/* First index whose time is at least t. */
static size_t store_from(const struct column *c, int64_t t)
{
    size_t lo = 0, hi = c->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (c->t[mid] >= t) {
            hi = mid;
        } else {
            lo = mid + 1;
        }
    }
    return lo;
}

static enum err store_read(struct querier *q, const struct series *s, int64_t mint, int64_t maxt,
                           struct column *c)
{
    const struct column *own = &((const struct store_series *)s->impl)->c;
    (void)q;
    for (size_t i = store_from(own, mint); i < own->n && own->t[i] <= maxt; i++) {
        column_push(c, own->t[i], own->v[i]);
    }
    return OK;
}

static bool store_last(struct querier *q, const struct series *s, int64_t mint, int64_t maxt,
                       struct sample *out)
{
    const struct column *own = &((const struct store_series *)s->impl)->c;
    size_t behind = maxt == INT64_MAX ? own->n : store_from(own, maxt + 1);
    (void)q;
    if (!behind || own->t[behind - 1] < mint) return false;
    *out = (struct sample){ own->t[behind - 1], own->v[behind - 1] };
    return true;
}

static void store_close(struct querier *q) { (void)q; }

static const struct querier_ops STORE_QUERIER = {
    .select = store_select, .read = store_read, .last = store_last, .close = store_close
};

static enum err store_open(struct queryable *qa, int64_t mint, int64_t maxt, struct querier **out,
                           struct diag *d)
{
    struct store *s = (struct store *)(void *)qa;
    (void)mint, (void)maxt, (void)d;
    if (s->v.n != s->sorted) qsort(s->v.v, s->v.n, sizeof(*s->v.v), store_order);
    s->sorted = s->v.n;
    s->querier.ops = &STORE_QUERIER;
    *out = &s->querier;
    return OK;
}

static const struct queryable_ops STORE_QUERYABLE = { .open = store_open };

static inline void store_init(struct store *s)
{
    *s = (struct store){ .qa = { &STORE_QUERYABLE } };
    arena_init(&s->a, 0);
}

static inline void store_done(struct store *s)
{
    for (size_t i = 0; i < s->v.n; i++) column_done(&s->v.v[i]->c);
    arena_done(&s->a);
    s->v.n = s->sorted = 0;
    s->v.v = NULL;
    s->v.cap = 0;
}

/* The series of these labels, made when it is new. */
static inline struct store_series *store_series(struct store *s, struct labels lb)
{
    for (size_t i = 0; i < s->v.n; i++) {
        if (labels_eq(s->v.v[i]->lb, lb)) return s->v.v[i];
    }
    struct store_series *x = arena_new(&s->a, struct store_series);
    x->lb = labels_dup(&s->a, lb);
    *vec_push(&s->a, &s->v) = x;
    return x;
}

#endif
