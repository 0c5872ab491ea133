/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/rules.h"

#include "base/assert.h"
#include "base/vec.h"
#include "rules/rules_priv.h"

#include <stdlib.h>

struct groups {
    struct rule_group **v;
    size_t n;
};

struct rules {
    struct rules_env env;
    bool loaded;          /* a load went well before: later groups need no restoring */
    pthread_mutex_t lock; /* groups, for views; the loop alone changes them */
    struct groups groups;
    struct groups vanishing; /* waiting for their last run */
};

struct rules *rules_new(const struct rules_env *env)
{
    struct rules *r = calloc(1, sizeof(*r));
    if (!r) abort();
    r->env = *env;
    (void)pthread_mutex_init(&r->lock, NULL);
    return r;
}

static void groups_free(struct groups *g)
{
    for (size_t i = 0; i < g->n; i++) group_unref(g->v[i]);
    free(g->v);
    *g = (struct groups){ 0 };
}

static void groups_add(struct groups *g, struct rule_group *one)
{
    struct rule_group **v = realloc(g->v, (g->n + 1) * sizeof(struct rule_group *));
    if (!v) abort();
    g->v = v;
    g->v[g->n++] = one;
}

void rules_free(struct rules *r)
{
    if (!r) return;
    groups_free(&r->groups);
    groups_free(&r->vanishing);
    (void)pthread_mutex_destroy(&r->lock);
    free(r);
}

/* --- time --- */

/* The first slot at or after now. */
static int64_t slot_from(const struct rule_group *g, int64_t now)
{
    int64_t into = (now - g->slot_ms) % g->interval_ms;
    if (into < 0) into += g->interval_ms;
    return into ? now + g->interval_ms - into : now;
}

static void begin(struct rules *r, struct rule_group *g, int64_t now)
{
    int64_t late = now - g->next;
    g->missed_now = g->vanishing ? 0 : (uint64_t)(late / g->interval_ms);
    g->tick = g->next + (int64_t)g->missed_now * g->interval_ms;
    g->next = g->tick + g->interval_ms;
    g->last_run = g->vanishing;
    g->running = true;
    r->env.start(r->env.ctx, group_ref(g));
}

static int64_t tick_groups(struct rules *r, struct groups *v, int64_t now)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < v->n; i++) {
        struct rule_group *g = v->v[i];
        if (!g) continue;
        if (!g->running && !g->done && g->next <= now) begin(r, g, now);
        if (!g->running && !g->done && g->next < next) next = g->next;
    }
    return next;
}

static void drop_done(struct rules *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->vanishing.n; i++) {
        struct rule_group *g = r->vanishing.v[i];
        if (!g || g->done) {
            group_unref(g);
        } else {
            r->vanishing.v[kept++] = g;
        }
    }
    r->vanishing.n = kept;
}

int64_t rules_tick(struct rules *r, int64_t now)
{
    int64_t a = tick_groups(r, &r->groups, now);
    int64_t b = tick_groups(r, &r->vanishing, now);
    drop_done(r);
    return a < b ? a : b;
}

void rules_ran(struct rules *r, struct rule_group *g)
{
    (void)r;
    ASSERT(g->running);
    g->running = false;
    if (g->last_run) g->done = true;
    group_unref(g);
}

size_t rules_groups(struct rules *r, struct rule_group *const **out)
{
    *out = r->groups.v;
    return r->groups.n;
}

/* --- loading --- */

static enum err load_file(struct rules *r, const struct rules_settings *s,
                          const struct rules_source *file, struct groups *out, struct diag *d)
{
    ARENA(a, 0);
    struct rule_file f;
    struct diag why = { 0 };
    enum err e = rule_file_parse_loose(&a, file->text, r->env.evaluator, s->ignore_unknown, &f,
                                       &why);
    for (struct yaml_warning *w = e == OK ? f.warnings : NULL; w && r->env.warn; w = w->next) {
        r->env.warn(r->env.ctx, file->path, w);
    }
    for (size_t i = 0; e == OK && i < f.n; i++) {
        struct rule_group *g;
        e = group_new(&r->env, s, file->path, &f.groups[i], r->loaded, &g, &why);
        if (e == OK) groups_add(out, g);
    }
    if (e == OK) return OK;
    if (d) {
        d->line = why.line;
        d->col = why.col;
    }
    if (!why.line) return diag_set(d, e, STR_FMT ": %s", STR_ARG(file->path), why.text);
    return diag_set(d, e, STR_FMT ": %u:%u: %s", STR_ARG(file->path), why.line, why.col, why.text);
}

static struct rule_group **find(struct groups *v, const struct rule_group *like)
{
    for (size_t i = 0; i < v->n; i++) {
        struct rule_group *g = v->v[i];
        bool ending = g && g->vanishing && (g->running || g->done);
        if (g && !ending && str_eq(g->file, like->file) && str_eq(g->name, like->name)) {
            return &v->v[i];
        }
    }
    return NULL;
}

/* One of the new groups meets what stood in its place, or vanished shortly before. Takes it out of its list. */
static struct rule_group *settle(struct rules *r, struct groups *old, struct rule_group *fresh,
                                 int64_t now)
{
    struct rule_group **at = find(old, fresh);
    if (!at) at = find(&r->vanishing, fresh);
    struct rule_group *before = at ? *at : NULL;
    if (at) *at = NULL;
    if (before && before->vanishing) {
        before->vanishing = false;
        before->next = slot_from(before, now);
    }
    if (before && str_eq(before->signature, fresh->signature)) {
        group_unref(fresh);
        return before;
    }
    fresh->next = slot_from(fresh, now);
    fresh->former = before; /* with our reference */
    return fresh;
}

/* Its series end after two intervals, as the original has it. */
static void vanish(struct rules *r, struct rule_group *g, int64_t now)
{
    struct rule_group *last = g;
    last->vanishing = true;
    last->next = now + 2 * g->interval_ms;
    groups_add(&r->vanishing, last);
}

enum err rules_load(struct rules *r, const struct rules_settings *s, const struct rules_source *v,
                    size_t n, int64_t now, struct diag *d)
{
    struct groups fresh = { 0 };
    for (size_t i = 0; i < n; i++) {
        enum err e = load_file(r, s, &v[i], &fresh, d);
        if (e == OK) continue;
        groups_free(&fresh);
        return e;
    }
    (void)pthread_mutex_lock(&r->lock);
    struct groups old = r->groups;
    for (size_t i = 0; i < fresh.n; i++) fresh.v[i] = settle(r, &old, fresh.v[i], now);
    r->groups = fresh;
    (void)pthread_mutex_unlock(&r->lock);
    for (size_t i = 0; i < old.n; i++) {
        if (old.v[i]) vanish(r, old.v[i], now);
    }
    free(old.v);
    r->loaded = true;
    return OK;
}

/* --- views --- */

struct view_with_refs {
    struct rules_view view; /* first */
    struct published **refs;
};

struct rules_view *rules_view(struct rules *r)
{
    struct view_with_refs *v = calloc(1, sizeof(*v));
    if (!v) abort();
    (void)pthread_mutex_lock(&r->lock);
    size_t n = r->groups.n;
    v->refs = calloc(n ? n : 1, sizeof(struct published *));
    v->view.v = calloc(n ? n : 1, sizeof(const struct group_view *));
    if (!v->refs || !v->view.v) abort();
    for (size_t i = 0; i < n; i++) {
        v->refs[i] = group_published(r->groups.v[i]);
        v->view.v[i] = published_view(v->refs[i]);
    }
    v->view.n = n;
    (void)pthread_mutex_unlock(&r->lock);
    return &v->view;
}

void rules_view_unref(struct rules_view *view)
{
    if (!view) return;
    struct view_with_refs *v = (struct view_with_refs *)view;
    for (size_t i = 0; i < view->n; i++) published_unref(v->refs[i]);
    free(v->refs);
    free(view->v);
    free(v);
}
