/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/remotepb.h"

#include "base/vec.h"
#include "codec/crc32c.h"
#include "codec/protobuf.h"
#include "codec/varint.h"

/* --- series --- */

/* Ends the walk over fields: OK at the clean end. */
static enum err at_end(enum err e) { return e == ERR_EOF ? OK : e; }

/* The leading fields of number 1: labels, in what every writer sends. */
static enum err split_labels(struct str series, struct remotepb_item *out)
{
    struct str left = series;
    while (left.n && left.p[0] == (1 << 3 | PB_BYTES)) {
        struct pb_field f;
        size_t n = left.n > 1 ? (unsigned char)left.p[1]
                              : 0x80; /* almost all lengths are one byte */
        if (n < 0x80 && left.n >= 2 + n) {
            left = str_make(left.p + 2 + n, left.n - 2 - n);
            continue;
        }
        TRY(pb_next(&left, &f));
    }
    out->labels = str_first(series, series.n - left.n);
    out->rest = left;
    return OK;
}

static enum err read_metadata(struct str in, struct remotepb_metadata *out)
{
    struct pb_field f;
    enum err e;
    *out = (struct remotepb_metadata){ .family = STR(""), .help = STR(""), .unit = STR("") };
    while ((e = pb_next(&in, &f)) == OK) {
        if (pb_is(&f, 1, PB_VARINT)) out->type = f.n;
        if (pb_is(&f, 2, PB_BYTES)) out->family = f.bytes;
        if (pb_is(&f, 4, PB_BYTES)) out->help = f.bytes;
        if (pb_is(&f, 5, PB_BYTES)) out->unit = f.bytes;
    }
    return at_end(e);
}

enum err remotepb_next(struct str *in, struct remotepb_item *out)
{
    struct str left = *in;
    struct pb_field f;
    struct remotepb_item item = { 0 };
    for (;;) {
        TRY(pb_next(&left, &f));
        if (pb_is(&f, 1, PB_BYTES)) {
            TRY(split_labels(f.bytes, &item));
            break;
        }
        if (pb_is(&f, 3, PB_BYTES)) {
            item.kind = REMOTEPB_METADATA;
            TRY(read_metadata(f.bytes, &item.metadata));
            break;
        }
    }
    *in = left;
    *out = item;
    return OK;
}

struct label_vec {
    VEC(struct remotepb_label) v;
};

static enum err read_label(struct str in, struct remotepb_label *out)
{
    struct pb_field f;
    enum err e;
    *out = (struct remotepb_label){ STR(""), STR("") };
    while ((e = pb_next(&in, &f)) == OK) {
        if (pb_is(&f, 1, PB_BYTES)) out->name = f.bytes;
        if (pb_is(&f, 2, PB_BYTES)) out->value = f.bytes;
    }
    return at_end(e);
}

static enum err add_labels(struct arena *a, struct str in, struct label_vec *to)
{
    struct pb_field f;
    enum err e;
    while ((e = pb_next(&in, &f)) == OK) {
        if (pb_is(&f, 1, PB_BYTES)) TRY(read_label(f.bytes, vec_push(a, &to->v)));
    }
    return at_end(e);
}

enum err remotepb_labels(struct arena *a, const struct remotepb_item *item,
                         struct remotepb_label **out, size_t *n)
{
    struct label_vec all = { 0 };
    TRY(add_labels(a, item->labels, &all));
    TRY(add_labels(a, item->rest, &all));
    *out = all.v.v;
    *n = all.v.n;
    return OK;
}

static enum err read_sample(struct str in, struct remotepb_sample *out)
{
    struct pb_field f;
    enum err e;
    struct remotepb_sample s = { 0 };
    while ((e = pb_next(&in, &f)) == OK) {
        if (pb_is(&f, 1, PB_FIXED64)) s.v = pb_double(&f);
        if (pb_is(&f, 2, PB_VARINT)) s.t = (int64_t)f.n;
    }
    *out = s;
    return at_end(e);
}

/* The form that every writer sends: 18 bytes of a value and a time of today. */
static bool common_sample(struct str *rest, struct remotepb_sample *out)
{
    enum { SIZE = 18, TIME_BYTES = 6 };
    const unsigned char *p = (const unsigned char *)rest->p;
    if (rest->n < SIZE || p[0] != (2 << 3 | PB_BYTES) || p[1] != SIZE - 2) return false;
    if (p[2] != (1 << 3 | PB_FIXED64) || p[11] != 2 << 3) return false;
    uint64_t t = 0;
    for (unsigned i = 0; i < TIME_BYTES; i++) {
        bool more = p[12 + i] & 0x80;
        if (more != (i + 1 < TIME_BYTES)) return false;
        t |= (uint64_t)(p[12 + i] & 0x7fU) << (7 * i);
    }
    *out = (struct remotepb_sample){ (int64_t)t, double_of_bits(load_le64(p + 3)) };
    *rest = str_make(rest->p + SIZE, rest->n - SIZE);
    return true;
}

enum err remotepb_sample(struct str *rest, struct remotepb_sample *out,
                         struct remotepb_others *others)
{
    struct pb_field f;
    if (common_sample(rest, out)) return OK;
    for (;;) {
        TRY(pb_next(rest, &f));
        if (pb_is(&f, 2, PB_BYTES)) return read_sample(f.bytes, out);
        others->exemplars += pb_is(&f, 3, PB_BYTES);
        others->histograms += pb_is(&f, 4, PB_BYTES);
    }
}

void remotepb_put_label(struct buf *b, struct str name, struct str value)
{
    uint64_t n = 1 + pb_uvarint_size(name.n) + name.n;
    if (value.n) n += 1 + pb_uvarint_size(value.n) + value.n;
    pb_put_uvarint(b, 1 << 3 | PB_BYTES);
    pb_put_uvarint(b, n);
    pb_put_message(b, 1, name);
    pb_put_str(b, 2, value);
}

/* Bytes behind length and tag of one sample. */
static size_t sample_size(const struct remotepb_sample *s)
{
    return (bits_of_double(s->v) ? 9U : 0U) + (s->t ? 1 + pb_uvarint_size((uint64_t)s->t) : 0U);
}

static char *write_sample(char *to, const struct remotepb_sample *s)
{
    *to++ = 2 << 3 | PB_BYTES;
    *to++ = (char)sample_size(s); /* at most 20 */
    if (bits_of_double(s->v)) {
        *to++ = 1 << 3 | PB_FIXED64;
        store_le64(to, bits_of_double(s->v));
        to += 8;
    }
    if (s->t) {
        *to++ = 2 << 3 | PB_VARINT;
        to = pb_write_uvarint(to, (uint64_t)s->t);
    }
    return to;
}

void remotepb_put_series(struct buf *b, struct str labels, const struct remotepb_sample *v,
                         size_t n)
{
    uint64_t size = labels.n;
    for (size_t i = 0; i < n; i++) size += 2 + sample_size(&v[i]);
    pb_put_uvarint(b, 1 << 3 | PB_BYTES);
    pb_put_uvarint(b, size);
    buf_put(b, labels);
    char *to = buf_room(b, (size_t)(size - labels.n)), *at = to;
    if (!to) return;
    for (size_t i = 0; i < n; i++) at = write_sample(at, &v[i]);
    buf_add(b, (size_t)(at - to));
}

void remotepb_put_metadata(struct buf *b, const struct remotepb_metadata *m)
{
    BUF(one, 0);
    pb_put_u64(&one, 1, m->type);
    pb_put_str(&one, 2, m->family);
    pb_put_str(&one, 4, m->help);
    pb_put_str(&one, 5, m->unit);
    pb_put_message(b, 3, buf_str(&one));
}

/* --- read requests --- */

enum { SAMPLES = 0, STREAMED_XOR_CHUNKS = 1 };

static enum err read_matcher(struct str in, struct remotepb_matcher *out)
{
    struct pb_field f;
    enum err e;
    *out = (struct remotepb_matcher){ .name = STR(""), .value = STR("") };
    while ((e = pb_next(&in, &f)) == OK) {
        if (pb_is(&f, 1, PB_VARINT)) {
            if (f.n > 3) return ERR_SYNTAX;
            out->op = (unsigned)f.n;
        }
        if (pb_is(&f, 2, PB_BYTES)) out->name = f.bytes;
        if (pb_is(&f, 3, PB_BYTES)) out->value = f.bytes;
    }
    return at_end(e);
}

static enum err read_query(struct arena *a, struct str in, struct remotepb_query *out)
{
    VEC(struct remotepb_matcher) matchers = { 0 };
    struct pb_field f;
    enum err e;
    while ((e = pb_next(&in, &f)) == OK) {
        if (pb_is(&f, 1, PB_VARINT)) out->start = (int64_t)f.n;
        if (pb_is(&f, 2, PB_VARINT)) out->end = (int64_t)f.n;
        if (pb_is(&f, 3, PB_BYTES)) TRY(read_matcher(f.bytes, vec_push(a, &matchers)));
    }
    out->matchers = matchers.v;
    out->n = matchers.n;
    return at_end(e);
}

/* The first type in the client's order that we know decides; none: samples. */
static void accept_type(uint64_t type, bool *decided, bool *streamed)
{
    if (*decided || type > STREAMED_XOR_CHUNKS) return;
    *decided = true;
    *streamed = type == STREAMED_XOR_CHUNKS;
}

static enum err accept_packed(struct str in, bool *decided, bool *streamed)
{
    while (in.n) {
        uint64_t type;
        TRY(varint_read_u64(&in, &type));
        accept_type(type, decided, streamed);
    }
    return OK;
}

enum err remotepb_read_request(struct arena *a, struct str in, struct remotepb_read *out)
{
    VEC(struct remotepb_query) queries = { 0 };
    struct pb_field f;
    bool decided = false, streamed = false;
    enum err e;
    while ((e = pb_next(&in, &f)) == OK) {
        if (pb_is(&f, 1, PB_BYTES)) TRY(read_query(a, f.bytes, vec_push(a, &queries)));
        if (pb_is(&f, 2, PB_VARINT)) accept_type(f.n, &decided, &streamed);
        if (pb_is(&f, 2, PB_BYTES)) TRY(accept_packed(f.bytes, &decided, &streamed));
    }
    TRY(at_end(e));
    *out = (struct remotepb_read){ queries.v, queries.n, streamed };
    return OK;
}

void remotepb_put_read_request(struct buf *b, const struct remotepb_query *q, bool streamed)
{
    BUF(query, 0);
    pb_put_i64(&query, 1, q->start);
    pb_put_i64(&query, 2, q->end);
    for (size_t i = 0; i < q->n; i++) {
        BUF(m, 0);
        pb_put_u64(&m, 1, q->matchers[i].op);
        pb_put_str(&m, 2, q->matchers[i].name);
        pb_put_str(&m, 3, q->matchers[i].value);
        pb_put_message(&query, 3, buf_str(&m));
    }
    pb_put_message(b, 1, buf_str(&query));
    static const char STREAMED[] = { STREAMED_XOR_CHUNKS, SAMPLES };
    pb_put_message(b, 2, streamed ? str_make(STREAMED, 2) : str_make(STREAMED + 1, 1));
}

/* --- responses --- */

void remotepb_put_result(struct buf *b, struct str series) { pb_put_message(b, 1, series); }

enum err remotepb_result(struct str *in, struct str *series)
{
    struct pb_field f;
    do {
        TRY(pb_next(in, &f));
    } while (!pb_is(&f, 1, PB_BYTES));
    *series = f.bytes;
    return OK;
}

void remotepb_put_chunk(struct buf *b, const struct remotepb_chunk *c)
{
    BUF(one, 0);
    pb_put_i64(&one, 1, c->min);
    pb_put_i64(&one, 2, c->max);
    pb_put_u64(&one, 3, c->type);
    pb_put_str(&one, 4, c->data);
    pb_put_message(b, 2, buf_str(&one));
}

void remotepb_put_frame(struct buf *b, struct str series, uint64_t query)
{
    BUF(message, 0);
    pb_put_message(&message, 1, series);
    pb_put_u64(&message, 2, query);
    pb_put_uvarint(b, message.n);
    char *to = buf_room(b, 4);
    if (!to) return;
    store_be32(to, crc32c(0, buf_str(&message)));
    buf_add(b, 4);
    buf_put(b, buf_str(&message));
}

enum err remotepb_frame(struct str *in, size_t max, struct str *message)
{
    struct str left = *in;
    uint64_t n;
    if (!left.n) return ERR_EOF;
    TRY(varint_read_u64(&left, &n));
    if (n > max) return ERR_LIMIT;
    if (left.n < 4 || left.n - 4 < n) return ERR_SHORT;
    struct str body = str_make(left.p + 4, (size_t)n);
    if (crc32c(0, body) != load_be32(left.p)) return ERR_CORRUPT;
    *in = str_from(left, 4 + (size_t)n);
    *message = body;
    return OK;
}

enum err remotepb_chunked_next(struct str *message, struct remotepb_item *out)
{
    struct pb_field f;
    struct remotepb_item item = { 0 };
    do {
        TRY(pb_next(message, &f));
    } while (!pb_is(&f, 1, PB_BYTES));
    TRY(split_labels(f.bytes, &item));
    *out = item;
    return OK;
}

enum err remotepb_chunk(struct str *rest, struct remotepb_chunk *out)
{
    struct pb_field f, part;
    struct remotepb_chunk c = { .data = STR("") };
    do {
        TRY(pb_next(rest, &f));
    } while (!pb_is(&f, 2, PB_BYTES));
    enum err e;
    while ((e = pb_next(&f.bytes, &part)) == OK) {
        if (pb_is(&part, 1, PB_VARINT)) c.min = (int64_t)part.n;
        if (pb_is(&part, 2, PB_VARINT)) c.max = (int64_t)part.n;
        if (pb_is(&part, 3, PB_VARINT)) c.type = (unsigned)part.n;
        if (pb_is(&part, 4, PB_BYTES)) c.data = part.bytes;
    }
    TRY(at_end(e));
    *out = c;
    return OK;
}
