/* SPDX-License-Identifier: Apache-2.0 */
#include "io/loop.h"

#include "base/assert.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* What other threads want to happen here: a list under a lock, an eventfd to wake. */
struct letter {
    struct letter *next;
    void (*fn)(void *ctx);
    void *ctx;
};

struct loop {
    struct event_base *base;
    struct event *wake;
    const char *name;
    int fd; /* eventfd behind wake */
    _Atomic(bool) running, stopping;
    pthread_t thread; /* of loop_run, while running */
    _Atomic(unsigned) holds;
    pthread_mutex_t lock;
    struct letter *first, **last; /* under lock, as the next */
    bool dead;
};

static struct letter *take_letters(struct loop *l)
{
    pthread_mutex_lock(&l->lock);
    struct letter *first = l->first;
    l->first = NULL;
    l->last = &l->first;
    pthread_mutex_unlock(&l->lock);
    return first;
}

static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
    (void)what;
    struct loop *l = ctx;
    uint64_t count;
    (void)!read(fd, &count, sizeof(count));
    for (struct letter *it = take_letters(l), *next; it; it = next) {
        next = it->next;
        it->fn(it->ctx);
        free(it);
    }
    if (l->stopping) (void)event_base_loopbreak(l->base);
}

struct loop *loop_new(const char *name)
{
    struct loop *l = calloc(1, sizeof(*l));
    struct event_config *c = event_config_new();
    ASSERT(l && c);
    (void)signal(SIGPIPE,
                 SIG_IGN); /* a peer that hung up is an error of write(2), not the end of us */
    (void)event_config_set_flag(c, EVENT_BASE_FLAG_NOLOCK);
    l->base = event_base_new_with_config(c);
    event_config_free(c);
    l->name = name;
    l->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    ASSERT(l->base && l->fd >= 0);
    l->last = &l->first;
    l->holds = 1;
    pthread_mutex_init(&l->lock, NULL);
    l->wake = event_new(l->base, l->fd, EV_READ | EV_PERSIST, on_wake, l);
    (void)event_add(l->wake, NULL);
    return l;
}

void loop_hold(struct loop *l) { l->holds++; }

void loop_release(struct loop *l)
{
    if (--l->holds) return;
    pthread_mutex_destroy(&l->lock);
    free(l);
}

void loop_free(struct loop *l)
{
    if (!l) return;
    ASSERT(!l->running);
    for (struct letter *it = take_letters(l), *next; it; it = next) {
        next = it->next;
        free(it);
    }
    event_free(l->wake);
    event_base_free(l->base);
    pthread_mutex_lock(&l->lock);
    l->dead = true;
    (void)close(l->fd);
    pthread_mutex_unlock(&l->lock);
    loop_release(l);
}

void loop_run(struct loop *l)
{
    l->thread = pthread_self();
    l->running = true;
    while (!l->stopping) (void)event_base_dispatch(l->base);
    l->running = false;
}

static void poke(struct loop *l)
{
    uint64_t one = 1;
    (void)!write(l->fd, &one, sizeof(one)); /* a full counter wakes just as well */
}

void loop_run_until(struct loop *l, const _Atomic(bool) *done)
{
    l->thread = pthread_self();
    l->running = true;
    while (!*done) (void)event_base_loop(l->base, EVLOOP_ONCE);
    l->running = false;
}

void loop_nudge(struct loop *l) { poke(l); }

void loop_stop(struct loop *l)
{
    l->stopping = true;
    poke(l);
}

bool loop_is_here(const struct loop *l)
{
    return !l->running || pthread_equal(l->thread, pthread_self());
}

void loop_here(const struct loop *l) { ASSERT(loop_is_here(l)); }

bool loop_post(struct loop *l, void (*fn)(void *ctx), void *ctx)
{
    struct letter *it = malloc(sizeof(*it));
    ASSERT(it != NULL);
    *it = (struct letter){ .fn = fn, .ctx = ctx };
    pthread_mutex_lock(&l->lock);
    bool dead = l->dead;
    if (!dead) {
        if (!l->first) poke(l);
        *l->last = it;
        l->last = &it->next;
    }
    pthread_mutex_unlock(&l->lock);
    if (dead) free(it);
    return !dead;
}

struct event_base *loop_base(struct loop *l) { return l->base; }

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    struct timer *t = ctx;
    t->fn(t->ctx);
}

void timer_init(struct timer *t, struct loop *l, void (*fn)(void *ctx), void *ctx)
{
    *t = (struct timer){ .loop = l, .fn = fn, .ctx = ctx };
    t->ev_ = event_new(l->base, -1, 0, on_timer, t);
    ASSERT(t->ev_ != NULL);
}

void timer_set(struct timer *t, int64_t in_ms)
{
    loop_here(t->loop);
    if (in_ms < 0) in_ms = 0;
    struct timeval tv = { .tv_sec = in_ms / 1000, .tv_usec = in_ms % 1000 * 1000 };
    (void)event_add(t->ev_, &tv);
}

void timer_stop(struct timer *t)
{
    if (t->ev_) (void)event_del(t->ev_);
}

void timer_done(struct timer *t)
{
    if (!t || !t->ev_) return;
    event_free(t->ev_);
    t->ev_ = NULL;
}
