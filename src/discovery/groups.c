/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery/groups.h"

#include "base/utf8.h"
#include "codec/json.h"

static bool is_label_name(struct str s) { return s.n > 0 && utf8_valid(s); }

static struct labels address(struct arena *a, struct str text)
{
    struct label *one = arena_new(a, struct label);
    *one = (struct label){ STR("__address__"), text };
    return (struct labels){ one, 1 };
}

static struct labels with_extra(struct arena *a, struct labels_builder *b, struct label extra)
{
    if (extra.name.n) labels_set(b, extra.name, extra.value);
    return labels_dup(a, labels_build(b));
}

static struct str source_of(struct arena *a, struct str source, size_t i)
{
    return arena_fmt(a, STR_FMT ":%zu", STR_ARG(source), i);
}

static enum err check_size(struct str text, struct diag *d)
{
    if (text.n <= GROUPS_TEXT_MAX) return OK;
    return diag_set(d, ERR_LIMIT, "the list of targets is larger than 16 MiB");
}

/* --- JSON --- */

static enum err json_labels(struct arena *a, const struct json *v, struct label extra,
                            struct labels *out, struct diag *d)
{
    struct labels_builder b;
    labels_builder_init(&b, a, (struct labels){ 0 });
    if (v && v->kind != JSON_OBJECT && v->kind != JSON_NULL) {
        return diag_set(d, ERR_SYNTAX, "labels is no object");
    }
    for (size_t i = 0; v && v->kind == JSON_OBJECT && i < v->n; i++) {
        const struct json_member *m = &v->members[i];
        if (m->value.kind != JSON_STRING) {
            return diag_set(d, ERR_SYNTAX, "the value of label \"" STR_FMT "\" is no string",
                            STR_ARG(m->key));
        }
        if (!is_label_name(m->key)) {
            return diag_set(d, ERR_SYNTAX, "\"" STR_FMT "\" is not a valid label name",
                            STR_ARG(m->key));
        }
        labels_set(&b, m->key, m->value.text);
    }
    *out = with_extra(a, &b, extra);
    return OK;
}

static enum err json_group(struct arena *a, const struct json *v, struct label extra,
                           struct sd_group *out, struct diag *d)
{
    if (v->kind != JSON_OBJECT) return diag_set(d, ERR_SYNTAX, "nil target group item found");
    for (size_t i = 0; i < v->n; i++) {
        if (str_eqc(v->members[i].key, "targets") || str_eqc(v->members[i].key, "labels")) continue;
        return diag_set(d, ERR_SYNTAX, "json: unknown field \"" STR_FMT "\"",
                        STR_ARG(v->members[i].key));
    }
    const struct json *targets = json_get(v, "targets");
    if (targets && targets->kind != JSON_ARRAY && targets->kind != JSON_NULL) {
        return diag_set(d, ERR_SYNTAX, "targets is no list of strings");
    }
    size_t n = targets && targets->kind == JSON_ARRAY ? targets->n : 0;
    out->targets = arena_array(a, n, sizeof(*out->targets));
    for (; out->n < n; out->n++) {
        if (targets->items[out->n].kind != JSON_STRING) {
            return diag_set(d, ERR_SYNTAX, "targets is no list of strings");
        }
        out->targets[out->n] = address(a, targets->items[out->n].text);
    }
    return json_labels(a, json_get(v, "labels"), extra, &out->labels, d);
}

enum err groups_from_json(struct arena *a, struct str text, struct str source, struct label extra,
                          struct sd_groups *out, struct diag *d)
{
    const struct json *v = NULL;
    TRY(check_size(text, d));
    TRY(json_parse(a, text, &v, d));
    if (v->kind != JSON_ARRAY && v->kind != JSON_NULL) {
        return diag_set(d, ERR_SYNTAX, "expected a list of target groups");
    }
    size_t n = v->kind == JSON_ARRAY ? v->n : 0;
    struct sd_group *groups = arena_array(a, n, sizeof(*groups));
    for (size_t i = 0; i < n; i++) {
        TRY(json_group(a, &v->items[i], extra, &groups[i], d));
        groups[i].source = source_of(a, source, i);
    }
    *out = (struct sd_groups){ groups, n };
    return OK;
}

/* --- YAML --- */

struct yaml_group {
    struct yaml_strs targets;
    struct yaml_pairs labels;
};

static const struct yaml_table GROUP = {
    .go_type = "struct { Targets []string \"yaml:\\\"targets\\\"\"; Labels model.LabelSet "
               "\"yaml:\\\"labels\\\"\" }",
    .size = sizeof(struct yaml_group),
    .fields =
        (const struct yaml_field[]){
            { .key = "targets", .type = YT_STRS, .offset = offsetof(struct yaml_group, targets) },
            { .key = "labels", .type = YT_MAP, .offset = offsetof(struct yaml_group, labels) },
            { 0 },
        },
};

static enum err yaml_group(struct arena *a, const struct yaml_node *v, struct label extra,
                           struct sd_group *out, struct diag *d)
{
    struct yaml_group g;
    struct labels_builder b;
    if (yaml_is_null(v)) return yaml_error(v, d, ERR_SYNTAX, "nil target group item found");
    TRY(yaml_decode(a, v, &GROUP, YAML_V2, &g, d));
    labels_builder_init(&b, a, (struct labels){ 0 });
    for (size_t i = 0; i < g.labels.n; i++) {
        if (!is_label_name(g.labels.v[i].key)) {
            return yaml_error(g.labels.v[i].at, d, ERR_SYNTAX,
                              "\"" STR_FMT "\" is not a valid label name",
                              STR_ARG(g.labels.v[i].key));
        }
        labels_set(&b, g.labels.v[i].key, g.labels.v[i].value);
    }
    out->labels = with_extra(a, &b, extra);
    out->targets = arena_array(a, g.targets.n, sizeof(*out->targets));
    for (; out->n < g.targets.n; out->n++) {
        out->targets[out->n] = address(a, g.targets.v[out->n]);
    }
    return OK;
}

enum err groups_from_yaml(struct arena *a, struct str text, struct str source, struct label extra,
                          struct sd_groups *out, struct diag *d)
{
    struct yaml_node *v = NULL;
    TRY(check_size(text, d));
    TRY(yaml_parse(a, text, YAML_V2, &v, NULL, d));
    if (!yaml_is_null(v) && v->kind != YAML_SEQ) {
        return yaml_mismatch(v, "[]*targetgroup.Group", d);
    }
    size_t n = yaml_is_null(v) ? 0 : v->n;
    struct sd_group *groups = arena_array(a, n, sizeof(*groups));
    for (size_t i = 0; i < n; i++) {
        TRY(yaml_group(a, v->items[i], extra, &groups[i], d));
        groups[i].source = source_of(a, source, i);
    }
    *out = (struct sd_groups){ groups, n };
    return OK;
}
