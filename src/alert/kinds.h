/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kinds.h - what each kind of receiver may say, one row a key
 *
 * The rows are read by the loader (types, defaults, what may hold ${...}), by the printer (order, what is shown, what is hidden)
 * and by the completeness tests.
 */
#ifndef ALERT_KINDS_H
#define ALERT_KINDS_H

#include "base/str.h"

enum field_type {
    FT_TEXT,     /* string */
    FT_ADDRESS,  /* host, user, address, channel: may hold ${...} anywhere */
    FT_TEMPLATE, /* run for each notification */
    FT_ADDRESS_TEMPLATE,
    FT_SECRET,
    FT_SECRET_TEMPLATE,
    FT_URL,
    FT_SECRET_URL,
    FT_BOOL,
    FT_INT,
    FT_DURATION,    /* Prometheus' spelling */
    FT_GO_DURATION, /* Go's */
    FT_STRINGS,
    FT_MAP,  /* string to template */
    FT_HTTP, /* http_config */
    FT_TLS,
    FT_NODE, /* kept and printed as it is */
};

enum field_flag {
    FF_ALWAYS = 1, /* printed when empty, too */
    FF_NEW = 2,    /* Debian's amtool 0.25 does not know it: shown only where the file says it */
};

struct kind_field {
    const char *key; /* NULL ends the table */
    enum field_type type;
    const char *deflt;  /* as written; NULL: empty */
    const char *global; /* the global key it takes its value from when it has none */
    unsigned flags;
};

struct kind {
    const char *name;    /* "email": of metrics and the notification log */
    const char *section; /* "email_configs" */
    const char *go_type; /* of "field x not found in type ..." */
    bool send_resolved;  /* default */
    bool sent;           /* we can send it; others load, validate and say so in the log */
    const char *missing; /* what a null entry is told; NULL: taken as an empty one */
    const struct kind_field *fields;
    /* At most one of each pair, separated by " & "; and what must be there: keys, then the error */
    const char *const *one_of;
    const char *need[2], *need_error;
};

/* In the order in which a receiver sends. NULL name ends it. */
extern const struct kind kinds[];

/* Keys of the global section, in printing order; the same row type. */
extern const struct kind_field global_fields[];

#endif
