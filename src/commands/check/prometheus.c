/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prometheus.c - prometheus.yml, with the rule files and scrape_config_files it names
 */
#include "commands/check/check.h"

#include "io/file.h"
#include "scrape/config.h"

/* A file that is named without a pattern must be there. Source: promtool 2.42, checkConfig. */
static void rule_files(struct check *c, struct checked *file, const struct yaml_strs *globs)
{
    for (size_t i = 0; i < globs->n; i++) {
        struct str *paths;
        struct diag d = { 0 };
        size_t n;
        if (file_glob(&c->a, globs->v[i], &paths, &n, &d) != OK) {
            finding_of(&c->found, file->path, &d);
            continue;
        }
        if (!n && str_find_char(globs->v[i], '*') == STR_NONE) {
            (void)diag_set(&d, ERR_MISSING, "\"" STR_FMT "\" does not point to an existing file",
                           STR_ARG(globs->v[i]));
            finding_of(&c->found, file->path, &d);
        }
        for (size_t k = 0; k < n; k++) check_file(c, paths[k], KIND_RULES);
    }
}

/* A file with a secret, as it is read at each request. */
static void secret_file(struct check *c, struct checked *file, struct str path, const char *what,
                        const struct yaml_node *at)
{
    if (!path.n || file_exists(path)) return;
    finding_add(
        &c->found, FINDING_ERROR, file->path, at ? at->line : 0, at ? at->col : 0,
        arena_fmt(&c->a, "error checking %s \"" STR_FMT "\": no such file", what, STR_ARG(path)));
}

static void secret_files(struct check *c, struct checked *file, const struct http_config *h,
                         const struct yaml_node *at)
{
    if (h->authorization) {
        secret_file(c, file, h->authorization->credentials_file,
                    "authorization credentials or bearer token file", at);
    }
    if (h->basic) secret_file(c, file, h->basic->password_file, "basic auth password file", at);
}

void check_prometheus(struct check *c, struct checked *file)
{
    struct prom_config *p;
    struct diag d = { 0 };
    if (prom_config_load(file->path, &p, &d) != OK) {
        finding_of(&c->found, file->path, &d);
        return;
    }
    if (c->follow) {
        for (size_t i = 0; i < p->scrape_configs.n; i++) {
            secret_files(c, file, &p->scrape_configs.v[i].http, p->scrape_configs.v[i].at);
        }
        for (size_t i = 0; i < p->alertmanagers.n; i++) {
            secret_files(c, file, &p->alertmanagers.v[i].http, NULL);
        }
        rule_files(c, file, &p->rule_files);
    }
    file->facts = arena_fmt(&c->a, "%zu jobs, %zu rule_files, %zu Alertmanagers",
                            p->scrape_configs.n, p->rule_files.n, p->alertmanagers.n);
    prom_config_unref(p);
}

/* A file of scrape_config_files holds jobs only; alone it is read as a configuration that names it. */
void check_scrape_config(struct check *c, struct checked *file)
{
    struct prom_config *p;
    struct diag d = { 0 };
    if (prom_config_load(file->path, &p, &d) != OK) {
        finding_of(&c->found, file->path, &d);
        return;
    }
    file->facts = arena_fmt(&c->a, "%zu jobs", p->scrape_configs.n);
    if (p->global.given || p->rule_files.n || p->scrape_config_files.n || p->alertmanagers.n) {
        finding_add(&c->found, FINDING_ERROR, file->path, 0, 0,
                    STR("a file of scrape_config_files may only hold scrape_configs"));
    }
    prom_config_unref(p);
}
