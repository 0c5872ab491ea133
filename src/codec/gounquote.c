/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gounquote.c - Go's constants "...", `...` and 'x' back to their bytes
 */
#include "base/utf8.h"
#include "codec/goquote.h"

static int hex(int c)
{
    if ((c >= '0' && c <= '9')) return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool number_escape(struct str *in, int digits, int base, uint32_t *out)
{
    uint32_t v = 0;
    if ((int)in->n < digits) return false;
    for (int i = 0; i < digits; i++) {
        int d = hex((unsigned char)in->p[i]);
        if (d < 0 || d >= base) return false;
        v = v * (uint32_t)base + (uint32_t)d;
    }
    *in = str_from(*in, (size_t)digits);
    *out = v;
    return true;
}

static bool escape(struct str *in, char quote, struct buf *b)
{
    static const char from[] = "abfnrtv\\", to[] = "\a\b\f\n\r\t\v\\";
    if (!in->n) return false;
    char c = in->p[0];
    const char *known = strchr(from, c);
    uint32_t rune = 0;
    if (c && known) {
        buf_char(b, to[known - from]);
    } else if (c == quote) {
        buf_char(b, c);
    } else if (c >= '0' && c <= '7') {
        if (!number_escape(in, 3, 8, &rune) || rune > 255) return false;
        buf_char(b, (char)rune);
        return true;
    } else if (c == 'x' || c == 'u' || c == 'U') {
        *in = str_from(*in, 1);
        if (!number_escape(in, c == 'x' ? 2 : c == 'u' ? 4 : 8, 16, &rune)) return false;
        if (c == 'x') {
            buf_char(b, (char)rune);
            return true;
        }
        if (rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000)) return false;
        utf8_put(b, rune);
        return true;
    } else {
        return false;
    }
    *in = str_from(*in, 1);
    return true;
}

bool go_unquote(struct arena *a, struct str s, struct str *out)
{
    if (s.n < 2 || s.p[0] != s.p[s.n - 1]) return false;
    char quote = s.p[0];
    struct str in = str_make(s.p + 1, s.n - 2);
    BUF(b, 0);
    if (quote == '`') {
        for (size_t i = 0; i < in.n; i++) {
            if (in.p[i] != '\r') buf_char(&b, in.p[i]);
        }
        *out = arena_dup(a, buf_str(&b));
        return str_find_char(in, '`') == STR_NONE;
    }
    if (quote != '"' && quote != '\'') return false;
    while (in.n) {
        char c = in.p[0];
        if (c == quote || c == '\n') return false;
        in = str_from(in, 1);
        if (c != '\\') {
            buf_char(&b, c);
        } else if (!escape(&in, quote, &b)) {
            return false;
        }
    }
    if (quote == '\'' && utf8_count(buf_str(&b)) != 1) return false;
    *out = arena_dup(a, buf_str(&b));
    return true;
}
