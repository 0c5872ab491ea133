/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xor.h - Prometheus' XOR chunks: times as deltas of deltas, values as XOR with the one before
 *
 * Shape:  BE16 count, then a bit stream, most significant bit first:
 *           sample 0   varint t, 64 bits v
 *           sample 1   uvarint t - t0, value code
 *           sample n   dod code, value code
 *         dod code     0 | 10+14 | 110+17 | 1110+20 | 1111+64 bits, two's complement, the range one up: -(2^(w-1)-1)..2^(w-1)
 *         value code   0 same | 10 bits in the last window | 11, 5 bits leading, 6 bits length (0 is 64), bits
 *         Values travel as the bits of the double: NaN payloads survive.
 * Source: Prometheus tsdb/chunkenc/xor.go, tsdb/docs/format/chunks.md
 */
#ifndef CODEC_XOR_H
#define CODEC_XOR_H

#include "base/bits.h"
#include "base/buf.h"
#include "base/err.h"

/* What the encoder must remember between two samples of a chunk. Zeroed, with lead XOR_NO_WINDOW, it is a new chunk. */
struct xor_state {
    int64_t t;
    uint64_t v;
    uint64_t delta;
    unsigned n;
    unsigned lead, trail; /* window of the last stored bits */
};

#define XOR_NO_WINDOW 255U

/* Bits of one sample, left-aligned: never more than XOR_SAMPLE_BITS_MAX. */
struct xor_bits {
    uint64_t w[3];
    unsigned n;
};

#define XOR_SAMPLE_BITS_MAX 160U

static inline void xor_bits_put(struct xor_bits *b, uint64_t bits, unsigned n)
{
    unsigned at = b->n & 63, i = b->n >> 6;
    uint64_t left = bits << (64 - n); /* n is 1..64 */
    b->w[i] |= left >> at;
    if (at + n > 64) b->w[i + 1] |= left << (64 - at);
    b->n += n;
}

/* Zigzag and little groups of seven, as Go's binary.PutVarint. */
static inline void xor_put_uvarint(struct xor_bits *b, uint64_t u)
{
    for (; u >= 0x80; u >>= 7) xor_bits_put(b, (u & 0x7f) | 0x80, 8);
    xor_bits_put(b, u, 8);
}

static inline void xor_put_dod(struct xor_bits *b, int64_t dod)
{
    uint64_t u = (uint64_t)dod;
    if (dod == 0) {
        xor_bits_put(b, 0, 1);
    } else if (dod >= -8191 && dod <= 8192) {
        xor_bits_put(b, 0x2U << 14 | (u & 0x3fff), 16);
    } else if (dod >= -65535 && dod <= 65536) {
        xor_bits_put(b, 0x6U << 17 | (u & 0x1ffff), 20);
    } else if (dod >= -524287 && dod <= 524288) {
        xor_bits_put(b, 0xeU << 20 | (u & 0xfffff), 24);
    } else {
        xor_bits_put(b, 0xf, 4);
        xor_bits_put(b, u, 64);
    }
}

static inline void xor_put_value(struct xor_state *s, struct xor_bits *b, uint64_t v)
{
    uint64_t x = v ^ s->v;
    if (x == 0) {
        xor_bits_put(b, 0, 1);
        return;
    }
    unsigned lead = (unsigned)__builtin_clzll(x), trail = (unsigned)__builtin_ctzll(x);
    if (lead > 31) lead = 31;
    if (s->lead != XOR_NO_WINDOW && lead >= s->lead && trail >= s->trail) {
        xor_bits_put(b, 0x2, 2);
        xor_bits_put(b, x >> s->trail, 64 - s->lead - s->trail);
        return;
    }
    unsigned len = 64 - lead - trail;
    xor_bits_put(b, 0x3U << 11 | lead << 6 | (len & 63), 13);
    xor_bits_put(b, x >> trail, len);
    s->lead = lead;
    s->trail = trail;
}

/* The bits that sample (t, v) adds to the chunk; b is zeroed by the caller. In-line: the head does it for every sample. */
static inline void xor_encode(struct xor_state *s, int64_t t, uint64_t v, struct xor_bits *b)
{
    uint64_t delta = (uint64_t)t - (uint64_t)s->t;
    if (s->n == 0) {
        xor_put_uvarint(b, (uint64_t)t << 1 ^ (uint64_t)(t >> 63));
        xor_bits_put(b, v, 64);
        delta = 0;
    } else if (s->n == 1) {
        xor_put_uvarint(b, delta);
        xor_put_value(s, b, v);
    } else {
        xor_put_dod(b, (int64_t)(delta - s->delta));
        xor_put_value(s, b, v);
    }
    s->t = t;
    s->v = v;
    s->delta = delta;
    s->n++;
}

/* A whole chunk of n samples (at most 65535), appended to b. */
void xor_encode_chunk(const int64_t *t, const double *v, size_t n, struct buf *b);

/* Samples that a chunk says it holds; 0 where it is too short to say. */
size_t xor_count(struct str chunk);

/*
 * Decodes all xor_count() samples to t and v.
 * Errors: ERR_CORRUPT the stream ends before the samples do
 */
enum err xor_decode(struct str chunk, int64_t *t, double *v);

/* The same without the count in front. */
enum err xor_decode_stream(struct str bits, size_t n, int64_t *t, double *v);

#endif
