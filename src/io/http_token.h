/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_token.h - OAuth 2 access tokens by client credentials: the request, the answer, those still good
 *
 * Shape:   token_cached() or, where it knows none, the caller sends token_call() and gives the answer to token_take().
 *          One cache for the process, by everything that makes the request, the secret included.
 * Limits:  64 tokens; the one that ends first goes. A token is used until 10 s before its end.
 * Threads: any; one lock inside. Only files of io/ include this.
 * Source:  RFC 6749 4.4, golang.org/x/oauth2 (credentials in a header first, in the body where that is refused).
 */
#ifndef IO_HTTP_TOKEN_H
#define IO_HTTP_TOKEN_H

#include "io/http_kit.h"

/* The Authorization header's value in a's memory, or absent. */
struct str token_cached(struct arena *a, const struct token_kit *t, int64_t mono_ms);

enum token_style { TOKEN_IN_HEADER, TOKEN_IN_BODY, TOKEN_STYLES };

/* *pair is the call's header. All in a. */
void token_call(struct arena *a, const struct token_kit *t, enum token_style style,
                int64_t timeout_ms, struct http_pair pair[2], struct http_call *out);

/* Reads the answer and keeps the token. Errors: ERR_DENIED the server refused; ERR_SYNTAX no token in it */
enum err token_take(struct arena *a, const struct token_kit *t, int status, struct str body,
                    int64_t mono_ms, struct str *authorization, struct diag *d);

/* An answer's token and its life in seconds (0: not told); for tests. */
enum err token_parse(struct arena *a, struct str body, struct str *authorization, int64_t *life_s,
                     struct diag *d);

#endif
