/* SPDX-License-Identifier: Apache-2.0 */
/*
 * draft.h - a snapshot in the making: answers go in, the next questions and in the end a snapshot come out
 *
 * Shape:   Metadata lays the topics out; ListGroups adds groups; the rest fills columns. No connection, no clock: what was
 *          asked of whom is collector.c's business. Names that no filter wants never get in.
 * Threads: the collector's loop.
 * Errors:  an answer that carries error codes is used as far as it goes; d then names the request, the first code and how
 *          often it came, and the call returns ERR_DENIED (authorization) or ERR_MISSING.
 */
#ifndef KAFKA_DRAFT_H
#define KAFKA_DRAFT_H

#include "base/map.h"
#include "base/vec.h"
#include "kafka/messages.h"
#include "kafka/snapshot.h"

struct kafka_filter {
    bool (*want_topic)(void *ctx, struct str name); /* NULL: all */
    bool (*want_group)(void *ctx, struct str id);
    void *ctx;
};

struct draft_group {
    struct kafka_group g;
    VEC(struct kafka_commit)
    commits; /* in any order, a pair at most twice: assigned and committed */
};

struct kafka_draft {
    struct kafka_snapshot *snap;
    struct kafka_filter filter;
    struct kafka_topic *topics;
    struct map by_name; /* topic name to index + 1 */
    VEC(struct draft_group) groups;
    struct map by_id;     /* group id to index + 1 */
    int32_t *offsets_led; /* leader of each partition of __consumer_offsets */
    size_t offsets_led_n;
};

void kafka_draft_init(struct kafka_draft *x, const struct kafka_filter *filter);
void kafka_draft_done(struct kafka_draft *x); /* also frees a snapshot that was not taken */

/* First of all. Errors: ERR_AGAIN no broker in it: the asked one is still starting. */
enum err kafka_draft_metadata(struct kafka_draft *x, const struct kafka_metadata_res *res,
                              struct diag *d);

/* A group that two brokers list stays with its coordinator; *first is the index of the first group added. */
enum err kafka_draft_listed(struct kafka_draft *x, int32_t broker,
                            const struct kafka_list_groups_res *res, struct diag *d);

/* The next at most `max` groups of this coordinator and kind from *at on; false when there are none left. */
enum draft_ask { DRAFT_ASK_CLASSIC, DRAFT_ASK_CONSUMER, DRAFT_ASK_SHARE, DRAFT_ASK_OFFSETS };
bool kafka_draft_groups(struct kafka_draft *x, int32_t broker, enum draft_ask kind, size_t max,
                        size_t *at, struct arena *a, kafka_strs *out);

/* Answers about groups count only when they come from the broker that the group stayed with. */
enum err kafka_draft_described(struct kafka_draft *x, int32_t broker,
                               const struct kafka_describe_groups_res *res, struct diag *d);
enum err kafka_draft_consumers(struct kafka_draft *x, int32_t broker,
                               const struct kafka_consumer_group_describe_res *res, struct diag *d);
/* Before version 8 the answer does not say which group it is about: group names it. */
enum err kafka_draft_committed(struct kafka_draft *x, int32_t broker, struct str group,
                               const struct kafka_offset_fetch_res *res, struct diag *d);

/* The next at most `max` partitions led by this broker; false when there are none left. */
struct draft_cursor {
    size_t topic, partition;
};
bool kafka_draft_led(struct kafka_draft *x, int32_t leader, size_t max, int64_t timestamp,
                     struct draft_cursor *at, struct arena *a, struct kafka_list_offsets_req *out);
enum err kafka_draft_offsets(struct kafka_draft *x, const struct kafka_list_offsets_res *res,
                             bool latest, struct diag *d);

/* The snapshot, the caller's; brokers and what the whole cycle knows are still to be set. */
struct kafka_snapshot *kafka_draft_take(struct kafka_draft *x);

#endif
