/* SPDX-License-Identifier: Apache-2.0 */
#include "jmx/objectname.h"

#include "base/vec.h"

/* Bytes of a quoted value, with both quotes; 0 when it does not end. */
static size_t quoted_size(struct str s)
{
    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] == '"') return i + 1;
        if (s.p[i] == '\\') i++;
    }
    return 0;
}

static size_t span_without(struct str s, const char *stop)
{
    size_t i = 0;
    while (i < s.n && (s.p[i] == 0 || !strchr(stop, s.p[i]))) i++;
    return i;
}

static enum err read_property(struct str *in, struct str whole, struct jmx_property *out,
                              struct diag *d)
{
    size_t n = span_without(*in, ",=:*?");
    if (n == 0 || n >= in->n || in->p[n] != '=') {
        return diag_set(d, ERR_SYNTAX, "expected key=value in MBean name \"%.*s\"", STR_ARG(whole));
    }
    out->key = str_first(*in, n);
    *in = str_from(*in, n + 1);
    bool quoted = in->n && in->p[0] == '"';
    n = quoted ? quoted_size(*in) : span_without(*in, ",=:\"\n");
    if (quoted && n == 0) {
        return diag_set(d, ERR_SYNTAX, "a quoted value does not end in MBean name \"%.*s\"",
                        STR_ARG(whole));
    }
    out->value = str_first(*in, n);
    *in = str_from(*in, n);
    return OK;
}

static enum err read_properties(struct str in, struct str whole, struct arena *a,
                                struct objectname *out, struct diag *d)
{
    VEC(struct jmx_property) list = { 0 };
    for (;;) {
        if (str_eqc(in, "*")) {
            out->open = true;
            break;
        }
        struct jmx_property p;
        bool star = str_starts(in, STR("*,"));
        if (star) {
            out->open = true;
            in = str_from(in, 2);
            continue;
        }
        TRY(read_property(&in, whole, &p, d));
        for (size_t i = 0; i < list.n; i++) {
            if (str_eq(list.v[i].key, p.key)) {
                return diag_set(d, ERR_SYNTAX, "key %.*s twice in MBean name \"%.*s\"",
                                STR_ARG(p.key), STR_ARG(whole));
            }
        }
        *vec_push(a, &list) = p;
        if (in.n == 0) break;
        if (in.p[0] != ',') {
            return diag_set(d, ERR_SYNTAX, "expected a comma in MBean name \"%.*s\"",
                            STR_ARG(whole));
        }
        in = str_from(in, 1);
    }
    out->properties = list.v;
    out->n = list.n;
    return OK;
}

enum err objectname_parse(struct str text, struct arena *a, struct objectname *out, struct diag *d)
{
    struct objectname name = { 0 };
    struct str rest;
    if (!str_cut(text, ':', &name.domain, &rest) || rest.n == 0) {
        return diag_set(d, ERR_SYNTAX, "expected domain:key=value, got \"%.*s\"", STR_ARG(text));
    }
    TRY(read_properties(rest, text, a, &name, d));
    *out = name;
    return OK;
}

struct str objectname_get(const struct objectname *name, const char *key)
{
    for (size_t i = 0; i < name->n; i++) {
        if (str_eqc(name->properties[i].key, key)) return name->properties[i].value;
    }
    return str_make(NULL, 0);
}

static const struct jmx_property *find(const struct objectname *name, struct str key)
{
    for (size_t i = 0; i < name->n; i++) {
        if (str_eq(name->properties[i].key, key)) return &name->properties[i];
    }
    return NULL;
}

bool objectname_eq(const struct objectname *a, const struct objectname *b)
{
    if (a->n != b->n || !str_eq(a->domain, b->domain)) return false;
    for (size_t i = 0; i < a->n; i++) {
        const struct jmx_property *p = find(b, a->properties[i].key);
        if (!p || !str_eq(p->value, a->properties[i].value)) return false;
    }
    return true;
}

/* `*` any run, `?` any one character; with `escapes` (in quotes) a backslash makes the next one literal. */
static bool glob(struct str pattern, struct str s, bool escapes)
{
    size_t p = 0, i = 0, star = SIZE_MAX, mark = 0;
    while (i < s.n) {
        bool escaped = escapes && p + 1 < pattern.n && pattern.p[p] == '\\';
        if (escaped && i + 1 < s.n && memcmp(pattern.p + p, s.p + i, 2) == 0) {
            p += 2;
            i += 2;
        } else if (!escaped && p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            mark = i;
        } else if (!escaped && p < pattern.n && (pattern.p[p] == '?' || pattern.p[p] == s.p[i])) {
            p++;
            i++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            i = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*') p++;
    return p == pattern.n;
}

bool objectname_match(const struct objectname *pattern, const struct objectname *name)
{
    if (!glob(pattern->domain, name->domain, false)) return false;
    if (!pattern->open && pattern->n != name->n) return false;
    for (size_t i = 0; i < pattern->n; i++) {
        const struct jmx_property *want = &pattern->properties[i];
        const struct jmx_property *got = find(name, want->key);
        bool quoted = want->value.n && want->value.p[0] == '"';
        if (!got || !glob(want->value, got->value, quoted)) return false;
    }
    return true;
}
