/* SPDX-License-Identifier: Apache-2.0 */
#include "tsdb/symbols.h"

#include "base/hash.h"

enum { TABLE_MIN = 1024, BLOCK_BYTES = 64 * 1024 };

/* A slot is the hash's upper half and id + 1; 0 is free. */
struct symbol_table {
    size_t cap; /* a power of two */
    _Atomic(uint64_t) slot[];
};

struct symbol_block {
    struct symbol_block *older;
    size_t used, cap;
    char bytes[];
};

static struct symbol_table *table_new(size_t cap)
{
    struct symbol_table *t = calloc(1, sizeof(*t) + cap * sizeof(t->slot[0]));
    ASSERT(t != NULL);
    t->cap = cap;
    return t;
}

void symbols_init(struct symbols *s, struct readers *r)
{
    *s = (struct symbols){ .readers = r };
    paged_init(&s->items, sizeof(struct str));
    atomic_store(&s->table, table_new(TABLE_MIN));
}

void symbols_done(struct symbols *s)
{
    while (s->block) {
        struct symbol_block *older = s->block->older;
        free(s->block);
        s->block = older;
    }
    free(atomic_load(&s->table));
    paged_done(&s->items);
}

static uint64_t tag_of(uint64_t hash) { return hash & ~(uint64_t)UINT32_MAX; }

static uint32_t find(const struct symbols *s, struct str what, uint64_t hash)
{
    const struct symbol_table *t = atomic_load_explicit(&s->table, memory_order_acquire);
    for (size_t i = hash & (t->cap - 1);; i = (i + 1) & (t->cap - 1)) {
        uint64_t slot = atomic_load_explicit(&t->slot[i], memory_order_acquire);
        if (!slot) return SYMBOL_NONE;
        uint32_t id = (uint32_t)slot - 1;
        if (tag_of(slot) == tag_of(hash) && str_eq(symbols_get(s, id), what)) return id;
    }
}

uint32_t symbols_find(const struct symbols *s, struct str what)
{
    return find(s, what, hash_bytes(what));
}

static void table_put(struct symbol_table *t, uint64_t hash, uint32_t id)
{
    size_t i = hash & (t->cap - 1);
    while (atomic_load_explicit(&t->slot[i], memory_order_relaxed)) i = (i + 1) & (t->cap - 1);
    atomic_store_explicit(&t->slot[i], tag_of(hash) | (id + 1), memory_order_release);
}

static void grow(struct symbols *s)
{
    struct symbol_table *old = atomic_load_explicit(&s->table, memory_order_relaxed);
    struct symbol_table *t = table_new(old->cap * 2);
    for (uint32_t id = 0; id < s->items.n; id++) {
        table_put(t, hash_bytes(symbols_get(s, id)), id);
    }
    atomic_store_explicit(&s->table, t, memory_order_release);
    readers_retire(s->readers, old, free);
}

static const char *keep(struct symbols *s, struct str what)
{
    if (!s->block || s->block->cap - s->block->used < what.n) {
        size_t cap = what.n > BLOCK_BYTES ? what.n : BLOCK_BYTES;
        struct symbol_block *b = malloc(sizeof(*b) + cap);
        ASSERT(b != NULL);
        *b = (struct symbol_block){ .older = s->block, .cap = cap };
        s->block = b;
        atomic_fetch_add_explicit(&s->bytes, cap, memory_order_relaxed);
    }
    char *to = s->block->bytes + s->block->used;
    if (what.n) memcpy(to, what.p, what.n);
    s->block->used += what.n;
    return to;
}

uint32_t symbols_add(struct symbols *s, struct str what)
{
    uint64_t hash = hash_bytes(what);
    uint32_t id = find(s, what, hash);
    if (id != SYMBOL_NONE) return id;
    struct symbol_table *t = atomic_load_explicit(&s->table, memory_order_relaxed);
    if ((s->items.n + 1) * UINT64_C(10) > t->cap * UINT64_C(7)) {
        grow(s);
        t = atomic_load_explicit(&s->table, memory_order_relaxed);
    }
    id = paged_add(&s->items);
    *(struct str *)paged_at(&s->items, id, sizeof(struct str)) = str_make(keep(s, what), what.n);
    table_put(t, hash, id);
    return id;
}
