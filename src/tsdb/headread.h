/* SPDX-License-Identifier: Apache-2.0 */
/*
 * headread.h - the head as one reader sees it: whole commits up to its snapshot
 *
 * Threads: a reader by one thread at a time, inside a ticket of struct readers.
 */
#ifndef TSDB_HEADREAD_H
#define TSDB_HEADREAD_H

#include "model/storage.h"
#include "tsdb/block.h"
#include "tsdb/chunkfiles.h"
#include "tsdb/head.h"
#include "tsdb/postings.h"

struct head_reader {
    struct head *h;
    const struct chunkfiles *files;
    uint64_t snapshot;
    const struct tombs *tombs; /* by reference in the log; may be NULL */
    struct open_copy copy;
    struct column scratch; /* last()'s */
};

/* May the series have samples in [mint, maxt]? */
bool head_may_have(struct head_reader *r, uint32_t slot, int64_t mint, int64_t maxt);

/* As struct querier_ops' read and last. */
enum err head_read(struct head_reader *r, uint32_t slot, int64_t mint, int64_t maxt,
                   struct column *c);
bool head_last(struct head_reader *r, uint32_t slot, int64_t mint, int64_t maxt,
               struct sample *out);

/*
 * The samples of [mint, maxt] as chunks, ascending, in a's memory: full ones as they are (their data may be the
 * store's), those that reach out of the range or were deleted from in part encoded anew.
 */
enum err head_chunks(struct head_reader *r, uint32_t slot, int64_t mint, int64_t maxt,
                     struct arena *a, struct block_chunk **out, size_t *n);

/* Label names and values of series that are alive; without matchers m over all. Unsorted, unique. */
void head_label_names(struct head_reader *r, struct arena *a, const struct matcher *m, size_t n,
                      struct str **out, size_t *out_n);
void head_label_values(struct head_reader *r, struct arena *a, struct str name,
                       const struct matcher *m, size_t n, struct str **out, size_t *out_n);

#endif
