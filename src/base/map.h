/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map.h - keys to pointers: open addressing, linear probing, backward-shift removal
 *
 * Two kinds: struct map with byte-string keys, struct map64 with uint64_t keys. A zeroed map is an
 * empty map. Keys of struct map are borrowed: whoever puts keeps them alive (usually in the value).
 * Values are never NULL. Growing moves slots: a slot pointer holds until the next put or del.
 * Not thread-safe. Order of MAP_FOR is arbitrary.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/attr.h"
#include "base/str.h"

struct map_slot {
    struct str key;
    uint64_t hash;
    void *value; /* NULL: free slot */
};

struct map {
    struct map_slot *slots;
    size_t n, cap; /* cap is a power of two or 0 */
};

void map_done(struct map *m); /* frees slots, not values */
void *map_get(const struct map *m, struct str key);

/* Puts or replaces; returns the value that was there, or NULL. The new key is kept, the old one dropped. */
void *map_put(struct map *m, struct str key, void *value);

/* Removes; returns the value that was there, or NULL. */
void *map_del(struct map *m, struct str key);

struct map64_slot {
    uint64_t key;
    void *value; /* NULL: free slot */
};

struct map64 {
    struct map64_slot *slots;
    size_t n, cap;
};

void map64_done(struct map64 *m);
void *map64_get(const struct map64 *m, uint64_t key);
void *map64_put(struct map64 *m, uint64_t key, void *value);
void *map64_del(struct map64 *m, uint64_t key);

/* Visits every used slot; no put or del inside. */
#define MAP_FOR(it, m)                                                                             \
    for (__typeof__((m)->slots) it = (m)->slots; (it) && (it) < (m)->slots + (m)->cap; (it)++)     \
        if ((it)->value)

#endif
