/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kafka_exporter.h - the role that stands in for danielqsj/kafka_exporter on port 9308
 */
#ifndef ROLES_KAFKA_EXPORTER_H
#define ROLES_KAFKA_EXPORTER_H

#include "model/role.h"

extern const struct role kafka_exporter_role;

#endif
