/* SPDX-License-Identifier: Apache-2.0 */
/*
 * objectname.h - names of MBeans: domain:key=value,key=value, and patterns over them
 *
 * Shape:  properties keep the order they are written in: rules see it. A quoted value keeps its quotes.
 * Source: javax.management.ObjectName.
 */
#ifndef JMX_OBJECTNAME_H
#define JMX_OBJECTNAME_H

#include "jmx/mbean.h"

struct objectname {
    struct str domain;
    struct jmx_property *properties;
    size_t n;
    bool open; /* a pattern that ends in ",*" or is "*": further properties are welcome */
};

/* Strings point into text, which must outlive it. Errors: ERR_SYNTAX with what is wrong. */
enum err objectname_parse(struct str text, struct arena *a, struct objectname *out, struct diag *d);

/* {NULL,0} when absent. */
struct str objectname_get(const struct objectname *name, const char *key);

/* Same domain and the same properties in any order. */
bool objectname_eq(const struct objectname *a, const struct objectname *b);

/* Wildcards * and ? in domain and values of the pattern (not where a quoted value escapes them). */
bool objectname_match(const struct objectname *pattern, const struct objectname *name);

#endif
