/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upkeep.h - the store's slow work: head to block, blocks to larger blocks, retention, checkpoints
 *
 * Shape:   tsdb_upkeep() does one step and says when it wants to be called again. Moving the head's oldest window:
 *            1  min_valid is raised: no sample of the window comes any more
 *            2  the block is written and published (blocks.h)
 *            3  when every reader from before has left: the head is truncated, in small brackets
 *            4  a checkpoint takes the place of the log's oldest two thirds
 * Threads: one at a time, by `lock`.
 */
#ifndef TSDB_UPKEEP_H
#define TSDB_UPKEEP_H

#include "base/map.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct upkeep {
    pthread_mutex_t lock;
    bool truncating;    /* step 3 waits for readers */
    uint64_t epoch;     /* of readers that may not know the block */
    int64_t mint;       /* of the head after step 3 */
    int64_t checked_ms; /* the planner's last look */
    int64_t failed_ms;  /* last failure: the next attempt waits */
    bool checkpoint_due;
    struct map64
        gone; /* reference of a series that left the head -> segment of the log at that time, + 1 */
    _Atomic(uint64_t) compactions, compactions_failed, head_truncations, checkpoints,
        checkpoints_failed, head_moves, retention_time, retention_size;
};

void upkeep_init(struct upkeep *u);
void upkeep_done(struct upkeep *u);

/* Samples up to this segment may name a reference that no series has now. UINT32_MAX: see upkeep_settle_gone. */
void upkeep_note_gone(struct upkeep *u, uint64_t ref, uint32_t segment);

/* After replay: what was noted with UINT32_MAX is named by segments before `next` only. */
void upkeep_settle_gone(struct upkeep *u, uint32_t next);

#endif
