/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alertmanager.c - start, reload, stop; the timer that drives the engine and the jobs that send
 */
#include "roles/alertmanager/alertmanager.h"

#include "alert/kinds.h"
#include "alert/variables.h"
#include "base/hash.h"
#include "base/log.h"
#include "codec/num.h"
#include "io/clock.h"
#include "io/file.h"
#include "io/proc.h"
#include "io/web_door.h"
#include "roles/alertmanager/manager.h"

#include <stdlib.h>

#define CONFIG_MAX ((size_t)16 << 20)
#define SENDERS    9 /* one is the rule lane's; eight attempts at a time */
#define LONG_MS    INT64_C(3600000)

/* ---- sending ---- */
struct send_job {
    struct job job;
    struct manager *m;
    struct sending *sending;
    uint64_t unique;
};

/* Digits apart: a message may hold a port or a duration that is another each time. */
static uint64_t hash_words(uint64_t h, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') h = hash_fnv1a(h, str_make(s.p + i, 1));
    }
    return h;
}

/* A receiver that is down fails every few moments; the same words are logged once in five minutes. */
static bool said_already(struct manager *m, const struct notification *nt, const struct diag *d)
{
    enum { AGAIN_MS = 300000 };
    uint64_t who = hash_fnv1a(FNV1A_INIT, nt->integration->receiver->name);
    who = hash_fnv1a(who, str_c(nt->integration->kind->name));
    uint64_t what = hash_words(who + (uint64_t)(clock_now_ms() / AGAIN_MS), str_c(d->text));
    return atomic_exchange(&m->said[who % ARRAY_LEN(m->said)], what) == what;
}

static void log_failure(const struct send_job *j, enum send_outcome out, const struct diag *d)
{
    const struct notification *nt = sending_notification(j->sending);
    if (said_already(j->m, nt, d)) return;
    LOG(WARN, "notify attempt failed", kv("receiver", nt->integration->receiver->name),
        kv("integration", nt->integration->kind->name), kv("aggrGroup", nt->group_key),
        kv("retry", out == SEND_RETRY), kv("err", d->text));
}

static void send_run(struct job *job)
{
    struct send_job *j = (struct send_job *)(void *)job;
    struct diag d = { 0 };
    const char *reason = "other";
    enum send_outcome out = manager_send(j->sending, j->unique, &job->cancel, &reason, &d);
    if (out != SEND_OK && !job->cancel) log_failure(j, out, &d);
    alert_done(j->m->engine, j->sending, out, reason, clock_now_ms());
    if (out == SEND_OK && alert_sync(j->m->engine, false, true, &d) != OK) {
        LOG(ERROR, "the notification log is not written", kv("err", d.text));
    }
}

static void pump(struct manager *m);

static void send_done(struct job *job)
{
    struct send_job *j = (struct send_job *)(void *)job;
    struct manager *m = j->m;
    bool cancel = job->cancel;
    free(j);
    if (!cancel) pump(m);
}

/* Never run: the sending goes back as canceled. */
static void send_canceled(struct job *job)
{
    struct send_job *j = (struct send_job *)(void *)job;
    if (job->cancel && j->sending) {
        alert_done(j->m->engine, j->sending, SEND_FAIL, "contextCanceled", clock_now_ms());
    }
    send_done(job);
}

static void send_start(struct job *job)
{
    struct send_job *j = (struct send_job *)(void *)job;
    send_run(job);
    j->sending = NULL;
}

/* On the collect loop: flushes what is due, hands out what is ready, sets the timer. */
static void pump(struct manager *m)
{
    int64_t now = clock_now_ms();
    int64_t next = alert_tick(m->engine, now);
    for (struct sending *s; (s = alert_take(m->engine, now));) {
        struct send_job *j = calloc(1, sizeof(*j));
        if (!j) abort();
        *j = (struct send_job){ .job = { .lane = LANE_QUERY,
                                         .run = send_start,
                                         .done = send_canceled,
                                         .loop = m->env.collect },
                                .m = m,
                                .sending = s,
                                .unique = ++m->counter };
        pool_submit(m->senders, &j->job);
    }
    timer_set(&m->tick, next - now < LONG_MS ? next - now : LONG_MS);
}
static void on_pump(void *ctx) { pump(ctx); }

void manager_wake(struct manager *m) { loop_post(m->env.collect, on_pump, m); }

/* ---- maintenance ---- */
struct maintain_job {
    struct job job;
    struct manager *m;
};
static void maintain_run(struct job *job)
{
    struct manager *m = ((struct maintain_job *)(void *)job)->m;
    struct diag d = { 0 };
    if (alert_maintain(m->engine, clock_now_ms(), &d) != OK) {
        LOG(ERROR, "maintenance failed", kv("err", d.text));
    }
}
static void maintain_done(struct job *job) { free(job); }
static void on_maintain(void *ctx)
{
    struct manager *m = ctx;
    struct maintain_job *j = calloc(1, sizeof(*j));
    if (!j) abort();
    *j = (struct maintain_job){
        .job = { .lane = LANE_BACK, .run = maintain_run, .done = maintain_done }, .m = m
    };
    pool_submit(m->senders, &j->job);
    timer_set(&m->maintain, m->flags.maintenance_ms);
}

/* ---- configuration ---- */
enum err manager_load(struct manager *m, struct alert_config **out, struct diag *d)
{
    ARENA(a, 0);
    struct str text, file = m->flags.config_file;
    TRY(file_read(&a, file, CONFIG_MAX, &text, d));
    struct str expand = m->flags.expand;
    struct alert_variables variables = { file, m->flags.env_file };
    struct config_options o = {
        .text = text,
        .dir = path_dir(&a, file),
        .mode = m->mode,
        .lookup = alert_variable,
        .lookup_ctx = &variables,
        .expand = str_eqc(expand, "off")      ? EXPAND_OFF
                  : str_eqc(expand, "strict") ? EXPAND_STRICT
                                              : EXPAND_AUTO,
    };
    struct diag why = { 0 };
    enum err e = alert_config_load(&o, out, &why);
    if (e != OK && why.line) {
        return diag_set(d, e, STR_FMT ":%u:%u: %s", STR_ARG(file), why.line, why.col, why.text);
    }
    if (e != OK) return diag_set(d, e, STR_FMT ": %s", STR_ARG(file), why.text);
    for (size_t i = 0; i < (*out)->warnings_n; i++) {
        const struct config_warning *w = &(*out)->warnings[i];
        LOG(WARN, "configuration", kv("file", file), kv("line", w->line), kv("column", w->col),
            kv("note", w->text));
    }
    return OK;
}

static enum err am_reload(void *state, struct diag *d)
{
    struct manager *m = state;
    struct alert_config *c = NULL;
    struct diag why = { 0 };
    enum err e = manager_load(m, &c, &why);
    /* What ran may go on running; what a variable would switch off now is refused. */
    if (e == OK && c->unset_n) {
        struct alert_config *old = alert_engine_config(m->engine);
        if (c->unset_n > old->unset_n) {
            e = diag_set(
                &why, ERR_MISSING,
                "a variable of the configuration is not set any more; the running one stays");
        }
        alert_config_unref(old);
    }
    m->reload_ok = e == OK;
    if (e != OK) {
        alert_config_unref(c);
        LOG(ERROR, "Loading configuration file failed", kv("file", m->flags.config_file),
            kv("err", why.text));
        return diag_set(d, e, "%s", why.text);
    }
    m->reloaded_ms = clock_now_ms();
    alert_engine_reload(m->engine, c, m->reloaded_ms);
    alert_config_unref(c);
    LOG(INFO, "Completed loading of configuration file", kv("file", m->flags.config_file));
    pump(m);
    return OK;
}

/* POST /-/reload runs it on the collect loop and answers from there. */
static void reload_now(void *ctx)
{
    struct http_req *req = ctx;
    struct diag d = { 0 };
    if (am_reload(req->ctx, &d) == OK) {
        BUF(b, 0);
        http_reply(req, 200, "text/plain; charset=utf-8", &b);
        return;
    }
    http_reply_text(req, 500, arena_fmt(&req->arena, "failed to reload config: %s\n", d.text).p);
}
static void on_reload(struct http_req *req)
{
    struct manager *m = req->ctx;
    loop_post(m->env.collect, reload_now, req);
}
static void on_healthy(struct http_req *req) { http_reply_text(req, 200, "OK"); }

/* ---- start ---- */
static const struct http_route routes[] = {
    { HTTP_GET, "/-/healthy", on_healthy, ON_LOOP, "the process answers" },
    { HTTP_GET, "/-/ready", on_healthy, ON_LOOP, "the configuration is loaded" },
    { HTTP_POST, "/-/reload", on_reload, ON_LOOP, "reads the configuration again" },
    { HTTP_GET, "/metrics", on_am_metrics, ON_QUERY, "self-metrics" },
    { HTTP_GET, "/api/v2/status", on_am_status, ON_QUERY, "version, configuration" },
    { HTTP_GET, "/api/v2/receivers", on_am_receivers, ON_QUERY, "names of receivers" },
    { HTTP_GET, "/api/v2/alerts/groups", on_am_groups, ON_QUERY, "alerts by group" },
    { HTTP_GET, "/api/v2/alerts", on_am_alerts, ON_QUERY, "alerts" },
    { HTTP_POST, "/api/v2/alerts", on_am_alerts, ON_RULES, "takes alerts in" },
    { HTTP_GET, "/api/v2/silences", on_am_silences, ON_QUERY, "silences" },
    { HTTP_POST, "/api/v2/silences", on_am_silences, ON_RULES, "creates or changes a silence" },
    { HTTP_GET, "/api/v2/silence/:id", on_am_silence, ON_QUERY, "one silence" },
    { HTTP_DELETE, "/api/v2/silence/:id", on_am_silence, ON_RULES, "ends a silence" },
    { HTTP_GET, "/", on_am_page, ON_QUERY, "alerts and silences for people" },
    { 0, NULL, NULL, ON_LOOP, NULL },
};

static void prefix_routes(struct manager *m)
{
    m->routes = arena_array(&m->arena, ARRAY_LEN(routes), sizeof(*m->routes));
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        m->routes[i] = routes[i];
        if (routes[i].path && m->prefix.n) {
            m->routes[i]
                .path = arena_fmt(&m->arena, STR_FMT "%s", STR_ARG(m->prefix), routes[i].path).p;
        }
    }
}

static enum err split_address(struct str s, struct str *host, uint16_t *port, struct diag *d)
{
    uint64_t p = 0;
    size_t colon = s.n;
    while (colon && s.p[colon - 1] != ':') colon--;
    if (!colon || num_parse_u64(str_from(s, colon), &p) != OK || p > 65535) {
        return diag_set(d, ERR_SYNTAX, "--web.listen-address: expected HOST:PORT, got " STR_FMT,
                        STR_ARG(s));
    }
    *host = str_first(s, colon - 1);
    *port = (uint16_t)p;
    return OK;
}

static enum err open_servers(struct manager *m, struct diag *d)
{
    prefix_routes(m);
    TRY(web_door_open(m->flags.web_config, &m->web, d));
    for (size_t i = 0; i < m->flags.listen.n && i < ARRAY_LEN(m->servers); i++) {
        struct http_server_options o = { .routes = m->routes,
                                         .ctx = m,
                                         .before = am_before,
                                         .not_found = on_am_not_found,
                                         .web = m->web };
        TRY(split_address(m->flags.listen.v[i], &o.address, &o.port, d));
        TRY(http_server_open(m->env.serve, m->env.pool, &o, &m->servers[m->servers_n], d));
        uint16_t port = http_server_port(m->servers[m->servers_n++]);
        struct str address = arena_fmt(&m->arena, STR_FMT ":%u",
                                       STR_ARG(o.address.n ? o.address : STR("[::]")),
                                       (unsigned)port);
        LOG(INFO, "Listening on", kv("address", address));
        if (!m->external_url.n) {
            m->external_url = arena_fmt(&m->arena, "http://%s:%u", proc_hostname(), (unsigned)port);
        }
    }
    return OK;
}

/* The path of --web.external-url is the prefix unless there is a flag. */
static enum err read_urls(struct manager *m, struct diag *d)
{
    struct str url = m->flags.external_url;
    while (url.n && url.p[url.n - 1] == '/') url.n--;
    if (url.n && !str_starts(url, STR("http://")) && !str_starts(url, STR("https://"))) {
        return diag_set(d, ERR_SYNTAX,
                        "--web.external-url: expected http:// or https://, got " STR_FMT,
                        STR_ARG(url));
    }
    m->external_url = url;
    m->prefix = m->flags.route_prefix;
    if (!m->prefix.n && url.n) {
        struct str rest = str_from(url, str_find(url, STR("://")) + 3);
        size_t slash = str_find_char(rest, '/');
        m->prefix = slash == STR_NONE ? STR("") : str_from(rest, slash);
    }
    while (m->prefix.n && m->prefix.p[m->prefix.n - 1] == '/') m->prefix.n--;
    if (m->prefix.n && m->prefix.p[0] != '/') {
        m->prefix = arena_fmt(&m->arena, "/" STR_FMT, STR_ARG(m->prefix));
    }
    return OK;
}

static enum err read_features(struct manager *m, struct diag *d)
{
    static const char *const known[] = { "alert-names-in-metrics", "receiver-name-in-metrics",
                                         "group-key-in-metrics",   "classic-mode",
                                         "utf8-strict-mode",       "auto-gomemlimit",
                                         "auto-gomaxprocs",        "event-recorder" };
    bool classic = false, strict = false;
    for (struct str rest = m->flags.features, one; rest.n;) {
        bool ok = false;
        (void)str_cut(rest, ',', &one, &rest);
        for (size_t i = 0; i < ARRAY_LEN(known); i++) ok = ok || str_eqc(one, known[i]);
        if (!ok) {
            return diag_set(d, ERR_SYNTAX, "unknown option \"" STR_FMT "\" for --enable-feature",
                            STR_ARG(one));
        }
        classic = classic || str_eqc(one, "classic-mode");
        strict = strict || str_eqc(one, "utf8-strict-mode");
    }
    if (classic && strict) {
        return diag_set(
            d, ERR_SYNTAX,
            "cannot have both \"classic-mode\" and \"utf8-strict-mode\" enabled at the same time");
    }
    m->mode = classic ? MATCHERS_CLASSIC : strict ? MATCHERS_UTF8 : MATCHERS_FALLBACK;
    return OK;
}

static enum err open_engine(struct manager *m, struct diag *d)
{
    struct alert_config *c = NULL;
    size_t cut[2] = { 0 };
    LOG(INFO, "Loading configuration file", kv("file", m->flags.config_file));
    TRY(manager_load(m, &c, d));
    LOG(INFO, "Completed loading of configuration file", kv("file", m->flags.config_file));
    struct engine_options o = {
        .dir = m->flags.storage_path,
        .external_url = m->external_url,
        .retention_ms = m->flags.retention_ms,
        .gc_interval_ms = m->flags.gc_ms,
        .start_delay_ms = m->flags.start_delay_ms,
        .max_silences = m->flags.max_silences > 0 ? m->flags.max_silences : 0,
        .max_silence_bytes = m->flags.max_silence_bytes > 0 ? m->flags.max_silence_bytes : 0,
        .seed = (uint64_t)clock_mono_ns() ^ (uint64_t)clock_now_ms() << 20,
    };
    enum err e = alert_engine_new(&o, c, clock_now_ms(), &m->engine, cut, d);
    alert_config_unref(c);
    TRY(e);
    static const char *const names[] = { "silences", "nflog" };
    for (size_t i = 0; i < 2; i++) {
        if (cut[i]) {
            LOG(WARN, "damaged end of a file cut off", kv("file", names[i]), kv("bytes", cut[i]));
        }
    }
    m->reload_ok = true;
    m->reloaded_ms = clock_now_ms();
    return OK;
}

static void am_stop(void *state)
{
    struct manager *m = state;
    if (!m) return;
    for (size_t i = 0; i < m->servers_n; i++) http_server_close(m->servers[i]);
    web_door_free(m->web);
    timer_done(&m->tick);
    timer_done(&m->maintain);
    if (m->senders) pool_free(m->senders);
    struct diag d = { 0 };
    if (m->engine && alert_maintain(m->engine, clock_now_ms(), &d) != OK) {
        LOG(ERROR, "the last snapshot failed", kv("err", d.text));
    }
    alert_engine_free(m->engine);
    arena_done(&m->arena);
    free(m);
}

static enum err start(struct manager *m, struct diag *d)
{
    TRY(read_features(m, d));
    TRY(read_urls(m, d));
    TRY(open_servers(m, d));
    TRY(open_engine(m, d));
    m->senders = pool_new(SENDERS);
    timer_init(&m->tick, m->env.collect, on_pump, m);
    timer_set(&m->tick, 0);
    timer_init(&m->maintain, m->env.collect, on_maintain, m);
    timer_set(&m->maintain, m->flags.maintenance_ms);
    return OK;
}

static enum err am_start(const struct role_env *env, const void *config, void **state,
                         struct diag *d)
{
    struct manager *m = calloc(1, sizeof(*m));
    if (!m) abort();
    arena_init(&m->arena, 0);
    m->env = *env;
    m->flags = *(const struct am_flags *)config;
    m->started_ms = clock_now_ms();
    LOG(INFO, "Starting Alertmanager", kv("version", env->version));
    uint64_t seed = (uint64_t)clock_mono_ns();
    for (size_t i = 0; i < 26;
         i++, seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U) {
        m->peer[i] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[seed >> 59];
    }
    m->peer[0] = '0';
    enum err e = start(m, d);
    if (e != OK) {
        am_stop(m);
        return e;
    }
    *state = m;
    return OK;
}

static const char *const links[] = { "alertmanager", "prometheus-alertmanager", NULL };

const struct role alertmanager_role = {
    .name = "alertmanager",
    .argv0 = links,
    .port = 9093,
    .summary = "groups, silences and sends alerts by e-mail, Slack and webhook",
    .flags = am_flags_table,
    .config_size = sizeof(struct am_flags),
    .start = am_start,
    .reload = am_reload,
    .stop = am_stop,
};
