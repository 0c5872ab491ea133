/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint.h - what is still wanted of the log's oldest segments, in fewer bytes
 *
 * wal/checkpoint.N holds the series that are alive, or that samples behind N may name, the samples from mint on and the
 * newest metadata; then segments up to N and older checkpoints go. Made under another name, synced, renamed.
 * Source: Prometheus tsdb/wlog/checkpoint.go, tsdb/head.go truncateWAL
 */
#ifndef TSDB_CHECKPOINT_H
#define TSDB_CHECKPOINT_H

#include "base/err.h"
#include "base/str.h"

struct checkpoint_plan {
    struct str dir; /* wal/ */
    uint32_t last;  /* the newest segment that it takes the place of */
    int64_t mint;
    bool (*keep)(void *ctx, uint64_t ref); /* of a series */
    void *ctx;
    uint64_t segment_bytes;
    bool plain; /* no compression */
};

/*
 * Errors: ERR_CORRUPT a record that cannot be read: the segments stay; ERR_SYS
 */
enum err checkpoint_make(const struct checkpoint_plan *p, struct diag *d);

/* Which segment comes last in the next checkpoint, of those from first to the one that is written; false: none yet. */
bool checkpoint_last(uint32_t first, uint32_t current, uint32_t *last);

/* Unfinished checkpoints of an interrupted run. */
void checkpoint_sweep(struct str wal_dir);

#endif
