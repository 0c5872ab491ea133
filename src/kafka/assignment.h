/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assignment.h - which partitions a member of a classic consumer group was given
 *
 * Shape:  version (2 bytes) | count (4) of { topic (2 + n) | count (4) of partition (4) } | user data. What stands behind the
 *         partitions belongs to later versions or to the assignor and is not looked at. No bytes: nothing assigned.
 * Source: ConsumerProtocolAssignment.json, versions 0 to 3; never flexible. Only groups of protocol type "consumer" use it.
 */
#ifndef KAFKA_ASSIGNMENT_H
#define KAFKA_ASSIGNMENT_H

#include "kafka/schema.h"

struct kafka_assigned {
    struct str topic; /* borrowed from the bytes */
    KARRAY(int32_t) partitions;
};
typedef KARRAY(struct kafka_assigned) kafka_assigned_list;

/* Errors: ERR_SHORT, ERR_SYNTAX a negative count or version, ERR_LIMIT a count that the bytes cannot hold. */
enum err kafka_assignment_read(struct str bytes, struct arena *a, kafka_assigned_list *out);

/*
 * The partition of __consumer_offsets that keeps a group; its leader is the group's coordinator.
 * Source: GroupMetadataManager.partitionFor: Java's String.hashCode over UTF-16 units, Utils.abs (smallest int becomes 0).
 */
int32_t kafka_group_partition(struct str group_id, int32_t partitions);

#endif
