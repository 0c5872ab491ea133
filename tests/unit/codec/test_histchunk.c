/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/histchunk.h"

#include "base/bits.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>

enum { POS = 5, NEG = 2, SAMPLES = 300 };

static const struct histogram_span POS_SPANS[] = { { -3, 2 }, { 4, 3 } },
                                   NEG_SPANS[] = { { 1, 2 } };
static const double BOUNDS[] = { 0.005, 0.1, 2.5, 33554.43, 40000, 1.0 / 3 + 50000 };

/* Counts that grow at random, now and then by much. */
static const struct histogram *next(struct arena *a, const struct histogram *before, bool integer)
{
    double *pos = arena_array(a, POS, sizeof(*pos)), *neg = arena_array(a, NEG, sizeof(*neg));
    struct histogram h = *before;
    double unit = integer ? 1 : 0.25, total = h.zero_count += (double)(rand() % 2) * unit;
    for (int i = 0; i < POS; i++) {
        total += pos[i] = before->pos.counts[i] + (double)(rand() % 900) * unit;
    }
    for (int i = 0; i < NEG; i++) {
        total += neg[i] = before->neg.counts[i] + (rand() % 50 ? 0 : 1e9) * unit;
    }
    h.pos.counts = pos;
    h.neg.counts = neg;
    h.count = total;
    h.sum += 0.1;
    return histogram_dup(a, &h);
}

static const struct histogram *first(struct arena *a, bool integer)
{
    static const double NONE[POS];
    struct histogram h = {
        .schema = 3,
        .integer = integer,
        .zero_threshold = 0x1p-128,
        .pos = { .spans = POS_SPANS, .spans_n = 2, .counts = NONE, .counts_n = POS },
        .neg = { .spans = NEG_SPANS, .spans_n = 1, .counts = NONE, .counts_n = NEG },
    };
    return histogram_dup(a, &h);
}

static void reads_back(const struct histchunk *c, struct arena *a, const int64_t *t,
                       const struct histogram *const *h, size_t n)
{
    struct histchunk_reader *r = histchunk_open(histchunk_bytes(c), histchunk_encoding(c), a);
    int64_t at;
    const struct histogram *got;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(histchunk_next(r, &at, &got), OK);
        assert_int_equal(at, t[i]);
        assert_true(histogram_same(got, h[i]));
    }
    assert_int_equal(histchunk_next(r, &at, &got), ERR_EOF);
}

static void samples_read_back(void **state)
{
    (void)state;
    for (int integer = 0; integer < 2; integer++) {
        ARENA(a, 0);
        const struct histogram *h[SAMPLES], *before = first(&a, integer);
        int64_t t[SAMPLES];
        struct histchunk *c = histchunk_new();
        for (int i = 0; i < SAMPLES; i++) {
            t[i] = INT64_C(1790000000000) + i * 15000 + rand() % 3;
            before = h[i] = next(&a, before, integer);
            assert_int_equal(histchunk_fit(c, h[i]), HISTCHUNK_FITS);
            histchunk_add(c, t[i], h[i]);
        }
        assert_int_equal(histchunk_encoding(c), integer ? HISTCHUNK_INTEGER : HISTCHUNK_FLOAT);
        reads_back(c, &a, t, h, SAMPLES);
        histchunk_free(c);
    }
}

static const struct {
    const char *name;
    double threshold;
} THRESHOLDS[] = {
    { "none", 0 },
    { "smallest byte", 0x1p-243 },
    { "below it", 0x1p-244 },
    { "largest byte", 1024 },
    { "above it", 2048 },
    { "no power", 0.001 },
};

static void layouts_read_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(THRESHOLDS) / sizeof(*THRESHOLDS); i++) {
        ARENA(a, 0);
        struct histogram h = *first(&a, true);
        h.zero_threshold = THRESHOLDS[i].threshold;
        struct histchunk *c = histchunk_new();
        histchunk_add(c, -5, &h);
        reads_back(c, &a, &(int64_t){ -5 }, &(const struct histogram *){ &h }, 1);
        histchunk_free(c);
    }
}

static void custom_bounds_read_back(void **state)
{
    (void)state;
    ARENA(a, 0);
    static const struct histogram_span SPAN = { 0, 7 };
    static const double COUNTS[7] = { 1, 0, 0, 2, 0, 0, 1 };
    const struct histogram h = {
        .schema = HISTOGRAM_SCHEMA_CUSTOM,
        .integer = true,
        .count = 4,
        .sum = -0.0,
        .pos = { .spans = &SPAN, .spans_n = 1, .counts = COUNTS, .counts_n = 7 },
        .bounds = BOUNDS,
        .bounds_n = 6,
    };
    struct histchunk *c = histchunk_new();
    histchunk_add(c, 1, &h);
    reads_back(c, &a, &(int64_t){ 1 }, &(const struct histogram *){ &h }, 1);
    histchunk_free(c);
}

static enum histchunk_fit fit_after(const struct histogram *one, const struct histogram *two)
{
    struct histchunk *c = histchunk_new();
    histchunk_add(c, 1, one);
    enum histchunk_fit f = histchunk_fit(c, two);
    histchunk_free(c);
    return f;
}

static void what_begins_another_chunk(void **state)
{
    (void)state;
    ARENA(a, 0);
    const struct histogram *one = next(&a, first(&a, true), true);
    struct histogram two = *one;
    assert_int_equal(fit_after(one, &two), HISTCHUNK_FITS);
    two.integer = false;
    assert_int_equal(fit_after(one, &two), HISTCHUNK_OTHER);
    two = *one, two.schema = 2;
    assert_int_equal(fit_after(one, &two), HISTCHUNK_OTHER);
    two = *one, two.count -= 1;
    assert_int_equal(fit_after(one, &two), HISTCHUNK_RESET);
    two = *first(&a, true), two.count = one->count, two.zero_count = one->zero_count;
    assert_int_equal(fit_after(one, &two), HISTCHUNK_RESET);
    two = *one, two.hint = HINT_GAUGE;
    assert_int_equal(fit_after(one, &two), HISTCHUNK_OTHER);
    struct histogram stale = { .integer = true,
                               .sum = double_of_bits(UINT64_C(0x7ff0000000000002)) };
    assert_int_equal(fit_after(one, &stale), HISTCHUNK_FITS);
    assert_int_equal(fit_after(&stale, one), HISTCHUNK_OTHER);
}

static void hints_follow_the_header(void **state)
{
    (void)state;
    static const enum histogram_hint BEGIN[] = { HINT_UNKNOWN, HINT_RESET, HINT_NOT_RESET };
    for (size_t i = 0; i < 3; i++) {
        ARENA(a, 0);
        const struct histogram *h = next(&a, first(&a, false), false);
        struct histchunk *c = histchunk_new();
        histchunk_begin(c, BEGIN[i]);
        histchunk_add(c, 1, h);
        histchunk_add(c, 2, h);
        struct histchunk_reader *r = histchunk_open(histchunk_bytes(c), HISTCHUNK_FLOAT, &a);
        int64_t t;
        assert_int_equal(histchunk_next(r, &t, &h), OK);
        assert_int_equal(h->hint, BEGIN[i]);
        assert_int_equal(histchunk_next(r, &t, &h), OK);
        assert_int_equal(h->hint, HINT_NOT_RESET);
        histchunk_free(c);
    }
}

static void markers_end_a_chunk(void **state)
{
    (void)state;
    for (int integer = 0; integer < 2; integer++) {
        ARENA(a, 0);
        const struct histogram stale = { .integer = integer,
                                         .sum = double_of_bits(UINT64_C(0x7ff0000000000002)) };
        const struct histogram *h[4] = { first(&a, integer), NULL, &stale, &stale };
        h[1] = next(&a, h[0], integer);
        int64_t t[] = { 10, 20, 30, 41 };
        struct histchunk *c = histchunk_new();
        for (int i = 0; i < 4; i++) histchunk_add(c, t[i], h[i]);
        reads_back(c, &a, t, h, 4);
        histchunk_free(c);
    }
}

/* Cut anywhere, a chunk yields a prefix of its samples and then says that it is damaged. */
static void torn_chunks_are_told(void **state)
{
    (void)state;
    ARENA(a, 0);
    const struct histogram *h[20], *before = first(&a, true);
    struct histchunk *c = histchunk_new();
    for (int i = 0; i < 20; i++) histchunk_add(c, i, before = h[i] = next(&a, before, true));
    struct str whole = histchunk_bytes(c);
    for (size_t n = 0; n < whole.n; n++) {
        struct histchunk_reader *r = histchunk_open(str_first(whole, n), HISTCHUNK_INTEGER, &a);
        int64_t t;
        const struct histogram *got;
        int read = 0;
        enum err e;
        while ((e = histchunk_next(r, &t, &got)) == OK) assert_true(histogram_same(got, h[read++]));
        assert_true(e == ERR_CORRUPT && read < 20);
    }
    histchunk_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_read_back),       cmocka_unit_test(layouts_read_back),
        cmocka_unit_test(custom_bounds_read_back), cmocka_unit_test(what_begins_another_chunk),
        cmocka_unit_test(hints_follow_the_header), cmocka_unit_test(markers_end_a_chunk),
        cmocka_unit_test(torn_chunks_are_told),
    };
    return cmocka_run_group_tests_name("histchunk", tests, NULL, NULL);
}
