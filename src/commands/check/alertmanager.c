/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alertmanager.c - alertmanager.yml with its templates, and a template alone
 */
#include "alert/config.h"
#include "alert/data.h"
#include "alert/variables.h"
#include "commands/check/check.h"
#include "io/file.h"

void check_alertmanager(struct check *c, struct checked *file)
{
    struct alert_config *v;
    struct diag d = { 0 };
    struct alert_variables variables = { .config_file = file->path };
    struct config_options o = { .text = file->text,
                                .dir = path_dir(&c->a, file->path),
                                .mode = MATCHERS_FALLBACK,
                                .expand = EXPAND_AUTO,
                                .lookup = alert_variable,
                                .lookup_ctx = &variables };
    if (alert_config_load(&o, &v, &d) != OK) {
        finding_of(&c->found, file->path, &d);
        return;
    }
    for (size_t i = 0; i < v->warnings_n; i++) {
        finding_add(&c->found, FINDING_WARNING, file->path, v->warnings[i].line, v->warnings[i].col,
                    v->warnings[i].text);
    }
    file->facts = arena_fmt(&c->a, "%zu receivers, %zu routes, %zu inhibit rules", v->receivers_n,
                            v->routes_n, v->rules_n);
    alert_config_unref(v);
}

void check_template(struct check *c, struct checked *file)
{
    struct diag d = { 0 };
    struct tmpl_set *set = tmpl_set_new(&c->a, alert_tmpl_tables, ARRAY_LEN(alert_tmpl_tables));
    if (alert_default_templates(set, &d) != OK ||
        tmpl_parse(set, file->path, file->text, &d) != OK) {
        finding_of(&c->found, file->path, &d);
        return;
    }
    file->facts = STR("a template for notifications");
}
