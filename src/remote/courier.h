/* SPDX-License-Identifier: Apache-2.0 */
/*
 * courier.h - carries one body to one address until it is taken or refused for good
 *
 * Shape:   FREE -> (worker fills body) -> READY -> (loop) OUT, again and again with growing pauses -> BACK -> (worker) FREE.
 *          State says whose it is: FREE and BACK are the worker's, READY and OUT the loop's.
 * Errors:  no answer, 5xx, and 429 where the configuration says so: again, for ever. Everything else is an end.
 * Source:  Prometheus storage/remote/client.go, queue_manager.go sendWriteRequestWithBackoff
 */
#ifndef REMOTE_COURIER_H
#define REMOTE_COURIER_H

#include "base/buf.h"
#include "remote/options.h"

enum courier_state { COURIER_FREE, COURIER_READY, COURIER_OUT, COURIER_BACK };
enum courier_end { COURIER_TAKEN, COURIER_REFUSED, COURIER_CALLED_OFF };

/* What all couriers of a queue share. */
struct courier_route {
    const struct remote_target *to;
    const struct queue_options *queue;
    struct str agent;
    struct loop *loop;
    struct http_client *client;
    void (*on_back)(void *ctx); /* on the loop */
    void (*on_retry)(void *ctx, size_t items, int status, const char *why);
    void *ctx;
};

struct courier {
    _Atomic(enum courier_state) state;
    const struct courier_route *route;
    struct buf body;
    size_t items; /* in the body: what retries are counted in */
    /* of the journey */
    struct http_ticket *ticket;
    struct timer pause;
    unsigned attempt;
    int64_t backoff_ms;
    /* of its end */
    enum courier_end end;
    int status;
    int64_t took_ms; /* of all attempts, without pauses */
    char why[256];
};

void courier_init(struct courier *c, const struct courier_route *route);
void courier_done(struct courier *c); /* on the loop, or when no loop runs */

void courier_call_off(struct courier *c); /* OUT -> BACK; as courier_done() */
void courier_set_out(struct courier *c);  /* READY -> OUT; on the loop */

/* The same while no loop runs, in this thread: one attempt. True: it is BACK and taken or refused. */
bool courier_walk(struct courier *c, int64_t timeout_ms);

#endif
