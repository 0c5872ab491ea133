/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Java's Pattern syntax for PCRE2: most of it is the same; what is spelt otherwise is translated, and what PCRE2
 * would accept with another meaning is refused.
 */
#include "codec/regex_priv.h"

struct reader {
    struct str in;
    size_t i;
    unsigned in_class; /* 0 or 1 */
    struct buf *out;
    struct diag *d;
};

static const struct {
    struct str java, class; /* the inside of a bracket expression */
} PROPERTIES[] = {
#define P(java, class)                                                                             \
    {                                                                                              \
        { java, sizeof(java) - 1 }, { class, sizeof(class) - 1 }                                   \
    }
    P("Lower", "[:lower:]"),
    P("Upper", "[:upper:]"),
    P("ASCII", "\\x00-\\x7f"),
    P("Alpha", "[:alpha:]"),
    P("Digit", "[:digit:]"),
    P("Alnum", "[:alnum:]"),
    P("Punct", "[:punct:]"),
    P("Graph", "[:graph:]"),
    P("Print", "[:print:]"),
    P("Blank", "[:blank:]"),
    P("Cntrl", "[:cntrl:]"),
    P("XDigit", "[:xdigit:]"),
    P("Space", "[:space:]"),
    P("javaLowerCase", "\\p{Ll}"),
    P("javaUpperCase", "\\p{Lu}"),
    P("javaWhitespace", "\\s"),
    P("IsAlphabetic", "\\p{L}\\p{Nl}"),
    P("IsDigit", "\\p{Nd}"),
    P("IsLetter", "\\p{L}"),
    P("IsLowercase", "\\p{Ll}"),
    P("IsUppercase", "\\p{Lu}"),
    P("IsPunctuation", "\\p{P}"),
    P("IsWhite_Space", "\\s"),
#undef P
};

static enum err refuse(struct reader *r, const char *what)
{
    return diag_set(r->d, ERR_UNSUPPORTED,
                    "error parsing regexp: %s at character %zu is not supported: `" STR_FMT "`",
                    what, r->i + 1, STR_ARG(r->in));
}

/* \p{Name} or \P{Name}; r->i at the backslash. */
static enum err property(struct reader *r)
{
    struct str rest = str_from(r->in, r->i + 3);
    size_t end = str_find_char(rest, '}');
    if (end == STR_NONE) return refuse(r, "an unclosed \\p{");
    struct str name = str_first(rest, end);
    bool negative = r->in.p[r->i + 1] == 'P';
    for (size_t k = 0; k < ARRAY_LEN(PROPERTIES); k++) {
        if (!str_eq(PROPERTIES[k].java, name)) continue;
        if (r->in_class && negative) return refuse(r, "a negated property inside [ ]");
        if (!r->in_class) buf_put(r->out, negative ? STR("[^") : STR("["));
        buf_put(r->out, PROPERTIES[k].class);
        if (!r->in_class) buf_char(r->out, ']');
        r->i += 4 + end;
        return OK;
    }
    if (str_starts(name, STR("java")) || str_starts(name, STR("In"))) {
        return refuse(r, "this \\p{...}");
    }
    if (str_starts(name, STR("Is"))) name = str_from(name, 2);
    buf_fmt(r->out, "\\%c{" STR_FMT "}", negative ? 'P' : 'p', STR_ARG(name));
    r->i += 4 + end;
    return OK;
}

static enum err backslash(struct reader *r)
{
    struct str rest = str_from(r->in, r->i);
    char c = rest.n > 1 ? rest.p[1] : '\0';
    if ((c == 'p' || c == 'P') && rest.n > 2 && rest.p[2] == '{') return property(r);
    if (c == 'u') {
        if (rest.n < 6) return refuse(r, "a short \\u");
        buf_fmt(r->out, "\\x{" STR_FMT "}", STR_ARG(str_make(rest.p + 2, 4)));
        r->i += 6;
        return OK;
    }
    if (c == 'Q') { /* quoted: PCRE2 does the same, but brackets inside must not be looked at */
        size_t end = str_find(rest, STR("\\E"));
        size_t n = end == STR_NONE ? rest.n : end + 2;
        buf_put(r->out, str_first(rest, n));
        r->i += n;
        return OK;
    }
    if (c == 'X' || c == 'N' || c == 'C') return refuse(r, "this escape");
    buf_put(r->out, str_first(rest, 2));
    r->i += 2;
    return OK;
}

/* Copies an opening bracket with the ^ and ] that may follow it. */
static void open_class(struct reader *r)
{
    r->in_class = 1;
    buf_char(r->out, r->in.p[r->i++]);
    if (r->i < r->in.n && r->in.p[r->i] == '^') buf_char(r->out, r->in.p[r->i++]);
}

static enum err one(struct reader *r)
{
    struct str rest = str_from(r->in, r->i);
    char c = rest.p[0];
    if (c == '\\') return backslash(r);
    if (!r->in_class && c == '[') {
        open_class(r);
        return OK;
    }
    if (!r->in_class && (str_starts(rest, STR("(*")) || str_starts(rest, STR("(?C")))) {
        return refuse(r, "this group");
    }
    if (r->in_class && c == '[') return refuse(r, "a class inside a class");
    if (r->in_class && str_starts(rest, STR("&&"))) return refuse(r, "an intersection of classes");
    if (r->in_class && c == ']') r->in_class = 0;
    buf_char(r->out, c);
    r->i++;
    return OK;
}

enum err re_from_java(struct str pattern, struct buf *out, struct diag *d)
{
    struct reader r = { pattern, 0, 0, out, d };
    while (r.i < pattern.n) TRY(one(&r));
    return buf_ok(out);
}
