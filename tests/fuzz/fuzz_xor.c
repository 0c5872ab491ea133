/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/xor.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool ascends(const int64_t *t, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (t[i] <= t[i - 1]) return false;
    }
    return true;
}

/* Property: whatever decodes encodes to a chunk that decodes to the same samples. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str chunk = str_make((const char *)data, n);
    size_t count = xor_count(chunk);
    int64_t *t = malloc((count + 1) * 2 * sizeof(*t));
    double *v = malloc((count + 1) * 2 * sizeof(*v));
    if (xor_decode(chunk, t, v) == OK && ascends(t, count)) {
        BUF(b, 0);
        xor_encode_chunk(t, v, count, &b);
        if (xor_decode(buf_str(&b), t + count, v + count) != OK) __builtin_trap();
        if (memcmp(t, t + count, count * sizeof(*t)) != 0) __builtin_trap();
        if (memcmp(v, v + count, count * sizeof(*v)) != 0) __builtin_trap();
    }
    free(t);
    free(v);
    return 0;
}
