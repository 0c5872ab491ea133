/* SPDX-License-Identifier: Apache-2.0 */
#include "roles/kafka_exporter/kafka_exporter.h"

#include "base/assert.h"
#include "base/list.h"
#include "base/log.h"
#include "codec/num.h"
#include "codec/regex.h"
#include "io/clock.h"
#include "io/http_server.h"
#include "kafka/collector.h"
#include "roles/kafka_exporter/options.h"
#include "roles/kafka_exporter/page.h"

#include <pthread.h>
#include <stdlib.h>

enum { PARKED_MAX = 64 /* scrapes that wait for the first snapshot */ };

struct exporter {
    struct arena mem;
    struct page_options page;
    struct regex *topic_filter, *topic_exclude, *group_filter, *group_exclude;
    struct pool *pool;
    struct kafka_net_loop *net;
    struct kafka_collector *collector;
    struct http_server *server;
    struct http_route routes[5];
    struct str telemetry_path;
    pthread_mutex_t lock;
    struct http_req *parked[PARKED_MAX]; /* under lock */
    size_t parked_n;

    /* Of the collect loop: what was logged last, so that a lasting problem is one line. */
    struct str logged;
    bool was_reachable, published;
};

/* ---- what the collector asks of us ---- */

static bool want_topic(void *ctx, struct str name)
{
    const struct exporter *x = ctx;
    return regex_match(x->topic_filter, name) && !regex_match(x->topic_exclude, name);
}

static bool want_group(void *ctx, struct str id)
{
    const struct exporter *x = ctx;
    return regex_match(x->group_filter, id) && !regex_match(x->group_exclude, id);
}

static int64_t tick(void *ctx, int64_t now_ms)
{
    struct exporter *x = ctx;
    return kafka_collector_tick(x->collector, now_ms);
}

/* ---- pages ---- */

/* 503 with the body when nobody is reachable: up falls to 0, and whoever reads the page sees why. */
static void reply_metrics(struct exporter *x, struct http_req *req, const struct kafka_snapshot *s)
{
    enum { UNAVAILABLE = 503 };
    BUF(b, 0);
    page_write(&b, &x->page, s, clock_mono_ms());
    http_reply(req, s->reachable ? 200 : UNAVAILABLE, EXPO_CONTENT_TYPE, &b);
}

/* False when there is a snapshot meanwhile, or no room to wait. */
static bool park(struct exporter *x, struct http_req *req)
{
    const struct kafka_snapshot *s = NULL;
    pthread_mutex_lock(&x->lock);
    bool parked = !(s = kafka_collector_snapshot(x->collector)) && x->parked_n < PARKED_MAX;
    if (parked) x->parked[x->parked_n++] = req;
    pthread_mutex_unlock(&x->lock);
    kafka_snapshot_unref(s);
    return parked;
}

static void on_metrics(struct http_req *req)
{
    struct exporter *x = req->ctx;
    const struct kafka_snapshot *s = kafka_collector_snapshot(x->collector);
    if (!s) {
        if (park(x, req)) return;
        s = kafka_collector_snapshot(x->collector);
    }
    if (s) {
        reply_metrics(x, req, s);
    } else {
        http_reply_text(req, 503, "no answer of a broker yet\n");
    }
    kafka_snapshot_unref(s);
}

static void on_root(struct http_req *req)
{
    const struct exporter *x = req->ctx;
    BUF(b, 0);
    buf_fmt(&b,
            "<html>\n\t        <head><title>Kafka Exporter</title></head>\n\t        <body>\n"
            "\t        <h1>Kafka Exporter</h1>\n"
            "\t        <p><a href='" STR_FMT "'>Metrics</a></p>\n\t        </body>\n"
            "\t        </html>",
            STR_ARG(x->telemetry_path));
    http_reply(req, 200, "text/html; charset=utf-8", &b);
}

static void on_healthz(struct http_req *req) { http_reply_text(req, 200, "ok"); }

/* A scrape that came before the first snapshot, on its way to a worker. */
struct late_scrape {
    struct job job;
    struct http_req *req;
};

static void late_run(struct job *j) { on_metrics(CONTAINER_OF(j, struct late_scrape, job)->req); }
static void late_done(struct job *j) { free(CONTAINER_OF(j, struct late_scrape, job)); }

static void unpark(struct exporter *x)
{
    pthread_mutex_lock(&x->lock);
    for (; x->parked_n; x->parked_n--) {
        struct late_scrape *late = calloc(1, sizeof(*late));
        ASSERT(late != NULL);
        late->req = x->parked[x->parked_n - 1];
        late->job.lane = LANE_QUERY;
        late->job.run = late_run;
        late->job.done = late_done;
        pool_submit(x->pool, &late->job);
    }
    pthread_mutex_unlock(&x->lock);
}

/* ---- the log ---- */

static void told(struct exporter *x, struct str text)
{
    free((char *)(uintptr_t)x->logged.p);
    char *p = malloc(text.n + 1);
    ASSERT(p != NULL);
    memcpy(p, text.p ? text.p : "", text.n);
    p[text.n] = 0;
    x->logged = str_make(p, text.n);
}

/* All problems of a snapshot, once, when they change. */
static void log_changes(struct exporter *x, const struct kafka_snapshot *s)
{
    BUF(all, 0);
    buf_put(&all, s->problem);
    for (size_t i = 0; i < s->brokers_n; i++) buf_put(&all, s->brokers[i].problem);
    bool same = x->published && x->was_reachable == s->reachable &&
                str_eq(buf_str(&all), x->logged);
    bool back = s->reachable && !x->was_reachable;
    x->published = true;
    x->was_reachable = s->reachable;
    if (same) return;
    told(x, buf_str(&all));
    if (back) {
        LOG(INFO, "Kafka answers", kv("brokers", s->brokers_n), kv("topics", s->topics_n),
            kv("groups", s->groups_n));
    }
    if (!s->reachable) LOG(ERROR, "no broker is reachable", kv("err", s->problem));
    for (size_t i = 0; i < s->brokers_n; i++) {
        if (s->brokers[i].problem.n && !str_eq(s->brokers[i].problem, s->problem)) {
            LOG(WARN, "a broker has a problem", kv("broker", s->brokers[i].id),
                kv("err", s->brokers[i].problem));
        }
    }
}

static void on_publish(void *ctx, const struct kafka_snapshot *s)
{
    struct exporter *x = ctx;
    log_changes(x, s);
    unpark(x);
}

/* ---- start and stop ---- */

static enum err compile(const char *flag, struct str pattern, struct regex **out, struct diag *d)
{
    struct diag why = { 0 };
    enum err e = regex_compile(pattern, REGEX_RE2_PART, out, &why);
    return e == OK ? OK : diag_set(d, e, "--%s: %s", flag, why.text);
}

static enum err compile_filters(struct exporter *x, const struct kafka_exporter_options *o,
                                struct diag *d)
{
    TRY(compile("topic.filter", o->topic_filter, &x->topic_filter, d));
    TRY(compile("topic.exclude", o->topic_exclude, &x->topic_exclude, d));
    TRY(compile("group.filter", o->group_filter, &x->group_filter, d));
    return compile("group.exclude", o->group_exclude, &x->group_exclude, d);
}

/* ":9308", "127.0.0.1:9308", "[::1]:9308". */
static enum err split_address(struct str s, struct str *host, uint16_t *port, struct diag *d)
{
    size_t colon = s.n;
    uint64_t number = 0;
    while (colon && s.p[colon - 1] != ':') colon--;
    if (!colon || num_parse_u64(str_from(s, colon), &number) != OK || number > UINT16_MAX) {
        return diag_set(d, ERR_SYNTAX, "--web.listen-address \"" STR_FMT "\": expected [host]:port",
                        STR_ARG(s));
    }
    *host = str_first(s, colon - 1);
    *port = (uint16_t)number;
    return OK;
}

static enum err open_server(struct exporter *x, const struct role_env *env,
                            const struct kafka_exporter_options *o, struct diag *d)
{
    struct http_server_options h = { .routes = x->routes, .ctx = x };
    TRY(split_address(o->listen_address, &h.address, &h.port, d));
    size_t n = 0;
    x->telemetry_path = arena_dup(&x->mem, o->telemetry_path);
    x->routes[n++] = (struct http_route){ HTTP_GET, x->telemetry_path.p, on_metrics, ON_QUERY,
                                          "metrics of the cluster" };
    x->routes[n++] = (struct http_route){ HTTP_GET, "/healthz", on_healthz, ON_LOOP, "ok" };
    if (!str_eqc(x->telemetry_path, "/")) {
        x->routes[n++] = (struct http_route){ HTTP_GET, "/", on_root, ON_LOOP, "a link" };
    }
    return http_server_open(env->serve, env->pool, &h, &x->server, d);
}

static enum err start_collector(struct exporter *x, const struct role_env *env,
                                const struct kafka_exporter_options *o, struct diag *d)
{
    struct kafka_collector_options c = {
        .servers = o->servers.v,
        .servers_n = o->servers.n,
        .interval_ms = o->collect_interval_ms,
        .log_dirs_ms = o->log_dirs_interval_ms,
        .connect_timeout_ms = o->connect_timeout_ms,
        .request_timeout_ms = o->request_timeout_ms,
        .response_max = (size_t)o->response_max,
        .client_id = STR("vigie-kafka-exporter"),
        .want_topic = want_topic,
        .want_group = want_group,
        .on_publish = on_publish,
        .ctx = x,
    };
    x->net = kafka_net_loop_new(env->collect, tick, x);
    return kafka_collector_start(kafka_net_of(x->net), &c, &x->collector, d);
}

static void exporter_stop(void *state)
{
    struct exporter *x = state;
    if (!x) return;
    http_server_close(x->server);
    kafka_collector_stop(x->collector);
    kafka_net_loop_free(x->net);
    regex_free(x->topic_filter);
    regex_free(x->topic_exclude);
    regex_free(x->group_filter);
    regex_free(x->group_exclude);
    pthread_mutex_destroy(&x->lock);
    free((char *)(uintptr_t)x->logged.p);
    arena_done(&x->mem);
    free(x);
}

/* The collector first: a request that comes in finds it. Nothing of it runs before the loops do. */
static enum err exporter_open(struct exporter *x, const struct role_env *env,
                              const struct kafka_exporter_options *o, struct diag *d)
{
    x->pool = env->pool;
    x->page.show_all = o->offset_show_all;
    x->page.version = str_c(env->version);
    TRY(page_labels(arena_dup(&x->mem, o->labels), &x->page, d));
    TRY(compile_filters(x, o, d));
    TRY(start_collector(x, env, o, d));
    return open_server(x, env, o, d);
}

static enum err exporter_start(const struct role_env *env, const void *config, void **state,
                               struct diag *d)
{
    const struct kafka_exporter_options *o = config;
    struct exporter *x = calloc(1, sizeof(*x));
    ASSERT(x != NULL);
    pthread_mutex_init(&x->lock, NULL);
    LOG(INFO, "Starting kafka_exporter", kv("version", env->version));
    enum err e = exporter_open(x, env, o, d);
    if (e != OK) {
        exporter_stop(x);
        return e;
    }
    if (o->zookeeper) {
        LOG(WARN, "offsets kept in ZooKeeper are not read: no client of this century puts them "
                  "there; --use.consumelag.zookeeper changes nothing");
    }
    LOG(INFO, "Listening on HTTP", kv("role", "kafka-exporter"),
        kv("port", http_server_port(x->server)), kv("path", x->telemetry_path));
    *state = x;
    return OK;
}

size_t kafka_exporter_hosts(void *state, struct arena *a, struct str **hosts)
{
    struct exporter *x = state;
    const struct kafka_snapshot *s = kafka_collector_snapshot(x->collector);
    if (!s) return 0;
    size_t n = s->brokers_n;
    *hosts = arena_array(a, n, sizeof(struct str));
    for (size_t i = 0; i < n; i++) (*hosts)[i] = arena_dup(a, s->brokers[i].host);
    kafka_snapshot_unref(s);
    return n;
}

const struct role kafka_exporter_role = {
    .name = "kafka-exporter",
    .argv0 = (const char *const[]){ "kafka_exporter", NULL },
    .port = 9308,
    .summary = "Kafka's topics, consumer groups and brokers as metrics, over Kafka's own protocol",
    .flags = KAFKA_EXPORTER_FLAGS,
    .config_size = sizeof(struct kafka_exporter_options),
    .start = exporter_start,
    .stop = exporter_stop,
};
