/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/snap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Properties: what unpacks stays below the limit and leaves nothing on failure; what is packed unpacks to itself. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str in = str_make((const char *)data, n);
    BUF(out, 0);
    BUF(packed, 0);
    enum err e = snap_unpack(in, 1 << 20, &out);
    if (e == OK ? out.n > 1 << 20 : out.n != 0) __builtin_trap();
    buf_reset(&out);
    snap_pack(in, &packed);
    if (snap_unpack(buf_str(&packed), n, &out) != OK || !str_eq(buf_str(&out), in)) {
        __builtin_trap();
    }
    return 0;
}
