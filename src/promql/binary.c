/* SPDX-License-Identifier: Apache-2.0 */
/* Signs, and operators with a scalar on at least one side. Two vectors: match.c. */
#include "promql/eval_priv.h"
#include "promql/match.h"

double binary_value(enum token_kind op, double l, double r)
{
    switch (op) {
    case TOK_ADD: return l + r;
    case TOK_SUB: return l - r;
    case TOK_MUL: return l * r;
    case TOK_DIV: return l / r;
    case TOK_POW: return pow(l, r);
    case TOK_MOD: return fmod(l, r);
    case TOK_ATAN2: return atan2(l, r);
    default: return NOT_A_NUMBER;
    }
}

bool binary_holds(enum token_kind op, double l, double r)
{
    switch (op) {
    case TOK_EQLC: return l <= r && l >= r;
    case TOK_NEQ: return !(l <= r && l >= r);
    case TOK_GTR: return l > r;
    case TOK_LSS: return l < r;
    case TOK_GTE: return l >= r;
    case TOK_LTE: return l <= r;
    default: return false;
    }
}

/* ---- -v, +v ---- */

struct unary {
    row_fn *fn;
    void *ctx;
    const struct frame *f;
};

static enum err negate(struct query *q, void *ctx, struct row *r)
{
    struct unary *u = ctx;
    for (size_t i = 0; i < u->f->n; i++) {
        if (!is_absent(r->v[i])) r->v[i] = -r->v[i];
    }
    row_drop_name(q, r);
    return u->fn(q, u->ctx, r);
}

static enum err negated_rows(struct query *q, const struct node *n, const struct frame *f,
                             row_fn *fn, void *ctx)
{
    struct unary u = { fn, ctx, f };
    return eval_rows(q, n->unary.inner, f, negate, &u);
}

/* Names go at once, and the selector does not fix them: two series may become one. */
static bool names_may_clash(const struct query *q, const struct node *vector)
{
    return !query_has(q, PROMQL_DELAYED_NAME_REMOVAL) && node_names_differ(vector);
}

enum err unary_rows(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                    void *ctx)
{
    if (n->unary.op != TOK_SUB) return eval_rows(q, n->unary.inner, f, fn, ctx);
    if (names_may_clash(q, n->unary.inner)) {
        return rows_unique(q, n, f, true, negated_rows, fn, ctx);
    }
    return negated_rows(q, n, f, fn, ctx);
}

/* ---- vector and scalar ---- */

struct mixed {
    const struct node *n;
    const struct frame *f;
    const double *scalar;
    bool scalar_left;
    row_fn *fn;
    void *ctx;
};

/* A comparison without bool keeps the vector's value, on whichever side it stands. */
static double mixed_value(const struct mixed *m, double v, double s)
{
    enum token_kind op = m->n->binary.op;
    double l = m->scalar_left ? s : v, r = m->scalar_left ? v : s;
    if (!op_is_comparison(op)) return binary_value(op, l, r);
    bool holds = binary_holds(op, l, r);
    if (m->n->binary.to_bool) return holds ? 1 : 0;
    return holds ? v : ABSENT;
}

static enum err mixed_row(struct query *q, void *ctx, struct row *r)
{
    struct mixed *m = ctx;
    for (size_t i = 0; i < m->f->n; i++) {
        if (!is_absent(r->v[i])) r->v[i] = mixed_value(m, r->v[i], m->scalar[i]);
    }
    if (!op_is_comparison(m->n->binary.op) || m->n->binary.to_bool) row_drop_name(q, r);
    return m->fn(q, m->ctx, r);
}

static bool op_is_trim(enum token_kind op) { return op == TOK_TRIM_LOWER || op == TOK_TRIM_UPPER; }

/* </ and >/ cut native histograms; a float has nothing to cut. */
static enum err trim_row(struct query *q, void *ctx, struct row *r)
{
    struct mixed *m = ctx;
    (void)r;
    query_info(q, m->n,
               "incompatible sample types encountered for binary operator \"%s\": %s %s %s",
               token_text(m->n->binary.op), "float", token_text(m->n->binary.op), "float");
    return OK;
}

static enum err mixed_rows(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                           void *ctx)
{
    const struct node *lhs = n->binary.lhs, *rhs = n->binary.rhs;
    bool left = lhs->type == VALUE_SCALAR;
    double *scalar = values_new(q, f);
    TRY(eval_scalar(q, left ? lhs : rhs, f, scalar));
    struct mixed m = { n, f, scalar, left, fn, ctx };
    return eval_rows(q, left ? rhs : lhs, f, op_is_trim(n->binary.op) ? trim_row : mixed_row, &m);
}

enum err binary_rows(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                     void *ctx)
{
    const struct node *lhs = n->binary.lhs, *rhs = n->binary.rhs;
    bool vectors = lhs->type == VALUE_VECTOR && rhs->type == VALUE_VECTOR;
    if (vectors && !op_is_trim(n->binary.op)) return match_rows(q, n, f, fn, ctx);
    if (vectors) {
        struct mixed none = { .n = n };
        return eval_rows(q, lhs, f, trim_row, &none);
    }
    bool drops = !op_is_comparison(n->binary.op) || n->binary.to_bool;
    if (drops && names_may_clash(q, lhs->type == VALUE_SCALAR ? rhs : lhs)) {
        return rows_unique(q, n, f, false, mixed_rows, fn, ctx);
    }
    return mixed_rows(q, n, f, fn, ctx);
}
