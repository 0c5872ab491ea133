/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protobuf.h - protocol buffers on the wire: fields off the front of a message, fields onto a buffer
 *
 * Shape:  a message is fields without order: uvarint (number << 3 | wire), then a value by wire: 0 uvarint, 1 eight bytes LE,
 *         2 uvarint length and bytes, 5 four bytes LE. Groups (3, 4) are refused: no message of ours has them.
 *         Writers leave out what proto3 leaves out: zero numbers and empty strings.
 * Source: protobuf.dev, "Encoding".
 */
#ifndef CODEC_PROTOBUF_H
#define CODEC_PROTOBUF_H

#include "base/bits.h"
#include "base/buf.h"
#include "base/err.h"

enum pb_wire { PB_VARINT = 0, PB_FIXED64 = 1, PB_BYTES = 2, PB_FIXED32 = 5 };

struct pb_field {
    uint32_t number;
    enum pb_wire wire;
    uint64_t n;       /* of PB_VARINT, PB_FIXED64, PB_FIXED32 */
    struct str bytes; /* of PB_BYTES; points into the message */
};

/*
 * The next field of *in; unchanged on failure.
 * Errors: ERR_EOF no more; ERR_SHORT cut inside a field; ERR_SYNTAX field number 0, a group, more than 64 bits
 */
enum err pb_next(struct str *in, struct pb_field *out);

/* True for a field of that number and wire type: what a table of cases asks. */
static inline bool pb_is(const struct pb_field *f, uint32_t number, enum pb_wire wire)
{
    return f->number == number && f->wire == wire;
}

static inline double pb_double(const struct pb_field *f) { return double_of_bits(f->n); }
static inline int64_t pb_zigzag(uint64_t n) { return (int64_t)(n >> 1) ^ -(int64_t)(n & 1); }

enum { PB_VARINT_MAX = 10 }; /* bytes of 64 bits in groups of seven */

static inline char *pb_write_uvarint(char *to, uint64_t u)
{
    for (; u >= 0x80; u >>= 7) *to++ = (char)(u | 0x80);
    *to++ = (char)u;
    return to;
}
static inline size_t pb_uvarint_size(uint64_t u)
{
    return ((size_t)(63 - __builtin_clzll(u | 1)) + 7) / 7;
}

void pb_put_uvarint(struct buf *b, uint64_t u); /* bare, without a field number */
void pb_put_u64(struct buf *b, uint32_t number, uint64_t u);
void pb_put_i64(struct buf *b, uint32_t number, int64_t v); /* int64: two's complement */
void pb_put_double(struct buf *b, uint32_t number, double v);
void pb_put_str(struct buf *b, uint32_t number, struct str s);

/* As pb_put_str, but there even when it is empty: an embedded message. */
void pb_put_message(struct buf *b, uint32_t number, struct str s);

#endif
