/* SPDX-License-Identifier: Apache-2.0 */
/*
 * histchunk.h - Prometheus' chunks of native histograms, integer (encoding 2) and float (3)
 *
 * Shape:  BE16 count, a byte whose top two bits say how the chunk begins (01 not reset, 10 counter reset, 11 gauge), then
 *         a bit stream: the layout that all samples share (zero threshold, schema, spans, custom bounds), then the samples.
 *           integer  t, count, zero count, sum and bucket-to-bucket deltas; second sample: deltas of these; then deltas of deltas
 *           float    t the same way; count, zero count, sum and each bucket as XOR with its own value before
 *         A chunk holds one layout and no counter reset. After a staleness marker only such markers follow.
 * Differs: the original re-encodes a chunk when a bucket appears; we begin another one.
 * Source: Prometheus tsdb/chunkenc/{histogram,histogram_meta,float_histogram}.go
 */
#ifndef CODEC_HISTCHUNK_H
#define CODEC_HISTCHUNK_H

#include "codec/histogram.h"

enum { HISTCHUNK_INTEGER = 2, HISTCHUNK_FLOAT = 3 };

/* An open chunk that is written sample by sample; it owns its memory. */
struct histchunk;

struct histchunk *histchunk_new(void);
void histchunk_free(struct histchunk *c); /* NULL is fine */

enum histchunk_fit {
    HISTCHUNK_FITS,
    HISTCHUNK_RESET, /* begin another with HINT_RESET: a count fell */
    HISTCHUNK_OTHER, /* begin another with HINT_UNKNOWN: another kind or layout, or after a staleness marker */
};

/* Whether h can follow what is in the chunk; an empty one takes all. */
enum histchunk_fit histchunk_fit(const struct histchunk *c, const struct histogram *h);

/* Empties the chunk. A gauge histogram's chunk says so whatever `hint` is. */
void histchunk_begin(struct histchunk *c, enum histogram_hint hint);

/* histchunk_fit() said HISTCHUNK_FITS, t is after the last, fewer than 65535 are in. */
void histchunk_add(struct histchunk *c, int64_t t, const struct histogram *h);

unsigned histchunk_count(const struct histchunk *c);
unsigned histchunk_encoding(const struct histchunk *c); /* of the first sample */

/* Valid until the next histchunk_begin() or _add(). */
struct str histchunk_bytes(const struct histchunk *c);

/* Reading, sample by sample. Histograms are in the arena given, their spans and bounds shared between samples. */
struct histchunk_reader;
struct histchunk_reader *histchunk_open(struct str chunk, unsigned encoding, struct arena *a);

/* Errors: ERR_EOF no more; ERR_CORRUPT the stream is no such chunk, or ends before its samples do */
enum err histchunk_next(struct histchunk_reader *r, int64_t *t, const struct histogram **out);

#endif
