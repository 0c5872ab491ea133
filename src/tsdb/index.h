/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.h - which series have which label
 *
 * Shape:   one posting a (name, value): the slots of its series, ascending because slots only grow. One more a name, with
 *          value SYMBOL_NONE: the postings of its values, in order of birth. Found by an open-addressed table.
 * Threads: one writer; readers inside their ticket.
 */
#ifndef TSDB_INDEX_H
#define TSDB_INDEX_H

#include "tsdb/paged.h"
#include "tsdb/symbols.h"

struct posting {
    uint32_t name, value; /* symbols */
    struct shared_u32 list;
};

struct index_table;

struct index {
    struct paged postings;
    struct shared_u32 names; /* the postings of names */
    _Atomic(struct index_table *) table;
    _Atomic(uint32_t) pairs; /* postings of values */
    struct readers *readers;
};

void index_init(struct index *ix, struct readers *r);
void index_done(struct index *ix);

/* slot is larger than every slot the pair has. */
void index_add(struct index *ix, uint32_t name, uint32_t value, uint32_t slot);

/* NULL: no series has it. value SYMBOL_NONE asks for the name. */
const struct posting *index_find(const struct index *ix, uint32_t name, uint32_t value);

static inline const struct posting *index_posting(const struct index *ix, uint32_t id)
{
    return paged_at(&ix->postings, id, sizeof(struct posting));
}

#endif
