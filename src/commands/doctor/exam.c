/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/doctor/exam.h"

#include "base/assert.h"
#include "base/list.h"
#include "codec/num.h"

#include <stdlib.h>

struct probe {
    struct job job;
    struct list in_all;
    struct exam *x;
    enum check check;
    struct str name;
    void (*fn)(struct exam *x, void *ctx);
    void *ctx;
};

static void probe_run(struct job *j)
{
    struct probe *p = CONTAINER_OF(j, struct probe, job);
    struct exam *x = p->x;
    p->fn(x, p->ctx);
    pthread_mutex_lock(&x->lock);
    list_remove(&p->in_all);
    x->running--;
    pthread_cond_signal(&x->changed);
    pthread_mutex_unlock(&x->lock);
}

void exam_probe(struct exam *x, enum check check, struct str name,
                void (*fn)(struct exam *x, void *ctx), void *ctx)
{
    pthread_mutex_lock(&x->lock);
    struct probe *p = arena_new(&x->a, struct probe);
    *p = (struct probe){ .job = { .lane = LANE_RULES, .run = probe_run },
                         .x = x,
                         .check = check,
                         .name = arena_dup(&x->a, name),
                         .fn = fn,
                         .ctx = ctx };
    list_add_tail(x->all, &p->in_all);
    x->running++;
    pthread_mutex_unlock(&x->lock);
    pool_submit(x->pool, &p->job);
}

static struct saying saying_dup(struct arena *a, struct saying s)
{
    for (size_t i = 0; i < WORD_ARGS_MAX; i++) {
        if (s.args[i].p) s.args[i] = arena_dup(a, s.args[i]);
    }
    return s;
}

static bool saying_eq(const struct saying *a, const struct saying *b)
{
    if (a->word != b->word) return false;
    for (size_t i = 0; i < WORD_ARGS_MAX; i++) {
        if (!str_eq(a->args[i], b->args[i])) return false;
    }
    return true;
}

static void add_evidence(struct exam *x, struct finding *f, struct str line)
{
    if (!line.n) return;
    for (size_t i = 0; i < f->evidence_n; i++) {
        if (str_eq(f->evidence[i], line)) return;
    }
    if (f->evidence_n == EVIDENCE_MAX) {
        f->evidence_more++;
    } else {
        f->evidence[f->evidence_n++] = arena_dup(&x->a, line);
    }
}

/* One that has the same cause and the same remedy already. */
static struct finding *alike(struct exam *x, const struct finding *f)
{
    VEC_FOR(it, &x->findings.v) {
        if (it->check == f->check && it->severity == f->severity &&
            it->title.word == f->title.word && saying_eq(&it->cause, &f->cause) &&
            saying_eq(&it->fix, &f->fix)) {
            return it;
        }
    }
    return NULL;
}

static void join(struct exam *x, struct finding *to, const struct saying *title)
{
    if (saying_eq(&to->title, title)) return;
    for (size_t i = 0; i < to->also_n; i++) {
        if (saying_eq(&to->also[i], title)) return;
    }
    if (to->also_n == ALSO_MAX) {
        to->also_more++;
    } else {
        to->also[to->also_n++] = saying_dup(&x->a, *title);
    }
}

void exam_report_file(struct exam *x, enum check check, enum severity severity, struct saying title,
                      struct saying cause, struct saying fix, struct str evidence, struct str file)
{
    struct finding f = { .check = check,
                         .severity = severity,
                         .title = title,
                         .cause = cause,
                         .fix = fix,
                         .file = file };
    pthread_mutex_lock(&x->lock);
    if (!x->closed) {
        struct finding *it = alike(x, &f);
        if (it) {
            join(x, it, &title);
        } else {
            f.title = saying_dup(&x->a, title);
            f.cause = saying_dup(&x->a, cause);
            f.fix = saying_dup(&x->a, fix);
            f.file = arena_dup(&x->a, file);
            f.order = x->findings.v.n;
            it = vec_push(&x->a, &x->findings.v);
            *it = f;
        }
        add_evidence(x, it, evidence);
    }
    pthread_mutex_unlock(&x->lock);
}

void exam_report(struct exam *x, enum check check, enum severity severity, struct saying title,
                 struct saying cause, struct saying fix, struct str evidence)
{
    exam_report_file(x, check, severity, title, cause, fix, evidence, STR(""));
}

void exam_figure(struct exam *x, enum check check, struct saying figure)
{
    pthread_mutex_lock(&x->lock);
    x->figures[check] = saying_dup(&x->a, figure);
    pthread_mutex_unlock(&x->lock);
}

void exam_unsure(struct exam *x, enum check check)
{
    pthread_mutex_lock(&x->lock);
    x->unsure[check] = true;
    pthread_mutex_unlock(&x->lock);
}

void exam_ok_title(struct exam *x, enum check check, struct saying title)
{
    pthread_mutex_lock(&x->lock);
    x->ok[check] = saying_dup(&x->a, title);
    pthread_mutex_unlock(&x->lock);
}

void exam_file(struct exam *x, const struct doctor_file *f)
{
    pthread_mutex_lock(&x->lock);
    *vec_push(&x->a, &x->files.v) = (struct read_file){ arena_dup(&x->a, f->shown), f->builtin };
    pthread_mutex_unlock(&x->lock);
}

struct str exam_dup(struct exam *x, struct str s)
{
    pthread_mutex_lock(&x->lock);
    struct str copy = arena_dup(&x->a, s);
    pthread_mutex_unlock(&x->lock);
    return copy;
}

void *exam_alloc(struct exam *x, size_t n)
{
    pthread_mutex_lock(&x->lock);
    void *p = arena_alloc(&x->a, n);
    pthread_mutex_unlock(&x->lock);
    return p;
}

bool exam_once(struct exam *x, struct str key)
{
    bool first = true;
    pthread_mutex_lock(&x->lock);
    VEC_FOR(it, &x->once.v) {
        if (str_eq(*it, key)) first = false;
    }
    if (first) *vec_push(&x->a, &x->once.v) = arena_dup(&x->a, key);
    pthread_mutex_unlock(&x->lock);
    return first;
}

void exam_waiting(const struct exam *x, struct buf *b)
{
    LIST_FOR(it, x->all) {
        const struct probe *p = CONTAINER_OF(it, struct probe, in_all);
        buf_fmt(b, "%s" STR_FMT, b->n ? ", " : "", STR_ARG(p->name));
    }
}

void exam_close(struct exam *x)
{
    ARENA(a, 0);
    struct saying hanging[CHECK_MAX_] = { 0 };
    struct str after = arena_fmt(&a, "%lld", (long long)x->in->timeout_ms / 1000);
    pthread_mutex_lock(&x->lock);
    LIST_FOR(it, x->all) {
        const struct probe *p = CONTAINER_OF(it, struct probe, in_all);
        if (!hanging[p->check].word) hanging[p->check] = SAY(W_NOT_FINISHED, p->name);
    }
    pthread_mutex_unlock(&x->lock);
    for (enum check c = 0; c < CHECK_MAX_; c++) {
        if (!hanging[c].word) continue;
        exam_report(x, c, SEV_WARNING, hanging[c], SAY(W_NOT_FINISHED_WHY, after),
                    SAY(W_FIX_TIMEOUT, STR("")), STR(""));
    }
    pthread_mutex_lock(&x->lock);
    x->closed = true;
    pthread_mutex_unlock(&x->lock);
}

enum severity exam_worst(const struct exam *x, enum check check)
{
    enum severity worst = SEV_OK;
    VEC_FOR(it, &x->findings.v) {
        if ((check == CHECK_MAX_ || it->check == check) && it->severity > worst) {
            worst = it->severity;
        }
    }
    return worst;
}

bool split_address(struct str text, uint16_t otherwise, struct str *host, uint16_t *port)
{
    uint64_t n = otherwise;
    size_t close = text.n && text.p[0] == '[' ? str_find_char(text, ']') : STR_NONE;
    struct str h = text, p = STR("");
    if (close != STR_NONE) {
        h = str_make(text.p + 1, close - 1);
        p = str_from(text, close + 1);
        if (p.n && p.p[0] != ':') return false;
        p = str_from(p, 1);
    } else {
        size_t colon = text.n;
        while (colon && text.p[colon - 1] != ':') colon--;
        if (colon) {
            h = str_first(text, colon - 1);
            p = str_from(text, colon);
        }
    }
    if (p.n && (num_parse_u64(p, &n) != OK || n == 0 || n > UINT16_MAX)) return false;
    if (!h.n || !n) return false;
    *host = h;
    *port = (uint16_t)n;
    return true;
}
