/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/remotepb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Property: a series that is read and written again reads as the same. */
static void again(const struct remotepb_item *item, const struct remotepb_label *l, size_t n)
{
    ARENA(a, 0);
    BUF(labels, 0);
    BUF(out, 0);
    struct remotepb_sample v[64];
    struct remotepb_others others = { 0 };
    size_t k = 0;
    struct str rest = item->rest;
    for (size_t i = 0; i < n; i++) remotepb_put_label(&labels, l[i].name, l[i].value);
    while (k < 64 && remotepb_sample(&rest, &v[k], &others) == OK) k++;
    remotepb_put_series(&out, buf_str(&labels), v, k);
    struct str in = buf_str(&out);
    struct remotepb_item it;
    struct remotepb_label *l2;
    size_t n2;
    if (remotepb_next(&in, &it) != OK || in.n) __builtin_trap();
    if (remotepb_labels(&a, &it, &l2, &n2) != OK || n2 != n) __builtin_trap();
    for (size_t i = 0; i < n; i++) {
        if (!str_eq(l[i].name, l2[i].name) || !str_eq(l[i].value, l2[i].value)) __builtin_trap();
    }
    for (size_t i = 0; i < k; i++) {
        struct remotepb_sample s;
        if (remotepb_sample(&it.rest, &s, &others) != OK) __builtin_trap();
        if (s.t != v[i].t || memcmp(&s.v, &v[i].v, 8) != 0) __builtin_trap();
    }
}

static void write_request(struct str in)
{
    struct remotepb_item item;
    while (remotepb_next(&in, &item) == OK) {
        ARENA(a, 0);
        struct remotepb_label *l;
        size_t n;
        if (item.kind != REMOTEPB_SERIES || remotepb_labels(&a, &item, &l, &n) != OK) continue;
        again(&item, l, n);
    }
}

static void read_request(struct str in)
{
    ARENA(a, 0);
    struct remotepb_read r, r2;
    if (remotepb_read_request(&a, in, &r) != OK || !r.n) return;
    BUF(b, 0);
    remotepb_put_read_request(&b, &r.queries[0], r.streamed);
    if (remotepb_read_request(&a, buf_str(&b), &r2) != OK || r2.n != 1) __builtin_trap();
    if (r2.streamed != r.streamed || r2.queries[0].n != r.queries[0].n) __builtin_trap();
}

static void frames(struct str in)
{
    struct str message;
    struct remotepb_item item;
    struct remotepb_chunk c;
    while (remotepb_frame(&in, 1 << 20, &message) == OK) {
        while (remotepb_chunked_next(&message, &item) == OK) {
            while (remotepb_chunk(&item.rest, &c) == OK) {
            }
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str in = str_make((const char *)data, n);
    if (!n) return 0;
    switch (data[0] % 3) {
    case 0: write_request(str_from(in, 1)); break;
    case 1: read_request(str_from(in, 1)); break;
    default: frames(str_from(in, 1));
    }
    return 0;
}
