/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sender.h - one remote_write entry: from the store's log to a receiver
 *
 * Shape:   the log's tail -> names of series (relabelled, encoded once) -> shards by reference -> couriers. A sample leaves
 *          its shard when the receiver has answered for it; the place of the oldest one that has not left is kept in a
 *          file, so that the next process goes on there.
 * Threads: sender_step() on a worker, one at a time; sender_dispatch() and what couriers call, on the loop; neither waits for
 *          the other: a courier's state says whose it is. Counters are atomic.
 * Limits:  capacity samples a shard; a full shard stops the reading of the log, which waits on disk.
 * Source:  Prometheus storage/remote/queue_manager.go
 */
#ifndef REMOTE_SENDER_H
#define REMOTE_SENDER_H

#include "base/buf.h"
#include "codec/remotepb.h"
#include "remote/options.h"

struct sender;

struct sender_env {
    struct loop *loop;
    struct http_client *client;
    struct str wal_dir;   /* of the store's log */
    struct str place_dir; /* for the file of the place; made if absent */
    struct str agent;
    void (*wake)(void *ctx); /* on the loop: a step is wanted */
    /* Everything scraped says of its metrics, in a's memory; worker. May be NULL. */
    size_t (*metadata)(void *ctx, struct arena *a, struct remotepb_metadata **out);
    void *ctx;
};

/* The options' memory lives as long as the sender. A place that the disk knows for this address is gone on from. */
struct sender *sender_new(const struct sender_env *env, const struct remote_write_options *o,
                          int64_t now_ms);
void sender_free(struct sender *s); /* couriers out are called off; keeps the place */

const struct remote_write_options *sender_options(const struct sender *s);

/* True: there is more to do at once. */
bool sender_step(struct sender *s, int64_t now_ms);
void sender_dispatch(struct sender *s);

/*
 * The end of the process: sends what the log holds, in this thread, until nothing is left, the receiver does not answer, or
 * time is up. No loop runs any more.
 */
void sender_flush(struct sender *s, int64_t (*mono_ms)(void), int64_t (*now_ms)(void),
                  int64_t deadline_ms);

/* A row of each family; the writer puts the families in order. */
struct sender_counts {
    uint64_t samples, failed, retried, dropped_series, dropped_old, dropped_unknown;
    uint64_t metadata, metadata_failed, metadata_retried, bytes, metadata_bytes, enqueue_retries;
    uint64_t seen; /* in the log behind the start */
    int64_t pending, shards, shards_wanted_milli;
    int64_t newest_ms, newest_sent_ms;
    uint64_t batches, batches_took_ms;
};
void sender_counts(struct sender *s, struct sender_counts *out);

#endif
