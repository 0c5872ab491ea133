/* SPDX-License-Identifier: Apache-2.0 */
#include "roles/jmx_exporter/jmx_exporter.h"

#include "base/log.h"
#include "codec/num.h"
#include "io/file.h"
#include "roles/jmx_exporter/exporter.h"

#include <stdlib.h>

#define FILE_MAX ((size_t)16 << 20)

#define FLAG(name_, type_, field, deflt_, help_)                                                   \
    {                                                                                              \
        .name = (name_), .type = (type_), .offset = offsetof(struct jmx_exporter_config, field),   \
        .deflt = (deflt_), .help = (help_)                                                         \
    }

static const struct flag FLAGS[] = {
    FLAG("config.file", FLAG_STR, file, NULL,
         "jmx_exporter's YAML file: hostPort or jmxUrl, object names, rules."),
    FLAG("web.listen-address", FLAG_STR, listen, ":5556",
         "Address to listen on for /metrics, as [HOST:]PORT."),
    FLAG("jmx", FLAG_STRS, jmx, NULL,
         "HOST:PORT of a JMX server (repeatable); these instead of the file's."),
    { .name = "compat",
      .type = FLAG_ENUM,
      .offset = offsetof(struct jmx_exporter_config, compat),
      .deflt = "",
      .choices = "|0.x|1.x",
      .help =
          "Names as jmx_exporter 0.x or 1.x leaves them; by default as the file's `compat` says, else 1.x." },
    FLAG("scrape.timeout", FLAG_DURATION, timeout_ms, "9500ms",
         "Longest time a request waits for the targets when its sender names none."),
    FLAGS_LOG(struct jmx_exporter_config),
    { .name = NULL },
};

/* [HOST:]PORT, parted at the last colon; without a host all addresses. */
static enum err parse_listen(struct str text, struct str *host, uint16_t *port, struct diag *d)
{
    uint64_t n;
    size_t colon = text.n;
    while (colon > 0 && text.p[colon - 1] != ':') colon--;
    if (num_parse_u64(str_from(text, colon), &n) != OK || n > 65535) {
        return diag_set(d, ERR_SYNTAX, "expected [HOST:]PORT to listen on, got \"%.*s\"",
                        STR_ARG(text));
    }
    *host = colon > 1 ? str_first(text, colon - 1) : STR("");
    *port = (uint16_t)n;
    return OK;
}

/* As the original: [HOST:]PORT CONFIG_FILE. */
static enum err positional(void *config, const struct flag_strs *rest, struct arena *a,
                           struct diag *d)
{
    struct jmx_exporter_config *c = config;
    (void)a;
    if (rest->n == 0) return OK;
    if (rest->n != 2) {
        return diag_set(d, ERR_SYNTAX, "expected two arguments: [HOST:]PORT CONFIG_FILE%s",
                        rest->n == 1 ? "; pushing to OpenTelemetry, which one argument asks for, "
                                       "is not supported"
                                     : "");
    }
    c->listen = rest->v[0];
    c->file = rest->v[1];
    return OK;
}

static enum err load_rules(const struct jmx_exporter_config *c, struct jmx_config **out,
                           struct diag *d)
{
    ARENA(a, 0);
    struct str text = c->text;
    struct jmx_config *rules;
    if (c->file.n) TRY(file_read(&a, c->file, FILE_MAX, &text, d));
    struct diag why = { 0 };
    enum err e = jmx_config_parse(text.p ? text : STR(""), &rules, &why);
    struct str name = c->file.n ? c->file : STR("the built-in configuration");
    if (e != OK) {
        return diag_set(d, e, "%.*s:%u:%u: %s", STR_ARG(name), why.line, why.col, why.text);
    }
    if (rules->refused.n) {
        e = diag_set(d, ERR_UNSUPPORTED, "%.*s: line %u, column %u: %.*s", STR_ARG(name),
                     rules->refused_line, rules->refused_col, STR_ARG(rules->refused));
        jmx_config_unref(rules);
        return e;
    }
    for (const struct yaml_warning *w = rules->warnings; w; w = w->next) {
        LOG(WARN, "configuration", kv("file", name), kv("line", w->line), kv("col", w->col),
            kv("about", w->text));
    }
    *out = rules;
    return OK;
}

static enum err named_targets(const struct jmx_exporter_config *c, const struct jmx_config *rules,
                              struct arena *a, struct jmx_endpoint **out, size_t *n, struct diag *d)
{
    if (c->jmx.n == 0) {
        *out = rules->endpoints;
        *n = rules->endpoints_n;
        return OK;
    }
    struct jmx_endpoint *v = arena_array(a, c->jmx.n, sizeof(*v));
    for (size_t i = 0; i < c->jmx.n; i++) {
        bool url = str_starts(c->jmx.v[i], STR("service:"));
        TRY((url ? jmx_endpoint_of_url : jmx_endpoint_of_host_port)(c->jmx.v[i], a, &v[i], d));
    }
    *out = v;
    *n = c->jmx.n;
    return OK;
}

static void set_label(struct exporter *x, size_t targets)
{
    bool several = targets > 1 || (targets == 0 && x->config.open_later);
    x->label = x->rules->target_label;
    if (x->label.n == 0 && several) x->label = STR("broker");
    x->label = arena_dup(&x->arena, x->label);
    x->compat_0x = x->config.compat.n ? str_eqc(x->config.compat, "0.x") : x->rules->compat_0x;
    x->rules->compat_0x = x->compat_0x;
}

static void remove_targets(struct exporter *x)
{
    for (size_t i = 0; i < x->rows_n; i++) {
        link_free(x->rows[i]->link);
        free(x->rows[i]);
    }
    for (size_t i = 0; i < x->probes_n; i++) probe_free(x->probes[i]);
    x->rows_n = x->probes_n = 0;
}

static enum err add_targets(struct exporter *x, struct diag *d)
{
    ARENA(a, 0);
    struct jmx_endpoint *v = NULL;
    size_t n = 0;
    TRY(named_targets(&x->config, x->rules, &a, &v, &n, d));
    if (n == 0 && !x->config.open_later) {
        return diag_set(d, ERR_MISSING,
                        "no JMX server to read: set hostPort in the configuration file, or give "
                        "--jmx HOST:PORT");
    }
    set_label(x, n);
    x->named = n > 0;
    for (size_t i = 0; i < n; i++) exporter_add_endpoint(x, &v[i]);
    return OK;
}

/* Strings of the flags may go after start(): ours must not. */
static struct str kept(struct exporter *x, struct str s)
{
    return s.p ? arena_dup(&x->arena, s) : s;
}

static void keep_config(struct exporter *x, const struct jmx_exporter_config *c)
{
    x->config = *c;
    x->config.listen = kept(x, c->listen);
    x->config.file = kept(x, c->file);
    x->config.text = kept(x, c->text);
    x->config.compat = kept(x, c->compat);
    x->config.jmx.v = arena_array(&x->arena, c->jmx.n, sizeof(struct str));
    for (size_t i = 0; i < c->jmx.n; i++) x->config.jmx.v[i] = kept(x, c->jmx.v[i]);
    if (x->config.timeout_ms <= 0) x->config.timeout_ms = 9500;
}

static void stop(void *state)
{
    struct exporter *x = state;
    if (!x) return;
    http_server_close(x->server);
    render_free(x->render);
    remove_targets(x);
    timer_done(&x->deadline);
    LIST_FOR(it, &x->waiting) {
        struct waiter *w = CONTAINER_OF(it, struct waiter, in_waiting);
        list_remove(it);
        http_reply_text(w->req, 503, "shutting down\n");
        free(w);
    }
    jmx_config_unref(x->rules);
    jmx_config_unref(x->pending);
    free(x->rows);
    free(x->probes);
    arena_done(&x->arena);
    free(x);
}

/* So that the first request finds connections open and classes known. */
static void warm_up(void *ctx)
{
    struct exporter *x = ctx;
    if (x->state == CYCLE_IDLE) cycle_begin(x);
}

static enum err listen(struct exporter *x, struct diag *d)
{
    struct str host;
    uint16_t port;
    TRY(parse_listen(x->config.listen, &host, &port, d));
    struct http_server_options o = {
        .address = host,
        .port = port,
        .routes = EXPORTER_ROUTES,
        .ctx = x,
        .not_found = exporter_not_found,
    };
    TRY(http_server_open(x->env.serve, x->env.pool, &o, &x->server, d));
    LOG(INFO, "listening", kv("address", x->config.listen),
        kv("port", http_server_port(x->server)));
    return OK;
}

static enum err start(const struct role_env *env, const void *config, void **state, struct diag *d)
{
    struct jmx_exporter_config c = *(const struct jmx_exporter_config *)config;
    struct jmx_config *rules;
    TRY(load_rules(&c, &rules, d));
    struct exporter *x = calloc(1, sizeof(*x));
    if (!x) abort();
    x->env = *env;
    x->rules = rules;
    keep_config(x, &c);
    cycle_init(x);
    enum err e = add_targets(x, d);
    if (e == OK) e = listen(x, d);
    if (e != OK) {
        stop(x);
        return e;
    }
    loop_post(env->collect, warm_up, x);
    *state = x;
    return OK;
}

/* Targets begin anew under the new rules. Only between two cycles: a job may be reading samples. */
void exporter_take_rules(struct exporter *x, struct jmx_config *c)
{
    struct diag d;
    if (x->state != CYCLE_IDLE) {
        jmx_config_unref(x->pending);
        x->pending = c;
        return;
    }
    remove_targets(x);
    jmx_config_unref(x->rules);
    x->rules = c;
    if (add_targets(x, &d) != OK) LOG(ERROR, "no targets after the reload", kv("err", d.text));
    cycle_begin(x);
}

static enum err reload(void *state, struct diag *d)
{
    struct exporter *x = state;
    struct jmx_config *rules;
    struct jmx_endpoint *v = NULL;
    size_t n = 0;
    ARENA(a, 0);
    enum err e = load_rules(&x->config, &rules, d);
    if (e == OK) e = named_targets(&x->config, rules, &a, &v, &n, d);
    if (e == OK && n == 0 && !x->config.open_later) {
        e = diag_set(d, ERR_MISSING, "the new file names no JMX server; the old one stays");
    }
    x->reloads_good += e == OK;
    x->reloads_bad += e != OK;
    if (e == OK) exporter_take_rules(x, rules);
    return e;
}

static const char *const LINKS[] = { "jmx_exporter", "jmx_prometheus_httpserver",
                                     "jmx_prometheus_standalone", NULL };

const struct role jmx_exporter_role = {
    .name = "jmx-exporter",
    .argv0 = LINKS,
    .port = 5556,
    .summary = "metrics of Kafka's (or any JVM's) MBeans, read without a JVM",
    .flags = FLAGS,
    .config_size = sizeof(struct jmx_exporter_config),
    .positional = positional,
    .start = start,
    .reload = reload,
    .stop = stop,
};
