/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/courier.h"

#include "base/arena.h"
#include "base/assert.h"

#include <stdio.h>

enum { FIXED_HEADERS = 5, ANSWER_MAX = 64 << 10 };

void courier_init(struct courier *c, const struct courier_route *route)
{
    *c = (struct courier){ .route = route };
    timer_init(&c->pause, route->loop, NULL, c);
}

void courier_call_off(struct courier *c)
{
    if (c->state != COURIER_OUT) return;
    if (c->ticket) http_client_cancel(c->ticket);
    c->ticket = NULL;
    timer_stop(&c->pause);
    c->end = COURIER_CALLED_OFF;
    c->state = COURIER_BACK;
}

void courier_done(struct courier *c)
{
    courier_call_off(c);
    timer_done(&c->pause);
    buf_done(&c->body);
}

static struct http_call call_of(const struct courier *c, struct arena *a)
{
    const struct remote_target *to = c->route->to;
    struct http_pair *h = arena_array(a, FIXED_HEADERS + to->headers_n, sizeof(*h));
    size_t n = 0;
    h[n++] = (struct http_pair){ STR("Content-Encoding"), STR("snappy") };
    h[n++] = (struct http_pair){ STR("Content-Type"), STR("application/x-protobuf") };
    h[n++] = (struct http_pair){ STR("User-Agent"), c->route->agent };
    h[n++] = (struct http_pair){ STR("X-Prometheus-Remote-Write-Version"), STR("0.1.0") };
    if (c->attempt) {
        h[n++] = (struct http_pair){ STR("Retry-Attempt"), arena_fmt(a, "%u", c->attempt) };
    }
    for (size_t i = 0; i < to->headers_n; i++) h[n++] = to->headers[i];
    return (struct http_call){
        .method = "POST",
        .url = to->url,
        .headers = h,
        .headers_n = n,
        .body = buf_str(&c->body),
        .timeout_ms = to->timeout_ms,
        .body_max = ANSWER_MAX,
        .config = to->http,
    };
}

/* The first line of what the receiver said, or why there was no answer. */
static void note_why(struct courier *c, enum err e, const struct http_result *res,
                     const struct diag *d)
{
    struct str line, rest;
    if (e != OK || !res->status) {
        (void)snprintf(c->why, sizeof(c->why), "%.*s", (int)sizeof(c->why) - 1, d->text);
        return;
    }
    (void)str_cut(buf_str(&res->body), '\n', &line, &rest);
    (void)snprintf(c->why, sizeof(c->why), "server returned HTTP status %d: " STR_FMT, res->status,
                   STR_ARG(str_first(line, sizeof(c->why) / 2)));
}

static bool comes_again(const struct courier *c, enum err e, int status)
{
    if (e != OK && e != ERR_LIMIT) return true; /* ERR_LIMIT: an answer with a large body */
    return status / 100 == 5 || status == 0 || (status == 429 && c->route->queue->retry_on_429);
}

/* True: the journey has ended. */
static bool note_answer(struct courier *c, enum err e, const struct http_result *res,
                        const struct diag *d)
{
    c->took_ms += res->took_ms;
    c->status = res->status;
    c->attempt++;
    if (comes_again(c, e, res->status)) {
        note_why(c, e, res, d);
        return false;
    }
    c->end = res->status / 100 == 2 ? COURIER_TAKEN : COURIER_REFUSED;
    if (c->end == COURIER_REFUSED) note_why(c, OK, res, d);
    return true;
}

static void come_back(struct courier *c)
{
    c->state = COURIER_BACK;
    c->route->on_back(c->route->ctx);
}

static void set_out(void *ctx);

static void pause_for(struct courier *c, int64_t asked_ms)
{
    const struct queue_options *q = c->route->queue;
    int64_t ms = asked_ms > 0 ? asked_ms : c->backoff_ms;
    if (ms > q->max_backoff_ms && asked_ms <= 0) ms = q->max_backoff_ms;
    c->backoff_ms = c->backoff_ms * 2 < q->max_backoff_ms ? c->backoff_ms * 2 : q->max_backoff_ms;
    c->pause.fn = set_out;
    timer_set(&c->pause, ms);
}

static void on_done(void *ctx, enum err e, struct http_result *res, const struct diag *d)
{
    struct courier *c = ctx;
    c->ticket = NULL;
    if (e == ERR_CANCELED) { /* the client has ended: so does the process */
        c->end = COURIER_CALLED_OFF;
        c->state = COURIER_BACK;
        return;
    }
    if (note_answer(c, e, res, d)) {
        come_back(c);
        return;
    }
    c->route->on_retry(c->route->ctx, c->items, c->status, c->why);
    pause_for(c, res->retry_after_ms);
}

static const struct http_events EVENTS = { .on_done = on_done };

static void set_out(void *ctx)
{
    struct courier *c = ctx;
    ARENA(a, 0);
    struct http_call call = call_of(c, &a);
    c->ticket = http_client_start(c->route->client, &call, &EVENTS, c);
}

static void begin(struct courier *c)
{
    ASSERT(c->state == COURIER_READY);
    c->state = COURIER_OUT;
    c->attempt = 0;
    c->took_ms = 0;
    c->backoff_ms = c->route->queue->min_backoff_ms;
}

void courier_set_out(struct courier *c)
{
    begin(c);
    set_out(c);
}

bool courier_walk(struct courier *c, int64_t timeout_ms)
{
    ARENA(a, 0);
    struct http_result res = { 0 };
    struct diag d = { 0 };
    begin(c);
    struct http_call call = call_of(c, &a);
    if (timeout_ms < call.timeout_ms) call.timeout_ms = timeout_ms;
    enum err e = http_fetch(&call, NULL, &res, &d);
    bool ended = note_answer(c, e, &res, &d);
    if (!ended) c->end = COURIER_CALLED_OFF;
    c->state = COURIER_BACK;
    buf_done(&res.body);
    return ended;
}
