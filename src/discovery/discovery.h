/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discovery.h - runs the discoveries of a configuration and says what they find
 *
 * Shape:   a set has a consumer, a name (a job's) and sections; equal sections of several sets are one provider. What a provider found
 *          last stays until it finds something else: an error changes nothing.
 * Time:    changes are told at once where the last telling is an interval (5 s) ago, else when it has passed.
 * Threads: the collect loop, but for discovery_metrics(), which any thread may call.
 * Owns:    providers, their requests and what they found. Sections are borrowed from the configuration until the next apply().
 * Source:  Prometheus 3.14.0 discovery/manager.go, refresh/refresh.go.
 */
#ifndef DISCOVERY_DISCOVERY_H
#define DISCOVERY_DISCOVERY_H

#include "io/loop.h"
#include "model/discovery.h"

struct discovery;

struct discovery_env {
    struct loop *loop;
    struct str user_agent;
    int64_t interval_ms; /* 0: 5000 */
    /* What some set finds may have changed: ask discovery_groups() for all of them. */
    void (*changed)(void *ctx);
    /* A provider met an error, or met none after one: for the log. what: "file/0 (job)". d NULL: it is well again. */
    void (*report)(void *ctx, struct str what, const struct diag *d);
    void *ctx;
    struct str dns_servers; /* "address:port,..."; empty: those of /etc/resolv.conf */
};

struct discovery_set {
    const char *consumer; /* static: "scrape", "notify" */
    struct str name;
    struct sd_configs configs;
};

struct discovery *discovery_new(const struct discovery_env *env);
void discovery_free(struct discovery *d);

/* Providers whose section is in the new sets, too, go on. `changed` is called afterwards, from the loop. */
void discovery_apply(struct discovery *d, const struct discovery_set *sets, size_t n);

/* What the set's providers found, copied into a. No such set: nothing. */
struct sd_groups discovery_groups(struct discovery *d, const char *consumer, struct str set,
                                  struct arena *a);

/* prometheus_sd_* under the original's names; any thread. */
void discovery_metrics(struct discovery *d, struct buf *b);

#endif
