/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api.h - the requests that we speak: one row each, with the versions and layouts that we know
 *
 * Source: Kafka's message definitions 2.2.2, 3.9.2 and 4.4.0 (clients/src/main/resources/common/message).
 */
#ifndef KAFKA_API_H
#define KAFKA_API_H

#include "base/str.h"

#include <stdint.h>

enum kafka_api_id {
    KAFKA_API_VERSIONS,
    KAFKA_METADATA,
    KAFKA_DESCRIBE_CLUSTER,
    KAFKA_LIST_GROUPS,
    KAFKA_DESCRIBE_GROUPS,
    KAFKA_CONSUMER_GROUP_DESCRIBE,
    KAFKA_SHARE_GROUP_DESCRIBE,
    KAFKA_OFFSET_FETCH,
    KAFKA_LIST_OFFSETS,
    KAFKA_DESCRIBE_LOG_DIRS,
    KAFKA_API_MAX_
};

struct kafka_fields;

struct kafka_api {
    const char *name;
    int16_t key;
    int16_t min, max; /* versions that we speak */
    int16_t
        flexible_from; /* from this version on: compact lengths, tagged fields, header 2 (answer: 1) */
    const struct kafka_fields *request, *response;
};

extern const struct kafka_api KAFKA_APIS[KAFKA_API_MAX_];

#endif
