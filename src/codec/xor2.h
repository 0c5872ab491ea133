/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xor2.h - Prometheus' XOR2 chunks of floats (encoding 4): read, not written
 *
 * Shape:  BE16 count, a byte about start times, then a bit stream:
 *           sample 0   varint t, 64 bits v
 *           sample 1   uvarint t - t0, value code
 *           sample n   0 nothing changed | 10 same step, changed value | 11111 same step, staleness marker
 *                      | 110+13, 1110+20, 11110+64 bits of delta of deltas, then value code
 *         value code   0 same | 10 bits in the last window | 110, 5 bits leading, 6 bits length, bits | 111 staleness marker
 *         changed      0 bits in the last window | 1, 5 bits leading, 6 bits length, bits
 *         A staleness marker leaves the value that the next one is told against as it was.
 *         Start times: bit 7 of the byte, one follows sample 0; the other bits, from which sample on one follows each (0:
 *         none). We read over them.
 * Source: Prometheus 3.14 tsdb/chunkenc/xor2.go
 */
#ifndef CODEC_XOR2_H
#define CODEC_XOR2_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

/* Decodes all xor_count() samples to t and v. Errors: ERR_CORRUPT the stream ends before the samples do */
enum err xor2_decode(struct str chunk, int64_t *t, double *v);

#endif
