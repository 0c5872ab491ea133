/* SPDX-License-Identifier: Apache-2.0 */
/* A target against recorded replies, without a socket and with a hand-turned clock. */
#include "jmx/target.h"

#include "base/vec.h"
#include "io/file.h"
#include "test.h"

#define YAML                                                                                       \
    "includeObjectNames: ['kafka.server:type=ReplicaManager,name=IsrShrinksPerSec']\n"             \
    "rules: [{pattern: 'ReplicaManager, name=(.+)PerSec><>Count', name: rm_$1, type: COUNTER}]\n"

#define HELLO                                                                                      \
    STR("\x4e\x00\x09"                                                                             \
        "127.0.0.1\x00\x00\xb8\x8a")
#define UID      "\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define NORMAL   "\x51\xac\xed\x00\x05\x77\x0f\x01" UID
#define CLASS(n) "\x72\x00\x01" n "\0\0\0\0\0\0\0\1\x02\x00\x00\x78\x70"
#define ABORTED  STR(NORMAL "\x7b\x73" CLASS("X"))
#define LONG_5                                                                                     \
    STR(NORMAL "\x73\x72\x00\x0ejava.lang.Long\0\0\0\0\0\0\0\1\x02\x00\x01J\x00\x05value\x78"      \
               "\x72\x00\x10java.lang.Number\0\0\0\0\0\0\0\1\x02\x00\x00\x78\x70\0\0\0\0\0\0\0\5")

struct bench {
    struct arena a;
    struct jmx_target *t;
    int64_t now;
    size_t ended;
    struct buf in;
};

static void on_done(void *ctx) { ((struct bench *)ctx)->ended++; }

static int setup(void **state)
{
    struct bench *b = test_calloc(1, sizeof(*b));
    struct jmx_config *c;
    struct jmx_endpoint e;
    assert_int_equal(jmx_config_parse(STR(YAML), &c, NULL), OK);
    assert_int_equal(jmx_endpoint_of_host_port(STR("kafka:18630"), &b->a, &e, NULL), OK);
    b->t = jmx_target_new(c, &e, STR(""));
    b->now = 1000;
    jmx_config_unref(c);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    jmx_target_free(b->t);
    buf_done(&b->in);
    arena_done(&b->a);
    test_free(b);
    return 0;
}

static struct str frame(struct bench *b, const char *name)
{
    struct str bytes;
    struct str path = arena_fmt(&b->a, "tests/fuzz/corpus/fuzz_jmx_return/%s", name);
    assert_int_equal(file_read(&b->a, path, 1 << 20, &bytes, NULL), OK);
    return bytes;
}

/* Byte by byte: a message may be cut anywhere. */
static void feed(struct bench *b, struct str bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        buf_char(&b->in, bytes.p[i]);
        struct str in = buf_str(&b->in);
        while (jmx_target_bytes(b->t, &in, b->now)) {
        }
        buf_drop(&b->in, b->in.n - in.n);
    }
}

static size_t written(struct bench *b, const char *what)
{
    struct buf *out = jmx_target_out(b->t);
    bool there = str_find(buf_str(out), str_c(what)) != STR_NONE;
    size_t n = out->n;
    buf_reset(out);
    return there ? n : 0;
}

static void log_in(struct bench *b)
{
    struct jmx_dial to;
    jmx_target_scrape(b->t, b->now, on_done, b);
    assert_true(jmx_target_take_dial(b->t, &to));
    assert_true(str_eqc(to.host, "kafka"));
    assert_int_equal(to.port, 18630);
    jmx_target_opened(b->t, b->now);
    assert_true(written(b, "jmxrmi"));
    feed(b, HELLO);
    feed(b, frame(b, "lookup"));
    assert_true(written(b, "\x54"));
    feed(b, frame(b, "new_client"));
    assert_int_equal(jmx_target_state(b->t), JMX_QUERY);
    assert_true(written(b, "IsrShrinksPerSec"));
}

static void first_scrape(struct bench *b)
{
    log_in(b);
    feed(b, frame(b, "query"));
    assert_int_equal(jmx_target_state(b->t), JMX_INFO);
    assert_true(written(b, "IsrShrinksPerSec"));
    feed(b, frame(b, "info-meter"));
    assert_int_equal(jmx_target_state(b->t), JMX_READ);
    assert_true(written(b, "FifteenMinuteRate"));
    feed(b, frame(b, "attrs-meter"));
    assert_int_equal(b->ended, 1);
    assert_true(jmx_target_stats(b->t)->up);
}

static size_t samples(struct bench *b, bool last_good, double *value)
{
    struct jmx_samples s;
    jmx_target_samples(b->t, last_good, &s, &b->a);
    if (s.n) *value = s.v[0].value;
    return s.n;
}

static void steady(void **state)
{
    struct bench *b = *state;
    double v = -1;
    first_scrape(b);
    assert_int_equal(samples(b, false, &v), 1);
    assert_true(v == 0);
    jmx_target_scrape(b->t, b->now, on_done, b);
    assert_int_equal(samples(b, false, &v), 0); /* of this scrape there are none yet */
    feed(b, frame(b, "query"));
    assert_int_equal(jmx_target_state(b->t), JMX_READ); /* the class is known */
    struct buf *out = jmx_target_out(b->t);
    assert_true(str_find(buf_str(out), STR("Count")) != STR_NONE);
    assert_int_equal(str_find(buf_str(out), STR("Rate")), STR_NONE); /* no rule wants it */
    buf_reset(out);
    feed(b, LONG_5);
    assert_int_equal(b->ended, 2);
    assert_int_equal(samples(b, false, &v), 1);
    assert_true(v == 5);
    assert_int_equal(jmx_target_due(b->t),
                     b->now + 60000); /* a ping, so that the server remembers us */
    b->now += 60000;
    jmx_target_tick(b->t, b->now);
    assert_int_equal(written(b, "\xff\x0e\xbe\xc7"), 41);
    feed(b, STR(NORMAL "\x74\x00\x01x"));
    assert_int_equal(jmx_target_state(b->t), JMX_READY);
}

static void silence(void **state)
{
    struct bench *b = *state;
    double v;
    first_scrape(b);
    jmx_target_scrape(b->t, b->now, on_done, b);
    b->now += 4999;
    jmx_target_tick(b->t, b->now);
    assert_int_equal(b->ended, 1);
    assert_int_equal(jmx_target_due(b->t), b->now + 1);
    jmx_target_tick(b->t, ++b->now);
    assert_int_equal(b->ended, 2);
    assert_true(jmx_target_take_hangup(b->t));
    assert_false(jmx_target_stats(b->t)->up);
    assert_string_equal(jmx_target_stats(b->t)->why.text, "no answer within 5 s");
    assert_int_equal(samples(b, false, &v), 0);
    assert_int_equal(samples(b, true, &v), 1); /* the last good ones stay readable */
    jmx_target_scrape(b->t, b->now, on_done, b);
    assert_int_equal(b->ended, 3); /* nobody waits for it */
    struct jmx_dial to;
    assert_int_equal(jmx_target_due(b->t), b->now + 500);
    b->now += 500;
    jmx_target_tick(b->t, b->now);
    assert_true(jmx_target_take_dial(b->t, &to));
    jmx_target_closed(b->t, "connection refused", b->now);
    assert_int_equal(jmx_target_due(b->t), b->now + 1000);
}

static void hang_up_in_the_middle(void **state)
{
    struct bench *b = *state;
    first_scrape(b);
    jmx_target_scrape(b->t, b->now, on_done, b);
    feed(b, frame(b, "query"));
    feed(b, str_first(LONG_5, 30));
    jmx_target_closed(b->t, "peer closed the connection", b->now);
    assert_int_equal(b->ended, 2);
    assert_false(jmx_target_stats(b->t)->up);
}

static void idle_connection_ends(void **state)
{
    struct bench *b = *state;
    struct jmx_dial to;
    first_scrape(b);
    jmx_target_closed(b->t, "peer closed the connection", b->now);
    assert_true(jmx_target_take_dial(b->t, &to)); /* at once, without harm */
    assert_int_equal(b->ended, 1);
}

/* All attributes together cannot be sent; one by one the culprit is found and left alone, everything in one scrape. */
static void value_that_cannot_be_sent(void **state)
{
    struct bench *b = *state;
    struct jmx_dial to;
    double v = -1;
    log_in(b);
    feed(b, frame(b, "query"));
    feed(b, frame(b, "info-meter"));
    (void)written(b, "");
    feed(b, ABORTED);
    for (int culprit = 0; culprit < 2; culprit++) {
        assert_true(jmx_target_take_hangup(b->t));
        assert_true(jmx_target_take_dial(b->t, &to));
        assert_int_equal(b->ended, 0);
        buf_reset(&b->in);
        jmx_target_opened(b->t, b->now);
        (void)written(b, "");
        feed(b, HELLO);
        feed(b, frame(b, "lookup"));
        feed(b, frame(b, "new_client"));
        assert_int_equal(jmx_target_state(b->t), JMX_READ);
        if (!culprit) {
            feed(b, LONG_5); /* Count */
            feed(b, ABORTED);
        }
    }
    for (int i = 0; i < 7 && !b->ended; i++) feed(b, i ? frame(b, "exception") : LONG_5);
    assert_int_equal(b->ended, 1);
    assert_true(jmx_target_stats(b->t)->up);
    assert_int_equal(jmx_target_stats(b->t)->attributes_excluded, 1);
    assert_int_equal(samples(b, false, &v), 1);
    assert_true(v == 5);
}

static void another_port(void **state)
{
    struct bench *b = *state;
    struct jmx_dial to;
    struct jmx_config *c;
    struct jmx_endpoint e;
    jmx_target_free(b->t);
    assert_int_equal(jmx_config_parse(STR(YAML), &c, NULL), OK);
    assert_int_equal(jmx_endpoint_of_host_port(STR("kafka:1099"), &b->a, &e, NULL), OK);
    b->t = jmx_target_new(c, &e, STR(""));
    jmx_config_unref(c);
    jmx_target_tick(b->t, b->now);
    assert_true(jmx_target_take_dial(b->t, &to));
    jmx_target_opened(b->t, b->now);
    feed(b, HELLO);
    feed(b, frame(b, "lookup"));
    assert_true(jmx_target_take_hangup(b->t));
    assert_true(jmx_target_take_dial(b->t, &to));
    assert_true(
        str_eqc(to.host, "kafka")); /* the registry's host: the stub's is often not reachable */
    assert_int_equal(to.port, 18630);
    (void)written(b, "");
    jmx_target_opened(b->t, b->now);
    assert_int_equal(written(b, "JRMI"), 13 + 42); /* no second look-up */
    feed(b, HELLO);
    feed(b, frame(b, "new_client"));
    assert_int_equal(jmx_target_state(b->t), JMX_READY);
}

struct bad_row {
    struct str bytes;
    const char *text;
};

static void bad_peers(void **state)
{
    struct bench *b = *state;
    static const struct bad_row ROWS[] = {
        { { "\x15\x03\x03", 3 }, "this port speaks TLS; JMX over TLS is not supported yet" },
        { { "SSH-2.0", 7 }, "this is no RMI port: expected 0x4e, got 0x53" },
        { { "\x4e\x00\x00\0\0\0\0\x50", 8 }, "expected an RMI return (0x51), got 0x50" },
        { { "\x4e\x00\x00\0\0\0\0" NORMAL "\x70", 7 + 22 + 1 },
          "expected the stub of a remote object" },
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct jmx_dial to;
        b->now += 20000;
        jmx_target_tick(b->t, b->now);
        assert_true(jmx_target_take_dial(b->t, &to));
        jmx_target_opened(b->t, b->now);
        buf_reset(&b->in);
        feed(b, ROWS[i].bytes);
        assert_true(jmx_target_take_hangup(b->t));
        assert_string_equal(jmx_target_stats(b->t)->why.text, ROWS[i].text);
    }
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(steady),
        CASE(silence),
        CASE(hang_up_in_the_middle),
        CASE(bad_peers),
        CASE(another_port),
        CASE(idle_connection_ends),
        CASE(value_that_cannot_be_sent),
    };
    return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
