/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_remote.c - remote_write and remote_read: tables, checks, printing
 *
 * Source: docs/configuration, config/config.go of Prometheus 3.14.0 (defaults, texts).
 */
#include "codec/goquote.h"
#include "scrape/config_priv.h"

#include <stddef.h>

#define ROW(s, k, t, f) .key = (k), .type = (t), .offset = offsetof(struct s, f)

#define NO_CLOUD                                                                                   \
    "signing requests for cloud providers is not supported; remove the section, or send through a proxy that signs"

static const struct str V1 = { "prometheus.WriteRequest", 23 };
static const struct str V2 = { "io.prometheus.write.v2.Request", 30 };

/* --- checks --- */

static enum err headers_check(struct yaml_pairs headers, struct diag *d)
{
    static const char *const RESERVED[] = {
        "content-encoding",
        "content-length",
        "content-type",
        "user-agent",
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "www-authenticate",
        "accept-encoding",
        "x-prometheus-remote-write-version",
        "x-prometheus-remote-read-version",
        "x-prometheus-remote-write-samples-written",
        "x-prometheus-remote-write-histograms-written",
        "x-prometheus-remote-write-exemplars-written",
        "x-amz-date",
        "x-amz-security-token",
        "x-amz-content-sha256",
    };
    for (size_t i = 0; i < headers.n; i++) {
        struct str name = headers.v[i].key;
        if (str_ieq(name, STR("authorization"))) {
            return diag_set(d, ERR_SYNTAX,
                            "authorization header must be changed via the basic_auth, "
                            "authorization, oauth2, sigv4, azuread or google_iam parameter");
        }
        for (size_t k = 0; k < ARRAY_LEN(RESERVED); k++) {
            if (!str_ieq(name, str_c(RESERVED[k]))) continue;
            return diag_set(d, ERR_SYNTAX, STR_FMT " is a reserved header. It must not be changed",
                            STR_ARG(name));
        }
    }
    return OK;
}

static enum err queue_check(struct arena *a, const struct yaml_node *at, void *out, struct diag *d)
{
    const struct remote_queue_config *q = out;
    (void)a;
    (void)at;
    const struct {
        bool bad;
        const char *why;
    } CHECKS[] = {
        { q->capacity <= 0, "remote write queue capacity must be positive" },
        { q->max_shards <= 0, "remote write queue max_shards must be positive" },
        { q->min_shards <= 0, "remote write queue min_shards must be positive" },
        { q->min_shards > q->max_shards,
          "remote write queue min_shards must not be greater than max_shards" },
        { q->max_samples_per_send <= 0,
          "remote write queue max_samples_per_send must be positive" },
        { q->batch_send_deadline_ms <= 0,
          "remote write queue batch_send_deadline must be positive" },
        { q->min_backoff_ms <= 0, "remote write queue min_backoff must be positive" },
        { q->max_backoff_ms < q->min_backoff_ms,
          "remote write queue max_backoff must not be less than min_backoff" },
    };
    for (size_t i = 0; i < ARRAY_LEN(CHECKS); i++) {
        if (CHECKS[i].bad) return diag_set(d, ERR_SYNTAX, "%s", CHECKS[i].why);
    }
    return OK;
}

static enum err write_check(struct arena *a, const struct yaml_node *at, void *out, struct diag *d)
{
    const struct remote_write_config *c = out;
    (void)a;
    (void)at;
    if (!c->url.n) return diag_set(d, ERR_SYNTAX, "url for remote_write is empty");
    TRY(headers_check(c->headers, d));
    if (str_eq(c->protobuf_message, V2)) {
        return diag_set(d, ERR_UNSUPPORTED,
                        "sending remote write 2.0 is not supported; remove protobuf_message, every "
                        "receiver takes 1.0");
    }
    if (str_eq(c->protobuf_message, V1)) return OK;
    return diag_set(d, ERR_SYNTAX,
                    "invalid protobuf_message value: unknown type for remote write protobuf "
                    "message " STR_FMT
                    ", supported: prometheus.WriteRequest, io.prometheus.write.v2.Request",
                    STR_ARG(c->protobuf_message));
}

static enum err read_check(struct arena *a, const struct yaml_node *at, void *out, struct diag *d)
{
    const struct remote_read_config *c = out;
    (void)a;
    (void)at;
    if (!c->url.n) return diag_set(d, ERR_SYNTAX, "url for remote_read is empty");
    return headers_check(c->headers, d);
}

/* --- tables --- */

static void queue_defaults(void *out)
{
    struct remote_queue_config *q = out;
    q->capacity = 10000;
    q->max_shards = 50;
    q->min_shards = 1;
    q->max_samples_per_send = 2000;
    q->batch_send_deadline_ms = 5000;
    q->min_backoff_ms = 30;
    q->max_backoff_ms = 5000;
}

static const struct yaml_table QUEUE = {
    .go_type = "config.QueueConfig",
    .size = sizeof(struct remote_queue_config),
    .fields =
        (const struct yaml_field[]){
            { ROW(remote_queue_config, "capacity", YT_INT, capacity) },
            { ROW(remote_queue_config, "max_shards", YT_INT, max_shards) },
            { ROW(remote_queue_config, "min_shards", YT_INT, min_shards) },
            { ROW(remote_queue_config, "max_samples_per_send", YT_INT, max_samples_per_send) },
            { ROW(remote_queue_config, "batch_send_deadline", YT_DURATION,
                  batch_send_deadline_ms) },
            { ROW(remote_queue_config, "min_backoff", YT_DURATION, min_backoff_ms) },
            { ROW(remote_queue_config, "max_backoff", YT_DURATION, max_backoff_ms) },
            { ROW(remote_queue_config, "retry_on_http_429", YT_BOOL, retry_on_http_429) },
            { ROW(remote_queue_config, "sample_age_limit", YT_DURATION, sample_age_limit_ms) },
            { 0 },
        },
    .defaults = queue_defaults,
    .check = queue_check,
};

static void metadata_defaults(void *out)
{
    struct remote_metadata_config *m = out;
    m->send = true;
    m->send_interval_ms = 60000;
    m->max_samples_per_send = 2000;
}

static const struct yaml_table METADATA = {
    .go_type = "config.MetadataConfig",
    .size = sizeof(struct remote_metadata_config),
    .fields =
        (const struct yaml_field[]){
            { ROW(remote_metadata_config, "send", YT_BOOL, send) },
            { ROW(remote_metadata_config, "send_interval", YT_DURATION, send_interval_ms) },
            { ROW(remote_metadata_config, "max_samples_per_send", YT_INT, max_samples_per_send) },
            { 0 },
        },
    .defaults = metadata_defaults,
};

static void write_defaults(void *out)
{
    struct remote_write_config *c = out;
    c->timeout_ms = 30000;
    c->protobuf_message = V1;
    queue_defaults(&c->queue);
    metadata_defaults(&c->metadata);
}

const struct yaml_table REMOTE_WRITE_TABLE = {
    .go_type = "config.plain",
    .size = sizeof(struct remote_write_config),
    .fields =
        (const struct yaml_field[]){
            { ROW(remote_write_config, "url", YT_STR, url) },
            { ROW(remote_write_config, "remote_timeout", YT_DURATION, timeout_ms) },
            { ROW(remote_write_config, "headers", YT_MAP, headers) },
            { ROW(remote_write_config, "write_relabel_configs", YT_CUSTOM, relabel),
              .custom = relabel_decode_write },
            { ROW(remote_write_config, "name", YT_STR, name) },
            { ROW(remote_write_config, "send_exemplars", YT_BOOL, send_exemplars) },
            { ROW(remote_write_config, "send_native_histograms", YT_BOOL, send_histograms) },
            { ROW(remote_write_config, "round_robin_dns", YT_BOOL, round_robin_dns) },
            { ROW(remote_write_config, "protobuf_message", YT_STR, protobuf_message) },
            { ROW(remote_write_config, "<inline>", YT_INLINE, http),
              .sub = &HTTP_CONFIG_NO_HTTP2_TABLE },
            { ROW(remote_write_config, "queue_config", YT_STRUCT, queue), .sub = &QUEUE },
            { ROW(remote_write_config, "metadata_config", YT_STRUCT, metadata), .sub = &METADATA },
            { .key = "sigv4", .unsupported = NO_CLOUD },
            { .key = "azuread", .unsupported = NO_CLOUD },
            { .key = "google_iam", .unsupported = NO_CLOUD },
            { 0 },
        },
    .defaults = write_defaults,
    .check = write_check,
    .null_item = "empty or null remote write config section",
};

static void read_defaults(void *out)
{
    struct remote_read_config *c = out;
    c->timeout_ms = 60000;
    c->chunked_read_limit = 50000000;
    c->filter_external_labels = true;
}

const struct yaml_table REMOTE_READ_TABLE = {
    .go_type = "config.plain",
    .size = sizeof(struct remote_read_config),
    .fields =
        (const struct yaml_field[]){
            { ROW(remote_read_config, "url", YT_STR, url) },
            { ROW(remote_read_config, "remote_timeout", YT_DURATION, timeout_ms) },
            { ROW(remote_read_config, "chunked_read_limit", YT_INT, chunked_read_limit) },
            { ROW(remote_read_config, "headers", YT_MAP, headers) },
            { ROW(remote_read_config, "read_recent", YT_BOOL, read_recent) },
            { ROW(remote_read_config, "name", YT_STR, name) },
            { ROW(remote_read_config, "<inline>", YT_INLINE, http), .sub = &HTTP_CONFIG_TABLE },
            { ROW(remote_read_config, "required_matchers", YT_MAP, required_matchers) },
            { ROW(remote_read_config, "filter_external_labels", YT_BOOL, filter_external_labels) },
            { 0 },
        },
    .defaults = read_defaults,
    .check = read_check,
    .null_item = "empty or null remote read config section",
};

/* --- the whole sections --- */

static enum err twice(const char *what, struct str name, struct diag *d)
{
    return diag_quoted(d, ERR_SYNTAX, what, name, "");
}

enum err remote_configs_finish(struct prom_config *c, struct str dir, struct diag *d)
{
    struct remote_write_config *w = c->remote_writes.v;
    struct remote_read_config *r = c->remote_reads.v;
    for (size_t i = 0; i < c->remote_writes.n; i++) {
        http_config_resolve(&c->arena, dir, &w[i].http);
        for (size_t k = 0; k < i; k++) {
            if (!w[i].name.n || !str_eq(w[i].name, w[k].name)) continue;
            return twice("found multiple remote write configs with job name ", w[i].name, d);
        }
    }
    for (size_t i = 0; i < c->remote_reads.n; i++) {
        http_config_resolve(&c->arena, dir, &r[i].http);
        for (size_t k = 0; k < i; k++) {
            if (!r[i].name.n || !str_eq(r[i].name, r[k].name)) continue;
            return twice("found multiple remote read configs with job name ", r[i].name, d);
        }
    }
    return OK;
}

/* --- printing --- */

static void put_pairs(struct yaml_printer *p, const char *name, struct yaml_pairs pairs)
{
    if (!pairs.n) return;
    yp_in(p, name);
    for (size_t i = 0; i < pairs.n; i++) {
        yp_key_str(p, pairs.v[i].key);
        buf_char(p->b, ' ');
        yaml_write_str(p->b, pairs.v[i].value, false);
        buf_char(p->b, '\n');
    }
    yp_out(p);
}

static void put_queue(struct yaml_printer *p, const struct remote_queue_config *q)
{
    yp_in(p, "queue_config");
    yp_int(p, "capacity", q->capacity);
    yp_int(p, "max_shards", q->max_shards);
    yp_int(p, "min_shards", q->min_shards);
    yp_int(p, "max_samples_per_send", q->max_samples_per_send);
    yp_duration(p, "batch_send_deadline", q->batch_send_deadline_ms);
    yp_duration(p, "min_backoff", q->min_backoff_ms);
    yp_duration(p, "max_backoff", q->max_backoff_ms);
    yp_true(p, "retry_on_http_429", q->retry_on_http_429);
    yp_duration(p, "sample_age_limit", q->sample_age_limit_ms);
    yp_out(p);
}

void remote_write_config_print(struct yaml_printer *p, const struct remote_write_config *c)
{
    yp_item(p);
    yp_str(p, "url", c->url);
    yp_duration(p, "remote_timeout", c->timeout_ms);
    put_pairs(p, "headers", c->headers);
    relabel_rules_print(p, "write_relabel_configs", c->relabel);
    yp_str(p, "name", c->name);
    yp_true(p, "send_exemplars", c->send_exemplars);
    yp_true(p, "send_native_histograms", c->send_histograms);
    yp_true(p, "round_robin_dns", c->round_robin_dns);
    yp_str(p, "protobuf_message", c->protobuf_message);
    http_config_print(p, &c->http);
    put_queue(p, &c->queue);
    yp_in(p, "metadata_config");
    yp_bool(p, "send", c->metadata.send);
    yp_duration(p, "send_interval", c->metadata.send_interval_ms);
    yp_int(p, "max_samples_per_send", c->metadata.max_samples_per_send);
    yp_out(p);
    yp_item_end(p);
}

void remote_read_config_print(struct yaml_printer *p, const struct remote_read_config *c)
{
    yp_item(p);
    yp_str(p, "url", c->url);
    yp_duration(p, "remote_timeout", c->timeout_ms);
    yp_int(p, "chunked_read_limit", c->chunked_read_limit);
    put_pairs(p, "headers", c->headers);
    yp_true(p, "read_recent", c->read_recent);
    yp_str(p, "name", c->name);
    http_config_print(p, &c->http);
    put_pairs(p, "required_matchers", c->required_matchers);
    yp_bool(p, "filter_external_labels", c->filter_external_labels);
    yp_item_end(p);
}
