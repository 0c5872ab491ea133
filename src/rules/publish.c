/* SPDX-License-Identifier: Apache-2.0 */
/* Views: what the API shows of a group, copied after each run, immutable, counted by references. */
#include "rules/rules_priv.h"

#include <stdlib.h>

struct published {
    _Atomic(unsigned) refs;
    struct arena a;
    struct group_view view;
};

static enum alert_state worst(struct rule *r)
{
    enum alert_state s = r->last_eval ? ALERT_INACTIVE : ALERT_UNKNOWN;
    MAP_FOR(it, &r->alerts) {
        const struct alert *al = it->value;
        if (al->state > s) s = al->state;
    }
    return s;
}

static int by_labels(const void *x, const void *y)
{
    const struct alert_view *a = x, *b = y;
    return labels_cmp(a->labels, b->labels);
}

/* Resolved ones are remembered, but not shown. */
static void show_alerts(struct arena *a, struct rule *r, struct rule_view *out)
{
    struct alert_view *v = arena_array(a, r->alerts.n, sizeof(*v));
    size_t n = 0;
    MAP_FOR(it, &r->alerts) {
        const struct alert *al = it->value;
        if (al->resolved_at) continue;
        v[n++] = (struct alert_view){ labels_dup(a, al->labels),
                                      labels_dup(a, al->annotations),
                                      al->state,
                                      al->value,
                                      al->active_at,
                                      al->keep_firing_since };
    }
    if (n) qsort(v, n, sizeof(*v), by_labels);
    out->alerts = v;
    out->alerts_n = n;
}

static void show_rule(struct arena *a, struct rule *r, struct rule_view *out)
{
    *out = (struct rule_view){
        .alerting = r->alerting,
        .name = arena_dup(a, r->name),
        .query = arena_dup(a, r->query),
        .for_ms = r->for_ms,
        .keep_firing_ms = r->keep_firing_ms,
        .labels = labels_dup(a, r->labels),
        .annotations = labels_dup(a, r->annotations),
        .health = r->health,
        .state = worst(r),
        .error = arena_dup(a, r->error),
        .eval_ns = r->eval_ns,
        .last_eval = r->last_eval,
    };
    show_alerts(a, r, out);
}

void group_publish(struct rule_group *g)
{
    struct published *p = calloc(1, sizeof(*p));
    if (!p) abort();
    p->refs = 1;
    (void)pthread_mutex_lock(&g->lock);
    struct rule_view *rules = arena_array(&p->a, g->n, sizeof(*rules));
    for (size_t i = 0; i < g->n; i++) show_rule(&p->a, &g->rules[i], &rules[i]);
    p->view = (struct group_view){
        .name = arena_dup(&p->a, g->name),
        .file = arena_dup(&p->a, g->file),
        .interval_ms = g->interval_ms,
        .limit = g->limit,
        .eval_ns = g->eval_ns,
        .last_eval = g->last_eval,
        .evaluations = g->evaluations,
        .failures = g->failures,
        .iterations = g->iterations,
        .missed = g->missed,
        .samples = g->samples,
        .rules = rules,
        .rules_n = g->n,
    };
    (void)pthread_mutex_unlock(&g->lock);
    (void)pthread_mutex_lock(&g->view_lock);
    struct published *before = g->view;
    g->view = p;
    (void)pthread_mutex_unlock(&g->view_lock);
    published_unref(before);
}

struct published *group_published(struct rule_group *g)
{
    (void)pthread_mutex_lock(&g->view_lock);
    struct published *p = g->view;
    p->refs++;
    (void)pthread_mutex_unlock(&g->view_lock);
    return p;
}

const struct group_view *published_view(const struct published *p) { return &p->view; }

void published_unref(struct published *p)
{
    if (!p || --p->refs) return;
    arena_done(&p->a);
    free(p);
}
