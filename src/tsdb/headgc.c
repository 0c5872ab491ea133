/* SPDX-License-Identifier: Apache-2.0 */
#include "tsdb/headgc.h"

#include <stdlib.h>

enum { DEAD_MIN = 2048 };

bool head_is_sparse(const struct head *h)
{
    uint32_t dead = atomic_load_explicit(&h->dead, memory_order_relaxed);
    return dead >= DEAD_MIN && dead >= h->cold.n / 4;
}

static void move_full(const struct cold *from, struct cold *to)
{
    uint32_t n = atomic_load_explicit(&from->full_n, memory_order_relaxed);
    if (!n) return;
    const struct full_chunk *v = atomic_load_explicit(&from->full, memory_order_relaxed);
    struct full_chunk *kept = calloc(n, sizeof(*kept));
    ASSERT(kept != NULL);
    for (uint32_t i = 0; i < n; i++) {
        atomic_init(&kept[i].ref, atomic_load_explicit(&v[i].ref, memory_order_relaxed));
        kept[i].mint = v[i].mint;
        kept[i].maxt = v[i].maxt;
    }
    atomic_store_explicit(&to->full, kept, memory_order_relaxed);
    atomic_store_explicit(&to->full_n, n, memory_order_relaxed);
    to->full_cap = n;
}

static void move_series(struct head *to, const struct head *h, uint32_t from, uint32_t slot)
{
    const struct cold *c = head_cold(h, from);
    struct cold *kept = head_cold(to, slot);
    move_full(c, kept);
    atomic_store_explicit(&kept->first_t, atomic_load_explicit(&c->first_t, memory_order_relaxed),
                          memory_order_relaxed);
    open_move(head_hot(h, from), &h->segments, head_hot(to, slot), &to->segments);
    struct ident *id = head_ident(to, slot);
    id->ref = head_ident(h, from)->ref;
    id->handle = head_ident(h, from)->handle;
    head_set_slot(to, id->handle, slot);
}

/* Handles keep their numbers: those of series that are gone lead nowhere. */
static void take_handles(struct head *to, const struct head *h)
{
    uint32_t n = atomic_load_explicit(&h->handles_n, memory_order_relaxed);
    for (uint32_t i = 0; i < n; i++) (void)paged_add(&to->handles);
    atomic_store_explicit(&to->handles_n, n, memory_order_relaxed);
    for (uint32_t i = 0; i < n; i++) head_set_slot(to, i + 1, SLOT_NONE);
}

struct head *head_without_dead(struct head *h, struct head_move *m)
{
    ASSERT(!head_blob(h));
    struct head *to = calloc(1, sizeof(*to));
    m->slots = malloc(((size_t)h->cold.n + 1) * sizeof(*m->slots));
    ASSERT(to != NULL && m->slots != NULL);
    head_init(to, h->range, h->readers);
    take_handles(to, h);
    ARENA(a, 0);
    for (uint32_t slot = 0; slot < h->cold.n; slot++) {
        m->slots[slot] = SLOT_NONE;
        if (!head_ident(h, slot)->ref) continue;
        arena_reset(&a);
        m->slots[slot] = head_create_moved(to, head_labels(h, slot, &a));
        move_series(to, h, slot, m->slots[slot]);
    }
    to->last_ref = h->last_ref;
    atomic_store(&to->min_t, atomic_load(&h->min_t));
    atomic_store(&to->max_t, atomic_load(&h->max_t));
    atomic_store(&to->chunks, atomic_load(&h->chunks));
    atomic_store(&to->chunks_created, atomic_load(&h->chunks_created));
    atomic_store(&to->chunks_removed, atomic_load(&h->chunks_removed));
    history_move(&h->history, m->slots, &to->history);
    return to;
}

void head_release(void *head)
{
    head_done(head);
    free(head);
}
