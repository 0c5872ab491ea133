/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blockindex.h - the index of a block: symbols, series, postings; read in place
 *
 * Shape:   header BE32 0xBAAAD700 and version 1, 2 or 3; sections, each BE32 length, content, BE32 CRC-32C of the content:
 *            symbols         BE32 count, strings (uvarint length, bytes), ascending
 *            series          uvarint length, body, CRC; in versions 2 and 3 at multiples of 16, known by offset / 16
 *                            body: uvarint labels, per label the symbols of name and value; uvarint chunks: varint mint,
 *                            uvarint maxt - mint, uvarint ref; the next ones as differences to the one before
 *            postings        BE32 count, BE32 series ascending; one a (name, value), the first for ("", ""): all
 *            postings table  BE32 count; uvarint 2, name, value, uvarint offset of the postings
 *            TOC             52 bytes at the end: six BE64 offsets, CRC
 *          A symbol is its number from 0, in version 1 its offset in the file.
 *          In memory: every 32nd symbol and every 32nd row of the table, as offsets.
 * Threads: immutable once open.
 * Owns:    its two small tables. The file's bytes are the caller's and must outlive it.
 * Source:  Prometheus tsdb/docs/format/index.md, tsdb/index/index.go
 */
#ifndef CODEC_BLOCKINDEX_H
#define CODEC_BLOCKINDEX_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define BLOCKINDEX_MAGIC     UINT32_C(0xBAAAD700)
#define BLOCKINDEX_HEADER    5U
#define BLOCKINDEX_TOC_BYTES 52U

struct blockindex_toc {
    uint64_t symbols, series, label_indices, label_table, postings, table;
};

struct blockindex_name {
    struct str name;
    uint32_t first, n; /* of rows[] */
    uint32_t end;      /* offset in the table where the name's rows end */
};

struct blockindex {
    struct str file;
    unsigned version;
    struct blockindex_toc toc;
    struct str symbols; /* behind the count */
    uint32_t symbols_n;
    uint32_t *symbol_at; /* every 32nd: offset in symbols */
    struct str table;    /* behind the count */
    uint32_t stride;     /* rows of the table from one of rows[] to the next */
    uint32_t *rows;      /* offsets in table, ascending in (name, value) */
    size_t rows_n;
    struct blockindex_name *names; /* ascending; the first is "" */
    size_t names_n;
};

/*
 * Checks header, TOC, symbols and postings table, their sums included.
 * Errors: ERR_CORRUPT, ERR_UNSUPPORTED (a version to come); d says what and where
 */
enum err blockindex_open(struct str file, struct blockindex *out, struct diag *d);
void blockindex_done(struct blockindex *ix);

/* Errors: ERR_CORRUPT no such symbol */
enum err blockindex_symbol(const struct blockindex *ix, uint32_t ref, struct str *out);

/* All symbols in order: *at begins as 0. Errors: ERR_EOF no more; ERR_CORRUPT */
enum err blockindex_next_symbol(const struct blockindex *ix, size_t *at, struct str *out);

/* BE32 series, ascending. */
struct blockindex_postings {
    struct str be;
    size_t n;
};

/* Of one pair; n is 0 when no series has it. ("", "") is all. Errors: ERR_CORRUPT */
enum err blockindex_postings(const struct blockindex *ix, struct str name, struct str value,
                             struct blockindex_postings *out);

/* The rows of one name in the order of values; zeroed but for ix and name, it begins. */
struct blockindex_values {
    const struct blockindex_name *name;
    uint32_t row, left; /* left: rows of this stretch still to come */
    struct str rest;
};
bool blockindex_values_begin(const struct blockindex *ix, struct str name,
                             struct blockindex_values *it);
/* Errors: ERR_EOF no more; ERR_CORRUPT */
enum err blockindex_values_next(const struct blockindex *ix, struct blockindex_values *it,
                                struct str *value, uint64_t *offset);
enum err blockindex_postings_at(const struct blockindex *ix, uint64_t offset,
                                struct blockindex_postings *out);

struct blockindex_chunk {
    int64_t mint, maxt;
    uint64_t ref; /* file << 32 | offset */
};

struct blockindex_series {
    size_t labels;           /* pairs */
    const uint32_t *symbols; /* name, value, name, value ... */
    size_t chunks;
    const struct blockindex_chunk *chunk;
};

/* One series by its number in postings; arrays are a's. Errors: ERR_CORRUPT */
enum err blockindex_series(const struct blockindex *ix, struct arena *a, uint32_t series,
                           struct blockindex_series *out);

/*
 * Writing: the parts that have a form of their own; whoever writes the file puts them one behind the other.
 */
void blockindex_put_header(struct buf *b); /* version 2 */
void blockindex_put_toc(struct buf *b, const struct blockindex_toc *toc);

/* Body and CRC of a series, without the zeros before it. */
void blockindex_put_series(struct buf *b, struct buf *scratch, const struct blockindex_series *s);
void blockindex_put_row(struct buf *b, struct str name, struct str value, uint64_t offset);
#endif
