/* SPDX-License-Identifier: Apache-2.0 */
#include "io/web_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Property: a refusal says why; what was taken has certificate and key together, and hashes that are hashes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct web_config *c = NULL;
    struct diag d = { 0 };
    if (n > 8192) return 0;
    if (web_config_parse(str_make((const char *)data, n), STR("/etc"), &c, &d) != OK) {
        if (!d.text[0]) __builtin_trap();
        return 0;
    }
    if (c->tls && !(c->tls->cert.n || c->tls->cert_file.n)) __builtin_trap();
    if (c->tls && !(secret_set(c->tls->key) || c->tls->key_file.n)) __builtin_trap();
    for (size_t i = 0; i < c->users.n; i++) {
        if (!str_starts(c->users.v[i].value, STR("$"))) __builtin_trap();
    }
    web_config_free(c);
    return 0;
}
