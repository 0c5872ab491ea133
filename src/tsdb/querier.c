/* SPDX-License-Identifier: Apache-2.0 */
/*
 * querier.c - a view of the whole store: the head up to one commit, and the blocks of one moment
 *
 * Where only the head answers, a series is its slot. Else it is a chain of parts, one a source, ascending in time: blocks
 * by their beginning, the head last. Samples of a time that two parts have are shown once, the earlier part's.
 * The ticket is taken before the list of blocks: whoever moves samples from head to a block publishes the block first and
 * takes them out of the head when every ticket from before has gone.
 */
#include "base/vec.h"
#include "tsdb/columns.h"
#include "tsdb/headread.h"
#include "tsdb/tsdb_priv.h"

#define SOURCE_HEAD UINT32_MAX

struct part {
    struct part *next;
    uint32_t source; /* number in the list of blocks, or SOURCE_HEAD */
    uint32_t series; /* of the block, or slot */
};

struct chain {
    struct part *first, *last;
};

struct tsdb_querier {
    struct querier base;
    struct tsdb *db;
    struct reader_ticket ticket;
    struct head_reader head;
    struct tombs *head_tombs;
    struct block_list *blocks;
    struct block_cursor **cursors; /* one a block, made when it is first read */
    struct arena one;              /* a series' entry in an index */
    struct column scratch;
    int64_t mint, maxt;
};

static struct tsdb_querier *self_of(struct querier *q) { return (struct tsdb_querier *)q; }
static uint32_t slot_of(const struct series *s) { return (uint32_t)(s->ref - 1); }

static bool block_overlaps(const struct tsdb_querier *q, size_t i, int64_t mint, int64_t maxt)
{
    const struct blockmeta *m = &q->blocks->v[i].b->meta;
    if (mint < q->mint) mint = q->mint;
    if (maxt > q->maxt) maxt = q->maxt;
    return m->mint <= maxt && m->maxt > mint;
}

static bool any_block(const struct tsdb_querier *q, int64_t mint, int64_t maxt)
{
    for (size_t i = 0; i < q->blocks->n; i++) {
        if (block_overlaps(q, i, mint, maxt)) return true;
    }
    return false;
}

static struct block_cursor *cursor_of(struct tsdb_querier *q, size_t i)
{
    if (!q->cursors[i]) {
        q->cursors[i] = malloc(sizeof(*q->cursors[i]));
        ASSERT(q->cursors[i] != NULL);
        block_cursor_init(q->cursors[i], q->blocks->v[i].b);
    }
    return q->cursors[i];
}

static enum err damaged(const struct tsdb_querier *q, size_t i, enum err e, struct diag *d)
{
    return diag_set(d, e, "block " STR_FMT " is damaged", STR_ARG(q->blocks->v[i].b->meta.ulid));
}

/*
 * Reading
 */

static bool has_chunk_in(const struct blockindex_series *s, struct intervals deleted, int64_t mint,
                         int64_t maxt)
{
    for (size_t i = 0; i < s->chunks; i++) {
        const struct blockindex_chunk *c = &s->chunk[i];
        if (c->maxt < mint || c->mint > maxt) continue;
        if (!intervals_cover(deleted, c->mint, c->maxt)) return true;
    }
    return false;
}

static enum err decode_chunk(const struct block *b, const struct blockindex_chunk *c, int64_t mint,
                             int64_t maxt, struct column *to)
{
    unsigned encoding;
    struct str data;
    size_t from = to->n;
    TRY(block_chunk(b, c->ref, &encoding, &data));
    TRY(block_decode(encoding, data, to));
    if (c->mint < mint || c->maxt > maxt) column_trim(to, from, mint, maxt);
    return OK;
}

static enum err read_block(struct tsdb_querier *q, const struct part *p, int64_t mint, int64_t maxt,
                           struct column *c)
{
    const struct block_view *v = &q->blocks->v[p->source];
    struct blockindex_series s;
    size_t from = c->n;
    /* Of a block only its own time counts, whatever is in its chunks. */
    if (mint < v->b->meta.mint) mint = v->b->meta.mint;
    if (maxt >= v->b->meta.maxt) maxt = v->b->meta.maxt - 1;
    arena_reset(&q->one);
    TRY(blockindex_series(&v->b->index, &q->one, p->series, &s));
    for (size_t i = 0; i < s.chunks; i++) {
        size_t second = c->n;
        if (s.chunk[i].maxt < mint || s.chunk[i].mint > maxt) continue;
        TRY(decode_chunk(v->b, &s.chunk[i], mint, maxt, c));
        column_weave(c, from, second);
    }
    intervals_cut(tombs_get(v->tombs, p->series), c, from);
    return OK;
}

static enum err read_part(struct tsdb_querier *q, const struct part *p, int64_t mint, int64_t maxt,
                          struct column *c)
{
    if (p->source == SOURCE_HEAD) return head_read(&q->head, p->series, mint, maxt, c);
    return read_block(q, p, mint, maxt, c);
}

static enum err read_chain(struct tsdb_querier *q, const struct chain *chain, int64_t mint,
                           int64_t maxt, struct column *c)
{
    size_t from = c->n;
    for (const struct part *p = chain->first; p; p = p->next) {
        size_t second = c->n;
        TRY(read_part(q, p, mint, maxt, c));
        column_weave(c, from, second);
    }
    return OK;
}

static enum err q_read(struct querier *base, const struct series *s, int64_t mint, int64_t maxt,
                       struct column *c)
{
    struct tsdb_querier *q = self_of(base);
    if (!s->impl) return head_read(&q->head, slot_of(s), mint, maxt, c);
    size_t from = c->n;
    enum err e = read_chain(q, s->impl, mint, maxt, c);
    if (e != OK) c->n = from;
    return e;
}

/* The newest chunk of the part that gives a sample decides. */
static bool last_in_block(struct tsdb_querier *q, const struct part *p, int64_t mint, int64_t maxt,
                          struct sample *out)
{
    const struct block_view *v = &q->blocks->v[p->source];
    struct column *c = &q->scratch;
    struct blockindex_series s;
    if (maxt >= v->b->meta.maxt) maxt = v->b->meta.maxt - 1;
    if (mint < v->b->meta.mint) mint = v->b->meta.mint;
    arena_reset(&q->one);
    if (blockindex_series(&v->b->index, &q->one, p->series, &s) != OK) return false;
    for (size_t i = s.chunks; i-- > 0;) {
        if (s.chunk[i].mint > maxt) continue;
        if (s.chunk[i].maxt < mint) break;
        column_clear(c);
        if (decode_chunk(v->b, &s.chunk[i], mint, maxt, c) != OK) return false;
        intervals_cut(tombs_get(v->tombs, p->series), c, 0);
        if (!c->n) continue;
        *out = (struct sample){ c->t[c->n - 1], c->v[c->n - 1] };
        return true;
    }
    return false;
}

static bool q_last(struct querier *base, const struct series *s, int64_t mint, int64_t maxt,
                   struct sample *out)
{
    struct tsdb_querier *q = self_of(base);
    if (!s->impl) return head_last(&q->head, slot_of(s), mint, maxt, out);
    bool found = false;
    for (const struct part *p = ((const struct chain *)s->impl)->first; p; p = p->next) {
        struct sample x;
        bool any = p->source == SOURCE_HEAD ? head_last(&q->head, p->series, mint, maxt, &x)
                                            : last_in_block(q, p, mint, maxt, &x);
        if (!any || (found && x.t <= out->t)) continue;
        *out = x;
        found = true;
    }
    return found;
}

/*
 * Chunks, for whoever sends them on
 */

static enum err block_chunks(struct tsdb_querier *q, const struct part *p, int64_t mint,
                             int64_t maxt, struct arena *a, struct block_chunk **out, size_t *n)
{
    const struct block_view *v = &q->blocks->v[p->source];
    struct blockindex_series s;
    if (tombs_get(v->tombs, p->series).n) return ERR_UNSUPPORTED; /* decoded instead */
    TRY(blockindex_series(&v->b->index, a, p->series, &s));
    struct block_chunk *c = arena_array(a, s.chunks, sizeof(*c));
    *n = 0;
    for (size_t i = 0; i < s.chunks; i++) {
        if (s.chunk[i].maxt < mint || s.chunk[i].mint > maxt) continue;
        if (*n && s.chunk[i].mint <= c[*n - 1].maxt) return ERR_UNSUPPORTED;
        c[*n].mint = s.chunk[i].mint;
        c[*n].maxt = s.chunk[i].maxt;
        TRY(block_chunk(v->b, s.chunk[i].ref, &c[*n].encoding, &c[*n].data));
        (*n)++;
    }
    *out = c;
    return OK;
}

static enum err chunks_as_they_are(struct tsdb_querier *q, const struct series *s, int64_t mint,
                                   int64_t maxt, struct arena *a, struct block_chunk **out,
                                   size_t *n)
{
    VEC(struct block_chunk) all = { 0 };
    for (const struct part *p = ((const struct chain *)s->impl)->first; p; p = p->next) {
        struct block_chunk *c = NULL;
        size_t k = 0;
        if (p->source == SOURCE_HEAD) {
            TRY(head_chunks(&q->head, p->series, mint, maxt, a, &c, &k));
        } else {
            TRY(block_chunks(q, p, mint, maxt, a, &c, &k));
        }
        for (size_t i = 0; i < k; i++) {
            if (all.n && c[i].mint <= all.v[all.n - 1].maxt) return ERR_UNSUPPORTED;
            *vec_push(a, &all) = c[i];
        }
    }
    *out = all.v;
    *n = all.n;
    return OK;
}

enum err tsdb_series_chunks(struct querier *base, const struct series *s, int64_t mint,
                            int64_t maxt, struct arena *a, struct block_chunk **out, size_t *n)
{
    struct tsdb_querier *q = self_of(base);
    if (!s->impl) return head_chunks(&q->head, slot_of(s), mint, maxt, a, out, n);
    enum err e = chunks_as_they_are(q, s, mint, maxt, a, out, n);
    if (e != ERR_UNSUPPORTED) return e;
    struct column c = { 0 };
    e = q_read(base, s, mint, maxt, &c);
    if (e == OK) {
        *out = arena_array(a, block_encoded_max(&c), sizeof(**out));
        *n = block_encode(&c, 0, a, *out);
    }
    column_done(&c);
    return e;
}

/*
 * Selecting
 */

struct found {
    struct series *v;
    size_t n;
};

static int by_labels(const void *a, const void *b)
{
    return labels_cmp(((const struct series *)a)->lb, ((const struct series *)b)->lb);
}

static enum err select_head(struct tsdb_querier *q, struct arena *a, const struct matcher *m,
                            size_t n, int64_t mint, int64_t maxt, struct found *out, struct diag *d)
{
    struct head *h = q->head.h;
    struct postings p = tsdb_select(h, a, m, n);
    struct series *v = arena_array(a, p.n, sizeof(*v));
    size_t count = 0;
    for (size_t i = 0; i < p.n; i++) {
        if (!head_may_have(&q->head, p.v[i], mint, maxt)) continue;
        if (arena_over(a)) return diag_set(d, ERR_LIMIT, "the query selects too many series");
        v[count++] = (struct series){ .lb = head_labels(h, p.v[i], a),
                                      .ref = (uint64_t)p.v[i] + 1 };
    }
    if (count) qsort(v, count, sizeof(*v), by_labels);
    *out = (struct found){ v, count };
    return OK;
}

static void *chain_of(struct arena *a, uint32_t source, uint32_t series)
{
    struct part *p = arena_new(a, struct part);
    *p = (struct part){ .source = source, .series = series };
    struct chain *c = arena_new(a, struct chain);
    *c = (struct chain){ p, p };
    return c;
}

static enum err block_labels(struct tsdb_querier *q, uint32_t i, uint32_t series, int64_t mint,
                             int64_t maxt, struct arena *a, struct labels *lb, bool *any)
{
    struct blockindex_series s;
    struct labels found;
    arena_reset(&q->one);
    TRY(block_series(cursor_of(q, i), &q->one, series, &found, &s));
    *any = has_chunk_in(&s, tombs_get(q->blocks->v[i].tombs, series), mint, maxt);
    if (!*any) return OK;
    struct label *kept = arena_raw(a, found.n * sizeof(*kept)); /* strings are the block's */
    if (found.n) memcpy(kept, found.v, found.n * sizeof(*kept));
    *lb = (struct labels){ kept, found.n };
    return OK;
}

static enum err select_block(struct tsdb_querier *q, uint32_t i, struct arena *a,
                             const struct matcher *m, size_t n, int64_t mint, int64_t maxt,
                             struct found *out, struct diag *d)
{
    uint32_t *ids;
    size_t ids_n, count = 0;
    enum err e = block_select(q->blocks->v[i].b, a, m, n, &ids, &ids_n);
    if (e != OK) return damaged(q, i, e, d);
    struct series *v = arena_array(a, ids_n, sizeof(*v));
    for (size_t k = 0; k < ids_n; k++) {
        struct labels lb;
        bool any = false;
        e = block_labels(q, i, ids[k], mint, maxt, a, &lb, &any);
        if (e != OK) return damaged(q, i, e, d);
        if (arena_over(a)) return diag_set(d, ERR_LIMIT, "the query selects too many series");
        if (any) v[count++] = (struct series){ .lb = lb, .impl = chain_of(a, i, ids[k]) };
    }
    *out = (struct found){ v, count };
    return OK;
}

/* Two sorted lists become one; of equal labels y's chain follows x's. */
static struct found merge_two(struct arena *a, struct found x, struct found y)
{
    struct found to = { arena_array(a, x.n + y.n, sizeof(*to.v)), 0 };
    size_t i = 0, k = 0;
    while (i < x.n || k < y.n) {
        int c = i == x.n ? 1 : k == y.n ? -1 : labels_cmp(x.v[i].lb, y.v[k].lb);
        if (c == 0) {
            struct chain *first = (struct chain *)(uintptr_t)x.v[i].impl;
            const struct chain *second = y.v[k++].impl;
            first->last->next = second->first;
            first->last = second->last;
        }
        to.v[to.n++] = c <= 0 ? x.v[i] : y.v[k];
        if (c <= 0) {
            i++;
        } else {
            k++;
        }
    }
    return to;
}

/* Neighbours with neighbours, so that order in time stays and each series moves log(n) times. */
static struct found merge_all(struct arena *a, struct found *v, size_t n)
{
    if (!n) return (struct found){ 0 };
    while (n > 1) {
        size_t to = 0;
        for (size_t i = 0; i < n; i += 2) {
            v[to++] = i + 1 < n ? merge_two(a, v[i], v[i + 1]) : v[i];
        }
        n = to;
    }
    return v[0];
}

static enum err select_all(struct tsdb_querier *q, struct arena *a, const struct matcher *m,
                           size_t n, int64_t mint, int64_t maxt, struct found *out, struct diag *d)
{
    struct found *v = arena_array(a, q->blocks->n + 1, sizeof(*v));
    size_t k = 0;
    for (uint32_t i = 0; i < q->blocks->n; i++) {
        if (!block_overlaps(q, i, mint, maxt)) continue;
        TRY(select_block(q, i, a, m, n, mint, maxt, &v[k++], d));
    }
    TRY(select_head(q, a, m, n, mint, maxt, &v[k], d));
    for (size_t i = 0; i < v[k].n; i++) {
        v[k].v[i].impl = chain_of(a, SOURCE_HEAD, slot_of(&v[k].v[i]));
    }
    *out = merge_all(a, v, k + 1);
    return OK;
}

static enum err q_select(struct querier *base, struct arena *a, const struct matcher *m, size_t n,
                         int64_t mint, int64_t maxt, struct series **out, size_t *out_n,
                         struct diag *d)
{
    struct tsdb_querier *q = self_of(base);
    struct found f;
    if (any_block(q, mint, maxt)) {
        TRY(select_all(q, a, m, n, mint, maxt, &f, d));
    } else {
        TRY(select_head(q, a, m, n, mint, maxt, &f, d));
    }
    *out = f.v;
    *out_n = f.n;
    return OK;
}

/*
 * Names and values
 */

struct texts {
    struct arena *a;
    VEC(struct str) v;
};

static int by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void finish(struct texts *t, struct str **out, size_t *out_n)
{
    size_t n = 0;
    if (t->v.n) qsort(t->v.v, t->v.n, sizeof(*t->v.v), by_bytes);
    for (size_t i = 0; i < t->v.n; i++) {
        if (i == 0 || !str_eq(t->v.v[i], t->v.v[n - 1])) t->v.v[n++] = t->v.v[i];
    }
    *out = t->v.v;
    *out_n = n;
}

static void push_all(struct texts *t, const struct str *v, size_t n)
{
    for (size_t i = 0; i < n; i++) *vec_push(t->a, &t->v) = v[i];
}

static bool head_overlaps(const struct tsdb_querier *q)
{
    return atomic_load(&q->head.h->min_t) <= q->maxt && atomic_load(&q->head.h->max_t) >= q->mint;
}

/* name.n == 0: the names of the selected series' labels, else their values of it. */
static enum err texts_of_selected(struct tsdb_querier *q, uint32_t i, struct str name,
                                  const struct matcher *m, size_t n, struct texts *t)
{
    uint32_t *ids;
    size_t ids_n;
    TRY(block_select(q->blocks->v[i].b, t->a, m, n, &ids, &ids_n));
    struct map seen = { 0 };
    enum err e = OK;
    for (size_t k = 0; k < ids_n && e == OK; k++) {
        struct blockindex_series s;
        struct labels lb;
        arena_reset(&q->one);
        e = block_series(cursor_of(q, i), &q->one, ids[k], &lb, &s);
        for (size_t l = 0; e == OK && l < lb.n; l++) {
            if (name.n && !str_eq(lb.v[l].name, name)) continue;
            struct str text = name.n ? lb.v[l].value : lb.v[l].name;
            if (!map_put(&seen, text, q)) *vec_push(t->a, &t->v) = text;
        }
    }
    map_done(&seen);
    return e;
}

static void names_of_block(const struct block *b, struct texts *t)
{
    for (size_t i = 0; i < b->index.names_n; i++) {
        if (b->index.names[i].name.n) *vec_push(t->a, &t->v) = b->index.names[i].name;
    }
}

static enum err values_of_block(const struct block *b, struct str name, struct texts *t)
{
    struct blockindex_values it;
    struct str value;
    uint64_t offset;
    if (!blockindex_values_begin(&b->index, name, &it)) return OK;
    enum err e;
    while ((e = blockindex_values_next(&b->index, &it, &value, &offset)) == OK) {
        *vec_push(t->a, &t->v) = value;
    }
    return e == ERR_EOF ? OK : e;
}

static enum err block_texts(struct tsdb_querier *q, struct str name, const struct matcher *m,
                            size_t n, struct texts *t, struct diag *d)
{
    for (uint32_t i = 0; i < q->blocks->n; i++) {
        if (!block_overlaps(q, i, q->mint, q->maxt)) continue;
        const struct block *b = q->blocks->v[i].b;
        enum err e = OK;
        if (n) {
            e = texts_of_selected(q, i, name, m, n, t);
        } else if (name.n) {
            e = values_of_block(b, name, t);
        } else {
            names_of_block(b, t);
        }
        if (e != OK) return damaged(q, i, e, d);
    }
    return OK;
}

static enum err q_label_names(struct querier *base, struct arena *a, const struct matcher *m,
                              size_t n, struct str **out, size_t *out_n, struct diag *d)
{
    struct tsdb_querier *q = self_of(base);
    struct texts t = { .a = a };
    struct str *v = NULL;
    size_t count = 0;
    TRY(block_texts(q, STR(""), m, n, &t, d));
    if (!t.v.n || head_overlaps(q)) head_label_names(&q->head, a, m, n, &v, &count);
    push_all(&t, v, count);
    finish(&t, out, out_n);
    return OK;
}

static enum err q_label_values(struct querier *base, struct arena *a, struct str name,
                               const struct matcher *m, size_t n, struct str **out, size_t *out_n,
                               struct diag *d)
{
    struct tsdb_querier *q = self_of(base);
    struct texts t = { .a = a };
    struct str *v = NULL;
    size_t count = 0;
    if (name.n) {
        TRY(block_texts(q, name, m, n, &t, d));
        if (!t.v.n || head_overlaps(q)) head_label_values(&q->head, a, name, m, n, &v, &count);
    }
    push_all(&t, v, count);
    finish(&t, out, out_n);
    return OK;
}

/*
 * Opening and closing
 */

static void q_close(struct querier *base)
{
    struct tsdb_querier *q = self_of(base);
    for (size_t i = 0; i < q->blocks->n; i++) free(q->cursors[i]);
    free(q->cursors);
    block_list_unref(q->blocks);
    tombs_unref(q->head_tombs);
    readers_leave(&q->db->readers, &q->ticket);
    column_done(&q->head.scratch);
    column_done(&q->scratch);
    arena_done(&q->one);
    free(q);
}

static const struct querier_ops QUERIER_OPS = {
    .select = q_select,
    .read = q_read,
    .last = q_last,
    .label_names = q_label_names,
    .label_values = q_label_values,
    .close = q_close,
};

static enum err q_open(struct queryable *qa, int64_t mint, int64_t maxt, struct querier **out,
                       struct diag *d)
{
    (void)d;
    struct tsdb *db = CONTAINER_OF(qa, struct tsdb, qa);
    struct tsdb_querier *q = calloc(1, sizeof(*q));
    ASSERT(q != NULL);
    q->base.ops = &QUERIER_OPS;
    q->db = db;
    q->mint = mint;
    q->maxt = maxt;
    readers_enter(&db->readers, &q->ticket, &db->commits);
    q->blocks = blocks_list(&db->blocks);
    q->cursors = calloc(q->blocks->n + 1, sizeof(struct block_cursor *));
    ASSERT(q->cursors != NULL);
    q->head_tombs = tsdb_head_tombs(db);
    q->head.h = atomic_load(&db->head);
    q->head.files = &db->files;
    q->head.snapshot = q->ticket.snapshot;
    q->head.tombs = q->head_tombs;
    *out = &q->base;
    return OK;
}

const struct queryable_ops tsdb_queryable_ops = { .open = q_open };
