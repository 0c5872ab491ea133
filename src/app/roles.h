/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roles.h - the table of roles: all that app knows
 */
#ifndef APP_ROLES_H
#define APP_ROLES_H

#include "base/str.h"
#include "model/role.h"

extern const struct role *const ROLES[]; /* ends with NULL */

/* By its name or by a name of a link to the binary; NULL when there is none. */
const struct role *role_named(struct str name);

/* The version that clients of the role branch on. */
const char *role_version(const char *name);

extern const char VIGIE_VERSION[];

#endif
