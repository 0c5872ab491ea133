/* SPDX-License-Identifier: Apache-2.0 */
#include "promql/windows.h"

void windows_init(struct query *q, struct windows *w, const struct frame *f, const struct range *r)
{
    *w = (struct windows){ .f = f, .range = *r };
    w->lo = arena_raw(q->a, f->n * sizeof(*w->lo));
    w->hi = arena_raw(q->a, f->n * sizeof(*w->hi));
}

static void keep_times(struct query *q, struct windows *w, const struct column *c)
{
    if (w->cap < c->n) {
        w->cap = c->n * 2;
        w->t = arena_raw(q->a, w->cap * sizeof(*w->t));
    }
    memcpy(w->t, c->t, c->n * sizeof(*w->t));
    w->n = c->n;
    w->rates_cut = false;
}

void windows_cut(struct query *q, struct windows *w, const struct column *c)
{
    if (w->n == c->n && memcmp(w->t, c->t, c->n * sizeof(*c->t)) == 0) return;
    keep_times(q, w, c);
    uint32_t lo = 0, hi = 0;
    for (size_t i = 0; i < w->f->n; i++) {
        int64_t end = place_time(&w->range.place, w->f, i);
        while (hi < c->n && c->t[hi] <= end) hi++;
        while (lo < hi && c->t[lo] <= end - w->range.ms) lo++;
        w->lo[i] = lo;
        w->hi[i] = hi;
    }
}

void resets_list(struct query *q, struct resets *r, const struct column *c)
{
    r->n = 0;
    if (r->cap < c->n) {
        r->cap = c->n * 2;
        r->v = arena_raw(q->a, r->cap * sizeof(*r->v));
    }
    for (size_t i = 1; i < c->n; i++) {
        if (c->v[i] < c->v[i - 1]) r->v[r->n++] = (uint32_t)i;
    }
}

/* ---- rate, increase, delta ---- */

static void cut_rates(struct query *q, struct windows *w, const struct column *c, bool rate)
{
    if (w->rates_cut) return;
    if (!w->terms) {
        w->terms = arena_raw(q->a, w->f->n * sizeof(*w->terms));
        w->factor = arena_raw(q->a, w->f->n * sizeof(*w->factor));
    }
    w->seconds = rate ? (double)w->range.ms / 1000 : 0;
    for (size_t i = 0; i < w->f->n; i++) {
        size_t lo = w->lo[i], hi = w->hi[i];
        if (hi - lo < 2) continue;
        int64_t end = place_time(&w->range.place, w->f, i);
        w->terms[i] = rate_terms_of(c->t[lo], c->t[hi - 1], hi - lo, end - w->range.ms, end);
        w->factor[i] = rate_factor(w->terms[i], w->terms[i].to_start, w->seconds);
    }
    w->rates_cut = true;
}

/*
 * Does the line surely meet zero before the window's stretched start? first / sum * sampled >= to_start without the
 * division; the margin is far above its rounding. If not sure, the exact way decides.
 */
static bool far_from_zero(const struct rate_terms *r, double first, double sum)
{
    return !(sum > 0 && first >= 0) || first * r->sampled > r->to_start * sum * 1.000001;
}

void windows_rate(struct query *q, struct windows *w, const struct column *c,
                  const struct resets *r, bool counter, bool rate, double *out)
{
    size_t from = 0;
    cut_rates(q, w, c, rate);
    for (size_t i = 0; i < w->f->n; i++) {
        size_t lo = w->lo[i], hi = w->hi[i];
        out[i] = ABSENT;
        if (hi - lo < 2) continue;
        double sum = c->v[hi - 1] - c->v[lo];
        if (counter) {
            while (from < r->n && r->v[from] <= lo) from++;
            for (size_t k = from; k < r->n && r->v[k] < hi; k++) sum += c->v[r->v[k] - 1];
        }
        double factor = w->factor[i];
        if (counter && !far_from_zero(&w->terms[i], c->v[lo], sum)) {
            factor = rate_factor(w->terms[i], rate_to_start(w->terms[i], c->v[lo], sum),
                                 w->seconds);
        }
        out[i] = sum * factor;
    }
}

/* ---- min_over_time, max_over_time ---- */

/*
 * room holds the candidates: indexes whose values fall (max) or rise (min) strictly or stay, so the first is the
 * window's answer. NaN is no candidate; a window of nothing else is NaN.
 */
void windows_extreme(struct windows *w, const struct column *c, bool max, uint32_t *room,
                     double *out)
{
    size_t head = 0, tail = 0, next = 0;
    for (size_t i = 0; i < w->f->n; i++) {
        for (; next < w->hi[i]; next++) {
            double v = c->v[next];
            if (isnan(v)) continue;
            while (tail > head && (max ? c->v[room[tail - 1]] < v : c->v[room[tail - 1]] > v)) {
                tail--;
            }
            room[tail++] = (uint32_t)next;
        }
        while (head < tail && room[head] < w->lo[i]) head++;
        if (w->hi[i] == w->lo[i]) {
            out[i] = ABSENT;
        } else {
            out[i] = head < tail ? c->v[room[head]] : c->v[w->hi[i] - 1];
        }
    }
}
