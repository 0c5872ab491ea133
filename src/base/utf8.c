/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

/* Bytes of the well-formed sequence at p, or 0. The table of RFC 3629 section 4, row by row. */
static size_t sequence(const unsigned char *p, size_t n)
{
    unsigned char c = p[0];
    if (c < 0x80) return 1;
    size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (c < 0xc2 || c > 0xf4 || n < len) return 0;
    unsigned char low = 0x80, high = 0xbf; /* of the second byte */
    if (c == 0xe0) low = 0xa0;
    if (c == 0xed) high = 0x9f;
    if (c == 0xf0) low = 0x90;
    if (c == 0xf4) high = 0x8f;
    if (p[1] < low || p[1] > high) return 0;
    for (size_t i = 2; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0;
    }
    return len;
}

bool utf8_valid(struct str s)
{
    for (size_t i = 0; i < s.n;) {
        size_t len = sequence((const unsigned char *)s.p + i, s.n - i);
        if (!len) return false;
        i += len;
    }
    return true;
}

uint32_t utf8_next(struct str *s)
{
    const unsigned char *p = (const unsigned char *)s->p;
    size_t len = sequence(p, s->n);
    uint32_t rune = UTF8_BAD;
    switch (len) {
    case 1: rune = p[0]; break;
    case 2: rune = (p[0] & 0x1fU) << 6 | (p[1] & 0x3fU); break;
    case 3: rune = (p[0] & 0x0fU) << 12 | (p[1] & 0x3fU) << 6 | (p[2] & 0x3fU); break;
    case 4:
        rune = (p[0] & 0x07U) << 18 | (p[1] & 0x3fU) << 12 | (p[2] & 0x3fU) << 6 | (p[3] & 0x3fU);
        break;
    default: len = 1;
    }
    *s = str_make(s->p + len, s->n - len);
    return rune;
}

size_t utf8_count(struct str s)
{
    size_t n = 0;
    for (; s.n; n++) (void)utf8_next(&s);
    return n;
}

void utf8_put(struct buf *b, uint32_t r)
{
    char c[4];
    size_t n = r < 0x80 ? 1 : r < 0x800 ? 2 : r < 0x10000 ? 3 : 4;
    if (n == 1) c[0] = (char)r;
    if (n == 2) c[0] = (char)(0xc0 | r >> 6);
    if (n == 3) c[0] = (char)(0xe0 | r >> 12);
    if (n == 4) c[0] = (char)(0xf0 | r >> 18);
    for (size_t i = 1; i < n; i++) c[i] = (char)(0x80 | ((r >> (6 * (n - 1 - i))) & 0x3f));
    buf_put(b, str_make(c, n));
}
