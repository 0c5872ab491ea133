/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.h - names to addresses without blocking a loop
 *
 * Literal addresses answer by the loop's next turn; names go to getaddrinfo on a short-lived thread of their own,
 * whose late answer after resolve_cancel() is thrown away.
 * Threads: start, cancel and the callback belong to the loop's thread.
 */
#ifndef IO_RESOLVE_H
#define IO_RESOLVE_H

#include "base/err.h"
#include "base/str.h"
#include "io/loop.h"

#include <sys/socket.h>

enum { RESOLVED_MAX = 8 };

struct resolved {
    struct sockaddr_storage v[RESOLVED_MAX];
    size_t n; /* at least 1 */
};

struct resolve;

/* Errors: ERR_MISSING cannot resolve host. The callback is called once, never from inside resolve_start. */
struct resolve *resolve_start(struct loop *l, struct str host, uint16_t port,
                              void (*fn)(void *ctx, enum err e, const struct resolved *r,
                                         const struct diag *d),
                              void *ctx);
void resolve_cancel(struct resolve *r); /* NULL is fine */

#endif
