/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/query.h"
#include "test.h"

struct row {
    const char *name, *in;
    enum err err;
    const char *first, *second; /* decoded values */
};

static const struct row ROWS[] = {
    { "plain", "a=1&b=2", OK, "1", "2" },
    { "plus and percent", "a=x+y%2B&b=%7B%7d", OK, "x y+", "{}" },
    { "no value", "a&b=", OK, "", "" },
    { "empty pairs are nothing", "&&a=1&&b=2&", OK, "1", "2" },
    { "equals inside the value", "a=b=c&b=1", OK, "b=c", "1" },
    { "cut percent", "a=%2", ERR_SYNTAX, NULL, NULL },
    { "no hexadecimal", "a=%zz", ERR_SYNTAX, NULL, NULL },
};

static void row_parses(void **state)
{
    const struct row *r = *state;
    ARENA(a, 0);
    struct query_params p = { 0 };
    assert_int_equal(query_parse(&a, str_c(r->in), &p), r->err);
    if (r->err != OK) return;
    assert_int_equal(p.n, 2);
    assert_string_equal(p.v[0].value.p, r->first);
    assert_string_equal(p.v[1].value.p, r->second);
}

static void too_many_are_refused(void **state)
{
    (void)state;
    ARENA(a, 0);
    BUF(b, 0);
    struct query_params p = { 0 };
    for (int i = 0; i <= QUERY_PARAMS_MAX; i++) buf_putc(&b, "a=1&");
    assert_int_equal(query_parse(&a, buf_str(&b), &p), ERR_LIMIT);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(ROWS) + 1];
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        tests[i] = (struct CMUnitTest){
            .name = ROWS[i].name,
            .test_func = row_parses,
            .initial_state = (void *)(uintptr_t)&ROWS[i],
        };
    }
    tests[ARRAY_LEN(ROWS)] = (struct CMUnitTest)cmocka_unit_test(too_many_are_refused);
    return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
