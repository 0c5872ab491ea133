/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics.c - /metrics with the original's names: dashboards and the mixin's rules ask for them
 */
#include "alert/kinds.h"
#include "codec/expowrite.h"
#include "io/clock.h"
#include "io/proc.h"
#include "roles/alertmanager/manager.h"

static void one(struct buf *b, const char *name, const char *help, const char *type, double v)
{
    expo_family(b, str_c(name), str_c(help), type);
    expo_sample(b, str_c(name), NULL, 0, v);
}
static void labelled(struct buf *b, const char *name, const char *label, const char *value,
                     double v)
{
    struct expo_label lb = { str_c(label), str_c(value) };
    expo_sample(b, str_c(name), &lb, 1, v);
}

static void alerts(struct buf *b, struct manager *m, struct arena *a)
{
    static const char name[] = "alertmanager_alerts",
                      received[] = "alertmanager_alerts_received_total";
    struct alert_views v;
    size_t quiet = 0;
    alert_views(m->engine, clock_now_ms(), a, &v);
    for (size_t i = 0; i < v.n; i++) quiet += v.v[i].silenced_n || v.v[i].inhibited_n;
    expo_family(b, str_c(name), STR("How many alerts by state."), "gauge");
    labelled(b, name, "state", "active", (double)(v.n - quiet));
    labelled(b, name, "state", "suppressed", (double)quiet);
    labelled(b, name, "state", "unprocessed", 0);
    alert_views_done(&v);
    expo_family(b, STR("alertmanager_alerts_invalid_total"),
                STR("The total number of received alerts that were invalid."), "counter");
    labelled(b, "alertmanager_alerts_invalid_total", "version", "v2", (double)m->invalid);
    expo_family(b, str_c(received), STR("The total number of received alerts."), "counter");
    for (int i = 0; i < 2; i++) {
        struct expo_label lb[] = { { STR("status"), i ? STR("resolved") : STR("firing") },
                                   { STR("version"), STR("v2") } };
        expo_sample(b, str_c(received), lb, 2, (double)m->received[i]);
    }
}

static void notifications(struct buf *b, const struct engine_stats *s)
{
    static const char *const suppressed[] = { "silence", "inhibition", "mute_time_interval",
                                              "active_time_interval" };
    static const struct {
        const char *name, *help;
    } rows[] = { { "alertmanager_notifications_total",
                   "The total number of attempted notifications." },
                 { "alertmanager_notification_requests_total",
                   "The total number of attempted notification requests." },
                 { "alertmanager_notification_requests_failed_total",
                   "The total number of failed notification requests." } };
    for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
        expo_family(b, str_c(rows[r].name), str_c(rows[r].help), "counter");
        for (size_t i = 0; kinds[i].name; i++) {
            const struct kind_stats *k = &s->kinds[i];
            labelled(b, rows[r].name, "integration", kinds[i].name,
                     (double)(r == 0   ? k->notifications
                              : r == 1 ? k->requests
                                       : k->requests_failed));
        }
    }
    static const char failed[] = "alertmanager_notifications_failed_total";
    expo_family(b, str_c(failed), STR("The total number of failed notifications."), "counter");
    for (size_t i = 0; kinds[i].name; i++) {
        for (size_t r = 0; r < REASON_MAX_; r++) {
            struct expo_label lb[] = { { STR("integration"), str_c(kinds[i].name) },
                                       { STR("reason"), str_c(alert_reasons[r]) } };
            expo_sample(b, str_c(failed), lb, 2, (double)s->kinds[i].failed[r]);
        }
    }
    expo_family(
        b, STR("alertmanager_notifications_suppressed_total"),
        STR("The total number of notifications suppressed for being silenced, inhibited, outside of active time intervals or within muted time intervals."),
        "counter");
    for (size_t i = 0; i < SUPPRESSED_MAX_; i++) {
        labelled(b, "alertmanager_notifications_suppressed_total", "reason", suppressed[i],
                 (double)s->suppressed[i]);
    }
}

static void silences(struct buf *b, const struct engine_stats *s)
{
    static const char *const states[] = { "pending", "active", "expired" };
    expo_family(b, STR("alertmanager_silences"), STR("How many silences by state."), "gauge");
    for (size_t i = 0; i < 3; i++) {
        labelled(b, "alertmanager_silences", "state", states[i], (double)s->silences[i]);
    }
    one(b, "alertmanager_silences_queries_total", "How many silence queries were received.",
        "counter", (double)s->silence_queries);
    one(b, "alertmanager_silences_query_errors_total",
        "How many silence received queries did not succeed.", "counter", 0);
    one(b, "alertmanager_silences_maintenance_total",
        "How many maintenances were executed for silences.", "counter",
        (double)s->silences_maintenance);
    one(b, "alertmanager_silences_maintenance_errors_total",
        "How many maintenances were executed for silences that failed.", "counter",
        (double)s->silences_maintenance_errors);
    one(b, "alertmanager_silences_snapshot_size_bytes",
        "Size of the last silence snapshot in bytes.", "gauge", (double)s->silences_bytes);
    one(b, "alertmanager_nflog_queries_total", "Number of notification log queries were received.",
        "counter", (double)s->log_queries);
    one(b, "alertmanager_nflog_query_errors_total",
        "Number notification log received queries that failed.", "counter", 0);
    one(b, "alertmanager_nflog_maintenance_total",
        "How many maintenances were executed for the notification log.", "counter",
        (double)s->log_maintenance);
    one(b, "alertmanager_nflog_maintenance_errors_total",
        "How many maintenances were executed for the notification log that failed.", "counter",
        (double)s->log_maintenance_errors);
    one(b, "alertmanager_nflog_snapshot_size_bytes",
        "Size of the last notification log snapshot in bytes.", "gauge", (double)s->log_bytes);
}

static void configuration(struct buf *b, struct manager *m)
{
    struct alert_config *c = alert_engine_config(m->engine);
    one(b, "alertmanager_config_hash", "Hash of the currently loaded alertmanager configuration.",
        "gauge", (double)c->hash);
    one(b, "alertmanager_config_last_reload_successful",
        "Whether the last configuration reload attempt was successful.", "gauge", m->reload_ok);
    one(b, "alertmanager_config_last_reload_success_timestamp_seconds",
        "Timestamp of the last successful configuration reload.", "gauge",
        (double)m->reloaded_ms / 1000);
    one(b, "alertmanager_config_unset_variables",
        "Integrations that are off because a variable of the configuration is not set.", "gauge",
        (double)c->unset_n);
    one(b, "alertmanager_receivers", "Number of configured receivers.", "gauge",
        (double)c->receivers_n);
    one(b, "alertmanager_inhibition_rules", "Number of configured inhibition rules.", "gauge",
        (double)c->rules_n);
    size_t n = 0;
    for (size_t i = 0; i < c->receivers_n; i++) n += c->receivers[i].n;
    one(b, "alertmanager_integrations", "Number of configured integrations.", "gauge", (double)n);
    alert_config_unref(c);
    expo_family(
        b, STR("alertmanager_build_info"),
        STR("A metric with a constant '1' value labeled by version, revision, branch, goversion from which alertmanager was built."),
        "gauge");
    labelled(b, "alertmanager_build_info", "version", m->env.version ? m->env.version : "0.34.0",
             1);
    one(b, "alertmanager_cluster_enabled", "Indicates whether the clustering is enabled or not.",
        "gauge", 0);
    one(b, "alertmanager_peer_position", "Position of this Alertmanager instance in the cluster.",
        "gauge", 0);
}

void on_am_metrics(struct http_req *req)
{
    struct manager *m = req->ctx;
    struct engine_stats s;
    BUF(b, 0);
    alert_stats(m->engine, clock_now_ms(), &s);
    alerts(&b, m, &req->arena);
    configuration(&b, m);
    one(&b, "alertmanager_dispatcher_aggregation_groups", "Number of active aggregation groups",
        "gauge", (double)s.groups);
    one(&b, "alertmanager_pending_notifications",
        "Notifications that wait for their attempt or its end.", "gauge", (double)s.pending);
    notifications(&b, &s);
    silences(&b, &s);
    proc_write_metrics(&b);
    http_reply(req, 200, EXPO_CONTENT_TYPE, &b);
}
