/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Range functions: each series' samples are read once, two moving indexes cut the windows, a kernel turns each into a
 * number. For rate, increase and resets the places where a counter drops are listed once for all windows.
 */
#include "base/assert.h"
#include "codec/num.h"
#include "promql/eval_priv.h"
#include "promql/windows.h"

struct call {
    const struct node *n;
    const struct frame *f;
    const struct kernel *k;
    enum function_id id;
    struct range range;
    bool anchored, smoothed;
    double *p[2]; /* scalar arguments, a value each time */
    struct windows windows;
    struct resets resets;
    double *v, *scratch;
    size_t scratch_n;
    const struct node *matrix; /* the argument, for annotations */
    struct str noted;          /* the name that an annotation was last made for */
    row_fn *fn;
    void *ctx;
};

bool function_is_range(enum function_id id)
{
    return kernel_of(id)->fn || id == FN_ABSENT_OVER_TIME;
}

/* A window's resets, as indexes into it. */
static void window_resets(const struct call *c, struct window *w, size_t lo, size_t hi,
                          size_t *from, uint32_t *room)
{
    const struct resets *r = &c->resets;
    while (*from < r->n && r->v[*from] <= lo) (*from)++;
    size_t n = 0;
    for (size_t i = *from; i < r->n && r->v[i] < hi; i++) room[n++] = r->v[i] - (uint32_t)lo;
    w->resets = room;
    w->resets_n = n;
}

static double window_value(const struct call *c, const struct column *col, size_t i, size_t *reset,
                           uint32_t *room)
{
    size_t lo = c->windows.lo[i], hi = c->windows.hi[i];
    if (lo == hi) return ABSENT;
    struct window w = { .t = col->t + lo, .v = col->v + lo, .n = hi - lo, .scratch = c->scratch };
    w.now = frame_time(c->f, i);
    w.end = place_time(&c->range.place, c->f, i);
    w.start = w.end - c->range.ms;
    for (size_t p = 0; p < 2; p++) w.p[p] = c->p[p] ? c->p[p][i] : 0;
    if (c->k->wants_resets && c->resets.n) window_resets(c, &w, lo, hi, reset, room);
    double v;
    return c->k->fn(&w, &v) ? v : ABSENT;
}

static void each_window(const struct call *c, const struct column *col, uint32_t *room)
{
    size_t reset = 0;
    for (size_t i = 0; i < c->f->n; i++) c->v[i] = window_value(c, col, i, &reset, room);
}

static double extended_value(const struct call *c, const struct column *col, size_t i)
{
    struct window w = { .t = col->t, .v = col->v, .n = col->n };
    w.end = place_time(&c->range.place, c->f, i);
    w.start = w.end - c->range.ms;
    double v;
    return kernel_extended(c->id, &w, c->smoothed, c->range.before, &v) ? v : ABSENT;
}

static void each_extended(const struct call *c, const struct column *col)
{
    for (size_t i = 0; i < c->f->n; i++) c->v[i] = extended_value(c, col, i);
}

static void column_values(struct query *q, struct call *c, const struct column *col)
{
    if (c->anchored || c->smoothed) {
        each_extended(c, col);
        return;
    }
    /* no kernel uses both the list of resets and scratch, which is large enough for it */
    uint32_t *room = (uint32_t *)(void *)c->scratch;
    windows_cut(q, &c->windows, col);
    if (c->k->wants_resets) resets_list(q, &c->resets, col);
    switch (c->id) {
    case FN_RATE:
    case FN_INCREASE:
    case FN_DELTA:
        windows_rate(q, &c->windows, col, &c->resets, c->id != FN_DELTA, c->id == FN_RATE, c->v);
        break;
    case FN_MAX_OVER_TIME:
    case FN_MIN_OVER_TIME:
        windows_extreme(&c->windows, col, c->id == FN_MAX_OVER_TIME, room, c->v);
        break;
    default: each_window(c, col, room); break;
    }
}

/* Kafka's JMX names end in anything: say so, do not fail. */
static void note_no_counter(struct query *q, struct call *c, struct labels lb)
{
    static const char *const ENDS[] = { "_total", "_sum", "_count", "_bucket" };
    struct str name = labels_get(lb, METRIC_NAME);
    if ((c->id != FN_RATE && c->id != FN_INCREASE) || !name.n) return;
    if (str_eq(name, c->noted) && !query_has(q, PROMQL_TYPE_AND_UNIT)) return;
    c->noted = name;
    if (query_has(q, PROMQL_TYPE_AND_UNIT)) {
        struct str type = labels_get(lb, STR("__type__"));
        if (str_eq(type, STR("counter")) || str_eq(type, STR("histogram"))) return;
        if (type.n) {
            query_info(q, c->matrix,
                       "metric might not be a counter, __type__ label is not set to \"counter\" or "
                       "\"histogram\", got \"" STR_FMT "\": \"" STR_FMT "\"",
                       STR_ARG(type), STR_ARG(name));
            return;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(ENDS); i++) {
        if (str_ends(name, str_c(ENDS[i]))) return;
    }
    query_info(q, c->matrix,
               "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "
               "\"" STR_FMT "\"",
               STR_ARG(name));
}

static void more_room(struct query *q, struct call *c, const struct column *col)
{
    if (c->scratch_n >= col->n) return;
    c->scratch_n = col->n * 2;
    c->scratch = arena_raw(q->a, c->scratch_n * sizeof(double));
}

static enum err call_series(struct query *q, void *ctx, struct labels lb, bool drop,
                            const struct column *col)
{
    struct call *c = ctx;
    bool any = false;
    if (!col->n) return OK;
    more_room(q, c, col);
    column_values(q, c, col);
    for (size_t i = 0; i < c->f->n && !any; i++) any = !is_absent(c->v[i]);
    if (!any) return OK;
    note_no_counter(q, c, lb);
    struct row r = { lb, c->v, drop };
    if (!c->k->keeps_name) row_drop_name(q, &r);
    return c->fn(q, c->ctx, &r);
}

/* ---- arguments ---- */

static void note_quantiles(struct query *q, const struct node *arg, const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i] >= 0 && v[i] <= 1) continue;
        BUF(b, 0);
        num_write_g(&b, v[i]);
        query_warn(q, arg, "quantile value should be between 0 and 1, got " STR_FMT,
                   STR_ARG(buf_str(&b)));
    }
}

static enum err check_factor(struct query *q, const char *what, const char *letter, double v)
{
    if (v > 0 && v < 1) return OK;
    BUF(b, 0);
    num_write_fixed(&b, v, 6);
    return query_fail(q, "invalid %s factor. Expected: 0 < %s < 1, got: " STR_FMT, what, letter,
                      STR_ARG(buf_str(&b)));
}

static enum err check_params(struct query *q, const struct call *c)
{
    if (c->id == FN_QUANTILE_OVER_TIME) {
        note_quantiles(q, c->n->call.args[0], c->p[0], c->f->n);
    }
    if (c->id != FN_DOUBLE_EXPONENTIAL_SMOOTHING) return OK;
    for (size_t i = 0; i < c->f->n; i++) {
        TRY(check_factor(q, "smoothing", "sf", c->p[0][i]));
        TRY(check_factor(q, "trend", "tf", c->p[1][i]));
    }
    return OK;
}

static enum err check_modifier(struct query *q, const struct call *c)
{
    bool rates = c->id == FN_DELTA || c->id == FN_INCREASE || c->id == FN_RATE;
    const char *name = c->n->call.fn->name;
    if (c->smoothed && !rates) {
        return query_fail(q,
                          "smoothed modifier can only be used with: delta, increase, rate - not "
                          "with %s",
                          name);
    }
    if (c->anchored && !rates && c->id != FN_CHANGES && c->id != FN_RESETS) {
        return query_fail(q,
                          "anchored modifier can only be used with: changes, delta, increase, "
                          "rate, resets - not with %s",
                          name);
    }
    return OK;
}

static enum err prepare(struct query *q, struct call *c)
{
    size_t params = 0;
    for (size_t i = 0; i < c->n->call.n; i++) {
        const struct node *arg = node_unwrap(c->n->call.args[i]);
        if (arg->type == VALUE_MATRIX) {
            c->matrix = arg;
            continue;
        }
        ASSERT(params < 2);
        c->p[params] = values_new(q, c->f);
        TRY(eval_scalar(q, arg, c->f, c->p[params++]));
    }
    TRY(range_of(q, c->matrix, &c->range));
    if (c->matrix->kind == NODE_MATRIX) {
        c->anchored = c->matrix->matrix.selector->selector.anchored;
        c->smoothed = c->matrix->matrix.selector->selector.smoothed;
    }
    TRY(check_modifier(q, c));
    windows_init(q, &c->windows, c->f, &c->range);
    c->v = values_new(q, c->f);
    return check_params(q, c);
}

/* ---- absent_over_time ---- */

static enum err absent_series(struct query *q, void *ctx, struct labels lb, bool drop,
                              const struct column *col)
{
    struct call *c = ctx;
    (void)q, (void)lb, (void)drop;
    size_t hi = 0;
    for (size_t i = 0; i < c->f->n; i++) {
        int64_t end = place_time(&c->range.place, c->f, i);
        while (hi < col->n && col->t[hi] <= end) hi++;
        if (hi && col->t[hi - 1] > end - c->range.ms) c->v[i] = ABSENT;
    }
    return OK;
}

static enum err absent_rows(struct query *q, struct call *c)
{
    for (size_t i = 0; i < c->f->n; i++) c->v[i] = 1;
    TRY(range_each(q, &c->range, c->f, absent_series, c));
    struct row r = { absent_labels(q, c->matrix), c->v, false };
    return c->fn(q, c->ctx, &r);
}

enum err range_call_rows(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                         void *ctx)
{
    enum function_id id = n->call.fn->id;
    struct call c = { .n = n, .f = f, .k = kernel_of(id), .id = id, .fn = fn, .ctx = ctx };
    TRY(prepare(q, &c));
    if (id == FN_ABSENT_OVER_TIME) return absent_rows(q, &c);
    return range_each(q, &c.range, f, call_series, &c);
}
