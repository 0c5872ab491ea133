/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml.h - one tree for every configuration file, and tables that turn it into structs
 *
 * Shape:   libyaml's events become an arena tree; each node knows its line and column. Anchors, aliases and `<<`
 *          are resolved (expansion and depth are limited), duplicate keys refused. A table of fields then fills a struct.
 * Flavours: YAML_V2 as go-yaml v2 UnmarshalStrict (Prometheus, Alertmanager), YAML_V3 as v3 (rules),
 *          YAML_LENIENT as SnakeYAML (jmx_exporter): unknown keys are ignored, unknown escapes in double quotes are kept with a warning,
 *          of equal keys the last stays (with a warning).
 * Duplicate keys: YAML_V3 refuses them when parsing, as v3 words it; YAML_V2 when a table or map is decoded, whose name v2 tells.
 * Errors:  d has line, col and a sentence with what was expected; texts of the originals where users match on them
 *          ("field x not found in type config.plain").
 */
#ifndef CODEC_YAML_H
#define CODEC_YAML_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum yaml_kind { YAML_SCALAR, YAML_SEQ, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    unsigned line, col;
    struct str text;          /* scalar: after unescaping */
    bool quoted;              /* scalar in quotes or a block: always a string */
    struct str tag;           /* explicit tag, or empty */
    size_t n;                 /* items, or pairs */
    struct yaml_node **items; /* seq: n items; map: n keys at even, values at odd indexes */
};

enum yaml_flavour { YAML_V2, YAML_V3, YAML_LENIENT };

/* A warning of the lenient flavour: the file loads, a person should know. */
struct yaml_warning {
    unsigned line, col;
    struct str text;
    struct yaml_warning *next;
};

/* *out is NULL for an empty document. More than one document is refused. warnings may be NULL. */
enum err yaml_parse(struct arena *a, struct str text, enum yaml_flavour flavour,
                    struct yaml_node **out, struct yaml_warning **warnings, struct diag *d);

/* The value of a key, or NULL; look-ups on NULL or on another kind give NULL. */
struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
bool yaml_is_null(const struct yaml_node *v); /* NULL, ~, null, empty plain scalar */
struct str yaml_str(const struct yaml_node *v, struct str otherwise);

/* Tables */
enum yaml_type {
    YT_STR,         /* struct str */
    YT_SECRET,      /* struct secret */
    YT_BOOL,        /* bool */
    YT_INT,         /* int64_t */
    YT_FLOAT,       /* double */
    YT_DURATION,    /* int64_t ms, Prometheus' spelling (1h30m) */
    YT_GO_DURATION, /* int64_t ns, Go's spelling (1.5s) */
    YT_SIZE,        /* int64_t bytes (10MB) */
    YT_STRS,        /* struct yaml_strs */
    YT_MAP,         /* struct yaml_pairs: string to string, in file order */
    YT_NODE,        /* struct yaml_node *: kept as it is */
    YT_STRUCT,      /* the sub-table's struct in place; null leaves defaults */
    YT_STRUCT_PTR,  /* pointer to the sub-table's struct, NULL when absent */
    YT_STRUCTS,     /* struct yaml_list of sub-table structs */
    YT_CUSTOM,      /* custom() decodes; not called for null */
    YT_INLINE,      /* the sub-table's keys stand among this table's own; key is "<inline>" */
};

struct yaml_strs {
    struct str *v;
    size_t n;
};
struct yaml_pair {
    struct str key, value;
    const struct yaml_node *at; /* of the value */
};
struct yaml_pairs {
    struct yaml_pair *v;
    size_t n;
};
struct yaml_list {
    void *v; /* array of the sub-table's struct */
    size_t n;
};

struct yaml_table;

#define YAML_SELF "<self>"

struct yaml_field {
    /* NULL ends the table. YAML_SELF with YT_NODE keeps the struct's own node, for later errors with a place. */
    const char *key;
    enum yaml_type type;
    size_t offset;
    const struct yaml_table *sub;
    enum err (*custom)(struct arena *a, const struct yaml_node *v, void *field, struct diag *d);
    const char *unsupported; /* known key that this build refuses: the sentence */
};

struct yaml_table {
    const char *go_type; /* for "field x not found in type ..." */
    size_t size;         /* bytes of the struct */
    const struct yaml_field *fields;
    void (*defaults)(void *out); /* may be NULL: zeroed */
    enum err (*check)(struct arena *a, const struct yaml_node *at, void *out,
                      struct diag *d); /* after decoding; may be NULL */
    const char
        *null_item; /* sentence for a null among YT_STRUCTS; NULL: such an item is all defaults */
};

/* Fills *out by the table; unknown keys are errors except in the lenient flavour. All memory is in a. */
enum err yaml_decode(struct arena *a, const struct yaml_node *v, const struct yaml_table *table,
                     enum yaml_flavour flavour, void *out, struct diag *d);

/*
 * A scalar as go-yaml resolves it: decimal, octal, hexadecimal and binary integers, floats with .inf and .nan,
 * booleans as YAML 1.1 writes them. False: the scalar is of another type (quoted ones are strings).
 */
bool yaml_bool_of(const struct yaml_node *v, bool *out);
bool yaml_int_of(const struct yaml_node *v, int64_t *out);
bool yaml_float_of(const struct yaml_node *v, double *out);

/* go-yaml's text for a node that is no `go_type`: "cannot unmarshal !!str `abc` into int". */
enum err yaml_mismatch(const struct yaml_node *v, const char *go_type, struct diag *d);

/*
 * A text as go-yaml v2 writes it: plain where that reads back as the same text, else in quotes.
 * in_flow: between brackets, where commas and colons end a plain text.
 * Differs: a text of several lines is written in double quotes, not as a block.
 */
void yaml_write_str(struct buf *b, struct str s, bool in_flow);

/* Sets d to the node's place and returns e. */
enum err yaml_error(const struct yaml_node *at, struct diag *d, enum err e, const char *fmt, ...)
    PRINTF(4, 5);
#ifdef __clang_analyzer__
#define yaml_error(at, d, e, ...) ((void)yaml_error(at, d, e, __VA_ARGS__), (e)) /* as diag_set */
#endif

#endif
