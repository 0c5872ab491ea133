/* SPDX-License-Identifier: Apache-2.0 */
/*
 * template.h - label and annotation texts of alerting rules: compiled once, expanded for each alert
 *
 * Shape:   a text without {{ is kept as it is. $labels, $externalLabels, $externalURL and $value are defined.
 * Threads: a compiled text is immutable.
 * Source:  Prometheus template/template.go, rules/alerting.go.
 */
#ifndef RULES_TEMPLATE_H
#define RULES_TEMPLATE_H

#include "codec/gotmpl.h"
#include "model/evaluator.h"
#include "model/labels.h"

struct rule_text {
    struct str name;  /* __alert_NAME */
    struct str plain; /* the text itself where set is NULL */
    struct tmpl_set *set;
};

/* In a's memory. Errors: ERR_SYNTAX with Go's text ("template: __alert_x:1: ..."). */
enum err rule_text_compile(struct arena *a, struct str alert, struct str text,
                           struct rule_text *out, struct diag *d);

/* What an expansion sees. */
struct rule_text_env {
    struct evaluator *evaluator; /* the query function's; NULL: there is none */
    int64_t at;                  /* ms: query time and now */
    struct str external_url;
    struct labels external_labels;
    const _Atomic(bool) *cancel;
};

/* Never fails: a failure's text stands in place of the result, as in the original. The result is in a's memory. */
struct str rule_text_expand(const struct rule_text *t, const struct rule_text_env *env,
                            struct labels labels, double value, struct arena *a);

/* Path of an expression's page: /graph?g0.expr=up&g0.tab=1 */
void rule_graph_path(struct buf *b, struct str expr, int tab);

#endif
