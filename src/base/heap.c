/* SPDX-License-Identifier: Apache-2.0 */
#include "base/heap.h"

#include "base/assert.h"

#include <stdlib.h>

void heap_done(struct heap *h)
{
    free(h->v);
    *h = (struct heap){ 0 };
}

static void place(struct heap *h, size_t i, struct heap_node *node)
{
    h->v[i] = node;
    node->at = i + 1;
}

static void up(struct heap *h, size_t i)
{
    struct heap_node *node = h->v[i];
    while (i > 0 && h->v[(i - 1) / 2]->key > node->key) {
        place(h, i, h->v[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    place(h, i, node);
}

static void down(struct heap *h, size_t i)
{
    struct heap_node *node = h->v[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= h->n) break;
        if (child + 1 < h->n && h->v[child + 1]->key < h->v[child]->key) child++;
        if (h->v[child]->key >= node->key) break;
        place(h, i, h->v[child]);
        i = child;
    }
    place(h, i, node);
}

void heap_set(struct heap *h, struct heap_node *node, int64_t key)
{
    node->key = key;
    if (!node->at) {
        if (h->n == h->cap) {
            h->cap = h->cap ? h->cap * 2 : 16;
            h->v = realloc(h->v, h->cap * sizeof(struct heap_node *));
            ASSERT(h->v != NULL);
        }
        place(h, h->n++, node);
    }
    up(h, node->at - 1);
    down(h, node->at - 1);
}

void heap_remove(struct heap *h, struct heap_node *node)
{
    if (!node->at) return;
    size_t i = node->at - 1;
    node->at = 0;
    struct heap_node *last = h->v[--h->n];
    if (last == node) return;
    place(h, i, last);
    up(h, i);
    down(h, last->at - 1);
}
