/* SPDX-License-Identifier: Apache-2.0 */
/*
 * appender.c - one transaction: staged without the lock, checked again and logged under it, then made visible
 *
 * Source: order of checks: Prometheus tsdb/head_append.go Append, appendable
 */
#include "codec/walrec.h"
#include "tsdb/tsdb_priv.h"

enum { STAGED_MIN = 64, STAGED_FIRST_MAX = 1 << 20, LOG_BLOCK = 512 };

struct tsdb_appender {
    struct appender base;
    struct tsdb *db;
    struct reader_ticket ticket; /* keeps `head` */
    struct head *head;           /* of the slots below */
    struct batch_sample *staged;
    size_t n, cap;
    int64_t min_valid; /* NO_TIME until the head has a sample */
    size_t refused_order, refused_exists, refused_bounds;
};

static int64_t min_valid_for(int64_t newest, int64_t range)
{
    int64_t t;
    return __builtin_sub_overflow(newest, range / 2, &t) ? INT64_MIN : t;
}

static enum err check_labels(struct labels lb, struct diag *d)
{
    if (!lb.n) return diag_set(d, ERR_SYNTAX, "series without labels");
    for (size_t i = 0; i < lb.n; i++) {
        if (!lb.v[i].value.n) {
            return diag_set(d, ERR_SYNTAX, "label " STR_FMT " is empty", STR_ARG(lb.v[i].name));
        }
        int c = i ? str_cmp(lb.v[i - 1].name, lb.v[i].name) : -1;
        if (c == 0) {
            return diag_set(d, ERR_SYNTAX, "label name \"" STR_FMT "\" is not unique",
                            STR_ARG(lb.v[i].name));
        }
        if (c > 0) {
            return diag_set(d, ERR_SYNTAX, "label " STR_FMT " is out of order",
                            STR_ARG(lb.v[i].name));
        }
    }
    return OK;
}

/* Under the lock: from the head that the appender began with to the one that took its place (headgc.h). */
static void follow_head(struct tsdb_appender *ap)
{
    struct head *now = ap->db->head;
    if (LIKELY(ap->head == now)) return;
    size_t n = 0;
    for (size_t i = 0; i < ap->n; i++) {
        struct batch_sample s = ap->staged[i];
        s.slot = head_slot(now, head_ident(ap->head, s.slot)->handle);
        if (s.slot != SLOT_NONE) ap->staged[n++] = s;
    }
    ap->n = n;
    readers_leave(&ap->db->readers, &ap->ticket);
    readers_hold(&ap->db->readers, &ap->ticket);
    ap->head = now;
}

static bool head_room(const struct head *h, uint64_t limit)
{
    return h->cold.n - atomic_load_explicit(&h->dead, memory_order_relaxed) < limit &&
           h->cold.n < PAGED_MAX && h->handles.n < PAGED_MAX;
}

static enum err app_series(struct appender *base, struct labels lb, uint64_t *ref, struct diag *d)
{
    struct tsdb_appender *ap = (struct tsdb_appender *)base;
    struct tsdb *db = ap->db;
    TRY(check_labels(lb, d));
    pthread_mutex_lock(&db->lock);
    follow_head(ap);
    uint64_t limit = db->o.head_limit ? db->o.head_limit : PAGED_MAX;
    uint32_t slot = head_find(db->head, lb);
    if (slot == SLOT_NONE && head_room(db->head, limit)) slot = head_create(db->head, lb);
    if (slot != SLOT_NONE) *ref = head_ident(db->head, slot)->handle;
    pthread_mutex_unlock(&db->lock);
    if (slot == SLOT_NONE) {
        return diag_set(d, ERR_LIMIT, "the store holds %llu series, its limit",
                        (unsigned long long)limit);
    }
    return OK;
}

/* Against a newest sample. OK with *same: nothing to do. */
static enum err check_order(int64_t newest, uint64_t newest_v, int64_t t, uint64_t v, bool *same)
{
    *same = false;
    if (LIKELY(t > newest)) return OK;
    if (t < newest) return ERR_RANGE;
    *same = v == newest_v;
    return *same ? OK : ERR_EXISTS;
}

static void stage(struct tsdb_appender *ap, uint32_t slot, int64_t t, uint64_t v)
{
    if (ap->n == ap->cap) {
        size_t lately = atomic_load_explicit(&ap->db->staged_lately, memory_order_relaxed);
        size_t first = lately < STAGED_FIRST_MAX ? lately + STAGED_MIN : STAGED_FIRST_MAX;
        ap->cap = ap->cap ? ap->cap * 2 : first;
        ap->staged = realloc(ap->staged, ap->cap * sizeof(*ap->staged));
        ASSERT(ap->staged != NULL);
    }
    ap->staged[ap->n++] = (struct batch_sample){ slot, t, v };
}

static enum err count_refusal(struct tsdb_appender *ap, enum err e)
{
    ap->refused_order += e == ERR_RANGE;
    ap->refused_exists += e == ERR_EXISTS;
    ap->refused_bounds += e == ERR_LIMIT;
    return e;
}

static enum err app_add(struct appender *base, uint64_t ref, int64_t t, double v)
{
    struct tsdb_appender *ap = (struct tsdb_appender *)base;
    struct head *h = ap->head;
    uint32_t slot = head_slot(h, ref);
    if (slot == SLOT_NONE) return ERR_MISSING;
    if (ap->min_valid == NO_TIME) ap->min_valid = min_valid_for(t, h->range);
    if (t < ap->min_valid || t == NO_TIME) return count_refusal(ap, ERR_LIMIT);
    const struct hot *line = head_hot(h, slot);
    if (LIKELY(t > atomic_load_explicit(&line->t, memory_order_acquire))) {
        stage(ap, slot, t, bits_of_double(v));
        return OK;
    }
    struct open_copy now;
    uint32_t seq;
    do {
        seq = open_read_begin(line);
        open_copy(line, &h->segments, false, &now);
    } while (open_read_again(line, seq));
    bool same;
    enum err e = check_order(now.t, now.v, t, bits_of_double(v), &same);
    if (e != OK) return count_refusal(ap, e);
    if (!same) stage(ap, slot, t, bits_of_double(v));
    return OK;
}

/*
 * Commit
 */

/* A series that had left the log: it gets another reference, and a record. */
static void come_back(struct tsdb *db, uint32_t slot, struct ident *id)
{
    id->ref = ++db->head->last_ref;
    atomic_fetch_sub_explicit(&db->head->dead, 1, memory_order_relaxed);
    if (db->again.n == db->again.cap) {
        db->again.cap = db->again.cap ? db->again.cap * 2 : 64;
        db->again.v = realloc(db->again.v, db->again.cap * sizeof(*db->again.v));
        ASSERT(db->again.v != NULL);
    }
    db->again.v[db->again.n++] = slot;
}

/*
 * What of the batch may be appended now: others may have committed since it was staged, and a series may be in it
 * twice. ident.mark says where in the accepted list the series was last; it is believed only when that place is in
 * the list and says the same, so that it needs no clearing. The accepted move to the front of the staged.
 */
static size_t accept(struct tsdb *db, struct tsdb_appender *ap, struct append_result *res)
{
    struct batch_sample *kept = ap->staged;
    int64_t min_valid = db->min_valid;
    size_t n = 0;
    for (size_t i = 0; i < ap->n; i++) {
        struct batch_sample s = ap->staged[i];
        if (i + 8 < ap->n) __builtin_prefetch(head_hot(db->head, ap->staged[i + 8].slot));
        struct ident *id = head_ident(db->head, s.slot);
        const struct hot *line = head_hot(db->head, s.slot);
        int64_t newest = atomic_load_explicit(&line->t, memory_order_relaxed);
        uint64_t newest_v = atomic_load_explicit(&line->v, memory_order_relaxed);
        if (id->mark < n && kept[id->mark].slot == s.slot) {
            newest = kept[id->mark].t;
            newest_v = kept[id->mark].v;
        }
        bool same = false;
        enum err e = s.t < min_valid ? ERR_LIMIT : check_order(newest, newest_v, s.t, s.v, &same);
        if (e == ERR_LIMIT) res->out_of_bounds++;
        if (e == ERR_RANGE) res->out_of_order++;
        if (e == ERR_EXISTS) res->duplicate++;
        if (e != OK || same) continue;
        if (UNLIKELY(!id->ref)) come_back(db, s.slot, id);
        id->mark = (uint32_t)n;
        kept[n++] = s;
    }
    return n;
}

static void log_record(struct tsdb *db)
{
    wal_put(&db->wal, buf_str(&db->record));
    buf_reset(&db->record);
}

static void log_one_series(struct tsdb *db, uint32_t slot)
{
    const struct cold *c = head_cold(db->head, slot);
    uint64_t ref = head_ident(db->head, slot)->ref;
    if (!ref) return; /* born and forgotten between two commits */
    if (!db->record.n) walrec_begin_series(&db->record);
    walrec_put_series(&db->record, ref, c->shape->n);
    for (uint32_t i = 0; i < c->shape->n; i++) {
        walrec_put_label(&db->record, symbols_get(&db->head->symbols, c->shape->names[i]),
                         symbols_get(&db->head->symbols, c->values[i]));
    }
    if (db->record.n >= RECORD_BYTES) log_record(db);
}

/* Series that no record names yet, whoever created them: their samples may come from any appender. */
static void log_series(struct tsdb *db)
{
    uint32_t n = db->head->cold.n;
    buf_reset(&db->record);
    for (size_t i = 0; i < db->again.n; i++) log_one_series(db, db->again.v[i]);
    for (uint32_t slot = db->logged; slot < n; slot++) log_one_series(db, slot);
    if (db->record.n) log_record(db);
}

static void log_samples(struct tsdb *db, const struct batch_sample *v, size_t n)
{
    struct walrec_sample block[LOG_BLOCK];
    size_t in_record = 0;
    buf_reset(&db->record);
    for (size_t i = 0; i < n;) {
        size_t k = 0;
        for (; k < LOG_BLOCK && i < n; k++, i++) {
            uint64_t ref = head_ident(db->head, v[i].slot)->ref;
            block[k] = (struct walrec_sample){ ref, v[i].t, v[i].v };
        }
        walrec_put_samples(&db->record, block, k);
        in_record += k;
        if (in_record < RECORD_SAMPLES && i < n) continue;
        log_record(db);
        in_record = 0;
    }
}

static enum err log_batch(struct tsdb *db, const struct batch_sample *v, size_t n, struct diag *d)
{
    wal_begin(&db->wal);
    log_series(db);
    log_samples(db, v, n);
    TRY(wal_commit(&db->wal, d));
    db->logged = db->head->cold.n;
    db->again.n = 0;
    if (db->record.cap > RECORD_KEEP) buf_done(&db->record);
    return OK;
}

static void apply(struct tsdb *db, const struct batch_sample *v, size_t n)
{
    struct head *h = db->head;
    uint64_t commit = atomic_load_explicit(&db->commits, memory_order_relaxed) + 1;
    uint64_t oldest = readers_oldest(&db->readers);
    int64_t low = INT64_MAX, high = INT64_MIN;
    history_trim(&h->history, oldest);
    for (size_t i = 0; i < n; i++) {
        const struct batch_sample *s = &v[i];
        if (i + 16 < n) __builtin_prefetch(head_hot(h, v[i + 16].slot), 1);
        if (i + 8 < n) open_prefetch(head_hot(h, v[i + 8].slot), &h->segments);
        head_append(h, s->slot, s->t, s->v, commit, oldest);
        if (s->t < low) low = s->t;
        if (s->t > high) high = s->t;
    }
    tsdb_note_time(db, low);
    tsdb_note_time(db, high);
    atomic_store_explicit(&db->commits, commit, memory_order_release);
}

static void appender_free(struct tsdb_appender *ap)
{
    atomic_fetch_sub_explicit(&ap->db->n.appenders, 1, memory_order_relaxed);
    readers_leave(&ap->db->readers, &ap->ticket);
    free(ap->staged);
    free(ap);
}

static enum err commit_locked(struct tsdb *db, struct tsdb_appender *ap, struct append_result *res,
                              struct diag *d)
{
    follow_head(ap);
    size_t n = accept(db, ap, res);
    if (n || db->again.n || db->logged < db->head->cold.n) TRY(log_batch(db, ap->staged, n, d));
    if (n) apply(db, ap->staged, n);
    atomic_store_explicit(&db->staged_lately, ap->n, memory_order_relaxed);
    res->added = n;
    if (db->head->blob_bytes > BLOB_BYTES_WAITING && db->head->blob_bytes > db->blobs_retry) {
        (void)tsdb_store_chunks(db); /* they stay in memory; tick says why */
    }
    return OK;
}

static enum err app_commit(struct appender *base, struct append_result *res, struct diag *d)
{
    struct tsdb_appender *ap = (struct tsdb_appender *)base;
    struct tsdb *db = ap->db;
    struct append_result r = {
        .out_of_order = ap->refused_order,
        .duplicate = ap->refused_exists,
        .out_of_bounds = ap->refused_bounds,
    };
    pthread_mutex_lock(&db->lock);
    enum err e = commit_locked(db, ap, &r, d);
    pthread_mutex_unlock(&db->lock);
    atomic_fetch_add_explicit(&db->n.appended, r.added, memory_order_relaxed);
    atomic_fetch_add_explicit(&db->n.out_of_order, r.out_of_order, memory_order_relaxed);
    atomic_fetch_add_explicit(&db->n.out_of_bound, r.out_of_bounds, memory_order_relaxed);
    appender_free(ap);
    if (e == OK && res) *res = r;
    return e;
}

static void app_rollback(struct appender *base) { appender_free((struct tsdb_appender *)base); }

static const struct appender_ops APPENDER_OPS = {
    .series = app_series,
    .add = app_add,
    .commit = app_commit,
    .rollback = app_rollback,
};

static struct appender *app_open(struct appendable *aa)
{
    struct tsdb *db = CONTAINER_OF(aa, struct tsdb, aa);
    struct tsdb_appender *ap = calloc(1, sizeof(*ap));
    ASSERT(ap != NULL);
    ap->base.ops = &APPENDER_OPS;
    ap->db = db;
    readers_hold(&db->readers, &ap->ticket);
    ap->head = db->head;
    int64_t newest = atomic_load_explicit(&ap->head->max_t, memory_order_acquire);
    int64_t least = atomic_load_explicit(&db->min_valid, memory_order_acquire);
    ap->min_valid = newest == INT64_MIN ? least : min_valid_for(newest, ap->head->range);
    if (ap->min_valid < least) ap->min_valid = least;
    atomic_fetch_add_explicit(&db->n.appenders, 1, memory_order_relaxed);
    return &ap->base;
}

const struct appendable_ops tsdb_appendable_ops = { .open = app_open };
