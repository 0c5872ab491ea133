/* SPDX-License-Identifier: Apache-2.0 */
/* What an anchored pattern is made of: the few strings it matches, or the prefix of all of them. */
#include "base/utf8.h"
#include "base/vec.h"
#include "codec/regex_priv.h"

enum { PRODUCT_MAX = 1024, CLASS_MAX = 64, BYTES_MAX = 1 << 20 };

struct finder {
    struct arena *a;
    size_t bytes;
};

static struct str rune_text(struct arena *a, uint32_t c)
{
    BUF(b, 8);
    utf8_put(&b, c);
    return arena_dup(a, buf_str(&b));
}

static bool one(struct finder *f, struct str s, struct re_set *out)
{
    out->v = arena_array(f->a, 1, sizeof(*out->v));
    out->v[0] = s;
    out->n = 1;
    return true;
}

static bool all_empty(const struct re_set *s)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->v[i].n) return false;
    }
    return true;
}

static bool class_set(struct finder *f, const struct re_node *re, struct re_set *out)
{
    size_t n = 0;
    if (re->negated || re->fold) return false;
    for (const struct re_range *r = re->ranges; r; r = r->next) {
        if (r->text.n || r->hi - r->lo >= CLASS_MAX) return false;
        n += r->hi - r->lo + 1;
    }
    if (n > CLASS_MAX) return false;
    out->v = arena_array(f->a, n, sizeof(*out->v));
    out->n = 0;
    for (const struct re_range *r = re->ranges; r; r = r->next) {
        for (uint32_t c = r->lo; c <= r->hi; c++) out->v[out->n++] = rune_text(f->a, c);
    }
    return true;
}

static bool product(struct finder *f, const struct re_set *x, const struct re_set *y,
                    struct re_set *out)
{
    size_t n = x->n * y->n;
    if (n > PRODUCT_MAX && x->n > 1 && y->n > 1) return false;
    struct str *v = arena_array(f->a, n, sizeof(*v));
    for (size_t i = 0; i < n; i++) {
        struct str p = x->v[i / y->n], q = y->v[i % y->n];
        f->bytes += p.n + q.n;
        if (f->bytes > BYTES_MAX) return false;
        char *to = arena_raw(f->a, p.n + q.n);
        if (p.n) memcpy(to, p.p, p.n);
        if (q.n) memcpy(to + p.n, q.p, q.n);
        v[i] = str_make(to, p.n + q.n);
    }
    *out = (struct re_set){ v, n };
    return true;
}

/* A run of plain characters becomes one string at once: a long literal costs its length, not its square. */
static const struct re_node *literal_run(struct finder *f, const struct re_node *s, struct str *out)
{
    BUF(b, 0);
    for (; s && s->op == RE_LITERAL && !s->fold; s = s->next) utf8_put(&b, s->rune);
    f->bytes += b.n;
    *out = arena_dup(f->a, buf_str(&b));
    return s;
}

/* at_start, at_end: the node touches that end of the text, so an anchor there matches nothing but the end. */
static bool find(struct finder *f, const struct re_node *re, bool at_start, bool at_end,
                 struct re_set *out);

static bool concat_set(struct finder *f, const struct re_node *re, bool at_start, bool at_end,
                       struct re_set *out)
{
    struct re_set sum, part;
    (void)one(f, STR(""), &sum);
    const struct re_node *s = re->sub;
    while (s) {
        struct str run;
        const struct re_node *next = literal_run(f, s, &run);
        if (next != s) {
            (void)one(f, run, &part);
        } else {
            next = s->next;
            /* what follows may only be anchors for `s` to touch the end */
            bool last = true;
            for (const struct re_node *t = next; t; t = t->next) last &= t->op == RE_END_TEXT;
            if (!find(f, s, at_start && all_empty(&sum), at_end && last, &part)) return false;
        }
        if (!product(f, &sum, &part, &sum)) return false;
        s = next;
    }
    *out = sum;
    return true;
}

static bool alternate_set(struct finder *f, const struct re_node *re, bool at_start, bool at_end,
                          struct re_set *out)
{
    VEC(struct str) all = { 0 };
    for (const struct re_node *s = re->sub; s; s = s->next) {
        struct re_set part;
        if (!find(f, s, at_start, at_end, &part)) return false;
        for (size_t i = 0; i < part.n; i++) *vec_push(f->a, &all) = part.v[i];
    }
    *out = (struct re_set){ all.v, all.n };
    return true;
}

static bool find(struct finder *f, const struct re_node *re, bool at_start, bool at_end,
                 struct re_set *out)
{
    switch (re->op) {
    case RE_EMPTY: return one(f, STR(""), out);
    case RE_LITERAL: return !re->fold && one(f, rune_text(f->a, re->rune), out);
    case RE_CLASS: return class_set(f, re, out);
    case RE_BEGIN_TEXT: return at_start && one(f, STR(""), out);
    case RE_END_TEXT: return at_end && one(f, STR(""), out);
    case RE_CAPTURE: return find(f, re->sub, at_start, at_end, out);
    case RE_CONCAT: return concat_set(f, re, at_start, at_end, out);
    case RE_ALTERNATE: return alternate_set(f, re, at_start, at_end, out);
    case RE_ANY:
    case RE_ANY_NOT_NL:
    case RE_BEGIN_LINE:
    case RE_END_LINE:
    case RE_WORD:
    case RE_NOT_WORD:
    case RE_REPEAT: return false;
    }
    return false;
}

bool re_literals(struct arena *a, const struct re_node *re, struct re_set *out)
{
    struct finder f = { a, 0 };
    return find(&f, re, true, true, out) && out->n;
}

/* Appends the fixed beginning; false: nothing may be appended behind it. */
static bool prefix_of(const struct re_node *re, struct buf *b)
{
    switch (re->op) {
    case RE_EMPTY:
    case RE_BEGIN_TEXT: return true;
    case RE_LITERAL:
        if (re->fold) return false;
        utf8_put(b, re->rune);
        return true;
    case RE_CAPTURE: return prefix_of(re->sub, b);
    case RE_CONCAT:
        for (const struct re_node *s = re->sub; s; s = s->next) {
            if (!prefix_of(s, b)) return false;
        }
        return true;
    default: return false;
    }
}

struct str re_prefix(struct arena *a, const struct re_node *re)
{
    BUF(b, BYTES_MAX);
    (void)prefix_of(re, &b);
    return arena_dup(a, buf_str(&b));
}
