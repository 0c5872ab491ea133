/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/xor.h"

#include "base/assert.h"
#include "codec/bitstream.h"

/*
 * Encoding
 */

static void append_bits(struct bitwriter *w, const struct xor_bits *bits)
{
    for (unsigned i = 0; i < bits->n; i += 64) {
        unsigned left = bits->n - i < 64 ? bits->n - i : 64;
        bits_put(w, bits->w[i >> 6] >> (64 - left), left);
    }
}

void xor_encode_chunk(const int64_t *t, const double *v, size_t n, struct buf *b)
{
    ASSERT(n <= UINT16_MAX);
    struct xor_state s = { .lead = XOR_NO_WINDOW };
    struct bitwriter w = { .b = b };
    buf_char(b, (char)(n >> 8));
    buf_char(b, (char)(n & 0xff));
    for (size_t i = 0; i < n; i++) {
        struct xor_bits bits = { 0 };
        xor_encode(&s, t[i], bits_of_double(v[i]), &bits);
        append_bits(&w, &bits);
    }
}

/*
 * Decoding: one peek shows every prefix with its field but the 64-bit ones. Running past the end is noticed once a sample.
 */

static inline uint64_t take_dod(struct bitreader *r)
{
    uint64_t x = bits_peek(r);
    if (!(x >> 63)) {
        r->pos += 1;
        return 0;
    }
    if (x >> 62 == 2) {
        r->pos += 16;
        return bits_widen(x << 2 >> 50, 14);
    }
    if (x >> 61 == 6) {
        r->pos += 20;
        return bits_widen(x << 3 >> 47, 17);
    }
    if (x >> 60 == 14) {
        r->pos += 24;
        return bits_widen(x << 4 >> 44, 20);
    }
    r->pos += 4;
    return bits_take(r, 64);
}

struct window {
    unsigned trail, len;
};

/* The XOR with the value before. */
static inline uint64_t take_value(struct bitreader *r, struct window *w)
{
    uint64_t x = bits_peek(r);
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
    return bits_take(r, w->len) << w->trail;
}

size_t xor_count(struct str chunk) { return chunk.n < 2 ? 0 : load_be16(chunk.p); }

enum err xor_decode(struct str chunk, int64_t *t, double *v)
{
    if (chunk.n < 2) return ERR_CORRUPT;
    return xor_decode_stream(str_from(chunk, 2), xor_count(chunk), t, v);
}

enum err xor_decode_stream(struct str bits, size_t n, int64_t *t, double *v)
{
    struct bitreader r = { .p = bits.p, .n = bits.n };
    struct window w = { .trail = 0, .len = 64 };
    uint64_t now = 0, value = 0, delta = 0;
    for (size_t i = 0; i < n;) {
        /* Constant series on an exact grid are runs of 00: as many samples a step as the load shows. */
        uint64_t x = i > 1 ? bits_peek(&r) : ~UINT64_C(0);
        if (!(x >> 62)) {
            size_t run = (size_t)__builtin_clzll(x | UINT64_C(1) << (64 - BITS_PEEK)) / 2;
            if (run > n - i) run = n - i;
            for (size_t end = i + run; i < end; i++) {
                now += delta;
                t[i] = (int64_t)now;
                v[i] = double_of_bits(value);
            }
            r.pos += 2 * run;
        } else {
            if (i == 0) {
                uint64_t u = bits_take_uvarint(&r);
                now = u >> 1 ^ (0 - (u & 1));
                value = bits_take(&r, 64);
            } else {
                delta = i == 1 ? bits_take_uvarint(&r) : delta + take_dod(&r);
                now += delta;
                value ^= take_value(&r, &w);
            }
            t[i] = (int64_t)now;
            v[i++] = double_of_bits(value);
        }
        if (UNLIKELY(bits_over(&r))) return ERR_CORRUPT;
    }
    return OK;
}
