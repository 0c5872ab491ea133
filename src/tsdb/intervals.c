/* SPDX-License-Identifier: Apache-2.0 */
#include "tsdb/intervals.h"

#include "base/assert.h"
#include "tsdb/columns.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct list {
    size_t n, cap;
    struct interval *v;
};

struct tombs {
    _Atomic(unsigned) refs;
    struct map64 lists;
    size_t n;
};

struct tombs *tombs_new(void)
{
    struct tombs *t = calloc(1, sizeof(*t));
    ASSERT(t != NULL);
    atomic_store(&t->refs, 1);
    return t;
}

struct tombs *tombs_ref(struct tombs *t)
{
    atomic_fetch_add(&t->refs, 1);
    return t;
}

void tombs_unref(struct tombs *t)
{
    if (!t || atomic_fetch_sub(&t->refs, 1) != 1) return;
    MAP_FOR(s, &t->lists) {
        struct list *l = s->value;
        free(l->v);
        free(l);
    }
    map64_done(&t->lists);
    free(t);
}

struct tombs *tombs_copy(const struct tombs *t)
{
    struct tombs *to = tombs_new();
    struct map64 lists = t->lists;
    MAP_FOR(s, &lists) {
        const struct list *l = s->value;
        for (size_t i = 0; i < l->n; i++) tombs_add(to, s->key, l->v[i]);
    }
    return to;
}

/* Stretches that touch x, or are next to it, become one with it. */
static void merge(struct list *l, struct interval x)
{
    size_t first = 0;
    while (first < l->n && l->v[first].maxt < x.mint &&
           (x.mint == INT64_MIN || l->v[first].maxt < x.mint - 1)) {
        first++;
    }
    size_t end = first;
    while (end < l->n && (x.maxt == INT64_MAX || l->v[end].mint <= x.maxt + 1)) {
        if (l->v[end].mint < x.mint) x.mint = l->v[end].mint;
        if (l->v[end].maxt > x.maxt) x.maxt = l->v[end].maxt;
        end++;
    }
    memmove(l->v + first + 1, l->v + end, (l->n - end) * sizeof(*l->v));
    l->v[first] = x;
    l->n = l->n - (end - first) + 1;
}

void tombs_add(struct tombs *t, uint64_t series, struct interval x)
{
    struct list *l = map64_get(&t->lists, series);
    if (!l) {
        l = calloc(1, sizeof(*l));
        ASSERT(l != NULL);
        (void)map64_put(&t->lists, series, l);
    }
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 2;
        l->v = realloc(l->v, l->cap * sizeof(*l->v));
        ASSERT(l->v != NULL);
    }
    t->n -= l->n;
    merge(l, x);
    t->n += l->n;
}

struct intervals tombs_get(const struct tombs *t, uint64_t series)
{
    const struct list *l = t && t->n ? map64_get(&t->lists, series) : NULL;
    return l ? (struct intervals){ l->v, l->n } : (struct intervals){ 0 };
}

size_t tombs_count(const struct tombs *t) { return t ? t->n : 0; }

static int by_series(const void *a, const void *b)
{
    const struct tombstone *x = a, *y = b;
    if (x->series != y->series) return x->series < y->series ? -1 : 1;
    return (x->mint > y->mint) - (x->mint < y->mint);
}

struct tombstone *tombs_list(const struct tombs *t, struct arena *a, size_t *n)
{
    struct tombstone *v = arena_array(a, t->n, sizeof(*v));
    struct map64 lists = t->lists;
    *n = 0;
    MAP_FOR(s, &lists) {
        const struct list *l = s->value;
        for (size_t i = 0; i < l->n; i++) {
            v[(*n)++] = (struct tombstone){ s->key, l->v[i].mint, l->v[i].maxt };
        }
    }
    if (*n) qsort(v, *n, sizeof(*v), by_series);
    return v;
}

bool intervals_cover(struct intervals d, int64_t mint, int64_t maxt)
{
    for (size_t i = 0; i < d.n; i++) {
        if (d.v[i].mint <= mint && maxt <= d.v[i].maxt) return true;
    }
    return false;
}

bool intervals_touch(struct intervals d, int64_t mint, int64_t maxt)
{
    for (size_t i = 0; i < d.n; i++) {
        if (d.v[i].mint <= maxt && mint <= d.v[i].maxt) return true;
    }
    return false;
}

void intervals_cut(struct intervals d, struct column *c, size_t from)
{
    if (!d.n) return;
    size_t kept = from, k = 0;
    for (size_t i = from; i < c->n; i++) {
        while (k < d.n && d.v[k].maxt < c->t[i]) k++;
        if (k < d.n && d.v[k].mint <= c->t[i]) continue;
        column_move(c, kept++, i, 1);
    }
    c->n = kept;
}
