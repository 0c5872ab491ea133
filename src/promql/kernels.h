/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernels.h - functions over the samples of one window
 *
 * Shape:  pure: samples in, one number out. A kernel that has no answer returns false.
 * Source: promql/functions.go, promql/quantile.go of Prometheus 3.14; the order of every float operation is kept.
 */
#ifndef PROMQL_KERNELS_H
#define PROMQL_KERNELS_H

#include "promql/functions.h"

#include <math.h>

struct window {
    const int64_t *t;
    const double *v;
    size_t n;               /* > 0 */
    int64_t start, end;     /* the samples are in (start, end] */
    int64_t now;            /* time of evaluation */
    const uint32_t *resets; /* indexes into v where a value is below the one before it, ascending */
    size_t resets_n;
    double p[2];     /* scalar arguments, in order */
    double *scratch; /* room for n values */
};

typedef bool kernel_fn(const struct window *w, double *out);

struct kernel {
    kernel_fn *fn;
    bool keeps_name;
    bool wants_resets;
};

/* NULL fn: no range function computed window by window. */
const struct kernel *kernel_of(enum function_id id);

/* Neumaier's summation: *sum + *c is the sum; Source: util/kahansum */
static inline void kahan_add(double x, double *sum, double *c)
{
    double t = *sum + x;
    if (isinf(t)) {
        *c = 0;
    } else if (fabs(*sum) >= fabs(x)) {
        *c += (*sum - t) + x;
    } else {
        *c += (x - t) + *sum;
    }
    *sum = t;
}

/* A mean by compensated sum, until the sum overflows; then incremental. Zeroed: empty. */
struct mean {
    double sum, c, n;
    bool incremental; /* sum is the mean so far */
};
void mean_add(struct mean *m, double x);
double mean_value(const struct mean *m);

/*
 * What extrapolation needs of a window's times alone: seconds between its first and last sample, and from them to the
 * window's ends, already cut to half an interval where the end is further away than 1.1 intervals.
 */
struct rate_terms {
    double sampled, to_start, to_end;
};
static inline struct rate_terms rate_terms_of(int64_t first, int64_t last, size_t n, int64_t start,
                                              int64_t end)
{
    struct rate_terms r;
    r.to_start = (double)(first - start) / 1000;
    r.to_end = (double)(end - last) / 1000;
    r.sampled = (double)(last - first) / 1000;
    double average = r.sampled / (double)(n - 1);
    double threshold = average * 1.1;
    if (r.to_start >= threshold) r.to_start = average / 2;
    if (r.to_end >= threshold) r.to_end = average / 2;
    return r;
}

/* seconds: the window's length for a rate, 0 for an increase or a delta */
static inline double rate_factor(struct rate_terms r, double to_start, double seconds)
{
    double factor = (r.sampled + to_start + r.to_end) / r.sampled;
    return seconds > 0 ? factor / seconds : factor;
}

/* A counter is not below zero: no further back than where its line meets zero. */
static inline double rate_to_start(struct rate_terms r, double first, double sum)
{
    double to_zero = r.to_start;
    if (sum > 0 && first >= 0) to_zero = r.sampled * (first / sum);
    return to_zero < r.to_start ? to_zero : r.to_start;
}

/* Sorts v, NaN first. q outside [0, 1] gives an infinity, NaN gives NaN. */
double quantile_of(double q, double *v, size_t n);

/* NaN below everything. */
int compare_values(const void *a, const void *b);

struct line {
    double slope, intercept;
};
struct line line_through(const int64_t *t, const double *v, size_t n, int64_t origin);

/*
 * The same with anchored or smoothed: no extrapolation, but the samples just outside the window count, as far as
 * lookback away. w holds all samples of the series, (w->start, w->end] is the window.
 */
bool kernel_extended(enum function_id id, const struct window *w, bool smoothed, int64_t lookback,
                     double *out);

#endif
