/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/messages.h"

#include "base/attr.h"
#include "kafka/api.h"

/*
 * How to read the rows: name in the definition, C field, type, first and last version, and what is not usual: .null_from
 * (nullable from that version), .deflt (a number's value where the version lacks the field), .tag. Rows stand in the
 * order of the wire; tagged ones last, in the order of their tags.
 */
#define FIELD(T, def, c, kind, first, last, ...)                                                   \
    {                                                                                              \
        .name = def, .type = kind, .from = first, .to = last, .offset = offsetof(struct T, c),     \
        .null_from = KAFKA_NEVER, .tag = -1 __VA_OPT__(, ) __VA_ARGS__                             \
    }
#define LAYOUT(var, T, rows)                                                                       \
    static const struct kafka_fields var = { rows, ARRAY_LEN(rows), sizeof(struct T) }
#define ALWAYS     KAFKA_ALWAYS
#define STRUCTS(x) .elem = KT_STRUCT, .of = &(x)
#define NUMBERS    .elem = KT_I32
#define STRINGS    .elem = KT_STR

#pragma GCC diagnostic push
/* A row may say again what FIELD says for the usual case. */
#pragma GCC diagnostic ignored "-Woverride-init"
#if defined(__clang__)
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#endif

/* ApiVersions, key 18 */
static const struct kafka_field API_VERSIONS_REQ_ROWS[] = {
    FIELD(kafka_api_versions_req, "ClientSoftwareName", client_software_name, KT_STR, 3, ALWAYS),
    FIELD(kafka_api_versions_req, "ClientSoftwareVersion", client_software_version, KT_STR, 3,
          ALWAYS),
};
LAYOUT(API_VERSIONS_REQ, kafka_api_versions_req, API_VERSIONS_REQ_ROWS);

static const struct kafka_field API_VERSION_ROWS[] = {
    FIELD(kafka_api_version, "ApiKey", api_key, KT_I16, 0, ALWAYS),
    FIELD(kafka_api_version, "MinVersion", min_version, KT_I16, 0, ALWAYS),
    FIELD(kafka_api_version, "MaxVersion", max_version, KT_I16, 0, ALWAYS),
};
LAYOUT(API_VERSION, kafka_api_version, API_VERSION_ROWS);

static const struct kafka_field SUPPORTED_FEATURE_ROWS[] = {
    FIELD(kafka_feature, "Name", name, KT_STR, 3, ALWAYS),
    FIELD(kafka_feature, "MinVersion", min_version, KT_I16, 3, ALWAYS),
    FIELD(kafka_feature, "MaxVersion", max_version, KT_I16, 3, ALWAYS),
};
LAYOUT(SUPPORTED_FEATURE, kafka_feature, SUPPORTED_FEATURE_ROWS);

static const struct kafka_field FINALIZED_FEATURE_ROWS[] = {
    FIELD(kafka_feature, "Name", name, KT_STR, 3, ALWAYS),
    FIELD(kafka_feature, "MaxVersionLevel", max_version, KT_I16, 3, ALWAYS),
    FIELD(kafka_feature, "MinVersionLevel", min_version, KT_I16, 3, ALWAYS),
};
LAYOUT(FINALIZED_FEATURE, kafka_feature, FINALIZED_FEATURE_ROWS);

static const struct kafka_field API_VERSIONS_RES_ROWS[] = {
    FIELD(kafka_api_versions_res, "ErrorCode", error_code, KT_I16, 0, ALWAYS),
    FIELD(kafka_api_versions_res, "ApiKeys", api_keys, KT_ARRAY, 0, ALWAYS, STRUCTS(API_VERSION)),
    FIELD(kafka_api_versions_res, "ThrottleTimeMs", throttle_time_ms, KT_I32, 1, ALWAYS),
    FIELD(kafka_api_versions_res, "SupportedFeatures", supported_features, KT_ARRAY, 3, ALWAYS,
          STRUCTS(SUPPORTED_FEATURE), .tag = 0),
    FIELD(kafka_api_versions_res, "FinalizedFeaturesEpoch", finalized_features_epoch, KT_I64, 3,
          ALWAYS, .deflt = -1, .tag = 1),
    FIELD(kafka_api_versions_res, "FinalizedFeatures", finalized_features, KT_ARRAY, 3, ALWAYS,
          STRUCTS(FINALIZED_FEATURE), .tag = 2),
    FIELD(kafka_api_versions_res, "ZkMigrationReady", zk_migration_ready, KT_BOOL, 3, ALWAYS,
          .tag = 3),
};
LAYOUT(API_VERSIONS_RES, kafka_api_versions_res, API_VERSIONS_RES_ROWS);

/* Metadata, key 3 */
static const struct kafka_field METADATA_REQ_TOPIC_ROWS[] = {
    FIELD(kafka_metadata_req_topic, "TopicId", topic_id, KT_UUID, 10, ALWAYS),
    FIELD(kafka_metadata_req_topic, "Name", name, KT_STR, 0, ALWAYS, .null_from = 10),
};
LAYOUT(METADATA_REQ_TOPIC, kafka_metadata_req_topic, METADATA_REQ_TOPIC_ROWS);

static const struct kafka_field METADATA_REQ_ROWS[] = {
    FIELD(kafka_metadata_req, "Topics", topics, KT_ARRAY, 0, ALWAYS, STRUCTS(METADATA_REQ_TOPIC),
          .null_from = 1),
    FIELD(kafka_metadata_req, "AllowAutoTopicCreation", allow_auto_topic_creation, KT_BOOL, 4,
          ALWAYS, .deflt = 1),
    FIELD(kafka_metadata_req, "IncludeClusterAuthorizedOperations",
          include_cluster_authorized_operations, KT_BOOL, 8, 10),
    FIELD(kafka_metadata_req, "IncludeTopicAuthorizedOperations",
          include_topic_authorized_operations, KT_BOOL, 8, ALWAYS),
};
LAYOUT(METADATA_REQ, kafka_metadata_req, METADATA_REQ_ROWS);

static const struct kafka_field METADATA_BROKER_ROWS[] = {
    FIELD(kafka_metadata_broker, "NodeId", node_id, KT_I32, 0, ALWAYS),
    FIELD(kafka_metadata_broker, "Host", host, KT_STR, 0, ALWAYS),
    FIELD(kafka_metadata_broker, "Port", port, KT_I32, 0, ALWAYS),
    FIELD(kafka_metadata_broker, "Rack", rack, KT_STR, 1, ALWAYS, .null_from = 1),
};
LAYOUT(METADATA_BROKER, kafka_metadata_broker, METADATA_BROKER_ROWS);

static const struct kafka_field METADATA_PARTITION_ROWS[] = {
    FIELD(kafka_metadata_partition, "ErrorCode", error_code, KT_I16, 0, ALWAYS),
    FIELD(kafka_metadata_partition, "PartitionIndex", partition_index, KT_I32, 0, ALWAYS),
    FIELD(kafka_metadata_partition, "LeaderId", leader_id, KT_I32, 0, ALWAYS),
    FIELD(kafka_metadata_partition, "LeaderEpoch", leader_epoch, KT_I32, 7, ALWAYS, .deflt = -1),
    FIELD(kafka_metadata_partition, "ReplicaNodes", replica_nodes, KT_ARRAY, 0, ALWAYS, NUMBERS),
    FIELD(kafka_metadata_partition, "IsrNodes", isr_nodes, KT_ARRAY, 0, ALWAYS, NUMBERS),
    FIELD(kafka_metadata_partition, "OfflineReplicas", offline_replicas, KT_ARRAY, 5, ALWAYS,
          NUMBERS),
};
LAYOUT(METADATA_PARTITION, kafka_metadata_partition, METADATA_PARTITION_ROWS);

static const struct kafka_field METADATA_TOPIC_ROWS[] = {
    FIELD(kafka_metadata_topic, "ErrorCode", error_code, KT_I16, 0, ALWAYS),
    FIELD(kafka_metadata_topic, "Name", name, KT_STR, 0, ALWAYS, .null_from = 12),
    FIELD(kafka_metadata_topic, "TopicId", topic_id, KT_UUID, 10, ALWAYS),
    FIELD(kafka_metadata_topic, "IsInternal", is_internal, KT_BOOL, 1, ALWAYS),
    FIELD(kafka_metadata_topic, "Partitions", partitions, KT_ARRAY, 0, ALWAYS,
          STRUCTS(METADATA_PARTITION)),
    FIELD(kafka_metadata_topic, "TopicAuthorizedOperations", topic_authorized_operations, KT_I32, 8,
          ALWAYS, .deflt = INT32_MIN),
};
LAYOUT(METADATA_TOPIC, kafka_metadata_topic, METADATA_TOPIC_ROWS);

static const struct kafka_field METADATA_RES_ROWS[] = {
    FIELD(kafka_metadata_res, "ThrottleTimeMs", throttle_time_ms, KT_I32, 3, ALWAYS),
    FIELD(kafka_metadata_res, "Brokers", brokers, KT_ARRAY, 0, ALWAYS, STRUCTS(METADATA_BROKER)),
    FIELD(kafka_metadata_res, "ClusterId", cluster_id, KT_STR, 2, ALWAYS, .null_from = 2),
    FIELD(kafka_metadata_res, "ControllerId", controller_id, KT_I32, 1, ALWAYS, .deflt = -1),
    FIELD(kafka_metadata_res, "Topics", topics, KT_ARRAY, 0, ALWAYS, STRUCTS(METADATA_TOPIC)),
    FIELD(kafka_metadata_res, "ClusterAuthorizedOperations", cluster_authorized_operations, KT_I32,
          8, 10, .deflt = INT32_MIN),
    FIELD(kafka_metadata_res, "ErrorCode", error_code, KT_I16, 13, ALWAYS),
};
LAYOUT(METADATA_RES, kafka_metadata_res, METADATA_RES_ROWS);

/* DescribeCluster, key 60 */
static const struct kafka_field DESCRIBE_CLUSTER_REQ_ROWS[] = {
    FIELD(kafka_describe_cluster_req, "IncludeClusterAuthorizedOperations",
          include_cluster_authorized_operations, KT_BOOL, 0, ALWAYS),
    FIELD(kafka_describe_cluster_req, "EndpointType", endpoint_type, KT_I8, 1, ALWAYS, .deflt = 1),
    FIELD(kafka_describe_cluster_req, "IncludeFencedBrokers", include_fenced_brokers, KT_BOOL, 2,
          ALWAYS),
};
LAYOUT(DESCRIBE_CLUSTER_REQ, kafka_describe_cluster_req, DESCRIBE_CLUSTER_REQ_ROWS);

static const struct kafka_field CLUSTER_BROKER_ROWS[] = {
    FIELD(kafka_cluster_broker, "BrokerId", broker_id, KT_I32, 0, ALWAYS),
    FIELD(kafka_cluster_broker, "Host", host, KT_STR, 0, ALWAYS),
    FIELD(kafka_cluster_broker, "Port", port, KT_I32, 0, ALWAYS),
    FIELD(kafka_cluster_broker, "Rack", rack, KT_STR, 0, ALWAYS, .null_from = 0),
    FIELD(kafka_cluster_broker, "IsFenced", is_fenced, KT_BOOL, 2, ALWAYS),
};
LAYOUT(CLUSTER_BROKER, kafka_cluster_broker, CLUSTER_BROKER_ROWS);

static const struct kafka_field DESCRIBE_CLUSTER_RES_ROWS[] = {
    FIELD(kafka_describe_cluster_res, "ThrottleTimeMs", throttle_time_ms, KT_I32, 0, ALWAYS),
    FIELD(kafka_describe_cluster_res, "ErrorCode", error_code, KT_I16, 0, ALWAYS),
    FIELD(kafka_describe_cluster_res, "ErrorMessage", error_message, KT_STR, 0, ALWAYS,
          .null_from = 0),
    FIELD(kafka_describe_cluster_res, "EndpointType", endpoint_type, KT_I8, 1, ALWAYS, .deflt = 1),
    FIELD(kafka_describe_cluster_res, "ClusterId", cluster_id, KT_STR, 0, ALWAYS),
    FIELD(kafka_describe_cluster_res, "ControllerId", controller_id, KT_I32, 0, ALWAYS,
          .deflt = -1),
    FIELD(kafka_describe_cluster_res, "Brokers", brokers, KT_ARRAY, 0, ALWAYS,
          STRUCTS(CLUSTER_BROKER)),
    FIELD(kafka_describe_cluster_res, "ClusterAuthorizedOperations", cluster_authorized_operations,
          KT_I32, 0, ALWAYS, .deflt = INT32_MIN),
};
LAYOUT(DESCRIBE_CLUSTER_RES, kafka_describe_cluster_res, DESCRIBE_CLUSTER_RES_ROWS);

/* ListGroups, key 16 */
static const struct kafka_field LIST_GROUPS_REQ_ROWS[] = {
    FIELD(kafka_list_groups_req, "StatesFilter", states_filter, KT_ARRAY, 4, ALWAYS, STRINGS),
    FIELD(kafka_list_groups_req, "TypesFilter", types_filter, KT_ARRAY, 5, ALWAYS, STRINGS),
};
LAYOUT(LIST_GROUPS_REQ, kafka_list_groups_req, LIST_GROUPS_REQ_ROWS);

static const struct kafka_field LISTED_GROUP_ROWS[] = {
    FIELD(kafka_listed_group, "GroupId", group_id, KT_STR, 0, ALWAYS),
    FIELD(kafka_listed_group, "ProtocolType", protocol_type, KT_STR, 0, ALWAYS),
    FIELD(kafka_listed_group, "GroupState", group_state, KT_STR, 4, ALWAYS),
    FIELD(kafka_listed_group, "GroupType", group_type, KT_STR, 5, ALWAYS),
};
LAYOUT(LISTED_GROUP, kafka_listed_group, LISTED_GROUP_ROWS);

static const struct kafka_field LIST_GROUPS_RES_ROWS[] = {
    FIELD(kafka_list_groups_res, "ThrottleTimeMs", throttle_time_ms, KT_I32, 1, ALWAYS),
    FIELD(kafka_list_groups_res, "ErrorCode", error_code, KT_I16, 0, ALWAYS),
    FIELD(kafka_list_groups_res, "Groups", groups, KT_ARRAY, 0, ALWAYS, STRUCTS(LISTED_GROUP)),
};
LAYOUT(LIST_GROUPS_RES, kafka_list_groups_res, LIST_GROUPS_RES_ROWS);

/* DescribeGroups, key 15 */
static const struct kafka_field DESCRIBE_GROUPS_REQ_ROWS[] = {
    FIELD(kafka_describe_groups_req, "Groups", groups, KT_ARRAY, 0, ALWAYS, STRINGS),
    FIELD(kafka_describe_groups_req, "IncludeAuthorizedOperations", include_authorized_operations,
          KT_BOOL, 3, ALWAYS),
};
LAYOUT(DESCRIBE_GROUPS_REQ, kafka_describe_groups_req, DESCRIBE_GROUPS_REQ_ROWS);

static const struct kafka_field DESCRIBED_MEMBER_ROWS[] = {
    FIELD(kafka_described_member, "MemberId", member_id, KT_STR, 0, ALWAYS),
    FIELD(kafka_described_member, "GroupInstanceId", group_instance_id, KT_STR, 4, ALWAYS,
          .null_from = 4),
    FIELD(kafka_described_member, "ClientId", client_id, KT_STR, 0, ALWAYS),
    FIELD(kafka_described_member, "ClientHost", client_host, KT_STR, 0, ALWAYS),
    FIELD(kafka_described_member, "MemberMetadata", member_metadata, KT_BYTES, 0, ALWAYS),
    FIELD(kafka_described_member, "MemberAssignment", member_assignment, KT_BYTES, 0, ALWAYS),
};
LAYOUT(DESCRIBED_MEMBER, kafka_described_member, DESCRIBED_MEMBER_ROWS);

static const struct kafka_field DESCRIBED_GROUP_ROWS[] = {
    FIELD(kafka_described_group, "ErrorCode", error_code, KT_I16, 0, ALWAYS),
    FIELD(kafka_described_group, "ErrorMessage", error_message, KT_STR, 6, ALWAYS, .null_from = 6),
    FIELD(kafka_described_group, "GroupId", group_id, KT_STR, 0, ALWAYS),
    FIELD(kafka_described_group, "GroupState", group_state, KT_STR, 0, ALWAYS),
    FIELD(kafka_described_group, "ProtocolType", protocol_type, KT_STR, 0, ALWAYS),
    FIELD(kafka_described_group, "ProtocolData", protocol_data, KT_STR, 0, ALWAYS),
    FIELD(kafka_described_group, "Members", members, KT_ARRAY, 0, ALWAYS,
          STRUCTS(DESCRIBED_MEMBER)),
    FIELD(kafka_described_group, "AuthorizedOperations", authorized_operations, KT_I32, 3, ALWAYS,
          .deflt = INT32_MIN),
};
LAYOUT(DESCRIBED_GROUP, kafka_described_group, DESCRIBED_GROUP_ROWS);

static const struct kafka_field DESCRIBE_GROUPS_RES_ROWS[] = {
    FIELD(kafka_describe_groups_res, "ThrottleTimeMs", throttle_time_ms, KT_I32, 1, ALWAYS),
    FIELD(kafka_describe_groups_res, "Groups", groups, KT_ARRAY, 0, ALWAYS,
          STRUCTS(DESCRIBED_GROUP)),
};
LAYOUT(DESCRIBE_GROUPS_RES, kafka_describe_groups_res, DESCRIBE_GROUPS_RES_ROWS);

/* ConsumerGroupDescribe, key 69, and ShareGroupDescribe, key 77 */
static const struct kafka_field GROUP_IDS_REQ_ROWS[] = {
    FIELD(kafka_describe_groups_req, "GroupIds", groups, KT_ARRAY, 0, ALWAYS, STRINGS),
    FIELD(kafka_describe_groups_req, "IncludeAuthorizedOperations", include_authorized_operations,
          KT_BOOL, 0, ALWAYS),
};
LAYOUT(GROUP_IDS_REQ, kafka_describe_groups_req, GROUP_IDS_REQ_ROWS);

static const struct kafka_field TOPIC_PARTITIONS_ROWS[] = {
    FIELD(kafka_topic_partitions, "TopicId", topic_id, KT_UUID, 0, ALWAYS),
    FIELD(kafka_topic_partitions, "TopicName", topic_name, KT_STR, 0, ALWAYS),
    FIELD(kafka_topic_partitions, "Partitions", partitions, KT_ARRAY, 0, ALWAYS, NUMBERS),
};
LAYOUT(TOPIC_PARTITIONS, kafka_topic_partitions, TOPIC_PARTITIONS_ROWS);

static const struct kafka_field ASSIGNMENT_ROWS[] = {
    FIELD(kafka_assignment, "TopicPartitions", topic_partitions, KT_ARRAY, 0, ALWAYS,
          STRUCTS(TOPIC_PARTITIONS)),
};
LAYOUT(ASSIGNMENT, kafka_assignment, ASSIGNMENT_ROWS);

static const struct kafka_field CONSUMER_MEMBER_ROWS[] = {
    FIELD(kafka_consumer_member, "MemberId", member_id, KT_STR, 0, ALWAYS),
    FIELD(kafka_consumer_member, "InstanceId", instance_id, KT_STR, 0, ALWAYS, .null_from = 0),
    FIELD(kafka_consumer_member, "RackId", rack_id, KT_STR, 0, ALWAYS, .null_from = 0),
    FIELD(kafka_consumer_member, "MemberEpoch", member_epoch, KT_I32, 0, ALWAYS),
    FIELD(kafka_consumer_member, "ClientId", client_id, KT_STR, 0, ALWAYS),
    FIELD(kafka_consumer_member, "ClientHost", client_host, KT_STR, 0, ALWAYS),
    FIELD(kafka_consumer_member, "SubscribedTopicNames", subscribed_topic_names, KT_ARRAY, 0,
          ALWAYS, STRINGS),
    FIELD(kafka_consumer_member, "SubscribedTopicRegex", subscribed_topic_regex, KT_STR, 0, ALWAYS,
          .null_from = 0),
    FIELD(kafka_consumer_member, "Assignment", assignment, KT_STRUCT, 0, ALWAYS, .of = &ASSIGNMENT),
    FIELD(kafka_consumer_member, "TargetAssignment", target_assignment, KT_STRUCT, 0, ALWAYS,
          .of = &ASSIGNMENT),
    FIELD(kafka_consumer_member, "MemberType", member_type, KT_I8, 1, ALWAYS, .deflt = -1),
};
LAYOUT(CONSUMER_MEMBER, kafka_consumer_member, CONSUMER_MEMBER_ROWS);

static const struct kafka_field CONSUMER_GROUP_ROWS[] = {
    FIELD(kafka_consumer_group, "ErrorCode", error_code, KT_I16, 0, ALWAYS),
    FIELD(kafka_consumer_group, "ErrorMessage", error_message, KT_STR, 0, ALWAYS, .null_from = 0),
    FIELD(kafka_consumer_group, "GroupId", group_id, KT_STR, 0, ALWAYS),
    FIELD(kafka_consumer_group, "GroupState", group_state, KT_STR, 0, ALWAYS),
    FIELD(kafka_consumer_group, "GroupEpoch", group_epoch, KT_I32, 0, ALWAYS),
    FIELD(kafka_consumer_group, "AssignmentEpoch", assignment_epoch, KT_I32, 0, ALWAYS),
    FIELD(kafka_consumer_group, "AssignorName", assignor_name, KT_STR, 0, ALWAYS),
    FIELD(kafka_consumer_group, "Members", members, KT_ARRAY, 0, ALWAYS, STRUCTS(CONSUMER_MEMBER)),
    FIELD(kafka_consumer_group, "AuthorizedOperations", authorized_operations, KT_I32, 0, ALWAYS,
          .deflt = INT32_MIN),
};
LAYOUT(CONSUMER_GROUP, kafka_consumer_group, CONSUMER_GROUP_ROWS);

static const struct kafka_field CONSUMER_GROUP_DESCRIBE_RES_ROWS[] = {
    FIELD(kafka_consumer_group_describe_res, "ThrottleTimeMs", throttle_time_ms, KT_I32, 0, ALWAYS),
    FIELD(kafka_consumer_group_describe_res, "Groups", groups, KT_ARRAY, 0, ALWAYS,
          STRUCTS(CONSUMER_GROUP)),
};
LAYOUT(CONSUMER_GROUP_DESCRIBE_RES, kafka_consumer_group_describe_res,
       CONSUMER_GROUP_DESCRIBE_RES_ROWS);

static const struct kafka_field SHARE_MEMBER_ROWS[] = {
    FIELD(kafka_consumer_member, "MemberId", member_id, KT_STR, 0, ALWAYS),
    FIELD(kafka_consumer_member, "RackId", rack_id, KT_STR, 0, ALWAYS, .null_from = 0),
    FIELD(kafka_consumer_member, "MemberEpoch", member_epoch, KT_I32, 0, ALWAYS),
    FIELD(kafka_consumer_member, "ClientId", client_id, KT_STR, 0, ALWAYS),
    FIELD(kafka_consumer_member, "ClientHost", client_host, KT_STR, 0, ALWAYS),
    FIELD(kafka_consumer_member, "SubscribedTopicNames", subscribed_topic_names, KT_ARRAY, 0,
          ALWAYS, STRINGS),
    FIELD(kafka_consumer_member, "Assignment", assignment, KT_STRUCT, 0, ALWAYS, .of = &ASSIGNMENT),
};
LAYOUT(SHARE_MEMBER, kafka_consumer_member, SHARE_MEMBER_ROWS);

static const struct kafka_field SHARE_GROUP_ROWS[] = {
    FIELD(kafka_consumer_group, "ErrorCode", error_code, KT_I16, 0, ALWAYS),
    FIELD(kafka_consumer_group, "ErrorMessage", error_message, KT_STR, 0, ALWAYS, .null_from = 0),
    FIELD(kafka_consumer_group, "GroupId", group_id, KT_STR, 0, ALWAYS),
    FIELD(kafka_consumer_group, "GroupState", group_state, KT_STR, 0, ALWAYS),
    FIELD(kafka_consumer_group, "GroupEpoch", group_epoch, KT_I32, 0, ALWAYS),
    FIELD(kafka_consumer_group, "AssignmentEpoch", assignment_epoch, KT_I32, 0, ALWAYS),
    FIELD(kafka_consumer_group, "AssignorName", assignor_name, KT_STR, 0, ALWAYS),
    FIELD(kafka_consumer_group, "Members", members, KT_ARRAY, 0, ALWAYS, STRUCTS(SHARE_MEMBER)),
    FIELD(kafka_consumer_group, "AuthorizedOperations", authorized_operations, KT_I32, 0, ALWAYS,
          .deflt = INT32_MIN),
};
LAYOUT(SHARE_GROUP, kafka_consumer_group, SHARE_GROUP_ROWS);

static const struct kafka_field SHARE_GROUP_DESCRIBE_RES_ROWS[] = {
    FIELD(kafka_consumer_group_describe_res, "ThrottleTimeMs", throttle_time_ms, KT_I32, 0, ALWAYS),
    FIELD(kafka_consumer_group_describe_res, "Groups", groups, KT_ARRAY, 0, ALWAYS,
          STRUCTS(SHARE_GROUP)),
};
LAYOUT(SHARE_GROUP_DESCRIBE_RES, kafka_consumer_group_describe_res, SHARE_GROUP_DESCRIBE_RES_ROWS);

/* OffsetFetch, key 9; version 10 names topics by id only */
static const struct kafka_field OFFSET_FETCH_REQ_TOPIC_ROWS[] = {
    FIELD(kafka_offset_fetch_req_topic, "Name", name, KT_STR, 0, 9),
    FIELD(kafka_offset_fetch_req_topic, "PartitionIndexes", partition_indexes, KT_ARRAY, 0, ALWAYS,
          NUMBERS),
};
LAYOUT(OFFSET_FETCH_REQ_TOPIC, kafka_offset_fetch_req_topic, OFFSET_FETCH_REQ_TOPIC_ROWS);

static const struct kafka_field OFFSET_FETCH_REQ_GROUP_ROWS[] = {
    FIELD(kafka_offset_fetch_req_group, "GroupId", group_id, KT_STR, 8, ALWAYS),
    FIELD(kafka_offset_fetch_req_group, "MemberId", member_id, KT_STR, 9, ALWAYS, .null_from = 9),
    FIELD(kafka_offset_fetch_req_group, "MemberEpoch", member_epoch, KT_I32, 9, ALWAYS,
          .deflt = -1),
    FIELD(kafka_offset_fetch_req_group, "Topics", topics, KT_ARRAY, 8, ALWAYS,
          STRUCTS(OFFSET_FETCH_REQ_TOPIC), .null_from = 8),
};
LAYOUT(OFFSET_FETCH_REQ_GROUP, kafka_offset_fetch_req_group, OFFSET_FETCH_REQ_GROUP_ROWS);

static const struct kafka_field OFFSET_FETCH_REQ_ROWS[] = {
    FIELD(kafka_offset_fetch_req, "GroupId", group_id, KT_STR, 0, 7),
    FIELD(kafka_offset_fetch_req, "Topics", topics, KT_ARRAY, 0, 7, STRUCTS(OFFSET_FETCH_REQ_TOPIC),
          .null_from = 2),
    FIELD(kafka_offset_fetch_req, "Groups", groups, KT_ARRAY, 8, ALWAYS,
          STRUCTS(OFFSET_FETCH_REQ_GROUP)),
    FIELD(kafka_offset_fetch_req, "RequireStable", require_stable, KT_BOOL, 7, ALWAYS),
};
LAYOUT(OFFSET_FETCH_REQ, kafka_offset_fetch_req, OFFSET_FETCH_REQ_ROWS);

static const struct kafka_field OFFSET_FETCH_PARTITION_ROWS[] = {
    FIELD(kafka_offset_fetch_partition, "PartitionIndex", partition_index, KT_I32, 0, ALWAYS),
    FIELD(kafka_offset_fetch_partition, "CommittedOffset", committed_offset, KT_I64, 0, ALWAYS),
    FIELD(kafka_offset_fetch_partition, "CommittedLeaderEpoch", committed_leader_epoch, KT_I32, 5,
          ALWAYS, .deflt = -1),
    FIELD(kafka_offset_fetch_partition, "Metadata", metadata, KT_STR, 0, ALWAYS, .null_from = 0),
    FIELD(kafka_offset_fetch_partition, "ErrorCode", error_code, KT_I16, 0, ALWAYS),
};
LAYOUT(OFFSET_FETCH_PARTITION, kafka_offset_fetch_partition, OFFSET_FETCH_PARTITION_ROWS);

static const struct kafka_field OFFSET_FETCH_TOPIC_ROWS[] = {
    FIELD(kafka_offset_fetch_topic, "Name", name, KT_STR, 0, 9),
    FIELD(kafka_offset_fetch_topic, "Partitions", partitions, KT_ARRAY, 0, ALWAYS,
          STRUCTS(OFFSET_FETCH_PARTITION)),
};
LAYOUT(OFFSET_FETCH_TOPIC, kafka_offset_fetch_topic, OFFSET_FETCH_TOPIC_ROWS);

static const struct kafka_field OFFSET_FETCH_GROUP_ROWS[] = {
    FIELD(kafka_offset_fetch_group, "GroupId", group_id, KT_STR, 8, ALWAYS),
    FIELD(kafka_offset_fetch_group, "Topics", topics, KT_ARRAY, 8, ALWAYS,
          STRUCTS(OFFSET_FETCH_TOPIC)),
    FIELD(kafka_offset_fetch_group, "ErrorCode", error_code, KT_I16, 8, ALWAYS),
};
LAYOUT(OFFSET_FETCH_GROUP, kafka_offset_fetch_group, OFFSET_FETCH_GROUP_ROWS);

static const struct kafka_field OFFSET_FETCH_RES_ROWS[] = {
    FIELD(kafka_offset_fetch_res, "ThrottleTimeMs", throttle_time_ms, KT_I32, 3, ALWAYS),
    FIELD(kafka_offset_fetch_res, "Topics", topics, KT_ARRAY, 0, 7, STRUCTS(OFFSET_FETCH_TOPIC)),
    FIELD(kafka_offset_fetch_res, "ErrorCode", error_code, KT_I16, 2, 7),
    FIELD(kafka_offset_fetch_res, "Groups", groups, KT_ARRAY, 8, ALWAYS,
          STRUCTS(OFFSET_FETCH_GROUP)),
};
LAYOUT(OFFSET_FETCH_RES, kafka_offset_fetch_res, OFFSET_FETCH_RES_ROWS);

/* ListOffsets, key 2 */
static const struct kafka_field LIST_OFFSETS_REQ_PARTITION_ROWS[] = {
    FIELD(kafka_list_offsets_req_partition, "PartitionIndex", partition_index, KT_I32, 0, ALWAYS),
    FIELD(kafka_list_offsets_req_partition, "CurrentLeaderEpoch", current_leader_epoch, KT_I32, 4,
          ALWAYS, .deflt = -1),
    FIELD(kafka_list_offsets_req_partition, "Timestamp", timestamp, KT_I64, 0, ALWAYS),
};
LAYOUT(LIST_OFFSETS_REQ_PARTITION, kafka_list_offsets_req_partition,
       LIST_OFFSETS_REQ_PARTITION_ROWS);

static const struct kafka_field LIST_OFFSETS_REQ_TOPIC_ROWS[] = {
    FIELD(kafka_list_offsets_req_topic, "Name", name, KT_STR, 0, ALWAYS),
    FIELD(kafka_list_offsets_req_topic, "Partitions", partitions, KT_ARRAY, 0, ALWAYS,
          STRUCTS(LIST_OFFSETS_REQ_PARTITION)),
};
LAYOUT(LIST_OFFSETS_REQ_TOPIC, kafka_list_offsets_req_topic, LIST_OFFSETS_REQ_TOPIC_ROWS);

static const struct kafka_field LIST_OFFSETS_REQ_ROWS[] = {
    FIELD(kafka_list_offsets_req, "ReplicaId", replica_id, KT_I32, 0, ALWAYS),
    FIELD(kafka_list_offsets_req, "IsolationLevel", isolation_level, KT_I8, 2, ALWAYS),
    FIELD(kafka_list_offsets_req, "Topics", topics, KT_ARRAY, 0, ALWAYS,
          STRUCTS(LIST_OFFSETS_REQ_TOPIC)),
    FIELD(kafka_list_offsets_req, "TimeoutMs", timeout_ms, KT_I32, 10, ALWAYS),
};
LAYOUT(LIST_OFFSETS_REQ, kafka_list_offsets_req, LIST_OFFSETS_REQ_ROWS);

static const struct kafka_field LIST_OFFSETS_PARTITION_ROWS[] = {
    FIELD(kafka_list_offsets_partition, "PartitionIndex", partition_index, KT_I32, 0, ALWAYS),
    FIELD(kafka_list_offsets_partition, "ErrorCode", error_code, KT_I16, 0, ALWAYS),
    FIELD(kafka_list_offsets_partition, "Timestamp", timestamp, KT_I64, 1, ALWAYS, .deflt = -1),
    FIELD(kafka_list_offsets_partition, "Offset", offset, KT_I64, 1, ALWAYS, .deflt = -1),
    FIELD(kafka_list_offsets_partition, "LeaderEpoch", leader_epoch, KT_I32, 4, ALWAYS,
          .deflt = -1),
};
LAYOUT(LIST_OFFSETS_PARTITION, kafka_list_offsets_partition, LIST_OFFSETS_PARTITION_ROWS);

static const struct kafka_field LIST_OFFSETS_TOPIC_ROWS[] = {
    FIELD(kafka_list_offsets_topic, "Name", name, KT_STR, 0, ALWAYS),
    FIELD(kafka_list_offsets_topic, "Partitions", partitions, KT_ARRAY, 0, ALWAYS,
          STRUCTS(LIST_OFFSETS_PARTITION)),
};
LAYOUT(LIST_OFFSETS_TOPIC, kafka_list_offsets_topic, LIST_OFFSETS_TOPIC_ROWS);

static const struct kafka_field LIST_OFFSETS_RES_ROWS[] = {
    FIELD(kafka_list_offsets_res, "ThrottleTimeMs", throttle_time_ms, KT_I32, 2, ALWAYS),
    FIELD(kafka_list_offsets_res, "Topics", topics, KT_ARRAY, 0, ALWAYS,
          STRUCTS(LIST_OFFSETS_TOPIC)),
};
LAYOUT(LIST_OFFSETS_RES, kafka_list_offsets_res, LIST_OFFSETS_RES_ROWS);

/* DescribeLogDirs, key 35 */
static const struct kafka_field LOG_DIRS_REQ_TOPIC_ROWS[] = {
    FIELD(kafka_log_dirs_req_topic, "Topic", topic, KT_STR, 0, ALWAYS),
    FIELD(kafka_log_dirs_req_topic, "Partitions", partitions, KT_ARRAY, 0, ALWAYS, NUMBERS),
};
LAYOUT(LOG_DIRS_REQ_TOPIC, kafka_log_dirs_req_topic, LOG_DIRS_REQ_TOPIC_ROWS);

static const struct kafka_field DESCRIBE_LOG_DIRS_REQ_ROWS[] = {
    FIELD(kafka_describe_log_dirs_req, "Topics", topics, KT_ARRAY, 0, ALWAYS,
          STRUCTS(LOG_DIRS_REQ_TOPIC), .null_from = 0),
};
LAYOUT(DESCRIBE_LOG_DIRS_REQ, kafka_describe_log_dirs_req, DESCRIBE_LOG_DIRS_REQ_ROWS);

static const struct kafka_field LOG_DIR_PARTITION_ROWS[] = {
    FIELD(kafka_log_dir_partition, "PartitionIndex", partition_index, KT_I32, 0, ALWAYS),
    FIELD(kafka_log_dir_partition, "PartitionSize", partition_size, KT_I64, 0, ALWAYS),
    FIELD(kafka_log_dir_partition, "OffsetLag", offset_lag, KT_I64, 0, ALWAYS),
    FIELD(kafka_log_dir_partition, "IsFutureKey", is_future_key, KT_BOOL, 0, ALWAYS),
};
LAYOUT(LOG_DIR_PARTITION, kafka_log_dir_partition, LOG_DIR_PARTITION_ROWS);

static const struct kafka_field LOG_DIR_TOPIC_ROWS[] = {
    FIELD(kafka_log_dir_topic, "Name", name, KT_STR, 0, ALWAYS),
    FIELD(kafka_log_dir_topic, "Partitions", partitions, KT_ARRAY, 0, ALWAYS,
          STRUCTS(LOG_DIR_PARTITION)),
};
LAYOUT(LOG_DIR_TOPIC, kafka_log_dir_topic, LOG_DIR_TOPIC_ROWS);

static const struct kafka_field LOG_DIRS_RESULT_ROWS[] = {
    FIELD(kafka_log_dirs_result, "ErrorCode", error_code, KT_I16, 0, ALWAYS),
    FIELD(kafka_log_dirs_result, "LogDir", log_dir, KT_STR, 0, ALWAYS),
    FIELD(kafka_log_dirs_result, "Topics", topics, KT_ARRAY, 0, ALWAYS, STRUCTS(LOG_DIR_TOPIC)),
    FIELD(kafka_log_dirs_result, "TotalBytes", total_bytes, KT_I64, 4, ALWAYS, .deflt = -1),
    FIELD(kafka_log_dirs_result, "UsableBytes", usable_bytes, KT_I64, 4, ALWAYS, .deflt = -1),
    FIELD(kafka_log_dirs_result, "IsCordoned", is_cordoned, KT_BOOL, 5, ALWAYS),
};
LAYOUT(LOG_DIRS_RESULT, kafka_log_dirs_result, LOG_DIRS_RESULT_ROWS);

static const struct kafka_field DESCRIBE_LOG_DIRS_RES_ROWS[] = {
    FIELD(kafka_describe_log_dirs_res, "ThrottleTimeMs", throttle_time_ms, KT_I32, 0, ALWAYS),
    FIELD(kafka_describe_log_dirs_res, "ErrorCode", error_code, KT_I16, 3, ALWAYS),
    FIELD(kafka_describe_log_dirs_res, "Results", results, KT_ARRAY, 0, ALWAYS,
          STRUCTS(LOG_DIRS_RESULT)),
};
LAYOUT(DESCRIBE_LOG_DIRS_RES, kafka_describe_log_dirs_res, DESCRIBE_LOG_DIRS_RES_ROWS);

#pragma GCC diagnostic pop

/* Oldest broker: 0.11. Newest: 4.4. OffsetFetch 10 is left out on purpose: it names topics by id, 9 does by name. */
const struct kafka_api KAFKA_APIS[KAFKA_API_MAX_] = {
    [KAFKA_API_VERSIONS] = { "ApiVersions", 18, 0, 3, 3, &API_VERSIONS_REQ, &API_VERSIONS_RES },
    [KAFKA_METADATA] = { "Metadata", 3, 4, 13, 9, &METADATA_REQ, &METADATA_RES },
    [KAFKA_DESCRIBE_CLUSTER] = { "DescribeCluster", 60, 0, 2, 0, &DESCRIBE_CLUSTER_REQ,
                                 &DESCRIBE_CLUSTER_RES },
    [KAFKA_LIST_GROUPS] = { "ListGroups", 16, 1, 5, 3, &LIST_GROUPS_REQ, &LIST_GROUPS_RES },
    [KAFKA_DESCRIBE_GROUPS] = { "DescribeGroups", 15, 1, 6, 5, &DESCRIBE_GROUPS_REQ,
                                &DESCRIBE_GROUPS_RES },
    [KAFKA_CONSUMER_GROUP_DESCRIBE] = { "ConsumerGroupDescribe", 69, 0, 1, 0, &GROUP_IDS_REQ,
                                        &CONSUMER_GROUP_DESCRIBE_RES },
    [KAFKA_SHARE_GROUP_DESCRIBE] = { "ShareGroupDescribe", 77, 1, 1, 0, &GROUP_IDS_REQ,
                                     &SHARE_GROUP_DESCRIBE_RES },
    [KAFKA_OFFSET_FETCH] = { "OffsetFetch", 9, 3, 9, 6, &OFFSET_FETCH_REQ, &OFFSET_FETCH_RES },
    [KAFKA_LIST_OFFSETS] = { "ListOffsets", 2, 2, 11, 6, &LIST_OFFSETS_REQ, &LIST_OFFSETS_RES },
    [KAFKA_DESCRIBE_LOG_DIRS] = { "DescribeLogDirs", 35, 0, 5, 2, &DESCRIBE_LOG_DIRS_REQ,
                                  &DESCRIBE_LOG_DIRS_RES },
};
