/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After a start, alerts take over since when they were active from ALERTS_FOR_STATE, so that a restart does not
 * begin `for` anew. Source: rules/group.go RestoreForState.
 */
#include "rules/rules_priv.h"

static void restore_alert(const struct rule_group *g, const struct rule *r, struct alert *al,
                          const struct sample *last, int64_t now)
{
    if (is_stale_nan(last->v)) return;
    int64_t down_at = last->t / 1000 * 1000;
    int64_t active_at = (int64_t)last->v * 1000;
    int64_t remaining = r->for_ms - (down_at - active_at);
    if (remaining > 0 && remaining < g->env->for_grace_ms) {
        active_at = now + g->env->for_grace_ms - r->for_ms;
    } else if (remaining > 0) {
        active_at += now - down_at;
    }
    al->active_at = active_at;
}

/* The alert whose labels are those of an ALERTS_FOR_STATE series without its name. */
static struct alert *alert_of(const struct rule *r, struct labels series, struct arena *a)
{
    return map64_get(&r->alerts, labels_hash(labels_without(a, series, NULL, 0)));
}

static enum err restore_from(struct rule_group *g, struct rule *r, struct querier *q, int64_t from,
                             int64_t now, struct arena *a)
{
    struct matcher m[] = {
        { MATCH_EQ, METRIC_NAME, STR("ALERTS_FOR_STATE"), NULL },
        { MATCH_EQ, STR("alertname"), r->name, NULL },
    };
    struct series *v;
    size_t n;
    TRY(q->ops->select(q, a, m, ARRAY_LEN(m), from, now, &v, &n, NULL));
    for (size_t i = 0; i < n; i++) {
        struct alert *al = alert_of(r, v[i].lb, a);
        struct sample last;
        if (al && q->ops->last(q, &v[i], from, now, &last)) restore_alert(g, r, al, &last, now);
    }
    return OK;
}

void group_restore(struct rule_group *g, int64_t now, struct arena *a)
{
    struct querier *q = NULL;
    int64_t from = now - g->env->outage_tolerance_ms;
    struct queryable *qa = g->env->queryable;
    if (qa && qa->ops->open(qa, from, now, &q, NULL) != OK) q = NULL;
    for (size_t i = 0; i < g->n; i++) {
        struct rule *r = &g->rules[i];
        if (!r->alerting || r->restored) continue;
        bool worth = r->for_ms >= g->env->for_grace_ms;
        if (worth && q) (void)restore_from(g, r, q, from, now, a);
        r->restored = true;
    }
    if (q) q->ops->close(q);
}
