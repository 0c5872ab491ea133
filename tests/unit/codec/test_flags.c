/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/flags.h"
#include "test.h"

#include <stdlib.h>

struct config {
    bool verbose, lifecycle, lenient;
    struct str file, level;
    struct flag_strs servers;
    int64_t count, keep, size;
    double ratio;
};

#define AT(field) offsetof(struct config, field)
static const struct flag TABLE[] = {
    { .name = "config.file",
      .type = FLAG_STR,
      .offset = AT(file),
      .deflt = "a.yml",
      .help = "File." },
    { .name = "verbose", .type = FLAG_BOOL, .offset = AT(verbose), .short_name = 'v' },
    { .name = "lifecycle", .type = FLAG_BOOL, .offset = AT(lifecycle), .deflt = "true" },
    { .name = "lenient",
      .type = FLAG_BOOL,
      .offset = AT(lenient),
      .deflt = "true",
      .valued = true },
    { .name = "server",
      .type = FLAG_STRS,
      .offset = AT(servers),
      .deflt = "k:9092",
      .short_name = 's' },
    { .name = "count",
      .type = FLAG_INT,
      .offset = AT(count),
      .deflt = "3",
      .env = "VIGIE_TEST_COUNT" },
    { .name = "keep", .type = FLAG_DURATION, .offset = AT(keep), .deflt = "15d" },
    { .name = "size", .type = FLAG_SIZE, .offset = AT(size) },
    { .name = "ratio", .type = FLAG_FLOAT, .offset = AT(ratio) },
    { .name = "level",
      .type = FLAG_ENUM,
      .offset = AT(level),
      .deflt = "info",
      .choices = "debug|info" },
    { .name = "future", .type = FLAG_STR, .offset = AT(file), .unsupported = true },
    { 0 },
};

struct row {
    const char *args; /* split at spaces */
    enum err e;
    const char *text;
};

static enum err parse(const char *args, const char *prefix, struct arena *a, struct config *c,
                      struct flag_strs *rest, struct diag *d)
{
    char *argv[16] = { (char *)(uintptr_t) "x" };
    int argc = 1;
    struct str left = str_c(args), one;
    for (bool more = left.n > 0; more;) {
        more = str_cut(left, ' ', &one, &left);
        argv[argc++] = (char *)(uintptr_t)arena_dup(a, one).p;
    }
    return flags_parse(TABLE, prefix, argc, argv, a, c, rest, d);
}

static const struct row BAD[] = {
    { "--bogus", ERR_MISSING, "unknown long flag '--bogus'" },
    { "--config=x", ERR_MISSING, "unknown long flag '--config'" },
    { "--no-count", ERR_MISSING, "unknown long flag '--no-count'" },
    { "-x", ERR_MISSING, "unknown short flag '-x'" },
    { "--config.file", ERR_SYNTAX, "expected argument for flag '--config.file'" },
    { "--config.file --verbose", ERR_SYNTAX, "expected argument for flag '--config.file'" },
    { "--count=a", ERR_SYNTAX, "strconv.ParseInt: parsing \"a\": invalid syntax (flag --count)" },
    { "--keep=abc", ERR_SYNTAX, "not a valid duration string: \"abc\" (flag --keep)" },
    { "--level=x", ERR_SYNTAX, "enum value must be one of debug,info, got 'x' (flag --level)" },
    { "--count=1 --count=2", ERR_EXISTS, "flag 'count' cannot be repeated" },
    { "--verbose=false", ERR_SYNTAX, "unexpected false" },
    { "stray", ERR_SYNTAX, "unexpected stray" },
    { "--future=1", ERR_UNSUPPORTED,
      "flag --future is known but not supported by this build; leave it out" },
    { "--help", ERR_CANCELED, "" },
    { "-vh", ERR_CANCELED, "" },
};

static void refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        ARENA(a, 0);
        struct config c = { 0 };
        struct diag d = { 0 };
        assert_int_equal(parse(BAD[i].args, NULL, &a, &c, NULL, &d), BAD[i].e);
        assert_string_equal(d.text, BAD[i].text);
    }
}

static void valued_switch_takes_a_value(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct config c = { 0 };
    struct diag d = { 0 };
    assert_int_equal(parse("--lenient=false", NULL, &a, &c, NULL, &d), OK);
    assert_false(c.lenient);
    assert_int_equal(parse("--lenient=true", NULL, &a, &c, NULL, &d), OK);
    assert_true(c.lenient);
    assert_int_equal(parse("--lenient=maybe", NULL, &a, &c, NULL, &d), ERR_SYNTAX);
}

static void fills_the_struct(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct config c = { 0 };
    struct flag_strs rest;
    assert_int_equal(parse("--config.file b.yml -vs one --server=two --no-lifecycle --keep=1h30m "
                           "--size 1GB --ratio=0.5 arg -- --raw",
                           NULL, &a, &c, &rest, NULL),
                     OK);
    assert_true(str_eq(c.file, STR("b.yml")) && c.verbose && !c.lifecycle);
    assert_int_equal(c.servers.n, 2);
    assert_true(str_eq(c.servers.v[0], STR("one")) && str_eq(c.servers.v[1], STR("two")));
    assert_int_equal(c.keep, 5400000);
    assert_int_equal(c.size, 1 << 30);
    assert_true(c.ratio == 0.5 && c.count == 3 && str_eq(c.level, STR("info")));
    assert_int_equal(rest.n, 2);
    assert_true(str_eq(rest.v[1], STR("--raw")));
}

static void a_prefix_chooses(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct config c = { 0 };
    struct flag_strs rest;
    assert_int_equal(parse("dir --role.count=5 --other.count 7 --role.no-lifecycle", "role", &a, &c,
                           &rest, NULL),
                     OK);
    assert_int_equal(c.count, 5);
    assert_false(c.lifecycle);
    assert_int_equal(rest.n, 3);
    assert_true(str_eq(rest.v[1], STR("--other.count")));
    struct diag d = { 0 };
    assert_int_equal(parse("--role.nope", "role", &a, &c, &rest, &d), ERR_MISSING);
    assert_string_equal(d.text, "unknown long flag '--role.nope'");
}

static void environment_is_between(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct config c = { 0 };
    setenv("VIGIE_TEST_COUNT", "8", 1);
    assert_int_equal(parse("", NULL, &a, &c, NULL, NULL), OK);
    assert_int_equal(c.count, 8);
    assert_int_equal(parse("--count=9", NULL, &a, &c, NULL, NULL), OK);
    assert_int_equal(c.count, 9);
    unsetenv("VIGIE_TEST_COUNT");
}

static void put(void *ctx, const char *name, struct str value)
{
    buf_fmt(ctx, "%s=" STR_FMT " ", name, STR_ARG(value));
}

static void shows_values(void **state)
{
    (void)state;
    ARENA(a, 0);
    BUF(b, 0);
    struct config c = { 0 };
    assert_int_equal(parse("--size=1KB --server=a --server=b", NULL, &a, &c, NULL, NULL), OK);
    flags_each(TABLE, &c, &a, put, &b);
    buf_char(&b, 0);
    assert_string_equal(
        b.p, "config.file=a.yml verbose=false lifecycle=true lenient=true server=a,b count=3 "
             "keep=15d size=1KiB ratio=0 level=info future=a.yml ");
    BUF(help, 0);
    flags_help(&help, "x [<flags>]", "Summary.", TABLE);
    assert_true(str_find(buf_str(&help), STR("      --config.file=\"a.yml\"      File.")) !=
                STR_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses),
        cmocka_unit_test(valued_switch_takes_a_value),
        cmocka_unit_test(fills_the_struct),
        cmocka_unit_test(a_prefix_chooses),
        cmocka_unit_test(environment_is_between),
        cmocka_unit_test(shows_values),
    };
    return cmocka_run_group_tests_name("flags", tests, NULL, NULL);
}
