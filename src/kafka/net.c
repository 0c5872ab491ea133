/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/net.h"

#include "base/assert.h"
#include "io/clock.h"

#include <stdlib.h>

struct kafka_net_loop {
    struct kafka_net net;
    struct loop *loop;
    struct timer timer;
    int64_t due_ms; /* what the timer is set to; INT64_MAX: nothing */
    int64_t (*tick)(void *ctx, int64_t now_ms);
    void *ctx;
};

static void *net_connect(void *ctx, const struct stream_options *o, const struct stream_events *ev,
                         void *owner)
{
    struct kafka_net_loop *n = ctx;
    return stream_connect(n->loop, o, ev, owner);
}

static void net_write(void *link, struct str bytes) { stream_write(link, bytes); }
static struct str net_input(void *link) { return stream_input(link); }
static void net_consume(void *link, size_t n) { stream_consume(link, n); }
static void net_close(void *link) { stream_close(link); }

static int64_t net_now(void *ctx)
{
    (void)ctx;
    return clock_mono_ms();
}

static void net_wake(void *ctx, int64_t at_ms)
{
    struct kafka_net_loop *n = ctx;
    if (at_ms >= n->due_ms) return;
    n->due_ms = at_ms;
    timer_set(&n->timer, at_ms - clock_mono_ms());
}

static void on_timer(void *ctx)
{
    struct kafka_net_loop *n = ctx;
    n->due_ms = INT64_MAX;
    net_wake(n, n->tick(n->ctx, clock_mono_ms()));
}

struct kafka_net_loop *kafka_net_loop_new(struct loop *l,
                                          int64_t (*tick)(void *ctx, int64_t now_ms), void *ctx)
{
    struct kafka_net_loop *n = calloc(1, sizeof(*n));
    ASSERT(n != NULL);
    n->net = (struct kafka_net){ n,           net_connect, net_write, net_input,
                                 net_consume, net_close,   net_now,   net_wake };
    n->loop = l;
    n->tick = tick;
    n->ctx = ctx;
    n->due_ms = INT64_MAX;
    timer_init(&n->timer, l, on_timer, n);
    return n;
}

const struct kafka_net *kafka_net_of(struct kafka_net_loop *n) { return &n->net; }

void kafka_net_loop_free(struct kafka_net_loop *n)
{
    if (!n) return;
    timer_done(&n->timer);
    free(n);
}
