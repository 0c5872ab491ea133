/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/check/check.h"

#include "codec/yaml.h"
#include "io/file.h"
#include "promql/promql.h"

#include <sys/stat.h>

#define FILE_MAX   ((size_t)16 << 20)
#define FILES_MAX  20000
#define FOLDER_MAX 8

void check_init(struct check *c)
{
    *c = (struct check){ .follow = true };
    arena_init(&c->a, 0);
    c->found.a = &c->a;
    /* Files are judged by what the language holds, whatever is switched on where they will run. */
    c->ev = promql_new(NULL, &(struct promql_options){ 0 });
}

void check_done(struct check *c)
{
    promql_free(c->ev);
    dash_provisioning_free((struct dash_provisioning *)(uintptr_t)c->sources);
    arena_done(&c->a);
}

static void (*const CHECKS[])(struct check *c, struct checked *file) = {
    [KIND_UNKNOWN] = NULL,
    [KIND_PROMETHEUS] = check_prometheus,
    [KIND_SCRAPE_CONFIG] = check_scrape_config,
    [KIND_RULES] = check_rules,
    [KIND_UNIT_TEST] = check_unit_test,
    [KIND_ALERTMANAGER] = check_alertmanager,
    [KIND_TEMPLATE] = check_template,
    [KIND_JMX] = check_jmx,
    [KIND_DASHBOARD] = check_dashboard,
    [KIND_DATASOURCES] = check_provisioning,
    [KIND_PROVIDERS] = check_provisioning,
    [KIND_WEB] = check_web,
};

static bool seen(const struct check *c, struct str path)
{
    for (size_t i = 0; i < c->files.n; i++) {
        if (str_eq(c->files.v[i].path, path)) return true;
    }
    return false;
}

/* Keys that cannot be read are the reason that a person looks for. */
static void not_told(struct check *c, struct checked *file)
{
    struct yaml_node *root;
    struct diag d = { 0 };
    struct str why = STR("by its keys or its name");
    if (yaml_parse(&c->a, file->text, YAML_LENIENT, &root, NULL, &d) != OK) {
        why = arena_fmt(&c->a, "by its name, and it is not YAML (%s)", d.text);
    }
    finding_add(&c->found, FINDING_ERROR, file->path, d.line, d.col,
                arena_fmt(&c->a, "cannot tell what this file is " STR_FMT "; say it with --kind",
                          STR_ARG(why)));
}

void check_file(struct check *c, struct str path, enum check_kind kind)
{
    struct diag d = { 0 };
    if (seen(c, path) || c->files.n >= FILES_MAX) return;
    size_t before = c->found.errors, at = c->files.n;
    struct checked f = { .path = arena_dup(&c->a, path), .kind = kind, .facts = STR("") };
    *vec_push(&c->a, &c->files) = f; /* now, so that a circle ends */
    if (file_read(&c->a, path, FILE_MAX, &f.text, &d) != OK) {
        finding_of(&c->found, f.path, &d);
    } else {
        if (kind == KIND_UNKNOWN) f.kind = check_kind_of(path, f.text);
        if (f.kind == KIND_UNKNOWN) {
            not_told(c, &f);
        } else {
            CHECKS[f.kind](c, &f);
        }
    }
    f.errors = c->found.errors - before;
    c->files.v[at] = f;
}

/* --- folders --- */

static bool is_configuration(struct str name)
{
    return str_ends(name, STR(".yml")) || str_ends(name, STR(".yaml")) ||
           str_ends(name, STR(".json")) || str_ends(name, STR(".tmpl"));
}

static void pass_over(struct check *c, struct str path)
{
    finding_add(&c->found, FINDING_WARNING, path, 0, 0,
                STR("passed over: its keys and its name do not tell what it is"));
}

/* A folder and those it is in; a link to one of them would lead round for ever. */
struct folder {
    const struct folder *in;
    dev_t device;
    ino_t inode;
    int depth;
};

static bool leads_back(const struct folder *f, const struct stat *st)
{
    for (; f; f = f->in) {
        if (f->device == st->st_dev && f->inode == st->st_ino) return true;
    }
    return false;
}

static size_t walk(struct check *c, struct str dir, const struct stat *st, const struct folder *in);

/* Returns how many configuration files it stands for. */
static size_t take(struct check *c, struct str path, struct str name, const struct folder *in)
{
    struct stat st;
    struct str text;
    if (name.p[0] == '.' || stat(path.p, &st) != 0) return 0;
    if (S_ISDIR(st.st_mode)) {
        if (in->depth >= FOLDER_MAX || leads_back(in, &st)) return 0;
        return walk(c, path, &st, in);
    }
    if (!S_ISREG(st.st_mode) || !is_configuration(name)) return 0;
    if (seen(c, path)) return 1;
    bool read = file_read(&c->a, path, FILE_MAX, &text, NULL) == OK;
    enum check_kind kind = read ? check_kind_of(path, text) : KIND_UNKNOWN;
    if (read && kind == KIND_UNKNOWN) {
        pass_over(c, path);
    } else {
        check_file(c, path, kind);
    }
    return 1;
}

static size_t walk(struct check *c, struct str dir, const struct stat *st, const struct folder *in)
{
    struct folder self = { in, st->st_dev, st->st_ino, in ? in->depth + 1 : 0 };
    struct str *names;
    size_t n, found = 0;
    struct diag d = { 0 };
    if (dir_list(&c->a, dir, &names, &n, &d) != OK) {
        finding_of(&c->found, dir, &d);
        return 1;
    }
    for (size_t i = 0; i < n; i++) {
        found += take(c, path_join(&c->a, dir, names[i]), names[i], &self);
    }
    return found;
}

void check_folder(struct check *c, struct str dir)
{
    struct stat st = { 0 };
    (void)stat(dir.p, &st); /* what cannot be listed is named by the walk */
    if (walk(c, dir, &st, NULL)) return;
    finding_add(&c->found, FINDING_WARNING, dir, 0, 0,
                STR("there is no configuration file in this folder"));
}
