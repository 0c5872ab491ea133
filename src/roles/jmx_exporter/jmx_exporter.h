/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jmx_exporter.h - the role on :5556 that replaces jmx_exporter, without a JVM
 */
#ifndef ROLES_JMX_EXPORTER_JMX_EXPORTER_H
#define ROLES_JMX_EXPORTER_JMX_EXPORTER_H

#include "model/role.h"

extern const struct role jmx_exporter_role;

/* What the flags fill; `vigie run` fills it by itself. */
struct jmx_exporter_config {
    struct str listen;                /* [HOST:]PORT */
    struct str file;                  /* jmx_exporter's YAML */
    struct str text;                  /* or its bytes, when no file is named (the built-in one) */
    struct flag_strs jmx;             /* HOST:PORT: these instead of the file's */
    struct flag_strs args;            /* positional: [HOST:]PORT FILE */
    struct str compat;                /* "" (as the file says), "0.x", "1.x" */
    struct str log_level, log_format; /* read by app */
    int64_t timeout_ms;               /* of one scrape when the asker names none */
    bool open_later; /* no target yet is fine: jmx_exporter_offer() will bring some */
};

/*
 * Hosts on which JMX may be found, when neither flag nor file names a target: each is tried on 9999, 5555, 9010, 1099.
 * Collect loop. The same hosts again cost nothing; hosts that left the list are forgotten.
 */
void jmx_exporter_offer(void *state, const struct str *hosts, size_t n);

#endif
