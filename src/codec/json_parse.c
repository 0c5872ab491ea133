/* SPDX-License-Identifier: Apache-2.0 */
/* json-c reads; its tree is copied into the arena, so that no caller has to count references. */
#include "base/utf8.h"
#include "codec/json.h"
#include "codec/num.h"

#include <limits.h>

/* json-c has a type of the name that is a function of ours */
#define json_bool json_c_bool
#include <json.h>
#undef json_bool

enum { DEPTH_MAX = 128 };

static void place(struct str text, size_t offset, unsigned *line, unsigned *col)
{
    *line = *col = 1;
    for (size_t i = 0; i < offset && i < text.n; i++) {
        if (text.p[i] == '\n') {
            (*line)++;
            *col = 1;
        } else {
            (*col)++;
        }
    }
}

static enum err fail(struct str text, size_t offset, enum err e, const char *why, struct diag *d)
{
    if (!d) return e;
    place(text, offset, &d->line, &d->col);
    return diag_set(d, e, "%s", why);
}

/* json-c's strict mode still takes NaN and Infinity. */
static bool is_number(struct str s)
{
    struct str digits = s.n && s.p[0] == '-' ? str_from(s, 1) : s;
    return digits.n && digits.p[0] >= '0' && digits.p[0] <= '9';
}

static bool convert(struct arena *a, struct json_object *o, struct json *out);

static bool convert_array(struct arena *a, struct json_object *o, struct json *out)
{
    out->kind = JSON_ARRAY;
    out->n = json_object_array_length(o);
    struct json *items = arena_array(a, out->n, sizeof(*items));
    out->items = items;
    for (size_t i = 0; i < out->n; i++) {
        if (!convert(a, json_object_array_get_idx(o, i), &items[i])) return false;
    }
    return true;
}

static bool convert_object(struct arena *a, struct json_object *o, struct json *out)
{
    out->kind = JSON_OBJECT;
    size_t n = (size_t)json_object_object_length(o);
    struct json_member *members = arena_array(a, n, sizeof(*members));
    out->members = members;
    struct json_object_iterator it = json_object_iter_begin(o), end = json_object_iter_end(o);
    for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
        struct json_member *m = &members[out->n++];
        m->key = arena_dup(a, str_c(json_object_iter_peek_name(&it)));
        if (!convert(a, json_object_iter_peek_value(&it), &m->value)) return false;
    }
    return true;
}

static bool convert(struct arena *a, struct json_object *o, struct json *out)
{
    switch (json_object_get_type(o)) {
    case json_type_null: out->kind = JSON_NULL; return true;
    case json_type_boolean:
        out->kind = JSON_BOOL;
        out->boolean = json_object_get_boolean(o);
        return true;
    case json_type_int:
    case json_type_double:
        out->kind = JSON_NUMBER;
        out->text = arena_dup(a, str_c(json_object_get_string(o)));
        return is_number(out->text);
    case json_type_string:
        out->kind = JSON_STRING;
        out->text = arena_dup(
            a, str_make(json_object_get_string(o), (size_t)json_object_get_string_len(o)));
        return true;
    case json_type_array: return convert_array(a, o, out);
    case json_type_object: return convert_object(a, o, out);
    }
    return false;
}

/*
 * What json-c's strict mode lets through: single quotes, control characters in strings, code points past U+10FFFF.
 * NULL where there is none; otherwise a sentence and *at.
 */
static const char *find_lenient(struct str text, size_t *at)
{
    bool inside = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        *at = i;
        if (c == '"') inside = !inside;
        if (c == '\'' && !inside) return "strings stand in double quotes";
        if ((unsigned char)c < 0x20 && inside) return "invalid character in string literal";
        if (c == '\\' && inside) i++;
    }
    *at = 0;
    return utf8_valid(text) ? NULL : "invalid UTF-8";
}

static enum err parse(struct json_tokener *tok, struct arena *a, struct str text,
                      const struct json **out, struct diag *d)
{
    json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *o = json_tokener_parse_ex(tok, text.n ? text.p : "", (int)text.n);
    enum json_tokener_error why = json_tokener_get_error(tok);
    if (why == json_tokener_continue) {
        /* a bare number ends only with its input */
        o = json_tokener_parse_ex(tok, "", 1);
        why = json_tokener_get_error(tok);
        if (why != json_tokener_success) {
            json_object_put(o);
            return fail(text, text.n, ERR_SYNTAX, "unexpected end of JSON input", d);
        }
    }
    if (why != json_tokener_success) {
        json_object_put(o);
        bool deep = why == json_tokener_error_depth;
        return fail(text, json_tokener_get_parse_end(tok), deep ? ERR_LIMIT : ERR_SYNTAX,
                    json_tokener_error_desc(why), d);
    }
    size_t at;
    const char *lenient = find_lenient(text, &at);
    if (lenient) {
        json_object_put(o);
        return fail(text, at, ERR_SYNTAX, lenient, d);
    }
    struct json *v = arena_new(a, struct json);
    bool good = convert(a, o, v);
    json_object_put(o);
    if (!good) return fail(text, 0, ERR_SYNTAX, "NaN and Infinity are not JSON", d);
    *out = v;
    return OK;
}

enum err json_parse(struct arena *a, struct str text, const struct json **out, struct diag *d)
{
    if (text.n > INT_MAX) return diag_set(d, ERR_LIMIT, "JSON text is too large");
    struct json_tokener *tok = json_tokener_new_ex(DEPTH_MAX);
    if (!tok) return diag_set(d, ERR_SYS, "out of memory");
    enum err e = parse(tok, a, text, out, d);
    json_tokener_free(tok);
    return e;
}

const struct json *json_get(const struct json *v, const char *key)
{
    if (!v || v->kind != JSON_OBJECT) return NULL;
    for (size_t i = 0; i < v->n; i++) {
        if (str_eqc(v->members[i].key, key)) return &v->members[i].value;
    }
    return NULL;
}

struct str json_str(const struct json *v, struct str otherwise)
{
    return v && v->kind == JSON_STRING ? v->text : otherwise;
}

double json_num(const struct json *v, double otherwise)
{
    double x;
    if (!v || v->kind != JSON_NUMBER) return otherwise;
    enum err e = num_parse_f64(v->text, &x);
    return e == OK || e == ERR_RANGE ? x : otherwise;
}

bool json_bool(const struct json *v, bool otherwise)
{
    return v && v->kind == JSON_BOOL ? v->boolean : otherwise;
}
