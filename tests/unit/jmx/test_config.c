/* SPDX-License-Identifier: Apache-2.0 */
#include "jmx/config.h"

#include "test.h"

struct bad_row {
    const char *yaml;
    unsigned line;
    const char *text; /* part of the sentence */
};

static const struct bad_row BAD[] = {
    { "hostPort: 5555", 1, "expected HOST:PORT" },
    { "hostPort: a:0", 1, "expected HOST:PORT" },
    { "hostPort: a:1\njmxUrl: service:jmx:rmi:///jndi/rmi://a:1/jmxrmi", 2,
      "At most one of hostPort and jmxUrl" },
    { "jmxUrl: service:jmx:jmxmp://a:1", 1, "expected service:jmx:rmi" },
    { "jmxUrl: service:jmx:rmi://a/stub/rO0", 1, "/jndi/rmi://" },
    { "targets: [a:1, b]", 1, "targets: expected HOST:PORT" },
    { "lowercaseOutputName: [1]", 1, "bool" },
    { "startDelaySeconds: -1", 1, "not a negative one" },
    { "rules:\n- pattern: a\n- help: x", 3, "needs a name" },
    { "rules:\n- name: x", 2, "needs a pattern" },
    { "rules:\n- pattern: '['", 2, "pattern \"[\"" },
    { "rules: 5", 1, "list" },
    { "includeObjectNames: ['a']", 1, "expected domain:key=value" },
    { "excludeObjectNames:\n- 'a:b'", 2, "expected key=value" },
    { "includeObjectNames: ['a:b=1,b=2']", 1, "key b twice" },
    { "includeObjectNameAttributes: {'a:b=c': x}", 1, "expected a list of attribute names" },
    { "compat: 2", 1, "expected 0.x or 1.x" },
    { "a: b\n c: d", 2, "" },
};

static void bad_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct jmx_config *c = NULL;
        struct diag d = { 0 };
        if (jmx_config_parse(str_c(BAD[i].yaml), &c, &d) == OK) fail_msg("loaded: %s", BAD[i].yaml);
        assert_null(c);
        if (d.line != BAD[i].line || !strstr(d.text, BAD[i].text)) {
            fail_msg("%s: line %u: %s", BAD[i].yaml, d.line, d.text);
        }
    }
}

struct refused_row {
    const char *yaml;
    const char *text; /* NULL: not refused */
};

static const struct refused_row REFUSED[] = {
    { "username: u\npassword: p", "username and password" },
    { "username: u", NULL },
    { "username: ''\npassword: ''", NULL },
    { "ssl: true", "JMX over TLS" },
    { "ssl: false", NULL },
    { "ssl: {enabled: false}", NULL },
    { "ssl: {keyStore: {filename: x}}", "JMX over TLS" },
    { "httpServer: {authentication: {basic: {username: a}}}", "/metrics would stand open" },
    { "httpServer: {ssl: {}}", "/metrics would be plain" },
    { "httpServer: {threads: {minimum: 1}}", NULL },
    { "unknown: 1", NULL },
};

static void refused_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(REFUSED); i++) {
        struct jmx_config *c;
        assert_int_equal(jmx_config_parse(str_c(REFUSED[i].yaml), &c, NULL), OK);
        struct str text = c->refused.n ? c->refused : STR("");
        if (REFUSED[i].text ? str_find(text, str_c(REFUSED[i].text)) == STR_NONE : text.n > 0) {
            fail_msg("%s: " STR_FMT, REFUSED[i].yaml, STR_ARG(text));
        }
        jmx_config_unref(c);
    }
}

static void all_keys(void **state)
{
    (void)state;
    struct jmx_config *c;
    assert_int_equal(
        jmx_config_parse(
            STR("hostPort: '[::1]:9999'\ntargets: [b:2]\ntargetLabel: broker\nlowercaseOutputName: yes\n"
                "whitelistObjectNames: ['a:*']\nblacklistObjectNames: ['b:*']\nexcludeObjectNames: ['c:d=e,*']\n"
                "excludeObjectNameAttributes: {'x:y=z': [A, B]}\nhttpServer: {metrics: {path: custom}}\n"
                "rules:\n- {pattern: a, name: b, value: 1, valueFactor: 0.5, labels: {z: 1, a: 2}, type: GAUGE, cache: true}\n"),
            &c, NULL),
        OK);
    assert_int_equal(c->endpoints_n, 2);
    assert_true(str_eqc(c->endpoints[0].host, "::1"));
    assert_true(str_eqc(c->endpoints[0].target, "[::1]:9999"));
    assert_int_equal(c->endpoints[1].port, 2);
    assert_true(c->lowercase_names && c->auto_exclude && c->text_rules && c->cache_rules);
    assert_int_equal(c->include.n, 1); /* the old key, because the new one is absent */
    assert_int_equal(c->exclude.n, 1); /* the new key alone */
    assert_true(str_eqc(c->exclude.v[0].domain, "c"));
    assert_int_equal(c->exclude_attributes[0].n, 2);
    assert_true(str_eqc(c->metrics_path, "/custom"));
    assert_int_equal(c->rules_n, 1);
    assert_true(str_eqc(c->rules[0].labels[0].name, "a"));
    assert_true(str_eqc(c->rules[0].value, "1"));
    assert_true(c->rules[0].factor == 0.5);
    jmx_config_unref(c);
    assert_int_equal(jmx_config_parse(STR(""), &c, NULL), OK);
    assert_int_equal(c->rules_n, 1); /* no key: export everything */
    assert_null(c->rules[0].re);
    jmx_config_unref(c);
}

struct warned_row {
    const char *yaml, *text; /* text NULL: nothing to say */
    unsigned line, col;
};

static const struct warned_row WARNED[] = {
    { "rules: [{pattern: '(a)(b)', name: 'x_$2', labels: {'l$1': '$0'}}]", NULL, 0, 0 },
    { "rules:\n- pattern: (a)\n  name: x_$2", "a group that the pattern does not have", 3, 9 },
    { "rules:\n- pattern: (a)\n  name: x\n  labels: {b: $hostName}", "the host of the JVM", 4, 15 },
    { "rules:\n- pattern: (a)\n  name: x\n  labels: {b: $host}", "a group that", 4, 15 },
    { "rules:\n- pattern: \"(\\d+)\"", "unknown escape", 2, 14 },
    { "lowercase: true", "key lowercase is not known", 1, 1 },
    { "rules:\n- patern: a", "key patern is not known", 2, 3 },
    { "scrapeTimeoutSeconds: 3", NULL, 0, 0 },
    { "metricCustomizers: [1]", "metricCustomizers", 1, 20 },
};

static void what_a_person_should_know(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(WARNED); i++) {
        const struct warned_row *r = &WARNED[i];
        struct jmx_config *c;
        assert_int_equal(jmx_config_parse(str_c(r->yaml), &c, NULL), OK);
        const struct yaml_warning *w = c->warnings;
        if (!r->text != !w) fail_msg("%s", r->yaml);
        if (w && (str_find(w->text, str_c(r->text)) == STR_NONE || w->line != r->line ||
                  w->col != r->col)) {
            fail_msg("%s: %u:%u " STR_FMT, r->yaml, w->line, w->col, STR_ARG(w->text));
        }
        jmx_config_unref(c);
    }
}

static void urls(void **state)
{
    (void)state;
    static const struct {
        const char *url, *target, *name;
    } ROWS[] = {
        { "service:jmx:rmi:///jndi/rmi://kafka:9999/jmxrmi", "kafka:9999", "jmxrmi" },
        { "service:jmx:rmi://any:1/jndi/rmi://[::1]:9999/other", "[::1]:9999", "other" },
        { "service:jmx:rmi:///jndi/rmi://kafka/jmxrmi", "kafka:1099", "jmxrmi" },
        { "service:jmx:rmi:///jndi/rmi://:9999/jmxrmi", "localhost:9999", "jmxrmi" },
    };
    ARENA(a, 0);
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct jmx_endpoint e;
        assert_int_equal(jmx_endpoint_of_url(str_c(ROWS[i].url), &a, &e, NULL), OK);
        assert_true(str_eqc(e.target, ROWS[i].target));
        assert_true(str_eqc(e.name, ROWS[i].name));
    }
}

struct match_row {
    const char *pattern, *name;
    bool matches;
};

static const struct match_row MATCHES[] = {
    { "a:b=c", "a:b=c", true },
    { "a:b=c", "a:b=c,d=e", false },
    { "a:b=c,*", "a:d=e,b=c", true },
    { "a:*", "a:b=c", true },
    { "*:b=*", "x.y:b=anything", true },
    { "a?:b=c*e", "ax:b=cde", true },
    { "a:b=c*e", "a:b=cd", false },
    { "a:b=c", "A:b=c", false },
    { "a:b=\"x*\"", "a:b=\"xyz\"", true },
    { "a:b=\"x\\*\"", "a:b=\"x\\*\"", true },
    { "a:b=\"x\\*\"", "a:b=\"xyz\"", false },
    { "a:*,b=c", "a:b=c,d=e", true },
    { "kafka.server:type=BrokerTopicMetrics,name=*",
      "kafka.server:type=BrokerTopicMetrics,name=X,topic=t", false },
};

static void names(void **state)
{
    (void)state;
    ARENA(a, 0);
    for (size_t i = 0; i < ARRAY_LEN(MATCHES); i++) {
        struct objectname pattern, name;
        assert_int_equal(objectname_parse(str_c(MATCHES[i].pattern), &a, &pattern, NULL), OK);
        assert_int_equal(objectname_parse(str_c(MATCHES[i].name), &a, &name, NULL), OK);
        if (objectname_match(&pattern, &name) != MATCHES[i].matches) {
            fail_msg("%s %s", MATCHES[i].pattern, MATCHES[i].name);
        }
    }
    struct objectname x, y;
    assert_int_equal(objectname_parse(STR("a:b=c,d=\"e,=\\\"\""), &a, &x, NULL), OK);
    assert_int_equal(objectname_parse(STR("a:d=\"e,=\\\"\",b=c"), &a, &y, NULL), OK);
    assert_true(objectname_eq(&x, &y));
    static const char *const WRONG[] = { "",     "a",       "a:",     "a:b",
                                         "a:=c", "a:b=\"c", "a:b=c,", "a:b=c:d" };
    for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
        if (objectname_parse(str_c(WRONG[i]), &a, &x, NULL) == OK) fail_msg("%s", WRONG[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_files),
        cmocka_unit_test(refused_files),
        cmocka_unit_test(what_a_person_should_know),
        cmocka_unit_test(all_keys),
        cmocka_unit_test(urls),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
