/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h - jmx_exporter's YAML file
 *
 * Shape:   one arena, immutable after jmx_config_parse(). Unknown keys are ignored, as the original does.
 * Ours:    `targets` (a list of host:port beside hostPort), `targetLabel` (the label that tells their series apart),
 *          `aliases` (second names: metrics) and `compat: 0.x` (names as jmx_exporter before 1.0 leaves them); the
 *          original ignores all four.
 * Errors:  with line and column; what we cannot do yet but would be unsafe to ignore is in `refused`.
 * Source:  jmx_exporter JmxCollector.loadConfig, HTTPServerFactory.
 */
#ifndef JMX_CONFIG_H
#define JMX_CONFIG_H

#include "codec/regex.h"
#include "codec/yaml.h"
#include "jmx/objectname.h"

/* A service to connect to: the registry's place and the name the JMX server is bound to there. */
struct jmx_endpoint {
    struct str host;
    uint16_t port;
    struct str name;   /* "jmxrmi" */
    struct str target; /* host:port, for labels and messages */
};

/* HOST:PORT (IPv6 in brackets). Errors: ERR_SYNTAX */
enum err jmx_endpoint_of_host_port(struct str text, struct arena *a, struct jmx_endpoint *out,
                                   struct diag *d);

/* service:jmx:rmi:///jndi/rmi://HOST:PORT/NAME. Errors: ERR_SYNTAX, ERR_UNSUPPORTED other protocols, stub URLs */
enum err jmx_endpoint_of_url(struct str text, struct arena *a, struct jmx_endpoint *out,
                             struct diag *d);

struct jmx_label {
    struct str name, value; /* templates */
};

struct jmx_rule {
    unsigned line;
    struct regex *re; /* NULL: hits always */
    struct str pattern, name, value, help, type;
    double factor;
    struct jmx_label *labels; /* ordered by name */
    size_t labels_n;
    bool snake_case, cache;
    bool blind; /* proven: no match of it can depend on a number or boolean behind ": " */
    struct str
        literal; /* every match begins with it, '\1' standing for any character; may be empty */
};

struct jmx_bean_attributes {
    struct objectname bean;
    const struct str *attributes;
    size_t n;
};

/* A second name for a metric, both as printed (with _total). */
struct jmx_alias {
    struct str name, of;
};

struct jmx_objectnames {
    struct objectname *v;
    struct str *texts;
    size_t n;
};

struct jmx_config {
    struct arena arena;
    _Atomic(unsigned) refs;
    struct jmx_endpoint *endpoints;
    size_t endpoints_n;
    struct str target_label; /* empty: none with one target, "broker" with several */
    int64_t start_delay_seconds;
    bool lowercase_names, lowercase_labels, infer_counter, auto_exclude, exclude_jvm;
    bool compat_0x;
    struct jmx_objectnames include, exclude; /* include empty: all */
    struct jmx_bean_attributes *include_attributes, *exclude_attributes;
    size_t include_attributes_n, exclude_attributes_n;
    struct jmx_rule *rules;
    size_t rules_n;
    struct jmx_alias *aliases;
    size_t aliases_n;
    bool text_rules;         /* some rule gives strings a value */
    bool cache_rules;        /* some rule has cache: true */
    struct str metrics_path; /* httpServer.http.metrics.path */
    struct str
        refused; /* a sentence: what must not be ignored (credentials, TLS); empty: nothing */
    unsigned refused_line, refused_col;
    struct yaml_warning *warnings;
};

enum err jmx_config_parse(struct str text, struct jmx_config **out, struct diag *d);
struct jmx_config *jmx_config_ref(struct jmx_config *c);
void jmx_config_unref(struct jmx_config *c); /* NULL is fine */

#endif
