/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - one binary, many names: `vigie COMMAND`, or a link named as the original (prometheus, alertmanager, ...)
 */
#include "app/defaults.h"
#include "app/roles.h"
#include "app/run.h"
#include "app/single.h"
#include "app/stamp.h"

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

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
    const char *summary;               /* NULL: not shown */
} COMMANDS[] = {
    { "run", run_core, "all five roles, wired to each other" },
    { "config", NULL, "config show [NAME]: the built-in configuration files" },
    { "collectors", run_collectors, NULL },
    { "help", print_overview, NULL },
    { "--help", print_overview, NULL },
    { "-h", print_overview, NULL },
    { "version", print_version, "which Vigie this is" },
    { "--version", print_version, NULL },
    { NULL, NULL, NULL },
};

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
    for (const struct role *const *r = ROLES; *r; r++)
        (void)printf("  %-16s :%u  %s\n", (*r)->name, (*r)->port, (*r)->summary);
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

static int run_command(const char *name, int argc, char **argv)
{
    if (strcmp(name, "config") == 0) return run_config(argc, argv);
    for (const struct command *c = COMMANDS; c->name; c++) {
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
    (void)mallopt(M_ARENA_MAX,
                  2); /* few threads allocate much; more heaps would only hold free memory back */
    const char *slash = strrchr(argv[0], '/'), *called = slash ? slash + 1 : argv[0];
    const struct role *r = role_named(str_c(called));
    if (r) return single_run(r, argc, argv);
    if (argc < 2) return print_overview(argc, argv);
    return run_command(argv[1], argc - 1, argv + 1);
}
