/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules.c - rule files and the PrometheusRule objects of Kubernetes
 */
#include "commands/check/check.h"

#include "rules/rulefile.h"

/* Recording rules of one name and labels write the same series. Source: promtool 2.42, checkDuplicates. */
static bool same_rule(const struct rule_def *a, const struct rule_def *b)
{
    struct str x = a->alert.n ? a->alert : a->record, y = b->alert.n ? b->alert : b->record;
    if (!str_eq(x, y) || a->labels.n != b->labels.n) return false;
    for (size_t i = 0; i < a->labels.n; i++) {
        size_t k = 0;
        while (k < b->labels.n && !(str_eq(a->labels.v[i].key, b->labels.v[k].key) &&
                                    str_eq(a->labels.v[i].value, b->labels.v[k].value)))
            k++;
        if (k == b->labels.n) return false;
    }
    return true;
}

struct all_rules {
    VEC(const struct rule_def *) v;
};

static void add_duplicate(struct check *c, struct checked *file, const struct rule_def *r,
                          const struct rule_def *first)
{
    struct str name = r->alert.n ? r->alert : r->record;
    finding_add(&c->found, FINDING_WARNING, file->path, r->at->line, r->at->col,
                arena_fmt(&c->a,
                          "rule " STR_FMT " stands at line %u already with the same labels; "
                          "might cause inconsistency while recording expressions",
                          STR_ARG(name), first->at->line));
}

static void duplicates(struct check *c, struct checked *file, const struct all_rules *all)
{
    for (size_t i = 1; i < all->v.n; i++) {
        size_t k = 0;
        while (k < i && !same_rule(all->v.v[k], all->v.v[i])) k++;
        if (k < i) add_duplicate(c, file, all->v.v[i], all->v.v[k]);
    }
}

void check_rules(struct check *c, struct checked *file)
{
    struct rule_file f;
    struct diag *mistakes;
    struct all_rules all = { 0 };
    size_t n;
    if (!rule_file_check(&c->a, file->text, c->ev, &f, &mistakes, &n)) {
        for (size_t i = 0; i < n; i++) finding_of(&c->found, file->path, &mistakes[i]);
        return;
    }
    for (struct yaml_warning *w = f.warnings; w; w = w->next) {
        finding_add(&c->found, FINDING_WARNING, file->path, w->line, w->col, w->text);
    }
    for (size_t i = 0; i < f.n; i++) {
        for (size_t k = 0; k < f.groups[i].rules_n; k++) {
            *vec_push(&c->a, &all.v) = &f.groups[i].rules[k];
        }
    }
    duplicates(c, file, &all);
    file->facts = arena_fmt(&c->a, "%zu rules in %zu groups", all.v.n, f.n);
}
