/* SPDX-License-Identifier: Apache-2.0 */
/* expo_priv.h - what expo_read.c, expo_text.c and expo_om.c share; nobody else includes it. */
#ifndef CODEC_EXPO_PRIV_H
#define CODEC_EXPO_PRIV_H

#include "codec/expo_read.h"

/* Names as the original prints them in errors. */
enum expo_token {
    TK_INVALID,
    TK_EOF,
    TK_LINEBREAK,
    TK_WHITESPACE,
    TK_HELP,
    TK_TYPE,
    TK_UNIT,
    TK_EOFWORD,
    TK_TEXT,
    TK_COMMENT,
    TK_MNAME,
    TK_QSTRING,
    TK_BOPEN,
    TK_BCLOSE,
    TK_LNAME,
    TK_LVALUE,
    TK_COMMA,
    TK_EQUAL,
    TK_TIMESTAMP,
    TK_VALUE,
    TK_MAX_,
};

/* Where in an entry the lexer is: the same byte is another token in another place. */
enum expo_state {
    ST_INIT,
    ST_META1,
    ST_META2,
    ST_LABELS,
    ST_LVALUE,
    ST_VALUE,
    ST_TIMESTAMP,
    ST_EXEMPLAR,
    ST_EVALUE,
    ST_ETIMESTAMP,
};

/*
 * A token is r->in[r->start, r->i). An invalid one ends at the byte that nothing matches; errors show that byte, too.
 * Every look at the end of `in` sets touched_end: the answer may change when more bytes come.
 */
enum expo_token expo_text_lex(struct expo_reader *r);
enum expo_token expo_om_lex(struct expo_reader *r);
enum err expo_text_entry(struct expo_reader *r, struct expo_entry *out, struct diag *d);
enum err expo_om_entry(struct expo_reader *r, struct expo_entry *out, struct diag *d);

const char *expo_token_name(enum expo_token t);

/* "WHAT, got "..." ("TOKEN") while parsing: "..."". */
enum err expo_unexpected(const struct expo_reader *r, const char *what, enum expo_token got,
                         struct diag *d);
/* "WHAT while parsing: "..."". */
enum err expo_parsing(const struct expo_reader *r, const char *what, struct diag *d);

/* "BEFOREquotedAFTER" of the current token. */
static inline struct str expo_lexeme(const struct expo_reader *r)
{
    return str_make(r->in.p + r->start, r->i - r->start);
}

/* The byte at i, or -1 at the end. */
static inline int expo_peek(struct expo_reader *r, size_t i)
{
    if (i < r->in.n) return (unsigned char)r->in.p[i];
    r->touched_end = true;
    return -1;
}

/* Scanners: how far from r->i a class goes, and tokens made of them. */
bool expo_is_name_start(int c, bool colon);
enum expo_token expo_lex_name(struct expo_reader *r, bool colon, enum expo_token t);
/* A quoted string; NULs in it are taken where nul_ok, line feeds where lf_ok. */
enum expo_token expo_lex_quoted(struct expo_reader *r, bool nul_ok, bool lf_ok, enum expo_token t);
enum expo_token expo_lex_one(struct expo_reader *r, enum expo_state next, enum expo_token t);

/* What both formats have alike: a series' line from its first byte c, the name behind "# HELP ", labels in their braces. */
enum expo_token expo_lex_series(struct expo_reader *r, int c);
enum expo_token expo_lex_meta_name(struct expo_reader *r, int c);
enum expo_token expo_lex_labels(struct expo_reader *r, int c);

struct expo_span *expo_span_push(struct expo_reader *r);
struct str expo_unquoted(struct str s);

/* Float as the original takes it in pages (no hexadecimal, no underscore); NaN has one form. */
enum err expo_float(const struct expo_reader *r, struct str s, double *out, struct diag *d);
bool expo_type_of(struct str s, bool openmetrics, enum expo_type *out);
enum err expo_check_help(struct str text, struct diag *d);

/*
 * Labels between braces. name: where a quoted name alone goes ({NULL,0}: none yet); NULL in exemplars.
 * commas: OpenMetrics insists on them.
 */
enum err expo_labels(struct expo_reader *r, enum expo_token (*lex)(struct expo_reader *),
                     struct str *name, bool commas, struct diag *d);

#endif
