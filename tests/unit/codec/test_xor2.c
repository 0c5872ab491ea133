/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks are put together here bit by bit, from the format's description: there is no writer to test against. */
#include "codec/xor2.h"

#include "codec/bitstream.h"
#include "test.h"

#define STALE UINT64_C(0x7ff0000000000002)

struct field {
    uint64_t bits;
    unsigned n;
};

static void chunk_of(struct buf *b, unsigned samples, unsigned header, const struct field *f,
                     size_t n)
{
    buf_char(b, 0);
    buf_char(b, (char)samples);
    buf_char(b, (char)header);
    struct bitwriter w = { .b = b };
    for (size_t i = 0; i < n; i++) bits_put(&w, f[i].bits, f[i].n);
}

#define CHUNK(b, samples, header, ...)                                                             \
    do {                                                                                           \
        static const struct field FIELDS[] = { __VA_ARGS__ };                                      \
        chunk_of((b), (samples), (header), FIELDS, sizeof(FIELDS) / sizeof(*FIELDS));              \
    } while (0)

#define ONE   UINT64_C(0x3ff0000000000000)
#define TWO   UINT64_C(0x4000000000000000)
#define ONE_5 UINT64_C(0x3ff8000000000000)

static void is_read(struct buf *b, size_t n, const int64_t *t, const uint64_t *v)
{
    int64_t got_t[16];
    double got_v[16];
    assert_int_equal(xor2_decode(buf_str(b), got_t, got_v), OK);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(got_t[i], t[i]);
        assert_true(bits_of_double(got_v[i]) == v[i]);
    }
    for (size_t cut = 0; cut + 1 < b->n; cut++) {
        assert_int_equal(xor2_decode(str_first(buf_str(b), cut), got_t, got_v), ERR_CORRUPT);
    }
}

/* 1000, +15, then each joint code: nothing changed, new window, its reuse, 13, 20 and 64 bits, both markers. */
static void every_code_is_read(void **state)
{
    (void)state;
    BUF(b, 0);
    CHUNK(&b, 11, 0, { 0xd0, 8 }, { 0x0f, 8 }, { ONE, 64 },    /* varint 1000 */
          { 15, 8 }, { 0, 1 },                                 /* same value */
          { 0, 1 },                                            /* nothing changed */
          { 0x2, 2 }, { 1, 1 }, { 12, 5 }, { 1, 6 }, { 1, 1 }, /* bit 51: 1.5 */
          { 0x2, 2 }, { 0, 1 }, { 1, 1 },                      /* back to 1 in that window */
          { 0x6, 3 }, { 0x1fff, 13 }, { 0, 1 },                /* step 14, same value */
          { 0xe, 4 }, { 5000, 20 }, { 0x2, 2 }, { 1, 1 },      /* step 5014, 1.5 in the window */
          { 0x1f, 5 },                                         /* marker, same step */
          { 0x1e, 5 }, { (uint64_t)-5000, 64 }, { 0x7, 3 },    /* step 14, marker */
          { 0, 1 },                                            /* 1.5 again */
          { 0x6, 3 }, { 1, 13 }, { 0x6, 3 }, { 1, 5 }, { 11, 6 }, { 0x7ff, 11 } /* step 15 */);
    static const int64_t T[] = { 1000, 1015,  1030,  1045,  1060, 1074,
                                 6088, 11102, 11116, 11130, 11145 };
    static const uint64_t V[] = {
        ONE, ONE, ONE, ONE_5, ONE, ONE, ONE_5, STALE, STALE, ONE_5, ONE_5 ^ UINT64_C(0x7ff) << 52
    };
    is_read(&b, 11, T, V);
}

static void start_times_are_read_over(void **state)
{
    (void)state;
    BUF(b, 0);
    CHUNK(&b, 4, 0x80 | 2, { 2, 8 }, { ONE, 64 }, { 0x14, 8 }, /* t 1, its start time 10 before */
          { 5, 8 }, { 0, 1 },                                  /* none yet */
          { 0, 1 }, { 0x6, 3 }, { 33, 6 },                     /* from here on each: 33 */
          { 0, 1 }, { 0, 1 });                                 /* no change */
    static const int64_t T[] = { 1, 6, 11, 16 };
    static const uint64_t V[] = { ONE, ONE, ONE, ONE };
    is_read(&b, 4, T, V);
}

static void a_marker_in_front_counts_for_nothing(void **state)
{
    (void)state;
    BUF(b, 0);
    CHUNK(&b, 2, 0, { 2, 8 }, { STALE, 64 }, { 5, 8 }, { 0x6, 3 }, { 1, 5 }, { 1, 6 },
          { 1, 1 }); /* 2.0 against 0 */
    static const int64_t T[] = { 1, 6 };
    static const uint64_t V[] = { STALE, TWO };
    is_read(&b, 2, T, V);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_is_read),
        cmocka_unit_test(start_times_are_read_over),
        cmocka_unit_test(a_marker_in_front_counts_for_nothing),
    };
    return cmocka_run_group_tests_name("xor2", tests, NULL, NULL);
}
