/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page.h - /metrics of one snapshot: kafka_exporter's families and ours, in text 0.0.4
 *
 * Shape:   families sorted by name, labels by name (constant ones among them), samples by group, topic, partition. A pure
 *          function of its arguments: the same snapshot gives the same bytes, but for its age.
 * Threads: any.
 * Source:  kafka_exporter 1.9.0 (recordings in VIGIE_DATA/kafka-exporter); README "Metrics".
 */
#ifndef ROLES_KAFKA_EXPORTER_PAGE_H
#define ROLES_KAFKA_EXPORTER_PAGE_H

#include "base/buf.h"
#include "codec/expowrite.h"
#include "kafka/snapshot.h"

enum { PAGE_CONST_MAX = 16 };

struct page_options {
    struct expo_label constant[PAGE_CONST_MAX]; /* of --kafka.labels, sorted by name */
    size_t constant_n;
    bool show_all;
    struct str version;
};

/*
 * "k=v,k2=v2" as the original reads it: items without '=' and what follows a second '=' are dropped, the last of a name
 * wins. Labels borrow from text.
 * Errors: ERR_SYNTAX a name that is no label name; ERR_EXISTS a name that our series have; ERR_LIMIT too many
 */
enum err page_labels(struct str text, struct page_options *out, struct diag *d);

void page_write(struct buf *b, const struct page_options *o, const struct kafka_snapshot *s,
                int64_t now_ms);

#endif
