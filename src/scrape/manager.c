/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manager.c - all scrapers: who is due, who stays after a reload, what the API sees
 */
#include "base/assert.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/vec.h"
#include "scrape/scrape.h"
#include "scrape/scraper.h"

#include <stdlib.h>

struct slot {
    struct heap_node due;
    struct list in_list; /* active or dying */
    struct scraper *s;
    bool kept; /* during apply() */
};

struct scrape_manager {
    struct scrape_shared shared;
    struct heap due;
    struct list active, dying;
    struct arena lists; /* what apply() found beside targets; under the lock */
    struct dropped_target *dropped;
    struct dropped_count *counts;
    struct bad_target_status *bad;
    size_t dropped_n, counts_n, bad_n;
};

struct scrape_manager *scrape_manager_new(const struct scrape_options *o)
{
    struct scrape_manager *m = calloc(1, sizeof(*m));
    ASSERT(m && o->store && o->env.fetch && o->env.cancel && o->env.offload && o->env.mono_ns);
    m->shared.o = *o;
    pthread_mutex_init(&m->shared.lock, NULL);
    list_init(&m->active);
    list_init(&m->dying);
    return m;
}

static void slot_free(struct scrape_manager *m, struct slot *slot)
{
    heap_remove(&m->due, &slot->due);
    list_remove(&slot->in_list);
    scraper_free(slot->s);
    free(slot);
}

void scrape_manager_free(struct scrape_manager *m)
{
    if (!m) return;
    LIST_FOR(it, &m->active) {
        slot_free(m, CONTAINER_OF(it, struct slot, in_list));
    }
    LIST_FOR(it, &m->dying) {
        slot_free(m, CONTAINER_OF(it, struct slot, in_list));
    }
    heap_done(&m->due);
    arena_done(&m->lists);
    pthread_mutex_destroy(&m->shared.lock);
    free(m);
}

/* --- apply --- */

static struct slot *find_slot(struct scrape_manager *m, const struct scrape_config *c,
                              const struct target *t)
{
    LIST_FOR(it, &m->active) {
        struct slot *slot = CONTAINER_OF(it, struct slot, in_list);
        const struct scraper *s = slot->s;
        if (!slot->kept && s->target.hash == t->hash && str_eq(s->target.url, t->url) &&
            str_eq(s->config->job_name, c->job_name) && labels_eq(s->target.labels, t->labels) &&
            scraper_reads_alike(s->config, c)) {
            return slot;
        }
    }
    return NULL;
}

static struct slot *add_slot(struct scrape_manager *m, struct prom_config *holder,
                             const struct scrape_config *c, const struct target *t, int64_t now_ms)
{
    struct slot *slot = calloc(1, sizeof(*slot));
    ASSERT(slot);
    slot->s = scraper_new(&m->shared, holder, c, t);
    scraper_schedule(slot->s, now_ms);
    pthread_mutex_lock(&m->shared.lock);
    list_add_tail(&m->active, &slot->in_list);
    pthread_mutex_unlock(&m->shared.lock);
    return slot;
}

static void limit_targets(struct scraper *s, const struct scrape_config *c, size_t n)
{
    s->over_target_limit = c->limits.targets > 0 && n > (size_t)c->limits.targets;
    if (s->over_target_limit) {
        s->target_limit_text = arena_fmt(
            &s->arena, "target_limit exceeded (number of targets: %zu, limit: %lld)", n,
            (long long)c->limits.targets);
    }
}

struct found {
    VEC(struct dropped_target) dropped;
    VEC(struct dropped_count) counts;
    VEC(struct bad_target_status) bad;
};

/* Bounded by keep_dropped_targets; the counts are not. */
static void note_others(struct arena *a, const struct scrape_config *c,
                        const struct target_list *list, struct found *f)
{
    struct str job = arena_dup(a, c->job_name);
    int64_t most = c->limits.keep_dropped_targets;
    *vec_push(a, &f->counts) = (struct dropped_count){ job, list->dropped_n };
    for (size_t i = 0; i < list->dropped_n && (most == 0 || i < (size_t)most); i++) {
        *vec_push(a, &f->dropped) = (struct dropped_target){ job, labels_dup(a, list->dropped[i]) };
    }
    for (size_t i = 0; i < list->bad_n; i++) {
        *vec_push(a, &f->bad) = (struct bad_target_status){ job,
                                                            labels_dup(a, list->bad[i].discovered),
                                                            arena_dup(a, list->bad[i].why) };
    }
}

static void apply_job(struct scrape_manager *m, struct prom_config *holder,
                      const struct scrape_config *c, int64_t now_ms, struct arena *lists,
                      struct found *f)
{
    ARENA(a, 0);
    struct target_list list;
    targets_of(&a, c, &list);
    for (size_t i = 0; i < list.n; i++) {
        struct slot *slot = find_slot(m, c, &list.v[i]);
        if (slot) {
            scraper_adopt(slot->s, holder, c, &list.v[i], now_ms);
        } else {
            slot = add_slot(m, holder, c, &list.v[i], now_ms);
        }
        slot->kept = true;
        limit_targets(slot->s, c, list.n);
        heap_set(&m->due, &slot->due, slot->s->tick_ms);
    }
    note_others(lists, c, &list, f);
}

static void bury_others(struct scrape_manager *m, int64_t now_ms)
{
    pthread_mutex_lock(&m->shared.lock);
    LIST_FOR(it, &m->active) {
        struct slot *slot = CONTAINER_OF(it, struct slot, in_list);
        if (!slot->kept) {
            list_remove(&slot->in_list);
            list_add_tail(&m->dying, &slot->in_list);
            scraper_bury(slot->s, now_ms);
            heap_set(&m->due, &slot->due, slot->s->tick_ms);
        }
        slot->kept = false;
    }
    pthread_mutex_unlock(&m->shared.lock);
}

void scrape_manager_apply(struct scrape_manager *m, struct prom_config *c, int64_t now_ms)
{
    struct arena lists = { 0 };
    struct found f = { 0 };
    for (size_t i = 0; i < c->scrape_configs.n; i++) {
        apply_job(m, c, &c->scrape_configs.v[i], now_ms, &lists, &f);
    }
    bury_others(m, now_ms);
    pthread_mutex_lock(&m->shared.lock);
    arena_done(&m->lists);
    m->lists = lists;
    m->dropped = f.dropped.v;
    m->dropped_n = f.dropped.n;
    m->counts = f.counts.v;
    m->counts_n = f.counts.n;
    m->bad = f.bad.v;
    m->bad_n = f.bad.n;
    m->shared.stats.sync_failed += f.bad.n;
    pthread_mutex_unlock(&m->shared.lock);
}

/* --- tick --- */

static void collect_dead(struct scrape_manager *m)
{
    LIST_FOR(it, &m->dying) {
        struct slot *slot = CONTAINER_OF(it, struct slot, in_list);
        if (slot->s->dead) slot_free(m, slot);
    }
}

int64_t scrape_manager_tick(struct scrape_manager *m, int64_t now_ms)
{
    collect_dead(m);
    for (struct heap_node *n; (n = heap_min(&m->due)) && n->key <= now_ms;) {
        struct slot *slot = CONTAINER_OF(n, struct slot, due);
        int64_t next = scraper_tick(slot->s, now_ms);
        if (next == INT64_MAX) {
            heap_remove(&m->due, n);
        } else {
            heap_set(&m->due, n, next);
        }
    }
    collect_dead(m);
    struct heap_node *n = heap_min(&m->due);
    return n ? n->key : INT64_MAX;
}

/* --- for the API --- */

const char *target_health_text(enum target_health h)
{
    static const char *const TEXTS[] = { "unknown", "up", "down" };
    return TEXTS[h];
}

static struct target_status copy_status(struct arena *a, const struct target_status *s)
{
    struct target_status out = *s;
    out.job = arena_dup(a, s->job);
    out.url = arena_dup(a, s->url);
    out.labels = labels_dup(a, s->labels);
    out.discovered = labels_dup(a, s->discovered);
    out.last_error = arena_dup(a, s->last_error);
    return out;
}

static void copy_others(const struct scrape_manager *m, struct arena *a, struct targets_status *out)
{
    out->dropped = arena_array(a, m->dropped_n, sizeof(*out->dropped));
    out->counts = arena_array(a, m->counts_n, sizeof(*out->counts));
    out->bad = arena_array(a, m->bad_n, sizeof(*out->bad));
    for (size_t i = 0; i < m->dropped_n; i++) {
        out->dropped[i] = (struct dropped_target){ arena_dup(a, m->dropped[i].job),
                                                   labels_dup(a, m->dropped[i].discovered) };
    }
    for (size_t i = 0; i < m->counts_n; i++) {
        out->counts[i] = (struct dropped_count){ arena_dup(a, m->counts[i].job), m->counts[i].n };
    }
    for (size_t i = 0; i < m->bad_n; i++) {
        out->bad[i] = (struct bad_target_status){ arena_dup(a, m->bad[i].job),
                                                  labels_dup(a, m->bad[i].discovered),
                                                  arena_dup(a, m->bad[i].why) };
    }
    out->dropped_n = m->dropped_n;
    out->counts_n = m->counts_n;
    out->bad_n = m->bad_n;
}

void scrape_targets(struct scrape_manager *m, struct arena *a, struct targets_status *out)
{
    VEC(struct target_status) active = { 0 };
    pthread_mutex_lock(&m->shared.lock);
    LIST_FOR(it, &m->active) {
        const struct scraper *s = CONTAINER_OF(it, struct slot, in_list)->s;
        struct target_status copy = copy_status(a, &s->status);
        *vec_push(a, &active) = copy;
    }
    *out = (struct targets_status){ .active = active.v, .active_n = active.n };
    copy_others(m, a, out);
    pthread_mutex_unlock(&m->shared.lock);
}

static struct metric_metadata copy_meta(struct arena *a, struct labels target,
                                        const struct meta_record *r)
{
    return (struct metric_metadata){ target, arena_dup(a, r->name), arena_dup(a, r->help),
                                     arena_dup(a, r->unit), r->type };
}

void scrape_metadata(struct scrape_manager *m, struct arena *a, struct str metric,
                     struct metric_metadata **out, size_t *n)
{
    VEC(struct metric_metadata) all = { 0 };
    pthread_mutex_lock(&m->shared.lock);
    LIST_FOR(it, &m->active) {
        const struct scraper *s = CONTAINER_OF(it, struct slot, in_list)->s;
        struct labels target = labels_dup(a, s->status.labels);
        for (size_t i = 0; i < s->meta.n; i++) {
            if (metric.p && !str_eq(metric, s->meta.v[i].name)) continue;
            struct metric_metadata copy = copy_meta(a, target, &s->meta.v[i]);
            *vec_push(a, &all) = copy;
        }
    }
    pthread_mutex_unlock(&m->shared.lock);
    *out = all.v;
    *n = all.n;
}

void scrape_stats(struct scrape_manager *m, struct scrape_stats *out)
{
    pthread_mutex_lock(&m->shared.lock);
    *out = m->shared.stats;
    out->targets = out->cache_entries = 0;
    LIST_FOR(it, &m->active) {
        const struct scraper *s = CONTAINER_OF(it, struct slot, in_list)->s;
        out->targets++;
        out->cache_entries += s->status.series;
        out->cache_bytes += s->status.cache_bytes;
    }
    pthread_mutex_unlock(&m->shared.lock);
}
