/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walpage.h - records in 32 KiB pages: the container of wal/, checkpoints and wbl/
 *
 * Shape:   a segment is pages without a header. A record is cut in fragments that never cross a page:
 *            0  1  bits 0-2: 1 full, 2 first, 3 middle, 4 last; 0: the rest of the page is zeros
 *                  bit 3: the record is snappy, bit 4: zstd (of the whole record, before it was cut)
 *            1  2  BE length of the data
 *            3  4  BE CRC-32C of the data
 *            7     data
 *          A page with less than 7 bytes left is filled with zeros.
 * Source:  Prometheus tsdb/docs/format/wal.md, tsdb/wlog/wlog.go
 */
#ifndef CODEC_WALPAGE_H
#define CODEC_WALPAGE_H

#include "base/buf.h"
#include "base/err.h"

#define WALPAGE_SIZE     32768U
#define WALPAGE_FRAGMENT 7U

enum walpage_packing { WALPAGE_PLAIN = 0, WALPAGE_SNAPPY = 8, WALPAGE_ZSTD = 16 };

/* Bytes that a record of n bytes takes when `at` bytes of the segment are in use, fillings and fragments included. */
uint64_t walpage_cost(uint64_t at, size_t n);

/* Appends the record's fragments to b; `at` is where in the segment the end of b will stand. */
void walpage_put(struct buf *b, uint64_t at, struct str record, enum walpage_packing packing);

/* Reads one whole segment in memory, record by record. */
struct walpage_reader {
    struct str seg;
    size_t at;       /* next fragment */
    size_t good;     /* end of the last whole record: where a damaged segment is cut */
    struct buf join; /* a record of several fragments */
};
void walpage_reader_init(struct walpage_reader *r, struct str seg);
void walpage_reader_done(struct walpage_reader *r);

/*
 * The next record, valid until the next call.
 * Errors: ERR_EOF     clean end
 *         ERR_SHORT   the segment ends inside a record: a torn tail
 *         ERR_CORRUPT a checksum, a type or an order of fragments that no writer leaves
 */
enum err walpage_next(struct walpage_reader *r, struct str *record, enum walpage_packing *packing);

/*
 * The record as it was before it was packed: itself, or unpacked into `room`, which is emptied first.
 * Errors: ERR_CORRUPT; ERR_LIMIT it says it is longer than max; ERR_UNSUPPORTED a packing nobody knows
 */
enum err walpage_unpack(struct str record, enum walpage_packing packing, size_t max,
                        struct buf *room, struct str *out);

#endif
