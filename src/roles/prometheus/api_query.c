/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queries: parameters in, a value evaluated, its JSON out. Times of a range are printed once and copied; labels and
 * numbers go straight into the answer's buffer.
 */
#include "codec/num.h"
#include "io/clock.h"
#include "roles/prometheus/prometheus_priv.h"

enum { POINTS_MAX = 11000 };

/* --- values as JSON --- */

static void put_float(struct buf *b, double v)
{
    buf_char(b, '"');
    num_write_json(b, v);
    buf_char(b, '"');
}

static void put_point(struct buf *b, int64_t t, double v)
{
    buf_char(b, '[');
    num_write_ms(b, t);
    buf_char(b, ',');
    put_float(b, v);
    buf_char(b, ']');
}

static void put_metric(struct buf *b, struct labels lb)
{
    buf_putc(b, "{\"metric\":{");
    for (size_t i = 0; i < lb.n; i++) {
        buf_putc(b, i ? ",\"" : "\"");
        json_escape(b, lb.v[i].name);
        buf_putc(b, "\":\"");
        json_escape(b, lb.v[i].value);
        buf_char(b, '"');
    }
    buf_char(b, '}');
}

static void put_vector(struct buf *b, const struct value *v)
{
    buf_char(b, '[');
    for (size_t i = 0; i < v->vector.n; i++) {
        if (i) buf_char(b, ',');
        put_metric(b, v->vector.v[i].lb);
        buf_putc(b, ",\"value\":");
        put_point(b, v->vector.v[i].t, v->vector.v[i].v);
        buf_char(b, '}');
    }
    buf_char(b, ']');
}

static void put_series(struct buf *b, const struct matrix_series *s)
{
    put_metric(b, s->lb);
    buf_putc(b, ",\"values\":[");
    for (size_t i = 0; i < s->n; i++) {
        if (i) buf_char(b, ',');
        put_point(b, s->t[i], s->v[i]);
    }
    buf_putc(b, "]}");
}

static void put_matrix(struct buf *b, const struct value *v)
{
    buf_char(b, '[');
    for (size_t i = 0; i < v->matrix.n; i++) {
        if (i) buf_char(b, ',');
        put_series(b, &v->matrix.v[i]);
    }
    buf_char(b, ']');
}

static void put_result(struct buf *b, const struct value *v)
{
    buf_fmt(b, "{\"resultType\":\"%s\",\"result\":", promql_kind_text(v->kind));
    switch (v->kind) {
    case VALUE_SCALAR: /* never with an exponent, unlike samples; the time is a plain float here */
        buf_char(b, '[');
        num_write_json(b, (double)v->scalar.t / 1000);
        buf_putc(b, ",\"");
        num_write_f(b, v->scalar.v);
        buf_putc(b, "\"]");
        break;
    case VALUE_STRING:
        buf_char(b, '[');
        num_write_json(b, (double)v->string.t / 1000);
        buf_putc(b, ",\"");
        json_escape(b, v->string.s);
        buf_putc(b, "\"]");
        break;
    case VALUE_VECTOR: put_vector(b, v); break;
    case VALUE_MATRIX: put_matrix(b, v); break;
    case VALUE_NONE: buf_putc(b, "null"); break;
    }
    buf_char(b, '}');
}

/* --- evaluation --- */

static enum api_error error_of(enum err e)
{
    switch (e) {
    case ERR_CANCELED: return API_CANCELED;
    case ERR_TIMEOUT: return API_TIMEOUT;
    case ERR_SYS:
    case ERR_CORRUPT: return API_INTERNAL;
    default: return API_EXECUTION;
    }
}

static void count_query(struct prometheus *p, bool failed)
{
    pthread_mutex_lock(&p->lock);
    p->queries++;
    p->query_errors += failed;
    pthread_mutex_unlock(&p->lock);
}

static void truncate_result(struct value *v, int64_t limit, struct arena *a)
{
    size_t *n = v->kind == VALUE_VECTOR   ? &v->vector.n
                : v->kind == VALUE_MATRIX ? &v->matrix.n
                                          : NULL;
    if (!limit || !n || *n <= (size_t)limit) return;
    *n = (size_t)limit;
    struct str *notes = arena_array(a, v->warnings_n + 1, sizeof(*notes));
    notes[0] = STR("results truncated due to limit");
    if (v->warnings_n) memcpy(notes + 1, v->warnings, v->warnings_n * sizeof(*notes));
    v->warnings = notes;
    v->warnings_n++;
}

static void run(struct http_req *req, struct evaluator *ev, const struct eval_range *r,
                int64_t limit)
{
    struct prometheus *p = prometheus_of(req);
    struct expr *e = NULL;
    struct diag d = { 0 };
    struct value v = { 0 };
    enum err code = ev->ops->compile(ev, http_param(req, "query"), &e, &d);
    if (code != OK) {
        api_error(req, API_BAD_DATA, "invalid parameter \"query\": %s", d.text);
        return;
    }
    enum value_kind kind = promql_kind(e);
    if (r->step && kind != VALUE_SCALAR && kind != VALUE_VECTOR) {
        api_error(
            req, API_BAD_DATA,
            "invalid parameter \"query\": invalid expression type \"%s\" for range query, must be Scalar or instant Vector",
            kind == VALUE_MATRIX ? "range vector" : "string");
        ev->ops->release(ev, e);
        return;
    }
    code = ev->ops->eval(ev, e, r, &req->arena, req->gone, &v, &d);
    ev->ops->release(ev, e);
    count_query(p, code != OK);
    if (code != OK) {
        api_error(req, error_of(code), "%s", d.text);
        return;
    }
    truncate_result(&v, limit, &req->arena);
    struct buf b = { .max = (size_t)4 << 30 };
    (void)api_begin(&b);
    put_result(&b, &v);
    api_end(req, &b, &v);
}

/* The role's evaluator, or one for this query when it sets its own look-back or a shorter timeout. */
static void run_with_options(struct http_req *req, const struct eval_range *r)
{
    struct prometheus *p = prometheus_of(req);
    int64_t lookback, timeout, limit;
    if (!api_duration_param(req, "lookback_delta", p->cfg->lookback_ms, &lookback)) return;
    if (!api_duration_param(req, "timeout", p->cfg->query_timeout_ms, &timeout)) return;
    if (!api_limit_param(req, &limit)) return;
    if (timeout > p->cfg->query_timeout_ms) timeout = p->cfg->query_timeout_ms;
    if (lookback == p->cfg->lookback_ms && timeout == p->cfg->query_timeout_ms) {
        run(req, p->evaluator, r, limit);
        return;
    }
    const struct promql_options o = prometheus_promql_options(p, lookback, timeout);
    struct evaluator *ev = promql_new(remote_reader_queryable(p->reader), &o);
    run(req, ev, r, limit);
    promql_free(ev);
}

void api_query(struct http_req *req)
{
    struct eval_range r = { 0 };
    if (!api_time_param(req, "time", clock_now_ms(), &r.start)) return;
    r.end = r.start;
    run_with_options(req, &r);
}

static bool step_needed(struct http_req *req, int64_t *step)
{
    if (http_param(req, "step").n) return api_duration_param(req, "step", 0, step);
    api_error(req, API_BAD_DATA,
              "invalid parameter \"step\": cannot parse \"\" to a valid duration");
    return false;
}

void api_query_range(struct http_req *req)
{
    struct eval_range r = { 0 };
    if (!api_time_needed(req, "start", &r.start)) return;
    if (!api_time_needed(req, "end", &r.end)) return;
    if (r.end < r.start) {
        api_error(req, API_BAD_DATA,
                  "invalid parameter \"end\": end timestamp must not be before start time");
        return;
    }
    if (!step_needed(req, &r.step)) return;
    if (r.step <= 0) {
        api_error(
            req, API_BAD_DATA,
            "invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a positive integer");
        return;
    }
    if ((r.end - r.start) / r.step > POINTS_MAX) {
        api_error(
            req, API_BAD_DATA,
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)");
        return;
    }
    run_with_options(req, &r);
}

/* Compiles `query`; NULL when the error was sent. */
static struct expr *compiled(struct http_req *req)
{
    struct evaluator *ev = prometheus_of(req)->evaluator;
    struct expr *e = NULL;
    struct diag d = { 0 };
    if (ev->ops->compile(ev, http_param(req, "query"), &e, &d) == OK) return e;
    api_error(req, API_BAD_DATA, "invalid parameter \"query\": %s", d.text);
    return NULL;
}

void api_format_query(struct http_req *req)
{
    struct expr *e = compiled(req);
    if (!e) return;
    struct buf b = { 0 };
    struct json_writer w = api_begin(&b);
    api_put(&w, promql_pretty(e, &req->arena));
    prometheus_of(req)->evaluator->ops->release(prometheus_of(req)->evaluator, e);
    api_end(req, &b, NULL);
}

void api_parse_query(struct http_req *req)
{
    struct expr *e = compiled(req);
    if (!e) return;
    struct buf b = { 0 };
    (void)api_begin(&b);
    promql_write_ast(e, &b);
    prometheus_of(req)->evaluator->ops->release(prometheus_of(req)->evaluator, e);
    api_end(req, &b, NULL);
}
