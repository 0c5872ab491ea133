/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.h - remote_read: a queryable over the local store and the other servers that the configuration names
 *
 * Shape:   a selection asks the local store and each server whose required_matchers it has, over what the local store does not
 *          hold (or all, with read_recent), and merges series of equal labels; of two samples of one time the local one stays.
 *          Without entries an opened querier is the store's own. Label names and values are the local store's.
 * Threads: any; a querier by one at a time. A selection blocks its worker until the servers have answered or timed out.
 * Errors:  a server that fails is logged and counted, the rest answers.
 * Source:  Prometheus storage/remote/read.go, client.go, storage/merge.go
 */
#ifndef REMOTE_READER_H
#define REMOTE_READER_H

#include "base/buf.h"
#include "model/storage.h"
#include "remote/options.h"

struct remote_reader;

struct remote_reader_env {
    struct queryable *local;
    int64_t (*local_start)(
        void *ctx); /* the oldest time the local store has; INT64_MAX while it has none */
    void *ctx;
    struct str agent;
};

struct remote_reader *remote_reader_new(const struct remote_reader_env *env);
void remote_reader_free(struct remote_reader *r); /* NULL is fine; no querier is open */
struct queryable *remote_reader_queryable(struct remote_reader *r);

/* Makes these the entries; `keep` is taken and given back when they are replaced and no querier uses them. o is kept. */
void remote_reader_apply(struct remote_reader *r, const struct remote_read_options *o, size_t n,
                         void *keep, void (*give_back)(void *keep));

/* prometheus_remote_storage_read_... */
void remote_reader_write_metrics(struct remote_reader *r, struct buf *b);

#endif
