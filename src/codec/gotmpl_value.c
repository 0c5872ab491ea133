/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gotmpl_value.c - dynamic values: building, truth, names of types, %v and JSON
 */
#include "base/utf8.h"
#include "codec/gotmpl_priv.h"
#include "codec/num.h"

#define NEST_MAX 64 /* values are built by our own functions; append($x, $x) must not run away */

const struct tmpl_type tmpl_type_strings = { .name = "[]string", .elem = TV_STR };
const struct tmpl_type tmpl_type_string_map = { .name = "map[string]string", .elem = TV_STR };
const struct tmpl_type tmpl_type_html = { .name = "template.HTML" };
const struct tmpl_type tmpl_type_url = { .name = "template.URL" };
const struct tmpl_type tmpl_type_interface = { .name = "interface {}" };

struct tmpl_value tmpl_time_value(struct arena *a, struct tmpl_time t)
{
    struct tmpl_time *p = arena_new(a, struct tmpl_time);
    *p = t;
    return (struct tmpl_value){ .kind = TV_TIME, .time = p };
}

struct tmpl_value tmpl_time_ms(struct arena *a, int64_t ms)
{
    int64_t s = ms / 1000, rest = ms % 1000;
    if (rest < 0) {
        s--;
        rest += 1000;
    }
    return tmpl_time_value(a, (struct tmpl_time){ s, (int32_t)rest * 1000000, 0, STR("UTC") });
}

static void grow(struct tmpl_builder *b)
{
    if (b->n < b->cap) return;
    size_t cap = b->cap ? b->cap * 2 : 8;
    struct tmpl_value *v = arena_array(b->a, cap, sizeof(*v));
    struct str *keys = arena_array(b->a, cap, sizeof(*keys));
    if (b->n) {
        memcpy(v, b->v, b->n * sizeof(*v));
        memcpy(keys, b->keys, b->n * sizeof(*keys));
    }
    b->v = v;
    b->keys = keys;
    b->cap = cap;
}

void tmpl_add(struct tmpl_builder *b, struct tmpl_value v) { tmpl_set_key(b, STR(""), v); }

void tmpl_set_key(struct tmpl_builder *b, struct str key, struct tmpl_value v)
{
    grow(b);
    b->keys[b->n] = key;
    b->v[b->n++] = v;
}

struct tmpl_value tmpl_list_done(struct tmpl_builder *b, const struct tmpl_type *type)
{
    struct tmpl_value v = { .kind = TV_LIST, .type = type };
    grow(b);
    v.list = (struct tmpl_list){ b->v, b->n };
    return v;
}

struct tmpl_value tmpl_map_done(struct tmpl_builder *b, const struct tmpl_type *type)
{
    struct tmpl_pair *pairs = arena_array(b->a, b->n + 1, sizeof(*pairs));
    size_t n = 0;
    /* Insertion keeps it sorted: these maps hold a handful of labels. */
    for (size_t i = 0; i < b->n; i++) {
        size_t at = n;
        int c = -1;
        while (at > 0 && (c = str_cmp(pairs[at - 1].key, b->keys[i])) > 0) at--;
        if (at > 0 && c == 0) {
            pairs[at - 1].value = &b->v[i];
            continue;
        }
        memmove(&pairs[at + 1], &pairs[at], (n - at) * sizeof(*pairs));
        pairs[at] = (struct tmpl_pair){ b->keys[i], &b->v[i] };
        n++;
    }
    struct tmpl_value v = { .kind = TV_MAP, .type = type };
    v.map = (struct tmpl_map){ pairs, n };
    return v;
}

const struct tmpl_value *tmpl_map_get(const struct tmpl_value *v, struct str key)
{
    if (v->kind != TV_MAP) return NULL;
    size_t low = 0, high = v->map.n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int c = str_cmp(v->map.v[mid].key, key);
        if (c == 0) return v->map.v[mid].value;
        if (c < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return NULL;
}

const struct tmpl_value *tmpl_field(const struct tmpl_value *v, struct str name)
{
    if (v->kind != TV_STRUCT || !v->type || !v->type->fields) return NULL;
    for (size_t i = 0; v->type->fields[i]; i++) {
        if (str_eqc(name, v->type->fields[i])) return &v->fields[i];
    }
    return NULL;
}

const char *tmpl_type_name(const struct tmpl_value *v)
{
    if (v->type && v->type->name) return v->type->name;
    switch (v->kind) {
    case TV_NIL: return "<nil>";
    case TV_BOOL: return "bool";
    case TV_INT: return "int";
    case TV_UINT: return "uint";
    case TV_FLOAT: return "float64";
    case TV_STR: return "string";
    case TV_LIST: return "[]interface {}";
    case TV_MAP: return "map[string]interface {}";
    case TV_STRUCT: return "struct {}";
    case TV_TIME: return "time.Time";
    case TV_DURATION: return "time.Duration";
    case TV_FUNC: return "func()";
    }
    return "";
}

bool tmpl_truth(const struct tmpl_value *v)
{
    switch (v->kind) {
    case TV_NIL: return false;
    case TV_BOOL: return v->b;
    case TV_INT:
    case TV_DURATION: return v->i != 0;
    case TV_UINT: return v->u != 0;
    case TV_FLOAT: return v->f != 0;
    case TV_STR: return v->s.n > 0;
    case TV_LIST: return v->list.n > 0;
    case TV_MAP: return v->map.n > 0;
    case TV_STRUCT:
    case TV_TIME:
    case TV_FUNC: return true;
    }
    return false;
}

/* ---- %v ---- */
static void print(struct buf *b, const struct tmpl_value *v, bool top, unsigned depth);

static void print_struct(struct buf *b, const struct tmpl_value *v, unsigned depth)
{
    buf_char(b, '{');
    for (size_t i = 0; v->type->fields[i]; i++) {
        if (i) buf_char(b, ' ');
        print(b, &v->fields[i], false, depth + 1);
    }
    buf_char(b, '}');
}

static void print_map(struct buf *b, const struct tmpl_value *v, unsigned depth)
{
    buf_putc(b, "map[");
    for (size_t i = 0; i < v->map.n; i++) {
        if (i) buf_char(b, ' ');
        buf_put(b, v->map.v[i].key);
        buf_char(b, ':');
        print(b, v->map.v[i].value, false, depth + 1);
    }
    buf_char(b, ']');
}

static void print_list(struct buf *b, const struct tmpl_value *v, unsigned depth)
{
    buf_char(b, '[');
    for (size_t i = 0; i < v->list.n; i++) {
        if (i) buf_char(b, ' ');
        print(b, &v->list.v[i], false, depth + 1);
    }
    buf_char(b, ']');
}

static void print_duration(struct buf *b, int64_t ns)
{
    /* 1h30m0s, 1.5s, 150ms, 0s: the largest unit below a second, else hours to seconds. */
    uint64_t u = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    if (ns < 0) buf_char(b, '-');
    if (u == 0) {
        buf_putc(b, "0s");
        return;
    }
    static const struct {
        uint64_t ns;
        const char *unit;
    } small[] = { { 1000000, "ms" }, { 1000, "µs" }, { 1, "ns" } };
    uint64_t unit_ns = 1000000000;
    const char *unit = "s";
    for (size_t i = 0; u < 1000000000 && i < ARRAY_LEN(small); i++) {
        unit_ns = small[i].ns;
        unit = small[i].unit;
        if (u >= unit_ns) break;
    }
    uint64_t whole = u / unit_ns, rest = u % unit_ns;
    if (unit_ns == 1000000000) {
        if (whole >= 3600) buf_fmt(b, "%lluh", (unsigned long long)(whole / 3600));
        if (whole >= 60) buf_fmt(b, "%llum", (unsigned long long)(whole / 60 % 60));
        whole %= 60;
    }
    buf_fmt(b, "%llu", (unsigned long long)whole);
    if (rest) {
        buf_char(b, '.');
        for (uint64_t scale = unit_ns / 10; rest; scale /= 10) {
            buf_char(b, (char)('0' + rest / scale));
            rest %= scale;
        }
    }
    buf_putc(b, unit);
}

static void print(struct buf *b, const struct tmpl_value *v, bool top, unsigned depth)
{
    if (depth > NEST_MAX || b->over) return;
    if (v->type && v->type->string) {
        v->type->string(b, v);
        return;
    }
    switch (v->kind) {
    case TV_NIL: buf_putc(b, top ? "<no value>" : "<nil>"); return;
    case TV_BOOL: buf_putc(b, v->b ? "true" : "false"); return;
    case TV_INT: num_write_i64(b, v->i); return;
    case TV_UINT: num_write_u64(b, v->u); return;
    case TV_FLOAT: num_write_g(b, v->f); return;
    case TV_STR: buf_put(b, v->s); return;
    case TV_LIST: print_list(b, v, depth); return;
    case TV_MAP: print_map(b, v, depth); return;
    case TV_STRUCT: print_struct(b, v, depth); return;
    case TV_TIME:
        tmpl_time_format(b, v->time, STR("2006-01-02 15:04:05.999999999 -0700 MST"));
        return;
    case TV_DURATION: print_duration(b, v->i); return;
    case TV_FUNC: buf_putc(b, v->func->name); return;
    }
}

void tmpl_print(struct buf *b, const struct tmpl_value *v) { print(b, v, true, 0); }

void tmpl_sprint(struct buf *b, const struct tmpl_value *args, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        /* fmt.Sprint: a space between operands when neither is a string. */
        if (i && args[i].kind != TV_STR && args[i - 1].kind != TV_STR) buf_char(b, ' ');
        print(b, &args[i], false, 0);
    }
}

/* ---- JSON ---- */
static void json(struct buf *b, const struct tmpl_value *v, unsigned depth);

static void json_text(struct buf *b, struct str s)
{
    static const char from[] = "\b\f\n\r\t\\\"", to[] = "bfnrt\\\"";
    buf_char(b, '"');
    while (s.n) {
        struct str at = s;
        uint32_t rune = utf8_next(&s);
        const char *known = rune && rune < 0x80 ? strchr(from, (int)rune) : NULL;
        if (known) {
            buf_char(b, '\\');
            buf_char(b, to[known - from]);
        } else if (rune < 0x20 || rune == '<' || rune == '>' || rune == '&' || rune == 0x2028 ||
                   rune == 0x2029) {
            buf_fmt(b, "\\u%04x", (unsigned)rune);
        } else if (rune == UTF8_BAD && at.n - s.n == 1) {
            buf_putc(b, "\\ufffd");
        } else {
            buf_put(b, str_make(at.p, at.n - s.n));
        }
    }
    buf_char(b, '"');
}

static void json_struct(struct buf *b, const struct tmpl_value *v, unsigned depth)
{
    const char *const *names = v->type->json ? v->type->json : v->type->fields;
    buf_char(b, '{');
    for (size_t i = 0; names[i]; i++) {
        if (i) buf_char(b, ',');
        json_text(b, str_c(names[i]));
        buf_char(b, ':');
        json(b, &v->fields[i], depth + 1);
    }
    buf_char(b, '}');
}

static void json_map(struct buf *b, const struct tmpl_value *v, unsigned depth)
{
    buf_char(b, '{');
    for (size_t i = 0; i < v->map.n; i++) {
        if (i) buf_char(b, ',');
        json_text(b, v->map.v[i].key);
        buf_char(b, ':');
        json(b, v->map.v[i].value, depth + 1);
    }
    buf_char(b, '}');
}

static void json(struct buf *b, const struct tmpl_value *v, unsigned depth)
{
    if (depth > NEST_MAX) return;
    switch (v->kind) {
    case TV_LIST:
        if (!v->list.v) break;
        buf_char(b, '[');
        for (size_t i = 0; i < v->list.n; i++) {
            if (i) buf_char(b, ',');
            json(b, &v->list.v[i], depth + 1);
        }
        buf_char(b, ']');
        return;
    case TV_MAP:
        if (!v->map.v) break;
        json_map(b, v, depth);
        return;
    case TV_STRUCT: json_struct(b, v, depth); return;
    case TV_STR: json_text(b, v->s); return;
    case TV_TIME:
        buf_char(b, '"');
        tmpl_time_format(b, v->time, STR("2006-01-02T15:04:05.999999999Z07:00"));
        buf_char(b, '"');
        return;
    case TV_DURATION: num_write_i64(b, v->i); return;
    case TV_FLOAT: num_write_json(b, v->f); return;
    case TV_BOOL:
    case TV_INT:
    case TV_UINT: print(b, v, false, depth); return;
    case TV_NIL:
    case TV_FUNC: break;
    }
    buf_putc(b, "null");
}

void tmpl_json(struct buf *b, const struct tmpl_value *v) { json(b, v, 0); }
