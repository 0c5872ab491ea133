/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.h - error codes that brokers answer with, as Kafka names them
 *
 * Source: org.apache.kafka.common.protocol.Errors, Kafka 4.4.0. Codes that our requests cannot meet are left out.
 */
#ifndef KAFKA_ERROR_H
#define KAFKA_ERROR_H

#include <stdint.h>

enum {
    KAFKA_COORDINATOR_LOAD_IN_PROGRESS = 14,
    KAFKA_UNSUPPORTED_VERSION = 35,
    KAFKA_STORAGE_ERROR = 56,
    KAFKA_GROUP_ID_NOT_FOUND = 69,
};

/* "NOT_COORDINATOR", or NULL for a code that is not in our table. */
const char *kafka_error_name(int16_t code);

#endif
