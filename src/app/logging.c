/* SPDX-License-Identifier: Apache-2.0 */
#include "app/logging.h"

#include "base/log.h"

static struct str flag_text(const struct role *r, const void *config, const char *name)
{
    for (const struct flag *f = r->flags; f->name; f++) {
        if (f->type == FLAG_ENUM && strcmp(f->name, name) == 0) {
            return *(const struct str *)(const void *)((const char *)config + f->offset);
        }
    }
    return (struct str){ 0 };
}

static enum log_level level_named(struct str name)
{
    static const char *const NAMES[] = { "debug", "info", "warn", "error" };
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        if (str_eqc(name, NAMES[i])) return (enum log_level)i;
    }
    return LEVEL_INFO;
}

void logging_apply(const struct role *r, const void *config)
{
    static bool asked;
    enum log_level level = level_named(flag_text(r, config, "log.level"));
    if (!asked || level < log_threshold) log_threshold = level;
    asked = true;
    if (str_eqc(flag_text(r, config, "log.format"), "json")) log_form = FORMAT_JSON;
}
