/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dead.h - which selector keeps an expression empty for ever
 *
 * Shape:  a pure walk over a parsed expression; somebody else knows which selectors find series.
 *         `a or b` is empty only when both sides are; `a unless b` when a is; absent(x) and scalar(x) never are.
 */
#ifndef COMMANDS_DOCTOR_DEAD_H
#define COMMANDS_DOCTOR_DEAD_H

#include "promql/ast.h"

/* Does this selector find series? */
typedef bool lives_fn(void *ctx, const struct node *selector);

/* The first selector, in the order of the text, whose lack of series empties the whole; NULL: none does. */
const struct node *dead_selector(const struct node *n, lives_fn *lives, void *ctx);

/* The metric's name, or empty: a selector may name none, or several by a pattern. */
struct str selector_name(const struct node *selector);

/* {__name__="up",job="x"} without the matchers whose index bit is set in `without`. */
struct buf;
void selector_write(struct buf *b, const struct node *selector, uint64_t without);

/*
 * What stands in a dashboard's query is no query yet: variables become what every value matches. A matcher on a variable is
 * written with VARIABLE_MARK in its value; see matcher_is_variable().
 */
struct str query_of_template(struct arena *a, struct str text);
bool matcher_is_variable(const struct matcher *m);

#endif
