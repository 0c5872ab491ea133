/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/blockindex.h"

#include "base/assert.h"
#include "base/bits.h"
#include "codec/crc32c.h"
#include "codec/varint.h"

#include <stdlib.h>

enum {
    STRIDE = 32,
    CRC_BYTES = 4,
    SERIES_ALIGN = 16,
    ROW_KEYS = 2, /* a row of the table is of a name and a value */
    SERIES_CHUNK_BYTES_MIN = 3,
    SERIES_LABEL_BYTES_MIN = 2,
};

static enum err bad(struct diag *d, const char *what, uint64_t at)
{
    return diag_set(d, ERR_CORRUPT, "index: %s at offset %llu", what, (unsigned long long)at);
}

/* The content of a section of BE32 length, content, CRC. */
static enum err section(struct str file, uint64_t at, struct str *out)
{
    if (at > file.n || file.n - at < 4) return ERR_CORRUPT;
    uint64_t n = load_be32(file.p + at);
    if (file.n - at - 4 < n + CRC_BYTES) return ERR_CORRUPT;
    struct str s = str_make(file.p + at + 4, n);
    if (crc32c(0, s) != load_be32(s.p + n)) return ERR_CORRUPT;
    *out = s;
    return OK;
}

static enum err counted_section(struct str file, uint64_t at, uint32_t *count, struct str *rest)
{
    struct str s;
    TRY(section(file, at, &s));
    if (s.n < 4) return ERR_CORRUPT;
    *count = load_be32(s.p);
    *rest = str_from(s, 4);
    return OK;
}

static enum err read_string(struct str *in, struct str *out)
{
    uint64_t n;
    if (varint_read_u64(in, &n) != OK || n > in->n) return ERR_CORRUPT;
    *out = str_make(in->p, n);
    *in = str_from(*in, n);
    return OK;
}

struct row {
    struct str name, value;
    uint64_t offset;
};

static enum err read_row(struct str *in, struct row *r)
{
    uint64_t keys;
    if (varint_read_u64(in, &keys) != OK || keys != ROW_KEYS) return ERR_CORRUPT;
    TRY(read_string(in, &r->name));
    TRY(read_string(in, &r->value));
    return varint_read_u64(in, &r->offset) == OK ? OK : ERR_CORRUPT;
}

/*
 * Opening
 */

static enum err read_toc(struct blockindex *ix, struct diag *d)
{
    struct str f = ix->file;
    if (f.n < BLOCKINDEX_HEADER + BLOCKINDEX_TOC_BYTES) return bad(d, "too short", f.n);
    if (load_be32(f.p) != BLOCKINDEX_MAGIC) return bad(d, "not an index", 0);
    ix->version = (unsigned char)f.p[4];
    if (ix->version < 1 || ix->version > 3) {
        return diag_set(d, ERR_UNSUPPORTED, "index: version %u is not known", ix->version);
    }
    struct str t = str_from(f, f.n - BLOCKINDEX_TOC_BYTES);
    if (crc32c(0, str_first(t, t.n - CRC_BYTES)) != load_be32(t.p + t.n - CRC_BYTES)) {
        return bad(d, "damaged table of contents", f.n - BLOCKINDEX_TOC_BYTES);
    }
    ix->toc = (struct blockindex_toc){ load_be64(t.p),      load_be64(t.p + 8),
                                       load_be64(t.p + 16), load_be64(t.p + 24),
                                       load_be64(t.p + 32), load_be64(t.p + 40) };
    return OK;
}

static enum err read_symbols(struct blockindex *ix, struct diag *d)
{
    if (!ix->toc.symbols) return OK;
    if (counted_section(ix->file, ix->toc.symbols, &ix->symbols_n, &ix->symbols) != OK ||
        ix->symbols_n > ix->symbols.n) {
        return bad(d, "damaged symbols", ix->toc.symbols);
    }
    ix->symbol_at = calloc(ix->symbols_n / STRIDE + 1, sizeof(*ix->symbol_at));
    ASSERT(ix->symbol_at != NULL);
    size_t at = 0;
    for (uint32_t i = 0; i < ix->symbols_n; i++) {
        struct str s;
        if (i % STRIDE == 0) ix->symbol_at[i / STRIDE] = (uint32_t)at;
        if (blockindex_next_symbol(ix, &at, &s) != OK) {
            return bad(d, "damaged symbols", ix->toc.symbols);
        }
    }
    if (at != ix->symbols.n) return bad(d, "more symbols than it counts", ix->toc.symbols);
    return OK;
}

static struct str row_rest(const struct blockindex *ix, uint32_t at)
{
    return str_from(ix->table, at);
}

static int by_pair(const void *a, const void *b, void *ctx)
{
    const struct blockindex *ix = ctx;
    struct str x = row_rest(ix, *(const uint32_t *)a), y = row_rest(ix, *(const uint32_t *)b);
    struct row p, q;
    if (read_row(&x, &p) != OK || read_row(&y, &q) != OK) return 0;
    int c = str_cmp(p.name, q.name);
    return c ? c : str_cmp(p.value, q.value);
}

static struct blockindex_name *push_name(struct blockindex *ix, size_t *cap, struct str name)
{
    if (ix->names_n == *cap) {
        *cap = *cap ? *cap * 2 : 16;
        ix->names = realloc(ix->names, *cap * sizeof(*ix->names));
        ASSERT(ix->names != NULL);
    }
    struct blockindex_name *n = &ix->names[ix->names_n++];
    *n = (struct blockindex_name){ .name = name, .first = (uint32_t)ix->rows_n };
    return n;
}

/* Version 1 wrote the rows in no order: all of them are kept and sorted. */
static enum err sort_rows(struct blockindex *ix, uint32_t count)
{
    ix->rows = calloc((size_t)count + 1, sizeof(*ix->rows));
    ASSERT(ix->rows != NULL);
    struct str rest = ix->table;
    struct row r;
    for (uint32_t i = 0; i < count; i++) {
        ix->rows[i] = (uint32_t)(rest.p - ix->table.p);
        TRY(read_row(&rest, &r));
    }
    if (count) qsort_r(ix->rows, count, sizeof(*ix->rows), by_pair, ix);
    size_t cap = 0;
    struct blockindex_name *name = NULL;
    for (uint32_t i = 0; i < count; i++, ix->rows_n++) {
        struct str in = row_rest(ix, ix->rows[i]);
        TRY(read_row(&in, &r));
        if (!name || !str_eq(name->name, r.name)) name = push_name(ix, &cap, r.name);
        name->n++;
        name->end = (uint32_t)ix->table.n;
    }
    return OK;
}

/* Of each name the first row and every 32nd behind it. */
static enum err sample_rows(struct blockindex *ix, uint32_t count)
{
    size_t cap = 0, rows_cap = 0;
    struct str rest = ix->table;
    struct blockindex_name *name = NULL;
    uint32_t of_name = 0;
    struct str last = { 0 };
    for (uint32_t i = 0; i < count; i++) {
        struct row r;
        uint32_t at = (uint32_t)(rest.p - ix->table.p);
        TRY(read_row(&rest, &r));
        if (!name || !str_eq(name->name, r.name)) {
            if (name && str_cmp(name->name, r.name) > 0) return ERR_CORRUPT;
            name = push_name(ix, &cap, r.name);
            of_name = 0;
        } else if (str_cmp(last, r.value) >= 0) {
            return ERR_CORRUPT;
        }
        last = r.value;
        if (of_name++ % STRIDE == 0) {
            if (ix->rows_n == rows_cap) {
                rows_cap = rows_cap ? rows_cap * 2 : 64;
                ix->rows = realloc(ix->rows, rows_cap * sizeof(*ix->rows));
                ASSERT(ix->rows != NULL);
            }
            ix->rows[ix->rows_n++] = at;
            name->n++;
        }
        name->end = (uint32_t)(rest.p - ix->table.p);
    }
    return OK;
}

static enum err read_table(struct blockindex *ix, struct diag *d)
{
    uint32_t count;
    ix->stride = ix->version == 1 ? 1 : STRIDE;
    if (!ix->toc.table) return OK;
    if (counted_section(ix->file, ix->toc.table, &count, &ix->table) != OK ||
        count > ix->table.n / (ROW_KEYS + 2) ||
        (ix->version == 1 ? sort_rows(ix, count) : sample_rows(ix, count)) != OK) {
        return bad(d, "damaged table of postings", ix->toc.table);
    }
    return OK;
}

static enum err open_all(struct blockindex *ix, struct diag *d)
{
    TRY(read_toc(ix, d));
    TRY(read_symbols(ix, d));
    return read_table(ix, d);
}

enum err blockindex_open(struct str file, struct blockindex *out, struct diag *d)
{
    struct blockindex ix = { .file = file };
    enum err e = open_all(&ix, d);
    if (e != OK) {
        blockindex_done(&ix);
        return e;
    }
    *out = ix;
    return OK;
}

void blockindex_done(struct blockindex *ix)
{
    free(ix->symbol_at);
    free(ix->rows);
    free(ix->names);
    *ix = (struct blockindex){ 0 };
}

/*
 * Symbols
 */

enum err blockindex_next_symbol(const struct blockindex *ix, size_t *at, struct str *out)
{
    struct str rest = str_from(ix->symbols, *at);
    if (!rest.n) return ERR_EOF;
    TRY(read_string(&rest, out));
    *at = (size_t)(rest.p - ix->symbols.p);
    return OK;
}

enum err blockindex_symbol(const struct blockindex *ix, uint32_t ref, struct str *out)
{
    if (ix->version == 1) {
        uint64_t base = (uint64_t)(ix->symbols.p - ix->file.p);
        if (ref < base || ref - base >= ix->symbols.n) return ERR_CORRUPT;
        struct str rest = str_from(ix->symbols, ref - base);
        return read_string(&rest, out);
    }
    if (ref >= ix->symbols_n) return ERR_CORRUPT;
    struct str rest = str_from(ix->symbols, ix->symbol_at[ref / STRIDE]);
    struct str s = { 0 };
    for (uint32_t i = 0; i <= ref % STRIDE; i++) TRY(read_string(&rest, &s));
    *out = s;
    return OK;
}

/*
 * Postings
 */

static const struct blockindex_name *find_name(const struct blockindex *ix, struct str name)
{
    size_t low = 0, high = ix->names_n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = str_cmp(ix->names[mid].name, name);
        if (c == 0) return &ix->names[mid];
        if (c < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return NULL;
}

enum err blockindex_postings_at(const struct blockindex *ix, uint64_t offset,
                                struct blockindex_postings *out)
{
    struct str rest;
    uint32_t n;
    TRY(counted_section(ix->file, offset, &n, &rest));
    if (rest.n != (uint64_t)n * 4) return ERR_CORRUPT;
    *out = (struct blockindex_postings){ rest, n };
    return OK;
}

/* The last of the name's kept rows whose value is not above. */
static enum err find_stretch(const struct blockindex *ix, const struct blockindex_name *name,
                             struct str value, uint32_t *row)
{
    uint32_t low = 0, high = name->n;
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        struct str rest = row_rest(ix, ix->rows[name->first + mid]);
        struct row r;
        TRY(read_row(&rest, &r));
        if (str_cmp(r.value, value) <= 0) {
            low = mid;
        } else {
            high = mid;
        }
    }
    *row = low;
    return OK;
}

enum err blockindex_postings(const struct blockindex *ix, struct str name, struct str value,
                             struct blockindex_postings *out)
{
    *out = (struct blockindex_postings){ 0 };
    const struct blockindex_name *n = find_name(ix, name);
    if (!n) return OK;
    uint32_t row;
    TRY(find_stretch(ix, n, value, &row));
    struct str rest = row_rest(ix, ix->rows[n->first + row]);
    for (uint32_t i = 0; i < ix->stride && rest.p < ix->table.p + n->end; i++) {
        struct row r;
        TRY(read_row(&rest, &r));
        int c = str_cmp(r.value, value);
        if (c == 0) return blockindex_postings_at(ix, r.offset, out);
        if (c > 0) break;
    }
    return OK;
}

bool blockindex_values_begin(const struct blockindex *ix, struct str name,
                             struct blockindex_values *it)
{
    *it = (struct blockindex_values){ .name = find_name(ix, name) };
    return it->name != NULL;
}

enum err blockindex_values_next(const struct blockindex *ix, struct blockindex_values *it,
                                struct str *value, uint64_t *offset)
{
    if (!it->left) {
        if (it->row == it->name->n) return ERR_EOF;
        it->rest = row_rest(ix, ix->rows[it->name->first + it->row++]);
        it->left = ix->stride;
    }
    if (it->rest.p >= ix->table.p + it->name->end) return ERR_EOF;
    struct row r;
    TRY(read_row(&it->rest, &r));
    it->left--;
    *value = r.value;
    *offset = r.offset;
    return OK;
}

/*
 * Series
 */

static enum err read_u32(struct str *in, uint32_t *out)
{
    uint64_t v;
    if (varint_read_u64(in, &v) != OK || v > UINT32_MAX) return ERR_CORRUPT;
    *out = (uint32_t)v;
    return OK;
}

static enum err read_first_chunk(struct str *in, struct blockindex_chunk *c)
{
    uint64_t span;
    if (varint_read_i64(in, &c->mint) != OK || varint_read_u64(in, &span) != OK ||
        varint_read_u64(in, &c->ref) != OK) {
        return ERR_CORRUPT;
    }
    return __builtin_add_overflow(c->mint, span, &c->maxt) ? ERR_CORRUPT : OK;
}

static enum err read_next_chunk(struct str *in, const struct blockindex_chunk *before,
                                struct blockindex_chunk *c)
{
    uint64_t gap, span;
    int64_t ref;
    if (varint_read_u64(in, &gap) != OK || varint_read_u64(in, &span) != OK ||
        varint_read_i64(in, &ref) != OK) {
        return ERR_CORRUPT;
    }
    if (__builtin_add_overflow(before->maxt, gap, &c->mint) ||
        __builtin_add_overflow(c->mint, span, &c->maxt)) {
        return ERR_CORRUPT;
    }
    c->ref = before->ref + (uint64_t)ref;
    return OK;
}

static enum err read_chunks(struct str *in, struct arena *a, struct blockindex_series *out)
{
    uint64_t n;
    if (varint_read_u64(in, &n) != OK || n > in->n / SERIES_CHUNK_BYTES_MIN) return ERR_CORRUPT;
    struct blockindex_chunk *c = arena_raw(a, n * sizeof(*c));
    for (uint64_t i = 0; i < n; i++) {
        TRY(i ? read_next_chunk(in, &c[i - 1], &c[i]) : read_first_chunk(in, &c[i]));
    }
    out->chunks = n;
    out->chunk = c;
    return OK;
}

static enum err read_body(struct str in, struct arena *a, struct blockindex_series *out)
{
    uint64_t n;
    if (varint_read_u64(&in, &n) != OK || n > in.n / SERIES_LABEL_BYTES_MIN) return ERR_CORRUPT;
    uint32_t *symbols = arena_raw(a, n * 2 * sizeof(*symbols));
    for (uint64_t i = 0; i < n * 2; i++) TRY(read_u32(&in, &symbols[i]));
    struct blockindex_series s = { .labels = n, .symbols = symbols };
    TRY(read_chunks(&in, a, &s));
    *out = s;
    return OK;
}

enum err blockindex_series(const struct blockindex *ix, struct arena *a, uint32_t series,
                           struct blockindex_series *out)
{
    uint64_t at = ix->version == 1 ? series : (uint64_t)series * SERIES_ALIGN, n;
    struct str rest = str_from(ix->file, at);
    if (varint_read_u64(&rest, &n) != OK || rest.n < CRC_BYTES || n > rest.n - CRC_BYTES) {
        return ERR_CORRUPT;
    }
    struct str body = str_first(rest, n);
    if (crc32c(0, body) != load_be32(body.p + n)) return ERR_CORRUPT;
    return read_body(body, a, out);
}

/*
 * Writing
 */

void blockindex_put_header(struct buf *b)
{
    buf_be32(b, BLOCKINDEX_MAGIC);
    buf_char(b, 2);
}

void blockindex_put_toc(struct buf *b, const struct blockindex_toc *toc)
{
    const uint64_t offsets[] = { toc->symbols,     toc->series,   toc->label_indices,
                                 toc->label_table, toc->postings, toc->table };
    char bytes[BLOCKINDEX_TOC_BYTES];
    for (size_t i = 0; i < 6; i++) store_be64(bytes + 8 * i, offsets[i]);
    store_be32(bytes + 48, crc32c(0, str_make(bytes, 48)));
    buf_put(b, str_make(bytes, sizeof(bytes)));
}

void blockindex_put_series(struct buf *b, struct buf *scratch, const struct blockindex_series *s)
{
    buf_reset(scratch);
    varint_put_u64(scratch, s->labels);
    for (size_t i = 0; i < s->labels * 2; i++) varint_put_u64(scratch, s->symbols[i]);
    varint_put_u64(scratch, s->chunks);
    for (size_t i = 0; i < s->chunks; i++) {
        const struct blockindex_chunk *c = &s->chunk[i];
        if (i == 0) {
            varint_put_i64(scratch, c->mint);
            varint_put_u64(scratch, (uint64_t)c->maxt - (uint64_t)c->mint);
            varint_put_u64(scratch, c->ref);
        } else {
            varint_put_u64(scratch, (uint64_t)c->mint - (uint64_t)c[-1].maxt);
            varint_put_u64(scratch, (uint64_t)c->maxt - (uint64_t)c->mint);
            varint_put_i64(scratch, (int64_t)(c->ref - c[-1].ref));
        }
    }
    varint_put_u64(b, scratch->n);
    buf_put(b, buf_str(scratch));
    buf_be32(b, crc32c(0, buf_str(scratch)));
}

void blockindex_put_row(struct buf *b, struct str name, struct str value, uint64_t offset)
{
    varint_put_u64(b, ROW_KEYS);
    varint_put_u64(b, name.n);
    buf_put(b, name);
    varint_put_u64(b, value.n);
    buf_put(b, value);
    varint_put_u64(b, offset);
}
