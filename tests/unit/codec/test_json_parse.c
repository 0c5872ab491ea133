/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json.h"
#include "test.h"

static const struct {
    const char *in, *out; /* out NULL: an error at line, col */
    unsigned line, col;
} ROWS[] = {
    { "{}", "{}", 0, 0 },
    { " [1, -2.50, 1e999, 18446744073709551615] ", "[1,-2.50,1e999,18446744073709551615]", 0, 0 },
    { "\"a\\u00e9\\n\\ud83d\\ude00\"", "\"a\xc3\xa9\\n\xf0\x9f\x98\x80\"", 0, 0 },
    { "{\"a\":{\"b\":[true,false,null]},\"c\":\"\"}",
      "{\"a\":{\"b\":[true,false,null]},\"c\":\"\"}", 0, 0 },
    { "{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}", 0, 0 },
    { "12", "12", 0, 0 },
    { "", NULL, 1, 1 },
    { "{", NULL, 1, 2 },
    { "[1,]", NULL, 1, 4 },
    { "{\n  \"a\": tru\n}", NULL, 2, 11 },
    { "[1] x", NULL, 1, 5 },
    { "{'a':1}", NULL, 1, 2 },
    { "\"a\nb\"", NULL, 1, 3 },
    { "\"\xf4\xa0\xa0\xa2\"", NULL, 1, 1 },
    { "NaN", NULL, 1, 1 },
    { "[Infinity]", NULL, 1, 1 },
    { "\"\xff\"", NULL, 1, 2 },
};

static void reads_and_writes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        ARENA(a, 0);
        BUF(b, 0);
        const struct json *v = NULL;
        struct diag d = { 0 };
        enum err e = json_parse(&a, str_c(ROWS[i].in), &v, &d);
        if ((e == OK) != (ROWS[i].out != NULL)) fail_msg("%s: %s", ROWS[i].in, d.text);
        if (e == OK) {
            json_write(&b, v);
            buf_char(&b, 0);
            assert_string_equal(b.p, ROWS[i].out);
        } else if (d.line != ROWS[i].line || d.col != ROWS[i].col) {
            fail_msg("%s: at %u:%u, %s", ROWS[i].in, d.line, d.col, d.text);
        }
    }
}

static void depth_is_limited(void **state)
{
    (void)state;
    ARENA(a, 0);
    char deep[400];
    memset(deep, '[', 200);
    memset(deep + 200, ']', 200);
    const struct json *v;
    assert_int_equal(json_parse(&a, str_make(deep, sizeof(deep)), &v, NULL), ERR_LIMIT);
}

static void looks_up(void **state)
{
    (void)state;
    ARENA(a, 0);
    const struct json *v;
    assert_int_equal(json_parse(&a, STR("{\"a\":{\"n\":1.5,\"b\":true,\"s\":\"x\"}}"), &v, NULL),
                     OK);
    const struct json *inner = json_get(v, "a");
    assert_true(json_num(json_get(inner, "n"), 0) == 1.5);
    assert_true(json_bool(json_get(inner, "b"), false));
    assert_true(str_eq(json_str(json_get(inner, "s"), STR("")), STR("x")));
    assert_null(json_get(json_get(json_get(v, "no"), "such"), "key"));
    assert_true(json_num(NULL, 7) == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(looks_up),
    };
    return cmocka_run_group_tests_name("json parse", tests, NULL, NULL);
}
