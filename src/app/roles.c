/* SPDX-License-Identifier: Apache-2.0 */
#include "app/roles.h"

#include "roles/alertmanager/alertmanager.h"
#include "roles/grafana/grafana.h"
#include "roles/jmx_exporter/jmx_exporter.h"
#include "roles/kafka_exporter/kafka_exporter.h"
#include "roles/prometheus/prometheus.h"

const char VIGIE_VERSION[] = "0.1.0";

const struct role *const ROLES[] = {
    &kafka_exporter_role, &jmx_exporter_role, &prometheus_role,
    &alertmanager_role,   &grafana_role,      NULL,
};

/* What clients branch on: the versions whose behaviour we follow. */
static const struct {
    const char *role, *version;
} VERSIONS[] = {
    { "kafka-exporter", "1.9.0" }, { "jmx-exporter", "1.5.0" }, { "prometheus", "3.14.0" },
    { "alertmanager", "0.34.0" },  { "grafana", "13.2.0" },
};

const char *role_version(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(VERSIONS); i++) {
        if (strcmp(VERSIONS[i].role, name) == 0) return VERSIONS[i].version;
    }
    return VIGIE_VERSION;
}

const struct role *role_named(struct str name)
{
    for (const struct role *const *r = ROLES; *r; r++) {
        if (str_eqc(name, (*r)->name)) return *r;
        for (const char *const *link = (*r)->argv0; link && *link; link++) {
            if (str_eqc(name, *link)) return *r;
        }
    }
    return NULL;
}
