/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/gotime.h"
#include "codec/num.h"
#include "roles/prometheus/prometheus_priv.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *type;
    int status;
} ERRORS[] = {
    [API_BAD_DATA] = { "bad_data", 400 },       [API_EXECUTION] = { "execution", 422 },
    [API_CANCELED] = { "canceled", 499 },       [API_TIMEOUT] = { "timeout", 503 },
    [API_INTERNAL] = { "internal", 500 },       [API_NOT_FOUND] = { "not_found", 404 },
    [API_UNAVAILABLE] = { "unavailable", 500 },
};

enum { NOTES_MAX = 10 };

void api_put(struct json_writer *w, struct str s)
{
    BUF(plain, 0);
    BUF(out, 0);
    json_escape(&plain, s);
    buf_char(&out, '"');
    for (size_t i = 0; i < plain.n; i++) {
        switch (plain.p[i]) {
        case '<': buf_putc(&out, "\\u003c"); break;
        case '>': buf_putc(&out, "\\u003e"); break;
        case '&': buf_putc(&out, "\\u0026"); break;
        default: buf_char(&out, plain.p[i]);
        }
    }
    buf_char(&out, '"');
    json_put_raw(w, buf_str(&out));
}

void api_put_labels(struct json_writer *w, struct labels lb)
{
    json_open(w, '{');
    for (size_t i = 0; i < lb.n; i++) {
        json_key_str(w, lb.v[i].name);
        api_put(w, lb.v[i].value);
    }
    json_close(w, '}');
}

void api_put_time(struct json_writer *w, int64_t ms)
{
    BUF(b, 64);
    if (ms) {
        rfc3339_write(&b, ms);
    } else {
        buf_putc(&b, "0001-01-01T00:00:00Z");
    }
    json_put_str(w, buf_str(&b));
}

void api_field(struct json_writer *w, const char *key, struct str s)
{
    json_key(w, key);
    api_put(w, s);
}

void api_field_raw(struct json_writer *w, const char *key, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    json_key(w, key);
    json_put_raw(w, str_c(text));
}

static void send_json(struct http_req *req, int status, struct buf *b)
{
    http_reply(req, status, "application/json", b);
}

void api_error(struct http_req *req, enum api_error e, const char *fmt, ...)
{
    char text[2048];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    struct buf b = { 0 };
    struct json_writer w = json_writer(&b);
    json_open(&w, '{');
    api_field(&w, "status", STR("error"));
    api_field(&w, "errorType", str_c(ERRORS[e].type));
    api_field(&w, "error", str_c(text));
    json_close(&w, '}');
    send_json(req, ERRORS[e].status, &b);
}

struct json_writer api_begin(struct buf *b)
{
    buf_putc(b, "{\"status\":\"success\",\"data\":");
    return json_writer(b);
}

static void put_notes(struct buf *b, const char *key, const struct str *v, size_t n)
{
    if (!n) return;
    buf_fmt(b, ",\"%s\":", key);
    struct json_writer w = json_writer(b);
    json_open(&w, '[');
    for (size_t i = 0; i < n && i < NOTES_MAX; i++) api_put(&w, v[i]);
    if (n > NOTES_MAX) {
        char more[64];
        (void)snprintf(more, sizeof(more), "%zu more %s annotations omitted", n - NOTES_MAX,
                       key[0] == 'w' ? "warning" : "info");
        json_put_c(&w, more);
    }
    json_close(&w, ']');
}

void api_end(struct http_req *req, struct buf *b, const struct value *notes)
{
    if (notes) {
        put_notes(b, "warnings", notes->warnings, notes->warnings_n);
        put_notes(b, "infos", notes->infos, notes->infos_n);
    }
    buf_char(b, '}');
    send_json(req, 200, b);
}

/* --- parameters --- */

bool api_time_param(struct http_req *req, const char *name, int64_t deflt, int64_t *ms)
{
    struct str s = http_param(req, name);
    *ms = deflt;
    if (!s.n || api_time_parse(s, ms) == OK) return true;
    api_error(req, API_BAD_DATA,
              "invalid parameter \"%s\": Invalid time value for '%s': cannot parse \"" STR_FMT
              "\" to a valid timestamp",
              name, name, STR_ARG(s));
    return false;
}

bool api_time_needed(struct http_req *req, const char *name, int64_t *ms)
{
    struct str s = http_param(req, name);
    if (api_time_parse(s, ms) == OK) return true;
    api_error(req, API_BAD_DATA,
              "invalid parameter \"%s\": cannot parse \"" STR_FMT "\" to a valid timestamp", name,
              STR_ARG(s));
    return false;
}

/* Seconds with a fraction, or Prometheus' spelling. */
static bool parse_duration(struct str s, int64_t *ms)
{
    double seconds;
    struct diag d;
    if (num_parse_f64(s, &seconds) == OK) {
        if (!(seconds * 1000 < 9.2e15 && seconds * 1000 > -9.2e15)) return false;
        *ms = (int64_t)(seconds * 1000);
        return true;
    }
    return duration_parse(s, ms, &d) == OK;
}

bool api_duration_param(struct http_req *req, const char *name, int64_t deflt, int64_t *ms)
{
    struct str s = http_param(req, name);
    *ms = deflt;
    if (!s.n || parse_duration(s, ms)) return true;
    api_error(req, API_BAD_DATA,
              "invalid parameter \"%s\": cannot parse \"" STR_FMT "\" to a valid duration", name,
              STR_ARG(s));
    return false;
}

bool api_limit_param(struct http_req *req, int64_t *limit)
{
    struct str s = http_param(req, "limit");
    *limit = 0;
    if (!s.n || (num_parse_i64(s, limit) == OK && *limit >= 0)) return true;
    api_error(req, API_BAD_DATA, "invalid parameter \"limit\": limit must be non-negative");
    return false;
}

/* --- routes --- */

static void get_healthy(struct http_req *req)
{
    http_reply_text(req, 200, "Prometheus Server is Healthy.\n");
}
static void get_ready(struct http_req *req)
{
    http_reply_text(req, 200, "Prometheus Server is Ready.\n");
}

static bool lifecycle(struct http_req *req)
{
    if (req->method == HTTP_GET) {
        http_reply_text(req, 405, "Only POST or PUT requests allowed");
        return false;
    }
    if (prometheus_of(req)->cfg->lifecycle) return true;
    http_reply_text(req, 403, "Lifecycle API is not enabled.");
    return false;
}

/* On the collect loop, where a reload belongs. */
static void reload_for(void *ctx)
{
    struct http_req *req = ctx;
    struct diag d = { 0 };
    if (prometheus_reload(prometheus_of(req), &d) == OK) {
        http_reply_text(req, 200, "");
        return;
    }
    http_reply_text(req, 500, arena_fmt(&req->arena, "failed to reload config: %s\n", d.text).p);
}

static void post_reload(struct http_req *req)
{
    if (lifecycle(req)) loop_post(prometheus_of(req)->env.collect, reload_for, req);
}

static void post_quit(struct http_req *req)
{
    if (!lifecycle(req)) return;
    void (*stop_all)(void) = prometheus_of(req)->env.stop_all;
    http_reply_text(req, 200, "Requesting termination... Goodbye!");
    stop_all();
}

static void go_to_query(struct http_req *req)
{
    http_reply_redirect(
        req, 302, arena_fmt(&req->arena, STR_FMT "/query", STR_ARG(prometheus_of(req)->links)));
}

static void no_exemplars(struct http_req *req)
{
    struct buf b = { 0 };
    struct json_writer w = api_begin(&b);
    json_open(&w, '[');
    json_close(&w, ']');
    api_end(req, &b, NULL);
}

enum { GET = HTTP_GET, BOTH = HTTP_GET | HTTP_POST, CHANGE = HTTP_GET | HTTP_POST | HTTP_PUT };

const struct http_route PROMETHEUS_ROUTES[] = {
    { BOTH, "/api/v1/query", api_query, ON_QUERY, "an expression at one time" },
    { BOTH, "/api/v1/query_range", api_query_range, ON_QUERY,
      "an expression over a range of time" },
    { BOTH, "/api/v1/query_exemplars", no_exemplars, ON_LOOP, "exemplars (none are kept)" },
    { BOTH, "/api/v1/format_query", api_format_query, ON_QUERY, "an expression, prettily" },
    { BOTH, "/api/v1/parse_query", api_parse_query, ON_QUERY, "an expression as a tree" },
    { BOTH, "/api/v1/series", api_series, ON_QUERY, "label sets of series" },
    { BOTH, "/api/v1/labels", api_labels, ON_QUERY, "label names" },
    { GET, "/api/v1/label/:name/values", api_label_values, ON_QUERY, "values of one label" },
    { GET, "/api/v1/targets", api_targets, ON_QUERY, "what is scraped" },
    { GET, "/api/v1/scrape_pools", api_scrape_pools, ON_QUERY, "names of jobs" },
    { GET, "/api/v1/targets/metadata", api_targets_metadata, ON_QUERY, "HELP and TYPE by target" },
    { GET, "/api/v1/metadata", api_metadata, ON_QUERY, "HELP and TYPE by metric" },
    { GET, "/api/v1/alertmanagers", api_alertmanagers, ON_QUERY, "who is told of alerts" },
    { GET, "/api/v1/rules", api_rules, ON_QUERY, "rules and their state" },
    { GET, "/api/v1/alerts", api_alerts, ON_QUERY, "active alerts" },
    { GET, "/api/v1/status/config", api_status_config, ON_QUERY, "the loaded configuration" },
    { GET, "/api/v1/status/flags", api_status_flags, ON_QUERY, "flags and their values" },
    { GET, "/api/v1/status/buildinfo", api_status_buildinfo, ON_LOOP, "versions" },
    { GET, "/api/v1/status/runtimeinfo", api_status_runtimeinfo, ON_QUERY, "the process" },
    { GET, "/api/v1/status/tsdb", api_status_tsdb, ON_QUERY, "what fills the head" },
    { GET, "/api/v1/status/walreplay", api_status_walreplay, ON_LOOP, "progress of the start" },
    { GET, "/api/v1/targets/relabel_steps", api_relabel_steps, ON_QUERY,
      "what each rule does to a target's labels" },
    { GET, "/api/v1/status/tsdb/blocks", api_status_blocks, ON_QUERY, "blocks on disk" },
    { GET, "/api/v1/notifications", api_notifications, ON_LOOP, "what a person should know" },
    { GET, "/api/v1/notifications/live", api_notifications_live, ON_LOOP,
      "the same as it comes (no places)" },
    { GET, "/api/v1/features", api_features, ON_LOOP, "what this server can do" },
    { HTTP_POST | HTTP_PUT, "/api/v1/admin/tsdb/delete_series", api_delete_series, ON_BACK,
      "deletes samples" },
    { HTTP_POST | HTTP_PUT, "/api/v1/admin/tsdb/clean_tombstones", api_clean_tombstones, ON_BACK,
      "takes deleted samples off the disk" },
    { HTTP_POST | HTTP_PUT, "/api/v1/admin/tsdb/snapshot", api_snapshot, ON_BACK,
      "copies the store" },
    { GET, "/federate", api_federate, ON_QUERY, "newest samples, to be scraped" },
    { HTTP_POST, "/api/v1/write", api_write, ON_QUERY, "remote write, version 1" },
    { HTTP_POST, "/api/v1/otlp/v1/metrics", api_write_otlp, ON_LOOP, "OTLP (not served)" },
    { HTTP_POST, "/api/v1/read", api_read, ON_QUERY, "remote read" },
    { GET, "/-/healthy", get_healthy, ON_LOOP, "is the process there" },
    { GET, "/-/ready", get_ready, ON_LOOP, "can it answer queries" },
    { CHANGE, "/-/reload", post_reload, ON_LOOP, "reads the configuration again" },
    { CHANGE, "/-/quit", post_quit, ON_LOOP, "ends the process" },
    { GET, "/metrics", prometheus_metrics, ON_QUERY, "own metrics" },
    { GET, "/", go_to_query, ON_LOOP, "the query page" },
    { GET, "/query", page_query, ON_QUERY, "the query page" },
    { GET, "/graph", page_query, ON_QUERY, "the query page" },
    { GET, "/targets", page_targets, ON_QUERY, "targets as a table" },
    { GET, "/alerts", page_alerts, ON_QUERY, "alerts as a table" },
    { GET, "/rules", page_rules, ON_QUERY, "rules as a table" },
    { GET, "/config", page_config, ON_QUERY, "the loaded configuration" },
    { GET, "/flags", page_flags, ON_QUERY, "flags as a table" },
    { GET, "/status", page_status, ON_QUERY, "the process as a table" },
    { GET, "/tsdb-status", page_status, ON_QUERY, "the store as a table" },
    { 0 },
};
