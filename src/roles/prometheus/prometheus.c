/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wiring: scrape appends to tsdb, promql reads it, rules evaluate and append and tell notify. Three timers on the collect
 * loop call the engines when they want to be called; whatever takes long is a job.
 */
#include "roles/prometheus/prometheus.h"

#include "base/assert.h"
#include "base/list.h"
#include "base/log.h"
#include "base/vec.h"
#include "codec/num.h"
#include "io/clock.h"
#include "io/file.h"
#include "io/proc.h"
#include "roles/prometheus/prometheus_priv.h"

#include <stdio.h>
#include <stdlib.h>

enum { RULE_FILE_MAX = 16 << 20, FLOOR_MS = 1 };

struct prom_config *prometheus_config(struct prometheus *p)
{
    pthread_mutex_lock(&p->lock);
    struct prom_config *c = prom_config_ref(p->config);
    pthread_mutex_unlock(&p->lock);
    return c;
}

struct promql_options prometheus_promql_options(const struct prometheus *p, int64_t lookback_ms,
                                                int64_t timeout_ms)
{
    static const struct {
        const char *name;
        uint32_t flag;
    } FEATURES[] = {
        { "promql-experimental-functions", PROMQL_EXPERIMENTAL_FUNCTIONS },
        { "promql-duration-expr", PROMQL_DURATION_EXPR },
        { "promql-extended-range-selectors", PROMQL_EXTENDED_RANGE },
        { "promql-binop-fill-modifiers", PROMQL_BINOP_FILL },
        { "promql-delayed-name-removal", PROMQL_DELAYED_NAME_REMOVAL },
        { "type-and-unit-labels", PROMQL_TYPE_AND_UNIT },
    };
    struct promql_options o = {
        .lookback_ms = lookback_ms,
        .max_samples = (uint64_t)p->cfg->max_samples,
        .timeout_ms = timeout_ms,
        .mono_ms = clock_mono_ms,
    };
    for (size_t i = 0; i < p->cfg->features.n; i++) {
        struct str rest = p->cfg->features.v[i], name;
        while (rest.n) {
            (void)str_cut(rest, ',', &name, &rest);
            for (size_t f = 0; f < ARRAY_LEN(FEATURES); f++) {
                o.features |= str_eqc(name, FEATURES[f].name) ? FEATURES[f].flag : 0;
            }
        }
    }
    return o;
}

/* --- timers --- */

static void set_timer(struct timer *t, int64_t due, int64_t now)
{
    if (due == INT64_MAX) {
        timer_stop(t);
    } else {
        timer_set(t, due > now ? due - now : FLOOR_MS);
    }
}

static void on_scrape_timer(void *ctx)
{
    struct prometheus *p = ctx;
    int64_t now = clock_now_ms();
    set_timer(&p->scrape_timer, scrape_manager_tick(p->scrape, now), now);
}

static void on_rules_timer(void *ctx)
{
    struct prometheus *p = ctx;
    int64_t now = clock_now_ms();
    set_timer(&p->rules_timer, rules_tick(p->rules, now), now);
}

/* One evaluation of a group, as a job in the lane that always has a worker. */
struct evaluation {
    struct job job;
    struct prometheus *p;
    struct rule_group *group;
};

static void run_group(struct job *j) { rule_group_run(((struct evaluation *)(void *)j)->group); }

static void group_done(struct job *j)
{
    struct evaluation *x = (struct evaluation *)(void *)j;
    struct prometheus *p = x->p;
    rules_ran(p->rules, x->group);
    bool ending = j->cancel;
    free(x);
    if (!ending) on_rules_timer(p);
}

static void warn_of_rules(void *ctx, struct str file, const struct yaml_warning *w)
{
    (void)ctx;
    LOG(WARN, "rule file", kv("file", file), kv("line", w->line), kv("column", w->col),
        kv("note", w->text));
}

static void start_group(void *ctx, struct rule_group *g)
{
    struct prometheus *p = ctx;
    struct evaluation *x = calloc(1, sizeof(*x));
    ASSERT(x != NULL);
    *x = (struct evaluation){ .p = p, .group = g };
    x->job = (struct job){
        .lane = LANE_RULES, .run = run_group, .done = group_done, .loop = p->env.collect
    };
    pool_submit(p->env.pool, &x->job);
}

static void run_store(struct job *j)
{
    struct prometheus *p = CONTAINER_OF(j, struct prometheus, store_job);
    p->store_due = tsdb_tick(p->tsdb, clock_now_ms());
}

static void store_done(struct job *j)
{
    struct prometheus *p = CONTAINER_OF(j, struct prometheus, store_job);
    if (!j->cancel) set_timer(&p->store_timer, p->store_due, clock_now_ms());
}

static void on_store_timer(void *ctx)
{
    struct prometheus *p = ctx;
    p->store_job = (struct job){
        .lane = LANE_RULES, .run = run_store, .done = store_done, .loop = p->env.collect
    };
    pool_submit(p->env.pool, &p->store_job);
}

/* Compaction and the like: in the background lane, for as long as it takes; commits and queries do not wait for it. */
static void run_upkeep(struct job *j)
{
    struct prometheus *p = CONTAINER_OF(j, struct prometheus, upkeep_job);
    p->upkeep_due = tsdb_upkeep(p->tsdb, clock_now_ms());
}

static void upkeep_done(struct job *j)
{
    struct prometheus *p = CONTAINER_OF(j, struct prometheus, upkeep_job);
    if (!j->cancel) set_timer(&p->upkeep_timer, p->upkeep_due, clock_now_ms());
}

static void on_upkeep_timer(void *ctx)
{
    struct prometheus *p = ctx;
    p->upkeep_job = (struct job){
        .lane = LANE_BACK, .run = run_upkeep, .done = upkeep_done, .loop = p->env.collect
    };
    pool_submit(p->env.pool, &p->upkeep_job);
}

static void report_damage(void *ctx, const struct tsdb_report *r)
{
    (void)ctx;
    LOG(WARN, "storage", kv("text", r->text), kv("file", r->file), kv("offset", r->offset),
        kv("dropped_bytes", r->dropped));
}

/* --- configuration --- */

struct sources {
    VEC(struct rules_source) v;
};

static enum err read_rule_files(struct arena *a, const struct prom_config *c, struct sources *out,
                                struct diag *d)
{
    for (size_t i = 0; i < c->rule_files.n; i++) {
        struct str *paths;
        size_t n;
        TRY(file_glob(a, c->rule_files.v[i], &paths, &n, d));
        for (size_t k = 0; k < n; k++) {
            struct rules_source s = { .path = paths[k] };
            TRY(file_read(a, s.path, RULE_FILE_MAX, &s.text, d));
            *vec_push(a, &out->v) = s;
        }
    }
    return OK;
}

static void log_bad_targets(struct prometheus *p)
{
    ARENA(a, 0);
    struct targets_status t;
    scrape_targets(p->scrape, &a, &t);
    for (size_t i = 0; i < t.bad_n; i++) {
        BUF(labels, 0);
        labels_write(&labels, t.bad[i].discovered);
        LOG(ERROR, "Creating target failed", kv("scrape_pool", t.bad[i].job),
            kv("err", t.bad[i].why), kv("target", buf_str(&labels)));
    }
}

void prometheus_targets_changed(struct prometheus *p)
{
    log_bad_targets(p);
    on_scrape_timer(p);
}

/* Everything is read and checked before anything is changed. */
static enum err apply(struct prometheus *p, struct prom_config *c, struct diag *d)
{
    ARENA(a, 0);
    struct sources s = { 0 };
    const struct rules_settings settings = {
        .interval_ms = c->global.evaluation_interval_ms,
        .query_offset_ms = c->global.rule_query_offset_ms,
        .external_labels = c->global.external_labels,
        .external_url = p->external_url,
    };
    int64_t now = clock_now_ms();
    TRY(read_rule_files(&a, c, &s, d));
    TRY(rules_load(p->rules, &settings, s.v.v, s.v.n, now, d));
    scrape_manager_seed(p->scrape, scrape_offset_seed(c->global.external_labels));
    scrape_manager_apply(p->scrape, c, now);
    log_bad_targets(p);
    notify_apply(p->notify, c);
    prometheus_discovery_apply(p, c);
    prometheus_remote_apply(p, c);
    pthread_mutex_lock(&p->lock);
    struct prom_config *was = p->config;
    p->config = prom_config_ref(c);
    p->config_loaded_ms = now;
    /* The file's retention wins over the flags'. */
    tsdb_set_retention(
        p->tsdb, c->tsdb.retention_ms ? c->tsdb.retention_ms : p->cfg->retention_ms,
        (uint64_t)(c->tsdb.retention_size ? c->tsdb.retention_size : p->cfg->retention_bytes));
    pthread_mutex_unlock(&p->lock);
    prom_config_unref(was);
    return OK;
}

/* With line and column, where the mistake has them. */
static enum err config_error(const struct prometheus *p, enum err e, const struct diag *why,
                             struct diag *d)
{
    char place[32] = "";
    if (why->line) (void)snprintf(place, sizeof(place), "%u:%u: ", why->line, why->col);
    return diag_set(d, e, "couldn't load configuration (--config.file=\"" STR_FMT "\"): %s%s",
                    STR_ARG(p->cfg->config_file), place, why->text);
}

static enum err load(struct prometheus *p, struct diag *d)
{
    struct prom_config *c = NULL;
    struct diag why = { 0 };
    LOG(INFO, "Loading configuration file", kv("filename", p->cfg->config_file));
    enum err e = prom_config_load(p->cfg->config_file, &c, &why);
    if (e != OK) return config_error(p, e, &why, d);
    e = apply(p, c, d);
    prom_config_unref(c);
    if (e == OK) {
        LOG(INFO, "Completed loading of configuration file", kv("filename", p->cfg->config_file));
    }
    return e;
}

enum err prometheus_reload(struct prometheus *p, struct diag *d)
{
    enum err e = load(p, d);
    pthread_mutex_lock(&p->lock);
    p->config_ok = e == OK;
    p->config_tried_ms = clock_now_ms();
    pthread_mutex_unlock(&p->lock);
    if (e == OK) {
        on_scrape_timer(p);
        on_rules_timer(p);
    }
    return e;
}

static enum err reload(void *state, struct diag *d) { return prometheus_reload(state, d); }

/* --- start and stop --- */

static enum err split_address(struct str listen, struct str *address, uint16_t *port,
                              struct diag *d)
{
    size_t colon = STR_NONE;
    uint64_t n;
    for (size_t i = 0; i < listen.n; i++) colon = listen.p[i] == ':' ? i : colon;
    if (colon == STR_NONE || num_parse_u64(str_from(listen, colon + 1), &n) != OK || n > 65535) {
        return diag_set(d, ERR_SYNTAX,
                        "web.listen-address \"" STR_FMT "\" is not of the form [HOST]:PORT",
                        STR_ARG(listen));
    }
    *address = str_first(listen, colon);
    *port = (uint16_t)n;
    return OK;
}

static void set_external_url(struct prometheus *p, uint16_t port)
{
    struct str url = p->cfg->external_url;
    if (!url.n) url = arena_fmt(&p->arena, "http://%s:%u", proc_hostname(), port);
    while (url.n && url.p[url.n - 1] == '/') url.n--;
    p->external_url = arena_dup(&p->arena, url);
}

static void note_progress(void *ctx, unsigned min, unsigned max, unsigned current)
{
    struct prometheus *p = ctx;
    p->replay_min = min;
    p->replay_max = max;
    p->replay_current = current;
}

static enum err open_store(struct prometheus *p, struct diag *d)
{
    const struct tsdb_options o = {
        .dir = p->cfg->storage_path,
        .chunk_range_ms = p->cfg->min_block_ms,
        .max_range_ms = p->cfg->max_block_ms,
        .retention_ms = p->cfg->retention_ms,
        .retention_bytes = (uint64_t)p->cfg->retention_bytes,
        .delay_compact_file = p->cfg->delay_compact_file,
        .segment_bytes = (uint64_t)p->cfg->wal_segment_bytes,
        .no_lock_file = p->cfg->no_lockfile,
        .no_wal_compression = !p->cfg->wal_compression,
        .report = report_damage,
        .progress = note_progress,
        .ctx = p,
    };
    return tsdb_open(&o, &p->tsdb, d);
}

static void make_engines(struct prometheus *p)
{
    const struct promql_options po = prometheus_promql_options(p, p->cfg->lookback_ms,
                                                               p->cfg->query_timeout_ms);
    prometheus_reader_start(p);
    p->evaluator = promql_new(remote_reader_queryable(p->reader), &po);
    p->notify = notify_new(p->env.collect, (size_t)p->cfg->queue_capacity,
                           (size_t)p->cfg->batch_size);
    p->receiver = remote_receiver_new(tsdb_appendable(p->tsdb));
    const struct rules_env re = {
        .evaluator = p->evaluator,
        .queryable = remote_reader_queryable(p->reader),
        .appendable = tsdb_appendable(p->tsdb),
        .notifier = notify_notifier(p->notify),
        .outage_tolerance_ms = p->cfg->outage_tolerance_ms,
        .for_grace_ms = p->cfg->grace_ms,
        .resend_delay_ms = p->cfg->resend_delay_ms,
        .mono_ns = clock_mono_ns,
        .warn = warn_of_rules,
        .start = start_group,
        .ctx = p,
    };
    p->rules = rules_new(&re);
    struct str agent = arena_fmt(&p->arena, "Prometheus/%s", p->env.version);
    p->net = scrape_net_new(p->env.collect, p->env.pool, agent, on_scrape_timer, p);
    const struct scrape_options so = {
        .store = tsdb_appendable(p->tsdb),
        .env = scrape_net_env(p->net),
    };
    p->scrape = scrape_manager_new(&so);
    prometheus_discovery_start(p, agent);
    prometheus_remote_start(p);
}

/* A file that does not load is said before the log is read. */
static enum err check_config(const struct prometheus *p, struct diag *d)
{
    struct prom_config *c = NULL;
    struct diag why = { 0 };
    enum err e = prom_config_load(p->cfg->config_file, &c, &why);
    prom_config_unref(c);
    return e == OK ? OK : config_error(p, e, &why, d);
}

static enum err listen_on(struct prometheus *p, struct str address, uint16_t port, struct diag *d)
{
    const struct http_server_options o = {
        .address = str_eqc(address, "0.0.0.0") ? STR("") : address,
        .port = port,
        .routes = PROMETHEUS_ROUTES,
        .ctx = p,
        .body_max = 32 << 20,
        .max_connections = (unsigned)p->cfg->max_connections,
        .before = prometheus_before,
        .web = p->web,
        .idle_ms = p->cfg->read_timeout_ms,
    };
    if (p->servers_n == ARRAY_LEN(p->servers)) {
        return diag_set(d, ERR_LIMIT, "more than %zu addresses to listen on", p->servers_n);
    }
    TRY(http_server_open(p->env.serve, p->env.pool, &o, &p->servers[p->servers_n], d));
    p->servers_n++;
    return OK;
}

static enum err listen_all(struct prometheus *p, struct str address, uint16_t port, struct diag *d)
{
    TRY(listen_on(p, address, port, d));
    for (size_t i = 1; i < p->cfg->listens.n; i++) {
        TRY(split_address(p->cfg->listens.v[i], &address, &port, d));
        TRY(listen_on(p, address, port, d));
    }
    return OK;
}

/* The store is opened by a worker; meanwhile this thread, whose loops do not run yet, answers that it is not ready. */
struct opening {
    struct job job;
    struct prometheus *p;
    enum err e;
    struct diag *d;
    _Atomic(bool) over;
};

static void run_opening(struct job *j)
{
    struct opening *x = (struct opening *)(void *)j;
    struct loop *serve = x->p->env.serve;
    x->e = open_store(x->p, x->d);
    x->over = true; /* x is gone from here on */
    loop_nudge(serve);
}

static enum err replay(struct prometheus *p, struct diag *d)
{
    struct opening x = { .job = { .lane = LANE_BACK, .run = run_opening }, .p = p, .d = d };
    pool_submit(p->env.pool, &x.job);
    loop_run_until(p->env.serve, &x.over);
    return x.e;
}

static enum err open_all(struct prometheus *p, struct diag *d)
{
    struct str address;
    uint16_t port;
    TRY(prometheus_web_init(p, d));
    TRY(split_address(p->cfg->listens.n ? p->cfg->listens.v[0] : STR("0.0.0.0:9090"), &address,
                      &port, d));
    set_external_url(p, port);
    TRY(check_config(p, d));
    TRY(listen_all(p, address, port, d));
    TRY(replay(p, d));
    make_engines(p);
    TRY(load(p, d));
    p->config_ok = true;
    p->ready = true;
    return OK;
}

static void stop(void *state)
{
    struct prometheus *p = state;
    if (!p) return;
    for (size_t i = 0; i < p->servers_n; i++) http_server_close(p->servers[i]);
    web_door_free(p->web);
    regex_free(p->cors);
    timer_done(&p->scrape_timer);
    timer_done(&p->rules_timer);
    timer_done(&p->store_timer);
    timer_done(&p->upkeep_timer);
    timer_done(&p->reload_timer);
    remote_writer_free(p->writer, p->cfg->flush_deadline_ms);
    discovery_free(p->discovery);
    if (p->scrape) scrape_manager_free(p->scrape);
    if (p->net) scrape_net_free(p->net);
    rules_free(p->rules);
    notify_free(p->notify);
    remote_receiver_free(p->receiver);
    promql_free(p->evaluator);
    remote_reader_free(p->reader);
    tsdb_close(p->tsdb);
    prom_config_unref(p->config);
    pthread_mutex_destroy(&p->lock);
    arena_done(&p->arena);
    free(p);
}

static enum err start(const struct role_env *env, const void *config, void **state, struct diag *d)
{
    struct prometheus *p = calloc(1, sizeof(*p));
    ASSERT(p != NULL);
    p->env = *env;
    p->cfg = config;
    p->started_ms = clock_now_ms();
    pthread_mutex_init(&p->lock, NULL);
    LOG(INFO, "Starting Prometheus Server", kv("mode", "server"), kv("version", env->version));
    timer_init(&p->scrape_timer, env->collect, on_scrape_timer, p);
    timer_init(&p->rules_timer, env->collect, on_rules_timer, p);
    timer_init(&p->store_timer, env->collect, on_store_timer, p);
    timer_init(&p->upkeep_timer, env->collect, on_upkeep_timer, p);
    enum err e = open_all(p, d);
    if (e != OK) {
        stop(p);
        return e;
    }
    prometheus_autoreload_start(p);
    timer_set(&p->scrape_timer, 0);
    timer_set(&p->rules_timer, 0);
    timer_set(&p->store_timer, 1000);
    timer_set(&p->upkeep_timer, 1500);
    LOG(INFO, "Server is ready to receive web requests.", kv("role", "prometheus"),
        kv("port", http_server_port(p->servers[0])));
    *state = p;
    return OK;
}

static const char *const LINKS[] = { "prometheus", NULL };

const struct role prometheus_role = {
    .name = "prometheus",
    .argv0 = LINKS,
    .port = 9090,
    .summary = "scrapes, keeps and queries series, evaluates rules, in Prometheus' place",
    .flags = PROMETHEUS_FLAGS,
    .config_size = sizeof(struct prometheus_config),
    .refusal = 2,
    .start = start,
    .reload = reload,
    .stop = stop,
};
