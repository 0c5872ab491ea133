/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prometheus.c - prometheus.yml, with the rule files and scrape_config_files it names
 */
#include "commands/check/check.h"

#include "codec/goquote.h"
#include "discovery/groups.h"
#include "io/file.h"
#include "scrape/target.h"

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

/* --- files with secrets and certificates, as they are read at each request --- */

struct place {
    struct check *c;
    struct checked *file;
    const struct yaml_node *at;
};

static void named_file(const struct place *p, struct str path, const char *what)
{
    if (!path.n || file_exists(path)) return;
    finding_add(
        &p->c->found, FINDING_ERROR, p->file->path, p->at ? p->at->line : 0, p->at ? p->at->col : 0,
        arena_fmt(&p->c->a,
                  "error checking %s \"" STR_FMT "\": stat " STR_FMT ": no such file or directory",
                  what, STR_ARG(path), STR_ARG(path)));
}

static void http_files(const struct place *p, const struct http_config *h)
{
    if (h->authorization) {
        named_file(p, h->authorization->credentials_file,
                   "authorization credentials or bearer token file");
    }
    if (h->basic) named_file(p, h->basic->password_file, "basic auth password file");
    named_file(p, h->tls.ca_file, "CA file");
    named_file(p, h->tls.cert_file, "client cert file");
    named_file(p, h->tls.key_file, "client key file");
}

/* --- targets that relabelling makes impossible --- */

static void check_targets(const struct place *p, const struct scrape_config *job, const char *where)
{
    ARENA(a, 0);
    struct target_list list;
    targets_of(&a, job, (struct sd_groups){ 0 }, &list);
    if (!list.bad_n) return;
    finding_add(&p->c->found, FINDING_ERROR, p->file->path, p->at ? p->at->line : 0,
                p->at ? p->at->col : 0,
                arena_fmt(&p->c->a, "%s" STR_FMT, where, STR_ARG(list.bad[0].why)));
}

/* --- files of target groups: one that is missing may come later, one that is there is read --- */

static void group_file(const struct place *p, struct str path)
{
    ARENA(a, 0);
    struct str text;
    struct sd_groups groups;
    struct diag d = { 0 };
    struct label none = { 0 };
    bool json = str_ends(path, STR(".json"));
    if (file_read(&a, path, GROUPS_TEXT_MAX, &text, &d) == OK &&
        (json ? groups_from_json : groups_from_yaml)(&a, text, path, none, &groups, &d) == OK) {
        return;
    }
    finding_add(&p->c->found, FINDING_ERROR, p->file->path, p->at ? p->at->line : 0,
                p->at ? p->at->col : 0,
                arena_fmt(&p->c->a, "checking SD file \"" STR_FMT "\": %s", STR_ARG(path), d.text));
}

static void group_files(const struct place *p, struct sd_configs list, const char *where,
                        struct str job)
{
    struct arena *a = &p->c->a;
    for (size_t i = 0; i < list.n; i++) {
        const struct file_sd *sd = list.v[i].is;
        for (size_t k = 0; list.v[i].kind == SD_FILE && k < sd->files.n; k++) {
            struct str *paths;
            size_t n = 0;
            if (file_glob(a, sd->files.v[k], &paths, &n, NULL) != OK) n = 0;
            for (size_t m = 0; m < n; m++) group_file(p, paths[m]);
            if (n) continue;
            BUF(name, 0);
            if (job.n) buf_char(&name, ' ');
            if (job.n) go_quote(&name, job);
            finding_add(
                &p->c->found, FINDING_WARNING, p->file->path, p->at ? p->at->line : 0,
                p->at ? p->at->col : 0,
                arena_fmt(a, "file \"" STR_FMT "\" for file_sd in %s" STR_FMT " does not exist",
                          STR_ARG(sd->files.v[k]), where, STR_ARG(buf_str(&name))));
        }
    }
}

static void check_job(struct check *c, struct checked *file, const struct scrape_config *job)
{
    struct place p = { c, file, job->at };
    http_files(&p, &job->http);
    check_targets(&p, job, "instance 0 in group 0: ");
    group_files(&p, job->sd, "scrape job", job->job_name);
}

static void check_alertmanager_targets(struct check *c, struct checked *file,
                                       const struct alertmanager_config *am)
{
    struct place p = { c, file, am->static_configs.n ? am->static_configs.v[0].at : NULL };
    http_files(&p, &am->http);
    /* Found and relabelled as targets are. */
    struct scrape_config job = { .scheme = am->scheme,
                                 .metrics_path = STR("/"),
                                 .interval_ms = am->timeout_ms,
                                 .timeout_ms = am->timeout_ms,
                                 .relabel = am->relabel,
                                 .static_configs = am->static_configs };
    check_targets(&p, &job, "");
    group_files(&p, am->sd, "alertmanager config", STR(""));
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
            check_job(c, file, &p->scrape_configs.v[i]);
        }
        for (size_t i = 0; i < p->alertmanagers.n; i++) {
            check_alertmanager_targets(c, file, &p->alertmanagers.v[i]);
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
