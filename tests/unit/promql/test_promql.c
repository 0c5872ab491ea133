/* SPDX-License-Identifier: Apache-2.0 */
/* The evaluator as rules and the API see it: errors with places, limits, cancel, names, annotations, shapes. */
#include "promql/promql.h"

#include "../../promql_store.h"
#include "test.h"

#include <stdio.h>

static struct arena memory;
static struct store store;
static struct evaluator *ev;
static int64_t clock_ms;

static int64_t hand_clock(void) { return clock_ms += 1000; }

static void put(const char *selector, const double *v, size_t n)
{
    struct matcher *m;
    size_t count;
    assert_int_equal(promql_parse_matchers(str_c(selector), &memory, &m, &count, NULL), OK);
    struct label *lb = arena_array(&memory, count, sizeof(*lb));
    for (size_t i = 0; i < count; i++) lb[i] = (struct label){ m[i].name, m[i].value };
    struct store_series *s = store_series(&store, labels_from(lb, count));
    for (size_t i = 0; i < n; i++) column_push(&s->c, (int64_t)i * 60000, v[i]);
}

static int setup(void **state)
{
    static const double UP[] = { 0, 10, 20, 30 }, DOWN[] = { 5, 5, 5, 5 };
    (void)state;
    store_init(&store);
    put("a_total{job=\"x\",part=\"0\"}", UP, 4);
    put("a_total{job=\"x\",part=\"1\"}", DOWN, 4);
    put("b_total{job=\"x\",part=\"0\"}", DOWN, 4);
    put("gauge{job=\"x\"}", UP, 4);
    ev = promql_new(&store.qa, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    promql_free(ev);
    store_done(&store);
    arena_done(&memory);
    return 0;
}

static enum err ask(const char *query, struct eval_range r, struct value *out, struct diag *d)
{
    struct expr *e = NULL;
    enum err failed = ev->ops->compile(ev, str_c(query), &e, d);
    if (failed != OK) return failed;
    failed = ev->ops->eval(ev, e, &r, &memory, NULL, out, d);
    ev->ops->release(ev, e);
    return failed;
}

static const struct eval_range AT_3M = { 180000, 180000, 0 };
static const struct eval_range RANGE = { 0, 180000, 60000 };

static void a_syntax_error_has_its_place(void **state)
{
    (void)state;
    struct expr *e = NULL;
    struct diag d = { 0 };
    assert_int_equal(ev->ops->compile(ev, STR("sum(\n  rate(x))"), &e, &d), ERR_SYNTAX);
    assert_int_equal(d.line, 2);
    assert_int_equal(d.col, 8);
    assert_string_equal(d.text, "2:8: parse error: expected type range vector in call to function "
                                "\"rate\", got instant vector");
    assert_null(e);
}

static void an_experimental_function_wants_its_feature(void **state)
{
    (void)state;
    struct value v;
    struct diag d;
    assert_int_equal(ask("mad_over_time(gauge[5m])", AT_3M, &v, &d), ERR_SYNTAX);
    assert_string_equal(d.text, "1:1: parse error: function \"mad_over_time\" is not enabled");
}

static void shapes_follow_the_type(void **state)
{
    (void)state;
    struct value v;
    struct diag d;
    assert_int_equal(ask("2 * 3", AT_3M, &v, &d), OK);
    assert_int_equal(v.kind, VALUE_SCALAR);
    assert_true(v.scalar.v == 6 && v.scalar.t == 180000);
    assert_int_equal(ask("\"text\"", AT_3M, &v, &d), OK);
    assert_int_equal(v.kind, VALUE_STRING);
    assert_int_equal(ask("a_total", AT_3M, &v, &d), OK);
    assert_int_equal(v.kind, VALUE_VECTOR);
    assert_int_equal(v.vector.n, 2);
    assert_int_equal(ask("a_total[2m]", AT_3M, &v, &d), OK);
    assert_int_equal(v.kind, VALUE_MATRIX);
    assert_int_equal(v.matrix.v[0].n, 2); /* the window is open on its left */
    assert_int_equal(ask("7", RANGE, &v, &d), OK);
    assert_int_equal(v.matrix.v[0].n, 4);
    assert_int_equal(ask("a_total[2m]", RANGE, &v, &d), ERR_SYNTAX);
    assert_string_equal(d.text, "invalid expression type \"range vector\" for range query, must be "
                                "Scalar or instant Vector");
}

static void a_row_with_holes_has_its_own_times(void **state)
{
    (void)state;
    struct value v;
    struct diag d;
    assert_int_equal(ask("a_total > 15", RANGE, &v, &d), OK);
    assert_int_equal(v.matrix.n, 1);
    assert_int_equal(v.matrix.v[0].n, 2);
    assert_true(v.matrix.v[0].t[0] == 120000 && v.matrix.v[0].v[1] == 30);
}

static void names_go_at_once(void **state)
{
    (void)state;
    struct value v;
    struct diag d;
    assert_int_equal(ask("a_total + 1", AT_3M, &v, &d), OK);
    assert_null(labels_get(v.vector.v[0].lb, METRIC_NAME).p);
    assert_int_equal(ask("a_total > 1", AT_3M, &v, &d), OK);
    assert_true(str_eqc(labels_get(v.vector.v[0].lb, METRIC_NAME), "a_total"));
    assert_int_equal(ask("rate({part=\"0\"}[5m])", AT_3M, &v, &d), ERR_SYNTAX);
    assert_string_equal(d.text, "vector cannot contain metrics with the same labelset");
    assert_int_equal(ask("-{part=\"0\"}", AT_3M, &v, &d), ERR_SYNTAX);
}

static void many_to_many_names_both(void **state)
{
    (void)state;
    struct value v;
    struct diag d;
    assert_int_equal(ask("b_total - on (job) a_total", AT_3M, &v, &d), ERR_SYNTAX);
    assert_string_equal(
        d.text,
        "found duplicate series for the match group {job=\"x\"} on the right hand-side of the "
        "operation: [{__name__=\"a_total\", job=\"x\", part=\"0\"}, {__name__=\"a_total\", job=\"x\", part=\"1\"}];many-to-many "
        "matching not allowed: matching labels must be unique on one side");
    assert_int_equal(ask("a_total - on (job) b_total", AT_3M, &v, &d), ERR_SYNTAX);
    assert_string_equal(d.text,
                        "multiple matches for labels: many-to-one matching must be explicit "
                        "(group_left/group_right)");
    assert_int_equal(ask("a_total - on (job) group_left b_total", AT_3M, &v, &d), OK);
    assert_int_equal(v.vector.n, 2);
}

static void rates_of_odd_names_are_noted(void **state)
{
    (void)state;
    struct value v;
    struct diag d;
    assert_int_equal(ask("sum(rate(gauge[5m])) + sum(rate(gauge[5m]))", AT_3M, &v, &d), OK);
    assert_int_equal(v.infos_n, 2);
    assert_true(str_eqc(v.infos[0],
                        "PromQL info: metric might not be a counter, name does not end in "
                        "_total/_sum/_count/_bucket: \"gauge\" (1:10)"));
    assert_int_equal(ask("rate(a_total[5m])", AT_3M, &v, &d), OK);
    assert_int_equal(v.infos_n, 0);
    assert_int_equal(ask("quantile(7, a_total)", AT_3M, &v, &d), OK);
    assert_true(str_eqc(v.warnings[0], "PromQL warning: quantile value should be between 0 and 1, "
                                       "got 7 (1:10)"));
}

static void too_many_samples_is_an_error(void **state)
{
    (void)state;
    struct value v;
    struct diag d;
    struct promql_options o = { .max_samples = 5 };
    promql_free(ev);
    ev = promql_new(&store.qa, &o);
    assert_int_equal(ask("a_total", RANGE, &v, &d), ERR_LIMIT);
    assert_string_equal(
        d.text, "query processing would load too many samples into memory in query execution");
    assert_int_equal(ask("sum(a_total)", AT_3M, &v, &d), OK);
}

static void a_query_over_its_memory_fails(void **state)
{
    (void)state;
    struct value v;
    struct diag d = { 0 };
    struct expr *e = NULL;
    ARENA(small, 16);
    assert_int_equal(ev->ops->compile(ev, STR("a_total * a_total"), &e, &d), OK);
    assert_int_equal(ev->ops->eval(ev, e, &RANGE, &small, NULL, &v, &d), ERR_LIMIT);
    ev->ops->release(ev, e);
}

static void cancel_and_deadline_end_a_query(void **state)
{
    (void)state;
    struct value v;
    struct diag d;
    struct expr *e = NULL;
    _Atomic(bool) cancel = true;
    assert_int_equal(ev->ops->compile(ev, STR("a_total"), &e, &d), OK);
    assert_int_equal(ev->ops->eval(ev, e, &AT_3M, &memory, &cancel, &v, &d), ERR_CANCELED);
    assert_string_equal(d.text, "query was canceled in expression evaluation");
    ev->ops->release(ev, e);
    struct promql_options o = { .timeout_ms = 500, .mono_ms = hand_clock };
    promql_free(ev);
    ev = promql_new(&store.qa, &o);
    assert_int_equal(ask("a_total", AT_3M, &v, &d), ERR_TIMEOUT);
    assert_string_equal(d.text, "query timed out in expression evaluation");
}

static void staleness_ends_a_series(void **state)
{
    (void)state;
    struct value v;
    struct diag d;
    const double ended[] = { 1, 2, stale_nan(), 4 };
    put("ended", ended, 4);
    assert_int_equal(ask("ended", RANGE, &v, &d), OK);
    assert_int_equal(v.matrix.v[0].n, 3);
    assert_int_equal(ask("count_over_time(ended[10m])", AT_3M, &v, &d), OK);
    assert_true(v.vector.v[0].v == 3);
}

/* Lookback is open on its left: a sample of exactly five minutes ago is gone. */
static void lookback_is_open_on_its_left(void **state)
{
    (void)state;
    struct value v;
    struct diag d;
    struct eval_range r = { 180000 + 300000, 180000 + 300000, 0 };
    assert_int_equal(ask("gauge", r, &v, &d), OK);
    assert_int_equal(v.vector.n, 0);
    r.start--;
    assert_int_equal(ask("gauge", r, &v, &d), OK);
    assert_int_equal(v.vector.n, 1);
}

static void match_parameters_are_selectors(void **state)
{
    (void)state;
    struct matcher *m;
    size_t n;
    struct diag d;
    assert_int_equal(promql_parse_matchers(STR("up{job=~\"a.*\"}"), &memory, &m, &n, &d), OK);
    assert_int_equal(n, 2);
    assert_int_equal(m[0].op, MATCH_RE);
    assert_true(matcher_match(&m[0], STR("abc")));
    for (size_t i = 0; i < n; i++) matcher_done(&m[i]);
    assert_int_equal(promql_parse_matchers(STR("sum(up)"), &memory, &m, &n, &d), ERR_SYNTAX);
    assert_string_equal(d.text, "1:4: parse error: unexpected \"(\"");
    assert_int_equal(promql_parse_matchers(STR("{"), &memory, &m, &n, &d), ERR_SYNTAX);
}

static void selectors_are_listed(void **state)
{
    (void)state;
    struct expr *e = NULL;
    struct promql_selector *s;
    assert_int_equal(
        ev->ops->compile(ev, STR("topk(scalar(k), a + on (x) rate(b{c!=\"d\"}[5m]))"), &e, NULL),
        OK);
    assert_int_equal(promql_selectors(e, &memory, &s), 3);
    assert_int_equal(s[2].n, 2);
    assert_true(
        str_eqc(promql_pretty(e, &memory), "topk(scalar(k), a + on (x) rate(b{c!=\"d\"}[5m]))"));
    ev->ops->release(ev, e);
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    struct expr *e = NULL;
    struct diag d;
    BUF(deep, 0);
    for (int i = 0; i < 100000; i++) buf_char(&deep, '(');
    assert_int_equal(ev->ops->compile(ev, buf_str(&deep), &e, &d), ERR_SYNTAX);
    buf_reset(&deep);
    for (int i = 0; i < 100000; i++) buf_putc(&deep, "1+");
    buf_char(&deep, '1');
    assert_int_equal(ev->ops->compile(ev, buf_str(&deep), &e, &d), ERR_SYNTAX);
    buf_reset(&deep);
    for (int i = 0; i < 100000; i++) buf_putc(&deep, "1^");
    assert_int_equal(ev->ops->compile(ev, buf_str(&deep), &e, &d), ERR_SYNTAX);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_syntax_error_has_its_place),
        CASE(an_experimental_function_wants_its_feature),
        CASE(shapes_follow_the_type),
        CASE(a_row_with_holes_has_its_own_times),
        CASE(names_go_at_once),
        CASE(many_to_many_names_both),
        CASE(rates_of_odd_names_are_noted),
        CASE(too_many_samples_is_an_error),
        CASE(a_query_over_its_memory_fails),
        CASE(cancel_and_deadline_end_a_query),
        CASE(staleness_ends_a_series),
        CASE(lookback_is_open_on_its_left),
        CASE(match_parameters_are_selectors),
        CASE(selectors_are_listed),
        CASE(nesting_has_a_limit),
    };
    return cmocka_run_group_tests_name("promql", tests, NULL, NULL);
}
