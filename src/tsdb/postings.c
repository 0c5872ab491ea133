/* SPDX-License-Identifier: Apache-2.0 */
#include "tsdb/postings.h"

/*
 * First index >= from whose member is >= x, or n. Doubling steps, then halving: cheap when the answer is near, which
 * it is when two lists of like length are walked together, and logarithmic when one is far longer.
 */
static size_t gallop(struct postings p, size_t from, uint32_t x)
{
    size_t step = 1, low = from;
    while (low + step < p.n && p.v[low + step] < x) {
        low += step;
        step *= 2;
    }
    size_t high = low + step < p.n ? low + step : p.n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (p.v[mid] < x) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

size_t postings_intersect(struct postings a, struct postings b, uint32_t *to)
{
    struct postings small = a.n <= b.n ? a : b, large = a.n <= b.n ? b : a;
    size_t n = 0, at = 0;
    for (size_t i = 0; i < small.n && at < large.n; i++) {
        uint32_t x = small.v[i];
        if (large.v[at] < x) at = gallop(large, at, x);
        if (at < large.n && large.v[at] == x) to[n++] = x;
    }
    return n;
}

size_t postings_subtract(struct postings a, struct postings b, uint32_t *to)
{
    size_t n = 0, at = 0;
    for (size_t i = 0; i < a.n; i++) {
        uint32_t x = a.v[i];
        if (at < b.n && b.v[at] < x) at = gallop(b, at, x);
        if (at >= b.n || b.v[at] != x) to[n++] = x;
    }
    return n;
}

struct postings postings_below(struct postings p, uint32_t limit)
{
    if (p.n && p.v[p.n - 1] >= limit) p.n = gallop(p, 0, limit);
    return p;
}

void postings_mark(uint64_t *bits, struct postings p)
{
    for (size_t i = 0; i < p.n; i++) bits[p.v[i] >> 6] |= UINT64_C(1) << (p.v[i] & 63);
}

size_t postings_marked(const uint64_t *bits, size_t words, uint32_t *to)
{
    size_t n = 0;
    for (size_t i = 0; i < words; i++) {
        for (uint64_t w = bits[i]; w; w &= w - 1) {
            to[n++] = (uint32_t)(i * 64 + (unsigned)__builtin_ctzll(w));
        }
    }
    return n;
}
