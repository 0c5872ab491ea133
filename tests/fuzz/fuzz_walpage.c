/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/walpage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static size_t read_all(struct str seg, struct buf *copy, size_t *good)
{
    struct walpage_reader r;
    struct str rec;
    enum walpage_packing packing;
    size_t count = 0;
    walpage_reader_init(&r, seg);
    while (walpage_next(&r, &rec, &packing) == OK) {
        if (copy) walpage_put(copy, copy->n, rec, packing);
        count++;
    }
    *good = r.good;
    walpage_reader_done(&r);
    return count;
}

/* Properties: the good part alone reads to a clean end with as many records, and so does what is written from them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str seg = str_make((const char *)data, n);
    BUF(copy, 0);
    size_t good, again;
    size_t count = read_all(seg, &copy, &good);
    if (good > n) __builtin_trap();
    if (read_all(str_first(seg, good), NULL, &again) != count || again != good) __builtin_trap();
    if (read_all(buf_str(&copy), NULL, &again) != count || again != copy.n) __builtin_trap();
    return 0;
}
