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
