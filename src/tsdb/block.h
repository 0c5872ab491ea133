/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block.h - one persisted block: a folder <ULID>/ with meta.json, index, chunks/, tombstones
 *
 * Shape:   reading: files are mapped; index and tombstones are checked when it is opened, series and chunks when they are
 *          read. Writing: into <ULID>.tmp-for-creation/, synced, renamed; so a block is there whole or not at all.
 * Threads: a block may be read from any thread; block_ref()/block_unref() from any. A cursor, a writer: one thread.
 * Owns:    maps and descriptors for as long as it is referenced. Files may be unlinked meanwhile.
 * Source:  Prometheus tsdb/block.go, tsdb/compact.go write, tsdb/docs/format
 */
#ifndef TSDB_BLOCK_H
#define TSDB_BLOCK_H

#include "codec/blockfiles.h"
#include "codec/blockindex.h"
#include "model/labels.h"
#include "tsdb/intervals.h"

#define BLOCK_CREATING ".tmp-for-creation"
#define BLOCK_DELETING ".tmp-for-deletion"

/* No block reaches further: 73 million years. So sums and differences of two times cannot overflow. */
#define BLOCK_TIME_MAX (INT64_C(1) << 61)

struct block {
    _Atomic(unsigned) refs;
    char *dir;
    struct arena arena; /* meta's strings */
    struct blockmeta meta;
    struct blockindex index;
    struct str *segments; /* chunks/000001 ... */
    size_t segments_n;
    struct tombs *tombs; /* of the moment it was opened; struct blocks has newer ones */
    uint64_t bytes;      /* of all its files */
    uint64_t index_bytes;
};

/*
 * Errors: ERR_CORRUPT, ERR_SYNTAX (meta.json), ERR_UNSUPPORTED a version to come, ERR_SYS; d names file and reason
 */
enum err block_open(struct str dir, struct block **out, struct diag *d);
struct block *block_ref(struct block *b);
void block_unref(struct block *b); /* NULL is fine */

/* Only meta.json; strings are in a's memory. */
enum err block_read_meta(struct str dir, struct arena *a, struct blockmeta *out, struct diag *d);
enum err block_write_meta(struct str dir, const struct blockmeta *m, struct diag *d);

/* The data of a chunk, its sum checked. Errors: ERR_CORRUPT */
enum err block_chunk(const struct block *b, uint64_t ref, unsigned *encoding, struct str *data);

/* Looks symbols up with a small memory of those it had lately. */
enum { CURSOR_SYMBOLS = 1024 };
struct block_cursor {
    const struct block *b;
    uint32_t ref[CURSOR_SYMBOLS]; /* symbol + 1 */
    struct str text[CURSOR_SYMBOLS];
};
void block_cursor_init(struct block_cursor *c, const struct block *b);

/* One series: labels' strings are the block's, arrays a's; chunks may be NULL when not wanted. Errors: ERR_CORRUPT */
enum err block_series(struct block_cursor *c, struct arena *a, uint32_t series, struct labels *lb,
                      struct blockindex_series *out);

/* The numbers of all series, in the order of their labels, in a's memory. Errors: ERR_CORRUPT */
enum err block_all(const struct block *b, struct arena *a, uint32_t **series, size_t *n);

/*
 * Writing
 */

/* A chunk on its way: data starts with BE16 count of samples in every encoding. */
struct block_chunk {
    int64_t mint, maxt;
    unsigned encoding;
    struct str data;
};

struct block_writer;

/* Makes <dir>/<ulid>.tmp-for-creation. segment_bytes 0: 512 MiB. */
enum err block_writer_new(struct str dir, const char *ulid, uint64_t segment_bytes,
                          struct block_writer **out, struct diag *d);

/* First: all symbols that labels will have, and possibly more; ascending, unique; they live until the end. */
enum err block_writer_symbols(struct block_writer *w, const struct str *v, size_t n,
                              struct diag *d);

/* Then series in the order of labels_cmp, each with at least one chunk, ascending in time. */
enum err block_writer_series(struct block_writer *w, struct labels lb, const struct block_chunk *c,
                             size_t n, struct diag *d);

/* Series written so far. */
uint64_t block_writer_count(const struct block_writer *w);

/* The rest, synced and renamed to <dir>/<ulid>. m: all but ulid and stats are the caller's. Frees w, as does abort. */
enum err block_writer_finish(struct block_writer *w, const struct blockmeta *m, struct diag *d);
void block_writer_abort(struct block_writer *w);

/* A new name. */
void block_name(char to[ULID_CHARS + 1], int64_t now_ms);

/* Chunks of a column's samples, floats and histograms as they come: v has room for block_encoded_max(c); data in a. */
size_t block_encode(const struct column *c, size_t from, struct arena *a, struct block_chunk *v);
size_t block_encoded_max(const struct column *c);

/* The samples of a chunk appended to c. Errors: ERR_CORRUPT; ERR_UNSUPPORTED an encoding to come */
enum err block_decode(unsigned encoding, struct str data, struct column *c);

/*
 * A whole block from samples in any order: promtool's create-blocks-from
 */
struct block_builder;
struct block_builder *block_builder_new(void);
void block_builder_add(struct block_builder *b, struct labels lb, int64_t t, double v);
size_t block_builder_samples(const struct block_builder *b);

/*
 * Writes what was added as a block of [mint, maxt) and is empty again; name: of the block made. Of equal times the last
 * sample stays. Nothing added: no block, name "".
 */
enum err block_builder_write(struct block_builder *b, struct str dir, int64_t mint, int64_t maxt,
                             int64_t now_ms, char name[ULID_CHARS + 1], struct diag *d);
void block_builder_free(struct block_builder *b);

/* Removes <dir>/<ulid>: renamed first, so that half a block is never taken for one. */
enum err block_remove(struct str dir, struct str ulid, struct diag *d);
void block_remove_tree(const char *path);

#endif
