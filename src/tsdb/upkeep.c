/* SPDX-License-Identifier: Apache-2.0 */
#include "tsdb/upkeep.h"

#include "codec/json.h"
#include "io/file.h"
#include "tsdb/checkpoint.h"
#include "tsdb/compact.h"
#include "tsdb/dirs.h"
#include "tsdb/headgc.h"
#include "tsdb/plan.h"
#include "tsdb/tsdb_priv.h"

#include <errno.h>
#include <stdio.h>

enum {
    SLOTS_AT_ONCE = 4096, /* under the writers' lock */
    RETENTION_TENTHS = 10,
    UPLOADED_MAX = 16 << 20, /* of the shipper's file */
};

static const int64_t CHECK_EVERY_MS = 60000, AGAIN_MS = 200, RETRY_MS = 60000;
static const int64_t RANGE_MAX_MS = INT64_C(31) * 24 * 3600 * 1000;

void upkeep_init(struct upkeep *u)
{
    *u = (struct upkeep){ .checked_ms = INT64_MIN, .failed_ms = INT64_MIN };
    pthread_mutex_init(&u->lock, NULL);
}

void upkeep_done(struct upkeep *u)
{
    map64_done(&u->gone);
    pthread_mutex_destroy(&u->lock);
}

void upkeep_note_gone(struct upkeep *u, uint64_t ref, uint32_t segment)
{
    (void)map64_put(&u->gone, ref, (void *)((uintptr_t)segment + 1));
}

void upkeep_settle_gone(struct upkeep *u, uint32_t next)
{
    MAP_FOR(it, &u->gone) {
        if ((uintptr_t)it->value == (uintptr_t)UINT32_MAX + 1) {
            it->value = (void *)((uintptr_t)next + 1);
        }
    }
}

static void say(struct tsdb *db, struct str file, const char *text)
{
    struct tsdb_report r = { .file = file, .text = text };
    if (db->o.report) db->o.report(db->o.ctx, &r);
}

/*
 * The head's oldest window
 */

static int64_t window_end(int64_t t, int64_t range)
{
    return (t / range - (t % range < 0)) * range + range;
}

/* Of times that no clock shows (a scraped page may) no block is made: they stay in the head. */
static bool head_is_ripe(const struct tsdb *db, int64_t *mint, int64_t *maxt)
{
    const struct head *h = db->head;
    int64_t low = atomic_load(&h->min_t), high = atomic_load(&h->max_t);
    if (low < -BLOCK_TIME_MAX || low > BLOCK_TIME_MAX - h->range || low > high) return false;
    if (high / 2 - low / 2 <= h->range / 4 * 3) return false;
    *mint = low;
    *maxt = window_end(low, h->range);
    return true;
}

static void on_gone(void *ctx, uint64_t ref)
{
    struct tsdb *db = ctx;
    upkeep_note_gone(&db->upkeep, ref, db->wal.segment);
    atomic_fetch_add(&db->n.series_removed, 1);
}

/* Some slots under the lock, then others get their turn. */
static void truncate_slots(struct tsdb *db, struct head_truncation *t)
{
    for (uint32_t from = 0;; from += SLOTS_AT_ONCE) {
        pthread_mutex_lock(&db->lock);
        struct head *h = db->head;
        uint32_t n = h->cold.n, to = from + SLOTS_AT_ONCE < n ? from + SLOTS_AT_ONCE : n;
        if (from < to) head_truncate(h, from, to, t);
        pthread_mutex_unlock(&db->lock);
        if (to == n) return;
    }
}

/* Gaps are jumped over, so that hours without samples do not become empty windows. */
static void move_start(struct tsdb *db, const struct head_truncation *t)
{
    struct head *h = db->head;
    int64_t newest = atomic_load(&h->max_t), first = t->min_t;
    if (newest > BLOCK_TIME_MAX) newest = BLOCK_TIME_MAX;
    if (first > newest - h->range / 2) first = newest - h->range / 2; /* came in meanwhile */
    int64_t start = first > t->mint ? window_end(first, h->range) - h->range : t->mint;
    if (start < t->mint) start = t->mint;
    atomic_store(&h->min_t, start);
}

/* Tombstones of what the head no longer has. */
static void drop_tombs(struct tsdb *db, int64_t mint)
{
    ARENA(a, 0);
    struct tombs *old = tsdb_head_tombs(db), *kept = tombs_new();
    size_t n;
    struct tombstone *v = tombs_list(old, &a, &n);
    for (size_t i = 0; i < n; i++) {
        if (v[i].maxt < mint) continue;
        tombs_add(kept, v[i].series, (struct interval){ v[i].mint, v[i].maxt });
    }
    pthread_mutex_lock(&db->tombs_lock);
    db->head_tombs = kept;
    pthread_mutex_unlock(&db->tombs_lock);
    tombs_unref(old);
    tombs_unref(old); /* the store's own reference as well */
}

/* Under the lock. What the store itself knows by slot follows. */
static void move_head(struct tsdb *db)
{
    struct head *old = db->head;
    struct head_move m;
    struct head *new = head_without_dead(old, &m);
    uint32_t logged = 0;
    size_t again = 0;
    for (uint32_t slot = 0; slot < db->logged; slot++) logged += m.slots[slot] != SLOT_NONE;
    for (size_t i = 0; i < db->again.n; i++) {
        uint32_t slot = m.slots[db->again.v[i]];
        if (slot != SLOT_NONE) db->again.v[again++] = slot;
    }
    db->logged = logged;
    db->again.n = again;
    atomic_store(&db->head, new);
    free(m.slots);
    readers_retire(&db->readers, old, head_release);
}

/* The memory of series that are gone, given back. */
static void collect_head(struct tsdb *db)
{
    pthread_mutex_lock(&db->lock);
    if (head_is_sparse(db->head) && tsdb_store_chunks(db) == OK) {
        move_head(db);
        atomic_fetch_add(&db->upkeep.head_moves, 1);
    }
    pthread_mutex_unlock(&db->lock);
}

static void truncate_head(struct tsdb *db)
{
    struct head_truncation t = {
        .mint = db->upkeep.mint,
        .gone = on_gone,
        .ctx = db,
        .chunks_from = UINT64_MAX,
        .min_t = INT64_MAX,
    };
    pthread_mutex_lock(&db->lock);
    (void)tsdb_store_chunks(db); /* what waits gets a place, or is seen as waiting */
    pthread_mutex_unlock(&db->lock);
    truncate_slots(db, &t);
    pthread_mutex_lock(&db->lock);
    move_start(db, &t);
    chunkfiles_truncate(&db->files, t.chunks_from, &db->readers);
    pthread_mutex_unlock(&db->lock);
    drop_tombs(db, t.mint);
    collect_head(db);
    atomic_fetch_add(&db->upkeep.head_truncations, 1);
}

static bool no_space(const struct diag *d) { return strstr(d->text, "No space left") != NULL; }

/* The oldest block makes room for what is new; never the last one, and none where all is to be kept for ever. */
static void make_room(struct tsdb *db)
{
    if (!db->retention_ms && !db->retention_bytes) return;
    struct block_list *l = blocks_list(&db->blocks);
    if (l->n > 1) {
        ARENA(a, 0);
        struct str ulid = arena_dup(&a, l->v[0].b->meta.ulid);
        say(db, ulid,
            arena_fmt(&a, "the disk is full: the oldest block, " STR_FMT ", is removed",
                      STR_ARG(ulid))
                .p);
        blocks_remove(&db->blocks, &ulid, 1);
    }
    block_list_unref(l);
}

static void failed(struct tsdb *db, const char *what, int64_t now_ms, const struct diag *d)
{
    ARENA(a, 0);
    db->upkeep.failed_ms = now_ms;
    atomic_fetch_add(&db->upkeep.compactions_failed, 1);
    say(db, STR("blocks"), arena_fmt(&a, "%s failed, it is tried again: %.800s", what, d->text).p);
    if (no_space(d)) make_room(db);
}

/* No commit may add to what is being written. */
static void close_window(struct tsdb *db, int64_t maxt)
{
    pthread_mutex_lock(&db->lock);
    if (db->min_valid < maxt) db->min_valid = maxt;
    pthread_mutex_unlock(&db->lock);
}

static bool head_to_block(struct tsdb *db, int64_t mint, int64_t maxt, int64_t now_ms)
{
    struct compact_result made;
    struct diag d = { 0 };
    close_window(db, maxt);
    if (compact_head(db, str_c(db->dir), mint, maxt, now_ms, &made, &d) != OK) {
        failed(db, "writing a block", now_ms, &d);
        return false;
    }
    if (made.name[0]) blocks_reload(&db->blocks);
    if (made.name[0] && !blocks_have(&db->blocks, str_c(made.name))) {
        (void)diag_set(&d, ERR_SYS, "block %s cannot be read", made.name);
        failed(db, "writing a block", now_ms, &d);
        return false; /* the head keeps its samples */
    }
    atomic_fetch_add(&db->upkeep.compactions, 1);
    db->upkeep.epoch = readers_mark(&db->readers);
    db->upkeep.mint = maxt;
    db->upkeep.truncating = true;
    return true;
}

/*
 * The log
 */

struct keeping {
    uint64_t *refs; /* alive, ascending */
    size_t n;
    const struct map64 *gone;
    uint32_t last;
};

static int by_ref(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static bool keep(void *ctx, uint64_t ref)
{
    const struct keeping *k = ctx;
    uintptr_t segment = (uintptr_t)map64_get(k->gone, ref);
    if (segment > (uintptr_t)k->last + 1) return true; /* named behind the checkpoint */
    return k->n && bsearch(&ref, k->refs, k->n, sizeof(ref), by_ref) != NULL;
}

static void list_alive(struct tsdb *db, struct keeping *k)
{
    pthread_mutex_lock(&db->lock);
    uint32_t n = db->head->cold.n;
    pthread_mutex_unlock(&db->lock);
    k->refs = malloc(((size_t)n + 1) * sizeof(*k->refs));
    ASSERT(k->refs != NULL);
    for (uint32_t slot = 0; slot < n; slot++) {
        uint64_t ref = head_ident(db->head, slot)->ref;
        if (ref) k->refs[k->n++] = ref;
    }
    if (k->n) qsort(k->refs, k->n, sizeof(*k->refs), by_ref);
}

static void forget_gone(struct upkeep *u, uint32_t last)
{
    struct map64 kept = { 0 };
    MAP_FOR(it, &u->gone) {
        if ((uintptr_t)it->value > (uintptr_t)last + 1) (void)map64_put(&kept, it->key, it->value);
    }
    map64_done(&u->gone);
    u->gone = kept;
}

static uint64_t folder_bytes(struct str dir)
{
    ARENA(a, 0);
    struct str *names;
    size_t n;
    uint64_t bytes = 0;
    if (dir_list(&a, dir, &names, &n, NULL) != OK) return 0;
    for (size_t i = 0; i < n; i++) bytes += file_bytes(path_join(&a, dir, names[i]).p);
    return bytes;
}

static void make_checkpoint(struct tsdb *db, int64_t now_ms)
{
    ARENA(a, 0);
    struct str dir = path_join(&a, str_c(db->dir), STR("wal"));
    uint64_t *v;
    size_t n;
    db->upkeep.checkpoint_due = false;
    if (dir_numbers(&a, dir, STR(""), &v, &n, NULL) != OK || !n) return;
    pthread_mutex_lock(&db->lock);
    (void)wal_cut(&db->wal);
    uint32_t current = db->wal.segment, last;
    pthread_mutex_unlock(&db->lock);
    if (!checkpoint_last((uint32_t)v[0], current, &last)) return;
    struct keeping k = { .gone = &db->upkeep.gone, .last = last };
    list_alive(db, &k);
    struct checkpoint_plan p = {
        .dir = dir,
        .last = last,
        .mint = db->upkeep.mint,
        .keep = keep,
        .ctx = &k,
        .segment_bytes = db->o.segment_bytes,
        .plain = db->o.no_wal_compression,
    };
    struct diag d = { 0 };
    enum err e = checkpoint_make(&p, &d);
    free(k.refs);
    if (e != OK) {
        atomic_fetch_add(&db->upkeep.checkpoints_failed, 1);
        failed(db, "the log's checkpoint", now_ms, &d);
        return;
    }
    forget_gone(&db->upkeep, last);
    atomic_fetch_add(&db->upkeep.checkpoints, 1);
    atomic_store(&db->wal.bytes, folder_bytes(dir));
}

/*
 * Blocks
 */

static void describe(const struct block_list *l, struct plan_block *v)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct blockmeta *m = &l->v[i].b->meta;
        v[i] = (struct plan_block){ m->mint,          m->maxt,
                                    m->stats.series,  tombs_count(l->v[i].tombs),
                                    l->v[i].b->bytes, m->failed };
    }
}

static int64_t range_max(const struct tsdb *db)
{
    int64_t max = db->o.max_range_ms;
    if (max <= 0) max = db->retention_ms > 0 ? db->retention_ms / RETENTION_TENTHS : RANGE_MAX_MS;
    return max < RANGE_MAX_MS ? max : RANGE_MAX_MS;
}

/* A block that could not be merged says so, and is not tried for ever. */
static void mark_failed(struct tsdb *db, const struct block_view *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        v[i].b->meta.failed = true;
        (void)block_write_meta(str_c(v[i].b->dir), &v[i].b->meta, NULL);
    }
    (void)db;
}

static bool merge_blocks(struct tsdb *db, const struct block_view *v, size_t n, int64_t now_ms)
{
    ARENA(a, 0);
    struct compact_result made;
    struct diag d = { 0 };
    enum err e = compact_blocks(v, n, str_c(db->dir), now_ms, &made, &d);
    if (e != OK) {
        if (e == ERR_CORRUPT) mark_failed(db, v, n);
        failed(db, "compacting blocks", now_ms, &d);
        return false;
    }
    atomic_fetch_add(&db->upkeep.compactions, 1);
    if (made.name[0]) { /* its parents go with the reload, once it can be read */
        blocks_reload(&db->blocks);
        return true;
    }
    struct str *gone = arena_array(&a, n, sizeof(*gone));
    for (size_t i = 0; i < n; i++) gone[i] = v[i].b->meta.ulid;
    blocks_remove(&db->blocks, gone, n);
    return true;
}

/*
 * Thanos' shipper lists in a file what it has uploaded: blocks of the first level wait for it. Those before the first that
 * waits may be merged.
 * Source: Prometheus docs/command-line/prometheus.md, tsdb/compact.go Plan
 */
static size_t until_not_uploaded(const struct tsdb *db, const struct block_list *l)
{
    ARENA(a, 0);
    struct str text;
    const struct json *v = NULL;
    if (!db->o.delay_compact_file.n) return l->n;
    if (file_read(&a, db->o.delay_compact_file, UPLOADED_MAX, &text, NULL) == OK &&
        json_parse(&a, text, &v, NULL) != OK) {
        v = NULL;
    }
    const struct json *uploaded = json_get(v, "uploaded");
    size_t n = uploaded && uploaded->kind == JSON_ARRAY ? uploaded->n : 0;
    for (size_t i = 0; i < l->n; i++) {
        const struct blockmeta *m = &l->v[i].b->meta;
        bool may = m->level > 1;
        for (size_t k = 0; k < n && !may; k++) {
            may = str_eq(json_str(&uploaded->items[k], STR("")), m->ulid);
        }
        if (!may) return i;
    }
    return l->n;
}

static bool compact_some(struct tsdb *db, int64_t now_ms)
{
    ARENA(a, 0);
    struct block_list *l = blocks_list(&db->blocks);
    struct plan_block *v = arena_array(&a, l->n, sizeof(*v));
    size_t *pick = arena_array(&a, l->n + 1, sizeof(*pick));
    struct block_view *in = arena_array(&a, l->n, sizeof(*in));
    int64_t ranges[PLAN_LEVELS];
    size_t levels = plan_ranges(db->head->range, range_max(db), ranges);
    describe(l, v);
    size_t n = plan_compaction(v, until_not_uploaded(db, l), ranges, levels, pick);
    for (size_t i = 0; i < n; i++) in[i] = l->v[pick[i]];
    bool done = n && merge_blocks(db, in, n, now_ms);
    block_list_unref(l);
    return done;
}

static void apply_retention(struct tsdb *db)
{
    ARENA(a, 0);
    struct block_list *l = blocks_list(&db->blocks);
    struct plan_block *v = arena_array(&a, l->n, sizeof(*v));
    bool *by_time = arena_array(&a, l->n, sizeof(bool)),
         *by_size = arena_array(&a, l->n, sizeof(bool));
    struct str *gone = arena_array(&a, l->n, sizeof(*gone));
    uint64_t used = atomic_load(&db->wal.bytes) + db->files.total;
    size_t n = 0;
    describe(l, v);
    if (plan_retention(v, l->n, db->retention_ms, db->retention_bytes, used, by_time, by_size)) {
        for (size_t i = 0; i < l->n; i++) {
            if (!by_time[i] && !by_size[i]) continue;
            gone[n++] = l->v[i].b->meta.ulid;
            if (by_time[i]) atomic_fetch_add(&db->upkeep.retention_time, 1);
            if (by_size[i]) atomic_fetch_add(&db->upkeep.retention_size, 1);
        }
        blocks_remove(&db->blocks, gone, n);
    }
    block_list_unref(l);
}

/*
 * Step by step
 */

/* True: there may be more to do at once. */
static bool step(struct tsdb *db, int64_t now_ms)
{
    struct upkeep *u = &db->upkeep;
    int64_t mint, maxt;
    if (u->truncating) {
        if (!readers_passed(&db->readers, u->epoch)) return false;
        truncate_head(db);
        u->truncating = false;
        u->checkpoint_due = true;
        return true;
    }
    if (head_is_ripe(db, &mint, &maxt)) {
        return head_to_block(db, mint, maxt, now_ms);
    }
    if (u->checkpoint_due) {
        make_checkpoint(db, now_ms);
        return true;
    }
    apply_retention(db);
    if (atomic_exchange(&db->wal.full, false)) make_room(db);
    return compact_some(db, now_ms);
}

int64_t tsdb_upkeep(struct tsdb *db, int64_t now_ms)
{
    struct upkeep *u = &db->upkeep;
    pthread_mutex_lock(&u->lock);
    bool resting = u->failed_ms != INT64_MIN && now_ms - u->failed_ms < RETRY_MS &&
                   now_ms >= u->failed_ms;
    bool more = !resting && step(db, now_ms);
    bool waits = u->truncating;
    pthread_mutex_unlock(&u->lock);
    return now_ms + (more ? 0 : waits ? AGAIN_MS : CHECK_EVERY_MS);
}
