/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gotmpl_printf.c - fmt.Sprintf over template values
 *
 * Flags + - # 0 space, width, precision, * and [n]; verbs v s q x X d b o O c U t e E f F g G T; Go's %! forms for what
 * does not fit.
 */
#include "base/utf8.h"
#include "codec/gotmpl_priv.h"
#include "codec/num.h"

#define WIDTH_MAX 1000 /* Go allows a million; nobody aligns a mail that far */

struct spec {
    bool plus, minus, sharp, zero, space;
    int width, prec; /* -1: not given */
    char verb;
};

static void pad(struct buf *b, const struct spec *s, struct str text)
{
    size_t n = utf8_count(text);
    size_t fill = s->width > 0 && (size_t)s->width > n ? (size_t)s->width - n : 0;
    if (!s->minus) {
        bool sign = s->zero && text.n && (text.p[0] == '-' || text.p[0] == '+');
        if (sign) {
            buf_char(b, text.p[0]);
            text = str_from(text, 1);
        }
        for (; fill; fill--) buf_char(b, s->zero ? '0' : ' ');
    }
    buf_put(b, text);
    for (; fill; fill--) buf_char(b, ' ');
}

static void put_integer(struct buf *b, const struct spec *s, uint64_t u, bool negative,
                        unsigned base)
{
    char digits[80];
    size_t at = sizeof(digits);
    const char *set = s->verb == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    size_t least = s->prec >= 0 ? (size_t)(s->prec < 64 ? s->prec : 64) : 1;
    while (u || sizeof(digits) - at < least) {
        digits[--at] = set[u % base];
        u /= base;
    }
    BUF(text, 0);
    if (negative) {
        buf_char(&text, '-');
    } else if (s->plus || s->space) {
        buf_char(&text, s->plus ? '+' : ' ');
    }
    if (s->sharp || s->verb == 'O') {
        buf_putc(&text, base == 16  ? (s->verb == 'X' ? "0X" : "0x")
                        : base == 2 ? "0b"
                        : base == 8 ? (s->verb == 'O' ? "0o" : "0")
                                    : "");
    }
    buf_put(&text, str_make(digits + at, sizeof(digits) - at));
    struct spec padding = *s;
    if (s->prec >= 0) padding.zero = false;
    pad(b, &padding, buf_str(&text));
}

static void put_hex(struct buf *b, const struct spec *s, struct str text)
{
    const char *set = s->verb == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    BUF(hex, 0);
    for (size_t i = 0; i < text.n; i++) {
        if (s->space && i) buf_char(&hex, ' ');
        if (s->sharp && (s->space || !i)) buf_putc(&hex, s->verb == 'X' ? "0X" : "0x");
        buf_char(&hex, set[(unsigned char)text.p[i] >> 4]);
        buf_char(&hex, set[text.p[i] & 15]);
    }
    pad(b, s, buf_str(&hex));
}

static struct str runes(struct str s, int max)
{
    struct str rest = s;
    for (int i = 0; i < max && rest.n; i++) (void)utf8_next(&rest);
    return str_first(s, s.n - rest.n);
}

static void bad_verb(struct buf *b, const struct spec *s, const struct tmpl_value *v)
{
    buf_fmt(b, "%%!%c(", s->verb);
    if (v->kind == TV_NIL) {
        buf_putc(b, "<nil>");
    } else {
        buf_fmt(b, "%s=", tmpl_type_name(v));
        tmpl_print(b, v);
    }
    buf_char(b, ')');
}

static void put_float(struct buf *b, const struct spec *s, double v)
{
    char verb = (char)(s->verb == 'v' ? 'g' : s->verb | 32);
    BUF(text, 0);
    if (s->plus && v >= 0) buf_char(&text, '+');
    if (s->space && !s->plus && v >= 0) buf_char(&text, ' ');
    num_write_go(&text, v, verb, s->prec >= 0 ? s->prec : verb == 'g' ? -1 : 6);
    struct str t = buf_str(&text);
    if (v != v || v - v != 0) { /* NaN and Inf are not padded with zeros */
        struct spec plain = *s;
        plain.zero = false;
        pad(b, &plain, t);
        return;
    }
    if (s->verb < 'a') {
        for (size_t i = 0; i < t.n; i++) {
            if (text.p[i] == 'e') text.p[i] = 'E';
        }
    }
    pad(b, s, t);
}

static void put_string(struct buf *b, const struct spec *s, struct str text,
                       const struct tmpl_value *v)
{
    if (s->prec >= 0 && s->verb != 'x' && s->verb != 'X') text = runes(text, s->prec);
    if (s->verb == 'x' || s->verb == 'X') {
        put_hex(b, s, s->prec >= 0 ? str_first(text, (size_t)s->prec) : text);
    } else if (s->verb == 'q' || (s->verb == 'v' && s->sharp)) {
        BUF(q, 0);
        go_quote(&q, text);
        pad(b, s, buf_str(&q));
    } else if (s->verb == 's' || s->verb == 'v') {
        pad(b, s, text);
    } else {
        bad_verb(b, s, v);
    }
}

static void put_whole(struct buf *b, const struct spec *s, const struct tmpl_value *v)
{
    bool negative = v->kind != TV_UINT && v->i < 0;
    uint64_t u = negative ? 0 - v->u : v->u;
    switch (s->verb) {
    case 'v':
    case 'd': put_integer(b, s, u, negative, 10); return;
    case 'b': put_integer(b, s, u, negative, 2); return;
    case 'o':
    case 'O': put_integer(b, s, u, negative, 8); return;
    case 'x':
    case 'X': put_integer(b, s, u, negative, 16); return;
    case 'c':
    case 'q': {
        BUF(text, 0);
        if (s->verb == 'q') buf_char(&text, '\'');
        utf8_put(&text, u > 0x10ffff ? UTF8_BAD : (uint32_t)u);
        if (s->verb == 'q') buf_char(&text, '\'');
        pad(b, s, buf_str(&text));
        return;
    }
    case 'U': buf_fmt(b, "U+%04llX", (unsigned long long)u); return;
    default: bad_verb(b, s, v);
    }
}

static void put_value(struct buf *b, const struct spec *s, const struct tmpl_value *v,
                      unsigned depth);

static void put_parts(struct buf *b, const struct spec *s, const struct tmpl_value *v,
                      unsigned depth)
{
    bool map = v->kind == TV_MAP;
    size_t n = map ? v->map.n : v->kind == TV_LIST ? v->list.n : 0;
    if (v->kind == TV_STRUCT) {
        while (v->type->fields[n]) n++;
    }
    buf_putc(b, map ? "map[" : v->kind == TV_LIST ? "[" : "{");
    for (size_t i = 0; i < n; i++) {
        if (i) buf_char(b, ' ');
        if (map) {
            struct tmpl_value key = tmpl_str(v->map.v[i].key);
            put_value(b, s, &key, depth + 1);
            buf_char(b, ':');
        }
        if (v->kind == TV_STRUCT && s->plus) buf_fmt(b, "%s:", v->type->fields[i]);
        put_value(b, s,
                  map                  ? v->map.v[i].value
                  : v->kind == TV_LIST ? &v->list.v[i]
                                       : &v->fields[i],
                  depth + 1);
    }
    buf_putc(b, v->kind == TV_STRUCT ? "}" : "]");
}

static void put_value(struct buf *b, const struct spec *s, const struct tmpl_value *v,
                      unsigned depth)
{
    if (depth > 64) return;
    bool textual = s->verb == 's' || s->verb == 'v' || s->verb == 'q' || s->verb == 'x' ||
                   s->verb == 'X';
    bool stringer = (v->type && v->type->string) || v->kind == TV_TIME ||
                    (v->kind == TV_DURATION && textual);
    if (textual && stringer) {
        BUF(text, 0);
        tmpl_print(&text, v);
        put_string(b, s, buf_str(&text), v);
        return;
    }
    switch (v->kind) {
    case TV_NIL:
        if (s->verb == 'v') {
            pad(b, s, STR("<nil>"));
        } else {
            bad_verb(b, s, v);
        }
        return;
    case TV_BOOL:
        if (s->verb == 't' || s->verb == 'v') {
            pad(b, s, v->b ? STR("true") : STR("false"));
        } else {
            bad_verb(b, s, v);
        }
        return;
    case TV_INT:
    case TV_UINT:
    case TV_DURATION: put_whole(b, s, v); return;
    case TV_FLOAT:
        if (strchr("veEfFgG", s->verb)) {
            put_float(b, s, v->f);
        } else {
            bad_verb(b, s, v);
        }
        return;
    case TV_STR: put_string(b, s, v->s, v); return;
    case TV_LIST:
    case TV_MAP:
    case TV_STRUCT: put_parts(b, s, v, depth); return;
    case TV_TIME:
    case TV_FUNC: bad_verb(b, s, v); return;
    }
}

struct args {
    const struct tmpl_value *v;
    size_t n, at;
    bool reordered, bad_index;
};

static bool read_number(struct str *in, int *out)
{
    int v = 0;
    size_t n = 0;
    for (; n < in->n && in->p[n] >= '0' && in->p[n] <= '9'; n++) {
        v = v * 10 + (in->p[n] - '0');
        if (v > WIDTH_MAX) v = WIDTH_MAX;
    }
    *in = str_from(*in, n);
    *out = v;
    return n > 0;
}

/* [n] before a verb, a width or a precision. */
static void read_index(struct str *in, struct args *a)
{
    if (!in->n || in->p[0] != '[') return;
    a->reordered = true;
    struct str rest = str_from(*in, 1);
    int n = 0;
    bool ok = read_number(&rest, &n) && rest.n && rest.p[0] == ']';
    size_t close = str_find_char(*in, ']');
    *in = str_from(*in, close == STR_NONE ? 1 : close + 1);
    if (!ok || n < 1 || (size_t)n > a->n) {
        a->bad_index = true;
    } else {
        a->at = (size_t)n - 1;
    }
}

static bool read_star(struct str *in, struct args *a, int *out)
{
    if (!in->n || in->p[0] != '*') return false;
    *in = str_from(*in, 1);
    *out = -1;
    if (a->at < a->n && a->v[a->at].kind == TV_INT) {
        int64_t v = a->v[a->at].i;
        *out = (int)(v > WIDTH_MAX ? WIDTH_MAX : v < -WIDTH_MAX ? -WIDTH_MAX : v);
    }
    a->at++;
    return true;
}

static void read_spec(struct str *in, struct args *a, struct spec *s)
{
    *s = (struct spec){ .width = -1, .prec = -1 };
    for (; in->n; *in = str_from(*in, 1)) {
        char c = in->p[0];
        if (c == '+') {
            s->plus = true;
        } else if (c == '-') {
            s->minus = true;
        } else if (c == '#') {
            s->sharp = true;
        } else if (c == '0') {
            s->zero = true;
        } else if (c == ' ') {
            s->space = true;
        } else {
            break;
        }
    }
    read_index(in, a);
    if (read_star(in, a, &s->width)) {
        if (s->width < -1) {
            s->minus = true;
            s->width = -s->width;
        }
    } else {
        (void)read_number(in, &s->width);
        if (s->width == 0) s->width = -1;
    }
    if (in->n && in->p[0] == '.') {
        *in = str_from(*in, 1);
        read_index(in, a);
        if (!read_star(in, a, &s->prec) && !read_number(in, &s->prec)) s->prec = 0;
    }
    read_index(in, a);
    if (s->minus) s->zero = false;
}

void tmpl_sprintf(struct buf *b, struct str in, const struct tmpl_value *v, size_t n)
{
    struct args a = { .v = v, .n = n };
    while (in.n && !b->over) {
        size_t plain = str_find_char(in, '%');
        buf_put(b, str_first(in, plain));
        if (plain == STR_NONE) break;
        in = str_from(in, plain + 1);
        struct spec s;
        a.bad_index = false;
        read_spec(&in, &a, &s);
        if (!in.n) {
            buf_putc(b, "%!(NOVERB)");
            break;
        }
        s.verb = in.p[0];
        in = str_from(in, 1);
        if (s.verb == '%') {
            buf_char(b, '%');
        } else if (a.bad_index) {
            buf_fmt(b, "%%!%c(BADINDEX)", s.verb);
        } else if (a.at >= a.n) {
            buf_fmt(b, "%%!%c(MISSING)", s.verb);
            a.at++;
        } else if (s.verb == 'T') {
            pad(b, &s, str_c(tmpl_type_name(&v[a.at++])));
        } else {
            put_value(b, &s, &v[a.at++], 0);
        }
    }
    if (a.reordered || a.at >= a.n) return;
    buf_putc(b, "%!(EXTRA ");
    for (size_t i = a.at; i < a.n; i++) {
        if (i > a.at) buf_putc(b, ", ");
        if (v[i].kind == TV_NIL) {
            buf_putc(b, "<nil>");
            continue;
        }
        buf_fmt(b, "%s=", tmpl_type_name(&v[i]));
        tmpl_print(b, &v[i]);
    }
    buf_char(b, ')');
}
