/* SPDX-License-Identifier: Apache-2.0 */
/*
 * javaser.h - Java's object serialisation stream, read into a tree and written for the few classes RMI arguments need
 *
 * Shape:  a stream is `ac ed 00 05` and contents: objects, strings, arrays, enums, blocks of raw bytes. There are no
 *         lengths: the end of a content is known only by reading it to its end. Handles number every string, class
 *         description, object, array, enum and class in the order of their first bytes; equal handles give the same node,
 *         so a tree may hold cycles: walk it with a limit.
 * Limits: nesting, handles and items below; a count is believed only as far as bytes for it have arrived.
 * Source: Java Object Serialization Specification, section 6 (stream protocol version 1 and 2).
 */
#ifndef CODEC_JAVASER_H
#define CODEC_JAVASER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define JAVASER_DEPTH_MAX   64
#define JAVASER_HANDLES_MAX (4U << 20)

enum javaser_kind {
    JAVASER_NULL,
    JAVASER_STRING, /* text */
    JAVASER_BLOCK,  /* text: the raw bytes */
    JAVASER_OBJECT, /* class, parts */
    JAVASER_ARRAY, /* class, n and items, or text: the raw big-endian elements of a primitive type */
    JAVASER_ENUM,  /* class, text: the constant's name */
    JAVASER_CLASS, /* class: of a java.lang.Class object, or a class description met by its handle */
};

struct javaser_field {
    char type; /* B C D F I J S Z primitive, L object, [ array */
    struct str name;
};

enum javaser_flags {
    JAVASER_WRITE_METHOD = 1,
    JAVASER_SERIALIZABLE = 2,
    JAVASER_EXTERNALIZABLE = 4,
    JAVASER_BLOCK_DATA = 8,
};

struct javaser_class {
    struct str name; /* empty for a dynamic proxy */
    uint64_t suid;
    unsigned flags;
    size_t n;
    struct javaser_field *fields;
    struct javaser_class *super; /* NULL at the top */
};

/* One field's value: which member holds follows from the field's type (J: bits of all integers, D: D and F). */
struct javaser_slot {
    int64_t integer;
    double real;
    const struct javaser_value *object;
};

/* What one class of the chain wrote, the topmost superclass first. */
struct javaser_part {
    const struct javaser_class *class;
    struct javaser_slot *slots; /* class->n */
    size_t n;                   /* what its write method added: objects and blocks */
    const struct javaser_value **items;
};

struct javaser_value {
    enum javaser_kind kind;
    struct str text;
    const struct javaser_class *class;
    size_t n; /* parts of an object, items of an array */
    union {
        struct javaser_part *parts;
        const struct javaser_value **items;
    };
};

/* A stream in reading; open once, then one read per content. Everything it makes is in the arena. */
struct javaser {
    struct str in; /* unread rest; only whole contents are taken off */
    struct arena *arena;
    struct javaser_handles *handles;
};

/*
 * Takes the header off the front of `in`.
 * Errors: ERR_SHORT, ERR_SYNTAX no such stream
 */
enum err javaser_open(struct javaser *s, struct str in, struct arena *a);

/*
 * Reads one content. After an error the stream is of no further use.
 * Errors: ERR_SHORT        more bytes are needed: read it again from the start when they are there
 *         ERR_SYNTAX       not of the format; d says at which byte
 *         ERR_LIMIT        deeper or larger than the limits
 *         ERR_UNSUPPORTED  an Externalizable object, whose length nobody but its class knows; d names the class
 *         ERR_CANCELED     the writer itself gave up in the middle (7b); d names its exception
 */
enum err javaser_read(struct javaser *s, const struct javaser_value **out, struct diag *d);

/* True when the class or one of its superclasses has this name. */
bool javaser_is(const struct javaser_value *v, const char *class_name);

/* The named field of an object, wherever in the class chain it is; NULL when absent or no object. */
const struct javaser_slot *javaser_field(const struct javaser_value *v, const char *name);

/* Shorthands for object fields: JAVASER_NULL's value / empty when absent. */
const struct javaser_value *javaser_object(const struct javaser_value *v, const char *field);
struct str javaser_text(const struct javaser_value *v, const char *field);

/* The part that the named class wrote, or NULL. */
const struct javaser_part *javaser_part(const struct javaser_value *v, const char *class_name);

/* Writing */
void javaser_put_header(struct buf *b);
void javaser_put_block(struct buf *b, struct str bytes); /* up to 255 bytes */
void javaser_put_null(struct buf *b);
void javaser_put_end(struct buf *b);                     /* of custom contents */
void javaser_put_string(struct buf *b, struct str utf8); /* as modified UTF-8 */

/* A new object or array of a class without fields, its annotation null as RMI wants it; contents follow. */
void javaser_put_object(struct buf *b, const char *class_name, uint64_t suid, unsigned flags);
void javaser_put_array(struct buf *b, const char *class_name, uint64_t suid, uint32_t n);

#endif
