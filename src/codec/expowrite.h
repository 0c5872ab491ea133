/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expowrite.h - /metrics pages: text 0.0.4, families with HELP and TYPE, labels escaped
 *
 * Shape:  families are written in the order of the calls; labels in the order given (callers sort as the original does).
 *     expo_family(b, STR("kafka_brokers"), STR("Number of Brokers in the Kafka Cluster."), "gauge");
 *     expo_sample(b, STR("kafka_brokers"), NULL, 0, 3);
 * Source: Prometheus exposition formats, text 0.0.4; numbers as client_golang's.
 */
#ifndef CODEC_EXPOWRITE_H
#define CODEC_EXPOWRITE_H

#include "base/buf.h"

struct expo_label {
    struct str name, value;
};

#define EXPO_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8; escaping=values"

void expo_family(struct buf *b, struct str name, struct str help, const char *type);
void expo_sample(struct buf *b, struct str name, const struct expo_label *labels, size_t n,
                 double v);
void expo_escape_value(struct buf *b, struct str s); /* \\, \", \n */
void expo_escape_help(struct buf *b, struct str s);  /* \\, \n */

#endif
