/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walrec.h - what Prometheus' log records say: series and samples
 *
 * Shape:   byte 0 is the type. Series (1): repeat BE64 ref, uvarint labels, then name and value each uvarint length
 *          and bytes. Samples (2): BE64 first ref, BE64 first t, then repeat varint ref - first, varint t - first,
 *          BE64 value; the first sample is repeated as 0, 0. SamplesV2 (11): see walrec.c.
 *          Readers take one element off the front of what is left of a record.
 * Source:  Prometheus tsdb/record/record.go, tsdb/docs/format/wal.md
 */
#ifndef CODEC_WALREC_H
#define CODEC_WALREC_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum walrec_type {
    WALREC_SERIES = 1,
    WALREC_SAMPLES = 2,
    WALREC_TOMBSTONES = 3,
    WALREC_EXEMPLARS = 4,
    WALREC_MMAP_MARKERS = 5,
    WALREC_METADATA = 6,
    WALREC_HISTOGRAMS = 7,
    WALREC_FLOAT_HISTOGRAMS = 8,
    WALREC_CUSTOM_HISTOGRAMS = 9,
    WALREC_CUSTOM_FLOAT_HISTOGRAMS = 10,
    WALREC_SAMPLES_V2 = 11,
};

/* 0 for an empty record. */
unsigned walrec_type(struct str record);

struct walrec_label {
    struct str name, value;
};

/* Writers: walrec_begin_series, then for each series walrec_put_series and its labels in order. */
void walrec_begin_series(struct buf *b);
void walrec_put_series(struct buf *b, uint64_t ref, size_t labels);
void walrec_put_label(struct buf *b, struct str name, struct str value);

/* One series off *in (a series record behind its type byte). Labels point into *in; the array is a's.
 * Errors: ERR_CORRUPT, *in unchanged */
enum err walrec_read_series(struct str *in, struct arena *a, uint64_t *ref,
                            struct walrec_label **labels, size_t *n);

struct walrec_sample {
    uint64_t ref;
    int64_t t;
    uint64_t v; /* bits of the double */
};

/* Appends n > 0 samples to b: a new record when b is empty, else more of the record that is in it. */
void walrec_put_samples(struct buf *b, const struct walrec_sample *v, size_t n);

/* A walk over a samples record of either version. */
struct walrec_samples {
    struct str left;
    unsigned version;
    uint64_t base_ref;
    int64_t base_t;
    bool begun;
};

/* Errors: ERR_CORRUPT too short; ERR_UNSUPPORTED not a record of samples */
enum err walrec_samples_begin(struct str record, struct walrec_samples *it);

/* Errors: ERR_EOF no more; ERR_CORRUPT */
enum err walrec_samples_next(struct walrec_samples *it, struct walrec_sample *out);

#endif
