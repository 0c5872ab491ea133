/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "dash/catalog.h"
#include "dash/store.h"
#include "io/file.h"
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct scene {
    char dir[64];
    struct arena a;
    struct dash_store *store;
    struct dash_catalog *catalog;
};

static struct str in_dir(struct scene *s, const char *name)
{
    return path_join(&s->a, str_c(s->dir), str_c(name));
}

static void open_both(struct scene *s)
{
    struct diag d = { 0 };
    assert_int_equal(dash_store_open(in_dir(s, "data"), &s->store, &d), OK);
    assert_int_equal(dash_catalog_open(s->store, &s->catalog, &d), OK);
}

static void close_both(struct scene *s)
{
    dash_catalog_close(s->catalog);
    dash_store_close(s->store);
}

static int set_up(void **state)
{
    struct scene *s = calloc(1, sizeof(*s));
    (void)snprintf(s->dir, sizeof(s->dir), "/tmp/vigie-dash-XXXXXX");
    if (!mkdtemp(s->dir)) return -1;
    open_both(s);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    char cmd[128];
    close_both(s);
    (void)snprintf(cmd, sizeof(cmd), "rm -rf %s", s->dir);
    int e = system(cmd); /* NOLINT(cert-env33-c): a test's own folder */
    arena_done(&s->a);
    free(s);
    return e;
}

static void put_file(struct scene *s, const char *name, const char *text)
{
    struct diag d = { 0 };
    struct str path = in_dir(s, name);
    assert_int_equal(dir_make(path_dir(&s->a, path), &d), OK);
    assert_int_equal(file_write_atomic(path, str_c(text), &d), OK);
}

static size_t scan_as(struct scene *s, bool allow_ui_updates)
{
    const struct dash_provider p = { .name = STR("p"),
                                     .folder = STR("F"),
                                     .path = in_dir(s, "files"),
                                     .allow_ui_updates = allow_ui_updates };
    struct dash_problem *problems;
    size_t n = 0;
    assert_int_equal(dash_catalog_scan(s->catalog, &p, 1, 1000, &s->a, &problems, &n), OK);
    return n;
}

static size_t scan(struct scene *s) { return scan_as(s, false); }

static size_t count(struct scene *s, const char *query)
{
    struct dashboard *v;
    size_t n;
    assert_int_equal(dash_catalog_search(s->catalog, &s->a, str_c(query), &v, &n), OK);
    return n;
}

static void files_come_change_and_go(void **state)
{
    struct scene *s = *state;
    struct dashboard it;
    put_file(
        s, "files/sub/a.json",
        "{\"uid\":\"a\",\"title\":\"Kafka Monitoring - DreamScape\",\"x\":1.10,\"version\":7}");
    put_file(s, "files/b.json", "{\"title\":\"No uid\"}");
    put_file(s, "files/ignored.txt", "{");
    assert_int_equal(scan(s), 0);
    assert_int_equal(count(s, ""), 2);
    assert_int_equal(count(s, "kafka MON"), 1);
    assert_int_equal(dash_catalog_get(s->catalog, &s->a, STR("a"), &it), OK);
    assert_string_equal(it.slug.p, "kafka-monitoring-dreamscape");
    assert_string_equal(it.file.p, "sub/a.json");
    assert_true(it.provisioned);
    BUF(b, 0);
    assert_int_equal(dashboard_write_model(&b, &it), OK);
    buf_char(&b, '\0');
    assert_string_equal(
        b.p,
        "{\"id\":2,\"uid\":\"a\",\"title\":\"Kafka Monitoring - DreamScape\",\"x\":1.10,\"version\":7}");
    put_file(s, "files/sub/a.json", "{\"uid\":\"a2\",\"title\":\"Renamed\"}");
    assert_int_equal(unlink(in_dir(s, "files/b.json").p), 0);
    assert_int_equal(scan(s), 0);
    assert_int_equal(count(s, ""), 1);
    assert_int_equal(dash_catalog_get(s->catalog, &s->a, STR("a"), &it), ERR_MISSING);
    assert_int_equal(dash_catalog_get(s->catalog, &s->a, STR("a2"), &it), OK);
}

static void a_bad_file_is_named_the_others_stay(void **state)
{
    struct scene *s = *state;
    put_file(s, "files/good.json", "{\"uid\":\"g\",\"title\":\"Good\"}");
    put_file(s, "files/bad.json", "{\"uid\":");
    put_file(s, "files/same.json", "{\"uid\":\"g\",\"title\":\"Taken uid\"}");
    assert_int_equal(scan(s), 2);
    assert_int_equal(count(s, ""), 1);
}

static enum err save(struct scene *s, const char *model, bool overwrite, struct dash_saved *out)
{
    struct diag d = { 0 };
    return dash_catalog_save(s->catalog, &s->a, str_c(model), overwrite, 5000, out, &d);
}

static void what_was_saved_is_there_after_a_restart(void **state)
{
    struct scene *s = *state;
    struct dash_saved saved;
    struct dashboard it;
    assert_int_equal(save(s, "{\"title\":\"Mine\",\"n\":1}", false, &saved), OK);
    assert_int_equal(saved.version, 1);
    struct str uid = saved.uid;
    close_both(s);
    open_both(s);
    assert_int_equal(dash_catalog_get(s->catalog, &s->a, uid, &it), OK);
    assert_string_equal(it.json.p, "{\"title\":\"Mine\",\"n\":1}");
    assert_true(it.can_save);
}

static void a_save_over_a_newer_version_is_refused(void **state)
{
    struct scene *s = *state;
    struct dash_saved saved;
    assert_int_equal(save(s, "{\"uid\":\"u\",\"title\":\"One\",\"version\":0}", false, &saved), OK);
    assert_int_equal(save(s, "{\"uid\":\"u\",\"title\":\"Two\",\"version\":1}", false, &saved), OK);
    assert_int_equal(saved.version, 2);
    assert_int_equal(save(s, "{\"uid\":\"u\",\"title\":\"Late\",\"version\":1}", false, &saved),
                     ERR_EXISTS);
    assert_int_equal(save(s, "{\"uid\":\"u\",\"title\":\"Forced\",\"version\":1}", true, &saved),
                     OK);
    assert_int_equal(save(s, "[]", true, &saved), ERR_SYNTAX);
    assert_int_equal(save(s, "{\"title\":\"\"}", true, &saved), ERR_SYNTAX);
}

static void provisioned_ones_are_not_written_or_deleted(void **state)
{
    struct scene *s = *state;
    struct dash_saved saved;
    struct str title;
    struct diag d = { 0 };
    put_file(s, "files/a.json", "{\"uid\":\"a\",\"title\":\"A\"}");
    assert_int_equal(scan(s), 0);
    assert_int_equal(save(s, "{\"uid\":\"a\",\"title\":\"B\"}", true, &saved), ERR_DENIED);
    assert_int_equal(dash_catalog_delete(s->catalog, &s->a, STR("a"), &title, &d), ERR_DENIED);
    assert_int_equal(save(s, "{\"uid\":\"b\",\"title\":\"B\"}", true, &saved), OK);
    assert_int_equal(dash_catalog_delete(s->catalog, &s->a, STR("b"), &title, &d), OK);
    assert_string_equal(title.p, "B");
    assert_int_equal(dash_catalog_delete(s->catalog, &s->a, STR("b"), &title, &d), ERR_MISSING);
}

static void set_mtime(struct scene *s, const char *name, time_t at)
{
    const struct timespec both[2] = { { .tv_sec = at }, { .tv_sec = at } };
    assert_int_equal(utimensat(AT_FDCWD, in_dir(s, name).p, both, 0), 0);
}

static const char *title_of(struct scene *s, const char *uid)
{
    struct dashboard it;
    assert_int_equal(dash_catalog_get(s->catalog, &s->a, str_c(uid), &it), OK);
    assert_string_equal(it.file.p, "a.json");
    assert_true(it.can_save && !it.provisioned);
    return it.title.p;
}

/* Saved at second 5 of the clock. */
static void a_file_may_allow_saving_over_it(void **state)
{
    struct scene *s = *state;
    struct dash_saved saved;
    struct str title;
    struct diag d = { 0 };
    put_file(s, "files/a.json", "{\"uid\":\"a\",\"title\":\"File\"}");
    set_mtime(s, "files/a.json", 2);
    assert_int_equal(scan_as(s, true), 0);
    assert_string_equal(title_of(s, "a"), "File");
    assert_int_equal(save(s, "{\"uid\":\"a\",\"title\":\"Mine\"}", true, &saved), OK);
    assert_int_equal(scan_as(s, true), 0);
    assert_string_equal(title_of(s, "a"), "Mine");
    assert_int_equal(dash_catalog_delete(s->catalog, &s->a, STR("a"), &title, &d), ERR_DENIED);
    close_both(s);
    open_both(s);
    assert_int_equal(scan_as(s, true), 0);
    assert_string_equal(title_of(s, "a"), "Mine");
    set_mtime(s, "files/a.json", 9);
    assert_int_equal(scan_as(s, true), 0);
    assert_string_equal(title_of(s, "a"), "File");
    assert_int_equal(save(s, "{\"uid\":\"a\",\"title\":\"Mine\"}", true, &saved), OK);
    assert_int_equal(unlink(in_dir(s, "files/a.json").p), 0);
    assert_int_equal(scan_as(s, true), 0);
    close_both(s);
    open_both(s);
    assert_int_equal(count(s, ""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_come_change_and_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bad_file_is_named_the_others_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_saved_is_there_after_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_save_over_a_newer_version_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_may_allow_saving_over_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(provisioned_ones_are_not_written_or_deleted, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("catalog", tests, NULL, NULL);
}
