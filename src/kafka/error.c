/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/error.h"

#include "base/attr.h"

#include <stddef.h>

static const struct {
    int16_t code;
    const char *name;
} ERRORS[] = {
    { -1, "UNKNOWN_SERVER_ERROR" },
    { 3, "UNKNOWN_TOPIC_OR_PARTITION" },
    { 5, "LEADER_NOT_AVAILABLE" },
    { 6, "NOT_LEADER_OR_FOLLOWER" },
    { 7, "REQUEST_TIMED_OUT" },
    { 8, "BROKER_NOT_AVAILABLE" },
    { 9, "REPLICA_NOT_AVAILABLE" },
    { 13, "NETWORK_EXCEPTION" },
    { 14, "COORDINATOR_LOAD_IN_PROGRESS" },
    { 15, "COORDINATOR_NOT_AVAILABLE" },
    { 16, "NOT_COORDINATOR" },
    { 24, "INVALID_GROUP_ID" },
    { 29, "TOPIC_AUTHORIZATION_FAILED" },
    { 30, "GROUP_AUTHORIZATION_FAILED" },
    { 31, "CLUSTER_AUTHORIZATION_FAILED" },
    { 33, "UNSUPPORTED_SASL_MECHANISM" },
    { 34, "ILLEGAL_SASL_STATE" },
    { 35, "UNSUPPORTED_VERSION" },
    { 41, "NOT_CONTROLLER" },
    { 42, "INVALID_REQUEST" },
    { 43, "UNSUPPORTED_FOR_MESSAGE_FORMAT" },
    { 53, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED" },
    { 55, "OPERATION_NOT_ATTEMPTED" },
    { 56, "KAFKA_STORAGE_ERROR" },
    { 57, "LOG_DIR_NOT_FOUND" },
    { 58, "SASL_AUTHENTICATION_FAILED" },
    { 69, "GROUP_ID_NOT_FOUND" },
    { 72, "LISTENER_NOT_FOUND" },
    { 74, "FENCED_LEADER_EPOCH" },
    { 75, "UNKNOWN_LEADER_EPOCH" },
    { 76, "UNSUPPORTED_COMPRESSION_TYPE" },
    { 78, "OFFSET_NOT_AVAILABLE" },
    { 88, "UNSTABLE_OFFSET_COMMIT" },
    { 89, "THROTTLING_QUOTA_EXCEEDED" },
    { 100, "UNKNOWN_TOPIC_ID" },
    { 103, "INCONSISTENT_TOPIC_ID" },
    { 129, "REBOOTSTRAP_REQUIRED" },
};

const char *kafka_error_name(int16_t code)
{
    for (size_t i = 0; i < ARRAY_LEN(ERRORS); i++) {
        if (ERRORS[i].code == code) return ERRORS[i].name;
    }
    return NULL;
}
