/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api.c - answers of the API v2 in the original's shapes: key order, error texts, status codes
 *
 * Source: api/v2/openapi.yaml of 0.34; bodies captured from 0.25.
 */
#include "base/vec.h"
#include "codec/gotime.h"
#include "codec/json.h"
#include "io/clock.h"
#include "roles/alertmanager/manager.h"

#include <stdlib.h>

#define JSON_TYPE "application/json"

/* ---- pieces ---- */
void am_write_time(struct buf *b, int64_t ms)
{
    struct civil c = civil_of_ms(ms);
    int rest = (int)(((ms % 1000) + 1000) % 1000);
    buf_fmt(b, "\"%04lld-%02d-%02dT%02d:%02d:%02d.%03dZ\"", (long long)c.year, c.month, c.day,
            c.hour, c.minute, c.second, rest);
}

static void text(struct buf *b, struct str s)
{
    struct tmpl_value v = tmpl_str(s);
    tmpl_json(b, &v);
}
static void key(struct buf *b, const char *name)
{
    char last = b->n ? b->p[b->n - 1] : '{';
    if (last != '{' && last != '[') buf_char(b, ',');
    buf_fmt(b, "\"%s\":", name);
}
static void item(struct buf *b)
{
    if (b->n && b->p[b->n - 1] != '[') buf_char(b, ',');
}
static void reply(struct http_req *req, struct buf *b)
{
    buf_char(b, '\n');
    http_reply(req, 200, JSON_TYPE, b);
}

void am_reply_string(struct http_req *req, int status, const char *s)
{
    BUF(b, 0);
    text(&b, str_c(s));
    buf_char(&b, '\n');
    http_reply(req, status, JSON_TYPE, &b);
}
void am_reply_error(struct http_req *req, int status, int code, const char *s)
{
    BUF(b, 0);
    buf_fmt(&b, "{\"code\":%d,\"message\":", code);
    text(&b, str_c(s));
    buf_char(&b, '}');
    http_reply(req, status, JSON_TYPE, &b);
}

bool am_before(struct http_req *req)
{
    static const struct {
        const char *name, *value;
    } rows[] = { { "Access-Control-Allow-Headers", "Accept, Authorization, Content-Type, Origin" },
                 { "Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS" },
                 { "Access-Control-Allow-Origin", "*" },
                 { "Access-Control-Expose-Headers", "Date" },
                 { "Cache-Control", "no-cache, no-store, must-revalidate" } };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        http_reply_header(req, rows[i].name, str_c(rows[i].value));
    }
    return false;
}

void on_am_not_found(struct http_req *req)
{
    const struct manager *m = req->ctx;
    struct str path = str_starts(req->path, m->prefix) ? str_from(req->path, m->prefix.n)
                                                       : req->path;
    if (str_starts(path, STR("/api/v1"))) {
        BUF(b, 0);
        buf_putc(
            &b,
            "{\"status\":\"deprecated\",\"error\":\"The Alertmanager v1 API was deprecated in version 0.16.0 and is removed as of version 0.27.0 - please use the equivalent route in the v2 API\"}");
        http_reply(req, 410, JSON_TYPE, &b);
    } else if (str_starts(path, STR("/api/v2"))) {
        am_reply_error(req, 404, 404,
                       arena_fmt(&req->arena, "path " STR_FMT " was not found", STR_ARG(path)).p);
    } else {
        http_reply_text(req, 404, "404 page not found\n");
    }
}

/* Go's swag.ConvertBool; absent: true. */
static bool flag_param(const struct http_req *req, const char *name)
{
    static const char *const yes[] = { "true", "1",        "yes",     "ok", "y",
                                       "on",   "selected", "checked", "t",  "enabled" };
    struct str v = http_param(req, name);
    if (!v.p) return true;
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (str_ieq(v, str_c(yes[i]))) return true;
    }
    return false;
}

/* ---- filters ---- */
struct filter {
    struct {
        struct matcher *v;
        size_t n, cap;
    } m;
    struct regex *receiver;
};
static void filter_done(struct filter *f)
{
    for (size_t i = 0; i < f->m.n; i++) matcher_done(&f->m.v[i]);
    regex_free(f->receiver);
}

/* False after having replied. */
static bool read_filter(struct http_req *req, struct filter *f)
{
    const struct manager *m = req->ctx;
    struct diag d = { 0 };
    for (size_t i = 0; i < req->params_n; i++) {
        if (!str_eqc(req->params[i].name, "filter")) continue;
        struct matchers list = { 0 };
        if (matchers_parse(&req->arena, req->params[i].value, m->mode, &list, NULL, &d) != OK) {
            am_reply_string(req, 400, d.text);
            return false;
        }
        for (size_t k = 0; k < list.n; k++) *vec_push(&req->arena, &f->m) = list.v[k];
    }
    struct str receiver = http_param(req, "receiver");
    if (!receiver.n) return true;
    struct str whole = arena_fmt(&req->arena, "^(?:" STR_FMT ")$", STR_ARG(receiver));
    if (regex_compile(whole, REGEX_RE2_PART, &f->receiver, &d) == OK) return true;
    am_reply_string(req, 400,
                    arena_fmt(&req->arena, "failed to parse receiver param: %s", d.text).p);
    return false;
}

static bool alert_wanted(const struct http_req *req, const struct filter *f,
                         const struct alert_view *v, bool check_receiver)
{
    if (!matchers_match(f->m.v, f->m.n, v->alert->labels)) return false;
    bool named = !f->receiver || !check_receiver;
    for (size_t i = 0; i < v->receivers_n && !named; i++) {
        named = regex_match(f->receiver, v->receivers[i]);
    }
    if (!named) return false;
    if (v->silenced_n && !flag_param(req, "silenced")) return false;
    if (v->inhibited_n && !flag_param(req, "inhibited")) return false;
    if (v->muted_n && !flag_param(req, "muted")) return false;
    bool active = !v->silenced_n && !v->inhibited_n && !v->muted_n;
    return !active || flag_param(req, "active");
}

/* ---- alerts ---- */
static void labels_object(struct buf *b, struct labels lb)
{
    buf_char(b, '{');
    for (size_t i = 0; i < lb.n; i++) {
        if (i) buf_char(b, ',');
        text(b, lb.v[i].name);
        buf_char(b, ':');
        text(b, lb.v[i].value);
    }
    buf_char(b, '}');
}
static void strings(struct buf *b, const struct str *v, size_t n)
{
    buf_char(b, '[');
    for (size_t i = 0; i < n; i++) {
        if (i) buf_char(b, ',');
        text(b, v[i]);
    }
    buf_char(b, ']');
}

static void write_alert(struct buf *b, const struct alert_view *v)
{
    const struct alert *a = v->alert;
    bool quiet = v->silenced_n || v->inhibited_n || v->muted_n;
    item(b);
    buf_putc(b, "{\"annotations\":");
    labels_object(b, a->annotations);
    buf_putc(b, ",\"endsAt\":");
    am_write_time(b, a->ends_at);
    buf_fmt(b, ",\"fingerprint\":\"%016llx\",\"receivers\":[", (unsigned long long)a->fingerprint);
    for (size_t i = 0; i < v->receivers_n; i++) {
        item(b);
        buf_putc(b, "{\"name\":");
        text(b, v->receivers[i]);
        buf_char(b, '}');
    }
    buf_putc(b, "],\"startsAt\":");
    am_write_time(b, a->starts_at);
    buf_putc(b, ",\"status\":{\"inhibitedBy\":");
    strings(b, v->inhibited_by, v->inhibited_n);
    buf_putc(b, ",\"mutedBy\":");
    strings(b, v->muted_by, v->muted_n);
    buf_putc(b, ",\"silencedBy\":");
    strings(b, v->silenced_by, v->silenced_n);
    buf_fmt(b, ",\"state\":\"%s\"},\"updatedAt\":", quiet ? "suppressed" : "active");
    am_write_time(b, a->updated_at);
    if (a->generator_url.n) {
        key(b, "generatorURL");
        text(b, a->generator_url);
    }
    buf_putc(b, ",\"labels\":");
    labels_object(b, a->labels);
    buf_char(b, '}');
}

static void get_alerts(struct http_req *req)
{
    struct manager *m = req->ctx;
    struct filter f = { 0 };
    if (!read_filter(req, &f)) {
        filter_done(&f);
        return;
    }
    struct alert_views v;
    BUF(b, 0);
    alert_views(m->engine, clock_now_ms(), &req->arena, &v);
    buf_char(&b, '[');
    for (size_t i = 0; i < v.n; i++) {
        if (alert_wanted(req, &f, &v.v[i], true)) write_alert(&b, &v.v[i]);
    }
    buf_char(&b, ']');
    alert_views_done(&v);
    filter_done(&f);
    reply(req, &b);
}

void on_am_groups(struct http_req *req)
{
    struct manager *m = req->ctx;
    struct filter f = { 0 };
    if (!read_filter(req, &f)) {
        filter_done(&f);
        return;
    }
    struct group_view *v;
    size_t n;
    BUF(b, 0);
    alert_groups(m->engine, clock_now_ms(), &req->arena, &v, &n);
    buf_char(&b, '[');
    for (size_t i = 0; i < n; i++) {
        BUF(alerts, 0);
        buf_char(&alerts, '[');
        bool named = !f.receiver || regex_match(f.receiver, v[i].receiver);
        for (size_t k = 0; named && k < v[i].alerts.n; k++) {
            if (alert_wanted(req, &f, &v[i].alerts.v[k], false)) {
                write_alert(&alerts, &v[i].alerts.v[k]);
            }
        }
        alert_views_done(&v[i].alerts);
        if (alerts.n == 1) continue;
        item(&b);
        buf_fmt(&b, "{\"alerts\":" STR_FMT "],\"labels\":", STR_ARG(buf_str(&alerts)));
        labels_object(&b, v[i].labels);
        buf_putc(&b, ",\"receiver\":{\"name\":");
        text(&b, v[i].receiver);
        buf_putc(&b, "}}");
    }
    buf_char(&b, ']');
    filter_done(&f);
    reply(req, &b);
}

/* ---- taking alerts ---- */
/* A body that is JSON, or NULL after having replied. */
static const struct json *read_body(struct http_req *req, const char *what)
{
    const struct json *v = NULL;
    struct diag d = { 0 };
    struct str type = http_header(req, "Content-Type");
    if (type.n && !str_starts(type, STR("application/json"))) {
        struct str head, rest;
        (void)str_cut(type, ';', &head, &rest);
        am_reply_error(req, 415, 415,
                       arena_fmt(&req->arena,
                                 "unsupported media type \"" STR_FMT
                                 "\", only [application/json] are allowed",
                                 STR_ARG(head))
                           .p);
        return NULL;
    }
    if (json_parse(&req->arena, req->body, &v, &d) == OK) return v;
    am_reply_error(
        req, 400, 400,
        arena_fmt(&req->arena, "parsing %s body from \"\" failed, because %s", what, d.text).p);
    return NULL;
}

/* Go's zero time counts as absent. */
static bool read_time(const struct json *v, int64_t *out)
{
    struct str s = json_str(v, STR(""));
    *out = 0;
    if (!v || v->kind == JSON_NULL || !s.n || str_starts(s, STR("0001-01-01T00:00:00"))) {
        return true;
    }
    return rfc3339_parse(s, out) == OK;
}

static bool read_labels(struct arena *a, const struct json *v, bool keep_empty, struct labels *out)
{
    *out = (struct labels){ 0 };
    if (!v || v->kind == JSON_NULL) return true;
    if (v->kind != JSON_OBJECT) return false;
    struct label *list = arena_array(a, v->n, sizeof(*list));
    for (size_t i = 0; i < v->n; i++) {
        if (v->members[i].value.kind != JSON_STRING) return false;
        list[i] = (struct label){ v->members[i].key, v->members[i].value.text };
    }
    (void)keep_empty;
    *out = labels_from(list, v->n);
    return true;
}

/* The first fault of an alert as the original words it, or NULL. */
static const char *alert_fault(struct manager *m, struct arena *a, const struct alert *al)
{
    BUF(q, 4096);
    if (!al->labels.n) return "at least one label pair required";
    for (size_t i = 0; i < al->labels.n + al->annotations.n; i++) {
        bool label = i < al->labels.n;
        struct str name = label ? al->labels.v[i].name : al->annotations.v[i - al->labels.n].name;
        if (alert_label_name_ok(name, m->mode)) continue;
        text(&q, name);
        return arena_fmt(a, "invalid %s set: invalid name " STR_FMT, label ? "label" : "annotation",
                         STR_ARG(buf_str(&q)))
            .p;
    }
    if (al->ends_at && al->starts_at && al->starts_at > al->ends_at) {
        return "start time must be before end time";
    }
    return NULL;
}

/* False after having replied. */
static bool read_alert(struct http_req *req, const struct json *v, size_t i, struct alert *al)
{
    *al = (struct alert){ 0 };
    const struct json *lb = json_get(v, "labels");
    if (!lb || lb->kind == JSON_NULL) {
        am_reply_error(req, 422, 602,
                       arena_fmt(&req->arena, "%zu.labels in body is required", i).p);
        return false;
    }
    bool ok = read_labels(&req->arena, lb, false, &al->labels) &&
              read_labels(&req->arena, json_get(v, "annotations"), true, &al->annotations) &&
              read_time(json_get(v, "startsAt"), &al->starts_at) &&
              read_time(json_get(v, "endsAt"), &al->ends_at);
    if (!ok) {
        am_reply_error(
            req, 400, 400,
            arena_fmt(
                &req->arena,
                "parsing alerts body from \"\" failed, because alert %zu has a field of the wrong type: labels and annotations map texts to texts, times are RFC 3339",
                i)
                .p);
        return false;
    }
    al->generator_url = json_str(json_get(v, "generatorURL"), STR(""));
    return true;
}

static void post_alerts(struct http_req *req)
{
    struct manager *m = req->ctx;
    const struct json *v = read_body(req, "alerts");
    if (!v) return;
    if (v->kind != JSON_ARRAY) {
        am_reply_error(
            req, 400, 400,
            "parsing alerts body from \"\" failed, because json: cannot unmarshal object into Go value of type models.PostableAlerts");
        return;
    }
    struct alert *list = arena_array(&req->arena, v->n, sizeof(*list));
    size_t n = 0;
    int64_t now = clock_now_ms();
    BUF(faults, 1 << 16);
    for (size_t i = 0; i < v->n; i++) {
        if (!read_alert(req, &v->items[i], i, &list[n])) return;
        const char *fault = alert_fault(m, &req->arena, &list[n]);
        m->received[list[n].ends_at && list[n].ends_at <= now]++;
        if (!fault) {
            n++;
            continue;
        }
        m->invalid++;
        if (faults.n) buf_putc(&faults, "; ");
        buf_putc(&faults, fault);
    }
    alert_put(m->engine, list, n, now);
    manager_wake(m);
    if (faults.n) {
        am_reply_string(req, 400, arena_dup(&req->arena, buf_str(&faults)).p);
        return;
    }
    BUF(b, 0);
    http_reply(req, 200, JSON_TYPE, &b);
}

void on_am_alerts(struct http_req *req)
{
    if (req->method == HTTP_POST) {
        post_alerts(req);
    } else {
        get_alerts(req);
    }
}

/* ---- silences ---- */
static void write_set(struct buf *b, const struct matchers *set)
{
    buf_char(b, '[');
    for (size_t i = 0; i < set->n; i++) {
        const struct matcher *m = &set->v[i];
        item(b);
        buf_fmt(b, "{\"isEqual\":%s,\"isRegex\":%s,\"name\":",
                m->op == MATCH_EQ || m->op == MATCH_RE ? "true" : "false",
                m->op == MATCH_RE || m->op == MATCH_NRE ? "true" : "false");
        text(b, m->name);
        buf_putc(b, ",\"value\":");
        text(b, m->value);
        buf_char(b, '}');
    }
    buf_char(b, ']');
}

static void write_silence(struct buf *b, const struct silence *s, int64_t now)
{
    static const char *const states[] = { "pending", "active", "expired" };
    struct matchers none = { 0 };
    item(b);
    buf_putc(b, "{\"id\":");
    text(b, s->id);
    buf_fmt(b, ",\"status\":{\"state\":\"%s\"},\"updatedAt\":", states[silence_state(s, now)]);
    am_write_time(b, s->updated_at);
    if (s->annotations.n) {
        buf_putc(b, ",\"annotations\":");
        labels_object(b, s->annotations);
    }
    buf_putc(b, ",\"comment\":");
    text(b, s->comment);
    buf_putc(b, ",\"createdBy\":");
    text(b, s->created_by);
    buf_putc(b, ",\"endsAt\":");
    am_write_time(b, s->ends_at);
    buf_putc(b, ",\"matchers\":");
    write_set(b, s->sets_n ? &s->sets[0] : &none);
    buf_putc(b, ",\"startsAt\":");
    am_write_time(b, s->starts_at);
    buf_char(b, '}');
}

/* Active ones by their end, pending by their start, expired by their end backwards. */
static int compare_silences(const void *x, const void *y, void *ctx)
{
    const struct silence *a = *(struct silence *const *)x, *b = *(struct silence *const *)y;
    static const int rank[] = {
        [SILENCE_ACTIVE] = 0, [SILENCE_PENDING] = 1, [SILENCE_EXPIRED] = 2
    };
    int64_t now = *(const int64_t *)ctx;
    enum silence_state sa = silence_state(a, now), sb = silence_state(b, now);
    if (sa != sb) return rank[sa] - rank[sb];
    int64_t p = sa == SILENCE_PENDING ? a->starts_at : a->ends_at,
            q = sa == SILENCE_PENDING ? b->starts_at : b->ends_at;
    int c = (p > q) - (p < q);
    return sa == SILENCE_EXPIRED ? -c : c;
}

/* A filter matcher names a silence's matcher: the original compares them as if the silence were labels. */
static bool silence_wanted(const struct http_req *req, const struct filter *f,
                           const struct silence *s, int64_t now)
{
    static const char *const params[] = { "pending", "active", "expired" };
    if (!flag_param(req, params[silence_state(s, now)])) return false;
    for (size_t i = 0; i < f->m.n; i++) {
        struct str value = STR("");
        for (size_t k = 0; s->sets_n && k < s->sets[0].n; k++) {
            if (str_eq(s->sets[0].v[k].name, f->m.v[i].name)) value = s->sets[0].v[k].value;
        }
        if (!matcher_match(&f->m.v[i], value)) return false;
    }
    return true;
}

static void get_silences(struct http_req *req)
{
    struct manager *m = req->ctx;
    struct filter f = { 0 };
    if (!read_filter(req, &f)) {
        filter_done(&f);
        return;
    }
    struct silence **v;
    size_t n;
    int64_t now = clock_now_ms();
    BUF(b, 0);
    alert_silences(m->engine, STR(""), &req->arena, &v, &n);
    if (n) qsort_r(v, n, sizeof(struct silence *), compare_silences, &now);
    buf_char(&b, '[');
    for (size_t i = 0; i < n; i++) {
        if (silence_wanted(req, &f, v[i], now)) write_silence(&b, v[i], now);
    }
    buf_char(&b, ']');
    filter_done(&f);
    reply(req, &b);
}

static bool read_matchers(struct http_req *req, const struct json *v, struct matchers *out)
{
    const struct json *list = json_get(v, "matchers");
    if (!list || list->kind != JSON_ARRAY) {
        am_reply_error(req, 422, 602, "matchers in body is required");
        return false;
    }
    if (!list->n) {
        am_reply_error(req, 422, 612, "matchers in body should have at least 1 items");
        return false;
    }
    out->v = arena_array(&req->arena, list->n, sizeof(*out->v));
    for (size_t i = 0; i < list->n; i++) {
        static const char *const need[] = { "isRegex", "name", "value" };
        const struct json *one = &list->items[i];
        for (size_t k = 0; k < ARRAY_LEN(need); k++) {
            const struct json *field = json_get(one, need[k]);
            if (field && field->kind != JSON_NULL) continue;
            am_reply_error(
                req, 422, 602,
                arena_fmt(&req->arena, "matchers.%zu.%s in body is required", i, need[k]).p);
            return false;
        }
        bool re = json_bool(json_get(one, "isRegex"), false),
             eq = json_bool(json_get(one, "isEqual"), true);
        enum match_op op = re ? (eq ? MATCH_RE : MATCH_NRE) : (eq ? MATCH_EQ : MATCH_NE);
        struct diag d = { 0 };
        if (alert_matcher_init(&req->arena, &out->v[i], op,
                               json_str(json_get(one, "name"), STR("")),
                               json_str(json_get(one, "value"), STR("")), &d) != OK) {
            am_reply_string(
                req, 400,
                arena_fmt(
                    &req->arena,
                    "Failed to create silence: invalid silence: invalid label matcher %zu: %s", i,
                    d.text)
                    .p);
            return false;
        }
        out->n++;
    }
    return true;
}

static bool read_change(struct http_req *req, const struct json *v, struct silence_change *c)
{
    static const char *const need[] = { "comment", "createdBy", "endsAt", "startsAt" };
    for (size_t i = 0; i < ARRAY_LEN(need); i++) {
        const struct json *field = json_get(v, need[i]);
        if (field && field->kind != JSON_NULL) continue;
        am_reply_error(req, 422, 602, arena_fmt(&req->arena, "%s in body is required", need[i]).p);
        return false;
    }
    c->id = json_str(json_get(v, "id"), STR(""));
    c->comment = json_str(json_get(v, "comment"), STR(""));
    c->created_by = json_str(json_get(v, "createdBy"), STR(""));
    bool ok = read_time(json_get(v, "startsAt"), &c->starts_at) &&
              read_time(json_get(v, "endsAt"), &c->ends_at) &&
              read_labels(&req->arena, json_get(v, "annotations"), true, &c->annotations);
    if (!ok) {
        am_reply_error(req, 400, 400,
                       "parsing silence body from \"\" failed, because a time is not RFC 3339");
    }
    return ok;
}

/* Answers with the new id once the record is on disk. */
static void set_silence(struct http_req *req, const struct silence_change *c)
{
    struct manager *m = req->ctx;
    struct diag d = { 0 };
    int64_t now = clock_now_ms();
    char id[37];
    if (c->starts_at >= c->ends_at) {
        am_reply_string(req, 400, "Failed to create silence: start time must be before end time");
        return;
    }
    if (c->ends_at < now) {
        am_reply_string(req, 400, "Failed to create silence: end time can't be in the past");
        return;
    }
    enum err e = alert_silence_set(m->engine, c, now, id, &d);
    if (e == OK) {
        e = alert_sync(m->engine, true, true, &d);
        /* What is not on disk is not promised: it must not go on silencing until a restart forgets it. */
        if (e != OK && !str_eqc(c->id, id)) (void)alert_silence_expire(m->engine, str_c(id), now);
    }
    if (e != OK) {
        am_reply_string(req, e == ERR_MISSING ? 404 : e == ERR_SYS ? 500 : 400, d.text);
        return;
    }
    manager_wake(m);
    BUF(b, 0);
    buf_fmt(&b, "{\"silenceID\":\"%s\"}", id);
    reply(req, &b);
}

static void post_silence(struct http_req *req)
{
    struct silence_change c = { 0 };
    struct matchers set = { 0 };
    const struct json *v = read_body(req, "silence");
    if (!v) return;
    if (read_change(req, v, &c) && read_matchers(req, v, &set)) {
        c.sets = &set;
        c.sets_n = 1;
        set_silence(req, &c);
    }
    matchers_done(&set);
}

void on_am_silences(struct http_req *req)
{
    if (req->method == HTTP_POST) {
        post_silence(req);
    } else {
        get_silences(req);
    }
}

static bool is_uuid(struct str s)
{
    if (s.n != 36) return false;
    for (size_t i = 0; i < s.n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char c = (char)(s.p[i] | 32);
        if (dash ? s.p[i] != '-' : !((s.p[i] >= '0' && s.p[i] <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return true;
}

void on_am_silence(struct http_req *req)
{
    struct manager *m = req->ctx;
    struct str id = req->path_args[0];
    struct diag d = { 0 };
    int64_t now = clock_now_ms();
    BUF(b, 0);
    if (!is_uuid(id)) {
        am_reply_error(req, 422, 601,
                       arena_fmt(&req->arena,
                                 "silenceID in path must be of type uuid: \"" STR_FMT "\"",
                                 STR_ARG(id))
                           .p);
        return;
    }
    if (req->method == HTTP_DELETE) {
        enum err e = alert_silence_expire(m->engine, id, now);
        if (e == OK && alert_sync(m->engine, true, true, &d) != OK) {
            am_reply_string(req, 500, d.text);
            return;
        }
        manager_wake(m);
        http_reply(req, e == OK ? 200 : 404, JSON_TYPE, &b);
        return;
    }
    struct silence **v;
    size_t n;
    alert_silences(m->engine, id, &req->arena, &v, &n);
    if (!n) {
        http_reply(req, 404, JSON_TYPE, &b);
        return;
    }
    write_silence(&b, v[0], now);
    reply(req, &b);
}

/* ---- status and receivers ---- */
void on_am_status(struct http_req *req)
{
    struct manager *m = req->ctx;
    struct alert_config *c = alert_engine_config(m->engine);
    BUF(b, 0);
    if (m->flags.cluster_listen.n) {
        buf_fmt(
            &b,
            "{\"cluster\":{\"name\":\"%s\",\"peers\":[{\"address\":\"127.0.0.1:9094\",\"name\":\"%s\"}],\"status\":\"ready\"}",
            m->peer, m->peer);
    } else {
        buf_putc(&b, "{\"cluster\":{\"peers\":[],\"status\":\"disabled\"}");
    }
    buf_putc(&b, ",\"config\":{\"original\":");
    text(&b, c->printed);
    buf_putc(&b, "},\"uptime\":");
    am_write_time(&b, m->started_ms);
    buf_fmt(
        &b,
        ",\"versionInfo\":{\"branch\":\"HEAD\",\"buildDate\":\"\",\"buildUser\":\"vigie\",\"goVersion\":\"none\",\"revision\":\"vigie\",\"version\":\"%s\"}}",
        m->env.version ? m->env.version : "0.34.0");
    alert_config_unref(c);
    reply(req, &b);
}

void on_am_receivers(struct http_req *req)
{
    struct manager *m = req->ctx;
    struct alert_config *c = alert_engine_config(m->engine);
    BUF(b, 0);
    buf_char(&b, '[');
    for (size_t i = 0; i < c->receivers_n; i++) {
        item(&b);
        buf_putc(&b, "{\"name\":");
        text(&b, c->receivers[i].name);
        buf_char(&b, '}');
    }
    buf_char(&b, ']');
    alert_config_unref(c);
    reply(req, &b);
}
