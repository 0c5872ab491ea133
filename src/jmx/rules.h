/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules.h - from a record of an MBean to a sample: what jmx_exporter's rules make of it
 *
 * Shape:   a record's subject is `domain<k=v, k=v><path>attribute: value`. The first rule that matches it decides name,
 *          labels, help and type. The outcome is a pure function of the subject, so it is kept:
 *            fixed      no rule up to the hit can see the value behind ": "; good until the bean goes
 *            by value   some rule might; good while the value's text stays the same
 * Owns:    an outcome is one malloc'ed block; jmx_outcome_free().
 * Source:  jmx_exporter JmxCollector.Receiver.recordBean.
 */
#ifndef JMX_RULES_H
#define JMX_RULES_H

#include "jmx/config.h"

enum jmx_type { JMX_UNTYPED, JMX_COUNTER, JMX_GAUGE };

struct jmx_outcome {
    bool drop;      /* no sample comes of it */
    bool fixed;     /* whatever the value */
    bool failed;    /* dropped because a template refers to what is not there */
    bool has_value; /* the rule gives the value */
    enum jmx_type type;
    double value, factor;
    struct str name;   /* as in the rule or default format, sanitised */
    struct str family; /* without the suffixes that 1.x takes off; the key of grouping */
    struct str labels; /* rendered and sorted by name: a="b",c="d" */
    struct str help;
    struct str object_name; /* subject up to its last ':' */
    struct str value_text;  /* for what is not fixed: the text it was made from */
};

/* What is the same for all records of a bean. */
struct jmx_subject {
    struct str domain;
    const struct jmx_property *properties;
    size_t n;
    struct str label_name, label_value; /* of the target; empty name: none */
    struct str host;                    /* of the target, for $hostName */
};

/* Never fails: what cannot be expanded is dropped and says so. a is for scratch. */
struct jmx_outcome *jmx_rules_apply(const struct jmx_config *c, const struct jmx_subject *s,
                                    const struct jmx_record *r, struct arena *a);
void jmx_outcome_free(struct jmx_outcome *o);

/* Whether some rule could match a record of this bean at all; false: its attributes need not be read. */
bool jmx_rules_may_match(const struct jmx_config *c, const struct jmx_subject *s);

/* As above, only for rules that can turn a string into a value. */
bool jmx_rules_may_match_text(const struct jmx_config *c, const struct jmx_subject *s);

/* A pattern by what it is made of. Source of `blind` and `literal` of struct jmx_rule. */
bool jmx_pattern_blind(struct str pattern);
struct str jmx_pattern_literal(struct str pattern, struct arena *a);

/* Letters, digits, '_' and ':' stay, runs of anything else become one '_', a digit in front gets one before it. */
struct str jmx_sanitise(struct str name, struct arena *a);

#endif
