/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/walhist.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { READ_MAX = 256 };

static size_t read_all(struct str record, struct arena *a, struct walhist *out)
{
    struct walhist_reader r;
    size_t n = 0;
    if (walhist_begin(record, &r) != OK) return 0;
    while (n < READ_MAX && walhist_next(&r, a, &out[n]) == OK) n++;
    return n;
}

/* Property: histograms that were read, of one type and with counts that are whole numbers, read the same when written. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    ARENA(a, 0);
    BUF(b, 0);
    static struct walhist in[READ_MAX], out[READ_MAX];
    size_t read = read_all(str_make((const char *)data, n), &a, in), fine = 0;
    struct diag d;
    while (fine < read && histogram_check(in[fine].h, &d) == OK &&
           walhist_type(in[fine].h) == walhist_type(in[0].h) &&
           in[fine].h->count <= HISTOGRAM_INTEGER_MAX) {
        fine++;
    }
    if (fine == 0) return 0;
    walhist_put(&b, in, fine);
    if (read_all(buf_str(&b), &a, out) != fine) __builtin_trap();
    for (size_t i = 0; i < fine; i++) {
        if (in[i].ref != out[i].ref || in[i].t != out[i].t) __builtin_trap();
        if (!histogram_same(in[i].h, out[i].h)) __builtin_trap();
    }
    return 0;
}
