/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openchunk.h - the cache line of a series and the chunk that still grows behind it
 *
 * Shape:   one 64-byte line a series: its newest sample, the encoder's state, the bits not yet stored. Stored bits are
 *          32-bit words, in a chain of 64-byte segments: 15 words and the next segment's number. So an append touches
 *          the line and the segment's line, never allocates more than a segment, and no chunk strands a size class.
 *          A full chunk is copied out (gather), its segments go back to the free list.
 * Threads: one writer, which brackets changes with open_begin() and open_end(): a sequence lock. Readers copy line and
 *          segments with open_copy() and try again when the sequence moved. Every shared word is an atomic with
 *          acquire and release order (plain moves on x86), so that the sequence is never seen late.
 * Source:  cutting rule: Prometheus tsdb/head_append.go appendPreprocessor, computeChunkEndTime
 */
#ifndef TSDB_OPENCHUNK_H
#define TSDB_OPENCHUNK_H

#include "base/buf.h"
#include "codec/xor.h"
#include "model/sample.h"
#include "tsdb/paged.h"

enum {
    OPEN_SAMPLES = 120,         /* wanted in a chunk */
    OPEN_SAMPLES_MAX = 240,     /* never more */
    OPEN_BYTES_MAX = 1024,      /* nor longer */
    OPEN_SAMPLE_BYTES_MAX = 19, /* a sample may add this much */
    OPEN_SEGMENT_WORDS = 15,    /* and one more: the next segment */
    OPEN_COPY_BYTES = 1024 + 64,
};

#define NO_TIME INT64_MIN

struct hot {
    _Atomic(uint32_t) seq;    /* odd while it changes */
    _Atomic(uint32_t) acc;    /* up to 31 bits, right-aligned */
    _Atomic(int64_t) t;       /* newest sample; NO_TIME before the first */
    _Atomic(uint64_t) v;      /* its bits */
    _Atomic(int64_t) prev_t;  /* newest sample before the last commit */
    _Atomic(uint64_t) commit; /* the last commit that appended */
    _Atomic(uint32_t) delta;  /* t minus the t before, within the chunk */
    _Atomic(uint32_t) age;    /* t minus the chunk's first t */
    _Atomic(uint32_t) left;   /* the chunk is cut at t + left */
    _Atomic(uint32_t) first;  /* first segment, and how many: 5 bits above */
    _Atomic(uint32_t) cur;    /* segment that is being filled */
    _Atomic(uint32_t) state;  /* packed: struct open_state */
};

_Static_assert(sizeof(struct hot) == 64, "a series' line is a cache line");

struct segment {
    _Atomic(uint32_t) w[OPEN_SEGMENT_WORDS + 1];
};

struct segments {
    struct paged items;
    uint32_t free; /* 0: none */
    uint32_t used;
};

void segments_init(struct segments *s);
void segments_done(struct segments *s);

void open_init(struct hot *h);

/* Writer: brackets of a change. */
static inline void open_begin(struct hot *h)
{
    uint32_t seq = atomic_load_explicit(&h->seq, memory_order_relaxed);
    atomic_store_explicit(&h->seq, seq + 1, memory_order_relaxed);
}
static inline void open_end(struct hot *h)
{
    uint32_t seq = atomic_load_explicit(&h->seq, memory_order_relaxed);
    atomic_store_explicit(&h->seq, seq + 1, memory_order_release);
}

/* Samples in the open chunk; 0: there is none. */
unsigned open_count(const struct hot *h);

/* Writer: must the chunk be sealed before a sample at t (later than the newest)? Predicts the cut at a quarter. */
bool open_full(struct hot *h, int64_t t, uint32_t stagger);

/* Writer: bytes of the open chunk in its final form; gather writes them. */
size_t open_bytes(const struct hot *h);
void open_gather(const struct hot *h, const struct segments *s, char *to);

/* Brings the segment that the next append will touch near; the line is near already. */
void open_prefetch(const struct hot *h, const struct segments *s);

/* Writer, between begin and end. */
void open_clear(struct hot *h, struct segments *s);
void open_append(struct hot *h, struct segments *s, int64_t t, uint64_t v, int64_t range);

/* A series' line and open chunk, copied to another head's; nobody reads that one yet. */
void open_move(const struct hot *from, const struct segments *segs, struct hot *to,
               struct segments *to_segs);

/* What a reader sees of a line and its chunk at one moment. */
struct open_copy {
    int64_t t;
    uint64_t v;
    int64_t prev_t;
    uint64_t commit;
    int64_t first_t; /* of the open chunk */
    unsigned n;      /* samples in it */
    size_t bytes;    /* of its stream, in bits[] */
    char bits[OPEN_COPY_BYTES];
};

/*
 * Sequence to compare with later: between the two calls everything read with acquire order belongs together.
 *     do { seq = open_read_begin(h); ... } while (open_read_again(h, seq));
 */
uint32_t open_read_begin(const struct hot *h);
static inline bool open_read_again(const struct hot *h, uint32_t seq)
{
    return atomic_load_explicit(&h->seq, memory_order_relaxed) != seq;
}

/* Inside those brackets: the line's values, and with `bits` the stream as well. */
void open_copy(const struct hot *h, const struct segments *s, bool bits, struct open_copy *out);

#endif
