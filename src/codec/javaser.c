/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recursive descent over the grammar. A cursor runs over the whole content; only when it has been read to its end are its
 * bytes taken off the stream. Handles are taken in the order the specification gives: a class description before its
 * field types and its superclass, an object after its whole class description and before its fields.
 */
#include "codec/javaser.h"

#include "base/bits.h"
#include "base/utf8.h"
#include "base/vec.h"

#define HANDLE_BASE 0x7e0000U

enum tc {
    TC_NULL = 0x70,
    TC_REFERENCE,
    TC_CLASSDESC,
    TC_OBJECT,
    TC_STRING,
    TC_ARRAY,
    TC_CLASS,
    TC_BLOCK,
    TC_END,
    TC_RESET,
    TC_BLOCK_LONG,
    TC_EXCEPTION,
    TC_STRING_LONG,
    TC_PROXY,
    TC_ENUM,
};

struct javaser_handles {
    VEC(struct javaser_value *) all;
};

struct cursor {
    const char *p, *end, *begin;
    struct arena *a;
    struct javaser_handles *handles;
    struct diag *d;
    unsigned depth;
    bool aborting; /* inside 7b: another one is nonsense */
};

static const struct javaser_value NULL_VALUE = { .kind = JAVASER_NULL };

static enum err bad(struct cursor *c, enum err e, const char *what)
{
    return diag_set(c->d, e, "%s at byte %zu of the serialised stream", what,
                    (size_t)(c->p - c->begin));
}

static size_t left(const struct cursor *c) { return (size_t)(c->end - c->p); }

static enum err take(struct cursor *c, size_t n, const char **out)
{
    if (left(c) < n) return ERR_SHORT;
    *out = c->p;
    c->p += n;
    return OK;
}

static enum err take_u8(struct cursor *c, unsigned *out)
{
    const char *p;
    TRY(take(c, 1, &p));
    *out = (unsigned char)*p;
    return OK;
}

static enum err take_u16(struct cursor *c, unsigned *out)
{
    const char *p;
    TRY(take(c, 2, &p));
    *out = load_be16(p);
    return OK;
}

static enum err take_u32(struct cursor *c, uint32_t *out)
{
    const char *p;
    TRY(take(c, 4, &p));
    *out = load_be32(p);
    return OK;
}

static enum err take_u64(struct cursor *c, uint64_t *out)
{
    const char *p;
    TRY(take(c, 8, &p));
    *out = load_be64(p);
    return OK;
}

/* Bytes of one surrogate pair in modified UTF-8, or 0. */
static bool is_pair(const unsigned char *u, size_t n)
{
    return n >= 6 && u[0] == 0xed && (u[1] & 0xf0) == 0xa0 && u[3] == 0xed && (u[4] & 0xf0) == 0xb0;
}

/*
 * Modified UTF-8 differs from UTF-8 in two places: 0 is c0 80, and what is above U+FFFF comes as two surrogates.
 * What is neither becomes '?', as Java's own encoder writes a lone surrogate: no text of ours is ever bad UTF-8.
 */
static struct str utf8_of_modified(struct arena *a, struct str s)
{
    if (utf8_valid(s)) return s;
    BUF(out, s.n);
    while (s.n) {
        const unsigned char *u = (const unsigned char *)s.p;
        struct str rest = s;
        if (s.n >= 2 && u[0] == 0xc0 && u[1] == 0x80) {
            buf_char(&out, 0);
            s = str_from(s, 2);
        } else if (is_pair(u, s.n)) {
            utf8_put(&out, 0x10000 + ((u[1] & 0x0fU) << 16) + ((u[2] & 0x3fU) << 10) +
                               ((u[4] & 0x0fU) << 6) + (u[5] & 0x3fU));
            s = str_from(s, 6);
        } else if (utf8_next(&s) == UTF8_BAD && s.n == rest.n - 1) {
            buf_char(&out, '?');
        } else {
            buf_put(&out, str_first(rest, rest.n - s.n));
        }
    }
    return arena_dup(a, buf_str(&out));
}

static enum err take_text(struct cursor *c, uint64_t n, struct str *out)
{
    const char *p;
    if (n > left(c)) return ERR_SHORT;
    TRY(take(c, (size_t)n, &p));
    *out = utf8_of_modified(c->a, str_make(p, (size_t)n));
    return OK;
}

static enum err take_utf(struct cursor *c, struct str *out)
{
    unsigned n;
    TRY(take_u16(c, &n));
    return take_text(c, n, out);
}

static enum err handle_new(struct cursor *c, enum javaser_kind kind, struct javaser_value **out)
{
    if (c->handles->all.n >= JAVASER_HANDLES_MAX) return bad(c, ERR_LIMIT, "too many objects");
    if (arena_over(c->a)) return bad(c, ERR_LIMIT, "more memory than allowed");
    struct javaser_value *v = arena_new(c->a, struct javaser_value);
    v->kind = kind;
    *vec_push(c->a, &c->handles->all) = v;
    *out = v;
    return OK;
}

static enum err take_reference(struct cursor *c, struct javaser_value **out)
{
    uint32_t handle;
    TRY(take_u32(c, &handle));
    if (handle < HANDLE_BASE || handle - HANDLE_BASE >= c->handles->all.n) {
        return bad(c, ERR_SYNTAX, "reference to an object that was not sent");
    }
    *out = c->handles->all.v[handle - HANDLE_BASE];
    return OK;
}

static enum err content(struct cursor *c, const struct javaser_value **out);

/* Objects and blocks until 78. keep NULL: only skipped. */
static enum err contents_until_end(struct cursor *c, struct javaser_part *keep)
{
    VEC(const struct javaser_value *) items = { 0 };
    for (;;) {
        if (left(c) < 1) return ERR_SHORT;
        if ((unsigned char)*c->p == TC_END) break;
        const struct javaser_value *v;
        TRY(content(c, &v));
        if (keep) *vec_push(c->a, &items) = v;
    }
    c->p++;
    if (keep) {
        keep->items = items.v;
        keep->n = items.n;
    }
    return OK;
}

static enum err class_description(struct cursor *c, struct javaser_class **out);

static enum err class_fields(struct cursor *c, struct javaser_class *class)
{
    unsigned n;
    TRY(take_u16(c, &n));
    if (n > left(c) / 3) return ERR_SHORT; /* a type and an empty name each, at least */
    class->fields = arena_array(c->a, n, sizeof(*class->fields));
    for (class->n = 0; class->n < n; class->n++) {
        struct javaser_field *f = &class->fields[class->n];
        unsigned type;
        TRY(take_u8(c, &type));
        TRY(take_utf(c, &f->name));
        f->type = (char)type;
        if (type == 'L' || type == '[') {
            const struct javaser_value *type_name;
            TRY(content(c, &type_name));
        } else if (!type || !strchr("BCDFIJSZ", (int)type)) {
            return bad(c, ERR_SYNTAX, "unknown field type");
        }
    }
    return OK;
}

static enum err class_new(struct cursor *c, struct javaser_class **out)
{
    struct javaser_value *v;
    unsigned flags;
    struct javaser_class *class = arena_new(c->a, struct javaser_class);
    TRY(take_utf(c, &class->name));
    TRY(take_u64(c, &class->suid));
    TRY(handle_new(c, JAVASER_CLASS, &v));
    v->class = class;
    TRY(take_u8(c, &flags));
    class->flags = flags;
    TRY(class_fields(c, class));
    TRY(contents_until_end(c, NULL));
    TRY(class_description(c, &class->super));
    *out = class;
    return OK;
}

static enum err class_proxy(struct cursor *c, struct javaser_class **out)
{
    struct javaser_value *v;
    uint32_t n;
    struct javaser_class *class = arena_new(c->a, struct javaser_class);
    class->name = STR("");
    class->flags = JAVASER_SERIALIZABLE;
    TRY(handle_new(c, JAVASER_CLASS, &v));
    v->class = class;
    TRY(take_u32(c, &n));
    if (n > left(c) / 2) return ERR_SHORT;
    for (uint32_t i = 0; i < n; i++) {
        struct str interface;
        TRY(take_utf(c, &interface));
    }
    TRY(contents_until_end(c, NULL));
    TRY(class_description(c, &class->super));
    *out = class;
    return OK;
}

static enum err class_reference(struct cursor *c, struct javaser_class **out)
{
    struct javaser_value *v;
    TRY(take_reference(c, &v));
    if (v->kind != JAVASER_CLASS || !v->class) {
        return bad(c, ERR_SYNTAX, "reference to a class that is none");
    }
    *out = (struct javaser_class *)(uintptr_t)v->class;
    return OK;
}

/* NULL for none, which ends a chain of superclasses. */
static enum err class_description(struct cursor *c, struct javaser_class **out)
{
    unsigned tc;
    if (++c->depth > JAVASER_DEPTH_MAX) return bad(c, ERR_LIMIT, "nested too deeply");
    TRY(take_u8(c, &tc));
    enum err e = OK;
    switch (tc) {
    case TC_NULL: *out = NULL; break;
    case TC_REFERENCE: e = class_reference(c, out); break;
    case TC_CLASSDESC: e = class_new(c, out); break;
    case TC_PROXY: e = class_proxy(c, out); break;
    default: c->p--; return bad(c, ERR_SYNTAX, "expected a class description");
    }
    c->depth--;
    return e;
}

static enum err some_class(struct cursor *c, struct javaser_class **out)
{
    TRY(class_description(c, out));
    return *out ? OK : bad(c, ERR_SYNTAX, "an object without a class");
}

static size_t primitive_size(char type)
{
    switch (type) {
    case 'B':
    case 'Z': return 1;
    case 'C':
    case 'S': return 2;
    case 'F':
    case 'I': return 4;
    case 'D':
    case 'J': return 8;
    default: return 0;
    }
}

static double double_of_float_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof(f));
    return (double)f;
}

static void primitive(char type, const char *p, struct javaser_slot *out)
{
    switch (type) {
    case 'B': out->integer = (int8_t)*p; break;
    case 'Z': out->integer = *p != 0; break;
    case 'C': out->integer = load_be16(p); break;
    case 'S': out->integer = (int16_t)load_be16(p); break;
    case 'I': out->integer = (int32_t)load_be32(p); break;
    case 'J': out->integer = (int64_t)load_be64(p); break;
    case 'F': out->real = double_of_float_bits(load_be32(p)); break;
    case 'D': out->real = double_of_bits(load_be64(p)); break;
    default: break;
    }
}

static enum err slots(struct cursor *c, const struct javaser_class *class,
                      struct javaser_slot **out)
{
    struct javaser_slot *v = arena_array(c->a, class->n, sizeof(*v));
    for (size_t i = 0; i < class->n; i++) {
        size_t size = primitive_size(class->fields[i].type);
        if (size) {
            const char *p;
            TRY(take(c, size, &p));
            primitive(class->fields[i].type, p, &v[i]);
        } else {
            TRY(content(c, &v[i].object));
        }
    }
    *out = v;
    return OK;
}

static enum err part(struct cursor *c, const struct javaser_class *class, struct javaser_part *out)
{
    out->class = class;
    if (class->flags & JAVASER_SERIALIZABLE) {
        TRY(slots(c, class, &out->slots));
        return class->flags & JAVASER_WRITE_METHOD ? contents_until_end(c, out) : OK;
    }
    if (!(class->flags & JAVASER_EXTERNALIZABLE)) return OK;
    if (class->flags & JAVASER_BLOCK_DATA) return contents_until_end(c, out);
    return diag_set(c->d, ERR_UNSUPPORTED, "a value of class %.*s, which only Java can read",
                    STR_ARG(class->name));
}

static enum err object(struct cursor *c, const struct javaser_value **out)
{
    struct javaser_class *class;
    struct javaser_value *v;
    TRY(some_class(c, &class));
    TRY(handle_new(c, JAVASER_OBJECT, &v));
    v->class = class;
    for (const struct javaser_class *k = class; k; k = k->super) {
        if (++v->n > JAVASER_DEPTH_MAX) return bad(c, ERR_LIMIT, "too many superclasses");
    }
    v->parts = arena_array(c->a, v->n, sizeof(*v->parts));
    size_t at = v->n;
    for (const struct javaser_class *k = class; k; k = k->super) v->parts[--at].class = k;
    for (; at < v->n; at++) TRY(part(c, v->parts[at].class, &v->parts[at]));
    *out = v;
    return OK;
}

static enum err array(struct cursor *c, const struct javaser_value **out)
{
    struct javaser_class *class;
    struct javaser_value *v;
    uint32_t n;
    TRY(some_class(c, &class));
    TRY(handle_new(c, JAVASER_ARRAY, &v));
    v->class = class;
    TRY(take_u32(c, &n));
    if (class->name.n < 2 || class->name.p[0] != '[') return bad(c, ERR_SYNTAX, "no array class");
    size_t size = primitive_size(class->name.p[1]);
    if (n > left(c) / (size ? size : 1)) return ERR_SHORT;
    if (size) {
        const char *p;
        TRY(take(c, n * size, &p));
        v->text = str_make(p, n * size);
        v->n = 0;
    } else {
        const struct javaser_value **items = arena_array(c->a, n, sizeof(*items));
        for (uint32_t i = 0; i < n; i++) TRY(content(c, &items[i]));
        v->items = items;
        v->n = n;
    }
    *out = v;
    return OK;
}

static enum err enumeration(struct cursor *c, const struct javaser_value **out)
{
    struct javaser_class *class;
    struct javaser_value *v;
    const struct javaser_value *name;
    TRY(some_class(c, &class));
    TRY(handle_new(c, JAVASER_ENUM, &v));
    v->class = class;
    TRY(content(c, &name));
    if (name->kind != JAVASER_STRING) return bad(c, ERR_SYNTAX, "an enum without a name");
    v->text = name->text;
    *out = v;
    return OK;
}

static enum err string(struct cursor *c, bool is_long, const struct javaser_value **out)
{
    struct javaser_value *v;
    uint64_t n;
    unsigned n16;
    if (is_long) {
        TRY(take_u64(c, &n));
    } else {
        TRY(take_u16(c, &n16));
        n = n16;
    }
    struct str text;
    TRY(take_text(c, n, &text));
    TRY(handle_new(c, JAVASER_STRING, &v));
    v->text = text;
    *out = v;
    return OK;
}

static enum err block(struct cursor *c, bool is_long, const struct javaser_value **out)
{
    uint32_t n;
    unsigned n8;
    const char *p;
    if (is_long) {
        TRY(take_u32(c, &n));
    } else {
        TRY(take_u8(c, &n8));
        n = n8;
    }
    TRY(take(c, n, &p));
    struct javaser_value *v = arena_new(c->a, struct javaser_value);
    v->kind = JAVASER_BLOCK;
    v->text = str_make(p, n);
    *out = v;
    return OK;
}

static enum err class_object(struct cursor *c, const struct javaser_value **out)
{
    struct javaser_class *class;
    struct javaser_value *v;
    TRY(some_class(c, &class));
    TRY(handle_new(c, JAVASER_CLASS, &v));
    v->class = class;
    *out = v;
    return OK;
}

/* A class description in place of an object: a field of type ObjectStreamClass. Rare, and nothing we look into. */
static enum err bare_description(struct cursor *c, const struct javaser_value **out)
{
    struct javaser_class *class;
    c->p--;
    TRY(class_description(c, &class));
    struct javaser_value *v = arena_new(c->a, struct javaser_value);
    v->kind = JAVASER_CLASS;
    v->class = class;
    *out = v;
    return OK;
}

/* The writer met what it cannot write: handles start anew, its exception follows. */
static enum err aborted(struct cursor *c)
{
    if (c->aborting) return bad(c, ERR_SYNTAX, "an exception inside an exception");
    c->aborting = true;
    c->handles->all.n = 0;
    const struct javaser_value *why;
    TRY(content(c, &why));
    struct str name = why->class ? why->class->name : STR("an exception");
    struct str text = javaser_text(why, "detailMessage");
    return diag_set(c->d, ERR_CANCELED, "the peer cannot send the value: %.*s%s%.*s", STR_ARG(name),
                    text.n ? ": " : "", STR_ARG(text));
}

static enum err content_of(struct cursor *c, unsigned tc, const struct javaser_value **out)
{
    struct javaser_value *v;
    switch (tc) {
    case TC_NULL: *out = &NULL_VALUE; return OK;
    case TC_REFERENCE:
        TRY(take_reference(c, &v));
        *out = v;
        return OK;
    case TC_OBJECT: return object(c, out);
    case TC_STRING: return string(c, false, out);
    case TC_STRING_LONG: return string(c, true, out);
    case TC_ARRAY: return array(c, out);
    case TC_ENUM: return enumeration(c, out);
    case TC_CLASS: return class_object(c, out);
    case TC_CLASSDESC:
    case TC_PROXY: return bare_description(c, out);
    case TC_BLOCK: return block(c, false, out);
    case TC_BLOCK_LONG: return block(c, true, out);
    case TC_EXCEPTION: return aborted(c);
    default: c->p--; return bad(c, ERR_SYNTAX, "expected an object");
    }
}

static enum err content(struct cursor *c, const struct javaser_value **out)
{
    unsigned tc;
    if (++c->depth > JAVASER_DEPTH_MAX) return bad(c, ERR_LIMIT, "nested too deeply");
    TRY(take_u8(c, &tc));
    while (tc == TC_RESET) {
        c->handles->all.n = 0;
        TRY(take_u8(c, &tc));
    }
    TRY(content_of(c, tc, out));
    c->depth--;
    return OK;
}

enum err javaser_open(struct javaser *s, struct str in, struct arena *a)
{
    static const char HEADER[4] = "\xac\xed\x00\x05";
    size_t n = in.n < 4 ? in.n : 4;
    if (memcmp(in.p, HEADER, n) != 0) return ERR_SYNTAX;
    if (in.n < 4) return ERR_SHORT;
    *s = (struct javaser){
        .in = str_from(in, 4),
        .arena = a,
        .handles = arena_new(a, struct javaser_handles),
    };
    return OK;
}

enum err javaser_read(struct javaser *s, const struct javaser_value **out, struct diag *d)
{
    struct cursor c = {
        .p = s->in.p,
        .begin = s->in.p,
        .end = s->in.p + s->in.n,
        .a = s->arena,
        .handles = s->handles,
        .d = d,
    };
    const struct javaser_value *v;
    TRY(content(&c, &v));
    s->in = str_from(s->in, (size_t)(c.p - c.begin));
    *out = v;
    return OK;
}

bool javaser_is(const struct javaser_value *v, const char *class_name)
{
    if (v->kind != JAVASER_OBJECT) return false;
    for (size_t i = 0; i < v->n; i++) {
        if (str_eqc(v->parts[i].class->name, class_name)) return true;
    }
    return false;
}

const struct javaser_slot *javaser_field(const struct javaser_value *v, const char *name)
{
    if (v->kind != JAVASER_OBJECT) return NULL;
    for (size_t i = v->n; i-- > 0;) {
        const struct javaser_part *p = &v->parts[i];
        for (size_t k = 0; p->slots && k < p->class->n; k++) {
            if (str_eqc(p->class->fields[k].name, name)) return &p->slots[k];
        }
    }
    return NULL;
}

const struct javaser_value *javaser_object(const struct javaser_value *v, const char *field)
{
    const struct javaser_slot *s = javaser_field(v, field);
    return s && s->object ? s->object : &NULL_VALUE;
}

struct str javaser_text(const struct javaser_value *v, const char *field)
{
    const struct javaser_value *o = javaser_object(v, field);
    return o->kind == JAVASER_STRING ? o->text : str_make(NULL, 0);
}

const struct javaser_part *javaser_part(const struct javaser_value *v, const char *class_name)
{
    if (v->kind != JAVASER_OBJECT) return NULL;
    for (size_t i = 0; i < v->n; i++) {
        if (str_eqc(v->parts[i].class->name, class_name)) return &v->parts[i];
    }
    return NULL;
}
