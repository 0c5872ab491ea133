/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memstore.h - series in arrays behind model/storage.h, with a clock: what a unit test of rules runs over
 *
 * Shape:   every series is one column in ascending order. `till` hides samples that are later: all input is there from the
 *          start, and becomes visible as the test's time goes on.
 * Threads: one.
 * Differs: native histograms are refused (ERR_UNSUPPORTED).
 */
#ifndef COMMANDS_PROMTOOL_MEMSTORE_H
#define COMMANDS_PROMTOOL_MEMSTORE_H

#include "base/map.h"
#include "base/vec.h"
#include "model/storage.h"

struct memseries {
    struct labels lb;
    struct column c;
};

struct memstore {
    struct queryable queryable; /* first */
    struct appendable appendable;
    struct arena a;
    struct map64 by_hash; /* first series of a hash; equal hashes are looked for one by one */
    VEC(struct memseries *) v;
    bool sorted;
    int64_t till;
};

void memstore_init(struct memstore *s);
void memstore_done(struct memstore *s);

/* The series of these labels, made when it is new; lb is copied. */
struct memseries *memstore_series(struct memstore *s, struct labels lb);

#endif
