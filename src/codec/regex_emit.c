/* SPDX-License-Identifier: Apache-2.0 */
/* Every node is spelt out, so that no default of PCRE2's (newlines, \s, $) can differ from RE2's meaning. */
#include "base/utf8.h"
#include "codec/regex_priv.h"

static bool surrogate(uint32_t c) { return c >= 0xd800 && c <= 0xdfff; }

static void put_char(struct buf *b, uint32_t c)
{
    bool word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                c == '_' || (c >= 0x80 && !surrogate(c));
    if (word) {
        utf8_put(b, c);
    } else {
        buf_fmt(b, "\\x{%x}", c);
    }
}

/* PCRE2 takes no surrogate as the end of a range; no text contains one, so the range may end beside it. */
static void put_range(struct buf *b, uint32_t lo, uint32_t hi)
{
    if (surrogate(lo)) lo = 0xe000;
    if (surrogate(hi)) hi = 0xd7ff;
    if (lo > hi) return;
    put_char(b, lo);
    if (lo == hi) return;
    buf_char(b, '-');
    put_char(b, hi);
}

static void put_class(struct buf *b, const struct re_node *re)
{
    buf_put(b, re->negated ? STR("[^") : STR("["));
    size_t before = b->n;
    for (const struct re_range *r = re->ranges; r; r = r->next) {
        if (r->text.n) {
            buf_put(b, r->text);
        } else {
            put_range(b, r->lo, r->hi);
        }
    }
    if (b->n > before) {
        buf_char(b, ']');
        return;
    }
    b->n = before - (re->negated ? 2 : 1); /* a class of surrogates only */
    buf_put(b, re->negated ? STR(".") : STR("(?!)"));
}

static void put_repeat(struct buf *b, const struct re_node *re)
{
    buf_put(b, STR("(?:"));
    re_emit(re->sub, b);
    buf_char(b, ')');
    if (re->max < 0 && re->min < 2) {
        buf_char(b, re->min ? '+' : '*');
    } else if (re->max < 0) {
        buf_fmt(b, "{%d,}", re->min);
    } else {
        buf_fmt(b, "{%d,%d}", re->min, re->max);
    }
    if (re->lazy) buf_char(b, '?');
}

static bool folding_literal(const struct re_node *re)
{
    return re && re->op == RE_LITERAL && re->fold && !surrogate(re->rune);
}

/* A run of folded characters shares one group: PCRE2 limits the compiled size. */
static const struct re_node *put_folded_run(struct buf *b, const struct re_node *s)
{
    buf_put(b, STR("(?i:"));
    for (; folding_literal(s); s = s->next) put_char(b, s->rune);
    buf_char(b, ')');
    return s;
}

static void put_concat(struct buf *b, const struct re_node *re)
{
    const struct re_node *s = re->sub;
    while (s) {
        if (folding_literal(s)) {
            s = put_folded_run(b, s);
            continue;
        }
        re_emit(s, b);
        s = s->next;
    }
}

static void put_alternates(struct buf *b, const struct re_node *re)
{
    buf_put(b, STR("(?:"));
    for (const struct re_node *s = re->sub; s; s = s->next) {
        if (s != re->sub) buf_char(b, '|');
        re_emit(s, b);
    }
    buf_char(b, ')');
}

static void put_folding(struct buf *b, const struct re_node *re)
{
    if (re->fold) buf_put(b, STR("(?i:"));
    if (re->op == RE_CLASS) {
        put_class(b, re);
    } else if (surrogate(re->rune)) {
        buf_put(b, STR("(?!)"));
    } else {
        put_char(b, re->rune);
    }
    if (re->fold) buf_char(b, ')');
}

void re_emit(const struct re_node *re, struct buf *b)
{
    switch (re->op) {
    case RE_EMPTY: break;
    case RE_LITERAL:
    case RE_CLASS: put_folding(b, re); break;
    case RE_ANY: buf_char(b, '.'); break;
    case RE_ANY_NOT_NL: buf_put(b, STR("[^\\n]")); break;
    case RE_BEGIN_LINE: buf_put(b, STR("(?<![^\\n])")); break;
    case RE_END_LINE: buf_put(b, STR("(?![^\\n])")); break;
    case RE_BEGIN_TEXT: buf_put(b, STR("\\A")); break;
    case RE_END_TEXT: buf_put(b, STR("\\z")); break;
    case RE_WORD: buf_put(b, STR("\\b")); break;
    case RE_NOT_WORD: buf_put(b, STR("\\B")); break;
    case RE_REPEAT: put_repeat(b, re); break;
    case RE_CAPTURE:
        buf_char(b, '(');
        re_emit(re->sub, b);
        buf_char(b, ')');
        break;
    case RE_CONCAT: put_concat(b, re); break;
    case RE_ALTERNATE: put_alternates(b, re); break;
    }
}
