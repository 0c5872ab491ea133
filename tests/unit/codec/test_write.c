/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/expowrite.h"
#include "codec/goquote.h"
#include "codec/json.h"
#include "test.h"

#include <math.h>

static void expect(struct buf *b, const char *text)
{
    buf_char(b, 0);
    assert_string_equal(b->p, text);
}

static void json_puts_its_commas(void **state)
{
    (void)state;
    BUF(b, 0);
    struct json_writer w = json_writer(&b);
    json_open(&w, '{');
    json_key(&w, "a");
    json_open(&w, '[');
    json_put_i64(&w, -1);
    json_put_f64(&w, 0.5);
    json_put_null(&w);
    json_open(&w, '{');
    json_close(&w, '}');
    json_close(&w, ']');
    json_key(&w, "b");
    json_put_bool(&w, true);
    json_key(&w, "c");
    json_put_f64(&w, -HUGE_VAL);
    json_close(&w, '}');
    expect(&b, "{\"a\":[-1,0.5,null,{}],\"b\":true,\"c\":\"-Inf\"}");
}

static void json_escapes_as_go(void **state)
{
    (void)state;
    BUF(b, 0);
    json_escape(&b, STR("a\"\\\n\t\x01<\xc3\xa9\xe2\x80\xa8\xff."));
    expect(&b, "a\\\"\\\\\\n\\t\\u0001<\xc3\xa9\\u2028\\ufffd.");
}

static void exposition_text(void **state)
{
    (void)state;
    BUF(b, 0);
    struct expo_label lb[] = { { STR("topic"), STR("a\"b\\c\nd") }, { STR("x"), STR("") } };
    expo_family(&b, STR("n"), STR("help \\ \n \"q\""), "gauge");
    expo_sample(&b, STR("n"), lb, 2, 1e6);
    expo_sample(&b, STR("n"), NULL, 0, 3);
    expect(&b, "# HELP n help \\\\ \\n \"q\"\n# TYPE n gauge\n"
               "n{topic=\"a\\\"b\\\\c\\nd\",x=\"\"} 1e+06\nn 3\n");
}

static void quotes_as_go(void **state)
{
    (void)state;
    BUF(b, 0);
    go_quote(&b, STR("a\"\\\n\x01\x7f\xff\xc2\xa0\xc3\xa9\xf0\x9f\x98\x80"));
    expect(&b, "\"a\\\"\\\\\\n\\x01\\x7f\\xff\\u00a0\xc3\xa9\xf0\x9f\x98\x80\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_puts_its_commas),
        cmocka_unit_test(json_escapes_as_go),
        cmocka_unit_test(exposition_text),
        cmocka_unit_test(quotes_as_go),
    };
    return cmocka_run_group_tests_name("writers", tests, NULL, NULL);
}
