/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Property: what decodes is no longer than its text, and survives escaping and decoding again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    ARENA(a, 0);
    struct query_params params = { 0 };
    struct str in = str_make((const char *)data, n), again;
    (void)query_parse(&a, in, &params);
    for (size_t i = 0; i < params.n; i++) {
        BUF(b, 0);
        if (params.v[i].value.n > n) __builtin_trap();
        query_escape(&b, params.v[i].value);
        if (query_decode(&a, buf_str(&b), true, &again) != OK) __builtin_trap();
        if (!str_eq(again, params.v[i].value)) __builtin_trap();
    }
    return 0;
}
