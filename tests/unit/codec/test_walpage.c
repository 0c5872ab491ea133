/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/walpage.h"

#include "base/arena.h"
#include "test.h"

#include <stdlib.h>

enum { RECORDS = 300 };

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static struct str record_of(char *to, size_t n, int i)
{
    memset(to, 'a' + i % 26, n);
    return str_make(to, n);
}

/* Lengths around every edge of a page, and long ones. */
static size_t length_of(int i, uint64_t *rng)
{
    if (i % 3 == 0) return WALPAGE_SIZE - WALPAGE_FRAGMENT - 12 + (size_t)(i % 24);
    return next_random(rng) % (i % 10 == 0 ? 100000 : 300);
}

static void reads_what_it_wrote(void **state)
{
    (void)state;
    uint64_t rng = 11;
    char *scratch = malloc(200000);
    size_t lengths[RECORDS], ends[RECORDS];
    BUF(seg, 0);
    for (int i = 0; i < RECORDS; i++) {
        lengths[i] = length_of(i, &rng);
        uint64_t cost = walpage_cost(seg.n, lengths[i]);
        size_t before = seg.n;
        walpage_put(&seg, seg.n, record_of(scratch, lengths[i], i),
                    i % 2 ? WALPAGE_SNAPPY : WALPAGE_PLAIN);
        assert_int_equal(seg.n - before, cost);
        ends[i] = seg.n;
    }
    struct walpage_reader r;
    walpage_reader_init(&r, buf_str(&seg));
    struct str rec;
    enum walpage_packing packing;
    for (int i = 0; i < RECORDS; i++) {
        assert_int_equal(walpage_next(&r, &rec, &packing), OK);
        assert_int_equal(packing, i % 2 ? WALPAGE_SNAPPY : WALPAGE_PLAIN);
        assert_true(str_eq(rec, record_of(scratch, lengths[i], i)));
        assert_int_equal(r.good, ends[i]);
    }
    assert_int_equal(walpage_next(&r, &rec, &packing), ERR_EOF);
    walpage_reader_done(&r);
    free(scratch);
}

/* Cut anywhere: all records that end before the cut, then a clean end or a torn one. */
static void finds_the_torn_tail(void **state)
{
    (void)state;
    BUF(seg, 0);
    char scratch[40000];
    size_t ends[8];
    for (int i = 0; i < 8; i++) {
        walpage_put(&seg, seg.n, record_of(scratch, 5000 * (size_t)i + 3, i), WALPAGE_PLAIN);
        ends[i] = seg.n;
    }
    for (size_t cut = 0; cut <= seg.n; cut += 1 + cut % 97) {
        struct walpage_reader r;
        struct str rec;
        enum walpage_packing packing;
        size_t n = 0, good = 0;
        enum err e;
        walpage_reader_init(&r, str_make(seg.p, cut));
        while ((e = walpage_next(&r, &rec, &packing)) == OK) n++;
        for (int i = 0; i < 8 && ends[i] <= cut; i++) good = ends[i];
        assert_int_equal(r.good, good);
        assert_true(n == 0 ? good == 0 : ends[n - 1] == good);
        assert_true(e == ERR_EOF || e == ERR_SHORT);
        if (cut == good) assert_int_equal(e, ERR_EOF);
        walpage_reader_done(&r);
    }
}

static void finds_damage(void **state)
{
    (void)state;
    BUF(seg, 0);
    walpage_put(&seg, 0, STR("first"), WALPAGE_PLAIN);
    size_t first = seg.n;
    walpage_put(&seg, seg.n, STR("second"), WALPAGE_PLAIN);
    for (size_t at = 0; at < seg.n; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct walpage_reader r;
            struct str rec;
            enum walpage_packing packing;
            seg.p[at] = (char)(seg.p[at] ^ (1 << bit));
            walpage_reader_init(&r, buf_str(&seg));
            enum err e = walpage_next(&r, &rec, &packing);
            if (e == OK) e = walpage_next(&r, &rec, &packing);
            /* The packing bits are under no checksum. */
            bool unsummed = (at == 0 || at == first) && (bit == 3 || bit == 4);
            assert_true(unsummed ? e == OK : e != OK);
            assert_int_equal(r.good, unsummed ? seg.n : at < first ? 0 : first);
            walpage_reader_done(&r);
            seg.p[at] = (char)(seg.p[at] ^ (1 << bit));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_wrote),
        cmocka_unit_test(finds_the_torn_tail),
        cmocka_unit_test(finds_damage),
    };
    return cmocka_run_group_tests_name("walpage", tests, NULL, NULL);
}
