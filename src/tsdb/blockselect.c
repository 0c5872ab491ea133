/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blockselect.c - from matchers to the series of one block
 *
 * As select.c, over the postings of a file: a matcher that cannot match "" picks, one that can takes away what it does not
 * match. Source: Prometheus tsdb/querier.go PostingsForMatchers
 */
#include "base/assert.h"
#include "base/bits.h"
#include "model/matcher.h"
#include "tsdb/blocks.h"
#include "tsdb/postings.h"

#include <stdlib.h>

struct picking {
    const struct block *b;
    struct arena *a;
    bool all; /* nothing picked yet */
    uint32_t *v;
    size_t n;
};

struct gathered {
    uint32_t *v;
    size_t n, cap;
};

static void gather(struct gathered *g, const struct blockindex_postings *p)
{
    if (g->n + p->n > g->cap) {
        g->cap = g->n + p->n > g->cap * 2 ? g->n + p->n : g->cap * 2;
        g->v = realloc(g->v, g->cap * sizeof(*g->v));
        ASSERT(g->v != NULL);
    }
    for (size_t i = 0; i < p->n; i++) g->v[g->n++] = load_be32(p->be.p + 4 * i);
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Lists of one label have no series in common: sorted, they are their union. */
static void apply(struct picking *k, struct gathered *g, bool picks)
{
    bool sorted = true;
    for (size_t i = 1; i < g->n && sorted; i++) sorted = g->v[i - 1] < g->v[i];
    if (!sorted) qsort(g->v, g->n, sizeof(*g->v), by_number);
    struct postings p = { g->v, g->n };
    if (picks && k->all) {
        k->v = arena_raw(k->a, g->n * sizeof(*k->v));
        if (g->n) memcpy(k->v, g->v, g->n * sizeof(*k->v));
        k->n = g->n;
    } else if (picks) {
        k->n = postings_intersect((struct postings){ k->v, k->n }, p, k->v);
    } else {
        k->n = postings_subtract((struct postings){ k->v, k->n }, p, k->v);
    }
    k->all = false;
}

static enum err gather_value(const struct block *b, struct str name, struct str value,
                             struct gathered *g)
{
    struct blockindex_postings p;
    TRY(blockindex_postings(&b->index, name, value, &p));
    gather(g, &p);
    return OK;
}

/* Series with a value for which the matcher says `want`. */
static enum err gather_values(const struct block *b, const struct matcher *m, bool want,
                              struct gathered *g)
{
    struct blockindex_values it;
    if (!blockindex_values_begin(&b->index, m->name, &it)) return OK;
    struct str value;
    uint64_t offset;
    enum err e;
    while ((e = blockindex_values_next(&b->index, &it, &value, &offset)) == OK) {
        if (matcher_match(m, value) != want) continue;
        struct blockindex_postings p;
        TRY(blockindex_postings_at(&b->index, offset, &p));
        gather(g, &p);
    }
    return e == ERR_EOF ? OK : e;
}

static enum err gather_picked(const struct block *b, const struct matcher *m, struct gathered *g)
{
    if (m->op == MATCH_EQ) return gather_value(b, m->name, m->value, g);
    struct regex_shape shape = { 0 };
    if (m->op == MATCH_RE) regex_shape(m->re, &shape);
    if (!shape.n) return gather_values(b, m, true, g);
    for (size_t i = 0; i < shape.n; i++) {
        bool repeated = false; /* a|a: its list counts once */
        for (size_t k = 0; k < i && !repeated; k++) {
            repeated = str_eq(shape.literals[k], shape.literals[i]);
        }
        if (!repeated) TRY(gather_value(b, m->name, shape.literals[i], g));
    }
    return OK;
}

static enum err fill(struct picking *k)
{
    if (!k->all) return OK;
    k->all = false;
    return block_all(k->b, k->a, &k->v, &k->n);
}

static enum err apply_matcher(struct picking *k, const struct matcher *m, bool picks)
{
    struct gathered g = { 0 };
    enum err e;
    if (picks) {
        e = gather_picked(k->b, m, &g);
    } else {
        e = fill(k);
        if (e == OK && m->op == MATCH_NE) e = gather_value(k->b, m->name, m->value, &g);
        if (e == OK && m->op != MATCH_NE) e = gather_values(k->b, m, false, &g);
    }
    if (e == OK) apply(k, &g, picks);
    free(g.v);
    return e;
}

enum err block_select(const struct block *b, struct arena *a, const struct matcher *m, size_t n,
                      uint32_t **out, size_t *out_n)
{
    struct picking k = { .b = b, .a = a, .all = true };
    for (int picks = 1; picks >= 0; picks--) {
        for (size_t i = 0; i < n; i++) {
            if (!matcher_match(&m[i], STR("")) != picks) continue;
            if (m[i].op == MATCH_RE && str_eq(m[i].value, STR(".*"))) continue;
            TRY(apply_matcher(&k, &m[i], picks));
            if (!k.all && !k.n) break;
        }
    }
    TRY(fill(&k));
    *out = k.v;
    *out_n = k.n;
    return OK;
}
