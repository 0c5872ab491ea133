/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rulefile.h - one rule file as structs, checked
 *
 * Owns:   everything is in the caller's arena; expressions stay text (they are only compiled to be checked).
 * Errors: d has line and col in the file and the original's sentence:
 *         group "x", rule 1, "y": could not parse expression: 1:6: parse error: ...
 * Kubernetes: the object `kind: PrometheusRule` is read as the rule file in its `spec`, with a warning.
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
    struct yaml_warning *warnings; /* the file loads, a person should know */
};

/* The first mistake ends it. */
enum err rule_file_parse(struct arena *a, struct str text, struct evaluator *ev,
                         struct rule_file *out, struct diag *d);

/* ignore_unknown: keys that nothing reads are passed over. */
enum err rule_file_parse_loose(struct arena *a, struct str text, struct evaluator *ev,
                               bool ignore_unknown, struct rule_file *out, struct diag *d);

/* For tools: the mistakes of every group and rule, one each, in a's memory. True when there are none; out is valid then. */
bool rule_file_check(struct arena *a, struct str text, struct evaluator *ev, bool ignore_unknown,
                     struct rule_file *out, struct diag **mistakes, size_t *n);

#endif
