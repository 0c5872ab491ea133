/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/regex.h"

#include "base/assert.h"
#include "base/utf8.h"
#include "codec/regex_priv.h"

#include <stdatomic.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
    PATTERN_MAX = 1 << 18,
    MATCH_LIMIT = 50000,
    DFA_LIMIT = 1000000,
    DFA_WORKSPACE = 4096,
    PARENS_MAX = 4096,
    LINEAR_MAX = 8, /* so many literals are compared one by one */
};

struct regex {
    struct arena a; /* names, literals, prefix, emitted */
    enum regex_kind kind;
    struct str emitted;
    struct re_names names;
    size_t groups;
    struct re_set literals; /* sorted */
    struct str prefix;
    pcre2_match_context *limits;
    /* Compiled at once, or on first need where literals answer most questions. */
    _Atomic(pcre2_code *) code;
    _Atomic(pcre2_match_data *) spare; /* taken for a match, put back after it */
};

/* --- compiling --- */

static pcre2_code *compile_code(const struct regex *re, char *why, size_t room, size_t *offset)
{
    uint32_t options = PCRE2_UTF | PCRE2_NO_UTF_CHECK;
    if (re->kind != REGEX_JAVA) options |= PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY;
    int code;
    pcre2_compile_context *cc = pcre2_compile_context_create(NULL);
    if (!cc) abort();
    (void)pcre2_set_parens_nest_limit(cc, PARENS_MAX);
    if (re->kind == REGEX_JAVA) (void)pcre2_set_newline(cc, PCRE2_NEWLINE_ANY);
    pcre2_code *c = pcre2_compile((PCRE2_SPTR)re->emitted.p, re->emitted.n, options, &code, offset,
                                  cc);
    pcre2_compile_context_free(cc);
    if (!c) {
        (void)pcre2_get_error_message(code, (PCRE2_UCHAR *)why, room);
        return NULL;
    }
    (void)pcre2_jit_compile(c, PCRE2_JIT_COMPLETE); /* without it the interpreter matches */
    return c;
}

static enum err compile_now(struct regex *re, struct str pattern, struct diag *d)
{
    char why[160] = "";
    size_t offset = 0;
    pcre2_code *c = compile_code(re, why, sizeof(why), &offset);
    if (!c) {
        return diag_set(d, ERR_SYNTAX, "error parsing regexp: %s at offset %zu: `" STR_FMT "`", why,
                        offset, STR_ARG(pattern));
    }
    uint32_t groups = 0;
    (void)pcre2_pattern_info(c, PCRE2_INFO_CAPTURECOUNT, &groups);
    re->groups = groups;
    re->code = c;
    return OK;
}

static int cmp_strs(const void *a, const void *b)
{
    const struct str *x = a, *y = b;
    return str_cmp(*x, *y);
}

static void sort_literals(struct regex *re, const struct re_set *found)
{
    struct str *v = arena_array(&re->a, found->n, sizeof(*v));
    for (size_t i = 0; i < found->n; i++) v[i] = arena_dup(&re->a, found->v[i]);
    qsort(v, found->n, sizeof(*v), cmp_strs);
    size_t n = 0;
    for (size_t i = 0; i < found->n; i++) {
        if (!n || !str_eq(v[n - 1], v[i])) v[n++] = v[i];
    }
    re->literals = (struct re_set){ v, n };
}

static enum err compile_re2(struct regex *re, struct str pattern, struct diag *d)
{
    ARENA(work, 0);
    BUF(emitted, 0);
    struct re_node *root;
    struct re_set found;
    if (re->kind == REGEX_RE2) {
        pattern = arena_fmt(&re->a, "^(?s:" STR_FMT ")$", STR_ARG(pattern));
    }
    TRY(re_parse(&work, pattern, &root, &re->names, d));
    struct str *names = arena_array(&re->a, re->names.n, sizeof(*names));
    for (size_t i = 0; i < re->names.n; i++) names[i] = arena_dup(&re->a, re->names.v[i]);
    re->names.v = names;
    re->groups = re->names.n;
    re_emit(root, &emitted);
    re->emitted = arena_dup(&re->a, buf_str(&emitted));
    if (re->kind == REGEX_RE2) {
        if (re_literals(&work, root, &found)) sort_literals(re, &found);
        re->prefix = arena_dup(&re->a, re_prefix(&work, root));
    }
    return re->literals.n ? OK : compile_now(re, pattern, d);
}

/* Names of Java's groups, from PCRE2's table of entries: number in two bytes, name, NUL. */
static void take_names(struct regex *re)
{
    uint32_t n = 0, size = 0;
    PCRE2_SPTR table = NULL;
    (void)pcre2_pattern_info(re->code, PCRE2_INFO_NAMECOUNT, &n);
    (void)pcre2_pattern_info(re->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    (void)pcre2_pattern_info(re->code, PCRE2_INFO_NAMETABLE, &table);
    re->names.v = arena_array(&re->a, re->groups, sizeof(struct str));
    re->names.n = re->groups;
    for (; n; n--, table += size) {
        size_t group = (size_t)table[0] << 8 | table[1];
        re->names.v[group - 1] = arena_dup(&re->a, str_c((const char *)table + 2));
    }
}

static enum err compile_java(struct regex *re, struct str pattern, struct diag *d)
{
    BUF(emitted, 0);
    if (!utf8_valid(pattern)) return diag_set(d, ERR_SYNTAX, "error parsing regexp: invalid UTF-8");
    TRY(re_from_java(pattern, &emitted, d));
    re->emitted = arena_dup(&re->a, buf_str(&emitted));
    TRY(compile_now(re, pattern, d));
    take_names(re);
    return OK;
}

enum err regex_compile(struct str pattern, enum regex_kind kind, struct regex **out, struct diag *d)
{
    if (pattern.n > PATTERN_MAX) {
        return diag_set(d, ERR_LIMIT, "error parsing regexp: expression too large (%zu bytes)",
                        pattern.n);
    }
    struct regex *re = calloc(1, sizeof(*re));
    if (!re) abort();
    re->kind = kind;
    re->limits = pcre2_match_context_create(NULL);
    if (!re->limits) abort();
    (void)pcre2_set_match_limit(re->limits, MATCH_LIMIT);
    enum err e = kind == REGEX_JAVA ? compile_java(re, pattern, d) : compile_re2(re, pattern, d);
    if (e != OK) {
        regex_free(re);
        return e;
    }
    *out = re;
    return OK;
}

void regex_free(struct regex *re)
{
    if (!re) return;
    pcre2_code_free(re->code);
    pcre2_match_data_free(re->spare);
    pcre2_match_context_free(re->limits);
    arena_done(&re->a);
    free(re);
}

/* --- matching --- */

/* The compiled form, made now where literals had spared it. Two threads may both make it; one wins. */
static pcre2_code *code_of(const struct regex *re)
{
    struct regex *own = (struct regex *)(uintptr_t)re; /* a cache behind a const face */
    pcre2_code *c = own->code, *none = NULL;
    if (LIKELY(c)) return c;
    size_t offset;
    char why[8];
    c = compile_code(re, why, sizeof(why), &offset);
    ASSERT(c); /* a finite set of strings always compiles */
    if (atomic_compare_exchange_strong(&own->code, &none, c)) return c;
    pcre2_code_free(c);
    return none;
}

static pcre2_match_data *take_data(const struct regex *re)
{
    struct regex *own = (struct regex *)(uintptr_t)re;
    pcre2_match_data *md = atomic_exchange(&own->spare, NULL);
    if (!md) md = pcre2_match_data_create((uint32_t)re->groups + 1, NULL);
    if (!md) abort();
    return md;
}

static void give_data(const struct regex *re, pcre2_match_data *md)
{
    struct regex *own = (struct regex *)(uintptr_t)re;
    pcre2_match_data_free(atomic_exchange(&own->spare, md));
}

/* Backtracking ran away: the DFA matcher always ends, at a lower speed. It knows no groups. */
static bool dfa_match(const struct regex *re, pcre2_match_data *md, struct str s)
{
    int *workspace = malloc(DFA_WORKSPACE * sizeof(*workspace));
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    if (!workspace || !limits) abort();
    (void)pcre2_set_match_limit(limits, DFA_LIMIT);
    int rc = pcre2_dfa_match(code_of(re), (PCRE2_SPTR)s.p, s.n, 0,
                             PCRE2_NO_UTF_CHECK | PCRE2_DFA_SHORTEST, md, limits, workspace,
                             DFA_WORKSPACE);
    pcre2_match_context_free(limits);
    free(workspace);
    return rc >= 0;
}

static bool ran_away(int rc)
{
    return rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_JIT_STACKLIMIT ||
           rc == PCRE2_ERROR_DEPTHLIMIT || rc == PCRE2_ERROR_HEAPLIMIT;
}

/* s is valid UTF-8. */
static bool engine_match(const struct regex *re, struct str s)
{
    pcre2_match_data *md = take_data(re);
    int rc = pcre2_match(code_of(re), (PCRE2_SPTR)(s.p ? s.p : ""), s.n, 0, PCRE2_NO_UTF_CHECK, md,
                         re->limits);
    bool found = ran_away(rc) ? dfa_match(re, md, s) : rc >= 0;
    give_data(re, md);
    return found;
}

static bool among_literals(const struct regex *re, struct str s)
{
    const struct re_set *l = &re->literals;
    if (l->n > LINEAR_MAX) return bsearch(&s, l->v, l->n, sizeof(*l->v), cmp_strs) != NULL;
    for (size_t i = 0; i < l->n; i++) {
        if (str_eq(l->v[i], s)) return true;
    }
    return false;
}

/* Go reads each broken byte as U+FFFD; PCRE2 must not see one. */
static void mend(struct buf *b, struct str s)
{
    while (s.n) utf8_put(b, utf8_next(&s));
}

bool regex_match(const struct regex *re, struct str subject)
{
    if (re->literals.n) return among_literals(re, subject);
    if (!str_starts(subject, re->prefix)) return false;
    if (LIKELY(utf8_valid(subject))) return engine_match(re, subject);
    BUF(b, 0);
    mend(&b, subject);
    return engine_match(re, buf_str(&b));
}

/* Where a byte of the mended text was in the original. */
static size_t unmended(struct str original, size_t offset)
{
    struct str rest = original;
    size_t mended = 0;
    while (rest.n && mended < offset) {
        size_t before = rest.n;
        uint32_t c = utf8_next(&rest);
        size_t took = before - rest.n;
        mended += c == UTF8_BAD && took == 1 ? 3 : took;
    }
    return original.n - rest.n;
}

static size_t mended_offset(struct str original, size_t offset)
{
    BUF(b, 0);
    mend(&b, str_first(original, offset));
    return b.n;
}

bool regex_find(const struct regex *re, struct str subject, size_t from, struct arena *a,
                struct regex_groups *out)
{
    if (from > subject.n) return false;
    BUF(b, 0);
    struct str s = subject;
    bool valid = utf8_valid(subject);
    if (!valid) {
        mend(&b, subject);
        s = buf_str(&b);
    }
    pcre2_match_data *md = take_data(re);
    int rc = pcre2_match(code_of(re), (PCRE2_SPTR)(s.p ? s.p : ""), s.n,
                         valid ? from : mended_offset(subject, from), PCRE2_NO_UTF_CHECK, md,
                         re->limits);
    if (rc >= 0) {
        const size_t *at = pcre2_get_ovector_pointer(md);
        out->n = re->groups + 1;
        out->v = arena_array(a, out->n, sizeof(*out->v));
        for (size_t i = 0; i < out->n; i++) {
            if (at[2 * i] == PCRE2_UNSET) continue;
            size_t begin = valid ? at[2 * i] : unmended(subject, at[2 * i]);
            size_t end = valid ? at[2 * i + 1] : unmended(subject, at[2 * i + 1]);
            out->v[i] = str_make((subject.p ? subject.p : "") + begin, end - begin);
        }
    }
    give_data(re, md);
    return rc >= 0;
}

size_t regex_group_count(const struct regex *re) { return re->groups; }

size_t regex_group_named(const struct regex *re, struct str name)
{
    for (size_t i = 0; name.n && i < re->names.n; i++) {
        if (str_eq(re->names.v[i], name)) return i + 1;
    }
    return STR_NONE;
}

void regex_shape(const struct regex *re, struct regex_shape *out)
{
    *out = (struct regex_shape){ re->literals.v, re->literals.n, re->prefix };
}
