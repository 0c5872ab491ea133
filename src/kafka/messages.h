/* SPDX-License-Identifier: Apache-2.0 */
/*
 * messages.h - requests and answers as C structs; api.c has the table row of every field
 *
 * Names are the definitions' own in snake_case. A struct holds the fields of all versions that we speak.
 * Source: message definitions of Kafka 2.2.2, 3.9.2, 4.4.0.
 */
#ifndef KAFKA_MESSAGES_H
#define KAFKA_MESSAGES_H

#include "kafka/schema.h"

typedef KARRAY(struct str) kafka_strs;
typedef KARRAY(int32_t) kafka_ints;

struct kafka_api_versions_req {
    struct str client_software_name, client_software_version;
};
struct kafka_api_version {
    int16_t api_key, min_version, max_version;
};
struct kafka_feature {
    struct str name;
    int16_t min_version, max_version;
};
struct kafka_api_versions_res {
    int16_t error_code;
    KARRAY(struct kafka_api_version) api_keys;
    int32_t throttle_time_ms;
    KARRAY(struct kafka_feature) supported_features;
    int64_t finalized_features_epoch;
    KARRAY(struct kafka_feature) finalized_features;
    bool zk_migration_ready;
};

struct kafka_metadata_req_topic {
    struct kafka_uuid topic_id;
    struct str name;
};
struct kafka_metadata_req {
    KARRAY(struct kafka_metadata_req_topic) topics; /* null: all */
    bool allow_auto_topic_creation;
    bool include_cluster_authorized_operations, include_topic_authorized_operations;
};
struct kafka_metadata_broker {
    int32_t node_id, port;
    struct str host, rack;
};
struct kafka_metadata_partition {
    int16_t error_code;
    int32_t partition_index, leader_id, leader_epoch;
    kafka_ints replica_nodes, isr_nodes, offline_replicas;
};
struct kafka_metadata_topic {
    int16_t error_code;
    struct str name;
    struct kafka_uuid topic_id;
    bool is_internal;
    KARRAY(struct kafka_metadata_partition) partitions;
    int32_t topic_authorized_operations;
};
struct kafka_metadata_res {
    int32_t throttle_time_ms;
    KARRAY(struct kafka_metadata_broker) brokers;
    struct str cluster_id;
    int32_t controller_id;
    KARRAY(struct kafka_metadata_topic) topics;
    int32_t cluster_authorized_operations;
    int16_t error_code;
};

struct kafka_describe_cluster_req {
    bool include_cluster_authorized_operations;
    int8_t endpoint_type;
    bool include_fenced_brokers;
};
struct kafka_cluster_broker {
    int32_t broker_id, port;
    struct str host, rack;
    bool is_fenced;
};
struct kafka_describe_cluster_res {
    int32_t throttle_time_ms;
    int16_t error_code;
    struct str error_message;
    int8_t endpoint_type;
    struct str cluster_id;
    int32_t controller_id;
    KARRAY(struct kafka_cluster_broker) brokers;
    int32_t cluster_authorized_operations;
};

struct kafka_list_groups_req {
    kafka_strs states_filter, types_filter;
};
struct kafka_listed_group {
    struct str group_id, protocol_type, group_state, group_type;
};
struct kafka_list_groups_res {
    int32_t throttle_time_ms;
    int16_t error_code;
    KARRAY(struct kafka_listed_group) groups;
};

struct kafka_describe_groups_req { /* of ConsumerGroupDescribe and ShareGroupDescribe, too */
    kafka_strs groups;
    bool include_authorized_operations;
};
struct kafka_described_member {
    struct str member_id, group_instance_id, client_id, client_host;
    struct str member_metadata, member_assignment; /* bytes */
};
struct kafka_described_group {
    int16_t error_code;
    struct str error_message, group_id, group_state, protocol_type, protocol_data;
    KARRAY(struct kafka_described_member) members;
    int32_t authorized_operations;
};
struct kafka_describe_groups_res {
    int32_t throttle_time_ms;
    KARRAY(struct kafka_described_group) groups;
};

struct kafka_topic_partitions {
    struct kafka_uuid topic_id;
    struct str topic_name;
    kafka_ints partitions;
};
struct kafka_assignment {
    KARRAY(struct kafka_topic_partitions) topic_partitions;
};
struct kafka_consumer_member { /* a share group's has no instance and no target */
    struct str member_id, instance_id, rack_id;
    int32_t member_epoch;
    struct str client_id, client_host;
    kafka_strs subscribed_topic_names;
    struct str subscribed_topic_regex;
    struct kafka_assignment assignment, target_assignment;
    int8_t member_type;
};
struct kafka_consumer_group {
    int16_t error_code;
    struct str error_message, group_id, group_state;
    int32_t group_epoch, assignment_epoch;
    struct str assignor_name;
    KARRAY(struct kafka_consumer_member) members;
    int32_t authorized_operations;
};
struct kafka_consumer_group_describe_res { /* of ShareGroupDescribe, too */
    int32_t throttle_time_ms;
    KARRAY(struct kafka_consumer_group) groups;
};

struct kafka_offset_fetch_req_topic {
    struct str name;
    kafka_ints partition_indexes;
};
typedef KARRAY(struct kafka_offset_fetch_req_topic) kafka_offset_fetch_req_topics;
struct kafka_offset_fetch_req_group {
    struct str group_id, member_id;
    int32_t member_epoch;
    kafka_offset_fetch_req_topics topics; /* null: all that have a commit */
};
struct kafka_offset_fetch_req {
    struct str group_id;                  /* 0-7 */
    kafka_offset_fetch_req_topics topics; /* 0-7 */
    KARRAY(struct kafka_offset_fetch_req_group) groups;
    bool require_stable;
};
struct kafka_offset_fetch_partition {
    int32_t partition_index;
    int64_t committed_offset;
    int32_t committed_leader_epoch;
    struct str metadata;
    int16_t error_code;
};
struct kafka_offset_fetch_topic {
    struct str name;
    KARRAY(struct kafka_offset_fetch_partition) partitions;
};
typedef KARRAY(struct kafka_offset_fetch_topic) kafka_offset_fetch_topics;
struct kafka_offset_fetch_group {
    struct str group_id;
    kafka_offset_fetch_topics topics;
    int16_t error_code;
};
struct kafka_offset_fetch_res {
    int32_t throttle_time_ms;
    kafka_offset_fetch_topics topics; /* 0-7 */
    int16_t error_code;               /* 2-7 */
    KARRAY(struct kafka_offset_fetch_group) groups;
};

struct kafka_list_offsets_req_partition {
    int32_t partition_index, current_leader_epoch;
    int64_t timestamp;
};
struct kafka_list_offsets_req_topic {
    struct str name;
    KARRAY(struct kafka_list_offsets_req_partition) partitions;
};
struct kafka_list_offsets_req {
    int32_t replica_id;
    int8_t isolation_level;
    KARRAY(struct kafka_list_offsets_req_topic) topics;
    int32_t timeout_ms;
};
struct kafka_list_offsets_partition {
    int32_t partition_index;
    int16_t error_code;
    int64_t timestamp, offset;
    int32_t leader_epoch;
};
struct kafka_list_offsets_topic {
    struct str name;
    KARRAY(struct kafka_list_offsets_partition) partitions;
};
struct kafka_list_offsets_res {
    int32_t throttle_time_ms;
    KARRAY(struct kafka_list_offsets_topic) topics;
};

struct kafka_log_dirs_req_topic {
    struct str topic;
    kafka_ints partitions;
};
struct kafka_describe_log_dirs_req {
    KARRAY(struct kafka_log_dirs_req_topic) topics; /* null: all */
};
struct kafka_log_dir_partition {
    int32_t partition_index;
    int64_t partition_size, offset_lag;
    bool is_future_key;
};
struct kafka_log_dir_topic {
    struct str name;
    KARRAY(struct kafka_log_dir_partition) partitions;
};
struct kafka_log_dirs_result {
    int16_t error_code;
    struct str log_dir;
    KARRAY(struct kafka_log_dir_topic) topics;
    int64_t total_bytes, usable_bytes;
    bool is_cordoned;
};
struct kafka_describe_log_dirs_res {
    int32_t throttle_time_ms;
    int16_t error_code;
    KARRAY(struct kafka_log_dirs_result) results;
};

#endif
