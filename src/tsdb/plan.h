/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.h - which blocks become one, which ones go: pure functions over their metas
 *
 * Source: Prometheus tsdb/compact.go plan, selectDirs, splitByRange, selectOverlappingDirs, ExponentialBlockRanges;
 *         tsdb/db.go BeyondTimeRetention, BeyondSizeRetention
 */
#ifndef TSDB_PLAN_H
#define TSDB_PLAN_H

#include "codec/blockfiles.h"

enum { PLAN_LEVELS = 10 };

/* min, 3 min, 9 min ... up to max; returns how many (at least one). */
size_t plan_ranges(int64_t min, int64_t max, int64_t out[PLAN_LEVELS]);

/* What the planner must know of a block. */
struct plan_block {
    int64_t mint, maxt;
    uint64_t series, tombstones, bytes;
    bool failed;
};

/*
 * Blocks ascending in mint. Which to merge next: their numbers ascending in out (room for n); 0: nothing.
 * One alone: to be rewritten without what was deleted from it.
 */
size_t plan_compaction(const struct plan_block *v, size_t n, const int64_t *ranges, size_t ranges_n,
                       size_t *out);

/* Marks the blocks to let go: retention of 0 is none; used: bytes of log and head. */
size_t plan_retention(const struct plan_block *v, size_t n, int64_t retention_ms, uint64_t bytes,
                      uint64_t used, bool *by_time, bool *by_size);

#endif
