/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prometheus.h - the role on :9090: scrapes, keeps, answers queries, evaluates rules
 */
#ifndef ROLES_PROMETHEUS_PROMETHEUS_H
#define ROLES_PROMETHEUS_PROMETHEUS_H

#include "model/role.h"

extern const struct role prometheus_role;

#endif
