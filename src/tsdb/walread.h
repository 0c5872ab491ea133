/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walread.h - records of the log, unpacked
 */
#ifndef TSDB_WALREAD_H
#define TSDB_WALREAD_H

#include "base/buf.h"
#include "base/err.h"
#include "codec/walpage.h"

enum { WAL_RECORD_MAX = 256 << 20 }; /* unpacked; larger than any segment may be */

/* A record as it was before it was packed; scratch (max WAL_RECORD_MAX) may hold it. Errors: ERR_CORRUPT, ERR_LIMIT */
enum err wal_unpack(struct str in, enum walpage_packing packing, struct buf *scratch,
                    struct str *out);

#endif
