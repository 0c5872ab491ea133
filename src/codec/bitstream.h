/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bitstream.h - bits most significant first, as chunks hold them
 *
 * Shape:  a reader over bytes that it never leaves: behind the end it shows zeros, and bits_over() tells afterwards.
 *         A writer that appends to a buf; a new byte is begun when it is needed.
 *         varbit: a prefix of ones says how many bits follow: 0, 3, 6, 9, 12, 18, 25, 56 or 64; of a signed width w, 2^(w-1)
 *         itself is positive.
 * Source: Prometheus tsdb/chunkenc/{bstream,varbit}.go
 */
#ifndef CODEC_BITSTREAM_H
#define CODEC_BITSTREAM_H

#include "base/attr.h"
#include "base/bits.h"
#include "base/buf.h"

#include <stdbool.h>

/* One unaligned load shows at least this many bits from any position. */
enum { BITS_PEEK = 57 };

struct bitreader {
    const char *p;
    size_t n;   /* bytes */
    size_t pos; /* bits */
};

static inline uint64_t bits_peek_tail(const struct bitreader *r, size_t byte)
{
    uint64_t x = 0;
    for (size_t i = 0; i < 8; i++) {
        x = x << 8 | (byte + i < r->n ? (unsigned char)r->p[byte + i] : 0U);
    }
    return x;
}

/* The next bits, left-aligned. */
static inline uint64_t bits_peek(const struct bitreader *r)
{
    size_t byte = r->pos >> 3;
    uint64_t x = LIKELY(byte + 8 <= r->n) ? load_be64(r->p + byte) : bits_peek_tail(r, byte);
    return x << (r->pos & 7);
}

static inline uint64_t bits_take(struct bitreader *r, unsigned n) /* 1..64 */
{
    if (LIKELY(n <= BITS_PEEK)) {
        uint64_t x = bits_peek(r) >> (64 - n);
        r->pos += n;
        return x;
    }
    uint64_t high = bits_peek(r) >> 32;
    r->pos += 32;
    uint64_t low = bits_peek(r) >> (64 - (n - 32));
    r->pos += n - 32;
    return high << (n - 32) | low;
}

static inline bool bits_over(const struct bitreader *r) { return r->pos > r->n * 8; }

/* A field of width w whose 2^(w-1) is positive. */
static inline uint64_t bits_widen(uint64_t bits, unsigned w)
{
    return bits > UINT64_C(1) << (w - 1) ? bits - (UINT64_C(1) << w) : bits;
}

/* LEB128, and with zigzag, wherever in a byte they begin. */
uint64_t bits_take_uvarint(struct bitreader *r);
int64_t bits_take_varint(struct bitreader *r);

uint64_t bits_take_varbit(struct bitreader *r);
int64_t bits_take_varbit_signed(struct bitreader *r);

struct bitwriter {
    struct buf *b;
    unsigned used; /* bits of b's last byte; 0: all of them */
};

void bits_put(struct bitwriter *w, uint64_t bits, unsigned n); /* the low n, 1..64 */
void bits_put_varbit(struct bitwriter *w, uint64_t v);
void bits_put_varbit_signed(struct bitwriter *w, int64_t v);

/*
 * A double as the XOR with the one before: 0 same | 10 bits in the last window | 11, 5 bits leading, 6 bits length (0 is
 * 64), bits. A new value has lead BITS_NO_WINDOW and the bits of the double that was stored whole.
 */
struct bits_double {
    uint64_t v;
    uint8_t lead, trail;
};
#define BITS_NO_WINDOW 255U

void bits_put_double(struct bitwriter *w, struct bits_double *d, double v);
double bits_take_double(struct bitreader *r, struct bits_double *d);

#endif
