/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query.h - percent-encoding and query strings of URLs
 *
 * Shape:  name=value pairs separated by &; %XX and (in queries) + are decoded. A broken % sequence makes the pair an error.
 * Source: WHATWG URL, application/x-www-form-urlencoded; Go net/url's refusals.
 */
#ifndef CODEC_QUERY_H
#define CODEC_QUERY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum { QUERY_PARAMS_MAX = 1000 };

struct query_param {
    struct str name, value; /* decoded */
};

struct query_params {
    struct query_param *v;
    size_t n, cap;
};

/* Errors: ERR_SYNTAX a % without two hexadecimal digits. */
enum err query_decode(struct arena *a, struct str s, bool plus_is_space, struct str *out);

/* Appends the pairs of s to *out. Errors: ERR_SYNTAX, ERR_LIMIT more than QUERY_PARAMS_MAX. */
enum err query_parse(struct arena *a, struct str s, struct query_params *out);

/* Everything but letters, digits and -_.~ as %XX. */
void query_escape(struct buf *b, struct str s);

#endif
