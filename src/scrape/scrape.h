/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scrape.h - fetches the pages of all targets when they are due and appends what they say
 *
 * Shape:   a manager holds one scraper a target. Bodies are parsed in slices as they arrive, against the target's cache
 *          of series in page order; samples are staged and become one transaction at the end, or nothing.
 *          A scrape goes idle -> fetching (loop) -> committing (worker) -> idle.
 * Time:    `now` comes in, the time of the next call goes out. Wall milliseconds.
 * Threads: everything belongs to the collect loop, except the copying functions at the end, which any thread may call.
 *          The transaction runs where scrape_env.offload() takes it; nobody else touches a scraper meanwhile.
 * Owns:    a reference on the configuration; samples in flight.
 * Source:  Prometheus 3.14.0 scrape/scrape.go, target.go, manager.go (labels, staleness, limits, texts).
 */
#ifndef SCRAPE_SCRAPE_H
#define SCRAPE_SCRAPE_H

#include "codec/expo_read.h"
#include "model/storage.h"
#include "scrape/config.h"

struct scraper; /* one target's loop */
struct scrape_manager;

/* What to ask for. Strings live until the fetch is done or cancelled. */
struct scrape_request {
    struct str url, accept;
    int64_t timeout_ms;
    size_t body_max; /* bytes after inflating */
    bool gzip;
    const struct http_config *http;
};

/* How a fetch ended. */
struct scrape_reply {
    enum err err; /* of the transport; why says it in the original's words */
    struct str why;
    int status;
    struct str content_type;
};

/* The outside world, as two functions for the network and one for the worker; tests bring their own. */
struct scrape_env {
    void *ctx;
    /*
     * Starts a request. The body goes to scrape_on_body() piece by piece, the end to scrape_on_done(), both on the
     * loop and not before fetch() has returned. The result is what cancel() takes.
     */
    void *(*fetch)(void *ctx, const struct scrape_request *req, struct scraper *s);
    void (*cancel)(void *ctx, void *ticket); /* neither function is called for it any more */
    /* Runs work(arg) where it may block, then done(arg) on the loop. */
    void (*offload)(void *ctx, void (*work)(void *arg), void (*done)(void *arg), void *arg);
    int64_t (*now_ms)(void *ctx);  /* wall, for the end of a scrape */
    int64_t (*mono_ns)(void *ctx); /* for scrape_duration_seconds */
    void (*wake)(void *ctx);       /* a scrape ended: tick() may have a new due time; may be NULL */
};

/* head: what is known so far of the reply. False: the rest of the body is not wanted. */
bool scrape_on_body(struct scraper *s, const struct scrape_reply *head, struct str slice);
void scrape_on_done(struct scraper *s, const struct scrape_reply *reply);

struct scrape_options {
    struct appendable *store;
    struct scrape_env env;
    uint64_t offset_seed; /* as scrape_manager_seed() */
};

struct scrape_manager *scrape_manager_new(const struct scrape_options *o);

/*
 * Cancels what is under way. No offloaded work may be running; work whose done() will never be called is forgotten.
 * No staleness is written: a restart is no end of series.
 */
void scrape_manager_free(struct scrape_manager *m);

/*
 * Makes the configuration's targets the ones that are scraped. Targets whose labels, URL and way of reading are as
 * before keep their loop and cache; those that are gone get their staleness markers after two intervals.
 */
void scrape_manager_apply(struct scrape_manager *m, struct prom_config *c, int64_t now_ms);

/* Moves this server's scrapes against another's of the same targets; counts for targets that are new from now on. */
void scrape_manager_seed(struct scrape_manager *m, uint64_t seed);

/* What the discoveries of a job found, static_configs apart. Copied; counts until the next call or until the job is gone. */
void scrape_manager_found(struct scrape_manager *m, struct str job, struct sd_groups groups,
                          int64_t now_ms);

/* Starts what is due. Returns when it wants to be called next; INT64_MAX: only after apply() or wake(). */
int64_t scrape_manager_tick(struct scrape_manager *m, int64_t now_ms);

/* --- for the API, from any thread: copies in a's memory --- */

enum target_health { HEALTH_UNKNOWN, HEALTH_UP, HEALTH_DOWN };
const char *target_health_text(enum target_health h); /* "unknown", "up", "down" */

struct target_status {
    struct str job; /* scrapePool */
    struct str url;
    struct labels labels, discovered;
    enum target_health health;
    struct str last_error;
    int64_t last_scrape_ms; /* 0: not yet */
    double last_duration_s;
    int64_t interval_ms, timeout_ms;
    uint64_t samples, series; /* of the last scrape; in the cache */
    uint64_t cache_bytes;
};
struct dropped_target {
    struct str job;
    struct labels discovered;
};
struct dropped_count {
    struct str job;
    size_t n;
};
/* A target that cannot be scraped as configured: no address, a path in it, an interval of 0. */
struct bad_target_status {
    struct str job;
    struct labels discovered;
    struct str why;
};
struct targets_status {
    struct target_status *active;
    struct dropped_target *dropped; /* at most keep_dropped_targets a job */
    struct dropped_count *counts;   /* of all jobs */
    struct bad_target_status *bad;
    size_t active_n, dropped_n, counts_n, bad_n;
};
void scrape_targets(struct scrape_manager *m, struct arena *a, struct targets_status *out);

struct pool_status {
    struct str job;
    size_t targets; /* active ones */
    uint64_t syncs;
    int64_t target_limit; /* 0: none */
};
void scrape_pools(struct scrape_manager *m, struct arena *a, struct pool_status **out, size_t *n);

struct metric_metadata {
    struct labels target; /* the target's labels */
    struct str metric, help, unit;
    enum expo_type type;
};
/* metric: only this name; {NULL, 0}: all. In no order. */
void scrape_metadata(struct scrape_manager *m, struct arena *a, struct str metric,
                     struct metric_metadata **out, size_t *n);

/* Counters behind prometheus_target_*; a consistent copy. */
struct scrape_stats {
    uint64_t targets, scrapes, scrapes_failed,
        skipped; /* skipped: the one before was still under way */
    uint64_t samples, exceeded_sample_limit, exceeded_body_limit, exceeded_label_limit,
        exceeded_target_limit;
    uint64_t duplicate_timestamp, out_of_order, out_of_bounds, sync_failed;
    uint64_t cache_entries, cache_bytes;
};
void scrape_stats(struct scrape_manager *m, struct scrape_stats *out);

#endif
