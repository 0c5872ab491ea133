/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Property: what was read is written to text that reads and writes to the same text again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    ARENA(a, 0);
    struct str in = str_make((const char *)data, n);
    const struct json *v = NULL;
    struct diag d = { 0 };
    if (json_parse(&a, in, &v, &d) != OK) {
        if (v || !d.text[0]) __builtin_trap();
        return 0;
    }
    BUF(once, 0);
    BUF(twice, 0);
    json_write(&once, v);
    if (json_parse(&a, buf_str(&once), &v, &d) != OK) __builtin_trap();
    json_write(&twice, v);
    if (!str_eq(buf_str(&once), buf_str(&twice))) __builtin_trap();
    return 0;
}
