/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/reader.h"

#include "base/assert.h"
#include "base/list.h"
#include "base/log.h"
#include "base/vec.h"
#include "codec/expowrite.h"
#include "remote/fetch.h"

#include <pthread.h>
#include <stdlib.h>

/* One configuration's entries, as long as a querier uses them. */
struct entries {
    const struct remote_read_options *o;
    size_t n;
    void *keep;
    void (*give_back)(void *keep);
    unsigned refs; /* under the reader's lock */
};

struct remote_reader {
    struct queryable base;
    struct remote_reader_env env;
    struct arena arena;
    pthread_mutex_t lock;
    struct entries *now;
    uint64_t queries, failed; /* under lock */
};

/* A series of several sources. */
struct merged {
    bool has_local;
    struct series local;
    const struct fetched **parts;
    size_t parts_n;
};

struct remote_querier {
    struct querier base;
    struct remote_reader *r;
    struct entries *entries;
    struct querier *local;
    struct column scratch;
};

static struct remote_querier *self(struct querier *q) { return (struct remote_querier *)q; }

/* --- entries --- */

static void entries_unref(struct remote_reader *r, struct entries *x)
{
    if (!x) return;
    pthread_mutex_lock(&r->lock);
    bool last = --x->refs == 0;
    pthread_mutex_unlock(&r->lock);
    if (!last) return;
    if (x->give_back) x->give_back(x->keep);
    free(x);
}

static struct entries *entries_ref(struct remote_reader *r)
{
    pthread_mutex_lock(&r->lock);
    struct entries *x = r->now;
    if (x) x->refs++;
    pthread_mutex_unlock(&r->lock);
    return x;
}

void remote_reader_apply(struct remote_reader *r, const struct remote_read_options *o, size_t n,
                         void *keep, void (*give_back)(void *keep))
{
    struct entries *x = calloc(1, sizeof(*x));
    ASSERT(x != NULL);
    *x = (struct entries){ .o = o, .n = n, .keep = keep, .give_back = give_back, .refs = 1 };
    pthread_mutex_lock(&r->lock);
    struct entries *was = r->now;
    r->now = x;
    pthread_mutex_unlock(&r->lock);
    entries_unref(r, was);
}

/* --- selecting --- */

static bool has_required(const struct remote_read_options *o, const struct matcher *m, size_t n)
{
    for (size_t i = 0; i < o->required_n; i++) {
        bool found = false;
        for (size_t k = 0; k < n && !found; k++) {
            found = m[k].op == MATCH_EQ && str_eq(m[k].name, o->required[i].name) &&
                    str_eq(m[k].value, o->required[i].value);
        }
        if (!found) return false;
    }
    return true;
}

struct source {
    struct fetched *v;
    size_t n;
};

static void count(struct remote_reader *r, bool failed)
{
    pthread_mutex_lock(&r->lock);
    r->queries++;
    r->failed += failed;
    pthread_mutex_unlock(&r->lock);
}

static void ask(struct remote_querier *q, const struct remote_read_options *o, struct arena *a,
                const struct matcher *m, size_t n, int64_t mint, int64_t maxt, struct source *out)
{
    struct diag d = { 0 };
    if (!has_required(o, m, n)) return;
    if (!o->read_recent) {
        int64_t start = q->r->env.local_start(q->r->env.ctx);
        if (maxt > start) maxt = start;
        if (mint > maxt) return;
    }
    enum err e = remote_fetch(o, q->r->env.agent, a, m, n, mint, maxt, &out->v, &out->n, &d);
    count(q->r, e != OK);
    if (e == OK) return;
    LOG(WARN, "remote read failed", kv("component", "remote"), kv("remote_name", o->from.name),
        kv("url", o->from.url), kv("err", d.text));
    *out = (struct source){ 0 };
}

/* The sources' heads with the least labels, local first, become one series. */
struct merge {
    struct series *local;
    size_t local_n, local_at;
    struct source *sources;
    size_t *at;
    size_t n;
};

static bool least(const struct merge *g, struct labels *out)
{
    bool any = g->local_at < g->local_n;
    if (any) *out = g->local[g->local_at].lb;
    for (size_t i = 0; i < g->n; i++) {
        if (g->at[i] == g->sources[i].n) continue;
        struct labels lb = g->sources[i].v[g->at[i]].lb;
        if (!any || labels_cmp(lb, *out) < 0) *out = lb;
        any = true;
    }
    return any;
}

static struct series take_least(struct merge *g, struct arena *a, struct labels lb)
{
    struct merged *x = arena_new(a, struct merged);
    x->parts = arena_array(a, g->n, sizeof(*x->parts));
    if (g->local_at < g->local_n && labels_eq(g->local[g->local_at].lb, lb)) {
        x->has_local = true;
        x->local = g->local[g->local_at++];
    }
    for (size_t i = 0; i < g->n; i++) {
        if (g->at[i] == g->sources[i].n || !labels_eq(g->sources[i].v[g->at[i]].lb, lb)) continue;
        x->parts[x->parts_n++] = &g->sources[i].v[g->at[i]++];
    }
    return (struct series){ .lb = lb, .ref = x->has_local ? x->local.ref : 0, .impl = x };
}

static enum err q_select(struct querier *base, struct arena *a, const struct matcher *m, size_t n,
                         int64_t mint, int64_t maxt, struct series **out, size_t *out_n,
                         struct diag *d)
{
    struct remote_querier *q = self(base);
    size_t count_of = q->entries->n;
    VEC(struct series) all = { 0 };
    struct merge g = { .n = count_of };
    struct labels lb;
    TRY(q->local->ops->select(q->local, a, m, n, mint, maxt, &g.local, &g.local_n, d));
    g.sources = arena_array(a, count_of, sizeof(*g.sources));
    g.at = arena_array(a, count_of, sizeof(*g.at));
    for (size_t i = 0; i < count_of; i++) {
        ask(q, &q->entries->o[i], a, m, n, mint, maxt, &g.sources[i]);
    }
    while (least(&g, &lb)) *vec_push(a, &all) = take_least(&g, a, lb);
    *out = all.v;
    *out_n = all.n;
    return OK;
}

/* --- reading --- */

/* First sample of f not before t. */
static size_t lower(const struct fetched *f, int64_t t)
{
    size_t lo = 0, hi = f->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (f->t[mid] < t) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

/* Samples of f in the gap before `until` (not included), behind what c has since `from`. */
static void fill(struct column *c, size_t from, const struct fetched *f, int64_t mint,
                 int64_t until, int64_t maxt)
{
    int64_t low = c->n > from && c->t[c->n - 1] >= mint ? c->t[c->n - 1] + 1 : mint;
    for (size_t i = lower(f, low); i < f->n && f->t[i] < until && f->t[i] <= maxt; i++) {
        column_push(c, f->t[i], f->v[i]);
    }
}

/* What one server has between the samples that are there; histograms of the local store stay what they are. */
static void merge_part(struct remote_querier *q, struct column *c, size_t from,
                       const struct fetched *f, int64_t mint, int64_t maxt)
{
    struct column *had = &q->scratch;
    column_clear(had);
    for (size_t i = from; i < c->n; i++) {
        if (c->h && c->h[i]) {
            column_push_histogram(had, c->t[i], c->h[i]);
        } else {
            column_push(had, c->t[i], c->v[i]);
        }
    }
    c->n = from;
    for (size_t i = 0; i < had->n; i++) {
        fill(c, from, f, mint, had->t[i], maxt);
        if (had->h && had->h[i]) {
            column_push_histogram(c, had->t[i], had->h[i]);
        } else {
            column_push(c, had->t[i], had->v[i]);
        }
    }
    fill(c, from, f, mint, INT64_MAX, maxt);
}

static enum err q_read(struct querier *base, const struct series *s, int64_t mint, int64_t maxt,
                       struct column *c)
{
    struct remote_querier *q = self(base);
    const struct merged *x = s->impl;
    size_t from = c->n;
    if (x->has_local) TRY(q->local->ops->read(q->local, &x->local, mint, maxt, c));
    for (size_t i = 0; i < x->parts_n; i++) merge_part(q, c, from, x->parts[i], mint, maxt);
    return OK;
}

static bool q_last(struct querier *base, const struct series *s, int64_t mint, int64_t maxt,
                   struct sample *out)
{
    struct remote_querier *q = self(base);
    const struct merged *x = s->impl;
    bool any = x->has_local && q->local->ops->last(q->local, &x->local, mint, maxt, out);
    for (size_t i = 0; i < x->parts_n; i++) {
        const struct fetched *f = x->parts[i];
        size_t end = maxt == INT64_MAX ? f->n : lower(f, maxt + 1);
        if (!end || f->t[end - 1] < mint || (any && f->t[end - 1] <= out->t)) continue;
        *out = (struct sample){ f->t[end - 1], f->v[end - 1] };
        any = true;
    }
    return any;
}

static enum err q_label_names(struct querier *base, struct arena *a, const struct matcher *m,
                              size_t n, struct str **out, size_t *out_n, struct diag *d)
{
    struct querier *l = self(base)->local;
    return l->ops->label_names(l, a, m, n, out, out_n, d);
}

static enum err q_label_values(struct querier *base, struct arena *a, struct str name,
                               const struct matcher *m, size_t n, struct str **out, size_t *out_n,
                               struct diag *d)
{
    struct querier *l = self(base)->local;
    return l->ops->label_values(l, a, name, m, n, out, out_n, d);
}

static void q_close(struct querier *base)
{
    struct remote_querier *q = self(base);
    q->local->ops->close(q->local);
    entries_unref(q->r, q->entries);
    column_done(&q->scratch);
    free(q);
}

static const struct querier_ops QUERIER_OPS = {
    .select = q_select,
    .read = q_read,
    .last = q_last,
    .label_names = q_label_names,
    .label_values = q_label_values,
    .close = q_close,
};

/* --- the queryable --- */

static enum err reader_open(struct queryable *base, int64_t mint, int64_t maxt,
                            struct querier **out, struct diag *d)
{
    struct remote_reader *r = CONTAINER_OF(base, struct remote_reader, base);
    struct querier *local;
    TRY(r->env.local->ops->open(r->env.local, mint, maxt, &local, d));
    struct entries *x = entries_ref(r);
    if (!x || !x->n) {
        entries_unref(r, x);
        *out = local;
        return OK;
    }
    struct remote_querier *q = calloc(1, sizeof(*q));
    ASSERT(q != NULL);
    q->base.ops = &QUERIER_OPS;
    q->r = r;
    q->entries = x;
    q->local = local;
    *out = &q->base;
    return OK;
}

static const struct queryable_ops QUERYABLE_OPS = { .open = reader_open };

struct remote_reader *remote_reader_new(const struct remote_reader_env *env)
{
    struct remote_reader *r = calloc(1, sizeof(*r));
    ASSERT(r != NULL);
    r->base.ops = &QUERYABLE_OPS;
    r->env = *env;
    r->env.agent = arena_dup(&r->arena, env->agent);
    pthread_mutex_init(&r->lock, NULL);
    return r;
}

void remote_reader_free(struct remote_reader *r)
{
    if (!r) return;
    entries_unref(r, r->now);
    pthread_mutex_destroy(&r->lock);
    arena_done(&r->arena);
    free(r);
}

struct queryable *remote_reader_queryable(struct remote_reader *r) { return &r->base; }

void remote_reader_write_metrics(struct remote_reader *r, struct buf *b)
{
    pthread_mutex_lock(&r->lock);
    uint64_t ok = r->queries - r->failed, failed = r->failed;
    pthread_mutex_unlock(&r->lock);
    const struct expo_label codes[] = { { STR("code"), STR("200") },
                                        { STR("code"), STR("error") } };
    expo_family(b, STR("prometheus_remote_storage_read_queries_total"),
                STR("The total number of remote read queries."), "counter");
    expo_sample(b, STR("prometheus_remote_storage_read_queries_total"), &codes[0], 1, (double)ok);
    expo_sample(b, STR("prometheus_remote_storage_read_queries_total"), &codes[1], 1,
                (double)failed);
}
