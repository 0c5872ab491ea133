/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h - JSON in (a tree, by json-c) and out (a streaming writer)
 *
 * Shape:  reading gives an arena tree with number text kept ("0.1", 1e999); depth limited to 128.
 * Errors: ERR_SYNTAX with line and col; ERR_LIMIT too deep.
 */
#ifndef CODEC_JSON_H
#define CODEC_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
    enum json_kind kind;
    bool boolean;
    struct str text;                   /* of a string, unescaped; of a number, as written */
    size_t n;                          /* items or members */
    const struct json *items;          /* array */
    const struct json_member *members; /* object, in order; of equal keys the last stays */
};

struct json_member {
    struct str key;
    struct json value;
};

enum err json_parse(struct arena *a, struct str text, const struct json **out, struct diag *d);

/* NULL where v is NULL, no object, or has no such key: look-ups chain. */
const struct json *json_get(const struct json *v, const char *key);
struct str json_str(const struct json *v,
                    struct str otherwise); /* a string's text, else otherwise */
double json_num(const struct json *v, double otherwise);
bool json_bool(const struct json *v, bool otherwise);

/*
 * Writer: values in order, commas by itself; keys of an object by json_key before each value.
 * Go's escaping with HTML escapes off; invalid UTF-8 becomes U+FFFD.
 */
struct json_writer {
    struct buf *b;
    bool comma; /* the next value needs one before it */
};
static inline struct json_writer json_writer(struct buf *b)
{
    return (struct json_writer){ b, false };
}
void json_open(struct json_writer *w, char bracket);  /* '{' or '[' */
void json_close(struct json_writer *w, char bracket); /* '}' or ']' */
void json_key(struct json_writer *w, const char *key);
void json_key_str(struct json_writer *w, struct str key);
void json_put_str(struct json_writer *w, struct str s);
void json_put_c(struct json_writer *w, const char *s);
void json_put_i64(struct json_writer *w, int64_t v);
void json_put_f64(struct json_writer *w, double v); /* num_write_json; NaN and Inf as strings */
void json_put_bool(struct json_writer *w, bool v);
void json_put_null(struct json_writer *w);
void json_put_raw(struct json_writer *w, struct str json); /* already JSON */

/* The text between the quotes, escaped. */
void json_escape(struct buf *b, struct str s);

/* A tree back to text: compact, numbers as they were written. */
void json_write(struct buf *b, const struct json *v);

#endif
