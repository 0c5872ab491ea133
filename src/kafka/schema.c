/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/schema.h"

#include "base/assert.h"
#include "base/bits.h"
#include "codec/varint.h"

struct any_array {
    void *v;
    size_t n;
};

struct reader {
    struct str in;
    struct arena *a;
    int16_t version;
    bool flexible;
};

static const size_t SIZES[] = {
    [KT_BOOL] = sizeof(bool),
    [KT_I8] = 1,
    [KT_I16] = 2,
    [KT_I32] = 4,
    [KT_I64] = 8,
    [KT_UUID] = sizeof(struct kafka_uuid),
    [KT_STR] = sizeof(struct str),
    [KT_BYTES] = sizeof(struct str),
};

static size_t elem_size(const struct kafka_field *f)
{
    ASSERT(f->elem != KT_ARRAY);
    return f->elem == KT_STRUCT ? f->of->size : SIZES[f->elem];
}

enum err kafka_uvarint_read(struct str *in, uint32_t *out)
{
    struct str s = *in;
    uint64_t v;
    TRY(varint_read_u64(&s, &v));
    if (v > UINT32_MAX || in->n - s.n > 5) return ERR_RANGE;
    *in = s;
    *out = (uint32_t)v;
    return OK;
}

void kafka_uvarint_write(struct buf *b, uint32_t v)
{
    for (; v > 0x7f; v >>= 7) buf_char(b, (char)(v | 0x80));
    buf_char(b, (char)v);
}

static bool carries(const struct kafka_field *f, int16_t version)
{
    return version >= f->from && (f->to == KAFKA_ALWAYS || version <= f->to);
}

static bool tagged(const struct kafka_field *f) { return f->tag >= 0; }

/* Bytes of the shortest value there can be: what bounds a count. */
static size_t least_of(const struct kafka_fields *f, int16_t version, bool flexible);
static size_t least(uint8_t type, const struct kafka_fields *of, int16_t version, bool flexible)
{
    switch ((enum kafka_type)type) {
    case KT_BOOL: return 1;
    case KT_I8:
    case KT_I16:
    case KT_I32:
    case KT_I64:
    case KT_UUID: return SIZES[type];
    case KT_STR: return flexible ? 1 : 2;
    case KT_BYTES:
    case KT_ARRAY: return flexible ? 1 : 4;
    case KT_STRUCT: return least_of(of, version, flexible);
    }
    return 1;
}

static size_t least_of(const struct kafka_fields *f, int16_t version, bool flexible)
{
    size_t n = flexible ? 1 : 0;
    for (size_t i = 0; i < f->n; i++) {
        const struct kafka_field *x = &f->v[i];
        if (carries(x, version) && !tagged(x)) n += least(x->type, x->of, version, flexible);
    }
    return n;
}

static enum err take(struct reader *r, size_t n, const char **out)
{
    if (r->in.n < n) return ERR_SHORT;
    *out = r->in.p;
    r->in = str_from(r->in, n);
    return OK;
}

/* A length: *null or *n bytes or elements. `wide`: four bytes where it is not a varint, else two. */
static enum err read_length(struct reader *r, bool wide, bool *null, size_t *n)
{
    const char *p;
    if (r->flexible) {
        uint32_t v;
        TRY(kafka_uvarint_read(&r->in, &v));
        *null = v == 0;
        *n = v ? v - 1 : 0;
        return OK;
    }
    TRY(take(r, wide ? 4 : 2, &p));
    int32_t v = wide ? (int32_t)load_be32(p) : (int16_t)load_be16(p);
    if (v < -1) return ERR_SYNTAX;
    *null = v == -1;
    *n = v < 0 ? 0 : (size_t)v;
    return OK;
}

static enum err read_str(struct reader *r, bool wide, bool nullable, struct str *out)
{
    bool null;
    size_t n;
    const char *p;
    TRY(read_length(r, wide, &null, &n));
    if (null && !nullable) return ERR_SYNTAX;
    TRY(take(r, n, &p));
    *out = null ? str_make(NULL, 0) : str_make(p, n);
    return OK;
}

static enum err read_fields(struct reader *r, const struct kafka_fields *f, char *to);
static enum err read_array(struct reader *r, const struct kafka_field *f, bool nullable, char *to);

static enum err read_number(struct reader *r, uint8_t type, char *to)
{
    const char *p;
    TRY(take(r, SIZES[type], &p));
    uint16_t h;
    uint32_t w;
    uint64_t l;
    switch (type) {
    case KT_BOOL: *(bool *)(void *)to = *p != 0; break;
    case KT_I16: h = load_be16(p), memcpy(to, &h, sizeof(h)); break;
    case KT_I32: w = load_be32(p), memcpy(to, &w, sizeof(w)); break;
    case KT_I64: l = load_be64(p), memcpy(to, &l, sizeof(l)); break;
    default: memcpy(to, p, SIZES[type]); break;
    }
    return OK;
}

static enum err read_value(struct reader *r, const struct kafka_field *f, uint8_t type, char *to)
{
    bool nullable = f->null_from != KAFKA_NEVER && r->version >= f->null_from;
    if (type == KT_STRUCT) return read_fields(r, f->of, to);
    if (type == KT_ARRAY) return read_array(r, f, nullable, to);
    if (type != KT_STR && type != KT_BYTES) return read_number(r, type, to);
    struct str s;
    /* Elements of an array are never null, whatever the array itself may be. */
    TRY(read_str(r, type == KT_BYTES, nullable && f->type != KT_ARRAY, &s));
    memcpy(to, &s, sizeof(s));
    return OK;
}

static enum err read_array(struct reader *r, const struct kafka_field *f, bool nullable, char *to)
{
    bool null;
    size_t n, size = elem_size(f);
    TRY(read_length(r, true, &null, &n));
    if (null && !nullable) return ERR_SYNTAX;
    if (n > r->in.n / least(f->elem, f->of, r->version, r->flexible)) return ERR_LIMIT;
    struct any_array array = { null ? NULL : arena_array(r->a, n, size), n };
    if (arena_over(r->a)) return ERR_LIMIT;
    for (size_t i = 0; i < n; i++) TRY(read_value(r, f, f->elem, (char *)array.v + i * size));
    memcpy(to, &array, sizeof(array));
    return OK;
}

static void set_default(const struct kafka_field *f, char *to)
{
    switch (f->type) {
    case KT_BOOL: *(bool *)(void *)to = f->deflt != 0; break;
    case KT_I8: *(int8_t *)(void *)to = (int8_t)f->deflt; break;
    case KT_I16: *(int16_t *)(void *)to = (int16_t)f->deflt; break;
    case KT_I32: *(int32_t *)(void *)to = (int32_t)f->deflt; break;
    case KT_I64: *(int64_t *)(void *)to = f->deflt; break;
    default: break; /* zeroed is their default */
    }
}

/* Tags that we do not know, or that this version does not have, are passed over by their size. */
static enum err read_tags(struct reader *r, const struct kafka_fields *f, char *to)
{
    uint32_t count, tag, size;
    TRY(kafka_uvarint_read(&r->in, &count));
    for (; count; count--) {
        const char *p;
        TRY(kafka_uvarint_read(&r->in, &tag));
        TRY(kafka_uvarint_read(&r->in, &size));
        TRY(take(r, size, &p));
        struct reader inner = *r;
        inner.in = str_make(p, size);
        for (size_t i = 0; i < f->n; i++) {
            const struct kafka_field *x = &f->v[i];
            if (tagged(x) && (uint32_t)x->tag == tag && carries(x, r->version)) {
                TRY(read_value(&inner, x, x->type, to + x->offset));
            }
        }
    }
    return OK;
}

static enum err read_fields(struct reader *r, const struct kafka_fields *f, char *to)
{
    memset(to, 0, f->size);
    for (size_t i = 0; i < f->n; i++) {
        const struct kafka_field *x = &f->v[i];
        set_default(x, to + x->offset);
        if (carries(x, r->version) && !tagged(x)) TRY(read_value(r, x, x->type, to + x->offset));
    }
    return r->flexible ? read_tags(r, f, to) : OK;
}

enum err kafka_fields_read(const struct kafka_fields *f, int16_t version, bool flexible,
                           struct str *in, struct arena *a, void *to)
{
    struct reader r = { *in, a, version, flexible };
    TRY(read_fields(&r, f, to));
    *in = r.in;
    return OK;
}

struct writer {
    struct buf *b;
    int16_t version;
    bool flexible;
};

static void write_be(struct buf *b, uint64_t v, size_t bytes)
{
    char p[8];
    store_be64(p, v);
    buf_put(b, str_make(p + 8 - bytes, bytes));
}

static void write_length(struct writer *w, bool wide, bool null, size_t n)
{
    ASSERT(n < INT32_MAX && (wide || w->flexible || n <= INT16_MAX));
    if (w->flexible) {
        kafka_uvarint_write(w->b, null ? 0 : (uint32_t)n + 1);
    } else {
        write_be(w->b, null ? UINT64_MAX : n, wide ? 4 : 2);
    }
}

static void write_fields(struct writer *w, const struct kafka_fields *f, const char *from);

static void write_number(struct writer *w, uint8_t type, const char *from)
{
    uint16_t h;
    uint32_t v;
    uint64_t l;
    switch (type) {
    case KT_BOOL: buf_char(w->b, *(const bool *)(const void *)from ? 1 : 0); break;
    case KT_I16: memcpy(&h, from, sizeof(h)), write_be(w->b, h, 2); break;
    case KT_I32: memcpy(&v, from, sizeof(v)), write_be(w->b, v, 4); break;
    case KT_I64: memcpy(&l, from, sizeof(l)), write_be(w->b, l, 8); break;
    default: buf_put(w->b, str_make(from, SIZES[type])); break;
    }
}

static void write_value(struct writer *w, const struct kafka_field *f, uint8_t type,
                        const char *from)
{
    bool nullable = f->null_from != KAFKA_NEVER && w->version >= f->null_from;
    if (type == KT_STRUCT) {
        write_fields(w, f->of, from);
    } else if (type == KT_ARRAY) {
        struct any_array array;
        memcpy(&array, from, sizeof(array));
        size_t size = elem_size(f);
        write_length(w, true, nullable && !array.v, array.n);
        for (size_t i = 0; i < array.n; i++) {
            write_value(w, f, f->elem, (const char *)array.v + i * size);
        }
    } else if (type == KT_STR || type == KT_BYTES) {
        struct str s;
        memcpy(&s, from, sizeof(s));
        write_length(w, type == KT_BYTES, nullable && f->type != KT_ARRAY && !s.p, s.n);
        buf_put(w->b, s);
    } else {
        write_number(w, type, from);
    }
}

/* A tagged field is left out while it has its default value. */
static bool is_default(const struct kafka_field *f, const char *from)
{
    struct any_array array;
    int64_t l;
    switch (f->type) {
    case KT_BOOL: return *(const bool *)(const void *)from == (f->deflt != 0);
    case KT_I64: return memcpy(&l, from, sizeof(l)), l == f->deflt;
    case KT_ARRAY: return memcpy(&array, from, sizeof(array)), array.n == 0;
    default: return false;
    }
}

static void write_tags(struct writer *w, const struct kafka_fields *f, const char *from)
{
    uint32_t count = 0;
    for (size_t i = 0; i < f->n; i++) {
        const struct kafka_field *x = &f->v[i];
        if (tagged(x) && carries(x, w->version) && !is_default(x, from + x->offset)) count++;
    }
    kafka_uvarint_write(w->b, count);
    for (size_t i = 0; count && i < f->n; i++) { /* rows stand in the order of their tags */
        const struct kafka_field *x = &f->v[i];
        if (!tagged(x) || !carries(x, w->version) || is_default(x, from + x->offset)) continue;
        BUF(value, 0);
        struct writer inner = *w;
        inner.b = &value;
        write_value(&inner, x, x->type, from + x->offset);
        kafka_uvarint_write(w->b, (uint32_t)x->tag);
        kafka_uvarint_write(w->b, (uint32_t)value.n);
        buf_put(w->b, buf_str(&value));
    }
}

static void write_fields(struct writer *w, const struct kafka_fields *f, const char *from)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct kafka_field *x = &f->v[i];
        if (carries(x, w->version) && !tagged(x)) write_value(w, x, x->type, from + x->offset);
    }
    if (w->flexible) write_tags(w, f, from);
}

void kafka_fields_write(const struct kafka_fields *f, int16_t version, bool flexible,
                        const void *from, struct buf *b)
{
    struct writer w = { b, version, flexible };
    write_fields(&w, f, from);
}
