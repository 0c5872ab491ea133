/* SPDX-License-Identifier: Apache-2.0 */
#include "promql/lex.h"

#include "base/attr.h"
#include "base/utf8.h"
#include "model/labels.h"

enum { END = -1 };

static const struct spelling {
    const char *name, *text;
} SPELLINGS[TOK_MAX_] = {
    [TOK_ERROR] = { "ERROR", "" },
    [TOK_EOF] = { "EOF", "" },
    [TOK_IDENT] = { "IDENTIFIER", "" },
    [TOK_METRIC] = { "METRIC_IDENTIFIER", "" },
    [TOK_STRING] = { "STRING", "" },
    [TOK_NUMBER] = { "NUMBER", "" },
    [TOK_DURATION] = { "DURATION", "" },
    [TOK_LPAREN] = { "LEFT_PAREN", "(" },
    [TOK_RPAREN] = { "RIGHT_PAREN", ")" },
    [TOK_LBRACE] = { "LEFT_BRACE", "{" },
    [TOK_RBRACE] = { "RIGHT_BRACE", "}" },
    [TOK_LBRACKET] = { "LEFT_BRACKET", "[" },
    [TOK_RBRACKET] = { "RIGHT_BRACKET", "]" },
    [TOK_COMMA] = { "COMMA", "," },
    [TOK_COLON] = { "COLON", ":" },
    [TOK_EQL] = { "EQL", "=" },
    [TOK_ADD] = { "ADD", "+" },
    [TOK_SUB] = { "SUB", "-" },
    [TOK_MUL] = { "MUL", "*" },
    [TOK_DIV] = { "DIV", "/" },
    [TOK_MOD] = { "MOD", "%" },
    [TOK_POW] = { "POW", "^" },
    [TOK_ATAN2] = { "ATAN2", "atan2" },
    [TOK_EQLC] = { "EQLC", "==" },
    [TOK_NEQ] = { "NEQ", "!=" },
    [TOK_LTE] = { "LTE", "<=" },
    [TOK_LSS] = { "LSS", "<" },
    [TOK_GTE] = { "GTE", ">=" },
    [TOK_GTR] = { "GTR", ">" },
    [TOK_TRIM_UPPER] = { "TRIM_UPPER", "</" },
    [TOK_TRIM_LOWER] = { "TRIM_LOWER", ">/" },
    [TOK_EQL_REGEX] = { "EQL_REGEX", "=~" },
    [TOK_NEQ_REGEX] = { "NEQ_REGEX", "!~" },
    [TOK_AND] = { "LAND", "and" },
    [TOK_OR] = { "LOR", "or" },
    [TOK_UNLESS] = { "LUNLESS", "unless" },
    [TOK_AT] = { "AT", "@" },
    [TOK_AVG] = { "AVG", "avg" },
    [TOK_BOTTOMK] = { "BOTTOMK", "bottomk" },
    [TOK_COUNT] = { "COUNT", "count" },
    [TOK_COUNT_VALUES] = { "COUNT_VALUES", "count_values" },
    [TOK_GROUP] = { "GROUP", "group" },
    [TOK_LIMITK] = { "LIMITK", "limitk" },
    [TOK_LIMIT_RATIO] = { "LIMIT_RATIO", "limit_ratio" },
    [TOK_MAX] = { "MAX", "max" },
    [TOK_MIN] = { "MIN", "min" },
    [TOK_QUANTILE] = { "QUANTILE", "quantile" },
    [TOK_STDDEV] = { "STDDEV", "stddev" },
    [TOK_STDVAR] = { "STDVAR", "stdvar" },
    [TOK_SUM] = { "SUM", "sum" },
    [TOK_TOPK] = { "TOPK", "topk" },
    [TOK_ANCHORED] = { "ANCHORED", "anchored" },
    [TOK_BOOL] = { "BOOL", "bool" },
    [TOK_BY] = { "BY", "by" },
    [TOK_FILL] = { "FILL", "fill" },
    [TOK_FILL_LEFT] = { "FILL_LEFT", "fill_left" },
    [TOK_FILL_RIGHT] = { "FILL_RIGHT", "fill_right" },
    [TOK_GROUP_LEFT] = { "GROUP_LEFT", "group_left" },
    [TOK_GROUP_RIGHT] = { "GROUP_RIGHT", "group_right" },
    [TOK_IGNORING] = { "IGNORING", "ignoring" },
    [TOK_OFFSET] = { "OFFSET", "offset" },
    [TOK_ON] = { "ON", "on" },
    [TOK_SMOOTHED] = { "SMOOTHED", "smoothed" },
    [TOK_WITHOUT] = { "WITHOUT", "without" },
    [TOK_START] = { "START", "start" },
    [TOK_END] = { "END", "end" },
    [TOK_STEP] = { "STEP", "step" },
    [TOK_RANGE] = { "RANGE", "range" },
    [TOK_MIN_OF] = { "MIN_OF", "min_of" },
    [TOK_MAX_OF] = { "MAX_OF", "max_of" },
};

const char *token_text(enum token_kind k) { return SPELLINGS[k].text ? SPELLINGS[k].text : ""; }
const char *token_name(enum token_kind k) { return SPELLINGS[k].name ? SPELLINGS[k].name : ""; }

enum token_kind token_of_word(struct str word)
{
    for (enum token_kind k = TOK_ADD; k < TOK_MAX_; k++) {
        const char *text = SPELLINGS[k].text;
        if (text && *text >= 'a' && str_ieq(word, str_c(text))) return k;
    }
    if (str_ieq(word, STR("inf")) || str_ieq(word, STR("nan"))) return TOK_NUMBER;
    return TOK_IDENT;
}

static bool is_space(int c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
static bool is_digit(int c) { return c >= '0' && c <= '9'; }
static bool is_alpha(int c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_word(int c) { return is_alpha(c) || is_digit(c); }
static bool is_hex(int c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

void lexer_init(struct lexer *l, struct arena *a, struct str in)
{
    *l = (struct lexer){ .a = a, .in = in };
}

static int byte_at(const struct lexer *l, size_t at)
{
    return at < l->in.n ? (unsigned char)l->in.p[at] : END;
}
static int peek(const struct lexer *l) { return byte_at(l, l->at); }

static bool accept(struct lexer *l, const char *set)
{
    int c = peek(l);
    if (c <= 0 || !strchr(set, c)) return false;
    l->at++;
    return true;
}

static uint32_t next_rune(struct lexer *l)
{
    struct str rest = str_from(l->in, l->at);
    size_t before = rest.n;
    uint32_t rune = utf8_next(&rest);
    l->at += before - rest.n;
    return rune;
}

static struct token emit(struct lexer *l, enum token_kind kind)
{
    struct token t = { kind, str_make(l->in.p + l->start, l->at - l->start), l->start };
    l->start = l->at;
    return t;
}

static struct token fail(struct lexer *l, struct str text)
{
    l->failed = true;
    return (struct token){ TOK_ERROR, text, l->start };
}

/* "WHAT 'r'" of the rune at byte `at`. */
static struct token fail_rune(struct lexer *l, const char *what, size_t at)
{
    struct str rest = str_from(l->in, at);
    /* Go's lexer reads -1 at the end, which %q shows as the replacement character */
    uint32_t rune = rest.n ? utf8_next(&rest) : UTF8_BAD;
    struct str q = rune_quoted(l->a, rune);
    return fail(l, arena_fmt(l->a, "%s" STR_FMT, what, STR_ARG(q)));
}

struct str rune_quoted(struct arena *a, uint32_t rune)
{
    static const char ESCAPES[] = "\aa\bb\ff\nn\rr\tt\vv\\\\''";
    for (const char *e = ESCAPES; rune < 0x80 && *e; e += 2) {
        if ((uint32_t)*e == rune) return arena_fmt(a, "'\\%c'", e[1]);
    }
    if (rune < 0x20 || rune == 0x7f) return arena_fmt(a, "'\\x%02x'", rune);
    BUF(b, 16);
    utf8_put(&b, rune);
    return arena_fmt(a, "'" STR_FMT "'", STR_ARG(buf_str(&b)));
}

/* Go's %#U. */
static struct str rune_named(struct arena *a, uint32_t rune)
{
    if (rune < 0x20 || rune == 0x7f) return arena_fmt(a, "U+%04X", rune);
    BUF(b, 16);
    utf8_put(&b, rune);
    return arena_fmt(a, "U+%04X '" STR_FMT "'", rune, STR_ARG(buf_str(&b)));
}

/* ---- strings ---- */

static int digit_value(uint32_t c)
{
    if (c >= '0' && c <= '9') return (int)(c - '0');
    if (c >= 'a' && c <= 'f') return (int)(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return (int)(c - 'A' + 10);
    return 16;
}

/* The digits of \101 \x41 \u1234 \U00010111; l->at is at the first. False: *out is the error. */
static bool escape_digits(struct lexer *l, int n, int base, uint32_t max, struct token *out)
{
    uint32_t x = 0;
    for (; n > 0; n--) {
        if (peek(l) == END) {
            *out = fail(l, STR("escape sequence not terminated"));
            return false;
        }
        uint32_t c = next_rune(l);
        int d = digit_value(c);
        if (d >= base) {
            struct str named = rune_named(l->a, c);
            *out = fail(l, arena_fmt(l->a, "illegal character " STR_FMT " in escape sequence",
                                     STR_ARG(named)));
            return false;
        }
        x = x * (uint32_t)base + (uint32_t)d;
    }
    if (x <= max && !(x >= 0xd800 && x < 0xe000)) return true;
    *out = fail(l, STR("escape sequence is an invalid Unicode code point"));
    return false;
}

static bool escape(struct lexer *l, char quote, struct token *out)
{
    if (peek(l) == END) {
        *out = fail(l, STR("escape sequence not terminated"));
        return false;
    }
    uint32_t c = next_rune(l);
    if (c == (uint32_t)quote || (c < 0x80 && c && strchr("abfnrtv\\", (int)c))) return true;
    if (c >= '0' && c <= '7') {
        l->at--;
        return escape_digits(l, 3, 8, 255, out);
    }
    if (c == 'x') return escape_digits(l, 2, 16, 255, out);
    if (c == 'u') return escape_digits(l, 4, 16, 0x10ffff, out);
    if (c == 'U') return escape_digits(l, 8, 16, 0x10ffff, out);
    struct str named = rune_named(l->a, c);
    *out = fail(l, arena_fmt(l->a, "unknown escape sequence " STR_FMT, STR_ARG(named)));
    return false;
}

static struct token lex_string(struct lexer *l, char quote)
{
    struct token t;
    for (;;) {
        int c = peek(l);
        if (c == END || c == '\n') return fail(l, STR("unterminated quoted string"));
        uint32_t rune = next_rune(l);
        if (rune == UTF8_BAD) return fail(l, STR("invalid UTF-8 rune"));
        if (rune == '\\' && !escape(l, quote, &t)) return t;
        if (rune == (uint32_t)quote) return emit(l, TOK_STRING);
    }
}

static struct token lex_raw_string(struct lexer *l)
{
    for (;;) {
        if (peek(l) == END) return fail(l, STR("unterminated raw string"));
        uint32_t rune = next_rune(l);
        if (rune == UTF8_BAD) return fail(l, STR("invalid UTF-8 rune"));
        if (rune == '`') return emit(l, TOK_STRING);
    }
}

/* ---- numbers and durations ---- */

/* May c follow prev inside a number? prev 0: nothing yet; '0' stands for any digit, 'e' for e E and its sign. */
static bool number_may_follow(int prev, int c, bool hex, bool dot, bool exponent)
{
    if (c == '.') return !hex && !dot && !exponent && prev != '_' && prev != 'e';
    if (c == '_') return prev == '0' || (hex && prev == 'x');
    return !exponent && (prev == '0' || prev == '.'); /* e E */
}

/* True: a number was read up to l->at. False: l->at is behind what was looked at, for the message. */
static bool scan_number(struct lexer *l)
{
    bool hex = peek(l) == '0' && (byte_at(l, l->at + 1) | 0x20) == 'x';
    bool dot = false, exponent = false;
    int prev = hex ? 'x' : 0;
    if (hex) l->at += 2;
    for (;; l->at++) {
        int c = peek(l);
        if (hex ? is_hex(c) : is_digit(c)) {
            prev = '0';
            continue;
        }
        bool mark = c == '.' || c == '_' || (!hex && (c == 'e' || c == 'E'));
        bool sign = c == '+' || c == '-';
        if (prev == 'e' && sign && (byte_at(l, l->at - 1) | 0x20) == 'e') continue;
        if (!mark && prev == 'e' && is_alpha(c)) return false;
        if (!mark) break;
        if (!number_may_follow(prev, c, hex, dot, exponent)) {
            l->at++;
            return false;
        }
        dot |= c == '.';
        exponent |= c == 'e' || c == 'E';
        prev = c == '.' || c == '_' ? c : 'e';
    }
    return (prev == '0' || prev == '.') && !is_word(peek(l));
}

/* After digits: units, each after more digits; "ms" is m and s. Wrong units are the parser's to tell. */
static bool scan_units(struct lexer *l)
{
    if (!accept(l, "smhdwy")) return false;
    (void)accept(l, "s");
    while (accept(l, "0123456789")) {
        while (accept(l, "0123456789")) {
        }
        if (!accept(l, "smhdw")) return false;
        (void)accept(l, "s");
    }
    if (!is_word(peek(l))) return true;
    l->at++;
    return false;
}

static struct token lex_number(struct lexer *l)
{
    if (scan_number(l)) return emit(l, TOK_NUMBER);
    if (scan_units(l)) return emit(l, TOK_DURATION);
    struct str text = str_make(l->in.p + l->start, l->at - l->start);
    return fail(l,
                arena_fmt(l->a, "bad number or duration syntax: \"" STR_FMT "\"", STR_ARG(text)));
}

static bool starts_number(const struct lexer *l)
{
    return is_digit(peek(l)) || (peek(l) == '.' && is_digit(byte_at(l, l->at + 1)));
}

/* ---- words ---- */

static bool followed_by_paren(const struct lexer *l)
{
    size_t at = l->at;
    while (is_space(byte_at(l, at))) at++;
    return byte_at(l, at) == '(';
}

static struct token lex_word(struct lexer *l)
{
    bool colon = false;
    for (int c = peek(l); is_word(c) || c == ':'; c = peek(l)) {
        colon |= c == ':';
        l->at++;
    }
    if (colon) return emit(l, TOK_METRIC);
    enum token_kind k = token_of_word(str_make(l->in.p + l->start, l->at - l->start));
    bool wants_paren = k == TOK_FILL || k == TOK_FILL_LEFT || k == TOK_FILL_RIGHT;
    if (wants_paren && !followed_by_paren(l)) k = TOK_IDENT;
    return emit(l, k);
}

/* step, range, min_of, max_of: the only words inside brackets. */
static bool lex_duration_word(struct lexer *l, struct token *out)
{
    size_t end = l->at;
    while (is_alpha(byte_at(l, end))) end++;
    enum token_kind k = token_of_word(str_make(l->in.p + l->at, end - l->at));
    if (k != TOK_STEP && k != TOK_RANGE && k != TOK_MIN_OF && k != TOK_MAX_OF) return false;
    l->at = end;
    *out = emit(l, k);
    return true;
}

/* ---- the three token sets ---- */

static struct token one(struct lexer *l, enum token_kind k)
{
    l->at++;
    return emit(l, k);
}
static struct token two(struct lexer *l, enum token_kind k)
{
    l->at += 2;
    return emit(l, k);
}

static struct token lex_parens(struct lexer *l, int c)
{
    l->parens += c == '(' ? 1 : -1;
    if (l->parens >= 0) return one(l, c == '(' ? TOK_LPAREN : TOK_RPAREN);
    l->start = ++l->at; /* the original puts the place behind it */
    return fail(l, STR("unexpected right parenthesis ')'"));
}

static struct token lex_in_braces(struct lexer *l)
{
    int c = peek(l), after = byte_at(l, l->at + 1);
    if (is_alpha(c)) {
        while (is_word(peek(l))) l->at++;
        return emit(l, TOK_IDENT);
    }
    switch (c) {
    case END: return fail(l, STR("unexpected end of input inside braces"));
    case ',': return one(l, TOK_COMMA);
    case '"':
    case '\'': l->at++; return lex_string(l, (char)c);
    case '`': l->at++; return lex_raw_string(l);
    case '=': return after == '~' ? two(l, TOK_EQL_REGEX) : one(l, TOK_EQL);
    case '!':
        if (after == '~') return two(l, TOK_NEQ_REGEX);
        if (after == '=') return two(l, TOK_NEQ);
        return fail_rune(l, "unexpected character after '!' inside braces: ", l->at + 1);
    case '{': return fail(l, STR("unexpected left brace '{'"));
    case '}': l->braces = false; return one(l, TOK_RBRACE);
    default: return fail_rune(l, "unexpected character inside braces: ", l->at);
    }
}

static struct token lex_colon(struct lexer *l)
{
    if (l->colon) return fail(l, STR("unexpected colon ':'"));
    if (!l->duration) {
        l->start = ++l->at;
        return fail(l, STR("unexpected colon before duration in duration expression"));
    }
    l->colon = true;
    return one(l, TOK_COLON);
}

static const struct {
    char c;
    enum token_kind k;
} ARITHMETIC[] = { { '+', TOK_ADD }, { '-', TOK_SUB }, { '*', TOK_MUL },
                   { '/', TOK_DIV }, { '%', TOK_MOD }, { '^', TOK_POW } };

static bool lex_arithmetic(struct lexer *l, struct token *out)
{
    for (size_t i = 0; i < ARRAY_LEN(ARITHMETIC); i++) {
        if (ARITHMETIC[i].c != peek(l)) continue;
        *out = one(l, ARITHMETIC[i].k);
        return true;
    }
    return false;
}

static struct token lex_in_brackets(struct lexer *l)
{
    struct token t;
    int c = peek(l);
    if (lex_arithmetic(l, &t)) return t;
    if (starts_number(l)) {
        l->duration = true;
        return lex_number(l);
    }
    if (is_alpha(c)) {
        if (lex_duration_word(l, &t)) {
            l->duration = true;
            return t;
        }
        if (!l->duration) {
            return fail_rune(l, "unexpected character in duration expression: ", l->at);
        }
        struct str q = rune_quoted(l->a, (uint32_t)c);
        return fail(l,
                    arena_fmt(l->a, "unexpected character: " STR_FMT ", expected ':'", STR_ARG(q)));
    }
    switch (c) {
    case END:
        if (l->parens) return fail(l, STR("unclosed left parenthesis"));
        return fail(l, l->duration ? STR("unclosed left bracket")
                                   : STR("unexpected end of input in duration expression"));
    case '(':
    case ')': return lex_parens(l, c);
    case ',': return one(l, TOK_COMMA);
    case ':': return lex_colon(l);
    case ']': l->brackets = false; return one(l, TOK_RBRACKET);
    default: return fail_rune(l, "unexpected character in duration expression: ", l->at);
    }
}

static struct token lex_equals(struct lexer *l)
{
    int after = byte_at(l, l->at + 1);
    if (after == '=') return two(l, TOK_EQLC);
    if (after == '~') return fail(l, STR("unexpected character after '=': '~'"));
    return one(l, TOK_EQL);
}

static struct token lex_open(struct lexer *l, int c)
{
    if (c == '{') {
        l->braces = true;
        return one(l, TOK_LBRACE);
    }
    l->brackets = true;
    l->colon = l->duration = false;
    return one(l, TOK_LBRACKET);
}

static struct token lex_statement(struct lexer *l)
{
    struct token t;
    int c = peek(l), after = byte_at(l, l->at + 1);
    if (lex_arithmetic(l, &t)) return t;
    if (starts_number(l)) return lex_number(l);
    if (is_alpha(c) || c == ':') return lex_word(l);
    switch (c) {
    case END:
        if (l->parens) return fail(l, STR("unclosed left parenthesis"));
        return emit(l, TOK_EOF);
    case ',': return one(l, TOK_COMMA);
    case '=': return lex_equals(l);
    case '!':
        if (after == '=') return two(l, TOK_NEQ);
        return fail_rune(l, "unexpected character after '!': ", l->at + 1);
    case '<':
        if (after == '=') return two(l, TOK_LTE);
        return after == '/' ? two(l, TOK_TRIM_UPPER) : one(l, TOK_LSS);
    case '>':
        if (after == '=') return two(l, TOK_GTE);
        return after == '/' ? two(l, TOK_TRIM_LOWER) : one(l, TOK_GTR);
    case '"':
    case '\'': l->at++; return lex_string(l, (char)c);
    case '`': l->at++; return lex_raw_string(l);
    case '(':
    case ')': return lex_parens(l, c);
    case '{':
    case '[': return lex_open(l, c);
    case ']': return fail(l, STR("unexpected right bracket ']'"));
    case '@': return one(l, TOK_AT);
    default: return fail_rune(l, "unexpected character: ", l->at);
    }
}

static void skip_blanks(struct lexer *l)
{
    for (;;) {
        while (is_space(peek(l))) l->at++;
        if (peek(l) != '#') break;
        while (peek(l) != END && peek(l) != '\n') l->at++;
    }
    l->start = l->at;
}

struct token lexer_next(struct lexer *l)
{
    if (l->failed) return (struct token){ TOK_ERROR, STR(""), l->start };
    skip_blanks(l);
    if (l->braces) return lex_in_braces(l);
    if (l->brackets) return lex_in_brackets(l);
    return lex_statement(l);
}

/* Go's %.10q...: the first ten runes, quoted. */
static struct str quoted_head(struct arena *a, struct str s)
{
    struct str rest = s;
    for (int i = 0; i < 10 && rest.n; i++) (void)utf8_next(&rest);
    BUF(b, 0);
    str_write_quoted(&b, str_first(s, s.n - rest.n));
    buf_putc(&b, "...");
    return arena_dup(a, buf_str(&b));
}

static struct str quoted(struct arena *a, struct str s)
{
    BUF(b, 0);
    str_write_quoted(&b, s);
    return arena_dup(a, buf_str(&b));
}

struct str token_describe(struct arena *a, const struct token *t)
{
    static const char *const KINDS[] = {
        [TOK_IDENT] = "identifier", [TOK_METRIC] = "metric identifier", [TOK_STRING] = "string",
        [TOK_NUMBER] = "number",    [TOK_DURATION] = "duration",
    };
    if (t->kind == TOK_EOF) return STR("end of input");
    if (token_is_keyword(t->kind)) return arena_fmt(a, "<" STR_FMT ">", STR_ARG(t->text));
    if (token_is_operator(t->kind)) return arena_fmt(a, "<op:" STR_FMT ">", STR_ARG(t->text));
    if (token_is_aggregator(t->kind)) return arena_fmt(a, "<aggr:" STR_FMT ">", STR_ARG(t->text));
    bool name = t->kind == TOK_IDENT || t->kind == TOK_METRIC;
    struct str q = !name && t->text.n > 10 ? quoted_head(a, t->text) : quoted(a, t->text);
    if (t->kind >= ARRAY_LEN(KINDS) || !KINDS[t->kind]) return q;
    return arena_fmt(a, "%s " STR_FMT, KINDS[t->kind], STR_ARG(q));
}
