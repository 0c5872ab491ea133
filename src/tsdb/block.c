/* SPDX-License-Identifier: Apache-2.0 */
#include "tsdb/block.h"

#include "base/assert.h"
#include "base/bits.h"
#include "codec/histchunk.h"
#include "codec/xor.h"
#include "codec/xor2.h"
#include "io/file.h"
#include "tsdb/dirs.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { META_MAX = 16 << 20, TOMBSTONES_MAX = 256 << 20, SEGMENTS_MAX = 1 << 16 };

/*
 * meta.json
 */

enum err block_read_meta(struct str dir, struct arena *a, struct blockmeta *out, struct diag *d)
{
    struct str text;
    TRY(file_read(a, path_join(a, dir, STR("meta.json")), META_MAX, &text, d));
    enum err e = blockmeta_read(a, text, out, d);
    bool sane = e != OK || (out->mint < out->maxt && out->mint >= -BLOCK_TIME_MAX &&
                            out->maxt <= BLOCK_TIME_MAX);
    if (!sane) e = diag_set(d, ERR_CORRUPT, "minTime and maxTime make no sense");
    if (e == OK) return OK;
    struct diag why = d ? *d : (struct diag){ 0 };
    return diag_set(d, e, STR_FMT "/meta.json: %.900s", STR_ARG(dir), why.text);
}

enum err block_write_meta(struct str dir, const struct blockmeta *m, struct diag *d)
{
    ARENA(a, 0);
    BUF(b, META_MAX);
    blockmeta_write(&b, m);
    return file_write_atomic(path_join(&a, dir, STR("meta.json")), buf_str(&b), d);
}

/*
 * Opening
 */

static enum err open_index(struct block *b, struct arena *a, struct diag *d)
{
    struct str path = path_join(a, str_c(b->dir), STR("index")), file;
    TRY(file_map(path.p, &file, d));
    b->bytes += file.n;
    b->index_bytes = file.n;
    enum err e = blockindex_open(file, &b->index, d);
    if (e == OK) return OK;
    file_unmap(file);
    struct diag why = d ? *d : (struct diag){ 0 };
    return diag_set(d, e, "%s: %.900s", b->dir, why.text);
}

static enum err open_segments(struct block *b, struct arena *a, struct diag *d)
{
    struct str dir = path_join(a, str_c(b->dir), STR("chunks"));
    uint64_t *v;
    size_t n;
    TRY(dir_numbers(a, dir, STR(""), &v, &n, d));
    b->segments = calloc(n + 1, sizeof(*b->segments));
    ASSERT(b->segments != NULL);
    for (size_t i = 0; i < n; i++) {
        if (v[i] != i + 1) {
            return diag_set(d, ERR_CORRUPT, "%s/chunks: %06zu is missing", b->dir, i + 1);
        }
        struct str path = arena_fmt(a, STR_FMT "/%06u", STR_ARG(dir), (unsigned)v[i]);
        TRY(file_map(path.p, &b->segments[i], d));
        b->segments_n = i + 1;
        b->bytes += b->segments[i].n;
        if (!blockchunks_header_ok(b->segments[i])) {
            return diag_set(d, ERR_CORRUPT, "%s: not a segment of chunks", path.p);
        }
    }
    return OK;
}

static enum err open_tombstones(struct block *b, struct arena *a, struct diag *d)
{
    struct str path = path_join(a, str_c(b->dir), STR("tombstones")), file;
    struct tombstone *v;
    size_t n;
    b->tombs = tombs_new();
    if (!file_exists(path)) return OK;
    TRY(file_read(a, path, TOMBSTONES_MAX, &file, d));
    b->bytes += file.n;
    if (tombstones_read(file, a, &v, &n) != OK) {
        return diag_set(d, ERR_CORRUPT, "%s: damaged", path.p);
    }
    for (size_t i = 0; i < n; i++) {
        tombs_add(b->tombs, v[i].series, (struct interval){ v[i].mint, v[i].maxt });
    }
    return OK;
}

static enum err open_all(struct block *b, struct diag *d)
{
    ARENA(a, 0);
    struct stat st;
    TRY(block_read_meta(str_c(b->dir), &b->arena, &b->meta, d));
    if (stat(path_join(&a, str_c(b->dir), STR("meta.json")).p, &st) == 0) {
        b->bytes += (uint64_t)st.st_size;
    }
    TRY(open_index(b, &a, d));
    TRY(open_segments(b, &a, d));
    return open_tombstones(b, &a, d);
}

enum err block_open(struct str dir, struct block **out, struct diag *d)
{
    struct block *b = calloc(1, sizeof(*b));
    ASSERT(b != NULL);
    atomic_store(&b->refs, 1);
    arena_init(&b->arena, 0);
    b->dir = strndup(dir.p, dir.n);
    ASSERT(b->dir != NULL);
    enum err e = open_all(b, d);
    if (e != OK) {
        block_unref(b);
        return e;
    }
    *out = b;
    return OK;
}

struct block *block_ref(struct block *b)
{
    atomic_fetch_add(&b->refs, 1);
    return b;
}

void block_unref(struct block *b)
{
    if (!b || atomic_fetch_sub(&b->refs, 1) != 1) return;
    struct str index = b->index.file;
    blockindex_done(&b->index);
    file_unmap(index);
    for (size_t i = 0; i < b->segments_n; i++) file_unmap(b->segments[i]);
    free(b->segments);
    tombs_unref(b->tombs);
    arena_done(&b->arena);
    free(b->dir);
    free(b);
}

/*
 * Reading
 */

enum err block_chunk(const struct block *b, uint64_t ref, unsigned *encoding, struct str *data)
{
    uint64_t file = ref >> 32;
    if (file >= b->segments_n) return ERR_CORRUPT;
    return blockchunks_read(b->segments[file], ref & UINT32_MAX, encoding, data);
}

void block_cursor_init(struct block_cursor *c, const struct block *b)
{
    c->b = b;
    memset(c->ref, 0, sizeof(c->ref));
}

static enum err symbol(struct block_cursor *c, uint32_t ref, struct str *out)
{
    uint32_t at = ref % CURSOR_SYMBOLS;
    if (c->ref[at] != ref + 1) {
        TRY(blockindex_symbol(&c->b->index, ref, &c->text[at]));
        c->ref[at] = ref + 1;
    }
    *out = c->text[at];
    return OK;
}

enum err block_series(struct block_cursor *c, struct arena *a, uint32_t series, struct labels *lb,
                      struct blockindex_series *out)
{
    struct blockindex_series s;
    TRY(blockindex_series(&c->b->index, a, series, &s));
    struct label *v = arena_raw(a, s.labels * sizeof(*v));
    for (size_t i = 0; i < s.labels; i++) {
        TRY(symbol(c, s.symbols[2 * i], &v[i].name));
        TRY(symbol(c, s.symbols[2 * i + 1], &v[i].value));
    }
    *lb = (struct labels){ v, s.labels };
    *out = s;
    return OK;
}

enum err block_all(const struct block *b, struct arena *a, uint32_t **series, size_t *n)
{
    struct blockindex_postings p;
    TRY(blockindex_postings(&b->index, STR(""), STR(""), &p));
    uint32_t *v = arena_raw(a, p.n * sizeof(*v));
    for (size_t i = 0; i < p.n; i++) v[i] = load_be32(p.be.p + 4 * i);
    *series = v;
    *n = p.n;
    return OK;
}

typedef enum err float_decoder(struct str chunk, int64_t *t, double *v);

static enum err decode_floats(struct str data, float_decoder *decode, struct column *c)
{
    size_t n = xor_count(data), from = c->n;
    /* A sample takes a bit at least: what the count claims is held against the bytes that came with it. */
    if (n > data.n * 8) return ERR_CORRUPT;
    if (c->n + n > c->cap) column_reserve(c, c->n + n > c->cap * 2 ? c->n + n : c->cap * 2);
    TRY(decode(data, c->t + from, c->v + from));
    if (c->h) memset(c->h + from, 0, n * sizeof(struct histogram *));
    c->n += n;
    return OK;
}

static enum err decode_histograms(unsigned encoding, struct str data, struct column *c)
{
    struct histchunk_reader *r = histchunk_open(data, encoding, &c->room);
    size_t from = c->n;
    int64_t t;
    const struct histogram *h;
    enum err e;
    while ((e = histchunk_next(r, &t, &h)) == OK) column_push_histogram(c, t, h);
    if (e == ERR_EOF) return OK;
    c->n = from;
    return e;
}

enum err block_decode(unsigned encoding, struct str data, struct column *c)
{
    switch (encoding) {
    case CHUNK_XOR: return decode_floats(data, xor_decode, c);
    case CHUNK_XOR2: return decode_floats(data, xor2_decode, c);
    case CHUNK_HISTOGRAM:
    case CHUNK_FLOAT_HISTOGRAM: return decode_histograms(encoding, data, c);
    default: return ERR_UNSUPPORTED;
    }
}

/*
 * Folders
 */

void block_name(char to[ULID_CHARS + 1], int64_t now_ms)
{
    unsigned char random[10];
    ssize_t n = getrandom(random, sizeof(random), 0);
    ASSERT(n == (ssize_t)sizeof(random));
    ulid_write(to, (uint64_t)now_ms, random);
}

void block_remove_tree(const char *path)
{
    ARENA(a, 0);
    struct str *names;
    size_t n;
    if (dir_list(&a, str_c(path), &names, &n, NULL) == OK) {
        for (size_t i = 0; i < n; i++) {
            struct str it = path_join(&a, str_c(path), names[i]);
            if (unlink(it.p) == 0) continue;
            if (errno == EISDIR || errno == EPERM) dir_remove_flat(it);
        }
    }
    (void)rmdir(path);
}

enum err block_remove(struct str dir, struct str ulid, struct diag *d)
{
    ARENA(a, 0);
    struct str from = path_join(&a, dir, ulid);
    struct str to = arena_fmt(&a, STR_FMT BLOCK_DELETING, STR_ARG(from));
    block_remove_tree(to.p);
    if (rename(from.p, to.p) != 0) return diag_set(d, ERR_SYS, "%s: cannot rename: %m", from.p);
    block_remove_tree(to.p);
    dir_sync(arena_dup(&a, dir).p);
    return OK;
}
