/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kinds.c - what a file is, told by the keys at its top
 *
 * Every kind has keys that no other has; each key that stands there speaks for its kinds. A file that cannot be parsed
 * at all is told by its name, so that its error comes from the reader that would load it.
 */
#include "commands/check/check.h"

#include "codec/yaml.h"

static const char *const NAMES[] = {
    [KIND_UNKNOWN] = "unknown",
    [KIND_PROMETHEUS] = "prometheus",
    [KIND_SCRAPE_CONFIG] = "scrape-config",
    [KIND_RULES] = "rules",
    [KIND_UNIT_TEST] = "unit-test",
    [KIND_ALERTMANAGER] = "alertmanager",
    [KIND_TEMPLATE] = "template",
    [KIND_JMX] = "jmx",
    [KIND_DASHBOARD] = "dashboard",
    [KIND_DATASOURCES] = "datasources",
    [KIND_PROVIDERS] = "providers",
    [KIND_WEB] = "web",
};

const char *check_kind_name(enum check_kind k) { return NAMES[k]; }

bool check_kind_named(struct str name, enum check_kind *out)
{
    for (enum check_kind k = KIND_PROMETHEUS; k < KIND_MAX_; k++) {
        if (!str_eqc(name, NAMES[k])) continue;
        *out = k;
        return true;
    }
    return false;
}

static const struct mark {
    enum check_kind kind;
    const char *key;
    unsigned weight;
} MARKS[] = {
    { KIND_PROMETHEUS, "scrape_configs", 4 },
    { KIND_PROMETHEUS, "scrape_config_files", 4 },
    { KIND_PROMETHEUS, "rule_files", 2 },
    { KIND_PROMETHEUS, "alerting", 4 },
    { KIND_PROMETHEUS, "remote_write", 4 },
    { KIND_PROMETHEUS, "remote_read", 4 },
    { KIND_PROMETHEUS, "storage", 4 },
    { KIND_PROMETHEUS, "otlp", 4 },
    { KIND_PROMETHEUS, "runtime", 4 },
    { KIND_PROMETHEUS, "tracing", 2 },
    { KIND_PROMETHEUS, "global", 2 },
    { KIND_RULES, "groups", 4 },
    { KIND_UNIT_TEST, "tests", 8 },
    { KIND_UNIT_TEST, "group_eval_order", 4 },
    { KIND_UNIT_TEST, "evaluation_interval", 4 },
    { KIND_ALERTMANAGER, "route", 4 },
    { KIND_ALERTMANAGER, "receivers", 4 },
    { KIND_ALERTMANAGER, "inhibit_rules", 4 },
    { KIND_ALERTMANAGER, "time_intervals", 4 },
    { KIND_ALERTMANAGER, "mute_time_intervals", 4 },
    { KIND_ALERTMANAGER, "templates", 1 },
    { KIND_JMX, "rules", 3 },
    { KIND_JMX, "hostPort", 4 },
    { KIND_JMX, "jmxUrl", 4 },
    { KIND_JMX, "startDelaySeconds", 4 },
    { KIND_JMX, "lowercaseOutputName", 4 },
    { KIND_JMX, "lowercaseOutputLabelNames", 4 },
    { KIND_JMX, "inferCounterTypeFromName", 4 },
    { KIND_JMX, "autoExcludeObjectNameAttributes", 4 },
    { KIND_JMX, "excludeJvmMetrics", 4 },
    { KIND_JMX, "includeObjectNames", 4 },
    { KIND_JMX, "excludeObjectNames", 4 },
    { KIND_JMX, "whitelistObjectNames", 4 },
    { KIND_JMX, "blacklistObjectNames", 4 },
    { KIND_JMX, "includeObjectNameAttributes", 4 },
    { KIND_JMX, "excludeObjectNameAttributes", 4 },
    { KIND_JMX, "metricCustomizers", 4 },
    { KIND_JMX, "httpServer", 4 },
    { KIND_JMX, "openTelemetry", 4 },
    { KIND_DATASOURCES, "datasources", 4 },
    { KIND_DATASOURCES, "deleteDatasources", 4 },
    { KIND_PROVIDERS, "providers", 4 },
    { KIND_WEB, "tls_server_config", 4 },
    { KIND_WEB, "http_server_config", 4 },
    { KIND_WEB, "basic_auth_users", 4 },
    { KIND_DASHBOARD, "panels", 4 },
    { KIND_DASHBOARD, "rows", 2 },
    { KIND_DASHBOARD, "templating", 4 },
    { KIND_DASHBOARD, "schemaVersion", 4 },
    { KIND_DASHBOARD, "dashboard", 4 },
    { KIND_DASHBOARD, "__inputs", 4 },
    { KIND_UNKNOWN, NULL, 0 },
};

/* An own `rules` list at the top is one of jmx_exporter; the object of Kubernetes says itself what it is. */
static enum check_kind of_keys(const struct yaml_node *root)
{
    unsigned votes[KIND_MAX_] = { 0 };
    if (str_eqc(yaml_str(yaml_get(root, "kind"), STR("")), "PrometheusRule")) return KIND_RULES;
    for (const struct mark *m = MARKS; m->key; m++) {
        if (yaml_get(root, m->key)) votes[m->kind] += m->weight;
    }
    enum check_kind best = KIND_UNKNOWN;
    for (enum check_kind k = KIND_PROMETHEUS; k < KIND_MAX_; k++) {
        if (votes[k] > votes[best]) best = k;
    }
    return best;
}

/* In the order of trying. */
static const struct {
    const char *part;
    enum check_kind kind;
} NAMED[] = {
    { "alertmanager", KIND_ALERTMANAGER },
    { "jmx", KIND_JMX },
    { "datasource", KIND_DATASOURCES },
    { "provisioning/dashboards", KIND_PROVIDERS },
    { "dashboards/", KIND_DASHBOARD },
    { "web-config", KIND_WEB },
    { "web_config", KIND_WEB },
    { "test.y", KIND_UNIT_TEST },
    { "rule", KIND_RULES },
    { "alert", KIND_RULES },
    { "prometheus", KIND_PROMETHEUS },
};

static enum check_kind of_name(struct str path)
{
    if (str_ends(path, STR(".json"))) return KIND_DASHBOARD;
    for (size_t i = 0; i < ARRAY_LEN(NAMED); i++) {
        if (str_find(path, str_c(NAMED[i].part)) != STR_NONE) return NAMED[i].kind;
    }
    return KIND_UNKNOWN;
}

enum check_kind check_kind_of(struct str path, struct str text)
{
    ARENA(a, 0);
    struct yaml_node *root = NULL;
    if (str_ends(path, STR(".tmpl"))) return KIND_TEMPLATE;
    if (yaml_parse(&a, text, YAML_LENIENT, &root, NULL, NULL) != OK) return of_name(path);
    enum check_kind k = of_keys(root);
    return k == KIND_UNKNOWN ? of_name(path) : k;
}
