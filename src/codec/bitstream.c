/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/bitstream.h"

/* Widths of a varbit field by the ones in front of it; the last prefix has no zero behind it. */
static const uint8_t WIDTHS[] = { 0, 3, 6, 9, 12, 18, 25, 56, 64 };
enum { PREFIX_MAX = 8 };

void bits_put(struct bitwriter *w, uint64_t bits, unsigned n)
{
    while (n > 0) {
        unsigned free = 8 - w->used, take = n < free ? n : free;
        uint8_t part = (uint8_t)(bits >> (n - take) & ((1U << take) - 1));
        if (w->used == 0) {
            buf_char(w->b, (char)(uint8_t)(part << (8 - take)));
        } else if (w->b->n) {
            w->b->p[w->b->n - 1] = (char)(uint8_t)((uint8_t)w->b->p[w->b->n - 1] |
                                                   part << (free - take));
        }
        w->used = (w->used + take) & 7;
        n -= take;
    }
}

static void put_prefixed(struct bitwriter *w, unsigned ones, uint64_t v)
{
    if (ones < PREFIX_MAX) {
        bits_put(w, (UINT64_C(2) << ones) - 2, ones + 1);
    } else {
        bits_put(w, 0xff, PREFIX_MAX);
    }
    if (WIDTHS[ones]) bits_put(w, v, WIDTHS[ones]);
}

void bits_put_varbit(struct bitwriter *w, uint64_t v)
{
    unsigned ones = 0;
    while (ones < PREFIX_MAX && v >> WIDTHS[ones] != 0) ones++;
    put_prefixed(w, ones, v);
}

static bool fits_signed(int64_t v, unsigned width)
{
    if (width == 0) return v == 0;
    int64_t top = INT64_C(1) << (width - 1);
    return v > -top && v <= top;
}

void bits_put_varbit_signed(struct bitwriter *w, int64_t v)
{
    unsigned ones = 0;
    while (ones < PREFIX_MAX && !fits_signed(v, WIDTHS[ones])) ones++;
    put_prefixed(w, ones, (uint64_t)v);
}

uint64_t bits_take_uvarint(struct bitreader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint64_t byte = bits_take(r, 8);
        v |= (byte & 0x7f) << shift;
        if (!(byte & 0x80)) break;
    }
    return v;
}

int64_t bits_take_varint(struct bitreader *r)
{
    uint64_t u = bits_take_uvarint(r);
    return (int64_t)(u >> 1 ^ (0 - (u & 1)));
}

static unsigned take_prefix(struct bitreader *r)
{
    unsigned ones = (unsigned)__builtin_clzll(~bits_peek(r) | UINT64_C(1) << (63 - PREFIX_MAX));
    r->pos += ones < PREFIX_MAX ? ones + 1 : PREFIX_MAX;
    return ones;
}

uint64_t bits_take_varbit(struct bitreader *r)
{
    unsigned width = WIDTHS[take_prefix(r)];
    return width ? bits_take(r, width) : 0;
}

int64_t bits_take_varbit_signed(struct bitreader *r)
{
    unsigned width = WIDTHS[take_prefix(r)];
    if (width == 0) return 0;
    uint64_t v = bits_take(r, width);
    return (int64_t)(width == 64 ? v : bits_widen(v, width));
}

void bits_put_double(struct bitwriter *w, struct bits_double *d, double v)
{
    uint64_t x = bits_of_double(v) ^ d->v;
    d->v = bits_of_double(v);
    if (x == 0) {
        bits_put(w, 0, 1);
        return;
    }
    unsigned lead = (unsigned)__builtin_clzll(x), trail = (unsigned)__builtin_ctzll(x);
    if (lead > 31) lead = 31;
    if (d->lead != BITS_NO_WINDOW && lead >= d->lead && trail >= d->trail) {
        bits_put(w, 0x2, 2);
        bits_put(w, x >> d->trail, 64U - d->lead - d->trail);
        return;
    }
    unsigned len = 64 - lead - trail;
    bits_put(w, 0x3U << 11 | lead << 6 | (len & 63), 13);
    bits_put(w, x >> trail, len);
    d->lead = (uint8_t)lead;
    d->trail = (uint8_t)trail;
}

double bits_take_double(struct bitreader *r, struct bits_double *d)
{
    uint64_t x = bits_peek(r);
    if (!(x >> 63)) {
        r->pos += 1;
        return double_of_bits(d->v);
    }
    if (x >> 62 == 2) {
        r->pos += 2;
        if (d->lead == BITS_NO_WINDOW) d->lead = d->trail = 0; /* no encoder writes this */
    } else {
        unsigned lead = (unsigned)(x >> 57) & 31, len = (unsigned)(x >> 51) & 63;
        if (len == 0) len = 64;
        if (lead + len > 64) len = 64 - lead; /* nor this; the shifts stay defined */
        d->lead = (uint8_t)lead;
        d->trail = (uint8_t)(64 - lead - len);
        r->pos += 13;
    }
    d->v ^= bits_take(r, 64U - d->lead - d->trail) << d->trail;
    return double_of_bits(d->v);
}
