/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - vigie check [--kind=KIND] [--json] [--strict] FILE|DIR...
 *
 * Exit codes: 0 all is well, warnings or not; 1 an error (with --strict a warning, too); 2 the command line, or
 * nobody could read the answer.
 */
#include "commands/check/main.h"

#include "codec/json.h"
#include "commands/check/check.h"

#include <stdio.h>
#include <sys/stat.h>

enum { EXIT_FINE, EXIT_ERRORS, EXIT_USAGE };

struct options {
    struct str kind, provisioning;
    bool json, strict, quiet, syntax_only;
};

#define AT(member) offsetof(struct options, member)
const struct flag CHECK_FLAGS[] = {
    { .name = "kind",
      .type = FLAG_STR,
      .offset = AT(kind),
      .help = "What the files are, where their content does not say: prometheus, scrape-config, "
              "rules, unit-test, alertmanager, template, jmx, dashboard, datasources, providers, "
              "web." },
    { .name = "provisioning",
      .type = FLAG_STR,
      .offset = AT(provisioning),
      .help = "Folder of Grafana's provisioning, whose data sources dashboards are held against. "
              "Default: DIR/grafana/provisioning of a folder, else the built-in sources." },
    { .name = "json", .type = FLAG_BOOL, .offset = AT(json), .help = "One JSON document." },
    { .name = "strict",
      .type = FLAG_BOOL,
      .offset = AT(strict),
      .help = "Warnings count as errors in the exit code." },
    { .name = "syntax-only",
      .type = FLAG_BOOL,
      .offset = AT(syntax_only),
      .help = "Only the file itself, not the files it refers to." },
    { .name = "quiet",
      .type = FLAG_BOOL,
      .offset = AT(quiet),
      .short_name = 'q',
      .help = "Only what is wrong, not the files that are right." },
    { .name = NULL },
};

static int usage(const char *why)
{
    (void)fprintf(stderr, "vigie check: %s\n", why);
    return EXIT_USAGE;
}

static int help(void)
{
    BUF(b, 0);
    flags_help(&b, CHECK_USAGE, CHECK_SUMMARY, CHECK_FLAGS);
    (void)fwrite(b.p, 1, b.n, stdout);
    return EXIT_FINE;
}

/* --- answers --- */

static struct str text_of(const struct check *c, struct str path)
{
    for (size_t i = 0; i < c->files.n; i++) {
        if (str_eq(c->files.v[i].path, path)) return c->files.v[i].text;
    }
    return STR("");
}

static void write_text(struct buf *b, const struct check *c, bool quiet)
{
    VEC_FOR(f, &c->found.v) finding_write(b, f, text_of(c, f->file));
    for (size_t i = 0; i < c->files.n && !quiet; i++) {
        const struct checked *f = &c->files.v[i];
        if (f->errors) continue;
        buf_fmt(b, STR_FMT ": ok: %s, " STR_FMT "\n", STR_ARG(f->path), check_kind_name(f->kind),
                STR_ARG(f->facts));
    }
    if (c->found.errors || c->found.warnings) {
        buf_fmt(b, "%zu files: %zu errors, %zu warnings\n", c->files.n, c->found.errors,
                c->found.warnings);
    }
}

static void put_finding(struct json_writer *w, const struct finding *f)
{
    json_open(w, '{');
    json_key(w, "file");
    json_put_str(w, f->file);
    json_key(w, "line");
    json_put_i64(w, f->line);
    json_key(w, "column");
    json_put_i64(w, f->col);
    json_key(w, "severity");
    json_put_c(w, f->severity == FINDING_ERROR ? "error" : "warning");
    json_key(w, "text");
    json_put_str(w, f->text);
    json_close(w, '}');
}

static void put_file(struct json_writer *w, const struct checked *f)
{
    json_open(w, '{');
    json_key(w, "file");
    json_put_str(w, f->path);
    json_key(w, "kind");
    json_put_c(w, check_kind_name(f->kind));
    json_key(w, "ok");
    json_put_bool(w, f->errors == 0);
    json_key(w, "facts");
    json_put_str(w, f->facts);
    json_close(w, '}');
}

static void write_json(struct buf *b, const struct check *c)
{
    struct json_writer w = json_writer(b);
    json_open(&w, '{');
    json_key(&w, "files");
    json_open(&w, '[');
    VEC_FOR(f, &c->files) put_file(&w, f);
    json_close(&w, ']');
    json_key(&w, "findings");
    json_open(&w, '[');
    VEC_FOR(f, &c->found.v) put_finding(&w, f);
    json_close(&w, ']');
    json_key(&w, "errors");
    json_put_i64(&w, (int64_t)c->found.errors);
    json_key(&w, "warnings");
    json_put_i64(&w, (int64_t)c->found.warnings);
    json_close(&w, '}');
    buf_char(b, '\n');
}

/* --- the command --- */

static bool is_folder(struct str path)
{
    struct stat st;
    return stat(path.p, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Of a folder its own provisioning, else the built-in sources. */
static void set_sources(struct check *c, const struct options *o, const struct flag_strs *paths)
{
    struct str dir = o->provisioning;
    for (size_t i = 0; i < paths->n && !dir.n; i++) {
        if (!is_folder(paths->v[i])) continue;
        struct str own = arena_fmt(&c->a, STR_FMT "/grafana/provisioning", STR_ARG(paths->v[i]));
        if (is_folder(own)) dir = own;
    }
    check_sources(c, dir);
}

static int run(const struct options *o, enum check_kind kind, const struct flag_strs *paths)
{
    struct check c;
    BUF(b, 0);
    check_init(&c);
    c.follow = !o->syntax_only;
    set_sources(&c, o, paths);
    for (size_t i = 0; i < paths->n; i++) {
        if (is_folder(paths->v[i])) {
            check_folder(&c, paths->v[i]);
        } else {
            check_file(&c, paths->v[i], kind);
        }
    }
    if (o->json) {
        write_json(&b, &c);
    } else {
        write_text(&b, &c, o->quiet);
    }
    bool bad = c.found.errors || (o->strict && c.found.warnings);
    bool written = fwrite(b.p, 1, b.n, stdout) == b.n && fflush(stdout) == 0;
    check_done(&c);
    if (!written) return usage("the answer could not be written");
    return bad ? EXIT_ERRORS : EXIT_FINE;
}

int check_main(int argc, char **argv)
{
    ARENA(a, 0);
    struct options o = { 0 };
    struct flag_strs paths = { 0 };
    struct diag d = { 0 };
    enum check_kind kind = KIND_UNKNOWN;
    enum err e = flags_parse(CHECK_FLAGS, NULL, argc, argv, &a, &o, &paths, &d);
    if (e == ERR_CANCELED) return help();
    if (e != OK) return usage(d.text);
    if (!paths.n) return usage("expected FILE or DIR; \"vigie check --help\" shows the flags");
    if (o.kind.n && !check_kind_named(o.kind, &kind)) {
        return usage("--kind: there is no such kind; \"vigie check --help\" lists them");
    }
    return run(&o, kind, &paths);
}
