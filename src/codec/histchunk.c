/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/histchunk.h"

#include "base/assert.h"
#include "base/bits.h"
#include "codec/bitstream.h"

#include <math.h>
#include <stdlib.h>

enum {
    HEADER = 3, /* count, flags */
    FLAG_SHIFT = 6,
    THRESHOLD_BIAS = 243, /* of a power of two's exponent, as one byte */
    THRESHOLD_WHOLE = 255,
    SPAN_BITS_MIN = 2,
};

#define STALE_BITS UINT64_C(0x7ff0000000000002)
static bool is_stale(double sum) { return bits_of_double(sum) == STALE_BITS; }

/* How the chunk's first byte says what precedes it, by hint. */
static const uint8_t FLAGS[] = {
    [HINT_UNKNOWN] = 0,
    [HINT_RESET] = 2,
    [HINT_NOT_RESET] = 1,
    [HINT_GAUGE] = 3,
};

/* A field of an integer chunk: its value and the last delta. */
struct stepped {
    int64_t v, delta;
};

/* What coder and decoder carry from sample to sample. */
struct carried {
    unsigned n;
    struct stepped t, count, zero;
    struct bits_double f_count, f_zero, sum;
    struct stepped
        *steps; /* integer: one a bucket, positive ones first; values are bucket-to-bucket deltas */
    struct bits_double *whole; /* float: one a bucket */
};

static size_t buckets_of(const struct histogram *h)
{
    return (size_t)h->pos.counts_n + h->neg.counts_n;
}

/*
 * Writing
 */

struct histchunk {
    struct arena a; /* layout, carried arrays, last sample */
    struct buf b;
    struct bitwriter w;
    struct carried c;
    enum histogram_hint hint;
    const struct histogram *layout;
    double last_count, last_zero, *last; /* of buckets; what a reset is told by */
    bool stale;
};

struct histchunk *histchunk_new(void)
{
    struct histchunk *c = calloc(1, sizeof(*c));
    if (!c) abort();
    histchunk_begin(c, HINT_UNKNOWN);
    return c;
}

void histchunk_free(struct histchunk *c)
{
    if (!c) return;
    arena_done(&c->a);
    buf_done(&c->b);
    free(c);
}

void histchunk_begin(struct histchunk *c, enum histogram_hint hint)
{
    arena_reset(&c->a);
    buf_reset(&c->b);
    c->w = (struct bitwriter){ .b = &c->b };
    c->c = (struct carried){ 0 };
    c->hint = hint;
    c->layout = NULL;
    c->stale = false;
}

unsigned histchunk_count(const struct histchunk *c) { return c->c.n; }

unsigned histchunk_encoding(const struct histchunk *c)
{
    return c->layout && c->layout->integer ? HISTCHUNK_INTEGER : HISTCHUNK_FLOAT;
}

struct str histchunk_bytes(const struct histchunk *c) { return buf_str(&c->b); }

static bool fell(const struct histchunk *c, const struct histogram *h)
{
    if (h->count < c->last_count || h->zero_count < c->last_zero) return true;
    for (uint32_t i = 0; i < h->pos.counts_n; i++) {
        if (h->pos.counts[i] < c->last[i]) return true;
    }
    for (uint32_t i = 0; i < h->neg.counts_n; i++) {
        if (h->neg.counts[i] < c->last[h->pos.counts_n + i]) return true;
    }
    return false;
}

enum histchunk_fit histchunk_fit(const struct histchunk *c, const struct histogram *h)
{
    if (c->c.n == 0) return HISTCHUNK_FITS;
    if (h->integer != c->layout->integer) return HISTCHUNK_OTHER;
    if (is_stale(h->sum)) return HISTCHUNK_FITS;
    if (c->stale) return HISTCHUNK_OTHER;
    bool gauge = h->hint == HINT_GAUGE;
    if (gauge != (c->hint == HINT_GAUGE)) return HISTCHUNK_OTHER;
    if (!gauge && h->hint == HINT_RESET) return HISTCHUNK_RESET;
    if (!histogram_same_layout(c->layout, h)) return HISTCHUNK_OTHER;
    return !gauge && fell(c, h) ? HISTCHUNK_RESET : HISTCHUNK_FITS;
}

static void put_threshold(struct bitwriter *w, double threshold)
{
    int exp;
    double frac = frexp(threshold, &exp);
    if (threshold == 0) {
        bits_put(w, 0, 8);
    } else if (frac == 0.5 && exp + THRESHOLD_BIAS >= 1 && exp + THRESHOLD_BIAS < THRESHOLD_WHOLE) {
        bits_put(w, (uint64_t)(exp + THRESHOLD_BIAS), 8);
    } else {
        bits_put(w, THRESHOLD_WHOLE, 8);
        bits_put(w, bits_of_double(threshold), 64);
    }
}

static void put_spans(struct bitwriter *w, const struct histogram_side *s)
{
    bits_put_varbit(w, s->spans_n);
    for (uint32_t i = 0; i < s->spans_n; i++) {
        bits_put_varbit(w, s->spans[i].length);
        bits_put_varbit_signed(w, s->spans[i].offset);
    }
}

/* Bounds of up to three decimals are small integers; others are 64 bits behind a zero bit. */
#define BOUND_SCALE 1000.0
#define BOUND_MAX   33554430.0
static void put_bound(struct bitwriter *w, double bound)
{
    double scaled = bound * BOUND_SCALE;
    if (scaled >= 0 && scaled <= BOUND_MAX && scaled == floor(scaled) &&
        scaled / BOUND_SCALE == bound) {
        bits_put_varbit(w, (uint64_t)scaled + 1);
    } else {
        bits_put(w, 0, 1);
        bits_put(w, bits_of_double(bound), 64);
    }
}

static void put_layout(struct bitwriter *w, const struct histogram *h)
{
    put_threshold(w, h->zero_threshold);
    bits_put_varbit_signed(w, h->schema);
    put_spans(w, &h->pos);
    put_spans(w, &h->neg);
    if (h->schema != HISTOGRAM_SCHEMA_CUSTOM) return;
    bits_put_varbit(w, h->bounds_n);
    for (uint32_t i = 0; i < h->bounds_n; i++) put_bound(w, h->bounds[i]);
}

/* The difference that a sample's place in the chunk asks for; wraps as the original's does. */
static int64_t step(struct stepped *s, int64_t v, unsigned n)
{
    int64_t delta = (int64_t)((uint64_t)v - (uint64_t)s->v);
    int64_t out = n == 0 ? v : n == 1 ? delta : (int64_t)((uint64_t)delta - (uint64_t)s->delta);
    *s = (struct stepped){ .v = v, .delta = n == 0 ? 0 : delta };
    return out;
}

static void put_sum(struct histchunk *c, double sum)
{
    if (c->c.n > 0) {
        bits_put_double(&c->w, &c->c.sum, sum);
        return;
    }
    bits_put(&c->w, bits_of_double(sum), 64);
    c->c.sum = (struct bits_double){ .v = bits_of_double(sum), .lead = BITS_NO_WINDOW };
}

static void put_time(struct histchunk *c, int64_t t)
{
    int64_t v = step(&c->c.t, t, c->c.n);
    if (c->c.n == 1) {
        bits_put_varbit(&c->w, (uint64_t)v);
    } else {
        bits_put_varbit_signed(&c->w, v);
    }
}

static void put_count(struct histchunk *c, struct stepped *s, double count, bool stale)
{
    if (stale && c->c.n > 0) {
        *s = (struct stepped){ 0 };
        bits_put_varbit_signed(&c->w, 0);
        return;
    }
    int64_t v = step(s, (int64_t)count, c->c.n);
    if (c->c.n == 0) {
        bits_put_varbit(&c->w, (uint64_t)v);
    } else {
        bits_put_varbit_signed(&c->w, v);
    }
}

static void put_buckets_stepped(struct histchunk *c, const struct histogram_side *s,
                                struct stepped *steps)
{
    int64_t before = 0;
    for (uint32_t i = 0; i < s->counts_n; i++) {
        int64_t count = (int64_t)s->counts[i];
        bits_put_varbit_signed(&c->w, step(&steps[i], count - before, c->c.n));
        before = count;
    }
}

static void put_integer(struct histchunk *c, int64_t t, const struct histogram *h)
{
    put_time(c, t);
    put_count(c, &c->c.count, h->count, c->stale);
    put_count(c, &c->c.zero, h->zero_count, c->stale);
    put_sum(c, h->sum);
    if (c->stale) return;
    put_buckets_stepped(c, &h->pos, c->c.steps);
    put_buckets_stepped(c, &h->neg, c->c.steps + h->pos.counts_n);
}

static void put_whole(struct histchunk *c, struct bits_double *d, double v)
{
    if (c->c.n > 0) {
        bits_put_double(&c->w, d, v);
        return;
    }
    bits_put(&c->w, bits_of_double(v), 64);
    *d = (struct bits_double){ .v = bits_of_double(v), .lead = BITS_NO_WINDOW };
}

static void put_float(struct histchunk *c, int64_t t, const struct histogram *h)
{
    put_time(c, t);
    put_whole(c, &c->c.f_count, h->count);
    put_whole(c, &c->c.f_zero, h->zero_count);
    put_sum(c, h->sum);
    if (c->stale) return;
    for (uint32_t i = 0; i < h->pos.counts_n; i++) put_whole(c, &c->c.whole[i], h->pos.counts[i]);
    struct bits_double *neg = c->c.whole + h->pos.counts_n;
    for (uint32_t i = 0; i < h->neg.counts_n; i++) put_whole(c, &neg[i], h->neg.counts[i]);
}

static void begin_layout(struct histchunk *c, const struct histogram *h)
{
    size_t n = buckets_of(h);
    c->layout = histogram_dup(&c->a, h);
    c->c.steps = arena_array(&c->a, n, sizeof(*c->c.steps));
    c->c.whole = arena_array(&c->a, n, sizeof(*c->c.whole));
    c->last = arena_array(&c->a, n, sizeof(*c->last));
    if (h->hint == HINT_GAUGE) c->hint = HINT_GAUGE;
    char header[HEADER] = { 0, 0, (char)(FLAGS[c->hint] << FLAG_SHIFT) };
    buf_put(&c->b, str_make(header, HEADER));
    put_layout(&c->w, h);
}

static void remember(struct histchunk *c, const struct histogram *h)
{
    c->last_count = h->count;
    c->last_zero = h->zero_count;
    if (h->pos.counts_n) memcpy(c->last, h->pos.counts, h->pos.counts_n * sizeof(double));
    if (h->neg.counts_n) {
        memcpy(c->last + h->pos.counts_n, h->neg.counts, h->neg.counts_n * sizeof(double));
    }
}

void histchunk_add(struct histchunk *c, int64_t t, const struct histogram *h)
{
    ASSERT(c->c.n < UINT16_MAX);
    struct histogram bare = { .integer = h->integer, .hint = h->hint, .sum = h->sum };
    c->stale = is_stale(h->sum);
    if (c->stale) h = &bare;
    if (c->c.n == 0) begin_layout(c, h);
    if (h->integer) {
        put_integer(c, t, h);
    } else {
        put_float(c, t, h);
    }
    if (!c->stale) remember(c, h);
    c->c.n++;
    if (c->b.n >= 2) store_be16(c->b.p, (uint16_t)c->c.n);
}

/*
 * Reading
 */

struct histchunk_reader {
    struct arena *a;
    struct bitreader r;
    struct carried c;
    struct histogram h; /* layout, and the hint of the sample to come */
    unsigned samples;
    bool bad;
};

static double take_threshold(struct bitreader *r)
{
    uint64_t byte = bits_take(r, 8);
    if (byte == 0) return 0;
    if (byte == THRESHOLD_WHOLE) return double_of_bits(bits_take(r, 64));
    return ldexp(0.5, (int)byte - THRESHOLD_BIAS);
}

static size_t bits_left(const struct bitreader *r) { return bits_over(r) ? 0 : r->n * 8 - r->pos; }

/* Every span and every bucket of the first sample takes a bit at least: no count is more than the bits that are left. */
static enum err take_spans(struct histchunk_reader *r, struct histogram_side *s)
{
    uint64_t n = bits_take_varbit(&r->r), buckets = 0;
    if (n > bits_left(&r->r) / SPAN_BITS_MIN) return ERR_CORRUPT;
    struct histogram_span *spans = arena_array(r->a, n, sizeof(*spans));
    for (uint64_t i = 0; i < n; i++) {
        uint64_t length = bits_take_varbit(&r->r);
        int64_t offset = bits_take_varbit_signed(&r->r);
        if (length > r->r.n * 8 || offset != (int32_t)offset) return ERR_CORRUPT;
        spans[i] = (struct histogram_span){ .offset = (int32_t)offset, .length = (uint32_t)length };
        buckets += length;
    }
    if (buckets > bits_left(&r->r)) return ERR_CORRUPT;
    *s = (struct histogram_side){ .spans = spans,
                                  .spans_n = (uint32_t)n,
                                  .counts_n = (uint32_t)buckets };
    return OK;
}

static enum err take_bounds(struct histchunk_reader *r)
{
    uint64_t n = bits_take_varbit(&r->r);
    if (n > bits_left(&r->r)) return ERR_CORRUPT;
    double *bounds = arena_array(r->a, n, sizeof(*bounds));
    for (uint64_t i = 0; i < n; i++) {
        uint64_t scaled = bits_take_varbit(&r->r);
        bounds[i] = scaled ? ((double)(scaled - 1)) / BOUND_SCALE
                           : double_of_bits(bits_take(&r->r, 64));
    }
    r->h.bounds = bounds;
    r->h.bounds_n = (uint32_t)n;
    return OK;
}

static enum err take_layout(struct histchunk_reader *r)
{
    r->h.zero_threshold = take_threshold(&r->r);
    int64_t schema = bits_take_varbit_signed(&r->r);
    if (schema != (int32_t)schema) return ERR_CORRUPT;
    r->h.schema = (int32_t)schema;
    TRY(take_spans(r, &r->h.pos));
    TRY(take_spans(r, &r->h.neg));
    if (schema == HISTOGRAM_SCHEMA_CUSTOM) TRY(take_bounds(r));
    size_t n = buckets_of(&r->h);
    r->c.steps = arena_array(r->a, n, sizeof(*r->c.steps));
    r->c.whole = arena_array(r->a, n, sizeof(*r->c.whole));
    return bits_over(&r->r) ? ERR_CORRUPT : OK;
}

struct histchunk_reader *histchunk_open(struct str chunk, unsigned encoding, struct arena *a)
{
    struct histchunk_reader *r = arena_new(a, struct histchunk_reader);
    r->a = a;
    r->bad = chunk.n < HEADER;
    if (r->bad) return r;
    r->samples = load_be16(chunk.p);
    unsigned flags = (unsigned char)chunk.p[2] >> FLAG_SHIFT;
    while (r->h.hint < HINT_GAUGE && FLAGS[r->h.hint] != flags) r->h.hint++;
    r->h.integer = encoding == HISTCHUNK_INTEGER;
    r->r = (struct bitreader){ .p = chunk.p + HEADER, .n = chunk.n - HEADER };
    r->bad = r->samples > 0 && take_layout(r) != OK;
    return r;
}

/* Undoes step(). */
static int64_t unstep(struct stepped *s, int64_t stored, unsigned n)
{
    if (n == 0) {
        *s = (struct stepped){ .v = stored };
        return stored;
    }
    s->delta = n == 1 ? stored : (int64_t)((uint64_t)s->delta + (uint64_t)stored);
    s->v = (int64_t)((uint64_t)s->v + (uint64_t)s->delta);
    return s->v;
}

static int64_t take_time(struct histchunk_reader *r)
{
    int64_t stored = r->c.n == 1 ? (int64_t)bits_take_varbit(&r->r)
                                 : bits_take_varbit_signed(&r->r);
    return unstep(&r->c.t, stored, r->c.n);
}

static double take_count(struct histchunk_reader *r, struct stepped *s)
{
    int64_t stored = r->c.n == 0 ? (int64_t)bits_take_varbit(&r->r)
                                 : bits_take_varbit_signed(&r->r);
    return (double)(uint64_t)unstep(s, stored, r->c.n);
}

static double take_whole(struct histchunk_reader *r, struct bits_double *d)
{
    if (r->c.n > 0) return bits_take_double(&r->r, d);
    *d = (struct bits_double){ .v = bits_take(&r->r, 64), .lead = BITS_NO_WINDOW };
    return double_of_bits(d->v);
}

static void take_stepped(struct histchunk_reader *r, struct stepped *steps, double *counts,
                         uint32_t n)
{
    uint64_t before = 0;
    for (uint32_t i = 0; i < n; i++) {
        before += (uint64_t)unstep(&steps[i], bits_take_varbit_signed(&r->r), r->c.n);
        counts[i] = (double)(int64_t)before;
    }
}

static void take_buckets(struct histchunk_reader *r, struct histogram *h)
{
    double *counts = arena_array(r->a, buckets_of(h), sizeof(*counts));
    h->pos.counts = counts;
    h->neg.counts = counts + h->pos.counts_n;
    if (h->integer) {
        take_stepped(r, r->c.steps, counts, h->pos.counts_n);
        take_stepped(r, r->c.steps + h->pos.counts_n, counts + h->pos.counts_n, h->neg.counts_n);
        return;
    }
    for (size_t i = 0; i < buckets_of(h); i++) counts[i] = take_whole(r, &r->c.whole[i]);
}

static const struct histogram *take_sample(struct histchunk_reader *r)
{
    struct histogram *h = arena_new(r->a, struct histogram);
    *h = r->h;
    h->count = h->integer ? take_count(r, &r->c.count) : take_whole(r, &r->c.f_count);
    h->zero_count = h->integer ? take_count(r, &r->c.zero) : take_whole(r, &r->c.f_zero);
    h->sum = take_whole(r, &r->c.sum);
    if (!is_stale(h->sum)) {
        take_buckets(r, h);
        return h;
    }
    *h = (struct histogram){ .integer = h->integer, .hint = h->hint, .sum = h->sum };
    return h;
}

enum err histchunk_next(struct histchunk_reader *r, int64_t *t, const struct histogram **out)
{
    if (r->bad) return ERR_CORRUPT;
    if (r->c.n == r->samples) return ERR_EOF;
    *t = take_time(r);
    *out = take_sample(r);
    if (bits_over(&r->r)) {
        r->bad = true;
        return ERR_CORRUPT;
    }
    if (r->h.hint != HINT_GAUGE) r->h.hint = HINT_NOT_RESET;
    r->c.n++;
    return OK;
}
