/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of matchers: what parses is written in a form that the UTF-8 grammar reads as the same list. */
#include "alert/matchers.h"
#include "base/assert.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA(a, (size_t)64 << 20);
    BUF(b, 0);
    struct matchers m = { 0 }, again = { 0 };
    struct diag d = { 0 };
    if (!size || size > 2048) return 0;
    struct str text = str_make((const char *)data + 1, size - 1);
    if (matchers_parse(&a, text, data[0] % 3, &m, NULL, &d) != OK) {
        ASSERT(d.text[0]);
        return 0;
    }
    bool named = true; /* an empty name has no written form, upstream either */
    for (size_t i = 0; i < m.n; i++) named = named && m.v[i].name.n;
    matchers_write(&b, &m);
    if (named && utf8_valid(buf_str(&b))) {
        ASSERT(matchers_parse(&a, buf_str(&b), MATCHERS_UTF8, &again, NULL, &d) == OK);
        ASSERT(matchers_eq(&m, &again));
    }
    matchers_done(&m);
    matchers_done(&again);
    return 0;
}
