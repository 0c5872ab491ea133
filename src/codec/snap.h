/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snap.h - snappy's block format (no framing), by libsnappy
 *
 * Source: google/snappy format_description.txt.
 */
#ifndef CODEC_SNAP_H
#define CODEC_SNAP_H

#include "base/buf.h"
#include "base/err.h"

/* Appends the packed form of `in` (below 4 GiB) to b. */
void snap_pack(struct str in, struct buf *b);

/*
 * Appends what `in` unpacks to.
 * Errors: ERR_SYNTAX not snappy, or cut; ERR_LIMIT it says it is longer than max, or than `in` could hold
 */
enum err snap_unpack(struct str in, size_t max, struct buf *b);

#endif
