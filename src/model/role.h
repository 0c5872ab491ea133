/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role.h - all that app knows of a role
 *
 * A role is thin: flags, configuration file, HTTP routes, and the wiring of engines. Adding one is a
 * folder and a row in app's table.
 */
#ifndef MODEL_ROLE_H
#define MODEL_ROLE_H

#include "base/err.h"
#include "codec/flags.h"

#include <stdint.h>

struct loop;
struct pool;

/* What the process lends to each role it runs. All of it outlives the roles. */
struct role_env {
    struct loop *collect; /* timers, scrapes, Kafka, JMX, notifications: nothing over 1 ms on it */
    struct loop *serve;   /* listeners; short answers */
    struct pool *pool;    /* everything longer, by lane */
    const char *version;  /* the version that clients of this role branch on, from app's table */
    /* Flips /-/ready and ends the process: asked by /-/quit and by fatal errors after the start. */
    void (*stop_all)(void);
};

struct role {
    const char *name;         /* "prometheus" */
    const char *const *argv0; /* names of links that run it alone, NULL-terminated */
    uint16_t port;            /* default */
    const char *summary;      /* one line for `vigie` */
    const struct flag *flags; /* the original's, ended by a row without name; values go into cfg */
    size_t config_size;       /* bytes of the struct that the flags fill */
    int refusal; /* exit code when flags or configuration are refused; 0: 1, as all else */

    /* Takes positional arguments into the config; NULL: there are none. */
    enum err (*positional)(void *config, const struct flag_strs *args, struct arena *a,
                           struct diag *d);

    /*
     * Starts on loops and pool that are about to run; called on the main thread before they do, so it may
     * read files. Listens before it returns: a taken port is its error (one sentence, what to do).
     */
    enum err (*start)(const struct role_env *env, const void *config, void **state, struct diag *d);

    /* SIGHUP or POST /-/reload; on the collect loop. Keeps the old configuration whole on any error. */
    enum err (*reload)(void *state, struct diag *d);

    /* Ends everything it started, flushes; called on the main thread after the loops ended. NULL state is fine. */
    void (*stop)(void *state);
};

#endif
