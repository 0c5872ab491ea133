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
                                    str_eq(a->labels.v[i].value, b->labels.v[k].value))) {
            k++;
        }
        if (k == b->labels.n) return false;
    }
    return true;
}

struct all_rules {
    VEC(const struct rule_def *) v;
};
struct duplicates {
    VEC(struct duplicate_rule) v;
};

size_t check_duplicates(struct arena *a, const struct rule_file *f, struct duplicate_rule **out)
{
    struct all_rules all = { 0 };
    struct duplicates found = { 0 };
    for (size_t g = 0; g < f->n; g++) {
        for (size_t r = 0; r < f->groups[g].rules_n; r++) {
            const struct rule_def *it = &f->groups[g].rules[r];
            size_t k = 0;
            while (k < all.v.n && !same_rule(all.v.v[k], it)) k++;
            if (k < all.v.n) {
                *vec_push(a, &found.v) = (struct duplicate_rule){ it, all.v.v[k] };
            }
            *vec_push(a, &all.v) = it;
        }
    }
    *out = found.v.v;
    return found.v.n;
}

static void add_duplicate(struct check *c, struct checked *file, const struct duplicate_rule *x)
{
    const struct rule_def *r = x->rule;
    struct str name = r->alert.n ? r->alert : r->record;
    finding_add(&c->found, FINDING_WARNING, file->path, r->at->line, r->at->col,
                arena_fmt(&c->a,
                          "rule " STR_FMT " stands at line %u already with the same labels; "
                          "might cause inconsistency while recording expressions",
                          STR_ARG(name), x->first->at->line));
}

void check_rules(struct check *c, struct checked *file)
{
    struct rule_file f;
    struct diag *mistakes;
    struct duplicate_rule *twice;
    size_t n, rules = 0;
    if (!rule_file_check(&c->a, file->text, c->ev, false, &f, &mistakes, &n)) {
        for (size_t i = 0; i < n; i++) finding_of(&c->found, file->path, &mistakes[i]);
        return;
    }
    for (struct yaml_warning *w = f.warnings; w; w = w->next) {
        finding_add(&c->found, FINDING_WARNING, file->path, w->line, w->col, w->text);
    }
    size_t duplicates = check_duplicates(&c->a, &f, &twice);
    for (size_t i = 0; i < duplicates; i++) add_duplicate(c, file, &twice[i]);
    for (size_t i = 0; i < f.n; i++) rules += f.groups[i].rules_n;
    file->facts = arena_fmt(&c->a, "%zu rules in %zu groups", rules, f.n);
}
