/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page.c - the way of a line: predicted by the cache, or read, looked up and, if it is new, labelled
 *
 * The prediction: entry e is expected at p. If p[len] is the blank behind a series and the bytes before it hash to
 * e's hash, the value begins at p + len + 1 and no delimiter was looked for. Numbers of up to 19 digits and a small
 * exponent are exact products of two doubles; all others go to num.h.
 * Differs: an entry longer than 1 MiB fails the scrape; the original has no such limit.
 */
#include "scrape/page.h"

#include "base/assert.h"
#include "base/hash.h"
#include "codec/goquote.h"
#include "codec/num.h"
#include "model/sample.h"

#include <stdlib.h>

enum { ENTRY_MAX = 1 << 20 };

/* --- numbers --- */

static const double POWERS[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

struct digits {
    uint64_t m;
    int n, scale; /* digits read; how many of them behind the point */
};

static const char *read_digits(const char *p, const char *end, struct digits *d, bool fraction)
{
    for (; p < end && (unsigned char)(*p - '0') < 10; p++) {
        d->m = d->m * 10 + (unsigned)(*p - '0');
        d->n++;
        d->scale += fraction;
    }
    return p;
}

static const char *read_exponent(const char *p, const char *end, int *exponent)
{
    bool minus = false;
    int v = 0, n = 0;
    if (++p < end && (*p == '-' || *p == '+')) minus = *p++ == '-';
    for (; p < end && (unsigned char)(*p - '0') < 10 && n < 4; p++, n++) {
        v = v * 10 + (*p - '0');
    }
    *exponent = minus ? -v : v;
    return n ? p : end;
}

/* A plain number at p, exactly; where it ends, or NULL when it is none of the easy ones. */
static const char *quick_float(const char *p, const char *end, double *out)
{
    struct digits d = { 0 };
    int exponent = 0;
    bool minus = p < end && *p == '-';
    p = read_digits(p + minus, end, &d, false);
    if (p < end && *p == '.') p = read_digits(p + 1, end, &d, true);
    if (p < end && (*p == 'e' || *p == 'E')) p = read_exponent(p, end, &exponent);
    exponent -= d.scale;
    if (!d.n || d.n > 18 || d.m > (UINT64_C(1) << 53) || exponent < -22 || exponent > 22) {
        return NULL;
    }
    double v = exponent < 0 ? (double)d.m / POWERS[-exponent] : (double)d.m * POWERS[exponent];
    *out = minus ? -v : v;
    return p;
}

/* A value that ends its line: where the line feed is, or NULL: let the reader see. */
static const char *line_value(const char *p, const char *end, double *out)
{
    const char *after = quick_float(p, end, out);
    if (after && after < end && *after == '\n') return after;
    after = memchr(p, '\n', (size_t)(end - p));
    if (!after) return NULL;
    struct str s = str_make(p, (size_t)(after - p));
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c <= ' ' || c == 'x' || c == 'X' || c == 'p' || c == 'P' || c == '_') return NULL;
    }
    if (num_parse_f64(s, out) != OK) return NULL;
    if (*out != *out) *out = double_of_bits(NORMAL_NAN_BITS);
    return after;
}

/* --- staging --- */

static void *grown(void *v, size_t *cap, size_t size)
{
    size_t n = *cap ? *cap * 2 : 256;
    void *p = reallocarray(v, n, size);
    ASSERT(p);
    *cap = n;
    return p;
}

static void stage(struct page *p, uint32_t entry, double value, int64_t t)
{
    int64_t limit = p->config->limits.samples;
    if (limit > 0 && p->staged_n >= (size_t)limit) {
        p->limit = LIMIT_SAMPLES; /* the page is read to its end, so that the number can be told */
        return;
    }
    if (p->staged_n == p->staged_cap) {
        p->staged = grown(p->staged, &p->staged_cap, sizeof(*p->staged));
    }
    p->staged[p->staged_n++] = (struct staged){ value, t, entry };
}

static void add_fresh(struct page *p, uint32_t entry, struct labels lb)
{
    if (p->fresh_n == p->fresh_cap) {
        p->fresh = grown(p->fresh, &p->fresh_cap, sizeof(*p->fresh));
    }
    p->fresh[p->fresh_n++] = (struct fresh_series){ entry, labels_dup(&p->labels, lb) };
}

static bool fail(struct page *p, enum err e)
{
    p->err = e;
    return false;
}

/* --- predicted lines --- */

static bool take_series(struct page *p, struct cache_entry *e, const char *text, const char *end)
{
    double value;
    if (text[e->len] != ' ') return false;
    const char *nl = line_value(text + e->len + 1, end, &value);
    if (!nl) return false;
    if (!cache_see(p->cache, e)) return false;
    p->total++;
    e->tracked = true;
    if (e->kind == ENTRY_SERIES) {
        p->kept++;
        stage(p, (uint32_t)(e - p->cache->v), value, PAGE_NO_TIME);
    }
    p->reader.at += (size_t)(nl - text) + 1;
    return true;
}

static bool take_line(struct page *p, struct cache_entry *e, const char *text)
{
    if (text[e->len] != '\n' || !cache_see(p->cache, e)) return false;
    if (e->kind == ENTRY_META) p->meta->v[e->extra].round = p->cache->round;
    if (e->type < EXPO_TYPE_MAX_) p->reader.type = (enum expo_type)e->type;
    p->reader.at += e->len + 1;
    return true;
}

/* Is the next line what the last page had here? */
static bool take_predicted(struct page *p)
{
    struct cache_entry *e = cache_expected(p->cache);
    struct str rest = str_from(p->reader.in, p->reader.at);
    if (!e || e->len >= rest.n || p->reader.state) return false;
    if (e->kind == ENTRY_SERIES && !e->ref) return false; /* its labels are wanted again */
    if (hash_bytes(str_first(rest, e->len)) != e->hash) return false;
    bool series = e->kind == ENTRY_SERIES || e->kind == ENTRY_DROPPED;
    bool taken = series ? take_series(p, e, rest.p, rest.p + rest.n) : take_line(p, e, rest.p);
    p->reader.line += taken;
    return taken;
}

/* --- other lines --- */

static struct cache_entry *lookup(struct page *p, struct str text, uint64_t *hash)
{
    *hash = hash_bytes(text);
    struct cache_entry *e = cache_find(p->cache, *hash);
    return e && e->len == text.n ? e : NULL;
}

/* The entry of a series that the page had before or has now for the first time. */
static bool entry_of(struct page *p, const struct expo_entry *x, struct cache_entry **out)
{
    uint64_t hash;
    struct labels lb;
    struct cache_entry *e = lookup(p, x->series, &hash);
    *out = e;
    if (e && (e->ref || e->kind != ENTRY_SERIES || e->round == p->cache->round)) return true;
    arena_reset(&p->scratch);
    enum err err = series_labels(&p->scratch, p->config, p->target, x, &lb, &p->d);
    if (err == ERR_LIMIT) p->limit = LIMIT_LABELS;
    if (err != OK) return fail(p, err);
    if (!e) e = cache_add(p->cache, hash, (uint32_t)x->series.n);
    e->kind = lb.n ? ENTRY_SERIES : ENTRY_DROPPED;
    e->type = EXPO_TYPE_MAX_;
    if (lb.n) add_fresh(p, (uint32_t)(e - p->cache->v), lb);
    *out = e;
    return true;
}

static bool on_series(struct page *p, const struct expo_entry *x)
{
    struct cache_entry *e;
    p->total++;
    if (!entry_of(p, x, &e)) return false;
    bool timed = x->has_t && p->config->honor_timestamps;
    bool first = cache_see(p->cache, e);
    if (first) e->tracked = !timed || p->config->track_timestamps_staleness;
    if (e->kind == ENTRY_DROPPED) return true;
    p->kept++;
    if (!first && !timed) {
        p->duplicates++; /* the first one counts */
        return true;
    }
    stage(p, (uint32_t)(e - p->cache->v), x->value, timed ? x->t : PAGE_NO_TIME);
    return true;
}

/* The whole line as it stands, from its "#" to the line feed. */
static struct str line_of(const struct page *p, size_t begin)
{
    struct str line = str_make(p->reader.in.p + begin, p->reader.at - begin);
    while (line.n && line.p[line.n - 1] == '\n') {
        line.n--;
    }
    return line;
}

static void set_meta(struct page *p, struct meta_record *r, const struct expo_entry *x)
{
    bool om = p->reader.format == EXPO_OPENMETRICS;
    r->round = p->cache->round;
    arena_reset(&p->scratch);
    if (x->kind == EXPO_HELP) {
        meta_set_text(&r->help, x->plain ? x->text : expo_unescape(&p->scratch, x->text, om));
    }
    if (x->kind == EXPO_UNIT) meta_set_text(&r->unit, x->text);
    if (x->kind == EXPO_TYPE) r->type = x->type;
}

static void on_line(struct page *p, const struct expo_entry *x, struct str line)
{
    uint64_t hash;
    bool meta = x->kind != EXPO_COMMENT;
    uint32_t record = 0;
    if (meta) {
        arena_reset(&p->scratch);
        record = meta_at(p->meta, x->plain ? x->name : expo_unescape(&p->scratch, x->name, true));
        set_meta(p, &p->meta->v[record], x);
    }
    struct cache_entry *e = lookup(p, line, &hash);
    if (!e) e = cache_add(p->cache, hash, (uint32_t)line.n);
    e->kind = meta ? ENTRY_META : ENTRY_COMMENT;
    e->type = x->kind == EXPO_TYPE ? (uint8_t)x->type : EXPO_TYPE_MAX_;
    e->extra = record;
    (void)cache_see(p->cache, e);
}

/* One entry through the reader. False: nothing more can be read now. */
static bool take_read(struct page *p)
{
    struct expo_entry x;
    size_t begin = p->reader.at;
    enum err e = expo_next(&p->reader, &x, &p->d);
    if (e == ERR_SHORT) return false;
    if (e == ERR_EOF) {
        p->ended = true;
        return false;
    }
    if (e != OK) return fail(p, e);
    if (x.kind == EXPO_SERIES) return on_series(p, &x);
    while (p->reader.in.p[begin] == '\n') { /* blank lines that the reader skipped */
        begin++;
    }
    on_line(p, &x, line_of(p, begin));
    return true;
}

/* The same of a page in protocol buffers. */
static bool take_proto(struct page *p)
{
    struct expo_entry x;
    enum err e = expo_proto_next(&p->proto, &x, &p->d);
    if (e == ERR_SHORT) return false;
    if (e == ERR_EOF) {
        p->ended = true;
        return false;
    }
    if (e != OK) return fail(p, e);
    if (x.kind == EXPO_SERIES) return on_series(p, &x);
    on_line(p, &x, x.series);
    return true;
}

/* --- pieces --- */

static void read_pending(struct page *p)
{
    p->reader.in = buf_str(&p->pending);
    p->reader.at = 0;
    while (take_predicted(p) || take_read(p)) {
    }
    buf_drop(&p->pending, p->reader.at);
    if (p->err == OK && p->pending.n > ENTRY_MAX) {
        p->err = diag_set(&p->d, ERR_LIMIT, "a line of the page is longer than 1 MiB");
        p->d.line = p->reader.line;
    }
}

static void read_proto(struct page *p)
{
    p->proto.in = buf_str(&p->pending);
    p->proto.at = 0;
    while (take_proto(p)) {
    }
    buf_drop(&p->pending, p->proto.at);
}

void page_done(struct page *p)
{
    expo_proto_done(&p->proto);
    expo_reader_done(&p->reader);
    buf_done(&p->pending);
    free(p->staged);
    free(p->fresh);
    arena_done(&p->labels);
    arena_done(&p->scratch);
    *p = (struct page){ 0 };
}

void page_begin(struct page *p, const struct scrape_config *c, struct labels target,
                struct cache *cache, struct meta_table *meta, enum expo_format format)
{
    p->config = c;
    p->target = target;
    p->cache = cache;
    p->meta = meta;
    expo_reader_reset(&p->reader, format);
    expo_proto_reset(&p->proto, false, true);
    buf_reset(&p->pending);
    arena_reset(&p->labels);
    p->staged_n = p->fresh_n = p->bytes = p->total = p->kept = p->duplicates = 0;
    p->limit = LIMIT_NONE;
    p->err = OK;
    p->d = (struct diag){ 0 };
    p->ended = false;
    cache_begin(cache);
}

bool page_feed(struct page *p, struct str slice)
{
    if (p->err != OK) return false;
    p->bytes += slice.n;
    buf_put(&p->pending, slice);
    if (p->reader.format == EXPO_PROTOBUF) {
        read_proto(p);
        return p->err == OK;
    }
    /* Without a line feed no entry can have ended; a long one is not looked at again and again. */
    if (slice.n && (memrchr(slice.p, '\n', slice.n) || p->pending.n > ENTRY_MAX)) read_pending(p);
    return p->err == OK;
}

enum err page_end(struct page *p)
{
    if (p->err != OK) return p->err;
    if (p->reader.format == EXPO_TEXT) buf_char(&p->pending, '\n');
    p->reader.final = p->proto.final = true;
    if (p->reader.format == EXPO_PROTOBUF) {
        read_proto(p);
    } else {
        read_pending(p);
    }
    if (p->err == OK && p->limit == LIMIT_SAMPLES) {
        p->err = diag_set(&p->d, ERR_LIMIT, "sample limit exceeded");
    }
    return p->err;
}
