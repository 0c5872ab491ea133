/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/promtool/memstore.h"

#include "base/assert.h"

#include <stdlib.h>

/* --- series --- */

static const struct queryable_ops QUERYABLE;
static const struct appendable_ops APPENDABLE;

void memstore_init(struct memstore *s)
{
    *s = (struct memstore){ .queryable = { &QUERYABLE },
                            .appendable = { &APPENDABLE },
                            .till = INT64_MAX };
    arena_init(&s->a, 0);
}

void memstore_done(struct memstore *s)
{
    for (size_t i = 0; i < s->v.n; i++) column_done(&s->v.v[i]->c);
    map64_done(&s->by_hash);
    arena_done(&s->a);
}

struct memseries *memstore_series(struct memstore *s, struct labels lb)
{
    struct memseries *x = map64_get(&s->by_hash, labels_hash(lb));
    if (x && labels_eq(x->lb, lb)) return x;
    for (size_t i = 0; x && i < s->v.n; i++) {
        if (labels_eq(s->v.v[i]->lb, lb)) return s->v.v[i];
    }
    struct memseries *fresh = arena_new(&s->a, struct memseries);
    fresh->lb = labels_dup(&s->a, lb);
    *vec_push(&s->a, &s->v) = fresh;
    if (!x) (void)map64_put(&s->by_hash, labels_hash(lb), fresh);
    s->sorted = false;
    return fresh;
}

static int by_labels(const void *a, const void *b)
{
    return labels_cmp((*(struct memseries *const *)a)->lb, (*(struct memseries *const *)b)->lb);
}

/* --- reading --- */

struct memquerier {
    struct querier q; /* first */
    struct memstore *s;
};

static struct memstore *store_of(struct querier *q) { return ((struct memquerier *)q)->s; }

/* First index whose time is at least t. */
static size_t index_from(const struct column *c, int64_t t)
{
    size_t lo = 0, hi = c->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (c->t[mid] >= t) {
            hi = mid;
        } else {
            lo = mid + 1;
        }
    }
    return lo;
}

static int64_t visible(const struct memstore *s, int64_t maxt)
{
    return maxt < s->till ? maxt : s->till;
}

static enum err mem_select(struct querier *q, struct arena *a, const struct matcher *m, size_t n,
                           int64_t mint, int64_t maxt, struct series **out, size_t *out_n,
                           struct diag *d)
{
    struct memstore *s = store_of(q);
    struct series *found = arena_array(a, s->v.n, sizeof(*found));
    size_t count = 0;
    (void)d;
    maxt = visible(s, maxt);
    for (size_t i = 0; i < s->v.n; i++) {
        struct memseries *x = s->v.v[i];
        if (!matchers_match(m, n, x->lb)) continue;
        if (!x->c.n || x->c.t[0] > maxt || x->c.t[x->c.n - 1] < mint) continue;
        found[count++] = (struct series){ x->lb, i, x };
    }
    *out = found;
    *out_n = count;
    return OK;
}

static enum err mem_read(struct querier *q, const struct series *s, int64_t mint, int64_t maxt,
                         struct column *c)
{
    const struct column *own = &((const struct memseries *)s->impl)->c;
    maxt = visible(store_of(q), maxt);
    for (size_t i = index_from(own, mint); i < own->n && own->t[i] <= maxt; i++) {
        column_push(c, own->t[i], own->v[i]);
    }
    return OK;
}

static bool mem_last(struct querier *q, const struct series *s, int64_t mint, int64_t maxt,
                     struct sample *out)
{
    const struct column *own = &((const struct memseries *)s->impl)->c;
    maxt = visible(store_of(q), maxt);
    size_t behind = maxt == INT64_MAX ? own->n : index_from(own, maxt + 1);
    if (!behind || own->t[behind - 1] < mint) return false;
    *out = (struct sample){ own->t[behind - 1], own->v[behind - 1] };
    return true;
}

/* Rules and expressions never ask for names. NOLINTNEXTLINE(readability-non-const-parameter) */
static enum err no_names(struct querier *q, struct arena *a, const struct matcher *m, size_t n,
                         struct str **out, size_t *out_n, struct diag *d)
{
    (void)q, (void)a, (void)m, (void)n, (void)out, (void)out_n;
    return diag_set(d, ERR_UNSUPPORTED, "names are not looked up here");
}

static enum err no_values(struct querier *q, struct arena *a, struct str name,
                          const struct matcher *m, size_t n, struct str **out, size_t *out_n,
                          struct diag *d)
{
    (void)name;
    return no_names(q, a, m, n, out, out_n, d);
}

static void mem_close(struct querier *q) { free(q); }

static const struct querier_ops QUERIER = { .select = mem_select,
                                            .read = mem_read,
                                            .last = mem_last,
                                            .label_names = no_names,
                                            .label_values = no_values,
                                            .close = mem_close };

static enum err mem_open(struct queryable *qa, int64_t mint, int64_t maxt, struct querier **out,
                         struct diag *d)
{
    struct memstore *s = (struct memstore *)qa;
    struct memquerier *q = malloc(sizeof(*q));
    (void)mint, (void)maxt, (void)d;
    ASSERT(q != NULL);
    if (!s->sorted && s->v.n) qsort(s->v.v, s->v.n, sizeof(*s->v.v), by_labels);
    s->sorted = true;
    *q = (struct memquerier){ { &QUERIER }, s };
    *out = &q->q;
    return OK;
}

static const struct queryable_ops QUERYABLE = { .open = mem_open };

/* --- writing: a transaction keeps what it adds until it is committed --- */

struct staged {
    struct memseries *to;
    int64_t t;
    double v;
};

struct memappender {
    struct appender ap; /* first */
    struct memstore *s;
    struct arena a;
    VEC(struct staged) v;
};

static enum err mem_series(struct appender *ap, struct labels lb, uint64_t *ref, struct diag *d)
{
    struct memappender *x = (struct memappender *)ap;
    if (!lb.n) return diag_set(d, ERR_SYNTAX, "a series without labels");
    *ref = (uint64_t)(uintptr_t)memstore_series(x->s, lb);
    return OK;
}

static enum err mem_add(struct appender *ap, uint64_t ref, int64_t t, double v)
{
    struct memappender *x = (struct memappender *)ap;
    struct memseries *to = (struct memseries *)(uintptr_t)ref; /* series() gave it */
    const struct column *c = &to->c;
    if (c->n && c->t[c->n - 1] > t) return ERR_RANGE;
    if (c->n && c->t[c->n - 1] == t) {
        return bits_of_double(c->v[c->n - 1]) == bits_of_double(v) ? OK : ERR_EXISTS;
    }
    *vec_push(&x->a, &x->v) = (struct staged){ to, t, v };
    return OK;
}

static void mem_end(struct appender *ap)
{
    struct memappender *x = (struct memappender *)ap;
    arena_done(&x->a);
    free(x);
}

static enum err mem_commit(struct appender *ap, struct append_result *res, struct diag *d)
{
    struct memappender *x = (struct memappender *)ap;
    (void)d;
    VEC_FOR(it, &x->v) {
        column_push(&it->to->c, it->t, it->v);
        if (res) res->added++;
    }
    mem_end(ap);
    return OK;
}

static enum err no_histograms(struct appender *ap, uint64_t ref, int64_t t,
                              const struct histogram *h)
{
    (void)ap, (void)ref, (void)t, (void)h;
    return ERR_UNSUPPORTED;
}

static const struct appender_ops APPENDER = { .series = mem_series,
                                              .add = mem_add,
                                              .commit = mem_commit,
                                              .rollback = mem_end,
                                              .add_histogram = no_histograms };

static struct appender *mem_append(struct appendable *aa)
{
    struct memstore *s = (struct memstore *)(void *)((char *)aa -
                                                     offsetof(struct memstore, appendable));
    struct memappender *x = calloc(1, sizeof(*x));
    ASSERT(x != NULL);
    x->ap.ops = &APPENDER;
    x->s = s;
    arena_init(&x->a, 0);
    return &x->ap;
}

static const struct appendable_ops APPENDABLE = { .open = mem_append };
