/* SPDX-License-Identifier: Apache-2.0 */
#include "promql/eval.h"

#include "base/assert.h"
#include "promql/eval_priv.h"

#include <stdlib.h>

/* ---- nodes ---- */

/* Functions whose result depends on the time of evaluation, whatever their arguments. */
static bool depends_on_time(enum function_id id)
{
    switch (id) {
    case FN_DAYS_IN_MONTH:
    case FN_DAY_OF_MONTH:
    case FN_DAY_OF_WEEK:
    case FN_DAY_OF_YEAR:
    case FN_END:
    case FN_HOUR:
    case FN_MINUTE:
    case FN_MONTH:
    case FN_PREDICT_LINEAR:
    case FN_RANGE:
    case FN_START:
    case FN_STEP:
    case FN_TIME:
    case FN_TIMESTAMP:
    case FN_YEAR: return true;
    default: return false;
    }
}

/* The same at every time of a frame: everything below has @. */
static bool is_invariant(const struct node *n)
{
    switch (n->kind) {
    case NODE_NUMBER:
    case NODE_STRING:
    case NODE_DURATION: return true;
    case NODE_PAREN: return is_invariant(n->inner);
    case NODE_UNARY: return is_invariant(n->unary.inner);
    case NODE_BINARY: return is_invariant(n->binary.lhs) && is_invariant(n->binary.rhs);
    case NODE_AGGREGATE:
        return is_invariant(n->aggregate.inner) &&
               (!n->aggregate.param || is_invariant(n->aggregate.param));
    case NODE_SELECTOR: return n->selector.shift.at != AT_NONE;
    case NODE_MATRIX: return is_invariant(n->matrix.selector);
    case NODE_SUBQUERY: return n->subquery.shift.at != AT_NONE;
    case NODE_CALL: break;
    }
    if (depends_on_time(n->call.fn->id)) return false;
    for (size_t i = 0; i < n->call.n; i++) {
        if (!is_invariant(n->call.args[i])) return false;
    }
    return true;
}

struct spread {
    row_fn *fn;
    void *ctx;
    size_t n;
    double *v;
};

static enum err spread_row(struct query *q, void *ctx, struct row *r)
{
    struct spread *s = ctx;
    for (size_t i = 0; i < s->n; i++) s->v[i] = r->v[0];
    struct row wide = { r->lb, s->v, r->drop };
    return s->fn(q, s->ctx, &wide);
}

static enum err dispatch(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                         void *ctx)
{
    switch (n->kind) {
    case NODE_SELECTOR: return select_rows(q, n, f, fn, ctx);
    case NODE_UNARY: return unary_rows(q, n, f, fn, ctx);
    case NODE_BINARY: return binary_rows(q, n, f, fn, ctx);
    case NODE_AGGREGATE: return aggregate_rows(q, n, f, fn, ctx);
    case NODE_CALL: return call_rows(q, n, f, fn, ctx);
    case NODE_PAREN:
    case NODE_NUMBER:
    case NODE_STRING:
    case NODE_MATRIX:
    case NODE_SUBQUERY:
    case NODE_DURATION: break;
    }
    return query_fail(q, "expression of type %s where a vector belongs", promql_kind_text(n->type));
}

enum err eval_rows(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                   void *ctx)
{
    n = node_unwrap(n);
    if (f->n == 1 || !is_invariant(n)) return dispatch(q, n, f, fn, ctx);
    struct frame once = { f->start, f->step, 1 };
    struct spread s = { fn, ctx, f->n, values_new(q, f) };
    return dispatch(q, n, &once, spread_row, &s);
}

static enum err scalar_literal(double v, const struct frame *f, double *out)
{
    for (size_t i = 0; i < f->n; i++) out[i] = v;
    return OK;
}

enum err eval_scalar(struct query *q, const struct node *n, const struct frame *f, double *out)
{
    n = node_unwrap(n);
    if (n->kind == NODE_NUMBER) return scalar_literal(n->number.v, f, out);
    if (n->kind == NODE_CALL) return scalar_call(q, n, f, out);
    if (n->kind == NODE_UNARY) {
        TRY(eval_scalar(q, n->unary.inner, f, out));
        if (n->unary.op != TOK_SUB) return OK;
        for (size_t i = 0; i < f->n; i++) out[i] = -out[i];
        return OK;
    }
    ASSERT(n->kind == NODE_BINARY);
    double *rhs = values_new(q, f);
    TRY(eval_scalar(q, n->binary.lhs, f, out));
    TRY(eval_scalar(q, n->binary.rhs, f, rhs));
    enum token_kind op = n->binary.op;
    for (size_t i = 0; i < f->n; i++) {
        out[i] = op_is_comparison(op) ? (binary_holds(op, out[i], rhs[i]) ? 1 : 0)
                                      : binary_value(op, out[i], rhs[i]);
    }
    return OK;
}

struct str eval_string(const struct node *n)
{
    n = node_unwrap(n);
    ASSERT(n->kind == NODE_STRING);
    return n->string;
}

/* ---- durations ---- */

static double span_seconds(const struct query *q, const struct node *n)
{
    if (n->kind == NODE_NUMBER) return n->number.v;
    enum token_kind op = n->duration.op;
    if (op == TOK_STEP) return (double)q->step / 1000;
    if (op == TOK_RANGE) return (double)(q->end - q->start) / 1000;
    double r = span_seconds(q, n->duration.rhs);
    if (!n->duration.lhs) return op == TOK_SUB ? -r : r;
    double l = span_seconds(q, n->duration.lhs);
    if (op == TOK_MIN_OF) return fmin(l, r);
    if (op == TOK_MAX_OF) return fmax(l, r);
    return binary_value(op, l, r);
}

enum err eval_span(struct query *q, struct span s, int64_t *ms)
{
    static const double SECONDS_MAX = 9223372036.0; /* 2^63 ns */
    if (!s.expr) {
        *ms = s.ms;
        return OK;
    }
    double v = span_seconds(q, s.expr);
    if (!(fabs(v) <= SECONDS_MAX)) return query_fail(q, "duration out of range");
    *ms = (int64_t)round(v * 1e9) / 1000000;
    return OK;
}

/* ---- the times that selectors reach ---- */

struct bounds {
    int64_t min, max;
};

static enum err reach(struct query *q, const struct node *n, int64_t from, int64_t to,
                      struct bounds *b);

/* Where offset and @ move [from, to]. */
static enum err shift_times(struct query *q, const struct shift *s, int64_t *from, int64_t *to)
{
    struct place p;
    TRY(place_of(q, s, &p));
    if (p.fixed) *from = *to = p.at;
    *from -= p.offset;
    *to -= p.offset;
    return OK;
}

static enum err reach_selector(struct query *q, const struct node *n, int64_t range, int64_t from,
                               int64_t to, struct bounds *b)
{
    bool extended = n->selector.anchored || n->selector.smoothed;
    TRY(shift_times(q, &n->selector.shift, &from, &to));
    if (range < q->o->lookback_ms || extended) range += q->o->lookback_ms;
    if (n->selector.smoothed) to += q->o->lookback_ms;
    if (from - range < b->min) b->min = from - range;
    if (to > b->max) b->max = to;
    return OK;
}

static enum err reach_call(struct query *q, const struct node *n, int64_t from, int64_t to,
                           struct bounds *b)
{
    for (size_t i = 0; i < n->call.n; i++) TRY(reach(q, n->call.args[i], from, to, b));
    return OK;
}

static enum err reach(struct query *q, const struct node *n, int64_t from, int64_t to,
                      struct bounds *b)
{
    int64_t range;
    switch (n->kind) {
    case NODE_NUMBER:
    case NODE_STRING:
    case NODE_DURATION: return OK;
    case NODE_PAREN: return reach(q, n->inner, from, to, b);
    case NODE_UNARY: return reach(q, n->unary.inner, from, to, b);
    case NODE_BINARY:
        TRY(reach(q, n->binary.lhs, from, to, b));
        return reach(q, n->binary.rhs, from, to, b);
    case NODE_AGGREGATE:
        if (n->aggregate.param) TRY(reach(q, n->aggregate.param, from, to, b));
        return reach(q, n->aggregate.inner, from, to, b);
    case NODE_CALL: return reach_call(q, n, from, to, b);
    case NODE_SELECTOR: return reach_selector(q, n, 0, from, to, b);
    case NODE_MATRIX:
        TRY(eval_span(q, n->matrix.range, &range));
        return reach_selector(q, n->matrix.selector, range, from, to, b);
    case NODE_SUBQUERY:
        TRY(eval_span(q, n->subquery.range, &range));
        TRY(shift_times(q, &n->subquery.shift, &from, &to));
        return reach(q, n->subquery.inner, from - range, to, b);
    }
    return OK;
}

/* ---- results ---- */

/* The original removes the names only now when that is delayed. */
static enum err remove_names(struct query *q, struct vec *v, const struct frame *f)
{
    bool any = false;
    for (size_t i = 0; i < v->n; i++) {
        if (!v->v[i].drop) continue;
        v->v[i].lb = labels_nameless(q, v->v[i].lb);
        v->v[i].drop = false;
        any = true;
    }
    return any ? vec_merge(q, v, f, false) : OK;
}

static enum err finish_vector(struct query *q, struct vec *v, struct value *out)
{
    struct vector_sample *samples = arena_array(q->a, v->n, sizeof(*samples));
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++) {
        if (is_absent(v->v[i].v[0])) continue;
        samples[n++] = (struct vector_sample){ v->v[i].lb, q->start, v->v[i].v[0], NULL };
    }
    out->kind = VALUE_VECTOR;
    out->vector.v = samples;
    out->vector.n = n;
    return OK;
}

static int by_labels(const void *a, const void *b)
{
    return labels_cmp(((const struct matrix_series *)a)->lb, ((const struct matrix_series *)b)->lb);
}

/* A full row shares the grid of times; a row with holes gets its own. */
static void compress(struct query *q, const struct row *r, const int64_t *grid, size_t n,
                     struct matrix_series *out)
{
    size_t have = 0;
    for (size_t i = 0; i < n; i++) have += !is_absent(r->v[i]);
    *out = (struct matrix_series){ r->lb, grid, r->v, NULL, have };
    if (have == n || !have) return;
    int64_t *t = arena_raw(q->a, have * sizeof(*t));
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        if (is_absent(r->v[i])) continue;
        t[to] = grid[i];
        r->v[to++] = r->v[i];
    }
    out->t = t;
}

static int64_t *grid_of(struct query *q, const struct frame *f)
{
    int64_t *t = arena_raw(q->a, f->n * sizeof(*t));
    for (size_t i = 0; i < f->n; i++) t[i] = frame_time(f, i);
    return t;
}

static void finish_matrix(struct query *q, const struct vec *v, const struct frame *f,
                          struct value *out)
{
    const int64_t *grid = grid_of(q, f);
    struct matrix_series *series = arena_array(q->a, v->n, sizeof(*series));
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++) {
        compress(q, &v->v[i], grid, f->n, &series[n]);
        if (series[n].n) n++;
    }
    qsort(series, n, sizeof(*series), by_labels);
    out->kind = VALUE_MATRIX;
    out->matrix.v = series;
    out->matrix.n = n;
}

struct raw {
    VEC(struct matrix_series) v;
};

static enum err keep_raw(struct query *q, void *ctx, struct labels lb, bool drop,
                         const struct column *c)
{
    struct raw *raw = ctx;
    if (!c->n) return OK;
    TRY(query_hold(q, c->n));
    int64_t *t = arena_raw(q->a, c->n * sizeof(*t));
    double *v = arena_raw(q->a, c->n * sizeof(*v));
    memcpy(t, c->t, c->n * sizeof(*t));
    memcpy(v, c->v, c->n * sizeof(*v));
    if (drop) lb = labels_nameless(q, lb);
    *vec_push(q->a, &raw->v) = (struct matrix_series){ lb, t, v, NULL, c->n };
    return OK;
}

static enum err run_matrix(struct query *q, const struct node *n, const struct frame *f,
                           struct value *out)
{
    struct range r;
    struct raw raw = { 0 };
    TRY(range_of(q, node_unwrap(n), &r));
    TRY(range_each(q, &r, f, keep_raw, &raw));
    if (raw.v.n) qsort(raw.v.v, raw.v.n, sizeof(*raw.v.v), by_labels);
    out->kind = VALUE_MATRIX;
    out->matrix.v = raw.v.v;
    out->matrix.n = raw.v.n;
    return OK;
}

static enum err run_vector(struct query *q, const struct node *n, const struct frame *f, bool range,
                           struct value *out)
{
    struct vec v = { 0 };
    TRY(eval_vec(q, n, f, &v));
    TRY(remove_names(q, &v, f));
    if (!range) return finish_vector(q, &v, out);
    finish_matrix(q, &v, f, out);
    return OK;
}

static enum err run_scalar(struct query *q, const struct node *n, const struct frame *f, bool range,
                           struct value *out)
{
    double *v = values_new(q, f);
    TRY(eval_scalar(q, n, f, v));
    if (!range) {
        out->kind = VALUE_SCALAR;
        out->scalar = (struct sample){ f->start, v[0] };
        return OK;
    }
    struct row r = { { 0 }, v, false };
    struct vec one = { &r, 1, 1, f->n };
    finish_matrix(q, &one, f, out);
    return OK;
}

static enum err run(struct query *q, bool range, struct value *out)
{
    const struct node *n = q->e->root;
    struct frame f = { q->start, q->step, 1 };
    if (range) f.n = (size_t)((q->end - q->start) / q->step) + 1;
    if (f.n > q->o->max_samples) return query_hold(q, f.n);
    if (n->type == VALUE_SCALAR) return run_scalar(q, n, &f, range, out);
    if (n->type == VALUE_VECTOR) return run_vector(q, n, &f, range, out);
    if (range) {
        return query_fail(q,
                          "invalid expression type \"%s\" for range query, must be Scalar or "
                          "instant Vector",
                          value_kind_documented(n->type));
    }
    if (n->type == VALUE_MATRIX) return run_matrix(q, n, &f, out);
    out->kind = VALUE_STRING;
    out->string.t = q->start;
    out->string.s = arena_dup(q->a, eval_string(n));
    return OK;
}

/* The API shows ten of each kind and counts the rest. */
static void put_annotations(struct query *q, struct annotations *from, const char *kind,
                            struct str **out, size_t *out_n)
{
    enum { SHOWN = 10 };
    size_t n = from->list.n;
    *out = from->list.v;
    *out_n = n;
    if (n > SHOWN) {
        from->list.v[SHOWN] = arena_fmt(q->a, "%zu more %s annotations omitted", n - SHOWN, kind);
        *out_n = SHOWN + 1;
    }
    map_done(&from->seen);
}

/*
 * Labels are borrowed from the view until it closes; the result must outlive it. Stores keep one copy of a text, so
 * texts seen lately are known by where they lie.
 */
struct texts {
    struct arena *a;
    struct {
        const char *from;
        struct str copy;
    } seen[1024];
};

static struct str text_kept(struct texts *x, struct str s)
{
    size_t at = ((uintptr_t)s.p >> 3 ^ (uintptr_t)s.p >> 13) % ARRAY_LEN(x->seen);
    if (x->seen[at].from != s.p || x->seen[at].copy.n != s.n) {
        char *copy = arena_raw(x->a, s.n);
        if (s.n) memcpy(copy, s.p, s.n);
        x->seen[at].from = s.p;
        x->seen[at].copy = str_make(copy, s.n);
    }
    return x->seen[at].copy;
}

static void keep_labels(struct texts *x, struct labels *lb)
{
    struct label *v = arena_raw(x->a, lb->n * sizeof(*v));
    for (size_t i = 0; i < lb->n; i++) {
        v[i] = (struct label){ text_kept(x, lb->v[i].name), text_kept(x, lb->v[i].value) };
    }
    lb->v = v;
}

static void own_labels(struct query *q, struct value *v)
{
    struct texts *x = arena_new(q->a, struct texts);
    x->a = q->a;
    for (size_t i = 0; v->kind == VALUE_VECTOR && i < v->vector.n; i++) {
        keep_labels(x, &v->vector.v[i].lb);
    }
    for (size_t i = 0; v->kind == VALUE_MATRIX && i < v->matrix.n; i++) {
        keep_labels(x, &v->matrix.v[i].lb);
    }
}

static enum err open_and_run(struct query *q, bool range, struct value *out)
{
    struct bounds b = { q->start, q->end };
    TRY(reach(q, q->e->root, q->start, q->end, &b));
    TRY(q->qa->ops->open(q->qa, b.min, b.max, &q->qr, q->d));
    enum err e = run(q, range, out);
    if (e == OK) own_labels(q, out);
    q->qr->ops->close(q->qr);
    return e;
}

enum err eval_run(struct queryable *qa, const struct promql_options *o, const struct expr *e,
                  const struct eval_range *r, struct arena *a, const _Atomic(bool) *cancel,
                  struct value *out, struct diag *d)
{
    struct query q = { .a = a, .qa = qa, .o = o, .e = e, .cancel = cancel, .d = d };
    struct value v = { 0 };
    bool range = r->step > 0;
    q.start = r->start;
    q.end = range ? r->end : r->start;
    q.step = range ? r->step : 0;
    if (o->timeout_ms > 0 && o->mono_ms) q.deadline_ms = o->mono_ms() + o->timeout_ms;
    enum err failed = q.end < q.start ? ERR_RANGE : open_and_run(&q, range, &v);
    column_done(&q.col);
    put_annotations(&q, &q.warnings, "warning", &v.warnings, &v.warnings_n);
    put_annotations(&q, &q.infos, "info", &v.infos, &v.infos_n);
    if (failed == ERR_RANGE) {
        return diag_set(d, ERR_SYNTAX, "end timestamp must not be before start time");
    }
    if (failed != OK) return failed;
    *out = v;
    return OK;
}
