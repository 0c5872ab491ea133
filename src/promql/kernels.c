/* SPDX-License-Identifier: Apache-2.0 */
#include "promql/kernels.h"

#include "model/sample.h"

#include <stdlib.h>
#include <string.h>

/* ---- means, quantiles, lines ---- */

void mean_add(struct mean *m, double x)
{
    m->n++;
    if (!(m->n > 1)) {
        m->sum = x;
        return;
    }
    if (!m->incremental) {
        double sum = m->sum, c = m->c;
        kahan_add(x, &sum, &c);
        if (!isinf(sum)) {
            m->sum = sum;
            m->c = c;
            return;
        }
        m->incremental = true;
        m->sum /= m->n - 1;
        m->c /= m->n - 1;
    }
    double q = (m->n - 1) / m->n;
    m->sum *= q;
    m->c *= q;
    kahan_add(x / m->n, &m->sum, &m->c);
}

double mean_value(const struct mean *m)
{
    return m->incremental ? m->sum + m->c : m->sum / m->n + m->c / m->n;
}

int compare_values(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    if (isnan(x) || isnan(y)) return isnan(x) ? (isnan(y) ? 0 : -1) : 1;
    return x < y ? -1 : x > y;
}

double quantile_of(double q, double *v, size_t n)
{
    if (!n || isnan(q)) return NOT_A_NUMBER;
    if (q < 0) return -INFINITE;
    if (q > 1) return INFINITE;
    qsort(v, n, sizeof(*v), compare_values);
    double rank = q * ((double)n - 1);
    double lower = fmax(0, floor(rank));
    double upper = fmin((double)n - 1, lower + 1);
    double weight = rank - floor(rank);
    return v[(size_t)lower] * (1 - weight) + v[(size_t)upper] * weight;
}

struct line line_through(const int64_t *t, const double *v, size_t n, int64_t origin)
{
    double count = 0, sx = 0, cx = 0, sy = 0, cy = 0, sxy = 0, cxy = 0, sxx = 0, cxx = 0;
    bool flat = true;
    for (size_t i = 0; i < n; i++) {
        double x = (double)(t[i] - origin) / 1e3;
        if (v[i] < v[0] || v[i] > v[0] || isnan(v[i])) flat = false;
        count++;
        kahan_add(x, &sx, &cx);
        kahan_add(v[i], &sy, &cy);
        kahan_add(x * v[i], &sxy, &cxy);
        kahan_add(x * x, &sxx, &cxx);
    }
    if (flat && isinf(v[0])) return (struct line){ NOT_A_NUMBER, NOT_A_NUMBER };
    if (flat) return (struct line){ 0, v[0] };
    sx += cx;
    sy += cy;
    sxy += cxy;
    sxx += cxx;
    double covariance = sxy - sx * sy / count;
    double variance = sxx - sx * sx / count;
    double slope = covariance / variance;
    return (struct line){ slope, sy / count - slope * sx / count };
}

/* ---- the rate family ---- */

/* last - first, plus what each drop of a counter lost, in order */
static double increase_of(const struct window *w, bool counter)
{
    double sum = w->v[w->n - 1] - w->v[0];
    for (size_t i = 0; counter && i < w->resets_n; i++) sum += w->v[w->resets[i] - 1];
    return sum;
}

static bool extrapolated(const struct window *w, bool counter, bool rate, double *out)
{
    if (w->n < 2) return false;
    size_t last = w->n - 1;
    double sum = increase_of(w, counter);
    struct rate_terms r = rate_terms_of(w->t[0], w->t[last], w->n, w->start, w->end);
    double to_start = counter ? rate_to_start(r, w->v[0], sum) : r.to_start;
    *out = sum * rate_factor(r, to_start, rate ? (double)(w->end - w->start) / 1000 : 0);
    return true;
}

static bool k_rate(const struct window *w, double *out) { return extrapolated(w, true, true, out); }
static bool k_increase(const struct window *w, double *out)
{
    return extrapolated(w, true, false, out);
}
static bool k_delta(const struct window *w, double *out)
{
    return extrapolated(w, false, false, out);
}

static bool instantaneous(const struct window *w, bool rate, double *out)
{
    if (w->n < 2) return false;
    double last = w->v[w->n - 1], before = w->v[w->n - 2];
    int64_t apart = w->t[w->n - 1] - w->t[w->n - 2];
    if (!apart) return false;
    double v = rate && last < before ? last : last - before;
    *out = rate ? v / ((double)apart / 1000) : v;
    return true;
}

static bool k_irate(const struct window *w, double *out) { return instantaneous(w, true, out); }
static bool k_idelta(const struct window *w, double *out) { return instantaneous(w, false, out); }

static bool k_deriv(const struct window *w, double *out)
{
    if (w->n < 2) return false;
    *out = line_through(w->t, w->v, w->n, w->t[0]).slope;
    return true;
}

static bool k_predict_linear(const struct window *w, double *out)
{
    if (w->n < 2) return false;
    struct line l = line_through(w->t, w->v, w->n, w->now);
    *out = l.slope * w->p[0] + l.intercept;
    return true;
}

static bool k_double_exponential(const struct window *w, double *out)
{
    if (w->n < 2) return false;
    double sf = w->p[0], tf = w->p[1];
    double before = 0, now = w->v[0], trend = w->v[1] - w->v[0];
    for (size_t i = 1; i < w->n; i++) {
        if (i > 1) trend = tf * (now - before) + (1 - tf) * trend;
        double x = sf * w->v[i];
        double y = (1 - sf) * (now + trend);
        before = now;
        now = x + y;
    }
    *out = now;
    return true;
}

/* ---- over time ---- */

static bool differ(double a, double b)
{
    return (a < b || a > b || isnan(a) || isnan(b)) && !(isnan(a) && isnan(b));
}

static bool k_changes(const struct window *w, double *out)
{
    size_t n = 0;
    for (size_t i = 1; i < w->n; i++) n += differ(w->v[i], w->v[i - 1]);
    *out = (double)n;
    return true;
}

static bool k_resets(const struct window *w, double *out)
{
    *out = (double)w->resets_n;
    return true;
}

/*
 * The error of sum + x is a double of its own; Neumaier finds it by comparing, Knuth by six more additions and no
 * branch: the same number. False: the sum left the finite numbers, where the two differ; *sum and *c are of no use then.
 */
static bool sum_plainly(const struct window *w, double *sum, double *c)
{
    double s = w->v[0], error = 0;
    for (size_t i = 1; i < w->n; i++) {
        double x = w->v[i], t = s + x, back = t - s;
        error += (s - (t - back)) + (x - back);
        s = t;
    }
    *sum = s;
    *c = error;
    return isfinite(s);
}

static bool k_avg(const struct window *w, double *out)
{
    struct mean m = { 0 };
    if (sum_plainly(w, &m.sum, &m.c)) {
        *out = m.sum / (double)w->n + m.c / (double)w->n;
        return true;
    }
    m = (struct mean){ 0 };
    for (size_t i = 0; i < w->n; i++) mean_add(&m, w->v[i]);
    *out = mean_value(&m);
    return true;
}

static bool k_sum(const struct window *w, double *out)
{
    double sum, c;
    if (sum_plainly(w, &sum, &c)) {
        *out = sum + c;
        return true;
    }
    sum = c = 0;
    for (size_t i = 0; i < w->n; i++) kahan_add(w->v[i], &sum, &c);
    *out = isinf(sum) ? sum : sum + c;
    return true;
}

static bool k_count(const struct window *w, double *out)
{
    *out = (double)w->n;
    return true;
}

static size_t index_of_max(const struct window *w, bool last)
{
    size_t at = 0;
    for (size_t i = 1; i < w->n; i++) {
        if (w->v[i] > w->v[at] || isnan(w->v[at]) || (last && w->v[i] >= w->v[at])) at = i;
    }
    return at;
}

static size_t index_of_min(const struct window *w, bool last)
{
    size_t at = 0;
    for (size_t i = 1; i < w->n; i++) {
        if (w->v[i] < w->v[at] || isnan(w->v[at]) || (last && w->v[i] <= w->v[at])) at = i;
    }
    return at;
}

static bool k_max(const struct window *w, double *out)
{
    *out = w->v[index_of_max(w, false)];
    return true;
}

static bool k_min(const struct window *w, double *out)
{
    *out = w->v[index_of_min(w, false)];
    return true;
}

static bool k_first(const struct window *w, double *out)
{
    *out = w->v[0];
    return true;
}

static bool k_last(const struct window *w, double *out)
{
    *out = w->v[w->n - 1];
    return true;
}

static bool k_present(const struct window *w, double *out)
{
    (void)w;
    *out = 1;
    return true;
}

static bool k_stdvar(const struct window *w, double *out)
{
    double n = 0, mean = 0, c_mean = 0, aux = 0, c_aux = 0;
    for (size_t i = 0; i < w->n; i++) {
        n++;
        double delta = w->v[i] - (mean + c_mean);
        kahan_add(delta / n, &mean, &c_mean);
        kahan_add(delta * (w->v[i] - (mean + c_mean)), &aux, &c_aux);
    }
    *out = (aux + c_aux) / n;
    return true;
}

static bool k_stddev(const struct window *w, double *out)
{
    (void)k_stdvar(w, out);
    *out = sqrt(*out);
    return true;
}

static bool k_quantile(const struct window *w, double *out)
{
    memcpy(w->scratch, w->v, w->n * sizeof(double));
    *out = quantile_of(w->p[0], w->scratch, w->n);
    return true;
}

/* The median of the distances from the median; one NaN makes it NaN. */
static bool k_mad(const struct window *w, double *out)
{
    *out = NOT_A_NUMBER;
    for (size_t i = 0; i < w->n; i++) {
        if (isnan(w->v[i])) return true;
    }
    memcpy(w->scratch, w->v, w->n * sizeof(double));
    double median = quantile_of(0.5, w->scratch, w->n);
    for (size_t i = 0; i < w->n; i++) w->scratch[i] = fabs(w->v[i] - median);
    *out = quantile_of(0.5, w->scratch, w->n);
    return true;
}

static bool k_ts_first(const struct window *w, double *out)
{
    *out = (double)w->t[0] / 1000;
    return true;
}
static bool k_ts_last(const struct window *w, double *out)
{
    *out = (double)w->t[w->n - 1] / 1000;
    return true;
}
static bool k_ts_max(const struct window *w, double *out)
{
    *out = (double)w->t[index_of_max(w, true)] / 1000;
    return true;
}
static bool k_ts_min(const struct window *w, double *out)
{
    *out = (double)w->t[index_of_min(w, true)] / 1000;
    return true;
}

static const struct kernel KERNELS[FN_MAX_] = {
    [FN_AVG_OVER_TIME] = { k_avg, false, false },
    [FN_CHANGES] = { k_changes, false, false },
    [FN_COUNT_OVER_TIME] = { k_count, false, false },
    [FN_DELTA] = { k_delta, false, false },
    [FN_DERIV] = { k_deriv, false, false },
    [FN_DOUBLE_EXPONENTIAL_SMOOTHING] = { k_double_exponential, false, false },
    [FN_FIRST_OVER_TIME] = { k_first, true, false },
    [FN_IDELTA] = { k_idelta, false, false },
    [FN_INCREASE] = { k_increase, false, true },
    [FN_IRATE] = { k_irate, false, false },
    [FN_LAST_OVER_TIME] = { k_last, true, false },
    [FN_MAD_OVER_TIME] = { k_mad, false, false },
    [FN_MAX_OVER_TIME] = { k_max, false, false },
    [FN_MIN_OVER_TIME] = { k_min, false, false },
    [FN_PREDICT_LINEAR] = { k_predict_linear, false, false },
    [FN_PRESENT_OVER_TIME] = { k_present, false, false },
    [FN_QUANTILE_OVER_TIME] = { k_quantile, false, false },
    [FN_RATE] = { k_rate, false, true },
    [FN_RESETS] = { k_resets, false, true },
    [FN_STDDEV_OVER_TIME] = { k_stddev, false, false },
    [FN_STDVAR_OVER_TIME] = { k_stdvar, false, false },
    [FN_SUM_OVER_TIME] = { k_sum, false, false },
    [FN_TS_OF_FIRST_OVER_TIME] = { k_ts_first, false, false },
    [FN_TS_OF_LAST_OVER_TIME] = { k_ts_last, false, false },
    [FN_TS_OF_MAX_OVER_TIME] = { k_ts_max, false, false },
    [FN_TS_OF_MIN_OVER_TIME] = { k_ts_min, false, false },
};

const struct kernel *kernel_of(enum function_id id) { return &KERNELS[id]; }
