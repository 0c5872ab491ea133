/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/check/unit_file.h"

#include "codec/gotime.h"
#include "codec/num.h"

#include <math.h>

#define MINUTE_MS INT64_C(60000)

#define ROW(type_, key_, kind_, member)                                                            \
    {                                                                                              \
        .key = (key_), .type = (kind_), .offset = offsetof(struct type_, member)                   \
    }
#define LIST(type_, key_, member, table)                                                           \
    {                                                                                              \
        .key = (key_), .type = YT_STRUCTS, .offset = offsetof(struct type_, member),               \
        .sub = (table)                                                                             \
    }
#define END                                                                                        \
    {                                                                                              \
        .key = NULL                                                                                \
    }

static const struct yaml_field SERIES_FIELDS[] = { ROW(unit_series, YAML_SELF, YT_NODE, at),
                                                   ROW(unit_series, "series", YT_STR, series),
                                                   ROW(unit_series, "values", YT_STR, values),
                                                   END };
static const struct yaml_table SERIES = { .go_type = "main.series",
                                          .size = sizeof(struct unit_series),
                                          .fields = SERIES_FIELDS };

static const struct yaml_field ALERT_FIELDS[] = {
    ROW(unit_alert, "exp_labels", YT_MAP, labels),
    ROW(unit_alert, "exp_annotations", YT_MAP, annotations), END
};
static const struct yaml_table ALERT = { .go_type = "main.alert",
                                         .size = sizeof(struct unit_alert),
                                         .fields = ALERT_FIELDS };

static const struct yaml_field ALERT_TEST_FIELDS[] = {
    ROW(unit_alert_test, YAML_SELF, YT_NODE, at),
    ROW(unit_alert_test, "eval_time", YT_DURATION, at_ms),
    ROW(unit_alert_test, "alertname", YT_STR, alertname),
    LIST(unit_alert_test, "exp_alerts", alerts, &ALERT), END
};
static const struct yaml_table ALERT_TEST = { .go_type = "main.alertTestCase",
                                              .size = sizeof(struct unit_alert_test),
                                              .fields = ALERT_TEST_FIELDS };

static const struct yaml_field SAMPLE_FIELDS[] = { ROW(unit_sample, YAML_SELF, YT_NODE, at),
                                                   ROW(unit_sample, "labels", YT_STR, labels),
                                                   ROW(unit_sample, "value", YT_FLOAT, value),
                                                   ROW(unit_sample, "histogram", YT_STR, histogram),
                                                   END };
static const struct yaml_table SAMPLE = { .go_type = "main.sample",
                                          .size = sizeof(struct unit_sample),
                                          .fields = SAMPLE_FIELDS };

static const struct yaml_field EXPR_TEST_FIELDS[] = {
    ROW(unit_expr_test, YAML_SELF, YT_NODE, at), ROW(unit_expr_test, "expr", YT_STR, expr),
    ROW(unit_expr_test, "eval_time", YT_DURATION, at_ms),
    LIST(unit_expr_test, "exp_samples", samples, &SAMPLE), END
};
static const struct yaml_table EXPR_TEST = { .go_type = "main.promqlTestCase",
                                             .size = sizeof(struct unit_expr_test),
                                             .fields = EXPR_TEST_FIELDS };

/* RFC 3339, or seconds since 1970. */
static enum err start_decode(struct arena *a, const struct yaml_node *v, void *field,
                             struct diag *d)
{
    int64_t ms;
    double seconds;
    (void)a;
    if (v->kind == YAML_SCALAR && rfc3339_parse(v->text, &ms) == OK) {
        *(int64_t *)field = ms;
        return OK;
    }
    if (v->kind == YAML_SCALAR && num_parse_f64(v->text, &seconds) == OK && fabs(seconds) < 1e12) {
        *(int64_t *)field = (int64_t)(seconds * 1000);
        return OK;
    }
    return yaml_error(v, d, ERR_SYNTAX, "start_timestamp: expected RFC 3339 or seconds since 1970");
}

static const struct yaml_field GROUP_FIELDS[] = {
    ROW(unit_group, YAML_SELF, YT_NODE, at),
    ROW(unit_group, "name", YT_STR, name),
    ROW(unit_group, "interval", YT_DURATION, interval_ms),
    { .key = "start_timestamp",
      .type = YT_CUSTOM,
      .offset = offsetof(struct unit_group, start_ms),
      .custom = start_decode },
    LIST(unit_group, "input_series", series, &SERIES),
    LIST(unit_group, "alert_rule_test", alert_tests, &ALERT_TEST),
    LIST(unit_group, "promql_expr_test", expr_tests, &EXPR_TEST),
    ROW(unit_group, "external_labels", YT_MAP, external_labels),
    ROW(unit_group, "external_url", YT_STR, external_url),
    END
};
static const struct yaml_table GROUP = { .go_type = "main.testGroup",
                                         .size = sizeof(struct unit_group),
                                         .fields = GROUP_FIELDS };

static const struct yaml_field FILE_FIELDS[] = {
    ROW(unit_file, "rule_files", YT_STRS, rule_files),
    ROW(unit_file, "evaluation_interval", YT_DURATION, interval_ms),
    ROW(unit_file, "group_eval_order", YT_STRS, group_order),
    ROW(unit_file, "fuzzy_compare", YT_BOOL, fuzzy),
    LIST(unit_file, "tests", groups, &GROUP),
    END
};
static const struct yaml_table FILE_TABLE = { .go_type = "main.unitTestFile",
                                              .size = sizeof(struct unit_file),
                                              .fields = FILE_FIELDS };

enum err unit_file_read(struct arena *a, struct str text, bool ignore_unknown,
                        struct unit_file *out, struct diag *d)
{
    struct yaml_node *root = NULL;
    struct unit_file f = { 0 };
    TRY(yaml_parse(a, text, YAML_V2, &root, NULL, d));
    if (root) {
        TRY(yaml_decode(a, root, &FILE_TABLE, ignore_unknown ? YAML_LENIENT : YAML_V2, &f, d));
    }
    if (!f.interval_ms) f.interval_ms = MINUTE_MS;
    struct unit_group *v = f.groups.v;
    for (size_t i = 0; i < f.groups.n; i++) {
        if (!v[i].interval_ms) v[i].interval_ms = f.interval_ms;
    }
    *out = f;
    return OK;
}
