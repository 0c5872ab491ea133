/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_scrape_store.c - a large real page through the scrape engine into the real store, and back by its querier
 */
#include "../score.h"
#include "scrape/scrape.h"
#include "test.h"
#include "tsdb/tsdb.h"

#include <unistd.h>

static struct arena arena;
static struct str page;

struct world {
    struct scrape_manager *m;
    struct scraper *waiting;
    int64_t now;
};

static void *on_fetch(void *ctx, const struct scrape_request *req, struct scraper *s)
{
    (void)req;
    ((struct world *)ctx)->waiting = s;
    return s;
}

static void on_cancel(void *ctx, void *ticket) { (void)ctx, (void)ticket; }

static void on_offload(void *ctx, void (*work)(void *), void (*done)(void *), void *arg)
{
    (void)ctx;
    work(arg);
    done(arg);
}

static int64_t mono(void *ctx) { return ((struct world *)ctx)->now * 1000000; }

/* Scrapes once with this body; the time it happened at. */
static int64_t scrape(struct world *w, struct str body)
{
    w->waiting = NULL;
    for (int64_t due = w->now; !w->waiting;) {
        w->now = due;
        due = scrape_manager_tick(w->m, w->now);
    }
    struct scrape_reply head = { .status = 200, .content_type = STR("text/plain") };
    for (size_t at = 0; at < body.n; at += 16384) {
        if (!scrape_on_body(w->waiting, &head, str_first(str_from(body, at), 16384))) break;
    }
    scrape_on_done(w->waiting, &head);
    return w->now;
}

/* How many series of the job have this sample at t: a value, or a staleness marker. */
static size_t count_at(struct tsdb *db, int64_t t, bool stale)
{
    ARENA(a, 0);
    struct queryable *qa = tsdb_queryable(db);
    struct querier *q;
    struct matcher job;
    struct series *all;
    struct diag d = { 0 };
    size_t n, found = 0;
    assert_int_equal(matcher_init(&job, MATCH_EQ, STR("job"), STR("j"), &d), OK);
    assert_int_equal(qa->ops->open(qa, t, t, &q, &d), OK);
    assert_int_equal(q->ops->select(q, &a, &job, 1, t, t, &all, &n, &d), OK);
    for (size_t i = 0; i < n; i++) {
        struct sample s;
        if (q->ops->last(q, &all[i], t, t, &s) && is_stale_nan(s.v) == stale) found++;
    }
    q->ops->close(q);
    matcher_done(&job);
    return found;
}

/* Each series of the page, by its own labels, has the page's value at t. */
static void holds_page(struct tsdb *db, struct str body, int64_t t)
{
    struct expo_reader r;
    struct expo_entry e;
    struct queryable *qa = tsdb_queryable(db);
    struct querier *q;
    struct diag d = { 0 };
    expo_reader_init(&r, EXPO_TEXT);
    r.in = body;
    r.final = true;
    assert_int_equal(qa->ops->open(qa, t, t, &q, &d), OK);
    while (expo_next(&r, &e, &d) == OK) {
        if (e.kind != EXPO_SERIES) continue;
        ARENA(a, 0);
        struct matcher *m = arena_array(&a, e.labels_n + 1, sizeof(*m));
        struct series *found;
        struct sample s = { 0 };
        size_t n;
        assert_int_equal(
            matcher_init(&m[0], MATCH_EQ, METRIC_NAME, expo_unescape(&a, e.name, true), &d), OK);
        for (size_t i = 0; i < e.labels_n; i++) {
            struct str name = expo_unescape(&a, e.labels[i].name, true);
            assert_int_equal(matcher_init(&m[i + 1], MATCH_EQ, name,
                                          expo_label_value(&a, e.type, name, e.labels[i].value),
                                          &d),
                             OK);
        }
        assert_int_equal(q->ops->select(q, &a, m, e.labels_n + 1, t, t, &found, &n, &d), OK);
        bool same = false;
        for (size_t i = 0; i < n && !same; i++) { /* a series with more labels matches, too */
            same = found[i].lb.n == e.labels_n + 3 && q->ops->last(q, &found[i], t, t, &s) &&
                   bits_of_double(s.v) == bits_of_double(e.value);
        }
        if (!same) fail_msg(STR_FMT, STR_ARG(e.series));
    }
    q->ops->close(q);
    expo_reader_done(&r);
}

static void pages_come_back(void **state)
{
    (void)state;
    char dir[] = "/tmp/scrape_store.XXXXXX";
    struct tsdb *db;
    struct prom_config *c;
    struct diag d = { 0 };
    assert_non_null(mkdtemp(dir));
    struct tsdb_options to = { .dir = str_c(dir) };
    if (tsdb_open(&to, &db, &d) != OK) fail_msg("%s", d.text);
    struct world w = { .now = INT64_C(1795335000000) };
    struct scrape_options so = { .store = tsdb_appendable(db),
                                 .env = { .ctx = &w,
                                          .fetch = on_fetch,
                                          .cancel = on_cancel,
                                          .offload = on_offload,
                                          .mono_ns = mono } };
    w.m = scrape_manager_new(&so);
    assert_int_equal(
        prom_config_parse(
            STR("scrape_configs: [{job_name: j, static_configs: [{targets: ['h:1']}]}]"), STR(""),
            NULL, &c, &d),
        OK);
    scrape_manager_apply(w.m, c, w.now);
    prom_config_unref(c);

    int64_t t = scrape(&w, page);
    holds_page(db, page, t);
    size_t all = count_at(db, t, false);
    size_t half = str_find(str_from(page, page.n / 2), STR("\n")) + page.n / 2 + 1;
    t = scrape(&w, str_first(page, half)); /* known lines, known order, then an early end */
    holds_page(db, str_first(page, half), t);
    size_t left = count_at(db, t, false), gone = count_at(db, t, true);
    assert_true(gone > 0);
    assert_int_equal(left + gone, all);
    t = scrape(&w, STR("garbage\n"));
    assert_int_equal(count_at(db, t, true), left - 5); /* all but the reports */
    t = scrape(&w, page);
    holds_page(db, page, t);
    assert_int_equal(count_at(db, t, false), all);
    scrape_manager_free(w.m);
    tsdb_close(db);
    struct str rm = arena_fmt(&arena, "rm -rf %s", dir);
    assert_int_equal(system(rm.p), 0);
}

int main(void)
{
    arena_init(&arena, 0);
    struct str path = path_join(&arena, data_dir(&arena, "expfmt"),
                                STR("prometheus-textparse/alltypes.237mfs.prom.txt"));
    struct diag d = { 0 };
    if (file_read(&arena, path, 1 << 20, &page, &d) != OK) return 1;
    const struct CMUnitTest tests[] = { cmocka_unit_test(pages_come_back) };
    int failed = cmocka_run_group_tests_name("scrape_store", tests, NULL, NULL);
    arena_done(&arena);
    return failed;
}
