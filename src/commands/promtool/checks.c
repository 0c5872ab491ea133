/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checks.c - promtool check config, rules, web-config, healthy, ready
 */
#include "codec/gotime.h"
#include "commands/check/check.h"
#include "commands/promtool/promtool.h"
#include "io/file.h"
#include "io/http_client.h"
#include "promql/promql.h"
#include "rules/rulefile.h"
#include "scrape/config.h"

#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX ((size_t)64 << 20)

static bool lints(struct str list, const char *name)
{
    struct str one, rest = list;
    while (rest.n) {
        (void)str_cut(rest, ',', &one, &rest);
        one = str_trim(one);
        if (str_eqc(one, "all") || str_eqc(one, name)) return true;
    }
    return false;
}

/* What came of several files. */
struct outcome {
    bool failed, errors; /* errors: more than the linter's */
};

static int exit_code(const struct promtool_options *o, const struct outcome *r)
{
    if (r->failed && r->errors) return PROMTOOL_FAILED;
    return r->failed && o->lint_fatal ? PROMTOOL_LINT : PROMTOOL_OK;
}

/* --- rules --- */

static int by_name(const void *x, const void *y)
{
    const struct rule_def *a = ((const struct duplicate_rule *)x)->rule,
                          *b = ((const struct duplicate_rule *)y)->rule;
    return str_cmp(a->alert.n ? a->alert : a->record, b->alert.n ? b->alert : b->record);
}

/* However often a rule is repeated, it is told once. */
static size_t distinct(struct duplicate_rule *v, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < kept && v[k].first != v[i].first) k++;
        if (k == kept) v[kept++] = v[i];
    }
    return kept;
}

static void print_duplicates(struct duplicate_rule *v, size_t n)
{
    n = distinct(v, n);
    if (n) qsort(v, n, sizeof(*v), by_name);
    (void)fprintf(stderr, "lint error %zu duplicate rule(s) found.\n", n);
    for (size_t i = 0; i < n; i++) {
        const struct rule_def *r = v[i].rule;
        struct str name = r->alert.n ? r->alert : r->record;
        (void)fprintf(stderr, "Metric: " STR_FMT "\nLabel(s):\n", STR_ARG(name));
        for (size_t k = 0; k < r->labels.n; k++) {
            (void)fprintf(stderr, "\t" STR_FMT ": " STR_FMT "\n", STR_ARG(r->labels.v[k].key),
                          STR_ARG(r->labels.v[k].value));
        }
    }
    (void)fprintf(stderr, "Might cause inconsistency while recording expressions\n");
}

/* As Go's yaml words its own mistakes. */
static void print_place(const struct diag *d)
{
    if (str_starts(str_c(d->text), STR("field ")) ||
        str_starts(str_c(d->text), STR("cannot unmarshal "))) {
        (void)fprintf(stderr, "yaml: unmarshal errors:\n  line %u: %s\n", d->line, d->text);
    } else if (d->line) {
        (void)fprintf(stderr, "%u:%u: %s\n", d->line, d->col, d->text);
    } else {
        (void)fprintf(stderr, "%s\n", d->text);
    }
}

static void check_rule_text(const struct promtool_options *o, struct str name, struct str text,
                            struct evaluator *ev, struct outcome *r)
{
    struct rule_file f;
    struct diag *mistakes;
    struct duplicate_rule *twice;
    size_t n, rules = 0, duplicates = 0;
    if (!rule_file_check(o->a, text, ev, o->ignore_unknown, &f, &mistakes, &n)) {
        (void)fprintf(stderr, "  FAILED:\n");
        for (size_t i = 0; i < n; i++) {
            (void)fprintf(stderr, STR_FMT ": ", STR_ARG(name));
            print_place(&mistakes[i]);
        }
        r->failed = r->errors = true;
        return;
    }
    if (lints(o->lint, "duplicate-rules")) duplicates = check_duplicates(o->a, &f, &twice);
    if (duplicates) {
        (void)fprintf(stderr, "  FAILED:\n");
        print_duplicates(twice, duplicates);
        r->failed = true;
        return;
    }
    for (size_t i = 0; i < f.n; i++) rules += f.groups[i].rules_n;
    (void)printf("  SUCCESS: %zu rules found\n", rules);
}

static void check_rule_files(const struct promtool_options *o, const struct str *paths, size_t n,
                             struct outcome *r)
{
    struct evaluator *ev = promql_new(NULL,
                                      &(struct promql_options){ .features = promtool_features(o) });
    for (size_t i = 0; i < n; i++) {
        struct str text;
        struct diag d = { 0 };
        (void)printf("Checking " STR_FMT "\n", STR_ARG(paths[i]));
        (void)fflush(stdout);
        if (file_read(o->a, paths[i], FILE_MAX, &text, &d) != OK) {
            (void)fprintf(stderr, "  FAILED:\n%s\n", d.text);
            r->failed = r->errors = true;
        } else {
            check_rule_text(o, paths[i], text, ev, r);
        }
        (void)printf("\n");
        (void)fflush(stdout);
    }
    promql_free(ev);
}

static struct str read_stdin(struct arena *a)
{
    BUF(b, FILE_MAX);
    for (;;) {
        char *room = buf_room(&b, 65536);
        size_t got = room ? fread(room, 1, 65536, stdin) : 0;
        if (!got) break;
        buf_add(&b, got);
    }
    return arena_dup(a, buf_str(&b));
}

int promtool_check_rules(const struct promtool_options *o)
{
    struct outcome r = { 0 };
    if (o->args.n) {
        check_rule_files(o, o->args.v, o->args.n, &r);
        return exit_code(o, &r);
    }
    struct evaluator *ev = promql_new(NULL,
                                      &(struct promql_options){ .features = promtool_features(o) });
    (void)printf("Checking standard input\n");
    (void)fflush(stdout);
    check_rule_text(o, STR("standard input"), read_stdin(o->a), ev, &r);
    (void)printf("\n");
    promql_free(ev);
    return exit_code(o, &r);
}

/* --- config --- */

static void print_config_error(struct str path, const struct diag *d)
{
    (void)fprintf(stderr, "  FAILED: parsing YAML file " STR_FMT ": ", STR_ARG(path));
    print_place(d);
}

struct rule_paths {
    VEC(struct str) v;
};

/* What it refers to; false: something is not good, and that was said. */
static bool check_references(const struct promtool_options *o, struct str path,
                             struct rule_paths *rules)
{
    struct check c;
    bool good = true;
    check_init(&c);
    c.follow = !o->syntax_only;
    check_file(&c, path, KIND_PROMETHEUS);
    for (size_t i = 0; i < c.found.v.n; i++) {
        const struct finding *f = &c.found.v.v[i];
        /* What is wrong inside a rule file is told with that file. */
        if (!str_eq(f->file, path)) continue;
        bool warning = f->severity == FINDING_WARNING;
        if (warning) (void)printf("  WARNING: " STR_FMT "\n", STR_ARG(f->text));
        if (!warning) (void)fprintf(stderr, "  FAILED: " STR_FMT "\n", STR_ARG(f->text));
        good &= warning;
        if (!warning) break; /* the original stops at the first, too */
    }
    for (size_t i = 1; i < c.files.n && good; i++) {
        if (c.files.v[i].kind != KIND_RULES) continue;
        *vec_push(o->a, &rules->v) = arena_dup(o->a, c.files.v[i].path);
    }
    check_done(&c);
    return good;
}

static bool check_one(const struct promtool_options *o, struct str path, struct rule_paths *rules)
{
    struct prom_config *p;
    struct diag d = { 0 };
    if (prom_config_load(path, &p, &d) != OK) {
        print_config_error(path, &d);
        return false;
    }
    prom_config_unref(p);
    return check_references(o, path, rules);
}

/* Samples of a job that is scraped this seldom are stale before the next one comes. */
static void lint_intervals(const struct promtool_options *o, struct str path, struct outcome *r)
{
    struct prom_config *p;
    if (!lints(o->lint, "too-long-scrape-interval") || prom_config_load(path, &p, NULL) != OK)
        return;
    for (size_t i = 0; i < p->scrape_configs.n; i++) {
        const struct scrape_config *s = &p->scrape_configs.v[i];
        if (o->lookback_ms <= 0 || s->interval_ms < o->lookback_ms) continue;
        BUF(b, 0);
        duration_write(&b, s->interval_ms);
        (void)fprintf(stderr,
                      "  FAILED: too long scrape interval found, data point will be marked as "
                      "stale - job: " STR_FMT ", interval: " STR_FMT "\n",
                      STR_ARG(s->job_name), STR_ARG(buf_str(&b)));
        r->failed = true;
        break;
    }
    prom_config_unref(p);
}

int promtool_check_config(const struct promtool_options *o)
{
    struct outcome r = { 0 };
    for (size_t i = 0; i < o->args.n; i++) {
        struct str path = o->args.v[i];
        struct rule_paths rules = { 0 };
        (void)printf("Checking " STR_FMT "\n", STR_ARG(path));
        (void)fflush(stdout);
        if (check_one(o, path, &rules)) {
            if (rules.v.n) (void)printf("  SUCCESS: %zu rule files found\n", rules.v.n);
            (void)printf(" SUCCESS: " STR_FMT " is valid prometheus config file syntax\n",
                         STR_ARG(path));
        } else {
            r.failed = r.errors = true;
        }
        (void)printf("\n");
        (void)fflush(stdout);
        check_rule_files(o, rules.v.v, rules.v.n, &r);
        if (!o->syntax_only) lint_intervals(o, path, &r);
    }
    return exit_code(o, &r);
}

/* --- web-config --- */

int promtool_check_web(const struct promtool_options *o)
{
    bool failed = false;
    for (size_t i = 0; i < o->args.n; i++) {
        struct str path = o->args.v[i];
        struct check c;
        check_init(&c);
        check_file(&c, path, KIND_WEB);
        (void)fprintf(stderr, STR_FMT " ", STR_ARG(path));
        if (c.found.errors) {
            const struct finding *f = &c.found.v.v[0];
            struct diag d = { .line = f->line, .col = f->col };
            (void)diag_set(&d, ERR_SYNTAX, STR_FMT, STR_ARG(f->text));
            bool yaml = str_starts(f->text, STR("field ")) ||
                        str_starts(f->text, STR("cannot unmarshal "));
            (void)fprintf(stderr, "FAILED: ");
            if (!yaml) d.line = 0;
            print_place(&d);
            failed = true;
        } else {
            (void)fprintf(stderr, "SUCCESS\n");
        }
        check_done(&c);
    }
    return failed ? PROMTOOL_FAILED : PROMTOOL_OK;
}

/* --- a running server --- */

static int ask(const struct promtool_options *o, const char *path)
{
    enum { TIMEOUT_MS = 10000 };
    struct str url = o->url;
    struct http_result res = { 0 };
    struct diag d = { 0 };
    if (str_find(url, STR("://")) == STR_NONE)
        url = arena_fmt(o->a, "http://" STR_FMT, STR_ARG(url));
    struct str whole = arena_fmt(o->a, STR_FMT "%s", STR_ARG(url), path);
    struct http_call call = { .url = whole, .timeout_ms = TIMEOUT_MS };
    int code = PROMTOOL_FAILED;
    if (promtool_http_config(o, &call.config, &d) != OK ||
        http_fetch(&call, NULL, &res, &d) != OK) {
        (void)fprintf(stderr, "%s\n", d.text);
    } else if (res.status != 200) {
        (void)fprintf(stderr, "check failed: URL=" STR_FMT ", status=%d\n", STR_ARG(url),
                      res.status);
    } else {
        (void)fprintf(stderr, "  SUCCESS:  " STR_FMT "\n", STR_ARG(buf_str(&res.body)));
        code = PROMTOOL_OK;
    }
    buf_done(&res.body);
    return code;
}

int promtool_check_healthy(const struct promtool_options *o) { return ask(o, "/-/healthy"); }
int promtool_check_ready(const struct promtool_options *o) { return ask(o, "/-/ready"); }
