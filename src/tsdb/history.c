/* SPDX-License-Identifier: Apache-2.0 */
#include "tsdb/history.h"

#include "base/assert.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { COMPACT_MIN = 4096 };

void history_init(struct history *h)
{
    *h = (struct history){ .compact_at = COMPACT_MIN };
    pthread_mutex_init(&h->lock, NULL);
}

void history_done(struct history *h)
{
    free(h->v);
    map64_done(&h->newest);
    pthread_mutex_destroy(&h->lock);
}

static void put(struct history *h, uint32_t slot, uint64_t commit, int64_t prev_t)
{
    if (h->n == h->cap) {
        h->cap = h->cap ? h->cap * 2 : COMPACT_MIN;
        h->v = realloc(h->v, h->cap * sizeof(*h->v));
        ASSERT(h->v != NULL);
    }
    uintptr_t older = (uintptr_t)map64_get(&h->newest, slot);
    h->v[h->n++] = (struct history_note){ slot, (uint32_t)older, commit, prev_t };
    (void)map64_put(&h->newest, slot, (void *)(uintptr_t)h->n);
}

void history_add(struct history *h, uint32_t slot, uint64_t commit, int64_t prev_t)
{
    pthread_mutex_lock(&h->lock);
    put(h, slot, commit, prev_t);
    atomic_store_explicit(&h->published, h->n, memory_order_release);
    pthread_mutex_unlock(&h->lock);
}

void history_move(struct history *h, const uint32_t *slots, struct history *to)
{
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->n; i++) {
        const struct history_note *x = &h->v[i];
        if (slots[x->slot] != UINT32_MAX) put(to, slots[x->slot], x->commit, x->prev_t);
    }
    pthread_mutex_unlock(&h->lock);
    atomic_store_explicit(&to->published, to->n, memory_order_release);
}

int64_t history_visible(struct history *h, uint32_t slot, uint64_t snapshot, int64_t prev_t)
{
    if (!atomic_load_explicit(&h->published, memory_order_acquire)) return prev_t;
    pthread_mutex_lock(&h->lock);
    uintptr_t at = (uintptr_t)map64_get(&h->newest, slot);
    for (; at; at = h->v[at - 1].older) {
        if (h->v[at - 1].commit <= snapshot) break;
        prev_t = h->v[at - 1].prev_t;
    }
    pthread_mutex_unlock(&h->lock);
    return prev_t;
}

void history_trim(struct history *h, uint64_t oldest)
{
    pthread_mutex_lock(&h->lock);
    if (h->n && (oldest == UINT64_MAX || h->n >= h->compact_at)) {
        struct history_note *v = h->v;
        size_t n = h->n;
        map64_done(&h->newest);
        h->v = NULL;
        h->n = h->cap = 0;
        for (size_t i = 0; oldest != UINT64_MAX && i < n; i++) {
            if (v[i].commit > oldest) put(h, v[i].slot, v[i].commit, v[i].prev_t);
        }
        free(v);
        h->compact_at = h->n * 2 > COMPACT_MIN ? h->n * 2 : COMPACT_MIN;
        atomic_store_explicit(&h->published, h->n, memory_order_release);
    }
    pthread_mutex_unlock(&h->lock);
}
