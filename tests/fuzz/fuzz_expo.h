/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_expo.h - the property that both page formats share: pieces of any size give what the whole page gives. */
#ifndef TESTS_FUZZ_EXPO_H
#define TESTS_FUZZ_EXPO_H

#include "base/hash.h"
#include "codec/expo_read.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct fuzz_sum {
    enum err end;
    size_t entries;
    uint64_t hash;
};

static inline void fuzz_add(struct fuzz_sum *sum, const struct expo_entry *e)
{
    sum->entries++;
    sum->hash = sum->hash * 31 + hash_bytes(e->series) + hash_bytes(e->name) + hash_bytes(e->text) +
                e->labels_n + e->kind;
    if (e->kind == EXPO_SERIES && !e->name.p) __builtin_trap();
    if (e->kind == EXPO_SERIES && isnan(e->value) && !e->series.n) __builtin_trap();
}

/* step 0: everything at once. */
static inline struct fuzz_sum fuzz_run(struct str page, enum expo_format format, size_t step)
{
    struct fuzz_sum sum = { .end = ERR_SHORT };
    struct expo_reader r;
    struct expo_entry e;
    struct diag d;
    expo_reader_init(&r, format);
    for (size_t end = step ? 0 : page.n; sum.end == ERR_SHORT;) {
        r.in = str_first(page, end);
        r.final = end == page.n;
        while ((sum.end = expo_next(&r, &e, &d)) == OK) {
            fuzz_add(&sum, &e);
        }
        if (r.final && sum.end == ERR_SHORT) __builtin_trap();
        end = end + step < page.n ? end + step : page.n;
    }
    expo_reader_done(&r);
    return sum;
}

static inline int fuzz_expo(const uint8_t *data, size_t n, enum expo_format format)
{
    if (n < 1 || n > 2048) return 0;
    struct str page = str_make((const char *)data + 1, n - 1);
    struct fuzz_sum whole = fuzz_run(page, format, 0), pieces = fuzz_run(page, format, data[0] + 1);
    if (whole.end != pieces.end || whole.entries != pieces.entries || whole.hash != pieces.hash) {
        __builtin_trap();
    }
    ARENA(a, 0);
    (void)expo_label_value(&a, EXPO_HISTOGRAM, STR("le"), page);
    (void)expo_unescape(&a, page, false);
    return 0;
}

#endif
