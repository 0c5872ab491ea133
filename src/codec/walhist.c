/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/walhist.h"

#include "base/assert.h"
#include "codec/varint.h"
#include "codec/walrec.h"

enum { HEAD = 1 + 16, SPAN_BYTES_MIN = 2 };

unsigned walhist_type(const struct histogram *h)
{
    bool custom = h->schema == HISTOGRAM_SCHEMA_CUSTOM;
    if (h->integer) return custom ? WALREC_CUSTOM_HISTOGRAMS : WALREC_HISTOGRAMS;
    return custom ? WALREC_CUSTOM_FLOAT_HISTOGRAMS : WALREC_FLOAT_HISTOGRAMS;
}

static void put_double(struct buf *b, double v) { buf_be64(b, bits_of_double(v)); }

static void put_count(struct buf *b, bool integer, double v)
{
    if (integer) {
        varint_put_u64(b, (uint64_t)v);
    } else {
        put_double(b, v);
    }
}

static void put_spans(struct buf *b, const struct histogram_side *s)
{
    varint_put_u64(b, s->spans_n);
    for (uint32_t i = 0; i < s->spans_n; i++) {
        varint_put_i64(b, s->spans[i].offset);
        varint_put_u64(b, s->spans[i].length);
    }
}

/* Integer buckets as the difference from the bucket before. */
static void put_counts(struct buf *b, bool integer, const struct histogram_side *s)
{
    int64_t before = 0;
    varint_put_u64(b, s->counts_n);
    for (uint32_t i = 0; i < s->counts_n; i++) {
        if (integer) {
            varint_put_i64(b, (int64_t)s->counts[i] - before);
            before = (int64_t)s->counts[i];
        } else {
            put_double(b, s->counts[i]);
        }
    }
}

static void put_histogram(struct buf *b, const struct histogram *h)
{
    buf_char(b, (char)h->hint);
    varint_put_i64(b, h->schema);
    put_double(b, h->zero_threshold);
    put_count(b, h->integer, h->zero_count);
    put_count(b, h->integer, h->count);
    put_double(b, h->sum);
    put_spans(b, &h->pos);
    put_spans(b, &h->neg);
    put_counts(b, h->integer, &h->pos);
    put_counts(b, h->integer, &h->neg);
    if (h->schema != HISTOGRAM_SCHEMA_CUSTOM) return;
    varint_put_u64(b, h->bounds_n);
    for (uint32_t i = 0; i < h->bounds_n; i++) put_double(b, h->bounds[i]);
}

void walhist_put(struct buf *b, const struct walhist *v, size_t n)
{
    ASSERT(n > 0);
    buf_char(b, (char)walhist_type(v[0].h));
    buf_be64(b, v[0].ref);
    buf_be64(b, (uint64_t)v[0].t);
    for (size_t i = 0; i < n; i++) {
        varint_put_i64(b, (int64_t)(v[i].ref - v[0].ref));
        varint_put_i64(b, (int64_t)((uint64_t)v[i].t - (uint64_t)v[0].t));
        put_histogram(b, v[i].h);
    }
}

/*
 * Reading
 */

enum err walhist_begin(struct str record, struct walhist_reader *r)
{
    unsigned type = walrec_type(record);
    if (type < WALREC_HISTOGRAMS || type > WALREC_CUSTOM_FLOAT_HISTOGRAMS) return ERR_UNSUPPORTED;
    *r = (struct walhist_reader){ .left = str_from(record, 1), .type = type };
    if (!r->left.n) return OK;
    if (record.n < HEAD) return ERR_CORRUPT;
    r->base_ref = load_be64(record.p + 1);
    r->base_t = (int64_t)load_be64(record.p + 9);
    r->left = str_from(record, HEAD);
    return OK;
}

static enum err read_double(struct str *in, double *out)
{
    if (in->n < 8) return ERR_CORRUPT;
    *out = double_of_bits(load_be64(in->p));
    *in = str_from(*in, 8);
    return OK;
}

static enum err read_count(struct str *in, bool integer, double *out)
{
    if (!integer) return read_double(in, out);
    uint64_t v;
    TRY(varint_read_u64(in, &v));
    *out = (double)v;
    return OK;
}

/* How many elements follow, each of at least `size` bytes. */
static enum err read_length(struct str *in, size_t size, uint32_t *out)
{
    uint64_t n;
    TRY(varint_read_u64(in, &n));
    if (n > in->n / size || n > UINT32_MAX) return ERR_CORRUPT;
    *out = (uint32_t)n;
    return OK;
}

static enum err read_spans(struct str *in, struct arena *a, struct histogram_side *s)
{
    TRY(read_length(in, SPAN_BYTES_MIN, &s->spans_n));
    struct histogram_span *spans = arena_array(a, s->spans_n, sizeof(*spans));
    for (uint32_t i = 0; i < s->spans_n; i++) {
        int64_t offset;
        uint64_t length;
        TRY(varint_read_i64(in, &offset));
        TRY(varint_read_u64(in, &length));
        if (offset != (int32_t)offset || length > UINT32_MAX) return ERR_CORRUPT;
        spans[i] = (struct histogram_span){ .offset = (int32_t)offset, .length = (uint32_t)length };
    }
    s->spans = spans;
    return OK;
}

static enum err read_counts(struct str *in, struct arena *a, bool integer, struct histogram_side *s)
{
    TRY(read_length(in, integer ? 1 : 8, &s->counts_n));
    double *counts = arena_array(a, s->counts_n, sizeof(*counts));
    uint64_t before = 0;
    for (uint32_t i = 0; i < s->counts_n; i++) {
        int64_t delta;
        if (!integer) {
            TRY(read_double(in, &counts[i]));
            continue;
        }
        TRY(varint_read_i64(in, &delta));
        before += (uint64_t)delta;
        counts[i] = (double)(int64_t)before;
    }
    s->counts = counts;
    return OK;
}

static enum err read_bounds(struct str *in, struct arena *a, struct histogram *h)
{
    TRY(read_length(in, 8, &h->bounds_n));
    double *bounds = arena_array(a, h->bounds_n, sizeof(*bounds));
    for (uint32_t i = 0; i < h->bounds_n; i++) TRY(read_double(in, &bounds[i]));
    h->bounds = bounds;
    return OK;
}

static enum err read_histogram(struct str *in, struct arena *a, struct histogram *h)
{
    int64_t schema;
    if (!in->n || (unsigned char)in->p[0] > HINT_GAUGE) return ERR_CORRUPT;
    h->hint = (enum histogram_hint)in->p[0];
    *in = str_from(*in, 1);
    TRY(varint_read_i64(in, &schema));
    if (schema != (int32_t)schema) return ERR_CORRUPT;
    h->schema = (int32_t)schema;
    TRY(read_double(in, &h->zero_threshold));
    TRY(read_count(in, h->integer, &h->zero_count));
    TRY(read_count(in, h->integer, &h->count));
    TRY(read_double(in, &h->sum));
    TRY(read_spans(in, a, &h->pos));
    TRY(read_spans(in, a, &h->neg));
    TRY(read_counts(in, a, h->integer, &h->pos));
    TRY(read_counts(in, a, h->integer, &h->neg));
    return schema == HISTOGRAM_SCHEMA_CUSTOM ? read_bounds(in, a, h) : OK;
}

enum err walhist_next(struct walhist_reader *r, struct arena *a, struct walhist *out)
{
    if (!r->left.n) return ERR_EOF;
    int64_t ref, t;
    struct str in = r->left;
    struct histogram *h = arena_new(a, struct histogram);
    h->integer = r->type == WALREC_HISTOGRAMS || r->type == WALREC_CUSTOM_HISTOGRAMS;
    if (varint_read_i64(&in, &ref) != OK || varint_read_i64(&in, &t) != OK ||
        read_histogram(&in, a, h) != OK) {
        return ERR_CORRUPT;
    }
    r->left = in;
    *out = (struct walhist){
        .ref = r->base_ref + (uint64_t)ref,
        .t = (int64_t)((uint64_t)r->base_t + (uint64_t)t),
        .h = h,
    };
    return OK;
}
