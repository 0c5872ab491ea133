/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/frame.h"
#include "test.h"

#include <stdio.h>

/* ---- whole requests, as an independent client writes them (client id "kx", correlation id 7) ---- */

static const struct kafka_api_versions_req API_VERSIONS = { STR("kafkamon"), STR("1.0") };
static const struct kafka_metadata_req METADATA = { .allow_auto_topic_creation = false };
static const struct kafka_list_groups_req LIST_GROUPS = { 0 };
static struct kafka_offset_fetch_req_group G1[] = { { .group_id = { "g1", 2 } } };
static const struct kafka_offset_fetch_req FETCH_ALL = { .groups = { G1, 1 } };
static int32_t ZERO_ONE[] = { 0, 1 };
static struct kafka_offset_fetch_req_topic TOPIC_T[] = { { { "t", 1 }, { ZERO_ONE, 2 } } };
static struct kafka_offset_fetch_req_group G1_T[] = { { .group_id = { "g1", 2 },
                                                        .topics = { TOPIC_T, 1 } } };
static const struct kafka_offset_fetch_req FETCH_TWO = { .groups = { G1_T, 1 } };
static struct kafka_list_offsets_req_partition LATEST[] = { { 0, -1, -1 } };
static struct kafka_list_offsets_req_topic LATEST_T[] = { { { "t", 1 }, { LATEST, 1 } } };
static const struct kafka_list_offsets_req LIST_OFFSETS = { .replica_id = -1,
                                                            .topics = { LATEST_T, 1 } };
static struct kafka_log_dirs_req_topic NO_TOPIC[1];
static const struct kafka_describe_log_dirs_req CAPACITIES = { .topics = { NO_TOPIC, 0 } };
static const struct kafka_describe_log_dirs_req ALL_DIRS = { { NULL, 0 } };

static const struct vector {
    const char *name;
    enum kafka_api_id api;
    int16_t version;
    const void *req;
    const char *hex;
} VECTORS[] = {
    { "ApiVersions 3", KAFKA_API_VERSIONS, 3, &API_VERSIONS,
      "0000001b001200030000000700026b7800096b61666b616d6f6e04312e3000" },
    { "Metadata 12, all topics", KAFKA_METADATA, 12, &METADATA,
      "000000110003000c0000000700026b780000000000" },
    { "ListGroups 5", KAFKA_LIST_GROUPS, 5, &LIST_GROUPS,
      "00000010001000050000000700026b7800010100" },
    { "OffsetFetch 8, all topics", KAFKA_OFFSET_FETCH, 8, &FETCH_ALL,
      "00000015000900080000000700026b78000203673100000000" },
    { "OffsetFetch 8, two partitions", KAFKA_OFFSET_FETCH, 8, &FETCH_TWO,
      "00000021000900080000000700026b78000203673102027403000000000000000100000000" },
    { "ListOffsets 7", KAFKA_LIST_OFFSETS, 7, &LIST_OFFSETS,
      "00000029000200070000000700026b7800ffffffff000202740200000000ffffffffffffffffffffffff000000" },
    { "DescribeLogDirs 4, capacities", KAFKA_DESCRIBE_LOG_DIRS, 4, &CAPACITIES,
      "0000000f002300040000000700026b78000100" },
    { "DescribeLogDirs 4, all", KAFKA_DESCRIBE_LOG_DIRS, 4, &ALL_DIRS,
      "0000000f002300040000000700026b78000000" },
};

static void request_equals_vector(void **state)
{
    const struct vector *v = *state;
    BUF(b, 0);
    BUF(hex, 0);
    kafka_request_write(&b, v->api, v->version, 7, STR("kx"), v->req);
    for (size_t i = 0; i < b.n; i++) buf_fmt(&hex, "%02x", (unsigned char)b.p[i]);
    buf_char(&hex, 0);
    assert_string_equal(hex.p, v->hex);
}

/* ---- answers ---- */

static const struct peek {
    const char *name;
    struct str in;
    enum err err;
    size_t n;
} PEEKS[] = {
    { "nothing", { "", 0 }, ERR_AGAIN, 0 },
    { "half a length", { "\0\0", 2 }, ERR_AGAIN, 0 },
    { "half a frame", { "\0\0\0\6abc", 7 }, ERR_AGAIN, 0 },
    { "a frame and more", { "\0\0\0\4abcdef", 10 }, OK, 4 },
    { "negative", { "\xff\xff\xff\xff", 4 }, ERR_SYNTAX, 0 },
    { "shorter than a header", { "\0\0\0\3abc", 7 }, ERR_SYNTAX, 0 },
    { "too long", { "\0\0\4\1", 4 }, ERR_LIMIT, 0 },
};

static void frame_is_cut(void **state)
{
    const struct peek *r = *state;
    struct str frame = { 0 };
    assert_int_equal(kafka_frame_peek(r->in, 1024, &frame), r->err);
    assert_int_equal(frame.n, r->n);
}

static void strangers_are_named(void **state)
{
    (void)state;
    assert_string_equal(kafka_frame_stranger(STR("HTTP/1.1 400 Bad Request")), "HTTP");
    assert_string_equal(kafka_frame_stranger(str_make("\x15\x03\x03\x00\x02\x02\x46", 7)), "TLS");
    assert_string_equal(kafka_frame_stranger(STR("SSH-2.0-OpenSSH")), "SSH");
    assert_null(kafka_frame_stranger(str_make("\0\0\0\x10\0\0\0\1", 8)));
}

static enum err read(enum kafka_api_id api, int16_t version, struct str frame, size_t limit,
                     void *res)
{
    struct arena a;
    arena_init(&a, limit);
    int32_t correlation;
    enum err e = kafka_response_read(api, version, frame, &a, &correlation, res);
    arena_done(&a);
    return e;
}

#define BYTES(lit) ((struct str){ lit, sizeof(lit) - 1 })

static void bad_answers_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        struct str frame;
        enum err err;
    } ROWS[] = {
        { "cut in the header", BYTES("\0\0"), ERR_SHORT },
        { "cut in the body", BYTES("\0\0\0\1\0\0\0\0\0"), ERR_SHORT },
        { "bytes behind the body", BYTES("\0\0\0\1\0\0\0\0\0\0\0\0\0\0!"), ERR_SYNTAX },
        { "2^31-1 groups", BYTES("\0\0\0\1\0\0\0\0\0\0\x7f\xff\xff\xff"), ERR_LIMIT },
        { "null groups", BYTES("\0\0\0\1\0\0\0\0\0\0\xff\xff\xff\xff"), ERR_SYNTAX },
        { "-2 groups", BYTES("\0\0\0\1\0\0\0\0\0\0\xff\xff\xff\xfe"), ERR_SYNTAX },
        { "a good one", BYTES("\0\0\0\1\0\0\0\0\0\0\0\0\0\0"), OK },
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct kafka_list_groups_res res;
        enum err e = read(KAFKA_LIST_GROUPS, 2, ROWS[i].frame, 0, &res);
        if (e != ROWS[i].err) fail_msg("%s: %s", ROWS[i].why, err_name(e));
    }
}

/* Tags that no definition knows, in the header, in an element, at the end: passed over by their size. */
static void unknown_tags_are_passed_over(void **state)
{
    (void)state;
    static const char FRAME[] = "\0\0\0\1"
                                "\1\x63\2zz"
                                "\0\0\0\0\0\0\2"
                                "\2g\1\1\1"
                                "\2\5\1a\x81\1\0"
                                "\1\7\3abc";
    ARENA(a, 0);
    int32_t correlation;
    struct kafka_list_groups_res res;
    assert_int_equal(
        kafka_response_read(KAFKA_LIST_GROUPS, 5, BYTES(FRAME), &a, &correlation, &res), OK);
    assert_int_equal(correlation, 1);
    assert_int_equal(res.groups.n, 1);
    assert_true(str_eqc(res.groups.v[0].group_id, "g"));
}

/* Many small elements must not become many large structs: the arena's limit ends the read. */
static void decoding_is_bounded(void **state)
{
    (void)state;
    BUF(b, 0);
    buf_put(&b, BYTES("\0\0\0\1\0\0\0\0\0\0\0\0\x27\x10"));
    for (int i = 0; i < 10000; i++) buf_put(&b, BYTES("\0\0\0\0"));
    struct kafka_list_groups_res res;
    assert_int_equal(read(KAFKA_LIST_GROUPS, 2, buf_str(&b), 0, &res), OK);
    assert_int_equal(read(KAFKA_LIST_GROUPS, 2, buf_str(&b), 100000, &res), ERR_LIMIT);
}

/* What a broker older than version 3 says to version 3: error 35 in the layout of version 0. */
static void old_broker_is_understood(void **state)
{
    (void)state;
    ARENA(a, 0);
    int32_t correlation;
    int16_t version = 3;
    struct kafka_api_versions_res res;
    assert_int_equal(
        kafka_api_versions_read(BYTES("\0\0\0\1\0\x23\0\0\0\0"), &version, &a, &correlation, &res),
        OK);
    assert_int_equal(version, 0);
    assert_int_equal(res.error_code, 35);
    version = 3;
    assert_int_equal(kafka_api_versions_read(BYTES("\0\0\0\1\0\x23\0\0\0\1\0\x12\0\0\0\2"),
                                             &version, &a, &correlation, &res),
                     OK);
    assert_int_equal(res.api_keys.v[0].max_version, 2);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(VECTORS) + ARRAY_LEN(PEEKS) + 5];
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(VECTORS); i++) {
        tests[n++] = (struct CMUnitTest){ .name = VECTORS[i].name,
                                          .test_func = request_equals_vector,
                                          .initial_state = (void *)(uintptr_t)&VECTORS[i] };
    }
    for (size_t i = 0; i < ARRAY_LEN(PEEKS); i++) {
        tests[n++] = (struct CMUnitTest){ .name = PEEKS[i].name,
                                          .test_func = frame_is_cut,
                                          .initial_state = (void *)(uintptr_t)&PEEKS[i] };
    }
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(strangers_are_named);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(bad_answers_are_refused);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(unknown_tags_are_passed_over);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(decoding_is_bounded);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(old_broker_is_understood);
    return _cmocka_run_group_tests("frame", tests, n, NULL, NULL);
}
