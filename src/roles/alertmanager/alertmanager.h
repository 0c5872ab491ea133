/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alertmanager.h - the alertmanager role: flags, configuration, HTTP, senders around the engine of alert/
 */
#ifndef ROLES_ALERTMANAGER_ALERTMANAGER_H
#define ROLES_ALERTMANAGER_ALERTMANAGER_H

#include "model/role.h"

extern const struct role alertmanager_role;

#endif
