/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/receive.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "codec/expowrite.h"
#include "codec/remotepb.h"
#include "codec/snap.h"

#include <pthread.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    BODY_MAX = 32 << 20,
    AHEAD_MS = 10 * 60 * 1000, /* further in the future than this is refused */
    BLOCK = 64,                /* series that are looked up together */
    TABLE_MIN = 1024,
    TABLE_MAX = 4 << 20,
    KEEP_MAX = 8 << 20, /* of the buffer for unpacking, between requests */
};

/* Two independent halves: two label sets that share all 128 bits do not meet in this universe, and the seed is secret. */
struct seen {
    uint64_t h1, h2; /* both 0: free */
    uint64_t ref;
};

struct remote_receiver {
    struct appendable *store;
    pthread_mutex_t lock; /* the rest */
    struct buf
        spare; /* of a request that is done: fresh pages cost more than unpacking into them */
    struct seen *table;
    size_t n, cap;
    uint64_t bad_labels;
};

struct remote_receiver *remote_receiver_new(struct appendable *store)
{
    struct remote_receiver *r = calloc(1, sizeof(*r));
    ASSERT(r != NULL);
    r->store = store;
    pthread_mutex_init(&r->lock, NULL);
    return r;
}

void remote_receiver_free(struct remote_receiver *r)
{
    if (!r) return;
    pthread_mutex_destroy(&r->lock);
    buf_done(&r->spare);
    free(r->table);
    free(r);
}

/* --- the table --- */

/* The slot of the key, or the free one where it belongs. */
static struct seen *find(struct seen *table, size_t cap, uint64_t h1, uint64_t h2)
{
    size_t i = (size_t)h1 & (cap - 1);
    while ((table[i].h1 || table[i].h2) && (table[i].h1 != h1 || table[i].h2 != h2)) {
        i = (i + 1) & (cap - 1);
    }
    return &table[i];
}

static void grow(struct remote_receiver *r)
{
    size_t cap = r->cap ? r->cap * 2 : TABLE_MIN;
    if (r->n >= TABLE_MAX) { /* most are of series that are long gone */
        memset(r->table, 0, r->cap * sizeof(*r->table));
        r->n = 0;
        return;
    }
    struct seen *table = calloc(cap, sizeof(*table));
    ASSERT(table != NULL);
    for (size_t i = 0; i < r->cap; i++) {
        struct seen *s = &r->table[i];
        if (s->h1 || s->h2) *find(table, cap, s->h1, s->h2) = *s;
    }
    free(r->table);
    r->table = table;
    r->cap = cap;
}

/* A series of the request and its reference, 0 where it was not seen before. */
struct known {
    struct remotepb_item item;
    XXH128_hash_t key;
    uint64_t ref;
};

/* Of a whole block under one lock, each place fetched ahead. */
static void look_up(struct remote_receiver *r, struct known *v, size_t n)
{
    pthread_mutex_lock(&r->lock);
    if (r->n) {
        for (size_t i = 0; i < n; i++) {
            __builtin_prefetch(&r->table[(size_t)v[i].key.low64 & (r->cap - 1)]);
        }
        for (size_t i = 0; i < n; i++) {
            v[i].ref = find(r->table, r->cap, v[i].key.low64, v[i].key.high64)->ref;
        }
    }
    pthread_mutex_unlock(&r->lock);
}

static void remember(struct remote_receiver *r, XXH128_hash_t h, uint64_t ref)
{
    pthread_mutex_lock(&r->lock);
    if (r->n * 2 >= r->cap) grow(r);
    struct seen *s = find(r->table, r->cap, h.low64, h.high64);
    r->n += !s->h1 && !s->h2;
    *s = (struct seen){ h.low64, h.high64, ref };
    pthread_mutex_unlock(&r->lock);
}

/* --- one request --- */

struct work {
    struct remote_receiver *r;
    struct appender *ap;
    struct arena a; /* of one series' labels */
    int64_t latest;
    struct remote_received got;
    enum err refused; /* of the first refusal */
    struct diag *d;
};

static enum err bad_labels(struct work *w)
{
    w->got.bad_labels++;
    return ERR_MISSING;
}

/* Sorts, checks and creates. ERR_MISSING: the series is left out, as the original does. */
static enum err make_series(struct work *w, const struct remotepb_item *item, uint64_t *ref)
{
    struct remotepb_label *raw;
    size_t n;
    arena_reset(&w->a);
    if (remotepb_labels(&w->a, item, &raw, &n) != OK) {
        return diag_set(w->d, ERR_SYNTAX, "proto: illegal labels of a series");
    }
    struct label *v = arena_array(&w->a, n, sizeof(*v));
    for (size_t i = 0; i < n; i++) {
        if (!raw[i].name.n || !utf8_valid(raw[i].name) || !utf8_valid(raw[i].value)) {
            return bad_labels(w);
        }
        for (size_t k = 0; k < i; k++) {
            if (str_eq(raw[k].name, raw[i].name)) return bad_labels(w);
        }
        v[i] = (struct label){ raw[i].name, raw[i].value };
    }
    struct labels lb = labels_from(v, n);
    if (!labels_get(lb, METRIC_NAME).n) return bad_labels(w);
    return w->ap->ops->series(w->ap, lb, ref, w->d);
}

static void refuse(struct work *w, enum err e, bool ahead)
{
    w->got.refused++;
    if (w->refused != OK) return;
    w->refused = diag_set(w->d, ERR_RANGE, "%s",
                          ahead            ? "out of bounds: timestamp is too far in the future"
                          : e == ERR_RANGE ? "out of order sample"
                          : e == ERR_LIMIT ? "out of bounds"
                                           : "duplicate sample for timestamp");
}

static enum err add_sample(struct work *w, const struct remotepb_item *item, XXH128_hash_t key,
                           uint64_t *ref, const struct remotepb_sample *s)
{
    if (s->t > w->latest) {
        refuse(w, ERR_LIMIT, true);
        return OK;
    }
    enum err e = w->ap->ops->add(w->ap, *ref, s->t, s->v);
    if (e == ERR_MISSING) { /* the store has let the series go since */
        TRY(make_series(w, item, ref));
        remember(w->r, key, *ref);
        e = w->ap->ops->add(w->ap, *ref, s->t, s->v);
    }
    if (e == ERR_RANGE || e == ERR_EXISTS || e == ERR_LIMIT) {
        refuse(w, e, false);
        return OK;
    }
    return e;
}

static enum err add_series(struct work *w, const struct known *k)
{
    struct remotepb_others others = { 0 };
    struct remotepb_sample s;
    struct str rest = k->item.rest;
    uint64_t ref = k->ref;
    if (!ref) {
        enum err made = make_series(w, &k->item, &ref);
        if (made == ERR_MISSING) return OK;
        TRY(made);
        remember(w->r, k->key, ref);
    }
    enum err e;
    while ((e = remotepb_sample(&rest, &s, &others)) == OK) {
        e = add_sample(w, &k->item, k->key, &ref, &s);
        if (e == ERR_MISSING) return OK;
        TRY(e);
    }
    w->got.exemplars += others.exemplars;
    w->got.histograms += others.histograms;
    return e == ERR_EOF ? OK : diag_set(w->d, ERR_SYNTAX, "unexpected EOF");
}

static enum err add_block(struct work *w, struct known *v, size_t n)
{
    look_up(w->r, v, n);
    for (size_t i = 0; i < n; i++) TRY(add_series(w, &v[i]));
    return OK;
}

static enum err add_all(struct work *w, struct str message)
{
    struct known block[BLOCK];
    size_t n = 0;
    enum err e;
    while ((e = remotepb_next(&message, &block[n].item)) == OK) {
        struct known *k = &block[n];
        if (k->item.kind == REMOTEPB_METADATA) {
            w->got.metas++;
            continue;
        }
        struct str labels = k->item.labels;
        k->key = XXH3_128bits_withSeed(labels.p ? labels.p : "", labels.n, hash_seed);
        k->ref = 0;
        if (++n < BLOCK) continue;
        TRY(add_block(w, block, n));
        n = 0;
    }
    if (e != ERR_EOF) return diag_set(w->d, ERR_SYNTAX, "unexpected EOF");
    return add_block(w, block, n);
}

static enum err store(struct remote_receiver *r, struct str message, int64_t now_ms,
                      struct remote_received *out, struct diag *d)
{
    struct work w = { .r = r, .latest = now_ms + AHEAD_MS, .d = d };
    struct append_result res = { 0 };
    w.ap = r->store->ops->open(r->store);
    enum err e = add_all(&w, message);
    arena_done(&w.a);
    if (e != OK) {
        w.ap->ops->rollback(w.ap);
        return e;
    }
    TRY(w.ap->ops->commit(w.ap, &res, d));
    w.got.samples = res.added;
    pthread_mutex_lock(&r->lock);
    r->bad_labels += w.got.bad_labels;
    pthread_mutex_unlock(&r->lock);
    *out = w.got;
    return w.refused;
}

static struct buf take_spare(struct remote_receiver *r)
{
    pthread_mutex_lock(&r->lock);
    struct buf b = r->spare;
    r->spare = (struct buf){ 0 };
    pthread_mutex_unlock(&r->lock);
    b.max = BODY_MAX;
    return b;
}

static void give_back(struct remote_receiver *r, struct buf *b)
{
    buf_reset(b);
    pthread_mutex_lock(&r->lock);
    if (!r->spare.p && b->cap <= KEEP_MAX) {
        r->spare = *b;
        *b = (struct buf){ 0 };
    }
    pthread_mutex_unlock(&r->lock);
    buf_done(b);
}

enum err remote_receive(struct remote_receiver *r, struct str body, int64_t now_ms,
                        struct remote_received *out, struct diag *d)
{
    struct buf unpacked = take_spare(r);
    enum err e = snap_unpack(body, BODY_MAX, &unpacked);
    if (e == OK) {
        e = store(r, buf_str(&unpacked), now_ms, out, d);
    } else if (e == ERR_LIMIT) {
        e = diag_set(d, ERR_SYNTAX, "snappy: decoded block is too large");
    } else {
        e = diag_set(d, ERR_SYNTAX, "snappy: corrupt input");
    }
    give_back(r, &unpacked);
    return e;
}

void remote_receiver_write_metrics(struct remote_receiver *r, struct buf *b)
{
    static const char NAME[] = "prometheus_api_remote_write_invalid_labels_samples_total";
    pthread_mutex_lock(&r->lock);
    uint64_t bad = r->bad_labels;
    pthread_mutex_unlock(&r->lock);
    expo_family(b, str_c(NAME),
                STR("The total number of received remote write samples and histogram samples which "
                    "contained invalid labels."),
                "counter");
    expo_sample(b, str_c(NAME), NULL, 0, (double)bad);
}
