/* SPDX-License-Identifier: Apache-2.0 */
/*
 * variables.h - where ${NAME} in alertmanager.yml gets its values: the environment, then a file of NAME=value lines
 *
 * Shape: ${file:/path} is the first line of a file, ${cred:name} that of a file in $CREDENTIALS_DIRECTORY.
 */
#ifndef ALERT_VARIABLES_H
#define ALERT_VARIABLES_H

#include "alert/expand.h"

struct alert_variables {
    struct str config_file;
    struct str env_file; /* empty: .env beside the configuration */
};

/* An expand_fn; ctx is a struct alert_variables. */
struct str alert_variable(void *ctx, struct arena *a, struct str name);

#endif
