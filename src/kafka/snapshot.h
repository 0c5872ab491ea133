/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snapshot.h - what one collection cycle learned of a Kafka cluster, frozen
 *
 * Shape:   plain arrays in one arena: brokers by id, topics by name, partitions by index, groups by id, commits by
 *          topic and partition. Every index below is an index into these arrays.
 * Threads: immutable once published; any thread may read what it holds a reference to. A shelf hands the newest
 *          one from the collecting loop to everybody else.
 * Owns:    the snapshot owns all that it points to; kafka_snapshot_unref() ends it.
 */
#ifndef KAFKA_SNAPSHOT_H
#define KAFKA_SNAPSHOT_H

#include "base/arena.h"
#include "kafka/api.h"

#define KAFKA_UNKNOWN INT64_MIN /* an offset or size that nobody told us in this cycle */

struct kafka_log_dir {
    struct str path;
    int16_t error; /* 56: the dir is offline */
    int64_t total_bytes,
        usable_bytes; /* of the volume; KAFKA_UNKNOWN when the broker does not say */
};

struct kafka_broker {
    int32_t id;
    struct str host, rack;
    uint16_t port;
    bool up;            /* answered what it was asked in this cycle */
    bool fenced;        /* registered, but the controller does not let it in (Kafka 4.0+) */
    struct str problem; /* one sentence when something failed, else empty */
    const struct kafka_log_dir *dirs; /* none before Kafka 3.3, which does not tell capacities */
    size_t dirs_n;
    uint64_t requests[KAFKA_API_MAX_]; /* sent since the collector began */
    uint64_t failures;
};

struct kafka_partition {
    int32_t index;
    int32_t leader;                     /* broker id, -1: none */
    int32_t preferred;                  /* first replica, -1: none listed */
    int32_t replicas, in_sync, offline; /* counts */
    int16_t error;                      /* of Metadata or ListOffsets, the latter wins */
    int64_t
        high; /* high watermark, asked after every commit it is compared with; or KAFKA_UNKNOWN */
    int64_t low; /* log start, or KAFKA_UNKNOWN */
};

struct kafka_topic {
    struct str name;
    bool internal;
    int16_t error;
    const struct kafka_partition *partitions;
    size_t partitions_n;
};

enum kafka_group_type {
    KAFKA_GROUP_CLASSIC,
    KAFKA_GROUP_CONSUMER, /* KIP-848 */
    KAFKA_GROUP_SHARE,
    KAFKA_GROUP_STREAMS,
    KAFKA_GROUP_OTHER,
};

/* One partition that a group has something to do with. */
struct kafka_commit {
    uint32_t topic;     /* index into topics */
    uint32_t partition; /* index into its partitions */
    int64_t offset;     /* -1: nothing committed (the partition is only assigned) */
    bool assigned;      /* to a living member */
};

struct kafka_group {
    struct str id, state, protocol_type;
    enum kafka_group_type type;
    int32_t coordinator;                /* broker id */
    int64_t members;                    /* or KAFKA_UNKNOWN */
    bool offsets_known;                 /* its commits were fetched in this cycle */
    const struct kafka_commit *commits; /* sorted by topic, partition; no pair twice */
    size_t commits_n;
};

struct kafka_snapshot {
    uint64_t cycle;
    int64_t taken_ms; /* monotonic, at the end of the cycle */
    int64_t duration_ms;
    bool
        reachable; /* at least one broker answered; false: topics and groups are of an older cycle */
    int64_t data_age_ms; /* how much older they are; 0 when reachable */
    struct str problem;  /* why nobody was reachable, one sentence; else empty */
    struct str cluster_id;
    int32_t controller; /* ZooKeeper's; under KRaft any living broker; -1 unknown */
    const struct kafka_broker *brokers;
    size_t brokers_n;
    const struct kafka_topic *topics;
    size_t topics_n;
    const struct kafka_group *groups;
    size_t groups_n;
    uint64_t duplicate_groups; /* listed by two brokers; the coordinator's answer was kept */

    /* private */
    struct arena arena;
    const struct kafka_snapshot
        *older; /* holds the memory of topics and groups when not reachable */
    _Atomic(uint32_t) refs;
};

/* A new one with one reference, to be filled by its maker and then not changed. */
struct kafka_snapshot *kafka_snapshot_new(void);
const struct kafka_snapshot *kafka_snapshot_ref(const struct kafka_snapshot *s);
void kafka_snapshot_unref(const struct kafka_snapshot *s); /* NULL is fine */

/* Index of a topic or partition, or STR_NONE. */
size_t kafka_snapshot_topic(const struct kafka_snapshot *s, struct str name);
size_t kafka_topic_partition(const struct kafka_topic *t, int32_t index);

/* Where the newest snapshot lies. */
struct kafka_shelf;
struct kafka_shelf *kafka_shelf_new(void);
void kafka_shelf_free(struct kafka_shelf *s);
void kafka_shelf_put(struct kafka_shelf *s, struct kafka_snapshot *take);

/* With a reference for the caller; NULL before the first one. Any thread. */
const struct kafka_snapshot *kafka_shelf_get(struct kafka_shelf *s);

#endif
