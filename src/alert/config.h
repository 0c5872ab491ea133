/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h - alertmanager.yml: routes, receivers, inhibition rules, time intervals
 *
 * Shape:   one arena, immutable after loading, counted: whoever keeps a pointer into it holds a reference. What a receiver may say
 *          is in tables (kinds.c), one row a key; a loaded integration holds one value a row.
 *          ${NAME} is resolved on the parsed tree, never on the text: see expand.h.
 * Errors:  d has line and column of the key, and the original's sentence.
 * Source:  Alertmanager 0.34 config documentation and behaviour.
 */
#ifndef ALERT_CONFIG_H
#define ALERT_CONFIG_H

#include "alert/expand.h"
#include "alert/intervals.h"
#include "alert/matchers.h"
#include "codec/gotmpl.h"
#include "io/http_config.h"

struct kind;
struct kind_field;

struct route {
    struct str receiver;
    const struct str *group_by;
    size_t group_by_n;
    bool group_by_set, group_by_all, follow; /* follow: continue */
    int64_t group_wait_ms, group_interval_ms, repeat_ms;
    struct matchers matchers;
    const struct str *mute, *active; /* names of intervals */
    size_t mute_n, active_n;
    struct yaml_pairs labels; /* own and inherited */
    const struct route *parent;
    struct route *routes;
    size_t routes_n, index; /* index: depth first, children before their parent */
    struct str key, id;     /* {}/{a="b"}; id tells equal siblings apart */
    const void *raw;
};

struct inhibit_rule {
    struct str name;
    struct matchers source, target;
    const struct str *equal;
    size_t equal_n;
};

/* One setting of an integration. */
struct setting {
    struct str text; /* expanded; of a boolean "true" or "false" */
    bool set;        /* written in the file or inherited */
    bool literal;    /* came from a variable: never run as a template */
    const struct yaml_node *node;
    const struct tmpl_set *tmpl; /* of templates: execute "" of it */
};

struct integration {
    const struct kind *kind;
    const struct receiver *receiver;
    size_t index; /* among its kind in the receiver */
    bool send_resolved;
    struct setting *settings; /* a row of kind->fields each */
    struct http_config http;
    struct str unset; /* not empty: disabled, and why ("SMTP_PASSWORD is not set") */
    const struct yaml_node *node;
};

struct receiver {
    struct str name;
    struct yaml_pairs labels;
    struct integration *v;
    size_t n;
};

/* What a person should know of a file that loads. */
struct config_warning {
    unsigned line, col; /* 0: no place in the file */
    struct str text;
};

struct alert_config {
    struct arena arena;
    _Atomic(unsigned) refs;
    struct route *root;
    size_t routes_n;
    struct receiver *receivers;
    size_t receivers_n;
    struct inhibit_rule *rules;
    size_t rules_n;
    struct interval_set *intervals;
    size_t intervals_n;
    int64_t resolve_timeout_ms;
    struct str printed; /* with defaults and <secret>, as GET /status shows it */
    uint64_t hash;      /* of alertmanager_config_hash */
    struct tmpl_set *templates;
    struct config_warning *warnings; /* unset variables, disabled integrations, odd values */
    size_t warnings_n;
    size_t unset_n; /* integrations that an unset variable disabled */
};

struct config_options {
    struct str text, dir; /* dir: templates are relative to it */
    enum matchers_mode mode;
    bool
        show_all; /* print what newer than 0.25 defaults to, too: Debian's amtool then cannot read it */
    enum expand_mode expand;
    expand_fn *lookup;
    void *lookup_ctx;
};

enum err alert_config_load(const struct config_options *o, struct alert_config **out,
                           struct diag *d);
struct alert_config *alert_config_ref(struct alert_config *c);
void alert_config_unref(struct alert_config *c); /* NULL is fine */

/* NULL without such a receiver or interval. */
const struct receiver *config_receiver(const struct alert_config *c, struct str name);
const struct interval_set *config_interval(const struct alert_config *c, struct str name);

/*
 * The nodes an alert goes to, in order: depth first, the first child that matches unless it continues, else the node itself.
 * out has room for c->routes_n. Returns how many.
 */
size_t config_routes(const struct alert_config *c, struct labels lb, const struct route **out);

/* The setting of a key, by its name in the file; its text is empty when it is not set. */
const struct setting *setting_of(const struct integration *in, const char *key);
struct str setting_text(const struct integration *in, const char *key);
bool setting_bool(const struct integration *in, const char *key);

#endif
