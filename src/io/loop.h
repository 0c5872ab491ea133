/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.h - one thread's event loop, its timers and its mailbox (libevent's base behind it)
 *
 * Threads: everything but loop_post() and loop_stop() belongs to the loop's own thread (or to the main thread
 *          before loop_run()); loop_here() asserts it. Nothing over 1 ms runs on a loop.
 */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct event_base;

struct loop *loop_new(const char *name);
void loop_free(struct loop *l);
void loop_run(struct loop *l);  /* until loop_stop(); marks the calling thread as the loop's own */
void loop_stop(struct loop *l); /* any thread */

/* Before loop_run(): serves on this thread until *done, which another thread sets before it calls loop_nudge(). */
void loop_run_until(struct loop *l, const _Atomic(bool) *done);
void loop_nudge(struct loop *l); /* any thread */
bool loop_is_here(const struct loop *l);
void loop_here(const struct loop *l); /* ASSERTs that */

/*
 * Runs fn(ctx) on the loop soon; any thread; in the order of posting. A letter that was not read when the loop is freed is
 * dropped. False: the loop was freed already (possible only for who holds it), nothing will run.
 */
bool loop_post(struct loop *l, void (*fn)(void *ctx), void *ctx);

/* For threads that may outlive the loop (a name look-up that nobody can interrupt): its mailbox stays until the last release. */
void loop_hold(struct loop *l);
void loop_release(struct loop *l);

struct event_base *loop_base(struct loop *l); /* for io/ only */

/* Timers: one shot; set again inside the callback for a period. Embed in the owner. */
struct timer {
    struct loop *loop;
    void *ev_;
    void (*fn)(void *ctx);
    void *ctx;
};
void timer_init(struct timer *t, struct loop *l, void (*fn)(void *ctx), void *ctx);
void timer_set(struct timer *t,
               int64_t in_ms); /* replaces an earlier setting; negative counts as 0 */
void timer_stop(struct timer *t);
void timer_done(struct timer *t); /* NULL-safe, zeroed is fine */

#endif
