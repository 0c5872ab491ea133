/* SPDX-License-Identifier: Apache-2.0 */
/* Rule files of the original, judged with the real query language. */
#include "../score.h"
#include "codec/json.h"
#include "promql/promql.h"
#include "rules/rulefile.h"
#include "test.h"

static struct arena arena;
static struct str dir;
static struct evaluator *ev;

static const struct json *load(const char *name)
{
    struct str text;
    const struct json *v = NULL;
    struct diag d = { 0 };
    if (file_read(&arena, path_join(&arena, dir, str_c(name)), 1 << 24, &text, &d) != OK ||
        json_parse(&arena, text, &v, &d) != OK) {
        fail_msg("%s: %s", name, d.text);
    }
    return v;
}

/* The part of the original's error that both must have. */
static struct str wanted(const struct json *row)
{
    const struct json *errors = json_get(row, "errors");
    struct str first = errors && errors->n ? errors->items[0].text : STR("");
    return json_str(json_get(row, "error_contains"), first);
}

static bool judged_alike(const struct json *row, struct str text)
{
    ARENA(a, 0);
    struct rule_file f;
    struct diag d = { 0 };
    bool ok = rule_file_parse(&a, text, ev, &f, &d) == OK;
    if (ok != json_bool(json_get(row, "ok"), false)) {
        printf("%s: " STR_FMT "\n", ok ? "accepted" : d.text, STR_ARG(wanted(row)));
        return false;
    }
    if (ok || str_find(str_c(d.text), wanted(row)) != STR_NONE) return true;
    printf("%s\n  instead of: " STR_FMT "\n", d.text, STR_ARG(wanted(row)));
    return false;
}

static void files(void **state)
{
    (void)state;
    const struct json *all = load("rulefmt-expected.json");
    size_t good = 0, asked = 0;
    for (size_t i = 0; i < all->n; i++) {
        const struct json *row = &all->items[i];
        /* names are judged as UTF-8 here; the legacy scheme is a setting of later */
        if (!str_eq(json_str(json_get(row, "name_validation_scheme"), STR("")), STR("utf8"))) {
            continue;
        }
        struct str text, name = json_str(json_get(row, "file"), STR(""));
        struct str path = path_join(
            &arena, dir, arena_fmt(&arena, "model/rulefmt/testdata/" STR_FMT, STR_ARG(name)));
        assert_int_equal(file_read(&arena, path, 1 << 20, &text, NULL), OK);
        asked++;
        good += judged_alike(row, text);
    }
    assert_int_equal(good, asked);
}

static void templates(void **state)
{
    (void)state;
    const struct json *all = load("rulefmt-templates.json");
    for (size_t i = 0; i < all->n; i++) {
        assert_true(
            judged_alike(&all->items[i], json_str(json_get(&all->items[i], "rules"), STR(""))));
    }
}

static void real_rules(void **state)
{
    (void)state;
    struct str text;
    ARENA(a, 0);
    struct rule_file f;
    struct diag d = { 0 };
    assert_int_equal(file_read(&a, STR("monitoring/rules/kafka-alerts.yaml"), 1 << 20, &text, NULL),
                     OK);
    if (rule_file_parse(&a, text, ev, &f, &d) != OK) fail_msg("%u:%u: %s", d.line, d.col, d.text);
    size_t rules = 0;
    for (size_t i = 0; i < f.n; i++) rules += f.groups[i].rules_n;
    assert_true(f.n >= 5 && rules >= 12);
}

/* A rule file as the Prometheus operator wraps it, and one with two mistakes. */
static void object_of_kubernetes(void **state)
{
    (void)state;
    const struct str CRD = STR(
        "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: kafka}\n"
        "spec:\n  groups:\n  - name: g\n    rules:\n    - {record: a, expr: up}\n");
    const struct str BAD = STR(
        "groups:\n- name: g\n  rules:\n  - {record: a, expr: 'up ('}\n  - {alert: b}\n  - {record: c, expr: up}\n");
    ARENA(a, 0);
    struct rule_file f;
    struct diag d = { 0 }, *all;
    size_t n;
    assert_int_equal(rule_file_parse(&a, CRD, ev, &f, &d), OK);
    assert_int_equal(f.n, 1);
    assert_int_equal(f.warnings->line, 2);
    assert_int_equal(f.warnings->col, 7);
    assert_true(rule_file_check(&a, CRD, ev, false, &f, &all, &n));
    assert_false(rule_file_check(&a, BAD, ev, false, &f, &all, &n));
    assert_int_equal(n, 2);
    assert_int_equal(all[0].line, 4);
    assert_int_equal(all[1].line, 5);
}

int main(void)
{
    dir = data_dir(&arena, "prometheus-config");
    ev = promql_new(NULL, &(struct promql_options){ 0 });
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files),
        cmocka_unit_test(templates),
        cmocka_unit_test(real_rules),
        cmocka_unit_test(object_of_kubernetes),
    };
    int failed = cmocka_run_group_tests_name("rule files", tests, NULL, NULL);
    promql_free(ev);
    arena_done(&arena);
    return failed;
}
