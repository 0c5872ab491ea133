/* SPDX-License-Identifier: Apache-2.0 */
/* match.h - operators between two instant vectors */
#ifndef PROMQL_MATCH_H
#define PROMQL_MATCH_H

#include "promql/eval_priv.h"

enum err match_rows(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                    void *ctx);

#endif
