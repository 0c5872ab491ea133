/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/walrec.h"

#include "codec/snap.h"
#include "test.h"

static void series_come_back(void **state)
{
    (void)state;
    ARENA(a, 0);
    BUF(b, 0);
    walrec_begin_series(&b);
    walrec_put_series(&b, UINT64_MAX, 2);
    walrec_put_label(&b, STR("__name__"), STR("up"));
    walrec_put_label(&b, STR("job"), STR(""));
    walrec_put_series(&b, 7, 0);
    assert_int_equal(walrec_type(buf_str(&b)), WALREC_SERIES);
    struct str in = str_from(buf_str(&b), 1);
    uint64_t ref;
    struct walrec_label *l;
    size_t n;
    assert_int_equal(walrec_read_series(&in, &a, &ref, &l, &n), OK);
    assert_int_equal(ref, UINT64_MAX);
    assert_int_equal(n, 2);
    assert_true(str_eqc(l[0].name, "__name__") && str_eqc(l[0].value, "up"));
    assert_true(str_eqc(l[1].name, "job") && l[1].value.n == 0);
    assert_int_equal(walrec_read_series(&in, &a, &ref, &l, &n), OK);
    assert_int_equal(ref, 7);
    assert_int_equal(n, 0);
    assert_int_equal(in.n, 0);
    for (size_t cut = 0; cut < b.n - 10; cut++) {
        in = str_from(str_first(buf_str(&b), cut), 1);
        struct str before = in;
        if (walrec_read_series(&in, &a, &ref, &l, &n) == OK) fail_msg("cut at %zu", cut);
        assert_int_equal(in.n, before.n);
    }
}

static const struct walrec_sample SAMPLES[] = {
    { 1, 1700000000000, 0x3ff0000000000000 },
    { 2, 1700000000000, 0x7ff0000000000002 },
    { 900000, 1699999999999, 0 },
    { 1, INT64_MIN, UINT64_MAX },
    { UINT64_MAX, INT64_MAX, 5 },
};

static void samples_come_back(void **state)
{
    (void)state;
    BUF(b, 0);
    walrec_put_samples(&b, SAMPLES, ARRAY_LEN(SAMPLES));
    struct walrec_samples it;
    struct walrec_sample s;
    assert_int_equal(walrec_samples_begin(buf_str(&b), &it), OK);
    for (size_t i = 0; i < ARRAY_LEN(SAMPLES); i++) {
        assert_int_equal(walrec_samples_next(&it, &s), OK);
        assert_memory_equal(&s, &SAMPLES[i], sizeof(s));
    }
    assert_int_equal(walrec_samples_next(&it, &s), ERR_EOF);
}

/* Bytes as Prometheus writes them: type, first ref, first t, then 0 0 value, then the next. */
static void samples_have_the_known_bytes(void **state)
{
    (void)state;
    static const struct walrec_sample IN[] = { { 3, 1000, 1 }, { 2, 2000, 2 } };
    static const unsigned char WANT[] = {
        2, 0, 0, 0, 0, 0, 0, 0, 3, 0,    0,    0, 0, 0, 0, 3, 0xe8, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 1, 1, 0xd0, 0x0f, 0, 0, 0, 0, 0, 0,    0, 2,
    };
    BUF(b, 0);
    walrec_put_samples(&b, IN, 2);
    assert_int_equal(b.n, sizeof(WANT));
    assert_memory_equal(b.p, WANT, sizeof(WANT));
}

/* Start times of version 2 are read over: none, the same, another. */
static void reads_version_2(void **state)
{
    (void)state;
    static const char IN[] = "\x0b"
                             "\x06\xd0\x0f\x00\0\0\0\0\0\0\0\x01"
                             "\x02\x02\x00\0\0\0\0\0\0\0\x02"
                             "\x01\x04\x01\0\0\0\0\0\0\0\x03"
                             "\x02\x00\x02\x7f\0\0\0\0\0\0\0\x04";
    static const struct walrec_sample WANT[] = {
        { 3, 1000, 1 }, { 4, 1001, 2 }, { 3, 1002, 3 }, { 4, 1000, 4 }
    };
    struct walrec_samples it;
    struct walrec_sample s;
    assert_int_equal(walrec_samples_begin(str_make(IN, sizeof(IN) - 1), &it), OK);
    for (size_t i = 0; i < ARRAY_LEN(WANT); i++) {
        assert_int_equal(walrec_samples_next(&it, &s), OK);
        assert_memory_equal(&s, &WANT[i], sizeof(s));
    }
    assert_int_equal(walrec_samples_next(&it, &s), ERR_EOF);
}

static void snappy_has_limits(void **state)
{
    (void)state;
    BUF(b, 0);
    BUF(back, 0);
    char zeros[5000] = { 0 };
    snap_pack(str_make(zeros, sizeof(zeros)), &b);
    assert_true(b.n < 400);
    assert_int_equal(snap_unpack(buf_str(&b), 4999, &back), ERR_LIMIT);
    assert_int_equal(back.n, 0);
    assert_int_equal(snap_unpack(buf_str(&b), 5000, &back), OK);
    assert_int_equal(back.n, 5000);
    assert_int_equal(snap_unpack(str_first(buf_str(&b), b.n - 1), 5000, &back), ERR_SYNTAX);
    assert_int_equal(snap_unpack(STR("\xff\xff\xff\x7f"), 1 << 30, &back), ERR_LIMIT);
    assert_int_equal(snap_unpack(STR(""), 5000, &back), ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series_come_back),
        cmocka_unit_test(samples_come_back),
        cmocka_unit_test(samples_have_the_known_bytes),
        cmocka_unit_test(reads_version_2),
        cmocka_unit_test(snappy_has_limits),
    };
    return cmocka_run_group_tests_name("walrec", tests, NULL, NULL);
}
