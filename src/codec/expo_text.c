/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expo_text.c - one entry of the text format
 *
 * Differs: a NUL at the start of a line is an error; the original takes it for the end of the page.
 *          Blanks before a metric's name are skipped; the original makes them part of the name.
 */
#include "codec/expo_priv.h"
#include "codec/goquote.h"
#include "codec/num.h"

static bool is_blank(int c) { return c == ' ' || c == '\t'; }

static void skip_blanks(struct expo_reader *r)
{
    while (is_blank(expo_peek(r, r->i))) {
        r->i++;
    }
}

static void skip_line(struct expo_reader *r)
{
    const char *nl = r->i < r->in.n ? memchr(r->in.p + r->i, '\n', r->in.n - r->i) : NULL;
    r->i = nl ? (size_t)(nl - r->in.p) : r->in.n;
    if (!nl) r->touched_end = true;
}

/* Behind "# ": HELP or TYPE with a blank behind it, else the line is a comment. */
static enum expo_token lex_hash(struct expo_reader *r)
{
    r->i++;
    if (is_blank(expo_peek(r, r->i))) {
        skip_blanks(r);
        struct str rest = str_from(r->in, r->i);
        bool help = str_starts(rest, STR("HELP")), type = str_starts(rest, STR("TYPE"));
        if (rest.n < 5) r->touched_end = true;
        if ((help || type) && rest.n > 4 && is_blank(rest.p[4])) {
            r->i += 4;
            skip_blanks(r);
            r->state = ST_META1;
            return help ? TK_HELP : TK_TYPE;
        }
    }
    skip_line(r);
    return TK_COMMENT;
}

static enum expo_token lex_lvalue(struct expo_reader *r, int c)
{
    if (c != '"') return TK_INVALID;
    enum expo_token t = expo_lex_quoted(r, true, true, TK_LVALUE);
    if (t == TK_LVALUE) r->state = ST_LABELS;
    return t;
}

static enum expo_token lex_value(struct expo_reader *r, int c)
{
    if (c == '{') return expo_lex_one(r, ST_LABELS, TK_BOPEN);
    if (c <= 0 || c == '\n') return TK_INVALID;
    do {
        c = expo_peek(r, ++r->i);
    } while (c > 0 && c != '{' && c != '\n' && !is_blank(c));
    r->state = ST_TIMESTAMP;
    return TK_VALUE;
}

static enum expo_token lex_timestamp(struct expo_reader *r, int c)
{
    if (c == '\n') return expo_lex_one(r, ST_INIT, TK_LINEBREAK);
    if (c < '0' || c > '9') return TK_INVALID;
    do {
        c = expo_peek(r, ++r->i);
    } while (c >= '0' && c <= '9');
    return TK_TIMESTAMP;
}

enum expo_token expo_text_lex(struct expo_reader *r)
{
    if (r->state != ST_META2) skip_blanks(r);
    int c = expo_peek(r, r->i);
    if (c < 0) return TK_EOF;
    r->start = r->i;
    switch ((enum expo_state)r->state) {
    case ST_INIT:
        if (c == '\n') return expo_lex_one(r, ST_INIT, TK_LINEBREAK);
        return c == '#' ? lex_hash(r) : expo_lex_series(r, c);
    case ST_META1: return expo_lex_meta_name(r, c);
    case ST_META2:
        skip_line(r);
        r->state = ST_INIT;
        return TK_TEXT;
    case ST_LABELS: return expo_lex_labels(r, c);
    case ST_LVALUE: return lex_lvalue(r, c);
    case ST_VALUE: return lex_value(r, c);
    case ST_TIMESTAMP: return lex_timestamp(r, c);
    case ST_EXEMPLAR:
    case ST_EVALUE:
    case ST_ETIMESTAMP: break;
    }
    return TK_INVALID;
}

/* --- entries --- */

static bool only_blanks(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is_blank(s.p[i])) return false;
    }
    return true;
}

static enum err read_meta(struct expo_reader *r, enum expo_token what, struct expo_entry *out,
                          struct diag *d)
{
    bool help = what == TK_HELP;
    enum expo_token t = expo_text_lex(r);
    if (t != TK_MNAME) {
        return expo_unexpected(
            r, help ? "expected metric name after HELP" : "expected metric name after TYPE", t, d);
    }
    out->name = expo_unquoted(expo_lexeme(r));
    t = expo_text_lex(r);
    if (t != TK_TEXT) { /* only where the page ends behind the name */
        return diag_set(d, ERR_SYNTAX, "expected text in %s, got %s", expo_token_name(what),
                        expo_token_name(t));
    }
    struct str rest = expo_lexeme(r);
    out->text = only_blanks(rest) ? STR("") : str_from(rest, 1);
    out->kind = help ? EXPO_HELP : EXPO_TYPE;
    if (help) {
        TRY(expo_check_help(out->text, d));
    } else if (!expo_type_of(out->text, false, &r->type)) {
        return diag_quoted(d, ERR_SYNTAX, "invalid metric type ", str_first(out->text, 300), "");
    }
    out->type = r->type;
    t = expo_text_lex(r);
    if (t != TK_LINEBREAK) return expo_unexpected(r, "linebreak expected after metadata", t, d);
    return OK;
}

static enum err read_comment(struct expo_reader *r, struct expo_entry *out, struct diag *d)
{
    out->kind = EXPO_COMMENT;
    out->text = expo_lexeme(r);
    enum expo_token t = expo_text_lex(r);
    if (t != TK_LINEBREAK) return expo_unexpected(r, "linebreak expected after comment", t, d);
    return OK;
}

static enum err read_timestamp(struct expo_reader *r, struct expo_entry *out, struct diag *d)
{
    struct str digits = expo_lexeme(r);
    enum err e = num_parse_i64(digits, &out->t);
    if (e != OK) {
        struct diag why;
        (void)diag_quoted(&why, e, "strconv.ParseInt: parsing ", str_first(digits, 300),
                          ": value out of range");
        return expo_parsing(r, why.text, d);
    }
    out->has_t = true;
    enum expo_token t = expo_text_lex(r);
    if (t != TK_LINEBREAK) return expo_unexpected(r, "expected next entry after timestamp", t, d);
    return OK;
}

/* From the value on; t is the token behind name and labels. */
static enum err read_suffix(struct expo_reader *r, enum expo_token t, struct expo_entry *out,
                            struct diag *d)
{
    if (!out->name.p) return expo_parsing(r, "metric name not set", d);
    if (t != TK_VALUE) return expo_unexpected(r, "expected value after metric", t, d);
    TRY(expo_float(r, expo_lexeme(r), &out->value, d));
    out->kind = EXPO_SERIES;
    out->type = r->type;
    out->labels = r->spans;
    out->labels_n = r->spans_n;
    t = expo_text_lex(r);
    if (t == TK_LINEBREAK) return OK;
    if (t == TK_TIMESTAMP) return read_timestamp(r, out, d);
    return expo_unexpected(r, "expected timestamp or new record", t, d);
}

static enum err read_series(struct expo_reader *r, enum expo_token t, struct expo_entry *out,
                            struct diag *d)
{
    size_t begin = r->start;
    if (t == TK_MNAME) {
        out->name = expo_lexeme(r);
        out->series = out->name;
        t = expo_text_lex(r);
    }
    if (t == TK_BOPEN) {
        TRY(expo_labels(r, expo_text_lex, &out->name, false, d));
        out->series = str_make(r->in.p + begin, r->i - begin);
        t = expo_text_lex(r);
    }
    return read_suffix(r, t, out, d);
}

enum err expo_text_entry(struct expo_reader *r, struct expo_entry *out, struct diag *d)
{
    *out = (struct expo_entry){ 0 };
    for (;;) {
        r->entry = r->i;
        enum expo_token t = expo_text_lex(r);
        if (t == TK_LINEBREAK) continue;
        if (t == TK_EOF) return ERR_EOF;
        if (t == TK_HELP || t == TK_TYPE) return read_meta(r, t, out, d);
        if (t == TK_COMMENT) return read_comment(r, out, d);
        if (t == TK_MNAME || t == TK_BOPEN) return read_series(r, t, out, d);
        return expo_unexpected(r, "expected a valid start token", t, d);
    }
}
