/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/walrec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void fuzz_series(struct str in)
{
    ARENA(a, 0);
    uint64_t ref;
    struct walrec_label *labels;
    size_t n;
    struct str before = in;
    while (in.n && walrec_read_series(&in, &a, &ref, &labels, &n) == OK) {
        BUF(b, 0);
        walrec_put_series(&b, ref, n);
        for (size_t i = 0; i < n; i++) walrec_put_label(&b, labels[i].name, labels[i].value);
        if (b.n > before.n - in.n) __builtin_trap(); /* ours is the shortest form */
        before = in;
    }
    if (in.n != before.n) __builtin_trap();
}

enum { KEEP = 1000 };

/* Property: samples that are read come back from what is written of them. */
static void fuzz_samples(struct str record)
{
    struct walrec_samples it;
    static struct walrec_sample v[KEEP];
    struct walrec_sample again;
    size_t n = 0;
    if (walrec_samples_begin(record, &it) != OK) return;
    while (n < KEEP && walrec_samples_next(&it, &v[n]) == OK) n++;
    if (!n) return;
    BUF(b, 0);
    walrec_put_samples(&b, v, n);
    if (walrec_samples_begin(buf_str(&b), &it) != OK) __builtin_trap();
    for (size_t i = 0; i < n; i++) {
        if (walrec_samples_next(&it, &again) != OK) __builtin_trap();
        if (again.ref != v[i].ref || again.t != v[i].t || again.v != v[i].v) __builtin_trap();
    }
    if (walrec_samples_next(&it, &again) != ERR_EOF) __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str record = str_make((const char *)data, n);
    if (walrec_type(record) == WALREC_SERIES) {
        fuzz_series(str_from(record, 1));
    } else {
        fuzz_samples(record);
    }
    return 0;
}
