/* SPDX-License-Identifier: Apache-2.0 */
#include "tsdb/index.h"

#include "base/hash.h"

enum { TABLE_MIN = 1024 };

/* A slot is a posting's id + 1; 0 is free. */
struct index_table {
    size_t cap;
    _Atomic(uint32_t) slot[];
};

static struct index_table *table_new(size_t cap)
{
    struct index_table *t = calloc(1, sizeof(*t) + cap * sizeof(t->slot[0]));
    ASSERT(t != NULL);
    t->cap = cap;
    return t;
}

void index_init(struct index *ix, struct readers *r)
{
    *ix = (struct index){ .readers = r };
    paged_init(&ix->postings, sizeof(struct posting));
    atomic_store(&ix->table, table_new(TABLE_MIN));
}

void index_done(struct index *ix)
{
    for (uint32_t i = 0; i < ix->postings.n; i++) {
        shared_u32_done(
            &((struct posting *)paged_at(&ix->postings, i, sizeof(struct posting)))->list);
    }
    shared_u32_done(&ix->names);
    free(atomic_load(&ix->table));
    paged_done(&ix->postings);
}

static uint64_t hash_of(uint32_t name, uint32_t value)
{
    return hash_u64((uint64_t)name << 32 | value);
}

static struct posting *find(const struct index *ix, uint32_t name, uint32_t value)
{
    const struct index_table *t = atomic_load_explicit(&ix->table, memory_order_acquire);
    for (size_t i = hash_of(name, value) & (t->cap - 1);; i = (i + 1) & (t->cap - 1)) {
        uint32_t id = atomic_load_explicit(&t->slot[i], memory_order_acquire);
        if (!id) return NULL;
        struct posting *p = paged_at(&ix->postings, id - 1, sizeof(*p));
        if (p->name == name && p->value == value) return p;
    }
}

const struct posting *index_find(const struct index *ix, uint32_t name, uint32_t value)
{
    return find(ix, name, value);
}

static void table_put(struct index_table *t, const struct posting *p, uint32_t id)
{
    size_t i = hash_of(p->name, p->value) & (t->cap - 1);
    while (atomic_load_explicit(&t->slot[i], memory_order_relaxed)) i = (i + 1) & (t->cap - 1);
    atomic_store_explicit(&t->slot[i], id + 1, memory_order_release);
}

static void grow(struct index *ix)
{
    struct index_table *old = atomic_load_explicit(&ix->table, memory_order_relaxed);
    struct index_table *t = table_new(old->cap * 2);
    for (uint32_t id = 0; id < ix->postings.n; id++) table_put(t, index_posting(ix, id), id);
    atomic_store_explicit(&ix->table, t, memory_order_release);
    readers_retire(ix->readers, old, free);
}

/* A posting with its first member, entered in the table. */
static uint32_t create(struct index *ix, uint32_t name, uint32_t value, uint32_t member)
{
    struct index_table *t = atomic_load_explicit(&ix->table, memory_order_relaxed);
    if ((ix->postings.n + 1) * UINT64_C(10) > t->cap * UINT64_C(7)) {
        grow(ix);
        t = atomic_load_explicit(&ix->table, memory_order_relaxed);
    }
    uint32_t id = paged_add(&ix->postings);
    struct posting *p = paged_at(&ix->postings, id, sizeof(*p));
    p->name = name;
    p->value = value;
    shared_u32_push(&p->list, member, ix->readers);
    table_put(t, p, id);
    return id;
}

void index_add(struct index *ix, uint32_t name, uint32_t value, uint32_t slot)
{
    struct posting *p = find(ix, name, value);
    if (p) {
        shared_u32_push(&p->list, slot, ix->readers);
        return;
    }
    uint32_t id = create(ix, name, value, slot);
    atomic_fetch_add_explicit(&ix->pairs, 1, memory_order_relaxed);
    struct posting *values = find(ix, name, SYMBOL_NONE);
    if (values) {
        shared_u32_push(&values->list, id, ix->readers);
    } else {
        shared_u32_push(&ix->names, create(ix, name, SYMBOL_NONE, id), ix->readers);
    }
}
