/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Series, label names and label values: what is there, by selectors and time.
 */
#include "base/vec.h"
#include "roles/prometheus/prometheus_priv.h"

#include <stdlib.h>

struct selection {
    struct matcher *v;
    size_t n;
};

/* All match[] of a request, and its time range. The arena is not the request's, which ends with the reply. */
struct wanted {
    struct arena a;
    VEC(struct selection) sets;
    int64_t start, end, limit;
    struct querier *q;
};

static void wanted_done(struct wanted *w)
{
    VEC_FOR(s, &w->sets) {
        for (size_t i = 0; i < s->n; i++) matcher_done(&s->v[i]);
    }
    if (w->q) w->q->ops->close(w->q);
    arena_done(&w->a);
}

/* A selector that the empty series would satisfy selects everything: refused, as the original does. */
static bool matches_nothing_in_particular(const struct selection *s)
{
    for (size_t i = 0; i < s->n; i++) {
        if (!matcher_match(&s->v[i], STR(""))) return false;
    }
    return true;
}

/* named: the error says which parameter, as /series does and the lists of labels do not. */
static bool read_selectors(struct http_req *req, struct wanted *w, bool named)
{
    const char *where = named ? "invalid parameter \"match[]\": " : "";
    for (size_t i = 0; i < req->params_n; i++) {
        if (!str_eqc(req->params[i].name, "match[]")) continue;
        struct selection s = { 0 };
        struct diag d = { 0 };
        if (promql_parse_matchers(req->params[i].value, &w->a, &s.v, &s.n, &d) != OK) {
            api_error(req, API_BAD_DATA, "%s%s", where, d.text);
            return false;
        }
        *vec_push(&w->a, &w->sets) = s;
        if (matches_nothing_in_particular(&s)) {
            api_error(req, API_BAD_DATA, "%smatch[] must contain at least one non-empty matcher",
                      where);
            return false;
        }
    }
    return true;
}

/* False when the error was sent. */
static bool wanted_init(struct http_req *req, struct wanted *w, bool named)
{
    struct diag d = { 0 };
    struct queryable *qa = tsdb_queryable(prometheus_of(req)->tsdb);
    if (!api_time_param(req, "start", API_MIN_TIME, &w->start) ||
        !api_time_param(req, "end", API_MAX_TIME, &w->end)) {
        return false;
    }
    if (!api_limit_param(req, &w->limit) || !read_selectors(req, w, named)) return false;
    if (qa->ops->open(qa, w->start, w->end, &w->q, &d) == OK) return true;
    api_error(req, API_INTERNAL, "%s", d.text);
    return false;
}

static struct value truncated(struct arena *a, size_t *n, int64_t limit)
{
    struct value notes = { 0 };
    if (!limit || *n <= (size_t)limit) return notes;
    *n = (size_t)limit;
    notes.warnings = arena_new(a, struct str);
    notes.warnings[0] = STR("results truncated due to limit");
    notes.warnings_n = 1;
    return notes;
}

/* --- series --- */

static int by_labels(const void *a, const void *b)
{
    return labels_cmp(((const struct series *)a)->lb, ((const struct series *)b)->lb);
}

struct found {
    VEC(struct series) all;
};

static enum err select_all(struct wanted *w, struct found *out, struct diag *d)
{
    VEC_FOR(s, &w->sets) {
        struct series *v;
        size_t n;
        TRY(w->q->ops->select(w->q, &w->a, s->v, s->n, w->start, w->end, &v, &n, d));
        if (w->sets.n == 1) {
            out->all.v = v;
            out->all.n = n;
            return OK;
        }
        for (size_t i = 0; i < n; i++) *vec_push(&w->a, &out->all) = v[i];
    }
    if (!out->all.n) return OK;
    qsort(out->all.v, out->all.n, sizeof(struct series), by_labels);
    size_t kept = 1;
    for (size_t i = 1; i < out->all.n; i++) {
        if (!labels_eq(out->all.v[i].lb, out->all.v[kept - 1].lb)) {
            out->all.v[kept++] = out->all.v[i];
        }
    }
    out->all.n = kept;
    return OK;
}

static void reply_series(struct http_req *req, struct wanted *w)
{
    struct found f = { 0 };
    struct diag d = { 0 };
    if (!w->sets.n) {
        api_error(req, API_BAD_DATA, "no match[] parameter provided");
        return;
    }
    if (select_all(w, &f, &d) != OK) {
        api_error(req, API_EXECUTION, "%s", d.text);
        return;
    }
    struct value notes = truncated(&w->a, &f.all.n, w->limit);
    struct buf b = { 0 };
    struct json_writer jw = api_begin(&b);
    json_open(&jw, '[');
    VEC_FOR(s, &f.all) {
        api_put_labels(&jw, s->lb);
    }
    json_close(&jw, ']');
    api_end(req, &b, &notes);
}

void api_series(struct http_req *req)
{
    CLEANUP(wanted_done) struct wanted w = { 0 };
    if (wanted_init(req, &w, true)) reply_series(req, &w);
}

/* --- names and values --- */

struct names {
    VEC(struct str) all;
};

static int by_str(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* name {NULL, 0}: label names; otherwise that label's values. */
static enum err collect(struct wanted *w, struct str name, struct names *out, struct diag *d)
{
    const struct querier_ops *ops = w->q->ops;
    size_t sets = w->sets.n ? w->sets.n : 1;
    for (size_t i = 0; i < sets; i++) {
        struct selection s = w->sets.n ? w->sets.v[i] : (struct selection){ 0 };
        struct str *v;
        size_t n;
        TRY(name.p ? ops->label_values(w->q, &w->a, name, s.v, s.n, &v, &n, d)
                   : ops->label_names(w->q, &w->a, s.v, s.n, &v, &n, d));
        for (size_t k = 0; k < n; k++) *vec_push(&w->a, &out->all) = v[k];
    }
    if (sets == 1 || !out->all.n) return OK;
    qsort(out->all.v, out->all.n, sizeof(struct str), by_str);
    size_t kept = 1;
    for (size_t i = 1; i < out->all.n; i++) {
        if (!str_eq(out->all.v[i], out->all.v[kept - 1])) out->all.v[kept++] = out->all.v[i];
    }
    out->all.n = kept;
    return OK;
}

static void reply_names(struct http_req *req, struct str name)
{
    CLEANUP(wanted_done) struct wanted w = { 0 };
    struct names names = { 0 };
    struct diag d = { 0 };
    if (!wanted_init(req, &w, false)) return;
    if (collect(&w, name, &names, &d) != OK) {
        api_error(req, API_EXECUTION, "%s", d.text);
        return;
    }
    struct value notes = truncated(&w.a, &names.all.n, w.limit);
    struct buf b = { 0 };
    struct json_writer jw = api_begin(&b);
    json_open(&jw, '[');
    VEC_FOR(s, &names.all) {
        api_put(&jw, *s);
    }
    json_close(&jw, ']');
    api_end(req, &b, &notes);
}

void api_labels(struct http_req *req) { reply_names(req, (struct str){ 0 }); }

void api_label_values(struct http_req *req)
{
    if (!req->path_args[0].n) {
        api_error(req, API_BAD_DATA, "invalid label name: \"\"");
        return;
    }
    reply_names(req, req->path_args[0]);
}
