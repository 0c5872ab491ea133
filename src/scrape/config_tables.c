/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_tables.c - every key of prometheus.yml, one row each
 *
 * A key that this build knows and does not do yet has `unsupported`; a key that is in no row is an error.
 * Source: docs/configuration, config/config.go of Prometheus 3.14.0.
 */
#include "scrape/config_priv.h"

#include "codec/goquote.h"
#include "codec/gotime.h"

#include <stddef.h>

/* --- small decoders --- */

static enum err tri_decode(struct arena *a, const struct yaml_node *v, void *field, struct diag *d)
{
    (void)a;
    bool on;
    if (!yaml_bool_of(v, &on)) return yaml_mismatch(v, "bool", d);
    *(enum tri *)field = on ? TRI_ON : TRI_OFF;
    return OK;
}

static enum err names_decode(struct arena *a, const struct yaml_node *v, void *field,
                             struct diag *d)
{
    (void)a;
    enum name_scheme *out = field;
    struct str s = yaml_str(v, STR(""));
    if (str_eq(s, STR("utf8"))) {
        *out = NAMES_UTF8;
    } else if (str_eq(s, STR("legacy"))) {
        *out = NAMES_LEGACY;
    } else {
        return diag_quoted(d, ERR_SYNTAX, "unrecognized ValidationScheme: ", s, "");
    }
    return OK;
}

static enum err escaping_decode(struct arena *a, const struct yaml_node *v, void *field,
                                struct diag *d)
{
    static const char *const NAMES[] = {
        [ESCAPING_ALLOW_UTF8] = "allow-utf-8",
        [ESCAPING_UNDERSCORES] = "underscores",
        [ESCAPING_DOTS] = "dots",
        [ESCAPING_VALUES] = "values",
    };
    (void)a;
    struct str s = yaml_str(v, STR(""));
    for (size_t i = ESCAPING_ALLOW_UTF8; i < ARRAY_LEN(NAMES); i++) {
        if (!str_eqc(s, NAMES[i])) continue;
        *(enum escaping *)field = (enum escaping)i;
        return OK;
    }
    return diag_quoted(d, ERR_SYNTAX,
                       "unknown metric name escaping scheme specified, must be one of "
                       "'allow-utf-8', 'underscores', 'dots', or 'values', got ",
                       s, "");
}

static enum err params_decode(struct arena *a, const struct yaml_node *v, void *field,
                              struct diag *d)
{
    struct query_params *out = field;
    if (v->kind != YAML_MAP) return yaml_mismatch(v, "url.Values", d);
    struct query_param *list = arena_array(a, v->n, sizeof(*list));
    for (size_t i = 0; i < v->n; i++) {
        const struct yaml_node *values = v->items[2 * i + 1];
        list[i].name = yaml_str(v->items[2 * i], STR(""));
        if (yaml_is_null(values)) continue;
        if (values->kind != YAML_SEQ) return yaml_mismatch(values, "[]string", d);
        struct str *texts = arena_array(a, values->n, sizeof(*texts));
        for (size_t j = 0; j < values->n; j++) {
            if (values->items[j]->kind != YAML_SCALAR) {
                return yaml_mismatch(values->items[j], "string", d);
            }
            texts[j] = yaml_str(values->items[j], STR(""));
        }
        list[i].values = (struct yaml_strs){ texts, values->n };
    }
    *out = (struct query_params){ list, v->n };
    return OK;
}

/* A mapping of label names to values, both checked. */
static enum err labels_decode(struct arena *a, const struct yaml_node *v, void *field,
                              struct diag *d)
{
    struct labels *out = field;
    if (v->kind != YAML_MAP) return yaml_mismatch(v, "map[string]string", d);
    struct label *list = arena_array(a, v->n, sizeof(*list));
    for (size_t i = 0; i < v->n; i++) {
        const struct yaml_node *key = v->items[2 * i], *value = v->items[2 * i + 1];
        if (value->kind != YAML_SCALAR) return yaml_mismatch(value, "string", d);
        list[i] = (struct label){ yaml_str(key, STR("")), yaml_str(value, STR("")) };
        if (!label_name_valid_utf8(list[i].name)) {
            (void)diag_quoted(d, ERR_SYNTAX, "", list[i].name, " is not a valid label name");
            goto bad;
        }
        if (list[i].value.n && !label_name_valid_utf8(list[i].value)) {
            (void)diag_quoted(d, ERR_SYNTAX, "", list[i].value, " is not a valid label value");
            goto bad;
        }
        for (size_t j = 0; j < i; j++) {
            if (!str_eq(list[j].name, list[i].name)) continue;
            (void)diag_quoted(d, ERR_SYNTAX, "key ", list[i].name, " already set in map");
            goto bad;
        }
        continue;
bad:
        if (d) {
            d->line = key->line;
            d->col = key->col;
        }
        return ERR_SYNTAX;
    }
    *out = (struct labels){ list, v->n };
    return OK;
}

/* --- rows --- */

#define ROW(s, k, t, f) .key = (k), .type = (t), .offset = offsetof(struct s, f)

#define NO_LOGFILE                                                                                 \
    "query_log_file and scrape_failure_log_file are not supported yet; remove the key"
#define NO_TRACING "tracing is not supported yet; remove the section"
#define NO_OTLP    "otlp is not supported yet: this build has no OTLP receiver; remove the section"
#define NO_OOO     "out-of-order samples are not supported yet; remove the key"
#define NO_SIGV4   "signing requests for cloud providers is not supported yet; remove the section"

/* --- targets --- */

static const struct yaml_table TARGET_GROUP = {
    .go_type = "struct { Targets []string \"yaml:\\\"targets\\\"\"; Labels model.LabelSet "
               "\"yaml:\\\"labels\\\"\" }",
    .size = sizeof(struct target_group),
    .fields =
        (const struct yaml_field[]){
            { ROW(target_group, "targets", YT_STRS, targets) },
            { ROW(target_group, "labels", YT_CUSTOM, labels), .custom = labels_decode },
            { ROW(target_group, YAML_SELF, YT_NODE, at) },
            { 0 },
        },
};

static enum err groups_decode(struct arena *a, const struct yaml_node *v, void *field,
                              struct diag *d)
{
    struct target_groups *out = field;
    if (v->kind != YAML_SEQ) return yaml_mismatch(v, "[]*targetgroup.Group", d);
    struct target_group *list = arena_array(a, v->n, sizeof(*list));
    for (size_t i = 0; i < v->n; i++) {
        if (yaml_is_null(v->items[i])) {
            return yaml_error(v->items[i], d, ERR_SYNTAX,
                              "empty or null section in static_configs");
        }
        TRY(yaml_decode(a, v->items[i], &TARGET_GROUP, YAML_V2, &list[i], d));
    }
    *out = (struct target_groups){ list, v->n };
    return OK;
}

/* --- jobs --- */

static void job_defaults(void *out)
{
    struct scrape_config *c = out;
    c->metrics_path = STR("/metrics");
    c->scheme = STR("http");
    c->honor_timestamps = c->enable_compression = true;
}

static enum err job_check(struct arena *a, const struct yaml_node *at, void *out, struct diag *d)
{
    const struct scrape_config *c = out;
    (void)a;
    (void)at;
    if (!c->job_name.n) return diag_set(d, ERR_SYNTAX, "job_name is empty");
    return target_groups_check(&c->static_configs, c->relabel.n > 0, d);
}

#define LIMIT_ROWS(s)                                                                              \
    { ROW(s, "body_size_limit", YT_SIZE, limits.body_size) },                                      \
        { ROW(s, "sample_limit", YT_INT, limits.samples) },                                        \
        { ROW(s, "target_limit", YT_INT, limits.targets) },                                        \
        { ROW(s, "label_limit", YT_INT, limits.labels) },                                          \
        { ROW(s, "label_name_length_limit", YT_INT, limits.label_name_length) },                   \
        { ROW(s, "label_value_length_limit", YT_INT, limits.label_value_length) },                 \
    {                                                                                              \
        ROW(s, "keep_dropped_targets", YT_INT, limits.keep_dropped_targets)                        \
    }

#define NAME_ROWS(s)                                                                               \
    { ROW(s, "metric_name_validation_scheme", YT_CUSTOM, names), .custom = names_decode },         \
    {                                                                                              \
        ROW(s, "metric_name_escaping_scheme", YT_CUSTOM, escaping), .custom = escaping_decode      \
    }

#define HISTOGRAM_ROWS(s)                                                                          \
    { ROW(s, "scrape_native_histograms", YT_CUSTOM, histograms.native), .custom = tri_decode },    \
        { ROW(s, "always_scrape_classic_histograms", YT_CUSTOM, histograms.always_classic),        \
          .custom = tri_decode },                                                                  \
        { ROW(s, "convert_classic_histograms_to_nhcb", YT_CUSTOM, histograms.to_nhcb),             \
          .custom = tri_decode },                                                                  \
    {                                                                                              \
        ROW(s, "extra_scrape_metrics", YT_CUSTOM, histograms.extra_metrics), .custom = tri_decode  \
    }

static const struct yaml_table JOB = {
    .go_type = "config.plain",
    .size = sizeof(struct scrape_config),
    .fields =
        (const struct yaml_field[]){
            { ROW(scrape_config, "job_name", YT_STR, job_name) },
            { ROW(scrape_config, "scrape_interval", YT_DURATION, interval_ms) },
            { ROW(scrape_config, "scrape_timeout", YT_DURATION, timeout_ms) },
            { ROW(scrape_config, "scrape_protocols", YT_NODE, at_protocols) },
            { ROW(scrape_config, "fallback_scrape_protocol", YT_NODE, at_fallback) },
            { ROW(scrape_config, "metrics_path", YT_STR, metrics_path) },
            { ROW(scrape_config, "scheme", YT_STR, scheme) },
            { ROW(scrape_config, "params", YT_CUSTOM, params), .custom = params_decode },
            { ROW(scrape_config, "honor_labels", YT_BOOL, honor_labels) },
            { ROW(scrape_config, "honor_timestamps", YT_BOOL, honor_timestamps) },
            { ROW(scrape_config, "track_timestamps_staleness", YT_BOOL,
                  track_timestamps_staleness) },
            { ROW(scrape_config, "enable_compression", YT_BOOL, enable_compression) },
            LIMIT_ROWS(scrape_config),
            NAME_ROWS(scrape_config),
            HISTOGRAM_ROWS(scrape_config),
            { ROW(scrape_config, "native_histogram_bucket_limit", YT_INT, native_bucket_limit) },
            { ROW(scrape_config, "native_histogram_min_bucket_factor", YT_FLOAT,
                  native_min_bucket_factor) },
            { ROW(scrape_config, "<inline>", YT_INLINE, http), .sub = &HTTP_CONFIG_TABLE },
            { ROW(scrape_config, "relabel_configs", YT_CUSTOM, relabel),
              .custom = relabel_decode_target },
            { ROW(scrape_config, "metric_relabel_configs", YT_CUSTOM, metric_relabel),
              .custom = relabel_decode_metric },
            { ROW(scrape_config, "static_configs", YT_CUSTOM, static_configs),
              .custom = groups_decode },
            { .key = "scrape_failure_log_file", .unsupported = NO_LOGFILE },
            { ROW(scrape_config, "<inline>", YT_INLINE, sections), .sub = &SD_SECTIONS },
            { ROW(scrape_config, YAML_SELF, YT_NODE, at) },
            { 0 },
        },
    .defaults = job_defaults,
    .check = job_check,
    .null_item = "empty or null scrape config section",
};

const struct yaml_table JOBS_TABLE = {
    .go_type = "config.ScrapeConfigs",
    .size = sizeof(struct yaml_list),
    .fields = (const struct yaml_field[]){ { .key = "scrape_configs",
                                             .type = YT_STRUCTS,
                                             .sub = &JOB },
                                           { 0 } },
};

/* --- alerting --- */

static void am_defaults(void *out)
{
    struct alertmanager_config *c = out;
    c->scheme = STR("http");
    c->api_version = STR("v2");
    c->timeout_ms = 10000;
}

static enum err am_check(struct arena *a, const struct yaml_node *at, void *out, struct diag *d)
{
    const struct alertmanager_config *c = out;
    (void)a;
    if (!str_eq(c->api_version, STR("v2"))) {
        const struct yaml_node *v = yaml_get(at, "api_version");
        return yaml_error(v ? v : at, d, ERR_SYNTAX,
                          "expected Alertmanager api version to be one of [v2] but got " STR_FMT,
                          STR_ARG(c->api_version));
    }
    return target_groups_check(&c->static_configs, c->relabel.n > 0, d);
}

static const struct yaml_table ALERTMANAGER = {
    .go_type = "config.plain",
    .size = sizeof(struct alertmanager_config),
    .fields =
        (const struct yaml_field[]){
            { ROW(alertmanager_config, "scheme", YT_STR, scheme) },
            { ROW(alertmanager_config, "path_prefix", YT_STR, path_prefix) },
            { ROW(alertmanager_config, "timeout", YT_DURATION, timeout_ms) },
            { ROW(alertmanager_config, "api_version", YT_STR, api_version) },
            { ROW(alertmanager_config, "<inline>", YT_INLINE, http), .sub = &HTTP_CONFIG_TABLE },
            { ROW(alertmanager_config, "relabel_configs", YT_CUSTOM, relabel),
              .custom = relabel_decode_alertmanager },
            { ROW(alertmanager_config, "alert_relabel_configs", YT_CUSTOM, alert_relabel),
              .custom = relabel_decode_alert },
            { ROW(alertmanager_config, "static_configs", YT_CUSTOM, static_configs),
              .custom = groups_decode },
            { .key = "sigv4", .unsupported = NO_SIGV4 },
            { ROW(alertmanager_config, "<inline>", YT_INLINE, sections), .sub = &SD_SECTIONS },
            { 0 },
        },
    .defaults = am_defaults,
    .check = am_check,
    .null_item = "empty or null Alertmanager config section",
};

static const struct yaml_table ALERTING = {
    .go_type = "config.plain",
    .size = sizeof(struct alerting_section),
    .fields =
        (const struct yaml_field[]){
            { ROW(alerting_section, "alert_relabel_configs", YT_CUSTOM, alert_relabel),
              .custom = relabel_decode_alert },
            { ROW(alerting_section, "alertmanagers", YT_STRUCTS, alertmanagers),
              .sub = &ALERTMANAGER },
            { 0 },
        },
};

/* --- global, runtime, storage --- */

static enum err global_check(struct arena *a, const struct yaml_node *at, void *out, struct diag *d)
{
    struct global_config *g = out;
    (void)a;
    g->given = at != NULL;
    return global_config_finish(g, d);
}

static const struct yaml_table GLOBAL = {
    .go_type = "config.plain",
    .size = sizeof(struct global_config),
    .fields =
        (const struct yaml_field[]){
            { ROW(global_config, "scrape_interval", YT_DURATION, scrape_interval_ms) },
            { ROW(global_config, "scrape_timeout", YT_DURATION, scrape_timeout_ms) },
            { ROW(global_config, "scrape_protocols", YT_NODE, at_protocols) },
            { ROW(global_config, "evaluation_interval", YT_DURATION, evaluation_interval_ms) },
            { ROW(global_config, "rule_query_offset", YT_DURATION, rule_query_offset_ms) },
            { ROW(global_config, "external_labels", YT_CUSTOM, external_labels),
              .custom = labels_decode },
            LIMIT_ROWS(global_config),
            NAME_ROWS(global_config),
            HISTOGRAM_ROWS(global_config),
            { .key = "query_log_file", .unsupported = NO_LOGFILE },
            { .key = "scrape_failure_log_file", .unsupported = NO_LOGFILE },
            { 0 },
        },
    .check = global_check,
};

struct runtime_section {
    int64_t gogc;
};
static const struct yaml_table RUNTIME = {
    .go_type = "config.RuntimeConfig",
    .size = sizeof(struct runtime_section),
    .fields = (const struct yaml_field[]){ { ROW(runtime_section, "gogc", YT_INT, gogc) }, { 0 } },
};

static enum err size_limit_decode(struct arena *a, const struct yaml_node *v, void *field,
                                  struct diag *d)
{
    (void)a;
    struct str s = yaml_str(v, STR(""));
    int64_t n;
    if (!str_starts(s, STR("-"))) return size_parse(s, field, d);
    TRY(size_parse(str_from(s, 1), &n, d));
    BUF(b, 64);
    size_write(&b, n);
    return diag_set(
        d, ERR_SYNTAX,
        "'storage.tsdb.retention.size' must be greater than or equal to 0, got -" STR_FMT,
        STR_ARG(buf_str(&b)));
}

static enum err percentage_decode(struct arena *a, const struct yaml_node *v, void *field,
                                  struct diag *d)
{
    (void)a;
    double p;
    if (!yaml_float_of(v, &p)) return yaml_mismatch(v, "float64", d);
    if (!(p >= 0 && p <= 100)) {
        return diag_set(
            d, ERR_SYNTAX,
            "'storage.tsdb.retention.percentage' must be in the range [0, 100], got " STR_FMT,
            STR_ARG(v->text));
    }
    *(double *)field = p;
    return OK;
}

static enum err encoding_decode(struct arena *a, const struct yaml_node *v, void *field,
                                struct diag *d)
{
    (void)a;
    struct str s = yaml_str(v, STR(""));
    if (!str_eq(s, STR("xor")) && !str_eq(s, STR("xor2"))) {
        return diag_quoted(d, ERR_SYNTAX,
                           "'storage.tsdb.chunk_encoding.floats' must be 'xor' or 'xor2', or the "
                           "field must be omitted entirely, got ",
                           s, "");
    }
    *(struct str *)field = s;
    return OK;
}

/* retention and chunk_encoding are sections of one struct. */
static const struct yaml_table RETENTION = {
    .go_type = "config.TSDBRetentionConfig",
    .size = sizeof(struct tsdb_config),
    .fields =
        (const struct yaml_field[]){
            { ROW(tsdb_config, "time", YT_DURATION, retention_ms) },
            { ROW(tsdb_config, "size", YT_CUSTOM, retention_size), .custom = size_limit_decode },
            { ROW(tsdb_config, "percentage", YT_CUSTOM, retention_percentage),
              .custom = percentage_decode },
            { 0 },
        },
};
static const struct yaml_table ENCODING = {
    .go_type = "config.ChunkEncodingConfig",
    .size = sizeof(struct tsdb_config),
    .fields =
        (const struct yaml_field[]){
            { ROW(tsdb_config, "floats", YT_CUSTOM, chunk_encoding), .custom = encoding_decode },
            { 0 },
        },
};
struct tsdb_section {
    struct tsdb_config retention, encoding;
};
static const struct yaml_table TSDB = {
    .go_type = "config.plain",
    .size = sizeof(struct tsdb_section),
    .fields =
        (const struct yaml_field[]){
            { ROW(tsdb_section, "retention", YT_STRUCT, retention), .sub = &RETENTION },
            { ROW(tsdb_section, "chunk_encoding", YT_STRUCT, encoding), .sub = &ENCODING },
            { .key = "out_of_order_time_window", .unsupported = NO_OOO },
            { .key = "stale_series_compaction_threshold",
              .unsupported = "stale_series_compaction_threshold is not supported yet; remove it" },
            { 0 },
        },
};
struct exemplars_section {
    int64_t max;
};
static const struct yaml_table EXEMPLARS = {
    .go_type = "config.ExemplarsConfig",
    .size = sizeof(struct exemplars_section),
    .fields = (const struct yaml_field[]){ { ROW(exemplars_section, "max_exemplars", YT_INT, max) },
                                           { 0 } },
};
struct storage_section {
    struct tsdb_section tsdb;
    struct exemplars_section exemplars;
};
static const struct yaml_table STORAGE = {
    .go_type = "config.StorageConfig",
    .size = sizeof(struct storage_section),
    .fields =
        (const struct yaml_field[]){
            { ROW(storage_section, "tsdb", YT_STRUCT, tsdb), .sub = &TSDB },
            { ROW(storage_section, "exemplars", YT_STRUCT, exemplars), .sub = &EXEMPLARS },
            { 0 },
        },
};

static enum err runtime_decode(struct arena *a, const struct yaml_node *v, void *field,
                               struct diag *d)
{
    struct runtime_section s;
    TRY(yaml_decode(a, v, &RUNTIME, YAML_V2, &s, d));
    *(int64_t *)field = s.gogc ? s.gogc : 75;
    return OK;
}

static enum err storage_decode(struct arena *a, const struct yaml_node *v, void *field,
                               struct diag *d)
{
    struct storage_section s;
    TRY(yaml_decode(a, v, &STORAGE, YAML_V2, &s, d));
    struct tsdb_config *out = field;
    *out = s.tsdb.retention;
    out->chunk_encoding = s.tsdb.encoding.chunk_encoding;
    return OK;
}

static enum err global_decode(struct arena *a, const struct yaml_node *v, void *field,
                              struct diag *d)
{
    return yaml_decode(a, v, &GLOBAL, YAML_V2, field, d);
}

static void root_defaults(void *out)
{
    struct config_root *r = out;
    r->gogc = 75;
    r->global.scrape_interval_ms = r->global.evaluation_interval_ms = DURATION_DEFAULT_INTERVAL;
    r->global.scrape_timeout_ms = DURATION_DEFAULT_TIMEOUT;
    r->global.names = NAMES_UTF8;
    r->global.escaping = ESCAPING_ALLOW_UTF8;
}

const struct yaml_table CONFIG_TABLE = {
    .go_type = "config.plain",
    .size = sizeof(struct config_root),
    .fields =
        (const struct yaml_field[]){
            { ROW(config_root, "global", YT_CUSTOM, global), .custom = global_decode },
            { ROW(config_root, "runtime", YT_CUSTOM, gogc), .custom = runtime_decode },
            { ROW(config_root, "alerting", YT_STRUCT, alerting), .sub = &ALERTING },
            { ROW(config_root, "rule_files", YT_STRS, rule_files) },
            { ROW(config_root, "scrape_config_files", YT_STRS, scrape_config_files) },
            { ROW(config_root, "scrape_configs", YT_STRUCTS, scrape_configs), .sub = &JOB },
            { ROW(config_root, "storage", YT_CUSTOM, tsdb), .custom = storage_decode },
            { .key = "tracing", .unsupported = NO_TRACING },
            { .key = "otlp", .unsupported = NO_OTLP },
            { ROW(config_root, "remote_write", YT_STRUCTS, remote_write),
              .sub = &REMOTE_WRITE_TABLE },
            { ROW(config_root, "remote_read", YT_STRUCTS, remote_read), .sub = &REMOTE_READ_TABLE },
            { 0 },
        },
    .defaults = root_defaults,
};
