/* SPDX-License-Identifier: Apache-2.0 */
/*
 * groups.c - grouping, flushing, muting, and the question whether something is to be sent
 */
#include "alert/engine_priv.h"
#include "codec/goquote.h"

#include <stdlib.h>

#define FLUSH_LEAST_MS 10000 /* a flush has at least this long to be sent */
#define PAUSE_FIRST_MS 500

/* ---- groups ---- */
static struct labels group_labels(struct arena *a, const struct route *r, struct labels lb)
{
    if (r->group_by_all) return labels_dup(a, lb);
    struct label *v = arena_array(a, r->group_by_n, sizeof(*v));
    size_t n = 0;
    for (size_t i = 0; i < lb.n; i++) {
        for (size_t k = 0; k < r->group_by_n; k++) {
            if (str_eq(lb.v[i].name, r->group_by[k])) v[n++] = lb.v[i];
        }
    }
    return labels_dup(a, (struct labels){ v, n });
}

/* {a="x", b="y"} */
static void labels_text(struct buf *b, struct labels lb)
{
    buf_char(b, '{');
    for (size_t i = 0; i < lb.n; i++) {
        if (i) buf_putc(b, ", ");
        buf_put(b, lb.v[i].name);
        buf_char(b, '=');
        go_quote(b, lb.v[i].value);
    }
    buf_char(b, '}');
}

static struct group *group_new(struct alert_engine *e, const struct route *r, struct labels lb,
                               struct str id)
{
    struct group *g = calloc(1, sizeof(*g));
    if (!g) abort();
    BUF(b, 0);
    arena_init(&g->arena, 0);
    g->id = arena_dup(&g->arena, id);
    g->labels = labels_dup(&g->arena, lb);
    labels_text(&b, g->labels);
    g->key = arena_fmt(&g->arena, STR_FMT ":" STR_FMT, STR_ARG(r->key), STR_ARG(buf_str(&b)));
    g->route = r;
    g->receiver = config_receiver(e->config, r->receiver);
    g->sendings = calloc(g->receiver->n + 1, sizeof(struct sending *));
    if (!g->sendings) abort();
    (void)map_put(&e->groups, g->id, g);
    return g;
}

/* What is under way for it goes on, and finds no group at its end. */
static void group_free(struct alert_engine *e, struct group *g)
{
    for (size_t i = 0; i < g->receiver->n; i++) {
        struct sending *s = g->sendings[i];
        if (!s) continue;
        s->group = NULL;
        s->flush->group = NULL;
        if (!s->busy) sending_end(e, s, false);
    }
    MAP_FOR(slot, &g->alerts) alert_unref(slot->value);
    map64_done(&g->alerts);
    heap_remove(&e->due, &g->due);
    (void)map_del(&e->groups, g->id);
    arena_done(&g->arena);
    free(g->sendings);
    free(g);
}

void groups_clear(struct alert_engine *e)
{
    while (e->groups.n) {
        MAP_FOR(slot, &e->groups) {
            group_free(e, slot->value);
            break;
        }
    }
}

static void schedule(struct alert_engine *e, struct group *g, int64_t at)
{
    int64_t earliest = e->started_at + e->o.start_delay_ms;
    heap_set(&e->due, &g->due, at > earliest ? at : earliest);
}

static void group_put(struct alert_engine *e, struct group *g, struct alert *a, int64_t now)
{
    bool fresh = g->due.at == 0;
    alert_unref(map64_put(&g->alerts, a->fingerprint, alert_ref(a)));
    if (fresh) schedule(e, g, now + g->route->group_wait_ms);
    /* One that has waited long enough elsewhere (before our start, say) waits no more. */
    if (!g->flushed && a->starts_at + g->route->group_wait_ms < now) schedule(e, g, now);
}

void groups_add(struct alert_engine *e, struct alert *a, int64_t now)
{
    ARENA(arena, 0);
    const struct route **routes = arena_array(&arena, e->config->routes_n, sizeof(*routes));
    size_t n = config_routes(e->config, a->labels, routes);
    for (size_t i = 0; i < n; i++) {
        BUF(b, 0);
        struct labels lb = group_labels(&arena, routes[i], a->labels);
        buf_put(&b, routes[i]->id);
        buf_char(&b, 0);
        labels_text(&b, lb);
        struct group *g = map_get(&e->groups, buf_str(&b));
        if (!g) g = group_new(e, routes[i], lb, buf_str(&b));
        group_put(e, g, a, now);
    }
}

/* ---- one flush ---- */
static void flush_close(struct alert_engine *e, struct flush *f)
{
    if (--f->open > 0) return;
    struct group *g = f->group;
    for (size_t i = 0; i < f->n; i++) {
        struct alert *a = f->v[i].alert;
        /* Unless it changed meanwhile. */
        if (g && !f->failed && f->v[i].resolved && map64_get(&g->alerts, a->fingerprint) == a) {
            (void)map64_del(&g->alerts, a->fingerprint);
            alert_unref(a);
        }
        alert_unref(a);
    }
    bool empty = g && g->alerts.n == 0;
    for (size_t i = 0; g && i < g->receiver->n; i++) empty = empty && !g->sendings[i];
    free(f->v);
    free(f);
    if (empty) group_free(e, g);
}

static void sending_free(struct sending *s)
{
    for (size_t i = 0; i < s->nt.n; i++) alert_unref(s->nt.v[i].alert);
    alert_config_unref(s->nt.config);
    arena_done(&s->arena);
    free(s);
}

void sending_end(struct alert_engine *e, struct sending *s, bool ok)
{
    struct flush *f = s->flush;
    if (!ok) f->failed = true;
    if (s->group) {
        for (size_t i = 0; i < s->group->receiver->n; i++) {
            if (s->group->sendings[i] == s) s->group->sendings[i] = NULL;
        }
    }
    list_remove(&s->ready);
    heap_remove(&e->retries, &s->retry);
    e->pending--;
    sending_free(s);
    flush_close(e, f);
}

static int by_name(const struct alert *x, const struct alert *y)
{
    static const char *const first[] = { "job", "instance" };
    for (size_t i = 0; i < ARRAY_LEN(first); i++) {
        int c = str_cmp(labels_get(x->labels, str_c(first[i])),
                        labels_get(y->labels, str_c(first[i])));
        if (c) return c;
    }
    return labels_cmp(x->labels, y->labels);
}
static int compare(const void *x, const void *y)
{
    const struct notified *a = x, *b = y;
    return by_name(a->alert, b->alert);
}

static struct flush *flush_new(struct group *g, int64_t now)
{
    struct flush *f = calloc(1, sizeof(*f));
    if (!f) abort();
    f->v = calloc(g->alerts.n + 1, sizeof(*f->v));
    if (!f->v) abort();
    f->group = g;
    f->open = 1;
    MAP_FOR(slot, &g->alerts) {
        struct alert *a = slot->value;
        f->v[f->n++] = (struct notified){ alert_ref(a), alert_resolved(a, now),
                                          alert_log_hash(a->labels) };
    }
    qsort(f->v, f->n, sizeof(*f->v), compare);
    return f;
}

/* Is the group's route muted by a time interval now? */
static bool muted_by_time(struct alert_engine *e, const struct route *r, int64_t now, size_t count)
{
    bool active = r->active_n == 0;
    for (size_t i = 0; i < r->active_n && !active; i++) {
        active = interval_set_contains(config_interval(e->config, r->active[i]), now);
    }
    if (!active) e->stats.suppressed[SUPPRESSED_ACTIVE] += count;
    for (size_t i = 0; i < r->mute_n; i++) {
        if (!interval_set_contains(config_interval(e->config, r->mute[i]), now)) continue;
        e->stats.suppressed[SUPPRESSED_MUTE] += count;
        return true;
    }
    return !active;
}

/* The flush's alerts that nothing mutes, into v. */
static size_t audible(struct alert_engine *e, const struct flush *f, struct notified *v,
                      int64_t now)
{
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++) {
        if (inhibit_source(e, f->v[i].alert->labels, now)) {
            e->stats.suppressed[SUPPRESSED_INHIBITION]++;
        } else if (silenced(e, f->v[i].alert->labels, now)) {
            e->stats.suppressed[SUPPRESSED_SILENCE]++;
        } else {
            v[n++] = f->v[i];
        }
    }
    return n;
}

/* ---- is there news? ---- */
static bool contains(const uint64_t *v, size_t n, uint64_t x)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i] == x) return true;
    }
    return false;
}
static bool subset(const uint64_t *v, size_t n, const uint64_t *of, size_t of_n)
{
    for (size_t i = 0; i < n; i++) {
        if (!contains(of, of_n, v[i])) return false;
    }
    return true;
}

/* The reason for sending, or NULL for silence. */
static const char *news(const struct log_entry *last, const struct sending *s, bool send_resolved,
                        int64_t repeat_ms, int64_t now)
{
    if (!last) return s->firing_n ? "first_notification" : NULL;
    if (!subset(s->firing, s->firing_n, last->firing, last->firing_n)) {
        return last->firing_n ? "new_alerts_added" : "first_notification";
    }
    if (!s->firing_n) return last->firing_n ? "all_alerts_resolved" : NULL;
    if (send_resolved && !subset(s->resolved, s->resolved_n, last->resolved, last->resolved_n)) {
        return "some_alerts_resolved";
    }
    return last->at < now - repeat_ms ? "repeat_interval_elapsed" : NULL;
}

static void count_hashes(struct sending *s, const struct notified *v, size_t n)
{
    s->firing = arena_array(&s->arena, n, sizeof(*s->firing));
    s->resolved = arena_array(&s->arena, n, sizeof(*s->resolved));
    for (size_t i = 0; i < n; i++) {
        if (v[i].resolved) {
            s->resolved[s->resolved_n++] = v[i].hash;
        } else {
            s->firing[s->firing_n++] = v[i].hash;
        }
    }
}

static struct str log_key(struct arena *a, const struct group *g, const struct integration *in)
{
    return arena_fmt(a, STR_FMT ":" STR_FMT "/%s/%zu", STR_ARG(g->key), STR_ARG(g->receiver->name),
                     in->kind->name, in->index);
}

static void log_put(struct alert_engine *e, const struct sending *s, int64_t now)
{
    struct log_entry *le = log_entry_new();
    const struct integration *in = s->nt.integration;
    int64_t twice = s->nt.route->repeat_ms * 2;
    le->group_key = arena_dup(&le->arena, s->nt.group_key);
    le->receiver = arena_dup(&le->arena, in->receiver->name);
    le->integration = arena_dup(&le->arena, str_c(in->kind->name));
    le->index = (uint32_t)in->index;
    le->at = now;
    le->expires_at = now + (twice < e->o.retention_ms ? twice : e->o.retention_ms);
    uint64_t *firing = arena_array(&le->arena, s->firing_n, sizeof(*firing)),
             *resolved = arena_array(&le->arena, s->resolved_n, sizeof(*resolved));
    if (s->firing_n) memcpy(firing, s->firing, s->firing_n * sizeof(*firing));
    if (s->resolved_n) memcpy(resolved, s->resolved, s->resolved_n * sizeof(*resolved));
    le->firing = firing;
    le->firing_n = s->firing_n;
    le->resolved = resolved;
    le->resolved_n = s->resolved_n;
    log_entry_key(le);
    log_entry_write(&e->log_waiting, le);
    log_entry_free(map_put(&e->log, le->key, le));
}

static void fill_notification(struct alert_engine *e, struct group *g, struct sending *s,
                              const struct integration *in, const struct notified *v, size_t n,
                              int64_t now)
{
    struct notification *nt = &s->nt;
    nt->config = alert_config_ref(e->config);
    nt->route = g->route;
    nt->integration = in;
    nt->group_labels = labels_dup(&s->arena, g->labels);
    nt->group_key = arena_dup(&s->arena, g->key);
    nt->external_url = e->o.external_url;
    nt->now = now;
    nt->v = arena_array(&s->arena, n, sizeof(*nt->v));
    for (size_t i = 0; i < n; i++) {
        if (v[i].resolved && !in->send_resolved) continue;
        nt->v[nt->n] = v[i];
        (void)alert_ref(nt->v[nt->n++].alert);
    }
}

static struct sending *sending_new(struct flush *f, struct group *g)
{
    struct sending *s = calloc(1, sizeof(*s));
    if (!s) abort();
    arena_init(&s->arena, 0);
    list_init(&s->ready);
    s->flush = f;
    s->group = g;
    s->pause_ms = PAUSE_FIRST_MS;
    return s;
}

static void offer(struct alert_engine *e, struct group *g, struct flush *f, size_t i,
                  const struct notified *v, size_t n, int64_t now)
{
    const struct integration *in = &g->receiver->v[i];
    struct sending *old = g->sendings[i];
    if (in->unset.n || !in->kind->sent) return;
    if (old && old->busy) { /* the attempt under way ends first; the next flush looks again */
        f->failed = true;
        return;
    }
    if (old) sending_end(e, old, false);
    struct sending *s = sending_new(f, g);
    count_hashes(s, v, n);
    e->stats.log_queries++;
    const char *reason = news(map_get(&e->log, log_key(&s->arena, g, in)), s, in->send_resolved,
                              g->route->repeat_ms, now);
    fill_notification(e, g, s, in, v, n, now);
    int64_t room = g->route->group_interval_ms > FLUSH_LEAST_MS ? g->route->group_interval_ms
                                                                : FLUSH_LEAST_MS;
    s->nt.reason = reason;
    s->deadline = now + room;
    /* Without send_resolved an all-clear is only written down. */
    if (reason && !s->nt.n) log_put(e, s, now);
    if (!reason || !s->nt.n) {
        sending_free(s);
        return;
    }
    f->open++;
    e->pending++;
    g->sendings[i] = s;
    list_add_tail(&e->ready, &s->ready);
}

void group_flush(struct alert_engine *e, struct group *g, int64_t now)
{
    schedule(e, g, now + g->route->group_interval_ms);
    g->flushed = true;
    struct flush *f = flush_new(g, now);
    struct notified *v = calloc(f->n + 1, sizeof(*v));
    if (!v) abort();
    if (!muted_by_time(e, g->route, now, f->n)) {
        size_t n = audible(e, f, v, now);
        for (size_t i = 0; n && i < g->receiver->n; i++) offer(e, g, f, i, v, n, now);
    }
    free(v);
    flush_close(e, f);
}

/* ---- attempts ---- */
static bool is_busy(const struct alert_engine *e, const struct integration *in)
{
    for (size_t i = 0; i < e->busy.n; i++) {
        if (e->busy.v[i] == in) return true;
    }
    return false;
}

struct sending *alert_take(struct alert_engine *e, int64_t now)
{
    struct sending *found = NULL;
    (void)now;
    engine_lock(e);
    LIST_FOR(it, &e->ready) {
        struct sending *s = CONTAINER_OF(it, struct sending, ready);
        if (is_busy(e, s->nt.integration)) continue;
        found = s;
        list_remove(it);
        s->busy = true;
        *vec_push(&e->arena, &e->busy) = s->nt.integration;
        e->stats.kinds[s->nt.integration->kind - kinds].requests++;
        break;
    }
    engine_unlock(e);
    return found;
}

const struct notification *sending_notification(const struct sending *s) { return &s->nt; }
int64_t sending_deadline(const struct sending *s) { return s->deadline; }

static void count_failure(struct kind_stats *k, const char *reason)
{
    for (size_t i = 0; i < REASON_MAX_; i++) {
        if (reason && strcmp(reason, alert_reasons[i]) == 0) {
            k->failed[i]++;
            return;
        }
    }
    k->failed[REASON_OTHER]++;
}

void alert_done(struct alert_engine *e, struct sending *s, enum send_outcome outcome,
                const char *reason, int64_t now)
{
    engine_lock(e);
    struct kind_stats *k = &e->stats.kinds[s->nt.integration->kind - kinds];
    for (size_t i = 0; i < e->busy.n; i++) {
        if (e->busy.v[i] != s->nt.integration) continue;
        e->busy.v[i] = e->busy.v[--e->busy.n];
        break;
    }
    s->busy = false;
    if (outcome == SEND_OK) {
        k->notifications++;
        log_put(e, s, now);
        sending_end(e, s, true);
    } else {
        k->requests_failed++;
        /* Half as much or as little again, so that receivers are not asked by all groups at once. */
        int64_t pause = s->pause_ms / 2 + (int64_t)(engine_random(e) % (uint64_t)s->pause_ms);
        bool again = outcome == SEND_RETRY && s->group && now + pause < s->deadline;
        if (again) {
            heap_set(&e->retries, &s->retry, now + pause);
            s->pause_ms = s->pause_ms * 3 / 2 < 60000 ? s->pause_ms * 3 / 2 : 60000;
        } else {
            k->notifications++;
            count_failure(k, reason);
            sending_end(e, s, false);
        }
    }
    engine_unlock(e);
}
