/* SPDX-License-Identifier: Apache-2.0 */
#include "roles/kafka_exporter/page.h"
#include "test.h"

/* One broker, two topics, three groups: members, none, and one of another kind. */
static struct kafka_partition orders[] = {
    { 0, 1, 1, 3, 3, 0, 0, 100, 0 },
    { 1, 2, 1, 3, 2, 0, 0, 50, 5 },
    { 2, -1, 1, 3, 1, 2, 5, KAFKA_UNKNOWN, KAFKA_UNKNOWN },
};
static struct kafka_partition odd[] = { { 0, 1, 1, 1, 1, 0, 0, 10, 0 } };
static struct kafka_topic topics[] = { { { "odd\"\n\xff", 6 }, false, 0, odd, 1 },
                                       { { "orders", 6 }, false, 0, orders, 3 } };
static struct kafka_commit living[] = { { 1, 0, 90, true }, { 1, 1, -1, true } };
static struct kafka_commit resting[] = { { 0, 0, 12, false },
                                         { 1, 1, 40, false },
                                         { 1, 2, 7, false } };
static struct kafka_commit nothing[] = { { 1, 0, -1, true } };
static struct kafka_group groups[] = {
    { { "living", 6 },
      { "Stable", 6 },
      { "consumer", 8 },
      KAFKA_GROUP_CLASSIC,
      1,
      2,
      true,
      living,
      2 },
    { { "nothing", 7 },
      { "Stable", 6 },
      { "consumer", 8 },
      KAFKA_GROUP_CLASSIC,
      1,
      1,
      true,
      nothing,
      1 },
    { { "resting", 7 },
      { "Empty", 5 },
      { "consumer", 8 },
      KAFKA_GROUP_CLASSIC,
      1,
      0,
      true,
      resting,
      3 },
    { { "unknown", 7 },
      { NULL, 0 },
      { NULL, 0 },
      KAFKA_GROUP_OTHER,
      1,
      KAFKA_UNKNOWN,
      false,
      NULL,
      0 },
};
static struct kafka_log_dir dirs[] = { { { "/a", 2 }, 0, 1000, 400 },
                                       { { "/off", 4 }, 56, KAFKA_UNKNOWN, KAFKA_UNKNOWN } };

static struct kafka_snapshot *snapshot(void)
{
    static struct kafka_broker brokers[2];
    brokers[0] = (struct kafka_broker){
        .id = 1, .host = STR("k1"), .port = 9092, .up = true, .dirs = dirs, .dirs_n = 2
    };
    brokers[1] = (struct kafka_broker){
        .id = 2, .host = STR("::1"), .port = 9093, .problem = STR("broker 2: bad\nkafka_brokers 9")
    };
    struct kafka_snapshot *s = kafka_snapshot_new();
    s->reachable = true;
    s->taken_ms = 1000;
    s->brokers = brokers;
    s->brokers_n = 2;
    s->topics = topics;
    s->topics_n = 2;
    s->groups = groups;
    s->groups_n = 4;
    return s;
}

static void write(struct buf *b, bool show_all, const char *labels, bool reachable)
{
    struct page_options o = { .show_all = show_all, .version = STR("1") };
    struct diag d;
    struct kafka_snapshot *s = snapshot();
    s->reachable = reachable;
    assert_int_equal(page_labels(str_c(labels), &o, &d), OK);
    page_write(b, &o, s, 3500);
    buf_char(b, 0);
    kafka_snapshot_unref(s);
}

static void has(const struct buf *b, const char *line)
{
    BUF(want, 0);
    buf_fmt(&want, "\n%s\n", line);
    if (str_find(buf_str(b), buf_str(&want)) == STR_NONE) fail_msg("no line %s in\n%s", line, b->p);
}

static void has_not(const struct buf *b, const char *part)
{
    if (str_find(buf_str(b), str_c(part)) != STR_NONE) fail_msg("%s in\n%s", part, b->p);
}

static void shows_all(void **state)
{
    (void)state;
    BUF(b, 0);
    write(&b, true, "", true);
    has(&b, "kafka_brokers 2");
    has(&b, "kafka_broker_info{address=\"[::1]:9093\",id=\"2\"} 1");
    has(&b, "kafka_broker_up{broker=\"2\"} 0");
    has(&b, "kafka_topic_partitions{topic=\"orders\"} 3");
    has(&b, "kafka_topic_partition_current_offset{partition=\"1\",topic=\"orders\"} 50");
    has(&b, "kafka_topic_partition_oldest_offset{partition=\"1\",topic=\"orders\"} 5");
    has(&b, "kafka_topic_partition_leader_is_preferred{partition=\"1\",topic=\"orders\"} 0");
    has(&b, "kafka_topic_partition_under_replicated_partition{partition=\"1\",topic=\"orders\"} 1");
    has(&b, "kafka_topic_partition_leader_is_preferred{partition=\"2\",topic=\"orders\"} 0");
    has_not(&b, "kafka_topic_partition_leader{partition=\"2\",topic=\"orders\"}");
    has_not(&b, "kafka_topic_partition_current_offset{partition=\"2\",topic=\"orders\"}");
    /* A group with some commit on the topic has -1 for its other partitions; without a high watermark there is no lag. */
    has(&b,
        "kafka_consumergroup_lag{consumergroup=\"living\",partition=\"0\",topic=\"orders\"} 10");
    has(&b,
        "kafka_consumergroup_lag{consumergroup=\"living\",partition=\"2\",topic=\"orders\"} -1");
    has(&b,
        "kafka_consumergroup_current_offset{consumergroup=\"resting\",partition=\"2\",topic=\"orders\"} 7");
    has(&b,
        "kafka_consumergroup_offset{consumergroup=\"resting\",partition=\"2\",topic=\"orders\"} 7");
    has_not(&b,
            "kafka_consumergroup_lag{consumergroup=\"resting\",partition=\"2\",topic=\"orders\"}");
    has(&b, "kafka_consumergroup_lag_sum{consumergroup=\"resting\",topic=\"orders\"} 10");
    has(&b, "kafka_consumergroup_current_offset_sum{consumergroup=\"living\",topic=\"orders\"} 90");
    has(&b,
        "kafka_consumergroup_lag{consumergroup=\"resting\",partition=\"0\",topic=\"odd\\\"\\n\xef\xbf\xbd\"} -2");
    has(&b, "kafka_consumergroup_members{consumergroup=\"nothing\"} 1");
    has_not(&b, "lag{consumergroup=\"nothing\"");
    has_not(&b, "consumergroup=\"unknown\"");
    has(&b, "kafka_consumergroup_state{consumergroup=\"resting\",state=\"Empty\"} 1");
    has(&b, "kafka_log_size_bytes{broker=\"1\",log_dir=\"/a\"} 600");
    has(&b, "kafka_log_size_limit_bytes{broker=\"1\",log_dir=\"/a\"} 1000");
    has_not(&b, "/off");
    has(&b, "kafka_exporter_snapshot_age_seconds 2.5");
    has(&b, "# problem: broker 2: bad?kafka_brokers 9"); /* no line of its own */
}

static void shows_what_is_held(void **state)
{
    (void)state;
    BUF(b, 0);
    write(&b, false, "", true);
    has(&b,
        "kafka_consumergroup_lag{consumergroup=\"living\",partition=\"1\",topic=\"orders\"} -1");
    has_not(&b, "lag{consumergroup=\"living\",partition=\"2\"");
    has(&b,
        "kafka_consumergroup_current_offset{consumergroup=\"resting\",partition=\"1\",topic=\"orders\"} 40");
    has_not(&b, "offset{consumergroup=\"resting\",partition=\"0\",topic=\"orders\"");
}

static void labels_are_sorted_in(void **state)
{
    (void)state;
    BUF(b, 0);
    write(&b, true, "zone=b=dropped,env=prod,nothing,env=test", true);
    has(&b, "kafka_brokers{env=\"test\",zone=\"b\"} 2");
    has(&b,
        "kafka_topic_partition_replicas{env=\"test\",partition=\"0\",topic=\"orders\",zone=\"b\"} 3");
}

static void unreachable_counts_no_broker(void **state)
{
    (void)state;
    BUF(b, 0);
    write(&b, true, "", false);
    has(&b, "kafka_brokers 0");
    has(&b, "kafka_topic_partitions{topic=\"orders\"} 3");
}

static void bad_labels_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err err;
    } ROWS[] = { { "topic=x", ERR_EXISTS },
                 { "1a=x", ERR_SYNTAX },
                 { "a-b=x", ERR_SYNTAX },
                 { "__name__=x", ERR_SYNTAX },
                 { "=x", ERR_SYNTAX },
                 { "a=,b=,c=,d=,e=,f=,g=,h=,i=,j=,k=,l=,m=,n=,o=,p=,q=", ERR_LIMIT } };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct page_options o = { 0 };
        struct diag d = { 0 };
        assert_int_equal(page_labels(str_c(ROWS[i].text), &o, &d), ROWS[i].err);
        assert_true(str_starts(str_c(d.text), STR("kafka.labels: ")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_all),
        cmocka_unit_test(shows_what_is_held),
        cmocka_unit_test(labels_are_sorted_in),
        cmocka_unit_test(unreachable_counts_no_broker),
        cmocka_unit_test(bad_labels_are_refused),
    };
    return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}
