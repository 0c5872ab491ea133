/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deletion.c - what the admin API does: delete samples, clean tombstones, snapshot
 *
 * Source: Prometheus tsdb/db.go Delete, CleanTombstones, Snapshot; tsdb/head.go Delete
 */
#include "base/vec.h"
#include "io/file.h"
#include "tsdb/compact.h"
#include "tsdb/dirs.h"
#include "tsdb/headread.h"
#include "tsdb/tsdb_priv.h"

#include <stdio.h>
#include <unistd.h>

/*
 * Deleting
 */

static enum err write_tombs(const struct block *b, const struct tombs *t, struct diag *d)
{
    ARENA(a, 0);
    BUF(buf, 0);
    size_t n;
    struct tombstone *v = tombs_list(t, &a, &n);
    tombstones_write(&buf, v, n);
    return file_write_atomic(path_join(&a, str_c(b->dir), STR("tombstones")), buf_str(&buf), d);
}

static enum err delete_in_block(struct tsdb *db, const struct block_view *v, struct interval x,
                                const struct matcher *m, size_t n, struct diag *d)
{
    ARENA(a, 0);
    uint32_t *ids;
    size_t ids_n;
    if (block_select(v->b, &a, m, n, &ids, &ids_n) != OK) {
        return diag_set(d, ERR_CORRUPT, "%s: damaged", v->b->dir);
    }
    if (!ids_n) return OK;
    struct tombs *t = tombs_copy(v->tombs);
    for (size_t i = 0; i < ids_n; i++) {
        struct blockindex_series s;
        ARENA(one, 0);
        if (blockindex_series(&v->b->index, &one, ids[i], &s) != OK || !s.chunks) continue;
        int64_t first = s.chunk[0].mint, last = s.chunk[s.chunks - 1].maxt;
        if (first > x.maxt || last < x.mint) continue;
        struct interval cut = { x.mint > first ? x.mint : first, x.maxt < last ? x.maxt : last };
        tombs_add(t, ids[i], cut);
    }
    enum err e = write_tombs(v->b, t, d);
    if (e != OK) {
        tombs_unref(t);
        return e;
    }
    blocks_set_tombs(&db->blocks, v->b, t);
    return OK;
}

static enum err log_tombs(struct tsdb *db, const struct tombstone *v, size_t n, struct diag *d)
{
    BUF(b, 0);
    buf_char(&b, WALREC_TOMBSTONES);
    tombstones_write_record(&b, v, n);
    wal_begin(&db->wal);
    wal_put(&db->wal, buf_str(&b));
    return wal_commit(&db->wal, d);
}

/* The series' own times bound the stretch, so that a deletion up to "now" does not reach samples to come. */
static bool bounded(struct head_reader *r, uint32_t slot, struct interval *x)
{
    int64_t first = atomic_load(&head_cold(r->h, slot)->first_t);
    int64_t last = atomic_load(&head_hot(r->h, slot)->t);
    if (!head_may_have(r, slot, x->mint, x->maxt)) return false;
    if (x->mint < first) x->mint = first;
    if (x->maxt > last) x->maxt = last;
    return x->mint <= x->maxt;
}

static enum err delete_in_head_locked(struct tsdb *db, struct head_reader *r, struct interval x,
                                      const struct matcher *m, size_t n, struct diag *d)
{
    ARENA(a, 0);
    struct postings p = tsdb_select(r->h, &a, m, n);
    struct tombstone *v = arena_array(&a, p.n, sizeof(*v));
    size_t count = 0;
    for (size_t i = 0; i < p.n; i++) {
        struct interval cut = x;
        uint64_t ref = head_ident(r->h, p.v[i])->ref;
        if (ref && bounded(r, p.v[i], &cut)) {
            v[count++] = (struct tombstone){ ref, cut.mint, cut.maxt };
        }
    }
    if (!count) return OK;
    TRY(log_tombs(db, v, count, d));
    struct tombs *old = tsdb_head_tombs(db), *t = tombs_copy(old);
    for (size_t i = 0; i < count; i++) {
        tombs_add(t, v[i].series, (struct interval){ v[i].mint, v[i].maxt });
    }
    pthread_mutex_lock(&db->tombs_lock);
    db->head_tombs = t;
    pthread_mutex_unlock(&db->tombs_lock);
    tombs_unref(old);
    tombs_unref(old); /* the store's own reference as well */
    return OK;
}

static enum err delete_in_head(struct tsdb *db, struct interval x, const struct matcher *m,
                               size_t n, struct diag *d)
{
    struct reader_ticket ticket;
    struct head_reader r = { .files = &db->files };
    readers_enter(&db->readers, &ticket, &db->commits);
    pthread_mutex_lock(&db->lock);
    r.h = db->head;
    r.snapshot = UINT64_MAX - 1; /* under the lock: all commits are whole */
    enum err e = delete_in_head_locked(db, &r, x, m, n, d);
    pthread_mutex_unlock(&db->lock);
    readers_leave(&db->readers, &ticket);
    column_done(&r.scratch);
    return e;
}

enum err tsdb_delete(struct tsdb *db, int64_t mint, int64_t maxt, const struct matcher *m, size_t n,
                     struct diag *d)
{
    struct interval x = { mint, maxt };
    pthread_mutex_lock(&db->upkeep.lock);
    struct block_list *l = blocks_list(&db->blocks);
    enum err e = OK;
    for (size_t i = 0; i < l->n && e == OK; i++) {
        if (l->v[i].b->meta.mint > maxt || l->v[i].b->meta.maxt <= mint) continue;
        e = delete_in_block(db, &l->v[i], x, m, n, d);
    }
    block_list_unref(l);
    if (e == OK) e = delete_in_head(db, x, m, n, d);
    pthread_mutex_unlock(&db->upkeep.lock);
    struct wal_unsynced u;
    pthread_mutex_lock(&db->lock);
    bool any = wal_take_unsynced(&db->wal, &u);
    pthread_mutex_unlock(&db->lock);
    if (any && wal_sync(&db->wal, &u) != OK && e == OK) e = diag_set(d, ERR_SYS, "fsync failed");
    return e;
}

/*
 * Cleaning
 */

static enum err clean_block(struct tsdb *db, const struct block_view *v, int64_t now_ms,
                            struct diag *d)
{
    struct compact_result made;
    TRY(compact_blocks(v, 1, str_c(db->dir), now_ms, &made, d));
    if (made.name[0]) {
        blocks_reload(&db->blocks); /* the old one goes as its parent */
    } else {
        struct str ulid = v->b->meta.ulid;
        blocks_remove(&db->blocks, &ulid, 1);
    }
    return OK;
}

enum err tsdb_clean_tombstones(struct tsdb *db, int64_t now_ms, struct diag *d)
{
    pthread_mutex_lock(&db->upkeep.lock);
    struct block_list *l = blocks_list(&db->blocks);
    enum err e = OK;
    for (size_t i = 0; i < l->n && e == OK; i++) {
        if (tombs_count(l->v[i].tombs)) e = clean_block(db, &l->v[i], now_ms, d);
    }
    block_list_unref(l);
    pthread_mutex_unlock(&db->upkeep.lock);
    return e;
}

/*
 * Snapshots
 */

static enum err link_file(struct str from, struct str to, struct diag *d)
{
    if (link(from.p, to.p) == 0) return OK;
    return diag_set(d, ERR_SYS, "%s: cannot link to %s: %m", from.p, to.p);
}

/* Tombstones are copied: a deletion to come replaces the file, but another tool may write into it. */
static enum err link_block(const struct block *b, struct str dir, struct diag *d)
{
    static const char *const FILES[] = { "index", "meta.json", "tombstones" };
    ARENA(a, 0);
    struct str from = str_c(b->dir), to = path_join(&a, dir, b->meta.ulid);
    struct str chunks = path_join(&a, from, STR("chunks")), *names;
    size_t n;
    TRY(dir_make(path_join(&a, to, STR("chunks")), d));
    TRY(dir_list(&a, chunks, &names, &n, d));
    for (size_t i = 0; i < n; i++) {
        TRY(link_file(path_join(&a, chunks, names[i]),
                      arena_fmt(&a, "%s/chunks/" STR_FMT, to.p, STR_ARG(names[i])), d));
    }
    for (size_t i = 0; i < ARRAY_LEN(FILES); i++) {
        struct str file = path_join(&a, from, str_c(FILES[i]));
        if (!file_exists(file)) continue;
        TRY(link_file(file, path_join(&a, to, str_c(FILES[i])), d));
    }
    return OK;
}

static enum err snapshot_into(struct tsdb *db, struct str dir, bool head, int64_t now_ms,
                              struct diag *d)
{
    struct block_list *l = blocks_list(&db->blocks);
    enum err e = OK;
    for (size_t i = 0; i < l->n && e == OK; i++) e = link_block(l->v[i].b, dir, d);
    block_list_unref(l);
    if (e != OK || !head) return e;
    int64_t mint = atomic_load(&db->head->min_t), maxt = atomic_load(&db->head->max_t);
    struct compact_result made;
    return mint <= maxt ? compact_head(db, dir, mint, maxt + 1, now_ms, &made, d) : OK;
}

enum err tsdb_snapshot(struct tsdb *db, bool head, int64_t now_ms, struct arena *a,
                       struct str *name, struct diag *d)
{
    char ulid[ULID_CHARS + 1];
    block_name(ulid, now_ms);
    struct str made = arena_fmt(a, "%lld-%.16s", (long long)(now_ms / 1000), ulid + 10);
    struct str dir = arena_fmt(a, "%s/snapshots/" STR_FMT, db->dir, STR_ARG(made));
    TRY(dir_make(dir, d));
    pthread_mutex_lock(&db->upkeep.lock);
    enum err e = snapshot_into(db, dir, head, now_ms, d);
    pthread_mutex_unlock(&db->upkeep.lock);
    if (e == OK) *name = made;
    return e;
}

void tsdb_set_retention(struct tsdb *db, int64_t retention_ms, uint64_t retention_bytes)
{
    atomic_store(&db->retention_ms, retention_ms);
    atomic_store(&db->retention_bytes, retention_bytes);
}
