/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child.h - the collectors' process, started and watched by the core
 *
 * A poisonous reply of a broker can end the child, never the core: it is started again with back-off, and `up` falls to
 * 0 for real meanwhile. The child ends with the core, however that ends.
 * Threads: the serve loop's (main) thread.
 */
#ifndef APP_CHILD_H
#define APP_CHILD_H

#include "base/err.h"
#include "io/loop.h"

/* The child could not start (a port is taken, a wrong flag): its one exit code that ends the core, too. */
enum { CHILD_CANNOT_START = 3 };

struct child;

/* argv as of execv, NULL-terminated, borrowed. on_hopeless: it ended with CHILD_CANNOT_START. */
struct child *child_start(struct loop *l, char *const *argv, void (*on_hopeless)(void));

/* SIGTERM, at most a second, SIGKILL. NULL is fine. */
void child_stop(struct child *c);

#endif
