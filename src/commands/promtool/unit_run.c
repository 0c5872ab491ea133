/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/promtool/unit_run.h"

#include "codec/goquote.h"
#include "codec/gotime.h"
#include "codec/num.h"
#include "commands/promtool/memstore.h"
#include "commands/promtool/promtool.h"
#include "promql/notation.h"
#include "promql/promql.h"

#include <math.h>
#include <stdlib.h>

#define MS_NS INT64_C(1000000)

/* A group under way. */
struct running {
    const struct unit_run *u;
    const struct unit_group *g;
    struct failures *out;
    struct arena *a;
    struct memstore store;
    struct evaluator *ev;
    struct rules *rules;
    struct rule_group **order;
    size_t order_n;
    int64_t last; /* tick */
};

static void fail(struct failures *out, struct str text)
{
    *vec_push(out->a, &out->v) = arena_dup(out->a, text);
}

static struct str duration_text(struct arena *a, int64_t ms)
{
    BUF(b, 64);
    duration_write(&b, ms);
    return arena_dup(a, buf_str(&b));
}

static struct str quoted(struct arena *a, struct str s)
{
    BUF(b, 0);
    go_quote(&b, s);
    return arena_dup(a, buf_str(&b));
}

/* --- input --- */

static enum err load_series(struct running *r, const struct unit_series *s, struct diag *d)
{
    struct labels lb;
    struct notated *v;
    size_t n;
    if (notation_metric(r->a, s->series, &lb, d) != OK) {
        /* The original reads series and values as one text; so does its message. */
        struct str whole = arena_fmt(r->a, STR_FMT " " STR_FMT, STR_ARG(s->series),
                                     STR_ARG(s->values));
        struct diag better = { 0 };
        if (notation_metric(r->a, whole, &lb, &better) != OK && d) *d = better;
        return ERR_SYNTAX;
    }
    TRY(notation_values(r->a, s->values, &v, &n, d));
    struct memseries *to = memstore_series(&r->store, lb);
    for (size_t i = 0; i < n; i++) {
        int64_t t = r->g->start_ms + (int64_t)i * r->g->interval_ms;
        if (to->c.n && to->c.t[to->c.n - 1] >= t) continue; /* the series stands there twice */
        if (!v[i].gap) column_push(&to->c, t, v[i].v);
    }
    return OK;
}

static bool load_input(struct running *r)
{
    const struct unit_series *v = r->g->series.v;
    for (size_t i = 0; i < r->g->series.n; i++) {
        struct diag d = { 0 };
        if (load_series(r, &v[i], &d) == OK) continue;
        fail(r->out, str_c(d.text));
        return false;
    }
    return true;
}

static size_t place_in_order(const struct yaml_strs *order, struct str name)
{
    for (size_t i = 0; i < order->n; i++) {
        if (str_eq(order->v[i], name)) return i;
    }
    return 0;
}

/* By group_eval_order; else in the order of the files. */
static void sort_groups(struct running *r)
{
    struct rule_group *const *v;
    const struct yaml_strs *order = &r->u->file->group_order;
    r->order_n = rules_groups(r->rules, &v);
    r->order = arena_array(r->a, r->order_n, sizeof(struct rule_group *));
    for (size_t i = 0; i < r->order_n; i++) {
        size_t at = i, place = place_in_order(order, rule_group_name(v[i]));
        for (; at && place_in_order(order, rule_group_name(r->order[at - 1])) > place; at--) {
            r->order[at] = r->order[at - 1];
        }
        r->order[at] = v[i];
    }
}

static bool load_rules(struct running *r)
{
    const struct yaml_pairs *external = &r->g->external_labels;
    struct label *lb = arena_array(r->a, external->n, sizeof(*lb));
    struct diag d = { 0 };
    for (size_t i = 0; i < external->n; i++) {
        lb[i] = (struct label){ external->v[i].key, external->v[i].value };
    }
    struct rules_settings s = { .interval_ms = r->g->interval_ms,
                                .external_labels = labels_from(lb, external->n),
                                .external_url = r->g->external_url,
                                .ignore_unknown = r->u->ignore_unknown };
    /* After a first load nothing has to be restored: alerts write their series from the start. */
    if (rules_load(r->rules, &s, NULL, 0, 0, &d) == OK &&
        rules_load(r->rules, &s, r->u->rules, r->u->rules_n, 0, &d) == OK) {
        sort_groups(r);
        return true;
    }
    fail(r->out, str_c(d.text));
    return false;
}

/* --- evaluation --- */

static struct str go_time(struct arena *a, int64_t ms)
{
    BUF(b, 64);
    go_duration_write(&b, ms * MS_NS);
    return arena_dup(a, buf_str(&b));
}

/* False: a rule failed, which ends the group. */
static bool evaluate(struct running *r, int64_t at)
{
    bool good = true;
    r->store.till = at;
    for (size_t i = 0; i < r->order_n; i++) rule_group_run_at(r->order[i], at);
    struct rules_view *v = rules_view(r->rules);
    for (size_t i = 0; i < v->n; i++) {
        for (size_t k = 0; k < v->v[i]->rules_n; k++) {
            const struct rule_view *rule = &v->v[i]->rules[k];
            if (rule->health != RULE_ERR) continue;
            fail(r->out,
                 arena_fmt(r->a, "    rule: " STR_FMT ", time: " STR_FMT ", err: " STR_FMT,
                           STR_ARG(rule->name), STR_ARG(go_time(r->a, at)), STR_ARG(rule->error)));
            good = false;
        }
    }
    rules_view_unref(v);
    return good;
}

/* --- alerts --- */

struct firing {
    struct labels labels, annotations;
};

struct alert_set {
    VEC(struct firing) v;
};

static struct labels labels_of_pairs(struct arena *a, const struct yaml_pairs *p, struct str name)
{
    struct label *v = arena_array(a, p->n + 1, sizeof(*v));
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) v[n++] = (struct label){ p->v[i].key, p->v[i].value };
    if (name.n) v[n++] = (struct label){ STR("alertname"), name };
    return labels_from(v, n);
}

static int alert_order(const void *x, const void *y)
{
    const struct firing *a = x, *b = y;
    int c = labels_cmp(a->labels, b->labels);
    return c ? c : labels_cmp(a->annotations, b->annotations);
}

static void sort_alerts(struct alert_set *s)
{
    if (s->v.n) qsort(s->v.v, s->v.n, sizeof(*s->v.v), alert_order);
}

static void got_alerts(struct running *r, struct str name, struct alert_set *out)
{
    struct rules_view *v = rules_view(r->rules);
    for (size_t i = 0; i < v->n; i++) {
        for (size_t k = 0; k < v->v[i]->rules_n; k++) {
            const struct rule_view *rule = &v->v[i]->rules[k];
            if (!rule->alerting || !str_eq(rule->name, name)) continue;
            for (size_t m = 0; m < rule->alerts_n; m++) {
                const struct alert_view *x = &rule->alerts[m];
                if (x->state != ALERT_FIRING) continue;
                struct firing it = { labels_dup(r->a, x->labels),
                                     labels_dup(r->a, x->annotations) };
                *vec_push(r->a, &out->v) = it;
            }
        }
    }
    rules_view_unref(v);
    sort_alerts(out);
}

static void expected_alerts(struct running *r, const struct unit_alert_test *t,
                            struct alert_set *out)
{
    const struct unit_alert *v = t->alerts.v;
    for (size_t i = 0; i < t->alerts.n; i++) {
        struct firing it = { labels_of_pairs(r->a, &v[i].labels, t->alertname),
                             labels_of_pairs(r->a, &v[i].annotations, STR("")) };
        *vec_push(r->a, &out->v) = it;
    }
    sort_alerts(out);
}

static struct str alerts_text(struct arena *a, const struct alert_set *s)
{
    BUF(b, 0);
    buf_char(&b, '[');
    for (size_t i = 0; i < s->v.n; i++) {
        buf_fmt(&b, "%s\n            %zu:\n              Labels:", i ? "," : "", i);
        labels_write_set(&b, s->v.v[i].labels);
        buf_putc(&b, "\n              Annotations:");
        labels_write_set(&b, s->v.v[i].annotations);
    }
    buf_putc(&b, s->v.n ? "\n            ]" : "]");
    return arena_dup(a, buf_str(&b));
}

static bool same_alerts(const struct alert_set *x, const struct alert_set *y)
{
    if (x->v.n != y->v.n) return false;
    for (size_t i = 0; i < x->v.n; i++) {
        if (alert_order(&x->v.v[i], &y->v.v[i]) != 0) return false;
    }
    return true;
}

static bool has_line(struct str text, struct str wanted)
{
    struct str line;
    while (text.n) {
        (void)str_cut(text, '\n', &line, &text);
        if (str_eq(line, wanted)) return true;
    }
    return false;
}

/* Lines of one side only, marked. Differs: the original prints a coloured difference of JSON. */
static struct str difference(struct arena *a, struct str exp, struct str got)
{
    BUF(b, 0);
    struct str line, rest = exp;
    buf_putc(&b, "\n        diff:");
    while (rest.n) {
        (void)str_cut(rest, '\n', &line, &rest);
        if (!has_line(got, line)) buf_fmt(&b, "\n        -" STR_FMT, STR_ARG(line));
    }
    rest = got;
    while (rest.n) {
        (void)str_cut(rest, '\n', &line, &rest);
        if (!has_line(exp, line)) buf_fmt(&b, "\n        +" STR_FMT, STR_ARG(line));
    }
    return arena_dup(a, buf_str(&b));
}

static void check_alerts(struct running *r, const struct unit_alert_test *t)
{
    struct alert_set exp = { 0 }, got = { 0 };
    expected_alerts(r, t, &exp);
    got_alerts(r, t->alertname, &got);
    if (same_alerts(&exp, &got)) return;
    struct arena *a = r->a;
    struct str e = alerts_text(a, &exp), g = alerts_text(a, &got);
    struct str name = r->g->name.n ? arena_fmt(a, "    name: " STR_FMT ",\n", STR_ARG(r->g->name))
                                   : STR("");
    struct str both = r->u->diff ? difference(a, e, g)
                                 : arena_fmt(a, "\n        exp:" STR_FMT ", \n        got:" STR_FMT,
                                             STR_ARG(e), STR_ARG(g));
    fail(r->out, arena_fmt(a, STR_FMT "    alertname: " STR_FMT ", time: " STR_FMT ", " STR_FMT,
                           STR_ARG(name), STR_ARG(t->alertname),
                           STR_ARG(duration_text(a, t->at_ms)), STR_ARG(both)));
}

/* Alerts are held against the evaluation at or before their time. */
static bool run_steps(struct running *r)
{
    const struct unit_alert_test *alerts = r->g->alert_tests.v;
    const struct unit_expr_test *exprs = r->g->expr_tests.v;
    int64_t last = 0, step = r->u->file->interval_ms;
    for (size_t i = 0; i < r->g->alert_tests.n; i++) {
        if (alerts[i].at_ms > last) last = alerts[i].at_ms;
    }
    for (size_t i = 0; i < r->g->expr_tests.n; i++) {
        if (exprs[i].at_ms > last) last = exprs[i].at_ms;
    }
    for (int64_t at = 0; at <= last; at += step) {
        if (!evaluate(r, r->g->start_ms + at)) return false;
        for (int64_t from = at; from < at + step;) { /* in the order of time, then of the file */
            int64_t next = INT64_MAX;
            for (size_t i = 0; i < r->g->alert_tests.n; i++) {
                if (alerts[i].at_ms >= from && alerts[i].at_ms < next) next = alerts[i].at_ms;
            }
            if (next >= at + step) break;
            for (size_t i = 0; i < r->g->alert_tests.n; i++) {
                if (alerts[i].at_ms == next) check_alerts(r, &alerts[i]);
            }
            from = next + 1;
        }
    }
    return true;
}

/* --- expressions --- */

struct sample_set {
    struct vector_sample *v;
    size_t n;
};

static int sample_order(const void *x, const void *y)
{
    const struct vector_sample *a = x, *b = y;
    return labels_cmp(a->lb, b->lb);
}

static struct str samples_text(struct arena *a, const struct sample_set *s)
{
    BUF(b, 0);
    if (!s->n) return STR("nil");
    for (size_t i = 0; i < s->n; i++) {
        if (i) buf_putc(&b, ", ");
        labels_write_set(&b, s->v[i].lb);
        buf_char(&b, ' ');
        size_t from = b.n;
        num_write_go(&b, s->v[i].v, 'e', -1);
        for (size_t k = from; k < b.n; k++) {
            if (b.p[k] == 'e') b.p[k] = 'E';
        }
    }
    return arena_dup(a, buf_str(&b));
}

static bool same_value(double x, double y, bool fuzzy)
{
    if (x == y || (isnan(x) && isnan(y))) return true;
    return fuzzy && (nextafter(x, -INFINITY) == y || nextafter(x, INFINITY) == y);
}

static bool same_samples(const struct sample_set *x, const struct sample_set *y, bool fuzzy)
{
    if (x->n != y->n) return false;
    for (size_t i = 0; i < x->n; i++) {
        if (!labels_eq(x->v[i].lb, y->v[i].lb) || !same_value(x->v[i].v, y->v[i].v, fuzzy)) {
            return false;
        }
    }
    return true;
}

static enum err query(struct running *r, struct str text, int64_t at, struct sample_set *out,
                      struct diag *d)
{
    struct expr *e;
    struct value v;
    TRY(r->ev->ops->compile(r->ev, text, &e, d));
    struct eval_range range = { .start = at, .end = at };
    enum err code = r->ev->ops->eval(r->ev, e, &range, r->a, NULL, &v, d);
    r->ev->ops->release(r->ev, e);
    TRY(code);
    if (v.kind == VALUE_SCALAR) {
        out->v = arena_array(r->a, 1, sizeof(*out->v));
        out->v[0] = (struct vector_sample){ .v = v.scalar.v };
        out->n = 1;
    } else if (v.kind == VALUE_VECTOR) {
        *out = (struct sample_set){ v.vector.v, v.vector.n };
    } else {
        return diag_set(d, ERR_SYNTAX, "rule result is not a vector or scalar");
    }
    if (out->n) qsort(out->v, out->n, sizeof(*out->v), sample_order);
    return OK;
}

static enum err expected_samples(struct running *r, const struct unit_expr_test *t,
                                 struct sample_set *out, struct diag *d)
{
    const struct unit_sample *v = t->samples.v;
    out->v = arena_array(r->a, t->samples.n, sizeof(*out->v));
    for (size_t i = 0; i < t->samples.n; i++) {
        struct labels lb = { 0 };
        struct diag why = { 0 };
        if (v[i].histogram.n) {
            return diag_set(d, ERR_UNSUPPORTED,
                            "native histograms in exp_samples are not supported yet");
        }
        if (v[i].labels.n && notation_metric(r->a, v[i].labels, &lb, &why) != OK) {
            return diag_set(d, ERR_SYNTAX, "labels " STR_FMT ": %s",
                            STR_ARG(quoted(r->a, v[i].labels)), why.text);
        }
        out->v[out->n++] = (struct vector_sample){ .lb = lb, .v = v[i].value };
    }
    if (out->n) qsort(out->v, out->n, sizeof(*out->v), sample_order);
    return OK;
}

static void check_expr(struct running *r, const struct unit_expr_test *t)
{
    struct sample_set exp = { 0 }, got = { 0 };
    struct diag d = { 0 };
    struct arena *a = r->a;
    struct str expr = quoted(a, t->expr), time = duration_text(a, t->at_ms);
    if (query(r, t->expr, r->g->start_ms + t->at_ms, &got, &d) != OK ||
        expected_samples(r, t, &exp, &d) != OK) {
        fail(r->out, arena_fmt(a, "    expr: " STR_FMT ", time: " STR_FMT ", err: %s",
                               STR_ARG(expr), STR_ARG(time), d.text));
        return;
    }
    if (same_samples(&exp, &got, r->u->file->fuzzy)) return;
    fail(r->out, arena_fmt(a,
                           "    expr: " STR_FMT ", time: " STR_FMT ",\n        exp: " STR_FMT
                           "\n        got: " STR_FMT,
                           STR_ARG(expr), STR_ARG(time), STR_ARG(samples_text(a, &exp)),
                           STR_ARG(samples_text(a, &got))));
}

/* --- a group --- */

static bool alerts_are_named(struct running *r)
{
    const struct unit_alert_test *v = r->g->alert_tests.v;
    for (size_t i = 0; i < r->g->alert_tests.n; i++) {
        if (v[i].alertname.n) continue;
        struct str in = r->g->name.n
                            ? arena_fmt(r->a, " (in TestGroup " STR_FMT ")", STR_ARG(r->g->name))
                            : STR("");
        fail(r->out, arena_fmt(r->a,
                               "an item under alert_rule_test misses required attribute alertname "
                               "at eval_time " STR_FMT STR_FMT,
                               STR_ARG(duration_text(r->a, v[i].at_ms)), STR_ARG(in)));
        return false;
    }
    return true;
}

void unit_run_group(const struct unit_run *u, const struct unit_group *g, struct failures *out)
{
    ARENA(a, 0);
    struct running r = { .u = u, .g = g, .out = out, .a = &a };
    memstore_init(&r.store);
    r.ev = promql_new(&r.store.queryable,
                      &(struct promql_options){ .subquery_step_ms = u->file->interval_ms,
                                                .features = u->features });
    struct rules_env env = { .evaluator = r.ev,
                             .queryable = &r.store.queryable,
                             .appendable = &r.store.appendable };
    r.rules = rules_new(&env);
    if (load_input(&r) && load_rules(&r) && alerts_are_named(&r) && run_steps(&r)) {
        const struct unit_expr_test *v = g->expr_tests.v;
        for (size_t i = 0; i < g->expr_tests.n; i++) check_expr(&r, &v[i]);
    }
    rules_free(r.rules);
    promql_free(r.ev);
    memstore_done(&r.store);
}
