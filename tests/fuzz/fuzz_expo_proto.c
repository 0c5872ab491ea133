/* SPDX-License-Identifier: Apache-2.0 */
/* A page in protocol buffers reads the same whole and byte by byte, and never more entries than its bytes allow. */
#include "base/assert.h"
#include "codec/expo_proto.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Everything that a page says, in one hash-like text. */
static enum err read_page(struct str page, size_t piece, bool native, struct buf *seen)
{
    struct expo_proto r = { 0 };
    BUF(pending, 0);
    enum err e = ERR_SHORT;
    size_t fed = 0, entries = 0;
    expo_proto_reset(&r, native, native);
    while (e == OK || e == ERR_SHORT) {
        struct expo_entry x;
        r.in = buf_str(&pending);
        e = expo_proto_next(&r, &x, NULL);
        if (e == OK) {
            ASSERT(++entries <= 8 * page.n + 8);
            ASSERT(x.plain && x.name.n && x.series.n >= x.name.n);
            buf_fmt(seen, "%d %zu %zu %d\n", (int)x.kind, x.series.n, x.labels_n,
                    x.histogram != NULL);
        } else if (e == ERR_SHORT) {
            ASSERT(!r.final);
            buf_drop(&pending, r.at);
            r.at = 0;
            struct str next = str_first(str_from(page, fed), piece);
            buf_put(&pending, next);
            fed += next.n;
            r.final = fed == page.n;
        }
    }
    expo_proto_done(&r);
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str page = str_make((const char *)data, n);
    BUF(whole, 0);
    BUF(pieces, 0);
    bool native = n & 1;
    enum err a = read_page(page, n ? n : 1, native, &whole);
    enum err b = read_page(page, 1, native, &pieces);
    ASSERT(a == b && str_eq(buf_str(&whole), buf_str(&pieces)));
    return 0;
}
