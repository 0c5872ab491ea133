/* SPDX-License-Identifier: Apache-2.0 */
#include "model/discovery.h"

struct sd_groups sd_groups_copy(struct arena *a, struct sd_groups from)
{
    struct sd_groups out = { arena_array(a, from.n, sizeof(*out.v)), from.n };
    for (size_t i = 0; i < from.n; i++) {
        const struct sd_group *g = &from.v[i];
        struct labels *targets = arena_array(a, g->n, sizeof(*targets));
        for (size_t j = 0; j < g->n; j++) {
            targets[j] = labels_dup(a, g->targets[j]);
        }
        out.v[i] = (struct sd_group){ arena_dup(a, g->source), targets, g->n,
                                      labels_dup(a, g->labels) };
    }
    return out;
}
