/* SPDX-License-Identifier: Apache-2.0 */
/* Prometheus' template tests (promql-parse/rule-templates.json) with query functions that answer from the row. */
#include "codec/gotmpl.h"
#include "codec/json.h"
#include "codec/num.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const sample_fields[] = { "Labels", "Value", NULL };
static const struct tmpl_type sample_type = { .name = "*template.sample", .fields = sample_fields };
static const struct tmpl_type result_type = { .name = "template.queryResult", .elem = TV_STRUCT };

#define FUNC(name)                                                                                 \
    static enum err name(struct tmpl_run *r, const struct tmpl_value *v, size_t n,                 \
                         struct tmpl_value *out)

static struct tmpl_value sample_of(struct arena *a, const struct json *s)
{
    struct tmpl_builder labels = { .a = a };
    const struct json *lb = json_get(s, "labels");
    for (size_t i = 0; lb && lb->kind == JSON_OBJECT && i < lb->n; i++) {
        tmpl_set_key(&labels, lb->members[i].key, tmpl_str(lb->members[i].value.text));
    }
    struct tmpl_value *fields = arena_array(a, 2, sizeof(*fields));
    fields[0] = tmpl_map_done(&labels, &tmpl_type_string_map);
    double v = 0;
    struct str text = json_str(json_get(s, "value"), json_str(json_get(s, "histogram"), STR("0")));
    fields[1] = num_parse_f64(text, &v) == OK ? tmpl_float(v) : tmpl_str(text);
    return (struct tmpl_value){ .kind = TV_STRUCT, .type = &sample_type, .fields = fields };
}

FUNC(f_query)
{
    (void)v;
    (void)n;
    const struct json *result = json_get(tmpl_ctx(r), "query_result");
    struct tmpl_builder b = { .a = tmpl_arena(r) };
    for (size_t i = 0; result && i < result->n; i++) {
        tmpl_add(&b, sample_of(b.a, &result->items[i]));
    }
    *out = tmpl_list_done(&b, &result_type);
    return OK;
}
FUNC(f_first)
{
    (void)n;
    if (!v[0].list.n) return tmpl_fail(r, "first() called on vector with no elements");
    *out = v[0].list.v[0];
    return OK;
}
FUNC(f_value)
{
    (void)r;
    (void)n;
    *out = v[0].fields[1];
    return OK;
}
static struct tmpl_value label_of(const struct tmpl_value *sample, struct str name)
{
    const struct tmpl_value *v = tmpl_map_get(&sample->fields[0], name);
    return v ? *v : tmpl_str(STR(""));
}
FUNC(f_label)
{
    (void)r;
    (void)n;
    *out = label_of(&v[1], v[0].s);
    return OK;
}
FUNC(f_strvalue)
{
    (void)r;
    (void)n;
    *out = label_of(&v[0], STR("__value__"));
    return OK;
}
FUNC(f_sort)
{
    (void)n;
    struct tmpl_builder b = { .a = tmpl_arena(r) };
    for (size_t i = 0; i < v[1].list.n; i++) {
        tmpl_add(&b, v[1].list.v[i]);
        for (size_t k = b.n - 1;
             k > 0 && str_cmp(label_of(&b.v[k - 1], v[0].s).s, label_of(&b.v[k], v[0].s).s) > 0;
             k--) {
            struct tmpl_value swap = b.v[k];
            b.v[k] = b.v[k - 1];
            b.v[k - 1] = swap;
        }
    }
    *out = tmpl_list_done(&b, &result_type);
    return OK;
}
FUNC(f_now)
{
    (void)r;
    (void)v;
    (void)n;
    *out = tmpl_float(1353755652.0);
    return OK;
}
FUNC(f_external)
{
    (void)r;
    (void)v;
    (void)n;
    *out = tmpl_str(STR("http://testhost:9090/path/prefix"));
    return OK;
}
FUNC(f_prefix)
{
    (void)r;
    (void)v;
    (void)n;
    *out = tmpl_str(STR("/path/prefix"));
    return OK;
}
FUNC(f_graph)
{
    (void)n;
    *out = tmpl_str(
        arena_fmt(tmpl_arena(r), "/graph?g0.expr=" STR_FMT "&g0.tab=0", STR_ARG(v[0].s)));
    return OK;
}
FUNC(f_table)
{
    (void)n;
    *out = tmpl_str(
        arena_fmt(tmpl_arena(r), "/graph?g0.expr=" STR_FMT "&g0.tab=1", STR_ARG(v[0].s)));
    return OK;
}
FUNC(f_tmpl)
{
    (void)n;
    struct str text;
    TRY(tmpl_run_named(r, v[0].s, v[1], &text));
    *out = tmpl_str(text);
    out->type = &tmpl_type_html;
    return OK;
}

static const struct tmpl_func funcs[] = {
    { "query", "s", f_query },
    { "first", "l", f_first },
    { "value", "S", f_value },
    { "label", "sS", f_label },
    { "strvalue", "S", f_strvalue },
    { "sortByLabel", "sl", f_sort },
    { "now", "", f_now },
    { "externalURL", "", f_external },
    { "pathPrefix", "", f_prefix },
    { "graphLink", "s", f_graph },
    { "tableLink", "s", f_table },
    { "tmpl", "sa", f_tmpl },
    { NULL, NULL, NULL },
};

static struct tmpl_value scalar(struct str text, struct str type)
{
    double f = 0;
    int64_t i = 0;
    uint64_t u = 0;
    bool whole = str_starts(type, STR("int")), positive = str_starts(type, STR("uint"));
    if (whole && num_parse_i64(text, &i) == OK) return tmpl_int(i);
    if (positive && num_parse_u64(text, &u) == OK) {
        return (struct tmpl_value){ .kind = TV_UINT, .u = u };
    }
    if (str_starts(type, STR("float")) && num_parse_f64(text, &f) == OK) return tmpl_float(f);
    return tmpl_str(text);
}

static struct tmpl_value input(struct arena *a, const struct json *row)
{
    struct str type = json_str(json_get(row, "input_type"), STR("nil"));
    struct str text = json_str(json_get(row, "input"), STR(""));
    if (str_eqc(type, "nil")) return tmpl_nil();
    if (type.p[0] == '*') return sample_of(a, json_get(row, "input"));
    if (type.p[0] != '[') return scalar(text, type);
    struct tmpl_builder b = { .a = a };
    struct str rest = str_make(text.p + 1, text.n - 2), item;
    while (rest.n) {
        (void)str_cut(rest, ' ', &item, &rest);
        tmpl_add(&b, scalar(item, str_from(type, 2)));
    }
    return tmpl_list_done(&b, NULL);
}

static bool passes(const struct json *row)
{
    static const struct tmpl_func *const tables[] = { tmpl_funcs_shared, funcs };
    ARENA(a, 0);
    BUF(out, 0);
    struct diag d = { 0 };
    const struct json *options = json_get(row, "options");
    struct tmpl_exec x = { .arena = &a, .ctx = (void *)(uintptr_t)row };
    if (json_bool(json_get(row, "html"), false)) x.mode = TMPL_HTML;
    if (options && options->n) x.missing = TMPL_MISSING_ERROR;
    struct tmpl_set *set = tmpl_set_new(&a, tables, ARRAY_LEN(tables));
    struct str text = json_str(json_get(row, "text"), STR("")), got = STR("");
    if (tmpl_parse(set, STR("test"), text, &d) != OK) {
        got = arena_fmt(&a, "error parsing template test: %s", d.text);
    } else if (tmpl_execute(set, STR("test"), input(&a, row), &x, &out, &d) != OK) {
        got = arena_fmt(&a, "error executing template test: " STR_FMT, STR_ARG(x.error));
    } else {
        got = buf_str(&out);
    }
    struct str want = json_str(json_get(row, "output"), json_str(json_get(row, "error"), STR("?")));
    if (str_eq(got, want)) return true;
    print_error(STR_FMT "\n  got  " STR_FMT "\n  want " STR_FMT "\n", STR_ARG(text), STR_ARG(got),
                STR_ARG(want));
    return false;
}

static void prometheus_templates(void **state)
{
    const struct json *rows = *state;
    size_t bad = 0;
    for (size_t i = 0; i < rows->n; i++) bad += !passes(&rows->items[i]);
    print_message("rule-templates.json: %zu of %zu\n", rows->n - bad, rows->n);
    assert_int_equal(bad, 0);
}

static struct str slurp(struct arena *a, const char *dir, const char *name)
{
    BUF(b, 0);
    FILE *f = fopen(arena_fmt(a, "%s/%s", dir, name).p, "rb");
    if (!f) return (struct str){ NULL, 0 };
    char part[65536];
    for (size_t n; (n = fread(part, 1, sizeof(part), f)) > 0;) buf_put(&b, str_make(part, n));
    (void)fclose(f);
    return arena_dup(a, buf_str(&b));
}

int main(void)
{
    ARENA(a, 0);
    const char *dir = getenv("VIGIE_DATA");
    struct str text = slurp(&a, dir ? dir : "../shared/data", "promql-parse/rule-templates.json");
    if (!text.p) {
        print_message("no conformance data (VIGIE_DATA)\n");
        return 77;
    }
    const struct json *rows;
    struct diag d = { 0 };
    if (json_parse(&a, text, &rows, &d) != OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(prometheus_templates, (void *)(uintptr_t)rows),
    };
    return cmocka_run_group_tests_name("gotmpl conformance", tests, NULL, NULL);
}
