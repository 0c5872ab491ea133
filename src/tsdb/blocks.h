/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocks.h - the blocks of a data directory: which are there, which go
 *
 * Shape:   a list, immutable once published, ascending in mint; each block with its tombstones. Changes publish another
 *          list; readers keep the one they took.
 * Threads: blocks_list() from any thread; everything else by one maintaining thread at a time (struct tsdb's upkeep lock).
 * Owns:    the folders named as blocks are. A damaged one is reported, left where it is and not read.
 */
#ifndef TSDB_BLOCKS_H
#define TSDB_BLOCKS_H

#include "tsdb/block.h"
#include "tsdb/tsdb.h"

#include <pthread.h>

struct block_view {
    struct block *b;
    struct tombs *tombs;
};

struct block_list {
    _Atomic(unsigned) refs;
    size_t n;
    struct block_view v[];
};

struct blocks {
    pthread_mutex_t lock; /* of `now`, for a few instructions */
    struct block_list *now;
    struct str dir;
    const struct tsdb_options *o; /* reports */
    struct map refused;           /* names of damaged folders: each is reported once */
    struct arena names;
    _Atomic(uint64_t) bytes, loaded, failed, reloads, reloads_failed;
    _Atomic(int64_t) mint, maxt; /* INT64_MAX, INT64_MIN without blocks */
};

void blocks_init(struct blocks *bs, struct str dir, const struct tsdb_options *o);
void blocks_done(struct blocks *bs);

/* A reference: block_list_unref(). */
struct block_list *blocks_list(struct blocks *bs);
void block_list_unref(struct block_list *l);

/* Removes what an interrupted run left: .tmp-for-creation, .tmp-for-deletion. */
void blocks_sweep(struct blocks *bs);

/* Opens what is new, lets go what is gone; blocks that newer ones replace, or that are marked deletable, are removed. */
void blocks_reload(struct blocks *bs);

/* Is a block of that name loaded? */
bool blocks_have(struct blocks *bs, struct str ulid);

/* Removes these folders and lets go of them. */
void blocks_remove(struct blocks *bs, const struct str *ulids, size_t n);

/* Publishes other tombstones for a block; takes over the reference. */
void blocks_set_tombs(struct blocks *bs, const struct block *b, struct tombs *t);

/*
 * Selecting in one block: the numbers of series that satisfy all matchers, ascending, in a's memory.
 */
struct matcher;
enum err block_select(const struct block *b, struct arena *a, const struct matcher *m, size_t n,
                      uint32_t **out, size_t *out_n);

#endif
