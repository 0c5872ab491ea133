/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tsdb_priv.h - what the files of this folder share of the store
 *
 * Locks: `upkeep.lock` is held by whoever compacts, deletes, snapshots: for long, and never waited for by commits or
 *        readers. `lock` is the writers' one: creating series, commits, sealing. Below it, in this order: blocks.lock,
 *        tombs_lock, head.history.lock, readers.lock. Readers take only these, for a few instructions.
 */
#ifndef TSDB_TSDB_PRIV_H
#define TSDB_TSDB_PRIV_H

#include "codec/walrec.h"
#include "tsdb/blocks.h"
#include "tsdb/chunkfiles.h"
#include "tsdb/head.h"
#include "tsdb/postings.h"
#include "tsdb/tsdb.h"
#include "tsdb/upkeep.h"
#include "tsdb/wal.h"

#define TSDB_CHUNK_RANGE_MS INT64_C(7200000)

enum {
    RECORD_SAMPLES = 64 * 1024,    /* in one record of the log */
    RECORD_KEEP = 1 << 20,         /* of scratch between commits */
    RECORD_BYTES = 1 << 20,        /* of series in one record */
    BLOB_BYTES_WAITING = 1 << 20,  /* full chunks in memory before a commit writes them out */
    CHUNK_BATCH_MAX = 4096,        /* chunks of one write to chunks_head */
    CHUNK_RETRY_BYTES = 256 << 20, /* no more often than this while chunks_head cannot be written */
};

struct counters {
    _Atomic(uint64_t) appended, out_of_order, out_of_bound, appenders;
    _Atomic(uint64_t) corruptions, chunk_corruptions, chunks_stored, series_removed;
};

struct batch_sample {
    uint32_t slot;
    int64_t t;
    uint64_t v;
};

struct tsdb {
    struct queryable qa;
    struct appendable aa;
    struct tsdb_options o;
    char *dir;
    int lock_fd;

    pthread_mutex_t lock;
    struct readers readers;
    _Atomic(struct head *) head;
    _Atomic(uint64_t) commits;  /* number of the newest visible commit */
    _Atomic(int64_t) min_valid; /* older samples are in blocks, or on their way there: refused */
    struct blocks blocks;
    _Atomic(int64_t) retention_ms;
    _Atomic(uint64_t) retention_bytes;
    struct upkeep upkeep; /* upkeep.h */
    pthread_mutex_t tombs_lock;
    struct tombs *head_tombs; /* by reference in the log; replaced, never changed */
    struct wal wal;
    struct chunkfiles files;
    uint32_t logged; /* series below this slot are in the log, but for those in `again` */
    struct {
        uint32_t *v;
        size_t n, cap;
    } again;            /* slots of series that came back: they need a record anew */
    size_t blobs_retry; /* after a failed write: wait until this many bytes wait */

    struct buf record;             /* commit's scratch */
    _Atomic(size_t) staged_lately; /* samples of the last commit: room for the next */

    struct counters n;
    int64_t synced_ms, stored_ms; /* tick's own */
    uint64_t replay_ns;
};

extern const struct queryable_ops tsdb_queryable_ops;
extern const struct appendable_ops tsdb_appendable_ops;

/* Brings back chunks_head/ and wal/; leaves the store ready to write. */
enum err tsdb_replay(struct tsdb *db, struct diag *d);

/* Under the lock: full chunks from memory to chunks_head/. On failure they stay in memory. */
enum err tsdb_store_chunks(struct tsdb *db);

/* A reference. */
struct tombs *tsdb_head_tombs(struct tsdb *db);

/* Raises or lowers the head's times. */
void tsdb_note_time(struct tsdb *db, int64_t t);

/* Slots of the series that satisfy all matchers, ascending, in a's memory. Inside a ticket. */
struct postings tsdb_select(const struct head *h, struct arena *a, const struct matcher *m,
                            size_t n);

#endif
