/* SPDX-License-Identifier: Apache-2.0 */
#include "app/process.h"

#include "app/logging.h"
#include "app/notify.h"
#include "app/roles.h"
#include "base/assert.h"
#include "base/log.h"
#include "io/loop.h"
#include "io/pool.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct running {
    const struct role *role;
    void *state;
};

struct process {
    struct role_env env;
    struct running roles[PROCESS_ROLES_MAX];
    size_t n;
    struct event *signals[3];
    pthread_t collect;
    bool ran;
};

/* stop_all() has no context by design of role_env: there is one process. */
static struct loop *serve_of_process;

static void stop_all(void) { loop_stop(serve_of_process); }

static unsigned processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (unsigned)n : 1;
}

static void on_end(evutil_socket_t signal_number, short what, void *ctx)
{
    (void)what;
    (void)ctx;
    LOG(INFO, "Received an OS signal, exiting gracefully...",
        kv("signal", signal_number == SIGTERM ? "terminated" : "interrupt"));
    stop_all();
}

static void reload_all(void *ctx)
{
    struct process *p = ctx;
    for (size_t i = 0; i < p->n; i++) {
        struct diag d = { 0 };
        if (!p->roles[i].role->reload) continue;
        enum err e = p->roles[i].role->reload(p->roles[i].state, &d);
        if (e != OK) {
            LOG(ERROR, "Error reloading config", kv("role", p->roles[i].role->name),
                kv("err", d.text));
        }
    }
}

static void on_hup(evutil_socket_t signal_number, short what, void *ctx)
{
    (void)signal_number;
    (void)what;
    struct process *p = ctx;
    loop_post(p->env.collect, reload_all, p);
}

struct process *process_new(void)
{
    static const struct {
        int number;
        event_callback_fn fn;
    } SIGNALS[] = { { SIGTERM, on_end }, { SIGINT, on_end }, { SIGHUP, on_hup } };
    struct process *p = calloc(1, sizeof(*p));
    ASSERT(p != NULL);
    p->env.collect = loop_new("collect");
    p->env.serve = serve_of_process = loop_new("serve");
    p->env.pool = pool_new(processors());
    p->env.stop_all = stop_all;
    for (size_t i = 0; i < ARRAY_LEN(SIGNALS); i++) {
        p->signals[i] = event_new(loop_base(p->env.serve), SIGNALS[i].number,
                                  EV_SIGNAL | EV_PERSIST, SIGNALS[i].fn, p);
        ASSERT(p->signals[i] && event_add(p->signals[i], NULL) == 0);
    }
    return p;
}

const struct role_env *process_env(const struct process *p) { return &p->env; }

enum err process_start(struct process *p, const struct role *r, const void *config, struct diag *d)
{
    ASSERT(p->n < PROCESS_ROLES_MAX && !p->ran);
    struct role_env env = p->env;
    env.version = role_version(r->name);
    logging_apply(r, config);
    void *state = NULL;
    TRY(r->start(&env, config, &state, d));
    p->roles[p->n++] = (struct running){ r, state };
    return OK;
}

void *process_state(const struct process *p, const char *role)
{
    for (size_t i = 0; i < p->n; i++) {
        if (strcmp(p->roles[i].role->name, role) == 0) return p->roles[i].state;
    }
    return NULL;
}

static void *run_collect(void *ctx)
{
    loop_run(ctx);
    return NULL;
}

static void tell_ready(void *ctx)
{
    (void)ctx;
    notify_service("READY=1");
}

int process_run(struct process *p)
{
    p->ran = true;
    loop_post(p->env.serve, tell_ready, NULL);
    if (pthread_create(&p->collect, NULL, run_collect, p->env.collect) != 0) return EXIT_FAILURE;
    loop_run(p->env.serve);
    notify_service("STOPPING=1");
    loop_stop(p->env.collect);
    (void)pthread_join(p->collect, NULL);
    return EXIT_SUCCESS;
}

void process_free(struct process *p)
{
    if (!p) return;
    pool_free(p->env.pool);
    while (p->n) {
        struct running *r = &p->roles[--p->n];
        r->role->stop(r->state);
    }
    for (size_t i = 0; i < ARRAY_LEN(p->signals); i++) event_free(p->signals[i]);
    loop_free(p->env.collect);
    loop_free(p->env.serve);
    free(p);
}
