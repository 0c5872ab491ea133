/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit_file.h - a file of `promtool test rules`, read
 *
 * Owns:    everything is in the caller's arena; series, values and expressions stay text.
 * Source:  Prometheus docs/configuration/unit_testing_rules, cmd/promtool/unittest.go.
 */
#ifndef COMMANDS_CHECK_UNIT_FILE_H
#define COMMANDS_CHECK_UNIT_FILE_H

#include "codec/yaml.h"

struct unit_series {
    const struct yaml_node *at;
    struct str series, values;
};

struct unit_alert {
    struct yaml_pairs labels, annotations;
};

struct unit_alert_test {
    const struct yaml_node *at;
    int64_t at_ms;
    struct str alertname;
    struct yaml_list alerts; /* struct unit_alert */
};

struct unit_sample {
    const struct yaml_node *at;
    struct str labels, histogram;
    double value;
};

struct unit_expr_test {
    const struct yaml_node *at;
    struct str expr;
    int64_t at_ms;
    struct yaml_list samples; /* struct unit_sample */
};

struct unit_group {
    const struct yaml_node *at;
    struct str name, external_url;
    int64_t interval_ms, start_ms;
    struct yaml_list series, alert_tests, expr_tests;
    struct yaml_pairs external_labels;
};

struct unit_file {
    struct yaml_strs rule_files, group_order;
    int64_t interval_ms; /* evaluation_interval, 1m when it is not given */
    bool fuzzy;
    struct yaml_list groups; /* struct unit_group */
};

enum err unit_file_read(struct arena *a, struct str text, bool ignore_unknown,
                        struct unit_file *out, struct diag *d);

#endif
