/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writers, readers and the store's own work at once, for the thread sanitizer: readers see whole commits only, in
 * order, whatever is cut, sealed, stored or created meanwhile.
 */
#include "unit/tsdb/store.h"

#include <pthread.h>
#include <stdatomic.h>

enum { WRITERS = 2, READERS = 2, SERIES = 12, COMMITS = 500, NEW_EVERY = 7 };

struct shared {
    struct store s;
    _Atomic(int) writing;
    _Atomic(size_t) views;
};

struct writer {
    struct shared *sh;
    const char *set;
};

/* Commit k: every series of the set gets k at 1000 k; now and then a series more begins. */
static void *write_set(void *arg)
{
    struct writer *w = arg;
    ARENA(a, 0);
    uint64_t refs[SERIES + COMMITS / NEW_EVERY + 1];
    size_t n = 0;
    for (int64_t k = 1; k <= COMMITS; k++) {
        struct appender *ap = store_appender(&w->sh->s);
        while (n < SERIES || n - SERIES < (size_t)(k / NEW_EVERY)) {
            struct str name = arena_fmt(&a, "s%zu", n);
            refs[n++] = store_series(ap, LABELS(&a, "__name__", name.p, "set", w->set));
        }
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(ap->ops->add(ap, refs[i], k * 1000, (double)k), OK);
        }
        assert_int_equal(store_commit(ap).added, n);
    }
    atomic_fetch_sub(&w->sh->writing, 1);
    return NULL;
}

static void check_series(struct querier *q, const struct series *s, struct column *c,
                         int64_t *newest)
{
    c->n = 0;
    assert_int_equal(q->ops->read(q, s, INT64_MIN, INT64_MAX, c), OK);
    assert_true(c->n > 0);
    for (size_t i = 0; i < c->n; i++) {
        assert_int_equal(c->t[i], c->t[0] + (int64_t)i * 1000);
        assert_int_equal((int64_t)c->v[i] * 1000, c->t[i]);
    }
    struct sample last;
    assert_true(q->ops->last(q, s, INT64_MIN, INT64_MAX, &last));
    assert_int_equal(last.t, c->t[c->n - 1]);
    if (*newest == 0) *newest = last.t;
    assert_int_equal(last.t, *newest); /* all series of a set, the same commit */
    int64_t middle = c->t[c->n / 2];
    assert_true(q->ops->last(q, s, middle, middle, &last));
    assert_int_equal(last.t, middle);
}

static void *read_sets(void *arg)
{
    struct shared *sh = arg;
    struct column c = { 0 };
    struct matcher m[WRITERS];
    assert_int_equal(matcher_init(&m[0], MATCH_EQ, STR("set"), STR("a"), NULL), OK);
    assert_int_equal(matcher_init(&m[1], MATCH_RE, STR("set"), STR("b.*"), NULL), OK);
    int64_t before[WRITERS] = { 0 };
    bool more = true;
    while (more) {
        more = atomic_load(&sh->writing) > 0; /* one whole round after the end */
        ARENA(a, 0);
        struct querier *q = store_querier(&sh->s);
        for (int w = 0; w < WRITERS; w++) {
            int64_t newest = 0;
            struct series *v;
            size_t n = store_select(q, &a, &m[w], 1, &v);
            for (size_t i = 0; i < n; i++) check_series(q, &v[i], &c, &newest);
            assert_true(newest >= before[w]);
            before[w] = newest;
        }
        struct str *names;
        size_t names_n;
        assert_int_equal(q->ops->label_values(q, &a, METRIC_NAME, NULL, 0, &names, &names_n, NULL),
                         OK);
        q->ops->close(q);
        atomic_fetch_add(&sh->views, 1);
    }
    assert_int_equal(before[0], COMMITS * 1000);
    matcher_done(&m[0]);
    matcher_done(&m[1]);
    column_done(&c);
    return NULL;
}

static void *work(void *arg)
{
    struct shared *sh = arg;
    int64_t now = 1;
    while (atomic_load(&sh->writing) > 0) {
        (void)tsdb_tick(sh->s.db, now += 60000);
        struct tsdb_stats st;
        tsdb_stats(sh->s.db, &st);
        ARENA(a, 0);
        struct tsdb_status status;
        tsdb_status(sh->s.db, &a, 10, &status);
    }
    return NULL;
}

static void whole_commits_in_order(void **state)
{
    (void)state;
    static struct shared sh;
    store_folder(&sh.s);
    store_open(&sh.s);
    atomic_store(&sh.writing, WRITERS);
    struct writer w[WRITERS] = { { &sh, "a" }, { &sh, "b" } };
    pthread_t threads[WRITERS + READERS + 1];
    size_t n = 0;
    for (size_t i = 0; i < WRITERS; i++) pthread_create(&threads[n++], NULL, write_set, &w[i]);
    for (size_t i = 0; i < READERS; i++) pthread_create(&threads[n++], NULL, read_sets, &sh);
    pthread_create(&threads[n++], NULL, work, &sh);
    for (size_t i = 0; i < n; i++) pthread_join(threads[i], NULL);
    assert_true(atomic_load(&sh.views) >= READERS);
    struct tsdb_stats st;
    tsdb_stats(sh.s.db, &st);
    assert_int_equal(st.open_queriers, 0);
    assert_int_equal(st.active_appenders, 0);
    store_remove(&sh.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(whole_commits_in_order) };
    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
