/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/goquote.h"

#include "base/utf8.h"

/* What Go's IsPrint refuses beyond ASCII, as far as it occurs in names: spaces, controls, format and private characters. */
static const struct range {
    uint32_t first, last;
} HIDDEN[] = {
    { 0x80, 0xa0 },     { 0xad, 0xad },     { 0x61c, 0x61c },     { 0x1680, 0x1680 },
    { 0x180e, 0x180e }, { 0x2000, 0x200f }, { 0x2028, 0x202f },   { 0x205f, 0x206f },
    { 0x3000, 0x3000 }, { 0xd800, 0xf8ff }, { 0xfdd0, 0xfdef },   { 0xfeff, 0xfeff },
    { 0xfff0, 0xfffb }, { 0xfffe, 0xffff }, { 0xe0000, 0xe00ff }, { 0xe01f0, 0x10ffff },
};

static bool prints(uint32_t c)
{
    if (c < 0x80) return c >= 0x20 && c != 0x7f;
    for (size_t i = 0; i < ARRAY_LEN(HIDDEN); i++) {
        if (c >= HIDDEN[i].first && c <= HIDDEN[i].last) return false;
    }
    return true;
}

static char short_escape(uint32_t c)
{
    static const char LETTERS[] = "abtnvfr"; /* 7 .. 13 */
    if (c == '"' || c == '\\') return (char)c;
    return c >= 7 && c <= 13 ? LETTERS[c - 7] : 0;
}

/* One rune that took `took` bytes at p. */
static void put_rune(struct buf *b, uint32_t c, const char *p, size_t took)
{
    char esc = short_escape(c);
    if (c == UTF8_BAD && took == 1) {
        buf_fmt(b, "\\x%02x", (unsigned char)*p);
    } else if (esc) {
        buf_char(b, '\\');
        buf_char(b, esc);
    } else if (prints(c)) {
        buf_put(b, str_make(p, took));
    } else {
        buf_fmt(b, c < 0x80 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
    }
}

void go_quote(struct buf *b, struct str s)
{
    buf_char(b, '"');
    while (s.n) {
        struct str rest = s;
        uint32_t c = utf8_next(&rest);
        put_rune(b, c, s.p, s.n - rest.n);
        s = rest;
    }
    buf_char(b, '"');
}

enum err diag_quoted(struct diag *d, enum err e, const char *before, struct str s,
                     const char *after)
{
    BUF(b, 4096);
    go_quote(&b, str_first(s, sizeof(d->text)));
    return diag_set(d, e, "%s" STR_FMT "%s", before, STR_ARG(buf_str(&b)), after);
}
