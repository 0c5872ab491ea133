/* SPDX-License-Identifier: Apache-2.0 */
/*
 * columns.h - what the store does with columns: cut them and weave them
 */
#ifndef TSDB_COLUMNS_H
#define TSDB_COLUMNS_H

#include "model/sample.h"

/* Moves n samples within the column, histograms included. */
void column_move(struct column *c, size_t to, size_t from, size_t n);

/* Keeps of the samples behind `from` only those in [mint, maxt]: one stretch, since times ascend. */
void column_trim(struct column *c, size_t from, int64_t mint, int64_t maxt);

/*
 * Two ascending runs, [from, second) and [second, n), become one behind `from`; of equal times the first run's sample
 * stays. Cheap when they do not overlap.
 */
void column_weave(struct column *c, size_t from, size_t second);

#endif
