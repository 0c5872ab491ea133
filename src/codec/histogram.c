/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/histogram.h"

#include "base/bits.h"

#include <math.h>
#include <string.h>

static const void *copied(struct arena *a, const void *from, size_t n, size_t size)
{
    if (n == 0) return NULL;
    void *to = arena_array(a, n, size);
    memcpy(to, from, n * size);
    return to;
}

static struct histogram_side side_dup(struct arena *a, const struct histogram_side *s)
{
    struct histogram_side out = *s;
    out.spans = copied(a, s->spans, s->spans_n, sizeof(*s->spans));
    out.counts = copied(a, s->counts, s->counts_n, sizeof(*s->counts));
    return out;
}

const struct histogram *histogram_dup(struct arena *a, const struct histogram *h)
{
    struct histogram *out = arena_new(a, struct histogram);
    *out = *h;
    out->pos = side_dup(a, &h->pos);
    out->neg = side_dup(a, &h->neg);
    out->bounds = copied(a, h->bounds, h->bounds_n, sizeof(*h->bounds));
    return out;
}

static bool same_double(double a, double b) { return bits_of_double(a) == bits_of_double(b); }

static bool same_doubles(const double *a, const double *b, size_t n)
{
    return n == 0 || memcmp(a, b, n * sizeof(*a)) == 0;
}

static bool same_spans(const struct histogram_side *a, const struct histogram_side *b)
{
    return a->spans_n == b->spans_n &&
           (a->spans_n == 0 || memcmp(a->spans, b->spans, a->spans_n * sizeof(*a->spans)) == 0);
}

bool histogram_same_layout(const struct histogram *a, const struct histogram *b)
{
    return a->schema == b->schema && same_double(a->zero_threshold, b->zero_threshold) &&
           same_spans(&a->pos, &b->pos) && same_spans(&a->neg, &b->neg) &&
           a->bounds_n == b->bounds_n && same_doubles(a->bounds, b->bounds, a->bounds_n);
}

static bool same_counts(const struct histogram_side *a, const struct histogram_side *b)
{
    return a->counts_n == b->counts_n && same_doubles(a->counts, b->counts, a->counts_n);
}

bool histogram_same(const struct histogram *a, const struct histogram *b)
{
    return a->integer == b->integer && histogram_same_layout(a, b) &&
           same_double(a->zero_count, b->zero_count) && same_double(a->count, b->count) &&
           same_double(a->sum, b->sum) && same_counts(&a->pos, &b->pos) &&
           same_counts(&a->neg, &b->neg);
}

/* Spans ascend and name as many buckets as there are counts. */
static enum err check_spans(const struct histogram_side *s, const char *side, struct diag *d)
{
    uint64_t buckets = 0;
    for (uint32_t i = 0; i < s->spans_n; i++) {
        if (i > 0 && s->spans[i].offset < 0) {
            return diag_set(
                d, ERR_SYNTAX,
                "%s side: span number %u with offset %d: histogram has a span whose offset is negative",
                side, i + 1, s->spans[i].offset);
        }
        buckets += s->spans[i].length;
    }
    if (buckets == s->counts_n) return OK;
    return diag_set(
        d, ERR_SYNTAX,
        "%s side: spans need %llu buckets, have %u buckets: histogram spans specify different number of buckets than provided",
        side, (unsigned long long)buckets, s->counts_n);
}

static enum err check_counts(const struct histogram_side *s, const char *side, double *total,
                             struct diag *d)
{
    for (uint32_t i = 0; i < s->counts_n; i++) {
        if (s->counts[i] < 0) {
            return diag_set(
                d, ERR_SYNTAX,
                "%s side: bucket number %u has observation count of %g: histogram has a bucket whose observation count is negative",
                side, i + 1, s->counts[i]);
        }
        *total += s->counts[i];
    }
    return OK;
}

static enum err check_bounds(const struct histogram *h, struct diag *d)
{
    if (h->schema != HISTOGRAM_SCHEMA_CUSTOM) {
        if (h->bounds_n == 0) return OK;
        return diag_set(d, ERR_SYNTAX, "histogram custom bounds must be empty: %u were given",
                        h->bounds_n);
    }
    for (uint32_t i = 1; i < h->bounds_n; i++) {
        if (h->bounds[i] > h->bounds[i - 1]) continue;
        return diag_set(
            d, ERR_SYNTAX,
            "histogram custom bounds must be in strictly increasing order: %g comes after %g",
            h->bounds[i], h->bounds[i - 1]);
    }
    if (h->bounds_n > 0 && isinf(h->bounds[h->bounds_n - 1])) {
        return diag_set(d, ERR_SYNTAX, "histogram custom bounds must be finite");
    }
    if (h->neg.counts_n == 0 && h->neg.spans_n == 0 && h->zero_count == 0) return OK;
    return diag_set(
        d, ERR_SYNTAX,
        "histogram with custom buckets must not have negative buckets or a zero bucket");
}

static bool schema_known(int32_t schema)
{
    return schema == HISTOGRAM_SCHEMA_CUSTOM ||
           (schema >= HISTOGRAM_SCHEMA_MIN && schema <= HISTOGRAM_SCHEMA_MAX);
}

/* Observations of NaN are in the count and in no bucket, so count may be more; sum is NaN then. */
static enum err check_total(const struct histogram *h, double in_buckets, struct diag *d)
{
    bool fits = isnan(h->sum) ? in_buckets <= h->count : in_buckets == h->count;
    if (!h->integer || fits) return OK;
    return diag_set(
        d, ERR_SYNTAX,
        "%.0f observations found in buckets, but the Count field is %.0f: histogram's observation count should %s the number of observations found in the buckets",
        in_buckets, h->count, isnan(h->sum) ? "be at least" : "equal");
}

enum err histogram_check(const struct histogram *h, struct diag *d)
{
    if (!schema_known(h->schema)) {
        return diag_set(d, ERR_SYNTAX, "histogram has an invalid schema: %d", h->schema);
    }
    double total = h->zero_count;
    TRY(check_bounds(h, d));
    TRY(check_spans(&h->neg, "negative", d));
    TRY(check_spans(&h->pos, "positive", d));
    TRY(check_counts(&h->neg, "negative", &total, d));
    TRY(check_counts(&h->pos, "positive", &total, d));
    return check_total(h, total, d);
}
