/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit_test.c - a file of `promtool test rules`: its shape, series, expressions and rule files; nothing is run
 */
#include "commands/check/check.h"

#include "commands/check/unit_file.h"
#include "io/file.h"
#include "promql/notation.h"

struct place {
    struct check *c;
    struct checked *file;
};

static void mistake(struct place *p, const struct yaml_node *at, const struct diag *why)
{
    finding_add(&p->c->found, FINDING_ERROR, p->file->path, at->line, at->col, str_c(why->text));
}

static const struct yaml_node *at_key(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *v = yaml_get(map, key);
    return v ? v : map;
}

static void check_series(struct place *p, const struct unit_series *s)
{
    ARENA(a, 0);
    struct labels lb;
    struct notated *v;
    struct diag d = { 0 };
    size_t n;
    if (notation_metric(&a, s->series, &lb, &d) != OK) mistake(p, at_key(s->at, "series"), &d);
    d = (struct diag){ 0 };
    if (notation_values(&a, s->values, &v, &n, &d) != OK) mistake(p, at_key(s->at, "values"), &d);
}

static void check_expr(struct place *p, const struct unit_expr_test *t)
{
    struct evaluator *ev = p->c->ev;
    struct expr *e;
    struct diag d = { 0 };
    if (ev->ops->compile(ev, t->expr, &e, &d) != OK) {
        mistake(p, at_key(t->at, "expr"), &d);
        return;
    }
    ev->ops->release(ev, e);
}

static void check_group(struct place *p, const struct unit_group *g)
{
    const struct unit_series *series = g->series.v;
    const struct unit_expr_test *exprs = g->expr_tests.v;
    const struct unit_alert_test *alerts = g->alert_tests.v;
    for (size_t i = 0; i < g->series.n; i++) check_series(p, &series[i]);
    for (size_t i = 0; i < g->expr_tests.n; i++) check_expr(p, &exprs[i]);
    for (size_t i = 0; i < g->alert_tests.n; i++) {
        struct diag d = { 0 };
        if (alerts[i].alertname.n) continue;
        (void)diag_set(&d, ERR_MISSING,
                       "an item under alert_rule_test misses required attribute alertname");
        mistake(p, alerts[i].at, &d);
    }
}

static void rule_files(struct place *p, const struct unit_file *f)
{
    struct check *c = p->c;
    struct str dir = path_dir(&c->a, p->file->path);
    for (size_t i = 0; i < f->rule_files.n; i++) {
        struct str *paths;
        size_t n;
        struct str glob = path_join(&c->a, dir, f->rule_files.v[i]);
        if (file_glob(&c->a, glob, &paths, &n, NULL) != OK) n = 0;
        if (!n) {
            finding_add(&c->found, FINDING_WARNING, p->file->path, 0, 0,
                        arena_fmt(&c->a, "no file match pattern " STR_FMT, STR_ARG(glob)));
        }
        for (size_t k = 0; k < n; k++) check_file(c, paths[k], KIND_RULES);
    }
}

void check_unit_test(struct check *c, struct checked *file)
{
    struct unit_file f;
    struct diag d = { 0 };
    struct place p = { c, file };
    if (unit_file_read(&c->a, file->text, false, &f, &d) != OK) {
        finding_of(&c->found, file->path, &d);
        return;
    }
    const struct unit_group *v = f.groups.v;
    for (size_t i = 0; i < f.groups.n; i++) check_group(&p, &v[i]);
    file->facts = arena_fmt(&c->a, "%zu tests", f.groups.n);
    if (c->follow) rule_files(&p, &f);
}
