/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/secret.h"
#include "codec/yaml.h"
#include "test.h"

struct auth {
    struct str user;
    struct secret password;
};

struct part {
    struct str name;
    int64_t n;
    const struct yaml_node *self;
};

struct config {
    int64_t wait_ms, patience_ns, size, count;
    double share;
    bool on;
    struct str path;
    struct yaml_strs list;
    struct yaml_pairs labels;
    struct yaml_list parts;
    struct part one, *opt;
    struct auth auth;
    int64_t doubled;
    const struct yaml_node *raw;
};

static enum err auth_check(struct arena *a, const struct yaml_node *at, void *out, struct diag *d)
{
    (void)a;
    (void)at;
    const struct auth *it = out;
    if (it->user.n && !secret_set(it->password)) return diag_set(d, ERR_SYNTAX, "no password");
    return OK;
}

static enum err double_it(struct arena *a, const struct yaml_node *v, void *field, struct diag *d)
{
    (void)a;
    int64_t n;
    if (!yaml_int_of(v, &n)) return diag_set(d, ERR_SYNTAX, "not to be doubled");
    *(int64_t *)field = 2 * n;
    return OK;
}

static void config_defaults(void *out)
{
    struct config *c = out;
    c->wait_ms = 15000;
    c->path = STR("/metrics");
}

static const struct yaml_table AUTH = {
    .go_type = "auth",
    .size = sizeof(struct auth),
    .fields =
        (const struct yaml_field[]){
            { .key = "user", YT_STR, offsetof(struct auth, user) },
            { .key = "password", YT_SECRET, offsetof(struct auth, password) },
            { 0 },
        },
    .check = auth_check,
};

static const struct yaml_table PART = {
    .go_type = "part",
    .size = sizeof(struct part),
    .fields =
        (const struct yaml_field[]){
            { .key = "name", YT_STR, offsetof(struct part, name) },
            { .key = "n", YT_INT, offsetof(struct part, n) },
            { .key = YAML_SELF, YT_NODE, offsetof(struct part, self) },
            { 0 },
        },
    .null_item = "empty or null part",
};

#define FIELD(k, t, f) .key = (k), .type = (t), .offset = offsetof(struct config, f)
static const struct yaml_table CONFIG = {
    .go_type = "config.plain",
    .size = sizeof(struct config),
    .fields =
        (const struct yaml_field[]){
            { FIELD("wait", YT_DURATION, wait_ms) },
            { FIELD("patience", YT_GO_DURATION, patience_ns) },
            { FIELD("size", YT_SIZE, size) },
            { FIELD("count", YT_INT, count) },
            { FIELD("share", YT_FLOAT, share) },
            { FIELD("on_off", YT_BOOL, on) },
            { FIELD("path", YT_STR, path) },
            { FIELD("list", YT_STRS, list) },
            { FIELD("labels", YT_MAP, labels) },
            { FIELD("parts", YT_STRUCTS, parts), .sub = &PART },
            { FIELD("one", YT_STRUCT, one), .sub = &PART },
            { FIELD("opt", YT_STRUCT_PTR, opt), .sub = &PART },
            { FIELD("<inline>", YT_INLINE, auth), .sub = &AUTH },
            { FIELD("doubled", YT_CUSTOM, doubled), .custom = double_it },
            { FIELD("raw", YT_NODE, raw) },
            { .key = "cloud", .unsupported = "cloud is not part of this build" },
            { 0 },
        },
    .defaults = config_defaults,
};

static void everything_decodes(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct yaml_node *v = NULL;
    struct config c;
    struct diag d = { 0 };
    struct str in = STR("wait: 30s\npatience: 2m\nsize: 10MB\ncount: 7\nshare: 1\non_off: yes\n"
                        "path: 12\nlist: [a, 1, ~]\nlabels: {x: y, n: 1}\n"
                        "parts:\n- name: p\n  n: 1\n- {name: q}\none: {n: 5}\nopt: {n: 6}\n"
                        "user: me\npassword: secret\ndoubled: 21\nraw: [1]\n");
    assert_int_equal(yaml_parse(&a, in, YAML_V2, &v, NULL, &d), OK);
    assert_int_equal(yaml_decode(&a, v, &CONFIG, YAML_V2, &c, &d), OK);
    assert_int_equal(c.wait_ms, 30000);
    assert_int_equal(c.patience_ns, 120 * INT64_C(1000000000));
    assert_int_equal(c.size, 10 << 20);
    assert_int_equal(c.count, 7);
    assert_true(c.share == 1.0 && c.on);
    assert_true(str_eqc(c.path, "12"));
    assert_int_equal(c.list.n, 3);
    assert_true(str_eqc(c.list.v[1], "1") && c.list.v[2].n == 0);
    assert_true(str_eqc(c.labels.v[1].value, "1") && c.labels.v[1].at->line == 9);
    const struct part *parts = c.parts.v;
    assert_int_equal(c.parts.n, 2);
    assert_true(str_eqc(parts[1].name, "q") && parts[1].self->line == 13);
    assert_int_equal(c.one.n, 5);
    assert_int_equal(c.opt->n, 6);
    assert_true(str_eqc(secret_reveal(c.auth.password), "secret"));
    assert_int_equal(c.doubled, 42);
    assert_int_equal(c.raw->kind, YAML_SEQ);
}

static void nothing_and_nulls_leave_defaults(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct yaml_node *v = NULL;
    struct config c;
    assert_int_equal(yaml_decode(&a, NULL, &CONFIG, YAML_V2, &c, NULL), OK);
    assert_int_equal(c.wait_ms, 15000);
    assert_int_equal(yaml_parse(&a, STR("wait:\npath: ~\nopt: null\n"), YAML_V2, &v, NULL, NULL),
                     OK);
    assert_int_equal(yaml_decode(&a, v, &CONFIG, YAML_V2, &c, NULL), OK);
    assert_int_equal(c.wait_ms, 15000);
    assert_true(str_eqc(c.path, "/metrics") && !c.opt);
}

struct row {
    const char *name, *in;
    enum err err;
    const char *text; /* "line:col: text" */
};

static const struct row ROWS[] = {
    { "unknown key", "count: 1\nfoo: 2\n", ERR_SYNTAX,
      "2:1: field foo not found in type config.plain; expected one of wait, patience, size, "
      "count, share, on_off, path, list, labels, parts, one, opt, user, password, doubled, raw" },
    { "a slip", "parts:\n- nam: 2\n", ERR_SYNTAX,
      "2:3: field nam not found in type part; did you mean \"name\"?" },
    { "twice", "count: 1\ncount: 2\n", ERR_SYNTAX,
      "2:1: field count already set in type config.plain" },
    { "twice in a map", "labels:\n  x: 1\n  x: 2\n", ERR_SYNTAX,
      "3:3: key \"x\" already set in map" },
    { "no number", "count: abc\n", ERR_SYNTAX,
      "1:8: cannot unmarshal !!str `abc` into int; expected a whole number" },
    { "a long text is cut", "on_off: abcdefghijklm\n", ERR_SYNTAX,
      "1:9: cannot unmarshal !!str `abcdefg...` into bool; expected true or false" },
    { "a list for a text", "path: [1]\n", ERR_SYNTAX,
      "1:7: cannot unmarshal !!seq into string; expected a text" },
    { "a text for a list", "list: x\n", ERR_SYNTAX,
      "1:7: cannot unmarshal !!str `x` into []string; expected a list of texts" },
    { "a number for a mapping", "one: 5\n", ERR_SYNTAX,
      "1:6: cannot unmarshal !!int `5` into part; expected a mapping (key: value)" },
    { "a mapping for a list", "parts: {}\n", ERR_SYNTAX,
      "1:8: cannot unmarshal !!map into []part; expected a list (lines that begin with '- ')" },
    { "a null item", "parts:\n- name: a\n-\n", ERR_SYNTAX, "3:2: empty or null part" },
    { "a duration", "wait: 5x\n", ERR_SYNTAX, "1:7: unknown unit \"x\" in duration \"5x\"" },
    { "an inline check", "count: 1\nuser: x\n", ERR_SYNTAX, "1:1: no password" },
    { "a custom decoder", "doubled: x\n", ERR_SYNTAX, "1:10: not to be doubled" },
    { "below the cut line", "cloud: {x: 1}\n", ERR_UNSUPPORTED,
      "1:1: cloud is not part of this build" },
};

static void row_is_refused(void **state)
{
    const struct row *r = *state;
    ARENA(a, 0);
    BUF(b, 0);
    struct yaml_node *v = NULL;
    struct config c = { .count = 99 };
    struct diag d = { 0 };
    assert_int_equal(yaml_parse(&a, str_c(r->in), YAML_V2, &v, NULL, &d), OK);
    assert_int_equal(yaml_decode(&a, v, &CONFIG, YAML_V2, &c, &d), r->err);
    buf_fmt(&b, "%u:%u: %s", d.line, d.col, d.text);
    buf_char(&b, '\0');
    assert_string_equal(b.p, r->text);
    assert_int_equal(c.count, 99);
}

static void lenient_skips_unknown_keys(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct yaml_node *v = NULL;
    struct config c;
    assert_int_equal(yaml_parse(&a, STR("foo: 1\ncount: 2\n"), YAML_LENIENT, &v, NULL, NULL), OK);
    assert_int_equal(yaml_decode(&a, v, &CONFIG, YAML_LENIENT, &c, NULL), OK);
    assert_int_equal(c.count, 2);
}

int main(void)
{
    enum { OTHERS = 3 };
    struct CMUnitTest tests[ARRAY_LEN(ROWS) + OTHERS] = {
        cmocka_unit_test(everything_decodes),
        cmocka_unit_test(nothing_and_nulls_leave_defaults),
        cmocka_unit_test(lenient_skips_unknown_keys),
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        tests[OTHERS + i] = (struct CMUnitTest){
            .name = ROWS[i].name,
            .test_func = row_is_refused,
            .initial_state = (void *)(uintptr_t)&ROWS[i],
        };
    }
    return cmocka_run_group_tests_name("yaml_decode", tests, NULL, NULL);
}
