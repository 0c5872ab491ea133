/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jmx.c - jmx_exporter's file
 */
#include "commands/check/check.h"

#include "jmx/config.h"

void check_jmx(struct check *c, struct checked *file)
{
    struct jmx_config *v;
    struct diag d = { 0 };
    if (jmx_config_parse(file->text, &v, &d) != OK) {
        finding_of(&c->found, file->path, &d);
        return;
    }
    if (v->refused.n) {
        finding_add(&c->found, FINDING_ERROR, file->path, v->refused_line, v->refused_col,
                    v->refused);
    }
    for (const struct yaml_warning *w = v->warnings; w; w = w->next) {
        finding_add(&c->found, FINDING_WARNING, file->path, w->line, w->col, w->text);
    }
    file->facts = arena_fmt(&c->a, "%zu rules, %zu targets", v->rules_n, v->endpoints_n);
    jmx_config_unref(v);
}
