/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web.c - what stands in front of every route: the prefix, cross-origin headers, OPTIONS
 *
 * Source: Prometheus web/web.go (route prefix), util/httputil/cors.go, cmd/prometheus/main.go computeExternalURL
 */
#include "base/assert.h"
#include "roles/prometheus/prometheus_priv.h"

/* Answers with CORS headers where a browser says where it comes from. */
static void set_cors(struct http_req *req)
{
    struct prometheus *p = prometheus_of(req);
    struct str origin = http_header(req, "Origin");
    if (!origin.n) return;
    http_reply_header(req, "Access-Control-Allow-Headers",
                      STR("Accept, Authorization, Content-Type, Origin"));
    http_reply_header(req, "Access-Control-Allow-Methods", STR("GET, POST, OPTIONS"));
    http_reply_header(req, "Access-Control-Expose-Headers", STR("Date"));
    http_reply_header(req, "Vary", STR("Origin"));
    if (str_eqc(p->cfg->cors_origin, ".*")) {
        http_reply_header(req, "Access-Control-Allow-Origin", STR("*"));
    } else if (regex_match(p->cors, origin)) {
        http_reply_header(req, "Access-Control-Allow-Origin", origin);
    }
}

/* Takes the prefix off the path; true: the request was answered. */
static bool strip_prefix(struct http_req *req)
{
    struct str prefix = prometheus_of(req)->prefix;
    if (!prefix.n) return false;
    if (str_eqc(req->path, "/")) {
        http_reply_redirect(req, 302, prefix);
        return true;
    }
    struct str rest = str_from(req->path, prefix.n);
    if (!str_starts(req->path, prefix) || (rest.n && rest.p[0] != '/')) {
        http_reply_text(req, 404, "404 page not found\n");
        return true;
    }
    req->path = rest.n ? rest : STR("/");
    return false;
}

/* What needs nothing of the store. */
static bool needs_no_store(struct str path)
{
    return str_eqc(path, "/-/healthy") || str_eqc(path, "/api/v1/status/walreplay");
}

bool prometheus_before(struct http_req *req)
{
    if (strip_prefix(req)) return true;
    if (!prometheus_of(req)->ready && !needs_no_store(req->path)) {
        http_reply_header(req, "X-Prometheus-Stopping", STR("false"));
        http_reply_text(req, 503, "Service Unavailable");
        return true;
    }
    if (!str_starts(req->path, STR("/api/v1/"))) return false;
    set_cors(req);
    if (req->method != HTTP_OPTIONS) return false;
    http_reply(req, 204, NULL, &(struct buf){ 0 });
    return true;
}

/* "/x/" is "/x", "/" is nothing. */
static struct str normal_prefix(struct arena *a, struct str s)
{
    while (s.n && s.p[0] == '/') s = str_from(s, 1);
    while (s.n && s.p[s.n - 1] == '/') s.n--;
    return s.n ? arena_fmt(a, "/" STR_FMT, STR_ARG(s)) : STR("");
}

/* The path of a URL, "" without one. */
static struct str path_of(struct str url)
{
    size_t scheme = str_find(url, STR("://"));
    struct str rest = scheme == STR_NONE ? url : str_from(url, scheme + 3);
    size_t slash = str_find_char(rest, '/');
    return slash == STR_NONE ? STR("") : str_from(rest, slash);
}

enum err prometheus_web_init(struct prometheus *p, struct diag *d)
{
    struct str given = p->cfg->route_prefix, url = p->cfg->external_url;
    if (url.n && (url.p[0] == '"' || url.p[0] == '\'' || url.p[url.n - 1] == '"')) {
        return diag_set(d, ERR_SYNTAX,
                        "parse external URL \"" STR_FMT "\": URL must not begin or end with quotes",
                        STR_ARG(url));
    }
    p->prefix = normal_prefix(&p->arena, given.n ? given : path_of(url));
    p->links = url.n ? normal_prefix(&p->arena, path_of(url)) : p->prefix;
    struct diag why = { 0 };
    if (regex_compile(p->cfg->cors_origin, REGEX_RE2, &p->cors, &why) != OK) {
        return diag_set(d, ERR_SYNTAX, "could not compile CORS regex string \"" STR_FMT "\": %s",
                        STR_ARG(p->cfg->cors_origin), why.text);
    }
    return web_door_open(p->cfg->web_config, &p->web, d);
}
