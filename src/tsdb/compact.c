/* SPDX-License-Identifier: Apache-2.0 */
#include "tsdb/compact.h"

#include "base/vec.h"
#include "tsdb/columns.h"
#include "tsdb/headread.h"
#include "tsdb/tsdb_priv.h"

static int by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/*
 * From the head
 */

struct sorting {
    const struct head *h;
    uint32_t *rank; /* symbol -> place among the block's symbols */
};

static int by_rank(const void *a, const void *b, void *ctx)
{
    const struct sorting *s = ctx;
    const struct cold *x = head_cold(s->h, *(const uint32_t *)a);
    const struct cold *y = head_cold(s->h, *(const uint32_t *)b);
    for (uint32_t i = 0; i < x->shape->n && i < y->shape->n; i++) {
        uint32_t p = s->rank[x->shape->names[i]], q = s->rank[y->shape->names[i]];
        if (p != q) return p < q ? -1 : 1;
        p = s->rank[x->values[i]];
        q = s->rank[y->values[i]];
        if (p != q) return p < q ? -1 : 1;
    }
    return (x->shape->n > y->shape->n) - (x->shape->n < y->shape->n);
}

struct named {
    struct str text;
    uint32_t id;
};

/* The symbols that these series have, ascending, "" first; ranks go to s. */
static struct str *rank_symbols(struct sorting *s, struct arena *a, const uint32_t *slots, size_t n,
                                uint32_t symbols, size_t *out_n)
{
    uint64_t *used = arena_array(a, symbols / 64 + 1, sizeof(*used));
    for (size_t i = 0; i < n; i++) {
        const struct cold *c = head_cold(s->h, slots[i]);
        for (uint32_t k = 0; k < c->shape->n; k++) {
            used[c->shape->names[k] >> 6] |= UINT64_C(1) << (c->shape->names[k] & 63);
            used[c->values[k] >> 6] |= UINT64_C(1) << (c->values[k] & 63);
        }
    }
    struct named *v = arena_raw(a, (size_t)symbols * sizeof(*v));
    size_t count = 0;
    for (uint32_t id = 0; id < symbols; id++) {
        if (!(used[id >> 6] >> (id & 63) & 1)) continue;
        v[count++] = (struct named){ symbols_get(&s->h->symbols, id), id };
    }
    if (count) qsort(v, count, sizeof(*v), by_bytes);
    struct str *texts = arena_raw(a, (count + 1) * sizeof(*texts));
    s->rank = arena_array(a, symbols, sizeof(*s->rank));
    texts[0] = STR("");
    for (size_t i = 0; i < count; i++) {
        texts[i + 1] = v[i].text;
        s->rank[v[i].id] = (uint32_t)i;
    }
    *out_n = count + 1;
    return texts;
}

static uint32_t *slots_between(struct head_reader *r, struct arena *a, int64_t mint, int64_t maxt,
                               size_t *n)
{
    uint32_t series = atomic_load_explicit(&r->h->series, memory_order_acquire);
    uint32_t *v = arena_raw(a, (size_t)series * sizeof(*v));
    *n = 0;
    for (uint32_t slot = 0; slot < series; slot++) {
        if (head_may_have(r, slot, mint, maxt)) v[(*n)++] = slot;
    }
    return v;
}

static enum err put_slots(struct head_reader *r, struct block_writer *w, const uint32_t *slots,
                          size_t n, int64_t mint, int64_t maxt, struct diag *d)
{
    ARENA(a, 0);
    for (size_t i = 0; i < n; i++) {
        struct block_chunk *c;
        size_t chunks;
        arena_reset(&a);
        if (head_chunks(r, slots[i], mint, maxt, &a, &c, &chunks) != OK) {
            return diag_set(d, ERR_CORRUPT, "a chunk of the head cannot be read");
        }
        if (!chunks) continue;
        TRY(block_writer_series(w, head_labels(r->h, slots[i], &a), c, chunks, d));
    }
    return OK;
}

static enum err finish_block(struct block_writer *w, const struct blockmeta *m,
                             struct compact_result *out, struct diag *d)
{
    if (!block_writer_count(w)) {
        block_writer_abort(w);
        out->name[0] = 0;
        return OK;
    }
    return block_writer_finish(w, m, d);
}

static enum err write_head(struct tsdb *db, struct head_reader *r, struct str dir, int64_t mint,
                           int64_t maxt, struct compact_result *out, struct diag *d)
{
    ARENA(a, 0);
    struct sorting s = { .h = r->h };
    size_t n, symbols_n;
    uint32_t *slots = slots_between(r, &a, mint, maxt - 1, &n);
    pthread_mutex_lock(&db->lock);
    uint32_t known = symbols_count(&r->h->symbols);
    pthread_mutex_unlock(&db->lock);
    struct str *symbols = rank_symbols(&s, &a, slots, n, known, &symbols_n);
    if (n) qsort_r(slots, n, sizeof(*slots), by_rank, &s);
    struct block_writer *w;
    TRY(block_writer_new(dir, out->name, 0, &w, d));
    enum err e = block_writer_symbols(w, symbols, symbols_n, d);
    if (e == OK) e = put_slots(r, w, slots, n, mint, maxt - 1, d);
    if (e != OK) {
        block_writer_abort(w);
        return e;
    }
    struct str self = str_c(out->name);
    struct blockmeta m = {
        .mint = mint, .maxt = maxt, .level = 1, .sources = &self, .sources_n = 1
    };
    return finish_block(w, &m, out, d);
}

enum err compact_head(struct tsdb *db, struct str dir, int64_t mint, int64_t maxt, int64_t now_ms,
                      struct compact_result *out, struct diag *d)
{
    struct reader_ticket ticket;
    struct head_reader r = { .files = &db->files };
    block_name(out->name, now_ms);
    readers_enter(&db->readers, &ticket, &db->commits);
    struct tombs *tombs = tsdb_head_tombs(db);
    r.h = db->head;
    r.snapshot = ticket.snapshot;
    r.tombs = tombs;
    enum err e = write_head(db, &r, dir, mint, maxt, out, d);
    tombs_unref(tombs);
    readers_leave(&db->readers, &ticket);
    column_done(&r.scratch);
    return e;
}

/*
 * From blocks
 */

/* One block's series, in order. */
struct source {
    const struct block_view *v;
    struct block_cursor cursor;
    struct arena all; /* its numbers */
    struct arena one; /* the series at hand */
    uint32_t *ids;
    size_t n, at;
    struct labels lb;
    struct blockindex_series s;
};

static enum err advance(struct source *s)
{
    if (s->at == s->n) {
        s->ids = NULL;
        return OK;
    }
    arena_reset(&s->one);
    return block_series(&s->cursor, &s->one, s->ids[s->at++], &s->lb, &s->s);
}

static uint32_t id_of(const struct source *s) { return s->ids[s->at - 1]; }

static struct str *merge_symbols(const struct block_view *v, size_t n, struct arena *a,
                                 size_t *out_n, enum err *e)
{
    size_t total = 1, count = 0, kept = 0;
    for (size_t i = 0; i < n; i++) total += v[i].b->index.symbols_n;
    struct str *all = arena_raw(a, total * sizeof(*all));
    all[count++] = STR("");
    *e = OK;
    for (size_t i = 0; i < n; i++) {
        size_t at = 0;
        while ((*e = blockindex_next_symbol(&v[i].b->index, &at, &all[count])) == OK) count++;
        if (*e != ERR_EOF) return NULL;
    }
    *e = OK;
    qsort(all, count, sizeof(*all), by_bytes);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !str_eq(all[i], all[kept - 1])) all[kept++] = all[i];
    }
    *out_n = kept;
    return all;
}

static int by_start(const void *a, const void *b)
{
    const struct block_chunk *x = a, *y = b;
    if (x->mint != y->mint) return x->mint < y->mint ? -1 : 1;
    return (x->maxt > y->maxt) - (x->maxt < y->maxt);
}

struct gathering {
    struct arena a; /* one series */
    VEC(struct block_chunk) v;
    struct column c;
    bool anew; /* something must be decoded */
};

/* All chunks of a source's series at hand, but those wholly deleted. */
static enum err gather(struct gathering *g, const struct source *s)
{
    struct intervals deleted = tombs_get(s->v->tombs, id_of(s));
    const struct blockmeta *m = &s->v->b->meta;
    for (size_t i = 0; i < s->s.chunks; i++) {
        const struct blockindex_chunk *c = &s->s.chunk[i];
        if (intervals_cover(deleted, c->mint, c->maxt)) continue;
        if (c->maxt < m->mint || c->mint >= m->maxt) continue;
        struct block_chunk k = { .mint = c->mint, .maxt = c->maxt };
        TRY(block_chunk(s->v->b, c->ref, &k.encoding, &k.data));
        bool whole = c->mint >= m->mint && c->maxt < m->maxt &&
                     !intervals_touch(deleted, c->mint, c->maxt);
        if (!whole) {
            column_clear(&g->c);
            enum err e = block_decode(k.encoding, k.data, &g->c);
            if (e != OK && e != ERR_UNSUPPORTED) return e;
            if (e == OK) {
                column_trim(&g->c, 0, m->mint, m->maxt - 1);
                intervals_cut(deleted, &g->c, 0);
                struct block_chunk *made = arena_raw(&g->a,
                                                     block_encoded_max(&g->c) * sizeof(*made));
                size_t n = block_encode(&g->c, 0, &g->a, made);
                for (size_t x = 0; x < n; x++) *vec_push(&g->a, &g->v) = made[x];
                continue;
            }
        }
        *vec_push(&g->a, &g->v) = k;
    }
    return OK;
}

static bool disjoint(const struct gathering *g)
{
    for (size_t i = 1; i < g->v.n; i++) {
        if (g->v.v[i].mint <= g->v.v[i - 1].maxt) return false;
    }
    return true;
}

/* Chunks that overlap become one row of samples, then chunks again. */
static enum err weave(struct gathering *g)
{
    column_clear(&g->c);
    for (size_t i = 0; i < g->v.n; i++) {
        size_t second = g->c.n;
        enum err e = block_decode(g->v.v[i].encoding, g->v.v[i].data, &g->c);
        if (e == ERR_UNSUPPORTED) return OK; /* stays as it is */
        if (e != OK) return e;
        column_weave(&g->c, 0, second);
    }
    struct block_chunk *made = arena_raw(&g->a, block_encoded_max(&g->c) * sizeof(*made));
    g->v.n = block_encode(&g->c, 0, &g->a, made);
    g->v.v = made;
    return OK;
}

/* The series that comes first in order, of all sources that have it. */
static enum err put_next(struct source *s, size_t n, struct block_writer *w, struct gathering *g,
                         bool *more, struct diag *d)
{
    const struct source *first = NULL;
    for (size_t i = 0; i < n; i++) {
        if (s[i].ids && (!first || labels_cmp(s[i].lb, first->lb) < 0)) first = &s[i];
    }
    *more = first != NULL;
    if (!first) return OK;
    arena_reset(&g->a);
    g->v.v = NULL;
    g->v.n = g->v.cap = 0;
    struct labels lb = labels_dup(&g->a, first->lb);
    for (size_t i = 0; i < n; i++) {
        if (!s[i].ids || labels_cmp(s[i].lb, lb) != 0) continue;
        TRY(gather(g, &s[i]));
        TRY(advance(&s[i]));
    }
    if (!g->v.n) return OK;
    qsort(g->v.v, g->v.n, sizeof(*g->v.v), by_start);
    if (!disjoint(g)) TRY(weave(g));
    return block_writer_series(w, lb, g->v.v, g->v.n, d);
}

static enum err merge_series(struct source *s, size_t n, struct block_writer *w, struct diag *d)
{
    struct gathering g = { 0 };
    arena_init(&g.a, 0);
    enum err e = OK;
    for (bool more = true; more && e == OK;) e = put_next(s, n, w, &g, &more, d);
    column_done(&g.c);
    arena_done(&g.a);
    return e;
}

static enum err open_source(struct source *s, const struct block_view *v)
{
    s->v = v;
    arena_init(&s->all, 0);
    arena_init(&s->one, 0);
    block_cursor_init(&s->cursor, v->b);
    TRY(block_all(v->b, &s->all, &s->ids, &s->n));
    return advance(s);
}

static enum err write_merged(const struct block_view *v, size_t n, struct block_writer *w,
                             struct arena *a, struct diag *d)
{
    size_t symbols_n;
    enum err e;
    struct str *symbols = merge_symbols(v, n, a, &symbols_n, &e);
    if (e == OK) e = block_writer_symbols(w, symbols, symbols_n, d);
    struct source *s = calloc(n, sizeof(*s));
    ASSERT(s != NULL);
    for (size_t i = 0; i < n && e == OK; i++) e = open_source(&s[i], &v[i]);
    if (e == OK) e = merge_series(s, n, w, d);
    for (size_t i = 0; i < n; i++) {
        arena_done(&s[i].all);
        arena_done(&s[i].one);
    }
    free(s);
    return e;
}

static bool has(const struct str *v, size_t n, struct str x)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(v[i], x)) return true;
    }
    return false;
}

/* Level one up, all sources, the inputs as parents. */
static struct blockmeta merged_meta(struct arena *a, const struct block_view *v, size_t n)
{
    struct blockmeta m = { .mint = INT64_MAX, .maxt = INT64_MIN };
    VEC(struct str) sources = { 0 };
    VEC(struct str) hints = { 0 };
    struct blockmeta_parent *parents = arena_array(a, n, sizeof(*parents));
    for (size_t i = 0; i < n; i++) {
        const struct blockmeta *p = &v[i].b->meta;
        parents[i] = (struct blockmeta_parent){ p->ulid, p->mint, p->maxt };
        if (p->mint < m.mint) m.mint = p->mint;
        if (p->maxt > m.maxt) m.maxt = p->maxt;
        if (p->level > m.level) m.level = p->level;
        for (size_t k = 0; k < p->sources_n; k++) {
            if (!has(sources.v, sources.n, p->sources[k])) *vec_push(a, &sources) = p->sources[k];
        }
        for (size_t k = 0; n == 1 && k < p->hints_n; k++) *vec_push(a, &hints) = p->hints[k];
    }
    if (sources.n) qsort(sources.v, sources.n, sizeof(*sources.v), by_bytes);
    m.level++;
    m.sources = sources.v;
    m.sources_n = sources.n;
    m.parents = parents;
    m.parents_n = n;
    m.hints = hints.v;
    m.hints_n = hints.n;
    return m;
}

enum err compact_blocks(const struct block_view *v, size_t n, struct str dir, int64_t now_ms,
                        struct compact_result *out, struct diag *d)
{
    ARENA(a, 0);
    struct block_writer *w;
    block_name(out->name, now_ms);
    TRY(block_writer_new(dir, out->name, 0, &w, d));
    enum err e = write_merged(v, n, w, &a, d);
    if (e != OK) {
        block_writer_abort(w);
        if (d && !d->text[0]) e = diag_set(d, e, "a block to compact is damaged");
        return e;
    }
    struct blockmeta m = merged_meta(&a, v, n);
    return finish_block(w, &m, out, d);
}
