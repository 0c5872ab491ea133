/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules.h - recording and alerting rules: groups evaluated by the clock, alerts with their states
 *
 * Shape:   struct rules holds the groups of all files. rules_tick(now) starts what is due and says when it wants to be
 *          called next; the role runs a started group as a job (rule_group_run) and reports back (rules_ran).
 * Threads: rules_load, rules_tick, rules_ran: one thread (the loop). rule_group_run: any worker, a group on one at a
 *          time. rules_view: any thread; a view is immutable.
 * Owns:    groups, their compiled expressions and templates, alerts. Everything in rules_env is borrowed and outlives it.
 * Source:  Prometheus rules/group.go, rules/alerting.go, rules/recording.go; docs/configuration/recording_rules.
 */
#ifndef RULES_RULES_H
#define RULES_RULES_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "codec/yaml.h"
#include "model/evaluator.h"
#include "model/labels.h"
#include "model/notifier.h"
#include "model/storage.h"

struct rules;
struct rule_group;

struct rules_env {
    struct evaluator *evaluator;
    struct queryable *queryable; /* where ALERTS_FOR_STATE is read after a start */
    struct appendable *appendable;
    struct notifier *notifier;                      /* NULL: nobody is told */
    int64_t outage_tolerance_ms;                    /* --rules.alert.for-outage-tolerance */
    int64_t for_grace_ms;                           /* --rules.alert.for-grace-period */
    int64_t resend_delay_ms;                        /* --rules.alert.resend-delay */
    int64_t (*mono_ns)(void);                       /* durations of evaluations; NULL: they are 0 */
    void (*start)(void *ctx, struct rule_group *g); /* a group is due: have rule_group_run called */
    void *ctx;
    /* a file loads, and a person should know this of it; NULL: nobody is told */
    void (*warn)(void *ctx, struct str file, const struct yaml_warning *w);
};

/* What a configuration says beyond the rule files. Copied. */
struct rules_settings {
    int64_t interval_ms;     /* evaluation_interval */
    int64_t query_offset_ms; /* rule_query_offset */
    struct labels external_labels;
    struct str external_url; /* without a slash at the end */
    bool ignore_unknown;     /* keys of rule files that nothing reads are passed over */
};

struct rules_source {
    struct str path, text;
};

struct rules *rules_new(const struct rules_env *env);

/* No job of it may be running any more. NULL is fine. */
void rules_free(struct rules *r);

/*
 * Reads all files, then swaps: groups that did not change go on, changed ones take over the state of rules that did
 * not, vanished ones end their series. Any error leaves everything as it was; d->text begins with the path.
 * Errors: ERR_SYNTAX, ERR_LIMIT
 */
enum err rules_load(struct rules *r, const struct rules_settings *s, const struct rules_source *v,
                    size_t n, int64_t now, struct diag *d);

/* Starts what is due; returns when it next wants to be called (INT64_MAX: nothing to do until rules_ran or rules_load). */
int64_t rules_tick(struct rules *r, int64_t now);

void rule_group_run(struct rule_group *g);

/*
 * For tools that keep their own time: the groups in the order of their files, borrowed until the next load, and a run of
 * one at `at`, whatever its slot. Not to be mixed with rules_tick().
 */
size_t rules_groups(struct rules *r, struct rule_group *const **out);
struct str rule_group_name(const struct rule_group *g);
void rule_group_run_at(struct rule_group *g, int64_t at);
void rules_ran(struct rules *r, struct rule_group *g);

/* --- views --- */

enum rule_health { RULE_UNKNOWN, RULE_OK, RULE_ERR };
enum alert_state { ALERT_UNKNOWN, ALERT_INACTIVE, ALERT_PENDING, ALERT_FIRING };
const char *rule_health_text(enum rule_health h); /* "unknown", "ok", "err" */
const char *alert_state_text(enum alert_state s); /* "inactive", ... */

struct alert_view {
    struct labels labels, annotations;
    enum alert_state state;
    double value;
    int64_t active_at, keep_firing_since; /* ms; the latter 0: not set */
};

struct rule_view {
    bool alerting;
    struct str name, query; /* query in canonical form */
    int64_t for_ms, keep_firing_ms;
    struct labels labels, annotations;
    enum rule_health health;
    enum alert_state state;
    struct str error;           /* of the last evaluation, or empty */
    int64_t eval_ns, last_eval; /* last_eval: ms, 0 never */
    const struct alert_view *alerts;
    size_t alerts_n;
};

struct group_view {
    struct str name, file;
    int64_t interval_ms, limit;
    int64_t eval_ns, last_eval;
    uint64_t evaluations, failures, iterations, missed; /* since it exists */
    uint64_t samples;                                   /* of the last evaluation */
    const struct rule_view *rules;
    size_t rules_n;
};

/* All groups in the order of files, then of the file. */
struct rules_view {
    const struct group_view **v;
    size_t n;
};
struct rules_view *rules_view(struct rules *r);
void rules_view_unref(struct rules_view *v);

#endif
