/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bits.h"
#include "codec/num.h"
#include "test.h"

#include <math.h>

/* Expected texts are what Go's strconv.FormatFloat gives. */
struct row {
    double v;
    const char *f, *g, *e, *json;
};

static const struct row WRITTEN[] = {
    { 0, "0", "0", "0e+00", "0" },
    { -0.0, "-0", "-0", "-0e+00", "-0" },
    { 1, "1", "1", "1e+00", "1" },
    { -17, "-17", "-17", "-1.7e+01", "-17" },
    { 0.1, "0.1", "0.1", "1e-01", "0.1" },
    { 123456, "123456", "123456", "1.23456e+05", "123456" },
    { 1e6, "1000000", "1e+06", "1e+06", "1000000" },
    { 45912064, "45912064", "4.5912064e+07", "4.5912064e+07", "45912064" },
    { 0.0001, "0.0001", "0.0001", "1e-04", "0.0001" },
    { 0.00001, "0.00001", "1e-05", "1e-05", "0.00001" },
    { 1e-7, "0.0000001", "1e-07", "1e-07", "1e-07" },
    { 1e20, "100000000000000000000", "1e+20", "1e+20", "100000000000000000000" },
    { 1e21, "1000000000000000000000", "1e+21", "1e+21", "1e+21" },
    { 1e22, "10000000000000000000000", "1e+22", "1e+22", "1e+22" },
    { 9007199254740993.0, "9007199254740992", "9.007199254740992e+15", "9.007199254740992e+15",
      "9007199254740992" },
    { 1.7976931348623157e308, NULL, "1.7976931348623157e+308", "1.7976931348623157e+308",
      "1.7976931348623157e+308" },
    { 5e-324, NULL, "5e-324", "5e-324", "5e-324" },
    { 1.0 / 3, "0.3333333333333333", "0.3333333333333333", "3.333333333333333e-01",
      "0.3333333333333333" },
    { 2.5e-5, "0.000025", "2.5e-05", "2.5e-05", "0.000025" },
    { (double)NAN, "NaN", "NaN", "NaN", "NaN" },
    { HUGE_VAL, "+Inf", "+Inf", "+Inf", "+Inf" },
    { -HUGE_VAL, "-Inf", "-Inf", "-Inf", "-Inf" },
};

static void expect(void (*write)(struct buf *, double), double v, const char *text)
{
    if (!text) return;
    BUF(b, 0);
    write(&b, v);
    buf_char(&b, 0);
    assert_string_equal(b.p, text);
}

static void writes_as_go(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(WRITTEN); i++) {
        const struct row *r = &WRITTEN[i];
        expect(num_write_f, r->v, r->f);
        expect(num_write_g, r->v, r->g);
        expect(num_write_expo, r->v, r->g);
        expect(num_write_e, r->v, r->e);
        expect(num_write_json, r->v, r->json);
    }
}

static const struct {
    double v;
    char verb;
    int prec;
    const char *text;
} PRECISE[] = {
    { 1234.5678, 'g', 4, "1235" },
    { 12345.678, 'g', 4, "1.235e+04" },
    { 0.00012345, 'g', 4, "0.0001234" },
    { 100, 'g', 4, "100" },
    { 1.5, 'g', 4, "1.5" },
    { 0, 'g', 4, "0" },
    { 0.5, 'f', 0, "0" },
    { 1.5, 'f', 0, "2" },
    { 2.675, 'f', 2, "2.67" },
    { -1, 'f', 2, "-1.00" },
    { 1e21, 'f', 1, "1000000000000000000000.0" },
    { 12345, 'e', 2, "1.23e+04" },
    { 0, 'e', 2, "0.00e+00" },
    { 9.99, 'e', 1, "1.0e+01" },
    { (double)NAN, 'f', 2, "NaN" },
    { 12.5, 'f', -1, "12.5" },
};

static void writes_with_a_precision(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(PRECISE); i++) {
        BUF(b, 0);
        num_write_go(&b, PRECISE[i].v, PRECISE[i].verb, PRECISE[i].prec);
        buf_char(&b, 0);
        assert_string_equal(b.p, PRECISE[i].text);
    }
}

static const struct {
    const char *in;
    enum err e;
    double v;
} READ[] = {
    { "0", OK, 0 },
    { "-12.5e3", OK, -12500 },
    { "+7", OK, 7 },
    { ".5", OK, 0.5 },
    { "5.", OK, 5 },
    { "1e5", OK, 1e5 },
    { "1E-5", OK, 1e-5 },
    { "Inf", OK, HUGE_VAL },
    { "-inf", OK, -HUGE_VAL },
    { "+Infinity", OK, HUGE_VAL },
    { "0x1p-2", OK, 0.25 },
    { "0X1.8P1", OK, 3 },
    { "-0x.8p0", OK, -0.5 },
    { "0x1.fffffffffffff8p0", OK, 2 },
    { "0x1p-1074", OK, 5e-324 },
    { "0x1p-1076", OK, 0 },
    { "0x1p1024", ERR_RANGE, HUGE_VAL },
    { "1_000.5", OK, 1000.5 },
    { "0x_1p0", OK, 1 },
    { "1e999", ERR_RANGE, HUGE_VAL },
    { "-1e999", ERR_RANGE, -HUGE_VAL },
    { "1e-999", OK, 0 },
    { "", ERR_SYNTAX, 0 },
    { "-", ERR_SYNTAX, 0 },
    { ".", ERR_SYNTAX, 0 },
    { "1e", ERR_SYNTAX, 0 },
    { "1e+", ERR_SYNTAX, 0 },
    { " 1", ERR_SYNTAX, 0 },
    { "1 ", ERR_SYNTAX, 0 },
    { "--1", ERR_SYNTAX, 0 },
    { "+-1", ERR_SYNTAX, 0 },
    { "0x1", ERR_SYNTAX, 0 },
    { "0xp1", ERR_SYNTAX, 0 },
    { "_1", ERR_SYNTAX, 0 },
    { "1__0", ERR_SYNTAX, 0 },
    { "1_", ERR_SYNTAX, 0 },
    { "1_.5", ERR_SYNTAX, 0 },
    { "-nan", ERR_SYNTAX, 0 },
    { "nan(1)", ERR_SYNTAX, 0 },
    { "infin", ERR_SYNTAX, 0 },
};

static void reads_as_go(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(READ); i++) {
        double v = 0;
        enum err e = num_parse_f64(str_c(READ[i].in), &v);
        if (e != READ[i].e) print_message("%s\n", READ[i].in);
        assert_int_equal(e, READ[i].e);
        if (e == OK || e == ERR_RANGE) assert_true(v == READ[i].v);
    }
    double nan = 0;
    assert_int_equal(num_parse_f64(STR("nAn"), &nan), OK);
    assert_true(isnan(nan));
}

static void shortest_digits_read_back(void **state)
{
    (void)state;
    uint64_t x = 88172645463325252U;
    for (int i = 0; i < 200000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        double v = double_of_bits(x), back = 0;
        if (!isfinite(v)) continue;
        BUF(b, 0);
        (i % 2 ? num_write_e : num_write_f)(&b, v);
        assert_int_equal(num_parse_f64(buf_str(&b), &back), OK);
        assert_int_equal(bits_of_double(back), x);
    }
}

static void integers(void **state)
{
    (void)state;
    BUF(b, 0);
    num_write_i64(&b, INT64_MIN);
    num_write_u64(&b, UINT64_MAX);
    num_write_i64(&b, 0);
    buf_char(&b, 0);
    assert_string_equal(b.p, "-9223372036854775808184467440737095516150");
    int64_t v = 0;
    assert_int_equal(num_parse_i64(STR("-9223372036854775808"), &v), OK);
    assert_true(v == INT64_MIN);
    assert_int_equal(num_parse_i64(STR("9223372036854775808"), &v), ERR_RANGE);
    assert_int_equal(num_parse_i64(STR("+5"), &v), OK);
    assert_int_equal(v, 5);
    assert_int_equal(num_parse_i64(STR("5x"), &v), ERR_SYNTAX);
    assert_int_equal(num_parse_i64(STR("-"), &v), ERR_SYNTAX);
}

static void api_times(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = { { 0, "0" },
                 { 1435781430781, "1435781430.781" },
                 { 1435781430780, "1435781430.780" },
                 { 1005, "1.005" },
                 { -1500, "-1.500" },
                 { 60000, "60" } };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        BUF(b, 0);
        num_write_ms(&b, rows[i].ms);
        buf_char(&b, 0);
        assert_string_equal(b.p, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_as_go), cmocka_unit_test(writes_with_a_precision),
        cmocka_unit_test(reads_as_go),  cmocka_unit_test(shortest_digits_read_back),
        cmocka_unit_test(integers),     cmocka_unit_test(api_times),
    };
    return cmocka_run_group_tests_name("num", tests, NULL, NULL);
}
