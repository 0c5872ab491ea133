/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_expfmt.c - pages as Prometheus' own parsers read them: entries, error texts, verdicts over OpenMetrics' suite
 *
 * Left out: start timestamps and the __type__/__unit__ labels, which are feature flags of the original that are off
 * by default and not part of this build.
 */
#include "../score.h"
#include "codec/expo_read.h"
#include "codec/json.h"
#include "test.h"

static struct arena arena;
static struct str dir;

static struct str hex_decode(struct str hex)
{
    char *to = arena_alloc(&arena, hex.n / 2 + 1);
    for (size_t i = 0; i + 1 < hex.n; i += 2) {
        char pair[] = { hex.p[i], hex.p[i + 1], 0 };
        to[i / 2] = (char)strtoul(pair, NULL, 16);
    }
    return str_make(to, hex.n / 2);
}

/* A string, or {"hex": "..."}; with the line feed that a caller of the text reader appends. */
static struct str page_of(const struct json *v, enum expo_format format)
{
    struct str s = v->kind == JSON_STRING ? v->text
                                          : hex_decode(json_str(json_get(v, "hex"), STR("")));
    if (format == EXPO_OPENMETRICS) return s;
    char *to = arena_alloc(&arena, s.n + 1);
    memcpy(to, s.p, s.n);
    to[s.n] = '\n';
    return str_make(to, s.n + 1);
}

static enum expo_format format_of(const struct json *v)
{
    return str_eq(json_str(json_get(v, "format"), STR("")), STR("text")) ? EXPO_TEXT
                                                                         : EXPO_OPENMETRICS;
}

static const struct json *read_json(const char *name)
{
    struct str text;
    const struct json *v = NULL;
    struct diag d = { 0 };
    if (file_read(&arena, path_join(&arena, dir, str_c(name)), 64 << 20, &text, &d) != OK ||
        json_parse(&arena, text, &v, &d) != OK) {
        fail_msg("%s: %s", name, d.text);
    }
    return v;
}

/* Lines that the original, as it was run for these vectors, turned into start timestamps of their family. */
static bool is_created(const struct expo_entry *e)
{
    bool timed = e->type == EXPO_COUNTER || e->type == EXPO_HISTOGRAM || e->type == EXPO_SUMMARY;
    return e->kind == EXPO_SERIES && timed && str_ends(e->name, STR("_created"));
}

/* To the end or the first error; counts series. */
static enum err read_page(struct str page, enum expo_format format, size_t *series, struct diag *d)
{
    struct expo_reader r;
    struct expo_entry entry;
    enum err e;
    expo_reader_init(&r, format);
    r.in = page;
    r.final = true;
    while ((e = expo_next(&r, &entry, d)) == OK) {
        if (entry.kind == EXPO_SERIES && !is_created(&entry)) ++*series;
    }
    expo_reader_done(&r);
    return e;
}

static void error_texts_are_the_originals(void **state)
{
    (void)state;
    const struct json *all = read_json("prometheus-textparse/errors.json");
    for (size_t i = 0; i < all->n; i++) {
        const struct json *row = &all->items[i], *want = json_get(row, "error");
        struct diag d = { 0 };
        size_t series = 0;
        enum err e = read_page(page_of(json_get(row, "input"), format_of(row)), format_of(row),
                               &series, &d);
        struct str expected = json_str(want, STR(""));
        if (expected.n ? e != ERR_SYNTAX || !str_eqc(expected, d.text) : e != ERR_EOF) {
            fail_msg("row %zu: wanted <" STR_FMT ">, got %d <%s>", i, STR_ARG(expected), (int)e,
                     d.text);
        }
    }
}

static void verdicts_are_the_originals(void **state)
{
    (void)state;
    const struct json *all = read_json("openmetrics-prometheus-verdicts.json");
    for (size_t i = 0; i < all->n; i++) {
        const struct json *row = &all->items[i];
        struct str name = json_str(json_get(row, "case"), STR("")), page;
        struct str path = arena_fmt(&arena, STR_FMT "/openmetrics/" STR_FMT "/metrics",
                                    STR_ARG(dir), STR_ARG(name));
        struct diag d = { 0 };
        size_t series = 0;
        assert_int_equal(file_read(&arena, path, 1 << 20, &page, &d), OK);
        enum err e = read_page(page, EXPO_OPENMETRICS, &series, &d);
        bool good = json_bool(json_get(row, "accepted"), false);
        struct str expected = json_str(json_get(row, "error"), STR(""));
        if (good != (e == ERR_EOF) || (!good && !str_eqc(expected, d.text)) ||
            (double)series != json_num(json_get(row, "series"), -1)) {
            fail_msg(STR_FMT ": wanted %d <" STR_FMT ">, got %d <%s>, %zu series", STR_ARG(name),
                     good, STR_ARG(expected), (int)e, d.text, series);
        }
    }
}

/* --- entries --- */

static struct str text_of(const struct json *v, const char *key)
{
    const struct json *it = json_get(v, key);
    if (!it) return str_make(NULL, 0);
    return it->kind == JSON_OBJECT ? hex_decode(json_str(json_get(it, "hex"), STR(""))) : it->text;
}

static void same_value(double got, const struct json *want, const char *key)
{
    double v;
    assert_int_equal(num_parse_f64(text_of(want, key), &v), OK);
    assert_true(got == v || (got != got && v != v));
}

static bool has_label(const struct json *labels, struct str name, struct str value)
{
    for (size_t i = 0; i < labels->n; i++) {
        if (str_eq(labels->members[i].key, name)) {
            return str_eq(labels->members[i].value.text, value);
        }
    }
    return false;
}

static void same_labels(const struct expo_entry *got, const struct json *want)
{
    const struct json *labels = json_get(want, "labels");
    assert_true(has_label(labels, STR("__name__"), expo_unescape(&arena, got->name, true)));
    assert_int_equal(labels->n, got->labels_n + 1);
    for (size_t i = 0; i < got->labels_n; i++) {
        struct str name = expo_unescape(&arena, got->labels[i].name, true);
        struct str value = expo_label_value(&arena, got->type, name, got->labels[i].value);
        if (!has_label(labels, name, value)) {
            fail_msg(STR_FMT ": " STR_FMT "=" STR_FMT, STR_ARG(got->series), STR_ARG(name),
                     STR_ARG(value));
        }
    }
}

static void same_exemplar(const struct expo_entry *got, const struct json *want)
{
    const struct json *list = json_get(want, "exemplars");
    assert_int_equal(got->has_exemplar, list && list->n == 1);
    if (!got->has_exemplar) return;
    const struct json *it = &list->items[0], *labels = json_get(it, "labels");
    same_value(got->exemplar_value, it, "value");
    assert_int_equal(got->exemplar_has_t, json_get(it, "timestamp_ms") != NULL);
    if (got->exemplar_has_t) {
        assert_true((double)got->exemplar_t == json_num(json_get(it, "timestamp_ms"), -1));
    }
    assert_int_equal(labels->n, got->exemplar_labels_n);
    for (size_t i = 0; i < labels->n; i++) {
        assert_true(has_label(labels, expo_unescape(&arena, got->exemplar_labels[i].name, true),
                              expo_unescape(&arena, got->exemplar_labels[i].value, true)));
    }
}

static void same_series(const struct expo_entry *got, const struct json *want)
{
    assert_true(str_eq(got->series, text_of(want, "series")));
    same_value(got->value, want, "value");
    assert_int_equal(got->has_t, json_get(want, "timestamp_ms") != NULL);
    if (got->has_t) assert_true((double)got->t == json_num(json_get(want, "timestamp_ms"), -1));
    same_labels(got, want);
    same_exemplar(got, want);
}

static void same_entry(const struct expo_entry *got, const struct json *want)
{
    struct str kind = text_of(want, "entry");
    switch (got->kind) {
    case EXPO_SERIES:
        assert_true(str_eq(kind, STR("series")));
        same_series(got, want);
        return;
    case EXPO_COMMENT:
        assert_true(str_eq(kind, STR("comment")));
        assert_true(str_eq(got->text, text_of(want, "text")));
        return;
    case EXPO_TYPE:
        assert_true(str_eq(kind, STR("type")));
        assert_true(str_eqc(text_of(want, "type"), expo_type_name(got->type)));
        break;
    case EXPO_HELP:
        assert_true(str_eq(kind, STR("help")) || str_eq(kind, STR("help-or-unit")));
        break;
    case EXPO_UNIT:
        assert_true(str_eq(kind, STR("unit")) || str_eq(kind, STR("help-or-unit")));
        break;
    }
    assert_true(str_eq(expo_unescape(&arena, got->name, true), text_of(want, "metric")));
}

static void same_help(const struct expo_entry *got, const struct json *want, enum expo_format f)
{
    if (got->kind == EXPO_HELP && got->text.n) {
        assert_true(
            str_eq(expo_unescape(&arena, got->text, f == EXPO_OPENMETRICS), text_of(want, "help")));
    }
    if (got->kind == EXPO_UNIT && got->text.n) {
        assert_true(str_eq(got->text, text_of(want, "unit")));
    }
}

static void one_page(const struct json *row)
{
    const struct json *want = json_get(row, "entries");
    struct expo_reader r;
    struct expo_entry entry;
    struct diag d = { 0 };
    size_t n = 0;
    enum err e;
    expo_reader_init(&r, format_of(row));
    r.in = page_of(json_get(row, "input"), r.format);
    r.final = true;
    while ((e = expo_next(&r, &entry, &d)) == OK) {
        if (r.format == EXPO_OPENMETRICS && is_created(&entry)) continue;
        assert_true(n < want->n);
        same_entry(&entry, &want->items[n]);
        same_help(&entry, &want->items[n], r.format);
        n++;
    }
    if (e != ERR_EOF) fail_msg("%u: %s", d.line, d.text);
    assert_int_equal(n, want->n);
    expo_reader_done(&r);
}

static void entries_are_the_originals(void **state)
{
    (void)state;
    const struct json *all = read_json("prometheus-textparse/parse.json");
    size_t compared = 0;
    for (size_t i = 0; i < all->n; i++) {
        const struct json *row = &all->items[i];
        struct str name = text_of(row, "name");
        if (json_bool(json_get(json_get(row, "options"), "type_and_unit_labels"), false) ||
            str_find(name, STR("type-and-unit=true")) != STR_NONE) {
            continue;
        }
        one_page(row);
        compared++;
    }
    assert_int_equal(compared, 6);
}

/* Whatever the pieces, the entries are the same. */
static void pieces_do_not_matter(void **state)
{
    (void)state;
    struct str page;
    struct str path = path_join(&arena, dir, STR("prometheus-textparse/alltypes.237mfs.prom.txt"));
    assert_int_equal(file_read(&arena, path, 1 << 20, &page, NULL), OK);
    size_t whole = 0;
    assert_int_equal(read_page(page, EXPO_TEXT, &whole, NULL), ERR_EOF);
    static const size_t STEPS[] = { 1, 7, 100, 4096 };
    for (size_t s = 0; s < ARRAY_LEN(STEPS); s++) {
        struct expo_reader r;
        struct expo_entry entry;
        size_t series = 0;
        enum err e = ERR_SHORT;
        expo_reader_init(&r, EXPO_TEXT);
        for (size_t end = 0; e == ERR_SHORT;) {
            r.in = str_first(page, end);
            r.final = end == page.n;
            while ((e = expo_next(&r, &entry, NULL)) == OK) {
                if (entry.kind == EXPO_SERIES) series++;
            }
            end = end + STEPS[s] < page.n ? end + STEPS[s] : page.n;
        }
        assert_int_equal(e, ERR_EOF);
        assert_int_equal(series, whole);
        expo_reader_done(&r);
    }
}

int main(void)
{
    arena_init(&arena, 0);
    dir = data_dir(&arena, "expfmt");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_texts_are_the_originals),
        cmocka_unit_test(verdicts_are_the_originals),
        cmocka_unit_test(entries_are_the_originals),
        cmocka_unit_test(pieces_do_not_matter),
    };
    int failed = cmocka_run_group_tests_name("expfmt", tests, NULL, NULL);
    arena_done(&arena);
    return failed;
}
