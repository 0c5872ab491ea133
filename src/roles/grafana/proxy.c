/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data sources, and the way to them: a request is passed to the source over HTTP and its answer comes back as it is. It all
 * happens on the serve loop without waiting, so that a slow source holds no worker.
 */
#include "base/assert.h"
#include "codec/num.h"
#include "codec/query.h"
#include "roles/grafana/grafana_priv.h"

#include <stdlib.h>

enum { PROXY_TIMEOUT_MS = 150 * 1000, ANSWER_MAX = 256 << 20 };

static struct grafana *grafana_of(const struct http_req *req) { return req->ctx; }

/* --- lists --- */

static void put_source(struct json_writer *w, const struct dash_source *s)
{
    const struct {
        const char *key;
        struct str value;
    } TEXTS[] = { { "uid", s->uid },       { "name", s->name },        { "type", s->type },
                  { "typeName", s->type }, { "access", STR("proxy") }, { "url", s->url },
                  { "user", s->user },     { "database", s->database } };
    json_open(w, '{');
    json_key(w, "id");
    json_put_i64(w, s->id);
    json_key(w, "orgId");
    json_put_i64(w, 1);
    for (size_t i = 0; i < ARRAY_LEN(TEXTS); i++) {
        json_key(w, TEXTS[i].key);
        json_put_str(w, TEXTS[i].value);
    }
    json_key(w, "basicAuth");
    json_put_bool(w, s->basic_auth);
    json_key(w, "isDefault");
    json_put_bool(w, s->is_default);
    json_key(w, "jsonData");
    json_put_raw(w, s->json_data);
    json_key(w, "readOnly");
    json_put_bool(w, s->read_only);
    json_close(w, '}');
}

void grafana_list_sources(struct http_req *req)
{
    const struct dash_provisioning *p = grafana_of(req)->provisioning;
    struct buf b = { 0 };
    struct json_writer w = json_writer(&b);
    json_open(&w, '[');
    for (size_t i = 0; i < p->sources_n; i++) put_source(&w, &p->sources[i]);
    json_close(&w, ']');
    grafana_reply_json(req, 200, &b);
}

void grafana_get_source(struct http_req *req)
{
    const struct dash_source *s = dash_source_find(grafana_of(req)->provisioning,
                                                   req->path_args[0]);
    if (!s) {
        grafana_reply_message(req, 404, "Data source not found");
        return;
    }
    struct buf b = { 0 };
    struct json_writer w = json_writer(&b);
    put_source(&w, s);
    grafana_reply_json(req, 200, &b);
}

/* --- passing on --- */

struct passage {
    struct http_req *req;
    bool health; /* the answer is judged, not passed on */
};

/* "http://prometheus:9090" is the address inside the original's containers; here it is our own role. */
static struct str base_url(const struct grafana *g, const struct dash_source *s)
{
    struct str url = s->url;
    while (url.n && url.p[url.n - 1] == '/') url.n--;
    if (g->cfg.self_prometheus.n && str_eqc(url, "http://prometheus:9090")) {
        return g->cfg.self_prometheus;
    }
    if (g->cfg.self_alertmanager.n && str_eqc(url, "http://alertmanager:9093")) {
        return g->cfg.self_alertmanager;
    }
    return url;
}

static void reply_health(struct http_req *req, enum err e, const struct http_result *r,
                         const struct diag *d)
{
    struct buf b = { 0 };
    struct json_writer w = json_writer(&b);
    bool ok = e == OK && r->status == 200;
    json_open(&w, '{');
    json_key(&w, "message");
    if (ok) {
        json_put_c(&w, "Successfully queried the Prometheus API.");
    } else {
        json_put_str(
            &w, e == OK ? arena_fmt(&req->arena, "the source answered with status %d", r->status)
                        : str_c(d->text));
    }
    json_key(&w, "status");
    json_put_c(&w, ok ? "OK" : "ERROR");
    json_close(&w, '}');
    grafana_reply_json(req, ok ? 200 : 400, &b);
}

static void release_bytes(void *ctx) { free(ctx); }

static void on_answer(void *ctx, enum err e, struct http_result *r, const struct diag *d)
{
    struct passage *p = ctx;
    struct http_req *req = p->req;
    if (e == ERR_CANCELED) return; /* the role ends, and the request with it */
    if (p->health) {
        reply_health(req, e, r, d);
        return;
    }
    if (e != OK) {
        grafana_reply_message(req, e == ERR_TIMEOUT ? 504 : 502, "%s", d->text);
        return;
    }
    size_t n;
    struct str type = arena_dup(&req->arena, r->content_type);
    char *bytes = buf_take(&r->body, &n);
    http_reply_shared(req, r->status, type.n ? type.p : NULL, r->content_encoding.n ? "gzip" : NULL,
                      str_make(bytes, n), release_bytes, bytes);
}

static bool takes_gzip(const struct http_req *req)
{
    return str_find(http_header(req, "Accept-Encoding"), STR("gzip")) != STR_NONE;
}

static const char *method_text(enum http_method m)
{
    switch (m) {
    case HTTP_POST: return "POST";
    case HTTP_PUT: return "PUT";
    case HTTP_DELETE: return "DELETE";
    case HTTP_PATCH: return "PATCH";
    default: return "GET";
    }
}

/* The path of the request's target behind `skip` parts, undecoded, with the query. */
static struct str raw_rest(struct str target, size_t parts)
{
    for (size_t i = 0; i <= parts && target.n; i++) {
        size_t slash = str_find_char(str_from(target, i ? 1 : 0), '/');
        if (slash == STR_NONE) return STR("");
        target = str_from(target, slash + (i ? 1 : 0));
    }
    return target;
}

static const struct http_events EVENTS = { .on_done = on_answer };

static void pass_on(struct http_req *req, const struct dash_source *s, struct str path, bool health)
{
    struct grafana *g = grafana_of(req);
    if (!s) {
        grafana_reply_message(req, 404, "Data source not found");
        return;
    }
    struct passage *p = arena_new(&req->arena, struct passage);
    *p = (struct passage){ req, health };
    struct str type = http_header(req, "Content-Type");
    const struct http_pair header = { STR("Content-Type"), type };
    const struct http_call call = {
        .method = method_text(req->method),
        .url = arena_fmt(&req->arena, STR_FMT STR_FMT, STR_ARG(base_url(g, s)), STR_ARG(path)),
        .headers = &header,
        .headers_n = type.n ? 1 : 0,
        .body = req->body,
        .timeout_ms = PROXY_TIMEOUT_MS,
        .body_max = ANSWER_MAX,
        .user = s->basic_auth ? s->basic_auth_user : STR(""),
        .password = s->basic_auth_password,
        .pass_gzip = takes_gzip(req) && !health,
    };
    (void)http_client_start(g->client, &call, &EVENTS, p);
}

/* Target: /api/datasources/proxy/uid/UID/REST: five parts before the rest. */
void grafana_proxy_uid(struct http_req *req)
{
    pass_on(req, dash_source_find(grafana_of(req)->provisioning, req->path_args[0]),
            raw_rest(req->target, 5), false);
}

void grafana_proxy_id(struct http_req *req)
{
    int64_t id = 0;
    (void)num_parse_i64(req->path_args[0], &id); /* 0 is no source */
    pass_on(req, dash_source_by_id(grafana_of(req)->provisioning, id), raw_rest(req->target, 4),
            false);
}

void grafana_resources(struct http_req *req)
{
    pass_on(req, dash_source_find(grafana_of(req)->provisioning, req->path_args[0]),
            raw_rest(req->target, 5), false);
}

void grafana_source_health(struct http_req *req)
{
    const struct dash_source *s = dash_source_find(grafana_of(req)->provisioning,
                                                   req->path_args[0]);
    bool am = s && str_eqc(s->type, "alertmanager");
    pass_on(req, s, am ? STR("/api/v2/status") : STR("/api/v1/query?query=1%2B1"), true);
}
