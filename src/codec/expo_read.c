/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expo_read.c - what both page formats have in common: tokens, labels, numbers, error texts
 *
 * Both are read by a lexer that knows where in an entry it is and a parser of one entry. The lexer stops where the
 * original's generated automaton stops, because error texts show that place; there is no going back to a shorter match.
 */
#include "codec/expo_read.h"

#include "base/assert.h"
#include "base/utf8.h"
#include "codec/expo_priv.h"
#include "codec/goquote.h"
#include "codec/num.h"

#include <math.h>
#include <stdlib.h>

static const char *const TOKENS[TK_MAX_] = {
    "INVALID", "EOF",    "LINEBREAK", "WHITESPACE", "HELP",      "TYPE",  "UNIT",
    "EOFWORD", "TEXT",   "COMMENT",   "MNAME",      "QSTRING",   "BOPEN", "BCLOSE",
    "LNAME",   "LVALUE", "COMMA",     "EQUAL",      "TIMESTAMP", "VALUE",
};
static const char *const TYPES[EXPO_TYPE_MAX_] = {
    "unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset",
};

const char *expo_token_name(enum expo_token t) { return TOKENS[t]; }
const char *expo_type_name(enum expo_type t) { return TYPES[t]; }

/* --- reader --- */

void expo_reader_init(struct expo_reader *r, enum expo_format format)
{
    *r = (struct expo_reader){ .format = format, .line = 1 };
}

void expo_reader_done(struct expo_reader *r)
{
    free(r->spans);
    r->spans = NULL;
    r->spans_n = r->spans_cap = 0;
}

void expo_reader_reset(struct expo_reader *r, enum expo_format format)
{
    *r = (struct expo_reader){
        .format = format, .line = 1, .spans = r->spans, .spans_cap = r->spans_cap
    };
}

static unsigned lines_in(struct str s)
{
    unsigned n = 0;
    for (const char *p = s.p, *end = s.p + s.n; p < end; p++) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (!p) break;
        n++;
    }
    return n;
}

enum err expo_next(struct expo_reader *r, struct expo_entry *out, struct diag *d)
{
    unsigned state = r->state;
    enum expo_type type = r->type;
    r->i = r->start = r->entry = r->at;
    r->touched_end = false;
    r->spans_n = 0;
    enum err e = r->format == EXPO_TEXT ? expo_text_entry(r, out, d) : expo_om_entry(r, out, d);
    if (r->touched_end && !r->final) { /* whatever it was, more bytes may make it something else */
        r->state = state;
        r->type = type;
        return ERR_SHORT;
    }
    if (e == ERR_SYNTAX && d) {
        d->line = r->line + lines_in(str_make(r->in.p + r->at, r->start - r->at));
        d->col = 0;
    }
    if (e != OK) return e;
    r->line += lines_in(str_make(r->in.p + r->at, r->i - r->at));
    r->at = r->i;
    return OK;
}

/* --- error texts --- */

enum { SHOWN_MAX = 300 }; /* bytes of a page in an error text */

static void quote_part(struct buf *b, const struct expo_reader *r, size_t from, size_t to)
{
    size_t end = to < r->in.n ? to : r->in.n;
    go_quote(b, str_first(str_make(r->in.p + from, end - from), SHOWN_MAX));
}

enum err expo_unexpected(const struct expo_reader *r, const char *what, enum expo_token got,
                         struct diag *d)
{
    if (!d) return ERR_SYNTAX;
    BUF(b, 8192);
    buf_fmt(&b, "%s, got ", what);
    quote_part(&b, r, r->start, r->i + 1);
    buf_fmt(&b, " (\"%s\") while parsing: ", TOKENS[got]);
    quote_part(&b, r, r->entry, r->i + 1);
    return diag_set(d, ERR_SYNTAX, STR_FMT, STR_ARG(buf_str(&b)));
}

enum err expo_parsing(const struct expo_reader *r, const char *what, struct diag *d)
{
    if (!d) return ERR_SYNTAX;
    BUF(b, 8192);
    buf_fmt(&b, "%s while parsing: ", what);
    quote_part(&b, r, r->entry, r->i);
    return diag_set(d, ERR_SYNTAX, STR_FMT, STR_ARG(buf_str(&b)));
}

/* --- scanners --- */

bool expo_is_name_start(int c, bool colon)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colon && c == ':');
}

enum expo_token expo_lex_name(struct expo_reader *r, bool colon, enum expo_token t)
{
    for (r->i++;; r->i++) {
        int c = expo_peek(r, r->i);
        if (!expo_is_name_start(c, colon) && !(c >= '0' && c <= '9')) return t;
    }
}

enum expo_token expo_lex_quoted(struct expo_reader *r, bool nul_ok, bool lf_ok, enum expo_token t)
{
    for (r->i++;; r->i++) {
        int c = expo_peek(r, r->i);
        if (c == '"') {
            r->i++;
            return t;
        }
        if (c == '\\') {
            do {
                c = expo_peek(r, ++r->i);
            } while (c == 0 && nul_ok);
            if (c == '\n') return TK_INVALID; /* a dot of the grammar is no line feed */
        }
        if (c < 0 || (c == 0 && !nul_ok) || (c == '\n' && !lf_ok)) return TK_INVALID;
    }
}

enum expo_token expo_lex_one(struct expo_reader *r, enum expo_state next, enum expo_token t)
{
    r->i++;
    r->state = next;
    return t;
}

enum expo_token expo_lex_series(struct expo_reader *r, int c)
{
    if (c == '{') return expo_lex_one(r, ST_LABELS, TK_BOPEN);
    if (!expo_is_name_start(c, true)) return TK_INVALID;
    r->state = ST_VALUE;
    return expo_lex_name(r, true, TK_MNAME);
}

enum expo_token expo_lex_meta_name(struct expo_reader *r, int c)
{
    enum expo_token t = TK_INVALID;
    if (c == '"') t = expo_lex_quoted(r, false, true, TK_MNAME);
    if (expo_is_name_start(c, true)) t = expo_lex_name(r, true, TK_MNAME);
    if (t == TK_MNAME) r->state = ST_META2;
    return t;
}

enum expo_token expo_lex_labels(struct expo_reader *r, int c)
{
    if (c == '}') return expo_lex_one(r, ST_VALUE, TK_BCLOSE);
    if (c == '=') return expo_lex_one(r, ST_LVALUE, TK_EQUAL);
    if (c == ',') return expo_lex_one(r, ST_LABELS, TK_COMMA);
    if (c == '"') return expo_lex_quoted(r, false, true, TK_QSTRING);
    return expo_is_name_start(c, false) ? expo_lex_name(r, false, TK_LNAME) : TK_INVALID;
}

struct expo_span *expo_span_push(struct expo_reader *r)
{
    if (r->spans_n == r->spans_cap) {
        size_t cap = r->spans_cap ? 2 * r->spans_cap : 16;
        struct expo_span *grown = realloc(r->spans, cap * sizeof(*grown));
        ASSERT(grown);
        r->spans = grown;
        r->spans_cap = cap;
    }
    return &r->spans[r->spans_n++];
}

struct str expo_unquoted(struct str s)
{
    if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"') return str_make(s.p + 1, s.n - 2);
    return s;
}

/* --- values --- */

static bool odd_char(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == 'p' || s.p[i] == 'P' || s.p[i] == '_') return true;
    }
    return false;
}

enum err expo_float(const struct expo_reader *r, struct str s, double *out, struct diag *d)
{
    double v;
    if (odd_char(s)) return expo_parsing(r, "unsupported character in float", d);
    enum err e = num_parse_f64(s, &v);
    if (e != OK) {
        struct diag why;
        (void)diag_quoted(&why, e, "strconv.ParseFloat: parsing ", str_first(s, SHOWN_MAX),
                          e == ERR_RANGE ? ": value out of range" : ": invalid syntax");
        return expo_parsing(r, why.text, d);
    }
    *out = isnan(v) ? (double)NAN : v;
    if (isnan(v)) {
        uint64_t one_form = UINT64_C(0x7ff8000000000001);
        memcpy(out, &one_form, sizeof(*out));
    }
    return OK;
}

bool expo_type_of(struct str s, bool openmetrics, enum expo_type *out)
{
    static const bool IN_TEXT[EXPO_TYPE_MAX_] = {
        [EXPO_COUNTER] = true, [EXPO_GAUGE] = true, [EXPO_HISTOGRAM] = true, [EXPO_SUMMARY] = true
    };
    if (!openmetrics && str_eq(s, STR("untyped"))) {
        *out = EXPO_UNKNOWN;
        return true;
    }
    for (size_t i = 0; i < EXPO_TYPE_MAX_; i++) {
        if (!(openmetrics || IN_TEXT[i]) || !str_eqc(s, TYPES[i])) continue;
        *out = (enum expo_type)i;
        return true;
    }
    return false;
}

enum err expo_check_help(struct str text, struct diag *d)
{
    if (utf8_valid(text)) return OK;
    return diag_quoted(d, ERR_SYNTAX, "help text ", str_first(text, SHOWN_MAX),
                       " is not a valid utf8 string");
}

/* --- labels --- */

typedef enum expo_token lexer(struct expo_reader *r);

/* One name="value"; t is the token behind the name, on return the one behind the value. */
static enum err read_pair(struct expo_reader *r, lexer *lex, struct str name, enum expo_token *t,
                          struct diag *d)
{
    if (*t != TK_EQUAL) return expo_unexpected(r, "expected equal", *t, d);
    *t = lex(r);
    if (*t != TK_LVALUE) return expo_unexpected(r, "expected label value", *t, d);
    struct str value = expo_lexeme(r);
    if (!utf8_valid(value)) {
        return diag_quoted(d, ERR_SYNTAX,
                           "invalid UTF-8 label value: ", str_first(value, SHOWN_MAX), "");
    }
    *expo_span_push(r) = (struct expo_span){ expo_unquoted(name), expo_unquoted(value) };
    *t = lex(r);
    return OK;
}

/* A quoted string alone between the braces names the metric. */
static enum err read_name(struct expo_reader *r, struct str quoted, struct str *name,
                          enum expo_token t, struct diag *d)
{
    if (!name) return expo_unexpected(r, "expected label name", t, d);
    if (name->p) return expo_parsing(r, "metric name already set", d);
    *name = expo_unquoted(quoted);
    return OK;
}

enum err expo_labels(struct expo_reader *r, lexer *lex, struct str *name, bool commas,
                     struct diag *d)
{
    enum expo_token t = lex(r);
    while (t != TK_BCLOSE) {
        struct str first = expo_lexeme(r);
        bool quoted = t == TK_QSTRING;
        if (!quoted && t != TK_LNAME) return expo_unexpected(r, "expected label name", t, d);
        t = lex(r);
        if (quoted && (t == TK_COMMA || t == TK_BCLOSE)) {
            TRY(read_name(r, first, name, t, d));
            if (t == TK_COMMA) t = lex(r);
            continue;
        }
        TRY(read_pair(r, lex, first, &t, d));
        if (t == TK_COMMA) {
            t = lex(r);
        } else if (commas && t != TK_BCLOSE) {
            return expo_unexpected(r, "expected comma or brace close", t, d);
        }
    }
    return OK;
}

/* --- escapes --- */

struct str expo_unescape(struct arena *a, struct str s, bool quotes)
{
    if (str_find_char(s, '\\') == STR_NONE) return s;
    char *to = arena_raw(a, s.n);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i], next = i + 1 < s.n ? s.p[i + 1] : '\0';
        if (c == '\\' && (next == '\\' || next == 'n' || (quotes && next == '"'))) {
            c = next == 'n' ? '\n' : next;
            i++;
        }
        to[n++] = c;
    }
    return str_make(to, n);
}

static bool is_bound(enum expo_type type, struct str name)
{
    return (type == EXPO_HISTOGRAM && str_eq(name, STR("le"))) ||
           (type == EXPO_SUMMARY && str_eq(name, STR("quantile")));
}

struct str expo_label_value(struct arena *a, enum expo_type type, struct str name, struct str raw)
{
    double v;
    struct str value = expo_unescape(a, raw, true);
    if (!is_bound(type, name) || num_parse_f64(value, &v) != OK) return value;
    BUF(b, 64);
    num_write_g(&b, v);
    struct str digits = buf_str(&b);
    bool whole = isfinite(v) && str_find_char(digits, 'e') == STR_NONE &&
                 str_find_char(digits, '.') == STR_NONE;
    if (whole) buf_putc(&b, ".0");
    return arena_dup(a, buf_str(&b));
}
