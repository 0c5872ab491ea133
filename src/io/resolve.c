/* SPDX-License-Identifier: Apache-2.0 */
#include "io/resolve.h"

#include "base/assert.h"

#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct resolve {
    struct loop *loop;
    void (*fn)(void *ctx, enum err e, const struct resolved *r, const struct diag *d);
    void *ctx;
    bool canceled; /* the loop's thread only */
    char host[256], service[8];
    enum err err;
    struct resolved found;
    struct diag d;
};

static void copy_addresses(struct resolve *r, const struct addrinfo *all)
{
    for (const struct addrinfo *it = all; it && r->found.n < RESOLVED_MAX; it = it->ai_next) {
        memcpy(&r->found.v[r->found.n++], it->ai_addr, it->ai_addrlen);
    }
}

static void look_up(struct resolve *r, int flags)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV };
    struct addrinfo *all = NULL;
    int e = getaddrinfo(r->host, r->service, &hints, &all);
    if (e != 0) {
        r->err = diag_set(&r->d, ERR_MISSING, "cannot resolve host %s: %s", r->host,
                          gai_strerror(e));
        return;
    }
    r->err = OK;
    copy_addresses(r, all);
    freeaddrinfo(all);
}

static void deliver(void *ctx)
{
    struct resolve *r = ctx;
    if (!r->canceled) r->fn(r->ctx, r->err, &r->found, &r->d);
    free(r);
}

static void *on_thread(void *ctx)
{
    struct resolve *r = ctx;
    struct loop *l = r->loop; /* r is the loop's once it is posted */
    look_up(r, AI_ADDRCONFIG);
    if (!loop_post(l, deliver, r)) free(r);
    loop_release(l);
    return NULL;
}

static bool start_thread(struct resolve *r)
{
    pthread_attr_t attr;
    pthread_t thread;
    pthread_attr_init(&attr);
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attr, 256 * 1024);
    int e = pthread_create(&thread, &attr, on_thread, r);
    pthread_attr_destroy(&attr);
    return e == 0;
}

struct resolve *resolve_start(struct loop *l, struct str host, uint16_t port,
                              void (*fn)(void *ctx, enum err e, const struct resolved *r,
                                         const struct diag *d),
                              void *ctx)
{
    struct resolve *r = calloc(1, sizeof(*r));
    ASSERT(r != NULL);
    r->loop = l;
    r->fn = fn;
    r->ctx = ctx;
    (void)snprintf(r->host, sizeof(r->host), STR_FMT, STR_ARG(host));
    (void)snprintf(r->service, sizeof(r->service), "%u", port);
    look_up(r, AI_NUMERICHOST);
    if (r->err != OK) {
        loop_hold(l);
        if (start_thread(r)) return r;
        loop_release(l);
        r->err = diag_set(&r->d, ERR_SYS, "cannot resolve host %s: no thread to spare", r->host);
    }
    (void)loop_post(l, deliver, r);
    return r;
}

void resolve_cancel(struct resolve *r)
{
    if (!r) return;
    r->canceled = true;
}
