/* SPDX-License-Identifier: Apache-2.0 */
#include "scrape/series.h"

#include "base/utf8.h"
#include "codec/goquote.h"

static struct str name_text(struct arena *a, const struct expo_entry *e, struct str name)
{
    return e->plain ? name : expo_unescape(a, name, true);
}

static struct str value_text(struct arena *a, const struct expo_entry *e, struct str name,
                             struct str raw)
{
    bool bound = str_eqc(name, "le") || str_eqc(name, "quantile");
    return e->plain && !bound ? raw : expo_label_value(a, e->type, name, raw);
}

/* The page's own labels. Equal names are an error of the page, as the store words it. */
static enum err scraped(struct arena *a, const struct expo_entry *e, struct labels *out,
                        struct diag *d)
{
    struct label *v = arena_array(a, e->labels_n + 1, sizeof(*v));
    v[0] = (struct label){ METRIC_NAME, name_text(a, e, e->name) };
    for (size_t i = 0; i < e->labels_n; i++) {
        struct str name = name_text(a, e, e->labels[i].name);
        v[i + 1] = (struct label){ name, value_text(a, e, name, e->labels[i].value) };
        for (size_t j = 0; j <= i; j++) {
            if (!str_eq(v[j].name, name)) continue;
            return diag_quoted(d, ERR_SYNTAX, "label name ", str_first(name, 100),
                               " is not unique: invalid sample");
        }
    }
    *out = labels_from(v, e->labels_n + 1);
    return OK;
}

/* A scraped label that a target label pushes aside gets a name nobody has: exported_, as often as needed. */
static void export_label(struct labels_builder *b, struct label it)
{
    struct str name = it.name;
    do {
        name = arena_fmt(b->a, "exported_" STR_FMT, STR_ARG(name));
    } while (labels_builder_get(b, name).n);
    labels_set(b, name, it.value);
}

/* Shorter names first, so that exported_x pushed aside by a target's own exported_x does not take x's place. */
static void export_all(struct labels_builder *b, struct label *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct label it = v[i];
        size_t at = i;
        for (; at > 0 && v[at - 1].name.n > it.name.n; at--) {
            v[at] = v[at - 1];
        }
        v[at] = it;
    }
    for (size_t i = 0; i < n; i++) {
        export_label(b, v[i]);
    }
}

/* Also with an empty value, by which a page that is honoured says "not this one". */
static bool on_page(struct labels_builder *b, const struct expo_entry *e, struct str name)
{
    for (size_t i = 0; i < e->labels_n; i++) {
        if (str_eq(name_text(b->a, e, e->labels[i].name), name)) return true;
    }
    return false;
}

static void add_target_labels(struct labels_builder *b, const struct scrape_config *c,
                              struct labels target, const struct expo_entry *e)
{
    struct label *aside = arena_array(b->a, target.n, sizeof(*aside));
    size_t n = 0;
    for (size_t i = 0; i < target.n; i++) {
        if (c->honor_labels) {
            if (!on_page(b, e, target.v[i].name)) {
                labels_set(b, target.v[i].name, target.v[i].value);
            }
            continue;
        }
        struct str was = labels_builder_get(b, target.v[i].name);
        if (was.n) aside[n++] = (struct label){ target.v[i].name, was };
        labels_set(b, target.v[i].name, target.v[i].value);
    }
    export_all(b, aside, n);
}

static bool names_valid(const struct scrape_config *c, struct labels lb)
{
    for (size_t i = 0; i < lb.n; i++) {
        bool metric = str_eq(lb.v[i].name, METRIC_NAME);
        if (c->names == NAMES_LEGACY) {
            if (!label_name_valid_legacy(lb.v[i].name)) return false;
            if (metric && !metric_name_valid_legacy(lb.v[i].value)) return false;
        }
        if (!utf8_valid(lb.v[i].name) || !utf8_valid(lb.v[i].value)) return false;
    }
    return true;
}

static enum err invalid_names(struct labels lb, struct diag *d)
{
    BUF(b, 4096);
    labels_write(&b, lb);
    return diag_set(d, ERR_SYNTAX, "invalid metric name or label names: " STR_FMT,
                    STR_ARG(str_first(buf_str(&b), 400)));
}

static bool over(size_t n, int64_t limit) { return limit > 0 && n > (size_t)limit; }

static enum err check_limits(const struct scrape_limits *l, struct labels lb, struct diag *d)
{
    struct str metric = str_first(labels_get(lb, METRIC_NAME), 50);
    if (over(lb.n, l->labels)) {
        return diag_set(d, ERR_LIMIT,
                        "label_limit exceeded (metric: " STR_FMT
                        ", number of labels: %zu, limit: %lld)",
                        STR_ARG(metric), lb.n, (long long)l->labels);
    }
    for (size_t i = 0; i < lb.n; i++) {
        struct str name = lb.v[i].name, value = lb.v[i].value;
        if (over(name.n, l->label_name_length)) {
            return diag_set(d, ERR_LIMIT,
                            "label_name_length_limit exceeded (metric: " STR_FMT
                            ", label name: " STR_FMT ", length: %zu, limit: %lld)",
                            STR_ARG(metric), STR_ARG(str_first(name, 50)), name.n,
                            (long long)l->label_name_length);
        }
        if (over(value.n, l->label_value_length)) {
            BUF(shown, 1024);
            go_quote(&shown, str_first(value, 50));
            return diag_set(d, ERR_LIMIT,
                            "label_value_length_limit exceeded (metric: " STR_FMT
                            ", label name: " STR_FMT ", value: " STR_FMT
                            ", length: %zu, limit: %lld)",
                            STR_ARG(metric), STR_ARG(str_first(name, 50)), STR_ARG(buf_str(&shown)),
                            value.n, (long long)l->label_value_length);
        }
    }
    return OK;
}

enum err series_labels(struct arena *a, const struct scrape_config *c, struct labels target,
                       const struct expo_entry *e, struct labels *out, struct diag *d)
{
    struct labels own = { 0 };
    struct labels_builder b;
    TRY(scraped(a, e, &own, d));
    labels_builder_init(&b, a, own);
    add_target_labels(&b, c, target, e);
    struct labels lb = { 0 };
    if (relabel_apply(&b, c->metric_relabel.v, c->metric_relabel.n)) lb = labels_build(&b);
    if (lb.n) {
        if (!labels_get(lb, METRIC_NAME).n) {
            return diag_set(d, ERR_SYNTAX, "missing metric name (__name__ label)");
        }
        if (!names_valid(c, lb)) return invalid_names(lb, d);
        TRY(check_limits(&c->limits, lb, d));
    }
    *out = lb;
    return OK;
}
