/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/doctor/files.h"

#include "alert/config.h"
#include "alert/variables.h"
#include "base/assert.h"
#include "codec/json.h"
#include "dash/source.h"
#include "io/file.h"
#include "jmx/config.h"
#include "promql/promql.h"
#include "scrape/config.h"

#include <stdlib.h>
#include <sys/stat.h>

enum { FILE_MAX = 16 << 20, DEPTH_MAX = 8, FILES_MAX = 2000 };

/* --- what cannot be read --- */

static void report_bad(struct exam *x, const struct doctor_file *f, const struct diag *d)
{
    ARENA(a, 0);
    struct str text = str_c(d->text);
    /* Some readers put file, line and column before their sentence, too. */
    if (str_starts(text, f->path)) text = str_from(text, f->path.n);
    while (text.n && strchr(": 0123456789", text.p[0]) && !d->line) text = str_from(text, 1);
    struct saying why = d->line ? SAY(W_FILE_BAD_WHY, arena_fmt(&a, "%u", d->line),
                                      arena_fmt(&a, "%u", d->col ? d->col : 1), text)
                                : SAY(W_FILE_MISSING_WHY, text);
    struct str place = d->line ? arena_fmt(&a, STR_FMT ":%u:%u  " STR_FMT, STR_ARG(f->shown),
                                           d->line, d->col ? d->col : 1, STR_ARG(text))
                               : STR("");
    exam_report_file(x, CHECK_FILES, SEV_ERROR, SAY(W_FILE_BAD, f->shown), why,
                     SAY(W_FIX_CHECK, f->path), place, f->shown);
}

static void report_odd(struct exam *x, const struct doctor_file *f, struct str text)
{
    exam_report_file(x, CHECK_FILES, SEV_NOTE, SAY(W_FILE_ODD, f->shown), SAY(W_FILE_ODD_WHY, text),
                     SAY(W_FIX_CHECK, f->path), STR(""), f->shown);
}

static bool read_text(struct exam *x, struct config_files *c, const struct doctor_file *f,
                      struct str *out)
{
    struct diag d = { 0 };
    if (file_read(&c->a, f->path, FILE_MAX, out, &d) == OK) return true;
    report_bad(x, f, &d);
    return false;
}

struct str text_place(struct arena *a, struct str text, struct str what)
{
    size_t at = str_find(text, what);
    unsigned line = 1, col = 1;
    if (!what.n || at == STR_NONE) return STR("");
    for (size_t i = 0; i < at; i++) {
        col = text.p[i] == '\n' ? 1 : col + 1;
        line += text.p[i] == '\n';
    }
    return arena_fmt(a, "%u:%u", line, col);
}

/* --- one of each --- */

/* a/b/../c is a/c: how the provisioning leads to the dashboards beside it. */
static struct str tidy(struct arena *a, struct str path)
{
    size_t at = str_find(path, STR("/../")), start = at;
    if (at == STR_NONE || at == 0) return path;
    while (start && path.p[start - 1] != '/') start--;
    if (str_eqc(str_make(path.p + start, at - start), "..")) return path;
    return arena_fmt(a, STR_FMT STR_FMT, STR_ARG(str_first(path, start)),
                     STR_ARG(str_from(path, at + 4)));
}

/* A file that another one led to. */
static struct doctor_file found(struct exam *x, struct config_files *c, struct str path)
{
    struct str dir = x->in->builtin_dir;
    path = tidy(&c->a, path);
    struct doctor_file f = { .path = arena_dup(&c->a, path), .shown = arena_dup(&c->a, path) };
    if (dir.n && str_starts(path, dir)) {
        f.builtin = true;
        f.shown = arena_fmt(&c->a, STR_FMT " (built-in)", STR_ARG(str_from(path, dir.n + 1)));
    }
    return f;
}

static void read_rules(struct exam *x, struct config_files *c, struct doctor_file file)
{
    struct rules_file r = { .file = file };
    struct str text;
    struct diag d = { 0 };
    exam_file(x, &file);
    if (!read_text(x, c, &file, &text)) return;
    if (rule_file_parse(&c->a, text, c->ev, &r.rules, &d) != OK) {
        report_bad(x, &file, &d);
        return;
    }
    *vec_push(&c->a, &c->rules) = r;
}

static void read_prometheus(struct exam *x, struct config_files *c)
{
    const struct doctor_file *f = &x->in->prometheus;
    struct diag d = { 0 };
    exam_file(x, f);
    if (prom_config_load(f->path, &c->prom, &d) != OK) {
        report_bad(x, f, &d);
        return;
    }
    for (size_t i = 0; i < c->prom->rule_files.n; i++) {
        struct str *paths;
        size_t n;
        if (file_glob(&c->a, c->prom->rule_files.v[i], &paths, &n, NULL) != OK) continue;
        for (size_t k = 0; k < n && k < FILES_MAX; k++) {
            read_rules(x, c, found(x, c, paths[k]));
        }
    }
}

static void read_alertmanager(struct exam *x, struct config_files *c)
{
    const struct doctor_file *f = &x->in->alertmanager;
    struct alert_variables variables = { f->path, STR("") };
    struct str text;
    struct diag d = { 0 };
    exam_file(x, f);
    if (!read_text(x, c, f, &text)) return;
    const struct config_options o = { .text = text,
                                      .dir = path_dir(&c->a, f->path),
                                      .lookup = alert_variable,
                                      .lookup_ctx = &variables };
    if (alert_config_load(&o, &c->alert, &d) != OK) report_bad(x, f, &d);
}

static void read_jmx(struct exam *x, struct config_files *c)
{
    const struct doctor_file *f = &x->in->jmx_config;
    struct str text;
    struct diag d = { 0 };
    exam_file(x, f);
    if (!read_text(x, c, f, &text)) return;
    if (jmx_config_parse(text, &c->jmx, &d) != OK) {
        report_bad(x, f, &d);
        return;
    }
    for (const struct yaml_warning *w = c->jmx->warnings; w; w = w->next) {
        report_odd(x, f, arena_fmt(&c->a, "%u:%u: " STR_FMT, w->line, w->col, STR_ARG(w->text)));
    }
}

static struct str env_of(struct str name)
{
    ARENA(a, 0);
    const char *z = arena_dup(&a, name).p;
    const char *v = getenv(z); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
    return str_c(v ? v : "");
}

static void read_dashboard(struct exam *x, struct config_files *c, struct doctor_file file)
{
    struct dashboard_file d = { .file = file };
    struct diag why = { 0 };
    exam_file(x, &file);
    if (!read_text(x, c, &file, &d.text)) return;
    if (json_parse(&c->a, d.text, &d.model, &why) != OK) {
        report_bad(x, &file, &why);
        return;
    }
    const struct json *inner = json_get(d.model, "dashboard"); /* an export of the API */
    if (inner && inner->kind == JSON_OBJECT) d.model = inner;
    *vec_push(&c->a, &c->dashboards) = d;
}

/* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX */
static void walk(struct exam *x, struct config_files *c, struct str dir, int depth)
{
    struct str *names;
    size_t n;
    if (depth > DEPTH_MAX || dir_list(&c->a, dir, &names, &n, NULL) != OK) return;
    for (size_t i = 0; i < n && c->dashboards.n < FILES_MAX; i++) {
        struct str path = path_join(&c->a, dir, names[i]);
        struct stat st;
        if (stat(path.p, &st) != 0) continue;
        if (S_ISDIR(st.st_mode)) {
            walk(x, c, path, depth + 1);
        } else if (str_ends(names[i], STR(".json"))) {
            read_dashboard(x, c, found(x, c, path));
        }
    }
}

static void read_provisioning(struct exam *x, struct config_files *c)
{
    const struct doctor_file *f = &x->in->provisioning;
    struct diag d = { 0 };
    if (dash_provisioning_read(f->path, env_of, &c->dash, &d) != OK) {
        exam_file(x, f);
        report_bad(x, f, &d);
        return;
    }
    for (size_t i = 0; i < c->dash->warnings_n; i++) {
        const struct dash_problem *w = &c->dash->warnings[i];
        const struct doctor_file one = { w->file, w->file, f->builtin };
        report_odd(x, &one, w->text);
    }
    for (size_t i = 0; i < c->dash->providers_n; i++) {
        walk(x, c, c->dash->providers[i].path, 0);
    }
}

struct config_files *files_read(struct exam *x)
{
    struct config_files *c = calloc(1, sizeof(*c));
    const struct promql_options o = { .features = PROMQL_EXPERIMENTAL_FUNCTIONS };
    ASSERT(c != NULL);
    c->ev = promql_new(NULL, &o);
    read_prometheus(x, c);
    read_alertmanager(x, c);
    read_jmx(x, c);
    read_provisioning(x, c);
    ARENA(a, 0);
    exam_figure(x, CHECK_FILES, SAY(W_FIG_FILES, arena_fmt(&a, "%zu", x->files.v.n)));
    return c;
}

void files_free(struct config_files *f)
{
    if (!f) return;
    prom_config_unref(f->prom);
    alert_config_unref(f->alert);
    jmx_config_unref(f->jmx);
    dash_provisioning_free(f->dash);
    promql_free(f->ev);
    arena_done(&f->a);
    free(f);
}
