/* SPDX-License-Identifier: Apache-2.0 */
#include "tsdb/wal.h"

#include "base/assert.h"
#include "base/log.h"
#include "codec/snap.h"
#include "codec/walpage.h"
#include "io/clock.h"
#include "io/file.h"
#include "tsdb/dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { KEEP_BYTES = 1 << 20 }; /* buffers above this are given back after their batch */

void wal_init(struct wal *w, struct str dir, uint32_t first, uint64_t segment_bytes, bool plain)
{
    *w = (struct wal){
        .dir = strndup(dir.p, dir.n),
        .fd = -1,
        .segment = first,
        .segment_bytes = segment_bytes ? segment_bytes : WAL_SEGMENT_BYTES,
        .plain = plain,
    };
    ASSERT(w->dir != NULL);
    atomic_store(&w->end, (uint64_t)first << 32);
}

static void path_of(const struct wal *w, uint32_t segment, char *to)
{
    (void)snprintf(to, FILE_PATH_MAX, "%s/%08u", w->dir, segment);
}

enum err wal_done(struct wal *w)
{
    struct wal_unsynced u;
    enum err e = OK;
    if (wal_take_unsynced(w, &u)) e = wal_sync(w, &u);
    fd_close(&w->fd);
    free(w->closed);
    free(w->dir);
    buf_done(&w->batch);
    buf_done(&w->packed);
    *w = (struct wal){ .fd = -1 };
    return e;
}

void wal_begin(struct wal *w)
{
    buf_reset(&w->batch);
    w->begun_segment = w->segment;
    w->begun_at = w->at;
    w->begun_open = w->fd >= 0;
    w->failed = OK;
}

static enum err open_segment(struct wal *w)
{
    char path[FILE_PATH_MAX];
    path_of(w, w->segment, path);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return ERR_SYS;
    w->fd = fd;
    w->at = 0;
    dir_sync(w->dir);
    return OK;
}

static enum err write_batch(struct wal *w)
{
    if (!w->batch.n) return OK;
    if (w->fd < 0) TRY(open_segment(w));
    TRY(buf_ok(&w->batch));
    TRY(fd_write_at(w->fd, buf_str(&w->batch), w->at));
    w->at += w->batch.n;
    buf_reset(&w->batch);
    return OK;
}

/* The full segment waits for the next sync, which closes it. */
static void retire_segment(struct wal *w)
{
    if (w->closed_n == w->closed_cap) {
        w->closed_cap = w->closed_cap ? w->closed_cap * 2 : 4;
        w->closed = realloc(w->closed, w->closed_cap * sizeof(*w->closed));
        ASSERT(w->closed != NULL);
    }
    w->closed[w->closed_n++] = w->fd;
    w->fd = -1;
    w->segment++;
    w->at = 0;
}

bool wal_cut(struct wal *w)
{
    if (w->fd < 0 || !w->at) return false;
    retire_segment(w);
    atomic_store(&w->dirty, true);
    return true;
}

static struct str pack(struct wal *w, struct str record, enum walpage_packing *packing)
{
    *packing = WALPAGE_PLAIN;
    if (w->plain) return record;
    buf_reset(&w->packed);
    snap_pack(record, &w->packed);
    if (buf_ok(&w->packed) != OK || w->packed.n >= record.n) return record;
    *packing = WALPAGE_SNAPPY;
    return buf_str(&w->packed);
}

void wal_put(struct wal *w, struct str record)
{
    if (w->failed != OK) return;
    enum walpage_packing packing;
    struct str s = pack(w, record, &packing);
    uint64_t at = w->at + w->batch.n;
    if (at > 0 && at + walpage_cost(at, s.n) > w->segment_bytes) {
        w->failed = write_batch(w);
        if (w->failed != OK) return;
        retire_segment(w);
        at = 0;
    }
    walpage_put(&w->batch, at, s, packing);
}

/* Back to where the batch began: segments made since are removed, the one that was open is cut. */
static void take_back(struct wal *w)
{
    char path[FILE_PATH_MAX];
    while (w->segment > w->begun_segment) {
        path_of(w, w->segment, path);
        fd_close(&w->fd);
        (void)unlink(path);
        w->segment--;
        w->fd = w->closed[--w->closed_n];
    }
    if (w->fd >= 0 && !w->begun_open) {
        path_of(w, w->segment, path);
        fd_close(&w->fd);
        (void)unlink(path);
    }
    w->at = w->begun_at;
    if (w->fd >= 0) (void)fd_cut(w->fd, w->at);
}

static void count_batch(struct wal *w)
{
    uint64_t was = w->begun_segment == w->segment ? w->begun_at : 0;
    uint64_t grown = w->at - was;
    if (w->segment != w->begun_segment) {
        grown += w->segment_bytes * (w->segment - w->begun_segment) - w->begun_at;
    }
    atomic_fetch_add(&w->bytes, grown);
    atomic_fetch_add(&w->page_flushes, grown / WALPAGE_SIZE + 1);
    atomic_fetch_add(&w->completed_pages, w->at / WALPAGE_SIZE - was / WALPAGE_SIZE);
}

enum err wal_commit(struct wal *w, struct diag *d)
{
    enum err e = w->failed != OK ? w->failed : write_batch(w);
    int why = errno;
    if (e == OK) {
        count_batch(w);
        atomic_store(&w->dirty, true);
        atomic_store_explicit(&w->end, (uint64_t)w->segment << 32 | w->at, memory_order_release);
        if (w->refused) LOG(INFO, "samples are written again", kv("dir", w->dir));
        w->refused = false;
    } else {
        take_back(w);
        atomic_store(&w->full, why == ENOSPC);
        atomic_fetch_add(&w->writes_failed, 1);
        errno = why;
        struct diag own;
        if (!d) d = &own;
        e = diag_set(d, ERR_SYS, "%s/%08u: cannot write the log: %m", w->dir, w->segment);
        /* Every scrape gets the error; the log has it once, for all of them. */
        if (!w->refused && !w->quiet) {
            LOG(ERROR, "samples are lost until the disk takes them", kv("err", d->text));
        }
        w->refused = true;
    }
    if (w->batch.cap > KEEP_BYTES) buf_done(&w->batch);
    if (w->packed.cap > KEEP_BYTES) buf_done(&w->packed);
    return e;
}

bool wal_take_unsynced(struct wal *w, struct wal_unsynced *out)
{
    if (!atomic_exchange(&w->dirty, false)) return false;
    *out = (struct wal_unsynced){ .closed = w->closed, .closed_n = w->closed_n, .fd = w->fd };
    w->closed = NULL;
    w->closed_n = w->closed_cap = 0;
    return true;
}

enum err wal_sync(struct wal *w, struct wal_unsynced *u)
{
    int64_t began = clock_mono_ns();
    enum err e = OK;
    for (size_t i = 0; i < u->closed_n; i++) {
        if (fdatasync(u->closed[i]) != 0) e = ERR_SYS;
        (void)close(u->closed[i]);
    }
    free(u->closed);
    if (u->fd >= 0 && fdatasync(u->fd) != 0) e = ERR_SYS;
    if (e != OK) atomic_store(&w->dirty, true);
    atomic_fetch_add(&w->syncs, 1);
    atomic_fetch_add(&w->sync_ns, (uint64_t)(clock_mono_ns() - began));
    return e;
}
