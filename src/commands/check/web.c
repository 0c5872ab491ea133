/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web.c - the file of --web.config.file
 */
#include "commands/check/check.h"

#include "io/file.h"
#include "io/web_config.h"

void check_web(struct check *c, struct checked *file)
{
    struct web_config *v;
    struct diag d = { 0 };
    if (web_config_parse(file->text, path_dir(&c->a, file->path), &v, &d) != OK) {
        finding_of(&c->found, file->path, &d);
        return;
    }
    if (c->follow && web_config_check_files(v, &d) != OK) finding_of(&c->found, file->path, &d);
    file->facts = arena_fmt(&c->a, "%s, %zu users", v->tls ? "TLS" : "no TLS", v->users.n);
    web_config_free(v);
}
