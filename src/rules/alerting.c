/* SPDX-License-Identifier: Apache-2.0 */
#include "base/vec.h"
#include "rules/rules_priv.h"

#include <inttypes.h>
#include <stdlib.h>

/* So long a resolved alert is remembered, so that its end is sent again. */
#define RESOLVED_KEPT_MS (INT64_C(15) * 60 * 1000)

const char *alert_state_text(enum alert_state s)
{
    static const char *const TEXT[] = { "unknown", "inactive", "pending", "firing" };
    return TEXT[s];
}

static void alert_free(struct alert *al)
{
    if (!al) return;
    labels_release(al->labels);
    labels_release(al->annotations);
    free(al);
}

void rule_alerts_free(struct rule *r)
{
    MAP_FOR(it, &r->alerts) alert_free(it->value);
    map64_done(&r->alerts);
}

/* --- the result of the query as alerts --- */

static struct labels expanded(struct evaluation *x, const struct vector_sample *s)
{
    const struct rule *r = x->rule;
    struct rule_text_env env = { x->g->env->evaluator, x->query_at, x->g->external_url,
                                 x->g->external_labels, NULL };
    struct labels_builder b;
    labels_builder_init(&b, x->a, s->lb);
    labels_del(&b, METRIC_NAME);
    for (size_t i = 0; i < r->labels.n; i++) {
        labels_set(&b, r->label_texts[i].name,
                   rule_text_expand(&r->label_texts[i].text, &env, s->lb, s->v, x->a));
    }
    labels_set(&b, STR("alertname"), r->name);
    return labels_build(&b);
}

static struct labels annotated(struct evaluation *x, const struct vector_sample *s)
{
    const struct rule *r = x->rule;
    struct rule_text_env env = { x->g->env->evaluator, x->query_at, x->g->external_url,
                                 x->g->external_labels, NULL };
    struct label *v = arena_array(x->a, r->annotations.n, sizeof(*v));
    for (size_t i = 0; i < r->annotations.n; i++) {
        v[i] = (struct label){ r->annotation_texts[i].name,
                               rule_text_expand(&r->annotation_texts[i].text, &env, s->lb, s->v,
                                                x->a) };
    }
    return (struct labels){ v, r->annotations.n };
}

struct found {
    uint64_t hash;
    struct labels labels, annotations;
    double value;
};

/* All or nothing: two elements with equal labels are an error before any alert changes. */
static enum err find_all(struct evaluation *x, const struct vector_sample *v, size_t n,
                         struct found *out, struct diag *d)
{
    struct map64 seen = { 0 };
    enum err e = OK;
    for (size_t i = 0; i < n && e == OK; i++) {
        struct labels lb = expanded(x, &v[i]);
        out[i] = (struct found){ labels_hash(lb), lb, annotated(x, &v[i]), v[i].v };
        if (map64_put(&seen, out[i].hash, &out[i])) {
            e = diag_set(d, ERR_SYNTAX,
                         "vector contains metrics with the same labelset after applying alert "
                         "labels");
        }
    }
    map64_done(&seen);
    return e;
}

static void take_found(struct evaluation *x, const struct found *f)
{
    struct rule *r = x->rule;
    struct alert *al = map64_get(&r->alerts, f->hash);
    if (al && al->state != ALERT_INACTIVE) {
        if (!labels_eq(al->annotations, f->annotations)) {
            labels_release(al->annotations);
            al->annotations = labels_clone(f->annotations);
        }
        al->value = f->value;
        al->seen = x->g->round;
        return;
    }
    struct alert *fresh = calloc(1, sizeof(*fresh));
    if (!fresh) abort();
    *fresh = (struct alert){ .labels = labels_clone(f->labels),
                             .annotations = labels_clone(f->annotations),
                             .state = ALERT_PENDING,
                             .value = f->value,
                             .active_at = x->tick,
                             .seen = x->g->round };
    alert_free(map64_put(&r->alerts, f->hash, fresh));
}

/* --- states --- */

/* An alert that the result no longer has. *forget: it may be deleted. Returns whether it still counts as active. */
static bool step_missing(const struct rule *r, struct alert *al, int64_t now, bool *forget)
{
    if (al->state == ALERT_FIRING && r->keep_firing_ms > 0) {
        if (!al->keep_firing_since) al->keep_firing_since = now;
        if (now - al->keep_firing_since < r->keep_firing_ms) return true;
    }
    *forget = al->state == ALERT_PENDING ||
              (al->resolved_at && now - al->resolved_at > RESOLVED_KEPT_MS);
    if (al->state != ALERT_INACTIVE) {
        al->state = ALERT_INACTIVE;
        al->resolved_at = now;
    }
    return false;
}

static void step_active(const struct rule *r, struct alert *al, int64_t now)
{
    int64_t lasted = now - al->active_at;
    if (al->state == ALERT_PENDING && lasted >= r->for_ms) {
        al->state = ALERT_FIRING;
        al->fired_at = now;
    } else if (al->state == ALERT_FIRING && lasted < r->for_ms) {
        al->state = ALERT_PENDING; /* `for` was made longer */
    }
}

struct results {
    struct vector_sample *v;
    size_t n, cap;
};

static void add_series(struct evaluation *x, struct results *out, const struct alert *al,
                       struct str metric, bool with_state, double value)
{
    struct labels_builder b;
    labels_builder_init(&b, x->a, al->labels);
    labels_set(&b, METRIC_NAME, metric);
    if (with_state) labels_set(&b, STR("alertstate"), str_c(alert_state_text(al->state)));
    if (out->n == out->cap) {
        size_t cap = out->cap ? out->cap * 2 : 64;
        struct vector_sample *v = arena_array(x->a, cap, sizeof(*v));
        if (out->n) memcpy(v, out->v, out->n * sizeof(*v));
        out->v = v;
        out->cap = cap;
    }
    out->v[out->n++] = (struct vector_sample){ labels_build(&b), x->query_at, value, NULL };
}

static void forget_all(struct evaluation *x, const uint64_t *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) alert_free(map64_del(&x->rule->alerts, keys[i]));
}

/* Every known alert takes one step; those that are active become series. */
static size_t step_all(struct evaluation *x, struct results *out)
{
    struct rule *r = x->rule;
    uint64_t *gone = arena_array(x->a, r->alerts.n, sizeof(*gone));
    size_t gone_n = 0, active = 0;
    MAP_FOR(it, &r->alerts) {
        struct alert *al = it->value;
        bool forget = false;
        if (al->seen == x->g->round) {
            al->keep_firing_since = 0;
        } else if (!step_missing(r, al, x->tick, &forget)) {
            if (forget) gone[gone_n++] = it->key;
            continue;
        }
        active++;
        step_active(r, al, x->tick);
        if (!r->restored) continue;
        add_series(x, out, al, STR("ALERTS"), true, 1);
        add_series(x, out, al, STR("ALERTS_FOR_STATE"), false, (double)(al->active_at / 1000));
    }
    forget_all(x, gone, gone_n);
    return active;
}

enum err rule_eval_alert(struct evaluation *x, struct vector_sample **out, size_t *n,
                         struct diag *d)
{
    struct vector_sample *v;
    size_t found_n;
    struct results results = { 0 };
    TRY(rule_query(x, &v, &found_n, d));
    struct found *found = arena_array(x->a, found_n, sizeof(*found));
    TRY(find_all(x, v, found_n, found, d));
    for (size_t i = 0; i < found_n; i++) take_found(x, &found[i]);
    size_t active = step_all(x, &results);
    if (x->g->limit > 0 && active > (size_t)x->g->limit) {
        rule_alerts_free(x->rule);
        return diag_set(d, ERR_LIMIT, "exceeded limit of %" PRId64 " with %zu alerts", x->g->limit,
                        active);
    }
    *out = results.v;
    *n = results.n;
    return OK;
}

/* --- telling --- */

static bool wants_sending(const struct alert *al, int64_t now, int64_t resend_delay)
{
    if (al->state == ALERT_PENDING) return false;
    if (al->resolved_at > al->last_sent_at) return true;
    return al->last_sent_at + resend_delay < now;
}

void rule_send_alerts(struct evaluation *x)
{
    const struct rules_env *env = x->g->env;
    if (!env->notifier) return;
    VEC(struct notice) out = { 0 };
    BUF(url, 0);
    int64_t delta = x->g->interval_ms > env->resend_delay_ms ? x->g->interval_ms
                                                             : env->resend_delay_ms;
    buf_put(&url, x->g->external_url);
    rule_graph_path(&url, x->rule->query, 1);
    MAP_FOR(it, &x->rule->alerts) {
        struct alert *al = it->value;
        if (!wants_sending(al, x->tick, env->resend_delay_ms)) continue;
        al->last_sent_at = x->tick;
        *vec_push(x->a, &out) = (struct notice){
            .labels = al->labels,
            .annotations = al->annotations,
            .starts_at = al->fired_at,
            .ends_at = al->resolved_at ? al->resolved_at : x->tick + 4 * delta,
            .generator_url = buf_str(&url),
        };
    }
    if (out.n) env->notifier->ops->send(env->notifier, out.v, out.n);
}
