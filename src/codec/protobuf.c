/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/protobuf.h"

#include "codec/varint.h"

static enum err take(struct str *in, size_t n, struct str *out)
{
    if (in->n < n) return ERR_SHORT;
    *out = str_first(*in, n);
    *in = str_from(*in, n);
    return OK;
}

static enum err read_uvarint(struct str *in, uint64_t *out)
{
    enum err e = varint_read_u64(in, out);
    return e == ERR_RANGE ? ERR_SYNTAX : e;
}

static enum err read_value(struct str *in, struct pb_field *f)
{
    uint64_t n;
    switch (f->wire) {
    case PB_VARINT: return read_uvarint(in, &f->n);
    case PB_FIXED64:
        TRY(take(in, 8, &f->bytes));
        f->n = load_le64(f->bytes.p);
        return OK;
    case PB_FIXED32:
        TRY(take(in, 4, &f->bytes));
        f->n = load_le32(f->bytes.p);
        return OK;
    case PB_BYTES:
        TRY(read_uvarint(in, &n));
        if (n > in->n) return ERR_SHORT;
        return take(in, (size_t)n, &f->bytes);
    }
    return ERR_SYNTAX;
}

enum err pb_next(struct str *in, struct pb_field *out)
{
    struct str left = *in;
    struct pb_field f = { 0 };
    uint64_t tag;
    if (!left.n) return ERR_EOF;
    TRY(read_uvarint(&left, &tag));
    if (tag >> 3 == 0 || tag >> 3 > 0x1fffffff) return ERR_SYNTAX;
    f.number = (uint32_t)(tag >> 3);
    f.wire = (enum pb_wire)(tag & 7);
    TRY(read_value(&left, &f));
    *in = left;
    *out = f;
    return OK;
}

static void put_tag(struct buf *b, uint32_t number, enum pb_wire wire)
{
    pb_put_uvarint(b, (uint64_t)number << 3 | wire);
}

void pb_put_uvarint(struct buf *b, uint64_t u)
{
    char *to = buf_room(b, PB_VARINT_MAX);
    if (to) buf_add(b, (size_t)(pb_write_uvarint(to, u) - to));
}

void pb_put_u64(struct buf *b, uint32_t number, uint64_t u)
{
    if (!u) return;
    put_tag(b, number, PB_VARINT);
    pb_put_uvarint(b, u);
}

void pb_put_i64(struct buf *b, uint32_t number, int64_t v) { pb_put_u64(b, number, (uint64_t)v); }

void pb_put_double(struct buf *b, uint32_t number, double v)
{
    if (!bits_of_double(v)) return; /* -0 is written: a reader would take its absence for 0 */
    put_tag(b, number, PB_FIXED64);
    char *to = buf_room(b, 8);
    if (!to) return;
    store_le64(to, bits_of_double(v));
    buf_add(b, 8);
}

void pb_put_message(struct buf *b, uint32_t number, struct str s)
{
    put_tag(b, number, PB_BYTES);
    pb_put_uvarint(b, s.n);
    buf_put(b, s);
}

void pb_put_str(struct buf *b, uint32_t number, struct str s)
{
    if (s.n) pb_put_message(b, number, s);
}
