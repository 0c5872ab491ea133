/* SPDX-License-Identifier: Apache-2.0 */
#include "io/file.h"
#include "remote/pace.h"
#include "remote/place.h"
#include "test.h"

#include <stdlib.h>
#include <unistd.h>

/* One tick of ten seconds. */
static int64_t tick(struct pace *p, uint64_t in, uint64_t out, int64_t took_ms, double behind,
                    int64_t shards)
{
    const struct pace_tick t = { in, out, 0, took_ms, 10, behind };
    double wish;
    return pace_tick(p, &t, shards, 1, 50, &wish);
}

static void shards_follow_the_work(void **state)
{
    (void)state;
    struct pace p = { 0 };
    assert_int_equal(tick(&p, 100000, 100000, 5000, 1, 1), 1); /* half a shard is enough */
    p = (struct pace){ 0 };
    assert_int_equal(tick(&p, 100000, 100000, 40000, 0, 1), 4); /* four are busy all the time */
    p = (struct pace){ 0 };
    assert_int_equal(tick(&p, 100000, 100000, 40000, 0, 3), 4);
    p = (struct pace){ 0 };
    assert_int_equal(tick(&p, 100000, 100000, 40000, 0, 4), 4); /* near enough */
    p = (struct pace){ 0 };
    assert_int_equal(tick(&p, 100000, 100000, 5000, 60, 8), 8); /* not fewer while it is late */
    p = (struct pace){ 0 };
    assert_int_equal(tick(&p, 100000, 100000, 5000, 1, 8), 1);
    p = (struct pace){ 0 };
    assert_int_equal(tick(&p, 100000, 100000, 9000000, 1000, 8), 50);
    p = (struct pace){ 0 };
    assert_int_equal(tick(&p, 100000, 0, 0, 1000, 8), 8); /* nothing went out: nothing is known */
}

static void places_come_back(void **state)
{
    (void)state;
    ARENA(a, 0);
    char dir[] = "/tmp/vigie-place-XXXXXX";
    assert_non_null(mkdtemp(dir));
    struct str file = place_file(&a, str_c(dir), STR("http://x/"), STR("n"));
    uint64_t place;
    assert_int_equal(place_read(file, &place), ERR_MISSING);
    assert_int_equal(place_write(file, (uint64_t)7 << 32 | 123456), OK);
    assert_int_equal(place_read(file, &place), OK);
    assert_true(place == ((uint64_t)7 << 32 | 123456));
    struct str text;
    struct diag d;
    assert_int_equal(file_read(&a, file, 1000, &text, &d), OK);
    char *bytes = (char *)(uintptr_t)text.p;
    for (size_t i = 0; i < text.n; i++) { /* one bit anywhere: it is not believed */
        bytes[i] ^= 1;
        assert_int_equal(place_parse(text, &place), ERR_SYNTAX);
        bytes[i] ^= 1;
    }
    for (size_t cut = 0; cut < text.n; cut++) {
        assert_int_equal(place_parse(str_first(text, cut), &place), ERR_SYNTAX);
    }
    (void)unlink(file.p);
    (void)rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_follow_the_work),
        cmocka_unit_test(places_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
