/* SPDX-License-Identifier: Apache-2.0 */
#include "tsdb/chunkfiles.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Property: the chunks that are read, written again, are the bytes they were read from, but for long forms of length. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str file = str_make((const char *)data, n);
    struct chunkfile_entry e;
    size_t at = CHUNKFILE_HEADER;
    if (!chunkfile_header_ok(file)) return 0;
    for (;;) {
        size_t before = at;
        if (chunkfile_next(file, &at, &e) != OK) {
            if (at != before) __builtin_trap();
            return 0;
        }
        BUF(b, 0);
        chunkfile_put(&b, e.ref, e.mint, e.maxt, e.encoding, e.data);
        if (b.n > at - before) __builtin_trap();
        if (b.n == at - before && memcmp(b.p, file.p + before, b.n) != 0) __builtin_trap();
    }
}
