/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/expowrite.h"

#include "codec/num.h"

static void escape(struct buf *b, struct str s, bool quotes)
{
    size_t from = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c != '\\' && c != '\n' && !(quotes && c == '"')) continue;
        buf_put(b, str_make(s.p + from, i - from));
        buf_char(b, '\\');
        buf_char(b, c == '\n' ? 'n' : c);
        from = i + 1;
    }
    buf_put(b, str_from(s, from));
}

void expo_escape_value(struct buf *b, struct str s) { escape(b, s, true); }
void expo_escape_help(struct buf *b, struct str s) { escape(b, s, false); }

void expo_family(struct buf *b, struct str name, struct str help, const char *type)
{
    buf_put(b, STR("# HELP "));
    buf_put(b, name);
    buf_char(b, ' ');
    expo_escape_help(b, help);
    buf_put(b, STR("\n# TYPE "));
    buf_put(b, name);
    buf_char(b, ' ');
    buf_putc(b, type);
    buf_char(b, '\n');
}

void expo_sample(struct buf *b, struct str name, const struct expo_label *labels, size_t n,
                 double v)
{
    buf_put(b, name);
    for (size_t i = 0; i < n; i++) {
        buf_char(b, i ? ',' : '{');
        buf_put(b, labels[i].name);
        buf_put(b, STR("=\""));
        expo_escape_value(b, labels[i].value);
        buf_char(b, '"');
    }
    if (n) buf_char(b, '}');
    buf_char(b, ' ');
    num_write_expo(b, v);
    buf_char(b, '\n');
}
