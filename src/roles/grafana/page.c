/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page's files, embedded in up to three forms (NAME, NAME.br, NAME.gz) by the build. Assets carry a hash of their content in
 * their names and never change; index.html is asked for again each time.
 */
#include "base/hash.h"
#include "roles/grafana/grafana_priv.h"

#include <stdio.h>

extern const struct embedded page_files[];

static const struct {
    const char *end, *type;
} TYPES[] = {
    { ".html", "text/html; charset=utf-8" },
    { ".js", "text/javascript; charset=utf-8" },
    { ".css", "text/css; charset=utf-8" },
    { ".svg", "image/svg+xml" },
    { ".json", "application/json" },
    { ".png", "image/png" },
    { ".ico", "image/x-icon" },
    { ".woff2", "font/woff2" },
    { ".webmanifest", "application/manifest+json" },
};

static const char *type_of(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(TYPES); i++) {
        if (str_ends(name, str_c(TYPES[i].end))) return TYPES[i].type;
    }
    return "application/octet-stream";
}

/* The smallest form that the browser takes. */
static const struct embedded *choose(struct http_req *req, struct str name, const char **encoding)
{
    static const struct {
        const char *token, *suffix;
    } FORMS[] = { { "br", ".br" }, { "gzip", ".gz" } };
    struct str accepted = http_header(req, "Accept-Encoding");
    for (size_t i = 0; i < ARRAY_LEN(FORMS); i++) {
        if (str_find(accepted, str_c(FORMS[i].token)) == STR_NONE) continue;
        const struct embedded *f = embedded_find(
            page_files, arena_fmt(&req->arena, STR_FMT "%s", STR_ARG(name), FORMS[i].suffix));
        if (!f) continue;
        *encoding = FORMS[i].token;
        return f;
    }
    *encoding = NULL;
    return embedded_find(page_files, name);
}

static void reply_file(struct http_req *req, struct str name)
{
    const char *encoding;
    const struct embedded *f = choose(req, name, &encoding);
    if (!f) {
        http_reply_text(req, 404, "404 page not found\n");
        return;
    }
    http_reply_header(req, "Vary", STR("Accept-Encoding"));
    http_reply_shared(req, 200, type_of(name), encoding, embedded_bytes(f), NULL, NULL);
}

void grafana_asset(struct http_req *req)
{
    http_reply_header(req, "Cache-Control", STR("public, max-age=31536000, immutable"));
    reply_file(req, str_from(req->path, 1));
}

void grafana_page_init(struct grafana *g)
{
    const struct embedded *f = embedded_find(page_files, STR("index.html"));
    uint64_t h = f ? hash_xxh64(embedded_bytes(f)) : 0;
    (void)snprintf(g->page_tag, sizeof(g->page_tag), "\"%016llx\"", (unsigned long long)h);
}

static void reply_index(struct http_req *req)
{
    const struct grafana *g = req->ctx;
    if (!embedded_find(page_files, STR("index.html"))) {
        http_reply_text(req, 404,
                        "this build has no page: \"make web\" builds it, then build again\n");
        return;
    }
    http_reply_header(req, "Cache-Control", STR("no-cache"));
    http_reply_header(req, "ETag", str_c(g->page_tag));
    http_reply_header(
        req, "Content-Security-Policy",
        STR("default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"));
    if (str_eqc(http_header(req, "If-None-Match"), g->page_tag)) {
        http_reply_shared(req, 304, NULL, NULL, STR(""), NULL, NULL);
        return;
    }
    reply_file(req, STR("index.html"));
}

/* Any path of the page is the page: it finds its way itself. A file that exists is that file. */
void grafana_page(struct http_req *req)
{
    struct str name = str_from(req->path, 1);
    if (name.n && !str_ends(name, STR(".html")) && embedded_find(page_files, name)) {
        reply_file(req, name);
    } else if (req->method == HTTP_GET || req->method == HTTP_HEAD) {
        reply_index(req);
    } else {
        grafana_reply_message(req, 404, "Not found");
    }
}
