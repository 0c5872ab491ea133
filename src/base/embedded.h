/* SPDX-License-Identifier: Apache-2.0 */
/*
 * embedded.h - files that are part of the binary (cmake/embed.cmake makes the tables)
 */
#ifndef BASE_EMBEDDED_H
#define BASE_EMBEDDED_H

#include "base/str.h"

struct embedded {
    const char *name; /* relative to its folder; NULL ends the table */
    const char *begin, *end;
};

static inline struct str embedded_bytes(const struct embedded *f)
{
    return str_make(f->begin, (size_t)((uintptr_t)f->end - (uintptr_t)f->begin));
}

static inline const struct embedded *embedded_find(const struct embedded *table, struct str name)
{
    for (; table->name; table++) {
        if (str_eqc(name, table->name)) return table;
    }
    return NULL;
}

#endif
