/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spawn.h - this very program as a child that answers on its standard output, and then is gone
 *
 * No worker waits for it: the child may ask the roles of this process, whose answers need workers.
 * Threads: the loop's own.
 * Limits:  a deadline, and bytes of output.
 */
#ifndef IO_SPAWN_H
#define IO_SPAWN_H

#include "base/buf.h"
#include "base/err.h"
#include "io/loop.h"

struct spawn;

struct spawn_options {
    char *const *argv; /* ends with NULL; argv[0] is the name it is called by; copied */
    int64_t timeout_ms;
    size_t output_max;
};

/*
 * done is called once, later: e is OK when the child ended by itself, code is then its exit code and out what it printed.
 * Errors: ERR_TIMEOUT, ERR_LIMIT (it was killed), ERR_SYS; d says why
 */
typedef void spawn_done(void *ctx, enum err e, int code, struct str out, const struct diag *d);

struct spawn *spawn_start(struct loop *l, const struct spawn_options *o, spawn_done *done,
                          void *ctx);
void spawn_cancel(struct spawn *s); /* kills the child; done is not called; NULL is fine */

#endif
