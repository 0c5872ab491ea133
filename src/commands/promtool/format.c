/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format.c - promtool promql format
 */
#include "commands/promtool/promtool.h"
#include "promql/promql.h"

#include <stdio.h>

int promtool_format(const struct promtool_options *o)
{
    struct evaluator *ev = promql_new(NULL,
                                      &(struct promql_options){ .features = promtool_features(o) });
    struct expr *e;
    struct diag d = { 0 };
    bool good = ev->ops->compile(ev, o->args.v[0], &e, &d) == OK;
    if (good) {
        (void)printf(STR_FMT "\n", STR_ARG(promql_pretty(e, o->a)));
        ev->ops->release(ev, e);
    } else {
        (void)fprintf(stderr, "%s\n", d.text);
    }
    promql_free(ev);
    return good ? PROMTOOL_OK : PROMTOOL_FAILED;
}
