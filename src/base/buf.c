/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST = 256 };

void buf_init(struct buf *b, size_t max) { *b = (struct buf){ .max = max }; }

void buf_done(struct buf *b)
{
    free(b->p);
    *b = (struct buf){ .max = b->max };
}

static size_t bigger(const struct buf *b, size_t need, size_t max)
{
    size_t cap = b->cap ? b->cap : FIRST;
    while (cap < need) cap *= 2; /* need <= max, far from overflow */
    return cap > max ? max : cap;
}

char *buf_room(struct buf *b, size_t n)
{
    size_t max = b->max ? b->max : BUF_MAX_DEFAULT;
    if (n > max || b->n > max - n) {
        b->over = true;
        return NULL;
    }
    if (b->n + n > b->cap || !b->p) {
        size_t cap = bigger(b, b->n + n, max);
        char *p = realloc(b->p, cap ? cap : 1);
        if (!p) {
            (void)fprintf(stderr, "out of memory: %zu bytes were asked for\n", cap);
            abort();
        }
        b->p = p;
        b->cap = cap;
    }
    return b->p + b->n;
}

void buf_put(struct buf *b, struct str s)
{
    char *to = buf_room(b, s.n);
    if (!to || !s.n) return;
    memcpy(to, s.p, s.n);
    b->n += s.n;
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) abort(); /* only a bad format can do this */
    char *to = buf_room(b, (size_t)n + 1);
    if (to) {
        (void)vsnprintf(to, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

void buf_drop(struct buf *b, size_t n)
{
    if (n >= b->n) {
        b->n = 0;
        return;
    }
    memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}

char *buf_take(struct buf *b, size_t *n)
{
    char *p = b->p;
    *n = b->n;
    *b = (struct buf){ .max = b->max };
    return p;
}
