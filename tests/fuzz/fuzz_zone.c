/* SPDX-License-Identifier: Apache-2.0 */
/* TZif files: no read outside of the bytes, and an answer for every instant. */
#include "alert/intervals.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA(a, (size_t)64 << 20);
    struct zone *z;
    struct str name;
    if (zone_parse(&a, str_make((const char *)data, size), &z) != OK) return 0;
    for (int64_t s = -4000000000; s < 8000000000; s += 99999999) (void)zone_offset(z, s, &name);
    return 0;
}
