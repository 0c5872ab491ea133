/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of target groups: every target has an address, every label a name; JSON that is a list is that list as YAML, too. */
#include "base/assert.h"
#include "discovery/groups.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(struct sd_groups groups, size_t n)
{
    size_t targets = 0;
    for (size_t i = 0; i < groups.n; i++) {
        targets += groups.v[i].n;
        for (size_t j = 0; j < groups.v[i].n; j++) {
            ASSERT(groups.v[i].targets[j].n == 1);
        }
        for (size_t j = 0; j < groups.v[i].labels.n; j++) {
            ASSERT(groups.v[i].labels.v[j].name.n && groups.v[i].labels.v[j].value.n);
        }
        ASSERT(str_eqc(labels_get(groups.v[i].labels, STR("__meta_x")), "y"));
    }
    ASSERT(groups.n + targets <= n * 64 + 1); /* YAML's aliases are limited, too */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str text = str_make((const char *)data, n);
    struct label extra = { STR("__meta_x"), STR("y") };
    struct sd_groups groups;
    ARENA(a, 0);
    if (groups_from_json(&a, arena_dup(&a, text), STR("s"), extra, &groups, NULL) == OK) {
        check(groups, n);
    }
    if (groups_from_yaml(&a, arena_dup(&a, text), STR("s"), extra, &groups, NULL) == OK) {
        check(groups, n);
    }
    return 0;
}
