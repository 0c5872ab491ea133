/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/javaser.h"

#include "base/bits.h"
#include "test.h"

/* Streams by hand: every row is one content behind the header. */
struct row {
    const char *name;
    struct str in; /* without header */
    enum err err;
    enum javaser_kind kind;
    struct str text;
};

#define CLASS_A                                                                                    \
    "\x72\x00\x01"                                                                                 \
    "A"                                                                                            \
    "\0\0\0\0\0\0\0\1"                                                                             \
    "\x02\x00\x00"                                                                                 \
    "\x78\x70"
#define CLASS_SELF                                                                                 \
    "\x72\x00\x01"                                                                                 \
    "A"                                                                                            \
    "\0\0\0\0\0\0\0\1"                                                                             \
    "\x02\x00\x00"                                                                                 \
    "\x78\x71\x00\x7e\x00\x00"
#define CLASS_EXTERNAL                                                                             \
    "\x72\x00\x01"                                                                                 \
    "E"                                                                                            \
    "\0\0\0\0\0\0\0\1"                                                                             \
    "\x04\x00\x00"                                                                                 \
    "\x78\x70"
#define LIT(s)                                                                                     \
    {                                                                                              \
        "" s, sizeof(s) - 1                                                                        \
    }

static const struct row ROWS[] = {
    { "null", LIT("\x70"), OK, JAVASER_NULL, { NULL, 0 } },
    { "string", LIT("\x74\x00\x02hi"), OK, JAVASER_STRING, LIT("hi") },
    { "long string", LIT("\x7c\0\0\0\0\0\0\0\x02hi"), OK, JAVASER_STRING, LIT("hi") },
    { "string of a NUL", LIT("\x74\x00\x02\xc0\x80"), OK, JAVASER_STRING, LIT("\0") },
    { "surrogates", LIT("\x74\x00\x06\xed\xa0\xbd\xed\xb8\x80"), OK, JAVASER_STRING,
      LIT("\xf0\x9f\x98\x80") },
    { "half a pair", LIT("\x74\x00\x04x\xed\xa0\xbd"), OK, JAVASER_STRING, LIT("x???") },
    { "block", LIT("\x77\x02hi"), OK, JAVASER_BLOCK, LIT("hi") },
    { "long block", LIT("\x7a\0\0\0\x02hi"), OK, JAVASER_BLOCK, LIT("hi") },
    { "reset, then null", LIT("\x79\x70"), OK, JAVASER_NULL, { NULL, 0 } },
    { "object", LIT("\x73" CLASS_A), OK, JAVASER_OBJECT, { NULL, 0 } },
    { "empty", LIT(""), ERR_SHORT, 0, { NULL, 0 } },
    { "half a string", LIT("\x74\x00\x05hi"), ERR_SHORT, 0, { NULL, 0 } },
    { "string longer than any",
      LIT("\x7c\xff\xff\xff\xff\xff\xff\xff\xff"),
      ERR_SHORT,
      0,
      { NULL, 0 } },
    { "no type code", LIT("\x01"), ERR_SYNTAX, 0, { NULL, 0 } },
    { "reference to nothing", LIT("\x71\x00\x7e\x00\x00"), ERR_SYNTAX, 0, { NULL, 0 } },
    { "object without class", LIT("\x73\x70"), ERR_SYNTAX, 0, { NULL, 0 } },
    { "class that is its own super", LIT("\x73" CLASS_SELF), ERR_LIMIT, 0, { NULL, 0 } },
    { "externalizable", LIT("\x73" CLASS_EXTERNAL), ERR_UNSUPPORTED, 0, { NULL, 0 } },
    { "writer gave up", LIT("\x7b\x73" CLASS_A), ERR_CANCELED, 0, { NULL, 0 } },
};

static void row_reads(void **state)
{
    const struct row *r = *state;
    ARENA(a, 0);
    BUF(b, 0);
    struct javaser s;
    struct diag d = { 0 };
    const struct javaser_value *v = NULL;
    javaser_put_header(&b);
    buf_put(&b, r->in);
    assert_int_equal(javaser_open(&s, buf_str(&b), &a), OK);
    assert_int_equal(javaser_read(&s, &v, &d), r->err);
    if (r->err != OK) {
        assert_null(v);
        assert_int_equal(s.in.n, r->in.n);
        return;
    }
    assert_int_equal(v->kind, r->kind);
    assert_int_equal(s.in.n, 0);
    if (r->text.p) assert_true(str_eq(v->text, r->text));
}

static void nesting_is_limited(void **state)
{
    (void)state;
    ARENA(a, 0);
    BUF(b, 0);
    struct javaser s;
    const struct javaser_value *v;
    javaser_put_header(&b);
    for (int i = 0; i < 1000; i++) javaser_put_array(&b, "[Ljava.lang.Object;", 1, 1);
    assert_int_equal(javaser_open(&s, buf_str(&b), &a), OK);
    assert_int_equal(javaser_read(&s, &v, NULL), ERR_LIMIT);
}

static void counts_are_not_believed(void **state)
{
    (void)state;
    ARENA(a, 1 << 20);
    BUF(b, 0);
    struct javaser s;
    const struct javaser_value *v;
    javaser_put_header(&b);
    javaser_put_array(&b, "[Ljava.lang.Object;", 1, 0x7fffffff);
    assert_int_equal(javaser_open(&s, buf_str(&b), &a), OK);
    assert_int_equal(javaser_read(&s, &v, NULL), ERR_SHORT);
    assert_true(a.used < 4096);
}

static void writes_what_it_reads(void **state)
{
    (void)state;
    ARENA(a, 0);
    BUF(b, 0);
    struct javaser s;
    const struct javaser_value *v = NULL;
    struct str text = STR("a\0\xc3\xa9\xf0\x9f\x98\x80z");
    javaser_put_header(&b);
    javaser_put_array(&b, "[Ljava.lang.String;", 0xadd256e7e91d7b47, 2);
    javaser_put_string(&b, text);
    javaser_put_string(&b, STR(""));
    assert_int_equal(javaser_open(&s, buf_str(&b), &a), OK);
    assert_int_equal(javaser_read(&s, &v, NULL), OK);
    assert_int_equal(v->kind, JAVASER_ARRAY);
    assert_true(str_eqc(v->class->name, "[Ljava.lang.String;"));
    assert_int_equal(v->n, 2);
    assert_true(str_eq(v->items[0]->text, text));
    assert_int_equal(v->items[1]->text.n, 0);
}

/* Fields of two classes of a chain, a string met again by its handle (Appendix C of the specification in small). */
static void handles_number_everything(void **state)
{
    (void)state;
    static const struct str IN = LIT(
        "\xac\xed\x00\x05\x75\x72\x00\x13[Ljava.lang.Object;\0\0\0\0\0\0\0\1\x02\x00\x00\x78\x70"
        "\0\0\0\x02"
        "\x73\x72\x00\x01"
        "B"
        "\0\0\0\0\0\0\0\1\x02\x00\x02"
        "J\x00\x01"
        "n"
        "L\x00\x01"
        "s"
        "\x74\x00\x12Ljava/lang/String;"
        "\x78" CLASS_A "\0\0\0\0\0\0\0\x07"
        "\x74\x00\x05hello"
        "\x73\x71\x00\x7e\x00\x02"
        "\xff\xff\xff\xff\xff\xff\xff\xff"
        "\x71\x00\x7e\x00\x06");
    ARENA(a, 0);
    struct javaser s;
    struct diag d = { 0 };
    const struct javaser_value *v = NULL;
    assert_int_equal(javaser_open(&s, IN, &a), OK);
    assert_int_equal(javaser_read(&s, &v, &d), OK);
    assert_int_equal(v->n, 2);
    assert_int_equal(javaser_field(v->items[0], "n")->integer, 7);
    assert_int_equal(javaser_field(v->items[1], "n")->integer, -1);
    assert_true(str_eqc(javaser_text(v->items[1], "s"), "hello"));
    assert_true(javaser_is(v->items[0], "A"));
    assert_null(javaser_field(v->items[0], "none"));
    for (size_t n = 4; n < IN.n; n++) { /* half of it is never an error, nor a value */
        ARENA(b, 0);
        assert_int_equal(javaser_open(&s, str_first(IN, n), &b), OK);
        assert_int_equal(javaser_read(&s, &v, &d), ERR_SHORT);
    }
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(ROWS) + 4] = {
        cmocka_unit_test(nesting_is_limited),
        cmocka_unit_test(counts_are_not_believed),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(handles_number_everything),
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        tests[4 + i] = (struct CMUnitTest){
            .name = ROWS[i].name,
            .test_func = row_reads,
            .initial_state = (void *)(uintptr_t)&ROWS[i],
        };
    }
    return cmocka_run_group_tests_name("javaser", tests, NULL, NULL);
}
