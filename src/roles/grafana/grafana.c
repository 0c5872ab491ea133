/* SPDX-License-Identifier: Apache-2.0 */
#include "roles/grafana/grafana.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/log.h"
#include "io/clock.h"
#include "roles/grafana/grafana_priv.h"

#include <stdlib.h>

enum { SCAN_MS = 10 * 1000 }; /* Grafana's updateIntervalSeconds */

#define FIELD(f) offsetof(struct grafana_config, f)

static const struct flag FLAGS[] = {
    { .name = "http-addr",
      .type = FLAG_STR,
      .offset = FIELD(address),
      .env = "GF_SERVER_HTTP_ADDR",
      .help = "Address to listen on; empty for all." },
    { .name = "http-port",
      .type = FLAG_INT,
      .offset = FIELD(port),
      .deflt = "3000",
      .env = "GF_SERVER_HTTP_PORT",
      .help = "Port to listen on." },
    { .name = "paths.data",
      .type = FLAG_STR,
      .offset = FIELD(data),
      .deflt = "data/grafana",
      .env = "GF_PATHS_DATA",
      .help = "Folder of users, sessions and saved dashboards." },
    { .name = "paths.provisioning",
      .type = FLAG_STR,
      .offset = FIELD(provisioning),
      .deflt = "",
      .env = "GF_PATHS_PROVISIONING",
      .help = "Folder with datasources/ and dashboards/." },
    { .name = "security.admin-user",
      .type = FLAG_STR,
      .offset = FIELD(admin_user),
      .deflt = "admin",
      .env = "GF_SECURITY_ADMIN_USER",
      .help = "Name of the first account." },
    { .name = "security.admin-password",
      .type = FLAG_STR,
      .offset = FIELD(admin_password),
      .env = "GF_SECURITY_ADMIN_PASSWORD",
      .help =
          "Its password until somebody changes it in the page. Better given by the environment: a command line can be read by others." },
    { .name = "users.default-language",
      .type = FLAG_STR,
      .offset = FIELD(language),
      .env = "GF_USERS_DEFAULT_LANGUAGE",
      .help = "en or fr; empty follows the browser." },
    { .name = "self.prometheus",
      .type = FLAG_STR,
      .offset = FIELD(self_prometheus),
      .hidden = true,
      .help = "What a data source at http://prometheus:9090 means." },
    { .name = "self.alertmanager",
      .type = FLAG_STR,
      .offset = FIELD(self_alertmanager),
      .hidden = true,
      .help = "What a data source at http://alertmanager:9093 means." },
    { .name = "self.doctor",
      .type = FLAG_STRS,
      .offset = FIELD(self_doctor),
      .hidden = true,
      .help = "An argument of `vigie run`, for the Doctor page; repeatable." },
    FLAGS_LOG(struct grafana_config),
    { .name = NULL },
};

static struct str env_of(struct str name)
{
    ARENA(a, 0);
    const char *v = getenv(
        arena_dup(&a, name).p); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
    return str_c(v ? v : "");
}

/* Files are looked at every ten seconds; what is wrong with them is said once. */
static void log_problems(struct grafana *g, const struct dash_problem *v, size_t n)
{
    uint64_t now = FNV1A_INIT;
    for (size_t i = 0; i < n; i++) {
        now = hash_fnv1a(hash_fnv1a(now, v[i].file), v[i].text);
    }
    if (now == g->problems) return;
    g->problems = now;
    for (size_t i = 0; i < n; i++) {
        LOG(WARN, "dashboard file not taken", kv("file", v[i].file), kv("err", v[i].text));
    }
}

static void log_warnings(const struct dash_provisioning *p)
{
    ARENA(a, 0);
    for (size_t i = 0; i < p->warnings_n; i++) {
        const struct dash_problem *w = &p->warnings[i];
        LOG(WARN, "provisioning", kv("file", w->file),
            kv("about", arena_fmt(&a, "%u:%u: " STR_FMT, w->line, w->col, STR_ARG(w->text))));
    }
}

static void scan_now(struct grafana *g)
{
    ARENA(a, 0);
    struct dash_problem *problems;
    size_t n;
    enum err e = dash_catalog_scan(g->catalog, g->provisioning->providers,
                                   g->provisioning->providers_n, clock_now_ms(), &a, &problems, &n);
    log_problems(g, problems, n);
    if (e != OK) LOG(ERROR, "a dashboard whose file has gone stays in the database");
}

static void run_scan(struct job *j) { scan_now(CONTAINER_OF(j, struct grafana, scan)); }

static void scan_done(struct job *j)
{
    struct grafana *g = CONTAINER_OF(j, struct grafana, scan);
    if (!j->cancel) timer_set(&g->scan_timer, SCAN_MS);
}

static void on_scan_timer(void *ctx)
{
    struct grafana *g = ctx;
    g->scan = (struct job){
        .lane = LANE_BACK, .run = run_scan, .done = scan_done, .loop = g->env.serve
    };
    pool_submit(g->env.pool, &g->scan);
}

static enum err open_all(struct grafana *g, struct diag *d)
{
    const struct grafana_config *c = &g->cfg;
    TRY(dash_store_open(c->data, &g->store, d));
    TRY(users_open(g->store, c->admin_user, secret_of(c->admin_password), &g->users, d));
    TRY(dash_catalog_open(g->store, &g->catalog, d));
    TRY(dash_provisioning_read(c->provisioning, env_of, &g->provisioning, d));
    log_warnings(g->provisioning);
    scan_now(g);
    grafana_page_init(g);
    const struct http_server_options o = {
        .address = c->address,
        .port = (uint16_t)c->port,
        .routes = GRAFANA_ROUTES,
        .ctx = g,
        .body_max = DASHBOARD_MAX_BYTES + 4096,
        .before = grafana_before,
        .not_found = grafana_page,
    };
    return http_server_open(g->env.serve, g->env.pool, &o, &g->server, d);
}

static void stop(void *state)
{
    struct grafana *g = state;
    if (!g) return;
    http_client_free(g->client);
    grafana_doctor_close(g);
    http_server_close(g->server);
    timer_done(&g->scan_timer);
    dash_provisioning_free(g->provisioning);
    dash_catalog_close(g->catalog);
    users_close(g->users);
    dash_store_close(g->store);
    free(g);
}

static enum err start(const struct role_env *env, const void *config, void **state, struct diag *d)
{
    struct grafana *g = calloc(1, sizeof(*g));
    ASSERT(g != NULL);
    g->env = *env;
    g->cfg = *(const struct grafana_config *)config;
    g->client = http_client_new(env->serve);
    grafana_doctor_open(g);
    timer_init(&g->scan_timer, env->serve, on_scan_timer, g);
    if (g->cfg.port < 0 || g->cfg.port > 65535) {
        stop(g);
        return diag_set(d, ERR_RANGE, "http-port must be between 0 and 65535");
    }
    enum err e = open_all(g, d);
    if (e != OK) {
        stop(g);
        return e;
    }
    timer_set(&g->scan_timer, SCAN_MS);
    LOG(INFO, "HTTP Server Listen", kv("role", "grafana"), kv("address", g->cfg.address),
        kv("port", http_server_port(g->server)));
    *state = g;
    return OK;
}

static const char *const LINKS[] = { "grafana", "grafana-server", NULL };

const struct role grafana_role = {
    .name = "grafana",
    .argv0 = LINKS,
    .port = 3000,
    .summary = "dashboards and the page, in Grafana's place",
    .flags = FLAGS,
    .config_size = sizeof(struct grafana_config),
    .start = start,
    .stop = stop,
};
