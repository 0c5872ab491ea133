/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/rulefile.h"

#include "base/utf8.h"
#include "base/vec.h"
#include "codec/goquote.h"
#include "model/labels.h"
#include "rules/template.h"

#include <stdarg.h>
#include <stdio.h>

enum { GROUPS_MAX = 10000, RULES_MAX = 100000 };

#define FIELD(name, t, member)                                                                     \
    {                                                                                              \
        .key = name, .type = t, .offset = offsetof(STRUCT, member)                                 \
    }

#define STRUCT struct rule_def
static const struct yaml_field RULE_FIELDS[] = {
    FIELD(YAML_SELF, YT_NODE, at),
    FIELD("record", YT_STR, record),
    FIELD("alert", YT_STR, alert),
    FIELD("expr", YT_STR, expr),
    FIELD("for", YT_DURATION, for_ms),
    FIELD("keep_firing_for", YT_DURATION, keep_firing_ms),
    FIELD("labels", YT_MAP, labels),
    FIELD("annotations", YT_MAP, annotations),
    { 0 },
};
#undef STRUCT
static const struct yaml_table RULE_TABLE = { .go_type = "rulefmt.Rule",
                                              .size = sizeof(struct rule_def),
                                              .fields = RULE_FIELDS };

struct raw_group {
    struct group_def g;
    struct yaml_list rules;
};

static void group_defaults(void *out)
{
    struct raw_group *r = out;
    *r = (struct raw_group){ .g = { .interval_ms = -1, .query_offset_ms = -1 } };
}

#define STRUCT struct raw_group
static const struct yaml_field GROUP_FIELDS[] = {
    FIELD(YAML_SELF, YT_NODE, g.at),
    FIELD("name", YT_STR, g.name),
    FIELD("interval", YT_DURATION, g.interval_ms),
    FIELD("query_offset", YT_DURATION, g.query_offset_ms),
    FIELD("limit", YT_INT, g.limit),
    FIELD("labels", YT_MAP, g.labels),
    { .key = "rules",
      .type = YT_STRUCTS,
      .offset = offsetof(struct raw_group, rules),
      .sub = &RULE_TABLE },
    { 0 },
};
#undef STRUCT
static const struct yaml_table GROUP_TABLE = { .go_type = "rulefmt.RuleGroup",
                                               .size = sizeof(struct raw_group),
                                               .fields = GROUP_FIELDS,
                                               .defaults = group_defaults };

struct raw_file {
    struct yaml_list groups;
};
static const struct yaml_field FILE_FIELDS[] = {
    { .key = "groups",
      .type = YT_STRUCTS,
      .offset = offsetof(struct raw_file, groups),
      .sub = &GROUP_TABLE },
    { 0 },
};
static const struct yaml_table FILE_TABLE = { .go_type = "rulefmt.RuleGroups",
                                              .size = sizeof(struct raw_file),
                                              .fields = FILE_FIELDS };

/* --- checks: the first mistake of the file is reported --- */

struct place {
    const struct group_def *g;
    const struct rule_def *r;
    size_t number; /* of the rule, from 1 */
};

static const struct yaml_node *at_key(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *v = yaml_get(map, key);
    return v ? v : map;
}

static enum err rule_error(const struct place *p, const struct yaml_node *at, struct diag *d,
                           const char *fmt, ...) PRINTF(4, 5);

static enum err rule_error(const struct place *p, const struct yaml_node *at, struct diag *d,
                           const char *fmt, ...)
{
    BUF(b, 0);
    char text[sizeof(d->text)];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    buf_putc(&b, "group ");
    go_quote(&b, p->g->name);
    buf_fmt(&b, ", rule %zu, ", p->number);
    go_quote(&b, p->r->alert.n ? p->r->alert : p->r->record);
    return yaml_error(at, d, ERR_SYNTAX, STR_FMT ": %s", STR_ARG(buf_str(&b)), text);
}

static bool label_ok(struct str name)
{
    return name.n && utf8_valid(name) && !str_eq(name, METRIC_NAME);
}

static enum err check_recording(const struct place *p, struct diag *d)
{
    const struct rule_def *r = p->r;
    const struct yaml_node *at = at_key(r->at, "record");
    if (r->annotations.n) {
        return rule_error(p, at, d, "invalid field 'annotations' in recording rule");
    }
    if (r->for_ms) return rule_error(p, at, d, "invalid field 'for' in recording rule");
    if (r->keep_firing_ms) {
        return rule_error(p, at, d, "invalid field 'keep_firing_for' in recording rule");
    }
    if (!utf8_valid(r->record)) {
        return rule_error(p, at, d, "invalid recording rule name: " STR_FMT, STR_ARG(r->record));
    }
    if (str_find_char(r->record, '{') != STR_NONE || str_find_char(r->record, '}') != STR_NONE) {
        return rule_error(
            p, at, d, "braces present in the recording rule name; should it be in expr?: " STR_FMT,
            STR_ARG(r->record));
    }
    return OK;
}

static enum err check_expr(const struct place *p, struct evaluator *ev, struct diag *d)
{
    struct expr *e;
    struct diag why = { 0 };
    if (!p->r->expr.n) return rule_error(p, p->r->at, d, "field 'expr' must be set in rule");
    if (ev->ops->compile(ev, p->r->expr, &e, &why) != OK) {
        return rule_error(p, at_key(p->r->at, "expr"), d, "could not parse expression: %s",
                          why.text);
    }
    ev->ops->release(ev, e);
    return OK;
}

static enum err check_pairs(const struct place *p, struct diag *d)
{
    const struct rule_def *r = p->r;
    for (size_t i = 0; i < r->labels.n; i++) {
        const struct yaml_pair *l = &r->labels.v[i];
        if (!label_ok(l->key)) {
            return rule_error(p, l->at, d, "invalid label name: " STR_FMT, STR_ARG(l->key));
        }
        if (!utf8_valid(l->value)) {
            return rule_error(p, l->at, d, "invalid label value: " STR_FMT, STR_ARG(l->value));
        }
    }
    for (size_t i = 0; i < r->annotations.n; i++) {
        const struct yaml_pair *l = &r->annotations.v[i];
        if (!l->key.n || !utf8_valid(l->key)) {
            return rule_error(p, l->at, d, "invalid annotation name: " STR_FMT, STR_ARG(l->key));
        }
    }
    return OK;
}

static enum err check_texts(const struct place *p, const struct yaml_pairs *v, const char *what,
                            struct diag *d)
{
    ARENA(a, 0);
    for (size_t i = 0; i < v->n; i++) {
        struct rule_text t;
        struct diag why = { 0 };
        if (rule_text_compile(&a, p->r->alert, v->v[i].value, &t, &why) == OK) continue;
        BUF(name, 0);
        go_quote(&name, v->v[i].key);
        return rule_error(p, v->v[i].at, d, "%s " STR_FMT ": %s", what, STR_ARG(buf_str(&name)),
                          why.text);
    }
    return OK;
}

static enum err check_rule(const struct place *p, struct evaluator *ev, struct diag *d)
{
    const struct rule_def *r = p->r;
    if (r->record.n && r->alert.n) {
        return rule_error(p, at_key(r->at, "record"), d,
                          "only one of 'record' and 'alert' must be set");
    }
    if (!r->record.n && !r->alert.n) {
        return rule_error(p, r->at, d, "one of 'record' or 'alert' must be set");
    }
    TRY(check_expr(p, ev, d));
    if (r->record.n) TRY(check_recording(p, d));
    TRY(check_pairs(p, d));
    if (!r->alert.n) return OK;
    TRY(check_texts(p, &r->labels, "label", d));
    return check_texts(p, &r->annotations, "annotation", d);
}

/* How to read, and where mistakes go: the first into d, or all of them into a list. */
struct mistakes {
    bool ignore_unknown;
    struct arena *a; /* NULL: stop at the first */
    VEC(struct diag) v;
    struct diag *d;
};

static enum err mistake(struct mistakes *m, enum err e)
{
    if (e == OK || !m->a) return e;
    *vec_push(m->a, &m->v) = *m->d;
    *m->d = (struct diag){ 0 };
    return OK;
}

static enum err check_name(const struct rule_file *f, size_t i, struct diag *d)
{
    const struct group_def *g = &f->groups[i];
    if (!g->name.n) return yaml_error(g->at, d, ERR_SYNTAX, "Groupname must not be empty");
    for (size_t k = 0; k < i; k++) {
        if (!str_eq(f->groups[k].name, g->name)) continue;
        BUF(name, 0);
        go_quote(&name, g->name);
        return yaml_error(at_key(g->at, "name"), d, ERR_SYNTAX,
                          "groupname: " STR_FMT " is repeated in the same file",
                          STR_ARG(buf_str(&name)));
    }
    return OK;
}

static enum err check_own(const struct group_def *g, struct diag *d)
{
    for (size_t k = 0; k < g->labels.n; k++) {
        if (label_ok(g->labels.v[k].key)) continue;
        return yaml_error(g->labels.v[k].at, d, ERR_SYNTAX, "invalid label name: " STR_FMT,
                          STR_ARG(g->labels.v[k].key));
    }
    if (g->interval_ms == 0 && yaml_get(g->at, "interval")) {
        return yaml_error(at_key(g->at, "interval"), d, ERR_SYNTAX,
                          "the interval of a group must be above zero");
    }
    return OK;
}

static enum err check_group(const struct rule_file *f, size_t i, struct evaluator *ev,
                            struct mistakes *m)
{
    const struct group_def *g = &f->groups[i];
    TRY(mistake(m, check_name(f, i, m->d)));
    TRY(mistake(m, check_own(g, m->d)));
    for (size_t k = 0; k < g->rules_n; k++) {
        TRY(mistake(m, check_rule(&(struct place){ g, &g->rules[k], k + 1 }, ev, m->d)));
    }
    return OK;
}

/* --- the object of Kubernetes --- */

static struct yaml_node *unwrap(struct arena *a, struct yaml_node *root, struct rule_file *f)
{
    const struct yaml_node *kind = yaml_get(root, "kind");
    if (!str_eqc(yaml_str(kind, STR("")), "PrometheusRule")) return root;
    f->warnings = arena_new(a, struct yaml_warning);
    *f->warnings = (struct yaml_warning){
        kind->line, kind->col,
        STR("a PrometheusRule of Kubernetes: its spec is read as the rule file; "
            "Prometheus itself refuses such a file"),
        NULL
    };
    return yaml_get(root, "spec");
}

static enum err parse(struct arena *a, struct str text, struct evaluator *ev, struct rule_file *out,
                      struct mistakes *m)
{
    struct yaml_node *root;
    struct raw_file raw = { 0 };
    struct rule_file f = { 0 };
    struct diag *d = m->d;
    TRY(yaml_parse(a, text, YAML_V3, &root, NULL, d));
    root = unwrap(a, root, &f);
    if (root && !yaml_is_null(root)) {
        TRY(yaml_decode(a, root, &FILE_TABLE, m->ignore_unknown ? YAML_LENIENT : YAML_V3, &raw, d));
    }
    if (raw.groups.n > GROUPS_MAX) {
        return diag_set(d, ERR_LIMIT, "more than %d groups in a file", GROUPS_MAX);
    }
    f.groups = arena_array(a, raw.groups.n, sizeof(*f.groups));
    f.n = raw.groups.n;
    for (size_t i = 0; i < f.n; i++) {
        const struct raw_group *r = (const struct raw_group *)raw.groups.v + i;
        f.groups[i] = r->g;
        f.groups[i].rules = r->rules.v;
        f.groups[i].rules_n = r->rules.n;
        if (r->rules.n > RULES_MAX) {
            return diag_set(d, ERR_LIMIT, "more than %d rules in a group", RULES_MAX);
        }
    }
    for (size_t i = 0; i < f.n; i++) TRY(check_group(&f, i, ev, m));
    *out = f;
    return OK;
}

enum err rule_file_parse_loose(struct arena *a, struct str text, struct evaluator *ev,
                               bool ignore_unknown, struct rule_file *out, struct diag *d)
{
    struct diag own = { 0 };
    return parse(a, text, ev, out,
                 &(struct mistakes){ .ignore_unknown = ignore_unknown, .d = d ? d : &own });
}

enum err rule_file_parse(struct arena *a, struct str text, struct evaluator *ev,
                         struct rule_file *out, struct diag *d)
{
    return rule_file_parse_loose(a, text, ev, false, out, d);
}

bool rule_file_check(struct arena *a, struct str text, struct evaluator *ev, bool ignore_unknown,
                     struct rule_file *out, struct diag **mistakes, size_t *n)
{
    struct diag d = { 0 };
    struct mistakes m = { .a = a, .ignore_unknown = ignore_unknown, .d = &d };
    if (parse(a, text, ev, out, &m) != OK) *vec_push(a, &m.v) = d;
    *mistakes = m.v.v;
    *n = m.v.n;
    return m.v.n == 0;
}
