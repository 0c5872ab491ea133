/* SPDX-License-Identifier: Apache-2.0 */
/* What a file is, by its keys, else by its name; how a finding is printed. */
#include "commands/check/check.h"

#include "base/buf.h"
#include "test.h"

static const struct row {
    const char *path, *text;
    enum check_kind kind;
} ROWS[] = {
    { "a.yml", "scrape_configs: []", KIND_PROMETHEUS },
    { "a.yml", "global: {scrape_interval: 1s}\nrule_files: []", KIND_PROMETHEUS },
    { "a.yml", "groups: []", KIND_RULES },
    { "a.yml", "kind: PrometheusRule\nspec: {groups: []}", KIND_RULES },
    { "a.yml", "rule_files: [a]\nevaluation_interval: 1m\ntests: []", KIND_UNIT_TEST },
    { "a.yml", "global: {}\nroute: {}\nreceivers: []", KIND_ALERTMANAGER },
    { "a.tmpl", "{{ define \"a\" }}{{ end }}", KIND_TEMPLATE },
    { "a.yml", "rules:\n- pattern: a", KIND_JMX },
    { "a.yml", "hostPort: a:1", KIND_JMX },
    { "a.json", "{\"panels\": [], \"title\": \"x\"}", KIND_DASHBOARD },
    { "a.yml", "apiVersion: 1\ndatasources: []", KIND_DATASOURCES },
    { "a.yml", "apiVersion: 1\nproviders: []", KIND_PROVIDERS },
    { "a.yml", "basic_auth_users: {}", KIND_WEB },
    { "x.yml", "a: b", KIND_UNKNOWN },
    { "conf/prometheus.yml", "a: [", KIND_PROMETHEUS },
    { "conf/alertmanager.yml", "a: [", KIND_ALERTMANAGER },
    { "kafka-jmx-config.yml", "a: [", KIND_JMX },
    { "rules/kafka.yml", "", KIND_RULES },
    { "d.json", "{", KIND_DASHBOARD },
};

static void kinds(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        enum check_kind k = check_kind_of(str_c(ROWS[i].path), str_c(ROWS[i].text));
        if (k != ROWS[i].kind) fail_msg("%s: %s", ROWS[i].text, check_kind_name(k));
    }
    for (enum check_kind k = KIND_PROMETHEUS, got; k < KIND_MAX_; k++) {
        assert_true(check_kind_named(str_c(check_kind_name(k)), &got));
        assert_int_equal(got, k);
    }
}

static void the_line_is_shown_with_its_place(void **state)
{
    (void)state;
    BUF(b, 0);
    struct finding f = { FINDING_ERROR, STR("f.yml"), 2, 4, STR("bad\nthing") };
    finding_write(&b, &f, STR("one\n\tab\033c\n"));
    ARENA(a, 0);
    assert_string_equal(arena_dup(&a, buf_str(&b)).p, "f.yml:2:4: error: bad thing\n"
                                                      "     2 |  ab.c\n"
                                                      "       |    ^\n");
}

static void a_secret_is_not_shown_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *line, *shown;
    } rows[] = {
        { "  auth_password: 'abc'", "  auth_password: <secret>" },
        { "- api_url: \"::abc\"", "- api_url: <secret>" },
        { "  basic_auth: {username: u, password: [abc]}",
          "  basic_auth: {username: u, password: <secret>" },
        { "{\"basicAuthPassword\" : \"abc\"}", "{\"basicAuthPassword\" : <secret>" },
        { "- url: http://u:abc@h/", "- url: <secret>" },
        { "  password_file: abc", "  password_file: abc" },
        { "  runbook_url: abc", "  runbook_url: abc" },
        { "  expr: a:b > 1", "  expr: a:b > 1" },
        { "  password:", "  password:" },
        { ":", ":" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ARENA(a, 0);
        BUF(b, 0);
        struct finding f = { FINDING_ERROR, STR("f"), 1, 0, STR("x") };
        finding_write(&b, &f, str_c(rows[i].line));
        struct str want = arena_fmt(&a, "f:1: error: x\n     1 | %s\n", rows[i].shown);
        assert_string_equal(arena_dup(&a, buf_str(&b)).p, want.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(kinds),
                                        cmocka_unit_test(the_line_is_shown_with_its_place),
                                        cmocka_unit_test(a_secret_is_not_shown_with_its_line) };
    return cmocka_run_group_tests_name("kinds", tests, NULL, NULL);
}
