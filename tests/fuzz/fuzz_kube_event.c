/* SPDX-License-Identifier: Apache-2.0 */
/* Events of a watch, a line each, applied to a cluster; then targets of every role: each has its group's source once. */
#include "base/assert.h"
#include "discovery/kube_targets.h"
#include "discovery/kube_watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void apply(struct kube_objects *o, struct str lines, enum kube_kind kind)
{
    struct str line;
    while (lines.n) {
        ARENA(a, 0);
        enum kube_change change;
        bool changed;
        struct str rv = { 0 };
        (void)str_cut(lines, '\n', &line, &lines);
        size_t before = o->by_key[kind].n;
        enum err e = kube_event(&a, arena_dup(&a, line), kind, o, 1, o, &change, &changed, &rv,
                                NULL);
        if (e != OK) ASSERT(o->by_key[kind].n == before);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str lines = str_make((const char *)data, n);
    struct kube_objects o = { 0 };
    if (n > 1 << 16) return 0;
    for (size_t k = 0; k < KIND_MAX_; k++) {
        apply(&o, lines, (enum kube_kind)k);
    }
    for (int role = KUBE_POD; role < KUBE_ROLES; role++) {
        ARENA(a, 0);
        struct group_vec groups = { 0 };
        const struct kubernetes_sd c = { .role = (enum kube_role)role,
                                         .attach_node = true,
                                         .attach_namespace = true };
        kube_targets(&a, &c, &o, &groups);
        for (size_t i = 1; i < groups.v.n; i++) {
            ASSERT(!str_eq(groups.v.v[i].source, groups.v.v[i - 1].source));
        }
    }
    ASSERT(kube_objects_sweep(&o, KIND_POD, &o, 2) <= n);
    ASSERT(o.by_key[KIND_POD].n == 0);
    kube_objects_done(&o);
    return 0;
}
