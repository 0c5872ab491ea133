/* SPDX-License-Identifier: Apache-2.0 */
/* Go's templates of replacement: $1, ${1}, $name, $$; a name is as long as it can be, so $1x is the group "1x". */
#include "base/utf8.h"
#include "codec/num.h"
#include "codec/regex.h"

static bool word_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/* t stands behind the dollar. Takes name or {name} off; false where neither stands. Letters beyond ASCII end a name. */
static bool take_name(struct str *t, struct str *name)
{
    bool braces = t->n && t->p[0] == '{';
    struct str s = braces ? str_from(*t, 1) : *t;
    size_t n = 0;
    while (n < s.n && word_char(s.p[n])) n++;
    if (!n || (braces && (n == s.n || s.p[n] != '}'))) return false;
    *name = str_first(s, n);
    *t = str_from(s, n + (braces ? 1 : 0));
    return true;
}

static void put_group(const struct regex *re, struct str name, const struct regex_groups *g,
                      struct buf *out)
{
    uint64_t number;
    size_t i = num_parse_u64(name, &number) == OK ? (size_t)number : regex_group_named(re, name);
    if (i < g->n) buf_put(out, g->v[i]);
}

void regex_expand(const struct regex *re, struct str template, const struct regex_groups *g,
                  struct buf *out)
{
    struct str head, name;
    while (str_cut(template, '$', &head, &template)) {
        buf_put(out, head);
        if (template.n && template.p[0] == '$') {
            buf_char(out, '$');
            template = str_from(template, 1);
        } else if (take_name(&template, &name)) {
            put_group(re, name, g, out);
        } else {
            buf_char(out, '$');
        }
    }
    buf_put(out, head);
}

static size_t rune_width(struct str s, size_t at)
{
    struct str rest = str_from(s, at);
    size_t n = rest.n;
    if (!n) return 0;
    (void)utf8_next(&rest);
    return n - rest.n;
}

void regex_replace_all(const struct regex *re, struct str subject, struct str replacement,
                       struct buf *out)
{
    ARENA(a, 0);
    size_t at = 0, done = 0; /* search from, copied up to */
    while (at <= subject.n) {
        struct regex_groups g;
        arena_reset(&a);
        if (!regex_find(re, subject, at, &a, &g)) break;
        size_t begin = subject.p ? (size_t)(g.v[0].p - subject.p) : 0;
        size_t end = begin + g.v[0].n;
        buf_put(out, str_make(subject.p + done, begin - done));
        /* an empty match right behind another one does not count */
        if (end > done || begin == 0) regex_expand(re, replacement, &g, out);
        done = end;
        size_t next = at + (rune_width(subject, at) ? rune_width(subject, at) : 1);
        at = next > end ? next : end;
    }
    buf_put(out, str_from(subject, done));
}
