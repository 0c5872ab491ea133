/* SPDX-License-Identifier: Apache-2.0 */
#include "promql/promql.h"

#include "base/assert.h"
#include "promql/eval.h"
#include "promql/expr.h"
#include "promql/print.h"

#include <stdlib.h>

enum {
    EVALUATOR_MAGIC = 0x50514c31,
    EXPR_MAGIC = 0x50514c32,
    PRETTY_WIDTH = 100,
    TEXT_MAX = 1 << 20, /* bytes of a query; the API's own limit is far below */
};

struct promql {
    struct evaluator ev; /* first: ops hand it back */
    uint32_t magic;
    struct queryable *qa;
    struct promql_options o;
};

static struct promql *self(struct evaluator *ev)
{
    struct promql *pq = (struct promql *)ev;
    ASSERT(pq->magic == EVALUATOR_MAGIC);
    return pq;
}

static void release(struct evaluator *ev, struct expr *e)
{
    (void)ev;
    if (!e) return;
    ASSERT(e->magic == EXPR_MAGIC);
    parse_done(&e->parse);
    arena_done(&e->a);
    e->magic = 0;
    free(e);
}

static enum err compile(struct evaluator *ev, struct str text, struct expr **out, struct diag *d)
{
    if (text.n > TEXT_MAX) {
        return diag_set(d, ERR_SYNTAX, "query of %zu bytes is longer than %d", text.n, TEXT_MAX);
    }
    struct expr *e = calloc(1, sizeof(*e));
    ASSERT(e);
    e->magic = EXPR_MAGIC;
    arena_init(&e->a, 0);
    e->text = arena_dup(&e->a, text);
    enum err failed = parse_expression(&e->parse, &e->a, e->text, self(ev)->o.features, &e->root,
                                       d);
    if (failed != OK) {
        release(ev, e);
        return failed;
    }
    *out = e;
    return OK;
}

static struct str print(struct evaluator *ev, const struct expr *e, struct arena *a)
{
    (void)ev;
    BUF(b, 0);
    print_node(&b, e->root);
    return arena_dup(a, buf_str(&b));
}

static enum err eval(struct evaluator *ev, const struct expr *e, const struct eval_range *r,
                     struct arena *a, const _Atomic(bool) *cancel, struct value *out,
                     struct diag *d)
{
    struct promql *pq = self(ev);
    ASSERT(e->magic == EXPR_MAGIC);
    return eval_run(pq->qa, &pq->o, e, r, a, cancel, out, d);
}

static const struct evaluator_ops OPS = { compile, release, print, eval };

static void set_default(int64_t *v, int64_t otherwise)
{
    if (*v <= 0) *v = otherwise;
}

struct evaluator *promql_new(struct queryable *qa, const struct promql_options *o)
{
    struct promql *pq = calloc(1, sizeof(*pq));
    ASSERT(pq);
    pq->ev.ops = &OPS;
    pq->magic = EVALUATOR_MAGIC;
    pq->qa = qa;
    if (o) pq->o = *o;
    set_default(&pq->o.lookback_ms, (int64_t)5 * 60 * 1000);
    set_default(&pq->o.subquery_step_ms, (int64_t)60 * 1000);
    if (!pq->o.max_samples) pq->o.max_samples = 50000000;
    return &pq->ev;
}

void promql_free(struct evaluator *ev)
{
    if (!ev) return;
    struct promql *pq = self(ev);
    pq->magic = 0;
    free(pq);
}

enum value_kind promql_kind(const struct expr *e) { return e->root->type; }

const char *promql_kind_text(enum value_kind kind)
{
    switch (kind) {
    case VALUE_SCALAR: return "scalar";
    case VALUE_STRING: return "string";
    case VALUE_VECTOR: return "vector";
    case VALUE_MATRIX: return "matrix";
    case VALUE_NONE: break;
    }
    return "none";
}

struct str promql_pretty(const struct expr *e, struct arena *a)
{
    BUF(b, 0);
    print_pretty(&b, e->root, PRETTY_WIDTH);
    return arena_dup(a, buf_str(&b));
}

void promql_write_ast(const struct expr *e, struct buf *b) { print_json(b, e->root); }

enum err promql_parse_matchers(struct str text, struct arena *a, struct matcher **out, size_t *n,
                               struct diag *d)
{
    struct parse p;
    struct node *root = NULL;
    enum err e = parse_selector(&p, a, arena_dup(a, text), &root, d);
    if (e != OK) {
        parse_done(&p);
        return e;
    }
    struct matcher *copy = arena_array(a, root->selector.n, sizeof(*copy));
    if (root->selector.n) {
        memcpy(copy, root->selector.matchers, root->selector.n * sizeof(*copy));
    }
    *out = copy;
    *n = root->selector.n;
    return OK;
}

struct selectors {
    struct promql_selector *v;
    size_t n, cap;
};

static void collect(struct arena *a, const struct node *n, struct selectors *out)
{
    if (!n) return;
    switch (n->kind) {
    case NODE_SELECTOR:
        *vec_push(a, out) = (struct promql_selector){ n->selector.matchers, n->selector.n };
        break;
    case NODE_PAREN: collect(a, n->inner, out); break;
    case NODE_UNARY: collect(a, n->unary.inner, out); break;
    case NODE_BINARY:
        collect(a, n->binary.lhs, out);
        collect(a, n->binary.rhs, out);
        break;
    case NODE_CALL:
        for (size_t i = 0; i < n->call.n; i++) collect(a, n->call.args[i], out);
        break;
    case NODE_AGGREGATE:
        collect(a, n->aggregate.param, out);
        collect(a, n->aggregate.inner, out);
        break;
    case NODE_MATRIX: collect(a, n->matrix.selector, out); break;
    case NODE_SUBQUERY: collect(a, n->subquery.inner, out); break;
    case NODE_NUMBER:
    case NODE_STRING:
    case NODE_DURATION: break;
    }
}

size_t promql_selectors(const struct expr *e, struct arena *a, struct promql_selector **out)
{
    struct selectors found = { 0 };
    collect(a, e->root, &found);
    *out = found.v;
    return found.n;
}
