/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paged.h - growing tables that readers use while they grow
 *
 * Two shapes. struct paged: items that never move, in pages of 1024 behind a directory of fixed size; an index that
 * was published with release order may be used at once. struct shared_u32: a plain array with a published length,
 * copied when it doubles; old copies are retired, so that a reader keeps what it loaded.
 *
 * Threads: one writer; readers any.
 */
#ifndef TSDB_PAGED_H
#define TSDB_PAGED_H

#include "base/assert.h"
#include "tsdb/readers.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { PAGED_SHIFT = 10, PAGED_ITEMS = 1 << PAGED_SHIFT, PAGED_PAGES = 1 << 17 };

/* Items at most: 134 million. */
#define PAGED_MAX ((uint32_t)PAGED_ITEMS * (uint32_t)PAGED_PAGES)

struct paged {
    char **dir;
    size_t item; /* bytes */
    uint32_t n;
};

static inline void paged_init(struct paged *p, size_t item)
{
    *p = (struct paged){ .dir = calloc(PAGED_PAGES, sizeof(char *)), .item = item };
    ASSERT(p->dir != NULL);
}

static inline void paged_done(struct paged *p)
{
    for (size_t i = 0; p->dir && i < PAGED_PAGES && p->dir[i]; i++) free(p->dir[i]);
    free(p->dir);
    *p = (struct paged){ 0 };
}

/* The next item, zeroed, aligned to a cache line's worth of its page. */
static inline uint32_t paged_add(struct paged *p)
{
    ASSERT(p->n < PAGED_MAX);
    char **page = &p->dir[p->n >> PAGED_SHIFT];
    if (!*page) {
        *page = aligned_alloc(64, PAGED_ITEMS * p->item);
        ASSERT(*page != NULL);
        memset(*page, 0, PAGED_ITEMS * p->item);
    }
    return p->n++;
}

/* size is the item's size again, so that it is a constant where it counts. */
static inline void *paged_at(const struct paged *p, uint32_t i, size_t size)
{
    return p->dir[i >> PAGED_SHIFT] + (i & (PAGED_ITEMS - 1)) * size;
}

struct shared_u32 {
    _Atomic(uint32_t *) v;
    _Atomic(uint32_t) n;
    uint32_t cap;
};

static inline void shared_u32_push(struct shared_u32 *s, uint32_t x, struct readers *r)
{
    uint32_t n = atomic_load_explicit(&s->n, memory_order_relaxed);
    uint32_t *v = atomic_load_explicit(&s->v, memory_order_relaxed);
    if (n == s->cap) {
        uint32_t cap = s->cap ? s->cap * 2 : 2;
        uint32_t *grown = malloc(cap * sizeof(*grown));
        ASSERT(grown != NULL);
        if (n) memcpy(grown, v, n * sizeof(*v));
        grown[n] = x;
        s->cap = cap;
        atomic_store_explicit(&s->v, grown, memory_order_release);
        readers_retire(r, v, free);
    } else {
        v[n] = x;
    }
    atomic_store_explicit(&s->n, n + 1, memory_order_release);
}

/* What is published now: the first *n items of the result never change. */
static inline const uint32_t *shared_u32_get(const struct shared_u32 *s, uint32_t *n)
{
    *n = atomic_load_explicit(&s->n, memory_order_acquire);
    return atomic_load_explicit(&s->v, memory_order_acquire);
}

static inline void shared_u32_done(struct shared_u32 *s)
{
    free(atomic_load_explicit(&s->v, memory_order_relaxed));
}

#endif
