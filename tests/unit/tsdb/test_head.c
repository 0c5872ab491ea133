/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/tsdb/store.h"

static int setup(void **state)
{
    static struct store s;
    store_folder(&s);
    store_open(&s);
    *state = &s;
    return 0;
}

static int teardown(void **state)
{
    store_remove(*state);
    return 0;
}

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

enum { WALK_SERIES = 7, WALK_SAMPLES = 3000 };

struct walk {
    int64_t t[WALK_SAMPLES];
    double v[WALK_SAMPLES];
    size_t n;
};

static void check_walk(struct querier *q, const struct series *s, const struct walk *w,
                       int64_t mint, int64_t maxt)
{
    struct column c = { 0 };
    assert_int_equal(q->ops->read(q, s, mint, maxt, &c), OK);
    size_t k = 0;
    const int64_t *last = NULL;
    for (size_t i = 0; i < w->n; i++) {
        if (w->t[i] < mint || w->t[i] > maxt) continue;
        assert_true(k < c.n);
        assert_int_equal(c.t[k], w->t[i]);
        assert_int_equal(bits_of_double(c.v[k]), bits_of_double(w->v[i]));
        last = &w->t[i];
        k++;
    }
    assert_int_equal(c.n, k);
    struct sample newest;
    bool any = q->ops->last(q, s, mint, maxt, &newest);
    assert_int_equal(any, last != NULL);
    if (any) assert_int_equal(newest.t, *last);
    column_done(&c);
}

static void check_walks(struct store *s, const struct walk *w, uint64_t *rng)
{
    ARENA(a, 0);
    struct querier *q = store_querier(s);
    for (int i = 0; i < WALK_SERIES; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "walk_%d", i);
        struct series found;
        assert_true(store_find(q, &a, name, &found));
        check_walk(q, &found, &w[i], INT64_MIN, INT64_MAX);
        for (int k = 0; k < 20; k++) {
            int64_t from = w[i].t[next_random(rng) % w[i].n] - 1 + (int64_t)(next_random(rng) % 3);
            check_walk(q, &found, &w[i], from, from + (int64_t)(next_random(rng) % 20000000));
        }
    }
    q->ops->close(q);
}

/* Values and times of all kinds come back as they went in, over many chunks, before and after a restart. */
static void keeps_every_sample(void **state)
{
    struct store *s = *state;
    ARENA(a, 0);
    uint64_t rng = 42;
    struct walk *w = calloc(WALK_SERIES, sizeof(*w));
    uint64_t refs[WALK_SERIES];
    struct appender *ap = store_appender(s);
    for (int i = 0; i < WALK_SERIES; i++) {
        struct str name = arena_fmt(&a, "walk_%d", i);
        refs[i] = store_series(ap, LABELS(&a, "__name__", name.p));
    }
    store_commit(ap);
    int64_t t = 1700000000000;
    for (size_t k = 0; k < WALK_SAMPLES; k++) {
        t += next_random(&rng) % 50 == 0 ? (int64_t)(next_random(&rng) % 5000000) : 15000;
        ap = store_appender(s);
        for (int i = 0; i < WALK_SERIES; i++) {
            uint64_t r = next_random(&rng);
            double v = i == 0   ? 1.5
                       : i == 1 ? (double)k
                       : i == 2 ? double_of_bits(r)
                       : i == 3 ? (r % 4 ? 7.0 : stale_nan())
                                : (double)(int64_t)(r % 1000) / 8;
            w[i].t[w[i].n] = t + (i == 4 ? (int64_t)(r % 7) : 0);
            w[i].v[w[i].n] = v;
            assert_int_equal(ap->ops->add(ap, refs[i], w[i].t[w[i].n], v), OK);
            w[i].n++;
        }
        assert_int_equal(store_commit(ap).added, WALK_SERIES);
        if (k % 500 == 0) (void)tsdb_tick(s->db, (int64_t)k * 1000);
    }
    check_walks(s, w, &rng);
    store_close(s);
    store_open(s);
    assert_int_equal(s->reports, 0);
    check_walks(s, w, &rng);
    free(w);
}

/* Source: storage.h; Prometheus head_append.go appendable */
static void refuses_by_rule(void **state)
{
    struct store *s = *state;
    ARENA(a, 0);
    struct appender *ap = store_appender(s);
    uint64_t x = store_series(ap, LABELS(&a, "__name__", "x"));
    uint64_t y = store_series(ap, LABELS(&a, "__name__", "y"));
    assert_int_equal(store_series(ap, LABELS(&a, "__name__", "x")), x);
    assert_int_equal(ap->ops->add(ap, x, 10000000, 1), OK);
    store_commit(ap);

    ap = store_appender(s);
    assert_int_equal(ap->ops->add(ap, 99, 10000001, 1), ERR_MISSING);
    assert_int_equal(ap->ops->add(ap, 0, 10000001, 1), ERR_MISSING);
    assert_int_equal(ap->ops->add(ap, x, 9999999, 1), ERR_RANGE);
    assert_int_equal(ap->ops->add(ap, x, 10000000, 2), ERR_EXISTS);
    assert_int_equal(ap->ops->add(ap, x, 10000000, 1), OK);
    assert_int_equal(ap->ops->add(ap, y, 10000000 - 3600000, 1), OK);
    assert_int_equal(ap->ops->add(ap, y, 10000000 - 3600001, 1), ERR_LIMIT);
    assert_int_equal(ap->ops->add(ap, x, 10000005, 5), OK);
    assert_int_equal(ap->ops->add(ap, x, 10000004, 5), OK); /* found out at commit */
    assert_int_equal(ap->ops->add(ap, x, 10000005, 6), OK);
    struct append_result r = store_commit(ap);
    assert_int_equal(r.added, 2);
    assert_int_equal(r.out_of_order, 2);
    assert_int_equal(r.duplicate, 2);
    assert_int_equal(r.out_of_bounds, 1);

    ap = store_appender(s);
    assert_int_equal(ap->ops->add(ap, x, 10000006, 6), OK);
    ap->ops->rollback(ap);
    struct querier *q = store_querier(s);
    struct series found;
    struct sample last;
    assert_true(store_find(q, &a, "x", &found));
    assert_true(q->ops->last(q, &found, INT64_MIN, INT64_MAX, &last));
    assert_int_equal(last.t, 10000005);
    assert_true(last.v == 5);
    q->ops->close(q);
}

static void refuses_labels(void **state)
{
    struct store *s = *state;
    struct appender *ap = store_appender(s);
    struct label twice[] = { { STR("a"), STR("1") }, { STR("a"), STR("2") } };
    struct label order[] = { { STR("b"), STR("1") }, { STR("a"), STR("2") } };
    struct label empty[] = { { STR("a"), STR("") } };
    uint64_t ref = 7;
    struct diag d;
    assert_int_equal(ap->ops->series(ap, (struct labels){ 0 }, &ref, &d), ERR_SYNTAX);
    assert_int_equal(ap->ops->series(ap, (struct labels){ twice, 2 }, &ref, &d), ERR_SYNTAX);
    assert_string_equal(d.text, "label name \"a\" is not unique");
    assert_int_equal(ap->ops->series(ap, (struct labels){ order, 2 }, &ref, &d), ERR_SYNTAX);
    assert_int_equal(ap->ops->series(ap, (struct labels){ empty, 1 }, &ref, &d), ERR_SYNTAX);
    assert_int_equal(ref, 7);
    ap->ops->rollback(ap);
}

static void limits_series(void **state)
{
    struct store *s = *state;
    ARENA(a, 0);
    store_close(s);
    store_open_with(s, (struct tsdb_options){ .head_limit = 1 });
    struct appender *ap = store_appender(s);
    uint64_t ref = store_series(ap, LABELS(&a, "__name__", "x")), other = 0;
    struct diag d;
    assert_int_equal(ap->ops->series(ap, LABELS(&a, "__name__", "y"), &other, &d), ERR_LIMIT);
    assert_int_equal(store_series(ap, LABELS(&a, "__name__", "x")), ref);
    ap->ops->rollback(ap);
}

static double last_of(struct querier *q, const struct series *s)
{
    struct sample x;
    return q->ops->last(q, s, INT64_MIN, INT64_MAX, &x) ? x.v : -1;
}

static size_t count_of(struct querier *q, const struct series *s)
{
    struct column c = { 0 };
    assert_int_equal(q->ops->read(q, s, INT64_MIN, INT64_MAX, &c), OK);
    size_t n = c.n;
    column_done(&c);
    return n;
}

/* A reader that stays in over many commits and chunk cuts sees what was there when it came. */
static void old_readers_see_old_commits(void **state)
{
    struct store *s = *state;
    ARENA(a, 0);
    enum { READERS = 6, COMMITS = 400 };
    struct querier *q[READERS];
    size_t seen[READERS] = { 0 };
    struct series found[READERS] = { 0 };
    struct appender *ap = store_appender(s);
    uint64_t ref = store_series(ap, LABELS(&a, "__name__", "x"));
    struct querier *before = store_querier(s);
    store_commit(ap);
    size_t total = 0, readers = 0;
    for (int k = 0; k < COMMITS; k++) {
        ap = store_appender(s);
        for (int i = 0; i <= k % 3; i++) {
            total++;
            assert_int_equal(ap->ops->add(ap, ref, (int64_t)total * 1000, (double)total), OK);
        }
        store_commit(ap);
        if (k % (COMMITS / READERS) == 10 && readers < READERS) {
            q[readers] = store_querier(s);
            assert_true(store_find(q[readers], &a, "x", &found[readers]));
            seen[readers++] = total;
        }
        for (size_t i = 0; i < readers; i++) {
            assert_int_equal(count_of(q[i], &found[i]), seen[i]);
            assert_true(last_of(q[i], &found[i]) == (double)seen[i]);
        }
    }
    struct series none;
    assert_false(store_find(before, &a, "x", &none));
    before->ops->close(before);
    for (size_t i = 0; i < readers; i++) q[i]->ops->close(q[i]);
}

/*
 * Selection against the definition: every matcher asked of every series.
 */

static const struct {
    enum match_op op;
    const char *name, *value;
} CONDITIONS[] = {
    { MATCH_EQ, "__name__", "m1" },  { MATCH_EQ, "job", "" },
    { MATCH_EQ, "job", "a" },        { MATCH_EQ, "job", "nothing" },
    { MATCH_EQ, "nothing", "" },     { MATCH_EQ, "nothing", "x" },
    { MATCH_NE, "job", "a" },        { MATCH_NE, "job", "" },
    { MATCH_NE, "nothing", "" },     { MATCH_NE, "job", "nothing" },
    { MATCH_RE, "job", "a|b" },      { MATCH_RE, "job", ".*" },
    { MATCH_RE, "job", ".+" },       { MATCH_RE, "job", "|a" },
    { MATCH_RE, "inst", "1.*" },     { MATCH_NRE, "job", "a|b" },
    { MATCH_NRE, "job", ".*" },      { MATCH_NRE, "job", ".+" },
    { MATCH_NRE, "inst", ".*[37]" }, { MATCH_RE, "nothing", ".*" },
    { MATCH_RE, "nothing", ".+" },   { MATCH_RE, "__name__", "m(1|2)" },
    { MATCH_NRE, "nothing", "a" },   { MATCH_NRE, "job", "|b" },
};

static void fill_for_selection(struct store *s, struct arena *a)
{
    static const char *const JOBS[] = { "", "a", "b", "c", "ab" };
    struct appender *ap = store_appender(s);
    for (int m = 0; m < 3; m++) {
        for (size_t j = 0; j < ARRAY_LEN(JOBS); j++) {
            for (int i = 0; i < 30; i++) {
                struct str metric = arena_fmt(a, "m%d", m), inst = arena_fmt(a, "%d", i);
                struct labels lb = LABELS(a, "__name__", metric.p, "inst", inst.p, "job", JOBS[j]);
                assert_int_equal(ap->ops->add(ap, store_series(ap, lb), 1000, 1), OK);
            }
        }
    }
    store_commit(ap);
}

static void check_selection(struct querier *q, struct arena *a, const struct series *all,
                            size_t all_n, const struct matcher *m, size_t n)
{
    struct series *got;
    size_t got_n = store_select(q, a, m, n, &got), k = 0;
    for (size_t i = 0; i < all_n; i++) {
        if (!matchers_match(m, n, all[i].lb)) continue;
        assert_true(k < got_n);
        assert_true(labels_eq(got[k].lb, all[i].lb));
        k++;
    }
    assert_int_equal(got_n, k);
}

static void selects_as_defined(void **state)
{
    struct store *s = *state;
    ARENA(a, 0);
    fill_for_selection(s, &a);
    struct querier *q = store_querier(s);
    struct series *all;
    size_t all_n = store_select(q, &a, NULL, 0, &all);
    assert_int_equal(all_n, 450);
    for (size_t i = 1; i < all_n; i++) assert_true(labels_cmp(all[i - 1].lb, all[i].lb) < 0);
    struct matcher m[ARRAY_LEN(CONDITIONS)];
    for (size_t i = 0; i < ARRAY_LEN(CONDITIONS); i++) {
        assert_int_equal(matcher_init(&m[i], CONDITIONS[i].op, str_c(CONDITIONS[i].name),
                                      str_c(CONDITIONS[i].value), NULL),
                         OK);
    }
    for (size_t i = 0; i < ARRAY_LEN(CONDITIONS); i++) {
        check_selection(q, &a, all, all_n, &m[i], 1);
        for (size_t k = 0; k < ARRAY_LEN(CONDITIONS); k++) {
            check_selection(q, &a, all, all_n, (struct matcher[]){ m[i], m[k] }, 2);
            check_selection(q, &a, all, all_n, (struct matcher[]){ m[0], m[k], m[i] }, 3);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(CONDITIONS); i++) matcher_done(&m[i]);
    q->ops->close(q);
}

static void assert_strs(struct str *v, size_t n, const char *want)
{
    BUF(b, 0);
    for (size_t i = 0; i < n; i++) buf_fmt(&b, "%s" STR_FMT, i ? " " : "", STR_ARG(v[i]));
    buf_char(&b, '\0');
    assert_string_equal(b.p, want);
}

static void lists_names_and_values(void **state)
{
    struct store *s = *state;
    ARENA(a, 0);
    fill_for_selection(s, &a);
    struct querier *q = store_querier(s);
    struct str *v;
    size_t n;
    struct matcher no_job, m1;
    assert_int_equal(matcher_init(&no_job, MATCH_EQ, STR("job"), STR(""), NULL), OK);
    assert_int_equal(matcher_init(&m1, MATCH_EQ, METRIC_NAME, STR("m1"), NULL), OK);
    assert_int_equal(q->ops->label_names(q, &a, NULL, 0, &v, &n, NULL), OK);
    assert_strs(v, n, "__name__ inst job");
    assert_int_equal(q->ops->label_names(q, &a, &no_job, 1, &v, &n, NULL), OK);
    assert_strs(v, n, "__name__ inst");
    assert_int_equal(q->ops->label_values(q, &a, STR("job"), NULL, 0, &v, &n, NULL), OK);
    assert_strs(v, n, "a ab b c");
    assert_int_equal(q->ops->label_values(q, &a, METRIC_NAME, &m1, 1, &v, &n, NULL), OK);
    assert_strs(v, n, "m1");
    assert_int_equal(q->ops->label_values(q, &a, STR("job"), &no_job, 1, &v, &n, NULL), OK);
    assert_int_equal(n, 0);
    assert_int_equal(q->ops->label_values(q, &a, STR("nothing"), NULL, 0, &v, &n, NULL), OK);
    assert_int_equal(n, 0);
    matcher_done(&no_job);
    matcher_done(&m1);
    q->ops->close(q);
}

static void counts_for_the_status_page(void **state)
{
    struct store *s = *state;
    ARENA(a, 0);
    fill_for_selection(s, &a);
    struct tsdb_status st;
    tsdb_status(s->db, &a, 2, &st);
    assert_int_equal(st.series, 450);
    assert_int_equal(st.label_pairs, 3 + 30 + 4);
    assert_int_equal(st.chunks, 450);
    assert_int_equal(st.min_time, 1000);
    assert_int_equal(st.max_time, 1000);
    assert_int_equal(st.metrics.n, 2);
    assert_true(str_eqc(st.metrics.v[0].name, "m0"));
    assert_int_equal(st.metrics.v[0].value, 150);
    assert_true(str_eqc(st.label_names.v[0].name, "inst"));
    assert_int_equal(st.label_names.v[0].value, 30);
    assert_true(str_eqc(st.pairs.v[0].name, "__name__=m0"));
    assert_true(str_eqc(st.memory.v[0].name, "__name__"));
    assert_int_equal(st.memory.v[0].value, 450 * 10);
    BUF(b, 0);
    tsdb_write_metrics(s->db, &b);
    assert_true(str_find(buf_str(&b), STR("\nprometheus_tsdb_head_series 450\n")) != STR_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keeps_every_sample, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_by_rule, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_labels, setup, teardown),
        cmocka_unit_test_setup_teardown(limits_series, setup, teardown),
        cmocka_unit_test_setup_teardown(old_readers_see_old_commits, setup, teardown),
        cmocka_unit_test_setup_teardown(selects_as_defined, setup, teardown),
        cmocka_unit_test_setup_teardown(lists_names_and_values, setup, teardown),
        cmocka_unit_test_setup_teardown(counts_for_the_status_page, setup, teardown),
    };
    return cmocka_run_group_tests_name("head", tests, NULL, NULL);
}
