/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_client.h - requests to others, by libcurl: one multi handle on a loop, or blocking inside a job
 *
 * Shape:   a call describes the request; its result says status, body and what went wrong in one sentence.
 * Threads: http_client and its calls: the loop's own. http_fetch: any worker thread.
 * Limits:  every call has a deadline and a largest body.
 */
#ifndef IO_HTTP_CLIENT_H
#define IO_HTTP_CLIENT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "io/loop.h"

struct http_config;

struct http_pair {
    struct str name, value;
};

struct http_call {
    const char *method; /* NULL: GET */
    struct str url;     /* http:// or https:// only */
    const struct http_pair *headers;
    size_t headers_n;
    struct str body;
    int64_t timeout_ms;
    size_t body_max; /* 0: 64 MiB */
    struct str user; /* basic auth, when not empty */
    struct secret password;
    bool follow_redirects;
    bool accept_gzip; /* ask for gzip and inflate before on_body */
    bool pass_gzip;   /* ask for gzip and leave the body as it comes: content_encoding tells */
    struct str proxy; /* "" : from the environment as curl does */
    /* Logins, TLS, proxy, headers, redirects, as configured: follow_redirects and proxy above do not count then. NULL: none. */
    const struct http_config *config;
    struct str unix_socket; /* connect to this path in place of the URL's host */
};

struct http_result {
    int status;              /* 0 when there was no answer */
    struct str content_type; /* borrowed; of http_fetch: in media, cut to fit */
    char media[96];
    struct str content_encoding; /* "gzip" only with pass_gzip; borrowed */
    struct buf body;             /* the caller's to buf_done(); empty when on_body took it */
    int64_t took_ms;
    int64_t retry_after_ms; /* what a Retry-After header asks for; 0 without one */
    size_t wire_bytes;      /* body bytes as received, before inflating */
};

struct http_client;
struct http_client *http_client_new(struct loop *l);
void http_client_free(struct http_client *c); /* open calls end with ERR_CANCELED */

struct http_events {
    /* May be NULL: the body is collected. false ends the call with ERR_LIMIT. First call comes after status and content_type are known. */
    bool (*on_body)(void *ctx, struct http_result *so_far, struct str slice);
    /* Once. e is not OK when there was no whole answer; d says why, in the words of the original where one exists ("context deadline exceeded", "connection refused"). */
    void (*on_done)(void *ctx, enum err e, struct http_result *res, const struct diag *d);
};

struct http_ticket; /* an open call */
/* Everything in the call is copied. */
struct http_ticket *http_client_start(struct http_client *c, const struct http_call *call,
                                      const struct http_events *ev, void *ctx);
void http_client_cancel(struct http_ticket *k); /* on_done is not called */

/* Blocks the calling worker. cancel (may be NULL) is looked at ten times a second. */
enum err http_fetch(const struct http_call *call, const _Atomic(bool) *cancel,
                    struct http_result *out, struct diag *d);

/*
 * From now on requests to `name` (HOST:PORT) go to `address` (HOST:PORT); URL, Host and messages keep the name. For the whole
 * process, before threads run.
 */
void http_alias(const char *name, const char *address);

#endif
