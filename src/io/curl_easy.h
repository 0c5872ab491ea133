/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curl_easy.h - one request on a curl handle: what the multi client and the blocking one share
 *
 * Threads: one at a time. Only files of io/ include this.
 */
#ifndef IO_CURL_EASY_H
#define IO_CURL_EASY_H

#include "base/arena.h"
#include "io/http_client.h"

#include <curl/curl.h>

struct inflater;

struct transfer {
    CURL *easy;
    struct curl_slist *headers;
    struct arena arena; /* copies of what the call gave */
    struct http_result result;
    size_t body_max;
    size_t body_seen; /* bytes after inflating */
    int64_t began_ms;
    int64_t timeout_ms;
    struct str method, url; /* without a password, for messages */
    struct inflater *gzip;  /* NULL until the answer says gzip */
    bool pass_gzip;
    bool too_large, broken_gzip, refused;
    bool (*on_body)(void *ctx, struct http_result *so_far, struct str slice);
    void *ctx;
    char why[CURL_ERROR_SIZE];
};

void curl_ready(void); /* curl_global_init, once for the process */

/* Everything of the call is copied. The transfer must not move afterwards. */
void transfer_init(struct transfer *t, const struct http_call *call,
                   bool (*on_body)(void *ctx, struct http_result *so_far, struct str slice),
                   void *ctx);

/* Fills status, time and sizes; the code becomes an err and a sentence in the words of Go's client. */
enum err transfer_end(struct transfer *t, CURLcode code, struct diag *d);

/* Frees all but result.body. */
void transfer_done(struct transfer *t);

#endif
