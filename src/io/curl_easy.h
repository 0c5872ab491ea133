/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curl_easy.h - one request on a curl handle: what the multi client and the blocking one share
 *
 * Threads: one at a time. Only files of io/ include this.
 */
#ifndef IO_CURL_EASY_H
#define IO_CURL_EASY_H

#include "base/arena.h"
#include "base/list.h"
#include "io/http_client.h"
#include "io/http_kit.h"

#include <curl/curl.h>

struct inflater;

/*
 * A loop's patience: when it has run out, transfers pause before their next piece of a body and go on in a later turn, so that
 * neither a first page of new series nor a packed body that unfolds to a thousand times its size holds the loop.
 */
struct turn {
    int64_t until_ns;   /* monotonic */
    struct list paused; /* transfers, in the order of their pauses */
};

struct transfer {
    CURL *easy;
    struct curl_slist *headers, *proxy_headers, *connect_to;
    struct arena arena; /* copies of what the call gave */
    struct http_kit kit;
    struct http_result result;
    size_t body_max;
    size_t body_seen; /* bytes after inflating */
    int64_t began_ms;
    int64_t timeout_ms;
    struct str method, url; /* of the present hop */
    struct str shown_url;   /* without a password, for messages */
    struct str first_url;
    const struct http_pair *call_headers;
    size_t call_headers_n;
    struct str body;
    struct str location; /* of the present answer */
    struct str unix_socket;
    unsigned hops;
    bool strayed;          /* a redirect led to another origin: no credentials any more */
    struct inflater *gzip; /* NULL until the answer says gzip */
    bool accept_gzip, pass_gzip;
    bool too_large, broken_gzip, refused;
    bool (*on_body)(void *ctx, struct http_result *so_far, struct str slice);
    void *ctx;
    struct turn *turn;   /* NULL: nobody waits */
    struct list in_turn; /* while it is paused */
    size_t skip;         /* bytes of the piece that comes again which were used already */
    char why[CURL_ERROR_SIZE];
};

void curl_ready(void); /* curl_global_init, once for the process */

/* Everything of the call is copied; kit: what its configuration came to, in a's memory. The transfer must not move afterwards. */
void transfer_init(struct transfer *t, const struct http_call *call, const struct http_kit *kit,
                   bool (*on_body)(void *ctx, struct http_result *so_far, struct str slice),
                   void *ctx);

/* Without a password, for messages; in a's memory. */
struct str transfer_shown_url(struct arena *a, struct str url);

/* The answer sends us elsewhere: true when the handle has been aimed there and is to be performed again. */
bool transfer_redirected(struct transfer *t, CURLcode code);

/* After a pause, with a new turn. Not CURLE_OK: the transfer is at its end. */
CURLcode transfer_resume(struct transfer *t);

/* Fills status, time and sizes; the code becomes an err and a sentence in the words of Go's client. */
enum err transfer_end(struct transfer *t, CURLcode code, struct diag *d);

/* Frees all but result.body. */
void transfer_done(struct transfer *t);

/* --- for curl_*.c alone --- */

/* curl's functions for headers and bodies. */
size_t transfer_on_bytes(char *p, size_t size, size_t n, void *ctx);
size_t transfer_on_header(char *p, size_t size, size_t n, void *ctx);
void inflater_free(struct inflater *f);
bool inflater_ended(const struct inflater *f);
void transfer_learn_head(struct transfer *t);
bool transfer_wants_redirect(const struct transfer *t, int status);

/* curl_explain.c */
enum err transfer_explain(struct transfer *t, CURLcode code, struct diag *d);

#endif
