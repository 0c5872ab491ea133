/* SPDX-License-Identifier: Apache-2.0 */
#include "roles/jmx_exporter/link.h"

#include "base/assert.h"
#include "io/clock.h"
#include "io/stream.h"

#include <stdlib.h>

#define CONNECT_MS 3000

static const struct stream_events EVENTS;

static void tell_up(struct link *k)
{
    void (*on_up)(void *, struct link *) = k->on_up;
    if (!on_up || jmx_target_state(k->target) < JMX_READY) return;
    k->on_up = NULL;
    on_up(k->up_ctx, k);
}

/* After every call into the target: what it wants done with the socket and when it wants to be called. */
static void settle(struct link *k)
{
    struct jmx_dial to;
    struct buf *out = jmx_target_out(k->target);
    if (jmx_target_take_hangup(k->target)) {
        stream_close(k->stream);
        k->stream = NULL;
        k->open = false;
    }
    if (jmx_target_take_dial(k->target, &to)) {
        stream_close(k->stream);
        k->open = false;
        k->stream = stream_connect(k->loop,
                                   &(struct stream_options){ .host = to.host,
                                                             .port = to.port,
                                                             .connect_timeout_ms = CONNECT_MS },
                                   &EVENTS, k);
    } else if (k->open && out->n) {
        stream_write(k->stream, buf_str(out));
        buf_reset(out);
    }
    int64_t due = jmx_target_due(k->target), now = clock_mono_ms();
    if (due == INT64_MAX) {
        timer_stop(&k->timer);
    } else {
        timer_set(&k->timer, due > now ? due - now : 0);
    }
    tell_up(k);
}

static void feed(struct link *k)
{
    struct str in = stream_input(k->stream);
    size_t before = in.n;
    bool more = jmx_target_bytes(k->target, &in, clock_mono_ms());
    stream_consume(k->stream, before - in.n);
    settle(k);
    if (more) timer_set(&k->timer, 0);
}

static void on_open(void *ctx)
{
    struct link *k = ctx;
    k->open = true;
    jmx_target_opened(k->target, clock_mono_ms());
    settle(k);
}

/* Half of a large reply is looked at again by the timer, not with every packet. */
static void on_data(void *ctx)
{
    struct link *k = ctx;
    if (!jmx_target_patient(k->target)) feed(k);
}

static void on_close(void *ctx, enum err e, const struct diag *d)
{
    struct link *k = ctx;
    (void)e;
    k->stream = NULL;
    k->open = false;
    jmx_target_closed(k->target, d->text, clock_mono_ms());
    settle(k);
}

static const struct stream_events EVENTS = { on_open, on_data, on_close };

static void on_timer(void *ctx)
{
    struct link *k = ctx;
    jmx_target_tick(k->target, clock_mono_ms());
    settle(k);
    if (k->open && stream_input(k->stream).n) feed(k);
}

struct link *link_new(struct loop *l, struct jmx_config *c, const struct jmx_endpoint *e,
                      struct str label, void (*on_scraped)(void *ctx), void *ctx)
{
    struct link *k = calloc(1, sizeof(*k));
    if (!k) abort();
    k->loop = l;
    k->target = jmx_target_new(c, e, label);
    k->on_scraped = on_scraped;
    k->ctx = ctx;
    timer_init(&k->timer, l, on_timer, k);
    return k;
}

void link_free(struct link *k)
{
    if (!k) return;
    timer_done(&k->timer);
    stream_close(k->stream);
    jmx_target_free(k->target);
    free(k);
}

void link_start(struct link *k)
{
    loop_here(k->loop);
    jmx_target_tick(k->target, clock_mono_ms());
    settle(k);
}

void link_scrape(struct link *k)
{
    loop_here(k->loop);
    jmx_target_scrape(k->target, clock_mono_ms(), k->on_scraped, k->ctx);
    settle(k);
}
