/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_priv.h - groups, rules and alerts as the files of this folder share them
 *
 * Lifetimes: a group's definition is in its arena, immutable. What evaluations change (alerts, outputs, health) is
 * malloc'ed and guarded by the group's lock, held while it is evaluated. The published view has a lock of its own.
 */
#ifndef RULES_RULES_PRIV_H
#define RULES_RULES_PRIV_H

#include "base/map.h"
#include "rules/rulefile.h"
#include "rules/rules.h"
#include "rules/template.h"

#include <pthread.h>

/* One alert. labels and annotations are blocks of their own (labels_clone). */
struct alert {
    struct labels labels, annotations;
    enum alert_state state;
    double value;
    /* ms, 0: not set */
    int64_t active_at, fired_at, resolved_at, last_sent_at, keep_firing_since;
    uint64_t seen; /* evaluation that last had it in its result */
};

/* A series that a rule wrote in its last good evaluation. */
struct output {
    struct labels labels; /* a block of its own */
    uint64_t ref;
    bool has_ref;
    uint64_t seen;
};

struct rule_label {
    struct str name;
    struct rule_text text;
};

struct rule {
    /* definition */
    bool alerting;
    struct str name, query;
    struct expr *expr;
    int64_t for_ms, keep_firing_ms;
    struct labels labels, annotations; /* as written, the group's labels among them; sorted */
    struct rule_label *label_texts, *annotation_texts; /* parallel to the two above */
    /* state */
    struct map64 alerts;  /* by labels_hash: struct alert */
    struct map64 outputs; /* by labels_hash: struct output */
    enum rule_health health;
    bool restored;
    struct str error; /* malloc'ed */
    int64_t eval_ns, last_eval;
};

struct published; /* group.c */

struct rule_group {
    _Atomic(unsigned) refs;
    struct arena a;
    const struct rules_env *env;
    struct str name, file, signature;
    struct labels external_labels;
    struct str external_url;
    int64_t interval_ms, query_offset_ms, limit, slot_ms;
    struct rule *rules;
    size_t n;

    /* loop */
    int64_t next;   /* slot at which it is due */
    bool running;   /* started, rules_ran not yet called */
    bool vanishing; /* no longer configured: one last run ends its series */
    bool done;      /* of a vanishing one: the last run is over */

    /* set before start(), read by the run */
    int64_t tick;
    uint64_t missed_now;
    bool last_run;

    pthread_mutex_t lock;      /* what follows, and the state of the rules */
    bool retired;              /* a successor took the state: runs do nothing */
    struct rule_group *former; /* its state is taken over in the first run */
    uint64_t round;            /* evaluations begun */
    uint64_t evaluations, failures, iterations, missed, samples;
    int64_t eval_ns, last_eval;
    bool restored;
    struct map64 orphans; /* outputs of rules that are no more: ended in the next run */

    pthread_mutex_t view_lock;
    struct published *view;
};

/* labels.v is one malloc'ed block with the bytes in it: free((void *)labels.v) via labels_release. */
struct labels labels_clone(struct labels lb);
void labels_release(struct labels lb);

int64_t rules_mono(const struct rules_env *env);

/* group.c */
enum err group_new(const struct rules_env *env, const struct rules_settings *s, struct str file,
                   const struct group_def *def, bool restored, struct rule_group **out,
                   struct diag *d);
struct rule_group *group_ref(struct rule_group *g);
void group_unref(struct rule_group *g);
struct published *group_published(struct rule_group *g); /* with a reference */
const struct group_view *published_view(const struct published *p);
void published_unref(struct published *p);

/* publish.c */
void group_publish(struct rule_group *g);

/* An evaluation under way. */
struct evaluation {
    struct rule_group *g;
    struct rule *rule;
    int64_t tick;     /* slot time, ms */
    int64_t query_at; /* tick minus offset */
    struct arena *a;
    size_t samples;
};

/* The rule's expression as a vector. Errors: the evaluator's; d has its text. */
enum err rule_query(struct evaluation *x, struct vector_sample **out, size_t *n, struct diag *d);

/* alerting.c, recording.c: results to be written, in x->a. */
enum err rule_eval_alert(struct evaluation *x, struct vector_sample **out, size_t *n,
                         struct diag *d);
enum err rule_eval_record(struct evaluation *x, struct vector_sample **out, size_t *n,
                          struct diag *d);
void rule_send_alerts(struct evaluation *x);
void rule_alerts_free(struct rule *r);

/* output.c */
enum err output_write(struct evaluation *x, const struct vector_sample *v, size_t n,
                      struct diag *d);
void output_end(struct rule_group *g, struct map64 *outputs,
                int64_t at); /* stale markers; empties the map */
void outputs_free(struct map64 *outputs);

/* restore.c: ActiveAt of alerts as the store remembers it. */
void group_restore(struct rule_group *g, int64_t now, struct arena *a);

#endif
