/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema.h - Kafka's message layouts as tables, and the one interpreter that reads and writes them
 *
 * Shape:   a message is a C struct; a table row says where a field lies in it, which versions carry it and how. Arrays are
 *          KARRAY(T): v == NULL is Kafka's null, n == 0 with v set is empty. Strings and bytes are struct str, {NULL, 0} is
 *          null. What is read borrows its strings from the input and puts its arrays into the arena.
 * Limits:  a count is checked against the bytes that are left and the least size of one element before its array is
 *          allocated; arena_over() ends a read that would take more than its arena's limit.
 * Source:  Kafka protocol guide (primitive types), KIP-482 (flexible versions), message definitions' README.
 */
#ifndef KAFKA_SCHEMA_H
#define KAFKA_SCHEMA_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define KARRAY(T)                                                                                  \
    struct {                                                                                       \
        T *v;                                                                                      \
        size_t n;                                                                                  \
    }
#define KARRAY_FOR(it, array)                                                                      \
    for (__typeof__((array)->v + 0) it = (array)->v; (it) && (it) < (array)->v + (array)->n; (it)++)

struct kafka_uuid {
    unsigned char b[16];
};

enum kafka_type {
    KT_BOOL,   /* bool */
    KT_I8,     /* int8_t */
    KT_I16,    /* int16_t */
    KT_I32,    /* int32_t */
    KT_I64,    /* int64_t */
    KT_UUID,   /* struct kafka_uuid */
    KT_STR,    /* struct str */
    KT_BYTES,  /* struct str */
    KT_STRUCT, /* embedded struct */
    KT_ARRAY,  /* KARRAY of `elem` */
};

enum { KAFKA_NEVER = 127, KAFKA_ALWAYS = 126 /* as `to`: every later version */ };

struct kafka_field {
    const char *name; /* as the definition has it */
    uint8_t type, elem;
    int8_t from, to;  /* versions that carry it */
    int8_t null_from; /* from this version on it may be null */
    int8_t tag;       /* of a tagged field, else -1 */
    uint16_t offset;
    int64_t deflt; /* of a number, where the version lacks it */
    const struct kafka_fields *of;
};

struct kafka_fields {
    const struct kafka_field *v;
    size_t n;
    size_t size; /* of the C struct */
};

/*
 * Takes one struct of that layout off the front of *in; *to is zeroed or defaulted first and all set afterwards.
 * On failure *in is unchanged, *to undefined.
 * Errors: ERR_SHORT   in ends inside it
 *         ERR_SYNTAX  a negative length, or null where that is not allowed
 *         ERR_LIMIT   a count that the bytes left cannot hold, or the arena's limit
 */
enum err kafka_fields_read(const struct kafka_fields *f, int16_t version, bool flexible,
                           struct str *in, struct arena *a, void *to);

/* Null where that is not allowed is written as empty. */
void kafka_fields_write(const struct kafka_fields *f, int16_t version, bool flexible,
                        const void *from, struct buf *b);

/* Unsigned varint of at most 32 bits, as lengths and tags are written. */
enum err kafka_uvarint_read(struct str *in, uint32_t *out);
void kafka_uvarint_write(struct buf *b, uint32_t v);

#endif
