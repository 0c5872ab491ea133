/* SPDX-License-Identifier: Apache-2.0 */
/* Forty minutes of alerting by a hand-turned clock, over an evaluator and a store made of arrays. */
#include "base/vec.h"
#include "rules/rules.h"
#include "test.h"

#include <stdlib.h>

/* --- the world: what queries answer, what was written, what was told --- */

struct expr {
    char *text;
};

struct answer {
    const char *query;
    const char *labels[4][2]; /* of one element; name NULL ends */
    double value;
};

struct written {
    struct str series;
    int64_t t;
    double v;
};

static struct world {
    struct arena a;
    struct answer answers[8];
    size_t answers_n;
    const char *fails; /* text of a query that fails */
    VEC(struct written) samples;
    VEC(struct str) told; /* "firing alertname ends" */
    VEC(struct str) refs;
    struct written remembered; /* of ALERTS_FOR_STATE, for restoring */
    struct rules *rules;
} w;

static struct labels labels_of(struct arena *a, const struct answer *s)
{
    struct label *v = arena_array(a, 4, sizeof(*v));
    size_t n = 0;
    for (; n < 4 && s->labels[n][0]; n++) {
        v[n] = (struct label){ str_c(s->labels[n][0]), str_c(s->labels[n][1]) };
    }
    return labels_from(v, n);
}

static enum err compile(struct evaluator *ev, struct str text, struct expr **out, struct diag *d)
{
    (void)ev;
    if (str_eq(text, STR("bad("))) return diag_set(d, ERR_SYNTAX, "1:5: parse error: bad");
    *out = malloc(sizeof(**out));
    (*out)->text = strndup(text.p, text.n);
    return OK;
}
static void release(struct evaluator *ev, struct expr *e)
{
    (void)ev;
    if (e) free(e->text);
    free(e);
}
static struct str print(struct evaluator *ev, const struct expr *e, struct arena *a)
{
    (void)ev;
    return arena_dup(a, str_c(e->text));
}
static enum err eval(struct evaluator *ev, const struct expr *e, const struct eval_range *r,
                     struct arena *a, const _Atomic(bool) *cancel, struct value *out,
                     struct diag *d)
{
    (void)ev;
    (void)cancel;
    if (w.fails && strcmp(w.fails, e->text) == 0) return diag_set(d, ERR_SYNTAX, "query failed");
    *out = (struct value){ .kind = VALUE_VECTOR };
    out->vector.v = arena_array(a, 8, sizeof(*out->vector.v));
    for (size_t i = 0; i < w.answers_n; i++) {
        if (strcmp(w.answers[i].query, e->text) != 0) continue;
        out->vector.v[out->vector.n++] = (struct vector_sample){ labels_of(a, &w.answers[i]),
                                                                 r->start, w.answers[i].value,
                                                                 NULL };
    }
    return OK;
}
static const struct evaluator_ops EVAL_OPS = { compile, release, print, eval };
static struct evaluator evaluator = { &EVAL_OPS };

static enum err ap_series(struct appender *ap, struct labels lb, uint64_t *ref, struct diag *d)
{
    (void)ap;
    (void)d;
    BUF(b, 0);
    labels_write(&b, lb);
    *vec_push(&w.a, &w.refs) = arena_dup(&w.a, buf_str(&b));
    *ref = w.refs.n - 1;
    return OK;
}
static enum err ap_add(struct appender *ap, uint64_t ref, int64_t t, double v)
{
    (void)ap;
    *vec_push(&w.a, &w.samples) = (struct written){ w.refs.v[ref], t, v };
    return OK;
}
static enum err ap_commit(struct appender *ap, struct append_result *res, struct diag *d)
{
    (void)ap;
    (void)d;
    *res = (struct append_result){ 0 };
    return OK;
}
static void ap_rollback(struct appender *ap) { (void)ap; }
static const struct appender_ops APPENDER_OPS = { ap_series, ap_add, ap_commit, ap_rollback, NULL };
static struct appender appender = { &APPENDER_OPS };
static struct appender *aa_open(struct appendable *aa)
{
    (void)aa;
    return &appender;
}
static const struct appendable_ops APPENDABLE_OPS = { aa_open };
static struct appendable appendable = { &APPENDABLE_OPS };

static enum err q_select(struct querier *q, struct arena *a, const struct matcher *m, size_t n,
                         int64_t mint, int64_t maxt, struct series **out, size_t *out_n,
                         struct diag *d)
{
    (void)q;
    (void)mint;
    (void)maxt;
    (void)d;
    assert_int_equal(n, 2);
    assert_true(str_eq(m[0].value, STR("ALERTS_FOR_STATE")));
    *out = arena_new(a, struct series);
    *out_n = w.remembered.t && str_eq(m[1].value, STR("Slow"));
    static const struct answer LB = { "",
                                      { { "__name__", "ALERTS_FOR_STATE" },
                                        { "alertname", "Slow" },
                                        { "job", "x" },
                                        { "severity", "page" } },
                                      0 };
    (*out)->lb = labels_of(a, &LB);
    return OK;
}
static bool q_last(struct querier *q, const struct series *s, int64_t mint, int64_t maxt,
                   struct sample *out)
{
    (void)q;
    (void)s;
    *out = (struct sample){ w.remembered.t, w.remembered.v };
    return w.remembered.t >= mint && w.remembered.t <= maxt;
}
static void q_close(struct querier *q) { (void)q; }
static const struct querier_ops QUERIER_OPS = { .select = q_select,
                                                .last = q_last,
                                                .close = q_close };
static struct querier querier = { &QUERIER_OPS };
static enum err qa_open(struct queryable *qa, int64_t mint, int64_t maxt, struct querier **out,
                        struct diag *d)
{
    (void)qa;
    (void)mint;
    (void)maxt;
    (void)d;
    *out = &querier;
    return OK;
}
static const struct queryable_ops QUERYABLE_OPS = { qa_open };
static struct queryable queryable = { &QUERYABLE_OPS };

static void told(struct notifier *nf, const struct notice *v, size_t n)
{
    (void)nf;
    for (size_t i = 0; i < n; i++) {
        *vec_push(&w.a, &w.told) = arena_fmt(
            &w.a, STR_FMT " from %lld to %lld " STR_FMT,
            STR_ARG(labels_get(v[i].labels, STR("alertname"))), (long long)v[i].starts_at / 1000,
            (long long)v[i].ends_at / 1000, STR_ARG(labels_get(v[i].annotations, STR("summary"))));
    }
}
static const struct notifier_ops NOTIFIER_OPS = { told };
static struct notifier notifier = { &NOTIFIER_OPS };

static void start(void *ctx, struct rule_group *g)
{
    (void)ctx;
    rule_group_run(g);
    rules_ran(w.rules, g);
}

/* --- helpers --- */

#define MIN (60 * 1000)

static enum err load(const char *text, int64_t now, struct diag *d)
{
    struct rules_source file = { STR("r.yml"), str_c(text) };
    struct rules_settings s = { .interval_ms = MIN, .external_url = STR("http://p") };
    return rules_load(w.rules, &s, &file, 1, now, d);
}

static void must_load(const char *text, int64_t now)
{
    struct diag d = { 0 };
    if (load(text, now, &d) != OK) fail_msg("%s", d.text);
}

/* All ticks in (from, to], as a loop would have them; returns the last of them. */
static int64_t run(int64_t from, int64_t to)
{
    int64_t next = rules_tick(w.rules, from), last = from;
    while (next <= to) {
        last = next;
        next = rules_tick(w.rules, next);
    }
    return last;
}

static void answer(const char *query, const char *job, double value)
{
    w.answers[w.answers_n++] = (struct answer){ query,
                                                { { "__name__", "m" }, { "job", job } },
                                                value };
}
static void silence(void) { w.answers_n = 0; }
static void forget(void)
{
    w.samples.n = 0;
    w.told.n = 0;
}

static const struct written *last_of(const char *series)
{
    for (size_t i = w.samples.n; i; i--) {
        if (str_eqc(w.samples.v[i - 1].series, series)) return &w.samples.v[i - 1];
    }
    return NULL;
}

static int set_up(void **state)
{
    (void)state;
    w = (struct world){ 0 };
    struct rules_env env = { &evaluator, &queryable, &appendable, &notifier, 60 * MIN, 10 * MIN,
                             MIN,        NULL,       start,       NULL,      NULL };
    w.rules = rules_new(&env);
    return 0;
}
static int tear_down(void **state)
{
    (void)state;
    rules_free(w.rules);
    arena_done(&w.a);
    return 0;
}

static const char RULES[] = "groups:\n"
                            "- name: g\n"
                            "  interval: 1m\n"
                            "  rules:\n"
                            "  - record: job:m\n"
                            "    expr: rec\n"
                            "    labels: {extra: '1'}\n"
                            "  - alert: Slow\n"
                            "    expr: lag\n"
                            "    for: 5m\n"
                            "    keep_firing_for: 2m\n"
                            "    labels: {severity: page}\n"
                            "    annotations:\n"
                            "      summary: '{{ $labels.job }} is at {{ $value }}'\n";

enum { START = 1000000 * 1000 };

static const struct alert_view *the_alert(struct rules_view *v)
{
    assert_int_equal(v->n, 1);
    assert_int_equal(v->v[0]->rules_n, 2);
    return v->v[0]->rules[1].alerts_n ? &v->v[0]->rules[1].alerts[0] : NULL;
}

static enum alert_state state_now(void)
{
    struct rules_view *v = rules_view(w.rules);
    const struct alert_view *al = the_alert(v);
    enum alert_state s = al ? al->state : ALERT_INACTIVE;
    rules_view_unref(v);
    return s;
}

/* --- tests --- */

static void an_alert_lives(void **state)
{
    (void)state;
    must_load(RULES, START);
    int64_t t = run(START, START + 3 * MIN);
    assert_int_equal(state_now(), ALERT_INACTIVE);
    answer("lag", "x", 1234567);
    t = run(t, t + 5 * MIN); /* five ticks: active for four minutes */
    assert_int_equal(state_now(), ALERT_PENDING);
    assert_int_equal(w.told.n, 0);
    assert_non_null(last_of(
        "ALERTS{alertname=\"Slow\", alertstate=\"pending\", job=\"x\", severity=\"page\"}"));
    t = run(t, t + MIN);
    assert_int_equal(state_now(), ALERT_FIRING);
    assert_int_equal(w.told.n, 1);
    assert_true(
        str_eq(w.told.v[0], arena_fmt(&w.a, "Slow from %lld to %lld x is at 1.234567e+06",
                                      (long long)t / 1000, (long long)(t + 4 * MIN) / 1000)));
    /* the pending series ended when the firing one began */
    assert_true(is_stale_nan(
        last_of("ALERTS{alertname=\"Slow\", alertstate=\"pending\", job=\"x\", severity=\"page\"}")
            ->v));
    assert_true(
        last_of("ALERTS{alertname=\"Slow\", alertstate=\"firing\", job=\"x\", severity=\"page\"}")
            ->v == 1);
    assert_true(last_of("ALERTS_FOR_STATE{alertname=\"Slow\", job=\"x\", severity=\"page\"}")->v ==
                (double)((t - 5 * MIN) / 1000));
    forget();
    t = run(t, t + 4 * MIN); /* sent again when the last sending is more than a minute ago */
    assert_int_equal(w.told.n, 2);
    silence();
    forget();
    t = run(t, t + 2 * MIN); /* kept firing for two minutes */
    assert_int_equal(state_now(), ALERT_FIRING);
    t = run(t, t + MIN);
    assert_int_equal(state_now(), ALERT_INACTIVE);
    assert_true(str_find(w.told.v[w.told.n - 1],
                         arena_fmt(&w.a, " to %lld ", (long long)t / 1000)) != STR_NONE);
    forget();
    (void)run(t, t + 20 * MIN); /* its end is told again for a quarter of an hour */
    assert_true(w.told.n >= 7 && w.told.n <= 8);
}

static void a_recording_rule_writes_and_ends(void **state)
{
    (void)state;
    must_load(RULES, START);
    answer("rec", "x", 7);
    int64_t t = run(START, START + 2 * MIN);
    const struct written *s = last_of("job:m{extra=\"1\", job=\"x\"}");
    assert_non_null(s);
    assert_true(s->v == 7 && s->t == t);
    w.fails = "rec";
    forget();
    t = run(t, t + MIN); /* a failing query ends nothing */
    assert_int_equal(w.samples.n, 0);
    struct rules_view *v = rules_view(w.rules);
    assert_int_equal(v->v[0]->rules[0].health, RULE_ERR);
    assert_true(str_eq(v->v[0]->rules[0].error, STR("query failed")));
    rules_view_unref(v);
    w.fails = NULL;
    silence();
    t = run(t, t + MIN);
    assert_true(is_stale_nan(last_of("job:m{extra=\"1\", job=\"x\"}")->v));
    forget();
    (void)run(t, t + MIN);
    assert_int_equal(w.samples.n, 0);
}

static void equal_labels_are_an_error(void **state)
{
    (void)state;
    must_load(RULES, START);
    answer("lag", "x", 1);
    answer("lag", "x", 2);
    (void)run(START, START + MIN);
    struct rules_view *v = rules_view(w.rules);
    assert_true(
        str_eq(v->v[0]->rules[1].error,
               STR("vector contains metrics with the same labelset after applying alert labels")));
    assert_int_equal(v->v[0]->rules[1].alerts_n, 0);
    rules_view_unref(v);
}

/* `for` of 12 minutes, active since long before: the state of before the restart counts. */
static const char LONG[] =
    "groups:\n- name: g\n  rules:\n  - record: r\n    expr: rec\n"
    "  - alert: Slow\n    expr: lag\n    for: 12m\n    labels: {severity: page}\n";

static const struct {
    int active_min_ago, down_min_ago;
    int64_t active_after_min; /* ActiveAt relative to the second tick, in minutes */
} RESTORES[] = {
    { 20, 1, -20 }, /* fired before: fires again at once */
    { 12, 1, -2 },  /* one minute was left: at least the grace period */
    { 2, 1, -1 },   /* eleven were left: the minute of downtime does not count */
};

static void for_state_survives_a_restart(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(RESTORES); i++) {
        (void)tear_down(NULL);
        (void)set_up(NULL);
        must_load(LONG, START);
        answer("lag", "x", 5);
        int64_t first = run(START, START + MIN), second = first + MIN;
        w.remembered.t = second - RESTORES[i].down_min_ago * MIN;
        w.remembered.v = (double)(second - RESTORES[i].active_min_ago * MIN) / 1000;
        assert_null(last_of(
            "ALERTS{alertname=\"Slow\", alertstate=\"pending\", job=\"x\", severity=\"page\"}"));
        int64_t t = run(first, second);
        assert_true(t == second);
        t = run(t, t + MIN);
        struct rules_view *v = rules_view(w.rules);
        /* the store remembers seconds */
        int64_t off = the_alert(v)->active_at - (second + RESTORES[i].active_after_min * MIN);
        assert_true(off > -1000 && off < 1000);
        assert_int_equal(the_alert(v)->state, i == 0 ? ALERT_FIRING : ALERT_PENDING);
        rules_view_unref(v);
    }
}

static void a_reload_keeps_what_did_not_change(void **state)
{
    (void)state;
    must_load(RULES, START);
    answer("lag", "x", 1);
    answer("rec", "x", 2);
    int64_t t = run(START, START + 8 * MIN);
    assert_int_equal(state_now(), ALERT_FIRING);
    must_load(RULES, t); /* nothing changed */
    assert_int_equal(state_now(), ALERT_FIRING);
    /* the recording rule goes, the alert stays */
    static const char LESS[] =
        "groups:\n- name: g\n  interval: 1m\n  rules:\n  - record: other\n    expr: none\n"
        "  - alert: Slow\n    expr: lag\n    for: 5m\n    keep_firing_for: 2m\n    labels: {severity: page}\n"
        "    annotations:\n      summary: '{{ $labels.job }} is at {{ $value }}'\n";
    must_load(LESS, t);
    forget();
    t = run(t, t + MIN);
    assert_int_equal(state_now(), ALERT_FIRING);
    assert_true(is_stale_nan(last_of("job:m{extra=\"1\", job=\"x\"}")->v));
    /* all goes: the series end after two intervals */
    forget();
    must_load("groups: []\n", t);
    (void)run(t, t + 5 * MIN);
    assert_true(is_stale_nan(
        last_of("ALERTS{alertname=\"Slow\", alertstate=\"firing\", job=\"x\", severity=\"page\"}")
            ->v));
    struct rules_view *v = rules_view(w.rules);
    assert_int_equal(v->n, 0);
    rules_view_unref(v);
}

static void missed_slots_are_counted(void **state)
{
    (void)state;
    must_load(RULES, START);
    int64_t t = run(START, START + MIN);
    (void)rules_tick(w.rules, t + 5 * MIN + 10);
    struct rules_view *v = rules_view(w.rules);
    assert_int_equal(v->v[0]->missed, 4);
    assert_true(v->v[0]->last_eval == t + 5 * MIN);
    rules_view_unref(v);
}

static const struct {
    const char *text, *error;
} BAD[] = {
    { "groups:\n- name: a\n- name: a\n",
      "r.yml: 3:9: groupname: \"a\" is repeated in the same file" },
    { "groups:\n- name: a\n  rules:\n  - alert: x\n    expr: bad(\n",
      "r.yml: 5:11: group \"a\", rule 1, \"x\": could not parse expression: 1:5: parse error: bad" },
    { "groups:\n- name: a\n  rules:\n  - alert: x\n",
      "r.yml: 4:5: group \"a\", rule 1, \"x\": field 'expr' must be set in rule" },
    { "groups:\n- name: a\n  rules:\n  - record: x\n    expr: y\n    for: 5m\n",
      "r.yml: 4:13: group \"a\", rule 1, \"x\": invalid field 'for' in recording rule" },
    { "groups:\n- name: a\n  rules:\n  - alert: x\n    expr: y\n    labels: {l: '{{ $nope }}'}\n",
      "r.yml: 6:17: group \"a\", rule 1, \"x\": label \"l\": template: __alert_x:1: undefined variable \"$nope\"" },
};

static void bad_files_change_nothing(void **state)
{
    (void)state;
    must_load(RULES, START);
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct diag d = { 0 };
        assert_int_not_equal(load(BAD[i].text, START, &d), OK);
        assert_string_equal(d.text, BAD[i].error);
        struct rules_view *v = rules_view(w.rules);
        assert_int_equal(v->n, 1);
        rules_view_unref(v);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(an_alert_lives),
        T(a_recording_rule_writes_and_ends),
        T(equal_labels_are_an_error),
        T(for_state_survives_a_restart),
        T(a_reload_keeps_what_did_not_change),
        T(missed_slots_are_counted),
        T(bad_files_change_nothing),
    };
    return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
