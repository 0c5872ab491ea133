/* SPDX-License-Identifier: Apache-2.0 */
#include "dash/store.h"
#include "dash/users.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

struct scene {
    char dir[64];
    struct dash_store *store;
    struct users *users;
};

static void reopen(struct scene *s, const char *password)
{
    struct diag d = { 0 };
    users_close(s->users);
    dash_store_close(s->store);
    assert_int_equal(dash_store_open(str_c(s->dir), &s->store, &d), OK);
    assert_int_equal(users_open(s->store, STR("admin"), secret_of(str_c(password)), &s->users, &d),
                     OK);
}

static int set_up(void **state)
{
    struct scene *s = calloc(1, sizeof(*s));
    (void)snprintf(s->dir, sizeof(s->dir), "/tmp/vigie-users-XXXXXX");
    if (!mkdtemp(s->dir)) return -1;
    reopen(s, "");
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    char cmd[128];
    users_close(s->users);
    dash_store_close(s->store);
    (void)snprintf(cmd, sizeof(cmd), "rm -rf %s", s->dir);
    int e = system(cmd); /* NOLINT(cert-env33-c): a test's own folder */
    free(s);
    return e;
}

static enum err login(struct scene *s, const char *password, int64_t now, char *token)
{
    struct diag d = { 0 };
    return users_login(s->users, STR("admin"), secret_of(str_c(password)), now, token, &d);
}

#define DAY ((int64_t)24 * 3600 * 1000)

static void a_session_lives_over_a_restart_and_ends_by_idleness(void **state)
{
    struct scene *s = *state;
    char token[SESSION_TOKEN_CHARS + 1];
    struct user u;
    assert_int_equal(login(s, "admin", 0, token), OK);
    assert_true(users_session(s->users, str_c(token), DAY, &u));
    assert_true(u.default_password);
    reopen(s, "");
    assert_true(users_session(s->users, str_c(token), DAY, &u));
    assert_false(users_session(s->users, str_c(token), 9 * DAY, &u));
    assert_false(users_session(s->users, STR("nonsense"), 0, &u));
    users_logout(s->users, str_c(token));
    assert_false(users_session(s->users, str_c(token), DAY, &u));
}

static void wrong_passwords_block_for_five_minutes(void **state)
{
    struct scene *s = *state;
    char token[SESSION_TOKEN_CHARS + 1];
    for (int i = 0; i < 5; i++) assert_int_equal(login(s, "wrong", 1000, token), ERR_DENIED);
    assert_int_equal(login(s, "admin", 2000, token), ERR_LIMIT);
    assert_int_equal(login(s, "admin", 1000 + 5 * 60 * 1000, token), OK);
}

static void a_changed_password_ends_old_sessions(void **state)
{
    struct scene *s = *state;
    char token[SESSION_TOKEN_CHARS + 1];
    struct user u;
    struct diag d = { 0 };
    assert_int_equal(login(s, "admin", 0, token), OK);
    assert_int_equal(
        users_change_password(s->users, 1, secret_of(STR("bad")), secret_of(STR("fresh!")), 0, &d),
        ERR_DENIED);
    assert_int_equal(
        users_change_password(s->users, 1, secret_of(STR("admin")), secret_of(STR("x")), 0, &d),
        ERR_RANGE);
    assert_int_equal(
        users_change_password(s->users, 1, secret_of(STR("admin")), secret_of(STR("admin")), 0, &d),
        ERR_RANGE);
    assert_int_equal(users_change_password(s->users, 1, secret_of(STR("admin")),
                                           secret_of(STR("fresh!")), 0, &d),
                     OK);
    assert_false(users_session(s->users, str_c(token), 0, &u));
    assert_int_equal(login(s, "admin", 0, token), ERR_DENIED);
    assert_int_equal(login(s, "fresh!", 0, token), OK);
    assert_true(users_session(s->users, str_c(token), 0, &u));
    assert_false(u.default_password);
}

static void a_given_password_holds_until_a_person_changes_it(void **state)
{
    struct scene *s = *state;
    char token[SESSION_TOKEN_CHARS + 1];
    struct diag d = { 0 };
    reopen(s, "given");
    assert_int_equal(login(s, "given", 0, token), OK);
    reopen(s, "given2");
    assert_int_equal(login(s, "given2", 0, token), OK);
    assert_int_equal(
        users_change_password(s->users, 1, secret_of(STR("given2")), secret_of(STR("own!")), 0, &d),
        OK);
    reopen(s, "given3");
    assert_int_equal(login(s, "given3", 0, token), ERR_DENIED);
    assert_int_equal(login(s, "own!", 0, token), OK);
}

static void a_checked_password_is_remembered_for_a_while(void **state)
{
    struct scene *s = *state;
    struct user u;
    const struct secret pw = secret_of(STR("admin"));
    assert_false(users_cached(s->users, STR("admin"), pw, 0, &u));
    assert_int_equal(users_check(s->users, STR("admin"), pw, 0, &u), OK);
    assert_true(users_cached(s->users, STR("admin"), pw, 1, &u));
    assert_false(users_cached(s->users, STR("admin"), secret_of(STR("other")), 1, &u));
    assert_false(users_cached(s->users, STR("admin"), pw, 11 * 60 * 1000, &u));
    assert_int_equal(users_check(s->users, STR("nobody"), pw, 0, &u), ERR_DENIED);
}

static void addresses_have_a_kind(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        enum address_kind kind;
    } ROWS[] = {
        { "127.0.0.1", ADDRESS_LOOPBACK },
        { "127.9.9.9", ADDRESS_LOOPBACK },
        { "::1", ADDRESS_LOOPBACK },
        { "10.1.2.3", ADDRESS_PRIVATE },
        { "172.16.0.1", ADDRESS_PRIVATE },
        { "172.31.255.255", ADDRESS_PRIVATE },
        { "172.32.0.1", ADDRESS_PUBLIC },
        { "192.168.1.1", ADDRESS_PRIVATE },
        { "169.254.0.1", ADDRESS_PRIVATE },
        { "fe80::1", ADDRESS_PRIVATE },
        { "fd00::1", ADDRESS_PRIVATE },
        { "2001:db8::1", ADDRESS_PUBLIC },
        { "8.8.8.8", ADDRESS_PUBLIC },
        { "garbage", ADDRESS_PUBLIC },
        { "", ADDRESS_PUBLIC },
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        assert_int_equal(users_address_kind(str_c(ROWS[i].address)), ROWS[i].kind);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_session_lives_over_a_restart_and_ends_by_idleness, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(wrong_passwords_block_for_five_minutes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_changed_password_ends_old_sessions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_given_password_holds_until_a_person_changes_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_checked_password_is_remembered_for_a_while, set_up,
                                        tear_down),
        cmocka_unit_test(addresses_have_a_kind),
    };
    return cmocka_run_group_tests_name("users", tests, NULL, NULL);
}
