/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_kit.h - what a configuration comes to for one request: files read, lines of headers made
 *
 * Shape:   copied into the arena given, so that the configuration may go while the request is under way.
 * Threads: any. Only files of io/ include this.
 */
#ifndef IO_HTTP_KIT_H
#define IO_HTTP_KIT_H

#include "io/http_client.h"
#include "io/http_config.h"

/* PEM texts; empty: curl's own certificates, no client certificate. */
struct tls_kit {
    struct str ca, cert, key, server_name;
    bool insecure;
    enum tls_version min, max;
};

/* An access token is needed: how to ask for it. */
struct token_kit {
    struct str url, client_id, scope;
    struct secret client_secret;
    struct str params; /* "&name=value..." */
    struct str key;    /* what all of that is cached under */
    struct tls_kit tls;
    struct proxy_config proxy;
};

struct http_kit {
    struct str authorization;  /* the header's value; empty: none */
    struct http_pair *headers; /* http_headers */
    size_t headers_n;
    struct tls_kit tls;
    struct proxy_config proxy;
    bool follow_redirects, http2;
    bool from_config; /* a configuration was given: the environment's proxies are none of ours */
    struct token_kit *token;
};

/* Errors: those of reading a file; ERR_SYNTAX a value that cannot stand in a header */
enum err http_kit_make(struct arena *a, const struct http_call *call, struct http_kit *out,
                       struct diag *d);

/* application/x-www-form-urlencoded, one text. */
void form_escape(struct buf *b, struct str s);

#endif
