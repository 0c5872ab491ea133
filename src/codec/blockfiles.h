/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blockfiles.h - the smaller files of a block: segments of chunks, tombstones, meta.json, and its name
 *
 * Shape:   chunks/000001 ...  BE32 0x85BD40DD, version 1, three zeros; chunks: uvarint length, encoding, data, BE32 CRC-32C
 *                             of encoding and data; known by file from 0 << 32 | offset
 *          tombstones         BE32 0x0130BA30, version 1, entries (uvarint series, varint mint, varint maxt), BE32 CRC-32C
 *                             of the entries
 *          meta.json          see struct blockmeta; maxTime is exclusive
 *          name               ULID: 48 bits of milliseconds, 80 random ones, in 26 characters of Crockford's base 32
 * Source:  Prometheus tsdb/docs/format/{chunks,tombstones}.md, tsdb/block.go; github.com/ulid/spec
 */
#ifndef CODEC_BLOCKFILES_H
#define CODEC_BLOCKFILES_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define BLOCKCHUNKS_HEADER      8U
#define BLOCKCHUNKS_MAX         ((uint64_t)512 << 20)
#define BLOCKCHUNK_OVERHEAD_MAX 15U /* length, encoding, CRC */

/* What a chunk's data is. Source: tsdb/chunkenc/chunk.go */
enum chunk_encoding {
    CHUNK_NONE = 0,
    CHUNK_XOR = 1,
    CHUNK_HISTOGRAM = 2,
    CHUNK_FLOAT_HISTOGRAM = 3,
    CHUNK_XOR2 = 4,
    CHUNK_HISTOGRAM_ST = 5,
    CHUNK_FLOAT_HISTOGRAM_ST = 6,
};

bool blockchunks_header_ok(struct str file);
void blockchunks_put_header(struct buf *b);
void blockchunks_put(struct buf *b, unsigned encoding, struct str data);

/* The chunk at an offset of a segment. Errors: ERR_CORRUPT */
enum err blockchunks_read(struct str file, uint64_t at, unsigned *encoding, struct str *data);

struct tombstone {
    uint64_t series; /* as the file's index counts them */
    int64_t mint, maxt;
};
enum err tombstones_read(struct str file, struct arena *a, struct tombstone **out, size_t *n);
void tombstones_write(struct buf *b, const struct tombstone *v, size_t n);

/* A record of tombstones in the log, behind its type byte: BE64 series, varint mint, varint maxt each. */
enum err tombstones_read_record(struct str in, struct arena *a, struct tombstone **out, size_t *n);
void tombstones_write_record(struct buf *b, const struct tombstone *v, size_t n);

#define ULID_CHARS 26U
void ulid_write(char to[ULID_CHARS + 1], uint64_t ms, const unsigned char random[10]);
bool ulid_ok(struct str s);

struct blockmeta_parent {
    struct str ulid;
    int64_t mint, maxt;
};

struct blockmeta {
    struct str ulid;
    int64_t mint, maxt; /* [mint, maxt) */
    struct {
        uint64_t samples, float_samples, histogram_samples, series, chunks, tombstones;
    } stats;
    int64_t level;
    const struct str *sources;
    size_t sources_n;
    const struct blockmeta_parent *parents;
    size_t parents_n;
    const struct str *hints;
    size_t hints_n;
    bool deletable, failed;
};

/* Strings and arrays are in a's memory. Unknown keys are read over. Errors: ERR_SYNTAX, ERR_UNSUPPORTED a version to come */
enum err blockmeta_read(struct arena *a, struct str text, struct blockmeta *out, struct diag *d);
void blockmeta_write(struct buf *b, const struct blockmeta *m);

#endif
