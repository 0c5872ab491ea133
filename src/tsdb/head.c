/* SPDX-License-Identifier: Apache-2.0 */
#include "tsdb/head.h"

#include "base/hash.h"

#include <stdlib.h>

enum { TABLE_MIN = 1024, VALUE_WORDS = 16 * 1024 };

struct value_block {
    struct value_block *older;
    size_t used, cap;
    uint32_t words[];
};

void head_init(struct head *h, int64_t range, struct readers *readers)
{
    *h = (struct head){ .range = range, .table_cap = TABLE_MIN, .readers = readers };
    symbols_init(&h->symbols, h->readers);
    index_init(&h->index, h->readers);
    history_init(&h->history);
    paged_init(&h->hot, sizeof(struct hot));
    paged_init(&h->cold, sizeof(struct cold));
    paged_init(&h->ident, sizeof(struct ident));
    paged_init(&h->handles, sizeof(uint32_t));
    segments_init(&h->segments);
    h->table = calloc(h->table_cap, sizeof(*h->table));
    ASSERT(h->table != NULL);
    h->blobs_end = &h->blobs;
    atomic_store(&h->min_t, INT64_MAX);
    atomic_store(&h->max_t, INT64_MIN);
}

static void free_values(struct head *h)
{
    while (h->values) {
        struct value_block *older = h->values->older;
        free(h->values);
        h->values = older;
    }
    MAP_FOR(s, &h->shapes) {
        free(s->value);
    }
    map_done(&h->shapes);
}

static void free_chunks(struct head *h)
{
    while (h->blobs) {
        struct blob *next = h->blobs->next;
        free(h->blobs);
        h->blobs = next;
    }
    for (uint32_t slot = 0; slot < h->cold.n; slot++) {
        free(atomic_load_explicit(&head_cold(h, slot)->full, memory_order_relaxed));
    }
}

void head_done(struct head *h)
{
    free_chunks(h);
    free_values(h);
    free(h->table);
    free(h->scratch);
    symbols_done(&h->symbols);
    index_done(&h->index);
    history_done(&h->history);
    segments_done(&h->segments);
    paged_done(&h->hot);
    paged_done(&h->cold);
    paged_done(&h->ident);
    paged_done(&h->handles);
}

/*
 * Label sets
 */

static uint32_t *value_room(struct head *h, size_t n)
{
    if (!h->values || h->values->cap - h->values->used < n) {
        size_t cap = n > VALUE_WORDS ? n : VALUE_WORDS;
        struct value_block *b = malloc(sizeof(*b) + cap * sizeof(b->words[0]));
        ASSERT(b != NULL);
        *b = (struct value_block){ .older = h->values, .cap = cap };
        h->values = b;
    }
    uint32_t *at = h->values->words + h->values->used;
    h->values->used += n;
    return at;
}

static struct str words_str(const uint32_t *w, size_t n)
{
    return str_make((const char *)w, n * sizeof(*w));
}

static const struct shape *shape_find(const struct head *h, const uint32_t *names, size_t n)
{
    return map_get(&h->shapes, words_str(names, n));
}

static const struct shape *shape_add(struct head *h, const uint32_t *names, size_t n)
{
    struct shape *s = malloc(sizeof(*s) + n * sizeof(s->names[0]));
    ASSERT(s != NULL);
    s->n = (uint32_t)n;
    memcpy(s->names, names, n * sizeof(*names));
    (void)map_put(&h->shapes, words_str(s->names, n), s);
    return s;
}

static uint64_t set_hash(const struct shape *shape, const uint32_t *values)
{
    return hash_bytes(words_str(values, shape->n)) ^ hash_u64((uintptr_t)shape);
}

/*
 * Names to the front half of scratch, values to the back half, as symbols. NULL: there is a string that no series has,
 * and `add` was not asked for.
 */
static uint32_t *intern(struct head *h, struct labels lb, bool add)
{
    if (h->scratch_cap < 2 * lb.n) {
        h->scratch_cap = 4 * lb.n;
        h->scratch = realloc(h->scratch, h->scratch_cap * sizeof(*h->scratch));
        ASSERT(h->scratch != NULL);
    }
    for (size_t i = 0; i < lb.n; i++) {
        const struct label *l = &lb.v[i];
        uint32_t name = add ? symbols_add(&h->symbols, l->name)
                            : symbols_find(&h->symbols, l->name);
        uint32_t value = add ? symbols_add(&h->symbols, l->value)
                             : symbols_find(&h->symbols, l->value);
        if (name == SYMBOL_NONE || value == SYMBOL_NONE) return NULL;
        h->scratch[i] = name;
        h->scratch[lb.n + i] = value;
    }
    return h->scratch;
}

/*
 * Series
 */

/* The place of the set in the table, or the free place where it belongs. */
static size_t table_find(const struct head *h, const struct shape *shape, const uint32_t *values,
                         uint64_t hash)
{
    size_t i = hash & (h->table_cap - 1);
    for (; h->table[i]; i = (i + 1) & (h->table_cap - 1)) {
        if (h->table[i] >> 32 != hash >> 32) continue;
        const struct cold *c = head_cold(h, (uint32_t)h->table[i] - 1);
        if (c->shape == shape && memcmp(c->values, values, shape->n * sizeof(*values)) == 0) break;
    }
    return i;
}

static void table_grow(struct head *h)
{
    uint64_t *old = h->table;
    size_t old_cap = h->table_cap;
    h->table_cap *= 2;
    h->table = calloc(h->table_cap, sizeof(*h->table));
    ASSERT(h->table != NULL);
    for (size_t i = 0; i < old_cap; i++) {
        if (!old[i]) continue;
        const struct cold *c = head_cold(h, (uint32_t)old[i] - 1);
        uint64_t hash = set_hash(c->shape, c->values);
        h->table[table_find(h, c->shape, c->values, hash)] = old[i];
    }
    free(old);
}

static _Atomic(uint32_t) *handle_at(const struct head *h, uint32_t handle)
{
    return paged_at(&h->handles, handle, sizeof(uint32_t));
}

uint32_t head_slot(const struct head *h, uint64_t handle)
{
    if (handle == 0 || handle > atomic_load_explicit(&h->handles_n, memory_order_acquire)) {
        return SLOT_NONE;
    }
    return atomic_load_explicit(handle_at(h, (uint32_t)(handle - 1)), memory_order_acquire);
}

void head_set_slot(struct head *h, uint32_t handle, uint32_t slot)
{
    atomic_store_explicit(handle_at(h, handle - 1), slot, memory_order_release);
}

static uint32_t create(struct head *h, const struct shape *shape, const uint32_t *values)
{
    uint32_t slot = paged_add(&h->cold);
    (void)paged_add(&h->hot);
    (void)paged_add(&h->ident);
    open_init(head_hot(h, slot));
    struct cold *c = head_cold(h, slot);
    uint32_t *kept = value_room(h, shape->n);
    memcpy(kept, values, shape->n * sizeof(*kept));
    c->shape = shape;
    c->values = kept;
    atomic_store_explicit(&c->first_t, INT64_MAX, memory_order_relaxed);
    for (uint32_t i = 0; i < shape->n; i++) index_add(&h->index, shape->names[i], kept[i], slot);
    atomic_store_explicit(&h->series, slot + 1, memory_order_release);
    return slot;
}

uint32_t head_find(struct head *h, struct labels lb)
{
    const uint32_t *ids = intern(h, lb, false);
    const struct shape *shape = ids ? shape_find(h, ids, lb.n) : NULL;
    if (!shape) return SLOT_NONE;
    const uint32_t *values = ids + lb.n;
    size_t at = table_find(h, shape, values, set_hash(shape, values));
    return h->table[at] ? (uint32_t)h->table[at] - 1 : SLOT_NONE;
}

uint32_t head_create_moved(struct head *h, struct labels lb)
{
    const uint32_t *ids = intern(h, lb, true);
    const struct shape *shape = shape_find(h, ids, lb.n);
    if (!shape) shape = shape_add(h, ids, lb.n);
    const uint32_t *values = ids + lb.n;
    uint64_t hash = set_hash(shape, values);
    size_t at = table_find(h, shape, values, hash);
    ASSERT(!h->table[at]);
    uint32_t slot = create(h, shape, values);
    h->table[at] = hash >> 32 << 32 | (slot + 1);
    if ((slot + 1) * UINT64_C(10) > h->table_cap * UINT64_C(7)) table_grow(h);
    return slot;
}

uint32_t head_create(struct head *h, struct labels lb)
{
    uint32_t handle = paged_add(&h->handles), slot = head_create_moved(h, lb);
    struct ident *id = head_ident(h, slot);
    id->ref = ++h->last_ref;
    id->handle = handle + 1;
    head_set_slot(h, id->handle, slot);
    atomic_store_explicit(&h->handles_n, handle + 1, memory_order_release);
    return slot;
}

struct labels head_labels(const struct head *h, uint32_t slot, struct arena *a)
{
    const struct cold *c = head_cold(h, slot);
    struct label *v = arena_raw(a, c->shape->n * sizeof(*v));
    for (uint32_t i = 0; i < c->shape->n; i++) {
        v[i].name = symbols_get(&h->symbols, c->shape->names[i]);
        v[i].value = symbols_get(&h->symbols, c->values[i]);
    }
    return (struct labels){ v, c->shape->n };
}

uint32_t head_label(const struct head *h, uint32_t slot, uint32_t name)
{
    const struct cold *c = head_cold(h, slot);
    for (uint32_t i = 0; i < c->shape->n; i++) {
        if (c->shape->names[i] == name) return c->values[i];
    }
    return SYMBOL_NONE;
}

/*
 * Chunks
 */

static void full_push(struct head *h, struct cold *c, uint64_t ref, int64_t mint, int64_t maxt)
{
    uint32_t n = atomic_load_explicit(&c->full_n, memory_order_relaxed);
    struct full_chunk *v = atomic_load_explicit(&c->full, memory_order_relaxed);
    if (n == c->full_cap) {
        c->full_cap = n + n / 4 + 2;
        struct full_chunk *grown = calloc(c->full_cap, sizeof(*grown));
        ASSERT(grown != NULL);
        for (uint32_t i = 0; i < n; i++) {
            atomic_init(&grown[i].ref, atomic_load_explicit(&v[i].ref, memory_order_relaxed));
            grown[i].mint = v[i].mint;
            grown[i].maxt = v[i].maxt;
        }
        atomic_store_explicit(&c->full, grown, memory_order_release);
        readers_retire(h->readers, v, free);
        v = grown;
    }
    atomic_store_explicit(&v[n].ref, ref, memory_order_relaxed);
    v[n].mint = mint;
    v[n].maxt = maxt;
    atomic_store_explicit(&c->full_n, n + 1, memory_order_release);
    atomic_fetch_add_explicit(&h->chunks, 1, memory_order_relaxed);
}

static struct blob *blob_of(struct head *h, uint32_t slot)
{
    const struct hot *line = head_hot(h, slot);
    size_t bytes = open_bytes(line);
    struct blob *b = malloc(sizeof(*b) + bytes);
    ASSERT(b != NULL);
    *b = (struct blob){
        .slot = slot,
        .bytes = (uint32_t)bytes,
        .maxt = atomic_load_explicit(&line->t, memory_order_relaxed),
    };
    b->mint = b->maxt - atomic_load_explicit(&line->age, memory_order_relaxed);
    open_gather(line, &h->segments, b->data);
    *h->blobs_end = b;
    h->blobs_end = &b->next;
    h->blob_bytes += sizeof(*b) + bytes;
    return b;
}

/* Inside the line's brackets. */
static void seal(struct head *h, uint32_t slot, const struct blob *b)
{
    full_push(h, head_cold(h, slot), CHUNK_IN_MEMORY | (uintptr_t)b, b->mint, b->maxt);
    atomic_fetch_sub_explicit(&h->chunks, 1, memory_order_relaxed); /* it was counted while open */
    open_clear(head_hot(h, slot), &h->segments);
}

void head_seal(struct head *h, uint32_t slot)
{
    struct hot *line = head_hot(h, slot);
    if (!open_count(line)) return;
    const struct blob *b = blob_of(h, slot);
    open_begin(line);
    seal(h, slot, b);
    open_end(line);
}

/* Fibonacci hashing of the slot to 0..90, so that neighbours in a scrape differ. */
static uint32_t stagger_of(uint32_t slot) { return (slot * UINT32_C(2654435761) >> 16) % 91; }

static void note_history(struct head *h, uint32_t slot, const struct hot *line, uint64_t oldest)
{
    uint64_t was = atomic_load_explicit(&line->commit, memory_order_relaxed);
    if (was <= oldest) return;
    history_add(&h->history, slot, was, atomic_load_explicit(&line->prev_t, memory_order_relaxed));
}

void head_append(struct head *h, uint32_t slot, int64_t t, uint64_t v, uint64_t commit,
                 uint64_t oldest_snapshot)
{
    struct hot *line = head_hot(h, slot);
    int64_t newest = atomic_load_explicit(&line->t, memory_order_relaxed);
    bool first_of_commit = atomic_load_explicit(&line->commit, memory_order_relaxed) != commit;
    if (first_of_commit) note_history(h, slot, line, oldest_snapshot);
    if (UNLIKELY(newest == NO_TIME)) {
        atomic_store_explicit(&head_cold(h, slot)->first_t, t, memory_order_release);
    }
    const struct blob *full = open_full(line, t, stagger_of(slot)) ? blob_of(h, slot) : NULL;
    bool opens = full || !open_count(line);
    open_begin(line);
    if (full) seal(h, slot, full);
    if (first_of_commit) {
        atomic_store_explicit(&line->prev_t, newest, memory_order_release);
        atomic_store_explicit(&line->commit, commit, memory_order_release);
    }
    open_append(line, &h->segments, t, v, h->range);
    open_end(line);
    if (!opens) return;
    atomic_fetch_add_explicit(&h->chunks, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->chunks_created, 1, memory_order_relaxed);
}

void head_add_chunk(struct head *h, uint32_t slot, uint64_t ref, int64_t mint, int64_t maxt)
{
    struct hot *line = head_hot(h, slot);
    struct cold *c = head_cold(h, slot);
    if (atomic_load_explicit(&line->t, memory_order_relaxed) == NO_TIME) {
        atomic_store_explicit(&c->first_t, mint, memory_order_relaxed);
    }
    open_begin(line);
    full_push(h, c, ref, mint, maxt);
    atomic_store_explicit(&line->t, maxt, memory_order_release);
    open_end(line);
    if (mint < atomic_load_explicit(&h->min_t, memory_order_relaxed)) atomic_store(&h->min_t, mint);
    if (maxt > atomic_load_explicit(&h->max_t, memory_order_relaxed)) atomic_store(&h->max_t, maxt);
}

/*
 * Truncation
 */

/* How many full chunks from the front end before mint; the lowest file reference among the others goes to t. */
static uint32_t count_old(const struct full_chunk *v, uint32_t n, struct head_truncation *t)
{
    uint32_t old = 0;
    while (old < n && v[old].maxt < t->mint) old++;
    for (uint32_t i = old; i < n; i++) {
        uint64_t ref = atomic_load_explicit(&v[i].ref, memory_order_relaxed);
        if (!(ref & CHUNK_IN_MEMORY) && ref < t->chunks_from) t->chunks_from = ref;
    }
    return old;
}

static void drop_full(struct head *h, struct hot *line, struct cold *c, uint32_t old)
{
    uint32_t n = atomic_load_explicit(&c->full_n, memory_order_relaxed), left = n - old;
    struct full_chunk *v = atomic_load_explicit(&c->full, memory_order_relaxed), *kept = NULL;
    if (left) {
        kept = calloc(left, sizeof(*kept));
        ASSERT(kept != NULL);
    }
    for (uint32_t i = 0; i < left; i++) {
        atomic_init(&kept[i].ref, atomic_load_explicit(&v[old + i].ref, memory_order_relaxed));
        kept[i].mint = v[old + i].mint;
        kept[i].maxt = v[old + i].maxt;
    }
    open_begin(line);
    atomic_store_explicit(&c->full, kept, memory_order_release);
    atomic_store_explicit(&c->full_n, left, memory_order_release);
    open_end(line);
    c->full_cap = left;
    readers_retire(h->readers, v, free);
    atomic_fetch_sub_explicit(&h->chunks, old, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->chunks_removed, old, memory_order_relaxed);
}

/* As a series that was just created, but for its place in the index. Its name in the log goes with its samples. */
static void forget(struct head *h, uint32_t slot, struct head_truncation *t)
{
    struct hot *line = head_hot(h, slot);
    struct cold *c = head_cold(h, slot);
    struct ident *id = head_ident(h, slot);
    if (!id->ref) return; /* long forgotten */
    atomic_store_explicit(&c->first_t, INT64_MAX, memory_order_release);
    if (open_count(line)) {
        atomic_fetch_sub_explicit(&h->chunks, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&h->chunks_removed, 1, memory_order_relaxed);
    }
    open_begin(line);
    open_clear(line, &h->segments);
    atomic_store_explicit(&line->t, NO_TIME, memory_order_release);
    atomic_store_explicit(&line->prev_t, NO_TIME, memory_order_release);
    open_end(line);
    t->gone(t->ctx, id->ref);
    id->ref = 0;
    atomic_fetch_add_explicit(&h->dead, 1, memory_order_relaxed);
}

/* The first sample that stays: of a full chunk, or of the open one, which may begin before mint only by a clock's jump. */
static void note_first(struct head *h, uint32_t slot, struct head_truncation *t)
{
    const struct hot *line = head_hot(h, slot);
    struct cold *c = head_cold(h, slot);
    int64_t first = atomic_load_explicit(&line->t, memory_order_relaxed);
    if (open_count(line)) first -= atomic_load_explicit(&line->age, memory_order_relaxed);
    if (atomic_load_explicit(&c->full_n, memory_order_relaxed)) {
        first = atomic_load_explicit(&c->full, memory_order_relaxed)[0].mint;
    }
    atomic_store_explicit(&c->first_t, first, memory_order_release);
    if (first < t->min_t) t->min_t = first;
}

void head_truncate(struct head *h, uint32_t from, uint32_t to, struct head_truncation *t)
{
    for (uint32_t slot = from; slot < to; slot++) {
        struct hot *line = head_hot(h, slot);
        struct cold *c = head_cold(h, slot);
        uint32_t n = atomic_load_explicit(&c->full_n, memory_order_relaxed);
        uint32_t old = count_old(atomic_load_explicit(&c->full, memory_order_relaxed), n, t);
        if (old) drop_full(h, line, c, old);
        if (atomic_load_explicit(&line->t, memory_order_relaxed) < t->mint) {
            forget(h, slot, t);
        } else {
            note_first(h, slot, t);
        }
    }
}

void head_blob_stored(struct head *h, uint64_t ref)
{
    struct blob *b = h->blobs;
    struct cold *c = head_cold(h, b->slot);
    struct full_chunk *v = atomic_load_explicit(&c->full, memory_order_relaxed);
    uint32_t i = atomic_load_explicit(&c->full_n, memory_order_relaxed);
    uint64_t mine = CHUNK_IN_MEMORY | (uintptr_t)b;
    while (i > 0 && atomic_load_explicit(&v[i - 1].ref, memory_order_relaxed) != mine) i--;
    /* Not found: truncated while it waited. */
    if (i > 0) atomic_store_explicit(&v[i - 1].ref, ref, memory_order_release);
    h->blobs = b->next;
    if (!h->blobs) h->blobs_end = &h->blobs;
    h->blob_bytes -= sizeof(*b) + b->bytes;
    readers_retire(h->readers, b, free);
}

int64_t head_visible(struct head *h, uint32_t slot, int64_t t, int64_t prev_t, uint64_t commit,
                     uint64_t snapshot)
{
    if (LIKELY(commit <= snapshot)) return t;
    return history_visible(&h->history, slot, snapshot, prev_t);
}
