/* SPDX-License-Identifier: Apache-2.0 */
/*
 * targets.c - every scrape target of prometheus.yml, asked as Prometheus would ask it
 */
#include "codec/gotime.h"
#include "commands/doctor/ask.h"
#include "commands/doctor/files.h"
#include "commands/doctor/web.h"
#include "io/clock.h"
#include "io/dial.h"
#include "scrape/target.h"

#include <stdlib.h>

enum { CLOCK_LIMIT_MS = 5000, TARGETS_MAX = 500 };

/* Where programs usually have their metrics, when they are not where the job looks. */
static const char *const USUAL_PATHS[] = { "/metrics", "/actuator/prometheus", "/q/metrics",
                                           "/prometheus" };

struct aim {
    struct str url, shown, job; /* shown: without its parameters */
    int64_t timeout_ms;
};

struct sight {
    struct exam *x;
    const struct aim *aim;
    struct arena a;
    struct url u;
    struct web_reply reply;
    struct diag d;
};

/* What Prometheus itself says of a target: it may know a password or a certificate that we do not use here. */
static bool prometheus_reads(struct sight *s)
{
    struct asker k = { .base = own_prometheus(s->x), .a = &s->a, .end_ms = INT64_MAX };
    const struct json *data;
    if (asker_get(&k, STR("/api/v1/targets?state=active"), &data, NULL) != OK) return false;
    const struct json *list = json_get(data, "activeTargets");
    for (size_t i = 0; list && i < list->n; i++) {
        const struct json *t = &list->items[i];
        if (str_eq(json_str(json_get(t, "scrapeUrl"), STR("")), s->aim->url)) {
            return str_eqc(json_str(json_get(t, "health"), STR("")), "up");
        }
    }
    return false;
}

static void report(struct sight *s, enum word title, struct saying cause, struct saying fix,
                   struct str evidence)
{
    exam_report_file(s->x, CHECK_TARGETS, SEV_ERROR, SAY(title, s->aim->shown, s->aim->job), cause,
                     fix, evidence, STR(""));
}

/* Asks where we asked: a container's name is one of our own roles here, which a shell does not know. */
static struct saying curl_fix(struct sight *s)
{
    struct str path, parameters;
    (void)str_cut(s->u.path, '?', &path, &parameters);
    bool six = str_find_char(s->u.host, ':') != STR_NONE;
    return SAY(W_FIX_CURL, arena_fmt(&s->a, "%s://%s" STR_FMT "%s:%u" STR_FMT,
                                     s->u.tls ? "https" : "http", six ? "[" : "",
                                     STR_ARG(s->u.host), six ? "]" : "", s->u.port, STR_ARG(path)));
}

static bool takes_tls(const struct sight *s)
{
    struct dial *c;
    const struct dial_options o = { .host = s->u.host, .port = s->u.port, .timeout_ms = STEP_MS };
    if (dial_open(&o, &c, NULL) != OK) return false;
    enum err e = dial_start_tls(c, &(struct dial_tls){ .insecure_skip_verify = true }, STEP_MS,
                                NULL);
    dial_close(c);
    return e == OK;
}

/* No HTTP came back, though there was a connection. */
static void no_http(struct sight *s, enum err e, enum web_stage stage)
{
    struct str job = s->aim->job, port = arena_fmt(&s->a, "%u", s->u.port);
    if (stage == WEB_TLS && e == ERR_DENIED) {
        if (prometheus_reads(s)) return;
        report(s, W_TARGET_CERT, SAY(W_CERT_WHY, STR("")), SAY(W_FIX_CERT, s->u.host, port),
               str_c(s->d.text));
    } else if (stage == WEB_TLS) {
        report(s, W_TARGET_NO_TLS, SAY(W_TARGET_NO_TLS_WHY, STR("")), SAY(W_FIX_HTTP, job),
               str_c(s->d.text));
    } else if (!s->u.tls && takes_tls(s)) {
        report(s, W_TARGET_WANTS_TLS, SAY(W_TARGET_WANTS_TLS_WHY, STR("")), SAY(W_FIX_HTTPS, job),
               str_c(s->d.text));
    } else {
        report(s, W_TARGET_MUTE, SAY(W_TARGET_MUTE_WHY, STR("")), SAY(W_FIX_TARGET, s->aim->shown),
               str_c(s->d.text));
    }
}

/* Another path of the same program that does give metrics, or a hint at the usual one. */
static struct saying path_fix(struct sight *s)
{
    for (size_t i = 0; i < ARRAY_LEN(USUAL_PATHS); i++) {
        struct url u = s->u;
        struct web_reply r;
        enum web_stage stage;
        u.path = str_c(USUAL_PATHS[i]);
        if (str_eq(u.path, s->u.path)) continue;
        if (web_get(&s->a, &u, NULL, STEP_MS / 2, &r, &stage, NULL) == OK && r.status == 200 &&
            looks_like_metrics(r.body)) {
            return SAY(W_FIX_PATH, s->aim->job, u.path);
        }
    }
    return SAY(W_FIX_PATH_UNKNOWN, s->aim->job);
}

static struct str first_line(struct str body)
{
    struct str line, rest;
    (void)str_cut(str_trim(body), '\n', &line, &rest);
    return str_first(str_trim(line), 160);
}

static void judge_status(struct sight *s)
{
    int status = s->reply.status;
    struct str text = arena_fmt(&s->a, "%d", status);
    bool login = status == 401 || status == 403, path = status == 404 || status == 405;
    if (login && prometheus_reads(s)) return;
    /* Our own exporters say 503 and why when Kafka or JMX is away: the cause is told there. */
    bool away = status == 503 && is_own_role(s->x, s->u.host, s->u.port);
    exam_report(s->x, CHECK_TARGETS, away ? SEV_WARNING : SEV_ERROR,
                SAY(W_TARGET_STATUS, s->aim->shown, s->aim->job, text),
                SAY(login ? W_TARGET_LOGIN_WHY : W_TARGET_STATUS_WHY, STR("")),
                path ? path_fix(s) : curl_fix(s), first_line(s->reply.body));
}

static bool is_json(const struct web_reply *r)
{
    struct str body = str_trim(r->body);
    return str_find(r->content_type, STR("json")) != STR_NONE ||
           (body.n > 1 && (body.p[0] == '[' || (body.p[0] == '{' && body.p[1] != '_')) &&
            !looks_like_metrics(body));
}

static void judge_reply(struct sight *s)
{
    struct str type = s->reply.content_type, body = str_trim(s->reply.body);
    /* Protobuf has no lines; whoever sends it knows what metrics are. */
    if (str_find(type, STR("protobuf")) != STR_NONE || looks_like_metrics(body)) return;
    if (!type.n) type = STR("-");
    if (is_json(&s->reply)) {
        report(s, W_TARGET_JSON, SAY(W_TARGET_JSON_WHY, type), path_fix(s), first_line(body));
    } else if (!body.n || body.p[0] == '#') {
        report(s, W_TARGET_EMPTY, SAY(W_TARGET_EMPTY_WHY, STR("")), curl_fix(s), STR(""));
    } else {
        report(s, W_TARGET_JSON, SAY(W_TARGET_HTML_WHY, type), path_fix(s), first_line(body));
    }
}

static void write_time(struct buf *b, int64_t ms)
{
    go_time_format(b, ms, STR("2006-01-02 15:04:05 UTC"));
}

/* Its Date has whole seconds: what is below the limit says nothing. */
static void judge_clock(struct sight *s)
{
    if (!s->reply.date_ms) return;
    int64_t now = clock_now_ms(), apart = s->reply.date_ms - now;
    pthread_mutex_lock(&s->x->lock);
    if (llabs(apart) >= llabs(s->x->clock_apart_ms)) s->x->clock_apart_ms = apart;
    s->x->clock_known = true;
    pthread_mutex_unlock(&s->x->lock);
    if (apart > -CLOCK_LIMIT_MS && apart < CLOCK_LIMIT_MS) return;
    BUF(theirs, 0);
    BUF(ours, 0);
    write_time(&theirs, s->reply.date_ms);
    write_time(&ours, now);
    int64_t seconds = (apart < 0 ? -apart : apart) / 1000;
    exam_report(s->x, CHECK_MACHINE, seconds >= 60 ? SEV_ERROR : SEV_WARNING,
                SAY(W_CLOCK, s->u.host, arena_fmt(&s->a, "%lld", (long long)seconds)),
                SAY(W_CLOCK_WHY, buf_str(&theirs), buf_str(&ours)), SAY(W_FIX_CLOCK, STR("")),
                STR(""));
}

static void look(struct sight *s)
{
    enum web_stage stage;
    int64_t step = s->aim->timeout_ms < STEP_MS ? s->aim->timeout_ms : STEP_MS;
    enum err e = web_get(&s->a, &s->u, NULL, step, &s->reply, &stage, &s->d);
    if (e != OK && stage == WEB_CONNECT) {
        if (is_own_role(s->x, s->u.host, s->u.port)) { /* told among the roles */
            exam_unsure(s->x, CHECK_TARGETS);
            return;
        }
        report(s, W_TARGET_UNREACHED, unreached_why(&s->a, e, s->u.host, step),
               unreached_fix(&s->a, e, s->u.host, s->u.port), str_c(s->d.text));
        return;
    }
    if (e != OK) {
        no_http(s, e, stage);
        return;
    }
    judge_clock(s);
    if (s->reply.status != 200) {
        judge_status(s);
    } else {
        judge_reply(s);
    }
}

static void examine_target(struct exam *x, void *ctx)
{
    struct sight s = { .x = x, .aim = ctx };
    if (url_split(&s.a, s.aim->url, &s.u)) {
        own_address(x, &s.u);
        look(&s);
    }
    arena_done(&s.a);
}

void examine_targets(struct exam *x, const struct config_files *f)
{
    ARENA(a, 0);
    size_t n = 0;
    for (size_t i = 0; f->prom && i < f->prom->scrape_configs.n; i++) {
        const struct scrape_config *c = &f->prom->scrape_configs.v[i];
        struct target_list list;
        targets_of(&a, c, (struct sd_groups){ 0 }, &list);
        for (size_t k = 0; k < list.n && n < TARGETS_MAX; k++, n++) {
            struct aim *aim = exam_alloc(x, sizeof(*aim));
            *aim = (struct aim){ .url = exam_dup(x, list.v[k].url),
                                 .job = c->job_name,
                                 .timeout_ms = list.v[k].timeout_ms };
            struct str rest;
            (void)str_cut(aim->url, '?', &aim->shown, &rest);
            exam_probe(x, CHECK_TARGETS, aim->shown, examine_target, aim);
        }
        for (size_t k = 0; k < list.bad_n; k++) {
            exam_report(x, CHECK_TARGETS, SEV_ERROR,
                        SAY(W_TARGET_BAD, labels_get(list.bad[k].discovered, STR("__address__")),
                            c->job_name),
                        SAY(W_TARGET_BAD_WHY, list.bad[k].why),
                        SAY(W_FIX_CHECK, x->in->prometheus.path), STR(""));
        }
    }
    if (!f->prom) return;
    struct str all = arena_fmt(&a, "%zu", n);
    exam_figure(x, CHECK_TARGETS, SAY(W_FIG_OF, all, all));
}
