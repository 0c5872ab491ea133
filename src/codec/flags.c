/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/flags.h"

#include "base/vec.h"
#include "codec/goquote.h"
#include "codec/gotime.h"
#include "codec/num.h"

#include <stdlib.h>

struct parser {
    const struct flag *table;
    struct str prefix; /* with its dot, or empty */
    int argc, i;
    char **argv;
    struct arena *a;
    char *config;
    bool *seen; /* by row */
    VEC(struct str) rest;
    struct diag *d;
};

static size_t rows(const struct flag *table)
{
    size_t n = 0;
    while (table[n].name) n++;
    return n;
}

/* --- values --- */

static enum err number_error(struct diag *d, const char *function, struct str v, enum err e)
{
    BUF(before, 128);
    buf_fmt(&before, "strconv.%s: parsing ", function);
    buf_char(&before, '\0');
    return diag_quoted(d, e, before.p, v,
                       e == ERR_RANGE ? ": value out of range" : ": invalid syntax");
}

static enum err set_number(const struct flag *f, void *field, struct str v, struct diag *d)
{
    enum err e = f->type == FLAG_INT ? num_parse_i64(v, field) : num_parse_f64(v, field);
    if (e == OK) return OK;
    return number_error(d, f->type == FLAG_INT ? "ParseInt" : "ParseFloat", v, e);
}

static enum err set_enum(const struct flag *f, struct str *field, struct str v, struct diag *d)
{
    struct str rest = str_c(f->choices), one;
    BUF(all, 1024);
    for (bool more = true; more;) {
        more = str_cut(rest, '|', &one, &rest);
        if (str_eq(one, v)) {
            *field = v;
            return OK;
        }
        if (all.n) buf_char(&all, ',');
        buf_put(&all, one);
    }
    return diag_set(d, ERR_SYNTAX, "enum value must be one of " STR_FMT ", got '" STR_FMT "'",
                    STR_ARG(buf_str(&all)), STR_ARG(v));
}

static void append(struct arena *a, struct flag_strs *list, struct str v)
{
    struct str *more = arena_array(a, list->n + 1, sizeof(*more));
    if (list->n) memcpy(more, list->v, list->n * sizeof(*more));
    more[list->n] = v;
    *list = (struct flag_strs){ more, list->n + 1 };
}

static enum err set(struct parser *p, const struct flag *f, struct str v)
{
    void *field = p->config + f->offset;
    switch (f->type) {
    case FLAG_BOOL: *(bool *)field = str_eq(v, STR("true")); return OK;
    case FLAG_STR: *(struct str *)field = v; return OK;
    case FLAG_STRS: append(p->a, field, v); return OK;
    case FLAG_INT:
    case FLAG_FLOAT: return set_number(f, field, v, p->d);
    case FLAG_DURATION: return duration_parse(v, field, p->d);
    case FLAG_SIZE: return size_parse(v, field, p->d);
    case FLAG_ENUM: return set_enum(f, field, v, p->d);
    }
    return OK;
}

/* The original's text, and which flag it is about. */
static enum err set_named(struct parser *p, const struct flag *f, struct str v)
{
    struct diag why = { 0 };
    struct diag *d = p->d;
    p->d = &why;
    enum err e = set(p, f, v);
    p->d = d;
    return e == OK ? OK : diag_set(d, e, "%s (flag --%s)", why.text, f->name);
}

static enum err set_given(struct parser *p, const struct flag *f, struct str v)
{
    bool *seen = &p->seen[f - p->table];
    if (*seen && f->type != FLAG_STRS) {
        return diag_set(p->d, ERR_EXISTS, "flag '%s' cannot be repeated", f->name);
    }
    bool is_default = f->type == FLAG_BOOL ? str_eq(v, STR("false"))
                                           : str_eqc(v, f->deflt ? f->deflt : "");
    if (f->unsupported && !is_default) {
        return diag_set(p->d, ERR_UNSUPPORTED,
                        "flag --%s is known but not supported by this build; leave it out",
                        f->name);
    }
    if (!*seen && f->type == FLAG_STRS) {
        *(struct flag_strs *)(void *)(p->config + f->offset) = (struct flag_strs){ 0 };
    }
    *seen = true;
    return set_named(p, f, v);
}

/* --- the command line --- */

static const struct flag *find_long(const struct parser *p, struct str name, bool *negated)
{
    *negated = false;
    for (const struct flag *f = p->table; f->name; f++) {
        if (str_eqc(name, f->name)) return f;
    }
    if (!str_starts(name, STR("no-"))) return NULL;
    for (const struct flag *f = p->table; f->name; f++) {
        if (f->type == FLAG_BOOL && str_eqc(str_from(name, 3), f->name)) {
            *negated = true;
            return f;
        }
    }
    return NULL;
}

/* The value behind `shown`: what stood after "=", or the next argument. */
static enum err value_of(struct parser *p, struct str shown, bool inline_value, struct str given,
                         struct str *out)
{
    if (inline_value) {
        *out = given;
        return OK;
    }
    if (p->i + 1 >= p->argc || (p->argv[p->i + 1][0] == '-' && p->argv[p->i + 1][1])) {
        return diag_set(p->d, ERR_SYNTAX, "expected argument for flag '" STR_FMT "'",
                        STR_ARG(shown));
    }
    *out = str_c(p->argv[++p->i]);
    return OK;
}

static enum err take_long(struct parser *p, struct str arg)
{
    struct str name, given, v;
    bool inline_value = str_cut(str_from(arg, 2), '=', &name, &given), negated;
    struct str shown = str_first(arg, 2 + name.n);
    if (!str_starts(name, p->prefix)) {
        *vec_push(p->a, &p->rest) = arg;
        return OK;
    }
    name = str_from(name, p->prefix.n);
    if (str_eq(name, STR("help"))) return ERR_CANCELED;
    const struct flag *f = find_long(p, name, &negated);
    if (!f) {
        return diag_set(p->d, ERR_MISSING, "unknown long flag '" STR_FMT "'", STR_ARG(shown));
    }
    if (f->type != FLAG_BOOL) {
        TRY(value_of(p, shown, inline_value, given, &v));
        return set_given(p, f, v);
    }
    bool taken = inline_value && f->valued && !negated &&
                 (str_eq(given, STR("true")) || str_eq(given, STR("false")));
    if (taken) return set_given(p, f, given);
    TRY(set_given(p, f, negated ? STR("false") : STR("true")));
    /* a switch takes no value: what follows "=" is an argument of its own, as kingpin has it */
    if (inline_value) *vec_push(p->a, &p->rest) = given;
    return OK;
}

static const struct flag *find_short(const struct parser *p, char c)
{
    for (const struct flag *f = p->table; f->name; f++) {
        if (f->short_name && f->short_name == c) return f;
    }
    return NULL;
}

/* -x, -xy (switches together), -xvalue, -x value. */
static enum err take_short(struct parser *p, struct str arg)
{
    for (size_t i = 1; i < arg.n; i++) {
        const struct flag *f = find_short(p, arg.p[i]);
        if (!f && arg.p[i] == 'h') return ERR_CANCELED;
        if (!f) {
            return diag_set(p->d, ERR_MISSING, "unknown short flag '-%c'", arg.p[i]);
        }
        if (f->type == FLAG_BOOL) {
            TRY(set_given(p, f, STR("true")));
            continue;
        }
        struct str v, shown = arena_fmt(p->a, "-%c", arg.p[i]);
        TRY(value_of(p, shown, i + 1 < arg.n, str_from(arg, i + 1), &v));
        return set_given(p, f, v);
    }
    return OK;
}

static enum err take_args(struct parser *p)
{
    bool only_args = false;
    for (; p->i < p->argc; p->i++) {
        struct str arg = str_c(p->argv[p->i]);
        bool dashed = !only_args && arg.n > 1 && arg.p[0] == '-';
        if (dashed && str_eq(arg, STR("--"))) {
            only_args = true;
        } else if (dashed && arg.p[1] == '-') {
            TRY(take_long(p, arg));
        } else if (dashed && !p->prefix.n) {
            TRY(take_short(p, arg));
        } else {
            *vec_push(p->a, &p->rest) = arg;
        }
    }
    return OK;
}

static enum err take_defaults(struct parser *p)
{
    for (const struct flag *f = p->table; f->name; f++) {
        const char *v = f->env ? getenv(f->env)
                               : NULL; /* NOLINT(concurrency-mt-unsafe): at start */
        if (v && *v) {
            TRY(set_given(p, f, str_c(v)));
            p->seen[f - p->table] = false;
        } else if (f->deflt) {
            TRY(set_named(p, f, str_c(f->deflt)));
        }
    }
    return OK;
}

enum err flags_parse(const struct flag *table, const char *prefix, int argc, char **argv,
                     struct arena *a, void *config, struct flag_strs *rest, struct diag *d)
{
    struct parser p = { .table = table, .argc = argc, .i = 1, .argv = argv, .a = a, .d = d };
    p.config = config;
    p.prefix = prefix ? arena_fmt(a, "%s.", prefix) : STR("");
    p.seen = arena_array(a, rows(table), sizeof(*p.seen));
    TRY(take_defaults(&p));
    TRY(take_args(&p));
    if (!rest && p.rest.n) {
        return diag_set(d, ERR_SYNTAX, "unexpected " STR_FMT, STR_ARG(p.rest.v[0]));
    }
    if (rest) *rest = (struct flag_strs){ p.rest.v, p.rest.n };
    return OK;
}

/* --- showing --- */

static struct str shown(const struct flag *f, const void *config, struct arena *a)
{
    const void *field = (const char *)config + f->offset;
    const struct flag_strs *list = field;
    BUF(b, 0);
    switch (f->type) {
    case FLAG_BOOL: return *(const bool *)field ? STR("true") : STR("false");
    case FLAG_STR:
    case FLAG_ENUM: return *(const struct str *)field;
    case FLAG_INT: num_write_i64(&b, *(const int64_t *)field); break;
    case FLAG_FLOAT: num_write_g(&b, *(const double *)field); break;
    case FLAG_DURATION: duration_write(&b, *(const int64_t *)field); break;
    case FLAG_SIZE: size_write(&b, *(const int64_t *)field); break;
    case FLAG_STRS:
        for (size_t i = 0; i < list->n; i++) {
            if (i) buf_char(&b, ',');
            buf_put(&b, list->v[i]);
        }
        break;
    }
    return arena_dup(a, buf_str(&b));
}

void flags_each(const struct flag *table, const void *config, struct arena *a,
                void (*each)(void *ctx, const char *name, struct str value), void *ctx)
{
    for (const struct flag *f = table; f->name; f++) each(ctx, f->name, shown(f, config, a));
}

enum { COLUMN = 33, WIDTH = 80 };

static void pad(struct buf *b, size_t from, size_t to)
{
    for (; from < to; from++) buf_char(b, ' ');
}

/* text in words from `indent` on, the cursor being there already. */
static void wrap(struct buf *b, struct str text, size_t indent)
{
    size_t at = indent;
    struct str word;
    for (bool more = text.n > 0; more;) {
        more = str_cut(text, ' ', &word, &text);
        if (at > indent && at + 1 + word.n > WIDTH) {
            buf_char(b, '\n');
            pad(b, 0, indent);
            at = indent;
        }
        if (at > indent) {
            buf_char(b, ' ');
            at++;
        }
        buf_put(b, word);
        at += word.n;
    }
    buf_char(b, '\n');
}

static void put_value(struct buf *b, const struct flag *f)
{
    bool text = f->type == FLAG_STR || f->type == FLAG_STRS || f->type == FLAG_ENUM;
    if (f->type == FLAG_BOOL) return;
    buf_char(b, '=');
    if (f->deflt && text) {
        go_quote(b, str_c(f->deflt));
    } else if (f->deflt) {
        buf_putc(b, f->deflt);
    } else {
        for (const char *c = f->name; *c; c++) {
            buf_char(b, *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c);
        }
    }
    if (f->type == FLAG_STRS) buf_put(b, STR(" ..."));
}

static void put_row(struct buf *b, const struct flag *f)
{
    size_t from = b->n;
    if (f->short_name) {
        buf_fmt(b, "  -%c, ", f->short_name);
    } else {
        buf_put(b, STR("      "));
    }
    buf_fmt(b, f->type == FLAG_BOOL ? "--[no-]%s" : "--%s", f->name);
    put_value(b, f);
    size_t width = b->n - from;
    if (width + 2 > COLUMN) {
        buf_put(b, STR("  \n"));
        width = 0;
    }
    pad(b, width, COLUMN);
    struct str help = str_c(f->help ? f->help : "");
    BUF(text, 0);
    buf_put(&text, help);
    if (f->choices) buf_fmt(&text, " One of: [%s]", f->choices);
    if (f->env) buf_fmt(&text, " ($%s)", f->env);
    if (f->unsupported) buf_putc(&text, " [not supported by this build]");
    wrap(b, buf_str(&text), COLUMN);
}

void flags_help(struct buf *b, const char *usage, const char *summary, const struct flag *table)
{
    buf_fmt(b, "usage: %s\n\n%s\n\n\nFlags:\n", usage, summary);
    buf_put(b, STR("  -h, --help                     Show this text.\n"));
    for (const struct flag *f = table; f->name; f++) {
        if (!f->hidden) put_row(b, f);
    }
}
