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

static const struct str HOST_NAME = { "hostName", 8 };

static bool word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_host(struct str text)
{
    return str_starts(text, HOST_NAME) &&
           (text.n == HOST_NAME.n || !word_char(text.p[HOST_NAME.n]));
}

enum err jmx_template(struct str text, const struct regex *re, const struct regex_groups *groups,
                      struct str host, struct buf *out)
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
        } else if (is_host(text)) {
            buf_put(out, host);
            text = str_from(text, HOST_NAME.n);
        } else {
            return ERR_SYNTAX;
        }
    }
    return OK;
}

const char *jmx_template_doubt(struct str text, const struct regex *re)
{
    ARENA(a, 0);
    BUF(b, 0);
    struct regex_groups groups = { .n = re ? regex_group_count(re) + 1 : 0 };
    groups.v = arena_array(&a, groups.n, sizeof(*groups.v));
    if (jmx_template(text, re, &groups, STR(""), &b) != OK) {
        return "the template refers to a group that the pattern does not have; what the rule matches is left out";
    }
    size_t dollar = str_find(text, STR("$hostName"));
    if (dollar != STR_NONE && is_host(str_from(text, dollar + 1))) {
        return "$hostName is no variable of jmx_exporter, which ends its scrape at it; here it is the host of the JVM";
    }
    return NULL;
}
