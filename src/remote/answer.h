/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.h - the server's side of remote read: a decoded request becomes a response's bytes
 *
 * Shape:   samples as one snappy ReadResponse, or XOR chunks of 120 samples in frames. External labels are taken off
 *          matchers that equal them and added to series that lack them.
 * Threads: any; it reads one querier a query.
 * Source:  Prometheus storage/remote/read_handler.go, codec.go
 */
#ifndef REMOTE_ANSWER_H
#define REMOTE_ANSWER_H

#include "base/buf.h"
#include "codec/remotepb.h"
#include "model/storage.h"

struct remote_answer_options {
    struct queryable *store;
    struct labels external;
    int64_t sample_limit; /* of a response of samples; 0: none */
    size_t frame_bytes;   /* of a response of chunks */
    const _Atomic(bool) *cancel;
};

/*
 * req->streamed chooses the form. Errors: ERR_SYNTAX a matcher's expression; ERR_LIMIT more samples than allowed;
 * ERR_CANCELED; others from the store
 */
enum err remote_answer(const struct remote_answer_options *o, const struct remotepb_read *req,
                       struct buf *out, struct diag *d);

#endif
