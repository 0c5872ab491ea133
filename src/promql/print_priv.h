/* SPDX-License-Identifier: Apache-2.0 */
/* print_priv.h - what print.c and print_pretty.c share; nobody else includes it */
#ifndef PROMQL_PRINT_PRIV_H
#define PROMQL_PRINT_PRIV_H

#include "promql/print.h"

/* "sum", "sum by (a) " */
void print_aggregate_head(struct buf *b, const struct node *n);

/* "+ on (a) group_left (b)" */
void print_operator(struct buf *b, const struct node *n);

/* "[5m:1m] @ 10.000 offset 1m" */
void print_subquery_tail(struct buf *b, const struct node *n);

#endif
