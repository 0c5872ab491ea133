/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.h - alerts in, groups, timers, mutes, and what is to be sent
 *
 * Shape:   alert_put() merges and files alerts into groups; alert_tick(now) flushes the groups that are due and says when it wants
 *          to be called again; alert_take() hands out what is ready to be sent, one at a time for each integration, and
 *          alert_done() says how it went. So a sick receiver holds back nobody but itself.
 * Threads: any. One mutex, never held across I/O or a callback. Files are written by alert_sync() and alert_maintain().
 * Source:  Alertmanager dispatch, notify, inhibit, silence, nflog: behaviour of 0.34; timelines measured on 0.25.
 */
#ifndef ALERT_ENGINE_H
#define ALERT_ENGINE_H

#include "alert/alert.h"
#include "alert/config.h"
#include "alert/records.h"

struct alert_engine;

#define ALERT_NEVER INT64_MAX

struct engine_options {
    struct str dir; /* of silences and nflog; empty: nothing is kept on disk */
    struct str external_url;
    int64_t retention_ms;                    /* of silences and the log after their end */
    int64_t gc_interval_ms;                  /* removal of resolved alerts */
    int64_t start_delay_ms;                  /* no flush before */
    int64_t max_silences, max_silence_bytes; /* 0: no limit */
    uint64_t seed;                           /* of back-off and ids */
};

/* Takes a reference to c. cut: bytes dropped from damaged files, by name, for the log (may be NULL). */
enum err alert_engine_new(const struct engine_options *o, struct alert_config *c, int64_t now,
                          struct alert_engine **out, size_t cut[2], struct diag *d);
void alert_engine_free(struct alert_engine *e); /* NULL is fine */
/* All groups are built anew; the log keeps them from notifying twice. */
void alert_engine_reload(struct alert_engine *e, struct alert_config *c, int64_t now);
struct alert_config *alert_engine_config(struct alert_engine *e); /* a reference of the caller's */

/* Labels and annotations are borrowed. ends_at 0: now + resolve_timeout. updated_at and timeout are set here. */
void alert_put(struct alert_engine *e, const struct alert *v, size_t n, int64_t now);

/* Returns when it next wants to be called, ALERT_NEVER for not at all. */
int64_t alert_tick(struct alert_engine *e, int64_t now);

/* ---- sending ---- */
struct sending; /* one attempt */
enum send_outcome {
    SEND_OK,
    SEND_RETRY, /* again after a pause, until the group's time is up */
    SEND_FAIL,  /* not again before the group's next flush */
};
/* NULL: nothing is ready now. */
struct sending *alert_take(struct alert_engine *e, int64_t now);
const struct notification *sending_notification(const struct sending *s);
int64_t sending_deadline(const struct sending *s); /* ms since 1970 */
/* Ends the attempt; reason: label of notifications_failed_total. The log entry is written by alert_sync(). */
void alert_done(struct alert_engine *e, struct sending *s, enum send_outcome outcome,
                const char *reason, int64_t now);

/* Writes what waits for the disk; fsync when asked. Call it outside of loops' short work. */
enum err alert_sync(struct alert_engine *e, bool silences, bool sync, struct diag *d);
/* Drops what is past its retention and rewrites both files. */
enum err alert_maintain(struct alert_engine *e, int64_t now, struct diag *d);

/* ---- silences ---- */
struct silence_change {
    struct str id; /* empty: a new one */
    const struct matchers *sets;
    size_t sets_n;
    int64_t starts_at, ends_at;
    struct str created_by, comment;
    struct labels annotations;
};
/* Errors: ERR_MISSING no such id; ERR_SYNTAX, ERR_LIMIT with the original's text. id has room for 37 bytes. */
enum err alert_silence_set(struct alert_engine *e, const struct silence_change *c, int64_t now,
                           char id[37], struct diag *d);
enum err alert_silence_expire(struct alert_engine *e, struct str id, int64_t now);

enum silence_state { SILENCE_PENDING, SILENCE_ACTIVE, SILENCE_EXPIRED };
enum silence_state silence_state(const struct silence *s, int64_t now);
/* Copies in a (matchers are not compiled); id empty: all. */
void alert_silences(struct alert_engine *e, struct str id, struct arena *a, struct silence ***out,
                    size_t *n);

/* ---- looking ---- */
struct alert_view {
    struct alert *alert; /* a reference, ended by alert_views_done */
    const struct str *silenced_by, *inhibited_by, *receivers, *muted_by;
    size_t silenced_n, inhibited_n, receivers_n, muted_n;
};
struct alert_views {
    struct alert_view *v;
    size_t n;
};
struct group_view {
    struct str receiver;
    struct labels labels;
    struct alert_views alerts;
    int64_t next_flush;
};
void alert_views(struct alert_engine *e, int64_t now, struct arena *a,
                 struct alert_views *out); /* by fingerprint; not resolved ones */
void alert_views_done(struct alert_views *v);
void alert_groups(struct alert_engine *e, int64_t now, struct arena *a, struct group_view **out,
                  size_t *n);

enum {
    SUPPRESSED_SILENCE,
    SUPPRESSED_INHIBITION,
    SUPPRESSED_MUTE,
    SUPPRESSED_ACTIVE,
    SUPPRESSED_MAX_
};
enum {
    REASON_OTHER,
    REASON_CLIENT,
    REASON_SERVER,
    REASON_CANCELED,
    REASON_DEADLINE,
    REASON_AUTH,
    REASON_LIMITED,
    REASON_MAX_
};
extern const char *const alert_reasons[REASON_MAX_];

struct kind_stats {
    uint64_t notifications, failed[REASON_MAX_], requests, requests_failed;
};
struct engine_stats {
    uint64_t suppressed[SUPPRESSED_MAX_];
    size_t groups, silences[3], log_entries, pending;
    uint64_t silences_maintenance, silences_maintenance_errors, log_maintenance,
        log_maintenance_errors, log_queries, silence_queries;
    size_t silences_bytes, log_bytes;
    struct kind_stats kinds[18];
};
void alert_stats(struct alert_engine *e, int64_t now, struct engine_stats *out);

#endif
