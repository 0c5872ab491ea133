/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_scrape.c - the engine over a store of arrays and a network that is the test itself
 */
#include "fake_store.h"
#include "scrape/scrape.h"
#include "test.h"

#include <stdio.h>

enum { FETCHES = 8 };

/* The world: requests that wait for an answer, a clock turned by hand. */
struct world {
    struct fake_store store;
    struct scrape_manager *m;
    struct prom_config *config;
    int64_t now;
    struct scraper *waiting[FETCHES];
    struct scrape_request asked[FETCHES];
    size_t waiting_n;
    size_t piece;                                    /* bytes a slice; 0: at once */
    void (*held_work)(void *), (*held_done)(void *); /* hold: offloaded work waits */
    void *held_arg;
    bool hold;
};

static void *on_fetch(void *ctx, const struct scrape_request *req, struct scraper *s)
{
    struct world *w = ctx;
    assert_true(w->waiting_n < FETCHES);
    w->asked[w->waiting_n] = *req;
    w->waiting[w->waiting_n++] = s;
    return s;
}

static void on_cancel(void *ctx, void *ticket)
{
    (void)ctx;
    (void)ticket;
}

static void on_offload(void *ctx, void (*work)(void *), void (*done)(void *), void *arg)
{
    struct world *w = ctx;
    if (w->hold) {
        w->held_work = work;
        w->held_done = done;
        w->held_arg = arg;
        return;
    }
    work(arg);
    done(arg);
}

static int64_t mono(void *ctx) { return ((struct world *)ctx)->now * 1000000; }
static int64_t wall(void *ctx) { return ((struct world *)ctx)->now; }

static void configure(struct world *w, const char *yaml)
{
    struct prom_config *c = NULL;
    struct diag d = { 0 };
    if (prom_config_parse(str_c(yaml), STR(""), NULL, &c, &d) != OK) fail_msg("%s", d.text);
    scrape_manager_apply(w->m, c, w->now);
    prom_config_unref(w->config);
    w->config = c;
}

static void world_init(struct world *w, const char *yaml)
{
    *w = (struct world){ .now = 1000000 };
    fake_store_init(&w->store);
    struct scrape_options o = {
        .store = &w->store.base,
        .env = { .ctx = w,
                 .fetch = on_fetch,
                 .cancel = on_cancel,
                 .offload = on_offload,
                 .now_ms = wall,
                 .mono_ns = mono },
    };
    w->m = scrape_manager_new(&o);
    configure(w, yaml);
}

static void world_done(struct world *w)
{
    scrape_manager_free(w->m);
    prom_config_unref(w->config);
    fake_store_done(&w->store);
}

/* Turns the clock to the next due time and starts what is due. */
static void next_scrape(struct world *w)
{
    int64_t due = scrape_manager_tick(w->m, w->now);
    while (!w->waiting_n) {
        assert_true(due != INT64_MAX);
        if (due > w->now) w->now = due;
        due = scrape_manager_tick(w->m, w->now);
    }
}

static void answer_as(struct world *w, size_t i, int status, const char *type, struct str body)
{
    struct scraper *s = w->waiting[i];
    struct scrape_reply head = { .status = status, .content_type = str_c(type) };
    w->waiting[i] = w->waiting[--w->waiting_n];
    for (size_t at = 0; at < body.n;) {
        size_t n = w->piece ? w->piece : body.n;
        if (!scrape_on_body(s, &head, str_first(str_from(body, at), n))) {
            head.err = ERR_LIMIT;
            head.why = STR("not wanted");
            break;
        }
        at += n;
    }
    scrape_on_done(s, &head);
}

static void answer(struct world *w, const char *body)
{
    answer_as(w, 0, 200, "text/plain; version=0.0.4", str_c(body));
}

/* One scrape with this page; the log holds only it. */
static void scrape(struct world *w, const char *body)
{
    next_scrape(w);
    buf_reset(&w->store.log);
    answer(w, body);
}

/* Does the last transaction hold "SERIES VALUE", at the time of the scrape? */
static bool stored(struct world *w, const char *series, const char *value)
{
    BUF(b, 0);
    buf_fmt(&b, "%s @%lld %s\n", series, (long long)w->now, value);
    return str_find(buf_str(&w->store.log), buf_str(&b)) != STR_NONE;
}

static bool mentions(struct world *w, const char *text)
{
    return str_find(buf_str(&w->store.log), str_c(text)) != STR_NONE;
}

static struct target_status status(struct world *w, struct arena *a)
{
    struct targets_status all;
    scrape_targets(w->m, a, &all);
    assert_true(all.active_n > 0);
    return all.active[0];
}

static void last_error_is(struct world *w, const char *text)
{
    ARENA(a, 0);
    struct target_status s = status(w, &a);
    BUF(b, 0);
    buf_put(&b, s.last_error);
    buf_char(&b, '\0');
    assert_string_equal(b.p, text);
    assert_int_equal(s.health, *text ? HEALTH_DOWN : HEALTH_UP);
}

#define ONE                                                                                        \
    "global: {scrape_interval: 10s}\n"                                                             \
    "scrape_configs:\n- job_name: j\n  static_configs: [{targets: ['h:1']}]\n"
#define UP        "up{instance=\"h:1\", job=\"j\"}"
#define IN_J      "instance=\"h:1\", job=\"j\""
#define A         "a{" IN_J "}"
#define B         "b{" IN_J "}"
#define A_X(x)    "a{" IN_J ", x=\"" x "\"}"
#define REPORT(n) n "{" IN_J "}"

static void a_page_becomes_samples_and_reports(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, ONE);
    scrape(&w, "# TYPE a counter\na 1\na{x=\"1\"} 2.5\nb 1e3\n");
    assert_true(stored(&w, A, "1") && stored(&w, A_X("1"), "2.5") && stored(&w, B, "1000"));
    assert_true(stored(&w, UP, "1"));
    assert_true(stored(&w, REPORT("scrape_samples_scraped"), "3"));
    assert_true(stored(&w, REPORT("scrape_samples_post_metric_relabeling"), "3"));
    assert_true(stored(&w, REPORT("scrape_series_added"), "3"));
    assert_true(mentions(&w, "scrape_duration_seconds{"));
    assert_false(mentions(&w, "scrape_timeout_seconds"));
    last_error_is(&w, "");
    size_t asked = w.store.asked;
    scrape(&w, "# TYPE a counter\na 2\na{x=\"1\"} -0.5\nb NaN\n");
    assert_true(stored(&w, A, "2") && stored(&w, A_X("1"), "-0.5") && stored(&w, B, "NaN"));
    assert_true(stored(&w, REPORT("scrape_series_added"), "0"));
    assert_int_equal(w.store.asked, asked); /* the cache knows them all */
    world_done(&w);
}

/* The same pages whatever the pieces, in any order of lines. */
static void order_and_pieces_do_not_matter(void **state)
{
    (void)state;
    static const size_t PIECES[] = { 0, 1, 5, 17 };
    for (size_t i = 0; i < ARRAY_LEN(PIECES); i++) {
        struct world w;
        world_init(&w, ONE);
        w.piece = PIECES[i];
        scrape(&w, "a 1\nb 2\na{x=\"1\"} 3\n");
        scrape(&w, "a{x=\"1\"} 4\n\na 5\n# c\nb 6\n");
        assert_true(stored(&w, A_X("1"), "4") && stored(&w, A, "5") && stored(&w, B, "6"));
        scrape(&w, "# c\na{x=\"1\"} 7\na 8 \nb  9\na{x=\"2\"} 1");
        assert_true(stored(&w, A_X("1"), "7") && stored(&w, A, "8") && stored(&w, B, "9"));
        assert_true(stored(&w, A_X("2"), "1") && stored(&w, UP, "1"));
        scrape(&w, "b 1\na{x=\"2\"} 2\n");
        assert_true(stored(&w, B, "1") && stored(&w, A_X("2"), "2"));
        assert_true(stored(&w, A, "stale") && stored(&w, A_X("1"), "stale"));
        scrape(&w, "b 1\na{x=\"2\"} 2\na 3\n");
        assert_true(stored(&w, A, "3") && !mentions(&w, "stale"));
        world_done(&w);
    }
}

static void what_is_gone_goes_stale_once(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, ONE);
    scrape(&w, "a 1\nb 1\n");
    scrape(&w, "a 1\n");
    assert_true(stored(&w, B, "stale") && stored(&w, A, "1"));
    scrape(&w, "a 1\n");
    assert_false(mentions(&w, "stale"));
    scrape(&w, "a 1\nb 2\n");
    assert_true(stored(&w, B, "2"));
    world_done(&w);
}

struct failure {
    const char *name;
    int status;
    const char *type, *body, *error;
};

static const struct failure FAILURES[] = {
    { "refused by status", 503, "text/plain", "a 1\n",
      "server returned HTTP status 503 Service Unavailable" },
    { "no page", 200, "application/json", "{}",
      "received unsupported Content-Type \"application/json\" and no fallback_scrape_protocol "
      "specified for target" },
    { "no type", 200, "", "a 1\n",
      "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol "
      "specified for target" },
    { "garbage", 200, "text/plain", "a 1\n\x01\x02garbage\n",
      "expected a valid start token, got \"\\x01\" (\"INVALID\") while parsing: \"\\x01\" (line 2 of "
      "the page)" },
    { "half a page", 200, "application/openmetrics-text", "a 1\nb 2\n",
      "data does not end with # EOF (line 3 of the page)" },
    { "a line twice the same label", 200, "text/plain", "a 1\na{x=\"1\",x=\"2\"} 1\n",
      "label name \"x\" is not unique: invalid sample" },
};

/* Nothing of the page is kept, everything goes stale, up is 0; the next good page heals all. */
static void a_failed_page_is_as_good_as_none(void **state)
{
    const struct failure *f = *state;
    struct world w;
    world_init(&w, ONE);
    scrape(&w, "a 1\nb 1\n");
    next_scrape(&w);
    buf_reset(&w.store.log);
    answer_as(&w, 0, f->status, f->type, str_c(f->body));
    assert_true(stored(&w, A, "stale") && stored(&w, B, "stale") && stored(&w, UP, "0"));
    last_error_is(&w, f->error);
    scrape(&w, "a 1\nb 1\n");
    assert_true(stored(&w, A, "1") && stored(&w, B, "1") && stored(&w, UP, "1"));
    last_error_is(&w, "");
    world_done(&w);
}

static void a_dead_target_says_why(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, ONE);
    scrape(&w, "a 1\n");
    next_scrape(&w);
    buf_reset(&w.store.log);
    struct scrape_reply dead = { .err = ERR_SYS,
                                 .why = STR("Get \"http://h:1/metrics\": dial tcp 127.0.0.1:1: "
                                            "connect: connection refused") };
    w.waiting_n = 0;
    scrape_on_done(w.waiting[0], &dead);
    assert_true(stored(&w, A, "stale") && stored(&w, UP, "0"));
    last_error_is(&w,
                  "Get \"http://h:1/metrics\": dial tcp 127.0.0.1:1: connect: connection refused");
    world_done(&w);
}

/* A connection that breaks in the middle: nothing of what came is kept. */
static void half_a_body_is_rolled_back(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, ONE);
    scrape(&w, "a 1\n");
    next_scrape(&w);
    buf_reset(&w.store.log);
    struct scraper *s = w.waiting[0];
    struct scrape_reply reply = { .status = 200, .content_type = STR("text/plain") };
    w.waiting_n = 0;
    assert_true(scrape_on_body(s, &reply, STR("a 2\nb 3\na{x=\"")));
    reply.err = ERR_SYS;
    reply.why = STR("unexpected EOF");
    scrape_on_done(s, &reply);
    assert_true(stored(&w, A, "stale") && stored(&w, UP, "0") && !mentions(&w, B));
    last_error_is(&w, "unexpected EOF");
    world_done(&w);
}

static void timestamps_of_the_page(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, ONE);
    scrape(&w, "a 1 5000\nb 1\n");
    assert_true(mentions(&w, A " @5000 1\n"));
    scrape(&w, "b 1\n");
    assert_false(mentions(&w, "stale")); /* its end is its own affair */
    scrape(&w, "a 1 99999999999\na 3 6000\na 4 7000\nb 1\n");
    assert_true(mentions(&w, A " @6000 3\n") && mentions(&w, A " @7000 4\n"));
    assert_false(mentions(&w, "99999999999"));
    struct scrape_stats st;
    scrape_stats(w.m, &st);
    assert_int_equal(st.out_of_bounds, 1);
    world_done(&w);
    world_init(&w, ONE "  honor_timestamps: false\n");
    scrape(&w, "a 1 5000\n");
    assert_true(stored(&w, A, "1"));
    world_done(&w);
    world_init(&w, ONE "  track_timestamps_staleness: true\n");
    scrape(&w, "a 1 5000\n");
    scrape(&w, "");
    assert_true(stored(&w, A, "stale"));
    world_done(&w);
}

static void openmetrics_is_read(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, ONE);
    for (int i = 0; i < 2; i++) {
        next_scrape(&w);
        buf_reset(&w.store.log);
        answer_as(&w, 0, 200, "application/openmetrics-text; version=1.0.0",
                  STR("# TYPE a histogram\na{le=\"1\"} 1.0\nb 2 # {id=\"x\"} 1\n# EOF\n"));
        assert_true(stored(&w, "a{" IN_J ", le=\"1.0\"}", "1") && stored(&w, B, "2"));
        assert_true(stored(&w, UP, "1"));
    }
    world_done(&w);
}

static void labels_that_clash(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, ONE);
    scrape(&w, "a{job=\"x\",exported_job=\"y\",instance=\"\"} 1\n");
    assert_true(stored(&w, "a{exported_exported_job=\"x\", exported_job=\"y\", " IN_J "}", "1"));
    world_done(&w);
    world_init(&w, ONE "  honor_labels: true\n");
    scrape(&w, "a{job=\"x\",instance=\"\"} 1\n");
    assert_true(stored(&w, "a{job=\"x\"}", "1"));
    world_done(&w);
}

static void metric_relabelling_drops_and_renames(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, ONE "  metric_relabel_configs:\n"
                       "  - {action: drop, source_labels: [__name__], regex: b}\n"
                       "  - {source_labels: [x], target_label: y}\n"
                       "  - {action: labeldrop, regex: x}\n");
    for (int i = 0; i < 3; i++) {
        scrape(&w, "a{x=\"1\"} 1\nb 2\n");
        assert_true(stored(&w, "a{" IN_J ", y=\"1\"}", "1") && !mentions(&w, B));
        assert_true(stored(&w, REPORT("scrape_samples_scraped"), "2"));
        assert_true(stored(&w, REPORT("scrape_samples_post_metric_relabeling"), "1"));
    }
    world_done(&w);
}

static void duplicates_count_once(void **state)
{
    (void)state;
    struct world w;
    struct scrape_stats st;
    world_init(&w, ONE);
    for (int i = 1; i < 4; i++) {
        scrape(&w, "a 1\nb 1\na 2\n");
        assert_true(stored(&w, A, "1") && !stored(&w, A, "2") && stored(&w, UP, "1"));
        scrape_stats(w.m, &st);
        assert_int_equal(st.duplicate_timestamp, i);
    }
    world_done(&w);
}

struct limit {
    const char *name, *key, *body, *error;
};
static const struct limit LIMITS[] = {
    { "samples", "sample_limit: 2", "a 1\nb 1\nc 1\n", "sample limit exceeded" },
    { "labels", "label_limit: 3", "a{x=\"1\"} 1\n",
      "label_limit exceeded (metric: a, number of labels: 4, limit: 3)" },
    { "name length", "label_name_length_limit: 8", "a{abcdefghi=\"1\"} 1\n",
      "label_name_length_limit exceeded (metric: a, label name: abcdefghi, length: 9, limit: 8)" },
    { "value length", "label_value_length_limit: 3", "a{x=\"abcd\"} 1\n",
      "label_value_length_limit exceeded (metric: a, label name: x, value: \"abcd\", length: 4, "
      "limit: 3)" },
    { "body", "body_size_limit: 8B", "a 1\nb 12\n", "body size limit exceeded" },
    { "targets", "target_limit: 1", NULL,
      "target_limit exceeded (number of targets: 2, limit: 1)" },
};

static void a_limit_fails_the_scrape(void **state)
{
    const struct limit *l = *state;
    struct world w;
    BUF(yaml, 0);
    buf_putc(&yaml, "scrape_configs:\n- job_name: j\n  ");
    buf_fmt(&yaml, "%s\n  static_configs: [{targets: ['h:1'%s]}]\n", l->key,
            l->body ? "" : ", 'h:2'");
    buf_char(&yaml, '\0');
    world_init(&w, yaml.p);
    if (l->body) {
        scrape(&w, l->body);
        assert_true(stored(&w, UP, "0") && !mentions(&w, A));
    } else {
        for (int i = 0; i < 3; i++) {
            w.now = scrape_manager_tick(w.m, w.now);
        }
        assert_int_equal(w.waiting_n, 0);
        assert_true(mentions(&w, UP));
    }
    last_error_is(&w, l->error);
    world_done(&w);
}

static void a_store_that_refuses(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, ONE);
    scrape(&w, "a 1\n");
    w.store.full = true;
    scrape(&w, "a 2\nb 1\n");
    assert_int_equal(w.store.log.n, 0);
    last_error_is(&w, "write wal/00000001: no space left on device");
    w.store.full = false;
    scrape(&w, "a 3\nb 2\n");
    assert_true(stored(&w, A, "3") && stored(&w, B, "2") && stored(&w, UP, "1"));
    w.store.most = w.store.series.n;
    scrape(&w, "a 4\nb 3\na{x=\"1\"} 1\n");
    assert_true(stored(&w, A, "stale") && stored(&w, UP, "0"));
    assert_int_equal(w.store.rollbacks, 1);
    world_done(&w);
}

/* A reference that the store has forgotten is asked for again, at the latest with the next page. */
static void a_forgotten_series_comes_back(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, ONE);
    scrape(&w, "a 1\n");
    for (size_t i = 0; i < w.store.series.n; i++) {
        w.store.series.v[i].gone = true;
    }
    scrape(&w, "a 2\n");
    assert_true(stored(&w, UP, "1"));
    scrape(&w, "a 3\n");
    assert_true(stored(&w, A, "3"));
    world_done(&w);
}

static void times_keep_to_the_interval(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, ONE);
    next_scrape(&w);
    int64_t first = w.now;
    answer(&w, "a 1\n");
    assert_true(first - 1000000 <= 10000);
    w.now = first + 10000 + 1; /* a little late: the ideal time is stored */
    (void)scrape_manager_tick(w.m, w.now);
    buf_reset(&w.store.log);
    answer(&w, "a 2\n");
    BUF(b, 0);
    buf_fmt(&b, A " @%lld 2\n", (long long)first + 10000);
    assert_true(str_find(buf_str(&w.store.log), buf_str(&b)) != STR_NONE);
    w.now = first + 20000 + 500; /* much too late: the real one */
    (void)scrape_manager_tick(w.m, w.now);
    buf_reset(&w.store.log);
    answer(&w, "a 3\n");
    assert_true(stored(&w, A, "3"));
    /* still under way when the next is due: skipped, and the tick goes on */
    w.now = first + 30000;
    (void)scrape_manager_tick(w.m, w.now);
    assert_int_equal(w.waiting_n, 1);
    w.now = first + 40000;
    assert_int_equal(scrape_manager_tick(w.m, w.now), first + 50000);
    assert_int_equal(w.waiting_n, 1);
    struct scrape_stats st;
    scrape_stats(w.m, &st);
    assert_int_equal(st.skipped, 1);
    world_done(&w);
}

static void a_reload_keeps_unchanged_targets(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, ONE);
    scrape(&w, "a 1\nb 1\n");
    size_t asked = w.store.asked;
    configure(&w, "scrape_configs:\n- job_name: j\n  scrape_interval: 20s\n"
                  "  static_configs: [{targets: ['h:1']}]\n");
    scrape(&w, "a 2\n");
    assert_true(stored(&w, A, "2") && stored(&w, B, "stale"));
    assert_int_equal(w.store.asked, asked);
    world_done(&w);
}

/* A reload while a scrape is under way, and again: the scrape ends with what it began with. */
static void a_reload_during_a_scrape(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, ONE);
    scrape(&w, "a 1\n");
    next_scrape(&w);
    configure(&w, ONE);
    w.hold = true;
    buf_reset(&w.store.log);
    answer(&w, "a 2\n");
    configure(&w, ONE);
    configure(&w, ONE);
    w.hold = false;
    w.held_work(w.held_arg);
    w.held_done(w.held_arg);
    assert_true(mentions(&w, A " @"));
    scrape(&w, "a 3\n");
    assert_true(stored(&w, A, "3"));
    world_done(&w);
}

static void a_removed_target_ends_its_series(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, ONE);
    scrape(&w, "a 1\n");
    int64_t last = w.now;
    configure(&w, "scrape_configs: []\n");
    buf_reset(&w.store.log);
    int64_t due = scrape_manager_tick(w.m, w.now);
    assert_int_equal(due, last + 10000 + 11000);
    assert_int_equal(w.store.log.n, 0);
    w.now = due;
    assert_int_equal(scrape_manager_tick(w.m, w.now), INT64_MAX);
    w.now = last + 10000; /* the time that the markers bear */
    assert_true(stored(&w, A, "stale") && stored(&w, UP, "stale"));
    world_done(&w);
}

/* Another way of reading is another loop; the old one's markers come too late to hurt. */
static void a_successor_is_not_ended(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, ONE);
    scrape(&w, "a 1\nb 1\n");
    configure(&w, ONE
              "  metric_relabel_configs: [{action: drop, source_labels: [__name__], regex: b}]\n");
    for (int i = 0; i < 3; i++) {
        scrape(&w, "a 2\nb 2\n");
        assert_true(stored(&w, A, "2") && stored(&w, UP, "1"));
        assert_false(stored(&w, A, "stale"));
    }
    world_done(&w);
}

static void targets_tell_their_story(void **state)
{
    (void)state;
    struct world w;
    ARENA(a, 0);
    world_init(
        &w,
        "scrape_configs:\n- job_name: j\n  params: {m: [a b, c], n: [d]}\n  scheme: https\n"
        "  metrics_path: /x y\n  keep_dropped_targets: 1\n"
        "  relabel_configs:\n  - {action: drop, source_labels: [__address__], regex: 'd.*'}\n"
        "  - {source_labels: [__address__], regex: bad, target_label: __address__, replacement: ''}\n"
        "  static_configs:\n  - {targets: ['h:1', d1, d2, bad], labels: {zone: z, __hidden: h}}\n");
    struct targets_status all;
    scrape_targets(w.m, &a, &all);
    assert_int_equal(all.active_n, 1);
    assert_int_equal(all.dropped_n, 1);
    assert_int_equal(all.counts[0].n, 2);
    assert_int_equal(all.bad_n, 1);
    assert_true(str_eqc(all.bad[0].why, "no address"));
    struct target_status *t = &all.active[0];
    assert_int_equal(t->health, HEALTH_UNKNOWN);
    assert_true(str_eqc(t->url, "https://h:1/x%20y?m=a+b&m=c&n=d"));
    BUF(b, 0);
    labels_write(&b, t->labels);
    labels_write(&b, t->discovered);
    buf_char(&b, '\0');
    assert_string_equal(
        b.p, "{instance=\"h:1\", job=\"j\", zone=\"z\"}"
             "{__address__=\"h:1\", __hidden=\"h\", __metrics_path__=\"/x y\", __param_m=\"a b\", "
             "__param_n=\"d\", __scheme__=\"https\", __scrape_interval__=\"1m\", "
             "__scrape_timeout__=\"10s\", job=\"j\", zone=\"z\"}");
    next_scrape(&w);
    assert_true(str_eqc(w.asked[0].accept,
                        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                        "application/openmetrics-text;version=0.0.1;q=0.5,"
                        "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
                        "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"));
    assert_int_equal(w.asked[0].timeout_ms, 10000);
    world_done(&w);
}

static void metadata_is_kept_ten_rounds(void **state)
{
    (void)state;
    struct world w;
    ARENA(a, 0);
    struct metric_metadata *list;
    size_t n;
    world_init(&w, ONE);
    scrape(&w, "# HELP a first\\nline\n# TYPE a counter\na 1\n# TYPE b gauge\nb 1\n");
    scrape(&w, "# HELP a other\n# TYPE a counter\na 1\n# TYPE b gauge\nb 1\n");
    scrape_metadata(w.m, &a, STR("a"), &list, &n);
    assert_int_equal(n, 1);
    assert_true(str_eqc(list[0].help, "other") && list[0].type == EXPO_COUNTER);
    for (int i = 0; i < 12; i++) {
        scrape(&w, "# TYPE b gauge\nb 1\n");
        scrape_metadata(w.m, &a, (struct str){ 0 }, &list, &n);
        assert_int_equal(n, i < 10 ? 2 : 1);
    }
    assert_true(str_eqc(list[0].metric, "b") && list[0].type == EXPO_GAUGE);
    world_done(&w);
}

/* A target that fails with new names each time does not grow without end. */
static void failing_pages_do_not_fill_the_cache(void **state)
{
    (void)state;
    struct world w;
    struct scrape_stats st;
    world_init(&w, ONE);
    scrape(&w, "a 1\n");
    for (int i = 0; i < 40; i++) {
        BUF(b, 0);
        for (int j = 0; j < 100; j++) {
            buf_fmt(&b, "n%d_%d 1\n", i, j);
        }
        buf_putc(&b, "garbage\n");
        buf_char(&b, '\0');
        scrape(&w, b.p);
        assert_true(stored(&w, UP, "0"));
    }
    scrape_stats(w.m, &st);
    assert_true(st.cache_entries < 1300);
    scrape(&w, "a 1\n");
    scrape_stats(w.m, &st);
    assert_int_equal(st.cache_entries, 1);
    world_done(&w);
}

static void a_line_without_end_is_refused(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, ONE);
    next_scrape(&w);
    struct scraper *s = w.waiting[0];
    struct scrape_reply head = { .status = 200, .content_type = STR("text/plain") };
    char slice[65536];
    memset(slice, 'a', sizeof(slice));
    size_t sent = 0;
    w.waiting_n = 0;
    while (scrape_on_body(s, &head, str_make(slice, sizeof(slice)))) {
        sent += sizeof(slice);
        assert_true(sent < 4 << 20);
    }
    scrape_on_done(s, &head);
    last_error_is(&w, "a line of the page is longer than 1 MiB (line 1 of the page)");
    world_done(&w);
}

#define ROW_TEST(array, fn)                                                                        \
    for (size_t i = 0; i < ARRAY_LEN(array); i++) {                                                \
        tests[n++] = (struct CMUnitTest){ .name = (array)[i].name,                                 \
                                          .test_func = (fn),                                       \
                                          .initial_state = (void *)(uintptr_t) & (array)[i] };     \
    }

int main(void)
{
    struct CMUnitTest tests[64] = {
        cmocka_unit_test(a_page_becomes_samples_and_reports),
        cmocka_unit_test(order_and_pieces_do_not_matter),
        cmocka_unit_test(what_is_gone_goes_stale_once),
        cmocka_unit_test(a_dead_target_says_why),
        cmocka_unit_test(half_a_body_is_rolled_back),
        cmocka_unit_test(timestamps_of_the_page),
        cmocka_unit_test(openmetrics_is_read),
        cmocka_unit_test(labels_that_clash),
        cmocka_unit_test(metric_relabelling_drops_and_renames),
        cmocka_unit_test(duplicates_count_once),
        cmocka_unit_test(a_store_that_refuses),
        cmocka_unit_test(a_forgotten_series_comes_back),
        cmocka_unit_test(times_keep_to_the_interval),
        cmocka_unit_test(a_reload_keeps_unchanged_targets),
        cmocka_unit_test(a_reload_during_a_scrape),
        cmocka_unit_test(a_removed_target_ends_its_series),
        cmocka_unit_test(a_successor_is_not_ended),
        cmocka_unit_test(targets_tell_their_story),
        cmocka_unit_test(metadata_is_kept_ten_rounds),
        cmocka_unit_test(failing_pages_do_not_fill_the_cache),
        cmocka_unit_test(a_line_without_end_is_refused),
    };
    size_t n = 21;
    ROW_TEST(FAILURES, a_failed_page_is_as_good_as_none)
    ROW_TEST(LIMITS, a_limit_fails_the_scrape)
    return _cmocka_run_group_tests("scrape", tests, n, NULL, NULL);
}
