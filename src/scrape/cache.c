/* SPDX-License-Identifier: Apache-2.0 */
#include "scrape/cache.h"

#include "base/assert.h"

#include <stdlib.h>

/* Entries that failed rounds may leave beyond twice those of the last good one. Source: scrape.go iterDone. */
enum { SLACK = 1000 };

static void *grown(void *v, size_t *cap, size_t size)
{
    size_t n = *cap ? *cap * 2 : 64;
    void *p = reallocarray(v, n, size);
    ASSERT(p);
    *cap = n;
    return p;
}

void cache_init(struct cache *c) { *c = (struct cache){ 0 }; }

void cache_done(struct cache *c)
{
    free(c->v);
    free(c->order);
    free(c->next);
    free(c->free);
    map64_done(&c->by_hash);
    cache_init(c);
}

void cache_clear(struct cache *c)
{
    uint32_t round = c->round;
    cache_done(c);
    c->round = round;
}

void cache_begin(struct cache *c)
{
    c->round++;
    c->expect = c->seen = c->next_n = 0;
    c->diverged = false;
}

struct cache_entry *cache_find(struct cache *c, uint64_t hash)
{
    uintptr_t at = (uintptr_t)map64_get(&c->by_hash, hash);
    return at ? &c->v[at - 1] : NULL;
}

static uint32_t take_free(struct cache *c)
{
    if (c->free_n) return c->free[--c->free_n];
    if (c->n == c->cap) c->v = grown(c->v, &c->cap, sizeof(*c->v));
    ASSERT(c->n < NO_ENTRY);
    return (uint32_t)c->n++;
}

struct cache_entry *cache_add(struct cache *c, uint64_t hash, uint32_t len)
{
    uint32_t at = take_free(c);
    c->v[at] = (struct cache_entry){ .hash = hash, .len = len, .pos = NO_ENTRY };
    (void)map64_put(&c->by_hash, hash, (void *)((uintptr_t)at + 1));
    return &c->v[at];
}

static void forget(struct cache *c, uint32_t at)
{
    struct cache_entry *e = &c->v[at];
    (void)map64_del(&c->by_hash, e->hash);
    *e = (struct cache_entry){ .pos = NO_ENTRY };
    if (c->free_n == c->free_cap) c->free = grown(c->free, &c->free_cap, sizeof(*c->free));
    c->free[c->free_n++] = at;
}

static void push_next(struct cache *c, uint32_t at)
{
    if (c->next_n == c->next_cap) c->next = grown(c->next, &c->next_cap, sizeof(*c->next));
    c->next[c->next_n++] = at;
}

/* From here on the page is another one than last time: what was alike so far opens the new order. */
static void diverge(struct cache *c)
{
    c->diverged = true;
    for (size_t i = 0; i < c->expect; i++) {
        push_next(c, c->order[i]);
    }
}

bool cache_see(struct cache *c, struct cache_entry *e)
{
    if (e->round == c->round) return false;
    uint32_t at = (uint32_t)(e - c->v);
    e->round = c->round;
    c->seen++;
    if (e->pos != c->expect && !c->diverged) diverge(c);
    if (c->diverged) push_next(c, at);
    if (e->pos != NO_ENTRY) c->expect = (size_t)e->pos + 1;
    return true;
}

static void adopt_next(struct cache *c)
{
    uint32_t *order = c->order;
    size_t cap = c->order_cap;
    c->order = c->next;
    c->order_n = c->next_n;
    c->order_cap = c->next_cap;
    c->next = order;
    c->next_cap = cap;
    for (size_t i = 0; i < c->order_n; i++) {
        c->v[c->order[i]].pos = (uint32_t)i;
    }
}

static void forget_unseen(struct cache *c)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->v[i].kind != ENTRY_FREE && c->v[i].round != c->round) forget(c, (uint32_t)i);
    }
}

static void forget_strays(struct cache *c)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->v[i].kind != ENTRY_FREE && c->v[i].pos == NO_ENTRY) forget(c, (uint32_t)i);
    }
}

void cache_end(struct cache *c, bool good)
{
    if (!good) {
        if (c->n - c->free_n > 2 * c->order_n + SLACK) forget_strays(c);
        return;
    }
    if (c->diverged) {
        adopt_next(c);
    } else {
        c->order_n = c->expect;
    }
    if (c->seen < c->n - c->free_n) forget_unseen(c);
}

void cache_forget_meta(struct cache *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->order_n; i++) {
        uint32_t at = c->order[i];
        if (c->v[at].kind == ENTRY_META) {
            forget(c, at);
            continue;
        }
        c->v[at].pos = (uint32_t)kept;
        c->order[kept++] = at;
    }
    c->order_n = kept;
}

size_t cache_bytes(const struct cache *c)
{
    return c->cap * sizeof(*c->v) + (c->order_cap + c->next_cap + c->free_cap) * sizeof(uint32_t) +
           c->by_hash.cap * sizeof(*c->by_hash.slots);
}
