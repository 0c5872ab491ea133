/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manager.h - what the files of the role share
 *
 * Threads: timer and pumping on the collect loop; handlers where their route says; attempts on the role's own senders, so that a
 *          receiver that hangs takes no worker from rules or queries.
 */
#ifndef ROLES_ALERTMANAGER_MANAGER_H
#define ROLES_ALERTMANAGER_MANAGER_H

#include "alert/engine.h"
#include "io/http_server.h"
#include "model/role.h"

struct am_flags {
    struct str config_file, storage_path, external_url, route_prefix, web_config, expand, env_file;
    struct str cluster_listen, features, log_level, log_format;
    struct flag_strs listen;
    int64_t retention_ms, maintenance_ms, gc_ms, dispatch_maintenance_ms, start_delay_ms,
        web_timeout_ms;
    int64_t max_silences, max_silence_bytes, per_name_limit, get_concurrency;
    bool log_silences, systemd_socket;
    /* Accepted for the original's command lines; there is no cluster. */
    struct flag_strs cluster_peers;
    struct str ignored;
    int64_t ignored_ms;
    double ignored_ratio;
    bool ignored_flag;
};

struct manager {
    struct role_env env; /* copied */
    struct am_flags flags;
    struct arena arena;
    struct alert_engine *engine;
    struct http_server *servers[8];
    size_t servers_n;
    struct web_door *web;
    struct http_route *routes;
    struct pool *senders;
    struct timer tick, maintain;
    struct str external_url, prefix;
    enum matchers_mode mode;
    int64_t started_ms;
    uint64_t counter;
    char peer[27];
    _Atomic(uint64_t) received[2], invalid; /* firing, resolved */
    _Atomic(uint64_t)
        said[64]; /* failures that stand in the log, as hashes, by receiver and integration */
    _Atomic(int64_t) reloaded_ms;
    _Atomic(bool) reload_ok;
};

extern const struct flag am_flags_table[];

/* Wakes the collect loop: something may be due. Any thread. */
void manager_wake(struct manager *m);
enum err manager_load(struct manager *m, struct alert_config **out, struct diag *d);

/* Renders and sends; blocks. */
enum send_outcome manager_send(const struct sending *s, uint64_t unique,
                               const _Atomic(bool) *cancel, const char **reason, struct diag *d);

/* HTTP */
void on_am_status(struct http_req *req);
void on_am_receivers(struct http_req *req);
void on_am_alerts(struct http_req *req);
void on_am_groups(struct http_req *req);
void on_am_silences(struct http_req *req);
void on_am_silence(struct http_req *req);
void on_am_metrics(struct http_req *req);
void on_am_page(struct http_req *req);
void on_am_not_found(struct http_req *req);
bool am_before(struct http_req *req);

void am_reply_string(struct http_req *req, int status, const char *s); /* a JSON string */
void am_reply_error(struct http_req *req, int status, int code, const char *s);
void am_write_time(struct buf *b, int64_t ms); /* 2006-01-02T15:04:05.000Z, in quotes */

#endif
