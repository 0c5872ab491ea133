/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /api/vigie/doctor: what `vigie doctor --json` says, by running it. It speaks to brokers and receivers, which this process
 * does not: so it is a child. One at a time; who asks meanwhile waits for the same answer, and it is good for a few seconds.
 */
#include "base/assert.h"
#include "base/list.h"
#include "base/log.h"
#include "base/vec.h"
#include "io/clock.h"
#include "io/spawn.h"
#include "roles/grafana/grafana_priv.h"

#include <stdlib.h>

enum { FRESH_MS = 5000, DEADLINE_MS = 25000, ANSWER_MAX = 4 << 20, WAITING_MAX = 64 };

struct waiting {
    struct list in_list;
    struct http_req *req;
};

struct doctor {
    struct grafana *g;
    struct spawn *child; /* NULL: none runs */
    struct list waiting; /* for the child's answer */
    size_t waiting_n;
    struct buf answer;
    int64_t answer_ms; /* monotonic; 0: there is none */
    bool french;       /* language of the child, or of the answer */
};

static void reply_copy(struct http_req *req, struct str body)
{
    struct buf b = { 0 };
    buf_put(&b, body);
    grafana_reply_json(req, 200, &b);
}

static void reply_all(struct doctor *d, enum err e, const struct diag *why)
{
    LIST_FOR(it, &d->waiting) {
        struct http_req *req = CONTAINER_OF(it, struct waiting, in_list)->req;
        list_remove(it); /* it dies with its request */
        if (e == OK) {
            reply_copy(req, buf_str(&d->answer));
        } else {
            grafana_reply_message(req, e == ERR_TIMEOUT ? 504 : 502,
                                  "the doctor did not answer: %s", why->text);
        }
    }
    d->waiting_n = 0;
}

/* Exit codes 0, 1 and 2 are verdicts; all else is a failure, and the output no JSON. */
static void on_done(void *ctx, enum err e, int code, struct str out, const struct diag *why)
{
    enum { VERDICTS = 3 };
    struct doctor *d = ctx;
    struct diag failed = { 0 };
    d->child = NULL;
    if (e == OK && (code < 0 || code >= VERDICTS)) {
        e = diag_set(&failed, ERR_SYS, "it ended with exit code %d", code);
        why = &failed;
    }
    if (e == OK) {
        buf_reset(&d->answer);
        buf_put(&d->answer, out);
        d->answer_ms = clock_mono_ms();
    } else {
        LOG(WARN, "doctor", kv("err", why->text));
    }
    reply_all(d, e, why);
}

static void start_child(struct doctor *d)
{
    ARENA(a, 0);
    const struct flag_strs *args = &d->g->cfg.self_doctor;
    char **argv = arena_array(&a, args->n + 5, sizeof(char *));
    size_t n = 0;
    argv[n++] = (char *)(uintptr_t) "vigie";
    argv[n++] = (char *)(uintptr_t) "doctor";
    argv[n++] = (char *)(uintptr_t) "--json";
    argv[n++] = (char *)(uintptr_t)(d->french ? "--lang=fr" : "--lang=en");
    for (size_t i = 0; i < args->n; i++) argv[n++] = (char *)(uintptr_t)arena_dup(&a, args->v[i]).p;
    const struct spawn_options o = { .argv = argv,
                                     .timeout_ms = DEADLINE_MS,
                                     .output_max = ANSWER_MAX };
    d->child = spawn_start(d->g->env.serve, &o, on_done, d);
}

void grafana_doctor(struct http_req *req)
{
    struct grafana *g = req->ctx;
    struct doctor *d = g->doctor;
    bool french = str_starts(http_param(req, "lang"), STR("fr"));
    bool again = str_eqc(http_param(req, "fresh"), "1");
    if (!g->cfg.self_doctor.n) {
        grafana_reply_message(
            req, 501, "the doctor looks at what `vigie run` runs; this is the grafana role alone");
        return;
    }
    bool fresh = d->answer_ms && clock_mono_ms() - d->answer_ms < FRESH_MS;
    if (!d->child && !again && fresh && d->french == french) {
        reply_copy(req, buf_str(&d->answer));
        return;
    }
    if (d->waiting_n >= WAITING_MAX) {
        grafana_reply_message(req, 503, "too many wait for the doctor already");
        return;
    }
    struct waiting *w = arena_new(&req->arena, struct waiting);
    w->req = req;
    list_add_tail(&d->waiting, &w->in_list);
    d->waiting_n++;
    if (d->child) return; /* its answer is theirs, whatever its language: the page asks again */
    d->french = french;
    start_child(d);
}

void grafana_doctor_open(struct grafana *g)
{
    struct doctor *d = calloc(1, sizeof(*d));
    ASSERT(d != NULL);
    d->g = g;
    list_init(&d->waiting);
    g->doctor = d;
}

/* Requests that wait end with their server. */
void grafana_doctor_close(struct grafana *g)
{
    if (!g->doctor) return;
    spawn_cancel(g->doctor->child);
    buf_done(&g->doctor->answer);
    free(g->doctor);
    g->doctor = NULL;
}
