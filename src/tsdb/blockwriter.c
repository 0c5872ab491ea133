/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blockwriter.c - a block, series by series
 *
 * The index is written in one pass: symbols are known first, a series' chunks are in their segment before its entry is
 * written, and of each series the numbers of its pairs are kept (4 bytes a label), from which the postings are counted
 * out at the end.
 */
#include "base/assert.h"
#include "base/bits.h"
#include "codec/crc32c.h"
#include "codec/varint.h"
#include "io/file.h"
#include "tsdb/block.h"
#include "tsdb/dirs.h"
#include "tsdb/outfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SERIES_ALIGN = 16, POSTINGS_ALIGN = 4 };

struct pair {
    uint64_t key; /* symbols: name << 32 | value */
    uint32_t n;   /* series that have it */
    uint32_t at;  /* of its postings in ids[] */
};

struct numbers {
    uint32_t *v;
    size_t n, cap;
};

struct block_writer {
    char *parent, *dir; /* the latter with its suffix */
    char ulid[ULID_CHARS + 1];
    uint64_t segment_bytes;
    struct outfile index, chunks;
    uint32_t segment; /* number of the one being written; 0 before the first */
    struct blockindex_toc toc;
    struct buf scratch;
    struct map symbols; /* text -> number + 1 */
    const struct str *symbol;
    size_t symbols_n;
    struct map64 pair_of; /* key -> index + 1 */
    struct pair *pairs;
    size_t pairs_n, pairs_cap;
    struct numbers of_series; /* pairs of all series, one behind the other */
    struct numbers ends;      /* where each one's end there */
    struct numbers ids;       /* number in the index */
    struct arena one;         /* for a series */
    struct blockmeta m;       /* stats */
    int64_t mint, maxt;       /* of all chunks, inclusive */
    uint64_t last_ref;
};

static void push(struct numbers *l, uint32_t x)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 1024;
        l->v = realloc(l->v, l->cap * sizeof(*l->v));
        ASSERT(l->v != NULL);
    }
    l->v[l->n++] = x;
}

static void writer_free(struct block_writer *w)
{
    outfile_abort(&w->index);
    outfile_abort(&w->chunks);
    buf_done(&w->scratch);
    map_done(&w->symbols);
    map64_done(&w->pair_of);
    free(w->pairs);
    free(w->of_series.v);
    free(w->ends.v);
    free(w->ids.v);
    arena_done(&w->one);
    free(w->parent);
    free(w->dir);
    free(w);
}

void block_writer_abort(struct block_writer *w)
{
    if (!w) return;
    outfile_abort(&w->index);
    outfile_abort(&w->chunks);
    block_remove_tree(w->dir);
    writer_free(w);
}

static enum err make_dirs(struct block_writer *w, struct diag *d)
{
    ARENA(a, 0);
    block_remove_tree(w->dir); /* a run before may have left half of it */
    TRY(dir_make(path_join(&a, str_c(w->dir), STR("chunks")), d));
    return outfile_open(&w->index, path_join(&a, str_c(w->dir), STR("index")).p, d);
}

enum err block_writer_new(struct str dir, const char *ulid, uint64_t segment_bytes,
                          struct block_writer **out, struct diag *d)
{
    struct block_writer *w = calloc(1, sizeof(*w));
    ASSERT(w != NULL);
    ARENA(a, 0);
    arena_init(&w->one, 0);
    w->index.fd = w->chunks.fd = -1;
    w->segment_bytes = segment_bytes ? segment_bytes : BLOCKCHUNKS_MAX;
    w->mint = INT64_MAX;
    w->maxt = INT64_MIN;
    (void)snprintf(w->ulid, sizeof(w->ulid), "%s", ulid);
    w->parent = strndup(dir.p, dir.n);
    w->dir = strdup(arena_fmt(&a, STR_FMT "/%s" BLOCK_CREATING, STR_ARG(dir), ulid).p);
    ASSERT(w->parent != NULL && w->dir != NULL);
    enum err e = make_dirs(w, d);
    if (e != OK) {
        block_writer_abort(w);
        return e;
    }
    blockindex_put_header(&w->index.b);
    *out = w;
    return OK;
}

uint64_t block_writer_count(const struct block_writer *w) { return w->m.stats.series; }

/*
 * Symbols
 */

static size_t varint_bytes(uint64_t v)
{
    size_t n = 1;
    for (; v >= 0x80; v >>= 7) n++;
    return n;
}

enum err block_writer_symbols(struct block_writer *w, const struct str *v, size_t n, struct diag *d)
{
    uint64_t bytes = 4;
    for (size_t i = 0; i < n; i++) bytes += varint_bytes(v[i].n) + v[i].n;
    if (bytes > UINT32_MAX || n >= UINT32_MAX) {
        return diag_set(d, ERR_LIMIT, "a block cannot hold that many label values");
    }
    w->toc.symbols = outfile_at(&w->index);
    buf_be32(&w->index.b, (uint32_t)bytes);
    char count[4];
    store_be32(count, (uint32_t)n);
    uint32_t crc = crc32c(0, str_make(count, sizeof(count)));
    buf_put(&w->index.b, str_make(count, sizeof(count)));
    for (size_t i = 0; i < n; i++) {
        size_t from = w->index.b.n;
        varint_put_u64(&w->index.b, v[i].n);
        buf_put(&w->index.b, v[i]);
        crc = crc32c(crc, str_from(buf_str(&w->index.b), from));
        outfile_step(&w->index);
        (void)map_put(&w->symbols, v[i], (void *)(uintptr_t)(i + 1));
    }
    buf_be32(&w->index.b, crc);
    w->symbol = v;
    w->symbols_n = n;
    outfile_align(&w->index, SERIES_ALIGN);
    w->toc.series = outfile_at(&w->index);
    return w->index.failed == OK ? OK : diag_set(d, ERR_SYS, "%s: cannot write", w->index.path);
}

static uint32_t symbol_of(const struct block_writer *w, struct str s)
{
    uintptr_t at = (uintptr_t)map_get(&w->symbols, s);
    ASSERT(at != 0); /* the caller named them all */
    return (uint32_t)(at - 1);
}

/*
 * Series
 */

static void note_pair(struct block_writer *w, uint32_t name, uint32_t value)
{
    uint64_t key = (uint64_t)name << 32 | value;
    uintptr_t at = (uintptr_t)map64_get(&w->pair_of, key);
    if (!at) {
        if (w->pairs_n == w->pairs_cap) {
            w->pairs_cap = w->pairs_cap ? w->pairs_cap * 2 : 1024;
            w->pairs = realloc(w->pairs, w->pairs_cap * sizeof(*w->pairs));
            ASSERT(w->pairs != NULL);
        }
        w->pairs[w->pairs_n++] = (struct pair){ .key = key };
        at = w->pairs_n;
        (void)map64_put(&w->pair_of, key, (void *)at);
    }
    w->pairs[at - 1].n++;
    push(&w->of_series, (uint32_t)(at - 1));
}

static enum err next_segment(struct block_writer *w, struct diag *d)
{
    ARENA(a, 0);
    if (w->segment) TRY(outfile_close(&w->chunks, d));
    struct str path = arena_fmt(&a, "%s/chunks/%06u", w->dir, w->segment + 1);
    TRY(outfile_open(&w->chunks, path.p, d));
    w->segment++;
    blockchunks_put_header(&w->chunks.b);
    return OK;
}

static enum err put_chunk(struct block_writer *w, const struct block_chunk *c, uint64_t *ref,
                          struct diag *d)
{
    if (!w->segment ||
        outfile_at(&w->chunks) + c->data.n + BLOCKCHUNK_OVERHEAD_MAX > w->segment_bytes) {
        TRY(next_segment(w, d));
    }
    *ref = (uint64_t)(w->segment - 1) << 32 | outfile_at(&w->chunks);
    blockchunks_put(&w->chunks.b, c->encoding, c->data);
    outfile_step(&w->chunks);
    uint64_t samples = c->data.n >= 2 ? load_be16(c->data.p) : 0;
    bool floats = c->encoding == CHUNK_XOR || c->encoding == CHUNK_XOR2;
    w->m.stats.samples += samples;
    *(floats ? &w->m.stats.float_samples : &w->m.stats.histogram_samples) += samples;
    w->m.stats.chunks++;
    if (c->mint < w->mint) w->mint = c->mint;
    if (c->maxt > w->maxt) w->maxt = c->maxt;
    return OK;
}

enum err block_writer_series(struct block_writer *w, struct labels lb, const struct block_chunk *c,
                             size_t n, struct diag *d)
{
    arena_reset(&w->one);
    struct blockindex_chunk *refs = arena_raw(&w->one, n * sizeof(*refs));
    for (size_t i = 0; i < n; i++) {
        refs[i].mint = c[i].mint;
        refs[i].maxt = c[i].maxt;
        TRY(put_chunk(w, &c[i], &refs[i].ref, d));
    }
    uint32_t *symbols = arena_raw(&w->one, lb.n * 2 * sizeof(*symbols));
    for (size_t i = 0; i < lb.n; i++) {
        symbols[2 * i] = symbol_of(w, lb.v[i].name);
        symbols[2 * i + 1] = symbol_of(w, lb.v[i].value);
        note_pair(w, symbols[2 * i], symbols[2 * i + 1]);
    }
    outfile_align(&w->index, SERIES_ALIGN);
    uint64_t id = outfile_at(&w->index) / SERIES_ALIGN;
    if (id > UINT32_MAX) return diag_set(d, ERR_LIMIT, "the block's index is larger than 64 GiB");
    push(&w->ids, (uint32_t)id);
    push(&w->ends, (uint32_t)w->of_series.n);
    struct blockindex_series s = { lb.n, symbols, n, refs };
    blockindex_put_series(&w->index.b, &w->scratch, &s);
    outfile_step(&w->index);
    w->m.stats.series++;
    return OK;
}

/*
 * The end
 */

static int by_key(const void *a, const void *b)
{
    const struct pair *x = *(const struct pair *const *)a, *y = *(const struct pair *const *)b;
    return (x->key > y->key) - (x->key < y->key);
}

static void put_list(struct outfile *f, const uint32_t *v, uint32_t n)
{
    outfile_align(f, POSTINGS_ALIGN);
    buf_be32(&f->b, 4 + n * 4);
    char bytes[4];
    store_be32(bytes, n);
    uint32_t crc = crc32c(0, str_make(bytes, sizeof(bytes)));
    buf_put(&f->b, str_make(bytes, sizeof(bytes)));
    for (uint32_t i = 0; i < n; i++) {
        store_be32(bytes, v[i]);
        crc = crc32c(crc, str_make(bytes, sizeof(bytes)));
        buf_put(&f->b, str_make(bytes, sizeof(bytes)));
        outfile_step(f);
    }
    buf_be32(&f->b, crc);
}

/* Counting sort: series in order go to the place of each of their pairs, so that each list ascends. */
static uint32_t *fill_lists(struct block_writer *w, struct pair **sorted)
{
    uint32_t at = 0;
    for (size_t i = 0; i < w->pairs_n; i++) {
        sorted[i]->at = at;
        at += sorted[i]->n;
    }
    uint32_t *lists = malloc(((size_t)at + 1) * sizeof(*lists));
    ASSERT(lists != NULL);
    for (size_t s = 0, k = 0; s < w->ids.n; s++) {
        for (; k < w->ends.v[s]; k++) lists[w->pairs[w->of_series.v[k]].at++] = w->ids.v[s];
    }
    return lists;
}

static struct pair **sort_pairs(struct block_writer *w)
{
    struct pair **sorted = malloc((w->pairs_n + 1) * sizeof(*sorted));
    ASSERT(sorted != NULL);
    for (size_t i = 0; i < w->pairs_n; i++) sorted[i] = &w->pairs[i];
    if (w->pairs_n) qsort(sorted, w->pairs_n, sizeof(*sorted), by_key);
    return sorted;
}

static void put_postings(struct block_writer *w, struct buf *table)
{
    struct pair **sorted = sort_pairs(w);
    uint32_t *lists = fill_lists(w, sorted);
    outfile_align(&w->index, POSTINGS_ALIGN);
    w->toc.label_indices = w->toc.postings = outfile_at(&w->index);
    buf_be32(table, (uint32_t)w->pairs_n + 1);
    blockindex_put_row(table, STR(""), STR(""), outfile_at(&w->index));
    put_list(&w->index, w->ids.v, (uint32_t)w->ids.n);
    for (size_t i = 0; i < w->pairs_n; i++) {
        const struct pair *p = sorted[i];
        outfile_align(&w->index, POSTINGS_ALIGN);
        blockindex_put_row(table, w->symbol[p->key >> 32], w->symbol[p->key & UINT32_MAX],
                           outfile_at(&w->index));
        put_list(&w->index, lists + p->at - p->n, p->n);
        outfile_step(&w->index);
    }
    free(lists);
    free(sorted);
}

static enum err finish_index(struct block_writer *w, struct diag *d)
{
    BUF(table, UINT32_MAX);
    put_postings(w, &table);
    if (buf_ok(&table) != OK) return diag_set(d, ERR_LIMIT, "a block cannot hold that many labels");
    outfile_align(&w->index, POSTINGS_ALIGN);
    w->toc.label_table = w->toc.table = outfile_at(&w->index);
    buf_be32(&w->index.b, (uint32_t)table.n);
    buf_put(&w->index.b, buf_str(&table));
    buf_be32(&w->index.b, crc32c(0, buf_str(&table)));
    blockindex_put_toc(&w->index.b, &w->toc);
    return outfile_close(&w->index, d);
}

static enum err write_small(struct block_writer *w, const struct blockmeta *m, struct diag *d)
{
    ARENA(a, 0);
    BUF(b, 64);
    tombstones_write(&b, NULL, 0);
    TRY(file_write_atomic(path_join(&a, str_c(w->dir), STR("tombstones")), buf_str(&b), d));
    struct blockmeta all = *m;
    all.ulid = str_c(w->ulid);
    all.stats = w->m.stats;
    TRY(block_write_meta(str_c(w->dir), &all, d));
    dir_sync(path_join(&a, str_c(w->dir), STR("chunks")).p);
    dir_sync(w->dir);
    return OK;
}

static enum err finish_all(struct block_writer *w, const struct blockmeta *m, struct diag *d)
{
    ARENA(a, 0);
    if (!w->segment) TRY(next_segment(w, d)); /* a block without chunks still has its folder */
    TRY(outfile_close(&w->chunks, d));
    TRY(finish_index(w, d));
    TRY(write_small(w, m, d));
    struct str to = path_join(&a, str_c(w->parent), str_c(w->ulid));
    if (rename(w->dir, to.p) != 0) return diag_set(d, ERR_SYS, "%s: cannot rename: %m", w->dir);
    dir_sync(w->parent);
    return OK;
}

enum err block_writer_finish(struct block_writer *w, const struct blockmeta *m, struct diag *d)
{
    enum err e = OK;
    if (w->mint <= w->maxt && (w->mint < m->mint || w->maxt >= m->maxt)) {
        e = diag_set(d, ERR_RANGE, "chunks reach out of the time of their block");
    }
    if (e == OK) e = finish_all(w, m, d);
    if (e != OK) {
        block_writer_abort(w);
        return e;
    }
    writer_free(w);
    return OK;
}
