/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ast.h - a parsed expression
 *
 * Shape: nodes in the expression's arena, immutable after parsing; start and end are byte offsets into the text.
 *        One struct for all kinds, so that walks need no casts; which member of the union holds is told by kind.
 */
#ifndef PROMQL_AST_H
#define PROMQL_AST_H

#include "base/arena.h"
#include "model/matcher.h"
#include "model/value.h"
#include "promql/lex.h"

enum node_kind {
    NODE_NUMBER,
    NODE_STRING,
    NODE_PAREN,
    NODE_UNARY,
    NODE_BINARY,
    NODE_CALL,
    NODE_AGGREGATE,
    NODE_SELECTOR,
    NODE_MATRIX,
    NODE_SUBQUERY,
    NODE_DURATION, /* an expression inside [ ] or offset; only where a struct span points to it */
};

enum cardinality { CARD_ONE_TO_ONE, CARD_MANY_TO_ONE, CARD_ONE_TO_MANY, CARD_MANY_TO_MANY };

struct names {
    const struct str *v;
    size_t n;
};

struct matching {
    enum cardinality card;
    bool on;
    bool group_parens; /* group_left(...) was given a list */
    struct names labels, include;
    bool has_fill_left, has_fill_right;
    double fill_left, fill_right;
};

/* A length of time: milliseconds, or an expression to be worked out when the query's times are known. */
struct span {
    int64_t ms;
    const struct node *expr; /* NODE_DURATION or NULL */
};

enum at_kind { AT_NONE, AT_TIME, AT_START, AT_END };

/* offset and @ of a selector or a subquery. */
struct shift {
    struct span offset;
    enum at_kind at;
    int64_t at_ms;
};

struct function; /* functions.h */

struct node {
    enum node_kind kind;
    enum value_kind type; /* VALUE_NONE for an unknown function's result */
    unsigned depth;       /* of the tree below, this node included */
    size_t start, end;
    union {
        struct {
            double v;
            bool duration; /* written with units */
        } number;
        struct str string;
        struct node *inner; /* paren */
        struct {
            enum token_kind op;
            struct node *inner;
        } unary;
        struct {
            enum token_kind op;
            bool to_bool;
            struct node *lhs, *rhs;
            struct matching m; /* of two instant vectors */
            size_t op_start, op_end;
        } binary;
        struct {
            const struct function *fn; /* NULL: unknown, an error was noted */
            struct node **args;
            size_t n;
        } call;
        struct {
            enum token_kind op;
            bool without;
            struct names by;
            struct node *param, *inner;
        } aggregate;
        struct {
            struct str name; /* before the braces; empty without */
            const struct matcher *matchers;
            size_t n;
            struct shift shift;
            bool anchored, smoothed;
            bool bare; /* second argument of info(): may match everything */
        } selector;
        struct {
            struct node *selector;
            struct span range;
        } matrix;
        struct {
            struct node *inner;
            struct span range, step; /* step 0 without expr: the default */
            struct shift shift;
        } subquery;
        struct {
            enum token_kind op; /* arithmetic, STEP, RANGE, MIN_OF, MAX_OF */
            bool wrapped;       /* in parentheses */
            const struct node *lhs, *rhs;
        } duration;
    };
};

/* Through any parentheses. */
static inline const struct node *node_unwrap(const struct node *n)
{
    while (n->kind == NODE_PAREN) n = n->inner;
    return n;
}

static inline bool op_is_comparison(enum token_kind op) { return op >= TOK_EQLC && op <= TOK_GTR; }
static inline bool op_is_set(enum token_kind op)
{
    return op == TOK_AND || op == TOK_OR || op == TOK_UNLESS;
}
static inline bool op_keeps_k(enum token_kind op)
{
    return op == TOK_TOPK || op == TOK_BOTTOMK || op == TOK_LIMITK || op == TOK_LIMIT_RATIO;
}
static inline bool op_takes_param(enum token_kind op)
{
    return op_keeps_k(op) || op == TOK_COUNT_VALUES || op == TOK_QUANTILE;
}

#endif
