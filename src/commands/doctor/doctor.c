/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/doctor/doctor.h"

#include "alert/config.h"
#include "alert/kinds.h"
#include "base/list.h"
#include "commands/doctor/files.h"
#include "commands/doctor/report.h"
#include "dash/source.h"
#include "io/clock.h"
#include "io/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    WORKERS = 32,
    PROGRESS_AFTER_MS = 2000,
    PROGRESS_MS = 300,
    REPORT_MAX = 16 << 20,
    SECRET_LEAST = 5, /* characters: shorter ones would black out half of the text */
};

/* --- waiting --- */

static void show_progress(const struct exam *x, bool *shown)
{
    BUF(names, 0);
    exam_waiting(x, &names);
    BUF(line, 0);
    say(&line, &SAY(W_WORKING, str_first(buf_str(&names), 100)), x->in->lang);
    (void)fprintf(stderr, "\r\033[K" STR_FMT, STR_ARG(buf_str(&line)));
    *shown = true;
}

static void wait_until(struct exam *x, int64_t at_ms)
{
    struct timespec t = { .tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000 };
    (void)pthread_cond_timedwait(&x->changed, &x->lock, &t);
}

/* Until every probe has ended or the time is over. True: all have. */
static bool wait_for_probes(struct exam *x)
{
    int64_t end = x->began_ms + x->in->timeout_ms;
    bool shown = false;
    pthread_mutex_lock(&x->lock);
    for (;;) {
        int64_t now = clock_mono_ms();
        if (!x->running || now >= end) break;
        int64_t next = end;
        if (x->in->progress) {
            if (now - x->began_ms >= PROGRESS_AFTER_MS) show_progress(x, &shown);
            next = now + PROGRESS_MS < end ? now + PROGRESS_MS : end;
        }
        wait_until(x, next);
    }
    bool all = !x->running;
    pthread_mutex_unlock(&x->lock);
    if (shown) (void)fprintf(stderr, "\r\033[K");
    return all;
}

/* --- secrets: nothing of the configuration or the environment that is one may reach the report --- */

struct secrets {
    VEC(struct str) v;
};

static void add_secret(struct exam *x, struct secrets *s, struct str text)
{
    if (text.n >= SECRET_LEAST) *vec_push(&x->a, &s->v) = text;
}

static void add_http(struct exam *x, struct secrets *s, const struct http_config *h)
{
    if (h->basic) add_secret(x, s, secret_reveal(h->basic->password));
    if (h->authorization) add_secret(x, s, secret_reveal(h->authorization->credentials));
    if (h->oauth2) add_secret(x, s, secret_reveal(h->oauth2->client_secret));
}

static void add_receivers(struct exam *x, struct secrets *s, const struct alert_config *c)
{
    for (size_t i = 0; c && i < c->receivers_n; i++) {
        for (size_t k = 0; k < c->receivers[i].n; k++) {
            const struct integration *in = &c->receivers[i].v[k];
            for (size_t f = 0; in->kind->fields[f].key; f++) {
                enum field_type t = in->kind->fields[f].type;
                bool secret = t == FT_SECRET || t == FT_SECRET_TEMPLATE || t == FT_SECRET_URL;
                if (secret) add_secret(x, s, in->settings[f].text);
            }
            add_http(x, s, &in->http);
        }
    }
}

static void add_environment(struct exam *x, struct secrets *s)
{
    static const char *const SIGNS[] = { "PASSWORD", "SECRET", "TOKEN", "WEBHOOK", "CREDENTIAL" };
    struct str name, value;
    for (char **e = environ; *e; e++) {
        if (!str_cut(str_c(*e), '=', &name, &value)) continue;
        for (size_t i = 0; i < ARRAY_LEN(SIGNS); i++) {
            if (str_find(name, str_c(SIGNS[i])) != STR_NONE) add_secret(x, s, value);
        }
    }
}

static void redact(struct exam *x, const struct config_files *f, struct buf *b)
{
    struct secrets s = { 0 };
    add_receivers(x, &s, f->alert);
    for (size_t i = 0; f->dash && i < f->dash->sources_n; i++) {
        add_secret(x, &s, secret_reveal(f->dash->sources[i].basic_auth_password));
    }
    add_environment(x, &s);
    report_redact(b, s.v.v, s.v.n);
}

/* --- the whole --- */

static void print(struct exam *x, const struct config_files *f)
{
    BUF(b, REPORT_MAX);
    struct winsize size = { 0 };
    bool terminal = isatty(STDOUT_FILENO);
    if (!terminal || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 40) {
        size.ws_col = 100;
    }
    const struct report_style style = { .colours = terminal, .width = size.ws_col };
    int64_t took = clock_mono_ms() - x->began_ms;
    report_order(x);
    if (x->in->json) {
        report_json(&b, x, took);
    } else {
        report_text(&b, x, &style, took);
    }
    redact(x, f, &b);
    (void)fwrite(b.p, 1, b.n, stdout);
    (void)fflush(stdout);
}

static void open_exam(struct exam *x, const struct doctor_input *in, struct list *all)
{
    pthread_condattr_t attr;
    *x = (struct exam){ .in = in,
                        .all = all,
                        .pool = pool_new(WORKERS),
                        .began_ms = clock_mono_ms(),
                        .clock_ms = clock_now_ms() };
    list_init(all);
    pthread_mutex_init(&x->lock, NULL);
    pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&x->changed, &attr);
    pthread_condattr_destroy(&attr);
}

static void begin_all(struct exam *x, const struct config_files *f)
{
    examine_roles(x);
    examine_machine(x);
    x->jmx_named = examine_jmx_endpoints(x, f->jmx);
    examine_kafka(x);
    examine_targets(x, f);
    examine_receivers(x, f);
    examine_queries(x, f);
}

int doctor_run(const struct doctor_input *in, bool *hanging)
{
    /* Not on the stack: what hangs still holds it when we return. */
    static struct exam x;
    static struct list all;
    open_exam(&x, in, &all);
    struct config_files *f = files_read(&x);
    begin_all(&x, f);
    bool ended = wait_for_probes(&x);
    roles_conclude(&x);
    if (!ended) exam_close(&x);
    print(&x, f);
    int code = report_exit_code(&x);
    *hanging = !ended;
    if (!ended) return code;
    pool_free(x.pool);
    files_free(f);
    arena_done(&x.a);
    pthread_cond_destroy(&x.changed);
    pthread_mutex_destroy(&x.lock);
    return code;
}
