/* SPDX-License-Identifier: Apache-2.0 */
/* What the doctor knows without asking anybody: peers' words, expressions that stay empty, texts. */
#include "commands/doctor/dead.h"
#include "commands/doctor/exam.h"
#include "commands/doctor/peers.h"
#include "commands/doctor/report.h"
#include "commands/doctor/web.h"
#include "promql/parse.h"
#include "test.h"

/* --- HTTP --- */

static void test_reply(void **state)
{
    (void)state;
    struct web_reply r;
    struct str whole = STR(
        "HTTP/1.1 503 Oh\r\nDate: Tue, 24 Nov 2026 03:26:30 GMT\r\ncontent-type: "
        "application/json\r\n\r\n{\"a\":1}");
    assert_int_equal(web_reply_parse(whole, &r), OK);
    assert_int_equal(r.status, 503);
    assert_true(str_eqc(r.content_type, "application/json"));
    assert_true(str_eqc(r.body, "{\"a\":1}"));
    assert_int_equal(r.date_ms, INT64_C(1795490790000));
    assert_int_equal(web_reply_parse(str_first(whole, 40), &r), ERR_SHORT);
    assert_int_equal(web_reply_parse(STR(""), &r), ERR_SHORT);
    assert_int_equal(web_reply_parse(STR("\x15\x03\x03"), &r), ERR_SYNTAX);
    assert_int_equal(web_reply_parse(STR("HTTP/1.1 x\r\n\r\n"), &r), ERR_SYNTAX);
}

static void test_metrics_or_not(void **state)
{
    (void)state;
    static const struct {
        struct str body;
        bool metrics;
    } ROWS[] = {
        { STR("# HELP up x\n# TYPE up gauge\nup 1\n"), true },
        { STR("up{a=\"b } c\"} 1.5e3 123\n"), true },
        { STR("{\"odd name\",x=\"y\"} NaN\n"), true },
        { STR("{\"status\":\"UP\"}"), false },
        { STR("<html>\n"), false },
        { STR("OK\n"), false },
        { STR(""), false },
        { STR("# only comments\n"), false },
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        if (looks_like_metrics(ROWS[i].body) != ROWS[i].metrics) fail_msg("row %zu", i);
    }
}

static void test_url(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct url u;
    assert_true(url_split(&a, STR("https://u:p@h.example/x?y=1#z"), &u));
    assert_true(u.tls && str_eqc(u.host, "h.example") && u.port == 443 &&
                str_eqc(u.path, "/x?y=1"));
    assert_true(url_split(&a, STR("http://[::1]:9090"), &u));
    assert_true(!u.tls && str_eqc(u.host, "::1") && u.port == 9090 && str_eqc(u.path, "/"));
    assert_false(url_split(&a, STR("ftp://h"), &u));
    assert_false(url_split(&a, STR("http://h:0"), &u));
    assert_false(url_split(&a, STR("http://:80"), &u));
}

/* --- mail and SASL --- */

static void test_smtp(void **state)
{
    (void)state;
    struct smtp_reply r;
    struct str rest,
        in = STR("250-mail.example\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n220 next");
    assert_int_equal(smtp_reply_take(&in, &r), OK);
    assert_int_equal(r.code, 250);
    assert_true(smtp_offers(&r, STR("STARTTLS"), &rest));
    assert_true(smtp_offers(&r, STR("auth"), &rest) && str_eqc(rest, "PLAIN LOGIN"));
    assert_false(smtp_offers(&r, STR("START"), &rest));
    assert_true(str_eqc(in, "220 next"));
    assert_int_equal(smtp_reply_take(&in, &r), ERR_SHORT);
    in = STR("\x15\x03\x01 no\r\n");
    assert_int_equal(smtp_reply_take(&in, &r), ERR_SYNTAX);
    in = STR("250-a\r\n251 b\r\n");
    assert_int_equal(smtp_reply_take(&in, &r), ERR_SYNTAX);
}

static void test_sasl(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct str out;
    struct str two = STR("\0\0\0\1\0\x21\0\0\0\2\0\5PLAIN\0\x0dSCRAM-SHA-256");
    assert_int_equal(sasl_mechanisms_read(two, &a, &out), OK);
    assert_true(str_eqc(out, "PLAIN, SCRAM-SHA-256"));
    assert_int_equal(sasl_mechanisms_read(str_first(two, two.n - 1), &a, &out), ERR_SHORT);
    assert_int_equal(sasl_mechanisms_read(STR("\0\0\0\1\0\x21\x7f\0\0\0"), &a, &out), ERR_SYNTAX);
    assert_int_equal(sasl_mechanisms_read(STR("\0\0\0\1\0\x22\0\0\0\0"), &a, &out), OK);
    assert_int_equal(out.n, 0);
}

/* --- expressions --- */

/* Only metrics whose names begin with "has" live. */
static bool lives(void *ctx, const struct node *s)
{
    (void)ctx;
    return str_starts(selector_name(s), STR("has"));
}

static void test_dead(void **state)
{
    (void)state;
    static const struct {
        const char *expr, *reason; /* "": it can find something */
    } ROWS[] = {
        { "has_x > 5", "" },
        { "no_x > 5", "no_x" },
        { "rate(no_x[5m]) > 0", "no_x" },
        { "sum by (a) (has_x) / sum by (a) (no_x)", "no_x" },
        { "no_x or has_x", "" },
        { "no_x or no_y", "no_x" },
        { "has_x unless no_x", "" },
        { "no_x unless has_x", "no_x" },
        { "has_x and no_x", "no_x" },
        { "absent(no_x)", "" },
        { "vector(1)", "" },
        { "1 + 2", "" },
        { "max_over_time(no_x[5m:1m])", "no_x" },
        { "histogram_quantile(0.9, no_x)", "no_x" },
        { "-no_x", "no_x" },
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        ARENA(a, 0);
        struct parse p = { 0 };
        struct node *root;
        assert_int_equal(parse_expression(&p, &a, str_c(ROWS[i].expr), 0, &root, NULL), OK);
        const struct node *dead = dead_selector(root, lives, NULL);
        struct str name = dead ? selector_name(dead) : STR("");
        if (!str_eqc(name, ROWS[i].reason)) {
            fail_msg("%s: \"" STR_FMT "\"", ROWS[i].expr, STR_ARG(name));
        }
        parse_done(&p);
    }
}

static void test_variables(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } ROWS[] = {
        { "rate(x{a=~\"$b\"}[$__rate_interval])", "rate(x{a=~\"vigieanyvalue\"}[5m])" },
        { "x{a=\"${b:regex}\",c='[[d]]'} > $limit",
          "x{a=\"vigieanyvalue\",c='vigieanyvalue'} > 1" },
        { "label_replace(x, \"a\", \"$1\", \"b\", \"(.*)\")",
          "label_replace(x, \"a\", \"$1\", \"b\", \"(.*)\")" },
        { "max_over_time(x[$__range:$__interval])", "max_over_time(x[5m:5m])" },
        { "x * $__interval_ms", "x * 300" },
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        ARENA(a, 0);
        struct str out = query_of_template(&a, str_c(ROWS[i].in));
        if (!str_eqc(out, ROWS[i].out)) fail_msg("%s: " STR_FMT, ROWS[i].in, STR_ARG(out));
    }
}

/* --- texts --- */

static void test_nearest(void **state)
{
    (void)state;
    const struct str names[] = { STR("kafka_server_bytesin_total"),
                                 STR("kafka_server_bytesout_total"), STR("up") };
    assert_int_equal(edit_distance(STR("kitten"), STR("sitting"), 10), 3);
    assert_int_equal(edit_distance(STR("kitten"), STR("sitting"), 2), 2);
    assert_true(
        str_eqc(nearest(STR("kafka_server_bytesi_total"), names, 3), "kafka_server_bytesin_total"));
    assert_true(str_eqc(nearest(STR("something_else_entirely"), names, 3), ""));
}

static void test_addresses(void **state)
{
    (void)state;
    struct str host;
    uint16_t port;
    assert_true(split_address(STR("kafka:9092"), 1, &host, &port));
    assert_true(str_eqc(host, "kafka") && port == 9092);
    assert_true(split_address(STR("kafka"), 7, &host, &port) && port == 7);
    assert_true(split_address(STR("[fe80::1]:9"), 7, &host, &port) && str_eqc(host, "fe80::1"));
    assert_false(split_address(STR("kafka:x"), 7, &host, &port));
    assert_false(split_address(STR("kafka:70000"), 7, &host, &port));
    assert_false(split_address(STR(""), 7, &host, &port));
}

static void test_wrap(void **state)
{
    (void)state;
    BUF(b, 0);
    report_wrap(&b, STR("éé éé éé"), 2, 7);
    assert_true(str_eqc(buf_str(&b), "  éé éé\n  éé\n"));
}

static void test_redact(void **state)
{
    (void)state;
    BUF(b, 1 << 20);
    const struct str secrets[] = { STR("hunter2"), STR(""), STR("absent") };
    buf_putc(&b, "a hunter2 b hunter2hunter2 c");
    report_redact(&b, secrets, ARRAY_LEN(secrets));
    assert_true(str_eqc(buf_str(&b), "a <secret> b <secret><secret> c"));
}

/* Praise stands only where nothing was found. */
static void test_title_beside_a_note(void **state)
{
    (void)state;
    static const struct {
        enum severity found;
        const char *title;
    } rows[] = {
        { SEV_OK, "Every rule reads metrics that exist" },
        { SEV_NOTE, "Only notes: rules" },
        { SEV_WARNING, "rules" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ARENA(a, 0);
        BUF(b, 1 << 20);
        struct doctor_input in = { .lang = LANG_EN };
        struct exam x = { .in = &in };
        x.figures[CHECK_RULES] = SAY(W_FIG_RULES, STR("1"));
        if (rows[i].found) {
            *vec_push(&a, &x.findings.v) = (struct finding){ .check = CHECK_RULES,
                                                             .severity = rows[i].found };
        }
        report_json(&b, &x, 0);
        struct str want = arena_fmt(&a, "\"title\":\"%s\"", rows[i].title);
        assert_true(str_find(buf_str(&b), want) != STR_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reply),     cmocka_unit_test(test_metrics_or_not),
        cmocka_unit_test(test_url),       cmocka_unit_test(test_smtp),
        cmocka_unit_test(test_sasl),      cmocka_unit_test(test_dead),
        cmocka_unit_test(test_variables), cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_redact),    cmocka_unit_test(test_title_beside_a_note),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
