/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blockbuild.c - a block from samples in any order, and chunks from columns
 */
#include "base/assert.h"
#include "codec/histchunk.h"
#include "codec/xor.h"
#include "tsdb/block.h"

#include <stdlib.h>

enum { CHUNK_SAMPLES = 120 };

/* Floats and histograms alternate at worst, and of histograms each may need a chunk of its own. */
size_t block_encoded_max(const struct column *c)
{
    return c->h ? c->n + 1 : c->n / CHUNK_SAMPLES + 1;
}

static size_t float_run(const struct column *c, size_t from)
{
    size_t n = 0;
    while (n < CHUNK_SAMPLES && from + n < c->n && !(c->h && c->h[from + n])) n++;
    return n;
}

static size_t put_histograms(const struct column *c, size_t from, struct histchunk *chunk)
{
    size_t n = 0;
    enum histogram_hint hint = c->h[from]->hint;
    while (n < CHUNK_SAMPLES && from + n < c->n && c->h[from + n]) {
        if (n == 0) histchunk_begin(chunk, hint);
        if (n > 0 && histchunk_fit(chunk, c->h[from + n]) != HISTCHUNK_FITS) break;
        histchunk_add(chunk, c->t[from + n], c->h[from + n]);
        n++;
    }
    return n;
}

size_t block_encode(const struct column *c, size_t from, struct arena *a, struct block_chunk *v)
{
    size_t n = 0;
    BUF(b, 0);
    struct histchunk *chunk = NULL;
    while (from < c->n) {
        size_t k = float_run(c, from);
        unsigned encoding = CHUNK_XOR;
        buf_reset(&b);
        if (k) {
            xor_encode_chunk(c->t + from, c->v + from, k, &b);
        } else {
            if (!chunk) chunk = histchunk_new();
            k = put_histograms(c, from, chunk);
            encoding = histchunk_encoding(chunk);
            buf_put(&b, histchunk_bytes(chunk));
        }
        v[n++] = (struct block_chunk){ c->t[from], c->t[from + k - 1], encoding,
                                       arena_dup(a, buf_str(&b)) };
        from += k;
    }
    histchunk_free(chunk);
    return n;
}

struct built {
    struct labels lb;
    struct column c;
    bool unsorted;
};

struct block_builder {
    struct arena arena; /* labels */
    struct map by_key;  /* labels as bytes -> struct built */
    struct buf key;
    struct built **v;
    size_t n, cap, samples;
};

struct block_builder *block_builder_new(void)
{
    struct block_builder *b = calloc(1, sizeof(*b));
    ASSERT(b != NULL);
    arena_init(&b->arena, 0);
    return b;
}

static void clear(struct block_builder *b)
{
    for (size_t i = 0; i < b->n; i++) column_done(&b->v[i]->c);
    map_done(&b->by_key);
    b->by_key = (struct map){ 0 };
    b->n = b->samples = 0;
    arena_reset(&b->arena);
}

void block_builder_free(struct block_builder *b)
{
    if (!b) return;
    clear(b);
    arena_done(&b->arena);
    buf_done(&b->key);
    free(b->v);
    free(b);
}

static struct built *series_of(struct block_builder *b, struct labels lb)
{
    buf_reset(&b->key);
    for (size_t i = 0; i < lb.n; i++) {
        buf_put(&b->key, lb.v[i].name);
        buf_char(&b->key, (char)0xff); /* in no UTF-8 text */
        buf_put(&b->key, lb.v[i].value);
        buf_char(&b->key, (char)0xff);
    }
    struct built *s = map_get(&b->by_key, buf_str(&b->key));
    if (s) return s;
    s = arena_new(&b->arena, struct built);
    s->lb = labels_dup(&b->arena, lb);
    (void)map_put(&b->by_key, arena_dup(&b->arena, buf_str(&b->key)), s);
    if (b->n == b->cap) {
        b->cap = b->cap ? b->cap * 2 : 1024;
        b->v = realloc(b->v, b->cap * sizeof(struct built *));
        ASSERT(b->v != NULL);
    }
    b->v[b->n++] = s;
    return s;
}

void block_builder_add(struct block_builder *b, struct labels lb, int64_t t, double v)
{
    struct built *s = series_of(b, lb);
    if (s->c.n && t <= s->c.t[s->c.n - 1]) s->unsorted = true;
    column_push(&s->c, t, v);
    b->samples++;
}

size_t block_builder_samples(const struct block_builder *b) { return b->samples; }

struct placed {
    int64_t t;
    size_t at;
};

static int by_time(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->t != y->t) return x->t < y->t ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static void sort_column(struct column *c)
{
    struct placed *p = malloc(c->n * sizeof(*p));
    ASSERT(p != NULL);
    struct column to = { 0 };
    for (size_t i = 0; i < c->n; i++) p[i] = (struct placed){ c->t[i], i };
    qsort(p, c->n, sizeof(*p), by_time);
    for (size_t i = 0; i < c->n; i++) {
        if (i + 1 < c->n && p[i + 1].t == p[i].t) continue; /* the last one stays */
        column_push(&to, p[i].t, c->v[p[i].at]);
    }
    free(p);
    column_done(c);
    *c = to;
}

static int by_labels(const void *a, const void *b)
{
    return labels_cmp((*(const struct built *const *)a)->lb, (*(const struct built *const *)b)->lb);
}

static int by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Every name and value once, ascending; "" as well. */
static struct str *symbols_of(const struct block_builder *b, struct arena *a, size_t *n)
{
    struct map seen = { 0 };
    size_t total = 1;
    for (size_t i = 0; i < b->n; i++) total += 2 * b->v[i]->lb.n;
    struct str *v = arena_raw(a, total * sizeof(*v));
    *n = 0;
    v[(*n)++] = STR("");
    for (size_t i = 0; i < b->n; i++) {
        for (size_t k = 0; k < 2 * b->v[i]->lb.n; k++) {
            const struct label *l = &b->v[i]->lb.v[k / 2];
            struct str s = k & 1 ? l->value : l->name;
            if (s.n && !map_put(&seen, s, b->v[i])) v[(*n)++] = s;
        }
    }
    map_done(&seen);
    qsort(v, *n, sizeof(*v), by_bytes);
    return v;
}

static enum err write_series(struct block_builder *b, struct block_writer *w, struct diag *d)
{
    ARENA(a, 0);
    qsort(b->v, b->n, sizeof(struct built *), by_labels);
    for (size_t i = 0; i < b->n; i++) {
        struct built *s = b->v[i];
        arena_reset(&a);
        if (s->unsorted) sort_column(&s->c);
        struct block_chunk *c = arena_raw(&a, block_encoded_max(&s->c) * sizeof(*c));
        TRY(block_writer_series(w, s->lb, c, block_encode(&s->c, 0, &a, c), d));
    }
    return OK;
}

static enum err write_block(struct block_builder *b, struct str dir, const char *name,
                            const struct blockmeta *m, struct diag *d)
{
    ARENA(a, 0);
    size_t n;
    struct str *symbols = symbols_of(b, &a, &n);
    struct block_writer *w;
    TRY(block_writer_new(dir, name, 0, &w, d));
    enum err e = block_writer_symbols(w, symbols, n, d);
    if (e == OK) e = write_series(b, w, d);
    if (e == OK) return block_writer_finish(w, m, d);
    block_writer_abort(w);
    return e;
}

enum err block_builder_write(struct block_builder *b, struct str dir, int64_t mint, int64_t maxt,
                             int64_t now_ms, char name[ULID_CHARS + 1], struct diag *d)
{
    name[0] = 0;
    if (!b->n) return OK;
    char made[ULID_CHARS + 1];
    block_name(made, now_ms);
    struct str self = str_c(made);
    struct blockmeta m = {
        .mint = mint, .maxt = maxt, .level = 1, .sources = &self, .sources_n = 1
    };
    enum err e = write_block(b, dir, made, &m, d);
    clear(b);
    if (e == OK) memcpy(name, made, sizeof(made));
    return e;
}
