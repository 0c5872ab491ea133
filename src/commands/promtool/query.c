/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query.c - promtool query: a server's answers as lines or as JSON
 */
#include "codec/gotime.h"
#include "codec/json.h"
#include "codec/num.h"
#include "commands/promtool/promtool.h"
#include "io/clock.h"
#include "io/http_client.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* --- asking --- */

struct form {
    struct buf b;
};

static void put_escaped(struct buf *b, struct str s)
{
    static const char HEX[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '_' || c == '.' || c == '~';
        if (plain) {
            buf_char(b, (char)c);
        } else {
            buf_char(b, '%');
            buf_char(b, HEX[c >> 4]);
            buf_char(b, HEX[c & 15]);
        }
    }
}

static void put_param(struct form *f, const char *name, struct str value)
{
    if (f->b.n) buf_char(&f->b, '&');
    buf_putc(&f->b, name);
    buf_char(&f->b, '=');
    put_escaped(&f->b, value);
}

static void put_time(struct arena *a, struct form *f, const char *name, int64_t ms)
{
    BUF(b, 64);
    num_write_ms(&b, ms);
    put_param(f, name, arena_dup(a, buf_str(&b)));
}

struct server {
    struct str base; /* without a slash at the end */
    const struct promtool_options *o;
};

static int failed(const char *text)
{
    (void)fprintf(stderr, "query error: %s\n", text);
    return PROMTOOL_FAILED;
}

static struct server server_of(const struct promtool_options *o)
{
    struct str url = o->args.v[0];
    if (str_find(url, STR("://")) == STR_NONE)
        url = arena_fmt(o->a, "http://" STR_FMT, STR_ARG(url));
    while (str_ends(url, STR("/"))) url = str_first(url, url.n - 1);
    return (struct server){ url, o };
}

/* HOST, with the login taken out of the address. */
static struct str take_login(struct arena *a, struct str url, struct http_call *call)
{
    size_t scheme = str_find(url, STR("://"));
    struct str rest = str_from(url, scheme + 3), authority = rest, login, host, user, password;
    size_t slash = str_find_char(rest, '/');
    if (slash != STR_NONE) authority = str_first(rest, slash);
    if (!str_cut(authority, '@', &login, &host)) return url;
    (void)str_cut(login, ':', &user, &password);
    call->user = user;
    call->password = secret_of(password);
    return arena_fmt(a, STR_FMT "://" STR_FMT STR_FMT, STR_ARG(str_first(url, scheme)),
                     STR_ARG(host), STR_ARG(str_from(rest, authority.n)));
}

static size_t headers_of(const struct promtool_options *o, struct http_pair *out)
{
    size_t n = 0;
    out[n++] = (struct http_pair){ STR("Content-Type"), STR("application/x-www-form-urlencoded") };
    for (size_t i = 0; i < o->headers.n; i++) {
        struct str name, value;
        if (str_cut(o->headers.v[i], '=', &name, &value)) {
            out[n++] = (struct http_pair){ name, value };
        }
    }
    return n;
}

/* The answer's data. POST, as the original asks; labels/NAME/values takes GET only. */
static int ask(const struct server *s, const char *method, struct str path, struct str form,
               const struct json **data)
{
    enum { TIMEOUT_MS = 120000 };
    struct arena *a = s->o->a;
    struct http_pair *headers = arena_array(a, s->o->headers.n + 1, sizeof(*headers));
    struct http_call call = { .method = method, .timeout_ms = TIMEOUT_MS, .accept_gzip = true };
    struct str base = take_login(a, s->base, &call);
    bool post = strcmp(method, "POST") == 0;
    call.url = arena_fmt(a, STR_FMT "/api/v1/" STR_FMT "%s" STR_FMT, STR_ARG(base), STR_ARG(path),
                         !post && form.n ? "?" : "", STR_ARG(post ? STR("") : form));
    if (post) call.body = form;
    call.headers = headers;
    call.headers_n = headers_of(s->o, headers);
    struct http_result res = { 0 };
    struct diag d = { 0 };
    if (promtool_http_config(s->o, &call.config, &d) != OK) return failed(d.text);
    if (http_fetch(&call, NULL, &res, &d) != OK) return failed(d.text);
    struct str body = arena_dup(a, buf_str(&res.body));
    buf_done(&res.body);
    const struct json *v;
    if (json_parse(a, body, &v, &d) != OK || !json_get(v, "status")) {
        struct str why = arena_fmt(a, "server answered %d with no JSON", res.status);
        return failed(why.p);
    }
    if (!str_eqc(json_str(json_get(v, "status"), STR("")), "success")) {
        struct str why = arena_fmt(a, STR_FMT ": " STR_FMT,
                                   STR_ARG(json_str(json_get(v, "errorType"), STR("error"))),
                                   STR_ARG(json_str(json_get(v, "error"), STR(""))));
        return failed(why.p);
    }
    *data = json_get(v, "data");
    const struct json *warnings = json_get(v, "warnings");
    for (size_t i = 0; warnings && warnings->kind == JSON_ARRAY && i < warnings->n; i++) {
        (void)fprintf(stderr, "Warnings: " STR_FMT "\n",
                      STR_ARG(json_str(&warnings->items[i], STR(""))));
    }
    return PROMTOOL_OK;
}

/* --- printing --- */

/* A number as written, or its shortest form: model.SampleValue prints what it parsed. */
static void put_number(struct buf *b, const struct json *v)
{
    struct str s = v && v->kind == JSON_STRING ? v->text : json_str(v, v ? v->text : STR(""));
    double x;
    if (num_parse_f64(s, &x) == OK) {
        num_write_f(b, x);
    } else {
        buf_put(b, s);
    }
}

/* [time, "value"] as `value @[time]`. */
static void put_sample(struct buf *b, const struct json *pair)
{
    if (!pair || pair->kind != JSON_ARRAY || pair->n != 2) return;
    put_number(b, &pair->items[1]);
    buf_putc(b, " @[");
    num_write_f(b, json_num(&pair->items[0], 0));
    buf_char(b, ']');
}

static struct labels labels_of(struct arena *a, const struct json *metric)
{
    size_t n = metric && metric->kind == JSON_OBJECT ? metric->n : 0;
    struct label *v = arena_array(a, n, sizeof(*v));
    for (size_t i = 0; i < n; i++) {
        v[i] = (struct label){ metric->members[i].key,
                               json_str(&metric->members[i].value, STR("")) };
    }
    return labels_from(v, n);
}

static void put_vector(struct buf *b, struct arena *a, const struct json *result)
{
    for (size_t i = 0; i < result->n; i++) {
        labels_write(b, labels_of(a, json_get(&result->items[i], "metric")));
        buf_putc(b, " => ");
        put_sample(b, json_get(&result->items[i], "value"));
        buf_char(b, '\n');
    }
    if (!result->n) buf_char(b, '\n');
}

static void put_matrix(struct buf *b, struct arena *a, const struct json *result)
{
    for (size_t i = 0; i < result->n; i++) {
        const struct json *values = json_get(&result->items[i], "values");
        labels_write(b, labels_of(a, json_get(&result->items[i], "metric")));
        buf_putc(b, " =>\n");
        for (size_t k = 0; values && values->kind == JSON_ARRAY && k < values->n; k++) {
            put_sample(b, &values->items[k]);
            buf_char(b, '\n');
        }
    }
    if (!result->n) buf_char(b, '\n');
}

static int print_value(const struct promtool_options *o, const struct json *data)
{
    BUF(b, 0);
    struct str type = json_str(json_get(data, "resultType"), STR(""));
    const struct json *result = json_get(data, "result");
    if (!result || result->kind != JSON_ARRAY) return failed("the answer has no result");
    if (str_eqc(o->output, "json")) {
        json_write(&b, result);
        buf_char(&b, '\n');
    } else if (str_eqc(type, "vector")) {
        put_vector(&b, o->a, result);
    } else if (str_eqc(type, "matrix")) {
        put_matrix(&b, o->a, result);
    } else if (str_eqc(type, "scalar")) {
        buf_putc(&b, "scalar: ");
        put_sample(&b, result);
        buf_char(&b, '\n');
    } else if (result->n == 2) {
        buf_put(&b, json_str(&result->items[1], STR("")));
        buf_char(&b, '\n');
    }
    promtool_flush(&b);
    return PROMTOOL_OK;
}

static int print_list(const struct promtool_options *o, const struct json *data, bool sets)
{
    BUF(b, 0);
    if (!data || data->kind != JSON_ARRAY) return failed("the answer is no list");
    if (str_eqc(o->output, "json")) {
        json_write(&b, data);
        buf_char(&b, '\n');
    }
    for (size_t i = 0; i < data->n && !str_eqc(o->output, "json"); i++) {
        if (sets) {
            labels_write_set(&b, labels_of(o->a, &data->items[i]));
            buf_char(&b, '\n');
        } else {
            buf_put(&b, json_str(&data->items[i], STR("")));
            buf_char(&b, '\n');
        }
    }
    promtool_flush(&b);
    return PROMTOOL_OK;
}

/* --- the subcommands --- */

static bool read_time(struct str text, int64_t otherwise, int64_t *out, const char *what)
{
    *out = otherwise;
    if (!text.n || api_time_parse(text, out) == OK) return true;
    (void)fprintf(stderr, "error parsing %s: cannot parse \"" STR_FMT "\" to a valid timestamp\n",
                  what, STR_ARG(text));
    return false;
}

int promtool_query_instant(const struct promtool_options *o)
{
    struct server s = server_of(o);
    const struct json *data = NULL;
    int64_t at;
    if (!read_time(o->time, clock_now_ms(), &at, "evaluation time")) return PROMTOOL_FAILED;
    struct form f = { 0 };
    put_param(&f, "query", o->args.v[1]);
    put_time(o->a, &f, "time", at);
    int code = ask(&s, "POST", STR("query"), arena_dup(o->a, buf_str(&f.b)), &data);
    buf_done(&f.b);
    return code == PROMTOOL_OK ? print_value(o, data) : code;
}

/* About 250 points, whole seconds. */
static int64_t default_step(int64_t start, int64_t end)
{
    enum { POINTS = 250, SECOND_MS = 1000 };
    int64_t seconds = (end - start) / SECOND_MS / POINTS;
    return (seconds > 1 ? seconds : 1) * SECOND_MS;
}

int promtool_query_range(const struct promtool_options *o)
{
    enum { FIVE_MINUTES_MS = 300000 };
    struct server s = server_of(o);
    const struct json *data = NULL;
    int64_t start, end;
    if (!read_time(o->end, clock_now_ms(), &end, "end time")) return PROMTOOL_FAILED;
    if (!read_time(o->start, end - FIVE_MINUTES_MS, &start, "start time")) return PROMTOOL_FAILED;
    if (end < start) {
        (void)fprintf(stderr, "start time is not before end time\n");
        return PROMTOOL_FAILED;
    }
    struct form f = { 0 };
    int64_t step = o->step_ms ? o->step_ms : default_step(start, end);
    put_param(&f, "query", o->args.v[1]);
    put_time(o->a, &f, "start", start);
    put_time(o->a, &f, "end", end);
    put_time(o->a, &f, "step", step);
    int code = ask(&s, "POST", STR("query_range"), arena_dup(o->a, buf_str(&f.b)), &data);
    buf_done(&f.b);
    return code == PROMTOOL_OK ? print_value(o, data) : code;
}

static bool put_span(const struct promtool_options *o, struct form *f)
{
    int64_t start, end;
    if (!read_time(o->end, clock_now_ms(), &end, "end time")) return false;
    if (!read_time(o->start, 0, &start, "start time")) return false;
    if (o->start.n) put_time(o->a, f, "start", start);
    put_time(o->a, f, "end", end);
    for (size_t i = 0; i < o->match.n; i++) put_param(f, "match[]", o->match.v[i]);
    return true;
}

static int query_list(const struct promtool_options *o, const char *method, struct str path,
                      bool sets)
{
    struct server s = server_of(o);
    struct form f = { 0 };
    const struct json *data = NULL;
    int code = PROMTOOL_FAILED;
    if (put_span(o, &f)) {
        code = ask(&s, method, path, arena_dup(o->a, buf_str(&f.b)), &data);
    }
    buf_done(&f.b);
    return code == PROMTOOL_OK ? print_list(o, data, sets) : code;
}

int promtool_query_series(const struct promtool_options *o)
{
    if (!o->match.n) return promtool_usage("required flag --match not provided");
    return query_list(o, "POST", STR("series"), true);
}

int promtool_query_labels(const struct promtool_options *o)
{
    struct str path = arena_fmt(o->a, "label/" STR_FMT "/values", STR_ARG(o->args.v[1]));
    return query_list(o, "GET", path, false);
}
