/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay.c - the head as it was: chunks_head/ first, then the newest checkpoint, then the segments behind it
 *
 * A full chunk belongs to the series whose record has its reference; samples of the log that it holds are read over.
 * The same labels may have several references (a series that was dropped and came again): all lead to one slot.
 * Damage ends the log: the segment is cut at its last whole record and later segments are removed, as Prometheus does,
 * because what follows may need series that are lost.
 * Source: Prometheus tsdb/head.go Init, tsdb/head_wal.go loadWAL, tsdb/db.go Open (repair)
 */
#include "codec/walpage.h"
#include "codec/walrec.h"
#include "io/clock.h"
#include "io/file.h"
#include "tsdb/checkpoint.h"
#include "tsdb/dirs.h"
#include "tsdb/tsdb_priv.h"
#include "tsdb/walread.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum {
    DENSE_SLACK = 1 << 16, /* references this far ahead of the series' count stay in the array */
    BLOBS_IN_REPLAY = 4 << 20,
    SCRATCH_ARENA = 1 << 20,
};

/* A chunk of chunks_head/ that waits for its series. */
struct found_chunk {
    struct found_chunk *next;
    uint64_t chunk;
    int64_t mint, maxt;
};

struct found_list {
    struct found_chunk *first, *last;
};

struct replay {
    struct tsdb *db;
    struct arena found;  /* until the end */
    struct arena one;    /* until the record's end */
    struct map64 chunks; /* reference -> struct found_list */
    uint32_t *dense;     /* reference -> slot + 1; references are mostly small and without gaps */
    size_t dense_cap;
    struct map64 sparse; /* the others */
    struct buf record;
    uint64_t unknown, skipped, chunks_lost;
    bool no_store; /* chunks_head cannot be written now */
};

/*
 * Reports
 */

static void say(struct tsdb *db, struct str file, uint64_t offset, uint64_t dropped,
                const char *text)
{
    struct tsdb_report r = { file, offset, dropped, text };
    if (db->o.report) db->o.report(db->o.ctx, &r);
}

static void PRINTF(5, 6)
    sayf(struct tsdb *db, const char *file, uint64_t offset, uint64_t dropped, const char *fmt, ...)
{
    char text[240];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    say(db, str_c(file), offset, dropped, text);
}

/*
 * chunks_head
 */

static void on_found(void *ctx, uint64_t chunk, const struct chunkfile_entry *e)
{
    struct replay *r = ctx;
    if (e->ref > r->db->head->last_ref) r->db->head->last_ref = e->ref;
    if (e->encoding != CHUNK_ENCODE_XOR) {
        r->skipped++;
        return;
    }
    struct found_list *list = map64_get(&r->chunks, e->ref);
    if (!list) {
        list = arena_new(&r->found, struct found_list);
        (void)map64_put(&r->chunks, e->ref, list);
    }
    struct found_chunk *f = arena_new(&r->found, struct found_chunk);
    *f = (struct found_chunk){ NULL, chunk, e->mint, e->maxt };
    if (list->last) {
        list->last->next = f;
    } else {
        list->first = f;
    }
    list->last = f;
}

static void on_chunk_report(void *ctx, const struct tsdb_report *rep)
{
    struct replay *r = ctx;
    atomic_fetch_add(&r->db->n.chunk_corruptions, 1);
    if (r->db->o.report) r->db->o.report(r->db->o.ctx, rep);
}

/* A chunk that is not later than what the series has comes again from the log. */
static void attach_chunks(struct replay *r, uint64_t ref, uint32_t slot)
{
    struct found_list *list = map64_del(&r->chunks, ref);
    if (!list) return;
    struct head *h = r->db->head;
    const struct hot *line = head_hot(h, slot);
    for (struct found_chunk *f = list->first; f; f = f->next) {
        if (f->maxt < r->db->min_valid) continue; /* a block has it */
        if (open_count(line) || f->mint <= atomic_load(&line->t)) {
            r->chunks_lost++;
        } else {
            head_add_chunk(h, slot, f->chunk, f->mint, f->maxt);
        }
    }
}

/*
 * Records
 */

static void ref_put(struct replay *r, uint64_t ref, uint32_t slot)
{
    if (ref >= (uint64_t)r->db->head->cold.n * 4 + DENSE_SLACK) {
        (void)map64_put(&r->sparse, ref, (void *)(uintptr_t)(slot + UINT64_C(1)));
        return;
    }
    if (ref >= r->dense_cap) {
        size_t cap = (size_t)ref * 2 + DENSE_SLACK;
        r->dense = realloc(r->dense, cap * sizeof(*r->dense));
        ASSERT(r->dense != NULL);
        memset(r->dense + r->dense_cap, 0, (cap - r->dense_cap) * sizeof(*r->dense));
        r->dense_cap = cap;
    }
    r->dense[ref] = slot + 1;
}

static uint32_t ref_get(const struct replay *r, uint64_t ref)
{
    uint64_t found = ref < r->dense_cap ? r->dense[ref] : 0;
    if (!found) found = (uintptr_t)map64_get(&r->sparse, ref);
    return found ? (uint32_t)(found - 1) : SLOT_NONE;
}

static bool in_order(const struct label *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!v[i].value.n || (i && str_cmp(v[i - 1].name, v[i].name) >= 0)) return false;
    }
    return true;
}

static void add_series(struct replay *r, uint64_t ref, const struct walrec_label *from, size_t n)
{
    struct head *h = r->db->head;
    struct label *v = arena_array(&r->one, n, sizeof(*v));
    for (size_t i = 0; i < n; i++) v[i] = (struct label){ from[i].name, from[i].value };
    struct labels lb = { v, n };
    if (!in_order(v, n)) lb = labels_from(v, n);
    if (!lb.n) return;
    uint32_t slot = head_find(h, lb);
    if (slot == SLOT_NONE) {
        uint64_t last = h->last_ref;
        slot = head_create(h, lb);
        head_ident(h, slot)->ref = ref;
        h->last_ref = last;
    }
    /* Samples behind the next checkpoint may still name a second reference. */
    if (head_ident(h, slot)->ref != ref) upkeep_note_gone(&r->db->upkeep, ref, UINT32_MAX);
    if (ref > h->last_ref) h->last_ref = ref;
    ref_put(r, ref, slot);
    attach_chunks(r, ref, slot);
}

static enum err replay_series(struct replay *r, struct str record)
{
    struct str in = str_from(record, 1);
    while (in.n) {
        uint64_t ref;
        struct walrec_label *labels;
        size_t n;
        arena_reset(&r->one);
        TRY(walrec_read_series(&in, &r->one, &ref, &labels, &n));
        add_series(r, ref, labels, n);
    }
    return OK;
}

static enum err replay_tombstones(struct replay *r, struct str record)
{
    struct tombstone *v;
    size_t n;
    arena_reset(&r->one);
    TRY(tombstones_read_record(str_from(record, 1), &r->one, &v, &n));
    for (size_t i = 0; i < n; i++) {
        uint32_t slot = ref_get(r, v[i].series);
        if (slot == SLOT_NONE || v[i].maxt < r->db->min_valid) continue;
        tombs_add(r->db->head_tombs, head_ident(r->db->head, slot)->ref,
                  (struct interval){ v[i].mint, v[i].maxt });
    }
    return OK;
}

static void store_waiting(struct replay *r)
{
    if (r->no_store || r->db->head->blob_bytes < BLOBS_IN_REPLAY) return;
    r->no_store = tsdb_store_chunks(r->db) != OK;
}

static enum err replay_samples(struct replay *r, struct str record)
{
    struct head *h = r->db->head;
    struct walrec_samples it;
    struct walrec_sample s;
    TRY(walrec_samples_begin(record, &it));
    int64_t low = INT64_MAX, high = INT64_MIN, min_valid = r->db->min_valid;
    enum err e;
    while ((e = walrec_samples_next(&it, &s)) == OK) {
        if (s.t < min_valid) continue;
        uint32_t slot = ref_get(r, s.ref);
        if (slot == SLOT_NONE) {
            r->unknown++;
            continue;
        }
        if (s.t <= atomic_load_explicit(&head_hot(h, slot)->t, memory_order_relaxed)) continue;
        head_append(h, slot, s.t, s.v, 0, UINT64_MAX);
        if (s.t < low) low = s.t;
        if (s.t > high) high = s.t;
    }
    if (low <= high) {
        tsdb_note_time(r->db, low);
        tsdb_note_time(r->db, high);
    }
    store_waiting(r);
    return e == ERR_EOF ? OK : e;
}

static enum err replay_record(struct replay *r, struct str packed, enum walpage_packing packing)
{
    struct str record;
    TRY(wal_unpack(packed, packing, &r->record, &record));
    switch (walrec_type(record)) {
    case WALREC_SERIES: return replay_series(r, record);
    case WALREC_SAMPLES:
    case WALREC_SAMPLES_V2: return replay_samples(r, record);
    case WALREC_TOMBSTONES: return replay_tombstones(r, record);
    case WALREC_HISTOGRAMS:
    case WALREC_FLOAT_HISTOGRAMS:
    case WALREC_CUSTOM_HISTOGRAMS:
    case WALREC_CUSTOM_FLOAT_HISTOGRAMS: r->skipped++; return OK;
    default: return OK; /* a newer writer's: skipped, as Prometheus skips what it does not know */
    }
}

/*
 * Files
 */

/* Records up to the end or to the first damage; *good is where the last whole, sensible record ends. */
static enum err replay_segment(struct replay *r, struct str seg, size_t *good)
{
    struct walpage_reader reader;
    walpage_reader_init(&reader, seg);
    *good = 0;
    struct str record;
    enum walpage_packing packing;
    enum err e;
    while ((e = walpage_next(&reader, &record, &packing)) == OK) {
        e = replay_record(r, record, packing);
        if (e != OK) break;
        *good = reader.good;
    }
    walpage_reader_done(&reader);
    return e == ERR_EOF ? OK : e;
}

static void path_of(char *to, const struct tsdb *db, const char *name)
{
    (void)snprintf(to, FILE_PATH_MAX, "%s/%s", db->dir, name);
}

/* *damage: where the file's last whole record ends, when it was not read to its end. */
static enum err replay_file(struct replay *r, const char *name, enum err *damage, size_t *good,
                            size_t *size)
{
    char path[FILE_PATH_MAX];
    struct str seg;
    struct diag d;
    path_of(path, r->db, name);
    if (file_map(path, &seg, &d) != OK) {
        sayf(r->db, name, 0, 0, "%s", d.text);
        *damage = ERR_SYS;
        *good = *size = 0;
        return OK;
    }
    *size = seg.n;
    *damage = replay_segment(r, seg, good);
    file_unmap(seg);
    return OK;
}

static const char *reason(enum err e) { return e == ERR_SHORT ? "torn record" : "damaged record"; }

/* A checkpoint cannot be cut: what can be read of it is used, and what follows it too. */
static enum err replay_checkpoint(struct replay *r, uint64_t number)
{
    char name[64], file[96], path[FILE_PATH_MAX];
    (void)snprintf(name, sizeof(name), "wal/checkpoint.%08u", (unsigned)number);
    path_of(path, r->db, name);
    ARENA(a, 0);
    uint64_t *v;
    size_t n, good, size;
    TRY(dir_numbers(&a, str_c(path), STR(""), &v, &n, NULL));
    for (size_t i = 0; i < n; i++) {
        enum err damage;
        (void)snprintf(file, sizeof(file), "%s/%08u", name, (unsigned)v[i]);
        TRY(replay_file(r, file, &damage, &good, &size));
        if (damage == OK) continue;
        atomic_fetch_add(&r->db->n.corruptions, 1);
        sayf(r->db, file, good, size - good,
             "%s: %s at offset %zu; the rest of this file is not read", file, reason(damage), good);
    }
    return OK;
}

static void cut_segment(struct replay *r, const char *name, enum err damage, size_t good,
                        size_t size)
{
    char path[FILE_PATH_MAX];
    path_of(path, r->db, name);
    atomic_fetch_add(&r->db->n.corruptions, 1);
    bool cut = truncate(path, (off_t)good) == 0;
    sayf(r->db, name, good, size - good, "%s: %s at offset %zu; %s (%zu bytes)", name,
         reason(damage), good, cut ? "cut there" : "could not be cut", size - good);
}

static void remove_segments(struct replay *r, const uint64_t *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char name[64], path[FILE_PATH_MAX];
        (void)snprintf(name, sizeof(name), "wal/%08u", (unsigned)v[i]);
        path_of(path, r->db, name);
        (void)unlink(path);
        sayf(r->db, name, 0, 0, "%s: removed, it follows a damaged segment", name);
    }
}

/* *next: the number of the segment to write. */
static enum err replay_segments(struct replay *r, const uint64_t *v, size_t n, uint32_t *next)
{
    for (size_t i = 0; i < n; i++) {
        char name[64];
        enum err damage;
        size_t good, size;
        (void)snprintf(name, sizeof(name), "wal/%08u", (unsigned)v[i]);
        if (i && v[i] != v[i - 1] + 1) {
            sayf(r->db, name, 0, 0, "%s: segments before it are missing", name);
        }
        TRY(replay_file(r, name, &damage, &good, &size));
        *next = (uint32_t)v[i] + 1;
        if (r->db->o.progress) {
            r->db->o.progress(r->db->o.ctx, (unsigned)v[0], (unsigned)v[n - 1], (unsigned)v[i]);
        }
        if (damage == OK || damage == ERR_SYS) continue;
        cut_segment(r, name, damage, good, size);
        remove_segments(r, v + i + 1, n - i - 1);
        return OK;
    }
    return OK;
}

static enum err replay_wal(struct replay *r, uint32_t *next, struct diag *d)
{
    char path[FILE_PATH_MAX];
    path_of(path, r->db, "wal");
    TRY(dir_make(str_c(path), d));
    checkpoint_sweep(str_c(path));
    ARENA(a, 0);
    uint64_t *points, *v;
    size_t points_n, n, first = 0;
    TRY(dir_numbers(&a, str_c(path), STR("checkpoint."), &points, &points_n, d));
    TRY(dir_numbers(&a, str_c(path), STR(""), &v, &n, d));
    *next = 0;
    if (points_n) {
        uint64_t newest = points[points_n - 1];
        TRY(replay_checkpoint(r, newest));
        while (first < n && v[first] <= newest) first++;
        *next = (uint32_t)newest + 1;
    }
    return replay_segments(r, v + first, n - first, next);
}

/*
 * The end
 */

/* A series whose newest sample is in a full chunk: its line needs the value, for queries and for repeats. */
static void fill_newest_value(struct tsdb *db, uint32_t slot, struct column *c)
{
    struct hot *line = head_hot(db->head, slot);
    const struct cold *cold = head_cold(db->head, slot);
    uint32_t n = atomic_load(&cold->full_n);
    if (open_count(line) || !n) return;
    uint64_t ref = atomic_load(&atomic_load(&cold->full)[n - 1].ref);
    struct str data;
    if (ref & CHUNK_IN_MEMORY || chunkfiles_read(&db->files, ref, &data) != OK) return;
    size_t count = xor_count(data);
    if (count > c->cap) column_reserve(c, count);
    if (!count || xor_decode(data, c->t, c->v) != OK) return;
    atomic_store(&line->v, bits_of_double(c->v[count - 1]));
}

static void report_end(struct replay *r)
{
    if (r->unknown) {
        sayf(r->db, "wal", 0, 0, "wal: %llu samples of series that no record names were skipped",
             (unsigned long long)r->unknown);
    }
    if (r->skipped) {
        sayf(r->db, "wal", 0, 0,
             "native histograms are not read yet: %llu records and chunks were skipped",
             (unsigned long long)r->skipped);
    }
}

static void finish(struct replay *r, uint32_t next)
{
    struct tsdb *db = r->db;
    struct column c = { 0 };
    for (uint32_t slot = 0; slot < db->head->cold.n; slot++) fill_newest_value(db, slot, &c);
    column_done(&c);
    db->logged = db->head->cold.n;
    upkeep_settle_gone(&db->upkeep, next);
    char path[FILE_PATH_MAX];
    path_of(path, db, "wal");
    wal_init(&db->wal, str_c(path), next, db->o.segment_bytes, db->o.no_wal_compression);
    report_end(r);
}

static void replay_done(struct replay *r)
{
    arena_done(&r->found);
    arena_done(&r->one);
    map64_done(&r->chunks);
    map64_done(&r->sparse);
    free(r->dense);
    buf_done(&r->record);
}

enum err tsdb_replay(struct tsdb *db, struct diag *d)
{
    int64_t began = clock_mono_ns();
    struct replay r = { .db = db, .record = { .max = WAL_RECORD_MAX } };
    arena_init(&r.found, 0);
    arena_init(&r.one, SCRATCH_ARENA);
    char path[FILE_PATH_MAX];
    path_of(path, db, "chunks_head");
    struct chunkfiles_scan scan = { on_found, on_chunk_report, &r };
    uint32_t next = 0;
    enum err e = chunkfiles_open(&db->files, str_c(path), &scan, d);
    if (e == OK) e = replay_wal(&r, &next, d);
    if (e == OK) finish(&r, next);
    replay_done(&r);
    db->replay_ns = (uint64_t)(clock_mono_ns() - began);
    return e;
}
