/* SPDX-License-Identifier: Apache-2.0 */
/* Timelines with a hand-turned clock: group_wait 1 s, group_interval 3 s, repeat_interval 5 s, as measured on the original. */
#include "alert/engine.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#define CONFIG                                                                                         \
    "route: {receiver: all, group_by: [g], group_wait: 1s, group_interval: 3s, repeat_interval: 5s}\n" \
    "receivers:\n"                                                                                     \
    "- name: all\n"                                                                                    \
    "  webhook_configs:\n"                                                                             \
    "  - {url: 'http://sr', send_resolved: true}\n"                                                    \
    "  - {url: 'http://nosr', send_resolved: false}\n"                                                 \
    "  - {url: 'http://sick', send_resolved: true}\n"

#define T0 INT64_C(1772366400000)

struct play {
    struct alert_engine *e;
    int64_t now;
    struct buf log[3]; /* what each integration was sent: "t1 A,B; t4 ..."; B- is resolved */
    bool sick;         /* the third answers 500 */
    bool fail_400;     /* the third answers 400 */
};

static struct alert_config *config(const char *text)
{
    struct alert_config *c = NULL;
    struct diag d = { 0 };
    struct config_options o = { .text = str_c(text), .dir = STR(".") };
    if (alert_config_load(&o, &c, &d) != OK) fail_msg("%u:%u %s", d.line, d.col, d.text);
    return c;
}

static uint64_t seed = 7; /* ids differ from engine to engine */

static void begin(struct play *p, const char *text, const char *dir)
{
    struct alert_config *c = config(text);
    struct engine_options o = { .retention_ms = 432000000,
                                .gc_interval_ms = 1800000,
                                .dir = str_c(dir),
                                .external_url = STR("http://am"),
                                .seed = seed++ };
    struct diag d = { 0 };
    if (alert_engine_new(&o, c, p->now = T0, &p->e, NULL, &d) != OK) fail_msg("%s", d.text);
    alert_config_unref(c);
}
static void end(struct play *p)
{
    alert_engine_free(p->e);
    for (size_t i = 0; i < 3; i++) buf_done(&p->log[i]);
}

static void note(struct play *p, const struct notification *nt)
{
    struct buf *b = &p->log[nt->integration->index];
    int64_t t = p->now - T0;
    buf_fmt(b, "%st%lld", b->n ? "; " : "", (long long)(t / 1000));
    if (t % 1000) buf_fmt(b, ".%lld", (long long)(t % 1000 / 100));
    for (size_t i = 0; i < nt->n; i++) {
        buf_fmt(b, "%s" STR_FMT "%s", i ? "," : " ",
                STR_ARG(labels_get(nt->v[i].alert->labels, STR("alertname"))),
                nt->v[i].resolved ? "-" : "");
    }
}

static void send_all(struct play *p)
{
    for (struct sending *s; (s = alert_take(p->e, p->now));) {
        bool third = sending_notification(s)->integration->index == 2;
        note(p, sending_notification(s));
        enum send_outcome out = third && p->sick       ? SEND_RETRY
                                : third && p->fail_400 ? SEND_FAIL
                                                       : SEND_OK;
        alert_done(p->e, s, out, "serverError", p->now);
    }
}

/* Lets the time pass up to t seconds after T0. */
static void until(struct play *p, double t)
{
    int64_t to = T0 + (int64_t)(t * 1000);
    for (;;) {
        (void)alert_tick(p->e, p->now);
        send_all(p);
        int64_t next = alert_tick(p->e, p->now);
        if (next > to) break;
        p->now = next;
    }
    p->now = to;
}

static void put(struct play *p, const char *name, bool firing)
{
    const struct label lb[] = { { STR("alertname"), str_c(name) }, { STR("g"), STR("1") } };
    struct alert a = { .labels = { lb, 2 },
                       .starts_at = firing ? p->now : T0,
                       .ends_at = firing ? p->now + 3600000 : p->now };
    alert_put(p->e, &a, 1, p->now);
}

static void says(struct play *p, size_t i, const char *text)
{
    buf_char(&p->log[i], 0);
    assert_string_equal(p->log[i].p, text);
}

static void alerts_come_and_go(void **state)
{
    (void)state;
    struct play p = { 0 };
    begin(&p, CONFIG, "");
    put(&p, "A", true);
    until(&p, 1.5);
    put(&p, "B", true);
    until(&p, 11);
    put(&p, "A", false);
    until(&p, 14);
    put(&p, "B", false);
    until(&p, 17);
    put(&p, "A", true);
    until(&p, 19.5);
    says(&p, 0, "t1 A; t4 A,B; t10 A,B; t13 A-,B; t16 B-; t18 A");
    says(&p, 1, "t1 A; t4 A,B; t10 A,B; t18 A");
    end(&p);
}

static void what_resolves_within_group_wait_is_never_sent(void **state)
{
    (void)state;
    struct play p = { 0 };
    begin(&p, CONFIG, "");
    put(&p, "F", true);
    until(&p, 0.5);
    put(&p, "F", false);
    until(&p, 30);
    assert_int_equal(p.log[0].n, 0);
    end(&p);
}

static struct matchers one_matcher(struct arena *a, const char *name)
{
    struct matchers m = { 0 };
    assert_int_equal(
        matchers_parse(a, arena_fmt(a, "alertname=%s", name), MATCHERS_FALLBACK, &m, NULL, NULL),
        OK);
    return m;
}

static void a_silence_hides_and_shows_again(void **state)
{
    (void)state;
    struct play p = { 0 };
    ARENA(a, 0);
    char id[37];
    begin(&p, CONFIG, "");
    put(&p, "S", true);
    until(&p, 2);
    struct matchers m = one_matcher(&a, "S");
    struct silence_change c = { .sets = &m,
                                .sets_n = 1,
                                .starts_at = p.now,
                                .ends_at = T0 + 9000,
                                .created_by = STR("me"),
                                .comment = STR("c") };
    assert_int_equal(alert_silence_set(p.e, &c, p.now, id, NULL), OK);
    put(&p, "T", true);
    until(&p, 23);
    says(&p, 0, "t1 S; t4 T; t10 S,T; t16 S,T; t22 S,T");
    end(&p);
}

static void a_sick_receiver_delays_no_other(void **state)
{
    (void)state;
    struct play p = { .sick = true };
    begin(&p, CONFIG, "");
    put(&p, "A", true);
    until(&p, 1.5);
    put(&p, "B", true);
    until(&p, 5);
    says(&p, 0, "t1 A; t4 A,B");
    assert_true(p.log[2].n > 20); /* several attempts of its own */
    end(&p);
}

static void a_refusal_is_tried_once_a_flush(void **state)
{
    (void)state;
    struct play p = { .fail_400 = true };
    begin(&p, CONFIG, "");
    put(&p, "A", true);
    until(&p, 8);
    says(&p, 2, "t1 A; t4 A; t7 A");
    end(&p);
}

static void an_old_alert_does_not_wait(void **state)
{
    (void)state;
    struct play p = { 0 };
    begin(&p, CONFIG, "");
    const struct label lb[] = { { STR("alertname"), STR("Old") } };
    struct alert a = { .labels = { lb, 1 }, .starts_at = T0 - 60000, .ends_at = T0 + 600000 };
    alert_put(p.e, &a, 1, p.now);
    until(&p, 0.5);
    says(&p, 0, "t0 Old");
    end(&p);
}

static void a_reload_notifies_nobody_twice(void **state)
{
    (void)state;
    struct play p = { 0 };
    begin(&p, CONFIG, "");
    put(&p, "A", true);
    until(&p, 2);
    struct alert_config *c = config(CONFIG);
    alert_engine_reload(p.e, c, p.now);
    alert_config_unref(c);
    until(&p, 5);
    says(&p, 0, "t1 A");
    end(&p);
}

static void clean(struct arena *a, const char *dir)
{
    (void)remove(arena_fmt(a, "%s/silences", dir).p);
    (void)remove(arena_fmt(a, "%s/nflog", dir).p);
    (void)remove(dir);
}

static size_t count_silences(struct play *p, struct arena *a)
{
    struct silence **v;
    size_t n;
    alert_silences(p->e, STR(""), a, &v, &n);
    return n;
}

static void the_log_survives_a_restart(void **state)
{
    (void)state;
    char dir[] = "/tmp/vigie-alert-XXXXXX";
    assert_non_null(mkdtemp(dir));
    struct play p = { 0 }, q = { 0 };
    ARENA(a, 0);
    char id[37];
    begin(&p, CONFIG, dir);
    put(&p, "A", true);
    until(&p, 2);
    struct matchers m = one_matcher(&a, "X");
    struct silence_change c = {
        .sets = &m, .sets_n = 1, .starts_at = p.now, .ends_at = T0 + 900000, .comment = STR("kept")
    };
    assert_int_equal(alert_silence_set(p.e, &c, p.now, id, NULL), OK);
    assert_int_equal(alert_sync(p.e, true, true, NULL), OK);
    assert_int_equal(alert_sync(p.e, false, false, NULL), OK);
    end(&p); /* no maintenance: as after kill -9 */
    begin(&q, CONFIG, dir);
    put(&q, "A", true);
    until(&q, 4);
    assert_int_equal(q.log[0].n, 0);
    assert_int_equal(count_silences(&q, &a), 1);
    assert_int_equal(alert_maintain(q.e, q.now, NULL), OK);
    end(&q);
    matchers_done(&m);
    clean(&a, dir);
}

static void a_torn_tail_is_cut(void **state)
{
    (void)state;
    char dir[] = "/tmp/vigie-alert-XXXXXX";
    assert_non_null(mkdtemp(dir));
    struct play p = { 0 }, q = { 0 }, r = { 0 };
    ARENA(a, 0);
    char id[37];
    begin(&p, CONFIG, dir);
    struct matchers m = one_matcher(&a, "X");
    struct silence_change c = {
        .sets = &m, .sets_n = 1, .starts_at = p.now, .ends_at = T0 + 900000
    };
    for (int i = 0; i < 2; i++) assert_int_equal(alert_silence_set(p.e, &c, p.now, id, NULL), OK);
    assert_int_equal(alert_sync(p.e, true, true, NULL), OK);
    end(&p);
    FILE *f = fopen(arena_fmt(&a, "%s/silences", dir).p, "ab");
    assert_non_null(f);
    assert_int_equal(fwrite("\x55\x0a\x20half", 1, 7, f), 7);
    (void)fclose(f);
    begin(&q, CONFIG, dir);
    assert_int_equal(count_silences(&q, &a), 2);
    assert_int_equal(alert_silence_set(q.e, &c, q.now, id, NULL), OK);
    assert_int_equal(alert_sync(q.e, true, true, NULL), OK);
    end(&q);
    begin(&r, CONFIG, dir);
    assert_int_equal(count_silences(&r, &a), 3);
    end(&r);
    matchers_done(&m);
    clean(&a, dir);
}

static void a_source_keeps_its_target_quiet(void **state)
{
    (void)state;
    struct play p = { 0 };
    begin(
        &p,
        CONFIG
        "inhibit_rules:\n- {source_matchers: [alertname=Down], target_matchers: [alertname=Lag], equal: [g]}\n",
        "");
    put(&p, "Down", true);
    put(&p, "Lag", true);
    until(&p, 6);
    put(&p, "Down", false);
    until(&p, 8);
    says(&p, 0, "t1 Down; t7 Down-,Lag");
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alerts_come_and_go),
        cmocka_unit_test(what_resolves_within_group_wait_is_never_sent),
        cmocka_unit_test(a_silence_hides_and_shows_again),
        cmocka_unit_test(a_sick_receiver_delays_no_other),
        cmocka_unit_test(a_refusal_is_tried_once_a_flush),
        cmocka_unit_test(an_old_alert_does_not_wait),
        cmocka_unit_test(a_reload_notifies_nobody_twice),
        cmocka_unit_test(the_log_survives_a_restart),
        cmocka_unit_test(a_torn_tail_is_cut),
        cmocka_unit_test(a_source_keeps_its_target_quiet),
    };
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
