/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.h - all remote_write entries: their senders, when they step, their metrics
 *
 * Shape:   ten times a second, and when a courier comes back, each sender takes a step on a worker, in the rules' lane (a
 *          step is some milliseconds); then its couriers set out from the loop.
 * Threads: the loop's; remote_writer_write_metrics() from any thread.
 */
#ifndef REMOTE_WRITER_H
#define REMOTE_WRITER_H

#include "remote/sender.h"

struct pool;
struct remote_writer;

struct remote_writer_env {
    struct loop *loop;
    struct pool *pool;
    struct str wal_dir, place_dir, agent;
    size_t (*metadata)(void *ctx, struct arena *a, struct remotepb_metadata **out);
    void *ctx;
};

struct remote_writer *remote_writer_new(const struct remote_writer_env *env);

/*
 * Makes these the entries. One whose identity is as before goes on; what it points to stays: `keep` is taken once for each
 * new sender and given back by it.
 */
void remote_writer_apply(struct remote_writer *w, const struct remote_write_options *o, size_t n,
                         void *keep, void *(*take)(void *keep), void (*give_back)(void *keep));

/* No loop and no job runs any more: sends what is left, for as long as deadline_ms, and ends. NULL is fine. */
void remote_writer_free(struct remote_writer *w, int64_t deadline_ms);

/* prometheus_remote_storage_... */
void remote_writer_write_metrics(struct remote_writer *w, struct buf *b);

#endif
