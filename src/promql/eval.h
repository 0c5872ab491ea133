/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eval.h - a compiled expression over a queryable
 *
 * Threads: everything a query changes is in its own struct query and arena.
 */
#ifndef PROMQL_EVAL_H
#define PROMQL_EVAL_H

#include "promql/expr.h"
#include "promql/promql.h"

/* As evaluator_ops.eval. o has no zero but for the timeout. */
enum err eval_run(struct queryable *qa, const struct promql_options *o, const struct expr *e,
                  const struct eval_range *r, struct arena *a, const _Atomic(bool) *cancel,
                  struct value *out, struct diag *d);

#endif
