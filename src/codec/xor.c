/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/xor.h"

#include "base/assert.h"

/*
 * Encoding
 */

static void append_bits(struct buf *b, unsigned *used, const struct xor_bits *bits)
{
    for (unsigned i = 0; i < bits->n; i += 8) {
        unsigned left = bits->n - i < 8 ? bits->n - i : 8;
        uint8_t byte = (uint8_t)(bits->w[i >> 6] >> (56 - (i & 63)));
        if (*used == 0) {
            buf_char(b, (char)byte);
        } else {
            b->p[b->n - 1] = (char)((uint8_t)b->p[b->n - 1] | byte >> *used);
            if (left > 8 - *used) buf_char(b, (char)(uint8_t)(byte << (8 - *used)));
        }
        *used = (*used + left) & 7;
    }
}

void xor_encode_chunk(const int64_t *t, const double *v, size_t n, struct buf *b)
{
    ASSERT(n <= UINT16_MAX);
    struct xor_state s = { .lead = XOR_NO_WINDOW };
    unsigned used = 0; /* bits of the last byte */
    buf_char(b, (char)(n >> 8));
    buf_char(b, (char)(n & 0xff));
    for (size_t i = 0; i < n; i++) {
        struct xor_bits bits = { 0 };
        xor_encode(&s, t[i], bits_of_double(v[i]), &bits);
        append_bits(b, &used, &bits);
    }
}

/*
 * Decoding: one unaligned load shows at least 57 bits from any position, enough for every prefix with its field but
 * the 64-bit ones. Behind the end it shows zeros; running past it is noticed once a sample.
 */

enum { PEEK_BITS = 57 };

struct reader {
    const char *p;
    size_t n;   /* bytes */
    size_t pos; /* bits */
};

static uint64_t peek_tail(const struct reader *r, size_t byte)
{
    uint64_t x = 0;
    for (size_t i = 0; i < 8; i++) {
        x = x << 8 | (byte + i < r->n ? (unsigned char)r->p[byte + i] : 0U);
    }
    return x;
}

static inline uint64_t peek(const struct reader *r)
{
    size_t byte = r->pos >> 3;
    uint64_t x = LIKELY(byte + 8 <= r->n) ? load_be64(r->p + byte) : peek_tail(r, byte);
    return x << (r->pos & 7);
}

static inline uint64_t take(struct reader *r, unsigned n) /* 1..64 */
{
    if (LIKELY(n <= PEEK_BITS)) {
        uint64_t x = peek(r) >> (64 - n);
        r->pos += n;
        return x;
    }
    uint64_t high = peek(r) >> 32;
    r->pos += 32;
    uint64_t low = peek(r) >> (64 - (n - 32));
    r->pos += n - 32;
    return high << (n - 32) | low;
}

static uint64_t take_uvarint(struct reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint64_t byte = take(r, 8);
        v |= (byte & 0x7f) << shift;
        if (!(byte & 0x80)) break;
    }
    return v;
}

/* Width w, and 2^(w-1) itself is positive. */
static inline uint64_t widen(uint64_t bits, unsigned w)
{
    return bits > UINT64_C(1) << (w - 1) ? bits - (UINT64_C(1) << w) : bits;
}

static inline uint64_t take_dod(struct reader *r)
{
    uint64_t x = peek(r);
    if (!(x >> 63)) {
        r->pos += 1;
        return 0;
    }
    if (x >> 62 == 2) {
        r->pos += 16;
        return widen(x << 2 >> 50, 14);
    }
    if (x >> 61 == 6) {
        r->pos += 20;
        return widen(x << 3 >> 47, 17);
    }
    if (x >> 60 == 14) {
        r->pos += 24;
        return widen(x << 4 >> 44, 20);
    }
    r->pos += 4;
    return take(r, 64);
}

struct window {
    unsigned trail, len;
};

/* The XOR with the value before. */
static inline uint64_t take_value(struct reader *r, struct window *w)
{
    uint64_t x = peek(r);
    if (!(x >> 63)) {
        r->pos += 1;
        return 0;
    }
    if (x >> 62 == 2) {
        r->pos += 2;
    } else {
        unsigned lead = (unsigned)(x >> 57) & 31, len = (unsigned)(x >> 51) & 63;
        if (len == 0) len = 64;
        if (lead + len > 64) len = 64 - lead; /* no encoder writes this; keep the shift defined */
        *w = (struct window){ .trail = 64 - lead - len, .len = len };
        r->pos += 13;
    }
    return take(r, w->len) << w->trail;
}

size_t xor_count(struct str chunk) { return chunk.n < 2 ? 0 : load_be16(chunk.p); }

enum err xor_decode(struct str chunk, int64_t *t, double *v)
{
    if (chunk.n < 2) return ERR_CORRUPT;
    return xor_decode_stream(str_from(chunk, 2), xor_count(chunk), t, v);
}

enum err xor_decode_stream(struct str bits, size_t n, int64_t *t, double *v)
{
    struct reader r = { .p = bits.p, .n = bits.n };
    struct window w = { .trail = 0, .len = 64 };
    uint64_t now = 0, value = 0, delta = 0;
    for (size_t i = 0; i < n;) {
        /* Constant series on an exact grid are runs of 00: as many samples a step as the load shows. */
        uint64_t x = i > 1 ? peek(&r) : ~UINT64_C(0);
        if (!(x >> 62)) {
            size_t run = (size_t)__builtin_clzll(x | UINT64_C(1) << (64 - PEEK_BITS)) / 2;
            if (run > n - i) run = n - i;
            for (size_t end = i + run; i < end; i++) {
                now += delta;
                t[i] = (int64_t)now;
                v[i] = double_of_bits(value);
            }
            r.pos += 2 * run;
        } else {
            if (i == 0) {
                uint64_t u = take_uvarint(&r);
                now = u >> 1 ^ (0 - (u & 1));
                value = take(&r, 64);
            } else {
                delta = i == 1 ? take_uvarint(&r) : delta + take_dod(&r);
                now += delta;
                value ^= take_value(&r, &w);
            }
            t[i] = (int64_t)now;
            v[i++] = double_of_bits(value);
        }
        if (UNLIKELY(r.pos > r.n * 8)) return ERR_CORRUPT;
    }
    return OK;
}
