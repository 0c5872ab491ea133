/* SPDX-License-Identifier: Apache-2.0 */
/* What rules write: samples of this evaluation, and the end of series that the last one wrote and this one did not. */
#include "rules/rules_priv.h"

#include <stdlib.h>

struct labels labels_clone(struct labels lb)
{
    size_t bytes = lb.n * sizeof(struct label);
    for (size_t i = 0; i < lb.n; i++) bytes += lb.v[i].name.n + lb.v[i].value.n;
    struct label *v = malloc(bytes ? bytes : 1);
    if (!v) abort();
    char *at = (char *)(v + lb.n);
    for (size_t i = 0; i < lb.n; i++) {
        struct str name = lb.v[i].name, value = lb.v[i].value;
        memcpy(at, name.p, name.n);
        v[i].name = str_make(at, name.n);
        at += name.n;
        if (value.n) memcpy(at, value.p, value.n);
        v[i].value = str_make(at, value.n);
        at += value.n;
    }
    return (struct labels){ v, lb.n };
}

void labels_release(struct labels lb) { free((void *)(uintptr_t)lb.v); }

static void output_free(struct output *o)
{
    if (!o) return;
    labels_release(o->labels);
    free(o);
}

void outputs_free(struct map64 *outputs)
{
    MAP_FOR(it, outputs) output_free(it->value);
    map64_done(outputs);
}

static struct output *output_of(struct rule *r, struct labels lb)
{
    uint64_t hash = labels_hash(lb);
    struct output *o = map64_get(&r->outputs, hash);
    if (o) return o;
    o = calloc(1, sizeof(*o));
    if (!o) abort();
    o->labels = labels_clone(lb);
    (void)map64_put(&r->outputs, hash, o);
    return o;
}

/* Stages one sample; a reference that the store dropped is asked for again. Refusals of a time are the store's to count. */
static enum err stage(struct appender *ap, struct output *o, int64_t t, double v, struct diag *d)
{
    for (int attempt = 0; attempt < 2; attempt++) {
        if (!o->has_ref) {
            TRY(ap->ops->series(ap, o->labels, &o->ref, d));
            o->has_ref = true;
        }
        enum err e = ap->ops->add(ap, o->ref, t, v);
        if (e != ERR_MISSING) {
            return e == ERR_RANGE || e == ERR_EXISTS || e == ERR_LIMIT ? OK : e;
        }
        o->has_ref = false;
    }
    return ERR_MISSING;
}

/* Every output not seen in this round ends. Their keys go to gone, at most as many as there are outputs. */
static size_t end_unseen(struct evaluation *x, struct appender *ap, uint64_t *gone)
{
    size_t n = 0;
    MAP_FOR(it, &x->rule->outputs) {
        struct output *o = it->value;
        if (o->seen == x->g->round) continue;
        (void)stage(ap, o, x->query_at, stale_nan(), NULL);
        gone[n++] = it->key;
    }
    return n;
}

enum err output_write(struct evaluation *x, const struct vector_sample *v, size_t n, struct diag *d)
{
    struct rule *r = x->rule;
    if (!n && !r->outputs.n) return OK;
    struct appendable *aa = x->g->env->appendable;
    struct appender *ap = aa->ops->open(aa);
    for (size_t i = 0; i < n; i++) {
        struct output *o = output_of(r, v[i].lb);
        o->seen = x->g->round;
        enum err e = stage(ap, o, v[i].t, v[i].v, d);
        if (e == OK) continue;
        ap->ops->rollback(ap);
        return e;
    }
    uint64_t *gone = arena_array(x->a, r->outputs.n, sizeof(*gone));
    size_t gone_n = end_unseen(x, ap, gone);
    struct append_result res;
    TRY(ap->ops->commit(ap, &res, d));
    for (size_t i = 0; i < gone_n; i++) output_free(map64_del(&r->outputs, gone[i]));
    x->samples += n;
    return OK;
}

void output_end(struct rule_group *g, struct map64 *outputs, int64_t at)
{
    if (outputs->n) {
        struct append_result res;
        struct appender *ap = g->env->appendable->ops->open(g->env->appendable);
        MAP_FOR(it, outputs) (void)stage(ap, it->value, at, stale_nan(), NULL);
        (void)ap->ops->commit(ap, &res, NULL);
    }
    outputs_free(outputs);
}
