/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net.h - the outside world as the Kafka client sees it: connections, a clock, a wake-up
 *
 * Shape:   a table of functions, so that tests turn the clock by hand and script the brokers in memory. The real one
 *          is io/stream.h and a timer of io/loop.h. A link behaves as a stream of io/stream.h does: on_close exactly
 *          once and never from inside a call, close() without further callback.
 * Threads: one loop.
 */
#ifndef KAFKA_NET_H
#define KAFKA_NET_H

#include "io/stream.h"

struct kafka_net {
    void *ctx;
    void *(*connect)(void *ctx, const struct stream_options *o, const struct stream_events *ev,
                     void *owner);
    void (*write)(void *link, struct str bytes);
    struct str (*input)(void *link);
    void (*consume)(void *link, size_t n);
    void (*close)(void *link);
    int64_t (*now_ms)(void *ctx); /* monotonic */
    /* Call the engine's tick at that time at the latest; an earlier wish stands. */
    void (*wake)(void *ctx, int64_t at_ms);
};

/* The real world. tick(ctx, now) returns when it next wants to be called. */
struct kafka_net_loop;
struct kafka_net_loop *kafka_net_loop_new(struct loop *l,
                                          int64_t (*tick)(void *ctx, int64_t now_ms), void *ctx);
const struct kafka_net *kafka_net_of(struct kafka_net_loop *n);
void kafka_net_loop_free(struct kafka_net_loop *n);

#endif
