/* SPDX-License-Identifier: Apache-2.0 */
#include "tsdb/tsdb.h"

#include "io/file.h"
#include "tsdb/dirs.h"
#include "tsdb/tsdb_priv.h"

#include <stdio.h>

static const int64_t SYNC_EVERY_MS = 1000, STORE_EVERY_MS = 60000;

static void report(struct tsdb *db, struct str file, const char *text)
{
    struct tsdb_report r = { .file = file, .text = text };
    if (db->o.report) db->o.report(db->o.ctx, &r);
}

/*
 * Opening
 */

static enum err take_lock(struct tsdb *db, struct diag *d)
{
    if (db->o.no_lock_file) return OK;
    char path[FILE_PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/lock", db->dir);
    return file_lock(str_make(path, (size_t)n), &db->lock_fd, d);
}

static enum err open_dir(struct tsdb *db, struct diag *d)
{
    TRY(dir_make(str_c(db->dir), d));
    TRY(take_lock(db, d));
    blocks_sweep(&db->blocks);
    blocks_reload(&db->blocks);
    /* What blocks hold is not wanted from the log again, nor older samples. */
    db->min_valid = db->blocks.maxt;
    TRY(tsdb_replay(db, d));
    return OK;
}

static void free_all(struct tsdb *db)
{
    if (db->wal.dir) (void)wal_done(&db->wal);
    chunkfiles_close(&db->files);
    head_done(db->head);
    free(db->head);
    readers_done(&db->readers);
    blocks_done(&db->blocks);
    tombs_unref(db->head_tombs);
    pthread_mutex_destroy(&db->tombs_lock);
    upkeep_done(&db->upkeep);
    free(db->again.v);
    if (db->lock_fd >= 0) file_unlock(db->lock_fd);
    buf_done(&db->record);
    free(db->dir);
    pthread_mutex_destroy(&db->lock);
    free(db);
}

/* Offsets within a chunk's window are 32 bits of milliseconds. */
static int64_t range_of(const struct tsdb_options *o)
{
    int64_t range = o->chunk_range_ms > 0 ? o->chunk_range_ms : TSDB_CHUNK_RANGE_MS;
    return range < INT32_MAX ? range : INT32_MAX;
}

enum err tsdb_open(const struct tsdb_options *o, struct tsdb **out, struct diag *d)
{
    struct tsdb *db = calloc(1, sizeof(*db));
    ASSERT(db != NULL);
    db->qa.ops = &tsdb_queryable_ops;
    db->aa.ops = &tsdb_appendable_ops;
    db->o = *o;
    db->dir = strndup(o->dir.p, o->dir.n);
    ASSERT(db->dir != NULL);
    db->o.dir = str_c(db->dir);
    db->lock_fd = -1;
    db->files.fd = -1;
    pthread_mutex_init(&db->lock, NULL);
    readers_init(&db->readers);
    db->head = calloc(1, sizeof(*db->head));
    ASSERT(db->head != NULL);
    head_init(db->head, range_of(o), &db->readers);
    pthread_mutex_init(&db->tombs_lock, NULL);
    db->head_tombs = tombs_new();
    blocks_init(&db->blocks, str_c(db->dir), &db->o);
    upkeep_init(&db->upkeep);
    tsdb_set_retention(db, o->retention_ms, o->retention_bytes);
    enum err e = open_dir(db, d);
    if (e != OK) {
        free_all(db);
        return e;
    }
    *out = db;
    return OK;
}

struct tombs *tsdb_head_tombs(struct tsdb *db)
{
    pthread_mutex_lock(&db->tombs_lock);
    struct tombs *t = tombs_ref(db->head_tombs);
    pthread_mutex_unlock(&db->tombs_lock);
    return t;
}

struct queryable *tsdb_queryable(struct tsdb *db) { return &db->qa; }
struct appendable *tsdb_appendable(struct tsdb *db) { return &db->aa; }

/*
 * Own work
 */

void tsdb_note_time(struct tsdb *db, int64_t t)
{
    struct head *h = db->head;
    if (t < atomic_load_explicit(&h->min_t, memory_order_relaxed)) {
        atomic_store_explicit(&h->min_t, t, memory_order_release);
    }
    if (t > atomic_load_explicit(&h->max_t, memory_order_relaxed)) {
        atomic_store_explicit(&h->max_t, t, memory_order_release);
    }
}

/* As many blobs as fit in one write; each is told where it went only after the write succeeded. */
static enum err store_some(struct tsdb *db)
{
    uint64_t refs[CHUNK_BATCH_MAX];
    size_t n = 0;
    for (const struct blob *b = head_blob(db->head); b && n < CHUNK_BATCH_MAX; b = b->next) {
        enum err e = chunkfiles_add(&db->files, head_ident(db->head, b->slot)->ref, b->mint,
                                    b->maxt, str_make(b->data, b->bytes), &refs[n]);
        if (e == ERR_LIMIT) break;
        TRY(e);
        n++;
    }
    TRY(chunkfiles_flush(&db->files));
    for (size_t i = 0; i < n; i++) head_blob_stored(db->head, refs[i]);
    atomic_fetch_add(&db->n.chunks_stored, n);
    return OK;
}

enum err tsdb_store_chunks(struct tsdb *db)
{
    while (head_blob(db->head)) {
        enum err e = store_some(db);
        if (e != OK) {
            db->blobs_retry = db->head->blob_bytes + CHUNK_RETRY_BYTES;
            return e;
        }
    }
    db->blobs_retry = 0;
    return OK;
}

static void sync_log(struct tsdb *db)
{
    struct wal_unsynced u;
    pthread_mutex_lock(&db->lock);
    bool any = wal_take_unsynced(&db->wal, &u);
    pthread_mutex_unlock(&db->lock);
    if (any && wal_sync(&db->wal, &u) != OK) {
        report(db, STR("wal"),
               "wal: fsync failed; what was written lately may not survive a power cut");
    }
}

static void store_chunks(struct tsdb *db)
{
    pthread_mutex_lock(&db->lock);
    enum err e = tsdb_store_chunks(db);
    pthread_mutex_unlock(&db->lock);
    if (e != OK) {
        report(db, STR("chunks_head"),
               "chunks_head: cannot write; full chunks stay in memory until it works again");
    }
}

int64_t tsdb_tick(struct tsdb *db, int64_t now_ms)
{
    if (now_ms - db->synced_ms >= SYNC_EVERY_MS || now_ms < db->synced_ms) {
        sync_log(db);
        db->synced_ms = now_ms;
    }
    if (now_ms - db->stored_ms >= STORE_EVERY_MS || now_ms < db->stored_ms) {
        store_chunks(db);
        db->stored_ms = now_ms;
    }
    return db->synced_ms + SYNC_EVERY_MS;
}

void tsdb_close(struct tsdb *db)
{
    if (!db) return;
    (void)tsdb_store_chunks(db);
    free_all(db);
}
