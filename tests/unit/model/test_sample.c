/* SPDX-License-Identifier: Apache-2.0 */
#include "model/sample.h"

#include "test.h"

static void columns_carry_both_kinds(void **state)
{
    (void)state;
    struct column c = { 0 };
    struct histogram h = { .integer = true, .count = 1, .zero_count = 1, .sum = 2.5 };
    assert_false(histogram_is_stale(&h));
    column_push(&c, 1, 5);
    assert_null(c.h);
    column_push_histogram(&c, 2, histogram_dup(&c.room, &h));
    for (int64_t t = 3; t < 600; t++) column_push(&c, t, (double)t);
    assert_null(c.h[0]);
    assert_true(histogram_same(c.h[1], &h));
    assert_true(c.v[1] == 2.5);
    assert_null(c.h[598]);
    column_clear(&c);
    assert_null(c.h);
    column_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(columns_carry_both_kinds) };
    return cmocka_run_group_tests_name("sample", tests, NULL, NULL);
}
