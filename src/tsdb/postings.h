/* SPDX-License-Identifier: Apache-2.0 */
/*
 * postings.h - set algebra over ascending lists of slots
 *
 * Pure: results go to memory of the caller's, at least as long as the shorter (intersect) or first (subtract) list;
 * `to` may be the first list itself.
 */
#ifndef TSDB_POSTINGS_H
#define TSDB_POSTINGS_H

#include <stddef.h>
#include <stdint.h>

struct postings {
    const uint32_t *v;
    size_t n;
};

size_t postings_intersect(struct postings a, struct postings b, uint32_t *to);
size_t postings_subtract(struct postings a, struct postings b, uint32_t *to);

/* The members below `limit`: lists may have grown past what a reader knows of. */
struct postings postings_below(struct postings p, uint32_t limit);

/* Union by a bitmap of `limit` bits (zeroed, in whole words): mark each list, then list what is marked. */
void postings_mark(uint64_t *bits, struct postings p);
size_t postings_marked(const uint64_t *bits, size_t words, uint32_t *to);

#endif
