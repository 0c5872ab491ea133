/* SPDX-License-Identifier: Apache-2.0 */
/* Windows with numbers worked out by hand or by Prometheus. */
#include "promql/kernels.h"

#include "model/sample.h"
#include "test.h"

#include <string.h>

enum { ROOM = 16 };

static double value_of(enum function_id id, struct window w, bool *has)
{
    double out = -1;
    double scratch[ROOM];
    uint32_t resets[ROOM];
    for (uint32_t i = 1; i < w.n; i++) {
        if (w.v[i] < w.v[i - 1]) resets[w.resets_n++] = i;
    }
    w.resets = resets;
    w.scratch = scratch;
    bool ok = kernel_of(id)->fn(&w, &out);
    if (has) *has = ok;
    return out;
}

static const int64_t MINUTE_15S[] = { 15000, 30000, 45000, 60000 };

static struct window minute(const double *v)
{
    return (
        struct window){ .t = MINUTE_15S, .v = v, .n = 4, .start = 0, .end = 60000, .now = 60000 };
}

static void assert_bits(double want, double got)
{
    if (bits_of_double(want) != bits_of_double(got)) fail_msg("want %.17g, got %.17g", want, got);
}

static void rate_extrapolates_to_both_ends(void **state)
{
    (void)state;
    const double v[] = { 10, 20, 30, 40 };
    /* 30 over 45 s, stretched by the 15 s before the first sample */
    assert_bits(30.0 * ((45.0 + 15 + 0) / 45.0), value_of(FN_INCREASE, minute(v), NULL));
    assert_bits(30.0 * ((45.0 + 15 + 0) / 45.0 / 60.0), value_of(FN_RATE, minute(v), NULL));
}

static void a_counter_is_not_stretched_below_zero(void **state)
{
    (void)state;
    const double v[] = { 1, 11, 21, 31 };
    /* its line meets zero 1.5 s before the first sample */
    assert_bits(30.0 * ((45.0 + 45.0 * (1.0 / 30.0)) / 45.0),
                value_of(FN_INCREASE, minute(v), NULL));
    assert_bits(30.0 * ((45.0 + 15) / 45.0), value_of(FN_DELTA, minute(v), NULL));
}

static void resets_add_what_was_lost(void **state)
{
    (void)state;
    const double v[] = { 100, 120, 5, 25 };
    struct window w = minute(v);
    assert_bits((25.0 - 100 + 120) * ((45.0 + 15) / 45.0), value_of(FN_INCREASE, w, NULL));
    assert_bits(1, value_of(FN_RESETS, w, NULL));
    assert_bits(3, value_of(FN_CHANGES, w, NULL));
    assert_bits(20.0 / 15, value_of(FN_IRATE, w, NULL));
}

static void one_sample_has_no_rate(void **state)
{
    (void)state;
    const double v[] = { 7 };
    struct window w = minute(v);
    bool has = true;
    w.n = 1;
    (void)value_of(FN_RATE, w, &has);
    assert_false(has);
    (void)value_of(FN_IRATE, w, &has);
    assert_false(has);
    assert_bits(7, value_of(FN_LAST_OVER_TIME, w, &has));
    assert_true(has);
}

static void sums_are_compensated(void **state)
{
    (void)state;
    const double v[] = { 1, 1e100, 1, -1e100 };
    assert_bits(2, value_of(FN_SUM_OVER_TIME, minute(v), NULL));
    assert_bits(0.5, value_of(FN_AVG_OVER_TIME, minute(v), NULL));
}

static void a_mean_survives_a_sum_that_overflows(void **state)
{
    (void)state;
    const double v[] = { 1.5e308, 1.5e308, 1.5e308, 1.5e308 };
    assert_bits(1.5e308, value_of(FN_AVG_OVER_TIME, minute(v), NULL));
    assert_bits(INFINITE, value_of(FN_SUM_OVER_TIME, minute(v), NULL));
}

/* The branchless error of a sum is Neumaier's, bit by bit. */
static void both_sums_agree(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int round = 0; round < 20000; round++) {
        double v[4], sum = 0, c = 0;
        for (int i = 0; i < 4; i++) {
            seed = seed * 6364136223846793005U + 1442695040888963407U;
            uint64_t exponent = 900 + (seed >> 56);
            v[i] = double_of_bits((seed & 0x800fffffffffffffU) | exponent << 52);
            kahan_add(v[i], &sum, &c);
        }
        assert_bits(sum + c, value_of(FN_SUM_OVER_TIME, minute(v), NULL));
    }
}

static void nan_loses_to_any_number(void **state)
{
    (void)state;
    const double v[] = { NOT_A_NUMBER, 3, 1, 2 };
    assert_bits(3, value_of(FN_MAX_OVER_TIME, minute(v), NULL));
    assert_bits(1, value_of(FN_MIN_OVER_TIME, minute(v), NULL));
    assert_bits(45, value_of(FN_TS_OF_MIN_OVER_TIME, minute(v), NULL));
    assert_true(isnan(value_of(FN_MAD_OVER_TIME, minute(v), NULL)));
}

static void quantiles_interpolate(void **state)
{
    (void)state;
    double v[] = { 4, 1, NOT_A_NUMBER, 0 };
    assert_bits(0.5, quantile_of(0.5, v, 4));
    assert_bits(-INFINITE, quantile_of(-1, v, 4));
    assert_bits(INFINITE, quantile_of(2, v, 4));
    assert_true(isnan(quantile_of(0.5, v, 0)));
}

static void a_flat_line_has_no_slope(void **state)
{
    (void)state;
    const double flat[] = { 3, 3, 3, 3 }, rising[] = { 1, 2, 3, 4 };
    struct line l = line_through(MINUTE_15S, flat, 4, 0);
    assert_bits(0, l.slope);
    assert_bits(3, l.intercept);
    assert_true(fabs(line_through(MINUTE_15S, rising, 4, 0).slope - 1.0 / 15) < 1e-12);
}

static void anchored_takes_the_sample_before(void **state)
{
    (void)state;
    const double v[] = { 10, 20, 5, 25 };
    struct window w = minute(v);
    double out;
    w.start = 35000;
    assert_true(kernel_extended(FN_INCREASE, &w, false, 300000, &out));
    assert_bits(25.0 - 20 + 20, out);
    assert_true(kernel_extended(FN_DELTA, &w, false, 300000, &out));
    assert_bits(5, out);
    w.start = 60000;
    assert_false(kernel_extended(FN_DELTA, &w, false, 300000, &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rate_extrapolates_to_both_ends),
        cmocka_unit_test(a_counter_is_not_stretched_below_zero),
        cmocka_unit_test(resets_add_what_was_lost),
        cmocka_unit_test(one_sample_has_no_rate),
        cmocka_unit_test(sums_are_compensated),
        cmocka_unit_test(a_mean_survives_a_sum_that_overflows),
        cmocka_unit_test(both_sums_agree),
        cmocka_unit_test(nan_loses_to_any_number),
        cmocka_unit_test(quantiles_interpolate),
        cmocka_unit_test(a_flat_line_has_no_slope),
        cmocka_unit_test(anchored_takes_the_sample_before),
    };
    return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
