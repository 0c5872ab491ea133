/* SPDX-License-Identifier: Apache-2.0 */
#include "app/run.h"

#include "app/child.h"
#include "app/defaults.h"
#include "app/plan.h"
#include "app/process.h"
#include "app/roles.h"
#include "base/log.h"
#include "base/vec.h"
#include "io/file.h"
#include "io/http_client.h"
#include "io/loop.h"
#include "roles/jmx_exporter/jmx_exporter.h"
#include "roles/kafka_exporter/kafka_exporter.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

enum { ADDRESSES_MAX = 64, OFFER_FIRST_MS = 500, OFFER_MS = 15000 };

static int fail(const struct diag *d)
{
    (void)fprintf(stderr, "vigie: %s\n", d->text);
    return EXIT_FAILURE;
}

static int usage(enum err e, const struct diag *d)
{
    if (e != ERR_CANCELED) {
        (void)fprintf(stderr, "vigie: error: %s, try \"vigie run --help\"\n", d->text);
        return EXIT_FAILURE;
    }
    BUF(b, 0);
    plan_help(&b);
    (void)fwrite(b.p, 1, b.n, stdout);
    return EXIT_SUCCESS;
}

static enum err start_role(struct process *p, struct arena *a, const struct plan *plan,
                           const char *name, const struct plan_flag *set, size_t n, struct diag *d)
{
    const struct role *r = role_named(str_c(name));
    void *config = NULL;
    TRY(plan_role_config(a, plan, r, set, n, &config, d));
    if (r == &jmx_exporter_role) {
        ((struct jmx_exporter_config *)config)->open_later = true; /* see struct offers */
    }
    struct diag why = { 0 };
    enum err e = process_start(p, r, config, &why);
    return e == OK ? OK : diag_set(d, e, "%s: %s", r->name, why.text);
}

/* The user's file or the built-in one. */
static enum err find(struct arena *a, const struct plan *plan, const char *name, struct str *out,
                     struct diag *d)
{
    return defaults_path(a, plan->dir, plan->data, str_c(name), out, d);
}

/*
 * The addresses by which the five containers of docker/ and of many a user's files know each other: here they are our
 * own roles, so that one set of files serves both.
 */
static void know_containers(const struct plan *plan)
{
    static const char *const NAMES[][2] = {
        { "kafka-exporter", "kafka-exporter" },
        { "kafka-jmx-exporter", "jmx-exporter" },
        { "prometheus", "prometheus" },
        { "alertmanager", "alertmanager" },
        { "grafana", "grafana" },
    };
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        const struct role *r = role_named(str_c(NAMES[i][1]));
        char name[64], address[32];
        (void)snprintf(name, sizeof(name), "%s:%u", NAMES[i][0], r->port);
        (void)snprintf(address, sizeof(address), "127.0.0.1:%u", plan_port(plan, r));
        http_alias(name, address);
    }
}

/* The Doctor page runs `vigie doctor` with the arguments that we were given; a password is none of its business. */
static size_t add_doctor(struct plan_flag *set, size_t n, const struct plan *plan, int argc,
                         char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strstr(argv[i], "password")) continue;
        set[n++] = (struct plan_flag){ "self.doctor", str_c(argv[i]) };
    }
    if (argc <= 1) { /* none at all would mean that there is no doctor */
        set[n++] = (struct plan_flag){ "self.doctor", STR("--data") };
        set[n++] = (struct plan_flag){ "self.doctor", plan->data };
    }
    return n;
}

static enum err start_core(struct process *p, struct arena *a, const struct plan *plan, int argc,
                           char **argv, struct diag *d)
{
    struct str prom, am, provisioning, rules;
    TRY(find(a, plan, "rules", &rules, d));
    TRY(find(a, plan, "prometheus.yml", &prom, d));
    TRY(find(a, plan, "alertmanager.yml", &am, d));
    TRY(find(a, plan, "grafana/dashboards", &provisioning, d));
    TRY(find(a, plan, "grafana/provisioning", &provisioning, d));
    const struct plan_flag PROM[] = {
        { "config.file", prom },
        { "storage.tsdb.path", path_join(a, plan->data, STR("prometheus")) },
        { "web.enable-lifecycle", STR("true") },
    };
    const struct plan_flag AM[] = {
        { "config.file", am },
        { "storage.path", path_join(a, plan->data, STR("alertmanager")) },
    };
    const struct plan_flag OURS[] = {
        { "paths.provisioning", provisioning },
        { "paths.data", path_join(a, plan->data, STR("grafana")) },
        { "self.prometheus",
          arena_fmt(a, "http://127.0.0.1:%u", plan_port(plan, role_named(STR("prometheus")))) },
        { "self.alertmanager",
          arena_fmt(a, "http://127.0.0.1:%u", plan_port(plan, role_named(STR("alertmanager")))) },
    };
    struct plan_flag *grafana = arena_array(a, ARRAY_LEN(OURS) + (size_t)argc + 2,
                                            sizeof(*grafana));
    memcpy(grafana, OURS, sizeof(OURS));
    size_t n = add_doctor(grafana, ARRAY_LEN(OURS), plan, argc, argv);
    TRY(start_role(p, a, plan, "alertmanager", AM, ARRAY_LEN(AM), d));
    TRY(start_role(p, a, plan, "prometheus", PROM, ARRAY_LEN(PROM), d));
    return start_role(p, a, plan, "grafana", grafana, n, d);
}

static bool hopeless;

static void on_hopeless(void)
{
    hopeless = true; /* the child has said why */
    (void)raise(SIGTERM);
}

/* Where everything is: for people, or as one more line where lines are read by programs. */
static void print_addresses(const struct plan *plan)
{
    if (log_form == FORMAT_JSON) {
        LOG(INFO, "Vigie runs", kv("version", VIGIE_VERSION), kv("config", plan->dir),
            kv("data", plan->data), kv("page_port", plan_port(plan, role_named(STR("grafana")))));
        return;
    }
    static const struct {
        const char *what, *role, *path, *note;
    } ROWS[] = {
        { "Page", "grafana", "", "   (admin / admin at first)" },
        { "Prometheus", "prometheus", "", "" },
        { "Alertmanager", "alertmanager", "", "" },
        { "Kafka metrics", "kafka-exporter", "/metrics", "" },
        { "JMX metrics", "jmx-exporter", "/metrics", "" },
    };
    (void)fprintf(stderr, "\n  Vigie %s\n", VIGIE_VERSION);
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        unsigned port = plan_port(plan, role_named(str_c(ROWS[i].role)));
        (void)fprintf(stderr, "  %-14s http://localhost:%u%s%s\n", ROWS[i].what, port, ROWS[i].path,
                      ROWS[i].note);
    }
    (void)fprintf(stderr, "  Configuration  " STR_FMT "   data in " STR_FMT "   Ctrl-C ends\n\n",
                  STR_ARG(plan->dir), STR_ARG(plan->data));
}

int run_core(int argc, char **argv)
{
    ARENA(a, 0);
    struct diag d = { 0 };
    struct plan plan;
    enum err e = plan_parse(&a, argc, argv, &plan, &d);
    if (e != OK) return usage(e, &d);
    char **child_argv = arena_array(&a, (size_t)argc + 2, sizeof(char *));
    child_argv[0] = (char *)(uintptr_t) "vigie";
    child_argv[1] = (char *)(uintptr_t) "collectors";
    for (int i = 1; i < argc; i++) child_argv[i + 1] = argv[i];
    know_containers(&plan);
    struct process *p = process_new();
    e = start_core(p, &a, &plan, argc, argv, &d);
    int code = EXIT_FAILURE;
    if (e == OK) {
        struct child *c = child_start(process_env(p)->serve, child_argv, on_hopeless);
        print_addresses(&plan);
        code = process_run(p);
        child_stop(c);
    }
    process_free(p);
    if (e != OK) return fail(&d);
    return hopeless ? EXIT_FAILURE : code;
}

/* --- the child --- */

/* Flags that may stand several times: one row an address. */
static size_t add_each(struct plan_flag *set, size_t n, const char *flag,
                       const struct flag_strs *values)
{
    for (size_t i = 0; i < values->n && n < ADDRESSES_MAX; i++) {
        set[n++] = (struct plan_flag){ flag, values->v[i] };
    }
    return n;
}

static enum err start_collectors(struct process *p, struct arena *a, const struct plan *plan,
                                 struct diag *d)
{
    struct plan_flag set[ADDRESSES_MAX];
    struct str jmx;
    size_t n = add_each(set, 0, "kafka.server", &plan->kafka);
    if (!n) set[n++] = (struct plan_flag){ "kafka.server", STR("localhost:9092") };
    TRY(start_role(p, a, plan, "kafka-exporter", set, n, d));
    TRY(find(a, plan, "kafka-jmx-config.yml", &jmx, d));
    set[0] = (struct plan_flag){ "config.file", jmx };
    n = add_each(set, 1, "jmx", &plan->jmx);
    return start_role(p, a, plan, "jmx-exporter", set, n, d);
}

/* Brokers' hosts, as the cluster names them, are where JMX is looked for when nobody said where it is. */
struct offers {
    struct timer timer;
    void *kafka, *jmx;
};

static void offer_hosts(void *ctx)
{
    struct offers *o = ctx;
    ARENA(a, 0);
    struct str *hosts;
    size_t n = kafka_exporter_hosts(o->kafka, &a, &hosts);
    if (n) jmx_exporter_offer(o->jmx, hosts, n);
    timer_set(&o->timer, n ? OFFER_MS : OFFER_FIRST_MS);
}

static void begin_offers(struct offers *o, struct process *p)
{
    o->kafka = process_state(p, "kafka-exporter");
    o->jmx = process_state(p, "jmx-exporter");
    timer_init(&o->timer, process_env(p)->collect, offer_hosts, o);
    timer_set(&o->timer, OFFER_FIRST_MS);
}

int run_collectors(int argc, char **argv)
{
    ARENA(a, 0);
    struct diag d = { 0 };
    struct plan plan;
    enum err e = plan_parse(&a, argc, argv, &plan, &d);
    if (e != OK) return usage(e, &d);
    (void)prctl(PR_SET_NAME, "vigie-collect"); /* exec of /proc/self/exe would leave "exe" */
    struct process *p = process_new();
    e = start_collectors(p, &a, &plan, &d);
    struct offers offers = { 0 };
    if (e == OK) begin_offers(&offers, p);
    int code = e == OK ? process_run(p) : CHILD_CANNOT_START;
    timer_done(&offers.timer);
    process_free(p);
    if (e != OK) (void)fail(&d);
    return code;
}
