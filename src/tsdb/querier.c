/* SPDX-License-Identifier: Apache-2.0 */
/*
 * querier.c - a view of the head: whole commits up to the one that was newest when it was opened
 */
#include "base/vec.h"
#include "tsdb/tsdb_priv.h"

struct tsdb_querier {
    struct querier base;
    struct tsdb *db;
    struct reader_ticket ticket;
    struct open_copy copy;
    struct column scratch; /* last()'s */
};

/* A series' chunks at one moment. */
struct view {
    const struct full_chunk *full;
    uint32_t full_n;
    int64_t visible; /* newest time this reader may see */
    bool any;
};

static struct tsdb_querier *self_of(struct querier *q) { return (struct tsdb_querier *)q; }

/* Copies the line, with `bits` the open chunk, and where the full ones are. */
static struct view view_of(struct tsdb_querier *q, uint32_t slot, bool bits)
{
    struct head *h = &q->db->head;
    const struct hot *line = head_hot(h, slot);
    const struct cold *c = head_cold(h, slot);
    struct view v = { 0 };
    uint32_t seq;
    do {
        seq = open_read_begin(line);
        open_copy(line, &h->segments, bits, &q->copy);
        v.full_n = atomic_load_explicit(&c->full_n, memory_order_acquire);
        v.full = atomic_load_explicit(&c->full, memory_order_acquire);
    } while (open_read_again(line, seq));
    v.visible = head_visible(h, slot, q->copy.t, q->copy.prev_t, q->copy.commit,
                             q->ticket.snapshot);
    v.any = v.visible != NO_TIME;
    return v;
}

/*
 * Reading
 */

static enum err chunk_data(const struct tsdb *db, const struct full_chunk *f, struct str *data)
{
    uint64_t ref = atomic_load_explicit(&f->ref, memory_order_acquire);
    if (!(ref & CHUNK_IN_MEMORY)) return chunkfiles_read(&db->files, ref, data);
    const struct blob *b = (const struct blob *)(uintptr_t)(ref & ~CHUNK_IN_MEMORY);
    *data = str_make(b->data, b->bytes);
    return OK;
}

/* Keeps of what was decoded behind `from` only the times in [mint, maxt]: one stretch, since times ascend. */
static void trim(struct column *c, size_t from, int64_t mint, int64_t maxt)
{
    while (c->n > from && c->t[c->n - 1] > maxt) c->n--;
    size_t skip = from;
    while (skip < c->n && c->t[skip] < mint) skip++;
    if (skip == from) return;
    memmove(c->t + from, c->t + skip, (c->n - skip) * sizeof(*c->t));
    memmove(c->v + from, c->v + skip, (c->n - skip) * sizeof(*c->v));
    c->n -= skip - from;
}

static void room_for(struct column *c, size_t n)
{
    if (c->n + n > c->cap) column_reserve(c, c->n + n > c->cap * 2 ? c->n + n : c->cap * 2);
}

static enum err decode_full(struct tsdb_querier *q, const struct full_chunk *f, int64_t mint,
                            int64_t maxt, struct column *c)
{
    struct str data;
    TRY(chunk_data(q->db, f, &data));
    size_t n = xor_count(data), from = c->n;
    room_for(c, n);
    TRY(xor_decode(data, c->t + from, c->v + from));
    c->n += n;
    if (f->mint < mint || f->maxt > maxt) trim(c, from, mint, maxt);
    return OK;
}

static enum err decode_open(struct tsdb_querier *q, int64_t mint, int64_t maxt, struct column *c)
{
    const struct open_copy *o = &q->copy;
    if (!o->n || o->first_t > maxt || o->t < mint) return OK;
    size_t from = c->n;
    room_for(c, o->n);
    TRY(xor_decode_stream(str_make(o->bits, o->bytes), o->n, c->t + from, c->v + from));
    c->n += o->n;
    if (o->first_t < mint || o->t > maxt) trim(c, from, mint, maxt);
    return OK;
}

/* First full chunk that ends at or after mint: they ascend and do not overlap. */
static uint32_t first_chunk(const struct view *v, int64_t mint)
{
    uint32_t low = 0, high = v->full_n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (v->full[mid].maxt < mint) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static uint32_t slot_of(const struct series *s) { return (uint32_t)(s->ref - 1); }

static enum err read_samples(struct tsdb_querier *q, uint32_t slot, int64_t mint, int64_t maxt,
                             struct column *c)
{
    struct view v = view_of(q, slot, true);
    if (!v.any) return OK;
    if (maxt > v.visible) maxt = v.visible;
    for (uint32_t i = first_chunk(&v, mint); i < v.full_n && v.full[i].mint <= maxt; i++) {
        TRY(decode_full(q, &v.full[i], mint, maxt, c));
    }
    return decode_open(q, mint, maxt, c);
}

static enum err q_read(struct querier *base, const struct series *s, int64_t mint, int64_t maxt,
                       struct column *c)
{
    size_t from = c->n;
    enum err e = read_samples(self_of(base), slot_of(s), mint, maxt, c);
    if (e != OK) c->n = from;
    return e;
}

/* The newest full chunk that begins at or before maxt, if it reaches mint. */
static bool last_in_full(struct tsdb_querier *q, const struct view *v, int64_t mint, int64_t maxt,
                         struct sample *out)
{
    uint32_t i = first_chunk(v, maxt);
    if (i == v->full_n || v->full[i].mint > maxt) {
        if (i == 0 || v->full[--i].maxt < mint) return false;
    }
    struct column *c = &q->scratch;
    column_clear(c);
    if (decode_full(q, &v->full[i], mint, maxt, c) != OK || !c->n) return false;
    *out = (struct sample){ c->t[c->n - 1], c->v[c->n - 1] };
    return true;
}

static bool q_last(struct querier *base, const struct series *s, int64_t mint, int64_t maxt,
                   struct sample *out)
{
    struct tsdb_querier *q = self_of(base);
    struct view v = view_of(q, slot_of(s), false);
    if (!v.any) return false;
    if (maxt > v.visible) maxt = v.visible;
    if (q->copy.t <= maxt) { /* nearly always: the line has it */
        if (q->copy.t < mint) return false;
        *out = (struct sample){ q->copy.t, double_of_bits(q->copy.v) };
        return true;
    }
    v = view_of(q, slot_of(s), true);
    struct column *c = &q->scratch;
    column_clear(c);
    if (decode_open(q, mint, maxt, c) == OK && c->n) {
        *out = (struct sample){ c->t[c->n - 1], c->v[c->n - 1] };
        return true;
    }
    return last_in_full(q, &v, mint, maxt, out);
}

/*
 * Selecting
 */

static bool may_have(struct tsdb_querier *q, uint32_t slot, int64_t mint, int64_t maxt)
{
    int64_t first = atomic_load_explicit(&head_cold(&q->db->head, slot)->first_t,
                                         memory_order_acquire);
    if (first > maxt) return false;
    struct view v = view_of(q, slot, false);
    return v.any && v.visible >= mint && v.visible >= first;
}

static int by_labels(const void *a, const void *b)
{
    return labels_cmp(((const struct series *)a)->lb, ((const struct series *)b)->lb);
}

static enum err q_select(struct querier *base, struct arena *a, const struct matcher *m, size_t n,
                         int64_t mint, int64_t maxt, struct series **out, size_t *out_n,
                         struct diag *d)
{
    struct tsdb_querier *q = self_of(base);
    struct head *h = &q->db->head;
    struct postings p = tsdb_select(h, a, m, n);
    struct series *v = arena_array(a, p.n, sizeof(*v));
    size_t count = 0;
    for (size_t i = 0; i < p.n; i++) {
        if (!may_have(q, p.v[i], mint, maxt)) continue;
        if (arena_over(a)) return diag_set(d, ERR_LIMIT, "the query selects too many series");
        v[count++] = (struct series){ .lb = head_labels(h, p.v[i], a),
                                      .ref = (uint64_t)p.v[i] + 1 };
    }
    qsort(v, count, sizeof(*v), by_labels);
    *out = v;
    *out_n = count;
    return OK;
}

/*
 * Names and values
 */

static int by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void finish(struct str *v, size_t n, struct str **out, size_t *out_n)
{
    qsort(v, n, sizeof(*v), by_bytes);
    *out = v;
    *out_n = n;
}

/* The members of a posting of postings, as text: their names, or their values. */
static struct str *texts(const struct head *h, struct arena *a, const struct shared_u32 *list,
                         bool names, size_t *n)
{
    uint32_t count;
    const uint32_t *ids = shared_u32_get(list, &count);
    struct str *v = arena_array(a, count, sizeof(*v));
    for (uint32_t i = 0; i < count; i++) {
        const struct posting *p = index_posting(&h->index, ids[i]);
        v[i] = symbols_get(&h->symbols, names ? p->name : p->value);
    }
    *n = count;
    return v;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Sorts and drops repeats. */
static size_t unique_u32(uint32_t *v, size_t n)
{
    size_t kept = 0;
    if (n) qsort(v, n, sizeof(*v), by_number);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || v[i] != v[kept - 1]) v[kept++] = v[i];
    }
    return kept;
}

static enum err q_label_names(struct querier *base, struct arena *a, const struct matcher *m,
                              size_t n, struct str **out, size_t *out_n, struct diag *d)
{
    (void)d;
    const struct head *h = &self_of(base)->db->head;
    size_t count = 0;
    if (!n) {
        struct str *all = texts(h, a, &h->index.names, true, &count);
        finish(all, count, out, out_n);
        return OK;
    }
    struct postings p = tsdb_select(h, a, m, n);
    VEC(uint32_t) ids = { 0 };
    const struct shape *seen = NULL; /* neighbours mostly have the same names */
    for (size_t i = 0; i < p.n; i++) {
        const struct shape *s = head_cold(h, p.v[i])->shape;
        if (s == seen) continue;
        seen = s;
        for (uint32_t k = 0; k < s->n; k++) *vec_push(a, &ids) = s->names[k];
    }
    count = unique_u32(ids.v, ids.n);
    struct str *v = arena_array(a, count, sizeof(*v));
    for (size_t i = 0; i < count; i++) v[i] = symbols_get(&h->symbols, ids.v[i]);
    finish(v, count, out, out_n);
    return OK;
}

static enum err q_label_values(struct querier *base, struct arena *a, struct str name,
                               const struct matcher *m, size_t n, struct str **out, size_t *out_n,
                               struct diag *d)
{
    (void)d;
    const struct head *h = &self_of(base)->db->head;
    uint32_t id = symbols_find(&h->symbols, name);
    const struct posting *of_name = id == SYMBOL_NONE ? NULL
                                                      : index_find(&h->index, id, SYMBOL_NONE);
    *out = NULL;
    *out_n = 0;
    if (!of_name) return OK;
    size_t count = 0;
    if (!n) {
        struct str *all = texts(h, a, &of_name->list, false, &count);
        finish(all, count, out, out_n);
        return OK;
    }
    struct postings p = tsdb_select(h, a, m, n);
    uint32_t *ids = arena_raw(a, p.n * sizeof(*ids));
    for (size_t i = 0; i < p.n; i++) {
        uint32_t value = head_label(h, p.v[i], id);
        if (value != SYMBOL_NONE) ids[count++] = value;
    }
    count = unique_u32(ids, count);
    struct str *v = arena_array(a, count, sizeof(*v));
    for (size_t i = 0; i < count; i++) v[i] = symbols_get(&h->symbols, ids[i]);
    finish(v, count, out, out_n);
    return OK;
}

static void q_close(struct querier *base)
{
    struct tsdb_querier *q = self_of(base);
    readers_leave(&q->db->head.readers, &q->ticket);
    column_done(&q->scratch);
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
    (void)mint;
    (void)maxt;
    (void)d;
    struct tsdb *db = CONTAINER_OF(qa, struct tsdb, qa);
    struct tsdb_querier *q = calloc(1, sizeof(*q));
    ASSERT(q != NULL);
    q->base.ops = &QUERIER_OPS;
    q->db = db;
    readers_enter(&db->head.readers, &q->ticket, &db->head.commits);
    *out = &q->base;
    return OK;
}

const struct queryable_ops tsdb_queryable_ops = { .open = q_open };
