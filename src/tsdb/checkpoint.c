/* SPDX-License-Identifier: Apache-2.0 */
#include "tsdb/checkpoint.h"

#include "base/bits.h"
#include "base/map.h"
#include "codec/blockfiles.h"
#include "codec/varint.h"
#include "codec/walrec.h"
#include "io/file.h"
#include "tsdb/block.h"
#include "tsdb/dirs.h"
#include "tsdb/wal.h"
#include "tsdb/walread.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BATCH_BYTES = 1 << 20, META_RECORD_BYTES = 256 << 10, TIMES_AT = 9 };

struct making {
    const struct checkpoint_plan *p;
    struct wal out;
    size_t waiting; /* bytes put since the last commit */
    struct buf record, scratch;
    struct arena one;   /* a record's */
    struct arena metas; /* newest metadata of each series */
    struct map64 meta;  /* reference -> struct str: its entry behind the reference */
};

bool checkpoint_last(uint32_t first, uint32_t current, uint32_t *last)
{
    if (current <= first + 1) return false;
    uint32_t full = current - 1; /* the newest that is written no more */
    *last = first + (full - first) * 2 / 3;
    return *last > first;
}

static enum err put(struct making *m, struct str record, struct diag *d)
{
    if (!m->waiting) wal_begin(&m->out);
    wal_put(&m->out, record);
    m->waiting += record.n;
    if (m->waiting < BATCH_BYTES) return OK;
    m->waiting = 0;
    return wal_commit(&m->out, d);
}

static enum err flush(struct making *m, struct diag *d)
{
    if (!m->waiting) return OK;
    m->waiting = 0;
    return wal_commit(&m->out, d);
}

/* The series of a record that are kept, as another record. */
static enum err put_series(struct making *m, struct str record, struct diag *d)
{
    struct str in = str_from(record, 1);
    buf_reset(&m->record);
    walrec_begin_series(&m->record);
    bool any = false;
    while (in.n) {
        uint64_t ref;
        struct walrec_label *labels;
        size_t n;
        struct str from = in;
        arena_reset(&m->one);
        TRY(walrec_read_series(&in, &m->one, &ref, &labels, &n));
        if (!m->p->keep(m->p->ctx, ref)) continue;
        buf_put(&m->record, str_first(from, from.n - in.n));
        any = true;
    }
    return any ? put(m, buf_str(&m->record), d) : OK;
}

/* A record with one sample that is kept is kept whole: the others are read over at the start. */
static enum err put_samples(struct making *m, struct str record, struct diag *d)
{
    struct walrec_samples it;
    struct walrec_sample s;
    TRY(walrec_samples_begin(record, &it));
    enum err e;
    while ((e = walrec_samples_next(&it, &s)) == OK) {
        if (s.t >= m->p->mint) return put(m, record, d);
    }
    return e == ERR_EOF ? OK : e;
}

static enum err put_tombstones(struct making *m, struct str record, struct diag *d)
{
    struct tombstone *v;
    size_t n;
    arena_reset(&m->one);
    TRY(tombstones_read_record(str_from(record, 1), &m->one, &v, &n));
    for (size_t i = 0; i < n; i++) {
        if (v[i].maxt >= m->p->mint) return put(m, record, d);
    }
    return OK;
}

/* Records that begin with a reference and a time: samples of one commit are never hours apart. */
static enum err put_by_first_time(struct making *m, struct str record, struct diag *d)
{
    static const int64_t APART = INT64_C(4) * 3600 * 1000;
    if (record.n < TIMES_AT + 8) return OK;
    int64_t t = (int64_t)load_be64(record.p + TIMES_AT);
    return t >= INT64_MAX - APART || t + APART >= m->p->mint ? put(m, record, d) : OK;
}

/* One entry's parts behind the reference: type, count, and as many names and texts. */
static enum err skip_meta(struct str *in)
{
    uint64_t fields, n;
    if (!in->n) return ERR_CORRUPT;
    *in = str_from(*in, 1);
    if (varint_read_u64(in, &fields) != OK || fields > in->n) return ERR_CORRUPT;
    for (uint64_t i = 0; i < 2 * fields; i++) {
        if (varint_read_u64(in, &n) != OK || n > in->n) return ERR_CORRUPT;
        *in = str_from(*in, n);
    }
    return OK;
}

static enum err note_metadata(struct making *m, struct str record)
{
    struct str in = str_from(record, 1);
    while (in.n) {
        uint64_t ref;
        if (varint_read_u64(&in, &ref) != OK) return ERR_CORRUPT;
        struct str from = in;
        TRY(skip_meta(&in));
        if (!m->p->keep(m->p->ctx, ref)) continue;
        struct str *kept = arena_new(&m->metas, struct str);
        *kept = arena_dup(&m->metas, str_first(from, from.n - in.n));
        (void)map64_put(&m->meta, ref, kept);
    }
    return OK;
}

static enum err put_metadata(struct making *m, struct diag *d)
{
    buf_reset(&m->record);
    MAP_FOR(it, &m->meta) {
        const struct str *entry = it->value;
        if (!m->record.n) buf_char(&m->record, WALREC_METADATA);
        varint_put_u64(&m->record, it->key);
        buf_put(&m->record, *entry);
        if (m->record.n < META_RECORD_BYTES) continue;
        TRY(put(m, buf_str(&m->record), d));
        buf_reset(&m->record);
    }
    return m->record.n ? put(m, buf_str(&m->record), d) : OK;
}

static enum err put_record(struct making *m, struct str record, struct diag *d)
{
    switch (walrec_type(record)) {
    case WALREC_SERIES: return put_series(m, record, d);
    case WALREC_SAMPLES:
    case WALREC_SAMPLES_V2: return put_samples(m, record, d);
    case WALREC_TOMBSTONES: return put_tombstones(m, record, d);
    case WALREC_EXEMPLARS:
    case WALREC_HISTOGRAMS:
    case WALREC_FLOAT_HISTOGRAMS:
    case WALREC_CUSTOM_HISTOGRAMS:
    case WALREC_CUSTOM_FLOAT_HISTOGRAMS: return put_by_first_time(m, record, d);
    case WALREC_METADATA: return note_metadata(m, record);
    case WALREC_MMAP_MARKERS: return OK;
    default: return put(m, record, d); /* a newer writer's: not ours to judge */
    }
}

static enum err put_file(struct making *m, const char *path, bool repaired, struct diag *d)
{
    struct str seg, record;
    enum walpage_packing packing;
    TRY(file_map(path, &seg, d));
    struct walpage_reader r;
    walpage_reader_init(&r, seg);
    enum err e;
    while ((e = walpage_next(&r, &record, &packing)) == OK) {
        struct str plain;
        e = wal_unpack(record, packing, &m->scratch, &plain);
        if (e == OK) e = put_record(m, plain, d);
        if (e != OK) break;
    }
    walpage_reader_done(&r);
    file_unmap(seg);
    if (e == ERR_EOF || (repaired && e != ERR_SYS)) return OK;
    if (e == ERR_SYS) return e;
    return diag_set(d, ERR_CORRUPT, "%s: a record cannot be read", path);
}

/* A checkpoint before it, then the segments. */
static enum err put_all(struct making *m, struct diag *d)
{
    ARENA(a, 0);
    uint64_t *points, *v;
    size_t points_n, n, newest = 0;
    TRY(dir_numbers(&a, m->p->dir, STR("checkpoint."), &points, &points_n, d));
    TRY(dir_numbers(&a, m->p->dir, STR(""), &v, &n, d));
    if (points_n) {
        newest = points[points_n - 1];
        struct str dir = arena_fmt(&a, STR_FMT "/checkpoint.%08u", STR_ARG(m->p->dir),
                                   (unsigned)newest);
        uint64_t *parts;
        size_t parts_n;
        TRY(dir_numbers(&a, dir, STR(""), &parts, &parts_n, d));
        for (size_t i = 0; i < parts_n; i++) {
            struct str path = arena_fmt(&a, STR_FMT "/%08u", STR_ARG(dir), (unsigned)parts[i]);
            TRY(put_file(m, path.p, true, d));
        }
    }
    for (size_t i = 0; i < n && v[i] <= m->p->last; i++) {
        if (points_n && v[i] <= newest) continue;
        struct str path = arena_fmt(&a, STR_FMT "/%08u", STR_ARG(m->p->dir), (unsigned)v[i]);
        TRY(put_file(m, path.p, false, d));
    }
    TRY(put_metadata(m, d));
    return flush(m, d);
}

static void remove_old(const struct checkpoint_plan *p)
{
    ARENA(a, 0);
    uint64_t *v;
    size_t n;
    if (dir_numbers(&a, p->dir, STR(""), &v, &n, NULL) == OK) {
        for (size_t i = 0; i < n && v[i] <= p->last; i++) {
            (void)unlink(arena_fmt(&a, STR_FMT "/%08u", STR_ARG(p->dir), (unsigned)v[i]).p);
        }
    }
    if (dir_numbers(&a, p->dir, STR("checkpoint."), &v, &n, NULL) == OK) {
        for (size_t i = 0; i < n && v[i] < p->last; i++) {
            dir_remove_flat(
                arena_fmt(&a, STR_FMT "/checkpoint.%08u", STR_ARG(p->dir), (unsigned)v[i]));
        }
    }
}

static enum err write_all(const struct checkpoint_plan *p, struct str tmp, struct diag *d)
{
    struct making m = { .p = p, .scratch = { .max = WAL_RECORD_MAX } };
    arena_init(&m.one, 0);
    arena_init(&m.metas, 0);
    wal_init(&m.out, tmp, 0, p->segment_bytes, p->plain);
    m.out.quiet = true;
    enum err e = put_all(&m, d);
    enum err synced = wal_done(&m.out);
    if (e == OK && synced != OK) e = diag_set(d, ERR_SYS, "cannot sync " STR_FMT, STR_ARG(tmp));
    buf_done(&m.record);
    buf_done(&m.scratch);
    map64_done(&m.meta);
    arena_done(&m.one);
    arena_done(&m.metas);
    return e;
}

enum err checkpoint_make(const struct checkpoint_plan *p, struct diag *d)
{
    ARENA(a, 0);
    struct str to = arena_fmt(&a, STR_FMT "/checkpoint.%08u", STR_ARG(p->dir), p->last);
    struct str tmp = arena_fmt(&a, "%s.tmp", to.p);
    if (file_exists(to)) { /* made before, and its segments not yet removed */
        remove_old(p);
        return OK;
    }
    dir_remove_flat(tmp);
    TRY(dir_make(tmp, d));
    enum err e = write_all(p, tmp, d);
    if (e == OK) {
        dir_sync(tmp.p);
        if (rename(tmp.p, to.p) != 0) e = diag_set(d, ERR_SYS, "%s: cannot rename: %m", tmp.p);
    }
    if (e != OK) {
        dir_remove_flat(tmp);
        return e;
    }
    dir_sync(arena_dup(&a, p->dir).p);
    remove_old(p);
    return OK;
}

void checkpoint_sweep(struct str wal_dir)
{
    ARENA(a, 0);
    struct str *names;
    size_t n;
    if (dir_list(&a, wal_dir, &names, &n, NULL) != OK) return;
    for (size_t i = 0; i < n; i++) {
        if (str_starts(names[i], STR("checkpoint.")) && str_ends(names[i], STR(".tmp"))) {
            dir_remove_flat(path_join(&a, wal_dir, names[i]));
        }
    }
}
