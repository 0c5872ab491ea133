/* SPDX-License-Identifier: Apache-2.0 */
#include "scrape/config.h"
#include "test.h"

static struct str env(struct arena *a, struct str name)
{
    (void)a;
    return str_eq(name, STR("REGION")) ? STR("eu") : str_make(NULL, 0);
}

static struct prom_config *parse(const char *text)
{
    struct prom_config *c = NULL;
    struct diag d = { 0 };
    if (prom_config_parse(str_c(text), STR("/etc/prom"), env, &c, &d) != OK) fail_msg("%s", d.text);
    return c;
}

static void an_empty_file_is_all_defaults(void **state)
{
    (void)state;
    struct prom_config *c = parse("");
    assert_int_equal(c->global.scrape_interval_ms, 60000);
    assert_int_equal(c->global.scrape_timeout_ms, 10000);
    assert_int_equal(c->global.evaluation_interval_ms, 60000);
    assert_int_equal(c->scrape_configs.n, 0);
    prom_config_unref(c);
}

static void a_job_inherits_from_global(void **state)
{
    (void)state;
    struct prom_config *c = parse(
        "global: {scrape_interval: 5s, sample_limit: 7, body_size_limit: 1MB}\n"
        "scrape_configs:\n- job_name: a\n  label_limit: 3\n"
        "- job_name: b\n  scrape_interval: 20s\n  sample_limit: 9\n");
    const struct scrape_config *a = &c->scrape_configs.v[0], *b = &c->scrape_configs.v[1];
    assert_int_equal(a->interval_ms, 5000);
    assert_int_equal(a->timeout_ms,
                     5000); /* not the default of 10s, which is longer than the interval */
    assert_int_equal(a->limits.samples, 7);
    assert_int_equal(a->limits.labels, 3);
    assert_int_equal(a->limits.body_size, 1 << 20);
    assert_int_equal(b->interval_ms, 20000);
    assert_int_equal(b->timeout_ms, 5000);
    assert_int_equal(b->limits.samples, 9);
    assert_int_equal(a->protocols.n, 4);
    assert_int_equal(a->protocols.v[0], PROTOCOL_OM_1_0_0);
    assert_true(str_eqc(a->metrics_path, "/metrics") && str_eqc(a->scheme, "http"));
    assert_true(a->honor_timestamps && !a->honor_labels && a->http.follow_redirects);
    prom_config_unref(c);
}

static void external_labels_expand(void **state)
{
    (void)state;
    struct prom_config *c = parse(
        "global:\n  external_labels: {z: 'x-${REGION}-$REGION', b: a$$b, c: \"${NONE}\"}\n");
    struct labels lb = c->global.external_labels;
    assert_int_equal(lb.n, 3);
    assert_true(str_eqc(lb.v[0].name, "b") && str_eqc(lb.v[0].value, "a$b"));
    assert_true(str_eqc(lb.v[1].name, "c") && lb.v[1].value.n == 0);
    assert_true(str_eqc(lb.v[2].value, "x-eu-eu"));
    prom_config_unref(c);
}

static void relative_paths_start_at_the_file(void **state)
{
    (void)state;
    struct prom_config *c = parse(
        "rule_files: ['rules/*.y*ml', /abs/x.yml]\n"
        "scrape_configs: [{job_name: a, basic_auth: {username: u, password_file: pw}}]\n");
    assert_true(str_eqc(c->rule_files.v[0], "/etc/prom/rules/*.y*ml"));
    assert_true(str_eqc(c->rule_files.v[1], "/abs/x.yml"));
    assert_true(str_eqc(c->scrape_configs.v[0].http.basic->password_file, "/etc/prom/pw"));
    prom_config_unref(c);
}

static void secrets_are_not_printed(void **state)
{
    (void)state;
    struct prom_config *c = parse(
        "scrape_configs:\n- job_name: a\n  basic_auth: {username: u, password: hunter2}\n"
        "- job_name: b\n  authorization: {credentials: hunter2}\n"
        "- job_name: c\n  bearer_token: hunter2\n");
    BUF(b, 0);
    prom_config_print(&b, c);
    assert_true(str_find(buf_str(&b), STR("hunter2")) == STR_NONE);
    assert_true(str_find(buf_str(&b), STR("    password: <secret>\n")) != STR_NONE);
    assert_true(str_find(buf_str(&b), STR("    type: Bearer\n    credentials: <secret>\n")) !=
                STR_NONE);
    prom_config_unref(c);
}

/* What was printed reads back and prints the same. */
static void printing_reads_back(void **state)
{
    (void)state;
    struct prom_config *c = parse(
        "global: {scrape_interval: 15s, external_labels: {a: 'yes', b: '', c: '1', d: 'x: y', e: \"t\\tn\\n\"}}\n"
        "alerting: {alertmanagers: [{static_configs: [{targets: ['h:1']}], path_prefix: /am}]}\n"
        "rule_files: [a.yml]\n"
        "scrape_configs:\n- job_name: '#1'\n  params: {m: [a, b], n: []}\n  honor_labels: true\n"
        "  relabel_configs: [{source_labels: [a, 'b,c'], regex: 'x|y', target_label: z}]\n"
        "  static_configs: [{targets: ['a:1', 'b:2'], labels: {x: y}}, {targets: []}]\n");
    BUF(first, 0);
    BUF(again, 0);
    prom_config_print(&first, c);
    prom_config_unref(c);
    struct str text = buf_str(&first);
    size_t tail = str_find(
        text, STR("storage:\n")); /* the original's own defaults, of keys it reads by other names */
    assert_true(tail != STR_NONE);
    struct diag d = { 0 };
    if (prom_config_parse(str_first(text, tail), STR(""), env, &c, &d) != OK) {
        fail_msg("%u:%u: %s in\n" STR_FMT, d.line, d.col, d.text, STR_ARG(text));
    }
    prom_config_print(&again, c);
    assert_true(str_eq(text, buf_str(&again)));
    prom_config_unref(c);
}

struct row {
    const char *name, *in, *text; /* text: "line:col: what" */
};

static const struct row ROWS[] = {
    { "unknown key", "global:\n  scrape_intervall: 5s\n",
      "2:3: field scrape_intervall not found in type config.plain; did you mean \"scrape_interval\"?" },
    { "wrong type", "scrape_configs:\n- job_name: a\n  honor_labels: maybe\n",
      "3:17: cannot unmarshal !!str `maybe` into bool; expected true or false" },
    { "wrong indentation", "scrape_configs:\n  - job_name: a\n   scheme: http\n",
      "3:4: did not find expected '-' indicator while parsing a block collection that began at 2:3; check the indentation" },
    { "no job name", "scrape_configs:\n- scheme: http\n", "2:3: job_name is empty" },
    { "the same job twice", "scrape_configs:\n- job_name: a\n- job_name: a\n",
      "3:3: found multiple scrape configs with job name \"a\"" },
    { "timeout above interval",
      "scrape_configs:\n- job_name: a\n  scrape_interval: 5s\n  scrape_timeout: 6s\n",
      "4:19: scrape timeout greater than scrape interval for scrape config with job name \"a\"" },
    { "a path in an address",
      "scrape_configs:\n- job_name: a\n  static_configs:\n  - targets: ['x:1', 'x/m']\n",
      "4:22: \"x/m\" is not a valid hostname" },
    { "a bad expression",
      "scrape_configs:\n- job_name: a\n  relabel_configs:\n  - {regex: '(', target_label: x}\n",
      "4:13: error parsing regexp: missing closing ): `^(?s:()$`" },
    { "an unknown action",
      "scrape_configs:\n- job_name: a\n  relabel_configs:\n  - action: keeep\n",
      "4:5: unknown relabel action \"keeep\"; expected replace, keep, drop, keepequal, dropequal, hashmod, labelmap, "
      "labeldrop, labelkeep, lowercase or uppercase" },
    { "below the cut line", "scrape_configs:\n- job_name: a\n  consul_sd_configs: []\n",
      "3:3: discovery by consul is not supported yet; use http_sd_configs, file_sd_configs, dns_sd_configs, "
      "kubernetes_sd_configs or static_configs" },
    { "two ways to authenticate",
      "scrape_configs:\n- job_name: a\n  basic_auth: {username: u}\n  bearer_token: x\n",
      "2:3: at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured" },
    { "a star in a folder", "rule_files: ['*/x.yml']\n",
      "0:0: invalid rule file path \"*/x.yml\"" },
};

static void row_is_refused(void **state)
{
    const struct row *r = *state;
    struct prom_config *c = NULL;
    struct diag d = { 0 };
    BUF(b, 0);
    assert_int_not_equal(prom_config_parse(str_c(r->in), STR(""), env, &c, &d), OK);
    assert_null(c);
    buf_fmt(&b, "%u:%u: %s", d.line, d.col, d.text);
    buf_char(&b, '\0');
    assert_string_equal(b.p, r->text);
}

int main(void)
{
    enum { OTHERS = 6 };
    struct CMUnitTest tests[ARRAY_LEN(ROWS) + OTHERS] = {
        cmocka_unit_test(an_empty_file_is_all_defaults),
        cmocka_unit_test(a_job_inherits_from_global),
        cmocka_unit_test(external_labels_expand),
        cmocka_unit_test(relative_paths_start_at_the_file),
        cmocka_unit_test(secrets_are_not_printed),
        cmocka_unit_test(printing_reads_back),
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        tests[OTHERS + i] = (struct CMUnitTest){
            .name = ROWS[i].name,
            .test_func = row_is_refused,
            .initial_state = (void *)(uintptr_t)&ROWS[i],
        };
    }
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
