/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/yaml.h"
#include "test.h"

#include "base/buf.h"

#include <stdio.h>

struct row {
    const char *name;
    enum yaml_flavour flavour;
    const char *in;
    enum err err;
    const char *out; /* the tree in one line, or "line:col: text" */
};

static void dump(struct buf *b, const struct yaml_node *v)
{
    if (!v) {
        buf_putc(b, "nothing");
    } else if (v->kind == YAML_SCALAR) {
        buf_fmt(b, v->quoted ? "'" STR_FMT "'" : STR_FMT, STR_ARG(v->text));
    } else {
        bool seq = v->kind == YAML_SEQ;
        buf_char(b, seq ? '[' : '{');
        for (size_t i = 0; i < (seq ? v->n : 2 * v->n); i++) {
            if (i) buf_putc(b, seq || i % 2 == 0 ? "," : ":");
            dump(b, v->items[i]);
        }
        buf_char(b, seq ? ']' : '}');
    }
}

static const struct row ROWS[] = {
    { "empty", YAML_V2, "", OK, "nothing" },
    { "only a comment", YAML_V2, "# x\n", OK, "nothing" },
    { "only a document mark", YAML_V2, "---\n", OK, "nothing" },
    { "map, list, quotes", YAML_V2, "a: 1\nb: [x, 'y', \"\\u00e9\"]\n", OK,
      "{a:1,b:[x,'y','\xc3\xa9']}" },
    { "block scalar", YAML_V2, "a: |\n  x\n  y\n", OK, "{a:'x\ny\n'}" },
    { "byte order mark", YAML_V2,
      "\xef\xbb\xbf"
      "a: 1",
      OK, "{a:1}" },
    { "alias", YAML_V2, "a: &x [1]\nb: *x\n", OK, "{a:[1],b:[1]}" },
    { "merge, own keys win", YAML_V3, "a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3\n", OK,
      "{a:{p:1,q:2},b:{q:3,p:1}}" },
    { "merge of a list", YAML_V2, "- &x {p: 1}\n- &y {p: 2, q: 2}\n- <<: [*x, *y]\n", OK,
      "[{p:1},{p:2,q:2},{p:1,q:2}]" },
    { "merge of a scalar", YAML_V2, "<<: 1\n", ERR_SYNTAX,
      "1:5: map merge requires map or sequence of maps as the value" },
    { "binary", YAML_V2, "a: !!binary aGk=\n", OK, "{a:'hi'}" },
    { "bad binary", YAML_V2, "a: !!binary a*k=\n", ERR_SYNTAX,
      "1:4: !!binary value contains invalid base64 data" },
    { "v2 keeps duplicates for the decoder", YAML_V2, "a: 1\na: 2\n", OK, "{a:1,a:2}" },
    { "v3 refuses duplicates", YAML_V3, "a: 1\na: 2\n", ERR_SYNTAX,
      "2:1: mapping key \"a\" already defined at line 1" },
    { "lenient: the last counts", YAML_LENIENT, "a: 1\nb: 0\na: 2\n", OK, "{b:0,a:2}" },
    { "two documents", YAML_V2, "a: 1\n---\nb: 2\n", ERR_SYNTAX,
      "2:1: expected a single document in the file" },
    { "unknown alias", YAML_V2, "a: *x\n", ERR_SYNTAX, "1:4: unknown anchor 'x' referenced" },
    { "an anchor in itself", YAML_V2, "a: &x [*x]\n", ERR_SYNTAX,
      "1:8: anchor 'x' value contains itself" },
    { "wrong indentation", YAML_V2, "a:\n  b: 1\n c: 2\n", ERR_SYNTAX,
      "3:2: did not find expected key while parsing a block mapping that began at 1:1; check the "
      "indentation" },
    { "a value too far right", YAML_V2, "a: 1\n  b: 2\n", ERR_SYNTAX,
      "2:4: mapping values are not allowed in this context; check the indentation, or quote a "
      "value that holds ': '" },
    { "a tab", YAML_V2, "a:\n\tb: 1\n", ERR_SYNTAX,
      "2:1: found character that cannot start any token; indent with spaces, not tabs" },
    { "an at sign", YAML_V2, "a: @x\n", ERR_SYNTAX,
      "1:4: found character that cannot start any token; put the value in quotes" },
    { "open quotes", YAML_V2, "a: 1\nb: 'x\nc: 2", ERR_SYNTAX,
      "3:5: found unexpected end of stream while scanning a quoted scalar that began at 2:4" },
    { "strict: unknown escape", YAML_V3, "a: 1\nb: \"\xc3\xa9\\d+\"\n", ERR_SYNTAX,
      "2:6: found unknown escape character while parsing a quoted scalar that began at 2:4; "
      "expected one of \\\\ \\\" \\/ \\n \\r \\t \\0 \\a \\b \\e \\f \\v \\x \\u \\U, or single "
      "quotes around the value" },
    { "lenient: unknown escapes are kept", YAML_LENIENT, "a: \"\xc3\xa9\\d+\\w\"\nb: 1\n", OK,
      "{a:'\xc3\xa9\\d+\\w',b:1}" },
    { "a control character", YAML_V2, "a: 1\nb: \x01\n", ERR_SYNTAX,
      "2:4: control characters are not allowed" },
    { "not UTF-8", YAML_V2, "a: \xff\n", ERR_SYNTAX, "1:4: invalid leading UTF-8 octet" },
};

static void row_parses(void **state)
{
    const struct row *r = *state;
    ARENA(a, 0);
    BUF(b, 0);
    struct yaml_node *v = NULL;
    struct diag d = { 0 };
    assert_int_equal(yaml_parse(&a, str_c(r->in), r->flavour, &v, NULL, &d), r->err);
    if (r->err == OK) {
        dump(&b, v);
    } else {
        assert_null(v);
        buf_fmt(&b, "%u:%u: %s", d.line, d.col, d.text);
    }
    buf_char(&b, '\0');
    assert_string_equal(b.p, r->out);
}

static void warnings_name_the_place(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct yaml_node *v;
    struct yaml_warning *w = NULL;
    struct str in = STR("p: \"\\d \\w\" # x\nq: {r: \"\\s\", s: 1}\nq: 2\n");
    assert_int_equal(yaml_parse(&a, in, YAML_LENIENT, &v, &w, NULL), OK);
    static const struct {
        unsigned line, col;
        const char *text;
    } WANT[] = {
        { 1, 5, "unknown escape \\d in double quotes, kept as written" },
        { 1, 8, "unknown escape \\w in double quotes, kept as written" },
        { 2, 9, "unknown escape \\s in double quotes, kept as written" },
        { 3, 1, "key q stands at line 2 already; this one counts" },
    };
    for (size_t i = 0; i < ARRAY_LEN(WANT); i++, w = w->next) {
        assert_non_null(w);
        assert_int_equal(w->line, WANT[i].line);
        assert_int_equal(w->col, WANT[i].col);
        assert_true(str_eqc(w->text, WANT[i].text));
    }
    assert_null(w);
}

/* Columns behind a forgiven escape are those of the file. */
static void repaired_columns_are_the_files(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct yaml_node *v;
    assert_int_equal(yaml_parse(&a, STR("{p: \"\\d\\d\", q: 1}"), YAML_LENIENT, &v, NULL, NULL),
                     OK);
    assert_int_equal(yaml_get(v, "q")->col, 16);
}

static void depth_and_aliases_are_limited(void **state)
{
    (void)state;
    ARENA(a, 0);
    BUF(b, 0);
    for (int i = 0; i < 200; i++) {
        buf_char(&b, '[');
    }
    struct yaml_node *v = NULL;
    struct diag d = { 0 };
    assert_int_equal(yaml_parse(&a, buf_str(&b), YAML_V2, &v, NULL, &d), ERR_LIMIT);
    assert_string_equal(d.text, "nested more than 100 deep");
    buf_reset(&b);
    buf_putc(&b, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 10; i++) {
        buf_fmt(&b, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++) {
            buf_fmt(&b, "%s*a%d", j ? "," : "", i - 1);
        }
        buf_putc(&b, "]\n");
    }
    assert_int_equal(yaml_parse(&a, buf_str(&b), YAML_V2, &v, NULL, &d), ERR_LIMIT);
    assert_string_equal(d.text, "document contains excessive aliasing");
}

static struct yaml_node *scalar(struct arena *a, const char *text)
{
    struct yaml_node *v = NULL;
    assert_int_equal(yaml_parse(a, str_c(text), YAML_V2, &v, NULL, NULL), OK);
    return v;
}

static void scalars_resolve_as_in_yaml_1_1(void **state)
{
    (void)state;
    ARENA(a, 0);
    static const struct {
        const char *in;
        int64_t want;
    } INTS[] = {
        { "12", 12 },
        { "-3", -3 },
        { "+4", 4 },
        { "0x1F", 31 },
        { "017", 15 },
        { "0o17", 15 },
        { "0b101", 5 },
        { "1_000", 1000 },
        { "0", 0 },
        { "1e3", 1000 },
        { "4.0", 4 },
        { "-0x10", -16 },
        { "08", 8 },
        { "9223372036854775807", INT64_MAX },
        { "-9223372036854775808", INT64_MIN },
    };
    for (size_t i = 0; i < ARRAY_LEN(INTS); i++) {
        int64_t v = 0;
        assert_true(yaml_int_of(scalar(&a, INTS[i].in), &v));
        assert_int_equal(v, INTS[i].want);
    }
    static const char *const NOT_INTS[] = { "'12'", "1.5", "x",   "9223372036854775808",
                                            "-",    "0x",  "true" };
    for (size_t i = 0; i < ARRAY_LEN(NOT_INTS); i++) {
        int64_t v;
        assert_false(yaml_int_of(scalar(&a, NOT_INTS[i]), &v));
    }
    bool yes = false;
    assert_true(yaml_bool_of(scalar(&a, "On"), &yes) && yes);
    assert_true(yaml_bool_of(scalar(&a, "no"), &yes) && !yes);
    assert_false(yaml_bool_of(scalar(&a, "'yes'"), &yes));
    double f = 0;
    assert_true(yaml_float_of(scalar(&a, "-.inf"), &f) && f < 0);
    assert_true(yaml_float_of(scalar(&a, "2.5e1"), &f) && f == 25.0);
    assert_false(yaml_float_of(scalar(&a, "inf"), &f));
}

int main(void)
{
    enum { OTHERS = 4 };
    struct CMUnitTest tests[ARRAY_LEN(ROWS) + OTHERS] = {
        cmocka_unit_test(warnings_name_the_place),
        cmocka_unit_test(repaired_columns_are_the_files),
        cmocka_unit_test(depth_and_aliases_are_limited),
        cmocka_unit_test(scalars_resolve_as_in_yaml_1_1),
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        tests[OTHERS + i] = (struct CMUnitTest){
            .name = ROWS[i].name,
            .test_func = row_parses,
            .initial_state = (void *)(uintptr_t)&ROWS[i],
        };
    }
    return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
