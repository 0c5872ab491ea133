/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queries.c - rules and panels held against the metrics that the running Prometheus has, and the data sources themselves
 */
#include "codec/num.h"
#include "commands/doctor/ask.h"
#include "commands/doctor/dead.h"
#include "commands/doctor/files.h"
#include "commands/doctor/peers.h"
#include "commands/doctor/web.h"
#include "dash/source.h"
#include "io/clock.h"
#include "promql/parse.h"

#include <ctype.h>

enum { PANELS_DEPTH = 4, VALUES_SHOWN = 5, SELECTORS_MS = 4000 };

struct inquiry {
    struct exam *x;
    const struct config_files *f;
    struct asker k;
    struct arena a;
    struct map recorded; /* names that recording rules make */
    struct str down;     /* jobs whose targets are down, "a, b" */
    size_t rules, panels;
};

/* --- which selectors live --- */

/* Known to Prometheus, or made by one of the rules, or by Prometheus itself. */
static bool name_lives(const struct inquiry *q, struct str name)
{
    return asker_has_name(&q->k, name) || map_get(&q->recorded, name) || str_eqc(name, "ALERTS") ||
           str_eqc(name, "ALERTS_FOR_STATE") || str_eqc(name, "up");
}

static bool lives(void *ctx, const struct node *s)
{
    struct inquiry *q = ctx;
    struct str name = selector_name(s);
    if (name.n && !name_lives(q, name)) return false;
    if (name.n && (s->selector.n == 1 || !asker_has_name(&q->k, name))) return true;
    BUF(text, 0);
    selector_write(&text, s, 0);
    return text.n <= 2 || asker_has_series(&q->k, buf_str(&text)); /* {} is everything */
}

/* --- why one does not --- */

struct reason {
    enum severity severity;
    struct saying cause, fix;
};

static bool safe_for_sed(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!isalnum((unsigned char)s.p[i]) && !strchr("_:-", s.p[i])) return false;
    }
    return s.n > 0;
}

static struct saying replace(struct inquiry *q, struct str old, struct str new, struct str path,
                             struct str selector)
{
    if (safe_for_sed(old) && safe_for_sed(new)) return SAY(W_FIX_SED, old, new, path);
    return SAY(W_FIX_QUERY, q->k.base, selector);
}

static struct reason unknown_metric(struct inquiry *q, struct str name, struct str path)
{
    struct str near = nearest(name, q->k.names, q->k.names_n);
    struct str text = arena_fmt(&q->a, "{__name__=\"" STR_FMT "\"}", STR_ARG(name));
    struct saying look = SAY(W_FIX_QUERY, q->k.base, text);
    if (!near.n && str_starts(name, STR("kafka_consumergroup_"))) {
        return (struct reason){ SEV_NOTE, SAY(W_METRIC_NOT_YET_WHY, name), look };
    }
    if (near.n) {
        return (struct reason){ SEV_WARNING, SAY(W_METRIC_NEAR_WHY, name, near),
                                replace(q, name, near, path, text) };
    }
    if (q->down.n) {
        return (struct reason){ SEV_NOTE, SAY(W_METRIC_DOWN_WHY, name, q->down), look };
    }
    return (struct reason){ SEV_WARNING, SAY(W_METRIC_UNKNOWN_WHY, name), look };
}

/* The matcher that is to blame: without it there are series, or with it alone there are none. */
static size_t culprit(struct inquiry *q, const struct node *s, uint64_t *without)
{
    size_t n = s->selector.n < 63 ? s->selector.n : 63, fallback = STR_NONE;
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < n; i++) {
            const struct matcher *m = &s->selector.matchers[i];
            if (str_eq(m->name, METRIC_NAME) || matcher_is_variable(m)) continue;
            BUF(text, 0);
            uint64_t others = 0;
            for (size_t k = 0; pass && k < n; k++) {
                bool keep = k == i || str_eq(s->selector.matchers[k].name, METRIC_NAME);
                if (!keep) others |= UINT64_C(1) << k;
            }
            selector_write(&text, s, pass ? others : UINT64_C(1) << i);
            bool has = asker_has_series(&q->k, buf_str(&text));
            fallback = i;
            *without = (pass ? others : 0) | UINT64_C(1) << i;
            if (has != (pass == 1)) return i;
        }
    }
    return fallback;
}

static struct str list_values(struct arena *a, const struct str *v, size_t n)
{
    BUF(b, 0);
    for (size_t i = 0; i < n && i < VALUES_SHOWN; i++) {
        buf_fmt(&b, "%s" STR_FMT, i ? ", " : "", STR_ARG(v[i]));
    }
    if (n > VALUES_SHOWN) buf_putc(&b, ", …");
    return arena_dup(a, buf_str(&b));
}

static struct reason wrong_label(struct inquiry *q, const struct node *s, struct str path)
{
    uint64_t without = 0;
    size_t at = culprit(q, s, &without);
    BUF(whole, 0);
    selector_write(&whole, s, 0);
    struct str text = arena_dup(&q->a, buf_str(&whole)), name = selector_name(s);
    struct saying look = SAY(W_FIX_QUERY, q->k.base, text);
    struct reason unknown = { SEV_WARNING, SAY(W_METRIC_UNKNOWN_WHY, text), look };
    if (at == STR_NONE) return unknown;
    const struct matcher *m = &s->selector.matchers[at];
    struct str shown = arena_fmt(&q->a, STR_FMT "%s\"" STR_FMT "\"", STR_ARG(m->name),
                                 match_op_text(m->op), STR_ARG(m->value));
    BUF(rest, 0);
    selector_write(&rest, s, without);
    struct str *values;
    size_t n = asker_values(&q->k, m->name, buf_str(&rest), &values);
    if (!name.n) name = text;
    if (!n) {
        return (struct reason){ SEV_WARNING, SAY(W_LABEL_ABSENT_WHY, name, shown, m->name), look };
    }
    struct str near = m->op == MATCH_EQ ? nearest(m->value, values, n) : STR("");
    if (near.n) {
        return (struct reason){ SEV_WARNING, SAY(W_LABEL_NEAR_WHY, name, shown, m->name, near),
                                replace(q, m->value, near, path, text) };
    }
    return (struct reason){ SEV_WARNING,
                            SAY(W_LABEL_WHY, name, shown, m->name, list_values(&q->a, values, n)),
                            look };
}

static struct reason explain(struct inquiry *q, const struct node *s, struct str path)
{
    struct str name = selector_name(s);
    if (name.n && !name_lives(q, name)) return unknown_metric(q, name, path);
    return wrong_label(q, s, path);
}

/* --- rules --- */

static void check_rule(struct inquiry *q, const struct rules_file *f, const struct rule_def *r)
{
    struct parse p = { 0 };
    struct node *root;
    if (parse_expression(&p, &q->a, r->expr, 0, &root, NULL) == OK) {
        const struct node *dead = dead_selector(root, lives, q);
        if (dead) {
            struct reason why = explain(q, dead, f->file.path);
            const struct yaml_node *at = yaml_get(r->at, "expr");
            struct str place = arena_fmt(&q->a, STR_FMT ":%u:%u  " STR_FMT, STR_ARG(f->file.shown),
                                         at ? at->line : r->at->line, at ? at->col : r->at->col,
                                         STR_ARG(str_trim(r->expr)));
            exam_report_file(q->x, CHECK_RULES, why.severity, SAY(W_RULE_DEAD, r->alert), why.cause,
                             why.fix, place, f->file.shown);
        }
    }
    parse_done(&p);
}

static void each_rule(struct inquiry *q, void (*fn)(struct inquiry *q, const struct rules_file *f,
                                                    const struct rule_def *r))
{
    VEC_FOR(f, &q->f->rules) {
        for (size_t i = 0; i < f->rules.n; i++) {
            for (size_t k = 0; k < f->rules.groups[i].rules_n; k++) {
                fn(q, f, &f->rules.groups[i].rules[k]);
            }
        }
    }
}

static void count_rule(struct inquiry *q, const struct rules_file *f, const struct rule_def *r)
{
    (void)f;
    q->rules++;
    if (r->record.n) (void)map_put(&q->recorded, r->record, q);
}

static void check_alert(struct inquiry *q, const struct rules_file *f, const struct rule_def *r)
{
    if (r->alert.n) check_rule(q, f, r);
}

/* What Prometheus itself says of its rules. */
static void check_rule_health(struct inquiry *q)
{
    const struct json *data;
    if (asker_get(&q->k, STR("/api/v1/rules"), &data, NULL) != OK) return;
    const struct json *groups = json_get(data, "groups");
    for (size_t i = 0; groups && i < groups->n; i++) {
        const struct json *rules = json_get(&groups->items[i], "rules");
        for (size_t k = 0; rules && k < rules->n; k++) {
            const struct json *r = &rules->items[k];
            if (!str_eqc(json_str(json_get(r, "health"), STR("")), "err")) continue;
            exam_report(q->x, CHECK_RULES, SEV_ERROR,
                        SAY(W_RULE_FAILS, json_str(json_get(r, "name"), STR("?"))),
                        SAY(W_RULE_FAILS_WHY, json_str(json_get(r, "lastError"), STR("?"))),
                        SAY(W_FIX_PROM, q->k.base), STR(""));
        }
    }
}

/* --- panels --- */

struct board {
    const struct dashboard_file *file;
    struct str title;
};

/* Only Prometheus' queries are ours to judge. */
static bool asks_prometheus(const struct json *panel, const struct json *target)
{
    const struct json *source = json_get(target, "datasource");
    if (!source) source = json_get(panel, "datasource");
    struct str type = json_str(json_get(source, "type"), STR("prometheus"));
    return str_eqc(type, "prometheus") && !json_bool(json_get(target, "hide"), false);
}

static struct str place_of_query(struct inquiry *q, const struct board *b, struct str expr)
{
    BUF(escaped, 0);
    json_escape(&escaped, expr);
    struct str at = text_place(&q->a, b->file->text, buf_str(&escaped));
    return arena_fmt(&q->a, STR_FMT "%s" STR_FMT "  " STR_FMT, STR_ARG(b->file->file.shown),
                     at.n ? ":" : "", STR_ARG(at), STR_ARG(expr));
}

/* Why this query finds nothing; false: it does find, or nobody can tell. */
static bool query_is_dead(struct inquiry *q, const struct board *b, struct str title,
                          struct str expr, struct reason *out)
{
    struct str text = query_of_template(&q->a, expr);
    struct parse p = { 0 };
    struct node *root;
    struct diag d = { 0 };
    bool dead = false;
    if (parse_expression(&p, &q->a, text, 0, &root, &d) == OK) {
        const struct node *s = dead_selector(root, lives, q);
        dead = s != NULL;
        if (dead) *out = explain(q, s, b->file->file.path);
    } else if (str_eq(text, expr)) { /* with variables in it, only Grafana knows what is asked */
        exam_report_file(q->x, CHECK_PANELS, SEV_ERROR, SAY(W_PANEL_BAD, title),
                         SAY(W_PANEL_BAD_WHY, b->title, str_c(d.text)),
                         SAY(W_FIX_CHECK, b->file->file.path), place_of_query(q, b, expr),
                         b->file->file.shown);
    }
    parse_done(&p);
    return dead;
}

static void check_panel(struct inquiry *q, const struct board *b, const struct json *panel)
{
    const struct json *targets = json_get(panel, "targets");
    struct str title = json_str(json_get(panel, "title"), STR("")), place = STR("");
    struct reason why = { 0 }, first = { 0 };
    size_t asked = 0, dead = 0;
    for (size_t i = 0; targets && targets->kind == JSON_ARRAY && i < targets->n; i++) {
        struct str expr = json_str(json_get(&targets->items[i], "expr"), STR(""));
        if (!str_trim(expr).n || !asks_prometheus(panel, &targets->items[i])) continue;
        asked++;
        if (!query_is_dead(q, b, title, expr, &why)) continue;
        if (!dead++) {
            first = why;
            place = place_of_query(q, b, expr);
        }
    }
    q->panels += asked > 0;
    if (!dead) return;
    bool all = dead == asked;
    exam_report_file(q->x, CHECK_PANELS, all ? first.severity : SEV_NOTE,
                     SAY(all ? W_PANEL_EMPTY : W_PANEL_PART, title), first.cause, first.fix, place,
                     b->file->file.shown);
}

/* NOLINTNEXTLINE(misc-no-recursion): PANELS_DEPTH */
static void check_panels(struct inquiry *q, const struct board *b, const struct json *v, int depth)
{
    static const char *const LISTS[] = { "panels", "rows" };
    for (size_t i = 0; i < ARRAY_LEN(LISTS) && depth < PANELS_DEPTH; i++) {
        const struct json *list = json_get(v, LISTS[i]);
        for (size_t k = 0; list && list->kind == JSON_ARRAY && k < list->n; k++) {
            check_panel(q, b, &list->items[k]);
            check_panels(q, b, &list->items[k], depth + 1);
        }
    }
}

/* --- data sources --- */

/* Without what stands before an @: it may be a password. */
static struct str source_base(struct exam *x, const struct dash_source *s)
{
    struct str url = s->url;
    while (url.n && url.p[url.n - 1] == '/') url.n--;
    size_t scheme = str_find(url, STR("://")), at = str_find_char(url, '@');
    if (scheme == STR_NONE || at == STR_NONE) return url;
    ARENA(a, 0);
    return exam_dup(x, arena_fmt(&a, STR_FMT STR_FMT, STR_ARG(str_first(url, scheme + 3)),
                                 STR_ARG(str_from(url, at + 1))));
}

/* NULL: a kind of source that we do not know how to ask. */
static const char *source_question(const struct dash_source *s)
{
    if (str_eqc(s->type, "prometheus")) return "/api/v1/query?query=1%2B1";
    return str_eqc(s->type, "alertmanager") ? "/api/v2/status" : NULL;
}

static void examine_source(struct exam *x, void *ctx)
{
    const struct dash_source *s = ctx;
    ARENA(a, 0);
    struct url u;
    struct web_reply r;
    enum web_stage stage;
    struct diag d = { 0 };
    struct str base = source_base(x, s);
    const struct web_login login = { .user = s->basic_auth ? s->basic_auth_user : STR(""),
                                     .password = secret_reveal(s->basic_auth_password) };
    struct saying fix = SAY(W_FIX_SOURCE, s->name);
    if (!url_split(&a, arena_fmt(&a, STR_FMT "%s", STR_ARG(base), source_question(s)), &u)) {
        exam_report(x, CHECK_PANELS, SEV_ERROR, SAY(W_SOURCE_STATUS, s->name, base, s->type),
                    SAY(W_SOURCE_STATUS_WHY, STR("")), fix, STR("no http:// or https:// address"));
        return;
    }
    own_address(x, &u);
    enum err e = web_get(&a, &u, &login, STEP_MS, &r, &stage, &d);
    if (stage == WEB_CONNECT && e != OK) {
        if (is_own_role(x, u.host, u.port)) { /* told among the roles */
            exam_unsure(x, CHECK_PANELS);
            return;
        }
        exam_report(x, CHECK_PANELS, SEV_ERROR, SAY(W_SOURCE_UNREACHED, s->name, base),
                    unreached_why(&a, e, u.host, STEP_MS), fix, str_c(d.text));
    } else if (e != OK || r.status != 200 || str_find(r.body, STR("{")) == STR_NONE) {
        struct str said = e != OK ? str_c(d.text) : arena_fmt(&a, "status %d", r.status);
        exam_report(x, CHECK_PANELS, SEV_ERROR, SAY(W_SOURCE_STATUS, s->name, base, s->type),
                    SAY(W_SOURCE_STATUS_WHY, STR("")), fix, said);
    }
}

/* --- the probe --- */

/* Jobs with a target that is down; true: some target was never asked yet. */
static bool read_targets(struct inquiry *q)
{
    const struct json *data;
    BUF(down, 0);
    bool early = false;
    if (asker_get(&q->k, STR("/api/v1/targets?state=active"), &data, NULL) != OK) return false;
    const struct json *list = json_get(data, "activeTargets");
    for (size_t i = 0; list && i < list->n; i++) {
        struct str health = json_str(json_get(&list->items[i], "health"), STR(""));
        struct str job = json_str(json_get(&list->items[i], "scrapePool"), STR("?"));
        early |= str_eqc(health, "unknown");
        if (!str_eqc(health, "down") || str_find(buf_str(&down), job) != STR_NONE) continue;
        buf_fmt(&down, "%s" STR_FMT, down.n ? ", " : "", STR_ARG(job));
    }
    q->down = arena_dup(&q->a, buf_str(&down));
    return early;
}

static void inspect(struct inquiry *q)
{
    ARENA(a, 0);
    each_rule(q, count_rule);
    each_rule(q, check_alert);
    check_rule_health(q);
    VEC_FOR(f, &q->f->dashboards) {
        const struct board b = { f, json_str(json_get(f->model, "title"), f->file.shown) };
        check_panels(q, &b, f->model, 0);
    }
    exam_figure(q->x, CHECK_RULES, SAY(W_FIG_RULES, arena_fmt(&a, "%zu", q->rules)));
    exam_figure(q->x, CHECK_PANELS, SAY(W_FIG_PANELS, arena_fmt(&a, "%zu", q->panels)));
    if (q->k.unasked) {
        exam_report(q->x, CHECK_PANELS, SEV_NOTE, SAY(W_NOT_ALL, STR("")),
                    SAY(W_NOT_ALL_WHY, arena_fmt(&a, "%zu", q->k.asked),
                        arena_fmt(&a, "%zu", q->k.asked + q->k.unasked)),
                    SAY(W_FIX_TIMEOUT, STR("")), STR(""));
    }
}

static void examine_metrics(struct exam *x, void *ctx)
{
    struct inquiry q = { .x = x, .f = ctx };
    struct diag d = { 0 };
    q.k = (struct asker){ .base = own_prometheus(x),
                          .a = &q.a,
                          .end_ms = clock_mono_ms() + SELECTORS_MS };
    enum err e = asker_open(&q.k, &d);
    if (e != OK) {
        exam_report(x, CHECK_RULES, SEV_NOTE, SAY(W_NO_PROM, STR("")), SAY(W_NO_PROM_WHY, q.k.base),
                    SAY(W_FIX_PROM, q.k.base), STR(""));
    } else if (!q.k.names_n || read_targets(&q)) {
        exam_report(x, CHECK_RULES, SEV_NOTE, SAY(W_TOO_EARLY, STR("")),
                    SAY(W_TOO_EARLY_WHY, STR("")), SAY(W_FIX_PROM, q.k.base), STR(""));
    } else {
        inspect(&q);
    }
    map_done(&q.recorded);
    asker_done(&q.k);
    arena_done(&q.a);
}

void examine_queries(struct exam *x, const struct config_files *f)
{
    exam_probe(x, CHECK_RULES, own_prometheus(x), examine_metrics, (void *)(uintptr_t)f);
    for (size_t i = 0; f->dash && i < f->dash->sources_n; i++) {
        struct dash_source *s = &f->dash->sources[i];
        if (source_question(s)) exam_probe(x, CHECK_PANELS, s->name, examine_source, s);
    }
}
