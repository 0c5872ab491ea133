/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durations inside [ ] and after offset: 5m, 300, -(2 * step()), max_of(5m, range()). A plain number stays a
 * NODE_NUMBER of seconds; anything that needs working out is a NODE_DURATION, kept for when the query's times are known.
 */
#include "promql/parse_priv.h"
#include "promql/promql.h"

#include <math.h>

static const char *const EXPECTED = "number, duration, step(), or range()";
static const double SECONDS_MAX = 9223372036.854775807; /* 2^63 ns */

static bool is_word(enum token_kind k) { return k >= TOK_STEP; } /* step, range, min_of, max_of */

static void note_experimental(struct parse *p, const struct node *n)
{
    if (parse_has(p, PROMQL_DURATION_EXPR)) return;
    parse_note(p, n->start, n->end, "experimental duration expression is not enabled");
}

static struct node *zero(struct parse *p) { return parse_node(p, NODE_NUMBER, 0, 0); }

static struct node *new_duration(struct parse *p, enum token_kind op, struct node *lhs,
                                 struct node *rhs)
{
    const struct node *first = lhs ? lhs : rhs;
    struct node *n = parse_node(p, NODE_DURATION, first ? first->start : 0, rhs ? rhs->end : 0);
    n->duration.op = op;
    n->duration.lhs = lhs;
    n->duration.rhs = rhs;
    if (lhs && lhs->depth >= n->depth) n->depth = lhs->depth + 1;
    if (rhs && rhs->depth >= n->depth) n->depth = rhs->depth + 1;
    return n;
}

static struct node *in_range(struct parse *p, struct node *n, size_t start, size_t end)
{
    if (n->number.v <= SECONDS_MAX && n->number.v >= -SECONDS_MAX) return n;
    parse_note(p, start, end, "duration out of range");
    return zero(p);
}

static struct node *parse_number_literal(struct parse *p)
{
    struct token t = parse_take(p);
    struct node *n = parse_node(p, NODE_NUMBER, t.start, t.start + t.text.n);
    n->number.v = parse_seconds(p, &t);
    n->number.duration = t.kind == TOK_DURATION;
    return n;
}

static struct node *parse_sum(struct parse *p, const char *context, int least);

/* step(), range(), min_of(a, b), max_of(a, b) */
static struct node *parse_word(struct parse *p, const char *context, bool note)
{
    struct token t = parse_take(p), close;
    struct node *n = parse_node(p, NODE_DURATION, t.start, 0);
    n->duration.op = t.kind;
    if (!parse_expect(p, TOK_LPAREN, context, EXPECTED, NULL)) return n;
    if (t.kind == TOK_MIN_OF || t.kind == TOK_MAX_OF) {
        n->duration.lhs = parse_sum(p, context, 0);
        if (!parse_expect(p, TOK_COMMA, context, EXPECTED, NULL)) return n;
        n->duration.rhs = parse_sum(p, context, 0);
        if (p->dead) return n;
        n->depth = 1 + (n->duration.lhs->depth > n->duration.rhs->depth ? n->duration.lhs->depth
                                                                        : n->duration.rhs->depth);
    }
    if (!parse_expect(p, TOK_RPAREN, context, EXPECTED, &close)) return n;
    n->end = close.start + 1;
    if (note) note_experimental(p, n);
    return n;
}

/* ( e ) */
static struct node *parse_wrapped(struct parse *p, const char *context)
{
    (void)parse_take(p);
    struct node *n = parse_sum(p, context, 0);
    if (p->dead || !parse_expect(p, TOK_RPAREN, context, EXPECTED, NULL)) return n;
    note_experimental(p, n);
    if (n->kind == NODE_NUMBER) n = new_duration(p, TOK_ADD, NULL, n);
    n->duration.wrapped = true;
    return n;
}

static struct node *apply_sign(struct parse *p, const struct token *sign, struct node *n)
{
    if (n->kind == NODE_NUMBER) {
        if (sign->kind == TOK_SUB) n->number.v = -n->number.v;
        n = in_range(p, n, sign->start, sign->start + 1);
    } else if (sign->kind == TOK_SUB) {
        n = new_duration(p, TOK_SUB, NULL, n);
    } else {
        return n;
    }
    if (n->end) n->start = sign->start;
    return n;
}

enum { PREC_SUM = 1, PREC_PRODUCT, PREC_POWER };

static int precedence_of(enum token_kind k)
{
    if (k == TOK_ADD || k == TOK_SUB) return PREC_SUM;
    if (k == TOK_MUL || k == TOK_DIV || k == TOK_MOD) return PREC_PRODUCT;
    return k == TOK_POW ? PREC_POWER : 0;
}

static struct node *parse_operand(struct parse *p, const char *context)
{
    enum token_kind k = parse_peek(p);
    if (k == TOK_NUMBER || k == TOK_DURATION) {
        struct node *n = parse_number_literal(p);
        return in_range(p, n, n->start, n->end);
    }
    if (k == TOK_LPAREN) return parse_wrapped(p, context);
    if (is_word(k)) return parse_word(p, context, true);
    if (k == TOK_ADD || k == TOK_SUB) {
        struct token sign = parse_take(p);
        struct node *n = parse_sum(p, context, PREC_POWER);
        return p->dead ? n : apply_sign(p, &sign, n);
    }
    parse_unexpected(p, context, EXPECTED);
    return zero(p);
}

static struct node *new_operation(struct parse *p, const struct token *op, struct node *lhs,
                                  struct node *rhs)
{
    note_experimental(p, lhs);
    bool divides = op->kind == TOK_DIV || op->kind == TOK_MOD;
    if (divides && rhs->kind == NODE_NUMBER && fpclassify(rhs->number.v) == FP_ZERO) {
        parse_note_token(p, op, "%s by zero", op->kind == TOK_DIV ? "division" : "modulo");
        return zero(p);
    }
    return new_duration(p, op->kind, lhs, rhs);
}

static struct node *parse_sum(struct parse *p, const char *context, int least)
{
    enum { NEST_MAX = 200 };
    if (++p->depth > NEST_MAX) parse_too_deep(p);
    struct node *lhs = p->dead ? zero(p) : parse_operand(p, context);
    while (!p->dead) {
        int prec = precedence_of(parse_peek(p));
        if (!prec || prec < least) break;
        struct token op = parse_take(p);
        struct node *rhs = parse_sum(p, context, prec == PREC_POWER ? prec : prec + 1);
        if (!p->dead) lhs = new_operation(p, &op, lhs, rhs);
    }
    p->depth--;
    return lhs;
}

static struct node *parse_positive(struct parse *p, const char *context, const char *expected)
{
    enum token_kind k = parse_peek(p);
    bool starts = k == TOK_NUMBER || k == TOK_DURATION || k == TOK_LPAREN || k == TOK_ADD ||
                  k == TOK_SUB || is_word(k);
    if (!starts) parse_unexpected(p, context, expected);
    struct node *n = p->dead ? zero(p) : parse_sum(p, context, 0);
    if (p->dead || n->kind != NODE_NUMBER || n->number.v > 0) return n;
    parse_note(p, n->start, n->end, "duration must be greater than 0");
    return zero(p);
}

struct node *parse_positive_duration(struct parse *p)
{
    return parse_positive(p, "subquery or range selector", EXPECTED);
}

struct node *parse_step_duration(struct parse *p)
{
    return parse_positive(p, "subquery selector", "number, duration, step(), range(), or \"]\"");
}

/* A signed number or word ends the offset (foo offset -2 ^ 2 is a power); only parentheses hold operators. */
static struct node *parse_signed_offset(struct parse *p, const char *context)
{
    struct token sign = parse_take(p);
    enum token_kind k = parse_peek(p);
    if (k == TOK_NUMBER || k == TOK_DURATION) return apply_sign(p, &sign, parse_number_literal(p));
    if (k == TOK_LPAREN) return apply_sign(p, &sign, parse_wrapped(p, context));
    if (!is_word(k)) {
        parse_unexpected(p, context, EXPECTED);
        return zero(p);
    }
    struct node *n = parse_word(p, context, false);
    if (p->dead) return n;
    n = new_duration(p, sign.kind, NULL, n);
    n->start = sign.start;
    note_experimental(p, n);
    return n;
}

struct node *parse_offset_duration(struct parse *p)
{
    static const char *const CONTEXT = "offset";
    enum token_kind k = parse_peek(p);
    if (k == TOK_ADD || k == TOK_SUB) return parse_signed_offset(p, CONTEXT);
    if (k == TOK_LPAREN) return parse_sum(p, CONTEXT, 0);
    return parse_operand(p, CONTEXT);
}

int64_t span_round(double v)
{
    if (!(v > -9.2e18)) return INT64_MIN / 2;
    if (!(v < 9.2e18)) return INT64_MAX / 2;
    return (int64_t)round(v);
}

struct span parse_span(const struct node *n)
{
    if (n->kind == NODE_DURATION) return (struct span){ .expr = n };
    return (struct span){ .ms = span_round(n->number.v * 1e9) / 1000000 };
}
