/* SPDX-License-Identifier: Apache-2.0 */
#include "app/child.h"

#include "base/assert.h"
#include "base/log.h"
#include "io/clock.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BACKOFF_MIN_MS = 1000, BACKOFF_MAX_MS = 30000, LIVED_WELL_MS = 60000 };

struct child {
    struct loop *loop;
    char *const *argv;
    void (*on_hopeless)(void);
    struct event *sigchld;
    struct timer restart;
    pid_t pid; /* 0: none now */
    int64_t started, backoff_ms;
};

static void become(char *const *argv, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(0); /* the core ended in between */
    (void)execv("/proc/self/exe", argv);
    _exit(127);
}

static void spawn(void *ctx)
{
    struct child *c = ctx;
    pid_t parent = getpid();
    c->started = clock_mono_ms();
    c->pid = fork();
    if (c->pid == 0) become(c->argv, parent);
    if (c->pid < 0) {
        c->pid = 0;
        LOG(ERROR, "cannot start the collectors", kv("err", strerrordesc_np(errno)));
        timer_set(&c->restart, c->backoff_ms);
    }
}

static void ended(struct child *c, int status)
{
    c->pid = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_CANNOT_START) {
        c->on_hopeless();
        return;
    }
    if (clock_mono_ms() - c->started > LIVED_WELL_MS) c->backoff_ms = BACKOFF_MIN_MS;
    LOG(ERROR, "the collectors ended; starting them again",
        kv("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0),
        kv("exit", WIFEXITED(status) ? WEXITSTATUS(status) : 0), kv("in_ms", c->backoff_ms));
    timer_set(&c->restart, c->backoff_ms);
    c->backoff_ms = c->backoff_ms * 2 < BACKOFF_MAX_MS ? c->backoff_ms * 2 : BACKOFF_MAX_MS;
}

static void on_sigchld(evutil_socket_t number, short what, void *ctx)
{
    (void)number;
    (void)what;
    struct child *c = ctx;
    int status;
    if (c->pid && waitpid(c->pid, &status, WNOHANG) == c->pid) ended(c, status);
}

struct child *child_start(struct loop *l, char *const *argv, void (*on_hopeless)(void))
{
    struct child *c = calloc(1, sizeof(*c));
    ASSERT(c != NULL);
    *c = (struct child){
        .loop = l, .argv = argv, .on_hopeless = on_hopeless, .backoff_ms = BACKOFF_MIN_MS
    };
    timer_init(&c->restart, l, spawn, c);
    c->sigchld = event_new(loop_base(l), SIGCHLD, EV_SIGNAL | EV_PERSIST, on_sigchld, c);
    ASSERT(c->sigchld && event_add(c->sigchld, NULL) == 0);
    spawn(c);
    return c;
}

static bool gone_within(pid_t pid, int64_t ms)
{
    static const struct timespec STEP = { .tv_nsec = 5000000 };
    for (int64_t end = clock_mono_ms() + ms; clock_mono_ms() < end;) {
        if (waitpid(pid, NULL, WNOHANG) != 0) return true;
        (void)nanosleep(&STEP, NULL);
    }
    return false;
}

void child_stop(struct child *c)
{
    if (!c) return;
    if (c->pid) {
        (void)kill(c->pid, SIGTERM);
        if (!gone_within(c->pid, 900)) {
            (void)kill(c->pid, SIGKILL);
            (void)waitpid(c->pid, NULL, 0);
        }
    }
    event_free(c->sigchld);
    timer_done(&c->restart);
    free(c);
}
