/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - one binary, many names: `vigie COMMAND`, or a link named as the original (prometheus, alertmanager, ...)
 */
#include "commands/check/main.h"
#include "app/command.h"
#include "app/defaults.h"
#include "app/doctor.h"
#include "app/health.h"
#include "app/manual.h"
#include "app/netcat.h"
#include "app/notify.h"
#include "app/plan.h"
#include "app/roles.h"
#include "app/run.h"
#include "app/single.h"
#include "app/stamp.h"
#include "commands/promtool/main.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

static int print_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    (void)printf("vigie %s\n", VIGIE_VERSION);
    return EXIT_SUCCESS;
}

static int print_overview(int argc, char **argv);

static int run_config(int argc, char **argv);
static int run_manual(int argc, char **argv);
static int print_links(int argc, char **argv);

static const struct command COMMANDS[] = {
    { .name = "run",
      .run = run_core,
      .summary = "all five roles, wired to each other",
      .usage = PLAN_USAGE,
      .description = PLAN_SUMMARY,
      .flags = PLAN_FLAGS },
    { .name = "doctor",
      .run = run_doctor,
      .summary = "why there is no data, and the command that mends it",
      .usage = DOCTOR_USAGE,
      .description = DOCTOR_SUMMARY,
      .flags = DOCTOR_FLAGS },
    { .name = "config",
      .run = run_config,
      .summary = "config show [NAME]: the built-in configuration files" },
    { .name = "check",
      .run = check_main,
      .summary = "check FILE|DIR...: configuration, rules, dashboards, with line and column",
      .usage = CHECK_USAGE,
      .description = CHECK_SUMMARY,
      .flags = CHECK_FLAGS },
    { .name = "promtool",
      .run = promtool_main,
      .summary = "check config|rules|metrics, query, test rules: Prometheus' tool for its users",
      .link = "promtool" },
    { .name = "healthcheck",
      .run = health_run,
      .summary = "healthcheck [ROLE|URL]...: exit code 0 when all are healthy" },
    { .name = "nc",
      .run = netcat_run,
      .summary = "nc -zv HOST PORT: does a port answer",
      .link = "nc" },
    { .name = "man", .run = run_manual, .summary = "man [PAGE]: the manual's pages, as roff" },
    { .name = "links", .run = print_links },
    { .name = "collectors", .run = run_collectors },
    { .name = "help", .run = print_overview },
    { .name = "--help", .run = print_overview },
    { .name = "-h", .run = print_overview },
    { .name = "version", .run = print_version, .summary = "which Vigie this is" },
    { .name = "--version", .run = print_version },
    { .name = NULL },
};

/* For whoever packs the binary: the names of links that run a part of it. */
static int print_links(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    for (const struct command *c = COMMANDS; c->name; c++) {
        if (c->link) (void)printf("%s\n", c->link);
    }
    for (const struct role *const *r = ROLES; *r; r++) {
        for (const char *const *link = (*r)->argv0; link && *link; link++) {
            (void)printf("%s\n", *link);
        }
    }
    return EXIT_SUCCESS;
}

static int run_manual(int argc, char **argv) { return manual_run(COMMANDS, argc, argv); }

static int print_overview(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    (void)printf(
        "Vigie watches Kafka: exporters, storage, queries, alerts and dashboards in one program.\n\nusage: vigie COMMAND [flags]\n\n");
    for (const struct command *c = COMMANDS; c->name; c++) {
        if (c->summary) (void)printf("  %-16s %s\n", c->name, c->summary);
    }
    (void)printf(
        "\none role alone, with the flags of the program it replaces (also by a link of that name):\n");
    for (const struct role *const *r = ROLES; *r; r++) {
        (void)printf("  %-16s :%u  %s\n", (*r)->name, (*r)->port, (*r)->summary);
    }
    (void)printf(
        "\nexamples:\n"
        "  vigie run --kafka kafka:9092 --jmx kafka:9999      watch a cluster; page on http://localhost:3000\n"
        "  vigie prometheus --config.file=prometheus.yml      only Prometheus\n"
        "  vigie config show rules/kafka-alerts.yaml          the built-in alerts\n"
        "  vigie ROLE --help                                  all flags of a role\n");
    return EXIT_SUCCESS;
}

static int run_config(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "show") == 0) return defaults_show(argc - 1, argv + 1);
    (void)fprintf(stderr, "usage: vigie config show [NAME]\n");
    return EXIT_FAILURE;
}

/* Commands without flags of their own have only their line to show. */
static bool wants_help(const struct command *c, int argc, char **argv)
{
    if (c->run != run_config && c->run != run_manual) return false;
    return argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
}

static int run_command(const char *name, int argc, char **argv)
{
    for (const struct command *c = COMMANDS; c->name; c++) {
        if (strcmp(c->name, name) == 0 && wants_help(c, argc, argv)) {
            (void)printf("usage: vigie %s\n", c->summary);
            return EXIT_SUCCESS;
        }
        if (strcmp(c->name, name) == 0) return c->run(argc, argv);
    }
    const struct role *r = role_named(str_c(name));
    if (r) return single_run(r, argc, argv);
    (void)fprintf(stderr, "vigie: there is no command %s; \"vigie\" lists them\n", name);
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    stamp_install();
    notify_keep_from_children();
    (void)mallopt(M_ARENA_MAX,
                  2); /* few threads allocate much; more heaps would only hold free memory back */
    const char *slash = strrchr(argv[0], '/'), *called = slash ? slash + 1 : argv[0];
    const struct role *r = role_named(str_c(called));
    if (r) return single_run(r, argc, argv);
    for (const struct command *c = COMMANDS; c->name; c++) {
        if (c->link && strcmp(c->link, called) == 0) return c->run(argc, argv);
    }
    if (argc < 2) return print_overview(argc, argv);
    return run_command(argv[1], argc - 1, argv + 1);
}
