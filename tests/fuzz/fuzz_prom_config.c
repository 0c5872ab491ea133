/* SPDX-License-Identifier: Apache-2.0 */
#include "scrape/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Properties: a refusal says why and gives nothing; what is accepted prints, and prints no secret. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n > 4096) return 0;
    struct prom_config *c = NULL;
    struct diag d = { 0 };
    enum err e = prom_config_parse(str_make((const char *)data, n), STR("/x"), NULL, &c, &d);
    if (e != OK) {
        if (c || !d.text[0]) __builtin_trap();
        return 0;
    }
    BUF(b, 0);
    prom_config_print(&b, c);
    if (b.over || !b.n) __builtin_trap();
    prom_config_unref(c);
    return 0;
}
