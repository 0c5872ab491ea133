/* SPDX-License-Identifier: Apache-2.0 */
/*
 * beans.h - what is known of a JVM's MBeans between two scrapes
 *
 * Shape:  a bean knows its subject, its attributes and for each attribute the outcomes of its records. Attributes of
 *         immutable classes are shared by all beans of the class. A bean that no query names any more is dropped.
 * Owns:   everything in it. Not thread-safe; between scrapes it may be read by one other thread.
 */
#ifndef JMX_BEANS_H
#define JMX_BEANS_H

#include "base/map.h"
#include "jmx/page.h"

/* A bean's attributes, or those of all beans of a class. */
struct bean_info {
    struct jmx_attribute *attributes;
    size_t n;
    bool shared;
};

enum bean_class_state { CLASS_UNKNOWN, CLASS_ASKED, CLASS_IMMUTABLE, CLASS_MUTABLE };

struct bean_class {
    struct str name;
    enum bean_class_state state;
    struct bean_info *info; /* CLASS_IMMUTABLE */
};

/* One record: which one of its attribute, what the rules made of it, its value in the scrape `seen`. */
struct bean_slot {
    char *key; /* path and rows; NULL for a plain value */
    size_t key_n;
    struct jmx_outcome *outcome;
    double value;
    unsigned seen;
};

struct bean_attribute {
    bool dead; /* never wanted again: not exportable, or nothing that a rule takes */
    size_t n;
    struct bean_slot *slots;
};

struct bean {
    struct str name;
    struct jmx_subject subject;
    struct bean_class *class;
    struct bean_info *info;
    struct bean_attribute *attributes; /* info->n */
    unsigned generation;               /* of the last query that named it */
    bool skip;        /* no rule or filter lets anything of it through, or it cannot be read */
    bool text_wanted; /* some rule may turn its strings into values */
    bool careful;     /* one attribute at a time: together they failed */
    bool stale;       /* its attributes may have changed */
    unsigned avoid;   /* generation in which it cannot be read: it has just gone */
};

struct beans {
    struct jmx_config *config;
    struct map by_name, classes;
    struct bean **v; /* in no particular order */
    size_t n, cap;
    struct str label_name, label_value; /* added to every sample; owned by the caller */
    struct str host;                    /* the caller's, too */
    unsigned generation;
    size_t excluded;     /* attributes found dead because nothing can export them */
    size_t failed;       /* records whose rule could not be expanded, in this scrape */
    size_t cached;       /* records under a rule with cache: true, in this scrape */
    struct diag failure; /* the last of them */
};

void beans_init(struct beans *b, struct jmx_config *c);
void beans_done(struct beans *b);

/* A new round: queries name beans by beans_found(), then beans_sweep() drops the others. */
void beans_begin(struct beans *b);
void beans_found(struct beans *b, const struct jmx_found *found, size_t n, struct arena *a);
void beans_sweep(struct beans *b);

/* Questions about classes that were under way got lost. */
void beans_forget_questions(struct beans *b);

/* The label changed: what was made with the old one goes. */
void beans_forget_outcomes(struct beans *b);

/* An MBeanInfo came for the bean; attributes known by name keep what is known of them. */
void bean_describe(struct beans *b, struct bean *bean, const struct jmx_info *info);
void bean_attach(struct beans *b, struct bean *bean, struct bean_info *info);

/* Names of the attributes worth asking for, in out (room for info->n); their number. */
size_t bean_wanted(const struct bean *bean, struct str *out);

/* A value came. */
void bean_value(struct beans *b, struct bean *bean, size_t attribute, const struct javaser_value *v,
                struct arena *a);
size_t bean_attribute_index(const struct bean *bean, struct str name); /* STR_NONE when absent */

/* The samples of a round: this one's generation, or an earlier one's where nothing has been read since. */
void beans_samples(const struct beans *b, unsigned generation, struct jmx_samples *out,
                   struct arena *a);

#endif
