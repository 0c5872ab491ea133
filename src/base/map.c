/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include "base/assert.h"
#include "base/hash.h"

#include <stdlib.h>

enum { CAP_MIN = 16 };

static void *slots_new(size_t cap, size_t size)
{
    void *p = calloc(cap, size);
    ASSERT(p != NULL); /* out of memory ends the process */
    return p;
}

/* At most 3/4 full, so that probes stay short and there is always a free slot to end one. */
static bool crowded(size_t n, size_t cap) { return (n + 1) * 4 > cap * 3; }

void map_done(struct map *m)
{
    free(m->slots);
    *m = (struct map){ 0 };
}

static size_t map_find(const struct map *m, struct str key, uint64_t hash)
{
    size_t i = hash & (m->cap - 1);
    while (m->slots[i].value) {
        if (m->slots[i].hash == hash && str_eq(m->slots[i].key, key)) return i;
        i = (i + 1) & (m->cap - 1);
    }
    return i;
}

static void map_grow(struct map *m)
{
    struct map old = *m;
    m->cap = old.cap ? old.cap * 2 : CAP_MIN;
    m->slots = slots_new(m->cap, sizeof(*m->slots));
    MAP_FOR(s, &old) {
        m->slots[map_find(m, s->key, s->hash)] = *s;
    }
    free(old.slots);
}

void *map_get(const struct map *m, struct str key)
{
    if (!m->n) return NULL;
    return m->slots[map_find(m, key, hash_bytes(key))].value;
}

void *map_put(struct map *m, struct str key, void *value)
{
    ASSERT(value != NULL);
    if (crowded(m->n, m->cap)) map_grow(m);
    uint64_t hash = hash_bytes(key);
    struct map_slot *s = &m->slots[map_find(m, key, hash)];
    void *was = s->value;
    if (!was) m->n++;
    *s = (struct map_slot){ key, hash, value };
    return was;
}

void *map_del(struct map *m, struct str key)
{
    if (!m->n) return NULL;
    size_t hole = map_find(m, key, hash_bytes(key));
    void *was = m->slots[hole].value;
    if (!was) return NULL;
    size_t mask = m->cap - 1;
    for (size_t i = (hole + 1) & mask; m->slots[i].value; i = (i + 1) & mask) {
        size_t home = m->slots[i].hash & mask;
        if (((i - home) & mask) < ((i - hole) & mask)) continue; /* still reachable from its home */
        m->slots[hole] = m->slots[i];
        hole = i;
    }
    m->slots[hole] = (struct map_slot){ 0 };
    m->n--;
    return was;
}

void map64_done(struct map64 *m)
{
    free(m->slots);
    *m = (struct map64){ 0 };
}

static size_t map64_find(const struct map64 *m, uint64_t key)
{
    size_t i = hash_u64(key) & (m->cap - 1);
    while (m->slots[i].value && m->slots[i].key != key) i = (i + 1) & (m->cap - 1);
    return i;
}

static void map64_grow(struct map64 *m)
{
    struct map64 old = *m;
    m->cap = old.cap ? old.cap * 2 : CAP_MIN;
    m->slots = slots_new(m->cap, sizeof(*m->slots));
    MAP_FOR(s, &old) {
        m->slots[map64_find(m, s->key)] = *s;
    }
    free(old.slots);
}

void *map64_get(const struct map64 *m, uint64_t key)
{
    return m->n ? m->slots[map64_find(m, key)].value : NULL;
}

void *map64_put(struct map64 *m, uint64_t key, void *value)
{
    ASSERT(value != NULL);
    if (crowded(m->n, m->cap)) map64_grow(m);
    struct map64_slot *s = &m->slots[map64_find(m, key)];
    void *was = s->value;
    if (!was) m->n++;
    *s = (struct map64_slot){ key, value };
    return was;
}

void *map64_del(struct map64 *m, uint64_t key)
{
    if (!m->n) return NULL;
    size_t hole = map64_find(m, key);
    void *was = m->slots[hole].value;
    if (!was) return NULL;
    size_t mask = m->cap - 1;
    for (size_t i = (hole + 1) & mask; m->slots[i].value; i = (i + 1) & mask) {
        size_t home = hash_u64(m->slots[i].key) & mask;
        if (((i - home) & mask) < ((i - hole) & mask)) continue;
        m->slots[hole] = m->slots[i];
        hole = i;
    }
    m->slots[hole] = (struct map64_slot){ 0 };
    m->n--;
    return was;
}
