/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dashboards.c - dashboards, and Grafana's provisioning files
 */
#include "commands/check/check.h"

#include "dash/refs.h"

#include <stdlib.h>

void check_dashboard(struct check *c, struct checked *file)
{
    struct dashboard it;
    struct dash_note *notes;
    struct diag d = { 0 };
    size_t n;
    if (dashboard_read(&c->a, file->text, &it, &d) != OK) {
        finding_of(&c->found, file->path, &d);
        return;
    }
    file->facts = arena_fmt(&c->a, "\"" STR_FMT "\"", STR_ARG(it.title));
    if (!c->sources) return;
    dash_refs(&c->a, file->text, c->sources, &notes, &n);
    for (size_t i = 0; i < n; i++) {
        finding_add(&c->found, FINDING_WARNING, file->path, notes[i].line, notes[i].col,
                    notes[i].text);
    }
}

static struct str env_of(struct str name)
{
    char key[256];
    if (name.n >= sizeof(key)) return STR("");
    memcpy(key, name.p, name.n);
    key[name.n] = '\0';
    /* Nothing of ours changes the environment. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    const char *v = getenv(key);
    return v ? str_c(v) : STR("");
}

void check_provisioning(struct check *c, struct checked *file)
{
    struct dash_provisioning *p;
    struct diag d = { 0 };
    bool dashboards = file->kind == KIND_PROVIDERS;
    if (dash_provisioning_read_file(file->path, dashboards, env_of, &p, &d) != OK) {
        finding_of(&c->found, file->path, &d);
        return;
    }
    for (size_t i = 0; i < p->warnings_n; i++) {
        finding_add(&c->found, FINDING_WARNING, file->path, p->warnings[i].line, p->warnings[i].col,
                    p->warnings[i].text);
    }
    file->facts = dashboards ? arena_fmt(&c->a, "%zu providers", p->providers_n)
                             : arena_fmt(&c->a, "%zu data sources", p->sources_n);
    dash_provisioning_free(p);
}

void check_sources(struct check *c, struct str dir)
{
    struct dash_provisioning *p = NULL;
    if (dash_provisioning_read(dir, env_of, &p, NULL) != OK &&
        dash_provisioning_read(STR(""), env_of, &p, NULL) != OK) {
        return;
    }
    c->sources = p;
}
