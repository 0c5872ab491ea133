/* SPDX-License-Identifier: Apache-2.0 */
/*
 * symbols.h - every label name and value once, by a small number
 *
 * Shape:   bytes in blocks that never move; id -> {pointer, length}; one open-addressed table of {hash tag, id}.
 * Threads: one writer adds; any reader gets and finds (inside a reader's ticket: the table is retired when it grows).
 */
#ifndef TSDB_SYMBOLS_H
#define TSDB_SYMBOLS_H

#include "base/str.h"
#include "tsdb/paged.h"

#define SYMBOL_NONE UINT32_MAX

struct symbol_table;
struct symbol_block;

struct symbols {
    struct paged items;
    _Atomic(struct symbol_table *) table;
    struct symbol_block *block;
    _Atomic(uint64_t) bytes;
    struct readers *readers;
};

void symbols_init(struct symbols *s, struct readers *r);
void symbols_done(struct symbols *s);

uint32_t symbols_find(const struct symbols *s, struct str what); /* SYMBOL_NONE: not there */
uint32_t symbols_add(struct symbols *s, struct str what);        /* finds or adds */

/* The writer's own view. */
static inline uint32_t symbols_count(const struct symbols *s) { return s->items.n; }

static inline struct str symbols_get(const struct symbols *s, uint32_t id)
{
    return *(const struct str *)paged_at(&s->items, id, sizeof(struct str));
}

#endif
