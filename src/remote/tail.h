/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tail.h - reads the store's log while the store writes it
 *
 * Shape:   first all of the newest checkpoint and of the segments before `from` (the names of series are there), then what
 *          comes behind it, as it comes. A place is that of a record's first byte: segment << 32 | offset.
 * Threads: one at a time. It shares nothing with the store but the files.
 * Limits:  a window of 1 MiB, more only for a longer record.
 * Source:  Prometheus tsdb/wlog/watcher.go
 */
#ifndef REMOTE_TAIL_H
#define REMOTE_TAIL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define PLACE_NOW UINT64_MAX

struct tail;

/* dir: of the log. from: PLACE_NOW is where the log ends when this is called. */
struct tail *tail_open(struct str dir, uint64_t from);
void tail_close(struct tail *t); /* NULL is fine */

struct tail_record {
    struct str bytes; /* unpacked; until the next call */
    uint64_t place;
    bool old; /* before `from`: only names count */
};

/*
 * Errors: ERR_AGAIN nothing more is there now (or a slice of old records was read: call again)
 *         ERR_SYS, ERR_MISSING the log cannot be read; what is lost was cut away before it was read
 */
enum err tail_next(struct tail *t, struct tail_record *out);

/* Behind the last record read: where the next begins. */
uint64_t tail_place(const struct tail *t);
uint64_t tail_from(const struct tail *t);    /* records before it are old */
uint64_t tail_end(struct tail *t);           /* where the log ends now */
uint64_t tail_segment(const struct tail *t); /* of the record read last */

/* The newest checkpoint there is now; false: none. */
bool tail_checkpoint(struct tail *t, uint64_t *number);

/* Calls on_record for each record of a checkpoint; the same limits. */
enum err tail_read_checkpoint(struct tail *t, uint64_t number,
                              void (*on_record)(void *ctx, struct str record), void *ctx);

struct tail_counts {
    uint64_t records, damaged, lost_segments;
};
struct tail_counts tail_counts(const struct tail *t);

#endif
