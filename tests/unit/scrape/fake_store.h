/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_store.h - a store over arrays, with the order checks of a real one; tells each transaction as text.
 * Transactions take turns: open waits for the end of another thread's.
 */
#ifndef TESTS_UNIT_SCRAPE_FAKE_STORE_H
#define TESTS_UNIT_SCRAPE_FAKE_STORE_H

#include "base/assert.h"
#include "base/list.h"
#include "base/map.h"
#include "base/vec.h"
#include "codec/num.h"
#include "model/storage.h"

#include <pthread.h>

struct fake_series {
    struct labels lb;
    struct sample last;
    size_t samples;
    bool gone; /* the store has forgotten it: its ref is no longer good */
};

struct fake_staged {
    uint64_t ref;
    struct sample s;
};

struct fake_store {
    struct appendable base;
    struct appender appender;
    pthread_mutex_t lock;
    _Atomic(size_t) opening; /* calls of open(), those that wait included */
    struct arena arena;
    VEC(struct fake_series) series; /* ref is index + 1 */
    VEC(struct fake_staged) staged;
    struct map64 by_hash;
    struct append_result refused;
    struct buf log;                   /* of committed transactions: one line a sample */
    bool open, full;                  /* full: commits fail */
    size_t most;                      /* series; 0: no limit */
    size_t commits, rollbacks, asked; /* asked: calls of series() */
    bool quiet;                       /* no log: benchmarks */
};

static inline struct fake_store *fake_of(struct appender *ap)
{
    return CONTAINER_OF(ap, struct fake_store, appender);
}

static inline enum err fake_series_op(struct appender *ap, struct labels lb, uint64_t *ref,
                                      struct diag *d)
{
    struct fake_store *st = fake_of(ap);
    st->asked++;
    uint64_t hash = labels_hash(lb), known = (uint64_t)(uintptr_t)map64_get(&st->by_hash, hash);
    if (known && !st->series.v[known - 1].gone) {
        ASSERT(labels_eq(st->series.v[known - 1].lb, lb));
        *ref = known;
        return OK;
    }
    if (st->most && st->series.n >= st->most) {
        return diag_set(d, ERR_LIMIT, "the store holds %zu series, its limit", st->most);
    }
    *vec_push(&st->arena, &st->series) = (struct fake_series){ .lb = labels_dup(&st->arena, lb) };
    *ref = st->series.n;
    (void)map64_put(&st->by_hash, hash, (void *)st->series.n);
    return OK;
}

static inline enum err fake_add(struct appender *ap, uint64_t ref, int64_t t, double v)
{
    struct fake_store *st = fake_of(ap);
    if (!ref || ref > st->series.n || st->series.v[ref - 1].gone) return ERR_MISSING;
    struct fake_series *s = &st->series.v[ref - 1];
    if (s->samples && t < s->last.t) {
        st->refused.out_of_order++;
        return ERR_RANGE;
    }
    if (s->samples && t == s->last.t) {
        if (bits_of_double(v) == bits_of_double(s->last.v)) return OK;
        st->refused.duplicate++;
        return ERR_EXISTS;
    }
    *vec_push(&st->arena, &st->staged) = (struct fake_staged){ ref, { t, v } };
    return OK;
}

static inline void fake_log(struct fake_store *st, const struct fake_staged *it)
{
    labels_write(&st->log, st->series.v[it->ref - 1].lb);
    buf_fmt(&st->log, " @%lld ", (long long)it->s.t);
    if (is_stale_nan(it->s.v)) {
        buf_putc(&st->log, "stale");
    } else {
        num_write_f(&st->log, it->s.v);
    }
    buf_char(&st->log, '\n');
}

static inline enum err fake_commit(struct appender *ap, struct append_result *res, struct diag *d)
{
    struct fake_store *st = fake_of(ap);
    st->open = false;
    if (st->full) {
        pthread_mutex_unlock(&st->lock);
        return diag_set(d, ERR_SYS, "write wal/00000001: no space left on device");
    }
    for (size_t i = 0; i < st->staged.n; i++) {
        struct fake_staged *it = &st->staged.v[i];
        struct fake_series *s = &st->series.v[it->ref - 1];
        if (s->samples && it->s.t <= s->last.t) {
            st->refused.duplicate++;
            continue;
        }
        s->last = it->s;
        s->samples++;
        if (!st->quiet) fake_log(st, it);
    }
    *res = st->refused;
    res->added = st->staged.n;
    st->commits++;
    pthread_mutex_unlock(&st->lock);
    return OK;
}

static inline void fake_rollback(struct appender *ap)
{
    struct fake_store *st = fake_of(ap);
    st->open = false;
    st->rollbacks++;
    pthread_mutex_unlock(&st->lock);
}

static inline struct appender *fake_open(struct appendable *aa)
{
    struct fake_store *st = CONTAINER_OF(aa, struct fake_store, base);
    st->opening++;
    pthread_mutex_lock(&st->lock);
    ASSERT(!st->open);
    st->open = true;
    st->staged.n = 0;
    st->refused = (struct append_result){ 0 };
    return &st->appender;
}

static inline void fake_store_init(struct fake_store *st)
{
    static const struct appender_ops APPENDER = { fake_series_op, fake_add, fake_commit,
                                                  fake_rollback, NULL };
    static const struct appendable_ops APPENDABLE = { fake_open };
    *st = (struct fake_store){ .base = { &APPENDABLE }, .appender = { &APPENDER } };
    pthread_mutex_init(&st->lock, NULL);
}

static inline void fake_store_done(struct fake_store *st)
{
    pthread_mutex_destroy(&st->lock);
    buf_done(&st->log);
    map64_done(&st->by_hash);
    arena_done(&st->arena);
}

#endif
