/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expo_om.c - one entry of OpenMetrics 1.0, as leniently as the original reads it
 *
 * One blank is a separator and part of the token behind it. What the original lets pass (missing types, values that
 * are no counters, text between value and line end that is found only by the next entry) passes here, too.
 * Source: Prometheus model/textparse; 211 verdicts in openmetrics-prometheus-verdicts.json.
 */
#include "codec/expo_priv.h"
#include "codec/goquote.h"
#include "codec/num.h"

#include <math.h>

/* Behind "# ": a keyword and what must follow it. Stops at the first byte that fits none. */
static enum expo_token lex_hash(struct expo_reader *r)
{
    static const struct {
        struct str word;
        enum expo_token t;
    } WORDS[] = {
        { { "HELP ", 5 }, TK_HELP },
        { { "TYPE ", 5 }, TK_TYPE },
        { { "UNIT ", 5 }, TK_UNIT },
        { { "EOF", 3 }, TK_EOFWORD },
    };
    if (expo_peek(r, ++r->i) != ' ') return TK_INVALID;
    size_t at = ++r->i;
    for (size_t w = 0; w < ARRAY_LEN(WORDS); w++) {
        size_t n = 0;
        while (n < WORDS[w].word.n && expo_peek(r, at + n) == WORDS[w].word.p[n]) {
            n++;
        }
        if (at + n > r->i) r->i = at + n;
        if (n < WORDS[w].word.n) continue;
        bool end = WORDS[w].t == TK_EOFWORD;
        if (end && expo_peek(r, r->i) == '\n') r->i++;
        r->state = end ? ST_INIT : ST_META1;
        return WORDS[w].t;
    }
    return TK_INVALID;
}

/* A blank, text, and the line feed that ends it. */
static enum expo_token lex_meta2(struct expo_reader *r, int c)
{
    if (c != ' ') return TK_INVALID;
    do {
        c = expo_peek(r, ++r->i);
    } while (c >= 0 && c != '\n');
    return c == '\n' ? expo_lex_one(r, ST_INIT, TK_TEXT) : TK_INVALID;
}

static enum expo_token lex_exemplar(struct expo_reader *r, int c)
{
    if (c == '}') return expo_lex_one(r, ST_EVALUE, TK_BCLOSE);
    if (c == '=') return expo_lex_one(r, ST_EVALUE, TK_EQUAL);
    if (c == ',') return expo_lex_one(r, ST_EXEMPLAR, TK_COMMA);
    if (c == '"') return expo_lex_quoted(r, false, false, TK_QSTRING);
    return expo_is_name_start(c, false) ? expo_lex_name(r, false, TK_LNAME) : TK_INVALID;
}

static enum expo_token lex_lvalue(struct expo_reader *r, bool exemplar)
{
    enum expo_token t = expo_lex_quoted(r, !exemplar, false, TK_LVALUE);
    if (t == TK_LVALUE) r->state = exemplar ? ST_EXEMPLAR : ST_LABELS;
    return t;
}

/* A blank and what goes up to the next blank or line feed. */
static enum expo_token lex_word(struct expo_reader *r, int c, enum expo_state next,
                                enum expo_token t)
{
    if (c != ' ') return TK_INVALID;
    size_t begin = ++r->i;
    for (c = expo_peek(r, r->i); c > 0 && c != ' ' && c != '\n'; c = expo_peek(r, r->i)) {
        r->i++;
    }
    if (r->i == begin) return TK_INVALID;
    r->state = next;
    return t;
}

/* " # {" opens an exemplar; " #" followed by anything but a blank is a (bad) timestamp. */
static enum expo_token lex_timestamp(struct expo_reader *r, int c)
{
    if (c == '\n') return expo_lex_one(r, ST_INIT, TK_LINEBREAK);
    if (c == ' ' && expo_peek(r, r->i + 1) == '#' && expo_peek(r, r->i + 2) == ' ') {
        r->i += 3;
        return expo_peek(r, r->i) == '{' ? expo_lex_one(r, ST_EXEMPLAR, TK_COMMENT) : TK_INVALID;
    }
    return lex_word(r, c, ST_TIMESTAMP, TK_TIMESTAMP);
}

enum expo_token expo_om_lex(struct expo_reader *r)
{
    int c = expo_peek(r, r->i);
    if (c < 0) return TK_EOF;
    r->start = r->i;
    switch ((enum expo_state)r->state) {
    case ST_INIT: return c == '#' ? lex_hash(r) : expo_lex_series(r, c);
    case ST_META1: return expo_lex_meta_name(r, c);
    case ST_META2: return lex_meta2(r, c);
    case ST_LABELS: return expo_lex_labels(r, c);
    case ST_LVALUE: return c == '"' ? lex_lvalue(r, false) : TK_INVALID;
    case ST_VALUE:
        if (c == '{') return expo_lex_one(r, ST_LABELS, TK_BOPEN);
        return lex_word(r, c, ST_TIMESTAMP, TK_VALUE);
    case ST_TIMESTAMP: return lex_timestamp(r, c);
    case ST_EXEMPLAR: return lex_exemplar(r, c);
    case ST_EVALUE: return c == '"' ? lex_lvalue(r, true) : lex_word(r, c, ST_ETIMESTAMP, TK_VALUE);
    case ST_ETIMESTAMP:
        if (c == '\n') return expo_lex_one(r, ST_INIT, TK_LINEBREAK);
        return lex_word(r, c, ST_ETIMESTAMP, TK_TIMESTAMP);
    }
    return TK_INVALID;
}

/* --- entries --- */

static enum err check_unit(const struct expo_entry *e, struct diag *d)
{
    struct str unit = e->text, name = e->name;
    if (!unit.n) return OK;
    if (str_ends(name, unit) && name.n > unit.n && name.p[name.n - unit.n - 1] == '_') return OK;
    struct diag head;
    (void)diag_quoted(&head, ERR_SYNTAX, "unit ", str_first(unit, 200), " not a suffix of metric ");
    return diag_quoted(d, ERR_SYNTAX, head.text, str_first(name, 200), "");
}

static enum err read_meta(struct expo_reader *r, enum expo_token what, struct expo_entry *out,
                          struct diag *d)
{
    enum expo_token t = expo_om_lex(r);
    if (t != TK_MNAME) {
        return expo_unexpected(r,
                               what == TK_HELP   ? "expected metric name after HELP"
                               : what == TK_TYPE ? "expected metric name after TYPE"
                                                 : "expected metric name after UNIT",
                               t, d);
    }
    out->name = expo_unquoted(expo_lexeme(r));
    if (expo_om_lex(r) != TK_TEXT) {
        return diag_set(d, ERR_SYNTAX, "expected text in %s", expo_token_name(what));
    }
    struct str text = expo_lexeme(r);
    out->text = str_make(text.p + 1, text.n - 2);
    out->kind = what == TK_HELP ? EXPO_HELP : what == TK_TYPE ? EXPO_TYPE : EXPO_UNIT;
    if (what == TK_TYPE && !expo_type_of(out->text, true, &r->type)) {
        return diag_quoted(d, ERR_SYNTAX, "invalid metric type ", str_first(out->text, 300), "");
    }
    out->type = r->type;
    if (what == TK_HELP) return expo_check_help(out->text, d);
    return what == TK_UNIT ? check_unit(out, d) : OK;
}

static enum err no_eof(struct diag *d)
{
    return diag_set(d, ERR_SYNTAX, "data does not end with # EOF");
}

static enum err read_float(struct expo_reader *r, enum expo_token t, const char *expected,
                           double *out, struct diag *d)
{
    if (t != TK_VALUE) return expo_unexpected(r, expected, t, d);
    return expo_float(r, str_from(expo_lexeme(r), 1), out, d);
}

/* Seconds with a fraction to milliseconds; "NaN", "+Inf" as Go's %f prints them. */
static enum err read_time(struct expo_reader *r, const char *what, int64_t *ms, struct diag *d)
{
    double seconds;
    TRY(expo_float(r, str_from(expo_lexeme(r), 1), &seconds, d));
    if (!isfinite(seconds)) {
        return diag_set(d, ERR_SYNTAX, "invalid %s %s", what,
                        isnan(seconds) ? "NaN"
                        : seconds > 0  ? "+Inf"
                                       : "-Inf");
    }
    double scaled = seconds * 1000;
    *ms = scaled >= 0x1p63 ? INT64_MAX : scaled <= -0x1p63 ? INT64_MIN : (int64_t)scaled;
    return OK;
}

static enum err read_exemplar(struct expo_reader *r, struct expo_entry *out, struct diag *d)
{
    size_t before = r->spans_n;
    TRY(expo_labels(r, expo_om_lex, NULL, true, d));
    out->exemplar_labels_n = r->spans_n - before;
    TRY(read_float(r, expo_om_lex(r), "expected value after exemplar labels", &out->exemplar_value,
                   d));
    out->has_exemplar = true;
    enum expo_token t = expo_om_lex(r);
    if (t == TK_LINEBREAK) return OK;
    if (t == TK_EOF) return no_eof(d);
    if (t != TK_TIMESTAMP) return expo_unexpected(r, "expected timestamp or comment", t, d);
    TRY(read_time(r, "exemplar timestamp", &out->exemplar_t, d));
    out->exemplar_has_t = true;
    t = expo_om_lex(r);
    if (t == TK_LINEBREAK) return OK;
    return expo_unexpected(r, "expected next entry after exemplar timestamp", t, d);
}

static enum err read_timestamp(struct expo_reader *r, struct expo_entry *out, struct diag *d)
{
    TRY(read_time(r, "timestamp", &out->t, d));
    out->has_t = true;
    enum expo_token t = expo_om_lex(r);
    if (t == TK_LINEBREAK) return OK;
    if (t == TK_COMMENT) return read_exemplar(r, out, d);
    return expo_unexpected(r, "expected next entry after timestamp", t, d);
}

/* Anything else behind the value is left to the next entry, whose error it becomes: so does the original. */
static enum err read_suffix(struct expo_reader *r, enum expo_token t, struct expo_entry *out,
                            struct diag *d)
{
    if (!out->name.p) return expo_parsing(r, "metric name not set", d);
    TRY(read_float(r, t, "expected value after metric", &out->value, d));
    out->kind = EXPO_SERIES;
    out->type = r->type;
    out->labels_n = r->spans_n;
    t = expo_om_lex(r);
    if (t == TK_EOF) return no_eof(d);
    if (t == TK_COMMENT) TRY(read_exemplar(r, out, d));
    if (t == TK_TIMESTAMP) TRY(read_timestamp(r, out, d));
    out->labels = r->spans;
    out->exemplar_labels = r->spans ? r->spans + out->labels_n : NULL;
    return OK;
}

static enum err read_series(struct expo_reader *r, enum expo_token t, struct expo_entry *out,
                            struct diag *d)
{
    size_t begin = r->start;
    if (t == TK_MNAME) {
        out->name = expo_lexeme(r);
        out->series = out->name;
        t = expo_om_lex(r);
    }
    if (t == TK_BOPEN) {
        TRY(expo_labels(r, expo_om_lex, &out->name, true, d));
        out->series = str_make(r->in.p + begin, r->i - begin);
        t = expo_om_lex(r);
    }
    return read_suffix(r, t, out, d);
}

static enum err read_eof(struct expo_reader *r, struct diag *d)
{
    if (expo_om_lex(r) == TK_EOF) return ERR_EOF;
    return diag_set(d, ERR_SYNTAX, "unexpected data after # EOF");
}

enum err expo_om_entry(struct expo_reader *r, struct expo_entry *out, struct diag *d)
{
    *out = (struct expo_entry){ 0 };
    enum expo_token t = expo_om_lex(r);
    if (t == TK_EOFWORD) return read_eof(r, d);
    if (t == TK_EOF) return no_eof(d);
    if (t == TK_HELP || t == TK_TYPE || t == TK_UNIT) return read_meta(r, t, out, d);
    if (t == TK_MNAME || t == TK_BOPEN) return read_series(r, t, out, d);
    return expo_unexpected(r, "expected a valid start token", t, d);
}
