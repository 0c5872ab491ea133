/* SPDX-License-Identifier: Apache-2.0 */
/* A kubeconfig that is taken has a server. */
#include "base/assert.h"
#include "discovery/kube_access.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct kube_access k;
    ARENA(a, 0);
    struct str text = arena_dup(&a, str_make((const char *)data, n));
    if (kubeconfig_parse(&a, text, STR("/etc/k"), &k, NULL) == OK) ASSERT(k.url.n);
    return 0;
}
