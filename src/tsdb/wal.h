/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wal.h - the head's log: what was acknowledged is in it before it is visible
 *
 * Shape:   wal/00000000 ..., segments of 128 MiB of codec/walpage.h's pages; a record never crosses segments.
 *          A batch (one commit) is collected in memory and written by one write(2) a segment; when that fails the
 *          files are cut back to where the batch began, and the log stays usable.
 * Threads: writing under the store's lock; wal_sync() by the ticking thread, without it.
 * Owns:    the segment it writes. Older ones are only read, by replay at the start.
 * Source:  Prometheus tsdb/docs/format/wal.md
 */
#ifndef TSDB_WAL_H
#define TSDB_WAL_H

#include "base/buf.h"
#include "base/err.h"

#include <pthread.h>
#include <stdatomic.h>

#define WAL_SEGMENT_BYTES ((uint64_t)128 << 20)

struct wal {
    char *dir;
    int fd;           /* of the segment being written; -1 before the first record */
    uint32_t segment; /* its number, or that of the first to be made */
    uint64_t at;      /* bytes written to it */
    uint64_t segment_bytes;
    bool plain; /* no compression */

    struct buf batch, packed;
    uint32_t begun_segment; /* where the batch began */
    uint64_t begun_at;
    bool begun_open;
    enum err failed; /* of this batch */
    bool quiet;      /* not the log of samples: failures are the caller's to tell */
    bool refused;    /* the disk took the last one not; said in the log */

    int *closed; /* full segments that wait for their last sync */
    size_t closed_n, closed_cap;
    _Atomic(bool) dirty;
    _Atomic(uint64_t) end;
    _Atomic(bool) full; /* the last failure was a full disk */

    _Atomic(uint64_t) bytes, page_flushes, completed_pages, writes_failed, syncs, sync_ns;
};

/* dir exists; the first record makes segment `first`. No file is touched before. */
void wal_init(struct wal *w, struct str dir, uint32_t first, uint64_t segment_bytes, bool plain);
enum err wal_done(struct wal *w); /* syncs; ERR_SYS: that failed */

void wal_begin(struct wal *w);
void wal_put(struct wal *w, struct str record);

/*
 * Ends the batch: all of it is in the files, by write(2).
 * Errors: ERR_SYS none of it is
 */
enum err wal_commit(struct wal *w, struct diag *d);

/* Ends the segment that is written, so that the next record begins another; false: it is empty, or none. */
bool wal_cut(struct wal *w);

/* Where the log ends: segment << 32 | offset. From any thread: all before it is whole records. */
static inline uint64_t wal_end(const struct wal *w)
{
    return atomic_load_explicit(&w->end, memory_order_acquire);
}

/* The descriptors to sync: taken under the lock, synced by wal_sync() outside it. */
struct wal_unsynced {
    int *closed;
    size_t closed_n;
    int fd; /* stays open: only wal_sync's own thread closes segments */
};
bool wal_take_unsynced(struct wal *w, struct wal_unsynced *out);
enum err wal_sync(struct wal *w, struct wal_unsynced *u);

#endif
