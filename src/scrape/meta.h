/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta.h - HELP, TYPE and UNIT of a target's metrics
 *
 * Shape:  one record a metric, in an array, found by name. A record outlives its lines by ten rounds.
 * Threads: one writer; whoever reads beside it holds the manager's lock, as the writer does while it changes texts.
 */
#ifndef SCRAPE_META_H
#define SCRAPE_META_H

#include "base/map.h"
#include "codec/expo_read.h"

struct meta_record {
    struct str name, help, unit; /* malloc'ed */
    enum expo_type type;
    uint32_t round; /* that saw it last */
};

struct meta_table {
    struct meta_record *v;
    size_t n, cap;
    struct map by_name; /* name to index + 1 */
};

void meta_done(struct meta_table *t);

/* Index of the metric's record, made when there is none. */
uint32_t meta_at(struct meta_table *t, struct str name);
void meta_set_text(struct str *field, struct str text); /* copies, if it is another */

/* Drops what no round saw for ten rounds; indexes change when it returns true. */
bool meta_expire(struct meta_table *t, uint32_t round);

#endif
