/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/xor2.h"

#include "codec/bitstream.h"

enum { HEADER = 3, ST_FIRST = 0x80, ST_FROM = 0x7f };

#define STALE_BITS UINT64_C(0x7ff0000000000002)

struct decoder {
    struct bitreader r;
    uint64_t t, delta;
    uint64_t told; /* bits of the last value that was no marker */
    unsigned lead, trail;
};

static int64_t signed_of(uint64_t bits, unsigned width) /* two's complement */
{
    return (int64_t)(bits << (64 - width)) >> (64 - width);
}

static void take_window(struct decoder *d)
{
    unsigned lead = (unsigned)bits_take(&d->r, 5), len = (unsigned)bits_take(&d->r, 6);
    if (len == 0) len = 64;
    if (lead + len > 64) len = 64 - lead; /* no encoder writes this; keep the shift defined */
    d->lead = lead;
    d->trail = 64 - lead - len;
}

static uint64_t take_changed(struct decoder *d)
{
    d->told ^= bits_take(&d->r, 64 - d->lead - d->trail) << d->trail;
    return d->told;
}

static uint64_t take_value(struct decoder *d)
{
    if (!bits_take(&d->r, 1)) return d->told;
    if (!bits_take(&d->r, 1)) return take_changed(d);
    if (bits_take(&d->r, 1)) return STALE_BITS;
    take_window(d);
    return take_changed(d);
}

/* Widths of the delta of deltas behind 110, 1110 and 11110. */
static const uint8_t WIDTHS[] = { 13, 20, 64 };

static uint64_t take_joint(struct decoder *d)
{
    unsigned ones = 0;
    while (ones < 5 && bits_take(&d->r, 1)) ones++;
    if (ones >= 2 && ones < 5) {
        unsigned width = WIDTHS[ones - 2];
        d->delta += (uint64_t)signed_of(bits_take(&d->r, width), width);
    }
    d->t += d->delta;
    if (ones == 0) return d->told;
    if (ones == 5) return STALE_BITS;
    if (ones > 1) return take_value(d);
    if (bits_take(&d->r, 1)) take_window(d);
    return take_changed(d);
}

static uint64_t take_sample(struct decoder *d, size_t i)
{
    if (i == 0) {
        d->t = (uint64_t)bits_take_varint(&d->r);
        uint64_t v = bits_take(&d->r, 64);
        if (v != STALE_BITS) d->told = v;
        return v;
    }
    if (i > 1) return take_joint(d);
    d->delta = bits_take_uvarint(&d->r);
    d->t += d->delta;
    return take_value(d);
}

static void skip_start_time(struct decoder *d, unsigned header, size_t i)
{
    if (i == 0) {
        if (header & ST_FIRST) (void)bits_take_varint(&d->r);
    } else if ((header & ST_FROM) && i >= (header & ST_FROM)) {
        (void)bits_take_varbit_signed(&d->r);
    }
}

enum err xor2_decode(struct str chunk, int64_t *t, double *v)
{
    if (chunk.n < HEADER) return ERR_CORRUPT;
    size_t n = load_be16(chunk.p);
    unsigned header = (unsigned char)chunk.p[2];
    struct decoder d = { .r = { .p = chunk.p + HEADER, .n = chunk.n - HEADER } };
    for (size_t i = 0; i < n; i++) {
        uint64_t bits = take_sample(&d, i);
        skip_start_time(&d, header, i);
        if (bits_over(&d.r)) return ERR_CORRUPT;
        t[i] = (int64_t)d.t;
        v[i] = double_of_bits(bits);
    }
    return OK;
}
