/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/promtool/metric_lint.h"

#include <stdio.h>
#include <stdlib.h>

/* --- families --- */

static struct family *family_named(struct families *f, struct str name)
{
    struct family *it = map_get(&f->by_name, name);
    if (it) return it;
    it = arena_new(f->a, struct family);
    it->name = arena_dup(f->a, name);
    it->type = EXPO_UNKNOWN;
    (void)map_put(&f->by_name, it->name, it);
    *vec_push(f->a, &f->v) = it;
    return it;
}

/* x_bucket, x_sum and x_count belong to the histogram or summary x. */
static struct family *family_of(struct families *f, struct str name)
{
    static const char *const SUFFIXES[] = { "_bucket", "_count", "_sum" };
    for (size_t i = 0; i < ARRAY_LEN(SUFFIXES); i++) {
        struct str suffix = str_c(SUFFIXES[i]);
        if (!str_ends(name, suffix) || name.n == suffix.n) continue;
        struct family *base = map_get(&f->by_name, str_first(name, name.n - suffix.n));
        bool bucket = i == 0;
        if (base && (base->type == EXPO_HISTOGRAM || (!bucket && base->type == EXPO_SUMMARY))) {
            return base;
        }
    }
    return family_named(f, name);
}

static void add_label(struct families *f, struct family *m, struct str name)
{
    VEC_FOR(l, &m->labels) {
        if (!str_eq(l->name, name)) continue;
        l->times++;
        return;
    }
    *vec_push(f->a, &m->labels) = (struct lint_label){ arena_dup(f->a, name), 1 };
}

static void add_series(struct families *f, const struct expo_entry *e)
{
    struct family *m = family_of(f, e->name);
    m->cardinality++;
    for (size_t i = 0; i < e->labels_n; i++) {
        struct str name = e->labels[i].name;
        /* a histogram's le and a summary's quantile are parts of the value */
        bool part = (m->type == EXPO_HISTOGRAM && str_eqc(name, "le")) ||
                    (m->type == EXPO_SUMMARY && str_eqc(name, "quantile"));
        if (!part) add_label(f, m, name);
    }
}

static void add_entry(struct families *f, const struct expo_entry *e)
{
    switch (e->kind) {
    case EXPO_HELP: family_named(f, e->name)->has_help = true; break;
    case EXPO_TYPE: family_named(f, e->name)->type = e->type; break;
    case EXPO_SERIES: add_series(f, e); break;
    case EXPO_UNIT:
    case EXPO_COMMENT: break;
    }
}

static int by_name(const void *x, const void *y)
{
    return str_cmp((*(struct family *const *)x)->name, (*(struct family *const *)y)->name);
}

enum err families_read(struct families *f, struct str page, struct diag *d)
{
    struct expo_reader r;
    struct expo_entry e;
    enum err code;
    expo_reader_init(&r, EXPO_TEXT);
    r.in = arena_fmt(f->a, STR_FMT "\n", STR_ARG(page));
    r.final = true;
    while ((code = expo_next(&r, &e, d)) == OK) add_entry(f, &e);
    expo_reader_done(&r);
    if (code != ERR_EOF) return code;
    /* A name that was only described has no series: the original's parser never makes it a family. */
    size_t kept = 0;
    for (size_t i = 0; i < f->v.n; i++) {
        if (f->v.v[i]->cardinality) f->v.v[kept++] = f->v.v[i];
    }
    f->v.n = kept;
    if (kept) qsort(f->v.v, kept, sizeof(*f->v.v), by_name);
    return OK;
}

void families_done(struct families *f) { map_done(&f->by_name); }

/* --- rules --- */

struct linting {
    struct arena *a;
    const struct family *m;
    VEC(struct problem) v;
};

static void say(struct linting *l, const char *text)
{
    *vec_push(l->a, &l->v) = (struct problem){ l->m->name, str_c(text) };
}

static size_t times_of(const struct family *m, const char *label)
{
    for (size_t i = 0; i < m->labels.n; i++) {
        if (str_eqc(m->labels.v[i].name, label)) return m->labels.v[i].times;
    }
    return 0;
}

static const struct unit {
    const char *unit, *base;
} UNITS[] = {
    { "amperes", "amperes" }, { "bytes", "bytes" },        { "celsius", "celsius" },
    { "grams", "grams" },     { "joules", "joules" },      { "kelvin", "kelvin" },
    { "meters", "meters" },   { "metres", "metres" },      { "moles", "moles" },
    { "seconds", "seconds" }, { "volts", "volts" },        { "minutes", "seconds" },
    { "hours", "seconds" },   { "days", "seconds" },       { "weeks", "seconds" },
    { "kelvins", "kelvin" },  { "fahrenheit", "celsius" }, { "rankine", "celsius" },
    { "inches", "meters" },   { "yards", "meters" },       { "miles", "meters" },
    { "bits", "bytes" },      { "calories", "joules" },    { "pounds", "grams" },
    { "ounces", "grams" },
};
static const char *const PREFIXES[] = { "",     "pico",  "nano", "micro", "milli", "centi", "deci",
                                        "deca", "hecto", "kilo", "kibi",  "mega",  "mibi",  "mebi",
                                        "giga", "gibi",  "tera", "tebi",  "peta",  "pebi" };

/* A word of the name that is a unit, with or without a prefix. */
static const struct unit *unit_of(struct str word, const char **prefix)
{
    for (size_t p = 0; p < ARRAY_LEN(PREFIXES); p++) {
        if (!str_starts(word, str_c(PREFIXES[p]))) continue;
        struct str rest = str_from(word, strlen(PREFIXES[p]));
        for (size_t u = 0; u < ARRAY_LEN(UNITS); u++) {
            if (!str_eqc(rest, UNITS[u].unit)) continue;
            *prefix = PREFIXES[p];
            return &UNITS[u];
        }
    }
    return NULL;
}

static void lint_units(struct linting *l)
{
    struct str word, rest = l->m->name;
    while (rest.n) {
        (void)str_cut(rest, '_', &word, &rest);
        const char *prefix;
        const struct unit *u = unit_of(word, &prefix);
        if (!u) continue;
        if (*prefix || strcmp(u->unit, u->base) != 0) {
            say(l, arena_fmt(l->a, "use base unit \"%s\" instead of \"" STR_FMT "\"", u->base,
                             STR_ARG(word))
                       .p);
        }
        return;
    }
}

static bool has_part(struct str name, const char *part)
{
    char inner[32], end[32];
    (void)snprintf(inner, sizeof(inner), "_%s_", part);
    (void)snprintf(end, sizeof(end), "_%s", part);
    return str_find(name, str_c(inner)) != STR_NONE || str_ends(name, str_c(end));
}

static bool camel_case(struct str s)
{
    for (size_t i = 1; i < s.n; i++) {
        bool lower = s.p[i - 1] >= 'a' && s.p[i - 1] <= 'z';
        if (lower && s.p[i] >= 'A' && s.p[i] <= 'Z') return true;
    }
    return false;
}

static void lint_suffixes(struct linting *l)
{
    struct str name = l->m->name;
    bool histogram = l->m->type == EXPO_HISTOGRAM, summary = l->m->type == EXPO_SUMMARY;
    bool total = str_ends(name, STR("_total")), counter = l->m->type == EXPO_COUNTER;
    if (counter && !total) say(l, "counter metrics should have \"_total\" suffix");
    if (!counter && total) say(l, "non-counter metrics should not have \"_total\" suffix");
    if (!histogram && str_ends(name, STR("_bucket"))) {
        say(l, "non-histogram metrics should not have \"_bucket\" suffix");
    }
    if (!histogram && !summary && str_ends(name, STR("_count"))) {
        say(l, "non-histogram and non-summary metrics should not have \"_count\" suffix");
    }
    if (!histogram && !summary && str_ends(name, STR("_sum"))) {
        say(l, "non-histogram and non-summary metrics should not have \"_sum\" suffix");
    }
    for (size_t i = 0; !histogram && i < times_of(l->m, "le"); i++) {
        say(l, "non-histogram metrics should not have \"le\" label");
    }
    for (size_t i = 0; !summary && i < times_of(l->m, "quantile"); i++) {
        say(l, "non-summary metrics should not have \"quantile\" label");
    }
}

static void lint_type_in_name(struct linting *l)
{
    static const char *const TYPES[] = { "counter", "gauge", "summary", "histogram",
                                         "gauge_histogram" };
    for (size_t i = 0; i < ARRAY_LEN(TYPES); i++) {
        if (!has_part(l->m->name, TYPES[i])) continue;
        say(l, arena_fmt(l->a, "metric name should not include type '%s'", TYPES[i]).p);
    }
}

static void lint_spelling(struct linting *l)
{
    static const char *const SHORT[] = { "s",  "ms", "us", "ns", "sec", "b", "kb",
                                         "mb", "gb", "tb", "pb", "m",   "h", "d" };
    if (str_find_char(l->m->name, ':') != STR_NONE) {
        say(l, "metric names should not contain ':'");
    }
    if (camel_case(l->m->name)) {
        say(l, "metric names should be written in 'snake_case' not 'camelCase'");
    }
    for (size_t i = 0; i < l->m->labels.n; i++) {
        if (!camel_case(l->m->labels.v[i].name)) continue;
        for (size_t k = 0; k < l->m->labels.v[i].times; k++) {
            say(l, "label names should be written in 'snake_case' not 'camelCase'");
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(SHORT); i++) {
        if (has_part(l->m->name, SHORT[i])) {
            say(l, "metric names should not contain abbreviated units");
        }
    }
}

static int by_metric(const void *x, const void *y)
{
    const struct problem *a = x, *b = y;
    int c = str_cmp(a->metric, b->metric);
    return c ? c : str_cmp(a->text, b->text);
}

void families_lint(const struct families *f, struct problem **out, size_t *n)
{
    struct linting l = { .a = f->a };
    for (size_t i = 0; i < f->v.n; i++) {
        l.m = f->v.v[i];
        if (!l.m->has_help) say(&l, "no help text");
        lint_units(&l);
        if (l.m->type != EXPO_UNKNOWN) {
            lint_suffixes(&l);
            lint_type_in_name(&l);
        }
        lint_spelling(&l);
    }
    if (l.v.n) qsort(l.v.v, l.v.n, sizeof(*l.v.v), by_metric);
    *out = l.v.v;
    *n = l.v.n;
}
