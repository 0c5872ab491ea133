/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/gotime.h"
#include "test.h"

static const struct {
    const char *in;
    int64_t ms; /* or -1 */
    const char *out;
} TIMES[] = {
    { "1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z" },
    { "2026-11-24T03:12:04.123Z", 1795489924123, "2026-11-24T03:12:04.123Z" },
    { "2026-11-24T03:12:04.1+02:00", 1795482724100, "2026-11-24T01:12:04.1Z" },
    { "2024-02-29T23:59:59.999999999-00:30", 1709252999999, "2024-03-01T00:29:59.999Z" },
    { "1969-12-31T23:59:59.5Z", -500, "1969-12-31T23:59:59.5Z" },
    { "0001-01-01T00:00:00Z", -62135596800000, "0001-01-01T00:00:00Z" },
    { "2023-02-29T00:00:00Z", -1, NULL },
    { "2023-13-01T00:00:00Z", -1, NULL },
    { "2023-01-01T24:00:00Z", -1, NULL },
    { "2023-01-01T00:00:00", -1, NULL },
    { "2023-01-01T00:00:00.Z", -1, NULL },
    { "2023-01-01 00:00:00Z", -1, NULL },
    { "2023-01-01T00:00:00Zx", -1, NULL },
};

static void rfc3339(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(TIMES); i++) {
        int64_t ms = -1;
        BUF(b, 0);
        enum err e = rfc3339_parse(str_c(TIMES[i].in), &ms);
        assert_int_equal(e == OK, TIMES[i].out != NULL);
        if (e != OK) continue;
        assert_true(ms == TIMES[i].ms);
        rfc3339_write(&b, ms);
        buf_char(&b, 0);
        assert_string_equal(b.p, TIMES[i].out);
    }
}

static void every_day_of_eight_centuries(void **state)
{
    (void)state;
    for (int64_t day = -146097; day < 146097; day++) {
        struct civil c = civil_of_ms(day * 86400000 + 3723000);
        assert_true(ms_of_civil(&c, 0) == day * 86400000 + 3723000);
        assert_true(c.yearday >= 1 && c.yearday <= 366 && c.weekday == ((day + 4) % 7 + 7) % 7);
    }
}

static const struct {
    const char *layout, *text;
} LAYOUTS[] = {
    { "2006-01-02 15:04:05.000", "2026-03-04 15:06:07.080" },
    { "Mon Jan _2 3:04PM 2006", "Wed Mar  4 3:06PM 2026" },
    { "Monday, 02-January-06 03:4:5 pm MST", "Wednesday, 04-March-26 03:6:7 pm UTC" },
    { "2006-01-02T15:04:05.999Z07:00 -0700 -07:00", "2026-03-04T15:06:07.08Z +0000 +00:00" },
    { "1/2 002 __2 Z0700 .9x", "3/4 063  63 Z x" },
    { "plain", "plain" },
};

static void go_layouts(void **state)
{
    (void)state;
    struct civil c = { .year = 2026, .month = 3, .day = 4, .hour = 15, .minute = 6, .second = 7 };
    for (size_t i = 0; i < ARRAY_LEN(LAYOUTS); i++) {
        BUF(b, 0);
        go_time_format(&b, ms_of_civil(&c, 80), str_c(LAYOUTS[i].layout));
        buf_char(&b, 0);
        assert_string_equal(b.p, LAYOUTS[i].text);
    }
}

static void api_times(void **state)
{
    (void)state;
    int64_t ms = 0;
    assert_int_equal(api_time_parse(STR("1435781430.781"), &ms), OK);
    assert_true(ms == 1435781430781);
    assert_int_equal(api_time_parse(STR("-1.5"), &ms), OK);
    assert_true(ms == -1500);
    assert_int_equal(api_time_parse(STR("1e3"), &ms), OK);
    assert_true(ms == 1000000);
    assert_int_equal(api_time_parse(STR("2015-07-01T20:10:51.781Z"), &ms), OK);
    assert_true(ms == 1435781451781);
    assert_int_not_equal(api_time_parse(STR("NaN"), &ms), OK);
    assert_int_not_equal(api_time_parse(STR("now"), &ms), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc3339),
        cmocka_unit_test(every_day_of_eight_centuries),
        cmocka_unit_test(go_layouts),
        cmocka_unit_test(api_times),
    };
    return cmocka_run_group_tests_name("gotime", tests, NULL, NULL);
}
