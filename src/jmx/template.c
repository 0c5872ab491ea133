/* SPDX-License-Identifier: Apache-2.0 */
#include "jmx/template.h"

static bool digit(const struct str *s) { return s->n && s->p[0] >= '0' && s->p[0] <= '9'; }

static enum err put_group(const struct regex_groups *groups, size_t i, struct buf *out)
{
    if (!groups || i >= groups->n) return ERR_SYNTAX;
    if (groups->v[i].p) buf_put(out, groups->v[i]);
    return OK;
}

/* Further digits belong to the number only while such a group exists. */
static enum err numbered(struct str *in, const struct regex_groups *groups, struct buf *out)
{
    size_t i = 0;
    bool first = true;
    for (; digit(in); first = false) {
        size_t longer = i * 10 + (size_t)(in->p[0] - '0');
        if (!first && (!groups || longer >= groups->n)) break;
        i = longer;
        *in = str_from(*in, 1);
    }
    return put_group(groups, i, out);
}

static enum err named(struct str *in, const struct regex *re, const struct regex_groups *groups,
                      struct buf *out)
{
    size_t end = str_find_char(*in, '}');
    if (end == STR_NONE || !re) return ERR_SYNTAX;
    size_t i = regex_group_named(re, str_make(in->p + 1, end - 1));
    if (i == STR_NONE) return ERR_SYNTAX;
    *in = str_from(*in, end + 1);
    return put_group(groups, i, out);
}

enum err jmx_template(struct str text, const struct regex *re, const struct regex_groups *groups,
                      struct buf *out)
{
    while (text.n) {
        char c = text.p[0];
        text = str_from(text, 1);
        if (c == '\\') {
            if (text.n == 0) return ERR_SYNTAX;
            buf_char(out, text.p[0]);
            text = str_from(text, 1);
        } else if (c != '$') {
            buf_char(out, c);
        } else if (digit(&text)) {
            TRY(numbered(&text, groups, out));
        } else if (text.n && text.p[0] == '{') {
            TRY(named(&text, re, groups, out));
        } else {
            return ERR_SYNTAX;
        }
    }
    return OK;
}
