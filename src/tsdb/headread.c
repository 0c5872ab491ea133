/* SPDX-License-Identifier: Apache-2.0 */
#include "tsdb/headread.h"

#include "base/vec.h"
#include "tsdb/columns.h"
#include "tsdb/tsdb_priv.h"

/* A series' chunks at one moment. */
struct view {
    const struct full_chunk *full;
    uint32_t full_n;
    int64_t visible; /* newest time this reader may see */
    bool any;
};

/* Copies the line, with `bits` the open chunk, and where the full ones are. */
static struct view view_of(struct head_reader *r, uint32_t slot, bool bits)
{
    struct head *h = r->h;
    const struct hot *line = head_hot(h, slot);
    const struct cold *c = head_cold(h, slot);
    struct view v = { 0 };
    uint32_t seq;
    do {
        seq = open_read_begin(line);
        open_copy(line, &h->segments, bits, &r->copy);
        v.full_n = atomic_load_explicit(&c->full_n, memory_order_acquire);
        v.full = atomic_load_explicit(&c->full, memory_order_acquire);
    } while (open_read_again(line, seq));
    v.visible = head_visible(h, slot, r->copy.t, r->copy.prev_t, r->copy.commit, r->snapshot);
    v.any = v.visible != NO_TIME;
    return v;
}

/*
 * Samples
 */

static enum err chunk_data(const struct head_reader *r, const struct full_chunk *f,
                           struct str *data)
{
    uint64_t ref = atomic_load_explicit(&f->ref, memory_order_acquire);
    if (!(ref & CHUNK_IN_MEMORY)) return chunkfiles_read(r->files, ref, data);
    const struct blob *b = (const struct blob *)(uintptr_t)(ref & ~CHUNK_IN_MEMORY);
    *data = str_make(b->data, b->bytes);
    return OK;
}

static void room_for(struct column *c, size_t n)
{
    if (c->n + n > c->cap) column_reserve(c, c->n + n > c->cap * 2 ? c->n + n : c->cap * 2);
}

static enum err decode_full(struct head_reader *r, const struct full_chunk *f, int64_t mint,
                            int64_t maxt, struct column *c)
{
    struct str data;
    TRY(chunk_data(r, f, &data));
    size_t n = xor_count(data), from = c->n;
    room_for(c, n);
    TRY(xor_decode(data, c->t + from, c->v + from));
    c->n += n;
    if (f->mint < mint || f->maxt > maxt) column_trim(c, from, mint, maxt);
    return OK;
}

static enum err decode_open(struct head_reader *r, int64_t mint, int64_t maxt, struct column *c)
{
    const struct open_copy *o = &r->copy;
    if (!o->n || o->first_t > maxt || o->t < mint) return OK;
    size_t from = c->n;
    room_for(c, o->n);
    TRY(xor_decode_stream(str_make(o->bits, o->bytes), o->n, c->t + from, c->v + from));
    c->n += o->n;
    if (o->first_t < mint || o->t > maxt) column_trim(c, from, mint, maxt);
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

/* The newest full chunk that begins at or before maxt, if it reaches mint. */
static bool last_in_full(struct head_reader *r, const struct view *v, int64_t mint, int64_t maxt,
                         struct sample *out)
{
    uint32_t i = first_chunk(v, maxt);
    if (i == v->full_n || v->full[i].mint > maxt) {
        if (i == 0 || v->full[--i].maxt < mint) return false;
    }
    struct column *c = &r->scratch;
    column_clear(c);
    if (decode_full(r, &v->full[i], mint, maxt, c) != OK || !c->n) return false;
    *out = (struct sample){ c->t[c->n - 1], c->v[c->n - 1] };
    return true;
}

static struct intervals deleted_of(const struct head_reader *r, uint32_t slot)
{
    if (!tombs_count(r->tombs)) return (struct intervals){ 0 };
    return tombs_get(r->tombs, head_ident(r->h, slot)->ref);
}

static enum err read_all(struct head_reader *r, uint32_t slot, int64_t mint, int64_t maxt,
                         struct column *c)
{
    struct view v = view_of(r, slot, true);
    if (!v.any) return OK;
    if (maxt > v.visible) maxt = v.visible;
    for (uint32_t i = first_chunk(&v, mint); i < v.full_n && v.full[i].mint <= maxt; i++) {
        TRY(decode_full(r, &v.full[i], mint, maxt, c));
    }
    return decode_open(r, mint, maxt, c);
}

enum err head_read(struct head_reader *r, uint32_t slot, int64_t mint, int64_t maxt,
                   struct column *c)
{
    size_t from = c->n;
    enum err e = read_all(r, slot, mint, maxt, c);
    if (e != OK) c->n = from;
    intervals_cut(deleted_of(r, slot), c, from);
    return e;
}

static bool last_of_all(struct head_reader *r, uint32_t slot, int64_t mint, int64_t maxt,
                        struct sample *out)
{
    struct column *c = &r->scratch;
    column_clear(c);
    if (head_read(r, slot, mint, maxt, c) != OK || !c->n) return false;
    *out = (struct sample){ c->t[c->n - 1], c->v[c->n - 1] };
    return true;
}

bool head_last(struct head_reader *r, uint32_t slot, int64_t mint, int64_t maxt, struct sample *out)
{
    struct view v = view_of(r, slot, false);
    if (!v.any) return false;
    if (tombs_count(r->tombs) && deleted_of(r, slot).n) {
        return last_of_all(r, slot, mint, maxt, out);
    }
    if (maxt > v.visible) maxt = v.visible;
    if (r->copy.t <= maxt) { /* nearly always: the line has it */
        if (r->copy.t < mint) return false;
        *out = (struct sample){ r->copy.t, double_of_bits(r->copy.v) };
        return true;
    }
    v = view_of(r, slot, true);
    struct column *c = &r->scratch;
    column_clear(c);
    if (decode_open(r, mint, maxt, c) == OK && c->n) {
        *out = (struct sample){ c->t[c->n - 1], c->v[c->n - 1] };
        return true;
    }
    return last_in_full(r, &v, mint, maxt, out);
}

bool head_may_have(struct head_reader *r, uint32_t slot, int64_t mint, int64_t maxt)
{
    int64_t first = atomic_load_explicit(&head_cold(r->h, slot)->first_t, memory_order_acquire);
    if (first > maxt) return false;
    struct view v = view_of(r, slot, false);
    return v.any && v.visible >= mint && v.visible >= first;
}

/*
 * Chunks
 */

struct chunk_list {
    struct arena *a;
    VEC(struct block_chunk) v;
};

static void push_column(struct chunk_list *l, const struct column *c)
{
    if (!c->n) return;
    struct block_chunk *made = arena_raw(l->a, block_encoded_max(c) * sizeof(*made));
    size_t n = block_encode(c, 0, l->a, made);
    for (size_t i = 0; i < n; i++) *vec_push(l->a, &l->v) = made[i];
}

/* The part of a chunk that is in range and not deleted. */
static enum err push_part(struct chunk_list *l, unsigned encoding, struct str data, int64_t mint,
                          int64_t maxt, struct intervals deleted)
{
    struct column c = { 0 };
    enum err e = block_decode(encoding, data, &c);
    if (e == OK) {
        column_trim(&c, 0, mint, maxt);
        intervals_cut(deleted, &c, 0);
        push_column(l, &c);
    }
    column_done(&c);
    return e;
}

static enum err push_chunk(struct chunk_list *l, const struct block_chunk *c, int64_t mint,
                           int64_t maxt, struct intervals deleted)
{
    if (c->maxt < mint || c->mint > maxt || intervals_cover(deleted, c->mint, c->maxt)) return OK;
    if (c->mint < mint || c->maxt > maxt || intervals_touch(deleted, c->mint, c->maxt)) {
        return push_part(l, c->encoding, c->data, mint, maxt, deleted);
    }
    *vec_push(l->a, &l->v) = *c;
    return OK;
}

static enum err push_open(struct head_reader *r, struct chunk_list *l, int64_t mint, int64_t maxt,
                          struct intervals deleted)
{
    const struct open_copy *o = &r->copy;
    if (!o->n) return OK;
    char *data = arena_raw(l->a, 2 + o->bytes);
    store_be16(data, (uint16_t)o->n);
    memcpy(data + 2, o->bits, o->bytes);
    struct block_chunk c = { o->first_t, o->t, CHUNK_XOR, str_make(data, 2 + o->bytes) };
    return push_chunk(l, &c, mint, maxt, deleted);
}

enum err head_chunks(struct head_reader *r, uint32_t slot, int64_t mint, int64_t maxt,
                     struct arena *a, struct block_chunk **out, size_t *n)
{
    struct chunk_list l = { .a = a };
    struct view v = view_of(r, slot, true);
    struct intervals deleted = deleted_of(r, slot);
    if (v.any) {
        if (maxt > v.visible) maxt = v.visible;
        for (uint32_t i = first_chunk(&v, mint); i < v.full_n && v.full[i].mint <= maxt; i++) {
            struct block_chunk c = { v.full[i].mint, v.full[i].maxt, CHUNK_XOR, { 0 } };
            TRY(chunk_data(r, &v.full[i], &c.data));
            TRY(push_chunk(&l, &c, mint, maxt, deleted));
        }
        TRY(push_open(r, &l, mint, maxt, deleted));
    }
    *out = l.v.v;
    *n = l.v.n;
    return OK;
}

/*
 * Names and values
 */

static bool alive(const struct head *h, uint32_t slot)
{
    return atomic_load_explicit(&head_cold(h, slot)->first_t, memory_order_acquire) != INT64_MAX;
}

static bool any_alive(const struct head *h, const struct posting *p)
{
    uint32_t n;
    const uint32_t *v = shared_u32_get(&p->list, &n);
    for (uint32_t i = 0; i < n; i++) {
        if (alive(h, v[i])) return true;
    }
    return false;
}

static bool name_alive(const struct head *h, const struct posting *of_name)
{
    uint32_t n;
    const uint32_t *v = shared_u32_get(&of_name->list, &n);
    for (uint32_t i = 0; i < n; i++) {
        if (any_alive(h, index_posting(&h->index, v[i]))) return true;
    }
    return false;
}

/* The members of a posting of postings that are alive, as text: their names, or their values. */
static void texts(const struct head *h, struct arena *a, const struct shared_u32 *list, bool names,
                  struct str **out, size_t *out_n)
{
    uint32_t count;
    const uint32_t *ids = shared_u32_get(list, &count);
    struct str *v = arena_array(a, count, sizeof(*v));
    size_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct posting *p = index_posting(&h->index, ids[i]);
        if (names ? !name_alive(h, p) : !any_alive(h, p)) continue;
        v[n++] = symbols_get(&h->symbols, names ? p->name : p->value);
    }
    *out = v;
    *out_n = n;
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

static void symbol_texts(const struct head *h, struct arena *a, uint32_t *ids, size_t n,
                         struct str **out, size_t *out_n)
{
    size_t count = unique_u32(ids, n);
    struct str *v = arena_array(a, count, sizeof(*v));
    for (size_t i = 0; i < count; i++) v[i] = symbols_get(&h->symbols, ids[i]);
    *out = v;
    *out_n = count;
}

void head_label_names(struct head_reader *r, struct arena *a, const struct matcher *m, size_t n,
                      struct str **out, size_t *out_n)
{
    const struct head *h = r->h;
    if (!n) {
        texts(h, a, &h->index.names, true, out, out_n);
        return;
    }
    struct postings p = tsdb_select(h, a, m, n);
    VEC(uint32_t) ids = { 0 };
    const struct shape *seen = NULL; /* neighbours mostly have the same names */
    for (size_t i = 0; i < p.n; i++) {
        const struct shape *s = head_cold(h, p.v[i])->shape;
        if (s == seen || !alive(h, p.v[i])) continue;
        seen = s;
        for (uint32_t k = 0; k < s->n; k++) *vec_push(a, &ids) = s->names[k];
    }
    symbol_texts(h, a, ids.v, ids.n, out, out_n);
}

void head_label_values(struct head_reader *r, struct arena *a, struct str name,
                       const struct matcher *m, size_t n, struct str **out, size_t *out_n)
{
    const struct head *h = r->h;
    uint32_t id = symbols_find(&h->symbols, name);
    const struct posting *of_name = id == SYMBOL_NONE ? NULL
                                                      : index_find(&h->index, id, SYMBOL_NONE);
    *out = NULL;
    *out_n = 0;
    if (!of_name) return;
    if (!n) {
        texts(h, a, &of_name->list, false, out, out_n);
        return;
    }
    struct postings p = tsdb_select(h, a, m, n);
    uint32_t *ids = arena_raw(a, p.n * sizeof(*ids));
    size_t count = 0;
    for (size_t i = 0; i < p.n; i++) {
        uint32_t value = alive(h, p.v[i]) ? head_label(h, p.v[i], id) : SYMBOL_NONE;
        if (value != SYMBOL_NONE) ids[count++] = value;
    }
    symbol_texts(h, a, ids, count, out, out_n);
}
