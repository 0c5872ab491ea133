/* SPDX-License-Identifier: Apache-2.0 */
#include "tsdb/readers.h"

#include "base/assert.h"

#include <stdatomic.h>
#include <stdlib.h>

void readers_init(struct readers *r)
{
    *r = (struct readers){ .epoch = 1 };
    pthread_mutex_init(&r->lock, NULL);
    list_init(&r->open);
}

static void free_list(struct retired *it)
{
    while (it) {
        struct retired *next = it->next;
        it->free(it->p);
        free(it);
        it = next;
    }
}

void readers_done(struct readers *r)
{
    ASSERT(list_empty(&r->open));
    free_list(r->oldest);
    pthread_mutex_destroy(&r->lock);
    *r = (struct readers){ 0 };
}

void readers_enter(struct readers *r, struct reader_ticket *t, const _Atomic(uint64_t) *commit)
{
    pthread_mutex_lock(&r->lock);
    t->epoch = r->epoch;
    t->snapshot = atomic_load_explicit(commit, memory_order_acquire);
    list_add_tail(&r->open, &t->in_open);
    r->n++;
    pthread_mutex_unlock(&r->lock);
}

void readers_hold(struct readers *r, struct reader_ticket *t)
{
    pthread_mutex_lock(&r->lock);
    t->epoch = r->epoch;
    t->snapshot = UINT64_MAX;
    list_add_tail(&r->open, &t->in_open);
    pthread_mutex_unlock(&r->lock);
}

/* Under the lock: the oldest that is no holder, or NULL. */
static const struct reader_ticket *oldest_reader(const struct readers *r)
{
    for (struct list *it = r->open.next; it != &r->open; it = it->next) {
        const struct reader_ticket *t = CONTAINER_OF(it, struct reader_ticket, in_open);
        if (t->snapshot != UINT64_MAX) return t;
    }
    return NULL;
}

uint64_t readers_mark(struct readers *r)
{
    pthread_mutex_lock(&r->lock);
    uint64_t mark = r->epoch++;
    pthread_mutex_unlock(&r->lock);
    return mark;
}

bool readers_passed(struct readers *r, uint64_t mark)
{
    pthread_mutex_lock(&r->lock);
    const struct reader_ticket *t = oldest_reader(r);
    bool passed = !t || t->epoch > mark;
    pthread_mutex_unlock(&r->lock);
    return passed;
}

/* Cuts off what was retired before the oldest reader came. */
static struct retired *take_free(struct readers *r)
{
    uint64_t limit = UINT64_MAX;
    if (!list_empty(&r->open)) {
        limit = CONTAINER_OF(r->open.next, struct reader_ticket, in_open)->epoch;
    }
    struct retired *head = r->oldest, **at = &r->oldest;
    while (*at && (*at)->epoch < limit) at = &(*at)->next;
    if (at == &r->oldest) return NULL;
    r->oldest = *at;
    *at = NULL;
    if (!r->oldest) r->newest = NULL;
    return head;
}

void readers_leave(struct readers *r, struct reader_ticket *t)
{
    pthread_mutex_lock(&r->lock);
    list_remove(&t->in_open);
    if (t->snapshot != UINT64_MAX) r->n--;
    struct retired *gone = take_free(r);
    pthread_mutex_unlock(&r->lock);
    free_list(gone);
}

uint64_t readers_oldest(struct readers *r)
{
    pthread_mutex_lock(&r->lock);
    const struct reader_ticket *t = oldest_reader(r);
    uint64_t oldest = t ? t->snapshot : UINT64_MAX;
    pthread_mutex_unlock(&r->lock);
    return oldest;
}

size_t readers_count(struct readers *r)
{
    pthread_mutex_lock(&r->lock);
    size_t n = r->n;
    pthread_mutex_unlock(&r->lock);
    return n;
}

void readers_retire(struct readers *r, void *p, void (*release)(void *p))
{
    if (!p) return;
    struct retired *it = malloc(sizeof(*it));
    ASSERT(it != NULL);
    *it = (struct retired){ .p = p, .free = release };
    pthread_mutex_lock(&r->lock);
    it->epoch = r->epoch++;
    if (r->newest) {
        r->newest->next = it;
    } else {
        r->oldest = it;
    }
    r->newest = it;
    struct retired *gone = take_free(r);
    pthread_mutex_unlock(&r->lock);
    free_list(gone);
}
