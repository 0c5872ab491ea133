/* SPDX-License-Identifier: Apache-2.0 */
#include "promql/print.h"

#include "codec/gotime.h"
#include "codec/num.h"
#include "promql/functions.h"
#include "promql/print_priv.h"

#include <math.h>
#include <stdlib.h>

static void print_number(struct buf *b, const struct node *n)
{
    if (!n->number.duration) {
        num_write_f(b, n->number.v);
        return;
    }
    if (signbit(n->number.v)) buf_char(b, '-');
    duration_write(b, (int64_t)round(fabs(n->number.v) * 1000));
}

static void print_name(struct buf *b, struct str s)
{
    if (label_name_valid_legacy(s)) {
        buf_put(b, s);
    } else {
        str_write_quoted(b, s);
    }
}

static void print_names(struct buf *b, struct names names)
{
    buf_char(b, '(');
    for (size_t i = 0; i < names.n; i++) {
        if (i) buf_putc(b, ", ");
        print_name(b, names.v[i]);
    }
    buf_char(b, ')');
}

static void print_span(struct buf *b, struct span s)
{
    if (s.expr) {
        print_node(b, s.expr);
    } else {
        duration_write(b, s.ms);
    }
}

static void print_offset(struct buf *b, struct span s)
{
    if (s.expr || s.ms > 0) {
        buf_putc(b, " offset ");
        print_span(b, s);
    } else if (s.ms < 0) {
        buf_putc(b, " offset -");
        duration_write(b, -s.ms);
    }
}

static void print_at(struct buf *b, const struct shift *s)
{
    if (s->at == AT_START) buf_putc(b, " @ start()");
    if (s->at == AT_END) buf_putc(b, " @ end()");
    if (s->at != AT_TIME) return;
    buf_putc(b, " @ ");
    num_write_fixed(b, (double)s->at_ms / 1000, 3);
}

static void print_shift(struct buf *b, const struct shift *s)
{
    print_at(b, s);
    print_offset(b, s->offset);
}

static int by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Matchers sorted by their text; the name before the braces is not repeated in them. */
static void print_matchers(struct buf *b, const struct node *n)
{
    ARENA(a, 0);
    struct str *texts = arena_array(&a, n->selector.n, sizeof(*texts));
    size_t count = 0;
    for (size_t i = 0; i < n->selector.n; i++) {
        const struct matcher *m = &n->selector.matchers[i];
        bool named = n->selector.name.n && m->op == MATCH_EQ && str_eq(m->name, METRIC_NAME) &&
                     str_eq(m->value, n->selector.name);
        if (named) continue;
        BUF(one, 0);
        print_name(&one, m->name);
        buf_putc(&one, match_op_text(m->op));
        str_write_quoted(&one, m->value);
        texts[count++] = arena_dup(&a, buf_str(&one));
    }
    qsort(texts, count, sizeof(*texts), by_bytes);
    if (!count && n->selector.name.n) return;
    buf_char(b, '{');
    for (size_t i = 0; i < count; i++) {
        if (i) buf_char(b, ',');
        buf_put(b, texts[i]);
    }
    buf_char(b, '}');
}

static void print_selector(struct buf *b, const struct node *n, const struct span *range)
{
    buf_put(b, n->selector.name);
    print_matchers(b, n);
    if (range) {
        buf_char(b, '[');
        print_span(b, *range);
        buf_char(b, ']');
    }
    if (n->selector.anchored) buf_putc(b, " anchored");
    if (n->selector.smoothed) buf_putc(b, " smoothed");
    print_shift(b, &n->selector.shift);
}

void print_aggregate_head(struct buf *b, const struct node *n)
{
    buf_putc(b, token_text(n->aggregate.op));
    if (!n->aggregate.without && !n->aggregate.by.n) return;
    buf_putc(b, n->aggregate.without ? " without " : " by ");
    print_names(b, n->aggregate.by);
    buf_char(b, ' ');
}

static void print_aggregate(struct buf *b, const struct node *n)
{
    print_aggregate_head(b, n);
    buf_char(b, '(');
    if (n->aggregate.param) {
        print_node(b, n->aggregate.param);
        buf_putc(b, ", ");
    }
    print_node(b, n->aggregate.inner);
    buf_char(b, ')');
}

static void print_fill_value(struct buf *b, const char *word, double v)
{
    buf_fmt(b, " %s (", word);
    num_write_g(b, v);
    buf_char(b, ')');
}

static void print_fill(struct buf *b, const struct matching *m)
{
    bool same = m->has_fill_left && m->has_fill_right &&
                bits_of_double(m->fill_left) == bits_of_double(m->fill_right);
    if (same) {
        print_fill_value(b, "fill", m->fill_left);
        return;
    }
    if (m->has_fill_left) print_fill_value(b, "fill_left", m->fill_left);
    if (m->has_fill_right) print_fill_value(b, "fill_right", m->fill_right);
}

void print_operator(struct buf *b, const struct node *n)
{
    const struct matching *m = &n->binary.m;
    bool grouped = m->card == CARD_MANY_TO_ONE || m->card == CARD_ONE_TO_MANY;
    buf_putc(b, token_text(n->binary.op));
    if (n->binary.to_bool) buf_putc(b, " bool");
    if (m->on || m->labels.n || grouped) {
        buf_putc(b, m->on ? " on " : " ignoring ");
        print_names(b, m->labels);
    }
    if (grouped) {
        buf_putc(b, m->card == CARD_MANY_TO_ONE ? " group_left " : " group_right ");
        print_names(b, m->include);
    }
    print_fill(b, m);
}

static void print_call(struct buf *b, const struct node *n)
{
    buf_putc(b, n->call.fn->name);
    buf_char(b, '(');
    for (size_t i = 0; i < n->call.n; i++) {
        if (i) buf_putc(b, ", ");
        print_node(b, n->call.args[i]);
    }
    buf_char(b, ')');
}

void print_subquery_tail(struct buf *b, const struct node *n)
{
    buf_char(b, '[');
    print_span(b, n->subquery.range);
    buf_char(b, ':');
    if (n->subquery.step.expr || n->subquery.step.ms) print_span(b, n->subquery.step);
    buf_char(b, ']');
    print_shift(b, &n->subquery.shift);
}

static void print_duration(struct buf *b, const struct node *n)
{
    enum token_kind op = n->duration.op;
    if (n->duration.wrapped) buf_char(b, '(');
    if (op == TOK_STEP || op == TOK_RANGE) {
        buf_fmt(b, "%s()", token_text(op));
    } else if (op == TOK_MIN_OF || op == TOK_MAX_OF) {
        buf_fmt(b, "%s(", token_text(op));
        print_node(b, n->duration.lhs);
        buf_putc(b, ", ");
        print_node(b, n->duration.rhs);
        buf_char(b, ')');
    } else if (n->duration.lhs) {
        print_node(b, n->duration.lhs);
        buf_fmt(b, " %s ", token_text(op));
        print_node(b, n->duration.rhs);
    } else {
        if (op == TOK_SUB) buf_char(b, '-');
        print_node(b, n->duration.rhs);
    }
    if (n->duration.wrapped) buf_char(b, ')');
}

void print_node(struct buf *b, const struct node *n)
{
    switch (n->kind) {
    case NODE_NUMBER: print_number(b, n); break;
    case NODE_STRING: str_write_quoted(b, n->string); break;
    case NODE_PAREN:
        buf_char(b, '(');
        print_node(b, n->inner);
        buf_char(b, ')');
        break;
    case NODE_UNARY:
        buf_putc(b, token_text(n->unary.op));
        print_node(b, n->unary.inner);
        break;
    case NODE_BINARY:
        print_node(b, n->binary.lhs);
        buf_char(b, ' ');
        print_operator(b, n);
        buf_char(b, ' ');
        print_node(b, n->binary.rhs);
        break;
    case NODE_CALL: print_call(b, n); break;
    case NODE_AGGREGATE: print_aggregate(b, n); break;
    case NODE_SELECTOR: print_selector(b, n, NULL); break;
    case NODE_MATRIX: print_selector(b, n->matrix.selector, &n->matrix.range); break;
    case NODE_SUBQUERY:
        print_node(b, n->subquery.inner);
        print_subquery_tail(b, n);
        break;
    case NODE_DURATION: print_duration(b, n); break;
    }
}
