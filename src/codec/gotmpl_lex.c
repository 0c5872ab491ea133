/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gotmpl_lex.c - template text into tokens, whole, before parsing
 */
#include "base/utf8.h"
#include "codec/gotmpl_priv.h"

struct lexer {
    struct arena *a;
    struct str in;
    size_t pos;
    unsigned line;
    int parens;
    struct tokens *out;
};

static const struct {
    const char *word;
    enum token_kind kind;
} words[] = {
    { "block", TOK_BLOCK },
    { "break", TOK_BREAK },
    { "continue", TOK_CONTINUE },
    { "define", TOK_DEFINE },
    { "else", TOK_ELSE },
    { "end", TOK_END },
    { "if", TOK_IF },
    { "nil", TOK_NIL },
    { "range", TOK_RANGE },
    { "template", TOK_TEMPLATE },
    { "with", TOK_WITH },
    { "true", TOK_BOOL },
    { "false", TOK_BOOL },
};

static bool is_space(int c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
static bool is_digit(int c) { return c >= '0' && c <= '9'; }

static int at(const struct lexer *l, size_t i)
{
    return i < l->in.n ? (unsigned char)l->in.p[i] : -1;
}
static bool looking(const struct lexer *l, size_t i, const char *z)
{
    return str_starts(str_from(l->in, i), str_c(z));
}

/* Letters beyond ASCII count as letters: Go asks unicode.IsLetter; names in templates are code, not foreign text. */
static size_t alnum(const struct lexer *l, size_t i)
{
    int c = at(l, i);
    if (c < 0) return 0;
    if (c < 0x80) return c == '_' || is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'z');
    struct str rest = str_from(l->in, i);
    uint32_t rune = utf8_next(&rest);
    return rune == UTF8_BAD || rune < 0xaa || rune == 0xd7 || rune == 0xf7 ||
                   (rune >= 0x2000 && rune < 0x2100)
               ? 0
               : (size_t)(rest.p - (l->in.p + i));
}

static void emit(struct lexer *l, enum token_kind kind, size_t from)
{
    struct token *t = vec_push(l->a, l->out);
    *t = (struct token){ kind, (uint32_t)from, l->line, str_make(l->in.p + from, l->pos - from) };
    for (size_t i = from; i < l->pos; i++) {
        if (l->in.p[i] == '\n') l->line++;
    }
}

static bool fail(struct lexer *l, size_t from, struct str text)
{
    *vec_push(l->a, l->out) = (struct token){ TOK_ERROR, (uint32_t)from, l->line, text };
    return false;
}
static bool fail_rune(struct lexer *l, size_t from, size_t where, const char *what)
{
    struct str rest = str_from(l->in, where);
    uint32_t rune = rest.n ? utf8_next(&rest) : 0;
    BUF(b, 256);
    buf_fmt(&b, "%s U+%04X", what, (unsigned)rune);
    if ((rune >= 0x20 && rune < 0x7f) || rune > 0xa0) {
        buf_putc(&b, " '");
        utf8_put(&b, rune);
        buf_char(&b, '\'');
    }
    return fail(l, from, arena_dup(l->a, buf_str(&b)));
}

static bool right_trim_at(const struct lexer *l, size_t i)
{
    return is_space(at(l, i)) && looking(l, i + 1, "-}}");
}
static bool right_at(const struct lexer *l, size_t i)
{
    return looking(l, i, "}}") || right_trim_at(l, i);
}

static bool terminator(const struct lexer *l, size_t i)
{
    int c = at(l, i);
    return c < 0 || is_space(c) || strchr(".,|:)(", c) || looking(l, i, "}}");
}

/* Behind }} with its trim marker, if any. */
static void close_delim(struct lexer *l)
{
    bool trim = right_trim_at(l, l->pos);
    if (trim) l->pos += 2;
    size_t from = l->pos;
    l->pos += 2;
    emit(l, TOK_RIGHT, from);
    if (!trim) return;
    for (; is_space(at(l, l->pos)); l->pos++) {
        if (at(l, l->pos) == '\n') l->line++;
    }
}

static bool comment(struct lexer *l, size_t from)
{
    size_t end = str_find(str_from(l->in, l->pos), STR("*/"));
    if (end == STR_NONE) return fail(l, from, STR("unclosed comment"));
    l->pos += end + 2;
    if (!right_at(l, l->pos)) return fail(l, from, STR("comment ends before closing delimiter"));
    struct tokens skipped = { 0 };
    struct tokens *keep = l->out;
    for (size_t i = from; i < l->pos; i++) {
        if (l->in.p[i] == '\n') l->line++;
    }
    l->out = &skipped;
    close_delim(l);
    l->out = keep;
    return true;
}

static bool quoted(struct lexer *l, char quote, enum token_kind kind, const char *what)
{
    size_t from = l->pos++;
    for (;; l->pos++) {
        int c = at(l, l->pos);
        if (c < 0 || (c == '\n' && quote != '`')) return fail(l, from, str_c(what));
        if (c == '\\' && quote != '`') {
            l->pos++;
            if (at(l, l->pos) < 0 || at(l, l->pos) == '\n') return fail(l, from, str_c(what));
        } else if (c == quote) {
            break;
        }
    }
    l->pos++;
    emit(l, kind, from);
    return true;
}

static size_t run_of(const struct lexer *l, size_t i, const char *set)
{
    size_t n = 0;
    while (at(l, i + n) > 0 && strchr(set, at(l, i + n))) n++;
    return n;
}

static bool number(struct lexer *l)
{
    size_t from = l->pos;
    l->pos += run_of(l, l->pos, "+-") ? 1 : 0;
    const char *digits = "0123456789_";
    bool hex = looking(l, l->pos, "0x") || looking(l, l->pos, "0X");
    if (hex) {
        digits = "0123456789abcdefABCDEF_";
        l->pos += 2;
    } else if (looking(l, l->pos, "0o") || looking(l, l->pos, "0O") || looking(l, l->pos, "0b") ||
               looking(l, l->pos, "0B")) {
        l->pos += 2;
    }
    l->pos += run_of(l, l->pos, digits);
    if (at(l, l->pos) == '.') {
        l->pos++;
        l->pos += run_of(l, l->pos, digits);
    }
    if (run_of(l, l->pos, hex ? "pP" : "eE")) {
        l->pos++;
        l->pos += run_of(l, l->pos, "+-") ? 1 : 0;
        l->pos += run_of(l, l->pos, "0123456789_");
    }
    size_t bad = alnum(l, l->pos);
    if (bad) {
        BUF(b, 4096);
        buf_putc(&b, "bad number syntax: ");
        go_quote(&b, str_make(l->in.p + from, l->pos + bad - from));
        return fail(l, from, arena_dup(l->a, buf_str(&b)));
    }
    emit(l, TOK_NUMBER, from);
    return true;
}

/* .name, $name or name; from is where it began, pos behind its sign. */
static bool name(struct lexer *l, size_t from, enum token_kind kind)
{
    for (size_t n; (n = alnum(l, l->pos));) l->pos += n;
    if (!terminator(l, l->pos)) return fail_rune(l, from, l->pos, "bad character");
    if (kind == TOK_IDENT) {
        struct str word = str_make(l->in.p + from, l->pos - from);
        for (size_t i = 0; i < ARRAY_LEN(words); i++) {
            if (str_eqc(word, words[i].word)) kind = words[i].kind;
        }
    }
    if (kind == TOK_FIELD && l->pos == from + 1) kind = TOK_DOT;
    emit(l, kind, from);
    return true;
}

static bool space(struct lexer *l)
{
    size_t from = l->pos;
    while (is_space(at(l, l->pos))) l->pos++;
    /* The space before -}} is the marker's. */
    if (looking(l, l->pos, "-}}")) l->pos--;
    if (l->pos > from) emit(l, TOK_SPACE, from);
    return true;
}

static bool single(struct lexer *l, enum token_kind kind, size_t n)
{
    l->pos += n;
    emit(l, kind, l->pos - n);
    return true;
}

static bool inside(struct lexer *l)
{
    int c = at(l, l->pos);
    if (c < 0) return fail(l, l->pos, STR("unclosed action"));
    if (is_space(c)) return space(l);
    switch (c) {
    case '=': return single(l, TOK_ASSIGN, 1);
    case ':':
        if (at(l, l->pos + 1) != '=') return fail(l, l->pos, STR("expected :="));
        return single(l, TOK_DECLARE, 2);
    case '|': return single(l, TOK_PIPE, 1);
    case '"': return quoted(l, '"', TOK_STRING, "unterminated quoted string");
    case '`': return quoted(l, '`', TOK_RAW, "unterminated raw quoted string");
    case '\'': return quoted(l, '\'', TOK_CHAR_CONST, "unterminated character constant");
    case '(': l->parens++; return single(l, TOK_LPAREN, 1);
    case ')':
        if (--l->parens < 0) return fail(l, l->pos, STR("unexpected right paren"));
        return single(l, TOK_RPAREN, 1);
    case '$': l->pos++; return name(l, l->pos - 1, TOK_VARIABLE);
    case '.':
        if (is_digit(at(l, l->pos + 1))) return number(l);
        l->pos++;
        return name(l, l->pos - 1, TOK_FIELD);
    default: break;
    }
    if (c == '+' || c == '-' || is_digit(c)) return number(l);
    if (alnum(l, l->pos)) return name(l, l->pos, TOK_IDENT);
    if (c > ' ' && c < 0x7f) return single(l, TOK_CHAR, 1);
    return fail_rune(l, l->pos, l->pos, "unrecognized character in action:");
}

static bool action(struct lexer *l)
{
    size_t from = l->pos;
    l->pos += 2;
    size_t marker = at(l, l->pos) == '-' && is_space(at(l, l->pos + 1)) ? 2 : 0;
    if (looking(l, l->pos + marker, "/*")) {
        l->pos += marker;
        return comment(l, from);
    }
    emit(l, TOK_LEFT, from);
    for (size_t i = 0; i < marker; i++) {
        if (at(l, l->pos++) == '\n') l->line++;
    }
    l->parens = 0;
    while (!right_at(l, l->pos)) {
        if (!inside(l)) return false;
    }
    if (l->parens) return fail(l, l->pos, STR("unclosed left paren"));
    close_delim(l);
    return true;
}

void tmpl_lex(struct arena *a, struct str text, struct tokens *out)
{
    struct lexer l = { .a = a, .in = text, .line = 1, .out = out };
    while (l.pos < text.n) {
        size_t from = l.pos;
        size_t delim = str_find(str_from(text, from), STR("{{"));
        size_t end = delim == STR_NONE ? text.n : from + delim;
        size_t cut = end;
        if (end < text.n && at(&l, end + 2) == '-' && is_space(at(&l, end + 3))) {
            while (cut > from && is_space(at(&l, cut - 1))) cut--;
        }
        l.pos = cut;
        if (cut > from) emit(&l, TOK_TEXT, from);
        for (; l.pos < end; l.pos++) {
            if (at(&l, l.pos) == '\n') l.line++;
        }
        if (end < text.n && !action(&l)) return;
    }
    *vec_push(a, out) = (struct token){ TOK_EOF, (uint32_t)text.n, l.line, STR("") };
}
