/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.h - one file checked by the reader of the engine that will load it
 *
 * Shape:   struct check lives as long as the command; each file adds findings and facts. What a file refers to is checked
 *          with it (rule files, scrape_config_files, templates), each file once.
 * Kinds:   told by content; a name is given where a file is forced to be of one.
 * Used by: vigie check, promtool check.
 */
#ifndef COMMANDS_CHECK_CHECK_H
#define COMMANDS_CHECK_CHECK_H

#include "commands/check/findings.h"
#include "dash/source.h"
#include "model/evaluator.h"

enum check_kind {
    KIND_UNKNOWN,
    KIND_PROMETHEUS,
    KIND_SCRAPE_CONFIG,
    KIND_RULES,
    KIND_UNIT_TEST,
    KIND_ALERTMANAGER,
    KIND_TEMPLATE,
    KIND_JMX,
    KIND_DASHBOARD,
    KIND_DATASOURCES,
    KIND_PROVIDERS,
    KIND_WEB,
    KIND_MAX_,
};
const char *check_kind_name(enum check_kind k); /* "prometheus": of --kind, and in answers */
bool check_kind_named(struct str name, enum check_kind *out);

/* By content, else by the file's name; KIND_UNKNOWN when neither says. */
enum check_kind check_kind_of(struct str path, struct str text);

struct checked {
    struct str path;
    enum check_kind kind;
    struct str text;  /* of the file */
    struct str facts; /* "12 rules in 3 groups" */
    size_t errors;    /* of this file and what it refers to */
};

struct check {
    struct arena a;
    struct evaluator *ev;
    struct findings found;
    VEC(struct checked) files;
    const struct dash_provisioning *sources; /* that dashboards are held against; NULL: not */
    bool follow;                             /* check what a file refers to, too */
};

void check_init(struct check *c);
void check_done(struct check *c);

/* Reads and checks; a file seen before is passed over. kind KIND_UNKNOWN: told by content. */
void check_file(struct check *c, struct str path, enum check_kind kind);

/* Data sources for dashboards, of a provisioning folder; empty, or one that does not load: the built-in ones. */
void check_sources(struct check *c, struct str dir);

/* Every configuration file below it; the folder of `vigie run DIR`. */
void check_folder(struct check *c, struct str dir);

struct rule_file;
struct rule_def;
/* A rule whose series an earlier one of its file writes, too: the same name and labels. */
struct duplicate_rule {
    const struct rule_def *rule, *first;
};
size_t check_duplicates(struct arena *a, const struct rule_file *f, struct duplicate_rule **out);

/* --- the kinds, each in a file of its own; they add findings and set file->facts --- */
void check_prometheus(struct check *c, struct checked *file);
void check_scrape_config(struct check *c, struct checked *file);
void check_rules(struct check *c, struct checked *file);
void check_unit_test(struct check *c, struct checked *file);
void check_alertmanager(struct check *c, struct checked *file);
void check_template(struct check *c, struct checked *file);
void check_jmx(struct check *c, struct checked *file);
void check_dashboard(struct check *c, struct checked *file);
void check_provisioning(struct check *c, struct checked *file);
void check_web(struct check *c, struct checked *file);

#endif
