/* SPDX-License-Identifier: Apache-2.0 */
#include "io/file.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof(dir), "/tmp/vigie-file-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state)
{
    (void)state;
    char cmd[128];
    (void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
    return system(cmd); /* NOLINT(cert-env33-c): a test's own folder */
}

static void written_bytes_are_read_back_and_private(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct diag d = { 0 };
    struct str path = path_join(&a, str_c(dir), STR("x/y/f")), got;
    assert_int_equal(dir_make(path_dir(&a, path), &d), OK);
    assert_int_equal(file_write_atomic(path, STR("one"), &d), OK);
    assert_int_equal(file_write_atomic(path, STR("two\0three"), &d), OK);
    assert_int_equal(file_read(&a, path, 100, &got, &d), OK);
    assert_true(str_eq(got, STR("two\0three")));
    struct stat st;
    assert_int_equal(stat(path.p, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    struct str *names;
    size_t n;
    assert_int_equal(dir_list(&a, path_dir(&a, path), &names, &n, &d), OK);
    assert_int_equal(n, 1); /* no temporary file stays */
}

static void a_file_of_exactly_the_limit_is_read_one_more_is_not(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct diag d = { 0 };
    struct str path = path_join(&a, str_c(dir), STR("limit")), got;
    assert_int_equal(file_write_atomic(path, STR("12345678"), &d), OK);
    assert_int_equal(file_read(&a, path, 8, &got, &d), OK);
    assert_int_equal(got.n, 8);
    assert_int_equal(file_read(&a, path, 7, &got, &d), ERR_LIMIT);
}

static void failures_name_the_path_and_the_reason(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct diag d = { 0 };
    struct str got;
    assert_int_equal(file_read(&a, STR("/nonexistent/f"), 10, &got, &d), ERR_MISSING);
    assert_string_equal(d.text, "open /nonexistent/f: no such file or directory");
    assert_int_equal(file_read(&a, STR("/"), 10, &got, &d), ERR_SYS);
    assert_string_equal(d.text, "read /: is a directory");
}

static void a_lock_keeps_another_process_out(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct diag d = { 0 };
    struct str path = path_join(&a, str_c(dir), STR("lock"));
    int fd;
    assert_int_equal(file_lock(path, &fd, &d), OK);
    pid_t pid = fork();
    if (pid == 0) {
        int other;
        _exit(file_lock(path, &other, &d) == ERR_EXISTS ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    file_unlock(fd);
}

static void a_pattern_lists_sorted_names(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct diag d = { 0 };
    assert_int_equal(file_write_atomic(path_join(&a, str_c(dir), STR("b.yml")), STR(""), &d), OK);
    assert_int_equal(file_write_atomic(path_join(&a, str_c(dir), STR("a.yaml")), STR(""), &d), OK);
    struct str *v;
    size_t n;
    assert_int_equal(file_glob(&a, path_join(&a, str_c(dir), STR("*.y*ml")), &v, &n, &d), OK);
    assert_int_equal(n, 2);
    assert_true(str_ends(v[0], STR("/a.yaml")));
    assert_int_equal(file_glob(&a, STR("/nonexistent/*"), &v, &n, &d), OK);
    assert_int_equal(n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_bytes_are_read_back_and_private),
        cmocka_unit_test(a_file_of_exactly_the_limit_is_read_one_more_is_not),
        cmocka_unit_test(failures_name_the_path_and_the_reason),
        cmocka_unit_test(a_lock_keeps_another_process_out),
        cmocka_unit_test(a_pattern_lists_sorted_names),
    };
    return cmocka_run_group_tests_name("file", tests, make_dir, drop_dir);
}
