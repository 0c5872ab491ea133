/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_config.c - Prometheus' own good and bad configuration files, with the texts of its loader
 *
 * What lies below this build's cut line (discovery, TLS, remote write) is refused and so not counted; what the
 * original refuses must never load. CONFIG_VERBOSE=1 lists what is missed.
 */
#include "../score.h"
#include "codec/json.h"
#include "scrape/config.h"
#include "test.h"

#include <unistd.h>

static const char COUNTS[] = "tests/conform/all/config.counts";
static struct arena arena;
static const struct json *expected;
static size_t loaded, printed, refused;

static void miss(struct str file, const char *what, const struct diag *d)
{
    if (getenv("CONFIG_VERBOSE")) {
        printf("%s: " STR_FMT ": %u:%u: %s\n", what, STR_ARG(file), d->line, d->col, d->text);
    }
}

static void count_good(struct str file, const struct json *want, const struct prom_config *c)
{
    struct diag none = { 0 };
    BUF(b, 0);
    loaded++;
    prom_config_print(&b, c);
    if (str_eq(buf_str(&b), json_str(json_get(want, "marshalled"), STR("")))) {
        printed++;
        return;
    }
    miss(file, "printed differently", &none);
    if (getenv("CONFIG_VERBOSE")) printf(STR_FMT "\n", STR_ARG(buf_str(&b)));
}

/* The part of the original's text that says what is wrong, without the file's name and Go's list head. */
static struct str essence(const struct json *want, uint64_t *line)
{
    struct str text = json_str(json_get(want, "error_contains"), STR(""));
    if (!text.n) text = json_str(json_get(want, "error"), STR(""));
    if (!text.n) text = json_str(json_get(want, "scrape_configs_error"), STR(""));
    struct str head, rest;
    if (str_starts(text, STR("parsing YAML file ")) && str_cut(text, ':', &head, &rest)) {
        text = str_trim(rest);
    }
    size_t list = str_find(text, STR("unmarshal errors:\n  line "));
    if (list != STR_NONE && str_cut(str_from(text, list + 25), ':', &head, &rest)) {
        (void)num_parse_u64(head, line);
        (void)str_cut(rest, '\n', &head, &rest);
        text = str_trim(head);
    }
    (void)str_cut(text, '\n', &head, &rest);
    return str_starts(head, STR("\"testdata")) ? str_from(head, str_find(head, STR("yml\": ")) + 6)
                                               : head;
}

static void count_bad(struct str file, const struct json *want, const struct diag *d)
{
    uint64_t line = 0;
    struct str text = essence(want, &line);
    if (str_find(str_c(d->text), text) != STR_NONE && (!line || line == d->line)) {
        refused++;
    } else {
        miss(file, "refused with another text", d);
    }
}

static void one_file(struct str file, const struct json *want)
{
    struct prom_config *c = NULL;
    struct diag d = { 0 };
    if (str_find(file, STR(" --agent")) != STR_NONE) return;
    bool good = json_bool(json_get(want, "ok"), false) &&
                !json_str(json_get(want, "scrape_configs_error"), STR("")).n;
    enum err e = prom_config_load(arena_fmt(&arena, "testdata/" STR_FMT, STR_ARG(file)), &c, &d);
    if (good && e == OK) count_good(file, want, c);
    if (good && e != OK) miss(file, "does not load", &d);
    if (!good && e != OK) count_bad(file, want, &d);
    if (!good && e == OK) fail_msg("loads, and must not: " STR_FMT, STR_ARG(file));
    prom_config_unref(c);
}

static void files_load_as_in_the_original(void **state)
{
    (void)state;
    for (size_t i = 0; i < expected->n; i++) {
        one_file(expected->members[i].key, &expected->members[i].value);
    }
}

static void read_expected(struct str dir)
{
    struct str text;
    struct diag d = { 0 };
    if (file_read(&arena, path_join(&arena, dir, STR("config-expected.json")), 64 << 20, &text,
                  &d) != OK ||
        json_parse(&arena, text, &expected, &d) != OK) {
        fail_msg("%s", d.text);
    }
}

int main(void)
{
    arena_init(&arena, 0);
    struct str dir = data_dir(&arena, "prometheus-config");
    read_expected(dir);
    char *home = getcwd(NULL, 0);
    struct str there = path_join(&arena, dir, STR("config"));
    if (!home || chdir(there.p) != 0) return 1;
    const struct CMUnitTest tests[] = { cmocka_unit_test(files_load_as_in_the_original) };
    int failed = cmocka_run_group_tests_name("config", tests, NULL, NULL);
    if (chdir(home) != 0) return 1;
    free(home);
    bool holds = score_holds(&arena, COUNTS, "loaded", loaded);
    holds &= score_holds(&arena, COUNTS, "printed", printed);
    holds &= score_holds(&arena, COUNTS, "refused", refused);
    arena_done(&arena);
    return failed || !holds;
}
