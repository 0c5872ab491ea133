/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gotmpl_builtin.c - the functions every template has: comparison, logic, index, slice, len, print and escapers
 */
#include "codec/gotmpl_priv.h"

#define TEXT_MAX ((size_t)1 << 20)

#define BUILTIN(name)                                                                              \
    static enum err name(struct tmpl_run *r, const struct tmpl_value *v, size_t n,                 \
                         struct tmpl_value *out)

static enum err give(struct tmpl_run *r, struct buf *b, struct tmpl_value *out)
{
    if (b->over) return tmpl_fail(r, "result too large");
    *out = tmpl_str(arena_dup(tmpl_arena(r), buf_str(b)));
    return OK;
}

/* ---- logic and comparison ---- */
BUILTIN(b_not)
{
    (void)r;
    (void)n;
    *out = tmpl_bool(!tmpl_truth(&v[0]));
    return OK;
}

static bool is_number(const struct tmpl_value *v)
{
    return v->kind == TV_INT || v->kind == TV_UINT || v->kind == TV_FLOAT || v->kind == TV_DURATION;
}
static bool is_whole(const struct tmpl_value *v)
{
    return v->kind == TV_INT || v->kind == TV_UINT || v->kind == TV_DURATION;
}
static bool basic(const struct tmpl_value *v)
{
    return is_number(v) || v->kind == TV_STR || v->kind == TV_BOOL;
}

/* Orders whole numbers, floats and strings; false where Go says incompatible types. NaN: *c is 2. */
static bool compare(const struct tmpl_value *a, const struct tmpl_value *b, int *c)
{
    if (a->kind == TV_STR && b->kind == TV_STR) {
        *c = str_cmp(a->s, b->s);
        return true;
    }
    if (a->kind == TV_FLOAT && b->kind == TV_FLOAT) {
        *c = a->f < b->f ? -1 : a->f > b->f ? 1 : a->f == b->f ? 0 : 2;
        return true;
    }
    if (!is_whole(a) || !is_whole(b)) return false;
    bool a_neg = a->kind != TV_UINT && a->i < 0, b_neg = b->kind != TV_UINT && b->i < 0;
    if (a_neg != b_neg) {
        *c = a_neg ? -1 : 1;
    } else if (a_neg) {
        *c = (a->i > b->i) - (a->i < b->i);
    } else {
        *c = (a->u > b->u) - (a->u < b->u);
    }
    return true;
}

static enum err equal(struct tmpl_run *r, const struct tmpl_value *a, const struct tmpl_value *b,
                      bool *same)
{
    int c = 1;
    if (a->kind == TV_NIL || b->kind == TV_NIL) {
        *same = a->kind == b->kind;
        return OK;
    }
    if (a->kind == TV_BOOL && b->kind == TV_BOOL) {
        *same = a->b == b->b;
        return OK;
    }
    if (a->kind == TV_TIME && b->kind == TV_TIME) {
        *same = a->time->s == b->time->s && a->time->ns == b->time->ns;
        return OK;
    }
    if (compare(a, b, &c)) {
        *same = c == 0;
        return OK;
    }
    const struct tmpl_value *odd = !basic(a) ? a : b;
    if (!basic(odd)) {
        if (odd->kind == TV_LIST || odd->kind == TV_MAP) {
            BUF(text, TEXT_MAX);
            tmpl_print(&text, odd);
            return tmpl_fail(r, "non-comparable type " STR_FMT ": %s", STR_ARG(buf_str(&text)),
                             tmpl_type_name(odd));
        }
        return tmpl_fail(r, "incompatible types for comparison");
    }
    return tmpl_fail(r, "incompatible types for comparison");
}

BUILTIN(b_eq)
{
    if (n == 1) return tmpl_fail(r, "missing argument for comparison");
    bool same = false;
    for (size_t i = 1; i < n && !same; i++) TRY(equal(r, &v[0], &v[i], &same));
    *out = tmpl_bool(same);
    return OK;
}
BUILTIN(b_ne)
{
    (void)n;
    bool same = false;
    TRY(equal(r, &v[0], &v[1], &same));
    *out = tmpl_bool(!same);
    return OK;
}

static enum err less(struct tmpl_run *r, const struct tmpl_value *v, int *c)
{
    if (compare(&v[0], &v[1], c)) return OK;
    bool odd = !basic(&v[0]) || !basic(&v[1]) || (v[0].kind == TV_BOOL && v[1].kind == TV_BOOL);
    return tmpl_fail(r, odd ? "invalid type for comparison" : "incompatible types for comparison");
}
#define COMPARE(name, test)                                                                        \
    BUILTIN(name)                                                                                  \
    {                                                                                              \
        int c = 0;                                                                                 \
        (void)n;                                                                                   \
        TRY(less(r, v, &c));                                                                       \
        *out = tmpl_bool(test);                                                                    \
        return OK;                                                                                 \
    }
COMPARE(b_lt, c < 0)
COMPARE(b_le, c <= 0)
COMPARE(b_gt, c == 1 || (c > 0 && c != 2))
COMPARE(b_ge, c >= 0 && c != 2)

/* ---- index, slice, len ---- */
static enum err index_one(struct tmpl_run *r, const struct tmpl_value *v,
                          const struct tmpl_value *at, struct tmpl_value *out)
{
    if (v->kind == TV_NIL) return tmpl_fail(r, "index of untyped nil");
    if (v->kind == TV_MAP) {
        if (at->kind != TV_STR) {
            return tmpl_fail(r, "value has type %s; should be string", tmpl_type_name(at));
        }
        const struct tmpl_value *found = tmpl_map_get(v, at->s);
        bool text = v->type && v->type->elem == TV_STR;
        *out = found ? *found : text ? tmpl_str(STR("")) : tmpl_nil();
        return OK;
    }
    if (v->kind != TV_LIST && v->kind != TV_STR) {
        return tmpl_fail(r, "can't index item of type %s", tmpl_type_name(v));
    }
    if (at->kind == TV_NIL) return tmpl_fail(r, "cannot index slice/array with nil");
    if (at->kind != TV_INT && at->kind != TV_UINT) {
        return tmpl_fail(r, "cannot index slice/array with type %s", tmpl_type_name(at));
    }
    size_t size = v->kind == TV_LIST ? v->list.n : v->s.n;
    if (at->i < 0 || (uint64_t)at->i >= size) {
        return tmpl_fail(r, "index out of range: %lld", (long long)at->i);
    }
    if (v->kind == TV_LIST) {
        *out = v->list.v[at->i];
    } else {
        *out = (struct tmpl_value){ .kind = TV_UINT, .u = (unsigned char)v->s.p[at->i] };
    }
    return OK;
}

BUILTIN(b_index)
{
    struct tmpl_value at = v[0];
    if (at.kind == TV_NIL) return tmpl_fail(r, "index of untyped nil");
    for (size_t i = 1; i < n; i++) TRY(index_one(r, &at, &v[i], &at));
    *out = at;
    return OK;
}

BUILTIN(b_slice)
{
    if (v[0].kind == TV_NIL) return tmpl_fail(r, "slice of untyped nil");
    if (n > 4) return tmpl_fail(r, "too many slice indexes: %zu", n - 1);
    if (v[0].kind != TV_LIST && v[0].kind != TV_STR) {
        return tmpl_fail(r, "can't slice item of type %s", tmpl_type_name(&v[0]));
    }
    if (n == 4 && v[0].kind == TV_STR) return tmpl_fail(r, "cannot 3-index slice a string");
    size_t size = v[0].kind == TV_LIST ? v[0].list.n : v[0].s.n;
    size_t bound[3] = { 0, size, size };
    for (size_t i = 1; i < n; i++) {
        if (v[i].kind != TV_INT) {
            return tmpl_fail(r, "cannot index slice/array with type %s", tmpl_type_name(&v[i]));
        }
        if (v[i].i < 0 || (uint64_t)v[i].i > size) {
            return tmpl_fail(r, "index out of range: %lld", (long long)v[i].i);
        }
        bound[i - 1] = (size_t)v[i].i;
    }
    if (bound[0] > bound[1]) {
        return tmpl_fail(r, "invalid slice index: %zu > %zu", bound[0], bound[1]);
    }
    *out = v[0];
    if (v[0].kind == TV_LIST) {
        out->list.v = v[0].list.v ? v[0].list.v + bound[0] : NULL;
        out->list.n = bound[1] - bound[0];
    } else {
        out->s = str_first(str_from(v[0].s, bound[0]), bound[1] - bound[0]);
    }
    return OK;
}

BUILTIN(b_len)
{
    (void)n;
    switch (v[0].kind) {
    case TV_STR: *out = tmpl_int((int64_t)v[0].s.n); return OK;
    case TV_LIST: *out = tmpl_int((int64_t)v[0].list.n); return OK;
    case TV_MAP: *out = tmpl_int((int64_t)v[0].map.n); return OK;
    case TV_NIL: return tmpl_fail(r, "len of nil pointer");
    default: return tmpl_fail(r, "len of type %s", tmpl_type_name(&v[0]));
    }
}

BUILTIN(b_call)
{
    if (v[0].kind == TV_FUNC) return v[0].func->fn(r, v + 1, n - 1, out);
    if (v[0].kind == TV_NIL) return tmpl_fail(r, "call of nil");
    return tmpl_fail(r, "non-function of type %s", tmpl_type_name(&v[0]));
}

/* ---- printing and escaping ---- */
BUILTIN(b_print)
{
    BUF(b, TEXT_MAX);
    tmpl_sprint(&b, v, n);
    return give(r, &b, out);
}
BUILTIN(b_println)
{
    BUF(b, TEXT_MAX);
    for (size_t i = 0; i < n; i++) {
        if (i) buf_char(&b, ' ');
        if (v[i].kind == TV_NIL) {
            buf_putc(&b, "<nil>");
        } else {
            tmpl_print(&b, &v[i]);
        }
    }
    buf_char(&b, '\n');
    return give(r, &b, out);
}
BUILTIN(b_printf)
{
    BUF(b, TEXT_MAX);
    tmpl_sprintf(&b, v[0].s, v + 1, n - 1);
    return give(r, &b, out);
}

/* The escapers take the text of all their arguments: one string as it is, else fmt.Sprint. */
static enum err escaped(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
                        void (*escape)(struct buf *b, struct str s), struct tmpl_value *out)
{
    BUF(text, TEXT_MAX);
    BUF(b, TEXT_MAX);
    if (n == 1 && v[0].kind == TV_NIL) {
        buf_putc(&text, "<no value>");
    } else {
        tmpl_sprint(&text, v, n);
    }
    escape(&b, buf_str(&text));
    return give(r, &b, out);
}
BUILTIN(b_html) { return escaped(r, v, n, tmpl_html_escape, out); }
BUILTIN(b_js) { return escaped(r, v, n, tmpl_js_escape, out); }
BUILTIN(b_urlquery) { return escaped(r, v, n, tmpl_query_escape, out); }

/* and, or have no function of their own: the evaluator does not evaluate what it need not. */
const struct tmpl_func tmpl_builtins[] = {
    { "and", "aa.", NULL },
    { "or", "aa.", NULL },
    { "not", "a", b_not },
    { "eq", "aa.", b_eq },
    { "ne", "aa", b_ne },
    { "lt", "aa", b_lt },
    { "le", "aa", b_le },
    { "gt", "aa", b_gt },
    { "ge", "aa", b_ge },
    { "len", "a", b_len },
    { "index", "aa.", b_index },
    { "slice", "aa.", b_slice },
    { "call", "aa.", b_call },
    { "print", "a.", b_print },
    { "println", "a.", b_println },
    { "printf", "sa.", b_printf },
    { "html", "a.", b_html },
    { "js", "a.", b_js },
    { "urlquery", "a.", b_urlquery },
    { NULL, NULL, NULL },
};
