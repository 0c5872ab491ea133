/* SPDX-License-Identifier: Apache-2.0 */
#include "model/labels.h"

#include "base/hash.h"
#include "codec/goquote.h"

#include <stdlib.h>

struct str labels_get(struct labels lb, struct str name)
{
    for (size_t i = 0; i < lb.n; i++) {
        if (str_eq(lb.v[i].name, name)) return lb.v[i].value;
    }
    return (struct str){ NULL, 0 };
}

bool labels_eq(struct labels a, struct labels b)
{
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++) {
        if (!str_eq(a.v[i].name, b.v[i].name) || !str_eq(a.v[i].value, b.v[i].value)) return false;
    }
    return true;
}

int labels_cmp(struct labels a, struct labels b)
{
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        int c = str_cmp(a.v[i].name, b.v[i].name);
        if (c == 0) c = str_cmp(a.v[i].value, b.v[i].value);
        if (c != 0) return c;
    }
    return (a.n > b.n) - (a.n < b.n);
}

uint64_t labels_hash(struct labels lb)
{
    uint64_t h = lb.n;
    for (size_t i = 0; i < lb.n; i++) {
        h = hash_u64(h + hash_bytes(lb.v[i].name));
        h = hash_u64(h + hash_bytes(lb.v[i].value));
    }
    return h;
}

uint64_t labels_fingerprint(struct labels lb)
{
    uint64_t h = FNV1A_INIT;
    for (size_t i = 0; i < lb.n; i++) {
        h = hash_fnv1a(h, lb.v[i].name);
        h = hash_fnv1a(h, STR("\xff"));
        h = hash_fnv1a(h, lb.v[i].value);
        h = hash_fnv1a(h, STR("\xff"));
    }
    return h;
}

struct labels labels_dup(struct arena *a, struct labels lb)
{
    struct label *v = arena_array(a, lb.n, sizeof(*v));
    for (size_t i = 0; i < lb.n; i++) {
        v[i] = (struct label){ arena_dup(a, lb.v[i].name), arena_dup(a, lb.v[i].value) };
    }
    return (struct labels){ v, lb.n };
}

/* --- sorting --- */

struct placed {
    struct label label;
    size_t at;
};

static int placed_cmp(const void *x, const void *y)
{
    const struct placed *a = x, *b = y;
    int c = str_cmp(a->label.name, b->label.name);
    return c ? c : (a->at > b->at) - (a->at < b->at);
}

/* Sets of a size that only hostile input has; insertion would be quadratic. */
static void sort_many(struct label *v, size_t n)
{
    struct placed *p = malloc(n * sizeof(*p));
    if (!p) abort();
    for (size_t i = 0; i < n; i++) p[i] = (struct placed){ v[i], i };
    qsort(p, n, sizeof(*p), placed_cmp);
    for (size_t i = 0; i < n; i++) v[i] = p[i].label;
    free(p);
}

/* Stable, so that the last of equal names is known. */
static void sort(struct label *v, size_t n)
{
    if (n > 64) {
        sort_many(v, n);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        struct label x = v[i];
        size_t j = i;
        for (; j && str_cmp(v[j - 1].name, x.name) > 0; j--) v[j] = v[j - 1];
        v[j] = x;
    }
}

struct labels labels_from(struct label *v, size_t n)
{
    sort(v, n);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        bool shadowed = i + 1 < n && str_eq(v[i].name, v[i + 1].name);
        if (!shadowed && v[i].value.n) v[kept++] = v[i];
    }
    return (struct labels){ v, kept };
}

/* --- builder --- */

static struct label *builder_find(const struct labels_builder *b, struct str name)
{
    for (size_t i = 0; i < b->n; i++) {
        if (str_eq(b->v[i].name, name)) return &b->v[i];
    }
    return NULL;
}

void labels_builder_init(struct labels_builder *b, struct arena *a, struct labels base)
{
    size_t cap = base.n + 8;
    *b = (struct labels_builder){ a, arena_array(a, cap, sizeof(struct label)), base.n, cap };
    if (base.n) memcpy(b->v, base.v, base.n * sizeof(*b->v));
}

void labels_set(struct labels_builder *b, struct str name, struct str value)
{
    if (!value.n) {
        labels_del(b, name);
        return;
    }
    struct label *at = builder_find(b, name);
    if (at) {
        at->value = value;
        return;
    }
    if (b->n == b->cap) {
        struct label *v = arena_array(b->a, b->cap * 2, sizeof(*v));
        memcpy(v, b->v, b->n * sizeof(*v));
        b->v = v;
        b->cap *= 2;
    }
    b->v[b->n++] = (struct label){ name, value };
}

void labels_del(struct labels_builder *b, struct str name)
{
    struct label *at = builder_find(b, name);
    if (!at) return;
    memmove(at, at + 1, (size_t)(b->v + b->n - (at + 1)) * sizeof(*at));
    b->n--;
}

struct str labels_builder_get(const struct labels_builder *b, struct str name)
{
    const struct label *at = builder_find(b, name);
    return at ? at->value : (struct str){ NULL, 0 };
}

struct labels labels_build(struct labels_builder *b)
{
    struct labels lb = labels_from(b->v, b->n);
    b->n = lb.n;
    return lb;
}

/* --- choosing --- */

static bool listed(struct str name, const struct str *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(names[i], name)) return true;
    }
    return false;
}

struct labels labels_keep(struct arena *a, struct labels lb, const struct str *names, size_t n)
{
    struct label *v = arena_array(a, lb.n, sizeof(*v));
    size_t kept = 0;
    for (size_t i = 0; i < lb.n; i++) {
        if (listed(lb.v[i].name, names, n)) v[kept++] = lb.v[i];
    }
    return (struct labels){ v, kept };
}

struct labels labels_without(struct arena *a, struct labels lb, const struct str *names, size_t n)
{
    struct label *v = arena_array(a, lb.n, sizeof(*v));
    size_t kept = 0;
    for (size_t i = 0; i < lb.n; i++) {
        bool drop = str_eq(lb.v[i].name, METRIC_NAME) || listed(lb.v[i].name, names, n);
        if (!drop) v[kept++] = lb.v[i];
    }
    return (struct labels){ v, kept };
}

/* --- printing --- */

void str_write_quoted(struct buf *b, struct str s) { go_quote(b, s); }

static void write_pair(struct buf *b, const struct label *l)
{
    if (label_name_valid_legacy(l->name)) {
        buf_put(b, l->name);
    } else {
        go_quote(b, l->name);
    }
    buf_char(b, '=');
    go_quote(b, l->value);
}

void labels_write_set(struct buf *b, struct labels lb)
{
    buf_char(b, '{');
    for (size_t i = 0; i < lb.n; i++) {
        if (i) buf_put(b, STR(", "));
        write_pair(b, &lb.v[i]);
    }
    buf_char(b, '}');
}

void labels_write(struct buf *b, struct labels lb)
{
    struct str metric = labels_get(lb, METRIC_NAME);
    bool bare = metric_name_valid_legacy(metric);
    if (bare) buf_put(b, metric);
    if (bare && lb.n == 1) return;
    buf_char(b, '{');
    bool first = true;
    if (metric.n && !bare) {
        go_quote(b, metric);
        first = false;
    }
    for (size_t i = 0; i < lb.n; i++) {
        if (str_eq(lb.v[i].name, METRIC_NAME)) continue;
        if (!first) buf_put(b, STR(", "));
        first = false;
        write_pair(b, &lb.v[i]);
    }
    buf_char(b, '}');
}

static bool name_valid(struct str s, bool colon)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                      (colon && c == ':');
        if (!letter && !(i && c >= '0' && c <= '9')) return false;
    }
    return s.n > 0;
}

bool label_name_valid_legacy(struct str s) { return name_valid(s, false); }
bool metric_name_valid_legacy(struct str s) { return name_valid(s, true); }
