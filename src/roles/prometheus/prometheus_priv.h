/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prometheus_priv.h - what the files of this role share
 */
#ifndef ROLES_PROMETHEUS_PROMETHEUS_PRIV_H
#define ROLES_PROMETHEUS_PROMETHEUS_PRIV_H

#include "codec/json.h"
#include "discovery/discovery.h"
#include "io/http_server.h"
#include "io/web_door.h"
#include "model/evaluator.h"
#include "model/role.h"
#include "promql/promql.h"
#include "remote/reader.h"
#include "remote/receive.h"
#include "remote/writer.h"
#include "roles/prometheus/notify.h"
#include "rules/rules.h"
#include "scrape/net.h"
#include "scrape/scrape.h"
#include "tsdb/tsdb.h"

#include <pthread.h>

/* What the flags fill. Those that only must be accepted have a field, too: /api/v1/status/flags shows them. */
struct prometheus_config {
    struct str config_file, listen, external_url, route_prefix, cors_origin, page_title;
    struct flag_strs listens, features;
    struct str storage_path, console_templates, console_libraries, user_assets, web_config;
    struct str wal_compression_type, delay_compact_file, agent_path, accepted_messages, log_level,
        log_format;
    bool lifecycle, admin_api, remote_write_receiver, otlp_receiver, no_lockfile, wal_compression,
        agent, drain_queue;
    bool auto_reload, auto_gomaxprocs, auto_gomemlimit, adjust_timestamps, overlapping;
    int64_t read_timeout_ms, retention_ms, lookback_ms, query_timeout_ms, resend_delay_ms,
        outage_tolerance_ms, grace_ms, auto_reload_ms;
    int64_t min_block_ms, max_block_ms, flush_deadline_ms, timestamp_tolerance_ms, discovery_ms;
    int64_t max_connections, max_notifications, max_concurrency, max_samples, queue_capacity,
        batch_size, max_evals, write_queue;
    int64_t read_sample_limit, read_concurrent, read_frame, search_limit, samples_per_chunk,
        wal_segment_bytes, retention_bytes;
    double gomemlimit_ratio;
    struct str ignored[13]; /* flags with nothing behind them here */
};

struct prometheus {
    struct role_env env;
    const struct prometheus_config *cfg;
    struct str external_url; /* without a slash at the end */
    struct str prefix;       /* of routes, "" or "/x" */
    struct str links;        /* what links begin with: the external URL's path, else the prefix */
    struct regex *cors;
    struct web_door *web;
    struct arena arena; /* the strings above */
    struct tsdb *tsdb;
    struct evaluator *evaluator;
    struct scrape_net *net;
    struct scrape_manager *scrape;
    struct discovery *discovery;
    struct rules *rules;
    struct notify *notify;
    struct remote_receiver *receiver;
    struct remote_writer *writer;
    struct remote_reader *reader; /* what queries read: the store, and remote_read */
    struct http_server *servers[8];
    size_t servers_n;
    _Atomic(bool) ready; /* the log is replayed, the configuration in force */
    _Atomic(unsigned) replay_min, replay_max, replay_current;
    struct timer scrape_timer, rules_timer, store_timer, upkeep_timer, reload_timer;
    uint64_t config_sum; /* of the files that were read last; for --config.auto-reload */
    struct job store_job, upkeep_job;
    int64_t store_due, upkeep_due; /* written by these jobs, read when they are done */
    int64_t started_ms;

    pthread_mutex_t lock; /* the rest */
    struct prom_config *config;
    int64_t config_loaded_ms, config_tried_ms;
    bool config_ok;
    uint64_t queries, query_errors;
};

static inline struct prometheus *prometheus_of(const struct http_req *req) { return req->ctx; }

/* The loaded configuration with a reference of the caller's: prom_config_unref(). Any thread. */
struct prom_config *prometheus_config(struct prometheus *p);

struct promql_options prometheus_promql_options(const struct prometheus *p, int64_t lookback_ms,
                                                int64_t timeout_ms);

/* web.c */
enum err prometheus_web_init(struct prometheus *p, struct diag *d);
bool prometheus_before(struct http_req *req);

/* remote.c: the configuration's remote sections into the engine's words. */
void prometheus_reader_start(struct prometheus *p); /* before the evaluator */
void prometheus_remote_start(struct prometheus *p);
void prometheus_remote_apply(struct prometheus *p, struct prom_config *c);

/* discover.c: what discoveries find, to those who want it. */
void prometheus_discovery_start(struct prometheus *p, struct str user_agent);
void prometheus_discovery_apply(struct prometheus *p, const struct prom_config *c);
void prometheus_pool_metrics(struct prometheus *p, struct buf *b);
void prometheus_targets_changed(struct prometheus *p);

/* autoreload.c: --config.auto-reload, --enable-feature=auto-reload-config. */
void prometheus_autoreload_start(struct prometheus *p);

/* Collect loop. */
enum err prometheus_reload(struct prometheus *p, struct diag *d);

extern const struct http_route PROMETHEUS_ROUTES[];
extern const struct flag PROMETHEUS_FLAGS[];

/* --- api.c: the envelope --- */

enum api_error {
    API_BAD_DATA,
    API_EXECUTION,
    API_CANCELED,
    API_TIMEOUT,
    API_INTERNAL,
    API_NOT_FOUND,
    API_UNAVAILABLE
};
void api_error(struct http_req *req, enum api_error e, const char *fmt, ...) PRINTF(3, 4);

/* Begins {"status":"success","data": in b; the caller writes one value; api_end closes and sends. */
struct json_writer api_begin(struct buf *b);
void api_end(struct http_req *req, struct buf *b,
             const struct value *notes); /* notes: warnings and infos, or NULL */

/* Strings as Go's encoder with HTML escapes. */
void api_put(struct json_writer *w, struct str s);
void api_put_labels(struct json_writer *w, struct labels lb);
void api_put_time(struct json_writer *w, int64_t ms); /* RFC 3339; 0: Go's zero time */
void api_field(struct json_writer *w, const char *key, struct str s);
void api_field_raw(struct json_writer *w, const char *key, const char *fmt, ...) PRINTF(3, 4);

/* Parameters; false when the error was sent. An absent one is the default. */
bool api_time_param(struct http_req *req, const char *name, int64_t deflt, int64_t *ms);
bool api_time_needed(struct http_req *req, const char *name, int64_t *ms);
bool api_duration_param(struct http_req *req, const char *name, int64_t deflt, int64_t *ms);
bool api_limit_param(struct http_req *req, int64_t *limit); /* 0: none */

#define API_MIN_TIME (INT64_MIN / 4)
#define API_MAX_TIME (INT64_MAX / 4)

/* handlers by file */
void api_query(struct http_req *req);
void api_query_range(struct http_req *req);
void api_format_query(struct http_req *req);
void api_parse_query(struct http_req *req);
void api_series(struct http_req *req);
void api_labels(struct http_req *req);
void api_label_values(struct http_req *req);
void api_targets(struct http_req *req);
void api_scrape_pools(struct http_req *req);
void api_metadata(struct http_req *req);
void api_targets_metadata(struct http_req *req);
void api_alertmanagers(struct http_req *req);
void api_rules(struct http_req *req);
void api_alerts(struct http_req *req);
void api_status_config(struct http_req *req);
void api_status_flags(struct http_req *req);
void api_status_buildinfo(struct http_req *req);
void api_status_runtimeinfo(struct http_req *req);
void api_status_tsdb(struct http_req *req);
void api_status_walreplay(struct http_req *req);
void api_federate(struct http_req *req);
void api_relabel_steps(struct http_req *req);
void api_status_blocks(struct http_req *req);
void api_notifications(struct http_req *req);
void api_notifications_live(struct http_req *req);
void api_features(struct http_req *req);
void api_delete_series(struct http_req *req);
void api_clean_tombstones(struct http_req *req);
void api_snapshot(struct http_req *req);
void api_write(struct http_req *req);
void api_write_otlp(struct http_req *req);
void api_read(struct http_req *req);
void prometheus_metrics(struct http_req *req);
void page_query(struct http_req *req);
void page_targets(struct http_req *req);
void page_alerts(struct http_req *req);
void page_rules(struct http_req *req);
void page_config(struct http_req *req);
void page_flags(struct http_req *req);
void page_status(struct http_req *req);

#endif
