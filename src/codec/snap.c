/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/snap.h"

#include "base/assert.h"

#include <snappy-c.h>

/* A copy element of three bytes yields at most 64 bytes, so no honest input grows more than this. */
enum { GROWTH_MAX = 64 };

void snap_pack(struct str in, struct buf *b)
{
    size_t room = snappy_max_compressed_length(in.n);
    char *to = buf_room(b, room);
    if (!to) return;
    snappy_status st = snappy_compress(in.p ? in.p : "", in.n, to, &room);
    ASSERT(st == SNAPPY_OK);
    buf_add(b, room);
}

enum err snap_unpack(struct str in, size_t max, struct buf *b)
{
    size_t n;
    if (snappy_uncompressed_length(in.p ? in.p : "", in.n, &n) != SNAPPY_OK) return ERR_SYNTAX;
    if (n > max || n / GROWTH_MAX > in.n) return ERR_LIMIT;
    char *to = buf_room(b, n);
    if (!to) return ERR_LIMIT;
    if (snappy_uncompress(in.p, in.n, to, &n) != SNAPPY_OK) return ERR_SYNTAX;
    buf_add(b, n);
    return OK;
}
