/* SPDX-License-Identifier: Apache-2.0 */
#include "tsdb/columns.h"

#include "base/assert.h"

#include <stdlib.h>

void column_move(struct column *c, size_t to, size_t from, size_t n)
{
    if (to == from || !n) return;
    memmove(c->t + to, c->t + from, n * sizeof(*c->t));
    memmove(c->v + to, c->v + from, n * sizeof(*c->v));
    if (c->h) memmove(c->h + to, c->h + from, n * sizeof(*c->h));
}

void column_trim(struct column *c, size_t from, int64_t mint, int64_t maxt)
{
    while (c->n > from && c->t[c->n - 1] > maxt) c->n--;
    size_t skip = from;
    while (skip < c->n && c->t[skip] < mint) skip++;
    column_move(c, from, skip, c->n - skip);
    c->n -= skip - from;
}

struct woven {
    int64_t t;
    double v;
    const struct histogram *h;
};

static struct woven get(const struct column *c, size_t i)
{
    return (struct woven){ c->t[i], c->v[i], c->h ? c->h[i] : NULL };
}

void column_weave(struct column *c, size_t from, size_t second)
{
    if (second == from || second == c->n || c->t[second - 1] < c->t[second]) return;
    size_t left = second - from, n = 0;
    struct woven *old = malloc(left * sizeof(*old));
    ASSERT(old != NULL);
    for (size_t i = 0; i < left; i++) old[i] = get(c, from + i);
    /* Never overtakes: what is written is at most what was taken of both runs. */
    size_t i = 0, k = second, to = from;
    while (i < left || k < c->n) {
        bool first = k == c->n || (i < left && old[i].t <= c->t[k]);
        struct woven w = first ? old[i] : get(c, k);
        if (first && k < c->n && old[i].t == c->t[k]) k++;
        if (first) {
            i++;
        } else {
            k++;
        }
        c->t[to] = w.t;
        c->v[to] = w.v;
        if (c->h) c->h[to] = w.h;
        to++;
        n++;
    }
    c->n = from + n;
    free(old);
}
