/* SPDX-License-Identifier: Apache-2.0 */
/*
 * head.h - the series in memory: their names, their newest chunk, the list of their full ones
 *
 * Shape:   a series is a slot, a number from 0 in order of birth, in four tables that are walked apart:
 *            hot    64 B  newest sample and open chunk (openchunk.h): each append and each read
 *            ident  16 B  reference in the log: each append
 *            cold   40 B  labels, full chunks: each read
 *            index, symbols: selection
 *          A full chunk waits as a blob in memory until it is in a file of chunks_head/; its place in the series' list
 *          is changed then, the blob retired.
 * Threads: writers under struct tsdb's lock; readers inside a ticket.
 */
#ifndef TSDB_HEAD_H
#define TSDB_HEAD_H

#include "base/map.h"
#include "model/labels.h"
#include "tsdb/history.h"
#include "tsdb/index.h"
#include "tsdb/openchunk.h"

#define SLOT_NONE UINT32_MAX

/* Where a full chunk is. */
#define CHUNK_IN_MEMORY                                                                            \
    (UINT64_C(1) << 63) /* then the rest is the blob's address, else file << 32 | offset */

struct full_chunk {
    _Atomic(uint64_t) ref;
    int64_t mint, maxt;
};

struct blob {
    struct blob *next; /* in the order of sealing */
    uint32_t slot, bytes;
    int64_t mint, maxt;
    char data[];
};

struct shape {
    uint32_t n;
    uint32_t names[]; /* symbols, in the order of their strings */
};

struct cold {
    const struct shape *shape;
    const uint32_t *values; /* symbols, parallel to shape->names */
    _Atomic(int64_t) first_t;
    _Atomic(struct full_chunk *) full;
    _Atomic(uint32_t) full_n;
    uint32_t full_cap;
};

struct ident {
    _Atomic(uint64_t)
        ref; /* in the log; never used twice in the life of a directory. 0: the log has no record of it now */
    uint32_t mark;   /* commit's scratch: where in the batch this series was last */
    uint32_t handle; /* what appenders hold: its number in handles[], + 1 */
};

struct value_block;

struct head {
    struct readers *readers; /* the store's: they outlive a head */
    struct symbols symbols;
    struct index index;
    struct history history;
    struct paged hot, cold, ident;
    struct paged handles; /* uint32_t: handle -> slot, SLOT_NONE once the series is gone */
    struct segments segments;
    _Atomic(uint32_t) series; /* published slots */
    _Atomic(uint32_t) handles_n;
    uint64_t *table; /* hash tag << 32 | slot + 1; the writer's own */
    size_t table_cap;
    uint32_t *scratch; /* symbols of the label set at hand: names, then values */
    size_t scratch_cap;
    struct map shapes;
    struct value_block *values;
    uint64_t last_ref;
    int64_t range; /* ms; chunks do not cross multiples of it */
    struct blob *blobs, **blobs_end;
    size_t blob_bytes;
    _Atomic(int64_t) min_t, max_t; /* INT64_MAX, INT64_MIN while empty */
    _Atomic(uint64_t) chunks, chunks_created, chunks_removed;
    _Atomic(uint32_t) dead; /* slots of series without samples, and without a record in the log */
};

void head_init(struct head *h, int64_t range, struct readers *readers);
void head_done(struct head *h);

static inline struct hot *head_hot(const struct head *h, uint32_t slot)
{
    return paged_at(&h->hot, slot, sizeof(struct hot));
}
static inline struct cold *head_cold(const struct head *h, uint32_t slot)
{
    return paged_at(&h->cold, slot, sizeof(struct cold));
}
static inline struct ident *head_ident(const struct head *h, uint32_t slot)
{
    return paged_at(&h->ident, slot, sizeof(struct ident));
}

/* The slot behind an appender's handle (from 1), or SLOT_NONE. Writer, or inside a ticket from before the head. */
uint32_t head_slot(const struct head *h, uint64_t handle);

/* The series of these labels, or SLOT_NONE. */
uint32_t head_find(struct head *h, struct labels lb);

/* A new series: head_find() said SLOT_NONE. Labels are sorted, unique, not empty. */
uint32_t head_create(struct head *h, struct labels lb);

/* The same for a series that has a handle already: head_set_slot() says so. */
uint32_t head_create_moved(struct head *h, struct labels lb);
void head_set_slot(struct head *h, uint32_t handle, uint32_t slot);

/* An array in a's memory, its strings borrowed from the head. */
struct labels head_labels(const struct head *h, uint32_t slot, struct arena *a);

/* The symbol of the value that the series has for a name; SYMBOL_NONE without. */
uint32_t head_label(const struct head *h, uint32_t slot, uint32_t name);

/*
 * Appends t, later than the series' newest, as part of a commit. oldest_snapshot: that of the readers that are in
 * (UINT64_MAX: none); what they must not see is noted for them.
 */
void head_append(struct head *h, uint32_t slot, int64_t t, uint64_t v, uint64_t commit,
                 uint64_t oldest_snapshot);

/* A chunk found in a file at the start: later than all the series has. */
void head_add_chunk(struct head *h, uint32_t slot, uint64_t ref, int64_t mint, int64_t maxt);

/* Closes the open chunk, if any, into a blob. */
void head_seal(struct head *h, uint32_t slot);

/*
 * Lets go of what is before mint: full chunks that end earlier; series whose newest sample is earlier are as if just born,
 * gone(ctx, ref) is told. Brackets each line alone; *chunks_from: the lowest chunk reference still in use.
 */
struct head_truncation {
    int64_t mint;
    void (*gone)(void *ctx, uint64_t ref);
    void *ctx;
    uint64_t chunks_from; /* UINT64_MAX: none */
    int64_t min_t;        /* of what stays */
};
void head_truncate(struct head *h, uint32_t from, uint32_t to, struct head_truncation *t);

/* The oldest blob, or NULL. head_blob_stored() says where it went: its readers find it there from now on. */
static inline const struct blob *head_blob(const struct head *h) { return h->blobs; }
void head_blob_stored(struct head *h, uint64_t ref);

/* Newest time that a snapshot may see of a series, from a line copied inside its brackets. */
int64_t head_visible(struct head *h, uint32_t slot, int64_t t, int64_t prev_t, uint64_t commit,
                     uint64_t snapshot);

#endif
