/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_kafka.h"
#include "test.h"

/* Three brokers, a topic spread over them, a group on each. */
static struct fake *three(void)
{
    struct fake *f = fake_new(3);
    f->topics[0] = (struct fake_topic){ "orders", { 1, 2, 3 }, 100 };
    f->topics[1] = (struct fake_topic){ "__consumer_offsets", { 1, 2, 3 }, 7 };
    f->groups[0] = (struct fake_group){ "g1", "classic", 1, 0, { { "orders", 1, 90 } }, 0 };
    f->groups[1] = (struct fake_group){ "g2", "consumer", 2, 0, { { "orders", 0, 50 } }, 0 };
    f->groups[2] = (struct fake_group){ "g3", "classic", 3, 0, { { "orders", 2, 102 } }, 0 };
    return f;
}

static const struct kafka_broker *find_broker(const struct kafka_snapshot *s, int32_t id)
{
    for (size_t i = 0; i < s->brokers_n; i++) {
        if (s->brokers[i].id == id) return &s->brokers[i];
    }
    return NULL;
}

static const struct kafka_broker *broker(const struct kafka_snapshot *s, int32_t id)
{
    const struct kafka_broker *b = find_broker(s, id);
    ASSERT(b != NULL);
    return b;
}

static const struct kafka_group *group(const struct kafka_snapshot *s, const char *id)
{
    const struct kafka_group *found = NULL;
    for (size_t i = 0; i < s->groups_n; i++) {
        if (str_eqc(s->groups[i].id, id)) found = &s->groups[i];
    }
    ASSERT(found != NULL);
    return found;
}

static const struct kafka_partition *part(const struct kafka_snapshot *s, const char *topic,
                                          size_t i)
{
    size_t t = kafka_snapshot_topic(s, str_c(topic));
    ASSERT(t != STR_NONE && i < s->topics[t].partitions_n);
    return &s->topics[t].partitions[i];
}

static void assert_holds(struct str text, const char *what)
{
    if (str_find(text, str_c(what)) == STR_NONE) {
        fail_msg("\"" STR_FMT "\" does not say \"%s\"", STR_ARG(text), what);
    }
}

static void all_well(void **state)
{
    (void)state;
    struct fake *f = three();
    fake_start(f, NULL);
    const struct kafka_snapshot *s = fake_cycle(f);
    assert_true(s->reachable);
    assert_int_equal(s->brokers_n, 3);
    assert_int_equal(s->topics_n, 2);
    for (size_t i = 0; i < 3; i++) {
        assert_true(s->brokers[i].up);
        assert_int_equal(s->brokers[i].problem.n, 0);
        assert_int_equal(part(s, "orders", i)->high, 100 + (int64_t)i);
        assert_int_equal(part(s, "orders", i)->low, 1);
        assert_int_equal(s->brokers[i].dirs[0].total_bytes, 1000);
    }
    assert_int_equal(group(s, "g1")->members, 1);
    assert_int_equal(group(s, "g2")->members, 2);
    assert_int_equal(group(s, "g2")->commits[0].offset, 50);
    assert_int_equal(group(s, "g3")->coordinator, 3);
    kafka_snapshot_unref(s);
    /* The second cycle keeps its connections; log dirs are not asked for again so soon. */
    size_t links = f->links_n, before = f->log_n;
    kafka_snapshot_unref(fake_cycle(f));
    assert_int_equal(f->links_n, links);
    /* Metadata, DescribeCluster; a broker: ListGroups, describe, OffsetFetch, ListOffsets twice. */
    assert_int_equal(f->log_n - before, 2 + 3 * 5);
    assert_int_equal(fake_count(f, 0, KAFKA_DESCRIBE_LOG_DIRS), 3);
    fake_free(f);
}

/* No high watermark is asked for before every commit that it is compared with is there: lag cannot be negative by order. */
static void ends_are_asked_after_commits(void **state)
{
    (void)state;
    struct fake *f = three();
    fake_start(f, NULL);
    kafka_snapshot_unref(fake_cycle(f));
    size_t begin = f->log_n;
    f->brokers[1].mode = FAKE_SLOW;
    f->brokers[1].slow_ms = 400;
    kafka_snapshot_unref(fake_cycle(f));
    int64_t last_commit = 0, first_end = INT64_MAX;
    for (size_t i = begin; i < f->log_n; i++) {
        const struct fake_request *r = &f->log[i];
        if (r->api == KAFKA_OFFSET_FETCH && r->at_ms > last_commit) last_commit = r->at_ms;
        if (r->api == KAFKA_LIST_OFFSETS && r->timestamp == -1 && r->at_ms < first_end) {
            first_end = r->at_ms;
        }
    }
    assert_true(first_end >= last_commit + 400); /* the slow one's answer was in */
    fake_free(f);
}

/* ---- one of three fails in some way; the others' data must be there, soon ---- */

static const struct bad_row {
    const char *name;
    enum fake_mode mode;
    enum kafka_api_id on;
    struct str says;
    int64_t within_ms; /* the first cycle; the second one is never held up at all */
    const char *problem;
    bool later; /* the sentence is there only with the next snapshot: the request still has time */
} BAD[] = {
    { "refused",
      FAKE_REFUSES,
      0,
      { NULL, 0 },
      100,
      "broker 2 (k2:9092): connection refused",
      false },
    { "black hole", FAKE_SWALLOWS, 0, { NULL, 0 }, 1100, "no connection within 2000 ms", true },
    { "silent",
      FAKE_SILENT_ON,
      KAFKA_API_VERSIONS,
      { NULL, 0 },
      1100,
      "broker 2 (k2:9092): no answer to ApiVersions within 5.0 s",
      true },
    { "silent on ListGroups",
      FAKE_SILENT_ON,
      KAFKA_LIST_GROUPS,
      { NULL, 0 },
      1100,
      "broker 2 (k2:9092): no answer to ListGroups within 5.0 s",
      true },
    { "silent on OffsetFetch",
      FAKE_SILENT_ON,
      KAFKA_OFFSET_FETCH,
      { NULL, 0 },
      1100,
      "broker 2 (k2:9092): no answer to OffsetFetch within 5.0 s",
      true },
    { "silent on ListOffsets",
      FAKE_SILENT_ON,
      KAFKA_LIST_OFFSETS,
      { NULL, 0 },
      1100,
      "broker 2 (k2:9092): no answer to ListOffsets within 5.0 s",
      true },
    { "half a frame",
      FAKE_SAYS,
      KAFKA_LIST_OFFSETS,
      { "\0\0\1\0\0\0", 6 },
      100,
      "broker 2 (k2:9092): peer closed the connection in the middle of its answer to ListOffsets",
      false },
    { "garbage",
      FAKE_SAYS,
      KAFKA_LIST_GROUPS,
      { "\0\0\0\x06\0\0\0\2\x7f\xff", 10 },
      100,
      "broker 2 (k2:9092): its answer to ListGroups version 5 cannot be read",
      false },
    { "wrong correlation id",
      FAKE_SAYS,
      KAFKA_LIST_GROUPS,
      { "\0\0\0\x0d\0\0\0\x63\0\0\0\0\0\0\0\1\0", 17 },
      100,
      "broker 2 (k2:9092): answered request 99 when ListGroups",
      false },
    { "huge frame",
      FAKE_SAYS,
      KAFKA_OFFSET_FETCH,
      { "\x10\0\0\0", 4 },
      100,
      "broker 2 (k2:9092): its answer to OffsetFetch would be larger than the limit",
      false },
    { "negative frame",
      FAKE_SAYS,
      KAFKA_OFFSET_FETCH,
      { "\xff\0\0\0", 4 },
      100,
      "broker 2 (k2:9092): its answer to OffsetFetch is not Kafka's protocol",
      false },
    { "HTTP",
      FAKE_SAYS,
      KAFKA_API_VERSIONS,
      { "HTTP/1.1 400 Bad", 16 },
      100,
      "broker 2 (k2:9092): speaks HTTP, not Kafka's protocol, in answer to ApiVersions",
      false },
    { "TLS", FAKE_SAYS, KAFKA_API_VERSIONS, { "\x15\3\3\0\2\2\x46", 7 }, 100, "speaks TLS", false },
    { "closes",
      FAKE_SAYS,
      KAFKA_API_VERSIONS,
      { "", 0 },
      100,
      "broker 2 (k2:9092): peer closed the connection before it answered ApiVersions",
      false },
};

static void others_are_complete(const struct kafka_snapshot *s)
{
    assert_true(s->reachable);
    assert_true(broker(s, 1)->up && broker(s, 3)->up);
    assert_int_equal(part(s, "orders", 0)->high, 100);
    assert_int_equal(part(s, "orders", 2)->high, 102);
    assert_int_equal(part(s, "orders", 2)->low, 1);
    assert_true(group(s, "g1")->offsets_known);
    assert_true(group(s, "g3")->offsets_known);
}

static void one_of_three_fails(void **state)
{
    const struct bad_row *r = *state;
    struct fake *f = three();
    f->brokers[1].mode = r->mode;
    f->brokers[1].on = r->on;
    f->brokers[1].says = r->says;
    fake_start(f, NULL);
    const struct kafka_snapshot *s = fake_cycle(f);
    others_are_complete(s);
    if (s->duration_ms > r->within_ms) fail_msg("%lld ms", (long long)s->duration_ms);
    assert_int_equal(part(s, "orders", 1)->high, KAFKA_UNKNOWN);
    assert_true(broker(s, 2)->problem.n > 0);
    if (!r->later) assert_holds(broker(s, 2)->problem, r->problem);
    kafka_snapshot_unref(s);
    s = fake_cycle(f);
    others_are_complete(s);
    assert_holds(broker(s, 2)->problem, r->problem);
    if (s->duration_ms > r->within_ms) fail_msg("again %lld ms", (long long)s->duration_ms);
    kafka_snapshot_unref(s);
    /* It gets well: in the next cycle but one at the latest it counts again. */
    f->brokers[1].mode = FAKE_WELL;
    kafka_snapshot_unref(fake_cycle(f));
    s = fake_cycle(f);
    assert_true(broker(s, 2)->up);
    assert_int_equal(part(s, "orders", 1)->high, 101);
    assert_int_equal(broker(s, 2)->problem.n, 0);
    assert_true(group(s, "g2")->offsets_known);
    kafka_snapshot_unref(s);
    fake_free(f);
}

/* A broker that is slow but answers is waited for as long as it took the last time. */
static void slow_is_not_dead(void **state)
{
    (void)state;
    struct fake *f = three();
    f->brokers[1].mode = FAKE_SLOW;
    f->brokers[1].slow_ms = 1500;
    fake_start(f, NULL);
    kafka_snapshot_unref(fake_cycle(f));
    kafka_snapshot_unref(fake_cycle(f));
    const struct kafka_snapshot *s = fake_cycle(f);
    assert_true(broker(s, 2)->up);
    assert_int_equal(part(s, "orders", 1)->high, 101);
    assert_true(group(s, "g2")->offsets_known);
    kafka_snapshot_unref(s);
    fake_free(f);
}

/* ---- everybody fails ---- */

static void nobody_then_somebody(void **state)
{
    (void)state;
    struct fake *f = three();
    for (int i = 0; i < 3; i++) f->brokers[i].mode = FAKE_REFUSES;
    fake_start(f, NULL);
    const struct kafka_snapshot *s = fake_cycle(f);
    assert_false(s->reachable);
    assert_int_equal(s->topics_n, 0);
    assert_holds(s->problem, "bootstrap server (k1:9092): connection refused");
    kafka_snapshot_unref(s);
    for (int i = 0; i < 3; i++) f->brokers[i].mode = FAKE_WELL;
    s = fake_cycle(f);
    assert_true(s->reachable);
    assert_int_equal(s->brokers_n, 3);
    kafka_snapshot_unref(s);

    /* Lost again: the last state stays readable, says how old it is, and nobody is up. */
    for (int i = 0; i < 3; i++) f->brokers[i].mode = FAKE_REFUSES;
    for (size_t i = 0; i < f->links_n; i++) {
        if (!f->links[i].closed) {
            fake_event(f, &f->links[i], 0, FAKE_END, NULL, "peer closed the connection");
        }
    }
    s = fake_cycle(f);
    assert_false(s->reachable);
    assert_int_equal(part(s, "orders", 0)->high, 100);
    assert_int_equal(s->groups_n, 3);
    assert_true(s->data_age_ms >= 9000);
    assert_false(broker(s, 1)->up);
    assert_holds(broker(s, 1)->problem, "connection refused");
    kafka_snapshot_unref(s);
    fake_free(f);
}

/* The first bootstrap server is silent: the second is asked meanwhile. */
static void silent_bootstrap(void **state)
{
    (void)state;
    struct fake *f = three();
    f->brokers[1].mode = FAKE_SILENT_ON;
    f->brokers[1].on = KAFKA_METADATA;
    struct str servers[] = { STR("k2:9092"), STR("k3:9092") };
    struct kafka_collector_options o = { .servers = servers,
                                         .servers_n = 2,
                                         .interval_ms = 10000,
                                         .log_dirs_ms = 30000,
                                         .connect_timeout_ms = 2000,
                                         .request_timeout_ms = 5000,
                                         .response_max = 1 << 20,
                                         .client_id = STR("test"),
                                         .on_publish = fake_on_publish,
                                         .ctx = f };
    struct diag d;
    assert_int_equal(kafka_collector_start(&f->net, &o, &f->c, &d), OK);
    const struct kafka_snapshot *s = fake_cycle(f);
    others_are_complete(s);
    assert_true(s->duration_ms < 1500);
    kafka_snapshot_unref(s);
    fake_free(f);
}

/* ---- who is who ---- */

static void wrong_listener_of_the_only_broker(void **state)
{
    (void)state;
    struct fake *f = fake_new(1);
    f->topics[0] = (struct fake_topic){ "t", { 1 }, 5 };
    f->brokers[0].advertised = "localhost";
    fake_start(f, NULL);
    for (int i = 0; i < 2; i++) {
        const struct kafka_snapshot *s = fake_cycle(f);
        assert_true(s->reachable);
        assert_int_equal(part(s, "t", 0)->high, 5);
        assert_holds(broker(s, 1)->host, "localhost");
        assert_holds(broker(s, 1)->problem, "the bootstrap address is used in its place");
        kafka_snapshot_unref(s);
    }
    fake_free(f);
}

static void wrong_listener_of_many(void **state)
{
    (void)state;
    struct fake *f = three();
    f->brokers[1].advertised = "localhost";
    fake_start(f, NULL);
    const struct kafka_snapshot *s = fake_cycle(f);
    others_are_complete(s);
    assert_holds(broker(s, 2)->problem, "broker 2 (localhost:9092): connection refused; that "
                                        "address is what the broker advertises");
    kafka_snapshot_unref(s);
    fake_free(f);
}

static void brokers_move_and_go(void **state)
{
    (void)state;
    struct fake *f = three();
    fake_start(f, "k3:9092");
    kafka_snapshot_unref(fake_cycle(f));
    f->brokers[1].host = "elsewhere";
    f->brokers[2].gone = true;
    const struct kafka_snapshot *s = fake_cycle(f);
    assert_int_equal(s->brokers_n, 2);
    assert_null(find_broker(s, 3));
    assert_holds(broker(s, 2)->host, "elsewhere");
    kafka_snapshot_unref(s);
    s = fake_cycle(f);
    assert_true(broker(s, 2)->up);
    kafka_snapshot_unref(s);
    f->brokers[2].gone = false;
    f->brokers[2].fenced = true;
    s = fake_cycle(f);
    assert_true(broker(s, 3)->fenced);
    assert_false(broker(s, 3)->up);
    kafka_snapshot_unref(s);
    fake_free(f);
}

/* Both list the group; the leader of its partition of __consumer_offsets ("g1" of 3: partition 2, broker 3) is right. */
static void group_listed_twice(void **state)
{
    (void)state;
    struct fake *f = three();
    f->groups[0].coordinator = 3;
    f->groups[0].also_listed_by = 1;
    fake_start(f, NULL);
    const struct kafka_snapshot *s = fake_cycle(f);
    assert_int_equal(s->groups_n, 3);
    assert_int_equal(s->duplicate_groups, 1);
    assert_int_equal(group(s, "g1")->coordinator, 3);
    assert_int_equal(group(s, "g1")->commits_n, 1);
    assert_int_equal(group(s, "g1")->members, 1);
    kafka_snapshot_unref(s);
    fake_free(f);
}

/* 0.11: ApiVersions 1, OffsetFetch 3 (one group a request), no types, no DescribeCluster, no log dirs. */
static void old_broker(void **state)
{
    (void)state;
    static const int16_t MOST[KAFKA_API_MAX_] = {
        [KAFKA_API_VERSIONS] = 1,          [KAFKA_METADATA] = 4,
        [KAFKA_DESCRIBE_CLUSTER] = -1,     [KAFKA_LIST_GROUPS] = 1,
        [KAFKA_DESCRIBE_GROUPS] = 1,       [KAFKA_CONSUMER_GROUP_DESCRIBE] = -1,
        [KAFKA_SHARE_GROUP_DESCRIBE] = -1, [KAFKA_OFFSET_FETCH] = 3,
        [KAFKA_LIST_OFFSETS] = 2,          [KAFKA_DESCRIBE_LOG_DIRS] = -1
    };
    struct fake *f = three();
    f->groups[1].coordinator = 1;
    for (int i = 0; i < 3; i++) memcpy(f->brokers[i].most, MOST, sizeof(MOST));
    fake_start(f, NULL);
    const struct kafka_snapshot *s = fake_cycle(f);
    others_are_complete(s);
    assert_int_equal(part(s, "orders", 1)->high, 101);
    assert_int_equal(group(s, "g1")->commits[0].offset, 90);
    assert_int_equal(group(s, "g2")->commits[0].offset, 50);
    assert_int_equal(fake_count(f, 1, KAFKA_OFFSET_FETCH), 2);
    assert_int_equal(broker(s, 1)->dirs_n, 0);
    kafka_snapshot_unref(s);
    fake_free(f);
}

static void errors_are_told(void **state)
{
    (void)state;
    struct fake *f = three();
    f->groups[0].error = 30;
    f->topics[2] = (struct fake_topic){ "leaderless", { -1 }, 0 };
    fake_start(f, NULL);
    const struct kafka_snapshot *s = fake_cycle(f);
    assert_false(group(s, "g1")->offsets_known);
    assert_holds(broker(s, 1)->problem, "OffsetFetch was answered with GROUP_AUTHORIZATION_FAILED "
                                        "for g1 (this user lacks DESCRIBE on the group)");
    assert_true(group(s, "g2")->offsets_known);
    assert_int_equal(part(s, "leaderless", 0)->leader, -1);
    assert_int_equal(part(s, "leaderless", 0)->high, KAFKA_UNKNOWN);
    assert_int_equal(part(s, "leaderless", 0)->error, 5);
    kafka_snapshot_unref(s);
    fake_free(f);
}

/* Nothing in common with a broker of the far future. */
static void no_common_version(void **state)
{
    (void)state;
    struct fake *f = three();
    f->brokers[1].most[KAFKA_LIST_OFFSETS] = 1;
    fake_start(f, NULL);
    const struct kafka_snapshot *s = fake_cycle(f);
    others_are_complete(s);
    assert_holds(broker(s, 2)->problem,
                 "the broker speaks ListOffsets 0 to 1, this program 2 to 11");
    kafka_snapshot_unref(s);
    fake_free(f);
}

/* Broker that is still starting: its Metadata names nobody. That is an answer, not a wait without end. */
static void metadata_without_brokers(void **state)
{
    (void)state;
    struct fake *f = three();
    for (int i = 0; i < 3; i++) f->brokers[i].gone = true;
    fake_start(f, NULL);
    const struct kafka_snapshot *s = fake_cycle(f);
    assert_false(s->reachable);
    assert_holds(s->problem, "Metadata names no broker yet");
    kafka_snapshot_unref(s);
    fake_free(f);
}

/* Its commits come when the ends are asked already: better no lag than one that order made negative. */
static void late_commits_are_left_out(void **state)
{
    (void)state;
    struct fake *f = three();
    fake_start(f, NULL);
    kafka_snapshot_unref(fake_cycle(f));
    f->brokers[1].mode = f->brokers[2].mode = FAKE_SLOW;
    f->brokers[1].on = KAFKA_OFFSET_FETCH;
    f->brokers[1].slow_ms = 1500; /* longer than the others wait, shorter than the ends take */
    f->brokers[2].on = KAFKA_LIST_OFFSETS;
    f->brokers[2].slow_ms = 800;
    const struct kafka_snapshot *s = fake_cycle(f);
    others_are_complete(s);
    assert_true(s->duration_ms > 1600);
    assert_false(group(s, "g2")->offsets_known);
    assert_int_equal(group(s, "g2")->commits_n, 0);
    kafka_snapshot_unref(s);
    fake_free(f);
}

static void servers_are_checked(void **state)
{
    (void)state;
    static const char *const WRONG[] = { "kafka", ":9092", "kafka:", "kafka:0", "kafka:65536", "" };
    struct fake *f = fake_new(1);
    for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
        struct str server = str_c(WRONG[i]);
        struct kafka_collector_options o = { .servers = &server, .servers_n = 1 };
        struct diag d = { 0 };
        assert_int_equal(kafka_collector_start(&f->net, &o, &f->c, &d), ERR_SYNTAX);
        assert_holds(str_c(d.text), "expected host:port");
    }
    fake_free(f);
}

int main(void)
{
    const struct CMUnitTest plain[] = {
        cmocka_unit_test(all_well),
        cmocka_unit_test(ends_are_asked_after_commits),
        cmocka_unit_test(slow_is_not_dead),
        cmocka_unit_test(nobody_then_somebody),
        cmocka_unit_test(silent_bootstrap),
        cmocka_unit_test(wrong_listener_of_the_only_broker),
        cmocka_unit_test(wrong_listener_of_many),
        cmocka_unit_test(brokers_move_and_go),
        cmocka_unit_test(group_listed_twice),
        cmocka_unit_test(old_broker),
        cmocka_unit_test(errors_are_told),
        cmocka_unit_test(no_common_version),
        cmocka_unit_test(metadata_without_brokers),
        cmocka_unit_test(late_commits_are_left_out),
        cmocka_unit_test(servers_are_checked),
    };
    struct CMUnitTest tests[ARRAY_LEN(BAD) + ARRAY_LEN(plain)];
    memcpy(tests, plain, sizeof(plain));
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        tests[ARRAY_LEN(plain) + i] = (struct CMUnitTest){
            .name = BAD[i].name,
            .test_func = one_of_three_fails,
            .initial_state = (void *)(uintptr_t)&BAD[i]
        };
    }
    return cmocka_run_group_tests_name("collector", tests, NULL, NULL);
}
