/* SPDX-License-Identifier: Apache-2.0 */
#include "scrape/meta.h"

#include "base/assert.h"

#include <stdlib.h>

enum { KEPT_ROUNDS = 10 };

static struct str copy(struct str s)
{
    char *p = malloc(s.n + 1);
    ASSERT(p);
    if (s.n) memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return str_make(p, s.n);
}

static void free_str(struct str *s)
{
    free((void *)(uintptr_t)s->p);
    *s = str_make(NULL, 0);
}

static void record_done(struct meta_record *r)
{
    free_str(&r->name);
    free_str(&r->help);
    free_str(&r->unit);
}

void meta_done(struct meta_table *t)
{
    for (size_t i = 0; i < t->n; i++) {
        record_done(&t->v[i]);
    }
    free(t->v);
    map_done(&t->by_name);
    *t = (struct meta_table){ 0 };
}

uint32_t meta_at(struct meta_table *t, struct str name)
{
    uintptr_t at = (uintptr_t)map_get(&t->by_name, name);
    if (at) return (uint32_t)(at - 1);
    if (t->n == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 32;
        t->v = reallocarray(t->v, t->cap, sizeof(*t->v));
        ASSERT(t->v);
    }
    struct meta_record *r = &t->v[t->n];
    *r = (struct meta_record){ .name = copy(name) };
    (void)map_put(&t->by_name, r->name, (void *)(t->n + 1));
    return (uint32_t)t->n++;
}

void meta_set_text(struct str *field, struct str text)
{
    if (field->p && str_eq(*field, text)) return;
    free_str(field);
    *field = copy(text);
}

bool meta_expire(struct meta_table *t, uint32_t round)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->n; i++) {
        if (round - t->v[i].round > KEPT_ROUNDS) {
            (void)map_del(&t->by_name, t->v[i].name);
            record_done(&t->v[i]);
        } else {
            t->v[kept++] = t->v[i];
        }
    }
    if (kept == t->n) return false;
    t->n = kept;
    for (size_t i = 0; i < t->n; i++) {
        (void)map_put(&t->by_name, t->v[i].name, (void *)(i + 1));
    }
    return true;
}
