/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/rules_priv.h"

#include <inttypes.h>

enum err rule_query(struct evaluation *x, struct vector_sample **out, size_t *n, struct diag *d)
{
    struct evaluator *ev = x->g->env->evaluator;
    struct eval_range at = { x->query_at, x->query_at, 0 };
    struct value v;
    TRY(ev->ops->eval(ev, x->rule->expr, &at, x->a, NULL, &v, d));
    if (v.kind == VALUE_VECTOR) {
        *out = v.vector.v;
        *n = v.vector.n;
        return OK;
    }
    if (v.kind != VALUE_SCALAR) {
        return diag_set(d, ERR_SYNTAX, "rule result is not a vector or scalar");
    }
    *out = arena_new(x->a, struct vector_sample);
    **out = (struct vector_sample){ { NULL, 0 }, v.scalar.t, v.scalar.v, NULL };
    *n = 1;
    return OK;
}

static struct labels named(struct evaluation *x, struct labels lb)
{
    const struct rule *r = x->rule;
    struct labels_builder b;
    labels_builder_init(&b, x->a, lb);
    labels_set(&b, METRIC_NAME, r->name);
    for (size_t i = 0; i < r->labels.n; i++) {
        labels_set(&b, r->labels.v[i].name, r->labels.v[i].value);
    }
    return labels_build(&b);
}

enum err rule_eval_record(struct evaluation *x, struct vector_sample **out, size_t *n,
                          struct diag *d)
{
    struct vector_sample *v;
    size_t found;
    struct map64 seen = { 0 };
    bool twice = false;
    TRY(rule_query(x, &v, &found, d));
    for (size_t i = 0; i < found; i++) {
        v[i].lb = named(x, v[i].lb);
        v[i].t = x->query_at;
        twice |= map64_put(&seen, labels_hash(v[i].lb), v) != NULL;
    }
    map64_done(&seen);
    if (twice) {
        return diag_set(
            d, ERR_SYNTAX,
            "vector contains metrics with the same labelset after applying rule labels");
    }
    if (x->g->limit > 0 && found > (size_t)x->g->limit) {
        return diag_set(d, ERR_LIMIT, "exceeded limit of %" PRId64 " with %zu series", x->g->limit,
                        found);
    }
    *out = v;
    *n = found;
    return OK;
}
