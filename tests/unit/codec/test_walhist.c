/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/walhist.h"

#include "codec/walrec.h"
#include "test.h"

static const struct histogram_span SPANS[] = { { -2, 2 }, { 3, 1 } };
static const double COUNTS[] = { 3, 1, 7 }, BOUNDS[] = { 1, 2.5 };

static struct histogram some(bool integer, bool custom)
{
    struct histogram h = {
        .schema = custom ? HISTOGRAM_SCHEMA_CUSTOM : 2,
        .integer = integer,
        .hint = HINT_NOT_RESET,
        .zero_threshold = custom ? 0 : 0.001,
        .zero_count = custom ? 0 : 2,
        .count = custom ? 11 : 13,
        .sum = 0.1,
        .pos = { .spans = SPANS, .spans_n = 2, .counts = COUNTS, .counts_n = 3 },
    };
    if (custom) h.bounds = BOUNDS, h.bounds_n = 2;
    return h;
}

static void all_types_read_back(void **state)
{
    (void)state;
    static const unsigned TYPES[] = { WALREC_FLOAT_HISTOGRAMS, WALREC_HISTOGRAMS,
                                      WALREC_CUSTOM_FLOAT_HISTOGRAMS, WALREC_CUSTOM_HISTOGRAMS };
    for (unsigned kind = 0; kind < 4; kind++) {
        ARENA(a, 0);
        BUF(b, 0);
        struct histogram h = some(kind & 1, kind >> 1);
        struct walhist in[] = { { 70, 1000, &h }, { 12, 900, &h } }, out;
        walhist_put(&b, in, 2);
        assert_int_equal(walrec_type(buf_str(&b)), TYPES[kind]);
        struct walhist_reader r;
        assert_int_equal(walhist_begin(buf_str(&b), &r), OK);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(walhist_next(&r, &a, &out), OK);
            assert_true(out.ref == in[i].ref && out.t == in[i].t && out.h->hint == h.hint);
            assert_true(histogram_same(out.h, &h));
        }
        assert_int_equal(walhist_next(&r, &a, &out), ERR_EOF);
    }
}

static void cut_records_are_told(void **state)
{
    (void)state;
    ARENA(a, 0);
    BUF(b, 0);
    struct histogram h = some(true, false);
    struct walhist in = { 70, 1000, &h }, out;
    walhist_put(&b, &in, 1);
    for (size_t n = 2; n < b.n; n++) {
        struct walhist_reader r;
        enum err e = walhist_begin(str_first(buf_str(&b), n), &r);
        if (e == OK) e = walhist_next(&r, &a, &out);
        assert_int_equal(e, n == 17 ? ERR_EOF : ERR_CORRUPT);
    }
    struct walhist_reader r;
    assert_int_equal(walhist_begin(STR("\2"), &r), ERR_UNSUPPORTED);
}

/* Bytes worked out by hand from the format. */
static void bytes_are_the_originals(void **state)
{
    (void)state;
    BUF(b, 0);
    static const double ONE = 3;
    static const struct histogram_span SPAN = { 1, 1 };
    struct histogram h = { .schema = -1,
                           .integer = true,
                           .count = 3,
                           .sum = 1,
                           .pos = { .spans = &SPAN, .spans_n = 1, .counts = &ONE, .counts_n = 1 } };
    struct walhist in = { 5, 6, &h };
    walhist_put(&b, &in, 1);
    static const char BYTES[] = "\x07\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x06\0\0"
                                "\0\x01\0\0\0\0\0\0\0\0\0\x03\x3f\xf0\0\0\0\0\0\0"
                                "\x01\x02\x01\0\x01\x06\0";
    assert_int_equal(b.n, sizeof(BYTES) - 1);
    assert_memory_equal(b.p, BYTES, b.n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_types_read_back),
        cmocka_unit_test(cut_records_are_told),
        cmocka_unit_test(bytes_are_the_originals),
    };
    return cmocka_run_group_tests_name("walhist", tests, NULL, NULL);
}
