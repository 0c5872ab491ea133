/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/histchunk.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct sample {
    int64_t t;
    const struct histogram *h;
};

enum { SAMPLES_MAX = 512 };

static size_t read_all(struct str chunk, unsigned encoding, struct arena *a, struct sample *out)
{
    struct histchunk_reader *r = histchunk_open(chunk, encoding, a);
    size_t n = 0;
    while (n < SAMPLES_MAX && histchunk_next(r, &out[n].t, &out[n].h) == OK) n++;
    return n;
}

/* Property: what was read and is a histogram can be written, and reads as the same. Byte 0 says which encoding. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0) return 0;
    ARENA(a, 0);
    static struct sample in[SAMPLES_MAX], out[SAMPLES_MAX];
    unsigned encoding = data[0] & 1 ? HISTCHUNK_INTEGER : HISTCHUNK_FLOAT;
    size_t read = read_all(str_make((const char *)data + 1, n - 1), encoding, &a, in), wrote = 0;
    struct histchunk *c = histchunk_new();
    for (; wrote < read; wrote++) {
        struct diag d;
        const struct histogram *h = in[wrote].h;
        if (histogram_check(h, &d) != OK || h->count > HISTOGRAM_INTEGER_MAX) break;
        if (wrote > 0 && in[wrote].t <= in[wrote - 1].t) break;
        if (histchunk_fit(c, h) != HISTCHUNK_FITS) break;
        histchunk_add(c, in[wrote].t, h);
    }
    if (read_all(histchunk_bytes(c), encoding, &a, out) != wrote) __builtin_trap();
    for (size_t i = 0; i < wrote; i++) {
        if (in[i].t != out[i].t || !histogram_same(in[i].h, out[i].h)) __builtin_trap();
    }
    histchunk_free(c);
    return 0;
}
