/* SPDX-License-Identifier: Apache-2.0 */
/* Types of the operands, once the syntax is right; texts and order of promql/parser checkAST. */
#include "promql/functions.h"
#include "promql/parse_priv.h"
#include "promql/promql.h"

const char *value_kind_documented(enum value_kind k)
{
    switch (k) {
    case VALUE_SCALAR: return "scalar";
    case VALUE_STRING: return "string";
    case VALUE_VECTOR: return "instant vector";
    case VALUE_MATRIX: return "range vector";
    case VALUE_NONE: break;
    }
    return "none";
}

static void expect(struct parse *p, struct node *n, enum value_kind want, const char *what,
                   const char *name)
{
    parse_check(p, n);
    if (n->type == want) return;
    parse_note(p, n->start, n->end, "expected type %s in %s%s%s%s, got %s",
               value_kind_documented(want), what, name ? " \"" : "", name ? name : "",
               name ? "\"" : "", value_kind_documented(n->type));
}

static void check_aggregate(struct parse *p, struct node *n)
{
    enum token_kind op = n->aggregate.op;
    expect(p, n->aggregate.inner, VALUE_VECTOR, "aggregation expression", NULL);
    if (!n->aggregate.param) return;
    expect(p, n->aggregate.param, op == TOK_COUNT_VALUES ? VALUE_STRING : VALUE_SCALAR,
           "aggregation parameter", NULL);
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* Between the operands, without the blanks; its end is the last byte, as the original has it. */
static void note_operator(struct parse *p, const struct node *n, const char *text)
{
    size_t start = n->binary.lhs->end, end = n->binary.rhs->start - 1;
    while (is_space(p->text.p[start])) start++;
    while (end && is_space(p->text.p[end])) end--;
    parse_note(p, start, end, "%s", text);
}

static void check_labels_once(struct parse *p, const struct node *n)
{
    const struct matching *m = &n->binary.m;
    if (!m->on) return;
    for (size_t i = 0; i < m->labels.n; i++) {
        for (size_t j = 0; j < m->include.n; j++) {
            if (!str_eq(m->labels.v[i], m->include.v[j])) continue;
            BUF(b, 0);
            str_write_quoted(&b, m->labels.v[i]);
            struct str text = arena_fmt(
                p->a, "label " STR_FMT " must not occur in ON and GROUP clause at once",
                STR_ARG(buf_str(&b)));
            note_operator(p, n, text.p);
        }
    }
}

static void check_side(struct parse *p, const struct node *side)
{
    if (side->type == VALUE_SCALAR || side->type == VALUE_VECTOR) return;
    parse_note(p, side->start, side->end,
               "binary expression must contain only scalar and instant vector types");
}

static void check_matching(struct parse *p, struct node *n)
{
    struct matching *m = &n->binary.m;
    const char *op = token_text(n->binary.op);
    bool fill = m->has_fill_left || m->has_fill_right;
    bool vectors = n->binary.lhs->type == VALUE_VECTOR && n->binary.rhs->type == VALUE_VECTOR;
    if (!vectors) {
        if (m->labels.n) {
            parse_note(p, n->start, n->end, "vector matching only allowed between instant vectors");
        }
        if (fill) {
            parse_note(p, n->start, n->end,
                       "filling in missing series only allowed between instant vectors");
        }
    } else if (op_is_set(n->binary.op)) {
        if (m->card != CARD_MANY_TO_MANY) {
            parse_note(p, n->start, n->end, "no grouping allowed for \"%s\" operation", op);
            parse_note(p, n->start, n->end, "set operations must always be many-to-many");
        }
        if (fill) {
            parse_note(p, n->start, n->end,
                       "filling in missing series not allowed for set operators");
        }
    }
}

static void check_binary(struct parse *p, struct node *n)
{
    enum token_kind op = n->binary.op;
    const struct node *lhs = n->binary.lhs, *rhs = n->binary.rhs;
    bool scalars = lhs->type == VALUE_SCALAR && rhs->type == VALUE_SCALAR;
    parse_check(p, n->binary.rhs);
    if (n->binary.to_bool && !op_is_comparison(op)) {
        note_operator(p, n, "bool modifier can only be used on comparison operators");
    }
    if (op_is_comparison(op) && !n->binary.to_bool && scalars) {
        note_operator(p, n, "comparisons between scalars must use BOOL modifier");
    }
    if (op_is_set(op) && n->binary.m.card == CARD_ONE_TO_ONE) n->binary.m.card = CARD_MANY_TO_MANY;
    check_labels_once(p, n);
    check_side(p, lhs);
    check_side(p, rhs);
    check_matching(p, n);
    if ((lhs->type == VALUE_SCALAR || rhs->type == VALUE_SCALAR) && op_is_set(op)) {
        parse_note(p, n->start, n->end,
                   "set operator \"%s\" not allowed in binary scalar expression", token_text(op));
    }
}

/* a + b + c + ... is a tree as deep as it is long: its left edge is walked in a loop. */
static void check_chain(struct parse *p, struct node *top)
{
    VEC(struct node *) chain = { 0 };
    struct node *n = top;
    for (; n->kind == NODE_BINARY; n = n->binary.lhs) *vec_push(p->a, &chain) = n;
    parse_check(p, n);
    while (chain.n) check_binary(p, chain.v[--chain.n]);
}

static void check_count(struct parse *p, const struct node *n)
{
    const struct function *fn = n->call.fn;
    size_t most = fn->args_n, least = most - (fn->variadic ? 1 : 0), got = n->call.n;
    const char *how = NULL;
    size_t want = most;
    if (!fn->variadic && got != most) {
        how = "";
    } else if (got < least) {
        how = "at least ";
        want = least;
    } else if (fn->variadic > 0 && got > least + (size_t)fn->variadic) {
        how = "at most ";
        want = least + (size_t)fn->variadic;
    }
    if (!how) return;
    parse_note(p, n->start, n->end, "expected %s%zu argument(s) in call to \"%s\", got %zu", how,
               want, fn->name, got);
}

/* The second argument of info() is only a list of matchers. */
static void check_info(struct parse *p, struct node *arg)
{
    if (arg->kind != NODE_SELECTOR) {
        parse_note(p, arg->start, arg->end, "expected label selectors only");
    } else if (arg->selector.name.n) {
        parse_note(p, arg->start, arg->end,
                   "expected label selectors only, got vector selector instead");
    } else {
        arg->selector.bare = true;
    }
}

static void check_call(struct parse *p, struct node *n)
{
    const struct function *fn = n->call.fn;
    check_count(p, n);
    if (fn->id == FN_INFO && n->call.n > 1) check_info(p, n->call.args[1]);
    for (size_t i = 0; i < n->call.n; i++) {
        size_t type = i < fn->args_n ? i : fn->args_n - 1;
        if (i >= fn->args_n && !fn->variadic) break;
        expect(p, n->call.args[i], fn->args[type], "call to function", fn->name);
    }
}

static void check_selector(struct parse *p, const struct node *n)
{
    const struct matcher *m = n->selector.matchers;
    bool named = n->selector.name.n;
    size_t inside = n->selector.n - (named ? 1 : 0);
    for (size_t i = 0; named && i < inside; i++) {
        if (!str_eq(m[i].name, METRIC_NAME)) continue;
        BUF(b, 0);
        str_write_quoted(&b, n->selector.name);
        buf_putc(&b, " or ");
        str_write_quoted(&b, m[i].value);
        parse_note(p, n->start, n->end, "metric name must not be set twice: " STR_FMT,
                   STR_ARG(buf_str(&b)));
    }
    if (named || n->selector.bare) return;
    for (size_t i = 0; i < inside; i++) {
        if (!matcher_match(&m[i], STR(""))) return;
    }
    parse_note(p, n->start, n->end, "vector selector must contain at least one non-empty matcher");
}

static void check_unary(struct parse *p, struct node *n)
{
    parse_check(p, n->unary.inner);
    if (n->type == VALUE_SCALAR || n->type == VALUE_VECTOR) return;
    parse_note(p, n->start, n->end,
               "unary expression only allowed on expressions of type scalar or instant vector, got "
               "\"%s\"",
               value_kind_documented(n->type));
}

static void check_subquery(struct parse *p, struct node *n)
{
    const struct node *inner = n->subquery.inner;
    parse_check(p, n->subquery.inner);
    if (inner->type == VALUE_VECTOR) return;
    parse_note(p, n->start, n->end, "subquery is only allowed on instant vector, got %s instead",
               promql_kind_text(inner->type));
}

void parse_check(struct parse *p, struct node *n)
{
    switch (n->kind) {
    case NODE_AGGREGATE: check_aggregate(p, n); break;
    case NODE_BINARY: check_chain(p, n); break;
    case NODE_CALL: check_call(p, n); break;
    case NODE_PAREN: parse_check(p, n->inner); break;
    case NODE_UNARY: check_unary(p, n); break;
    case NODE_SUBQUERY: check_subquery(p, n); break;
    case NODE_MATRIX: parse_check(p, n->matrix.selector); break;
    case NODE_SELECTOR: check_selector(p, n); break;
    case NODE_NUMBER:
    case NODE_STRING:
    case NODE_DURATION: break;
    }
}
