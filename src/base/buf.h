/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf.h - bytes that grow, up to a maximum given at birth
 *
 * Shape:  one malloc'ed block, doubled; `n` bytes are in use. A zeroed buf with a max is an empty buf.
 * Errors: growing past max does not allocate: `over` turns true, the bytes that did not fit are dropped
 *         whole call by whole call, and buf_ok() says so at the end. So writers need no check per put.
 * Owns:   its block; buf_done() frees it, buf_take() hands it out.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/attr.h"
#include "base/bits.h"
#include "base/err.h"
#include "base/str.h"

struct buf {
    char *p;
    size_t n, cap;
    size_t max; /* bytes; 0 means BUF_MAX_DEFAULT */
    bool over;  /* something did not fit and was dropped */
};

#define BUF_MAX_DEFAULT ((size_t)1 << 30)

/* Declares a buf that ends with its block. */
#define BUF(name, maximum) CLEANUP(buf_done) struct buf name = { .max = (maximum) }

void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);

/* Empty again; capacity stays. */
static inline void buf_reset(struct buf *b)
{
    b->n = 0;
    b->over = false;
}

/* Room for n more bytes behind p + n, or NULL (and over) past the maximum. buf_add(n) then claims them. */
char *buf_room(struct buf *b, size_t n);
static inline void buf_add(struct buf *b, size_t n) { b->n += n; }

void buf_put(struct buf *b, struct str s);
void buf_fmt(struct buf *b, const char *fmt, ...) PRINTF(2, 3);

static inline void buf_char(struct buf *b, char c)
{
    if (LIKELY(b->n < b->cap)) {
        b->p[b->n++] = c;
        return;
    }
    buf_put(b, str_make(&c, 1));
}
/* Big endian. */
static inline void buf_be32(struct buf *b, uint32_t v)
{
    char bytes[4];
    store_be32(bytes, v);
    buf_put(b, str_make(bytes, sizeof(bytes)));
}
static inline void buf_be64(struct buf *b, uint64_t v)
{
    char bytes[8];
    store_be64(bytes, v);
    buf_put(b, str_make(bytes, sizeof(bytes)));
}
static inline void buf_putc(struct buf *b, const char *z) { buf_put(b, str_c(z)); }

/* Removes n bytes from the front. */
void buf_drop(struct buf *b, size_t n);

static inline struct str buf_str(const struct buf *b) { return str_make(b->p ? b->p : "", b->n); }
static inline enum err buf_ok(const struct buf *b) { return b->over ? ERR_LIMIT : OK; }

/* The bytes, now the caller's to free(); the buf is empty. NULL when it was. */
char *buf_take(struct buf *b, size_t *n);

#endif
