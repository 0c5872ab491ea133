/* SPDX-License-Identifier: Apache-2.0 */
#include "model/sample.h"

#include <stdio.h>
#include <stdlib.h>

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
    c->cap = cap;
}

void column_done(struct column *c)
{
    free(c->t);
    free(c->v);
    *c = (struct column){ 0 };
}
