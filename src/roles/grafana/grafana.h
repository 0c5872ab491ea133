/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grafana.h - the role on :3000: dashboards, data sources, login, and the page
 */
#ifndef ROLES_GRAFANA_GRAFANA_H
#define ROLES_GRAFANA_GRAFANA_H

#include "model/role.h"

extern const struct role grafana_role;

#endif
