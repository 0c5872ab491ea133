/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.h - one TCP connection on a loop: connect by name with a deadline, bounded buffers, close once
 *
 * Shape:   bytes in arrive in an input buffer that on_data reads with stream_input()/stream_consume(); writes are queued.
 * Threads: the loop's own.
 * Errors:  on_close is called exactly once, with why in d->text ("connection refused", "no answer within 5 s", "peer closed",
 *          "cannot resolve host x"); after it the stream is gone. It is never called from inside stream_write or stream_consume.
 * Owns:    the stream frees itself after on_close; stream_close() asks for that without a call of on_close.
 */
#ifndef IO_STREAM_H
#define IO_STREAM_H

#include "base/err.h"
#include "base/str.h"
#include "io/loop.h"

struct stream;

struct stream_events {
    void (*on_open)(void *ctx);
    void (*on_data)(void *ctx); /* more input than before; may be called with little */
    void (*on_close)(void *ctx, enum err e, const struct diag *d);
};

struct stream_options {
    struct str host;
    uint16_t port;
    int64_t connect_timeout_ms; /* covers the name look-up, too */
    size_t input_max;           /* reading pauses at this many unread bytes; 0: 64 MiB */
};

/* Never blocks (names are resolved on a thread of io's own). */
struct stream *stream_connect(struct loop *l, const struct stream_options *o,
                              const struct stream_events *ev, void *ctx);
void stream_write(struct stream *s, struct str bytes); /* copied */
struct str stream_input(
    struct stream *s); /* all unread bytes, contiguous; valid until consume or return */
void stream_consume(struct stream *s, size_t n);
void stream_close(struct stream *s); /* NULL is fine; no further callback */

#endif
