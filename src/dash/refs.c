/* SPDX-License-Identifier: Apache-2.0 */
#include "dash/refs.h"

#include "base/vec.h"
#include "codec/yaml.h"

/* A reference without an answer, and where it stands. */
struct open_ref {
    struct str ref, type;
    const struct yaml_node *first;
    size_t times;
};

struct walk {
    struct arena *a;
    const struct dash_provisioning *p;
    const struct yaml_node *inputs, *variables;
    VEC(struct open_ref) open;
};

static bool is_word(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* The name of ${NAME}, ${NAME:format} and $NAME; empty: it is a text as it stands. */
static struct str variable_of(struct str ref)
{
    if (ref.n < 2 || ref.p[0] != '$') return STR("");
    struct str s = str_from(ref, ref.p[1] == '{' ? 2 : 1);
    size_t n = 0;
    while (n < s.n && is_word(s.p[n])) n++;
    return str_first(s, n);
}

static const struct yaml_node *named(const struct yaml_node *list, struct str name)
{
    for (size_t i = 0; list && list->kind == YAML_SEQ && i < list->n; i++) {
        if (str_eq(yaml_str(yaml_get(list->items[i], "name"), STR("")), name)) {
            return list->items[i];
        }
    }
    return NULL;
}

static bool is_grafanas_own(struct str ref)
{
    return str_starts(ref, STR("-- ")) || str_eqc(ref, "grafana");
}

/* Whether it means something here. */
static bool resolves(struct walk *w, struct str ref)
{
    struct str variable = variable_of(ref);
    if (!ref.n || str_eqc(ref, "null") || is_grafanas_own(ref)) return true;
    if (variable.n && named(w->variables, variable)) return true;
    return dash_source_find(w->p, ref) != NULL;
}

static void look_at(struct walk *w, const struct yaml_node *v)
{
    bool plain = v->kind == YAML_SCALAR;
    const struct yaml_node *at = plain ? v : yaml_get(v, "uid");
    struct str ref = yaml_str(at, STR(""));
    struct str type = plain ? STR("") : yaml_str(yaml_get(v, "type"), STR(""));
    if (!at || yaml_is_null(at) || resolves(w, ref)) return;
    VEC_FOR(o, &w->open) {
        if (!str_eq(o->ref, ref) || !str_eq(o->type, type)) continue;
        o->times++;
        return;
    }
    *vec_push(w->a, &w->open) = (struct open_ref){ ref, type, at, 1 };
}

static void walk(struct walk *w, const struct yaml_node *v)
{
    for (size_t i = 0; v->kind == YAML_SEQ && i < v->n; i++) walk(w, v->items[i]);
    for (size_t i = 0; v->kind == YAML_MAP && i < v->n; i++) {
        const struct yaml_node *value = v->items[2 * i + 1];
        if (str_eqc(yaml_str(v->items[2 * i], STR("")), "datasource")) {
            look_at(w, value);
        } else {
            walk(w, value);
        }
    }
}

static bool speaks_promql(struct str type)
{
    static const char *const TYPES[] = {
        "",       "prometheus", "victoriametrics-metrics-datasource", "victoriametrics-datasource",
        "thanos", "mimir",      "grafana-amazonprometheus-datasource"
    };
    for (size_t i = 0; i < ARRAY_LEN(TYPES); i++) {
        if (str_eqc(type, TYPES[i])) return true;
    }
    return type.p[0] == '$';
}

static struct str substitute(const struct walk *w)
{
    const struct dash_source *any = NULL;
    for (size_t i = 0; i < w->p->sources_n; i++) {
        const struct dash_source *s = &w->p->sources[i];
        if (!str_eqc(s->type, "prometheus")) continue;
        if (s->is_default) return s->name;
        if (!any) any = s;
    }
    return any ? any->name : STR("");
}

static struct str sentence(struct walk *w, const struct open_ref *o)
{
    struct str variable = variable_of(o->ref), instead = substitute(w);
    const struct yaml_node *input = variable.n ? named(w->inputs, variable) : NULL;
    struct str type = input ? yaml_str(yaml_get(input, "pluginId"), o->type) : o->type;
    struct str what = input ? STR(", an input of the export,") : STR("");
    struct str times = o->times > 1 ? arena_fmt(w->a, " (%zu times)", o->times) : STR("");
    if (!speaks_promql(type)) {
        return arena_fmt(w->a,
                         "no data source " STR_FMT " of type " STR_FMT " is here: its panels stay "
                         "empty" STR_FMT,
                         STR_ARG(o->ref), STR_ARG(type), STR_ARG(times));
    }
    if (!instead.n) {
        return arena_fmt(w->a, "data source " STR_FMT STR_FMT " is not here" STR_FMT,
                         STR_ARG(o->ref), STR_ARG(what), STR_ARG(times));
    }
    return arena_fmt(
        w->a, "data source " STR_FMT STR_FMT " is not here: " STR_FMT " is taken instead" STR_FMT,
        STR_ARG(o->ref), STR_ARG(what), STR_ARG(instead), STR_ARG(times));
}

void dash_refs(struct arena *a, struct str bytes, const struct dash_provisioning *p,
               struct dash_note **out, size_t *n)
{
    struct yaml_node *root = NULL;
    *out = NULL;
    *n = 0;
    /* JSON's tree knows no places; YAML's does, and takes JSON. */
    if (yaml_parse(a, bytes, YAML_LENIENT, &root, NULL, NULL) != OK || !root) return;
    const struct yaml_node *inner = yaml_get(root, "dashboard");
    const struct yaml_node *v = inner && inner->kind == YAML_MAP ? inner : root;
    struct walk w = { .a = a,
                      .p = p,
                      .inputs = yaml_get(v, "__inputs"),
                      .variables = yaml_get(yaml_get(v, "templating"), "list") };
    walk(&w, v);
    *out = arena_array(a, w.open.n, sizeof(**out));
    *n = w.open.n;
    for (size_t i = 0; i < w.open.n; i++) {
        const struct open_ref *o = &w.open.v[i];
        (*out)[i] = (struct dash_note){ o->first->line, o->first->col, sentence(&w, o) };
    }
}
