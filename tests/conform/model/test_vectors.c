/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of the original's own tests: label regexps, relabelling, durations, names. Data is read in place. */
#include "codec/gotime.h"
#include "codec/json.h"
#include "codec/regex.h"
#include "model/relabel.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

static struct arena arena;

static const char *data_dir(void)
{
    const char *dir = getenv("VIGIE_DATA");
    return dir && *dir ? dir : "../shared/data";
}

static const struct json *load(const char *name)
{
    struct str path = arena_fmt(&arena, "%s/promql-parse/%s", data_dir(), name);
    FILE *f = fopen(path.p, "rb");
    if (!f) return NULL;
    BUF(b, 0);
    for (size_t n = 1; n;) {
        char *to = buf_room(&b, 1 << 16);
        n = fread(to, 1, 1 << 16, f);
        buf_add(&b, n);
    }
    (void)fclose(f);
    const struct json *v = NULL;
    struct diag d = { 0 };
    if (json_parse(&arena, buf_str(&b), &v, &d) != OK) fail_msg("%s: %s", name, d.text);
    return v;
}

/* A string, or {"hex": "..."} for one that is not UTF-8. */
static struct str text(const struct json *v)
{
    struct str hex = json_str(json_get(v, "hex"), STR(""));
    if (v && v->kind == JSON_STRING) return v->text;
    char *out = arena_raw(&arena, hex.n / 2 + 1);
    for (size_t i = 0; i < hex.n / 2; i++) {
        char pair[3] = { hex.p[2 * i], hex.p[2 * i + 1], '\0' };
        out[i] = (char)strtoul(pair, NULL, 16);
    }
    return str_make(out, hex.n / 2);
}

static bool has_literals(const struct regex *re, const struct json *set)
{
    struct regex_shape shape;
    regex_shape(re, &shape);
    if (!set || set->kind != JSON_ARRAY) return true;
    for (size_t i = 0; i < set->n; i++) {
        bool found = false;
        for (size_t k = 0; k < shape.n; k++) {
            found |= str_eq(shape.literals[k], text(&set->items[i]));
        }
        if (!found) return false;
    }
    return shape.n == set->n;
}

static void label_regexps(void **state)
{
    (void)state;
    const struct json *all = load("regexp.json");
    const struct json *values = json_get(all, "values"), *regexes = json_get(all, "regexes");
    assert_true(values && regexes && regexes->n > 0);
    for (size_t i = 0; i < regexes->n; i++) {
        const struct json *row = &regexes->items[i];
        struct str pattern = text(json_get(row, "regex")), bits = text(json_get(row, "match"));
        struct regex *re;
        struct diag d = { 0 };
        if (regex_compile(pattern, REGEX_RE2, &re, &d) != OK) fail_msg("%s", d.text);
        for (size_t k = 0; k < values->n; k++) {
            struct str v = text(&values->items[k]);
            if (regex_match(re, v) != (bits.p[k] == '1')) {
                fail_msg(STR_FMT " on " STR_FMT, STR_ARG(pattern), STR_ARG(v));
            }
        }
        if (!has_literals(re, json_get(row, "set_matches"))) fail_msg(STR_FMT, STR_ARG(pattern));
        regex_free(re);
    }
}

static void durations(void **state)
{
    (void)state;
    const struct json *all = load("durations.json");
    assert_true(all && all->n > 0);
    for (size_t i = 0; i < all->n; i++) {
        const struct json *row = &all->items[i];
        struct str in = text(json_get(row, "in"));
        int64_t ms = 0;
        struct diag d = { 0 };
        bool negative = json_bool(json_get(row, "allow_negative"), false);
        enum err e = (negative ? duration_parse_signed : duration_parse)(in, &ms, &d);
        assert_int_equal(e == OK, json_bool(json_get(row, "ok"), false));
        if (e != OK) {
            assert_true(str_eqc(text(json_get(row, "error")), d.text));
            continue;
        }
        BUF(b, 0);
        duration_write(&b, ms);
        assert_true(ms == (int64_t)json_num(json_get(row, "milliseconds"), -1));
        assert_true(str_eq(buf_str(&b), text(json_get(row, "string"))));
    }
}

static enum relabel_action action_of(struct str s)
{
    static const char *const NAMES[] = { "replace",   "keep",      "drop",     "keepequal",
                                         "dropequal", "hashmod",   "labelmap", "labeldrop",
                                         "labelkeep", "lowercase", "uppercase" };
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        if (str_eqc(s, NAMES[i])) return (enum relabel_action)i;
    }
    fail_msg("action " STR_FMT, STR_ARG(s));
    return RELABEL_KEEP;
}

static struct relabel_rule rule_of(const struct json *v)
{
    struct relabel_rule r = { 0 };
    const struct json *sources = json_get(v, "source_labels");
    struct str *names = arena_array(&arena, sources ? sources->n : 0, sizeof(*names));
    for (size_t i = 0; sources && i < sources->n; i++) names[i] = text(&sources->items[i]);
    r.action = action_of(text(json_get(v, "action")));
    r.source_labels = names;
    r.source_n = sources ? sources->n : 0;
    r.separator = json_str(json_get(v, "separator"), STR(";"));
    r.target_label = json_str(json_get(v, "target_label"), STR(""));
    r.replacement = json_str(json_get(v, "replacement"), STR("$1"));
    r.regex_text = json_str(json_get(v, "regex"), STR("(.*)"));
    r.modulus = (uint64_t)json_num(json_get(v, "modulus"), 0);
    struct diag d = { 0 };
    if (regex_compile(r.regex_text, REGEX_RE2, &r.regex, &d) != OK) fail_msg("%s", d.text);
    return r;
}

static struct labels labels_of(const struct json *v)
{
    size_t n = v ? v->n : 0;
    struct label *lb = arena_array(&arena, n, sizeof(*lb));
    for (size_t i = 0; i < n; i++) {
        lb[i] = (struct label){ v->members[i].key, text(&v->members[i].value) };
    }
    return labels_from(lb, n);
}

static void relabelling(void **state)
{
    (void)state;
    const struct json *all = load("relabel.json");
    assert_true(all && all->n > 0);
    for (size_t i = 0; i < all->n; i++) {
        const struct json *row = &all->items[i], *rules = json_get(row, "relabel_configs");
        struct labels_builder b;
        labels_builder_init(&b, &arena, labels_of(json_get(row, "input")));
        bool kept = true;
        for (size_t k = 0; k < rules->n && kept; k++) {
            struct relabel_rule r = rule_of(&rules->items[k]);
            kept = relabel_apply(&b, &r, 1);
            regex_free(r.regex);
        }
        if (kept == json_bool(json_get(row, "drop"), false)) fail_msg("row %zu", i);
        if (kept && !labels_eq(labels_build(&b), labels_of(json_get(row, "output")))) {
            fail_msg("row %zu: other labels", i);
        }
    }
}

static void names(void **state)
{
    (void)state;
    const struct json *all = load("names.json");
    assert_true(all && all->n > 0);
    for (size_t i = 0; i < all->n; i++) {
        const struct json *row = &all->items[i];
        bool label = str_eq(text(json_get(row, "kind")), STR("label"));
        bool valid = (label ? label_name_valid_legacy
                            : metric_name_valid_legacy)(text(json_get(row, "name")));
        assert_int_equal(valid, json_bool(json_get(row, "legacy"), false));
    }
}

static int end(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

int main(void)
{
    if (!load("regexp.json")) {
        print_message("no conformance data at %s\n", data_dir());
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(label_regexps),
        cmocka_unit_test(durations),
        cmocka_unit_test(relabelling),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests_name("vectors", tests, NULL, end);
}
