/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remotepb.h - the messages of Prometheus' remote write 1.0 and remote read
 *
 * Shape:   WriteRequest{1 TimeSeries, 3 MetricMetadata}; TimeSeries{1 Label, 2 Sample, 3 Exemplar, 4 Histogram};
 *          Label{1 name, 2 value}; Sample{1 double value, 2 int64 ms}; MetricMetadata{1 type, 2 family, 4 help, 5 unit}.
 *          ReadRequest{1 Query, 2 accepted types}; Query{1 start, 2 end, 3 LabelMatcher, 4 hints}; ReadResponse{1 QueryResult};
 *          QueryResult{1 TimeSeries}; ChunkedReadResponse{1 ChunkedSeries{1 Label, 2 Chunk{1 min, 2 max, 3 type, 4 data}}, 2 query}.
 *          Readers point into the message; one element is taken off the front at a time, so that a request of any size
 *          needs no memory of its own.
 * Source:  Prometheus prompb/remote.proto, prompb/types.proto, storage/remote/chunked.go
 */
#ifndef CODEC_REMOTEPB_H
#define CODEC_REMOTEPB_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct remotepb_label {
    struct str name, value;
};

/* --- series: of write requests, of read responses --- */

enum remotepb_kind { REMOTEPB_SERIES, REMOTEPB_METADATA };

struct remotepb_metadata {
    uint64_t
        type; /* 0 unknown, 1 counter, 2 gauge, 3 histogram, 4 gauge histogram, 5 summary, 6 info, 7 state set */
    struct str family, help, unit;
};

struct remotepb_item {
    enum remotepb_kind kind;
    struct str
        labels; /* of a series: its leading run of encoded labels; equal runs are equal series */
    struct str rest; /* what follows them */
    struct remotepb_metadata metadata;
};

/*
 * The next series (or metadata) of a WriteRequest or a QueryResult.
 * Errors: ERR_EOF; ERR_SHORT, ERR_SYNTAX not such a message
 */
enum err remotepb_next(struct str *in, struct remotepb_item *out);

/* All labels of a series in the order of the message: of the run and of any that stand later. */
enum err remotepb_labels(struct arena *a, const struct remotepb_item *item,
                         struct remotepb_label **out, size_t *n);

struct remotepb_sample {
    int64_t t;
    double v;
};

/* What else a series brought, for whoever cannot take it. */
struct remotepb_others {
    size_t exemplars, histograms;
};

/* The next sample of item.rest. Errors: ERR_EOF, ERR_SHORT, ERR_SYNTAX */
enum err remotepb_sample(struct str *rest, struct remotepb_sample *out,
                         struct remotepb_others *others);

void remotepb_put_label(struct buf *b, struct str name, struct str value);
/* labels: what remotepb_put_label made. field 1 of a WriteRequest and of a QueryResult. */
void remotepb_put_series(struct buf *b, struct str labels, const struct remotepb_sample *v,
                         size_t n);
void remotepb_put_metadata(struct buf *b, const struct remotepb_metadata *m);

/* --- reading --- */

struct remotepb_matcher {
    unsigned op; /* 0 =, 1 !=, 2 =~, 3 !~ */
    struct str name, value;
};
struct remotepb_query {
    int64_t start, end; /* ms, both included */
    struct remotepb_matcher *matchers;
    size_t n;
};
struct remotepb_read {
    struct remotepb_query *queries;
    size_t n;
    bool streamed; /* the first response type that is asked for and known is STREAMED_XOR_CHUNKS */
};

enum err remotepb_read_request(struct arena *a, struct str in, struct remotepb_read *out);
void remotepb_put_read_request(struct buf *b, const struct remotepb_query *q, bool streamed);

/* Wraps the series of one query, written by remotepb_put_series. */
void remotepb_put_result(struct buf *b, struct str series);
/* The next query's series in a ReadResponse. */
enum err remotepb_result(struct str *in, struct str *series);

struct remotepb_chunk {
    int64_t min, max;
    unsigned type; /* 1 XOR, 2 histogram, 3 float histogram */
    struct str data;
};

/* One ChunkedSeries: labels as above, then chunks by remotepb_put_chunk. */
void remotepb_put_chunk(struct buf *b, const struct remotepb_chunk *c);
/* A frame: uvarint length, BE CRC-32C, ChunkedReadResponse of one series. */
void remotepb_put_frame(struct buf *b, struct str series, uint64_t query);

/*
 * The next frame off *in: its encoded series, one after another by remotepb_chunked_next.
 * Errors: ERR_EOF; ERR_SHORT more bytes are needed; ERR_LIMIT a frame above max; ERR_CORRUPT its checksum
 */
enum err remotepb_frame(struct str *in, size_t max, struct str *message);
/* Takes one ChunkedSeries; `rest` holds the chunks for remotepb_chunk. */
enum err remotepb_chunked_next(struct str *message, struct remotepb_item *out);
enum err remotepb_chunk(struct str *rest, struct remotepb_chunk *out);

#endif
