/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/histogram.h"

#include "test.h"

#include <math.h>

static const struct histogram_span SPANS[] = { { -2, 2 }, { 1, 1 } };
static const double COUNTS[] = { 1, 2, 3 };

static struct histogram some(void)
{
    return (struct histogram){
        .schema = 3,
        .integer = true,
        .zero_threshold = 1e-128,
        .zero_count = 4,
        .count = 10,
        .sum = 2.5,
        .pos = { .spans = SPANS, .counts = COUNTS, .spans_n = 2, .counts_n = 3 },
    };
}

static void a_copy_is_the_same(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct histogram h = some();
    const struct histogram *c = histogram_dup(&a, &h);
    assert_true(histogram_same(&h, c) && histogram_same_layout(&h, c));
    assert_true(c->pos.counts != h.pos.counts);
    h.sum = 3;
    assert_false(histogram_same(&h, c));
    assert_true(histogram_same_layout(&h, c));
    h.zero_threshold = 0;
    assert_false(histogram_same_layout(&h, c));
}

static void what_no_store_takes(void **state)
{
    (void)state;
    static const struct histogram_span BACK[] = { { 0, 2 }, { -1, 1 } };
    static const double NEGATIVE[] = { 1, -2, 3 }, BOUNDS[] = { 2, 1, 3 };
    struct diag d = { 0 };
    struct histogram h = some();
    assert_int_equal(histogram_check(&h, &d), OK);
    h.schema = 9;
    assert_int_equal(histogram_check(&h, &d), ERR_SYNTAX);
    h = some(), h.pos.spans = BACK;
    assert_int_equal(histogram_check(&h, &d), ERR_SYNTAX);
    assert_non_null(strstr(d.text, "span number 2 with offset -1"));
    h = some(), h.pos.counts_n = 2;
    assert_int_equal(histogram_check(&h, &d), ERR_SYNTAX);
    h = some(), h.pos.counts = NEGATIVE;
    assert_int_equal(histogram_check(&h, &d), ERR_SYNTAX);
    h = some(), h.count = 11;
    assert_int_equal(histogram_check(&h, &d), ERR_SYNTAX);
    h.sum = (double)NAN;
    assert_int_equal(histogram_check(&h, &d), OK);
    h = some(), h.bounds = BOUNDS, h.bounds_n = 3;
    assert_int_equal(histogram_check(&h, &d), ERR_SYNTAX);
    h.schema = HISTOGRAM_SCHEMA_CUSTOM;
    assert_int_equal(histogram_check(&h, &d), ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_is_the_same),
        cmocka_unit_test(what_no_store_takes),
    };
    return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
