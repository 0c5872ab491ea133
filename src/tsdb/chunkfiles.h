/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chunkfiles.h - chunks_head/: full chunks of the head, appended to files and read through maps
 *
 * Shape:   files 000001, 000002 ... without gaps, each at most 128 MiB:
 *            header   BE32 0x0130BC91, version 1, three zeros
 *            chunk    BE64 series ref, BE64 mint, BE64 maxt, encoding (1 XOR), uvarint length, data,
 *                     BE32 CRC-32C over all of the chunk before it
 *          A zero ref, or the end of the file, ends the chunks. A chunk is known by file << 32 | offset.
 *          Whatever is here is in the log as well, so damage costs replay time, not data.
 * Threads: one writer; chunkfiles_read() from any thread.
 * Owns:    the folder's files, their maps for life.
 * Source:  Prometheus tsdb/docs/format/head_chunks.md, tsdb/chunks/head_chunks.go
 */
#ifndef TSDB_CHUNKFILES_H
#define TSDB_CHUNKFILES_H

#include "base/buf.h"
#include "tsdb/paged.h"
#include "tsdb/tsdb.h"

#define CHUNKFILE_MAGIC    UINT32_C(0x0130BC91)
#define CHUNKFILE_HEADER   8U
#define CHUNKFILE_MAX      ((uint64_t)128 << 20)
#define CHUNK_ENCODE_XOR   1U
#define CHUNK_OUT_OF_ORDER 0x80U

struct chunkfile_entry {
    uint64_t ref;
    int64_t mint, maxt;
    unsigned encoding;
    struct str data;
};

/*
 * The chunk at *at of a whole file; *at moves behind it. Pure.
 * Errors: ERR_EOF no more (*at is where the next would go); ERR_SHORT the file ends inside it: a torn tail;
 *         ERR_CORRUPT. *at is unchanged then
 */
enum err chunkfile_next(struct str file, size_t *at, struct chunkfile_entry *out);

/* Is it a file of ours at all? */
bool chunkfile_header_ok(struct str file);

void chunkfile_put_header(struct buf *b);
void chunkfile_put(struct buf *b, uint64_t ref, int64_t mint, int64_t maxt, unsigned encoding,
                   struct str data);

struct chunkfile {
    const char *map; /* CHUNKFILE_MAX bytes of address space, or the file's size if that is more */
    size_t map_bytes;
    _Atomic(uint64_t) bytes; /* readable */
};

struct chunkfiles {
    char *dir;
    struct paged files;
    uint32_t base;  /* number of the first file, in files[] */
    uint32_t first; /* of the first that is still there */
    int fd;         /* of the last file, when it takes appends; else -1 */
    uint64_t total;
    struct buf batch;
};

/*
 * Reads the folder (made if absent): calls found() for each chunk, file by file. Damage is cut off, later files with
 * it, and reported.
 */
struct chunkfiles_scan {
    void (*found)(void *ctx, uint64_t chunk, const struct chunkfile_entry *e);
    void (*report)(void *ctx, const struct tsdb_report *r);
    void *ctx;
};
enum err chunkfiles_open(struct chunkfiles *c, struct str dir, const struct chunkfiles_scan *scan,
                         struct diag *d);
void chunkfiles_close(struct chunkfiles *c);

/*
 * Collects chunks, then writes them all; *chunk is where one will be once flush succeeded.
 * Errors: ERR_LIMIT the file is full: flush what is collected, then add again
 *         ERR_SYS   nothing of the batch is in the file
 */
enum err chunkfiles_add(struct chunkfiles *c, uint64_t ref, int64_t mint, int64_t maxt,
                        struct str data, uint64_t *chunk);
enum err chunkfiles_flush(struct chunkfiles *c);

/*
 * Removes the files in front of that of `chunk` (UINT64_MAX: all), and begins another one with the next chunk, so that
 * this one can go in its turn. Readers keep what they have mapped until they leave.
 */
void chunkfiles_truncate(struct chunkfiles *c, uint64_t chunk, struct readers *r);

/* The data of a chunk. Errors: ERR_CORRUPT the reference points to nothing of the kind; ERR_UNSUPPORTED not XOR. */
enum err chunkfiles_read(const struct chunkfiles *c, uint64_t chunk, struct str *data);

#endif
