/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse.h - query text to tree
 *
 * Shape:  recursive descent over a one-token look-ahead; depth is limited, so text cannot exhaust the stack.
 * Owns:   nodes, texts and notes lie in the arena; compiled regular expressions are listed in parse.matchers and
 *         ended by parse_done(), after a failure, too.
 * Errors: noted in the order the original finds them; the first is the one shown.
 * Source: promql/parser/generated_parser.y, parse.go of Prometheus 3.14
 */
#ifndef PROMQL_PARSE_H
#define PROMQL_PARSE_H

#include "base/err.h"
#include "base/vec.h"
#include "promql/ast.h"

struct parse_note {
    size_t start, end;
    struct str text;
};

struct parse {
    struct arena *a;
    struct str text;
    uint32_t features; /* of enum promql_feature */
    struct lexer lex;
    struct token tok; /* look-ahead, when peeked */
    bool peeked;
    size_t last_closing;        /* behind the last bracket, number or duration that was read */
    unsigned depth, aggregates; /* how many of them are open */
    bool dead;                  /* a syntax error: nothing after it is looked at */
    VEC(struct parse_note) notes;
    VEC(struct matcher *) matchers; /* with a regular expression */
};

/* Errors: ERR_SYNTAX; d has "1:5: parse error: ...", line and col. p must be ended either way. */
enum err parse_expression(struct parse *p, struct arena *a, struct str text, uint32_t features,
                          struct node **out, struct diag *d);

/* Only a series selector, without modifiers. */
enum err parse_selector(struct parse *p, struct arena *a, struct str text, struct node **out,
                        struct diag *d);
void parse_done(struct parse *p);

/* "4:17" of a byte offset, as the original's annotations and errors have it. */
struct str parse_place(struct arena *a, struct str text, size_t at);

#endif
