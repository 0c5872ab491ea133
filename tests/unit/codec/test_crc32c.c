/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/crc32c.c" /* both ways of computing it */

#include "test.h"

/* Source: RFC 3720 appendix B.4 (bytes in the order of the wire there). */
static const struct {
    struct str in;
    uint32_t want;
} ROWS[] = {
    { { "", 0 }, 0 },
    { { "123456789", 9 }, 0xe3069283 },
    { { "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32 }, 0x8a9136aa },
    { { "\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377"
        "\377\377\377\377\377\377\377\377",
        32 },
      0x62a8ab43 },
};

static void equals_the_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        assert_int_equal(crc32c(0, ROWS[i].in), ROWS[i].want);
        assert_int_equal(~crc_table(~UINT32_C(0), ROWS[i].in), ROWS[i].want);
    }
}

static void goes_on(void **state)
{
    (void)state;
    struct str all = STR("a record of some length, cut in two at every place");
    for (size_t cut = 0; cut <= all.n; cut++) {
        uint32_t first = crc32c(0, str_first(all, cut));
        assert_int_equal(crc32c(first, str_from(all, cut)), crc32c(0, all));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_vectors),
        cmocka_unit_test(goes_on),
    };
    return cmocka_run_group_tests_name("crc32c", tests, NULL, NULL);
}
