/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/expowrite.h"
#include "codec/gotime.h"
#include "codec/num.h"
#include "io/clock.h"
#include "io/proc.h"
#include "roles/prometheus/prometheus_priv.h"

#include <stdio.h>
#include <unistd.h>

enum { TOP_DEFAULT = 10, TOP_MAX = 10000 };

void api_status_config(struct http_req *req)
{
    struct prom_config *c = prometheus_config(prometheus_of(req));
    BUF(yaml, 0);
    prom_config_print(&yaml, c);
    prom_config_unref(c);
    struct buf b = { 0 };
    struct json_writer w = api_begin(&b);
    json_open(&w, '{');
    api_field(&w, "yaml", buf_str(&yaml));
    json_close(&w, '}');
    api_end(req, &b, NULL);
}

static void put_flag(void *ctx, const char *name, struct str value) { api_field(ctx, name, value); }

void api_status_flags(struct http_req *req)
{
    struct buf b = { 0 };
    struct json_writer w = api_begin(&b);
    json_open(&w, '{');
    flags_each(PROMETHEUS_FLAGS, prometheus_of(req)->cfg, &req->arena, put_flag, &w);
    json_close(&w, '}');
    api_end(req, &b, NULL);
}

void api_status_buildinfo(struct http_req *req)
{
    struct buf b = { 0 };
    struct json_writer w = api_begin(&b);
    json_open(&w, '{');
    api_field(&w, "version", str_c(prometheus_of(req)->env.version));
    api_field(&w, "revision", STR("vigie"));
    api_field(&w, "branch", STR("HEAD"));
    api_field(&w, "buildUser", STR(""));
    api_field(&w, "buildDate", STR(""));
    api_field(&w, "goVersion", STR(""));
    json_close(&w, '}');
    api_end(req, &b, NULL);
}

static struct str retention_text(struct http_req *req)
{
    BUF(b, 64);
    duration_write(&b, prometheus_of(req)->cfg->retention_ms);
    return arena_dup(&req->arena, buf_str(&b));
}

void api_status_runtimeinfo(struct http_req *req)
{
    struct prometheus *p = prometheus_of(req);
    char cwd[4096];
    struct tsdb_stats stats;
    tsdb_stats(p->tsdb, &stats);
    pthread_mutex_lock(&p->lock);
    int64_t loaded = p->config_loaded_ms;
    bool ok = p->config_ok;
    pthread_mutex_unlock(&p->lock);
    struct buf b = { 0 };
    struct json_writer w = api_begin(&b);
    json_open(&w, '{');
    json_key(&w, "startTime");
    api_put_time(&w, p->started_ms);
    api_field(&w, "CWD", str_c(getcwd(cwd, sizeof(cwd)) ? cwd : ""));
    api_field(&w, "hostname", str_c(proc_hostname()));
    json_key(&w, "serverTime");
    api_put_time(&w, clock_now_ms());
    json_key(&w, "reloadConfigSuccess");
    json_put_bool(&w, ok);
    json_key(&w, "lastConfigTime");
    api_put_time(&w, loaded);
    api_field_raw(&w, "corruptionCount", "%llu", (unsigned long long)stats.wal_corruptions);
    api_field_raw(&w, "goroutineCount", "0");
    api_field_raw(&w, "GOMAXPROCS", "%ld", sysconf(_SC_NPROCESSORS_ONLN));
    api_field_raw(&w, "GOMEMLIMIT", "0");
    api_field(&w, "GOGC", STR(""));
    api_field(&w, "GODEBUG", STR(""));
    api_field(&w, "storageRetention", retention_text(req));
    json_close(&w, '}');
    api_end(req, &b, NULL);
}

static void put_top(struct json_writer *w, const char *key, const struct tsdb_top_list *l)
{
    json_key(w, key);
    json_open(w, '[');
    for (size_t i = 0; i < l->n; i++) {
        json_open(w, '{');
        api_field(w, "name", l->v[i].name);
        api_field_raw(w, "value", "%llu", (unsigned long long)l->v[i].value);
        json_close(w, '}');
    }
    json_close(w, ']');
}

void api_status_tsdb(struct http_req *req)
{
    struct tsdb_status s;
    int64_t limit = TOP_DEFAULT;
    struct str given = http_param(req, "limit");
    if (given.n && (num_parse_i64(given, &limit) != OK || limit < 1)) {
        api_error(req, API_BAD_DATA, "limit must be a positive number");
        return;
    }
    if (limit > TOP_MAX) {
        api_error(req, API_BAD_DATA, "limit must not exceed %d", TOP_MAX);
        return;
    }
    tsdb_status(prometheus_of(req)->tsdb, &req->arena, (size_t)limit, &s);
    struct buf b = { 0 };
    struct json_writer w = api_begin(&b);
    json_open(&w, '{');
    json_key(&w, "headStats");
    json_open(&w, '{');
    api_field_raw(&w, "numSeries", "%llu", (unsigned long long)s.series);
    api_field_raw(&w, "numLabelPairs", "%llu", (unsigned long long)s.label_pairs);
    api_field_raw(&w, "chunkCount", "%llu", (unsigned long long)s.chunks);
    api_field_raw(&w, "minTime", "%lld", (long long)s.min_time);
    api_field_raw(&w, "maxTime", "%lld", (long long)s.max_time);
    json_close(&w, '}');
    put_top(&w, "seriesCountByMetricName", &s.metrics);
    put_top(&w, "labelValueCountByLabelName", &s.label_names);
    put_top(&w, "memoryInBytesByLabelName", &s.memory);
    put_top(&w, "seriesCountByLabelValuePair", &s.pairs);
    json_close(&w, '}');
    api_end(req, &b, NULL);
}

/* Served while the log is being replayed, too. */
void api_status_walreplay(struct http_req *req)
{
    const struct prometheus *p = prometheus_of(req);
    struct buf b = { 0 };
    struct json_writer w = api_begin(&b);
    json_open(&w, '{');
    api_field_raw(&w, "min", "%u", p->replay_min);
    api_field_raw(&w, "max", "%u", p->replay_max);
    api_field_raw(&w, "current", "%u", p->replay_current);
    json_close(&w, '}');
    api_end(req, &b, NULL);
}

/* --- own metrics --- */

static void one(struct buf *b, const char *name, const char *help, const char *type, double v)
{
    expo_family(b, str_c(name), str_c(help), type);
    expo_sample(b, str_c(name), NULL, 0, v);
}

static void write_rules(struct buf *b, struct rules *rules)
{
    static const struct {
        const char *name, *help, *type;
        size_t offset;
    } ROWS[] = {
        { "prometheus_rule_evaluations_total", "The total number of rule evaluations.", "counter",
          offsetof(struct group_view, evaluations) },
        { "prometheus_rule_evaluation_failures_total",
          "The total number of rule evaluation failures.", "counter",
          offsetof(struct group_view, failures) },
        { "prometheus_rule_group_iterations_total",
          "The total number of scheduled rule group evaluations, whether executed or missed.",
          "counter", offsetof(struct group_view, iterations) },
        { "prometheus_rule_group_iterations_missed_total",
          "The total number of rule group evaluations missed due to slow rule group evaluation.",
          "counter", offsetof(struct group_view, missed) },
        { "prometheus_rule_group_last_evaluation_samples",
          "The number of samples returned during the last rule group evaluation.", "gauge",
          offsetof(struct group_view, samples) },
    };
    struct rules_view *v = rules_view(rules);
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        expo_family(b, str_c(ROWS[i].name), str_c(ROWS[i].help), ROWS[i].type);
        for (size_t g = 0; g < v->n; g++) {
            char name[512];
            (void)snprintf(name, sizeof(name), STR_FMT ";" STR_FMT, STR_ARG(v->v[g]->file),
                           STR_ARG(v->v[g]->name));
            const struct expo_label label = { STR("rule_group"), str_c(name) };
            uint64_t value;
            memcpy(&value, (const char *)v->v[g] + ROWS[i].offset, sizeof(value));
            expo_sample(b, str_c(ROWS[i].name), &label, 1, (double)value);
        }
    }
    rules_view_unref(v);
}

static void write_scrape(struct buf *b, struct scrape_manager *m)
{
    struct scrape_stats s;
    scrape_stats(m, &s);
    one(b, "prometheus_target_scrapes_exceeded_sample_limit_total",
        "Total number of scrapes that hit the sample limit and were rejected.", "counter",
        (double)s.exceeded_sample_limit);
    one(b, "prometheus_target_scrapes_exceeded_body_size_limit_total",
        "Total number of scrapes that hit the body size limit", "counter",
        (double)s.exceeded_body_limit);
    one(b, "prometheus_target_scrapes_sample_duplicate_timestamp_total",
        "Total number of samples rejected due to duplicate timestamps but different values.",
        "counter", (double)s.duplicate_timestamp);
    one(b, "prometheus_target_scrapes_sample_out_of_bounds_total",
        "Total number of samples rejected due to timestamp falling outside of the time bounds.",
        "counter", (double)s.out_of_bounds);
    one(b, "prometheus_target_scrapes_sample_out_of_order_total",
        "Total number of samples rejected due to not being out of the expected order.", "counter",
        (double)s.out_of_order);
    one(b, "prometheus_target_metadata_cache_bytes",
        "The number of bytes that are currently used for storing metric metadata in the cache",
        "gauge", (double)s.cache_bytes);
    one(b, "prometheus_target_metadata_cache_entries",
        "Total number of metric metadata entries in the cache", "gauge", (double)s.cache_entries);
}

/* Families of the original that are always 0 here: there is no query log, and no exemplar is kept. */
static void write_zeros(struct buf *b)
{
    static const struct {
        const char *name, *help, *type;
    } ROWS[] = {
        { "prometheus_engine_query_log_enabled", "State of the query log.", "gauge" },
        { "prometheus_engine_query_log_failures_total", "The number of query log failures.",
          "counter" },
        { "prometheus_remote_storage_exemplars_in_total",
          "Exemplars in to remote storage, compare to exemplars out for queue managers.",
          "counter" },
        { "prometheus_remote_storage_histograms_in_total",
          "HistogramSamples in to remote storage, compare to histograms out for queue managers.",
          "counter" },
        { "prometheus_tsdb_exemplar_exemplars_appended_total",
          "Total number of appended exemplars.", "counter" },
        { "prometheus_tsdb_exemplar_exemplars_in_storage",
          "Number of exemplars currently in circular storage.", "gauge" },
        { "prometheus_tsdb_exemplar_max_exemplars",
          "Total number of exemplars the exemplar storage can store, resizeable.", "gauge" },
        { "prometheus_tsdb_exemplar_out_of_order_exemplars_total",
          "Total number of out of order exemplar ingestion failed attempts.", "counter" },
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++)
        one(b, ROWS[i].name, ROWS[i].help, ROWS[i].type, 0);
}

void prometheus_metrics(struct http_req *req)
{
    struct prometheus *p = prometheus_of(req);
    const struct expo_label build[] = { { STR("branch"), STR("HEAD") },
                                        { STR("goversion"), STR("") },
                                        { STR("revision"), STR("vigie") },
                                        { STR("version"), str_c(p->env.version) } };
    struct buf b = { 0 };
    pthread_mutex_lock(&p->lock);
    bool ok = p->config_ok;
    int64_t loaded = p->config_loaded_ms;
    uint64_t queries = p->queries;
    pthread_mutex_unlock(&p->lock);
    expo_family(
        &b, STR("prometheus_build_info"),
        STR("A metric with a constant '1' value labeled by version, revision, branch, goversion from which prometheus was built, and the goos and goarch for the build."),
        "gauge");
    expo_sample(&b, STR("prometheus_build_info"), build, ARRAY_LEN(build), 1);
    one(&b, "prometheus_config_last_reload_successful",
        "Whether the last configuration reload attempt was successful.", "gauge", ok);
    one(&b, "prometheus_config_last_reload_success_timestamp_seconds",
        "Timestamp of the last successful configuration reload.", "gauge", (double)loaded / 1000);
    one(&b, "prometheus_ready",
        "Whether Prometheus startup was fully completed and the server is ready for normal operation.",
        "gauge", 1);
    one(&b, "prometheus_engine_queries_concurrent_max", "The max number of concurrent queries.",
        "gauge", (double)p->cfg->max_concurrency);
    one(&b, "vigie_queries_total", "Queries that the API evaluated.", "counter", (double)queries);
    one(&b, "prometheus_tsdb_retention_limit_bytes",
        "Max number of bytes to be retained in the tsdb blocks, configured 0 means disabled",
        "gauge", (double)p->cfg->retention_bytes);
    write_zeros(&b);
    tsdb_write_metrics(p->tsdb, &b);
    write_scrape(&b, p->scrape);
    prometheus_pool_metrics(p, &b);
    discovery_metrics(p->discovery, &b);
    write_rules(&b, p->rules);
    remote_reader_write_metrics(p->reader, &b);
    remote_writer_write_metrics(p->writer, &b);
    remote_receiver_write_metrics(p->receiver, &b);
    notify_write_metrics(p->notify, &b);
    proc_write_metrics(&b);
    http_reply(req, 200, EXPO_CONTENT_TYPE, &b);
}
