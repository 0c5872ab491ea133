/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "base/utf8.h"
#include "codec/json.h"
#include "codec/num.h"

#include <math.h>

static void comma(struct json_writer *w)
{
    if (w->comma) buf_char(w->b, ',');
    w->comma = true;
}

void json_open(struct json_writer *w, char bracket)
{
    comma(w);
    buf_char(w->b, bracket);
    w->comma = false;
}

void json_close(struct json_writer *w, char bracket)
{
    buf_char(w->b, bracket);
    w->comma = true;
}

/* 0: as it is; 1: needs a look at more bytes; else the letter behind the backslash, 'u' for six characters. */
static char escape_kind(unsigned char c)
{
    switch (c) {
    case '"':
    case '\\': return (char)c;
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    case '\b': return 'b';
    case '\f': return 'f';
    default: return c < 0x20 ? 'u' : c >= 0x80;
    }
}

/* A byte from 0x80 on: a whole code point as it is, U+2028, U+2029 and broken bytes escaped. */
static size_t put_wide(struct buf *b, struct str s)
{
    struct str rest = s;
    uint32_t c = utf8_next(&rest);
    size_t took = s.n - rest.n;
    if (c == 0x2028 || c == 0x2029) {
        buf_fmt(b, "\\u%04x", c);
    } else if (c == UTF8_BAD && took == 1) {
        buf_put(b, STR("\\ufffd"));
    } else {
        buf_put(b, str_first(s, took));
    }
    return took;
}

void json_escape(struct buf *b, struct str s)
{
    size_t from = 0, i = 0;
    while (i < s.n) {
        char kind = escape_kind((unsigned char)s.p[i]);
        if (!kind) {
            i++;
            continue;
        }
        buf_put(b, str_make(s.p + from, i - from));
        if (kind == 1) {
            i += put_wide(b, str_from(s, i));
        } else if (kind == 'u') {
            buf_fmt(b, "\\u%04x", (unsigned char)s.p[i++]);
        } else {
            buf_char(b, '\\');
            buf_char(b, kind);
            i++;
        }
        from = i;
    }
    buf_put(b, str_from(s, from));
}

static void put_quoted(struct buf *b, struct str s)
{
    buf_char(b, '"');
    json_escape(b, s);
    buf_char(b, '"');
}

void json_key_str(struct json_writer *w, struct str key)
{
    comma(w);
    put_quoted(w->b, key);
    buf_char(w->b, ':');
    w->comma = false;
}
void json_key(struct json_writer *w, const char *key) { json_key_str(w, str_c(key)); }

void json_put_str(struct json_writer *w, struct str s)
{
    comma(w);
    put_quoted(w->b, s);
}
void json_put_c(struct json_writer *w, const char *s) { json_put_str(w, str_c(s)); }

void json_put_raw(struct json_writer *w, struct str json)
{
    comma(w);
    buf_put(w->b, json);
}

void json_put_bool(struct json_writer *w, bool v)
{
    json_put_raw(w, v ? STR("true") : STR("false"));
}
void json_put_null(struct json_writer *w) { json_put_raw(w, STR("null")); }

void json_put_i64(struct json_writer *w, int64_t v)
{
    comma(w);
    num_write_i64(w->b, v);
}

void json_put_f64(struct json_writer *w, double v)
{
    comma(w);
    bool text = !isfinite(v); /* JSON has no word for them */
    if (text) buf_char(w->b, '"');
    num_write_json(w->b, v);
    if (text) buf_char(w->b, '"');
}

static void put_members(struct json_writer *w, const struct json *v);

static void put_value(struct json_writer *w, const struct json *v)
{
    switch (v->kind) {
    case JSON_NULL: json_put_null(w); break;
    case JSON_BOOL: json_put_bool(w, v->boolean); break;
    case JSON_NUMBER: json_put_raw(w, v->text); break;
    case JSON_STRING: json_put_str(w, v->text); break;
    case JSON_OBJECT: put_members(w, v); break;
    case JSON_ARRAY:
        json_open(w, '[');
        for (size_t i = 0; i < v->n; i++) put_value(w, &v->items[i]);
        json_close(w, ']');
        break;
    }
}

static void put_members(struct json_writer *w, const struct json *v)
{
    json_open(w, '{');
    for (size_t i = 0; i < v->n; i++) {
        json_key_str(w, v->members[i].key);
        put_value(w, &v->members[i].value);
    }
    json_close(w, '}');
}

void json_write(struct buf *b, const struct json *v)
{
    struct json_writer w = json_writer(b);
    put_value(&w, v);
}
