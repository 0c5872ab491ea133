/* SPDX-License-Identifier: Apache-2.0 */
/* config/files.json, config/inline.json, routes.json, route-trees.json, inhibit matchers: a file loads, or fails with upstream's sentence. */
#include "alert/config.h"
#include "codec/gotime.h"
#include "conform/data.h"

static enum err load(struct arena *a, struct str text, const char *dir, struct alert_config **c,
                     struct diag *d)
{
    struct config_options o = {
        .text = text, .dir = arena_fmt(a, "%s", dir), .mode = MATCHERS_CLASSIC, .show_all = true
    };
    return alert_config_load(&o, c, d);
}

/* Upstream's text: for unknown fields behind "line N: ", ours may say more ("; did you mean"). */
static struct str bare(struct str error)
{
    size_t at = str_find(error, STR("  line "));
    if (at == STR_NONE) return error;
    struct str rest = str_from(error, at), head;
    (void)str_cut(rest, ':', &head, &rest);
    return str_trim(rest);
}

static bool check(struct arena *a, const struct json *row, struct str text, struct str name,
                  size_t *printed)
{
    struct alert_config *c = NULL;
    struct diag d = { 0 };
    bool want = json_bool(json_get(row, "ok"), false);
    enum err e = load(a, text, conform_dir(), &c, &d);
    struct str error = bare(json_str(json_get(row, "error"), STR("")));
    bool ok = want ? e == OK : e != OK && str_starts(str_c(d.text), error);
    if (!ok) {
        print_error(STR_FMT "\n  got  %u:%u %s\n  want " STR_FMT "\n", STR_ARG(name), d.line, d.col,
                    e == OK ? "ok" : d.text, STR_ARG(want ? STR("ok") : error));
    }
    struct str marshalled = json_str(json_get(row, "marshalled"), STR(""));
    if (c && marshalled.n) {
        bool same = str_eq(str_trim(c->printed), str_trim(marshalled));
        *printed += same;
        if (!same && getenv("SHOW_PRINTED")) {
            print_error("--- " STR_FMT "\n" STR_FMT "\n--- want\n" STR_FMT "\n", STR_ARG(name),
                        STR_ARG(c->printed), STR_ARG(marshalled));
        }
    }
    alert_config_unref(c);
    return ok;
}

static void files(void **state)
{
    (void)state;
    ARENA(a, 0);
    size_t bad = 0, printed = 0, marshalled = 0;
    const struct json *rows = conform_json(&a, "alertmanager/config/files.json");
    for (size_t i = 0; i < rows->n; i++) {
        struct str file = json_str(json_get(&rows->items[i], "file"), STR(""));
        struct str text = conform_file(
            &a, arena_fmt(&a, "alertmanager/config/testdata/" STR_FMT, STR_ARG(file)).p);
        marshalled += json_get(&rows->items[i], "marshalled") != NULL;
        bad += !check(&a, &rows->items[i], text, file, &printed);
    }
    print_message("files.json: %zu of %zu, printed alike %zu of %zu\n", rows->n - bad, rows->n,
                  printed, marshalled);
    assert_int_equal(bad, 0);
}

static void inline_texts(void **state)
{
    (void)state;
    ARENA(a, 0);
    size_t bad = 0, printed = 0, marshalled = 0;
    const struct json *rows = conform_json(&a, "alertmanager/config/inline.json");
    for (size_t i = 0; i < rows->n; i++) {
        marshalled += json_get(&rows->items[i], "marshalled") != NULL;
        bad += !check(&a, &rows->items[i], json_str(json_get(&rows->items[i], "in"), STR("")),
                      json_str(json_get(&rows->items[i], "test"), STR("")), &printed);
    }
    print_message("inline.json: %zu of %zu, printed alike %zu of %zu\n", rows->n - bad, rows->n,
                  printed, marshalled);
    assert_int_equal(bad, 0);
}

/* A route alone, with every receiver that it names. */
static struct alert_config *route_config(struct arena *a, struct str route)
{
    BUF(b, 0);
    buf_putc(&b, "route:\n");
    /* A root needs a receiver where upstream's test builds its tree without the check. */
    if (str_find(route, STR("\nreceiver:")) == STR_NONE) buf_putc(&b, "  receiver: none\n");
    for (struct str rest = route, line; rest.n;) {
        (void)str_cut(rest, '\n', &line, &rest);
        buf_fmt(&b, "  " STR_FMT "\n", STR_ARG(line));
    }
    buf_putc(&b, "receivers:\n");
    static const char *const names[] = { "none",
                                         "test1",
                                         "test2",
                                         "test3",
                                         "test4",
                                         "notify-B",
                                         "notify-def",
                                         "notify-A",
                                         "notify-testing",
                                         "notify-productionA",
                                         "notify-productionB",
                                         "notify-BC",
                                         "default",
                                         "blabla",
                                         "parent",
                                         "child",
                                         "grandchild",
                                         "team-X" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) buf_fmt(&b, "- name: '%s'\n", names[i]);
    struct alert_config *c = NULL;
    struct diag d = { 0 };
    if (load(a, arena_dup(a, buf_str(&b)), ".", &c, &d) != OK) {
        print_error("%u:%u %s\n" STR_FMT "\n", d.line, d.col, d.text, STR_ARG(route));
    }
    return c;
}

static struct str shown(struct arena *a, const struct route *r)
{
    BUF(b, 0);
    buf_fmt(&b, STR_FMT "|" STR_FMT "|" STR_FMT "|%d|", STR_ARG(r->key), STR_ARG(r->id),
            STR_ARG(str_eqc(r->receiver, "none") ? STR("") : r->receiver), r->group_by_all);
    go_duration_write(&b, r->group_wait_ms * 1000000);
    go_duration_write(&b, r->group_interval_ms * 1000000);
    go_duration_write(&b, r->repeat_ms * 1000000);
    buf_fmt(&b, "|%zu", r->group_by_n);
    return arena_dup(a, buf_str(&b));
}
static struct str wanted(struct arena *a, const struct json *m)
{
    BUF(b, 0);
    struct str none = STR("");
    const struct json *o = json_get(m, "opts");
    buf_fmt(&b, STR_FMT "|" STR_FMT "|" STR_FMT "|%d|" STR_FMT STR_FMT STR_FMT "|%zu",
            STR_ARG(json_str(json_get(m, "key"), none)), STR_ARG(json_str(json_get(m, "id"), none)),
            STR_ARG(json_str(json_get(o, "receiver"), none)),
            json_bool(json_get(o, "group_by_all"), false),
            STR_ARG(json_str(json_get(o, "group_wait"), none)),
            STR_ARG(json_str(json_get(o, "group_interval"), none)),
            STR_ARG(json_str(json_get(o, "repeat_interval"), none)),
            json_get(o, "group_by") ? json_get(o, "group_by")->n : 0);
    return arena_dup(a, buf_str(&b));
}
static bool same(struct arena *a, const struct route *r, const struct json *m)
{
    struct str got = shown(a, r), want = wanted(a, m);
    if (str_eq(got, want)) return true;
    print_error("got  " STR_FMT "\nwant " STR_FMT "\n", STR_ARG(got), STR_ARG(want));
    return false;
}

static void routes(void **state)
{
    (void)state;
    ARENA(a, 0);
    const struct json *rows = conform_json(&a, "alertmanager/routes.json");
    size_t bad = 0;
    for (size_t i = 0; i < rows->n; i++) {
        const struct json *row = &rows->items[i], *lb = json_get(row, "labels"),
                          *want = json_get(row, "matches");
        struct alert_config *c = route_config(&a, json_str(json_get(row, "route"), STR("")));
        assert_non_null(c);
        struct label *v = arena_array(&a, lb->n, sizeof(*v));
        for (size_t k = 0; k < lb->n; k++) {
            v[k] = (struct label){ lb->members[k].key, lb->members[k].value.text };
        }
        const struct route **found = arena_array(&a, c->routes_n, sizeof(*found));
        size_t n = config_routes(c, labels_from(v, lb->n), found);
        bool ok = n == want->n;
        for (size_t k = 0; ok && k < n; k++) ok = same(&a, found[k], &want->items[k]);
        bad += !ok;
        alert_config_unref(c);
    }
    print_message("routes.json: %zu of %zu\n", rows->n - bad, rows->n);
    assert_int_equal(bad, 0);
}

static bool walk(struct arena *a, const struct route *r, const struct json *want, size_t *at)
{
    if (*at >= want->n) return false;
    const struct json *w = &want->items[(*at)++];
    bool ok = same(a, r, w) && (double)r->index == json_num(json_get(w, "index"), -1) &&
              r->follow == json_bool(json_get(w, "continue"), false);
    for (size_t i = 0; ok && i < r->routes_n; i++) ok = walk(a, &r->routes[i], want, at);
    return ok;
}
static void trees(void **state)
{
    (void)state;
    ARENA(a, 0);
    const struct json *rows = conform_json(&a, "alertmanager/route-trees.json");
    size_t bad = 0;
    for (size_t i = 0; i < rows->n; i++) {
        const struct json *want = json_get(&rows->items[i], "walk");
        struct alert_config *c = route_config(
            &a, json_str(json_get(&rows->items[i], "route"), STR("")));
        assert_non_null(c);
        size_t at = 0;
        bad += !(walk(&a, c->root, want, &at) && at == want->n);
        alert_config_unref(c);
    }
    print_message("route-trees.json: %zu of %zu\n", rows->n - bad, rows->n);
    assert_int_equal(bad, 0);
}

int main(void)
{
    if (!conform_present()) return 77;
    const struct CMUnitTest tests[] = { cmocka_unit_test(files), cmocka_unit_test(inline_texts),
                                        cmocka_unit_test(routes), cmocka_unit_test(trees) };
    return cmocka_run_group_tests_name("alertmanager configuration", tests, NULL, NULL);
}
