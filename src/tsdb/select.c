/* SPDX-License-Identifier: Apache-2.0 */
/*
 * select.c - from matchers to slots
 *
 * A label that a series does not have is the empty string. So a matcher that cannot match "" picks (the union of the
 * postings it matches), one that can takes away (the union of those it does not match). Picks with few series come
 * first; when fewer series are left than the label has values, the series are asked instead of the values.
 * Source: Prometheus tsdb/querier.go PostingsForMatchers
 */
#include "tsdb/tsdb_priv.h"

struct selection {
    const struct head *h;
    struct arena *a;
    uint32_t limit; /* series the reader knows of */
    bool all;       /* nothing picked yet */
    uint32_t *v;
    size_t n;
};

struct condition {
    const struct matcher *m;
    bool picks;
    uint32_t name; /* SYMBOL_NONE: no series has this label */
};

static struct postings members(const struct selection *s, const struct posting *p)
{
    if (!p) return (struct postings){ 0 };
    uint32_t n;
    const uint32_t *v = shared_u32_get(&p->list, &n);
    return postings_below((struct postings){ v, n }, s->limit);
}

static uint32_t *room(struct selection *s, size_t n)
{
    return arena_raw(s->a, n * sizeof(uint32_t));
}

static void pick(struct selection *s, struct postings p)
{
    if (s->all) {
        s->v = room(s, p.n);
        if (p.n) memcpy(s->v, p.v, p.n * sizeof(*p.v));
        s->n = p.n;
    } else {
        s->n = postings_intersect((struct postings){ s->v, s->n }, p, s->v);
    }
    s->all = false;
}

static void fill(struct selection *s)
{
    if (!s->all) return;
    s->v = room(s, s->limit);
    s->n = s->limit;
    for (uint32_t i = 0; i < s->limit; i++) s->v[i] = i;
    s->all = false;
}

static void take_away(struct selection *s, struct postings p)
{
    if (!p.n) return;
    fill(s);
    s->n = postings_subtract((struct postings){ s->v, s->n }, p, s->v);
}

static struct postings values_of(const struct selection *s, uint32_t name)
{
    const struct posting *p = name == SYMBOL_NONE ? NULL
                                                  : index_find(&s->h->index, name, SYMBOL_NONE);
    if (!p) return (struct postings){ 0 };
    uint32_t n;
    const uint32_t *v = shared_u32_get(&p->list, &n);
    return (struct postings){ v, n };
}

/* Series with a value for which the matcher says `want`. */
static struct postings scan_values(struct selection *s, const struct condition *c, bool want)
{
    struct postings values = values_of(s, c->name);
    size_t words = (s->limit + 63) / 64, total = 0;
    uint64_t *bits = arena_array(s->a, words, sizeof(*bits));
    for (size_t i = 0; i < values.n; i++) {
        const struct posting *p = index_posting(&s->h->index, values.v[i]);
        if (matcher_match(c->m, symbols_get(&s->h->symbols, p->value)) != want) continue;
        struct postings list = members(s, p);
        postings_mark(bits, list);
        total += list.n;
    }
    uint32_t *v = room(s, total);
    return (struct postings){ v, postings_marked(bits, words, v) };
}

/* The few series that are left are asked for their value. */
static void scan_series(struct selection *s, const struct condition *c)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        uint32_t value = c->name == SYMBOL_NONE ? SYMBOL_NONE : head_label(s->h, s->v[i], c->name);
        struct str text = value == SYMBOL_NONE ? STR("") : symbols_get(&s->h->symbols, value);
        if (matcher_match(c->m, text)) s->v[n++] = s->v[i];
    }
    s->n = n;
}

static struct postings find_value(const struct selection *s, const struct condition *c,
                                  struct str text)
{
    uint32_t value = symbols_find(&s->h->symbols, text);
    if (c->name == SYMBOL_NONE || value == SYMBOL_NONE) return (struct postings){ 0 };
    return members(s, index_find(&s->h->index, c->name, value));
}

static struct postings find_literals(struct selection *s, const struct condition *c,
                                     const struct regex_shape *shape)
{
    size_t words = (s->limit + 63) / 64, total = 0;
    uint64_t *bits = arena_array(s->a, words, sizeof(*bits));
    for (size_t i = 0; i < shape->n; i++) {
        struct postings list = find_value(s, c, shape->literals[i]);
        postings_mark(bits, list);
        total += list.n;
    }
    uint32_t *v = room(s, total);
    return (struct postings){ v, postings_marked(bits, words, v) };
}

/* Answers that need no scan. */
static bool apply_direct(struct selection *s, const struct condition *c)
{
    if (c->m->op == MATCH_EQ && c->picks) {
        pick(s, find_value(s, c, c->m->value));
        return true;
    }
    if (c->m->op == MATCH_NE && !c->picks) {
        take_away(s, find_value(s, c, c->m->value));
        return true;
    }
    if (c->m->op != MATCH_RE) return false;
    if (str_eq(c->m->value, STR(".*"))) return true;
    if (!c->picks) return false;
    struct regex_shape shape = { 0 };
    regex_shape(c->m->re, &shape);
    if (!shape.n) return false;
    pick(s, find_literals(s, c, &shape));
    return true;
}

static void apply_scan(struct selection *s, const struct condition *c)
{
    if (!s->all && s->n <= values_of(s, c->name).n) {
        scan_series(s, c);
    } else if (c->picks) {
        pick(s, scan_values(s, c, true));
    } else {
        take_away(s, scan_values(s, c, false));
    }
}

struct postings tsdb_select(const struct head *h, struct arena *a, const struct matcher *m,
                            size_t n)
{
    struct selection s = {
        .h = h,
        .a = a,
        .limit = atomic_load_explicit(&h->series, memory_order_acquire),
        .all = true,
    };
    struct condition *c = arena_array(a, n, sizeof(*c));
    bool *done = arena_array(a, n, sizeof(*done));
    for (size_t i = 0; i < n; i++) {
        c[i].m = &m[i];
        c[i].picks = !matcher_match(&m[i], STR(""));
        c[i].name = symbols_find(&h->symbols, m[i].name);
    }
    for (int picks = 1; picks >= 0; picks--) {
        for (size_t i = 0; i < n; i++) {
            if (c[i].picks == picks) done[i] = apply_direct(&s, &c[i]);
        }
    }
    for (int picks = 1; picks >= 0; picks--) {
        for (size_t i = 0; i < n; i++) {
            if (!done[i] && c[i].picks == picks) apply_scan(&s, &c[i]);
        }
    }
    fill(&s);
    return (struct postings){ s.v, s.n };
}
