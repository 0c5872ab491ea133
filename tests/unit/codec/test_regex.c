/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/regex.h"
#include "test.h"

/* Texts as Go's regexp.Compile gives them. */
static const struct {
    const char *pattern, *error;
} BAD[] = {
    { "(", "missing closing ): `(`" },
    { "a)b", "unexpected ): `a)b`" },
    { "[a", "missing closing ]: `[a`" },
    { "\\", "trailing backslash at end of expression: ``" },
    { "*", "missing argument to repetition operator: `*`" },
    { "a|*", "missing argument to repetition operator: `*`" },
    { "a**", "invalid nested repetition operator: `**`" },
    { "a*+", "invalid nested repetition operator: `*+`" },
    { "a{2}{3}", "invalid nested repetition operator: `{2}{3}`" },
    { "a{1001}", "invalid repeat count: `{1001}`" },
    { "a{2,1}", "invalid repeat count: `{2,1}`" },
    { "((a{100}){100}){100}", "invalid repeat count: `{100}`" },
    { "[b-a]", "invalid character class range: `b-a`" },
    { "[[:foo:]]", "invalid character class range: `[:foo:]`" },
    { "\\p{Foo", "invalid character class range: `\\p{Foo`" },
    { "\\pX", "invalid character class range: `\\pX`" },
    { "\\8", "invalid escape sequence: `\\8`" },
    { "\\C", "invalid escape sequence: `\\C`" },
    { "\\x{110000}", "invalid escape sequence: `\\x{110000`" },
    { "(?=a)", "invalid or unsupported Perl syntax: `(?=`" },
    { "(?<=a)", "invalid named capture: `(?<=a)`" },
    { "(?P<x y>a)", "invalid named capture: `(?P<x y>`" },
    { "(?z)", "invalid or unsupported Perl syntax: `(?z`" },
    { "\\1", "invalid escape sequence: `\\1`" },
};

static void errors_are_gos(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct regex *re;
        struct diag d = { 0 };
        assert_int_equal(regex_compile(str_c(BAD[i].pattern), REGEX_RE2_PART, &re, &d), ERR_SYNTAX);
        static const char HEAD[] = "error parsing regexp: ";
        assert_memory_equal(d.text, HEAD, sizeof(HEAD) - 1);
        assert_string_equal(d.text + sizeof(HEAD) - 1, BAD[i].error);
    }
    struct regex *re;
    struct diag d = { 0 };
    assert_int_equal(regex_compile(STR("[regexp"), REGEX_RE2, &re, &d), ERR_SYNTAX);
    assert_string_equal(d.text, "error parsing regexp: missing closing ]: `[regexp)$`");
}

static struct regex *made(const char *pattern, enum regex_kind kind)
{
    struct regex *re = NULL;
    struct diag d = { 0 };
    if (regex_compile(str_c(pattern), kind, &re, &d) != OK) fail_msg("%s", d.text);
    return re;
}

static const struct {
    enum regex_kind kind;
    const char *pattern;
    struct str subject;
    bool match;
} MATCHES[] = {
    { REGEX_RE2, "a.c", { "a\nc", 3 }, true },
    { REGEX_RE2, "a", { "ab", 2 }, false },
    { REGEX_RE2, "a|b)|(c", { "cd", 2 }, false },
    { REGEX_RE2, ".", { "\xff", 1 }, true },
    { REGEX_RE2, "(?i)k", { "\xe2\x84\xaa", 3 }, true },
    { REGEX_RE2, "\\s", { "\v", 1 }, false },
    { REGEX_RE2, "\\d", { "\xd9\xa1", 2 }, false },
    { REGEX_RE2, "a$", { "a\n", 2 }, false },
    { REGEX_RE2, "foo|bar|", { NULL, 0 }, true },
    { REGEX_RE2, "", { "x", 1 }, false },
    { REGEX_RE2_PART, "b", { "abc", 3 }, true },
    { REGEX_RE2_PART, "(?m)^b$", { "a\nb\nc", 5 }, true },
    { REGEX_RE2_PART, "^b", { "a\nb", 3 }, false },
    { REGEX_JAVA, "\\p{Alpha}+\\u0031", { "..ab1", 5 }, true },
    { REGEX_JAVA, "[\\p{Lower}_]++x", { "ab_x", 4 }, false }, /* x is taken, possessively */
    { REGEX_JAVA,
      "kafka.server<type=(.+), name=(.+)><>Value",
      { "kafka.server<type=a, name=b><>Value", 35 },
      true },
};

static void matches(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(MATCHES); i++) {
        struct regex *re = made(MATCHES[i].pattern, MATCHES[i].kind);
        if (regex_match(re, MATCHES[i].subject) != MATCHES[i].match) {
            fail_msg("%s", MATCHES[i].pattern);
        }
        regex_free(re);
    }
}

static void java_only_forms_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "[a-z&&[^b]]", "[a[b]]", "(*FAIL)", "\\p{javaMirrored}",
                                       "(" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct regex *re;
        struct diag d = { 0 };
        assert_int_not_equal(regex_compile(str_c(bad[i]), REGEX_JAVA, &re, &d), OK);
        assert_true(d.text[0]);
    }
}

/* Exponential for a backtracker: the limit stops it and the DFA answers. */
static void evil_patterns_end(void **state)
{
    (void)state;
    struct regex *re = made("(a+)+b|(.*a){12}c", REGEX_RE2);
    char s[200];
    memset(s, 'a', sizeof(s));
    assert_false(regex_match(re, str_make(s, sizeof(s))));
    s[sizeof(s) - 1] = 'b';
    assert_true(regex_match(re, str_make(s, sizeof(s))));
    regex_free(re);
}

static void finds_groups(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct regex_groups g;
    struct regex *re = made("(?P<x>a)?(b)(.)(?<y>c)?", REGEX_RE2_PART);
    assert_int_equal(regex_group_count(re), 4);
    assert_int_equal(regex_group_named(re, STR("y")), 4);
    assert_true(regex_group_named(re, STR("z")) == STR_NONE);
    struct str s = { "\xfe"
                     "b\xff"
                     "c",
                     4 };
    assert_true(regex_find(re, s, 0, &a, &g));
    assert_int_equal(g.n, 5);
    assert_ptr_equal(g.v[0].p, s.p + 1);
    assert_int_equal(g.v[0].n, 3);
    assert_null(g.v[1].p);
    assert_ptr_equal(g.v[3].p, s.p + 2);
    assert_int_equal(g.v[3].n, 1);
    assert_false(regex_find(re, s, 2, &a, &g));
    regex_free(re);
}

static const struct {
    const char *pattern, *in, *with, *out;
} REPLACED[] = {
    { "a(b)?", "xabya", "<$1>", "x<b>y<>" },
    { "a*", "baac", "-", "-b-c-" },
    { "(?P<n>\\d)", "a1", "${n}$n$$${n}x$nx", "a11$1x" },
    { "b", "abc", "$", "a$c" },
    { "b", "abc", "${1", "a${1c" },
    { "", "\xc3\xa9z", "-", "-\xc3\xa9-z-" },
    { "x", "abc", "y", "abc" },
};

static void replaces_as_go(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(REPLACED); i++) {
        struct regex *re = made(REPLACED[i].pattern, REGEX_RE2_PART);
        BUF(b, 0);
        regex_replace_all(re, str_c(REPLACED[i].in), str_c(REPLACED[i].with), &b);
        buf_char(&b, 0);
        assert_string_equal(b.p, REPLACED[i].out);
        regex_free(re);
    }
}

static const struct {
    const char *pattern;
    size_t literals;
    const char *prefix;
} SHAPES[] = {
    { "foo", 1, "foo" },        { "(foo|bar)", 2, "" },    { "a[bc](d|e)", 4, "a" },
    { "^foo$", 1, "foo" },      { "prod-.*", 0, "prod-" }, { ".*x", 0, "" },
    { "(?i)foo", 0, "" },       { "a$b", 0, "a" },         { "foo|foo", 1, "" },
    { "pre(a|b).+", 0, "pre" },
};

static void shapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(SHAPES); i++) {
        struct regex *re = made(SHAPES[i].pattern, REGEX_RE2);
        struct regex_shape s;
        regex_shape(re, &s);
        if (s.n != SHAPES[i].literals || !str_eqc(s.prefix, SHAPES[i].prefix)) {
            fail_msg("%s: %zu literals, prefix " STR_FMT, SHAPES[i].pattern, s.n,
                     STR_ARG(s.prefix));
        }
        regex_free(re);
    }
}

static void literals_still_give_groups(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct regex_groups g;
    struct regex *re = made("(foo|bar)-1", REGEX_RE2);
    assert_true(regex_match(re, STR("bar-1")));
    assert_true(regex_find(re, STR("bar-1"), 0, &a, &g));
    assert_true(str_eq(g.v[1], STR("bar")));
    regex_free(re);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_gos),
        cmocka_unit_test(matches),
        cmocka_unit_test(java_only_forms_are_refused),
        cmocka_unit_test(evil_patterns_end),
        cmocka_unit_test(finds_groups),
        cmocka_unit_test(replaces_as_go),
        cmocka_unit_test(shapes),
        cmocka_unit_test(literals_still_give_groups),
    };
    return cmocka_run_group_tests_name("regex", tests, NULL, NULL);
}
