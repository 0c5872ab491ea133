/* SPDX-License-Identifier: Apache-2.0 */
#include "io/web_config.h"

#include "test.h"

#define HASH "$2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze"

struct row {
    const char *yaml, *error; /* NULL: it loads */
    unsigned line;
};

/* Texts of exporter-toolkit. */
static const struct row ROWS[] = {
    { "", NULL, 0 },
    { "basic_auth_users: {alice: " HASH "}", NULL, 0 },
    { "basic_auth_users:\n  alice: plain", "hashedSecret too short", 2 },
    { "basic_auth_users: {alice: $2y$99$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze}",
      "cost 99 is outside allowed inclusive range 4..31", 1 },
    { "basic_auth_user: {}", "field basic_auth_user not found in type web.Config", 1 },
    { "tls_server_config: {cert_file: a, key_file: b}", NULL, 0 },
    { "tls_server_config:\n  cert_file: a", "missing key_file", 2 },
    { "tls_server_config:\n  key_file: a", "missing cert_file", 2 },
    { "tls_server_config: {cert_file: a, key_file: b, min_version: TLS9}",
      "unknown TLS version: TLS9", 1 },
    { "tls_server_config: {cert_file: a, key_file: b, client_auth_type: X}",
      "Invalid ClientAuth: X", 1 },
    { "tls_server_config: {cert_file: a, key_file: b, client_ca_file: c}",
      "without a Client Auth Policy", 1 },
    { "tls_server_config: {cert_file: a, key_file: b, cipher_suites: [RC4]}", "unknown cipher: RC4",
      1 },
    { "tls_server_config: {cert_file: a, key_file: b, curve_preferences: [X]}", "unknown curve: X",
      1 },
    { "http_server_config: {http2: false, headers: {X-Frame-Options: deny}}", NULL, 0 },
    { "http_server_config: {headers: {X-Frame-Options: maybe}}",
      "Expected one of: [\"deny\" \"sameorigin\"], but got: \"maybe\"", 1 },
    { "http_server_config: {headers: {X-Foo: a}}", "HTTP header \"X-Foo\" can not be configured",
      1 },
};

static void files(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct web_config *c = NULL;
        struct diag d = { 0 };
        enum err e = web_config_parse(str_c(ROWS[i].yaml), STR("/etc"), &c, &d);
        if ((e == OK) != !ROWS[i].error) fail_msg("%s: %s", ROWS[i].yaml, d.text);
        if (e != OK && (!strstr(d.text, ROWS[i].error) || d.line != ROWS[i].line)) {
            fail_msg("%s: %u: %s", ROWS[i].yaml, d.line, d.text);
        }
        web_config_free(c);
    }
}

static void paths_are_resolved(void **state)
{
    (void)state;
    struct web_config *c = NULL;
    struct diag d = { 0 };
    assert_int_equal(web_config_parse(STR("tls_server_config: {cert_file: a.crt, key_file: /k}"),
                                      STR("/nowhere"), &c, &d),
                     OK);
    assert_true(str_eqc(c->tls->cert_file, "/nowhere/a.crt"));
    assert_true(str_eqc(c->tls->key_file, "/k"));
    assert_true(c->http2);
    assert_int_equal(web_config_check_files(c, &d), ERR_MISSING);
    assert_non_null(strstr(d.text, "open /nowhere/a.crt: no such file or directory"));
    web_config_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(files),
                                        cmocka_unit_test(paths_are_resolved) };
    return cmocka_run_group_tests_name("web_config", tests, NULL, NULL);
}
