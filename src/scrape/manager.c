/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manager.c - all scrapers: who is due, who stays after a reload, what the API sees
 */
#include "base/assert.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "base/vec.h"
#include "scrape/scrape.h"
#include "scrape/scraper.h"

#include <stdlib.h>

struct slot {
    struct heap_node due;
    struct list in_list; /* its job's active ones, or the manager's dying ones */
    struct scraper *s;
    bool kept; /* during a sync */
};

/* A scrape_config with its targets: the original's pool. */
struct job {
    struct list in_manager;
    struct str name; /* malloc'ed */
    const struct scrape_config *config;
    struct arena found_arena; /* what discoveries found last */
    struct sd_groups found;
    struct list active;
    struct map64 by_hash; /* of the target: slot; active ones */
    struct arena lists;   /* what the last sync found beside targets; under the lock */
    struct dropped_target *dropped;
    struct bad_target_status *bad;
    size_t dropped_n, dropped_total, bad_n, active_n;
    uint64_t syncs;
    bool kept; /* during apply() */
};

struct scrape_manager {
    struct scrape_shared shared;
    struct prom_config *config; /* the one that counts now; NULL before the first */
    struct heap due;
    struct list jobs, dying; /* jobs in the configuration's order; changed under the lock */
};

struct scrape_manager *scrape_manager_new(const struct scrape_options *o)
{
    struct scrape_manager *m = calloc(1, sizeof(*m));
    ASSERT(m && o->store && o->env.fetch && o->env.cancel && o->env.offload && o->env.mono_ns);
    m->shared.o = *o;
    pthread_mutex_init(&m->shared.lock, NULL);
    list_init(&m->jobs);
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

/* Without targets. */
static void job_free(struct job *j)
{
    list_remove(&j->in_manager);
    map64_done(&j->by_hash);
    arena_done(&j->found_arena);
    arena_done(&j->lists);
    free((void *)(uintptr_t)j->name.p);
    free(j);
}

void scrape_manager_free(struct scrape_manager *m)
{
    if (!m) return;
    LIST_FOR(jt, &m->jobs) {
        struct job *j = CONTAINER_OF(jt, struct job, in_manager);
        LIST_FOR(it, &j->active) {
            slot_free(m, CONTAINER_OF(it, struct slot, in_list));
        }
        job_free(j);
    }
    LIST_FOR(it, &m->dying) {
        slot_free(m, CONTAINER_OF(it, struct slot, in_list));
    }
    heap_done(&m->due);
    prom_config_unref(m->config);
    pthread_mutex_destroy(&m->shared.lock);
    free(m);
}

/* --- apply --- */

static struct slot *find_slot(struct job *j, const struct target *t)
{
    struct slot *slot = map64_get(&j->by_hash, t->hash);
    if (!slot || slot->kept) return NULL;
    const struct scraper *s = slot->s;
    bool same = str_eq(s->target.url, t->url) && labels_eq(s->target.labels, t->labels) &&
                scraper_reads_alike(s->config, j->config);
    return same ? slot : NULL;
}

static struct slot *add_slot(struct scrape_manager *m, struct job *j, const struct target *t,
                             int64_t now_ms)
{
    struct slot *slot = calloc(1, sizeof(*slot));
    ASSERT(slot);
    slot->s = scraper_new(&m->shared, m->config, j->config, t);
    scraper_schedule(slot->s, now_ms);
    pthread_mutex_lock(&m->shared.lock);
    list_add_tail(&j->active, &slot->in_list);
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

/* Bounded by keep_dropped_targets; the count is not. */
static void note_others(struct scrape_manager *m, struct job *j, const struct target_list *list)
{
    struct arena a = { 0 };
    int64_t most = j->config->limits.keep_dropped_targets;
    size_t n = most > 0 && (size_t)most < list->dropped_n ? (size_t)most : list->dropped_n;
    struct dropped_target *dropped = arena_array(&a, n, sizeof(*dropped));
    struct bad_target_status *bad = arena_array(&a, list->bad_n, sizeof(*bad));
    for (size_t i = 0; i < n; i++) {
        dropped[i] = (struct dropped_target){ j->name, labels_dup(&a, list->dropped[i]) };
    }
    for (size_t i = 0; i < list->bad_n; i++) {
        bad[i] = (struct bad_target_status){ j->name, labels_dup(&a, list->bad[i].discovered),
                                             arena_dup(&a, list->bad[i].why) };
    }
    pthread_mutex_lock(&m->shared.lock);
    arena_done(&j->lists);
    j->lists = a;
    j->dropped = dropped;
    j->dropped_n = n;
    j->dropped_total = list->dropped_n;
    j->bad = bad;
    j->bad_n = list->bad_n;
    j->active_n = list->n;
    j->syncs++;
    m->shared.stats.sync_failed += list->bad_n;
    pthread_mutex_unlock(&m->shared.lock);
}

/* What no sync kept has left the configuration, or nobody finds it any more. */
static void bury_others(struct scrape_manager *m, struct job *j, int64_t now_ms)
{
    pthread_mutex_lock(&m->shared.lock);
    map64_done(&j->by_hash);
    LIST_FOR(it, &j->active) {
        struct slot *slot = CONTAINER_OF(it, struct slot, in_list);
        if (slot->kept) {
            slot->kept = false;
            (void)map64_put(&j->by_hash, slot->s->target.hash, slot);
            continue;
        }
        list_remove(&slot->in_list);
        list_add_tail(&m->dying, &slot->in_list);
        scraper_bury(slot->s, now_ms);
        heap_set(&m->due, &slot->due, slot->s->tick_ms);
    }
    pthread_mutex_unlock(&m->shared.lock);
}

static void sync_job(struct scrape_manager *m, struct job *j, int64_t now_ms)
{
    ARENA(a, 0);
    struct target_list list;
    targets_of(&a, j->config, j->found, &list);
    for (size_t i = 0; i < list.n; i++) {
        struct slot *slot = find_slot(j, &list.v[i]);
        if (slot) {
            scraper_adopt(slot->s, m->config, j->config, &list.v[i], now_ms);
        } else {
            slot = add_slot(m, j, &list.v[i], now_ms);
        }
        slot->kept = true;
        limit_targets(slot->s, j->config, list.n);
        heap_set(&m->due, &slot->due, slot->s->tick_ms);
    }
    note_others(m, j, &list);
    bury_others(m, j, now_ms);
}

static struct job *find_job(const struct scrape_manager *m, struct str name)
{
    LIST_FOR(it, &m->jobs) {
        struct job *j = CONTAINER_OF(it, struct job, in_manager);
        if (str_eq(j->name, name)) return j;
    }
    return NULL;
}

static struct job *job_new(struct str name)
{
    struct job *j = calloc(1, sizeof(*j));
    char *copy = malloc(name.n + 1);
    ASSERT(j && copy);
    memcpy(copy, name.p, name.n);
    j->name = str_make(copy, name.n);
    list_init(&j->in_manager);
    list_init(&j->active);
    return j;
}

void scrape_manager_apply(struct scrape_manager *m, struct prom_config *c, int64_t now_ms)
{
    struct prom_config *was = m->config;
    m->config = prom_config_ref(c);
    LIST_FOR(it, &m->jobs) {
        CONTAINER_OF(it, struct job, in_manager)->kept = false;
    }
    for (size_t i = 0; i < c->scrape_configs.n; i++) {
        const struct scrape_config *config = &c->scrape_configs.v[i];
        struct job *j = find_job(m, config->job_name);
        if (!j) j = job_new(config->job_name);
        j->kept = true;
        j->config = config;
        pthread_mutex_lock(&m->shared.lock);
        list_remove(&j->in_manager);
        list_add_tail(&m->jobs, &j->in_manager);
        pthread_mutex_unlock(&m->shared.lock);
        sync_job(m, j, now_ms);
    }
    LIST_FOR(it, &m->jobs) {
        struct job *j = CONTAINER_OF(it, struct job, in_manager);
        if (j->kept) continue;
        bury_others(m, j, now_ms);
        pthread_mutex_lock(&m->shared.lock);
        job_free(j);
        pthread_mutex_unlock(&m->shared.lock);
    }
    prom_config_unref(was);
}

void scrape_manager_seed(struct scrape_manager *m, uint64_t seed)
{
    m->shared.o.offset_seed = seed;
}

void scrape_manager_found(struct scrape_manager *m, struct str job, struct sd_groups groups,
                          int64_t now_ms)
{
    struct job *j = find_job(m, job);
    if (!j) return;
    struct arena a = { 0 };
    struct sd_groups copy = sd_groups_copy(&a, groups);
    arena_done(&j->found_arena);
    j->found_arena = a;
    j->found = copy;
    sync_job(m, j, now_ms);
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

struct copies {
    VEC(struct target_status) active;
    VEC(struct dropped_target) dropped;
    VEC(struct dropped_count) counts;
    VEC(struct bad_target_status) bad;
};

static void copy_job(const struct job *j, struct arena *a, struct copies *out)
{
    struct str name = arena_dup(a, j->name);
    LIST_FOR(it, &j->active) {
        struct target_status copy = copy_status(a,
                                                &CONTAINER_OF(it, struct slot, in_list)->s->status);
        *vec_push(a, &out->active) = copy;
    }
    for (size_t i = 0; i < j->dropped_n; i++) {
        struct labels lb = labels_dup(a, j->dropped[i].discovered);
        *vec_push(a, &out->dropped) = (struct dropped_target){ name, lb };
    }
    for (size_t i = 0; i < j->bad_n; i++) {
        struct bad_target_status copy = { name, labels_dup(a, j->bad[i].discovered),
                                          arena_dup(a, j->bad[i].why) };
        *vec_push(a, &out->bad) = copy;
    }
    *vec_push(a, &out->counts) = (struct dropped_count){ name, j->dropped_total };
}

void scrape_targets(struct scrape_manager *m, struct arena *a, struct targets_status *out)
{
    struct copies c = { 0 };
    pthread_mutex_lock(&m->shared.lock);
    LIST_FOR(it, &m->jobs) {
        copy_job(CONTAINER_OF(it, struct job, in_manager), a, &c);
    }
    pthread_mutex_unlock(&m->shared.lock);
    *out = (struct targets_status){ c.active.v, c.dropped.v, c.counts.v, c.bad.v,
                                    c.active.n, c.dropped.n, c.counts.n, c.bad.n };
}

void scrape_pools(struct scrape_manager *m, struct arena *a, struct pool_status **out, size_t *n)
{
    VEC(struct pool_status) all = { 0 };
    pthread_mutex_lock(&m->shared.lock);
    LIST_FOR(it, &m->jobs) {
        const struct job *j = CONTAINER_OF(it, struct job, in_manager);
        *vec_push(a, &all) = (struct pool_status){ arena_dup(a, j->name), j->active_n, j->syncs,
                                                   j->config->limits.targets };
    }
    pthread_mutex_unlock(&m->shared.lock);
    *out = all.v;
    *n = all.n;
}

static struct metric_metadata copy_meta(struct arena *a, struct labels target,
                                        const struct meta_record *r)
{
    return (struct metric_metadata){ target, arena_dup(a, r->name), arena_dup(a, r->help),
                                     arena_dup(a, r->unit), r->type };
}

struct metas {
    VEC(struct metric_metadata) v;
};

static void copy_metas(struct arena *a, const struct scraper *s, struct str metric,
                       struct metas *out)
{
    struct labels target = labels_dup(a, s->status.labels);
    for (size_t i = 0; i < s->meta.n; i++) {
        if (metric.p && !str_eq(metric, s->meta.v[i].name)) continue;
        struct metric_metadata copy = copy_meta(a, target, &s->meta.v[i]);
        *vec_push(a, &out->v) = copy;
    }
}

void scrape_metadata(struct scrape_manager *m, struct arena *a, struct str metric,
                     struct metric_metadata **out, size_t *n)
{
    struct metas all = { 0 };
    pthread_mutex_lock(&m->shared.lock);
    LIST_FOR(jt, &m->jobs) {
        LIST_FOR(it, &CONTAINER_OF(jt, struct job, in_manager)->active) {
            copy_metas(a, CONTAINER_OF(it, struct slot, in_list)->s, metric, &all);
        }
    }
    pthread_mutex_unlock(&m->shared.lock);
    *out = all.v.v;
    *n = all.v.n;
}

void scrape_stats(struct scrape_manager *m, struct scrape_stats *out)
{
    pthread_mutex_lock(&m->shared.lock);
    *out = m->shared.stats;
    out->targets = out->cache_entries = 0;
    LIST_FOR(jt, &m->jobs) {
        LIST_FOR(it, &CONTAINER_OF(jt, struct job, in_manager)->active) {
            const struct scraper *s = CONTAINER_OF(it, struct slot, in_list)->s;
            out->targets++;
            out->cache_entries += s->status.series;
            out->cache_bytes += s->status.cache_bytes;
        }
    }
    pthread_mutex_unlock(&m->shared.lock);
}
