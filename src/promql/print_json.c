/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json.h"
#include "codec/num.h"
#include "promql/functions.h"
#include "promql/print.h"
#include "promql/promql.h"

static void put_node(struct json_writer *w, const struct node *n);

static void put_names(struct json_writer *w, const char *key, struct names names)
{
    json_key(w, key);
    json_open(w, '[');
    for (size_t i = 0; i < names.n; i++) json_put_str(w, names.v[i]);
    json_close(w, ']');
}

static void put_child(struct json_writer *w, const char *key, const struct node *n)
{
    json_key(w, key);
    if (n) {
        put_node(w, n);
    } else {
        json_put_null(w);
    }
}

static void put_key_c(struct json_writer *w, const char *key, const char *value)
{
    json_key(w, key);
    json_put_c(w, value);
}

static void put_key_bool(struct json_writer *w, const char *key, bool value)
{
    json_key(w, key);
    json_put_bool(w, value);
}

static void put_number_text(struct json_writer *w, const char *key, double v)
{
    BUF(b, 0);
    num_write_f(&b, v);
    json_key(w, key);
    json_put_str(w, buf_str(&b));
}

/* offset and offsetExpr, range and rangeExpr, step and stepExpr */
static void put_span(struct json_writer *w, const char *key, const char *expr_key, struct span s)
{
    json_key(w, key);
    json_put_i64(w, s.ms);
    put_child(w, expr_key, s.expr);
}

static void put_start_or_end(struct json_writer *w, const struct shift *s)
{
    json_key(w, "startOrEnd");
    if (s->at == AT_START) {
        json_put_c(w, "start");
    } else if (s->at == AT_END) {
        json_put_c(w, "end");
    } else {
        json_put_null(w);
    }
}

static void put_timestamp(struct json_writer *w, const struct shift *s)
{
    json_key(w, "timestamp");
    if (s->at == AT_TIME) {
        json_put_i64(w, s->at_ms);
    } else {
        json_put_null(w);
    }
}

static void put_matchers(struct json_writer *w, const struct node *n)
{
    json_key(w, "matchers");
    json_open(w, '[');
    for (size_t i = 0; i < n->selector.n; i++) {
        const struct matcher *m = &n->selector.matchers[i];
        json_open(w, '{');
        json_key(w, "name");
        json_put_str(w, m->name);
        put_key_c(w, "type", match_op_text(m->op));
        json_key(w, "value");
        json_put_str(w, m->value);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void put_selector(struct json_writer *w, const struct node *n, const struct span *range)
{
    put_key_bool(w, "anchored", n->selector.anchored);
    put_matchers(w, n);
    json_key(w, "name");
    json_put_str(w, n->selector.name);
    put_span(w, "offset", "offsetExpr", n->selector.shift.offset);
    if (range) put_span(w, "range", "rangeExpr", *range);
    put_key_bool(w, "smoothed", n->selector.smoothed);
    put_start_or_end(w, &n->selector.shift);
    put_timestamp(w, &n->selector.shift);
    put_key_c(w, "type", range ? "matrixSelector" : "vectorSelector");
}

static void put_fill(struct json_writer *w, const char *key, bool has, double v)
{
    json_key(w, key);
    if (has) {
        json_put_f64(w, v);
    } else {
        json_put_null(w);
    }
}

static void put_matching(struct json_writer *w, const struct node *n)
{
    static const char *const CARDS[] = {
        [CARD_ONE_TO_ONE] = "one-to-one",
        [CARD_MANY_TO_ONE] = "many-to-one",
        [CARD_ONE_TO_MANY] = "one-to-many",
        [CARD_MANY_TO_MANY] = "many-to-many",
    };
    const struct matching *m = &n->binary.m;
    json_key(w, "matching");
    if (n->binary.lhs->type != VALUE_VECTOR || n->binary.rhs->type != VALUE_VECTOR) {
        json_put_null(w);
        return;
    }
    json_open(w, '{');
    put_key_c(w, "card", CARDS[m->card]);
    json_key(w, "fillValues");
    json_open(w, '{');
    put_fill(w, "lhs", m->has_fill_left, m->fill_left);
    put_fill(w, "rhs", m->has_fill_right, m->fill_right);
    json_close(w, '}');
    put_names(w, "include", m->include);
    put_names(w, "labels", m->labels);
    put_key_bool(w, "on", m->on);
    json_close(w, '}');
}

static void put_binary(struct json_writer *w, const struct node *n)
{
    put_key_bool(w, "bool", n->binary.to_bool);
    put_child(w, "lhs", n->binary.lhs);
    put_matching(w, n);
    put_key_c(w, "op", token_text(n->binary.op));
    put_child(w, "rhs", n->binary.rhs);
    put_key_c(w, "type", "binaryExpr");
}

static void put_call(struct json_writer *w, const struct node *n)
{
    const struct function *fn = n->call.fn;
    json_key(w, "args");
    json_open(w, '[');
    for (size_t i = 0; i < n->call.n; i++) put_node(w, n->call.args[i]);
    json_close(w, ']');
    json_key(w, "func");
    json_open(w, '{');
    json_key(w, "argTypes");
    json_open(w, '[');
    for (size_t i = 0; i < fn->args_n; i++) json_put_c(w, promql_kind_text(fn->args[i]));
    json_close(w, ']');
    put_key_c(w, "name", fn->name);
    put_key_c(w, "returnType", promql_kind_text(fn->returns));
    json_key(w, "variadic");
    json_put_i64(w, fn->variadic);
    json_close(w, '}');
    put_key_c(w, "type", "call");
}

static void put_aggregate(struct json_writer *w, const struct node *n)
{
    put_child(w, "expr", n->aggregate.inner);
    put_names(w, "grouping", n->aggregate.by);
    put_key_c(w, "op", token_text(n->aggregate.op));
    put_child(w, "param", n->aggregate.param);
    put_key_c(w, "type", "aggregation");
    put_key_bool(w, "without", n->aggregate.without);
}

static void put_subquery(struct json_writer *w, const struct node *n)
{
    put_child(w, "expr", n->subquery.inner);
    put_span(w, "offset", "offsetExpr", n->subquery.shift.offset);
    put_span(w, "range", "rangeExpr", n->subquery.range);
    put_start_or_end(w, &n->subquery.shift);
    put_span(w, "step", "stepExpr", n->subquery.step);
    put_timestamp(w, &n->subquery.shift);
    put_key_c(w, "type", "subquery");
}

static void put_number(struct json_writer *w, const struct node *n)
{
    put_key_c(w, "type", "numberLiteral");
    put_number_text(w, "val", n->number.v);
}

/* A number inside a duration says whether it was written with units; elsewhere it does not. */
static void put_duration_child(struct json_writer *w, const char *key, const struct node *n)
{
    if (!n || n->kind != NODE_NUMBER) {
        put_child(w, key, n);
        return;
    }
    json_key(w, key);
    json_open(w, '{');
    put_key_bool(w, "duration", n->number.duration);
    put_number(w, n);
    json_close(w, '}');
}

static void put_duration(struct json_writer *w, const struct node *n)
{
    put_duration_child(w, "lhs", n->duration.lhs);
    put_key_c(w, "op", token_text(n->duration.op));
    put_duration_child(w, "rhs", n->duration.rhs);
    put_key_c(w, "type", "durationExpr");
    put_key_bool(w, "wrapped", n->duration.wrapped);
}

static void put_node(struct json_writer *w, const struct node *n)
{
    json_open(w, '{');
    switch (n->kind) {
    case NODE_NUMBER: put_number(w, n); break;
    case NODE_STRING:
        put_key_c(w, "type", "stringLiteral");
        json_key(w, "val");
        json_put_str(w, n->string);
        break;
    case NODE_PAREN:
        put_child(w, "expr", n->inner);
        put_key_c(w, "type", "parenExpr");
        break;
    case NODE_UNARY:
        put_child(w, "expr", n->unary.inner);
        put_key_c(w, "op", token_text(n->unary.op));
        put_key_c(w, "type", "unaryExpr");
        break;
    case NODE_BINARY: put_binary(w, n); break;
    case NODE_CALL: put_call(w, n); break;
    case NODE_AGGREGATE: put_aggregate(w, n); break;
    case NODE_SELECTOR: put_selector(w, n, NULL); break;
    case NODE_MATRIX: put_selector(w, n->matrix.selector, &n->matrix.range); break;
    case NODE_SUBQUERY: put_subquery(w, n); break;
    case NODE_DURATION: put_duration(w, n); break;
    }
    json_close(w, '}');
}

void print_json(struct buf *b, const struct node *n)
{
    struct json_writer w = json_writer(b);
    put_node(&w, n);
}
