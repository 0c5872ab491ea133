/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/blockfiles.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Property: what is read and written again reads the same. */
static void meta(struct str in)
{
    ARENA(a, 0);
    BUF(first, 0);
    BUF(second, 0);
    struct blockmeta m;
    struct diag d;
    if (blockmeta_read(&a, in, &m, &d) != OK) return;
    blockmeta_write(&first, &m);
    if (blockmeta_read(&a, buf_str(&first), &m, &d) != OK) __builtin_trap();
    blockmeta_write(&second, &m);
    if (!str_eq(buf_str(&first), buf_str(&second))) __builtin_trap();
}

static void tombstones(struct str in)
{
    ARENA(a, 0);
    BUF(b, 0);
    struct tombstone *v, *again;
    size_t n, m;
    if (tombstones_read_record(in, &a, &v, &n) == OK) {
        tombstones_write(&b, v, n);
        if (tombstones_read(buf_str(&b), &a, &again, &m) != OK || m != n) __builtin_trap();
    }
    (void)tombstones_read(in, &a, &v, &n);
}

static void chunks(struct str in)
{
    unsigned encoding;
    struct str data;
    for (size_t at = 0; at < in.n && at < 64; at++)
        (void)blockchunks_read(in, at, &encoding, &data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str in = str_make((const char *)data, n);
    meta(in);
    tombstones(in);
    chunks(in);
    return 0;
}
