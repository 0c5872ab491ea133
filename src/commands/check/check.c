/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/check/check.h"

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

static void not_told(struct check *c, struct checked *file)
{
    finding_add(&c->found, FINDING_ERROR, file->path, 0, 0,
                STR("cannot tell what this file is by its keys or its name; say it with --kind"));
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

static void walk(struct check *c, struct str dir, int depth)
{
    struct str *names, text;
    size_t n;
    struct diag d = { 0 };
    if (dir_list(&c->a, dir, &names, &n, &d) != OK) {
        finding_of(&c->found, dir, &d);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        struct str path = path_join(&c->a, dir, names[i]);
        if (names[i].p[0] == '.' || stat(path.p, &st) != 0) continue;
        if (S_ISDIR(st.st_mode)) {
            if (depth < FOLDER_MAX) walk(c, path, depth + 1);
        } else if (is_configuration(names[i]) && !seen(c, path)) {
            bool read = file_read(&c->a, path, FILE_MAX, &text, NULL) == OK;
            enum check_kind kind = read ? check_kind_of(path, text) : KIND_UNKNOWN;
            if (read && kind == KIND_UNKNOWN) {
                pass_over(c, path);
            } else {
                check_file(c, path, kind);
            }
        }
    }
}

void check_folder(struct check *c, struct str dir) { walk(c, dir, 0); }
