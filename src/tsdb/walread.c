/* SPDX-License-Identifier: Apache-2.0 */
#include "tsdb/walread.h"

#include "codec/snap.h"

#include <zstd.h>

static enum err unpack_zstd(struct str in, struct buf *b)
{
    unsigned long long n = ZSTD_getFrameContentSize(in.p, in.n);
    if (n == ZSTD_CONTENTSIZE_UNKNOWN || n == ZSTD_CONTENTSIZE_ERROR || n > WAL_RECORD_MAX) {
        return ERR_CORRUPT;
    }
    char *to = buf_room(b, n);
    if (!to) return ERR_LIMIT;
    size_t got = ZSTD_decompress(to, n, in.p, in.n);
    if (ZSTD_isError(got)) return ERR_CORRUPT;
    buf_add(b, got);
    return OK;
}

enum err wal_unpack(struct str in, enum walpage_packing packing, struct buf *scratch,
                    struct str *out)
{
    buf_reset(scratch);
    if (packing == WALPAGE_PLAIN) {
        *out = in;
        return OK;
    }
    if (packing == WALPAGE_SNAPPY) {
        TRY(snap_unpack(in, WAL_RECORD_MAX, scratch));
    } else {
        TRY(unpack_zstd(in, scratch));
    }
    *out = buf_str(scratch);
    return OK;
}
