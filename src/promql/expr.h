/* SPDX-License-Identifier: Apache-2.0 */
/* expr.h - a compiled expression: what struct expr of model/evaluator.h is to this engine */
#ifndef PROMQL_EXPR_H
#define PROMQL_EXPR_H

#include "promql/parse.h"

struct expr {
    uint32_t magic;
    struct arena a; /* holds the text, the tree, and this struct itself is apart from it */
    struct str text;
    struct node *root;
    struct parse parse; /* keeps the list of regular expressions */
};

#endif
