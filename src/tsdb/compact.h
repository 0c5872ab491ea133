/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compact.h - the head's oldest window to a block, blocks to a larger one
 *
 * Chunks are passed on as they are; only where chunks of a series overlap, or samples were deleted, they are decoded and
 * written anew. An encoding that we cannot decode is passed on in any case.
 * Threads: under struct upkeep's lock.
 */
#ifndef TSDB_COMPACT_H
#define TSDB_COMPACT_H

#include "tsdb/block.h"

struct tsdb;
struct block_view;

/* name: of the block made; "" when there was nothing to write. */
struct compact_result {
    char name[ULID_CHARS + 1];
    uint64_t samples;
};

/* The head's samples of [mint, maxt) into a block in dir. */
enum err compact_head(struct tsdb *db, struct str dir, int64_t mint, int64_t maxt, int64_t now_ms,
                      struct compact_result *out, struct diag *d);

/* Blocks, ascending in mint, into one, without what was deleted from them. */
enum err compact_blocks(const struct block_view *v, size_t n, struct str dir, int64_t now_ms,
                        struct compact_result *out, struct diag *d);

#endif
