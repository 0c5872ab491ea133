/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample.h - times, values and the columns they travel in
 *
 * Time is int64_t milliseconds since 1970. A value is moved as a double, its NaN payload untouched.
 */
#ifndef MODEL_SAMPLE_H
#define MODEL_SAMPLE_H

#include "base/arena.h"
#include "base/bits.h"
#include "codec/histogram.h"

#include <stdbool.h>
#include <stddef.h>

struct sample {
    int64_t t;
    double v;
};

/* The NaN that ends a series. Every other NaN is a value. Source: model/value/value.go. */
#define STALE_NAN_BITS  UINT64_C(0x7ff0000000000002)
#define NORMAL_NAN_BITS UINT64_C(0x7ff8000000000001)
static inline double stale_nan(void) { return double_of_bits(STALE_NAN_BITS); }
static inline bool is_stale_nan(double v) { return bits_of_double(v) == STALE_NAN_BITS; }
static inline bool histogram_is_stale(const struct histogram *h) { return is_stale_nan(h->sum); }

/*
 * Samples of one series, ascending in t: arrays of their own, kept between uses. Where a sample is a native histogram,
 * h has it and v its sum; h is NULL for as long as all are floats. Histograms live in `room` until the column is cleared.
 */
struct column {
    int64_t *t;
    double *v;
    const struct histogram **h;
    size_t n, cap;
    struct arena room;
};

void column_reserve(struct column *c, size_t cap);
void column_clear(struct column *c);
void column_done(struct column *c);

/* The histogram is the caller's, in c->room or living as long. */
void column_push_histogram(struct column *c, int64_t t, const struct histogram *h);
static inline void column_push(struct column *c, int64_t t, double v)
{
    if (c->n == c->cap) column_reserve(c, c->cap ? c->cap * 2 : 256);
    if (c->h) c->h[c->n] = NULL;
    c->t[c->n] = t;
    c->v[c->n++] = v;
}

#endif
