/* SPDX-License-Identifier: Apache-2.0 */
/*
 * single.h - `vigie ROLE [flags]`: one role with the original's flags
 */
#ifndef APP_SINGLE_H
#define APP_SINGLE_H

#include "model/role.h"

/* argv[0] is the role's name as it was called. Returns the exit code. */
int single_run(const struct role *r, int argc, char **argv);

#endif
