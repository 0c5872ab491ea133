/* SPDX-License-Identifier: Apache-2.0 */
/* config_priv.h - what the config*.c files share; nobody else includes it. */
#ifndef SCRAPE_CONFIG_PRIV_H
#define SCRAPE_CONFIG_PRIV_H

#include "codec/yaml_printer.h"
#include "scrape/config.h"

#define DURATION_DEFAULT_INTERVAL INT64_C(60000)
#define DURATION_DEFAULT_TIMEOUT  INT64_C(10000)

/* Tables of config_tables.c */
extern const struct yaml_table CONFIG_TABLE;
extern const struct yaml_table
    JOBS_TABLE; /* a file of scrape_config_files, into a yaml_list of jobs */

/* As decoded; prom_config_parse turns it into a prom_config. */
struct alerting_section {
    struct relabel_rules alert_relabel;
    struct yaml_list alertmanagers;
};
struct config_root {
    struct global_config global;
    int64_t gogc;
    struct alerting_section alerting;
    struct yaml_strs rule_files, scrape_config_files;
    struct yaml_list scrape_configs;
    struct tsdb_config tsdb;
    struct yaml_list remote_write, remote_read;
};

/* relabel_config.c: lists of rules, one decoder for each place, whose names stand in errors about null items. */
enum err relabel_decode_target(struct arena *a, const struct yaml_node *v, void *field,
                               struct diag *d);
enum err relabel_decode_metric(struct arena *a, const struct yaml_node *v, void *field,
                               struct diag *d);
enum err relabel_decode_alert(struct arena *a, const struct yaml_node *v, void *field,
                              struct diag *d);
enum err relabel_decode_write(struct arena *a, const struct yaml_node *v, void *field,
                              struct diag *d);
enum err relabel_decode_alertmanager(struct arena *a, const struct yaml_node *v, void *field,
                                     struct diag *d);
bool relabel_regex_is_default(const struct relabel_rule *r);
const char *relabel_action_name(enum relabel_action action);
/* Decoding only checks the expressions, so that a failure later in the file has nothing to free; this makes them. */
enum err relabel_rules_compile(struct relabel_rules rules, struct diag *d);
void relabel_rules_print(struct yaml_printer *p, const char *name, struct relabel_rules rules);
void relabel_rules_free(struct relabel_rules rules); /* the compiled expressions */

/* config_remote.c */
extern const struct yaml_table REMOTE_WRITE_TABLE, REMOTE_READ_TABLE;
enum err remote_configs_finish(struct prom_config *c, struct str dir, struct diag *d);
void remote_write_config_print(struct yaml_printer *p, const struct remote_write_config *c);
void remote_read_config_print(struct yaml_printer *p, const struct remote_read_config *c);

/* config_check.c: what one job or the whole file must satisfy once decoded. */
enum err target_groups_check(const struct target_groups *groups, bool relabelled, struct diag *d);
enum err global_config_finish(struct global_config *g, struct diag *d);
enum err scrape_config_finish(struct arena *a, struct scrape_config *c,
                              const struct global_config *g, struct diag *d);

enum scrape_protocol scrape_protocol_of(struct str name);
bool label_name_valid_utf8(struct str s);

#endif
