/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walhist.h - native histograms in Prometheus' log
 *
 * Shape:   byte 0 is the type: integer 7 or float 8, with custom bounds 9 or 10 (walrec.h). BE64 first ref, BE64 first t,
 *          then repeat varint ref - first, varint t - first and the histogram; the first one is repeated with 0, 0.
 * Source:  Prometheus tsdb/record/record.go
 */
#ifndef CODEC_WALHIST_H
#define CODEC_WALHIST_H

#include "base/buf.h"
#include "codec/histogram.h"

struct walhist {
    uint64_t ref;
    int64_t t;
    const struct histogram *h;
};

/* The type of the record that h belongs in. */
unsigned walhist_type(const struct histogram *h);

/* One record of n > 0 histograms, all of one type. */
void walhist_put(struct buf *b, const struct walhist *v, size_t n);

struct walhist_reader {
    struct str left;
    unsigned type;
    uint64_t base_ref;
    int64_t base_t;
};

/* Errors: ERR_CORRUPT too short; ERR_UNSUPPORTED not a record of histograms */
enum err walhist_begin(struct str record, struct walhist_reader *r);

/* The histogram is in a's memory. Errors: ERR_EOF no more; ERR_CORRUPT */
enum err walhist_next(struct walhist_reader *r, struct arena *a, struct walhist *out);

#endif
