/* SPDX-License-Identifier: Apache-2.0 */
#include "promql/functions.h"
#include "promql/print_priv.h"

static void indent(struct buf *b, size_t level)
{
    while (level--) buf_putc(b, "  ");
}

static void pretty(struct buf *b, const struct node *n, size_t level, size_t width);

static void pretty_aggregate(struct buf *b, const struct node *n, size_t level, size_t width)
{
    indent(b, level);
    print_aggregate_head(b, n);
    buf_putc(b, "(\n");
    if (n->aggregate.param) {
        pretty(b, n->aggregate.param, level + 1, width);
        buf_putc(b, ",\n");
    }
    pretty(b, n->aggregate.inner, level + 1, width);
    buf_char(b, '\n');
    indent(b, level);
    buf_char(b, ')');
}

static void pretty_binary(struct buf *b, const struct node *n, size_t level, size_t width)
{
    pretty(b, n->binary.lhs, level + 1, width);
    buf_char(b, '\n');
    indent(b, level);
    print_operator(b, n);
    buf_char(b, '\n');
    pretty(b, n->binary.rhs, level + 1, width);
}

static void pretty_call(struct buf *b, const struct node *n, size_t level, size_t width)
{
    indent(b, level);
    buf_fmt(b, "%s(\n", n->call.fn->name);
    for (size_t i = 0; i < n->call.n; i++) {
        if (i) buf_putc(b, ",\n");
        pretty(b, n->call.args[i], level + 1, width);
    }
    buf_char(b, '\n');
    indent(b, level);
    buf_char(b, ')');
}

static void pretty_paren(struct buf *b, const struct node *n, size_t level, size_t width)
{
    indent(b, level);
    buf_putc(b, "(\n");
    pretty(b, n->inner, level + 1, width);
    buf_char(b, '\n');
    indent(b, level);
    buf_char(b, ')');
}

static void pretty_unary(struct buf *b, const struct node *n, size_t level, size_t width)
{
    BUF(inner, 0);
    pretty(&inner, n->unary.inner, level, width);
    indent(b, level);
    buf_putc(b, token_text(n->unary.op));
    buf_put(b, str_trim(buf_str(&inner)));
}

static void pretty(struct buf *b, const struct node *n, size_t level, size_t width)
{
    BUF(line, 0);
    print_node(&line, n);
    bool fits = line.n <= width;
    if (n->kind == NODE_UNARY) {
        pretty_unary(b, n, level, width);
    } else if (fits || n->kind == NODE_NUMBER || n->kind == NODE_STRING ||
               n->kind == NODE_SELECTOR || n->kind == NODE_MATRIX || n->kind == NODE_DURATION) {
        indent(b, level);
        buf_put(b, buf_str(&line));
    } else if (n->kind == NODE_SUBQUERY) {
        pretty(b, n->subquery.inner, level, width);
        print_subquery_tail(b, n);
    } else if (n->kind == NODE_PAREN) {
        pretty_paren(b, n, level, width);
    } else if (n->kind == NODE_BINARY) {
        pretty_binary(b, n, level, width);
    } else if (n->kind == NODE_CALL) {
        pretty_call(b, n, level, width);
    } else {
        pretty_aggregate(b, n, level, width);
    }
}

void print_pretty(struct buf *b, const struct node *n, size_t width) { pretty(b, n, 0, width); }
