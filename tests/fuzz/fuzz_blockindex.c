/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bits.h"
#include "codec/blockindex.h"
#include "codec/crc32c.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Sums are made right, so that the fuzzer gets behind them: the TOC's always, a section's where its length fits. */
static void mend(char *p, size_t n)
{
    if (n < BLOCKINDEX_HEADER + BLOCKINDEX_TOC_BYTES) return;
    char *toc = p + n - BLOCKINDEX_TOC_BYTES;
    static const size_t SECTIONS[] = { 0, 32, 40 };
    for (size_t i = 0; i < 3; i++) {
        uint64_t at = load_be64(toc + SECTIONS[i]);
        if (at > n || n - at < 8) continue;
        uint64_t length = load_be32(p + at);
        if (length > n - at - 8) continue;
        store_be32(p + at + 4 + length, crc32c(0, str_make(p + at + 4, length)));
    }
    store_be32(toc + 48, crc32c(0, str_make(toc, 48)));
}

/* Property: every value that the table lists is found by name and value, and every symbol is where its number says. */
static void walk(const struct blockindex *ix)
{
    ARENA(a, 16 << 20);
    size_t at = 0;
    struct str s, again;
    for (uint32_t i = 0; blockindex_next_symbol(ix, &at, &s) == OK; i++) {
        if (ix->version == 1) continue;
        if (blockindex_symbol(ix, i, &again) != OK || again.p != s.p) __builtin_trap();
    }
    for (size_t i = 0; i < ix->names_n; i++) {
        struct blockindex_values it;
        struct blockindex_postings p;
        uint64_t offset;
        if (!blockindex_values_begin(ix, ix->names[i].name, &it)) __builtin_trap();
        while (blockindex_values_next(ix, &it, &s, &offset) == OK) {
            if (blockindex_postings_at(ix, offset, &p) != OK || !p.n) continue;
            struct blockindex_postings q;
            enum err e = blockindex_postings(ix, ix->names[i].name, s, &q);
            if (ix->version > 1 && (e != OK || q.n != p.n)) __builtin_trap();
            for (size_t k = 0; k < p.n && k < 64; k++) {
                struct blockindex_series series;
                (void)blockindex_series(ix, &a, load_be32(p.be.p + 4 * k), &series);
            }
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *p = malloc(n + 1);
    if (!p) return 0;
    memcpy(p, data, n);
    mend(p, n);
    struct blockindex ix;
    struct diag d;
    if (blockindex_open(str_make(p, n), &ix, &d) == OK) {
        walk(&ix);
        blockindex_done(&ix);
    }
    free(p);
    return 0;
}
