/* SPDX-License-Identifier: Apache-2.0 */
#include "promql/eval.h"

enum err eval_run(struct queryable *qa, const struct promql_options *o, const struct expr *e,
                  const struct eval_range *r, struct arena *a, const _Atomic(bool) *cancel,
                  struct value *out, struct diag *d)
{
    (void)qa, (void)o, (void)e, (void)r, (void)a, (void)cancel, (void)out;
    return diag_set(d, ERR_UNSUPPORTED, "not evaluated");
}
