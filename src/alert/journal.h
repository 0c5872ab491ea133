/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal.h - a file of records that is appended to, and rewritten now and then
 *
 * Shape:   records.h; opened by reading it whole, a torn or damaged tail is cut at the last whole record.
 * Threads: any; calls are one at a time by a lock of its own, which is held across write and fsync. Order: journal before engine.
 * Owns:    the file and its descriptor.
 */
#ifndef ALERT_JOURNAL_H
#define ALERT_JOURNAL_H

#include "base/buf.h"
#include "base/err.h"

struct journal;

/* each() sees every record in order; false: the record is not one of its kind, cut here. *cut: bytes dropped from the end. */
enum err journal_open(struct str path, bool (*each)(void *ctx, struct str message), void *ctx,
                      struct journal **out, size_t *cut, struct diag *d);
void journal_close(struct journal *j); /* NULL is fine */

/*
 * Writes what `take` puts into the buffer: it is called with the journal's lock held, takes the owner's waiting records under
 * the owner's lock, and so keeps their order. sync: fsync before returning.
 */
enum err journal_flush(struct journal *j, void (*take)(void *ctx, struct buf *b), void *ctx,
                       bool sync, struct diag *d);

/* The file becomes what `all` writes, atomically. */
enum err journal_rewrite(struct journal *j, void (*all)(void *ctx, struct buf *b), void *ctx,
                         struct diag *d);
size_t journal_size(struct journal *j);

#endif
