/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/template.h"

#include "base/vec.h"
#include "codec/query.h"

#include <stdlib.h>

static const char *const SAMPLE_FIELDS[] = { "Labels", "Value", NULL };
static const struct tmpl_type SAMPLE_TYPE = { .name = "*template.sample", .fields = SAMPLE_FIELDS };
static const struct tmpl_type RESULT_TYPE = { .name = "template.queryResult", .elem = TV_STRUCT };

static const char *const DATA_FIELDS[] = { "Labels", "ExternalLabels", "ExternalURL", "Value",
                                           NULL };
static const struct tmpl_type DATA_TYPE = { .name = "struct { Labels map[string]string; "
                                                    "ExternalLabels map[string]string; "
                                                    "ExternalURL string; Value interface {} }",
                                            .fields = DATA_FIELDS };

enum { LABELS, VALUE };

static struct tmpl_value labels_value(struct arena *a, struct labels lb)
{
    struct tmpl_builder b = { .a = a };
    for (size_t i = 0; i < lb.n; i++) tmpl_set_key(&b, lb.v[i].name, tmpl_str(lb.v[i].value));
    return tmpl_map_done(&b, &tmpl_type_string_map);
}

static struct tmpl_value sample_value(struct arena *a, struct labels lb, double v)
{
    struct tmpl_value *fields = arena_array(a, 2, sizeof(*fields));
    fields[LABELS] = labels_value(a, lb);
    fields[VALUE] = tmpl_float(v);
    return (struct tmpl_value){ .kind = TV_STRUCT, .type = &SAMPLE_TYPE, .fields = fields };
}

/* --- functions --- */

static void add_result(struct tmpl_builder *b, const struct value *v)
{
    if (v->kind == VALUE_SCALAR) {
        tmpl_add(b, sample_value(b->a, (struct labels){ NULL, 0 }, v->scalar.v));
    }
    for (size_t i = 0; v->kind == VALUE_VECTOR && i < v->vector.n; i++) {
        tmpl_add(b, sample_value(b->a, v->vector.v[i].lb, v->vector.v[i].v));
    }
}

static enum err fn_query(struct tmpl_run *r, const struct tmpl_value *args, size_t n,
                         struct tmpl_value *out)
{
    (void)n;
    const struct rule_text_env *env = tmpl_ctx(r);
    struct tmpl_builder b = { .a = tmpl_arena(r) };
    struct evaluator *ev = env->evaluator;
    struct expr *e;
    struct value v;
    struct diag d = { 0 };
    if (!ev) return tmpl_fail(r, "query is not available here");
    if (ev->ops->compile(ev, args[0].s, &e, &d) != OK) return tmpl_fail(r, "%s", d.text);
    struct eval_range at = { env->at, env->at, 0 };
    enum err err = ev->ops->eval(ev, e, &at, b.a, env->cancel, &v, &d);
    ev->ops->release(ev, e);
    if (err != OK) return tmpl_fail(r, "%s", d.text);
    add_result(&b, &v);
    *out = tmpl_list_done(&b, &RESULT_TYPE);
    return OK;
}

static enum err fn_first(struct tmpl_run *r, const struct tmpl_value *args, size_t n,
                         struct tmpl_value *out)
{
    (void)n;
    if (!args[0].list.n) return tmpl_fail(r, "first() called on vector with no elements");
    *out = args[0].list.v[0];
    return OK;
}

static bool is_sample(const struct tmpl_value *v) { return v->type == &SAMPLE_TYPE; }

static struct tmpl_value label_of(const struct tmpl_value *sample, struct str name)
{
    const struct tmpl_value *v = is_sample(sample) ? tmpl_map_get(&sample->fields[LABELS], name)
                                                   : NULL;
    return v ? *v : tmpl_str(STR(""));
}

static enum err fn_value(struct tmpl_run *r, const struct tmpl_value *args, size_t n,
                         struct tmpl_value *out)
{
    (void)n;
    if (!is_sample(&args[0])) return tmpl_fail(r, "value() wants a sample of query()");
    *out = args[0].fields[VALUE];
    return OK;
}

static enum err fn_label(struct tmpl_run *r, const struct tmpl_value *args, size_t n,
                         struct tmpl_value *out)
{
    (void)r;
    (void)n;
    *out = label_of(&args[1], args[0].s);
    return OK;
}

static enum err fn_strvalue(struct tmpl_run *r, const struct tmpl_value *args, size_t n,
                            struct tmpl_value *out)
{
    (void)r;
    (void)n;
    *out = label_of(&args[0], STR("__value__"));
    return OK;
}

struct keyed {
    struct str key;
    size_t at;
};

static int keyed_cmp(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    int c = str_cmp(x->key, y->key);
    return c ? c : (x->at > y->at) - (x->at < y->at);
}

static enum err fn_sort(struct tmpl_run *r, const struct tmpl_value *args, size_t n,
                        struct tmpl_value *out)
{
    (void)n;
    struct tmpl_builder b = { .a = tmpl_arena(r) };
    struct tmpl_list in = args[1].list;
    struct keyed *v = arena_array(b.a, in.n, sizeof(*v));
    for (size_t i = 0; i < in.n; i++) v[i] = (struct keyed){ label_of(&in.v[i], args[0].s).s, i };
    if (in.n) qsort(v, in.n, sizeof(*v), keyed_cmp);
    for (size_t i = 0; i < in.n; i++) tmpl_add(&b, in.v[v[i].at]);
    *out = tmpl_list_done(&b, &RESULT_TYPE);
    return OK;
}

static enum err fn_now(struct tmpl_run *r, const struct tmpl_value *args, size_t n,
                       struct tmpl_value *out)
{
    (void)args;
    (void)n;
    const struct rule_text_env *env = tmpl_ctx(r);
    *out = tmpl_float((double)env->at / 1000);
    return OK;
}

static enum err fn_external_url(struct tmpl_run *r, const struct tmpl_value *args, size_t n,
                                struct tmpl_value *out)
{
    (void)args;
    (void)n;
    const struct rule_text_env *env = tmpl_ctx(r);
    *out = tmpl_str(env->external_url);
    return OK;
}

static enum err fn_path_prefix(struct tmpl_run *r, const struct tmpl_value *args, size_t n,
                               struct tmpl_value *out)
{
    (void)args;
    (void)n;
    const struct rule_text_env *env = tmpl_ctx(r);
    struct str url = env->external_url;
    size_t scheme = str_find(url, STR("://"));
    struct str host = scheme == STR_NONE ? url : str_from(url, scheme + 3);
    size_t slash = str_find_char(host, '/');
    *out = tmpl_str(slash == STR_NONE ? STR("") : str_from(host, slash));
    return OK;
}

void rule_graph_path(struct buf *b, struct str expr, int tab)
{
    BUF(escaped, 0);
    query_escape(&escaped, expr);
    buf_putc(b, "/graph?g0.expr=");
    /* Go's QueryEscape writes a space as + */
    struct str rest = buf_str(&escaped);
    for (size_t at; (at = str_find(rest, STR("%20"))) != STR_NONE; rest = str_from(rest, at + 3)) {
        buf_put(b, str_first(rest, at));
        buf_char(b, '+');
    }
    buf_put(b, rest);
    buf_fmt(b, "&g0.tab=%d", tab);
}

static enum err link_to(struct tmpl_run *r, struct str expr, int tab, struct tmpl_value *out)
{
    BUF(b, 0);
    rule_graph_path(&b, expr, tab);
    *out = tmpl_str(arena_dup(tmpl_arena(r), buf_str(&b)));
    return OK;
}

static enum err fn_graph_link(struct tmpl_run *r, const struct tmpl_value *args, size_t n,
                              struct tmpl_value *out)
{
    (void)n;
    return link_to(r, args[0].s, 0, out);
}

static enum err fn_table_link(struct tmpl_run *r, const struct tmpl_value *args, size_t n,
                              struct tmpl_value *out)
{
    (void)n;
    return link_to(r, args[0].s, 1, out);
}

static enum err fn_url_query_escape(struct tmpl_run *r, const struct tmpl_value *args, size_t n,
                                    struct tmpl_value *out)
{
    (void)n;
    BUF(b, 0);
    query_escape(&b, args[0].s);
    *out = tmpl_str(arena_dup(tmpl_arena(r), buf_str(&b)));
    return OK;
}

static enum err fn_tmpl(struct tmpl_run *r, const struct tmpl_value *args, size_t n,
                        struct tmpl_value *out)
{
    (void)n;
    struct str text;
    TRY(tmpl_run_named(r, args[0].s, args[1], &text));
    *out = tmpl_str(text);
    out->type = &tmpl_type_html;
    return OK;
}

static const struct tmpl_func FUNCS[] = {
    { "query", "s", fn_query },
    { "first", "l", fn_first },
    { "value", "a", fn_value },
    { "label", "sa", fn_label },
    { "strvalue", "a", fn_strvalue },
    { "sortByLabel", "sl", fn_sort },
    { "now", "", fn_now },
    { "externalURL", "", fn_external_url },
    { "pathPrefix", "", fn_path_prefix },
    { "graphLink", "s", fn_graph_link },
    { "tableLink", "s", fn_table_link },
    { "urlQueryEscape", "s", fn_url_query_escape },
    { "tmpl", "sa", fn_tmpl },
    { NULL, NULL, NULL },
};

/* --- texts --- */

#define DEFINITIONS                                                                                \
    "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}"                                 \
    "{{$externalURL := .ExternalURL}}{{$value := .Value}}"

enum err rule_text_compile(struct arena *a, struct str alert, struct str text,
                           struct rule_text *out, struct diag *d)
{
    static const struct tmpl_func *const TABLES[] = { tmpl_funcs_shared, FUNCS };
    struct rule_text t = { .plain = text };
    if (str_find(text, STR("{{")) != STR_NONE) {
        t.name = arena_fmt(a, "__alert_" STR_FMT, STR_ARG(alert));
        t.set = tmpl_set_new(a, TABLES, ARRAY_LEN(TABLES));
        BUF(whole, 0);
        buf_put(&whole, STR(DEFINITIONS));
        buf_put(&whole, text);
        TRY(tmpl_parse(t.set, t.name, arena_dup(a, buf_str(&whole)), d));
    }
    *out = t;
    return OK;
}

struct str rule_text_expand(const struct rule_text *t, const struct rule_text_env *env,
                            struct labels labels, double value, struct arena *a)
{
    if (!t->set) return t->plain;
    struct rule_text_env ctx = *env;
    struct tmpl_value *fields = arena_array(a, 4, sizeof(*fields));
    fields[0] = labels_value(a, labels);
    fields[1] = labels_value(a, env->external_labels);
    fields[2] = tmpl_str(env->external_url);
    fields[3] = tmpl_float(value);
    struct tmpl_value dot = { .kind = TV_STRUCT, .type = &DATA_TYPE, .fields = fields };
    struct tmpl_exec x = { .arena = a, .ctx = &ctx, .missing = TMPL_MISSING_ZERO };
    struct diag d = { 0 };
    BUF(out, 0);
    if (tmpl_execute(t->set, t->name, dot, &x, &out, &d) == OK) {
        return arena_dup(a, buf_str(&out));
    }
    struct str why = x.error.n ? x.error : str_c(d.text);
    return arena_fmt(
        a, "<error expanding template: error executing template " STR_FMT ": " STR_FMT ">",
        STR_ARG(t->name), STR_ARG(why));
}
