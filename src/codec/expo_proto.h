/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expo_proto.h - reading /metrics pages in protocol buffers: io.prometheus.client.MetricFamily, each behind its length
 *
 * Shape:   the same entries as expo_read.h gives, with `plain` set: their texts are final, and `series` is a key of the
 *          series (or line of metadata) that stands nowhere on the page. A family is read metric by metric as it comes in.
 *          A histogram with native buckets is one entry with `histogram` set where `native` asks for that, and classic series
 *          where it does not, or where `classic` asks for them, too.
 * Errors:  ERR_SHORT more bytes are needed; ERR_EOF the page ended between families; ERR_SYNTAX.
 * Owns:    the name and help of the family at work and one metric; expo_proto_done() frees them. Entries point into them and
 *          into `in`, until the next expo_proto_next().
 * Differs: name, help and type are expected before the family's first metric, as every encoder writes them.
 * Source:  prometheus/client_model io/prometheus/client/metrics.proto, model/textparse/protobufparse.go (order, suffixes).
 */
#ifndef CODEC_EXPO_PROTO_H
#define CODEC_EXPO_PROTO_H

#include "codec/expo_read.h"
#include "codec/histogram.h"

/* One metric, as parsed. */
struct expo_metric;

struct expo_proto {
    struct str in; /* what is there of the page, from the first byte not yet consumed */
    size_t at;     /* where the next field begins in it */
    bool final;    /* in ends where the page ends */
    bool native, classic;

    /* Private */
    uint64_t left; /* bytes of the family still to come */
    bool in_family, told_help, told_type, told_unit;
    enum expo_type type;
    struct buf name, help, unit, key;
    struct arena arena; /* of the metric */
    struct expo_metric *metric;
    size_t step; /* series of it that were given */
};

void expo_proto_done(struct expo_proto *r); /* zeroed is fine */
void expo_proto_reset(struct expo_proto *r, bool native, bool classic);

enum err expo_proto_next(struct expo_proto *r, struct expo_entry *out, struct diag *d);

#endif
