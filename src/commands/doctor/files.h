/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.h - the configuration as the roles read it
 *
 * Owns: everything lives until the process ends: probes hold pointers into it.
 */
#ifndef COMMANDS_DOCTOR_FILES_H
#define COMMANDS_DOCTOR_FILES_H

#include "base/vec.h"
#include "commands/doctor/exam.h"
#include "model/evaluator.h"
#include "rules/rulefile.h"

struct prom_config;
struct alert_config;
struct jmx_config;
struct dash_provisioning;
struct json;

struct rules_file {
    struct doctor_file file;
    struct rule_file rules;
};

struct dashboard_file {
    struct doctor_file file;
    struct str text;
    const struct json *model;
};

struct config_files {
    struct arena a;
    struct evaluator *ev;
    struct prom_config *prom; /* NULL: it cannot be read, as all below */
    struct alert_config *alert;
    struct jmx_config *jmx;
    struct dash_provisioning *dash;
    VEC(struct rules_file) rules;
    VEC(struct dashboard_file) dashboards;
};

/* Reads all; what cannot be read is reported. On the main thread, before probes begin. */
struct config_files *files_read(struct exam *x);
void files_free(struct config_files *f);

/* Line and column of a text's first place in a file, "148:22"; empty: it is not there. */
struct str text_place(struct arena *a, struct str text, struct str what);

void examine_targets(struct exam *x, const struct config_files *f);
void examine_receivers(struct exam *x, const struct config_files *f);
void examine_queries(struct exam *x, const struct config_files *f); /* rules, panels, sources */
bool examine_jmx_endpoints(struct exam *x, const struct jmx_config *c);

/* The address of our own Prometheus, http://127.0.0.1:9090. */
struct str own_prometheus(struct exam *x);
/* The document's container names mean our own roles, as they do under `vigie run`. */
struct url;
void own_address(const struct exam *x, struct url *u);
bool is_own_role(const struct exam *x, struct str host, uint16_t port);

#endif
