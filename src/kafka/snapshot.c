/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/snapshot.h"

#include "base/assert.h"

#include <pthread.h>
#include <stdlib.h>

struct kafka_snapshot *kafka_snapshot_new(void)
{
    struct kafka_snapshot *s = calloc(1, sizeof(*s));
    ASSERT(s != NULL);
    arena_init(&s->arena, 0);
    s->controller = -1;
    s->refs = 1;
    return s;
}

/* The count is the one thing in a snapshot that changes; whoever holds a reference may change it. */
static struct kafka_snapshot *unconst(const struct kafka_snapshot *s)
{
    return (struct kafka_snapshot *)(uintptr_t)s;
}

const struct kafka_snapshot *kafka_snapshot_ref(const struct kafka_snapshot *s)
{
    unconst(s)->refs++;
    return s;
}

void kafka_snapshot_unref(const struct kafka_snapshot *s)
{
    while (s && --unconst(s)->refs == 0) {
        const struct kafka_snapshot *older = s->older;
        struct kafka_snapshot *gone = unconst(s);
        arena_done(&gone->arena);
        free(gone);
        s = older;
    }
}

size_t kafka_snapshot_topic(const struct kafka_snapshot *s, struct str name)
{
    size_t lo = 0, hi = s->topics_n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = str_cmp(s->topics[mid].name, name);
        if (c == 0) return mid;
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return STR_NONE;
}

size_t kafka_topic_partition(const struct kafka_topic *t, int32_t index)
{
    /* Partitions are numbered from 0 without a gap, but a broker's word is not taken for it. */
    if (index >= 0 && (size_t)index < t->partitions_n && t->partitions[index].index == index) {
        return (size_t)index;
    }
    for (size_t i = 0; i < t->partitions_n; i++) {
        if (t->partitions[i].index == index) return i;
    }
    return STR_NONE;
}

/*
 * A lock, not a bare atomic pointer: between loading the pointer and counting the reference the last
 * other reference may go. It is held for that moment only, once a cycle and once a scrape.
 */
struct kafka_shelf {
    pthread_mutex_t lock;
    struct kafka_snapshot *newest;
};

struct kafka_shelf *kafka_shelf_new(void)
{
    struct kafka_shelf *s = calloc(1, sizeof(*s));
    ASSERT(s != NULL);
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void kafka_shelf_free(struct kafka_shelf *s)
{
    if (!s) return;
    kafka_snapshot_unref(s->newest);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

void kafka_shelf_put(struct kafka_shelf *s, struct kafka_snapshot *take)
{
    pthread_mutex_lock(&s->lock);
    const struct kafka_snapshot *old = s->newest;
    s->newest = take;
    pthread_mutex_unlock(&s->lock);
    kafka_snapshot_unref(old);
}

const struct kafka_snapshot *kafka_shelf_get(struct kafka_shelf *s)
{
    pthread_mutex_lock(&s->lock);
    const struct kafka_snapshot *got = s->newest ? kafka_snapshot_ref(s->newest) : NULL;
    pthread_mutex_unlock(&s->lock);
    return got;
}
