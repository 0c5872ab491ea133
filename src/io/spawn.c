/* SPDX-License-Identifier: Apache-2.0 */
#include "io/spawn.h"

#include "base/assert.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ_ROOM = 16384 };

struct spawn {
    struct loop *loop;
    spawn_done *done;
    void *ctx;
    pid_t pid;
    int out, life; /* pipe; pidfd, readable once the child has ended; -1: closed */
    struct event *on_out, *on_life;
    struct timer deadline;
    struct buf text;
    enum err err; /* why we ended it ourselves */
    struct diag d;
};

static void close_fd(int *fd)
{
    if (*fd >= 0) (void)close(*fd);
    *fd = -1;
}

static void spawn_free(struct spawn *s)
{
    if (s->on_out) event_free(s->on_out);
    if (s->on_life) event_free(s->on_life);
    timer_done(&s->deadline);
    close_fd(&s->out);
    close_fd(&s->life);
    buf_done(&s->text);
    free(s);
}

/* Everything between fork and exec: only what may be called there. */
static void become(char *const *argv, int out, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    /* One thread since fork. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || dup2(out, STDOUT_FILENO) < 0) _exit(127);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0) (void)dup2(null, STDIN_FILENO);
    (void)execv("/proc/self/exe", argv);
    _exit(127);
}

/* The child has ended: what is left in the pipe, its code, and good-bye. */
static void finish(struct spawn *s)
{
    int status = 0;
    while (waitpid(s->pid, &status, 0) < 0 && errno == EINTR) {
    }
    enum err e = s->err;
    if (e == OK && buf_ok(&s->text) != OK) e = diag_set(&s->d, ERR_LIMIT, "too long an answer");
    if (e == OK && !WIFEXITED(status)) {
        e = diag_set(&s->d, ERR_SYS, "the child was ended by signal %d", WTERMSIG(status));
    }
    s->done(s->ctx, e, e == OK ? WEXITSTATUS(status) : -1, buf_str(&s->text), &s->d);
    spawn_free(s);
}

static void on_out(evutil_socket_t fd, short what, void *ctx)
{
    (void)what;
    struct spawn *s = ctx;
    char bytes[READ_ROOM];
    ssize_t n = read(fd, bytes, sizeof(bytes));
    if (n > 0) buf_put(&s->text, str_make(bytes, (size_t)n));
    if (buf_ok(&s->text) != OK) (void)kill(s->pid, SIGKILL); /* nobody wants the rest */
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR))) return;
    event_free(s->on_out);
    s->on_out = NULL;
    close_fd(&s->out);
    if (s->life < 0) finish(s);
}

static void on_life(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    struct spawn *s = ctx;
    event_free(s->on_life);
    s->on_life = NULL;
    close_fd(&s->life);
    if (s->out < 0) finish(s); /* else when its last words are read */
}

static void on_deadline(void *ctx)
{
    struct spawn *s = ctx;
    s->err = diag_set(&s->d, ERR_TIMEOUT, "the child did not end in time");
    (void)kill(s->pid, SIGKILL);
}

static void watch(struct spawn *s, int64_t timeout_ms)
{
    struct event_base *base = loop_base(s->loop);
    s->on_out = event_new(base, s->out, EV_READ | EV_PERSIST, on_out, s);
    s->on_life = event_new(base, s->life, EV_READ, on_life, s);
    ASSERT(s->on_out && s->on_life && event_add(s->on_out, NULL) == 0 &&
           event_add(s->on_life, NULL) == 0);
    timer_set(&s->deadline, timeout_ms);
}

static void on_stillborn(void *ctx)
{
    struct spawn *s = ctx;
    s->done(s->ctx, ERR_SYS, -1, STR(""), &s->d);
    spawn_free(s);
}

static enum err fork_child(struct spawn *s, char *const *argv)
{
    int pipe_fds[2];
    pid_t parent = getpid();
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        return diag_set(&s->d, ERR_SYS, "no pipe: %s", strerrordesc_np(errno));
    }
    s->pid = fork();
    if (s->pid == 0) become(argv, pipe_fds[1], parent);
    (void)close(pipe_fds[1]);
    s->out = pipe_fds[0];
    if (s->pid < 0) return diag_set(&s->d, ERR_SYS, "no child: %s", strerrordesc_np(errno));
    (void)fcntl(s->out, F_SETFL, O_NONBLOCK);
    s->life = pidfd_open(s->pid, 0);
    ASSERT(s->life >= 0);
    return OK;
}

struct spawn *spawn_start(struct loop *l, const struct spawn_options *o, spawn_done *done,
                          void *ctx)
{
    loop_here(l);
    struct spawn *s = calloc(1, sizeof(*s));
    ASSERT(s != NULL);
    *s = (struct spawn){
        .loop = l, .done = done, .ctx = ctx, .out = -1, .life = -1, .text.max = o->output_max
    };
    if (fork_child(s, o->argv) == OK) {
        timer_init(&s->deadline, l, on_deadline, s);
        watch(s, o->timeout_ms);
    } else {
        timer_init(&s->deadline, l, on_stillborn, s);
        timer_set(&s->deadline, 0);
    }
    return s;
}

void spawn_cancel(struct spawn *s)
{
    if (!s) return;
    if (s->pid > 0) {
        (void)kill(s->pid, SIGKILL);
        while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    spawn_free(s);
}
