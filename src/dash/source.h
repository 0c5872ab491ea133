/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.h - data sources and dashboard providers, from provisioning files or built in
 *
 * Shape:   one immutable set in an arena, made at start and at reload.
 * Source:  Grafana provisioning documentation; spec sections 1.4, 1.5 and 3.3. A source without uid gets "P" and the first 16
 *          hexadecimal digits, upper case, of SHA-256 of its name.
 */
#ifndef DASH_SOURCE_H
#define DASH_SOURCE_H

#include "base/secret.h"
#include "dash/catalog.h"

struct dash_source {
    int64_t id; /* from 1, in order */
    struct str uid, name, type, url, user, database;
    struct str json_data; /* JSON object text */
    bool basic_auth, is_default, read_only;
    struct str basic_auth_user;
    struct secret basic_auth_password;
};

struct dash_provisioning {
    struct arena arena;
    struct dash_source *sources;
    size_t sources_n;
    struct dash_provider *providers;
    size_t providers_n;
    struct dash_problem *warnings; /* keys that nothing reads */
    size_t warnings_n;
};

/*
 * Reads DIR/datasources and DIR/dashboards. DIR may be absent: then the built-in sources (Prometheus, Alertmanager) and
 * no provider. A provider's path that does not exist falls back to DIR/../dashboards, so that a compose file's
 * /var/lib/grafana/dashboards works beside the files themselves.
 * env looks up variables for $VAR and ${VAR}. Errors: d->text begins with the file.
 */
enum err dash_provisioning_read(struct str dir, struct str (*env)(struct str name),
                                struct dash_provisioning **out, struct diag *d);

/* One file of DIR/datasources (dashboards false) or DIR/dashboards; d->line and d->col are set, d->text is without the file. */
enum err dash_provisioning_read_file(struct str file, bool dashboards,
                                     struct str (*env)(struct str name),
                                     struct dash_provisioning **out, struct diag *d);
void dash_provisioning_free(struct dash_provisioning *p);

/* By uid, else by name, else by the uid its name would get, written so or in lower case; "" or "default": the default one. NULL when there is none. */
const struct dash_source *dash_source_find(const struct dash_provisioning *p, struct str key);
const struct dash_source *dash_source_by_id(const struct dash_provisioning *p, int64_t id);

struct str dash_source_uid_of_name(struct arena *a, struct str name);

#endif
