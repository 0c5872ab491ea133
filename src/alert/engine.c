/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.c - the store of alerts, the clock, the files; groups.c and silences.c do the rest
 */
#include "alert/engine_priv.h"
#include "base/hash.h"
#include "io/file.h"

#include <stdlib.h>

const char *const alert_reasons[REASON_MAX_] = {
    "other",     "clientError", "serverError", "contextCanceled", "contextDeadlineExceeded",
    "authError", "rateLimited"
};

void engine_lock(struct alert_engine *e) { (void)pthread_mutex_lock(&e->lock); }
void engine_unlock(struct alert_engine *e) { (void)pthread_mutex_unlock(&e->lock); }

uint64_t engine_random(struct alert_engine *e)
{
    e->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = e->random;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* ---- files ---- */
static bool load_silence(void *ctx, struct str message)
{
    struct alert_engine *e = ctx;
    struct silence *s;
    if (silence_read(message, &s) != OK) return false;
    silence_free(map_put(&e->silences, s->id, s));
    return true;
}
static bool load_entry(void *ctx, struct str message)
{
    struct alert_engine *e = ctx;
    struct log_entry *le;
    if (log_entry_read(message, &le) != OK) return false;
    log_entry_free(map_put(&e->log, le->key, le));
    return true;
}

static enum err open_files(struct alert_engine *e, size_t cut[2], struct diag *d)
{
    if (!e->o.dir.n) return OK;
    TRY(dir_make(e->o.dir, d));
    TRY(journal_open(path_join(&e->arena, e->o.dir, STR("silences")), load_silence, e,
                     &e->silences_file, &cut[0], d));
    return journal_open(path_join(&e->arena, e->o.dir, STR("nflog")), load_entry, e, &e->log_file,
                        &cut[1], d);
}

static void take(struct buf *from, struct buf *to)
{
    buf_put(to, buf_str(from));
    buf_reset(from);
}
static void take_silences(void *ctx, struct buf *b)
{
    struct alert_engine *e = ctx;
    engine_lock(e);
    take(&e->silences_waiting, b);
    engine_unlock(e);
}
static void take_log(void *ctx, struct buf *b)
{
    struct alert_engine *e = ctx;
    engine_lock(e);
    take(&e->log_waiting, b);
    engine_unlock(e);
}

enum err alert_sync(struct alert_engine *e, bool silences, bool sync, struct diag *d)
{
    struct journal *j = silences ? e->silences_file : e->log_file;
    return j ? journal_flush(j, silences ? take_silences : take_log, e, sync, d) : OK;
}

static void all_silences(void *ctx, struct buf *b)
{
    struct alert_engine *e = ctx;
    engine_lock(e);
    buf_reset(&e->silences_waiting);
    MAP_FOR(slot, &e->silences) silence_write(b, slot->value);
    engine_unlock(e);
}
static void all_log(void *ctx, struct buf *b)
{
    struct alert_engine *e = ctx;
    engine_lock(e);
    buf_reset(&e->log_waiting);
    MAP_FOR(slot, &e->log) log_entry_write(b, slot->value);
    engine_unlock(e);
}

/* Removal moves slots: what is to go is gathered first. */
static void drop_expired(struct alert_engine *e, int64_t now)
{
    ARENA(a, 0);
    struct {
        struct str *v;
        size_t n, cap;
    } old = { 0 }, done = { 0 };
    MAP_FOR(slot, &e->silences) {
        const struct silence *s = slot->value;
        if (s->expires_at <= now) *vec_push(&a, &old) = s->id;
    }
    for (size_t i = 0; i < old.n; i++) silence_free(map_del(&e->silences, old.v[i]));
    MAP_FOR(slot, &e->log) {
        const struct log_entry *le = slot->value;
        if (le->expires_at <= now) *vec_push(&a, &done) = le->key;
    }
    for (size_t i = 0; i < done.n; i++) log_entry_free(map_del(&e->log, done.v[i]));
}

enum err alert_maintain(struct alert_engine *e, int64_t now, struct diag *d)
{
    engine_lock(e);
    drop_expired(e, now);
    e->stats.silences_maintenance++;
    e->stats.log_maintenance++;
    engine_unlock(e);
    if (!e->silences_file) return OK;
    enum err first = journal_rewrite(e->silences_file, all_silences, e, d);
    enum err second = journal_rewrite(e->log_file, all_log, e, first == OK ? d : NULL);
    engine_lock(e);
    e->stats.silences_maintenance_errors += first != OK;
    e->stats.log_maintenance_errors += second != OK;
    engine_unlock(e);
    return first != OK ? first : second;
}

/* ---- beginning and end ---- */
enum err alert_engine_new(const struct engine_options *o, struct alert_config *c, int64_t now,
                          struct alert_engine **out, size_t cut[2], struct diag *d)
{
    struct alert_engine *e = calloc(1, sizeof(*e));
    if (!e) abort();
    size_t own_cut[2] = { 0 };
    (void)pthread_mutex_init(&e->lock, NULL);
    arena_init(&e->arena, 0);
    list_init(&e->ready);
    buf_init(&e->silences_waiting, 0);
    buf_init(&e->log_waiting, 0);
    e->o = *o;
    e->o.dir = arena_dup(&e->arena, o->dir);
    e->o.external_url = arena_dup(&e->arena, o->external_url);
    e->random = o->seed;
    e->started_at = now;
    e->next_gc = now + o->gc_interval_ms;
    e->config = alert_config_ref(c);
    inhibit_init(e);
    enum err err = open_files(e, cut ? cut : own_cut, d);
    if (err != OK) {
        alert_engine_free(e);
        return err;
    }
    *out = e;
    return OK;
}

void alert_engine_free(struct alert_engine *e)
{
    if (!e) return;
    groups_clear(e);
    inhibit_done(e);
    MAP_FOR(slot, &e->alerts) alert_unref(slot->value);
    MAP_FOR(slot, &e->silences) silence_free(slot->value);
    MAP_FOR(slot, &e->log) log_entry_free(slot->value);
    map64_done(&e->alerts);
    map_done(&e->silences);
    map_done(&e->log);
    map_done(&e->groups);
    heap_done(&e->due);
    heap_done(&e->retries);
    buf_done(&e->silences_waiting);
    buf_done(&e->log_waiting);
    journal_close(e->silences_file);
    journal_close(e->log_file);
    alert_config_unref(e->config);
    arena_done(&e->arena);
    (void)pthread_mutex_destroy(&e->lock);
    free(e);
}

struct alert_config *alert_engine_config(struct alert_engine *e)
{
    engine_lock(e);
    struct alert_config *c = alert_config_ref(e->config);
    engine_unlock(e);
    return c;
}

void alert_engine_reload(struct alert_engine *e, struct alert_config *c, int64_t now)
{
    engine_lock(e);
    struct alert_config *old = e->config;
    groups_clear(e);
    inhibit_done(e);
    e->config = alert_config_ref(c);
    inhibit_init(e);
    MAP_FOR(slot, &e->alerts) {
        inhibit_put(e, slot->value);
        groups_add(e, slot->value, now);
    }
    engine_unlock(e);
    alert_config_unref(old);
}

/* ---- alerts ---- */
/* Do the times of two versions overlap, ends not counting? */
static bool overlaps(const struct alert *old, const struct alert *new)
{
    return (new->ends_at > old->starts_at &&new->ends_at < old->ends_at) ||
           (new->starts_at > old->starts_at &&new->starts_at < old->ends_at);
}

static void put_one(struct alert_engine *e, const struct alert *in, int64_t now)
{
    struct alert x = *in;
    x.updated_at = now;
    x.timeout = false;
    if (!x.starts_at) x.starts_at = x.ends_at ? x.ends_at : now;
    if (!x.ends_at) {
        x.timeout = true;
        x.ends_at = now + e->config->resolve_timeout_ms;
    }
    struct alert *fresh = alert_make(&x), *old = map64_get(&e->alerts, fresh->fingerprint);
    if (old && overlaps(old, fresh)) {
        struct alert *merged = alert_merge(old, fresh, now);
        alert_unref(fresh);
        fresh = merged;
    }
    alert_unref(map64_put(&e->alerts, fresh->fingerprint, fresh));
    inhibit_put(e, fresh);
    groups_add(e, fresh, now);
}

void alert_put(struct alert_engine *e, const struct alert *v, size_t n, int64_t now)
{
    engine_lock(e);
    for (size_t i = 0; i < n; i++) put_one(e, &v[i], now);
    engine_unlock(e);
}

static void collect_resolved(struct alert_engine *e, int64_t now)
{
    ARENA(a, 0);
    struct {
        uint64_t *v;
        size_t n, cap;
    } gone = { 0 };
    MAP_FOR(slot, &e->alerts) {
        if (alert_resolved(slot->value, now)) *vec_push(&a, &gone) = slot->key;
    }
    for (size_t i = 0; i < gone.n; i++) alert_unref(map64_del(&e->alerts, gone.v[i]));
    inhibit_gc(e, now);
}

int64_t alert_tick(struct alert_engine *e, int64_t now)
{
    engine_lock(e);
    for (struct heap_node *n; (n = heap_min(&e->due)) && n->key <= now;) {
        group_flush(e, CONTAINER_OF(n, struct group, due), now);
    }
    for (struct heap_node *n; (n = heap_min(&e->retries)) && n->key <= now;) {
        struct sending *s = CONTAINER_OF(n, struct sending, retry);
        heap_remove(&e->retries, n);
        list_add_tail(&e->ready, &s->ready);
    }
    if (now >= e->next_gc && e->o.gc_interval_ms > 0) {
        collect_resolved(e, now);
        e->next_gc = now + e->o.gc_interval_ms;
    }
    int64_t next = ALERT_NEVER;
    if (heap_min(&e->due)) next = heap_min(&e->due)->key;
    if (heap_min(&e->retries) && heap_min(&e->retries)->key < next) {
        next = heap_min(&e->retries)->key;
    }
    if (e->o.gc_interval_ms > 0 && e->next_gc < next) next = e->next_gc;
    engine_unlock(e);
    return next;
}

/* ---- looking ---- */
static struct str hex(struct arena *a, uint64_t v)
{
    return arena_fmt(a, "%016llx", (unsigned long long)v);
}

struct names {
    struct str *v;
    size_t n, cap;
};

static void look(struct alert_engine *e, struct alert *al, int64_t now, struct arena *a,
                 struct alert_view *out)
{
    struct names ids = { 0 }, receivers = { 0 };
    *out = (struct alert_view){ .alert = alert_ref(al) };
    MAP_FOR(slot, &e->silences) {
        const struct silence *s = slot->value;
        if (silence_state(s, now) == SILENCE_ACTIVE && silence_matches(s, al->labels)) {
            *vec_push(a, &ids) = arena_dup(a, s->id);
        }
    }
    const struct alert *source = inhibit_source(e, al->labels, now);
    if (source) {
        struct str *one = arena_new(a, struct str);
        *one = hex(a, source->fingerprint);
        out->inhibited_by = one;
        out->inhibited_n = 1;
    }
    const struct route **routes = arena_array(a, e->config->routes_n, sizeof(*routes));
    size_t n = config_routes(e->config, al->labels, routes);
    for (size_t i = 0; i < n; i++) *vec_push(a, &receivers) = arena_dup(a, routes[i]->receiver);
    out->silenced_by = ids.v;
    out->silenced_n = ids.n;
    out->receivers = receivers.v;
    out->receivers_n = receivers.n;
}

static int by_fingerprint(const void *x, const void *y)
{
    const struct alert_view *a = x, *b = y;
    uint64_t p = a->alert->fingerprint, q = b->alert->fingerprint;
    return (p > q) - (p < q);
}

void alert_views(struct alert_engine *e, int64_t now, struct arena *a, struct alert_views *out)
{
    engine_lock(e);
    out->v = arena_array(a, e->alerts.n, sizeof(*out->v));
    out->n = 0;
    MAP_FOR(slot, &e->alerts) {
        if (!alert_resolved(slot->value, now)) look(e, slot->value, now, a, &out->v[out->n++]);
    }
    engine_unlock(e);
    if (out->n) qsort(out->v, out->n, sizeof(*out->v), by_fingerprint);
}

void alert_views_done(struct alert_views *v)
{
    for (size_t i = 0; i < v->n; i++) alert_unref(v->v[i].alert);
    v->n = 0;
}

/* Names of the intervals that mute a group now. */
static void mutes(struct alert_engine *e, const struct route *r, int64_t now, struct arena *a,
                  struct names *out)
{
    for (size_t i = 0; i < r->mute_n; i++) {
        if (interval_set_contains(config_interval(e->config, r->mute[i]), now)) {
            *vec_push(a, out) = arena_dup(a, r->mute[i]);
        }
    }
    bool active = r->active_n == 0;
    for (size_t i = 0; i < r->active_n; i++) {
        active = active || interval_set_contains(config_interval(e->config, r->active[i]), now);
    }
    for (size_t i = 0; !active && i < r->active_n; i++) {
        *vec_push(a, out) = arena_dup(a, r->active[i]);
    }
}

static int by_labels(const void *x, const void *y)
{
    const struct group_view *a = x, *b = y;
    int c = labels_cmp(a->labels, b->labels);
    return c ? c : str_cmp(a->receiver, b->receiver);
}

void alert_groups(struct alert_engine *e, int64_t now, struct arena *a, struct group_view **out,
                  size_t *n)
{
    engine_lock(e);
    struct group_view *v = arena_array(a, e->groups.n, sizeof(*v));
    *n = 0;
    MAP_FOR(slot, &e->groups) {
        struct group *g = slot->value;
        struct group_view *view = &v[(*n)++];
        struct names muted = { 0 };
        mutes(e, g->route, now, a, &muted);
        *view = (struct group_view){ .receiver = arena_dup(a, g->receiver->name),
                                     .labels = labels_dup(a, g->labels),
                                     .next_flush = g->due.key };
        view->alerts.v = arena_array(a, g->alerts.n, sizeof(*view->alerts.v));
        MAP_FOR(it, &g->alerts) {
            if (alert_resolved(it->value, now)) continue;
            struct alert_view *av = &view->alerts.v[view->alerts.n++];
            look(e, it->value, now, a, av);
            av->muted_by = muted.v;
            av->muted_n = muted.n;
        }
        if (view->alerts.n) {
            qsort(view->alerts.v, view->alerts.n, sizeof(*view->alerts.v), by_fingerprint);
        } else {
            --*n;
        }
    }
    engine_unlock(e);
    if (*n) qsort(v, *n, sizeof(*v), by_labels);
    *out = v;
}

void alert_stats(struct alert_engine *e, int64_t now, struct engine_stats *out)
{
    engine_lock(e);
    *out = e->stats;
    out->groups = e->groups.n;
    out->log_entries = e->log.n;
    out->pending = e->pending;
    MAP_FOR(slot, &e->silences) out->silences[silence_state(slot->value, now)]++;
    engine_unlock(e);
    out->silences_bytes = e->silences_file ? journal_size(e->silences_file) : 0;
    out->log_bytes = e->log_file ? journal_size(e->log_file) : 0;
}
