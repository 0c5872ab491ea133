/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap.h - intrusive binary heap: the smallest key first (timers, merges)
 *
 * An object carries a struct heap_node; the node knows its place, so removal needs no search.
 * Ties come out in no fixed order. Not thread-safe.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
    int64_t key;
    size_t at; /* index + 1; 0: in no heap */
};

struct heap {
    struct heap_node **v;
    size_t n, cap;
};

void heap_done(struct heap *h);

/* Inserts, or moves the node to its new key when it is in already. */
void heap_set(struct heap *h, struct heap_node *node, int64_t key);
void heap_remove(struct heap *h, struct heap_node *node); /* harmless when it is in none */
static inline struct heap_node *heap_min(const struct heap *h) { return h->n ? h->v[0] : NULL; }

#endif
