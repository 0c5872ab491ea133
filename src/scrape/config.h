/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h - prometheus.yml as structs: read, checked, defaults filled in, printed
 *
 * Shape:   one arena holds a whole configuration; it is immutable once loaded and counted by references, so that a
 *          reload swaps a pointer while scrapes under way keep theirs.
 * Limits:  a file of 16 MiB; what this build does not do yet (discovery by cloud providers, tracing...)
 *          is known by name and refused with a sentence, never ignored.
 * Threads: immutable after load; ref and unref from any thread.
 * Source:  Prometheus 3.14.0 docs/configuration, config/config.go (texts, defaults), prometheus/common config.
 */
#ifndef SCRAPE_CONFIG_H
#define SCRAPE_CONFIG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "codec/yaml.h"
#include "io/http_config.h"
#include "model/labels.h"
#include "model/relabel.h"
#include "scrape/config_sd.h"

enum tri { TRI_UNSET, TRI_OFF, TRI_ON };

/* In the order of the original's table, which is also that of "supported:" in errors. */
enum scrape_protocol {
    PROTOCOL_NONE,
    PROTOCOL_OM_0_0_1,
    PROTOCOL_OM_1_0_0,
    PROTOCOL_PROTO,
    PROTOCOL_TEXT_0_0_4,
    PROTOCOL_TEXT_1_0_0,
    PROTOCOL_MAX_,
};
struct str scrape_protocol_name(enum scrape_protocol p);

enum name_scheme { NAMES_UNSET, NAMES_UTF8, NAMES_LEGACY };
enum escaping {
    ESCAPING_UNSET,
    ESCAPING_ALLOW_UTF8,
    ESCAPING_UNDERSCORES,
    ESCAPING_DOTS,
    ESCAPING_VALUES
};

struct protocols {
    enum scrape_protocol v[PROTOCOL_MAX_];
    size_t n; /* 0: not given */
};

/* What global and a job have in common; 0 in a job means "as global". */
struct scrape_limits {
    int64_t body_size; /* bytes */
    int64_t samples, targets, labels, label_name_length, label_value_length;
    int64_t keep_dropped_targets;
};

/* Of histograms only what the configuration says; this build scrapes the classic ones. */
struct histogram_options {
    enum tri native, always_classic, to_nhcb, extra_metrics;
};

struct relabel_rules {
    struct relabel_rule *v;
    size_t n;
};

struct target_group {
    struct yaml_strs targets; /* host:port */
    struct labels labels;
    const struct yaml_node *at;
};
struct target_groups {
    const struct target_group *v;
    size_t n;
};

struct query_param {
    struct str name;
    struct yaml_strs values;
};
struct query_params {
    struct query_param *v;
    size_t n;
};

struct scrape_config {
    struct str job_name;
    int64_t interval_ms, timeout_ms;
    struct protocols protocols;
    enum scrape_protocol fallback_protocol;
    struct str metrics_path, scheme;
    struct query_params params;
    bool honor_labels, honor_timestamps, track_timestamps_staleness, enable_compression;
    struct scrape_limits limits;
    int64_t native_bucket_limit;
    double native_min_bucket_factor;
    struct histogram_options histograms;
    enum name_scheme names;
    enum escaping escaping;
    struct http_config http;
    struct relabel_rules relabel, metric_relabel;
    struct target_groups static_configs;
    struct sd_sections sections; /* of the file; ends up in sd */
    struct sd_configs sd;
    const struct yaml_node *at, *at_protocols, *at_fallback; /* of the file, for errors */
};

struct alertmanager_config {
    struct str scheme, path_prefix, api_version;
    int64_t timeout_ms;
    struct http_config http;
    struct relabel_rules relabel, alert_relabel;
    struct target_groups static_configs;
    struct sd_sections sections;
    struct sd_configs sd;
};

struct global_config {
    bool given; /* the section stands in the file */
    int64_t scrape_interval_ms, scrape_timeout_ms, evaluation_interval_ms, rule_query_offset_ms;
    struct protocols protocols;
    struct labels external_labels;
    struct scrape_limits limits;
    struct histogram_options histograms;
    enum name_scheme names;
    enum escaping escaping;
    const struct yaml_node *at_protocols;
};

struct remote_queue_config {
    int64_t capacity, max_shards, min_shards, max_samples_per_send;
    int64_t batch_send_deadline_ms, min_backoff_ms, max_backoff_ms, sample_age_limit_ms;
    bool retry_on_http_429;
};

struct remote_metadata_config {
    bool send;
    int64_t send_interval_ms, max_samples_per_send;
};

struct remote_write_config {
    struct str url, name, protobuf_message;
    int64_t timeout_ms;
    struct yaml_pairs headers;
    struct relabel_rules relabel;
    bool send_exemplars, send_histograms, round_robin_dns;
    struct http_config http;
    struct remote_queue_config queue;
    struct remote_metadata_config metadata;
};

struct remote_read_config {
    struct str url, name;
    int64_t timeout_ms, chunked_read_limit;
    struct yaml_pairs headers, required_matchers;
    bool read_recent, filter_external_labels;
    struct http_config http;
};

struct tsdb_config {
    int64_t retention_ms;   /* 0: not given, the flag counts */
    int64_t retention_size; /* bytes; 0: not given */
    double retention_percentage;
    struct str chunk_encoding; /* of floats, as given */
};

struct scrape_configs {
    const struct scrape_config *v;
    size_t n;
};

struct prom_config {
    struct global_config global;
    int64_t gogc; /* printed back; there is nothing to set */
    struct relabel_rules alert_relabel;
    struct {
        const struct alertmanager_config *v;
        size_t n;
    } alertmanagers;
    struct yaml_strs rule_files; /* globs, relative ones resolved against the file's folder */
    struct yaml_strs scrape_config_files; /* the same */
    struct scrape_configs main_configs;   /* of the main file, for printing */
    struct scrape_configs scrape_configs; /* all: main file, then scrape_config_files in order */
    struct tsdb_config tsdb;
    struct {
        struct remote_write_config *v;
        size_t n;
    } remote_writes;
    struct {
        struct remote_read_config *v;
        size_t n;
    } remote_reads;
    struct arena arena;
    _Atomic(unsigned) refs;
};

/* Value of an environment variable in a's memory, {NULL, 0} when it is not set: ${VAR} in external labels. */
typedef struct str env_lookup(struct arena *a, struct str name);

/*
 * Reads one file's text; dir is what relative paths are resolved against ("" keeps them as they are).
 * scrape_config_files are not opened. On success the caller holds one reference.
 * Errors: ERR_SYNTAX, ERR_UNSUPPORTED, ERR_LIMIT; d has line, col and the original's text where there is one.
 */
enum err prom_config_parse(struct str text, struct str dir, env_lookup *env,
                           struct prom_config **out, struct diag *d);

/* prom_config_parse of a file and of the scrape_config_files it names. */
enum err prom_config_load(struct str path, struct prom_config **out, struct diag *d);

struct prom_config *prom_config_ref(struct prom_config *c);
void prom_config_unref(struct prom_config *c); /* NULL is fine */

/* As /api/v1/status/config shows it: defaults filled in, secrets as <secret>. */
void prom_config_print(struct buf *b, const struct prom_config *c);

/* One entry as it is printed: what tells a reload whether it has changed. */
void remote_write_config_write(struct buf *b, const struct remote_write_config *c);

#endif
