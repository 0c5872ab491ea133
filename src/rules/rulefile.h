/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rulefile.h - one rule file as structs, checked
 *
 * Owns:   everything is in the caller's arena; expressions stay text (they are only compiled to be checked).
 * Errors: d has line and col in the file and the original's sentence:
 *         group "x", rule 1, "y": could not parse expression: 1:6: parse error: ...
 * Source: Prometheus model/rulefmt.
 */
#ifndef RULES_RULEFILE_H
#define RULES_RULEFILE_H

#include "base/arena.h"
#include "codec/yaml.h"
#include "model/evaluator.h"

struct rule_def {
    const struct yaml_node *at;
    struct str record, alert, expr;
    int64_t for_ms, keep_firing_ms;
    struct yaml_pairs labels, annotations;
};

struct group_def {
    const struct yaml_node *at;
    struct str name;
    int64_t interval_ms, query_offset_ms; /* -1: as the configuration says */
    int64_t limit;
    struct yaml_pairs labels;
    struct rule_def *rules;
    size_t rules_n;
};

struct rule_file {
    struct group_def *groups;
    size_t n;
};

enum err rule_file_parse(struct arena *a, struct str text, struct evaluator *ev,
                         struct rule_file *out, struct diag *d);

#endif
