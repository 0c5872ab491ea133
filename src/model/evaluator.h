/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evaluator.h - compiled expressions, for engines that evaluate without knowing the language
 *
 * promql implements it; rules, templates (query function) and the API use it.
 * Threads: an evaluator and a compiled expression may be used from any thread at once.
 */
#ifndef MODEL_EVALUATOR_H
#define MODEL_EVALUATOR_H

#include "base/arena.h"
#include "base/err.h"
#include "model/value.h"

struct expr;
struct evaluator;

struct eval_range {
    int64_t start, end,
        step; /* ms; step 0: one instant at start, result as the expression's type */
};

struct evaluator_ops {
    /* Errors: ERR_SYNTAX, d has line, col and the original's text ("1:5: parse error: ..."). */
    enum err (*compile)(struct evaluator *ev, struct str text, struct expr **out, struct diag *d);
    void (*release)(struct evaluator *ev, struct expr *e);

    /* The canonical form, in a's memory. */
    struct str (*print)(struct evaluator *ev, const struct expr *e, struct arena *a);

    /*
     * cancel (may be NULL) is read at every series; d->text is the original's message.
     * Errors: ERR_CANCELED, ERR_TIMEOUT, ERR_LIMIT (too many samples, memory), ERR_SYNTAX (execution error)
     */
    enum err (*eval)(struct evaluator *ev, const struct expr *e, const struct eval_range *r,
                     struct arena *a, const _Atomic(bool) *cancel, struct value *out,
                     struct diag *d);
};

struct evaluator {
    const struct evaluator_ops *ops;
};

#endif
