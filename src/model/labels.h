/* SPDX-License-Identifier: Apache-2.0 */
/*
 * labels.h - a set of name=value pairs, sorted by name, names unique, no empty value
 *
 * Shape:  a value: pointer and count. Bytes and the array belong to somebody else (an arena, a store's
 *         symbols); copy with labels_dup to keep.
 * Source: Prometheus data model; model/labels.
 */
#ifndef MODEL_LABELS_H
#define MODEL_LABELS_H

#include "base/arena.h"
#include "base/buf.h"

struct label {
    struct str name, value;
};

struct labels {
    const struct label *v;
    size_t n;
};

#define METRIC_NAME STR("__name__")

/* {NULL, 0} where the name is absent: an absent label and an empty one are the same thing. */
struct str labels_get(struct labels lb, struct str name);

bool labels_eq(struct labels a, struct labels b);

/* Prometheus' order: pair by pair, name then value; fewer labels first on a tie. */
int labels_cmp(struct labels a, struct labels b);

/* For tables of ours; not the fingerprint of any format. */
uint64_t labels_hash(struct labels lb);

/* FNV-1a over name 0xff value 0xff ..., the fingerprint that Alertmanager's and Prometheus' APIs show. */
uint64_t labels_fingerprint(struct labels lb);

struct labels labels_dup(struct arena *a, struct labels lb);

/* Sorts, drops empty values, keeps the last of equal names. v is arena memory of the caller's, changed in place. */
struct labels labels_from(struct label *v, size_t n);

/*
 * Builder: a base set with changes. Setting an empty value removes.
 *     struct labels_builder b; labels_builder_init(&b, a, base); labels_set(&b, n, v); lb = labels_build(&b);
 */
struct labels_builder {
    struct arena *a;
    struct label *v;
    size_t n, cap;
};
void labels_builder_init(struct labels_builder *b, struct arena *a, struct labels base);
void labels_set(struct labels_builder *b, struct str name, struct str value);
void labels_del(struct labels_builder *b, struct str name);
struct str labels_builder_get(const struct labels_builder *b, struct str name);
struct labels labels_build(
    struct labels_builder *b); /* sorted; valid until the builder changes again */

/* Only these names, or all but these (and never __name__ with `without`). */
struct labels labels_keep(struct arena *a, struct labels lb, const struct str *names, size_t n);
struct labels labels_without(struct arena *a, struct labels lb, const struct str *names, size_t n);

/* {a="b", c="d"} as Prometheus prints it: metric name in front, values quoted as Go does, odd names quoted. */
void labels_write(struct buf *b, struct labels lb);

/* {__name__="up", a="b"}: the name among the labels, as Labels.String() prints. */
void labels_write_set(struct buf *b, struct labels lb);

/* Go's strconv.Quote. */
void str_write_quoted(struct buf *b, struct str s);

bool label_name_valid_legacy(struct str s);  /* [a-zA-Z_][a-zA-Z0-9_]* */
bool metric_name_valid_legacy(struct str s); /* [a-zA-Z_:][a-zA-Z0-9_:]* */

#endif
