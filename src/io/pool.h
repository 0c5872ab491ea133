/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.h - workers for everything over 1 ms, in three lanes
 *
 * Lanes: LANE_RULES (one worker is always free for them) > LANE_QUERY (at most workers-1 at a time) >
 *        LANE_BACK (compaction, password hashing; at most one at a time).
 * Threads: pool_submit from any thread. run() is called on a worker with nothing but the job's own memory and
 *          const input; done() comes back on job->loop (NULL: on the worker, right after run).
 */
#ifndef IO_POOL_H
#define IO_POOL_H

#include "io/loop.h"

enum lane { LANE_RULES, LANE_QUERY, LANE_BACK, LANE_MAX_ };

/* Embed first in the caller's struct; the caller owns it until done() (or, without done, until run() returns). */
struct job {
    enum lane lane;
    void (*run)(struct job *j);
    void (*done)(struct job *j); /* may be NULL */
    struct loop *loop;
    _Atomic(bool) cancel; /* run() reads it at its steps */
    struct job *next_;
};

struct pool;

struct pool *pool_new(unsigned workers); /* at least 2 */
void pool_submit(struct pool *p, struct job *j);

/* No new jobs run; waits for running ones (their cancel flags are set); jobs not begun get done() with cancel set, on this thread. */
void pool_free(struct pool *p);

#endif
