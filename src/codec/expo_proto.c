/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expo_proto.c - families, metrics, and the series that one metric is
 *
 * step counts the series of the metric that were given; each type says what its step'th series is, or that there is none.
 */
#include "codec/expo_proto.h"

#include "base/vec.h"
#include "codec/num.h"
#include "codec/protobuf.h"
#include "codec/varint.h"

#include <math.h>

enum { NAME_MAX_BYTES = 1 << 20 };

struct exemplar {
    const struct expo_span *labels;
    size_t labels_n;
    double value;
    bool has_t;
    int64_t t;
};

struct bucket { /* of a classic histogram, or a quantile */
    double bound, value;
    const struct exemplar *exemplar;
};

struct span_vec {
    VEC(struct expo_span) v;
};
struct bucket_vec {
    VEC(struct bucket) v;
};
struct exemplar_vec {
    VEC(struct exemplar) v;
};
struct side {
    VEC(struct histogram_span) spans;
    VEC(double) counts;
    int64_t sum; /* of the deltas so far */
};

struct expo_metric {
    struct span_vec labels; /* one place is kept free for le or quantile */
    double value, count, sum;
    bool has_t;
    int64_t t;
    const struct exemplar *exemplar;
    struct bucket_vec buckets;
    struct exemplar_vec exemplars; /* of the native histogram */
    bool is_histogram, native, is_float;
    int32_t schema;
    double zero_threshold, zero_count;
    struct side pos, neg;
    const struct histogram *histogram;
};

static double normal(double v)
{
    return isnan(v) ? double_of_bits(UINT64_C(0x7ff8000000000001)) : v;
}

/* --- messages --- */

/* The fields of a message one after the other; the loop's body sees f. */
#define FIELDS(message, f)                                                                         \
    struct str rest_ = (message);                                                                  \
    struct pb_field f;                                                                             \
    enum err e_;                                                                                   \
    while ((e_ = pb_next(&rest_, &f)) == OK)

#define FIELDS_END return e_ == ERR_EOF ? OK : ERR_SYNTAX

static enum err read_label(struct str message, struct expo_span *out)
{
    out->name = out->value = STR("");
    FIELDS(message, f)
    {
        if (pb_is(&f, 1, PB_BYTES)) out->name = f.bytes;
        if (pb_is(&f, 2, PB_BYTES)) out->value = f.bytes;
    }
    FIELDS_END;
}

/* The first double field of that number: what gauges, counters and untyped ones are. */
static enum err read_value(struct str message, double *out)
{
    FIELDS(message, f)
    {
        if (pb_is(&f, 1, PB_FIXED64)) *out = pb_double(&f);
    }
    FIELDS_END;
}

static enum err read_time(struct str message, int64_t *ms)
{
    int64_t seconds = 0, nanos = 0;
    FIELDS(message, f)
    {
        if (pb_is(&f, 1, PB_VARINT)) seconds = (int64_t)f.n;
        if (pb_is(&f, 2, PB_VARINT)) nanos = (int32_t)(uint32_t)f.n;
    }
    if (e_ != ERR_EOF) return ERR_SYNTAX;
    if (__builtin_mul_overflow(seconds, 1000, ms) ||
        __builtin_add_overflow(*ms, nanos / 1000000, ms)) {
        return ERR_SYNTAX;
    }
    return OK;
}

static enum err read_exemplar(struct arena *a, struct str message, struct exemplar *out)
{
    struct span_vec labels = { 0 };
    *out = (struct exemplar){ 0 };
    FIELDS(message, f)
    {
        if (pb_is(&f, 1, PB_BYTES)) TRY(read_label(f.bytes, vec_push(a, &labels.v)));
        if (pb_is(&f, 2, PB_FIXED64)) out->value = pb_double(&f);
        if (pb_is(&f, 3, PB_BYTES)) {
            TRY(read_time(f.bytes, &out->t));
            out->has_t = true;
        }
    }
    out->labels = labels.v.v;
    out->labels_n = labels.v.n;
    FIELDS_END;
}

static enum err read_one_exemplar(struct arena *a, struct str message, const struct exemplar **out)
{
    struct exemplar *x = arena_new(a, struct exemplar);
    TRY(read_exemplar(a, message, x));
    *out = x;
    return OK;
}

static enum err read_counter(struct arena *a, struct str message, struct expo_metric *m)
{
    FIELDS(message, f)
    {
        if (pb_is(&f, 1, PB_FIXED64)) m->value = pb_double(&f);
        if (pb_is(&f, 2, PB_BYTES)) TRY(read_one_exemplar(a, f.bytes, &m->exemplar));
    }
    FIELDS_END;
}

static enum err read_quantile(struct str message, struct bucket *out)
{
    FIELDS(message, f)
    {
        if (pb_is(&f, 1, PB_FIXED64)) out->bound = pb_double(&f);
        if (pb_is(&f, 2, PB_FIXED64)) out->value = pb_double(&f);
    }
    FIELDS_END;
}

static enum err read_summary(struct arena *a, struct str message, struct expo_metric *m)
{
    FIELDS(message, f)
    {
        if (pb_is(&f, 1, PB_VARINT)) m->count = (double)f.n;
        if (pb_is(&f, 2, PB_FIXED64)) m->sum = pb_double(&f);
        if (pb_is(&f, 3, PB_BYTES)) TRY(read_quantile(f.bytes, vec_push(a, &m->buckets.v)));
    }
    FIELDS_END;
}

static enum err read_bucket(struct arena *a, struct str message, struct bucket *out)
{
    FIELDS(message, f)
    {
        if (pb_is(&f, 1, PB_VARINT) && f.n) out->value = (double)f.n;
        if (pb_is(&f, 2, PB_FIXED64)) out->bound = pb_double(&f);
        if (pb_is(&f, 3, PB_BYTES)) TRY(read_one_exemplar(a, f.bytes, &out->exemplar));
        if (pb_is(&f, 4, PB_FIXED64) && pb_double(&f) > 0) out->value = pb_double(&f);
    }
    FIELDS_END;
}

static enum err read_span(struct str message, struct histogram_span *out)
{
    *out = (struct histogram_span){ 0 };
    FIELDS(message, f)
    {
        if (pb_is(&f, 1, PB_VARINT)) out->offset = (int32_t)pb_zigzag(f.n);
        if (pb_is(&f, 2, PB_VARINT)) out->length = (uint32_t)f.n;
    }
    FIELDS_END;
}

/* Repeated numbers come one by one or packed into one field. */
static enum err read_deltas(struct arena *a, const struct pb_field *f, struct side *s)
{
    struct str packed = f->bytes;
    if (f->wire == PB_VARINT) {
        if (__builtin_add_overflow(s->sum, pb_zigzag(f->n), &s->sum)) return ERR_SYNTAX;
        *vec_push(a, &s->counts) = (double)s->sum;
        return OK;
    }
    if (f->wire != PB_BYTES) return OK;
    while (packed.n) {
        uint64_t u;
        if (varint_read_u64(&packed, &u) != OK) return ERR_SYNTAX;
        if (__builtin_add_overflow(s->sum, pb_zigzag(u), &s->sum)) return ERR_SYNTAX;
        *vec_push(a, &s->counts) = (double)s->sum;
    }
    return OK;
}

static enum err read_counts(struct arena *a, const struct pb_field *f, struct side *s)
{
    if (f->wire == PB_FIXED64) *vec_push(a, &s->counts) = pb_double(f);
    if (f->wire != PB_BYTES) return OK;
    if (f->bytes.n % 8) return ERR_SYNTAX;
    for (size_t i = 0; i < f->bytes.n; i += 8) {
        *vec_push(a, &s->counts) = double_of_bits(load_le64(f->bytes.p + i));
    }
    return OK;
}

static enum err read_native_field(struct arena *a, const struct pb_field *f, struct expo_metric *m)
{
    if (f->number <= 8 && f->wire == PB_BYTES) return OK;
    switch (f->number) {
    case 5: m->schema = (int32_t)pb_zigzag(f->n); break;
    case 6: m->zero_threshold = pb_double(f); break;
    case 7:
        if (f->n) m->zero_count = (double)f->n;
        break;
    case 8:
        if (pb_double(f) > 0) {
            m->zero_count = pb_double(f);
            m->is_float = true;
        }
        break;
    case 9:
        if (f->wire == PB_BYTES) return read_span(f->bytes, vec_push(a, &m->neg.spans));
        break;
    case 10: return read_deltas(a, f, &m->neg);
    case 11: return read_counts(a, f, &m->neg);
    case 12:
        if (f->wire == PB_BYTES) return read_span(f->bytes, vec_push(a, &m->pos.spans));
        break;
    case 13: return read_deltas(a, f, &m->pos);
    case 14: return read_counts(a, f, &m->pos);
    case 16:
        if (f->wire == PB_BYTES) return read_exemplar(a, f->bytes, vec_push(a, &m->exemplars.v));
        break;
    default: break;
    }
    return OK;
}

static enum err read_histogram(struct arena *a, struct str message, struct expo_metric *m)
{
    m->is_histogram = true;
    FIELDS(message, f)
    {
        if (pb_is(&f, 1, PB_VARINT) && f.n) m->count = (double)f.n;
        if (pb_is(&f, 2, PB_FIXED64)) m->sum = pb_double(&f);
        if (pb_is(&f, 3, PB_BYTES)) TRY(read_bucket(a, f.bytes, vec_push(a, &m->buckets.v)));
        if (pb_is(&f, 4, PB_FIXED64) && pb_double(&f) > 0) {
            m->count = pb_double(&f);
            m->is_float = true;
        }
        if (f.number >= 5) TRY(read_native_field(a, &f, m));
    }
    m->native = m->pos.spans.n || m->neg.spans.n || m->zero_threshold > 0 || m->zero_count > 0;
    FIELDS_END;
}

/* Three bytes of a message may be a label; fields of other types than the family's are read and not used. */
static enum err read_metric(struct arena *a, struct str message, struct expo_metric *m)
{
    FIELDS(message, f)
    {
        if (pb_is(&f, 6, PB_VARINT)) {
            m->t = (int64_t)f.n;
            m->has_t = m->t != 0;
        }
        if (f.wire != PB_BYTES) continue;
        switch (f.number) {
        case 1: TRY(read_label(f.bytes, vec_push(a, &m->labels.v))); break;
        case 2:
        case 5: TRY(read_value(f.bytes, &m->value)); break;
        case 3: TRY(read_counter(a, f.bytes, m)); break;
        case 4: TRY(read_summary(a, f.bytes, m)); break;
        case 7: TRY(read_histogram(a, f.bytes, m)); break;
        default: break;
        }
    }
    (void)vec_push(a, &m->labels.v); /* for le or quantile */
    m->labels.v.n--;
    FIELDS_END;
}

static struct histogram_side side_of(const struct side *s)
{
    return (struct histogram_side){ s->spans.v, s->counts.v, (uint32_t)s->spans.n,
                                    (uint32_t)s->counts.n };
}

/* Errors: ERR_SYNTAX in the original's words */
static enum err make_histogram(struct arena *a, struct expo_metric *m, enum expo_type type,
                               struct diag *d)
{
    struct histogram *h = arena_new(a, struct histogram);
    *h = (struct histogram){ .schema = m->schema,
                             .hint = type == EXPO_GAUGEHISTOGRAM ? HINT_GAUGE : HINT_UNKNOWN,
                             .integer = !m->is_float,
                             .zero_threshold = m->zero_threshold,
                             .zero_count = m->zero_count,
                             .count = m->count,
                             .sum = normal(m->sum),
                             .pos = side_of(&m->pos),
                             .neg = side_of(&m->neg) };
    TRY(histogram_check(h, d));
    m->histogram = h;
    return OK;
}

/* --- entries --- */

static void put_key(struct expo_proto *r, const struct expo_span *labels, size_t n)
{
    /* 0xff is in no valid text. */
    for (size_t i = 0; i < n; i++) {
        buf_char(&r->key, '\xff');
        buf_put(&r->key, labels[i].name);
        buf_char(&r->key, '\xff');
        buf_put(&r->key, labels[i].value);
    }
}

static void give_meta(struct expo_proto *r, enum expo_kind kind, struct str text,
                      struct expo_entry *out)
{
    buf_reset(&r->key);
    buf_fmt(&r->key, "#%d ", (int)kind);
    buf_put(&r->key, buf_str(&r->name));
    buf_char(&r->key, '\xff');
    if (kind == EXPO_TYPE) buf_putc(&r->key, expo_type_name(r->type));
    buf_put(&r->key, text);
    *out = (struct expo_entry){ .kind = kind,
                                .type = r->type,
                                .name = buf_str(&r->name),
                                .text = text,
                                .series = buf_str(&r->key),
                                .plain = true };
}

static void add_exemplar(struct expo_entry *out, const struct exemplar *x)
{
    if (!x) return;
    out->has_exemplar = true;
    out->exemplar_labels = x->labels;
    out->exemplar_labels_n = x->labels_n;
    out->exemplar_value = x->value;
    out->exemplar_has_t = x->has_t;
    out->exemplar_t = x->t;
}

/* One series of the metric. bound: le or quantile with this value; NULL: none. */
static void give(struct expo_proto *r, const char *suffix, const char *bound, double at,
                 double value, struct expo_entry *out)
{
    struct expo_metric *m = r->metric;
    size_t n = m->labels.v.n;
    if (bound) {
        BUF(text, 64);
        num_write_g(&text, at);
        m->labels.v.v[n++] = (struct expo_span){ str_c(bound),
                                                 arena_dup(&r->arena, buf_str(&text)) };
    }
    buf_reset(&r->key);
    buf_put(&r->key, buf_str(&r->name));
    buf_putc(&r->key, suffix);
    size_t name_n = r->key.n;
    put_key(r, m->labels.v.v, n);
    *out = (struct expo_entry){ .kind = EXPO_SERIES,
                                .type = r->type,
                                .name = str_first(buf_str(&r->key), name_n),
                                .series = buf_str(&r->key),
                                .labels = m->labels.v.v,
                                .labels_n = n,
                                .value = normal(value),
                                .has_t = m->has_t,
                                .t = m->t,
                                .plain = true };
}

static bool give_bucket(struct expo_proto *r, size_t i, struct expo_entry *out)
{
    const struct bucket_vec *b = &r->metric->buckets;
    if (i < b->v.n) {
        give(r, "_bucket", "le", b->v.v[i].bound, b->v.v[i].value, out);
        add_exemplar(out, b->v.v[i].exemplar);
        return true;
    }
    bool has_inf = b->v.n && isinf(b->v.v[b->v.n - 1].bound) && b->v.v[b->v.n - 1].bound > 0;
    if (i > b->v.n || has_inf) return false;
    give(r, "_bucket", "le", (double)INFINITY, r->metric->count, out);
    return true;
}

static bool give_histogram(struct expo_proto *r, size_t step, struct expo_entry *out)
{
    const struct expo_metric *m = r->metric;
    if (m->histogram) {
        if (!step) {
            give(r, "", NULL, 0, m->sum, out);
            out->histogram = m->histogram;
            if (m->exemplars.v.n) add_exemplar(out, &m->exemplars.v.v[0]);
            return true;
        }
        if (!r->classic || !m->buckets.v.n) return false;
        step--;
    }
    if (step == 0) give(r, "_count", NULL, 0, m->count, out);
    if (step == 1) give(r, "_sum", NULL, 0, m->sum, out);
    return step < 2 || give_bucket(r, step - 2, out);
}

static bool give_summary(struct expo_proto *r, size_t step, struct expo_entry *out)
{
    const struct expo_metric *m = r->metric;
    if (step == 0) give(r, "_count", NULL, 0, m->count, out);
    if (step == 1) give(r, "_sum", NULL, 0, m->sum, out);
    if (step < 2) return true;
    if (step - 2 >= m->buckets.v.n) return false;
    const struct bucket *q = &m->buckets.v.v[step - 2];
    give(r, "", "quantile", q->bound, q->value, out);
    return true;
}

/* The metric's next series. False: there is none left. */
static bool give_series(struct expo_proto *r, struct expo_entry *out)
{
    size_t step = r->step++;
    switch (r->type) {
    case EXPO_HISTOGRAM:
    case EXPO_GAUGEHISTOGRAM: return give_histogram(r, step, out);
    case EXPO_SUMMARY: return give_summary(r, step, out);
    default: break;
    }
    if (step) return false;
    give(r, "", NULL, 0, r->metric->value, out);
    add_exemplar(out, r->metric->exemplar);
    return true;
}

/* --- families --- */

static enum err unexpected_end(struct diag *d)
{
    return diag_set(d, ERR_SYNTAX, "the page ends inside a metric family: unexpected EOF");
}

static enum err broken(struct diag *d)
{
    return diag_set(d, ERR_SYNTAX, "the page holds a metric family that is no protocol buffer");
}

static enum err begin_family(struct expo_proto *r, struct diag *d)
{
    struct str rest = str_from(r->in, r->at);
    size_t before = rest.n;
    if (!rest.n) return r->final ? ERR_EOF : ERR_SHORT;
    enum err e = varint_read_u64(&rest, &r->left);
    if (e == ERR_SHORT) return r->final ? unexpected_end(d) : ERR_SHORT;
    if (e != OK || r->left > INT64_MAX) return broken(d);
    r->at += before - rest.n;
    r->in_family = true;
    r->told_help = r->told_type = r->told_unit = false;
    r->type = EXPO_COUNTER; /* what the wire leaves out is 0 */
    buf_reset(&r->name);
    buf_reset(&r->help);
    buf_reset(&r->unit);
    return OK;
}

static enum expo_type type_of(uint64_t n)
{
    static const enum expo_type TYPES[] = { EXPO_COUNTER, EXPO_GAUGE,     EXPO_SUMMARY,
                                            EXPO_UNKNOWN, EXPO_HISTOGRAM, EXPO_GAUGEHISTOGRAM };
    return n < ARRAY_LEN(TYPES) ? TYPES[n] : EXPO_UNKNOWN;
}

static enum err begin_metric(struct expo_proto *r, struct str message, struct diag *d)
{
    if (!r->name.n) {
        return diag_set(d, ERR_SYNTAX, "the page holds a metric family without a name");
    }
    arena_reset(&r->arena);
    r->metric = NULL;
    struct expo_metric *m = arena_new(&r->arena, struct expo_metric);
    if (read_metric(&r->arena, message, m) != OK) return broken(d);
    bool histogram = r->type == EXPO_HISTOGRAM || r->type == EXPO_GAUGEHISTOGRAM;
    if (histogram && m->native && r->native) TRY(make_histogram(&r->arena, m, r->type, d));
    r->metric = m;
    r->step = 0;
    return OK;
}

static enum err take_text(struct buf *to, struct str s, struct diag *d)
{
    if (s.n > NAME_MAX_BYTES) return broken(d);
    buf_reset(to);
    buf_put(to, s);
    return OK;
}

static enum err take_field(struct expo_proto *r, struct diag *d)
{
    struct str rest = str_from(r->in, r->at);
    bool whole = rest.n >= r->left;
    if (whole) rest.n = (size_t)r->left;
    size_t before = rest.n;
    struct pb_field f;
    enum err e = pb_next(&rest, &f);
    if (e == ERR_EOF || e == ERR_SHORT) {
        if (whole) return broken(d);
        return r->final ? unexpected_end(d) : ERR_SHORT;
    }
    if (e != OK) return broken(d);
    r->at += before - rest.n;
    r->left -= before - rest.n;
    if (pb_is(&f, 1, PB_BYTES)) return take_text(&r->name, f.bytes, d);
    if (pb_is(&f, 2, PB_BYTES)) return take_text(&r->help, f.bytes, d);
    if (pb_is(&f, 3, PB_VARINT)) r->type = type_of(f.n);
    if (pb_is(&f, 4, PB_BYTES)) return begin_metric(r, f.bytes, d);
    if (pb_is(&f, 5, PB_BYTES)) return take_text(&r->unit, f.bytes, d);
    return OK;
}

/* What is known of the family and not told yet: once it has a metric. */
static bool give_next_meta(struct expo_proto *r, struct expo_entry *out)
{
    if (!r->metric && !r->told_type) return false;
    if (!r->told_help && r->help.n) {
        r->told_help = true;
        give_meta(r, EXPO_HELP, buf_str(&r->help), out);
        return true;
    }
    if (!r->told_type) {
        r->told_type = true;
        give_meta(r, EXPO_TYPE, STR(""), out);
        return true;
    }
    if (r->told_unit || !r->unit.n) return false;
    r->told_unit = true;
    give_meta(r, EXPO_UNIT, buf_str(&r->unit), out);
    return true;
}

enum err expo_proto_next(struct expo_proto *r, struct expo_entry *out, struct diag *d)
{
    for (;;) {
        if (give_next_meta(r, out)) return OK;
        if (r->metric) {
            if (give_series(r, out)) return OK;
            r->metric = NULL;
        }
        if (!r->in_family) TRY(begin_family(r, d));
        if (r->left) {
            TRY(take_field(r, d));
        } else {
            r->in_family = false;
            r->told_type = false;
        }
    }
}

void expo_proto_done(struct expo_proto *r)
{
    buf_done(&r->name);
    buf_done(&r->help);
    buf_done(&r->unit);
    buf_done(&r->key);
    arena_done(&r->arena);
}

void expo_proto_reset(struct expo_proto *r, bool native, bool classic)
{
    r->in = (struct str){ 0 };
    r->at = 0;
    r->final = r->in_family = r->told_help = r->told_type = r->told_unit = false;
    r->native = native;
    r->classic = classic;
    r->left = 0;
    r->metric = NULL;
    r->unit.n = 0;
}
