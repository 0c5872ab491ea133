/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/xor.h"

#include "base/arena.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>

enum { SAMPLES_MAX = 500 };

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static void check_round_trip(const int64_t *t, const double *v, size_t n)
{
    static int64_t got_t[SAMPLES_MAX];
    static double got_v[SAMPLES_MAX];
    BUF(b, 0);
    xor_encode_chunk(t, v, n, &b);
    /* At its exact size on the heap, so that a read behind the end is seen. */
    char *exact = malloc(b.n);
    memcpy(exact, b.p, b.n);
    struct str chunk = str_make(exact, b.n);
    assert_int_equal(xor_count(chunk), n);
    assert_int_equal(xor_decode(chunk, got_t, got_v), OK);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(got_t[i], t[i]);
        assert_int_equal(bits_of_double(got_v[i]), bits_of_double(v[i]));
    }
    free(exact);
}

static void comes_back_random(void **state)
{
    (void)state;
    uint64_t rng = 3;
    int64_t t[SAMPLES_MAX];
    double v[SAMPLES_MAX];
    for (int round = 0; round < 400; round++) {
        size_t n = next_random(&rng) % SAMPLES_MAX + 1;
        unsigned shift = (unsigned)(next_random(&rng) % 60);
        int64_t at = (int64_t)(next_random(&rng) >> 20) - (1 << 20);
        for (size_t i = 0; i < n; i++) {
            uint64_t r = next_random(&rng);
            at += 1 + (round % 3 ? 15000 : (int64_t)(r >> (shift > 14 ? shift : 14)) / (int64_t)n);
            t[i] = at;
            v[i] = round % 4 == 0   ? double_of_bits(r)
                   : round % 4 == 1 ? (r % 3 && i ? v[i - 1] : (double)(r % 1000))
                   : round % 4 == 2 ? double_of_bits(r & ~UINT64_C(0) << shift)
                                    : (double)i;
        }
        check_round_trip(t, v, n);
    }
}

/* Every width of dod at its edges: -(2^(w-1)-1) and 2^(w-1) still fit, one more does not. */
static void codes_dods_at_their_edges(void **state)
{
    (void)state;
    static const int64_t EDGES[] = { 0,      1,       -1,      8192,    8193,      -8191,
                                     -8192,  65536,   65537,   -65535,  -65536,    524288,
                                     524289, -524287, -524288, 1 << 30, -(1 << 30) };
    for (size_t i = 0; i < ARRAY_LEN(EDGES); i++) {
        int64_t t[4] = { -5, INT64_C(1) << 33, INT64_C(1) << 34, 0 };
        double v[4] = { 0.0, -0.0, (double)INFINITY, (double)NAN };
        t[3] = t[2] + (t[2] - t[1]) + EDGES[i];
        check_round_trip(t, v, 4);
    }
}

/*
 * Worked by hand: count; zigzag of 1700000000000; 1.0; uvarint 15000; then bits. Sample 1, the same value: 0. Sample 2,
 * dod 0 and 1.0 ^ 2.0 = 0x7ff0..., one leading zero, 11 bits: 0 11 00001 001011 11111111111.
 */
static void has_the_known_bytes(void **state)
{
    (void)state;
    static const unsigned char WANT[] = { 0x00, 0x03, 0x80, 0xa0, 0xab, 0xfe, 0xf9, 0x62,
                                          0x3f, 0xf0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                          0x98, 0x75, 0x30, 0x97, 0xff, 0xc0 };
    int64_t t[] = { 1700000000000, 1700000015000, 1700000030000 };
    double v[] = { 1, 1, 2 };
    BUF(b, 0);
    xor_encode_chunk(t, v, 3, &b);
    assert_int_equal(b.n, sizeof(WANT));
    assert_memory_equal(b.p, WANT, sizeof(WANT));
}

static void refuses_short_streams(void **state)
{
    (void)state;
    int64_t t[120];
    double v[120];
    for (int i = 0; i < 120; i++) {
        t[i] = i * 15000 + i % 7;
        v[i] = i * 1.1;
    }
    BUF(b, 0);
    xor_encode_chunk(t, v, 120, &b);
    for (size_t n = 0; n < b.n; n++) {
        assert_int_equal(xor_decode(str_make(b.p, n), t, v), ERR_CORRUPT);
    }
    assert_int_equal(xor_decode(buf_str(&b), t, v), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_random),
        cmocka_unit_test(codes_dods_at_their_edges),
        cmocka_unit_test(has_the_known_bytes),
        cmocka_unit_test(refuses_short_streams),
    };
    return cmocka_run_group_tests_name("xor", tests, NULL, NULL);
}
