/* SPDX-License-Identifier: Apache-2.0 */
/* alertmanager.yml of any bytes: a sentence, or a configuration that is whole. */
#include "alert/config.h"
#include "base/assert.h"

static struct str value(void *ctx, struct arena *a, struct str name)
{
    (void)ctx;
    (void)a;
    return name.n % 2 ? STR("http://x/{{ y }}") : (struct str){ NULL, 0 };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct alert_config *c = NULL;
    struct diag d = { 0 };
    if (size > 8192) return 0;
    struct config_options o = { .text = str_make((const char *)data, size),
                                .dir = STR("/nonexistent"),
                                .lookup = value };
    if (alert_config_load(&o, &c, &d) != OK) {
        ASSERT(d.text[0]);
        return 0;
    }
    ASSERT(c->root && c->receivers_n && c->printed.n);
    alert_config_unref(c);
    return 0;
}
