/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/xor.h"
#include "codec/xor2.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Property: bytes behind a chunk that reads change nothing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str chunk = str_make((const char *)data, n);
    size_t count = xor_count(chunk);
    int64_t *t = malloc((count + 1) * 2 * sizeof(*t));
    double *v = malloc((count + 1) * 2 * sizeof(*v));
    if (xor2_decode(chunk, t, v) == OK) {
        BUF(longer, 0);
        buf_put(&longer, chunk);
        buf_putc(&longer, "\xff\xff\xff");
        if (xor2_decode(buf_str(&longer), t + count, v + count) != OK) __builtin_trap();
        if (memcmp(t, t + count, count * sizeof(*t)) != 0) __builtin_trap();
        if (memcmp(v, v + count, count * sizeof(*v)) != 0) __builtin_trap();
    }
    free(t);
    free(v);
    return 0;
}
