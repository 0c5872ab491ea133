/* SPDX-License-Identifier: Apache-2.0 */
/*
 * headgc.h - another head without the series that are gone
 *
 * Slots are never used twice, so that readers need no lock; the price is paid here: when many series of a head are dead,
 * what is alive moves to a new one, with tables, symbols and postings of its own size. Readers and appenders that are in
 * keep the old head until they leave; handles stay what they were.
 * Threads: under the writers' lock, for about 2 us a series.
 */
#ifndef TSDB_HEADGC_H
#define TSDB_HEADGC_H

#include "tsdb/head.h"

struct head_move {
    uint32_t *slots; /* old slot -> new one, or SLOT_NONE; the caller's to free() */
};

/* A quarter of the slots is dead, and there are enough of them to matter. */
bool head_is_sparse(const struct head *h);

/* No chunk waits in memory (head_blob() is NULL). The old head is the caller's to retire. */
struct head *head_without_dead(struct head *h, struct head_move *m);

/* For readers_retire(). */
void head_release(void *head);

#endif
