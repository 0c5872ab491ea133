/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_server.h - listeners, routes, requests and replies (evhttp behind it for now)
 *
 * Shape:   a server is one listener with a table of routes. A route runs on the serve loop (ON_LOOP: under 1 ms) or as a
 *          job of a lane; either way it ends with exactly one http_reply*() on any thread.
 * Threads: handlers as said; http_reply from any thread.
 * Limits:  header 64 KiB, body by `body_max`, connections by `max_connections`, header and body deadlines against slow senders.
 */
#ifndef IO_HTTP_SERVER_H
#define IO_HTTP_SERVER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "io/loop.h"
#include "io/pool.h"

struct http_server;
struct web_door;

enum http_method {
    HTTP_GET = 1,
    HTTP_POST = 2,
    HTTP_PUT = 4,
    HTTP_DELETE = 8,
    HTTP_OPTIONS = 16,
    HTTP_HEAD = 32,
    HTTP_PATCH = 64
};

struct http_param {
    struct str name, value; /* decoded */
};

/* Lives until its reply was given; everything in it is borrowed from it. */
struct http_req {
    enum http_method method;
    struct str path;                 /* decoded, without query */
    struct str target;               /* as sent, with query */
    const struct http_param *params; /* of the query string, then of an urlencoded body, in order */
    size_t params_n;
    struct str body;
    struct str remote;         /* peer's address without port */
    struct str path_args[4];   /* what the route's `:x` parts and trailing `*` stood for, decoded */
    struct arena arena;        /* for the handler's use */
    void *ctx;                 /* of the route table */
    void *user;                /* free for `before`: who asks */
    const _Atomic(bool) *gone; /* true: nobody waits for the answer any more, long work stops */
    void *impl_;
};

struct http_route {
    unsigned methods; /* of enum http_method; GET answers HEAD, too. 0 ends the table */
    const char *
        path; /* "/api/v1/query", "/api/v1/label/:name/values", "/public/" "*" at the end: the rest */
    void (*handle)(struct http_req *req);
    enum { ON_LOOP, ON_RULES, ON_QUERY, ON_BACK } where;
    const char *doc; /* one line */
};

struct http_server_options {
    struct str address; /* "0.0.0.0", "127.0.0.1", "" for all, "[::]" */
    uint16_t port;      /* 0: any; http_server_port() tells */
    const struct http_route *routes;
    void *ctx;
    size_t body_max;          /* 0: 10 MiB */
    unsigned max_connections; /* 0: 512 */
    /*
     * Called for every request before its route; true when it replied, or took the request over to call http_continue() later
     * (a password to check). May be NULL. On the loop.
     */
    bool (*before)(struct http_req *req);
    /* No route matched; NULL: 404 page not found as Go's ("404 page not found\n"). */
    void (*not_found)(struct http_req *req);
    struct web_door
        *web; /* TLS, passwords, headers, in front of all else; NULL: none. Outlives the server */
    int64_t
        idle_ms; /* between a reply and the end of the next request; 0: 90 s (--web.read-timeout) */
};

/* Binds and listens. Errors: ERR_EXISTS address in use, ERR_DENIED, ERR_SYS; d says which address and what to do. */
enum err http_server_open(struct loop *l, struct pool *p, const struct http_server_options *o,
                          struct http_server **out, struct diag *d);
uint16_t http_server_port(const struct http_server *s);
void http_server_close(
    struct http_server *
        s); /* stops listening, ends connections; requests in jobs may still reply (into nothing) */

/* Goes on to the request's route after `before` took it over. On the loop. */
void http_continue(struct http_req *req);

struct str http_header(const struct http_req *req, const char *name); /* {NULL,0} when absent */
struct str http_param(const struct http_req *req,
                      const char *name); /* first of that name; {NULL,0} when absent */
struct str http_cookie(const struct http_req *req, const char *name);

/* Adds a header to the reply to come. */
void http_reply_header(struct http_req *req, const char *name, struct str value);

/* Body is taken over (buf emptied). Gzip by Accept-Encoding where worth it. Ends the request: req is gone afterwards. */
void http_reply(struct http_req *req, int status, const char *content_type, struct buf *body);
void http_reply_text(struct http_req *req, int status, const char *text);
void http_reply_redirect(struct http_req *req, int status, struct str location);

/* A body that is shared and immutable: release(ctx) once it is sent. content_encoding may be NULL. */
void http_reply_shared(struct http_req *req, int status, const char *content_type,
                       const char *content_encoding, struct str body, void (*release)(void *ctx),
                       void *ctx);

#endif
