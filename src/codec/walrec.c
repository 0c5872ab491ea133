/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/walrec.h"

#include "base/assert.h"
#include "base/bits.h"
#include "codec/varint.h"

enum {
    VARINT_MAX = 10,       /* bytes of 64 bits in groups of seven */
    LABEL_BYTES_MIN = 2,   /* two lengths of zero */
    SERIES_BYTES_MIN = 9,  /* ref and a count */
    SAMPLES_HEAD = 1 + 16, /* type, first ref, first t */
};

unsigned walrec_type(struct str record) { return record.n ? (unsigned char)record.p[0] : 0; }

static char *write_uvarint(char *to, uint64_t u)
{
    for (; u >= 0x80; u >>= 7) *to++ = (char)(u | 0x80);
    *to++ = (char)u;
    return to;
}

static char *write_varint(char *to, int64_t v)
{
    return write_uvarint(to, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

void walrec_begin_series(struct buf *b) { buf_char(b, WALREC_SERIES); }

void walrec_put_series(struct buf *b, uint64_t ref, size_t labels)
{
    buf_be64(b, ref);
    varint_put_u64(b, labels);
}

void walrec_put_label(struct buf *b, struct str name, struct str value)
{
    varint_put_u64(b, name.n);
    buf_put(b, name);
    varint_put_u64(b, value.n);
    buf_put(b, value);
}

/* Deltas are to the record's first sample, which its head repeats. */
void walrec_put_samples(struct buf *b, const struct walrec_sample *v, size_t n)
{
    ASSERT(n > 0);
    char *to = buf_room(b, SAMPLES_HEAD + n * (2 * VARINT_MAX + 8)), *begin = to;
    if (!to) return;
    if (!b->n) {
        *to++ = WALREC_SAMPLES;
        store_be64(to, v[0].ref);
        store_be64(to + 8, (uint64_t)v[0].t);
        to += 16;
    }
    uint64_t base_ref = load_be64(b->p + 1), base_t = load_be64(b->p + 9);
    for (size_t i = 0; i < n; i++) {
        to = write_varint(to, (int64_t)(v[i].ref - base_ref));
        to = write_varint(to, (int64_t)((uint64_t)v[i].t - base_t));
        store_be64(to, v[i].v);
        to += 8;
    }
    buf_add(b, (size_t)(to - begin));
}

/*
 * Reading
 */

static enum err read_be64(struct str *in, uint64_t *out)
{
    if (in->n < 8) return ERR_CORRUPT;
    *out = load_be64(in->p);
    *in = str_from(*in, 8);
    return OK;
}

static enum err read_uvarint(struct str *in, uint64_t *out)
{
    if (LIKELY(in->n) && !(in->p[0] & 0x80)) { /* nearly all: a series after the one before */
        *out = (unsigned char)in->p[0];
        *in = str_make(in->p + 1, in->n - 1);
        return OK;
    }
    return varint_read_u64(in, out) == OK ? OK : ERR_CORRUPT;
}

static enum err read_varint(struct str *in, int64_t *out)
{
    uint64_t u;
    TRY(read_uvarint(in, &u));
    *out = (int64_t)(u >> 1 ^ (0 - (u & 1)));
    return OK;
}

static enum err read_string(struct str *in, struct str *out)
{
    uint64_t n;
    TRY(read_uvarint(in, &n));
    if (n > in->n) return ERR_CORRUPT;
    *out = str_first(*in, n);
    *in = str_from(*in, n);
    return OK;
}

enum err walrec_read_series(struct str *in, struct arena *a, uint64_t *ref,
                            struct walrec_label **labels, size_t *n)
{
    struct str s = *in;
    uint64_t id, count;
    if (s.n < SERIES_BYTES_MIN) return ERR_CORRUPT;
    TRY(read_be64(&s, &id));
    TRY(read_uvarint(&s, &count));
    if (count > s.n / LABEL_BYTES_MIN) return ERR_CORRUPT;
    struct walrec_label *v = arena_array(a, count, sizeof(*v));
    for (size_t i = 0; i < count; i++) {
        TRY(read_string(&s, &v[i].name));
        TRY(read_string(&s, &v[i].value));
    }
    *in = s;
    *ref = id;
    *labels = v;
    *n = count;
    return OK;
}

enum err walrec_samples_begin(struct str record, struct walrec_samples *it)
{
    unsigned type = walrec_type(record);
    if (type != WALREC_SAMPLES && type != WALREC_SAMPLES_V2) return ERR_UNSUPPORTED;
    struct walrec_samples s = { .left = str_from(record, 1),
                                .version = type == WALREC_SAMPLES ? 1 : 2 };
    if (s.version == 1 && s.left.n) {
        uint64_t ref, t;
        TRY(read_be64(&s.left, &ref));
        TRY(read_be64(&s.left, &t));
        s.base_ref = ref;
        s.base_t = (int64_t)t;
    }
    *it = s;
    return OK;
}

static enum err next_v1(struct walrec_samples *it, struct walrec_sample *out)
{
    int64_t ref, t;
    uint64_t v;
    TRY(read_varint(&it->left, &ref));
    TRY(read_varint(&it->left, &t));
    TRY(read_be64(&it->left, &v));
    *out = (struct walrec_sample){
        .ref = it->base_ref + (uint64_t)ref,
        .t = (int64_t)((uint64_t)it->base_t + (uint64_t)t),
        .v = v,
    };
    return OK;
}

/*
 * SamplesV2 carries start times (ST), which we read over. First: varint ref, varint t, varint ST, BE64 value.
 * Then: varint ref - the ref before, varint t - first t, a byte (0 none, 1 as before, 2 a varint follows), BE64 value.
 */
static enum err next_v2(struct walrec_samples *it, struct walrec_sample *out)
{
    int64_t ref, t, st;
    uint64_t v;
    TRY(read_varint(&it->left, &ref));
    TRY(read_varint(&it->left, &t));
    if (!it->begun) {
        TRY(read_varint(&it->left, &st));
    } else {
        if (!it->left.n || (unsigned char)it->left.p[0] > 2) return ERR_CORRUPT;
        bool explicit = it->left.p[0] == 2;
        it->left = str_from(it->left, 1);
        if (explicit) TRY(read_varint(&it->left, &st));
    }
    TRY(read_be64(&it->left, &v));
    if (!it->begun) it->base_t = 0;
    *out = (struct walrec_sample){
        .ref = (it->begun ? it->base_ref : 0) + (uint64_t)ref,
        .t = (int64_t)((uint64_t)it->base_t + (uint64_t)t),
        .v = v,
    };
    it->base_ref = out->ref;
    if (!it->begun) it->base_t = out->t;
    it->begun = true;
    return OK;
}

enum err walrec_samples_next(struct walrec_samples *it, struct walrec_sample *out)
{
    if (!it->left.n) return ERR_EOF;
    return it->version == 1 ? next_v1(it, out) : next_v2(it, out);
}
