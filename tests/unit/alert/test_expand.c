/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/config.h"
#include "test.h"

static struct str lookup(void *ctx, struct arena *a, struct str name)
{
    (void)ctx;
    (void)a;
    if (str_eqc(name, "HOST")) return STR("mail");
    if (str_eqc(name, "EMPTY")) return STR("");
    if (str_eqc(name, "URL")) return STR("https://a.example/x");
    if (str_eqc(name, "EVIL")) return STR("{{ .Status }}\nx: y");
    if (str_eqc(name, "file:/run/pw")) return STR("from-file");
    return (struct str){ NULL, 0 };
}

static void references_are_resolved_where_they_may_stand(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        enum expand_where where;
        const char *out, *unset;
    } rows[] = {
        { "${HOST}:25", EXPAND_ANYWHERE, "mail:25", "" },
        { "${HOST}:25", EXPAND_WHOLE, "${HOST}:25", "" },
        { "${HOST}", EXPAND_WHOLE, "mail", "" },
        { "$HOST $${HOST} ${host}", EXPAND_ANYWHERE, "$HOST ${HOST} ${host}", "" },
        { "${NONE:-d:1}/${EMPTY:-e}", EXPAND_ANYWHERE, "d:1/e", "" },
        { "${NONE}", EXPAND_ANYWHERE, "", "NONE is not set" },
        { "${NONE:?ask ops}", EXPAND_ANYWHERE, "", "NONE: ask ops" },
        { "${file:/run/pw}", EXPAND_ANYWHERE, "from-file", "" },
        { "https://h/${URL}", EXPAND_URL, "https://a.example/x", "" },
        { "https://h/${HOST}", EXPAND_URL, "https://h/mail", "" },
        { "${HOST", EXPAND_ANYWHERE, "${HOST", "" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ARENA(a, 0);
        struct expanded out;
        expand(&a, str_c(rows[i].in), rows[i].where, lookup, NULL, &out);
        assert_string_equal(arena_dup(&a, out.text).p, rows[i].out);
        assert_string_equal(arena_dup(&a, out.unset).p, rows[i].unset);
    }
}

static struct alert_config *load(struct arena *a, const char *receiver, enum expand_mode mode,
                                 struct diag *d)
{
    struct alert_config *c = NULL;
    struct str text = arena_fmt(a, "route: {receiver: r}\nreceivers:\n- name: r\n%s", receiver);
    struct config_options o = { .text = text, .dir = STR("."), .lookup = lookup, .expand = mode };
    return alert_config_load(&o, &c, d) == OK ? c : NULL;
}

static void an_unset_variable_turns_its_integration_off(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct diag d = { 0 };
    const char *text =
        "  slack_configs:\n  - {api_url: '${NONE}', channel: c}\n  - {api_url: '${URL}', channel: c}\n";
    struct alert_config *c = load(&a, text, EXPAND_AUTO, &d);
    assert_non_null(c);
    assert_int_equal(c->unset_n, 1);
    assert_true(c->receivers[0].v[0].unset.n > 0);
    assert_int_equal(c->receivers[0].v[1].unset.n, 0);
    alert_config_unref(c);
    assert_null(load(&a, text, EXPAND_STRICT, &d));
    assert_non_null(strstr(d.text, "NONE is not set"));
    assert_null(load(&a, text, EXPAND_OFF, &d));
    assert_non_null(strstr(d.text, "unsupported scheme \"\" for URL"));
}

static void a_value_is_no_template_and_no_yaml(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct diag d = { 0 };
    struct alert_config *c = load(
        &a, "  slack_configs:\n  - {api_url: 'https://s/x', channel: c, text: '${EVIL}'}\n",
        EXPAND_AUTO, &d);
    assert_non_null(c);
    const struct setting *s = setting_of(&c->receivers[0].v[0], "text");
    assert_true(s->literal && !s->tmpl);
    assert_null(strstr(c->printed.p, ".Status }}\nx"));
    alert_config_unref(c);
}

static void a_bad_value_is_never_shown(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct diag d = { 0 };
    struct alert_config *c = load(&a, "  webhook_configs:\n  - {url: '${HOST}'}\n", EXPAND_AUTO,
                                  &d);
    assert_non_null(c);
    assert_int_equal(c->unset_n, 1);
    assert_null(strstr(c->warnings[0].text.p, "mail"));
    alert_config_unref(c);
}

static void a_host_is_what_the_original_takes(void **state)
{
    (void)state;
    static const struct {
        const char *url, *why; /* NULL: it is good */
    } rows[] = {
        { "http://h:80/a b?c: d", NULL },
        { "http://u:p@[::1]/", NULL },
        { "http://h:", NULL },
        { "http://a bad/", "invalid character \" \" in host name" },
        { "http://h:a/", "invalid port after host" },
        { "http://u:p@h:1x", "invalid port after host" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ARENA(a, 0);
        struct diag d = { 0 };
        const char *text = arena_fmt(&a, "  webhook_configs:\n  - url: '%s'\n", rows[i].url).p;
        struct alert_config *c = load(&a, text, EXPAND_OFF, &d);
        if (!rows[i].why && !c) fail_msg("%s: %s", rows[i].url, d.text);
        if (rows[i].why) assert_string_equal(d.text, rows[i].why);
        if (c) alert_config_unref(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_are_resolved_where_they_may_stand),
        cmocka_unit_test(an_unset_variable_turns_its_integration_off),
        cmocka_unit_test(a_value_is_no_template_and_no_yaml),
        cmocka_unit_test(a_bad_value_is_never_shown),
        cmocka_unit_test(a_host_is_what_the_original_takes),
    };
    return cmocka_run_group_tests_name("expand", tests, NULL, NULL);
}
