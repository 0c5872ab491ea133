/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receive.h - the receiver of remote write 1.0: a request's body becomes one transaction
 *
 * Shape:   the encoded labels of a series are its key: a table of 128-bit hashes knows the store's reference of what came
 *          before, so that labels are decoded once for a series and not once for a sample.
 * Threads: remote_receive() from any number of threads at once; the table has a lock, which is not held over the store.
 * Limits:  a body of 32 MiB once unpacked; the table is emptied at 4 million series.
 * Source:  Prometheus storage/remote/write_handler.go (checks, texts)
 */
#ifndef REMOTE_RECEIVE_H
#define REMOTE_RECEIVE_H

#include "base/buf.h"
#include "model/storage.h"

struct remote_receiver;

struct remote_receiver *remote_receiver_new(struct appendable *store);
void remote_receiver_free(struct remote_receiver *r); /* NULL is fine */

struct remote_received {
    size_t samples; /* stored */
    size_t refused,
        bad_labels; /* samples that the store did not take; series without a valid name */
    size_t exemplars, histograms, metas; /* that came and are not kept */
};

/*
 * Stores what the body holds, after write(2). What the store refuses does not keep the rest out.
 * Errors: ERR_SYNTAX not such a body; ERR_RANGE a sample was refused, the others are stored: the sender must not come again
 *         with either (400); ERR_LIMIT the store is full; ERR_SYS the log could not be written, nothing is stored (500)
 */
enum err remote_receive(struct remote_receiver *r, struct str body, int64_t now_ms,
                        struct remote_received *out, struct diag *d);

/* prometheus_api_remote_write_..._total */
void remote_receiver_write_metrics(struct remote_receiver *r, struct buf *b);

#endif
