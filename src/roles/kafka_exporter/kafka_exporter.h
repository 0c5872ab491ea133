/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kafka_exporter.h - the role that stands in for danielqsj/kafka_exporter on port 9308
 */
#ifndef ROLES_KAFKA_EXPORTER_H
#define ROLES_KAFKA_EXPORTER_H

#include "model/role.h"

extern const struct role kafka_exporter_role;

/* Hosts of the cluster's brokers as its metadata names them, in a's memory; 0 before the first snapshot. Any thread. */
size_t kafka_exporter_hosts(void *state, struct arena *a, struct str **hosts);

#endif
