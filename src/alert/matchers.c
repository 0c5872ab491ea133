/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/matchers.h"

#include "base/utf8.h"
#include "base/vec.h"
#include "codec/goquote.h"

struct list {
    struct matcher *v;
    size_t n, cap;
};

static const struct {
    const char *text;
    enum match_op op;
} operators[] = { { "=~", MATCH_RE }, { "!~", MATCH_NRE }, { "!=", MATCH_NE }, { "=", MATCH_EQ } };

static bool space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static bool name_byte(char c, bool first)
{
    return c == '_' || c == ':' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (!first && c >= '0' && c <= '9');
}
static bool reserved(char c) { return space(c) || (c && strchr("{}!=~,\\\"'`", c)); }

enum err alert_matcher_init(struct arena *a, struct matcher *m, enum match_op op, struct str name,
                            struct str value, struct diag *d)
{
    struct regex *re = NULL;
    if (op == MATCH_RE || op == MATCH_NRE) {
        struct str whole = arena_fmt(a, "^(?:" STR_FMT ")$", STR_ARG(value));
        TRY(regex_compile(whole, REGEX_RE2_PART, &re, d));
    }
    *m = (struct matcher){ op, name, value, re };
    return OK;
}

void matchers_done(struct matchers *m)
{
    for (size_t i = 0; i < m->n; i++) matcher_done(&m->v[i]);
    m->n = 0;
}

static void list_done(struct list *l)
{
    for (size_t i = 0; i < l->n; i++) matcher_done(&l->v[i]);
    l->n = 0;
}

static enum err add(struct arena *a, struct list *l, enum match_op op, struct str name,
                    struct str value, struct diag *d)
{
    struct matcher m;
    TRY(alert_matcher_init(a, &m, op, arena_dup(a, name), arena_dup(a, value), d));
    *vec_push(a, l) = m;
    return OK;
}

/* ---- classic ---- */
static enum err classic_value(struct arena *a, struct str raw, struct str *out, struct diag *d)
{
    struct str in = raw;
    bool quoted = in.n && in.p[0] == '"', escaped = false;
    BUF(b, 0);
    if (quoted) in = str_from(in, 1);
    if (!utf8_valid(in)) {
        return diag_set(d, ERR_SYNTAX, "matcher value not valid UTF-8: " STR_FMT, STR_ARG(raw));
    }
    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i];
        if (escaped) {
            escaped = false;
            if (c != 'n' && c != '"' && c != '\\') buf_char(&b, '\\');
            buf_char(&b, c == 'n' ? '\n' : c);
        } else if (c == '\\' && i + 1 < in.n) {
            escaped = true;
        } else if (c == '"') {
            if (!quoted || i + 1 < in.n) {
                return diag_set(d, ERR_SYNTAX,
                                "matcher value contains unescaped double quote: " STR_FMT,
                                STR_ARG(raw));
            }
            quoted = false;
        } else {
            buf_char(&b, c);
        }
    }
    if (quoted) {
        return diag_set(d, ERR_SYNTAX, "matcher value contains unescaped double quote: " STR_FMT,
                        STR_ARG(raw));
    }
    *out = arena_dup(a, buf_str(&b));
    return OK;
}

static enum err classic_one(struct arena *a, struct str token, struct list *l, struct diag *d)
{
    struct str s = str_trim(token), value;
    size_t n = 0;
    while (n < s.n && name_byte(s.p[n], n == 0)) n++;
    struct str name = str_first(s, n);
    s = str_trim(str_from(s, n));
    for (size_t i = 0; name.n && i < ARRAY_LEN(operators); i++) {
        struct str op = str_c(operators[i].text);
        if (!str_starts(s, op)) continue;
        TRY(classic_value(a, str_trim(str_from(s, op.n)), &value, d));
        return add(a, l, operators[i].op, name, value, d);
    }
    return diag_set(d, ERR_SYNTAX, "bad matcher format: " STR_FMT, STR_ARG(token));
}

static enum err classic(struct arena *a, struct str s, struct list *l, struct diag *d)
{
    if (s.n && s.p[0] == '{') s = str_from(s, 1);
    if (s.n && s.p[s.n - 1] == '}') s.n--;
    bool quoted = false, escaped = false;
    size_t from = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == ',' && !quoted) {
            TRY(classic_one(a, str_make(s.p + from, i - from), l, d));
            from = i + 1;
        }
        if (c == '"' && !escaped) quoted = !quoted;
        escaped = c == '\\' && !escaped;
    }
    struct str last = str_from(s, from);
    return str_trim(last).n ? classic_one(a, last, l, d) : OK;
}

/* ---- UTF-8 ---- */
enum token { M_END, M_OPEN, M_CLOSE, M_COMMA, M_OP, M_WORD, M_QUOTED };

struct reader {
    struct arena *a;
    struct str in;
    size_t pos;
    enum token kind; /* of the token last read */
    size_t from, to; /* its bytes */
    struct str lex_error;
};

static size_t column(const struct reader *r, size_t pos)
{
    return utf8_count(str_first(r->in, pos));
}
static struct str token_text(const struct reader *r)
{
    return str_make(r->in.p + r->from, r->to - r->from);
}

static bool lex_fail(struct reader *r, size_t to, const char *what)
{
    r->lex_error = arena_fmt(r->a, "%zu:%zu: " STR_FMT ": %s", column(r, r->from), column(r, to),
                             STR_ARG(str_make(r->in.p + r->from, to - r->from)), what);
    return false;
}

static bool single(struct reader *r, enum token kind, size_t n)
{
    r->kind = kind;
    r->pos = r->to = r->from + n;
    return true;
}

static bool read_quoted(struct reader *r)
{
    size_t i = r->from + 1;
    while (i < r->in.n && r->in.p[i] != '"') i += r->in.p[i] == '\\' ? 2 : 1;
    if (i >= r->in.n) return lex_fail(r, r->in.n, "missing end \"");
    return single(r, M_QUOTED, i + 1 - r->from);
}

static bool read_token(struct reader *r)
{
    while (r->pos < r->in.n && space(r->in.p[r->pos])) r->pos++;
    r->from = r->to = r->pos;
    if (r->pos >= r->in.n) return single(r, M_END, 0);
    struct str rest = str_from(r->in, r->pos);
    switch (rest.p[0]) {
    case '{': return single(r, M_OPEN, 1);
    case '}': return single(r, M_CLOSE, 1);
    case ',': return single(r, M_COMMA, 1);
    case '"': return read_quoted(r);
    default: break;
    }
    for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
        if (str_starts(rest, str_c(operators[i].text))) {
            return single(r, M_OP, strlen(operators[i].text));
        }
    }
    size_t n = 0;
    while (n < rest.n && !reserved(rest.p[n])) n++;
    if (!n) {
        struct str after = rest;
        (void)utf8_next(&after);
        return lex_fail(r, r->from + (rest.n - after.n), "invalid input");
    }
    return single(r, M_WORD, n);
}

static enum err unexpected(const struct reader *r, const char *expected, struct diag *d)
{
    if (r->kind == M_END) return diag_set(d, ERR_SYNTAX, "end of input: expected %s", expected);
    return diag_set(d, ERR_SYNTAX, "%zu:%zu: unexpected " STR_FMT ": expected %s",
                    column(r, r->from), column(r, r->to), STR_ARG(token_text(r)), expected);
}
static enum err next(struct reader *r, const char *expected, struct diag *d)
{
    if (read_token(r)) return OK;
    if (!expected) return diag_set(d, ERR_SYNTAX, STR_FMT, STR_ARG(r->lex_error));
    return diag_set(d, ERR_SYNTAX, STR_FMT ": expected %s", STR_ARG(r->lex_error), expected);
}
static enum err whole_fail(const struct reader *r, const char *what, struct diag *d)
{
    return diag_set(d, ERR_SYNTAX, "0:%zu: %s", column(r, r->in.n), what);
}

static enum err text_of(const struct reader *r, struct str *out, struct diag *d)
{
    struct str s = token_text(r);
    if (r->kind == M_WORD && utf8_valid(s)) {
        *out = s;
        return OK;
    }
    if (r->kind == M_QUOTED && go_unquote(r->a, s, out) && utf8_valid(*out)) return OK;
    return diag_set(d, ERR_SYNTAX, "%zu:%zu: " STR_FMT ": invalid input", column(r, r->from),
                    column(r, r->to), STR_ARG(s));
}

#define EXPECT_OP "an operator such as '=', '!=', '=~' or '!~'"

/* The name is the token last read. */
static enum err utf8_one(struct reader *r, struct list *l, struct diag *d)
{
    struct str name, value;
    if (r->kind != M_WORD && r->kind != M_QUOTED) return unexpected(r, "label name", d);
    TRY(text_of(r, &name, d));
    TRY(next(r, EXPECT_OP, d));
    if (r->kind != M_OP) return unexpected(r, EXPECT_OP, d);
    enum match_op op = MATCH_EQ;
    for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
        if (str_eqc(token_text(r), operators[i].text)) op = operators[i].op;
    }
    TRY(next(r, "label value", d));
    if (r->kind != M_WORD && r->kind != M_QUOTED) return unexpected(r, "label value", d);
    TRY(text_of(r, &value, d));
    struct diag why = { 0 };
    if (add(r->a, l, op, name, value, &why) != OK) {
        return diag_set(d, ERR_SYNTAX, "failed to create matcher: %s", why.text);
    }
    return OK;
}

static enum err closed(struct reader *r, struct diag *d)
{
    TRY(next(r, "end of input", d));
    if (r->kind == M_END) return OK;
    return diag_set(d, ERR_SYNTAX, "%zu:%zu: " STR_FMT ": expected end of input",
                    column(r, r->from), column(r, r->to), STR_ARG(token_text(r)));
}

static enum err utf8(struct arena *a, struct str s, struct list *l, struct diag *d)
{
    struct reader r = { .a = a, .in = s };
    TRY(next(&r, NULL, d));
    bool open = r.kind == M_OPEN;
    if (r.kind == M_END) return OK;
    if (open) TRY(next(&r, NULL, d));
    for (;;) {
        if (r.kind == M_CLOSE) {
            return open ? closed(&r, d) : whole_fail(&r, "}: expected opening brace", d);
        }
        if (r.kind == M_END) {
            return open ? whole_fail(&r, "end of input: expected close brace", d) : OK;
        }
        TRY(utf8_one(&r, l, d));
        TRY(next(&r, "a comma or close brace", d));
        if (r.kind == M_CLOSE || r.kind == M_END) continue;
        if (r.kind != M_COMMA) return unexpected(&r, "a comma or close brace", d);
        TRY(next(&r, NULL, d));
    }
}

/* ---- both ---- */
static bool same(const struct list *x, const struct list *y)
{
    struct matchers a = { x->v, x->n }, b = { y->v, y->n };
    return matchers_eq(&a, &b);
}

static void warn(struct arena *a, struct str text, const struct list *l, const char *why,
                 struct str *out)
{
    if (!out) return;
    BUF(b, 0);
    struct matchers m = { l->v, l->n };
    matchers_write(&b, &m);
    *out = arena_fmt(a, "%s: " STR_FMT "; write " STR_FMT " instead", why, STR_ARG(text),
                     STR_ARG(buf_str(&b)));
}

enum err matchers_parse(struct arena *a, struct str text, enum matchers_mode mode,
                        struct matchers *out, struct str *warning, struct diag *d)
{
    struct list old = { 0 }, new = { 0 };
    enum err old_e = mode == MATCHERS_UTF8 ? ERR_UNSUPPORTED : classic(a, text, &old, d);
    struct diag new_d = { 0 };
    enum err new_e = mode == MATCHERS_CLASSIC ? ERR_UNSUPPORTED : utf8(a, text, &new, &new_d);
    bool use_new = new_e == OK && (old_e != OK || same(&old, &new));
    if (old_e == OK && !use_new) {
        list_done(&new);
        if (mode == MATCHERS_FALLBACK) {
            warn(a, text, &old,
                 new_e == OK ? "matchers input has disagreement"
                             : "the matchers are not valid in the UTF-8 grammar",
                 warning);
        }
        *out = (struct matchers){ old.v, old.n };
        return OK;
    }
    list_done(&old);
    if (use_new) {
        *out = (struct matchers){ new.v, new.n };
        return OK;
    }
    list_done(&new);
    if (mode == MATCHERS_UTF8) return diag_set(d, new_e, "%s", new_d.text);
    return old_e;
}

/* ---- writing and comparing ---- */
void matcher_write(struct buf *b, const struct matcher *m)
{
    bool odd = false;
    for (size_t i = 0; i < m->name.n; i++) odd = odd || reserved(m->name.p[i]);
    if (odd) {
        go_quote(b, m->name);
        buf_putc(b, match_op_text(m->op));
        go_quote(b, m->value);
        return;
    }
    buf_put(b, m->name);
    buf_putc(b, match_op_text(m->op));
    buf_char(b, '"');
    for (size_t i = 0; i < m->value.n; i++) {
        char c = m->value.p[i];
        if (c == '"' || c == '\\') buf_char(b, '\\');
        if (c == '\n') {
            buf_putc(b, "\\n");
        } else {
            buf_char(b, c);
        }
    }
    buf_char(b, '"');
}

void matchers_write(struct buf *b, const struct matchers *m)
{
    buf_char(b, '{');
    for (size_t i = 0; i < m->n; i++) {
        if (i) buf_char(b, ',');
        matcher_write(b, &m->v[i]);
    }
    buf_char(b, '}');
}

static int compare(const struct matcher *x, const struct matcher *y)
{
    int c = str_cmp(x->name, y->name);
    if (c == 0) c = str_cmp(x->value, y->value);
    return c ? c : (int)x->op - (int)y->op;
}

void matchers_sort(struct matchers *m)
{
    for (size_t i = 1; i < m->n; i++) {
        struct matcher it = m->v[i];
        size_t k = i;
        for (; k > 0 && compare(&m->v[k - 1], &it) > 0; k--) m->v[k] = m->v[k - 1];
        m->v[k] = it;
    }
}

bool matchers_eq(const struct matchers *x, const struct matchers *y)
{
    if (x->n != y->n) return false;
    for (size_t i = 0; i < x->n; i++) {
        if (compare(&x->v[i], &y->v[i]) != 0) return false;
    }
    return true;
}

bool matchers_match_empty(const struct matchers *m)
{
    for (size_t i = 0; i < m->n; i++) {
        if (!matcher_match(&m->v[i], STR(""))) return false;
    }
    return true;
}

bool alert_label_name_ok(struct str name, enum matchers_mode mode)
{
    if (mode == MATCHERS_CLASSIC) return label_name_valid_legacy(name);
    return name.n && utf8_valid(name);
}
