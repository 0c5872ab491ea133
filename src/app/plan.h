/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.h - the command line of `vigie run`, taken apart into one command line a role
 *
 * Shape:  `vigie run [DIR] [--kafka HOST:PORT]... [--jmx HOST:PORT]... [--data DIR] [--ROLE.FLAG=VALUE]...`
 *         A role's flags are written with = and its name before them; they win over what the plan sets.
 */
#ifndef APP_PLAN_H
#define APP_PLAN_H

#include "model/role.h"

struct plan {
    struct str dir, data;
    struct flag_strs kafka, jmx;
    struct str log_level, log_format;
    struct flag_strs foreign; /* --ROLE.FLAG=VALUE, as given */
};

/* Errors: ERR_CANCELED --help; ERR_SYNTAX with what is wrong. argv[0] is not read. */
enum err plan_parse(struct arena *a, int argc, char **argv, struct plan *out, struct diag *d);
void plan_help(struct buf *b);
extern const struct flag PLAN_FLAGS[]; /* those of `vigie run` itself */
extern const char PLAN_USAGE[], PLAN_SUMMARY[];

/* The port that the user gave a role (--ROLE.FLAG=...:PORT or =PORT), else the role's own. */
unsigned plan_port(const struct plan *p, const struct role *r);

/* What the user gave a role's flag, the last one; {NULL, 0}: nothing. */
struct str plan_given(const struct plan *p, const struct role *r, const char *name);

/*
 * Fills a role's config: `set` are rows {flag, value} of ours (value {NULL,0}: leave the role's default), the user's
 * foreign flags come after them and replace them.
 */
struct plan_flag {
    const char *name;
    struct str value;
};
enum err plan_role_config(struct arena *a, const struct plan *p, const struct role *r,
                          const struct plan_flag *set, size_t n, void **config, struct diag *d);

#endif
