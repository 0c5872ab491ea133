/* SPDX-License-Identifier: Apache-2.0 */
/*
 * histogram.h - a native histogram: one sample that is a whole distribution
 *
 * Shape:  counts are absolute (not deltas, not cumulative), one for each bucket that the spans name, in ascending order
 *         of bucket index. Integer histograms hold whole numbers up to 2^53 in the same doubles: `integer` says that
 *         chunks and the wire keep them as integers. Beyond that a histogram is a float one.
 *         A staleness marker is a histogram whose sum is the staleness marker of floats.
 * Threads, Owns: an immutable value; its arrays live where the histogram does.
 * Source: Prometheus model/histogram, "native histograms" specification.
 */
#ifndef CODEC_HISTOGRAM_H
#define CODEC_HISTOGRAM_H

#include "base/arena.h"
#include "base/err.h"

#define HISTOGRAM_SCHEMA_MIN    (-4)
#define HISTOGRAM_SCHEMA_MAX    8
#define HISTOGRAM_SCHEMA_CUSTOM (-53) /* bounds are listed, +Inf is not among them */
#define HISTOGRAM_INTEGER_MAX   9007199254740992.0

enum histogram_hint { HINT_UNKNOWN, HINT_RESET, HINT_NOT_RESET, HINT_GAUGE }; /* as on the wire */

/* `offset` empty bucket indexes (from index 0 for the first), then `length` buckets with a count each. */
struct histogram_span {
    int32_t offset;
    uint32_t length;
};

struct histogram_side {
    const struct histogram_span *spans;
    const double *counts;
    uint32_t spans_n, counts_n;
};

struct histogram {
    int32_t schema;
    enum histogram_hint hint;
    bool integer;
    double zero_threshold, zero_count, count, sum;
    struct histogram_side pos, neg;
    const double *bounds; /* ascending; only with HISTOGRAM_SCHEMA_CUSTOM */
    uint32_t bounds_n;
};

/* A deep copy in a's memory. */
const struct histogram *histogram_dup(struct arena *a, const struct histogram *h);

/* Bit for bit, hint aside: what "the same sample again" means. */
bool histogram_same(const struct histogram *a, const struct histogram *b);

/* The same schema, threshold, spans and bounds: the samples can share a chunk. */
bool histogram_same_layout(const struct histogram *a, const struct histogram *b);

/* What a store must not take. Errors: ERR_SYNTAX, in the original's words. */
enum err histogram_check(const struct histogram *h, struct diag *d);

#endif
