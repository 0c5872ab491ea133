/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Negotiation with every release from 0.11 to 4.4: what its brokers would answer to ApiVersions, built from the table of
 * the released client library, must make us choose the highest version that both sides speak.
 */
#include "kafka/frame.h"
#include "test.h"

#include <json.h>
#include <stdio.h>
#include <stdlib.h>

static struct json_object *root;

static const char *data_dir(void)
{
    const char *dir = getenv("VIGIE_DATA");
    return dir ? dir : "../shared/data";
}

static struct json_object *get(struct json_object *o, const char *key)
{
    struct json_object *v = NULL;
    (void)json_object_object_get_ex(o, key, &v);
    return v;
}

static int16_t number(struct json_object *o, const char *key)
{
    return (int16_t)json_object_get_int(get(o, key));
}

/* A broker offers what names it as a listener, or anything before 2.8, when nobody wrote that down. */
static bool offered(struct json_object *cell)
{
    struct json_object *kinds = get(cell, "listeners");
    if (!get(cell, "max")) return false; /* only unstable versions */
    if (!kinds) return true;
    for (size_t i = 0; i < json_object_array_length(kinds); i++) {
        const char *kind = json_object_get_string(json_object_array_get_idx(kinds, i));
        if (strcmp(kind, "broker") == 0 || strcmp(kind, "zk_broker") == 0) return true;
    }
    return false;
}

static void answer_of(const char *release, struct arena *a, struct kafka_api_versions_res *res)
{
    struct json_object *apis = get(root, "apis");
    size_t n = json_object_array_length(apis);
    *res = (struct kafka_api_versions_res){ .finalized_features_epoch = -1 };
    res->api_keys.v = arena_array(a, n, sizeof(*res->api_keys.v));
    for (size_t i = 0; i < n; i++) {
        struct json_object *api = json_object_array_get_idx(apis, i);
        struct json_object *cell = get(get(api, "releases"), release);
        if (!cell || !offered(cell)) continue;
        res->api_keys.v[res->api_keys.n++] = (struct kafka_api_version){ number(api, "key"),
                                                                         number(cell, "min"),
                                                                         number(cell, "max") };
    }
}

static struct json_object *cell_of(const char *release, int16_t key)
{
    struct json_object *apis = get(root, "apis");
    for (size_t i = 0; i < json_object_array_length(apis); i++) {
        struct json_object *api = json_object_array_get_idx(apis, i);
        if (number(api, "key") == key) return get(get(api, "releases"), release);
    }
    return NULL;
}

/* Through the wire, as it comes to us: version 3 where the broker has it, else the old layout. */
static void through_wire(struct kafka_api_versions_res *res, int16_t version, struct arena *a)
{
    BUF(frame, 0);
    buf_put(&frame, STR("\0\0\0\7"));
    kafka_fields_write(KAFKA_APIS[KAFKA_API_VERSIONS].response, version, version >= 3, res, &frame);
    struct str kept = arena_dup(a, buf_str(&frame));
    int32_t correlation;
    assert_int_equal(kafka_api_versions_read(kept, &version, a, &correlation, res), OK);
    assert_int_equal(correlation, 7);
}

static void release_negotiates(void **state)
{
    const char *release = *state;
    ARENA(a, 0);
    struct kafka_api_versions_res res;
    struct kafka_versions v;
    answer_of(release, &a, &res);
    through_wire(&res, number(cell_of(release, 18), "max") >= 3 ? 3 : 0, &a);
    kafka_versions_pick(&res, &v);
    for (size_t i = 0; i < KAFKA_API_MAX_; i++) {
        const struct kafka_api *x = &KAFKA_APIS[i];
        struct json_object *cell = cell_of(release, x->key);
        int want = -1;
        if (cell && offered(cell)) {
            int max = number(cell, "max"), min = number(cell, "min");
            want = max < x->max ? max : x->max;
            if (want < min || want < x->min) want = -1;
        }
        if (v.use[i] != want) fail_msg("%s %s: %d, not %d", release, x->name, v.use[i], want);
    }
    static const enum kafka_api_id NEEDED[] = { KAFKA_METADATA, KAFKA_LIST_GROUPS,
                                                KAFKA_DESCRIBE_GROUPS, KAFKA_OFFSET_FETCH,
                                                KAFKA_LIST_OFFSETS };
    for (size_t i = 0; i < ARRAY_LEN(NEEDED); i++) assert_true(v.use[NEEDED[i]] >= 0);
    assert_true(v.use[KAFKA_DESCRIBE_LOG_DIRS] >= 0 || strcmp(release, "0.11") == 0);
}

/* A release that never was: everything above or below what we speak is refused with both ranges. */
static void nothing_in_common_is_said(void **state)
{
    (void)state;
    struct kafka_api_version keys[] = { { 2, 12, 14 }, { 3, 0, 2 } };
    struct kafka_api_versions_res res = { .api_keys = { keys, 2 } };
    struct kafka_versions v;
    struct diag d = { 0 };
    kafka_versions_pick(&res, &v);
    assert_int_equal(kafka_versions_need(&v, KAFKA_LIST_OFFSETS, &d), ERR_UNSUPPORTED);
    assert_string_equal(d.text, "the broker speaks ListOffsets 12 to 14, this program 2 to 11");
    assert_int_equal(kafka_versions_need(&v, KAFKA_METADATA, &d), ERR_UNSUPPORTED);
    assert_string_equal(d.text, "the broker speaks Metadata 0 to 2, this program 4 to 13");
    assert_int_equal(kafka_versions_need(&v, KAFKA_LIST_GROUPS, &d), ERR_UNSUPPORTED);
    assert_string_equal(d.text, "the broker does not offer ListGroups");
}

int main(void)
{
    enum { TESTS_MAX = 64 };
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/kafka-protocol/api-versions.json", data_dir());
    root = json_object_from_file(path);
    if (!root) {
        (void)fprintf(stderr, "no %s (VIGIE_DATA)\n", path);
        return 77;
    }
    struct CMUnitTest tests[TESTS_MAX];
    size_t n = 0;
    json_object_object_foreach(get(root, "releases"), release, artifact)
    {
        (void)artifact;
        tests[n++] = (struct CMUnitTest){ .name = release,
                                          .test_func = release_negotiates,
                                          .initial_state = release };
    }
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(nothing_in_common_is_said);
    int failed = _cmocka_run_group_tests("kafka_versions", tests, n, NULL, NULL);
    json_object_put(root);
    return failed;
}
