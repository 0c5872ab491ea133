/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_rules.c - promtool test rules: files, filters, and the two ways to tell the outcome
 */
#include "codec/regex.h"
#include "commands/promtool/promtool.h"
#include "commands/promtool/unit_run.h"
#include "io/clock.h"
#include "io/file.h"
#include "promql/promql.h"
#include "rules/rulefile.h"

#include <stdio.h>

#define FILE_MAX ((size_t)64 << 20)

/* --- JUnit --- */

struct report {
    struct buf cases;  /* of the file under way */
    struct buf suites; /* of all files */
    size_t tests, failures, errors;
};

static void put_xml(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '<': buf_putc(b, "&lt;"); break;
        case '>': buf_putc(b, "&gt;"); break;
        case '&': buf_putc(b, "&amp;"); break;
        case '"': buf_putc(b, "&#34;"); break;
        case '\n': buf_putc(b, "&#xA;"); break;
        case '\t': buf_putc(b, "&#x9;"); break;
        case '\r': buf_putc(b, "&#xD;"); break;
        default: buf_char(b, s.p[i]); break;
        }
    }
}

static void put_case(struct report *r, struct str name, const struct failures *f, const char *tag)
{
    r->tests++;
    buf_putc(&r->cases, "<testcase name=\"");
    put_xml(&r->cases, name);
    buf_putc(&r->cases, "\">");
    for (size_t i = 0; i < f->v.n; i++) {
        buf_fmt(&r->cases, "<%s>", tag);
        put_xml(&r->cases, f->v.v[i]);
        buf_fmt(&r->cases, "</%s>", tag);
    }
    buf_putc(&r->cases, "</testcase>");
}

static void put_suite(struct report *r, struct str file)
{
    buf_putc(&r->suites, "<testsuite name=\"");
    put_xml(&r->suites, file);
    buf_fmt(&r->suites,
            "\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"0\" timestamp=\"\">",
            r->tests, r->failures, r->errors);
    buf_put(&r->suites, buf_str(&r->cases));
    buf_putc(&r->suites, "</testsuite>");
    buf_reset(&r->cases);
    r->tests = r->failures = r->errors = 0;
}

static enum err write_report(const struct report *r, struct str path, struct diag *d)
{
    BUF(b, 0);
    buf_putc(&b, "<testsuites>");
    buf_put(&b, buf_str(&r->suites));
    buf_putc(&b, "</testsuites>");
    return file_write_atomic(path, buf_str(&b), d);
}

/* --- rule files --- */

struct sources {
    VEC(struct rules_source) v;
};

/* In the words of promtool, whose errors of Go's yaml span two lines. */
static void fail_rules(struct failures *out, struct str path, const struct diag *d)
{
    bool yaml = str_starts(str_c(d->text), STR("field ")) ||
                str_starts(str_c(d->text), STR("cannot unmarshal "));
    struct str place = yaml ? arena_fmt(out->a, "yaml: unmarshal errors:\n  line %u: ", d->line)
                       : d->line ? arena_fmt(out->a, "%u:%u: ", d->line, d->col)
                                 : STR("");
    *vec_push(out->a, &out->v) = arena_fmt(out->a, STR_FMT ": " STR_FMT "%s", STR_ARG(path),
                                           STR_ARG(place), d->text);
}

static void add_rules(const struct promtool_options *o, struct str path, struct sources *to,
                      struct failures *out)
{
    struct str text;
    struct diag d = { 0 }, *mistakes;
    struct rule_file f;
    size_t n;
    if (file_read(o->a, path, FILE_MAX, &text, &d) != OK) {
        *vec_push(out->a, &out->v) = arena_dup(out->a, str_c(d.text));
        return;
    }
    struct evaluator *ev = promql_new(NULL,
                                      &(struct promql_options){ .features = promtool_features(o) });
    if (rule_file_check(o->a, text, ev, o->ignore_unknown, &f, &mistakes, &n)) {
        *vec_push(o->a, &to->v) = (struct rules_source){ path, text };
    } else {
        for (size_t i = 0; i < n; i++) fail_rules(out, path, &mistakes[i]);
    }
    promql_free(ev);
}

/* Mistakes of rule files are those of every test, as the original loads them for each. */
static void read_rules(const struct promtool_options *o, struct str file, const struct unit_file *f,
                       struct sources *to, struct failures *out)
{
    struct str dir = path_dir(o->a, file);
    bool here = str_eqc(dir, ".") && !str_starts(file, STR("./"));
    for (size_t i = 0; i < f->rule_files.n; i++) {
        struct str *paths, glob = f->rule_files.v[i];
        size_t n = 0;
        if (!here) glob = path_join(o->a, dir, glob);
        if (file_glob(o->a, glob, &paths, &n, NULL) != OK) n = 0;
        if (!n) {
            (void)fprintf(stderr, "  WARNING: no file match pattern " STR_FMT "\n", STR_ARG(glob));
        }
        for (size_t k = 0; k < n; k++) add_rules(o, paths[k], to, out);
    }
}

/* --- files --- */

static bool is_wanted(const struct promtool_options *o, const struct regex *run,
                      const struct unit_group *g)
{
    return !o->run.n || regex_match(run, g->name);
}

static bool order_is_unique(const struct unit_file *f, struct failures *out)
{
    for (size_t i = 0; i < f->group_order.n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (!str_eq(f->group_order.v[i], f->group_order.v[k])) continue;
            *vec_push(out->a, &out->v) = arena_fmt(
                out->a, "group name repeated in evaluation order: " STR_FMT,
                STR_ARG(f->group_order.v[i]));
            return false;
        }
    }
    return true;
}

static void run_group(const struct promtool_options *o, const struct unit_run *u,
                      const struct unit_group *g, const struct failures *broken,
                      struct failures *out, struct report *r)
{
    struct failures own = { .a = out->a };
    int64_t began = clock_mono_ms();
    if (o->debug) (void)printf("DEBUG: Starting test " STR_FMT "\n", STR_ARG(g->name));
    if (broken->v.n) {
        for (size_t i = 0; i < broken->v.n; i++) *vec_push(own.a, &own.v) = broken->v.v[i];
    } else {
        unit_run_group(u, g, &own);
    }
    if (o->debug) {
        (void)printf("DEBUG: Test " STR_FMT " finished, took %lldms\n", STR_ARG(g->name),
                     (long long)(clock_mono_ms() - began));
    }
    put_case(r, g->name, &own, "failure");
    r->failures += own.v.n;
    for (size_t i = 0; i < own.v.n; i++) *vec_push(out->a, &out->v) = own.v.v[i];
}

/* What is wrong with the file itself. */
static void abort_file(struct failures *out, struct report *r)
{
    r->errors++;
    put_case(r, STR("unknown"), out, "error");
}

static void run_file(const struct promtool_options *o, const struct regex *run, struct str path,
                     struct failures *out, struct report *r)
{
    struct unit_file f;
    struct str text;
    struct diag d = { 0 };
    struct sources rules = { 0 };
    struct failures broken = { .a = o->a };
    enum err e = file_read(o->a, path, FILE_MAX, &text, &d);
    if (e == OK) e = unit_file_read(o->a, text, o->ignore_unknown, &f, &d);
    if (e != OK) {
        bool yaml = str_starts(str_c(d.text), STR("field ")) ||
                    str_starts(str_c(d.text), STR("cannot unmarshal "));
        *vec_push(o->a, &out->v) = yaml ? arena_fmt(o->a, "yaml: unmarshal errors:\n  line %u: %s",
                                                    d.line, d.text)
                                        : arena_dup(o->a, str_c(d.text));
        abort_file(out, r);
        return;
    }
    read_rules(o, path, &f, &rules, &broken);
    if (!order_is_unique(&f, out)) {
        abort_file(out, r);
        return;
    }
    struct unit_run u = { .file = &f,
                          .rules = rules.v.v,
                          .rules_n = rules.v.n,
                          .features = promtool_features(o),
                          .ignore_unknown = o->ignore_unknown,
                          .diff = o->diff };
    const struct unit_group *v = f.groups.v;
    for (size_t i = 0; i < f.groups.n; i++) {
        if (is_wanted(o, run, &v[i])) run_group(o, &u, &v[i], &broken, out, r);
    }
}

static enum err compile_filter(const struct promtool_options *o, struct regex **out, struct diag *d)
{
    BUF(b, 0);
    for (size_t i = 0; i < o->run.n; i++) {
        if (i) buf_char(&b, '|');
        buf_put(&b, o->run.v[i]);
    }
    return regex_compile(arena_dup(o->a, buf_str(&b)), REGEX_RE2_PART, out, d);
}

int promtool_test_rules(const struct promtool_options *o)
{
    struct regex *run = NULL;
    struct report report = { 0 };
    struct diag d = { 0 };
    bool failed = false;
    if (o->run.n && compile_filter(o, &run, &d) != OK) return promtool_usage("%s", d.text);
    for (size_t i = 0; i < o->args.n; i++) {
        struct failures f = { .a = o->a };
        (void)printf("Unit Testing:  " STR_FMT "\n", STR_ARG(o->args.v[i]));
        (void)fflush(stdout);
        run_file(o, run, o->args.v[i], &f, &report);
        put_suite(&report, o->args.v[i]);
        if (f.v.n) (void)fprintf(stderr, "  FAILED:\n");
        for (size_t k = 0; k < f.v.n; k++) {
            (void)fprintf(stderr, STR_FMT "\n", STR_ARG(f.v.v[k]));
            (void)printf("\n");
            (void)fflush(stdout);
        }
        if (!f.v.n) (void)printf("  SUCCESS\n");
        (void)printf("\n");
        failed |= f.v.n > 0;
    }
    (void)fflush(stdout);
    if (o->junit.n && write_report(&report, o->junit, &d) != OK) {
        (void)fprintf(stderr, "failed to write JUnit XML: %s\n", d.text);
        failed = true;
    }
    buf_done(&report.cases);
    buf_done(&report.suites);
    regex_free(run);
    return failed ? PROMTOOL_FAILED : PROMTOOL_OK;
}
