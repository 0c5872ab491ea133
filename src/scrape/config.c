/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.c - from the text of prometheus.yml to a finished configuration, and its life
 */
#include "scrape/config.h"

#include "base/vec.h"
#include "codec/goquote.h"
#include "io/file.h"
#include "scrape/config_priv.h"

#include <stdlib.h>

#define FILE_MAX ((size_t)16 << 20)

struct prom_config *prom_config_ref(struct prom_config *c)
{
    c->refs++;
    return c;
}

void prom_config_unref(struct prom_config *c)
{
    if (!c || --c->refs) return;
    relabel_rules_free(c->alert_relabel);
    for (size_t i = 0; i < c->alertmanagers.n; i++) {
        relabel_rules_free(c->alertmanagers.v[i].relabel);
        relabel_rules_free(c->alertmanagers.v[i].alert_relabel);
    }
    for (size_t i = 0; i < c->remote_writes.n; i++) {
        relabel_rules_free(c->remote_writes.v[i].relabel);
    }
    for (size_t i = 0; i < c->scrape_configs.n; i++) {
        relabel_rules_free(c->scrape_configs.v[i].relabel);
        relabel_rules_free(c->scrape_configs.v[i].metric_relabel);
    }
    arena_done(&c->arena);
    free(c);
}

static void config_unref_at(struct prom_config **c) { prom_config_unref(*c); }

/* --- paths --- */

/* Only the last segment may hold a star. */
static bool glob_is_valid(struct str path)
{
    size_t star = str_find_char(path, '*');
    return star == STR_NONE || str_find_char(str_from(path, star), '/') == STR_NONE;
}

static enum err resolve(struct arena *a, struct str dir, const char *what, struct yaml_strs *paths,
                        struct diag *d)
{
    for (size_t i = 0; i < paths->n; i++) {
        struct str *p = &paths->v[i];
        if (!glob_is_valid(*p)) {
            struct str before = arena_fmt(a, "invalid %s file path ", what);
            return diag_quoted(d, ERR_SYNTAX, before.p, *p, "");
        }
        if (dir.n && p->n) *p = path_join(a, dir, *p);
    }
    return OK;
}

/* --- external labels --- */

static bool is_name(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Takes $NAME, ${NAME} or $$ off the front; what stands for it goes to b. Source: Go os.Expand, config.go. */
static void expand_one(struct arena *a, struct str *s, env_lookup *env, struct buf *b)
{
    struct str rest = str_from(*s, 1);
    if (str_starts(rest, STR("$"))) {
        buf_char(b, '$');
        *s = str_from(rest, 1);
        return;
    }
    struct str name, after;
    if (str_starts(rest, STR("{"))) {
        if (!str_cut(str_from(rest, 1), '}', &name, &after)) { /* no end: the brace is eaten */
            *s = str_from(rest, 1);
            return;
        }
    } else {
        size_t n = 0;
        while (n < rest.n && is_name(rest.p[n])) {
            n++;
        }
        name = str_first(rest, n);
        after = str_from(rest, n);
    }
    if (name.n && env) buf_put(b, env(a, name));
    *s = after;
}

static struct str expand(struct arena *a, struct str s, env_lookup *env)
{
    if (str_find_char(s, '$') == STR_NONE) return s;
    BUF(b, 0);
    while (s.n) {
        if (s.p[0] == '$') {
            expand_one(a, &s, env, &b);
        } else {
            buf_char(&b, s.p[0]);
            s = str_from(s, 1);
        }
    }
    return arena_dup(a, buf_str(&b));
}

/* Sorted; unlike a series' labels, empty ones stay, as the original prints them. */
static struct labels expand_labels(struct arena *a, struct labels lb, env_lookup *env)
{
    struct label *v = arena_array(a, lb.n, sizeof(*v));
    for (size_t i = 0; i < lb.n; i++) {
        struct label it = { lb.v[i].name, expand(a, lb.v[i].value, env) };
        size_t at = i;
        for (; at > 0 && str_cmp(v[at - 1].name, it.name) > 0; at--) {
            v[at] = v[at - 1];
        }
        v[at] = it;
    }
    return (struct labels){ v, lb.n };
}

/* --- jobs --- */

static enum err same_name(const struct scrape_config *c, struct diag *d)
{
    enum err e = diag_quoted(d, ERR_SYNTAX, "found multiple scrape configs with job name ",
                             c->job_name, "");
    if (d) {
        d->line = c->at->line;
        d->col = c->at->col;
    }
    return e;
}

static enum err finish_jobs(struct prom_config *c, struct str dir, struct scrape_config *jobs,
                            size_t n, struct diag *d)
{
    for (size_t i = 0; i < n; i++) {
        enum err e = scrape_config_finish(&c->arena, &jobs[i], &c->global, d);
        if (e != OK) {
            if (d && !d->line) {
                d->line = jobs[i].at->line;
                d->col = jobs[i].at->col;
            }
            return e;
        }
        http_config_resolve(&c->arena, dir, &jobs[i].http);
        jobs[i].sd = sd_configs_of(&c->arena, dir, &jobs[i].sections);
        for (size_t j = 0; j < i; j++) {
            if (str_eq(jobs[j].job_name, jobs[i].job_name)) return same_name(&jobs[i], d);
        }
    }
    return OK;
}

static enum err compile(struct prom_config *c, struct diag *d)
{
    TRY(relabel_rules_compile(c->alert_relabel, d));
    for (size_t i = 0; i < c->alertmanagers.n; i++) {
        TRY(relabel_rules_compile(c->alertmanagers.v[i].relabel, d));
        TRY(relabel_rules_compile(c->alertmanagers.v[i].alert_relabel, d));
    }
    for (size_t i = 0; i < c->remote_writes.n; i++) {
        TRY(relabel_rules_compile(c->remote_writes.v[i].relabel, d));
    }
    for (size_t i = 0; i < c->scrape_configs.n; i++) {
        TRY(relabel_rules_compile(c->scrape_configs.v[i].relabel, d));
        TRY(relabel_rules_compile(c->scrape_configs.v[i].metric_relabel, d));
    }
    return OK;
}

/* --- one file --- */

static enum err root_to_config(struct prom_config *c, struct config_root *r, struct str dir,
                               env_lookup *env, struct diag *d)
{
    struct arena *a = &c->arena;
    c->global = r->global;
    c->global.external_labels = expand_labels(a, r->global.external_labels, env);
    c->gogc = r->gogc;
    c->alert_relabel = r->alerting.alert_relabel;
    c->rule_files = r->rule_files;
    c->scrape_config_files = r->scrape_config_files;
    c->tsdb = r->tsdb;
    TRY(resolve(a, dir, "rule", &c->rule_files, d));
    TRY(resolve(a, dir, "scrape config", &c->scrape_config_files, d));
    struct alertmanager_config *ams = r->alerting.alertmanagers.v;
    for (size_t i = 0; i < r->alerting.alertmanagers.n; i++) {
        http_config_resolve(a, dir, &ams[i].http);
        ams[i].sd = sd_configs_of(a, dir, &ams[i].sections);
    }
    c->alertmanagers.v = ams;
    c->alertmanagers.n = r->alerting.alertmanagers.n;
    c->remote_writes.v = r->remote_write.v;
    c->remote_writes.n = r->remote_write.n;
    c->remote_reads.v = r->remote_read.v;
    c->remote_reads.n = r->remote_read.n;
    TRY(remote_configs_finish(c, dir, d));
    TRY(finish_jobs(c, dir, r->scrape_configs.v, r->scrape_configs.n, d));
    c->main_configs = (struct scrape_configs){ r->scrape_configs.v, r->scrape_configs.n };
    c->scrape_configs = c->main_configs;
    return OK;
}

static enum err decode(struct prom_config *c, struct str text, struct str dir, env_lookup *env,
                       struct diag *d)
{
    struct yaml_node *tree = NULL;
    struct config_root root;
    if (text.n > FILE_MAX) return diag_set(d, ERR_LIMIT, "the file is larger than 16 MiB");
    TRY(yaml_parse(&c->arena, arena_dup(&c->arena, text), YAML_V2, &tree, NULL, d));
    TRY(yaml_decode(&c->arena, tree, &CONFIG_TABLE, YAML_V2, &root, d));
    if (d) d->line = d->col = 0;
    return root_to_config(c, &root, dir, env, d);
}

static struct prom_config *config_new(void)
{
    struct prom_config *c = calloc(1, sizeof(*c));
    if (!c) abort();
    c->refs = 1;
    arena_init(&c->arena, 0);
    return c;
}

enum err prom_config_parse(struct str text, struct str dir, env_lookup *env,
                           struct prom_config **out, struct diag *d)
{
    CLEANUP(config_unref_at) struct prom_config *c = config_new();
    TRY(decode(c, text, dir, env, d));
    TRY(compile(c, d));
    *out = TAKE(c);
    return OK;
}

/* --- with scrape_config_files --- */

struct job_vec {
    VEC(struct scrape_config) jobs;
};

/* Where an error in another file is: file, line and column go into the text, d's own place stays empty. */
static enum err in_file(struct arena *a, struct str path, enum err e, struct diag *d)
{
    if (!d) return e;
    struct str place = d->line ? arena_fmt(a, ":%u:%u", d->line, d->col) : STR("");
    struct str text = arena_fmt(a, "%s", d->text);
    d->line = d->col = 0;
    return diag_set(d, e, "\"" STR_FMT "\"" STR_FMT ": " STR_FMT, STR_ARG(path), STR_ARG(place),
                    STR_ARG(text));
}

static enum err add_job(struct prom_config *c, const struct scrape_config *job, struct job_vec *all,
                        struct diag *d)
{
    for (size_t i = 0; i < all->jobs.n; i++) {
        if (!str_eq(all->jobs.v[i].job_name, job->job_name)) continue;
        enum err e = same_name(job, d);
        if (!d) return e;
        struct str text = arena_fmt(&c->arena, "%s", d->text);
        return diag_set(d, e, STR_FMT ", first found in %s", STR_ARG(text),
                        i < c->main_configs.n ? "main config file" : "another scrape config file");
    }
    *vec_push(&c->arena, &all->jobs) = *job;
    return OK;
}

static enum err load_jobs(struct prom_config *c, struct str path, struct job_vec *all,
                          struct diag *d)
{
    struct str text;
    struct yaml_node *tree = NULL;
    struct yaml_list jobs;
    TRY(file_read(&c->arena, path, FILE_MAX, &text, d));
    TRY(yaml_parse(&c->arena, text, YAML_V2, &tree, NULL, d));
    TRY(yaml_decode(&c->arena, tree, &JOBS_TABLE, YAML_V2, &jobs, d));
    struct scrape_config *v = jobs.v;
    TRY(finish_jobs(c, path_dir(&c->arena, path), v, jobs.n, d));
    for (size_t i = 0; i < jobs.n; i++) {
        TRY(add_job(c, &v[i], all, d));
    }
    return OK;
}

static enum err load_files(struct prom_config *c, struct diag *d)
{
    struct job_vec all = { 0 };
    for (size_t i = 0; i < c->main_configs.n; i++) {
        *vec_push(&c->arena, &all.jobs) = c->main_configs.v[i];
    }
    for (size_t i = 0; i < c->scrape_config_files.n; i++) {
        struct str *paths;
        size_t n;
        TRY(file_glob(&c->arena, c->scrape_config_files.v[i], &paths, &n, d));
        for (size_t j = 0; j < n; j++) {
            if (d) *d = (struct diag){ 0 };
            enum err e = load_jobs(c, paths[j], &all, d);
            if (e != OK) return in_file(&c->arena, paths[j], e, d);
        }
    }
    c->scrape_configs = (struct scrape_configs){ all.jobs.v, all.jobs.n };
    return OK;
}

static struct str env_of_process(struct arena *a, struct str name)
{
    /* Nothing of ours changes the environment. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    const char *v = getenv(arena_dup(a, name).p);
    return v ? arena_dup(a, str_c(v)) : str_make(NULL, 0);
}

enum err prom_config_load(struct str path, struct prom_config **out, struct diag *d)
{
    CLEANUP(config_unref_at) struct prom_config *c = config_new();
    struct str text;
    TRY(file_read(&c->arena, path, FILE_MAX, &text, d));
    TRY(decode(c, text, path_dir(&c->arena, path), env_of_process, d));
    TRY(load_files(c, d));
    TRY(compile(c, d));
    *out = TAKE(c);
    return OK;
}
