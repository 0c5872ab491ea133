/* SPDX-License-Identifier: Apache-2.0 */
/* Rules against records, down to the lines of a page. Expected lines are jmx_exporter's own output where a row says so. */
#include "jmx/page.h"

#include "base/vec.h"
#include "codec/num.h"
#include "jmx/javanum.h"
#include "jmx/template.h"
#include "test.h"

struct row {
    const char *name;
    const char *yaml; /* configuration */
    const char *bean; /* ObjectName */
    const char *path; /* one key above, or NULL */
    const char *attribute;
    const char *value; /* number, true or false, or 'text */
    const char *page;  /* expected, without HELP lines */
    bool varies;       /* the outcome holds only for this value */
};

#define METER "kafka.server:type=BrokerTopicMetrics,name=BytesInPerSec"

static const struct row ROWS[] = {
    /* default format, as recorded */
    { "byte", "", "test:type=All,name=all", NULL, "B", "-5", "test_All_B{name=\"all\"} -5.0\n",
      false },
    { "boolean", "", "test:type=All,name=all", NULL, "Z", "true", "test_All_Z{name=\"all\"} 1.0\n",
      false },
    { "2^40", "", "test:type=All,name=all", NULL, "L", "1099511627776",
      "test_All_L{name=\"all\"} 1.099511627776E12\n", false },
    { "nested", "", "test:type=All,name=all", "Comp", "x", "1",
      "test_All_Comp_x{name=\"all\"} 1.0\n", false },
    { "no further properties", "", "test:type=Bad", NULL, "Ok", "5", "test_Bad_Ok 5.0\n", false },
    { "quoted property", "", "test:type=Thing,alpha=\"q,=:\\*\\\"\\\\x\",zeta=1", NULL, "P", "1",
      "test_Thing_P{alpha=\"\\\"q,=:\\\\*\\\\\\\"\\\\\\\\x\\\"\",zeta=\"1\"} 1.0\n", false },
    { "string without a rule", "", "test:type=All", NULL, "S", "'hello", "", false },
    /* expansion, as recorded */
    { "group 1 and a zero",
      "rules: [{pattern: 'kafka.(\\w+)<type=(.+), name=(\\w+)><>(One)MinuteRate', name: '$1_$10_x\\$y', labels: {a: b}}]",
      METER, NULL, "OneMinuteRate", "2.5", "server_server0_x_y{a=\"b\"} 2.5\n", false },
    { "named group, value, factor",
      "rules: [{pattern: 'kafka.(?<dom>\\w+)<type=BrokerTopicMetrics, name=(\\w+)><>Count: (\\d)(\\d*)', name: '${dom}--$2 per.sec', "
      "value: '$3.5', valueFactor: 10, type: COUNTER, labels: {9lab-el: 'v:$3', empty: '', q: \"a\\\"bc\\nd\"}}]",
      METER, NULL, "Count", "345",
      "server_BytesInPerSec_per_sec_total{_9lab_el=\"v:3\",q=\"a\\\"bc\\nd\"} 35.0\n", true },
    { "value text",
      "rules: [{pattern: '(.+)ClusterId><>Value: (.+)', name: cluster_info, value: 1, labels: {id: $2}}]",
      "kafka.server:type=KafkaServer,name=ClusterId", NULL, "Value", "'clusterid-xyz",
      "cluster{id=\"clusterid-xyz\"} 1.0\n", true },
    { "snake case", "rules: [{pattern: '<type=(.+)>', attrNameSnakeCase: true}]",
      "kafka.log:type=LogFlushStats,name=LogFlushRateAndTimeMs", NULL, "FifteenMinuteRate", "4.5",
      "kafka_log_LogFlushStats_fifteen_minute_rate{name=\"LogFlushRateAndTimeMs\"} 4.5\n", false },
    /* the order of things */
    { "first hit ends", "rules: [{pattern: Count, name: a}, {pattern: Count, name: b}]", METER,
      NULL, "Count", "1", "a 1.0\n", false },
    { "no hit", "rules: [{pattern: Kount, name: a}]", METER, NULL, "Count", "1", "", false },
    { "no rule", "rules: []", METER, NULL, "Count", "1", "", false },
    { "rightmost place", "rules: [{pattern: 'n(.)', name: 'x_$1'}]", METER, NULL, "Count", "1",
      "x_t 1.0\n", true },
    { "value is no number",
      "rules: [{pattern: (Count), name: a, value: $1}, {pattern: Count, name: b}]", METER, NULL,
      "Count", "1", "", false },
    { "counter gets _total", "rules: [{pattern: Count, name: foo, type: COUNTER}]", METER, NULL,
      "Count", "1", "foo_total 1.0\n", false },
    { "untyped loses _total", "rules: [{pattern: Count, name: foo_total}]", METER, NULL, "Count",
      "1", "foo 1.0\n", false },
    { "before 1.0 it stays", "{compat: 0.x, rules: [{pattern: Count, name: foo_total}]}", METER,
      NULL, "Count", "1", "foo_total 1.0\n", false },
    { "before 1.0 a counter does, too",
      "{compat: 0.x, rules: [{pattern: Count, name: foo, type: COUNTER}]}", METER, NULL, "Count",
      "1", "foo 1.0\n", false },
    { "alias",
      "{aliases: {bar_total: foo_total}, rules: [{pattern: Count, name: foo, type: COUNTER}]}",
      METER, NULL, "Count", "1", "foo_total 1.0\nbar_total 1.0\n", false },
    { "inferred counter",
      "{inferCounterTypeFromName: true, rules: [{pattern: Count, name: foo_total}]}", METER, NULL,
      "Count", "1", "foo_total 1.0\n", false },
    { "lower case",
      "{lowercaseOutputName: true, lowercaseOutputLabelNames: true, rules: [{pattern: Count, name: FoO, labels: {BaR: Baz}}]}",
      METER, NULL, "Count", "1", "foo{bar=\"Baz\"} 1.0\n", false },
    { "factor", "rules: [{pattern: Count, name: a, valueFactor: 0.001}]", METER, NULL, "Count",
      "1500", "a 1.5\n", false },
    { "missing group", "rules: [{pattern: Count, name: a$1}]", METER, NULL, "Count", "1", "",
      false },
    { "no variable", "rules: [{pattern: Count, name: a, labels: {b: $hostNames}}]", METER, NULL,
      "Count", "1", "", false },
    { "but for the host", "rules: [{pattern: Count, name: a, labels: {b: $hostName}}]", METER, NULL,
      "Count", "1", "a{b=\"kafka1\"} 1.0\n", false },
    { "label twice", "rules: [{pattern: Count, name: a, labels: {x-y: 1, x_y: 2}}]", METER, NULL,
      "Count", "1", "", false },
    { "capture of the value", "rules: [{pattern: 'Count: (\\d+)', name: a, labels: {v: $1}}]",
      METER, NULL, "Count", "17", "a{v=\"17\"} 17.0\n", true },
    { "cache hides the value",
      "rules: [{pattern: 'Count: (.+)', cache: true, name: a, labels: {v: $1}}]", METER, NULL,
      "Count", "17", "a{v=\"<cache>\"} 17.0\n", false },
};

static struct jmx_record record_of(const struct row *r, struct str *path)
{
    struct jmx_record x = { .attribute = str_c(r->attribute), .description = str_c(r->attribute) };
    struct str value = str_c(r->value);
    if (r->path) {
        *path = str_c(r->path);
        x.path = path;
        x.path_n = 1;
    }
    if (value.p[0] == '\'') {
        x.kind = JMX_TEXT;
        x.text = str_from(value, 1);
    } else if (num_parse_i64(value, &x.integer) == OK) {
        x.value = (double)x.integer;
    } else if (javanum_parse_double(value, &x.value) == OK) {
        x.number = JMX_DOUBLE;
    } else {
        x.kind = JMX_BOOLEAN;
        x.value = str_eqc(value, "true");
    }
    return x;
}

static struct str without_comments(struct str page, struct arena *a)
{
    BUF(b, 1 << 20);
    struct str line;
    while (str_cut(page, '\n', &line, &page)) {
        if (!str_starts(line, STR("#"))) buf_fmt(&b, STR_FMT "\n", STR_ARG(line));
    }
    return arena_dup(a, buf_str(&b));
}

static struct jmx_subject subject_of(const char *bean, struct arena *a)
{
    struct objectname name;
    assert_int_equal(objectname_parse(str_c(bean), a, &name, NULL), OK);
    return (struct jmx_subject){
        .domain = name.domain, .properties = name.properties, .n = name.n, .host = STR("kafka1")
    };
}

static void row_makes_page(void **state)
{
    const struct row *r = *state;
    ARENA(a, 0);
    BUF(page, 1 << 20);
    struct jmx_config *c;
    struct diag d = { 0 };
    struct str path;
    size_t dropped;
    if (jmx_config_parse(str_c(r->yaml), &c, &d) != OK) fail_msg("%u:%u %s", d.line, d.col, d.text);
    struct jmx_record rec = record_of(r, &path);
    struct jmx_subject s = subject_of(r->bean, &a);
    struct jmx_outcome *o = jmx_rules_apply(c, &s, &rec, &a);
    double v = (o->has_value ? o->value : rec.value) * (rec.kind == JMX_BOOLEAN ? 1 : o->factor);
    struct jmx_sample sample = { o, v };
    jmx_page_write(&page, &sample, !o->drop,
                   &(struct jmx_page_options){ c->compat_0x, c->aliases, c->aliases_n }, &dropped);
    struct str got = without_comments(buf_str(&page), &a);
    if (!str_eqc(got, r->page)) fail_msg("got %.*s", STR_ARG(got));
    if (rec.kind != JMX_TEXT) assert_int_equal(o->fixed, !r->varies);
    jmx_outcome_free(o);
    jmx_config_unref(c);
}

struct pattern_row {
    const char *pattern;
    bool blind;
    const char *literal;
};

static const struct pattern_row PATTERNS[] = {
    { "", true, "" },
    { ".*", true, "" },
    { "kafka.server<type=(.+), name=(.+)PerSec><>Count", true, "kafka\1server<type=" },
    { "kafka.server<type=ReplicaManager, name=(.+)><>Value", true,
      "kafka\1server<type=ReplicaManager, name=" },
    { "kafka.network<type=RequestMetrics, name=TotalTimeMs, request=(.+)><>(\\d+)thPercentile",
      true, "kafka\1network<type=RequestMetrics, name=TotalTimeMs, request=" },
    { "kafka.(\\w+)<type=(.+), name=(.+)><>(Count|Value)", true, "kafka\1" },
    { "java.lang<type=(.+)><>(\\w+)", true, "java\1lang<type=" },
    { "java.lang<type=(.+)>.*", true, "java\1lang<type=" },
    { "java.lang<type=(.+)>(.*)", false, "java\1lang<type=" },
    { "<>Value: (\\d+)", false, "<>Value: " },
    { "(.+)", false, "" },
    { "Count|Value: 1", false, "" },
    { "Count|Kount", true, "" },
    { "^kafka\\.server<", true, "kafka.server<" },
    { "(?i)kafka", false, "" },
    { "a(?!b)", false, "a" },
    { "kafkas?<", true, "kafka" },
    { "x+<", true, "x" },
    { "true", false, "true" },
    { "5", false, "5" },
    { "state: RUNNING", true, "state: RUNNING" }, /* 'R' is of no number: it never matches one */
    { "[^,]+>", true, "" },
    { ">[^,]+", false, ">" },
    { ">[a-z]+", true, ">" },
    { ">[0-Z]+", false, ">" },
    { ">\\D", false, ">" },
    { "Count$", false, "Count" },
    { "\\QCount\\E", false, "" },
};

static void patterns(void **state)
{
    (void)state;
    ARENA(a, 0);
    for (size_t i = 0; i < ARRAY_LEN(PATTERNS); i++) {
        const struct pattern_row *r = &PATTERNS[i];
        if (jmx_pattern_blind(str_c(r->pattern)) != r->blind) fail_msg("blind: %s", r->pattern);
        struct str literal = jmx_pattern_literal(str_c(r->pattern), &a);
        if (!str_eqc(literal, r->literal)) fail_msg("%s: %.*s", r->pattern, STR_ARG(literal));
    }
}

static bool may_match(const char *pattern, const char *bean, struct arena *a)
{
    struct jmx_config *c;
    struct jmx_subject s = subject_of(bean, a);
    struct str yaml = arena_fmt(a, "rules: [{pattern: '%s', name: x}]", pattern);
    assert_int_equal(jmx_config_parse(yaml, &c, NULL), OK);
    bool may = jmx_rules_may_match(c, &s);
    jmx_config_unref(c);
    return may;
}

static void beans_no_rule_can_match(void **state)
{
    (void)state;
    ARENA(a, 0);
    assert_true(may_match("kafka.server<type=BrokerTopicMetrics, name=(.+)><>Count", METER, &a));
    assert_false(may_match("kafka.server<type=ReplicaManager, name=(.+)><>Value", METER, &a));
    assert_false(may_match("kafka.log<", METER, &a));
    assert_true(may_match("server<type=Broker", METER, &a));
    assert_true(may_match("Count", METER, &a)); /* could be an attribute */
    assert_true(may_match("name=BytesInPerSec, topic=(.+)><>Count", METER, &a));
    assert_true(
        may_match("kafka.server<type=BrokerTopicMetrics, name=BytesInPerSec><>Count", METER, &a));
    assert_true(may_match("kafka.log<|kafka.server<", METER, &a));
}

/* Everything that two records of a family can do to each other. */
static void duplicates(void **state)
{
    (void)state;
    struct jmx_outcome o[3] = {
        { .name = STR("rm"),
          .family = STR("rm"),
          .labels = STR("a=\"1\",z=\"2\""),
          .object_name = STR("x<>A"),
          .help = STR("h\\\n") },
        { .name = STR("rm"),
          .family = STR("rm"),
          .labels = STR("a=\"1\",z=\"2\""),
          .object_name = STR("x<>B"),
          .help = STR("h") },
        { .name = STR("rm"),
          .family = STR("rm"),
          .labels = STR(""),
          .object_name = STR("x<>B"),
          .type = JMX_GAUGE,
          .help = STR("h") },
    };
    struct jmx_sample v[4] = { { &o[1], 2 }, { &o[0], 1 }, { &o[1], 3 }, { &o[2], 4 } };
    BUF(b, 4096);
    size_t dropped;
    jmx_page_write(&b, v, 4, &(struct jmx_page_options){ 0 }, &dropped);
    assert_int_equal(dropped, 1);
    buf_char(&b, 0);
    assert_string_equal(b.p, "# HELP rm h\n# TYPE rm untyped\n"
                             "rm{_objectname=\"x<>B\"} 4.0\n"
                             "rm{_objectname=\"x<>A\",a=\"1\",z=\"2\"} 1.0\n"
                             "rm{_objectname=\"x<>B\",a=\"1\",z=\"2\"} 2.0\n");
}

static void keeps_what_it_may(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct jmx_config *c;
    struct jmx_subject s = subject_of(METER, &a);
    s.label_name = STR("broker");
    s.label_value = STR("7");
    assert_int_equal(
        jmx_config_parse(STR("rules: [{pattern: Count, name: a, labels: {z: y}}]"), &c, NULL), OK);
    struct jmx_record rec = {
        .attribute = STR("Count"), .description = STR("about"), .integer = 5, .value = 5
    };
    struct jmx_outcome *o = jmx_rules_apply(c, &s, &rec, &a);
    assert_true(str_eqc(o->labels, "broker=\"7\",z=\"y\""));
    assert_true(str_eqc(
        o->help, "about kafka.server:name=BytesInPerSec,type=BrokerTopicMetrics,attribute=Count"));
    assert_true(str_eqc(o->object_name,
                        "kafka.server<type=BrokerTopicMetrics, name=BytesInPerSec><>Count"));
    jmx_outcome_free(o);
    jmx_config_unref(c);
}

struct number_row {
    double v;
    const char *text;
};

static const struct number_row NUMBERS[] = {
    { 0, "0.0" },
    { -0.0, "-0.0" },
    { 1, "1.0" },
    { 123456.5, "123456.5" },
    { 1e7, "1.0E7" },
    { 9999999, "9999999.0" },
    { 0.001, "0.001" },
    { 0.00099, "9.9E-4" },
    { 0.0125, "0.0125" },
    { 1099511627776, "1.099511627776E12" },
    { -1.5e-10, "-1.5E-10" },
    { 1.7976931348623157e308, "1.7976931348623157E308" },
    { 100, "100.0" },
};

static void numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(NUMBERS); i++) {
        BUF(b, 64);
        double back = 1;
        javanum_write_double(&b, NUMBERS[i].v);
        assert_true(str_eqc(buf_str(&b), NUMBERS[i].text));
        assert_int_equal(javanum_parse_double(buf_str(&b), &back), OK);
        assert_true(back == NUMBERS[i].v);
    }
    static const struct number_row FLOATS[] = {
        { (double)0.1F, "0.1" },
        { (double)3.4028235e38F, "3.4028235E38" },
        { (double)1.17549435e-38F, "1.1754944E-38" },
        { 16777216, "1.6777216E7" },
        { (double)0.3333333433F, "0.33333334" },
        { -2.5, "-2.5" },
    };
    for (size_t i = 0; i < ARRAY_LEN(FLOATS); i++) {
        BUF(b, 64);
        javanum_write_float(&b, (float)FLOATS[i].v);
        if (!str_eqc(buf_str(&b), FLOATS[i].text)) fail_msg("%.*s", STR_ARG(buf_str(&b)));
    }
    double v;
    assert_int_equal(javanum_parse_double(STR(" 1e5d "), &v), OK);
    assert_true(v == 1e5);
    assert_int_equal(javanum_parse_double(STR("0x1.8p1"), &v), OK);
    assert_true(v == 3);
    static const char *const BAD[] = { "", "nan", "inf", "1_0", "abc", "1..2", "+", "0x1" };
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        assert_int_equal(javanum_parse_double(str_c(BAD[i]), &v), ERR_SYNTAX);
    }
}

#define FIXED_TESTS 5

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(ROWS) + FIXED_TESTS] = {
        cmocka_unit_test(patterns),   cmocka_unit_test(beans_no_rule_can_match),
        cmocka_unit_test(duplicates), cmocka_unit_test(keeps_what_it_may),
        cmocka_unit_test(numbers),
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        tests[FIXED_TESTS + i] = (struct CMUnitTest){
            .name = ROWS[i].name,
            .test_func = row_makes_page,
            .initial_state = (void *)(uintptr_t)&ROWS[i],
        };
    }
    return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
