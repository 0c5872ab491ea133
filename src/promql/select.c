/* SPDX-License-Identifier: Apache-2.0 */
/* Selectors: from series of the store to rows, and to the samples that windows are cut from. */
#include "base/assert.h"
#include "promql/eval_priv.h"

enum err place_of(struct query *q, const struct shift *s, struct place *out)
{
    struct place p = { .fixed = s->at != AT_NONE };
    TRY(eval_span(q, s->offset, &p.offset));
    if (s->at == AT_TIME) p.at = s->at_ms;
    if (s->at == AT_START) p.at = q->start;
    if (s->at == AT_END) p.at = q->end;
    *out = p;
    return OK;
}

static enum err select_series(struct query *q, const struct node *sel, int64_t mint, int64_t maxt,
                              struct series **out, size_t *n)
{
    return q->qr->ops->select(q->qr, q->a, sel->selector.matchers, sel->selector.n, mint, maxt, out,
                              n, q->d);
}

/* Into q->col, which is the caller's until column_release(). */
static enum err column_read(struct query *q, const struct series *s, int64_t mint, int64_t maxt)
{
    ASSERT(!q->col_busy);
    column_clear(&q->col);
    TRY(q->qr->ops->read(q->qr, s, mint, maxt, &q->col));
    if (q->samples + q->col.n > q->o->max_samples) return query_hold(q, q->col.n);
    return OK;
}

/* ---- instant vectors ---- */

struct instant {
    const struct node *n;
    const struct frame *f;
    struct place place;
    bool times; /* the sample's time instead of its value */
    double *v;
};

static double instant_value(const struct instant *in, int64_t t, double v)
{
    if (is_stale_nan(v)) return ABSENT;
    return in->times ? (double)t / 1000 : v;
}

/* The newest sample in (T - lookback, T] of each time. */
static void fill_instants(struct query *q, const struct instant *in)
{
    const struct column *c = &q->col;
    int64_t lookback = q->o->lookback_ms;
    size_t hi = 0;
    for (size_t i = 0; i < in->f->n; i++) {
        int64_t t = place_time(&in->place, in->f, i);
        while (hi < c->n && c->t[hi] <= t) hi++;
        bool found = hi && c->t[hi - 1] > t - lookback;
        in->v[i] = found ? instant_value(in, c->t[hi - 1], c->v[hi - 1]) : ABSENT;
    }
}

static double between(int64_t t0, double v0, int64_t t1, double v1, int64_t t)
{
    return v0 + (v1 - v0) * (double)(t - t0) / (double)(t1 - t0);
}

/* smoothed: on the line between the samples around T, at most one lookback away on either side. */
static void fill_smoothed(struct query *q, const struct instant *in)
{
    const struct column *c = &q->col;
    int64_t lookback = q->o->lookback_ms;
    size_t hi = 0;
    for (size_t i = 0; i < in->f->n; i++) {
        int64_t t = place_time(&in->place, in->f, i);
        while (hi < c->n && c->t[hi] <= t) hi++;
        bool before = hi && c->t[hi - 1] > t - lookback;
        bool after = hi < c->n && c->t[hi] <= t + lookback;
        double v = ABSENT;
        if (before && (c->t[hi - 1] == t || !after)) {
            v = c->v[hi - 1];
        } else if (before) {
            v = between(c->t[hi - 1], c->v[hi - 1], c->t[hi], c->v[hi], t);
        }
        in->v[i] = v;
    }
}

static void drop_stale(struct column *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (is_stale_nan(c->v[i])) continue;
        c->t[n] = c->t[i];
        c->v[n++] = c->v[i];
    }
    c->n = n;
}

/* One time needs no column: the store knows its newest sample. */
static void fill_one(struct query *q, const struct instant *in, const struct series *s)
{
    struct sample got;
    int64_t t = place_time(&in->place, in->f, 0);
    bool found = q->qr->ops->last(q->qr, s, t - q->o->lookback_ms + 1, t, &got);
    in->v[0] = found ? instant_value(in, got.t, got.v) : ABSENT;
}

static enum err fill(struct query *q, const struct instant *in, const struct series *s)
{
    bool smoothed = in->n->selector.smoothed;
    if (in->f->n == 1 && !smoothed) {
        fill_one(q, in, s);
        return OK;
    }
    int64_t first = place_time(&in->place, in->f, 0);
    int64_t last = place_time(&in->place, in->f, in->f->n - 1);
    int64_t beyond = smoothed ? q->o->lookback_ms : 0;
    TRY(column_read(q, s, first - q->o->lookback_ms + 1, last + beyond));
    if (smoothed) {
        drop_stale(&q->col);
        fill_smoothed(q, in);
    } else {
        fill_instants(q, in);
    }
    return OK;
}

static enum err instant_rows(struct query *q, struct instant *in, row_fn *fn, void *ctx)
{
    struct series *series;
    size_t n;
    TRY(place_of(q, &in->n->selector.shift, &in->place));
    int64_t first = place_time(&in->place, in->f, 0);
    int64_t last = place_time(&in->place, in->f, in->f->n - 1);
    if (in->n->selector.smoothed) last += q->o->lookback_ms;
    TRY(select_series(q, in->n, first - q->o->lookback_ms + 1, last, &series, &n));
    in->v = values_new(q, in->f);
    for (size_t i = 0; i < n; i++) {
        TRY(query_tick(q));
        TRY(fill(q, in, &series[i]));
        struct row r = { series[i].lb, in->v, false };
        TRY(fn(q, ctx, &r));
    }
    return OK;
}

enum err select_rows(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                     void *ctx)
{
    struct instant in = { .n = n, .f = f };
    return instant_rows(q, &in, fn, ctx);
}

enum err select_timestamps(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                           void *ctx)
{
    struct instant in = { .n = n, .f = f, .times = true };
    return instant_rows(q, &in, fn, ctx);
}

/* ---- range vectors ---- */

enum err range_of(struct query *q, const struct node *n, struct range *out)
{
    struct range r = { .n = n };
    bool matrix = n->kind == NODE_MATRIX;
    TRY(eval_span(q, matrix ? n->matrix.range : n->subquery.range, &r.ms));
    const struct node *sel = matrix ? n->matrix.selector : NULL;
    TRY(place_of(q, sel ? &sel->selector.shift : &n->subquery.shift, &r.place));
    if (r.ms <= 0) return query_fail(q, "duration must be greater than 0");
    if (sel && (sel->selector.anchored || sel->selector.smoothed)) r.before = q->o->lookback_ms;
    if (sel && sel->selector.smoothed) r.after = q->o->lookback_ms;
    *out = r;
    return OK;
}

static enum err matrix_each(struct query *q, const struct range *r, const struct frame *f,
                            column_fn *fn, void *ctx)
{
    struct series *series;
    size_t n;
    int64_t mint = place_time(&r->place, f, 0) - r->ms - r->before + 1;
    int64_t maxt = place_time(&r->place, f, f->n - 1) + r->after;
    TRY(select_series(q, r->n->matrix.selector, mint, maxt, &series, &n));
    for (size_t i = 0; i < n; i++) {
        TRY(query_tick(q));
        TRY(column_read(q, &series[i], mint, maxt));
        drop_stale(&q->col);
        q->col_busy = true;
        enum err e = fn(q, ctx, series[i].lb, false, &q->col);
        q->col_busy = false;
        TRY(e);
    }
    return OK;
}

/* A subquery's rows as columns: what is absent is no sample. */
struct subquery {
    const struct frame *f;
    column_fn *fn;
    void *ctx;
    struct column c;
};

static enum err subquery_row(struct query *q, void *ctx, struct row *r)
{
    struct subquery *s = ctx;
    column_clear(&s->c);
    for (size_t i = 0; i < s->f->n; i++) {
        if (is_absent(r->v[i])) continue;
        s->c.t[s->c.n] = frame_time(s->f, i);
        s->c.v[s->c.n++] = r->v[i];
    }
    return s->fn(q, s->ctx, r->lb, r->drop, &s->c);
}

/* Its own times are multiples of its step, whatever the query's; the first lies behind the left end. */
static void subquery_frame(int64_t left, int64_t right, int64_t step, struct frame *out)
{
    int64_t first = step * (left / step);
    if (first <= left) first += step;
    *out = (struct frame){ first, step, right < first ? 0 : (size_t)((right - first) / step) + 1 };
}

static enum err subquery_each(struct query *q, const struct range *r, const struct frame *f,
                              column_fn *fn, void *ctx)
{
    int64_t step;
    struct frame inner;
    TRY(eval_span(q, r->n->subquery.step, &step));
    if (r->n->subquery.step.expr && step <= 0) {
        return query_fail(q, "duration must be greater than 0");
    }
    if (step <= 0) step = q->o->subquery_step_ms;
    subquery_frame(place_time(&r->place, f, 0) - r->ms, place_time(&r->place, f, f->n - 1), step,
                   &inner);
    if (!inner.n) return OK;
    if (inner.n > q->o->max_samples) return query_hold(q, inner.n);
    struct subquery s = { .f = &inner, .fn = fn, .ctx = ctx };
    s.c.cap = inner.n;
    s.c.t = arena_raw(q->a, inner.n * sizeof(int64_t));
    s.c.v = arena_raw(q->a, inner.n * sizeof(double));
    struct vec rows = { 0 };
    TRY(eval_vec(q, r->n->subquery.inner, &inner, &rows));
    TRY(vec_push_rows(q, &rows, subquery_row, &s));
    query_drop(q, rows.samples);
    return OK;
}

enum err range_each(struct query *q, const struct range *r, const struct frame *f, column_fn *fn,
                    void *ctx)
{
    return r->n->kind == NODE_MATRIX ? matrix_each(q, r, f, fn, ctx)
                                     : subquery_each(q, r, f, fn, ctx);
}

/* ---- absent ---- */

static bool label_fixed_once(const struct node *sel, size_t at)
{
    const struct matcher *m = sel->selector.matchers;
    if (m[at].op != MATCH_EQ || str_eq(m[at].name, METRIC_NAME)) return false;
    for (size_t i = 0; i < sel->selector.n; i++) {
        if (i != at && str_eq(m[i].name, m[at].name)) return false;
    }
    return true;
}

struct labels absent_labels(struct query *q, const struct node *arg)
{
    const struct node *sel = node_unwrap(arg);
    if (sel->kind == NODE_MATRIX) sel = sel->matrix.selector;
    if (sel->kind != NODE_SELECTOR) return (struct labels){ 0 };
    struct label *v = arena_array(q->a, sel->selector.n, sizeof(*v));
    size_t n = 0;
    for (size_t i = 0; i < sel->selector.n; i++) {
        const struct matcher *m = &sel->selector.matchers[i];
        if (label_fixed_once(sel, i)) v[n++] = (struct label){ m->name, m->value };
    }
    return labels_from(v, n);
}
