/* SPDX-License-Identifier: Apache-2.0 */
#include "model/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *grown(void *p, size_t n)
{
    p = realloc(p, n);
    if (p) return p;
    (void)fprintf(stderr, "out of memory: %zu bytes were asked for\n", n);
    abort();
}

void column_reserve(struct column *c, size_t cap)
{
    if (cap <= c->cap) return;
    c->t = grown(c->t, cap * sizeof(*c->t));
    c->v = grown(c->v, cap * sizeof(*c->v));
    if (c->h) c->h = grown(c->h, cap * sizeof(*c->h));
    c->cap = cap;
}

void column_clear(struct column *c)
{
    c->n = 0;
    if (!c->h) return;
    free(c->h);
    c->h = NULL;
    arena_reset(&c->room);
}

/* From the first histogram on, all samples have a place for one. */
static void column_widen(struct column *c)
{
    c->h = grown(NULL, c->cap * sizeof(*c->h));
    memset(c->h, 0, c->n * sizeof(*c->h));
}

void column_push_histogram(struct column *c, int64_t t, const struct histogram *h)
{
    column_push(c, t, h->sum);
    if (!c->h) column_widen(c);
    c->h[c->n - 1] = h;
}

void column_done(struct column *c)
{
    free(c->t);
    free(c->v);
    free(c->h);
    arena_done(&c->room);
    *c = (struct column){ 0 };
}
