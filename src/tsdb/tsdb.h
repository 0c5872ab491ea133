/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tsdb.h - the time-series store: one data directory in Prometheus' format
 *
 * Shape:   a head in memory (series, open chunks), its log (wal/), its full chunks (chunks_head/, mapped); README "Shapes".
 *          Read and written through the tables of model/storage.h.
 * Threads: tsdb_open() and tsdb_close() by one thread while nobody else uses the store. Everything else from any
 *          thread: commits take turns on one writer lock, readers never wait for it. tsdb_tick() by one thread at a
 *          time; it writes and syncs files, so it belongs on a worker, never on a loop.
 * Owns:    the directory, by its lock file, and every file in it that Prometheus' format names.
 * Source:  Prometheus tsdb/docs/format; behaviour of 3.x, files as 2.42 reads them.
 */
#ifndef TSDB_TSDB_H
#define TSDB_TSDB_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/storage.h"

struct tsdb;

/* Something about the directory that a person should know: what was cut, skipped or is not read. */
struct tsdb_report {
    struct str file;  /* path below the data directory: wal/00000003 */
    uint64_t offset;  /* bytes; where the damage begins */
    uint64_t dropped; /* bytes cut off there, later files included */
    const char *text; /* one sentence; names file and offset already */
};

struct tsdb_options {
    struct str dir;           /* made, 0700, if absent */
    int64_t chunk_range_ms;   /* 0: two hours (storage.tsdb.min-block-duration) */
    uint64_t segment_bytes;   /* 0: 128 MiB (storage.tsdb.wal-segment-size) */
    uint64_t head_limit;      /* series; 0: none. More are refused with ERR_LIMIT */
    int64_t max_range_ms;     /* of a block; 0: a tenth of the retention, at most 31 days */
    int64_t retention_ms;     /* 0: none */
    uint64_t retention_bytes; /* of log, head chunks and blocks; 0: none */
    struct str
        delay_compact_file;  /* of Thanos' shipper: what it lists may be compacted; "": all may */
    bool no_lock_file;       /* storage.tsdb.no-lockfile */
    bool no_wal_compression; /* snappy is the default */

    /* Called during tsdb_open() and tsdb_tick(); may be NULL. */
    void (*report)(void *ctx, const struct tsdb_report *r);

    /* Called during tsdb_open() after each file of the log: /api/v1/status/walreplay. May be NULL. */
    void (*progress)(void *ctx, unsigned min, unsigned max, unsigned current);
    void *ctx;
};

/*
 * Opens or makes the directory and brings the head back from chunks_head/ and wal/. Damage never stops it: it is cut
 * at the last whole record and reported.
 * Errors: ERR_EXISTS another process holds the lock; ERR_DENIED, ERR_SYS the directory cannot be used
 */
enum err tsdb_open(const struct tsdb_options *o, struct tsdb **out, struct diag *d);

/* Writes what is full, syncs, unlocks. No querier or appender may be open. NULL is fine. */
void tsdb_close(struct tsdb *db);

struct queryable *tsdb_queryable(struct tsdb *db);
struct appendable *tsdb_appendable(struct tsdb *db);

/*
 * The store's own work: fsync of the log (each second), full chunks to chunks_head (each minute or when many wait),
 * memory that readers have left. Returns when it next wants to be called, in `now`'s milliseconds.
 */
int64_t tsdb_tick(struct tsdb *db, int64_t now_ms);

/*
 * The slow work: head to block, blocks to larger blocks, retention, checkpoints. One step; returns when it wants to be
 * called again, `now_ms` itself for at once. On a thread of its own beside tsdb_tick(): a step may take minutes, no commit
 * and no reader waits for it.
 */
int64_t tsdb_upkeep(struct tsdb *db, int64_t now_ms);

/* Retention may change while the store is open. */
void tsdb_set_retention(struct tsdb *db, int64_t retention_ms, uint64_t retention_bytes);

/*
 * Deletes the samples of [mint, maxt] of the series that match, from head and blocks; durable when it returns. Their bytes
 * go with the next compaction, or tsdb_clean_tombstones().
 */
enum err tsdb_delete(struct tsdb *db, int64_t mint, int64_t maxt, const struct matcher *m, size_t n,
                     struct diag *d);

/* Rewrites the blocks that samples were deleted from. */
enum err tsdb_clean_tombstones(struct tsdb *db, int64_t now_ms, struct diag *d);

/* All blocks, and with `head` the head as one more, linked or written to dir/snapshots/<name>; name is in a's memory. */
enum err tsdb_snapshot(struct tsdb *db, bool head, int64_t now_ms, struct arena *a,
                       struct str *name, struct diag *d);

/*
 * A selected series' samples of [mint, maxt] as chunks for whoever sends them on: ascending, apart, in a's memory or the
 * store's (valid until the querier closes). Chunks of blocks may reach out of the range. struct block_chunk: block.h.
 */
struct block_chunk;
enum err tsdb_series_chunks(struct querier *base, const struct series *s, int64_t mint,
                            int64_t maxt, struct arena *a, struct block_chunk **out, size_t *n);

/* As the API's /status/tsdb wants it. Lists are in descending order, at most `limit` long, in the arena given. */
struct tsdb_top {
    struct str name;
    uint64_t value;
};
struct tsdb_top_list {
    struct tsdb_top *v;
    size_t n;
};
struct tsdb_status {
    uint64_t series, label_pairs, chunks;
    int64_t min_time, max_time;       /* of the head; INT64_MAX, INT64_MIN while it is empty */
    struct tsdb_top_list metrics;     /* seriesCountByMetricName */
    struct tsdb_top_list label_names; /* labelValueCountByLabelName */
    struct tsdb_top_list memory;      /* memoryInBytesByLabelName */
    struct tsdb_top_list pairs;       /* seriesCountByLabelValuePair: name=value */
};
void tsdb_status(struct tsdb *db, struct arena *a, size_t limit, struct tsdb_status *out);

/* The counters behind prometheus_tsdb_*; a consistent copy. */
struct tsdb_stats {
    uint64_t series, series_created, chunks, chunks_created;
    uint64_t samples_appended, out_of_order, out_of_bound;
    int64_t min_time, max_time;
    uint64_t wal_segment, wal_bytes, wal_corruptions, wal_writes_failed;
    uint64_t wal_page_flushes, wal_completed_pages;
    uint64_t wal_fsyncs, wal_fsync_ns;
    uint64_t head_chunk_bytes, mmap_chunks, mmap_chunk_corruptions;
    uint64_t active_appenders, open_queriers;
    uint64_t symbol_bytes, head_memory_bytes; /* estimate of ours: all that grows with series */
    uint64_t replay_ns;
    uint64_t series_removed, chunks_removed;
    uint64_t blocks, block_bytes, blocks_refused; /* loaded; of them; damaged and left aside */
    int64_t lowest_time;                          /* of head and blocks */
    uint64_t compactions, compactions_failed, head_truncations, head_moves, checkpoints,
        checkpoints_failed;
    uint64_t retention_time, retention_size, reloads, reloads_failed;
};
void tsdb_stats(struct tsdb *db, struct tsdb_stats *out);

/* The same as families of text exposition (prometheus_tsdb_...), for the role's own /metrics. */
void tsdb_write_metrics(struct tsdb *db, struct buf *out);

#endif
