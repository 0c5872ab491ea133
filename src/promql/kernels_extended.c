/* SPDX-License-Identifier: Apache-2.0 */
/* anchored and smoothed windows. Source: PROM-52; promql/functions.go extendedRate */
#include "promql/kernels.h"

/* First index in [0, n) whose time is after t; n when there is none. */
static size_t after(const int64_t *times, size_t n, int64_t t)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (times[mid] > t) {
            hi = mid;
        } else {
            lo = mid + 1;
        }
    }
    return lo;
}

/* On the line from sample i to the next; across a counter's reset the line begins at zero. */
static double on_line(const struct window *w, size_t i, int64_t t, bool counter)
{
    double y0 = w->v[i], y1 = w->v[i + 1];
    if (counter && y1 < y0) y0 = 0;
    return y0 + (y1 - y0) * (double)(t - w->t[i]) / (double)(w->t[i + 1] - w->t[i]);
}

static double lost_in_resets(const double *v, size_t n, double left, double right)
{
    double lost = 0, before = left;
    for (size_t i = 0; i < n; i++) {
        if (v[i] < before) lost += before;
        before = v[i];
    }
    return right < before ? lost + before : lost;
}

static double count_steps(const struct window *w, size_t first, size_t last, bool resets)
{
    size_t n = 0;
    for (size_t i = first + 1; i <= last; i++) {
        double a = w->v[i - 1], b = w->v[i];
        bool changed = !(a >= b && a <= b) && !(isnan(a) && isnan(b));
        n += resets ? b < a : changed;
    }
    return (double)n;
}

/* first: the newest sample at or before the left end, or the first there is; last: at or behind the right end. */
static bool ends_of(const struct window *w, bool smoothed, int64_t lookback, size_t *first,
                    size_t *last)
{
    size_t lo = after(w->t, w->n, w->start - lookback);
    size_t hi = after(w->t, w->n, smoothed ? w->end + lookback : w->end);
    if (lo >= hi) return false;
    size_t inside = after(w->t, hi, w->start);
    size_t end = hi - 1;
    if (smoothed) {
        size_t reach = after(w->t, hi, w->end - 1);
        if (reach < end) end = reach;
    }
    if (w->t[end] <= w->start) return false;
    *first = inside > lo ? inside - 1 : lo;
    *last = end;
    return w->t[*first] <= w->end;
}

bool kernel_extended(enum function_id id, const struct window *w, bool smoothed, int64_t lookback,
                     double *out)
{
    size_t first, last;
    if (!ends_of(w, smoothed, lookback, &first, &last)) return false;
    if (id == FN_CHANGES || id == FN_RESETS) {
        *out = count_steps(w, first, last, id == FN_RESETS);
        return true;
    }
    bool counter = id != FN_DELTA;
    double left = w->v[first], right = w->v[last];
    if (smoothed && w->t[first] < w->start) left = on_line(w, first, w->start, counter);
    if (smoothed && last > 0 && last > first && w->t[last] > w->end) {
        right = on_line(w, last - 1, w->end, counter);
    }
    double sum = right - left;
    if (counter) {
        size_t inner = last > first + 1 ? last - first - 1 : 0;
        sum += lost_in_resets(w->v + first + 1, inner, left, right);
    }
    *out = id == FN_RATE ? sum / ((double)(w->end - w->start) / 1000) : sum;
    return true;
}
