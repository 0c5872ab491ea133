/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inhibit.c - which alert keeps which quiet
 *
 * Each rule holds its source alerts in buckets by the values of the equal labels, so asking costs one look-up a rule.
 * A bucket keeps every source, not one: when one resolves, another that still fires goes on inhibiting.
 */
#include "alert/engine_priv.h"
#include "base/hash.h"

#include <stdlib.h>

static uint64_t equal_hash(const struct inhibit_rule *r, struct labels lb)
{
    uint64_t h = FNV1A_INIT;
    for (size_t i = 0; i < r->equal_n; i++) {
        h = hash_fnv1a(h, labels_get(lb, r->equal[i]));
        h = hash_fnv1a(h, STR("\xff"));
    }
    return h;
}
static bool equal_values(const struct inhibit_rule *r, struct labels x, struct labels y)
{
    for (size_t i = 0; i < r->equal_n; i++) {
        if (!str_eq(labels_get(x, r->equal[i]), labels_get(y, r->equal[i]))) return false;
    }
    return true;
}

void inhibit_init(struct alert_engine *e)
{
    e->rules_n = e->config->rules_n;
    e->rules = calloc(e->rules_n + 1, sizeof(*e->rules));
    if (!e->rules) abort();
}

void inhibit_done(struct alert_engine *e)
{
    for (size_t i = 0; i < e->rules_n; i++) {
        MAP_FOR(slot, &e->rules[i].buckets) {
            struct bucket *b = slot->value;
            for (size_t k = 0; k < b->n; k++) alert_unref(b->v[k]);
            free(b->v);
            free(b);
        }
        map64_done(&e->rules[i].buckets);
    }
    free(e->rules);
    e->rules = NULL;
    e->rules_n = 0;
}

static void bucket_put(struct bucket *b, struct alert *a)
{
    for (size_t i = 0; i < b->n; i++) {
        if (b->v[i]->fingerprint != a->fingerprint) continue;
        alert_unref(b->v[i]);
        b->v[i] = alert_ref(a);
        return;
    }
    if (b->n == b->cap) {
        b->cap = b->cap ? b->cap * 2 : 4;
        b->v = realloc(b->v, b->cap * sizeof(struct alert *));
        if (!b->v) abort();
    }
    b->v[b->n++] = alert_ref(a);
}

void inhibit_put(struct alert_engine *e, struct alert *a)
{
    for (size_t i = 0; i < e->rules_n; i++) {
        const struct inhibit_rule *r = &e->config->rules[i];
        if (!matchers_match(r->source.v, r->source.n, a->labels)) continue;
        uint64_t h = equal_hash(r, a->labels);
        struct bucket *b = map64_get(&e->rules[i].buckets, h);
        if (!b) {
            b = calloc(1, sizeof(*b));
            if (!b) abort();
            (void)map64_put(&e->rules[i].buckets, h, b);
        }
        bucket_put(b, a);
    }
}

void inhibit_gc(struct alert_engine *e, int64_t now)
{
    for (size_t i = 0; i < e->rules_n; i++) {
        MAP_FOR(slot, &e->rules[i].buckets) {
            struct bucket *b = slot->value;
            for (size_t k = 0; k < b->n;) {
                if (!alert_resolved(b->v[k], now)) {
                    k++;
                    continue;
                }
                alert_unref(b->v[k]);
                b->v[k] = b->v[--b->n];
            }
        }
    }
}

const struct alert *inhibit_source(const struct alert_engine *e, struct labels lb, int64_t now)
{
    for (size_t i = 0; i < e->rules_n; i++) {
        const struct inhibit_rule *r = &e->config->rules[i];
        if (!matchers_match(r->target.v, r->target.n, lb)) continue;
        const struct bucket *b = map64_get(&e->rules[i].buckets, equal_hash(r, lb));
        bool both = matchers_match(r->source.v, r->source.n, lb);
        for (size_t k = 0; b && k < b->n; k++) {
            const struct alert *s = b->v[k];
            if (alert_resolved(s, now) || !equal_values(r, s->labels, lb)) continue;
            /* A target that could be a source itself is not inhibited by its like. */
            if (both && matchers_match(r->target.v, r->target.n, s->labels)) continue;
            return s;
        }
    }
    return NULL;
}
