/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_priv.h - what the files that load and print a configuration share
 */
#ifndef ALERT_CONFIG_PRIV_H
#define ALERT_CONFIG_PRIV_H

#include "alert/config.h"
#include "alert/kinds.h"
#include "base/vec.h"

#define KINDS_N 18

struct raw_route {
    const struct yaml_node *self;
    struct str receiver;
    struct yaml_strs group_by, matchers, mute, active;
    const struct yaml_node *group_by_node, *match_re;
    struct yaml_pairs match, labels;
    bool follow;
    struct yaml_list routes;                 /* struct raw_route */
    int64_t wait_ms, interval_ms, repeat_ms; /* -1: not set */
    enum matchers_mode mode;
};

struct raw_rule {
    const struct yaml_node *self, *source_re, *target_re;
    struct str name;
    struct yaml_pairs source, target;
    struct yaml_strs source_matchers, target_matchers, equal;
};

struct raw_receiver {
    const struct yaml_node *self;
    struct str name;
    struct yaml_pairs labels;
    const struct yaml_node *sections[KINDS_N];
};

struct raw_interval {
    const struct yaml_node *self;
    struct str name;
    struct yaml_list intervals; /* struct interval */
    const struct yaml_node *intervals_node;
};

struct raw_config {
    const struct yaml_node *global, *tracing, *event_recorder;
    struct raw_route *route;
    struct yaml_list rules, receivers, mute_intervals, intervals;
    struct yaml_strs templates;
};

struct loading {
    struct alert_config *c;
    struct arena *a;
    const struct config_options *o;
    struct raw_config raw;
    struct setting *global; /* a row of global_fields each */
    struct http_config global_http;
    const struct yaml_node *global_http_node;
    bool smtp_tls_insecure;
    struct {
        struct config_warning *v;
        size_t n, cap;
    } warnings;
};

extern const struct yaml_table raw_config_table;

/* at: the place; may be NULL */
void config_warn(struct loading *l, const struct yaml_node *at, const char *fmt, ...) PRINTF(3, 4);
enum err config_build_routes(struct loading *l, struct diag *d);
enum err config_build_rules(struct loading *l, struct diag *d);
enum err config_build_receivers(struct loading *l, struct diag *d);
enum err config_build_global(struct loading *l, struct diag *d);
void config_print(struct loading *l, struct buf *b);
size_t global_row(const char *key);

#endif
