/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mbean.h - what JMX returns: names of a query, an MBean's attributes, their values as scalars
 *
 * Shape:  an attribute's value becomes records: one for a number, string, boolean, date or enum, one a key for composite
 *         data, one a row and column for tabular data. Everything else is not exported (jmx_exporter ignores it, too).
 * Source: jmx_exporter JmxScraper.processBeanValue; serialised forms of javax.management classes.
 */
#ifndef JMX_MBEAN_H
#define JMX_MBEAN_H

#include "base/vec.h"
#include "codec/javaser.h"

struct jmx_found {
    struct str name, class_name;
};

/* A set of ObjectInstance or ObjectName (class_name is then empty). Errors: ERR_SYNTAX some other object. */
enum err jmx_read_query(const struct javaser_value *v, struct arena *a, struct jmx_found **out,
                        size_t *n, struct diag *d);

struct jmx_attribute {
    struct str name, type, description;
};

struct jmx_info {
    struct str class_name;
    bool immutable; /* the descriptor says that every bean of the class has this very info */
    struct jmx_attribute *attributes; /* readable ones, in order */
    size_t n;
};
enum err jmx_read_info(const struct javaser_value *v, struct arena *a, struct jmx_info *out,
                       struct diag *d);

struct jmx_value {
    struct str name;
    const struct javaser_value *value;
};
enum err jmx_read_attributes(const struct javaser_value *v, struct arena *a, struct jmx_value **out,
                             size_t *n, struct diag *d);

enum jmx_scalar_kind { JMX_NUMBER, JMX_BOOLEAN, JMX_TEXT };

/* How Java would print a number, which decides its text in a rule's subject. */
enum jmx_number { JMX_INTEGER, JMX_DOUBLE, JMX_FLOAT, JMX_BIG };

struct jmx_property {
    struct str key, value;
};

struct jmx_record {
    enum jmx_scalar_kind kind;
    enum jmx_number number;
    double value;           /* number, or 0 and 1 */
    int64_t integer;        /* JMX_INTEGER */
    struct str text;        /* JMX_TEXT, JMX_BIG */
    struct str attribute;   /* its own name: of a composite's key inside one */
    struct str description; /* {NULL,0}: none */
    const struct str *path; /* attribute names and keys above it */
    size_t path_n;
    const struct jmx_property
        *rows; /* index columns of tabular data, appended to the bean's properties */
    size_t rows_n;
};

typedef void jmx_record_fn(void *ctx, const struct jmx_record *r);

/* Calls fn for each record of a value. False: its class is one that is never exported. */
bool jmx_each_record(const struct jmx_attribute *attribute, const struct javaser_value *v,
                     struct arena *a, jmx_record_fn *fn, void *ctx);

/* Java's toString of the record's value. */
void jmx_record_text(const struct jmx_record *r, struct buf *b);

#endif
