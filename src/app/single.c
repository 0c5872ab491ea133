/* SPDX-License-Identifier: Apache-2.0 */
#include "app/single.h"

#include "app/process.h"
#include "app/roles.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>

static int print_help(const struct role *r)
{
    BUF(b, 0);
    char usage[64];
    (void)snprintf(usage, sizeof(usage), "%s [<flags>]", r->name);
    flags_help(&b, usage, r->summary, r->flags);
    (void)fwrite(b.p, 1, b.n, stdout);
    return EXIT_SUCCESS;
}

static int print_version(const struct role *r)
{
    (void)printf("%s, version %s (vigie %s)\n", r->name, role_version(r->name), VIGIE_VERSION);
    return EXIT_SUCCESS;
}

static bool asks_version(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--version") == 0) return true;
    }
    return false;
}

/* What a refused start exits with: the original's code. */
static int code_of(const struct role *r, enum err e)
{
    bool configuration = e == ERR_SYNTAX || e == ERR_RANGE || e == ERR_UNSUPPORTED ||
                         e == ERR_MISSING || e == ERR_LIMIT;
    return configuration && r->refusal ? r->refusal : EXIT_FAILURE;
}

int single_run(const struct role *r, int argc, char **argv)
{
    ARENA(a, 0);
    struct diag d = { 0 };
    struct flag_strs rest = { 0 };
    void *config = arena_alloc(&a, r->config_size);
    if (asks_version(argc, argv)) return print_version(r);
    enum err e = flags_parse(r->flags, NULL, argc, argv, &a, config, &rest, &d);
    if (e == ERR_CANCELED) return print_help(r);
    if (e == OK && r->positional) e = r->positional(config, &rest, &a, &d);
    if (e == OK && !r->positional && rest.n) {
        e = diag_set(&d, ERR_SYNTAX, "unexpected " STR_FMT, STR_ARG(rest.v[0]));
    }
    if (e != OK) {
        (void)fprintf(stderr, "%s: error: %s, try --help\n", argv[0], d.text);
        return code_of(r, e);
    }
    struct process *p = process_new();
    e = process_start(p, r, config, &d);
    int code = EXIT_FAILURE;
    if (e == OK) {
        code = process_run(p);
    } else {
        LOG(ERROR, "cannot start", kv("role", r->name), kv("err", d.text));
        code = code_of(r, e);
    }
    process_free(p);
    return code;
}
