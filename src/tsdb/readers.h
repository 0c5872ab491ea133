/* SPDX-License-Identifier: Apache-2.0 */
/*
 * readers.h - who reads the head, from when on, and what memory they may still hold
 *
 * Shape:   each open reader has a ticket: an epoch for memory and a snapshot (the newest commit it sees).
 *          Memory that readers may hold is retired, not freed: it goes when every reader of its time has left.
 * Threads: any; one mutex, held for a few instructions.
 */
#ifndef TSDB_READERS_H
#define TSDB_READERS_H

#include "base/list.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct reader_ticket {
    struct list in_open;
    uint64_t epoch;
    uint64_t snapshot;
};

struct retired {
    struct retired *next;
    uint64_t epoch;
    void *p;
    void (*free)(void *p);
};

struct readers {
    pthread_mutex_t lock;
    struct list open; /* ascending in epoch, hence, holders apart, in snapshot */
    size_t n;         /* holders apart */
    uint64_t epoch;
    struct retired *oldest, *newest;
};

void readers_init(struct readers *r);
void readers_done(struct readers *r); /* frees all that is retired; nobody may be in */

/* *commit is read after the ticket is listed, so that a writer that does not see the ticket is seen by it. */
void readers_enter(struct readers *r, struct reader_ticket *t, const _Atomic(uint64_t) *commit);
void readers_leave(struct readers *r, struct reader_ticket *t);

/* A ticket for memory alone: no snapshot, not counted, waited for by nobody. Ends with readers_leave, too. */
void readers_hold(struct readers *r, struct reader_ticket *t);

/* Marks this moment; readers_passed() tells when every reader (not holder) that was in at a mark has left. */
uint64_t readers_mark(struct readers *r);
bool readers_passed(struct readers *r, uint64_t mark);

/* The oldest snapshot in use; UINT64_MAX without readers. */
uint64_t readers_oldest(struct readers *r);
size_t readers_count(struct readers *r);

/* Frees p by `release` once nobody can hold it. NULL is fine. */
void readers_retire(struct readers *r, void *p, void (*release)(void *p));

#endif
