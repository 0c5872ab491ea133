/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list.h - intrusive, circular, doubly linked: an object is in a list by a field of its own
 *
 *     struct conn { struct list in_idle; ... };
 *     LIST_FOR(it, &idle) { struct conn *c = CONTAINER_OF(it, struct conn, in_idle); ... }
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

#define CONTAINER_OF(ptr, type, field) ((type *)(void *)((char *)(ptr)-offsetof(type, field)))

static inline void list_init(struct list *l) { l->next = l->prev = l; }
static inline bool list_empty(const struct list *l) { return l->next == l; }

static inline void list_add_tail(struct list *head, struct list *it)
{
    it->prev = head->prev;
    it->next = head;
    head->prev->next = it;
    head->prev = it;
}

/* Leaves `it` as an empty list of its own, so that a second removal is harmless. */
static inline void list_remove(struct list *it)
{
    it->prev->next = it->next;
    it->next->prev = it->prev;
    list_init(it);
}

/* The current element may be removed inside. */
#define LIST_FOR(it, head)                                                                         \
    for (struct list *it = (head)->next, *it##_next = (it)->next; (it) != (head);                  \
         (it) = it##_next, it##_next = (it)->next)

#endif
