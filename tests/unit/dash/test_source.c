/* SPDX-License-Identifier: Apache-2.0 */
#include "dash/source.h"
#include "io/file.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof(dir), "/tmp/vigie-source-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state)
{
    (void)state;
    char cmd[128];
    (void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
    return system(cmd); /* NOLINT(cert-env33-c): a test's own folder */
}

static struct str env(struct str name)
{
    return str_eqc(name, "HOST") ? STR("prom.example") : STR("");
}

static void put(const char *name, const char *text)
{
    ARENA(a, 0);
    struct diag d = { 0 };
    struct str path = path_join(&a, str_c(dir), str_c(name));
    assert_int_equal(dir_make(path_dir(&a, path), &d), OK);
    assert_int_equal(file_write_atomic(path, str_c(text), &d), OK);
}

static void uids_of_names_are_grafanas(void **state)
{
    (void)state;
    ARENA(a, 0);
    assert_string_equal(dash_source_uid_of_name(&a, STR("Prometheus")).p, "PBFA97CFB590B2093");
    assert_string_equal(dash_source_uid_of_name(&a, STR("prometheus")).p, "P1809F7CD0C75ACF3");
    assert_string_equal(dash_source_uid_of_name(&a, STR("Loki")).p, "P8E80F9AEF21F6940");
}

static void without_files_the_built_in_sources_are_there(void **state)
{
    (void)state;
    struct dash_provisioning *p;
    struct diag d = { 0 };
    assert_int_equal(dash_provisioning_read(STR("/nonexistent"), env, &p, &d), OK);
    assert_int_equal(p->sources_n, 2);
    assert_true(dash_source_find(p, STR(""))->is_default);
    assert_ptr_equal(dash_source_find(p, STR("PBFA97CFB590B2093")),
                     dash_source_find(p, STR("prometheus")));
    assert_ptr_equal(dash_source_find(p, STR("Alertmanager")), dash_source_by_id(p, 2));
    assert_null(dash_source_find(p, STR("loki")));
    assert_null(dash_source_by_id(p, 3));
    dash_provisioning_free(p);
}

static void files_are_read_and_variables_filled(void **state)
{
    (void)state;
    struct dash_provisioning *p;
    struct diag d = { 0 };
    put("p/datasources/a.yml",
        "apiVersion: 1\ndatasources:\n- name: Main\n  type: prometheus\n  url: http://${HOST}:9090\n  jsonData: {timeInterval: 15s, flag: true}\n"
        "  secureJsonData: {basicAuthPassword: 'a$$b'}\n");
    put("p/dashboards/b.yaml",
        "providers:\n- name: x\n  options: {path: /nonexistent/dashboards}\n");
    ARENA(a, 0);
    assert_int_equal(dash_provisioning_read(path_join(&a, str_c(dir), STR("p")), env, &p, &d), OK);
    const struct dash_source *s = dash_source_find(p, STR("Main"));
    assert_string_equal(s->url.p, "http://prom.example:9090");
    assert_string_equal(s->json_data.p, "{\"timeInterval\":\"15s\",\"flag\":true}");
    assert_string_equal(secret_reveal(s->basic_auth_password).p, "a$b");
    assert_true(s->is_default);
    assert_int_equal(p->providers_n, 1);
    assert_true(str_ends(p->providers[0].path, STR("p/../dashboards")));
    dash_provisioning_free(p);
}

static void a_broken_file_is_told_with_its_place(void **state)
{
    (void)state;
    struct dash_provisioning *p;
    struct diag d = { 0 };
    ARENA(a, 0);
    put("q/datasources/a.yml", "datasources:\n- type: prometheus\n");
    assert_int_equal(dash_provisioning_read(path_join(&a, str_c(dir), STR("q")), env, &p, &d),
                     ERR_SYNTAX);
    assert_non_null(strstr(d.text, "a.yml:2:3: a data source needs a name"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uids_of_names_are_grafanas),
        cmocka_unit_test(without_files_the_built_in_sources_are_there),
        cmocka_unit_test(files_are_read_and_variables_filled),
        cmocka_unit_test(a_broken_file_is_told_with_its_place),
    };
    return cmocka_run_group_tests_name("source", tests, make_dir, drop_dir);
}
