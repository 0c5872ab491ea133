/* SPDX-License-Identifier: Apache-2.0 */
/* config_sd.h - the sections *_sd_configs: read, checked, resolved, printed */
#ifndef SCRAPE_CONFIG_SD_H
#define SCRAPE_CONFIG_SD_H

#include "model/discovery.h"

/* As decoded, a list a kind; sd_configs_of() makes one of them. */
struct sd_sections {
    struct yaml_list v[SD_KINDS];
};

/* Fields of a table whose struct has a `struct sd_sections` of its own, for YT_INLINE. */
extern const struct yaml_table SD_SECTIONS;

/* Paths are resolved against dir. */
struct sd_configs sd_configs_of(struct arena *a, struct str dir, const struct sd_sections *s);

void sd_configs_print(struct yaml_printer *p, struct sd_configs list);

#endif
