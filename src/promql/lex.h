/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lex.h - query text to tokens, one at a time
 *
 * Shape:  a cursor over borrowed text; tokens point into it. The lexer knows a little grammar, as the original's:
 *         braces, brackets (durations) and parentheses have token sets and error texts of their own.
 * Errors: a token of TOK_ERROR whose text is the message (in the arena) and whose start is where it went wrong;
 *         after it only TOK_ERROR comes.
 * Source: promql/parser/lex.go of Prometheus 3.14 (texts, positions)
 */
#ifndef PROMQL_LEX_H
#define PROMQL_LEX_H

#include "base/arena.h"

enum token_kind {
    TOK_ERROR,
    TOK_EOF,
    TOK_IDENT,  /* a label name, a function */
    TOK_METRIC, /* an identifier with a colon */
    TOK_STRING, /* with its quotes */
    TOK_NUMBER,
    TOK_DURATION,
    TOK_LPAREN,
    TOK_RPAREN,
    TOK_LBRACE,
    TOK_RBRACE,
    TOK_LBRACKET,
    TOK_RBRACKET,
    TOK_COMMA,
    TOK_COLON,
    TOK_EQL, /* = */
    TOK_OPERATORS_,
    TOK_ADD,
    TOK_SUB,
    TOK_MUL,
    TOK_DIV,
    TOK_MOD,
    TOK_POW,
    TOK_ATAN2,
    TOK_EQLC, /* == */
    TOK_NEQ,
    TOK_LTE,
    TOK_LSS,
    TOK_GTE,
    TOK_GTR,
    TOK_TRIM_UPPER, /* </ */
    TOK_TRIM_LOWER, /* >/ */
    TOK_EQL_REGEX,
    TOK_NEQ_REGEX,
    TOK_AND,
    TOK_OR,
    TOK_UNLESS,
    TOK_AT,
    TOK_OPERATORS_END_,
    TOK_AVG,
    TOK_BOTTOMK,
    TOK_COUNT,
    TOK_COUNT_VALUES,
    TOK_GROUP,
    TOK_LIMITK,
    TOK_LIMIT_RATIO,
    TOK_MAX,
    TOK_MIN,
    TOK_QUANTILE,
    TOK_STDDEV,
    TOK_STDVAR,
    TOK_SUM,
    TOK_TOPK,
    TOK_AGGREGATORS_END_,
    TOK_ANCHORED,
    TOK_BOOL,
    TOK_BY,
    TOK_FILL,
    TOK_FILL_LEFT,
    TOK_FILL_RIGHT,
    TOK_GROUP_LEFT,
    TOK_GROUP_RIGHT,
    TOK_IGNORING,
    TOK_OFFSET,
    TOK_ON,
    TOK_SMOOTHED,
    TOK_WITHOUT,
    TOK_KEYWORDS_END_,
    TOK_START,
    TOK_END,
    TOK_STEP,
    TOK_RANGE,
    TOK_MIN_OF,
    TOK_MAX_OF,
    TOK_MAX_,
};

static inline bool token_is_operator(enum token_kind k)
{
    return k > TOK_OPERATORS_ && k < TOK_OPERATORS_END_;
}
static inline bool token_is_aggregator(enum token_kind k)
{
    return k > TOK_OPERATORS_END_ && k < TOK_AGGREGATORS_END_;
}
static inline bool token_is_keyword(enum token_kind k)
{
    return k > TOK_AGGREGATORS_END_ && k < TOK_KEYWORDS_END_;
}

struct token {
    enum token_kind kind;
    struct str text;
    size_t start; /* byte offset */
};

struct lexer {
    struct arena *a;
    struct str in;
    size_t at, start; /* next byte; first byte of the token being read */
    int parens;
    bool braces, brackets, colon, duration; /* open; seen inside these brackets */
    bool failed;
};

void lexer_init(struct lexer *l, struct arena *a, struct str in);
struct token lexer_next(struct lexer *l);

/* The token's one spelling: "sum", "<=", "("; "" where it has none (identifiers, numbers). */
const char *token_text(enum token_kind k);

/* The grammar's name for it, as the original's tests have it: "LEFT_PAREN". */
const char *token_name(enum token_kind k);

/* A word that is a keyword in any case; TOK_IDENT otherwise. */
enum token_kind token_of_word(struct str word);

/* As the original words it in "unexpected ...": identifier "x", <op:*>, <by>, end of input. */
struct str token_describe(struct arena *a, const struct token *t);

/* Go's %q of a rune: 'x', '\n', '☺'. */
struct str rune_quoted(struct arena *a, uint32_t rune);

#endif
