/* SPDX-License-Identifier: Apache-2.0 */
/* aggregate.h - what the two files of aggregations share */
#ifndef PROMQL_AGGREGATE_H
#define PROMQL_AGGREGATE_H

#include "promql/eval_priv.h"

/* From a row's labels to the number of its group, in order of appearance. */
struct grouping {
    const struct node *n;
    bool one; /* no by, no without: everything is one group */
    struct label_index index;
    struct label *room; /* the labels that the row at hand is grouped by */
    size_t room_n;
    size_t last; /* the group found last: series come sorted, so it is often the next, too */
};
void grouping_init(struct grouping *g, const struct node *n);
/* *group is valid for good. */
size_t grouping_add(struct query *q, struct grouping *g, struct labels lb, struct labels *group,
                    bool *fresh);

/* topk, bottomk, limitk, limit_ratio, quantile, count_values */
enum err aggregate_param_rows(struct query *q, const struct node *n, const struct frame *f,
                              row_fn *fn, void *ctx);

#endif
