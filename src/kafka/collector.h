/* SPDX-License-Identifier: Apache-2.0 */
/*
 * collector.h - asks a Kafka cluster how it is, again and again
 *
 * Shape:   start it with the bootstrap servers; every interval it runs one cycle (README "A cycle") and publishes a
 *          snapshot. Whatever fails is in the snapshot, in words; nothing here logs, nothing here ends the program.
 * Threads: everything on the loop of its kafka_net, but kafka_collector_snapshot() on any thread.
 * Limits:  bytes of one answer, time of one request, brokers, partitions and groups by the bytes that name them.
 */
#ifndef KAFKA_COLLECTOR_H
#define KAFKA_COLLECTOR_H

#include "kafka/net.h"
#include "kafka/snapshot.h"

struct kafka_collector;

struct kafka_collector_options {
    const struct str *servers; /* "host:port", at least one */
    size_t servers_n;
    int64_t interval_ms;        /* from one cycle's begin to the next */
    int64_t log_dirs_ms;        /* DescribeLogDirs walks every log: asked no more often than this */
    int64_t connect_timeout_ms; /* name look-up included */
    int64_t request_timeout_ms;
    size_t response_max; /* bytes of one answer */
    struct str client_id;

    /* What to collect; NULL: everything. Asked once for every name of every cycle. */
    bool (*want_topic)(void *ctx, struct str name);
    bool (*want_group)(void *ctx, struct str id);
    /* A new snapshot lies on the shelf. May be NULL. */
    void (*on_publish)(void *ctx, const struct kafka_snapshot *s);
    void *ctx;
};

/* Everything in the options is copied. Errors: ERR_SYNTAX a server that is no host:port. */
enum err kafka_collector_start(const struct kafka_net *net, const struct kafka_collector_options *o,
                               struct kafka_collector **out, struct diag *d);

/* What is due at now_ms; returns when it next wants to be called (net->wake asks for earlier). */
int64_t kafka_collector_tick(struct kafka_collector *c, int64_t now_ms);

void kafka_collector_stop(struct kafka_collector *c); /* closes all connections; NULL is fine */

/* The newest snapshot with a reference for the caller, or NULL before the first. Any thread. */
const struct kafka_snapshot *kafka_collector_snapshot(struct kafka_collector *c);

#endif
