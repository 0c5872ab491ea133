/* SPDX-License-Identifier: Apache-2.0 */
/* Vector selectors: name{label="value", ...}, and which keywords may stand for names. */
#include "promql/parse_priv.h"

bool parse_is_metric_word(enum token_kind k)
{
    switch (k) {
    case TOK_IDENT:
    case TOK_METRIC:
    case TOK_AND:
    case TOK_OR:
    case TOK_UNLESS:
    case TOK_BY:
    case TOK_OFFSET:
    case TOK_WITHOUT:
    case TOK_ANCHORED:
    case TOK_SMOOTHED: return true;
    default: return token_is_aggregator(k) || k >= TOK_START;
    }
}

bool parse_is_label_word(enum token_kind k)
{
    return parse_is_metric_word(k) || token_is_keyword(k) || k == TOK_ATAN2;
}

struct matchers {
    struct matcher *v;
    size_t n, cap;
};

static void add_matcher(struct parse *p, struct matchers *ms, const struct token *at,
                        enum match_op op, struct str name, struct str value)
{
    struct diag d = { 0 };
    struct matcher m = { 0 };
    if (matcher_init(&m, op, name, value, &d) != OK) {
        parse_note_token(p, at, "%s", d.text);
        return;
    }
    *vec_push(p->a, ms) = m;
    if (m.re) {
        struct matcher *kept = arena_new(p->a, struct matcher);
        *kept = m; /* ms may still move */
        *vec_push(p->a, &p->matchers) = kept;
    }
}

static const char *const CONTEXT = "label matching";

static bool match_op_of(enum token_kind k, enum match_op *op)
{
    switch (k) {
    case TOK_EQL: *op = MATCH_EQ; return true;
    case TOK_NEQ: *op = MATCH_NE; return true;
    case TOK_EQL_REGEX: *op = MATCH_RE; return true;
    case TOK_NEQ_REGEX: *op = MATCH_NRE; return true;
    default: return false;
    }
}

/* name op "value", or a quoted metric name alone */
static bool parse_matcher(struct parse *p, struct matchers *ms)
{
    enum token_kind k = parse_peek(p);
    if (k != TOK_IDENT && k != TOK_STRING) {
        parse_unexpected(p, CONTEXT, "identifier or \"}\"");
        return false;
    }
    struct token name = parse_take(p), value;
    struct str name_text = k == TOK_STRING ? parse_unquoted(p, &name) : name.text;
    enum match_op op;
    if (!match_op_of(parse_peek(p), &op)) {
        if (k == TOK_STRING) {
            add_matcher(p, ms, &name, MATCH_EQ, METRIC_NAME, name_text);
            return true;
        }
        parse_unexpected(p, CONTEXT, "label matching operator");
        return false;
    }
    (void)parse_take(p);
    if (!parse_expect(p, TOK_STRING, CONTEXT, "string", &value)) return false;
    add_matcher(p, ms, &name, op, name_text, parse_unquoted(p, &value));
    return true;
}

/* Behind the opening brace; *end is behind the closing one. */
static void parse_braces(struct parse *p, struct matchers *ms, size_t *end)
{
    struct token t;
    while (!parse_accept(p, TOK_RBRACE, &t)) {
        if (!parse_matcher(p, ms)) return;
        if (parse_accept(p, TOK_COMMA, NULL)) continue;
        if (parse_peek(p) == TOK_RBRACE) continue;
        parse_unexpected(p, CONTEXT, "\",\" or \"}\"");
        return;
    }
    *end = t.start + 1;
}

struct node *parse_vector_selector(struct parse *p, const struct token *name)
{
    struct token word = { 0 }, brace;
    struct matchers ms = { 0 };
    (void)parse_peek(p);
    if (!name && p->tok.kind != TOK_LBRACE) {
        word = parse_take(p);
        name = &word;
    }
    struct node *n = parse_node(p, NODE_SELECTOR, name ? name->start : p->tok.start, 0);
    n->type = VALUE_VECTOR;
    n->end = name ? name->start + name->text.n : n->start;
    if (parse_accept(p, TOK_LBRACE, &brace)) parse_braces(p, &ms, &n->end);
    if (name) {
        n->selector.name = name->text;
        add_matcher(p, &ms, name, MATCH_EQ, METRIC_NAME, name->text);
    }
    n->selector.matchers = ms.v;
    n->selector.n = ms.n;
    return n;
}
