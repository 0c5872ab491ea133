/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every message of every version that we speak, against Kafka's own definitions: a random body made from the JSON file is
 * read by our tables and written again, and the bytes must be the same.
 */
#include "base/bits.h"
#include "kafka/frame.h"
#include "test.h"

#include <json.h>
#include <stdio.h>
#include <stdlib.h>

enum { BODIES = 60 /* random bodies a version */, NAME_MAX_ = 64 };

static const char *const RELEASES[] = { "4.4.0", "3.9.2", "2.2.2" }; /* newest first */

static uint64_t dice_state = 88172645463325252U;
static unsigned dice(unsigned sides)
{
    dice_state ^= dice_state << 13;
    dice_state ^= dice_state >> 7;
    dice_state ^= dice_state << 17;
    return (unsigned)(dice_state >> 33) % sides;
}

static const char *data_dir(void)
{
    const char *dir = getenv("VIGIE_DATA");
    return dir ? dir : "../shared/data";
}

/* "3+", "0-7", "2", "none": true when version is in it. */
static bool in_range(const char *range, int version)
{
    if (!range || strcmp(range, "none") == 0) return false;
    char *end;
    long lo = strtol(range, &end, 10);
    if (version < lo) return false;
    if (*end == '+') return true;
    return version <= (*end == '-' ? strtol(end + 1, NULL, 10) : lo);
}

static const char *text(struct json_object *o, const char *key)
{
    struct json_object *v;
    return json_object_object_get_ex(o, key, &v) ? json_object_get_string(v) : NULL;
}

/* The newest definition that still has this version. */
static struct json_object *definition(const char *message, int version)
{
    for (size_t i = 0; i < ARRAY_LEN(RELEASES); i++) {
        char path[512];
        (void)snprintf(path, sizeof(path), "%s/kafka-protocol/messages-%s/%s.json", data_dir(),
                       RELEASES[i], message);
        struct json_object *def = json_object_from_file(path);
        if (def && in_range(text(def, "validVersions"), version)) return def;
        json_object_put(def);
    }
    return NULL;
}

/* ---- an encoder of its own, driven by the definition ---- */

struct gen {
    struct buf *b;
    struct json_object *def;
    int version;
    bool flexible;
};

static void put_be(struct buf *b, uint64_t v, size_t n)
{
    char p[8];
    store_be64(p, v);
    buf_put(b, str_make(p + 8 - n, n));
}

static void put_uvarint(struct buf *b, uint64_t v)
{
    while (v >= 128) {
        buf_char(b, (char)(v % 128 + 128));
        v /= 128;
    }
    buf_char(b, (char)v);
}

static void put_length(struct gen *g, long n, bool wide)
{
    if (g->flexible) {
        put_uvarint(g->b, (uint64_t)(n + 1));
    } else {
        put_be(g->b, (uint64_t)n, wide ? 4 : 2);
    }
}

static void put_bytes(struct gen *g, bool nullable, bool wide)
{
    if (nullable && dice(3) == 0) {
        put_length(g, -1, wide);
        return;
    }
    unsigned n = dice(8) == 0 ? dice(400) : dice(12);
    put_length(g, (long)n, wide);
    for (unsigned i = 0; i < n; i++) buf_char(g->b, (char)dice(256));
}

static size_t number_size(const char *type)
{
    static const struct {
        const char *type;
        size_t n;
    } SIZES[] = { { "bool", 1 },   { "int8", 1 },  { "int16", 2 },
                  { "uint16", 2 }, { "int32", 4 }, { "int64", 8 } };
    for (size_t i = 0; i < ARRAY_LEN(SIZES); i++) {
        if (strcmp(SIZES[i].type, type) == 0) return SIZES[i].n;
    }
    return 0;
}

static void put_struct(struct gen *g, struct json_object *fields);

static struct json_object *fields_of(struct gen *g, struct json_object *field, const char *type)
{
    struct json_object *v, *commons;
    if (json_object_object_get_ex(field, "fields", &v)) return v;
    assert_true(json_object_object_get_ex(g->def, "commonStructs", &commons));
    for (size_t i = 0; i < json_object_array_length(commons); i++) {
        struct json_object *c = json_object_array_get_idx(commons, i);
        if (strcmp(text(c, "name"), type) == 0 && json_object_object_get_ex(c, "fields", &v)) {
            return v;
        }
    }
    fail_msg("no struct %s", type);
    return NULL;
}

static void put_value(struct gen *g, struct json_object *field, const char *type, bool nullable)
{
    if (strncmp(type, "[]", 2) == 0) {
        if (nullable && dice(3) == 0) {
            put_length(g, -1, true);
            return;
        }
        unsigned n = dice(4);
        put_length(g, (long)n, true);
        for (unsigned i = 0; i < n; i++) put_value(g, field, type + 2, false);
    } else if (number_size(type)) {
        uint64_t v = (uint64_t)dice(1U << 30) << 34 ^ (uint64_t)dice(1U << 30) << 8 ^ dice(256);
        put_be(g->b, strcmp(type, "bool") == 0 ? v & 1 : v, number_size(type));
    } else if (strcmp(type, "uuid") == 0) {
        for (int i = 0; i < 16; i++) buf_char(g->b, (char)dice(256));
    } else if (strcmp(type, "string") == 0 || strcmp(type, "bytes") == 0) {
        put_bytes(g, nullable, strcmp(type, "bytes") == 0);
    } else {
        put_struct(g, fields_of(g, field, type));
    }
}

/* The value of a tagged field, never its default: 0, -1 and empty would be left out by a correct writer. */
static void put_tagged(struct gen *g, struct json_object *field, const char *type)
{
    BUF(value, 0);
    struct gen inner = *g;
    inner.b = &value;
    if (strcmp(type, "bool") == 0) {
        buf_char(&value, 1);
    } else if (number_size(type)) {
        put_be(&value, 1 + dice(1000), number_size(type));
    } else {
        put_uvarint(&value, 3), put_value(&inner, field, type + 2, false),
            put_value(&inner, field, type + 2, false);
    }
    put_uvarint(g->b, value.n);
    buf_put(g->b, buf_str(&value));
}

static void put_tags(struct gen *g, struct json_object *fields)
{
    struct json_object *chosen[8];
    unsigned n = 0;
    for (int tag = 0; tag < 8; tag++) {
        for (size_t i = 0; i < json_object_array_length(fields); i++) {
            struct json_object *f = json_object_array_get_idx(fields, i), *t;
            if (json_object_object_get_ex(f, "tag", &t) && json_object_get_int(t) == tag &&
                in_range(text(f, "taggedVersions"), g->version) && dice(2)) {
                chosen[n++] = f;
            }
        }
    }
    put_uvarint(g->b, n);
    for (unsigned i = 0; i < n; i++) {
        put_uvarint(g->b, strtoul(text(chosen[i], "tag"), NULL, 10));
        put_tagged(g, chosen[i], text(chosen[i], "type"));
    }
}

static void put_struct(struct gen *g, struct json_object *fields)
{
    for (size_t i = 0; i < json_object_array_length(fields); i++) {
        struct json_object *f = json_object_array_get_idx(fields, i);
        if (!in_range(text(f, "versions"), g->version) || text(f, "tag")) continue;
        put_value(g, f, text(f, "type"), in_range(text(f, "nullableVersions"), g->version));
    }
    if (g->flexible) put_tags(g, fields);
}

/* ---- the checks ---- */

static void check_body(const struct kafka_fields *layout, const char *message, int16_t version)
{
    struct json_object *def = definition(message, version), *fields;
    if (!def) fail_msg("%s: no definition has version %d", message, version);
    assert_true(json_object_object_get_ex(def, "fields", &fields));
    struct gen g = { NULL, def, version, in_range(text(def, "flexibleVersions"), version) };
    for (int i = 0; i < BODIES; i++) {
        BUF(body, 0);
        BUF(again, 0);
        ARENA(a, 0);
        g.b = &body;
        put_struct(&g, fields);
        struct str in = buf_str(&body);
        void *msg = arena_alloc(&a, layout->size);
        enum err e = kafka_fields_read(layout, version, g.flexible, &in, &a, msg);
        if (e != OK || in.n) fail_msg("%s %d: %s, %zu left", message, version, err_name(e), in.n);
        kafka_fields_write(layout, version, g.flexible, msg, &again);
        if (!str_eq(buf_str(&body), buf_str(&again))) {
            fail_msg("%s %d: %zu bytes came back as %zu or otherwise", message, version, body.n,
                     again.n);
        }
        /* Cut anywhere, it is refused. */
        if (!body.n) continue;
        struct str cut = str_first(buf_str(&body), dice((unsigned)body.n));
        assert_int_not_equal(kafka_fields_read(layout, version, g.flexible, &cut, &a, msg), OK);
    }
    json_object_put(def);
}

static void api_agrees(void **state)
{
    const struct kafka_api *api = *state;
    int versions = 0;
    for (int16_t v = api->min; v <= api->max; v++, versions++) {
        char name[NAME_MAX_];
        (void)snprintf(name, sizeof(name), "%sRequest", api->name);
        check_body(api->request, name, v);
        struct json_object *def = definition(name, v);
        assert_int_equal(in_range(text(def, "flexibleVersions"), v), v >= api->flexible_from);
        assert_int_equal(strtol(text(def, "apiKey"), NULL, 10), api->key);
        json_object_put(def);
        (void)snprintf(name, sizeof(name), "%sResponse", api->name);
        check_body(api->response, name, v);
    }
    print_message("%s: %d versions, %d bodies\n", api->name, versions, 2 * versions * BODIES);
}

/* Rows stand as the definition has them: the same names, no C field twice. */
static void check_rows(const struct kafka_fields *f)
{
    for (size_t i = 0; i < f->n; i++) {
        for (size_t k = 0; k < i; k++) assert_int_not_equal(f->v[i].offset, f->v[k].offset);
        assert_true(f->v[i].offset < f->size);
        if (f->v[i].of) check_rows(f->v[i].of);
    }
}

static void rows_are_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < KAFKA_API_MAX_; i++) {
        check_rows(KAFKA_APIS[i].request);
        check_rows(KAFKA_APIS[i].response);
    }
}

int main(void)
{
    struct json_object *def = definition("MetadataRequest", 9);
    if (!def) {
        (void)fprintf(stderr, "no message definitions in %s (VIGIE_DATA)\n", data_dir());
        return 77;
    }
    json_object_put(def);
    struct CMUnitTest tests[KAFKA_API_MAX_ + 1];
    for (size_t i = 0; i < KAFKA_API_MAX_; i++) {
        tests[i] = (struct CMUnitTest){ .name = KAFKA_APIS[i].name,
                                        .test_func = api_agrees,
                                        .initial_state = (void *)(uintptr_t)&KAFKA_APIS[i] };
    }
    tests[KAFKA_API_MAX_] = (struct CMUnitTest)cmocka_unit_test(rows_are_sound);
    return cmocka_run_group_tests_name("kafka_messages", tests, NULL, NULL);
}
