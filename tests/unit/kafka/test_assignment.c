/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/assignment.h"
#include "test.h"

#define BYTES(lit) ((struct str){ lit, sizeof(lit) - 1 })

/* {orders: [0, 1, 2], payments: [5]}, version 1, no user data: the protocol's own encoding. */
static const char GOOD[] = "\0\1\0\0\0\2\0\6orders\0\0\0\3\0\0\0\0\0\0\0\1\0\0\0\2"
                           "\0\x08payments\0\0\0\1\0\0\0\5\xff\xff\xff\xff";

static void assignment_is_read(void **state)
{
    (void)state;
    ARENA(a, 0);
    kafka_assigned_list list;
    assert_int_equal(kafka_assignment_read(BYTES(GOOD), &a, &list), OK);
    assert_int_equal(list.n, 2);
    assert_true(str_eqc(list.v[0].topic, "orders"));
    assert_int_equal(list.v[0].partitions.n, 3);
    assert_int_equal(list.v[0].partitions.v[2], 2);
    assert_true(str_eqc(list.v[1].topic, "payments"));
    assert_int_equal(list.v[1].partitions.v[0], 5);
    assert_int_equal(kafka_assignment_read(BYTES(""), &a, &list), OK);
    assert_int_equal(list.n, 0);
}

static void cut_assignment_is_refused(void **state)
{
    (void)state;
    size_t whole = sizeof(GOOD) - 1 - 4; /* user data is not looked at */
    for (size_t n = 1; n < whole; n++) {
        ARENA(a, 0);
        kafka_assigned_list list;
        assert_int_not_equal(kafka_assignment_read(str_make(GOOD, n), &a, &list), OK);
    }
}

static void bad_counts_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct str bytes;
        enum err err;
    } ROWS[] = {
        { BYTES("\xff\xff\0\0\0\0"), ERR_SYNTAX },
        { BYTES("\0\1\xff\xff\xff\xff"), ERR_SYNTAX },
        { BYTES("\0\1\x7f\xff\xff\xff"), ERR_LIMIT },
        { BYTES("\0\1\0\0\0\1\0\1t\x7f\xff\xff\xff"), ERR_LIMIT },
        { BYTES("\0\1\0\0\0\1\xff\xff\0\0\0\0"), ERR_SYNTAX },
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        ARENA(a, 0);
        kafka_assigned_list list;
        assert_int_equal(kafka_assignment_read(ROWS[i].bytes, &a, &list), ROWS[i].err);
    }
}

/* Java's String.hashCode, Utils.abs, of 50 partitions. */
static void groups_find_their_partition(void **state)
{
    (void)state;
    static const struct {
        struct str id;
        int32_t partition;
    } ROWS[] = {
        { BYTES("g1"), 42 },
        { BYTES("dreamscape-notifications"), 32 },
        { BYTES("polygenelubricants"), 0 },
        { BYTES("\xc3\xa9-groupe"), 22 },
        { BYTES(""), 0 },
        { BYTES("\xf0\x9f\x98\x80"), 49 }, /* two UTF-16 units: 31 * 0xd83d + 0xde00 */
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        assert_int_equal(kafka_group_partition(ROWS[i].id, 50), ROWS[i].partition);
    }
    assert_int_equal(kafka_group_partition(STR("g1"), 0), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(assignment_is_read),
        cmocka_unit_test(cut_assignment_is_refused),
        cmocka_unit_test(bad_counts_are_refused),
        cmocka_unit_test(groups_find_their_partition),
    };
    return cmocka_run_group_tests_name("assignment", tests, NULL, NULL);
}
