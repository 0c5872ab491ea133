/* SPDX-License-Identifier: Apache-2.0 */
/* Functions over instant vectors value by value, over scalars, of time; and the way to the other files' functions. */
#include "base/assert.h"
#include "codec/gotime.h"
#include "promql/eval_priv.h"

#include <stdlib.h>

/* ---- value by value ---- */

typedef double math_fn(double v);

static double degrees(double v) { return v * 180 / M_PI; }
static double radians(double v) { return v * M_PI / 180; }
static double sign(double v) { return v < 0 ? -1 : v > 0 ? 1 : v; }

static math_fn *const MATHS[FN_MAX_] = {
    [FN_ABS] = fabs,    [FN_ACOS] = acos, [FN_ACOSH] = acosh, [FN_ASIN] = asin,
    [FN_ASINH] = asinh, [FN_ATAN] = atan, [FN_ATANH] = atanh, [FN_CEIL] = ceil,
    [FN_COS] = cos,     [FN_COSH] = cosh, [FN_DEG] = degrees, [FN_EXP] = exp,
    [FN_FLOOR] = floor, [FN_LN] = log,    [FN_LOG10] = log10, [FN_LOG2] = log2,
    [FN_RAD] = radians, [FN_SGN] = sign,  [FN_SIN] = sin,     [FN_SINH] = sinh,
    [FN_SQRT] = sqrt,   [FN_TAN] = tan,   [FN_TANH] = tanh,
};

struct map_call {
    const struct node *n;
    const struct frame *f;
    math_fn *math;
    const double *p[2]; /* scalar arguments */
    row_fn *fn;
    void *ctx;
};

static enum err math_row(struct query *q, void *ctx, struct row *r)
{
    struct map_call *c = ctx;
    for (size_t i = 0; i < c->f->n; i++) {
        if (!is_absent(r->v[i])) r->v[i] = c->math(r->v[i]);
    }
    row_drop_name(q, r);
    return c->fn(q, c->ctx, r);
}

/* Go's math.Max and Min: NaN when either is. */
static double max_go(double a, double b)
{
    return isnan(a) || isnan(b) ? NOT_A_NUMBER : fmax(a, b);
}
static double min_go(double a, double b)
{
    return isnan(a) || isnan(b) ? NOT_A_NUMBER : fmin(a, b);
}

static double clamped(enum function_id id, double v, double p, double p2)
{
    switch (id) {
    case FN_CLAMP: return p2 < p ? ABSENT : max_go(p, min_go(p2, v));
    case FN_CLAMP_MIN: return max_go(p, v);
    case FN_CLAMP_MAX: return min_go(p, v);
    default: break; /* round */
    }
    double inverse = 1.0 / p;
    return floor(v * inverse + 0.5) / inverse;
}

static enum err clamp_row(struct query *q, void *ctx, struct row *r)
{
    struct map_call *c = ctx;
    enum function_id id = c->n->call.fn->id;
    for (size_t i = 0; i < c->f->n; i++) {
        if (is_absent(r->v[i])) continue;
        r->v[i] = clamped(id, r->v[i], c->p[0] ? c->p[0][i] : 1, c->p[1] ? c->p[1][i] : 0);
    }
    row_drop_name(q, r);
    return c->fn(q, c->ctx, r);
}

static enum err clamp_rows(struct query *q, struct map_call *c)
{
    for (size_t i = 1; i < c->n->call.n; i++) {
        double *p = values_new(q, c->f);
        TRY(eval_scalar(q, c->n->call.args[i], c->f, p));
        c->p[i - 1] = p;
    }
    return eval_rows(q, c->n->call.args[0], c->f, clamp_row, c);
}

/* ---- calendar ---- */

static int days_in_month(const struct civil *c)
{
    static const int DAYS[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (c->year % 4 == 0 && c->year % 100 != 0) || c->year % 400 == 0;
    return DAYS[c->month - 1] + (c->month == 2 && leap);
}

static double date_part(enum function_id id, double seconds)
{
    static const double SECONDS_MAX = 9e15 /
                                      1000; /* milliseconds that a double and the calendar hold */
    if (!(fabs(seconds) < SECONDS_MAX)) return NOT_A_NUMBER;
    struct civil c = civil_of_ms((int64_t)seconds * 1000);
    switch (id) {
    case FN_DAYS_IN_MONTH: return days_in_month(&c);
    case FN_DAY_OF_MONTH: return c.day;
    case FN_DAY_OF_WEEK: return c.weekday;
    case FN_DAY_OF_YEAR: return c.yearday;
    case FN_HOUR: return c.hour;
    case FN_MINUTE: return c.minute;
    case FN_MONTH: return c.month;
    default: return (double)c.year;
    }
}

static bool is_date(enum function_id id)
{
    switch (id) {
    case FN_DAYS_IN_MONTH:
    case FN_DAY_OF_MONTH:
    case FN_DAY_OF_WEEK:
    case FN_DAY_OF_YEAR:
    case FN_HOUR:
    case FN_MINUTE:
    case FN_MONTH:
    case FN_YEAR: return true;
    default: return false;
    }
}

static enum err date_row(struct query *q, void *ctx, struct row *r)
{
    struct map_call *c = ctx;
    for (size_t i = 0; i < c->f->n; i++) {
        if (!is_absent(r->v[i])) r->v[i] = date_part(c->n->call.fn->id, r->v[i]);
    }
    row_drop_name(q, r);
    return c->fn(q, c->ctx, r);
}

static enum err date_rows(struct query *q, struct map_call *c)
{
    if (c->n->call.n) return eval_rows(q, c->n->call.args[0], c->f, date_row, c);
    double *v = values_new(q, c->f);
    for (size_t i = 0; i < c->f->n; i++) {
        v[i] = date_part(c->n->call.fn->id, (double)frame_time(c->f, i) / 1000);
    }
    struct row r = { { 0 }, v, false };
    return c->fn(q, c->ctx, &r);
}

/* ---- timestamp, vector, absent ---- */

static enum err time_row(struct query *q, void *ctx, struct row *r)
{
    struct map_call *c = ctx;
    for (size_t i = 0; i < c->f->n; i++) {
        if (!is_absent(r->v[i])) r->v[i] = (double)frame_time(c->f, i) / 1000;
    }
    row_drop_name(q, r);
    return c->fn(q, c->ctx, r);
}

static enum err nameless_row(struct query *q, void *ctx, struct row *r)
{
    struct map_call *c = ctx;
    row_drop_name(q, r);
    return c->fn(q, c->ctx, r);
}

/* Of a plain selector the samples' own times, of anything else the time of evaluation. */
static enum err timestamp_rows(struct query *q, struct map_call *c)
{
    const struct node *arg = node_unwrap(c->n->call.args[0]);
    if (arg->kind == NODE_SELECTOR) return select_timestamps(q, arg, c->f, nameless_row, c);
    return eval_rows(q, arg, c->f, time_row, c);
}

static enum err vector_rows(struct query *q, struct map_call *c)
{
    struct row r = { { 0 }, values_new(q, c->f), false };
    TRY(eval_scalar(q, c->n->call.args[0], c->f, r.v));
    return c->fn(q, c->ctx, &r);
}

struct absence {
    const struct frame *f;
    double *v;
};

static enum err absent_row(struct query *q, void *ctx, struct row *r)
{
    struct absence *x = ctx;
    (void)q;
    for (size_t i = 0; i < x->f->n; i++) {
        if (!is_absent(r->v[i])) x->v[i] = ABSENT;
    }
    return OK;
}

static enum err absent_rows(struct query *q, struct map_call *c)
{
    struct absence x = { c->f, values_new(q, c->f) };
    for (size_t i = 0; i < c->f->n; i++) x.v[i] = 1;
    TRY(eval_rows(q, c->n->call.args[0], c->f, absent_row, &x));
    struct row r = { absent_labels(q, c->n->call.args[0]), x.v, false };
    return c->fn(q, c->ctx, &r);
}

/* ---- the way to each ---- */

static enum err start_timestamp_rows(struct query *q)
{
    return diag_set(q->d, ERR_UNSUPPORTED, "start timestamps are not kept by this store");
}

static enum err dispatch(struct query *q, struct map_call *c)
{
    enum function_id id = c->n->call.fn->id;
    if (MATHS[id]) {
        c->math = MATHS[id];
        return eval_rows(q, c->n->call.args[0], c->f, math_row, c);
    }
    if (is_date(id)) return date_rows(q, c);
    if (function_is_range(id)) return range_call_rows(q, c->n, c->f, c->fn, c->ctx);
    switch (id) {
    case FN_ABSENT: return absent_rows(q, c);
    case FN_CLAMP:
    case FN_CLAMP_MAX:
    case FN_CLAMP_MIN:
    case FN_ROUND: return clamp_rows(q, c);
    case FN_TIMESTAMP: return timestamp_rows(q, c);
    case FN_START_TIMESTAMP: return start_timestamp_rows(q);
    case FN_VECTOR: return vector_rows(q, c);
    case FN_INFO: return info_rows(q, c->n, c->f, c->fn, c->ctx);
    case FN_LABEL_JOIN:
    case FN_LABEL_REPLACE:
    case FN_SORT:
    case FN_SORT_BY_LABEL:
    case FN_SORT_BY_LABEL_DESC:
    case FN_SORT_DESC: return label_call_rows(q, c->n, c->f, c->fn, c->ctx);
    default: return histogram_call_rows(q, c->n, c->f, c->fn, c->ctx);
    }
}

static bool keeps_names(enum function_id id)
{
    switch (id) {
    case FN_ABSENT:
    case FN_ABSENT_OVER_TIME:
    case FN_FIRST_OVER_TIME:
    case FN_INFO:
    case FN_LABEL_JOIN:
    case FN_LABEL_REPLACE:
    case FN_LAST_OVER_TIME:
    case FN_SORT:
    case FN_SORT_BY_LABEL:
    case FN_SORT_BY_LABEL_DESC:
    case FN_SORT_DESC:
    case FN_VECTOR: return true;
    default: return false;
    }
}

static const struct node *vector_arg(const struct node *n)
{
    for (size_t i = 0; i < n->call.n; i++) {
        const struct node *arg = n->call.args[i];
        if (arg->type == VALUE_VECTOR || arg->type == VALUE_MATRIX) return arg;
    }
    return NULL;
}

struct gather {
    struct vec v;
    const struct frame *f;
};

static enum err gather_row(struct query *q, void *ctx, struct row *r)
{
    struct gather *g = ctx;
    double *v = values_new(q, g->f);
    memcpy(v, r->v, g->f->n * sizeof(double));
    (void)vec_add(q, &g->v, r->lb, r->drop, v);
    return OK;
}

/* Names go at once, and the selector does not fix them: two series may become one, which only all of them together show. */
static bool names_may_clash(const struct query *q, const struct node *n)
{
    if (query_has(q, PROMQL_DELAYED_NAME_REMOVAL)) return false;
    const struct node *arg = vector_arg(n);
    return arg && node_names_differ(arg);
}

enum err rows_unique(struct query *q, const struct node *n, const struct frame *f, bool strict,
                     make_fn *make, row_fn *fn, void *ctx)
{
    struct gather g = { .f = f };
    TRY(make(q, n, f, gather_row, &g));
    TRY(vec_merge(q, &g.v, f, strict));
    return vec_push_rows(q, &g.v, fn, ctx);
}

static enum err call_direct(struct query *q, const struct node *n, const struct frame *f,
                            row_fn *fn, void *ctx)
{
    struct map_call c = { .n = n, .f = f, .fn = fn, .ctx = ctx };
    return dispatch(q, &c);
}

enum err call_rows(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                   void *ctx)
{
    enum function_id id = n->call.fn->id;
    if (keeps_names(id) || !names_may_clash(q, n)) return call_direct(q, n, f, fn, ctx);
    return rows_unique(q, n, f, function_is_range(id), call_direct, fn, ctx);
}

/* ---- scalars ---- */

struct only {
    const struct frame *f;
    double *v;
    uint32_t *n;
};

static enum err only_row(struct query *q, void *ctx, struct row *r)
{
    struct only *x = ctx;
    (void)q;
    for (size_t i = 0; i < x->f->n; i++) {
        if (is_absent(r->v[i])) continue;
        x->v[i] = x->n[i]++ ? NOT_A_NUMBER : r->v[i];
    }
    return OK;
}

static enum err scalar_of_vector(struct query *q, const struct node *n, const struct frame *f,
                                 double *out)
{
    struct only x = { f, out, arena_array(q->a, f->n, sizeof(uint32_t)) };
    for (size_t i = 0; i < f->n; i++) out[i] = NOT_A_NUMBER;
    return eval_rows(q, n->call.args[0], f, only_row, &x);
}

static enum err scalar_of_two(struct query *q, const struct node *n, const struct frame *f,
                              double *out)
{
    double *other = values_new(q, f);
    bool max = n->call.fn->id == FN_MAX_OF;
    TRY(eval_scalar(q, n->call.args[0], f, out));
    TRY(eval_scalar(q, n->call.args[1], f, other));
    for (size_t i = 0; i < f->n; i++) {
        out[i] = max ? max_go(out[i], other[i]) : min_go(out[i], other[i]);
    }
    return OK;
}

static double scalar_at(const struct query *q, enum function_id id, int64_t now)
{
    switch (id) {
    case FN_PI: return M_PI;
    case FN_START: return (double)q->start / 1000;
    case FN_END: return (double)q->end / 1000;
    case FN_STEP: return (double)q->step / 1000;
    case FN_RANGE: return (double)(q->end - q->start) / 1000;
    default: return (double)now / 1000; /* time() */
    }
}

enum err scalar_call(struct query *q, const struct node *n, const struct frame *f, double *out)
{
    enum function_id id = n->call.fn->id;
    if (id == FN_SCALAR) return scalar_of_vector(q, n, f, out);
    if (id == FN_MIN_OF || id == FN_MAX_OF) return scalar_of_two(q, n, f, out);
    for (size_t i = 0; i < f->n; i++) out[i] = scalar_at(q, id, frame_time(f, i));
    return OK;
}
