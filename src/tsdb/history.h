/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history.h - what old readers must not see: where commits began in series that were appended to more than once
 *
 * A series' line says which commit was last and the newest time before it. That answers a reader that is one commit
 * behind. When a series gets a second commit while an older reader is in, the first one's beginning is noted here.
 * Empty while no query outlives a commit; forgotten when the last such reader leaves.
 *
 * Threads: any; one mutex.
 */
#ifndef TSDB_HISTORY_H
#define TSDB_HISTORY_H

#include "base/map.h"

#include <pthread.h>

struct history_note {
    uint32_t slot;
    uint32_t older; /* index + 1 of the series' note before */
    uint64_t commit;
    int64_t prev_t;
};

struct history {
    pthread_mutex_t lock;
    struct history_note *v;
    size_t n, cap, compact_at;
    struct map64 newest; /* slot -> index + 1 */
    _Atomic(size_t) published;
};

void history_init(struct history *h);
void history_done(struct history *h);

/* Notes of a series come in ascending order of commits. */
void history_add(struct history *h, uint32_t slot, uint64_t commit, int64_t prev_t);

/* The newest time before the first commit behind the snapshot, or `prev_t` when nothing older is noted. */
int64_t history_visible(struct history *h, uint32_t slot, uint64_t snapshot, int64_t prev_t);

/* Copies the notes of the slots that slots[] leads to another slot. */
void history_move(struct history *h, const uint32_t *slots, struct history *to);

/* Forgets what no reader from `oldest` on needs. */
void history_trim(struct history *h, uint64_t oldest);

#endif
