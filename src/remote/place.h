/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place.h - where in the log a sender is, over restarts: one line in one file, of our own (a cache: without it a sender
 *           begins at the log's end, as the original always does)
 *
 * Shape:   "vigie remote write place 1 SEGMENT OFFSET CRC" LF, CRC-32C in decimal over what stands before it.
 *          The file's name is the hash of the entry's address and name.
 */
#ifndef REMOTE_PLACE_H
#define REMOTE_PLACE_H

#include "base/arena.h"
#include "base/err.h"

struct str place_file(struct arena *a, struct str dir, struct str url, struct str name);

/* Errors: ERR_MISSING; ERR_SYNTAX not such a line */
enum err place_parse(struct str text, uint64_t *place);
enum err place_read(struct str file, uint64_t *place);

/* By rename, without fsync: a kill of the process loses nothing, of the machine at most the last second. */
enum err place_write(struct str file, uint64_t place);

#endif
