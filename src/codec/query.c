/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/query.h"

#include "base/vec.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

enum err query_decode(struct arena *a, struct str s, bool plus_is_space, struct str *out)
{
    char *p = arena_raw(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '+' && plus_is_space) c = ' ';
        if (c == '%') {
            int high = i + 1 < s.n ? hex(s.p[i + 1]) : -1, low = i + 2 < s.n ? hex(s.p[i + 2]) : -1;
            if (high < 0 || low < 0) return ERR_SYNTAX;
            c = (char)(high << 4 | low);
            i += 2;
        }
        p[n++] = c;
    }
    p[n] = '\0';
    *out = str_make(p, n);
    return OK;
}

enum err query_parse(struct arena *a, struct str s, struct query_params *out)
{
    struct str pair, name, value;
    while (s.n) {
        (void)str_cut(s, '&', &pair, &s);
        if (!pair.n) continue;
        if (out->n == QUERY_PARAMS_MAX) return ERR_LIMIT;
        (void)str_cut(pair, '=', &name, &value);
        struct query_param p;
        TRY(query_decode(a, name, true, &p.name));
        TRY(query_decode(a, value, true, &p.value));
        *vec_push(a, out) = p;
    }
    return OK;
}

void query_escape(struct buf *b, struct str s)
{
    static const char HEX[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     c == '-' || c == '_' || c == '.' || c == '~';
        if (plain) {
            buf_char(b, (char)c);
        } else {
            buf_char(b, '%');
            buf_char(b, HEX[c >> 4]);
            buf_char(b, HEX[c & 15]);
        }
    }
}
