/* SPDX-License-Identifier: Apache-2.0 */
/*
 * intervals.h - what was deleted: stretches of time, by series
 *
 * Shape:   a set maps a series' number (a block's or the log's) to closed stretches, ascending and apart.
 * Threads: a set that was shared is immutable: changes go to a copy. References may be counted from any thread.
 */
#ifndef TSDB_INTERVALS_H
#define TSDB_INTERVALS_H

#include "base/map.h"
#include "codec/blockfiles.h"
#include "model/sample.h"

struct interval {
    int64_t mint, maxt;
};

struct intervals {
    const struct interval *v;
    size_t n;
};

struct tombs;

struct tombs *tombs_new(void); /* empty, one reference */
struct tombs *tombs_copy(const struct tombs *t);
struct tombs *tombs_ref(struct tombs *t);
void tombs_unref(struct tombs *t);

void tombs_add(struct tombs *t, uint64_t series, struct interval x);
struct intervals tombs_get(const struct tombs *t, uint64_t series);
size_t tombs_count(const struct tombs *t); /* stretches */

/* All stretches, series ascending, in a's memory. */
struct tombstone *tombs_list(const struct tombs *t, struct arena *a, size_t *n);

/* Is [mint, maxt] wholly inside one stretch? Does any touch it? */
bool intervals_cover(struct intervals d, int64_t mint, int64_t maxt);
bool intervals_touch(struct intervals d, int64_t mint, int64_t maxt);

/* Takes the samples behind `from` that are in a stretch out of the column. */
void intervals_cut(struct intervals d, struct column *c, size_t from);

#endif
