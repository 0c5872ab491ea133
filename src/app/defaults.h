/* SPDX-License-Identifier: Apache-2.0 */
/*
 * defaults.h - the user's configuration files, or the built-in ones where a file is absent
 */
#ifndef APP_DEFAULTS_H
#define APP_DEFAULTS_H

#include "base/arena.h"
#include "base/err.h"

/*
 * The path of DIR/name when it exists; else the built-in file's, written to DATA/defaults/name first. A folder's name
 * ("rules", "grafana/provisioning") stands for all files below it.
 * Errors: ERR_MISSING neither exists, ERR_SYS
 */
enum err defaults_path(struct arena *a, struct str dir, struct str data, struct str name,
                       struct str *out, struct diag *d);

/* `vigie config show [NAME]`: prints a built-in file, or the list of them. Returns the exit code. */
int defaults_show(int argc, char **argv);

#endif
