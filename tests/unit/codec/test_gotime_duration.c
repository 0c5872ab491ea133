/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/gotime.h"
#include "test.h"

struct row {
    const char *in;
    int64_t value;    /* or -1 */
    const char *text; /* written again, or the error */
};

static const struct row PROM[] = {
    { "0", 0, "0s" },
    { "0w", 0, "0s" },
    { "324ms", 324, "324ms" },
    { "14d", 1209600000, "2w" },
    { "3w2d1h", 1990800000, "23d1h" },
    { "10y", 315360000000, "10y" },
    { "1h30m", 5400000, "1h30m" },
    { "1m30s5ms", 90005, "1m30s5ms" },
    { "", -1, "empty duration string" },
    { "1", -1, "not a valid duration string: \"1\"" },
    { "d", -1, "not a valid duration string: \"d\"" },
    { "1y1m1d", -1, "not a valid duration string: \"1y1m1d\"" },
    { "1m1m", -1, "not a valid duration string: \"1m1m\"" },
    { "1.5d", -1, "unknown unit \".\" in duration \"1.5d\"" },
    { "294y", -1, "duration out of range" },
    { "200y10400w", -1, "duration out of range" },
    { "2584200h", -1, "duration out of range" },
};

static const struct row GO[] = {
    { "0", 0, "0s" },
    { "1h30m", 5400000000000, "1h30m0s" },
    { "1.5s", 1500000000, "1.5s" },
    { "-2m", -120000000000, "-2m0s" },
    { "100ms", 100000000, "100ms" },
    { "1.25us", 1250, "1.25\xc2\xb5s" },
    { "3ns", 3, "3ns" },
    { ".5m", 30000000000, "30s" },
    { "", -1, "time: invalid duration \"\"" },
    { "3", -1, "time: missing unit in duration \"3\"" },
    { "3x", -1, "time: unknown unit \"x\" in duration \"3x\"" },
    { ".s", -1, "time: invalid duration \".s\"" },
    { "9999999h", -1, "time: invalid duration \"9999999h\"" },
};

static const struct row SIZES[] = {
    { "0", 0, "0B" },
    { "512MB", 536870912, "512MiB" },
    { "1GiB", 1073741824, "1GiB" },
    { "1.5KB", 1536, "1KiB512B" },
    { "10B", 10, "10B" },
    { "10", -1, "units: missing unit in \"10\"" },
    { "10XB", -1, "units: unknown unit in \"10XB\"" },
    { "B", -1, "units: invalid \"B\"" },
};

typedef enum err (*read_fn)(struct str, int64_t *, struct diag *);
typedef void (*write_fn)(struct buf *, int64_t);

static void check(const struct row *rows, size_t n, read_fn read, write_fn write)
{
    for (size_t i = 0; i < n; i++) {
        int64_t v = -1;
        struct diag d = { 0 };
        enum err e = read(str_c(rows[i].in), &v, &d);
        assert_int_equal(e == OK ? v : -1, rows[i].value);
        BUF(b, 0);
        if (e == OK) write(&b, v);
        buf_char(&b, 0);
        assert_string_equal(e == OK ? b.p : d.text, rows[i].text);
    }
}

static void prometheus_durations(void **state)
{
    (void)state;
    check(PROM, ARRAY_LEN(PROM), duration_parse, duration_write);
    int64_t v = 0;
    assert_int_equal(duration_parse_signed(STR("-3w2d1h"), &v, NULL), OK);
    assert_int_equal(v, -1990800000);
}

static void go_durations(void **state)
{
    (void)state;
    check(GO, ARRAY_LEN(GO), go_duration_parse, go_duration_write);
}

static void sizes(void **state)
{
    (void)state;
    check(SIZES, ARRAY_LEN(SIZES), size_parse, size_write);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prometheus_durations),
        cmocka_unit_test(go_durations),
        cmocka_unit_test(sizes),
    };
    return cmocka_run_group_tests_name("gotime durations", tests, NULL, NULL);
}
