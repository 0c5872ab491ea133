/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml_decode.c - tables of fields that turn a tree into structs, with go-yaml's error texts
 *
 * One level of recursion a level of the tables, which are finite, or of YT_STRUCTS, whose tables are, too.
 * Source: go-yaml v2 decode.go (texts); prometheus/common (durations).
 */
#include "base/secret.h"
#include "base/vec.h"
#include "codec/gotime.h"
#include "codec/yaml.h"

#include <stdlib.h>

struct decode {
    struct arena *a;
    enum yaml_flavour flavour;
    struct diag *d;
};

static enum err decode_struct(const struct decode *c, const struct yaml_node *v,
                              const struct yaml_table *table, void *out);

/* go-yaml's short tag of a node. */
static const char *short_tag(const struct yaml_node *v)
{
    if (v->kind == YAML_SEQ) return "!!seq";
    if (v->kind == YAML_MAP) return "!!map";
    bool b;
    int64_t i;
    double f;
    if (v->quoted) return "!!str";
    if (yaml_is_null(v)) return "!!null";
    if (yaml_bool_of(v, &b)) return "!!bool";
    if (str_find_char(v->text, '.') == STR_NONE && yaml_int_of(v, &i)) return "!!int";
    return yaml_float_of(v, &f) ? "!!float" : "!!str";
}

/* What the Go type means to somebody who does not write Go; empty where the name says it. */
static const char *expected(const char *go_type)
{
    static const struct {
        const char *type, *words;
    } ROWS[] = {
        { "string", "; expected a text" },
        { "bool", "; expected true or false" },
        { "int", "; expected a whole number" },
        { "uint", "; expected a whole number" },
        { "float64", "; expected a number" },
        { "[]string", "; expected a list of texts" },
        { "map[string]string", "; expected a mapping of texts" },
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        if (strcmp(ROWS[i].type, go_type) == 0) return ROWS[i].words;
    }
    return go_type[0] == '[' ? "; expected a list (lines that begin with '- ')"
                             : "; expected a mapping (key: value)";
}

/* "cannot unmarshal !!str `abc` into int"; a long value is cut as go-yaml cuts it. */
enum err yaml_mismatch(const struct yaml_node *v, const char *go_type, struct diag *d)
{
    const char *tag = short_tag(v);
    if (v->kind != YAML_SCALAR) {
        return yaml_error(v, d, ERR_SYNTAX, "cannot unmarshal %s into %s%s", tag, go_type,
                          expected(go_type));
    }
    struct str shown = v->text.n > 10 ? str_first(v->text, 7) : v->text;
    return yaml_error(v, d, ERR_SYNTAX, "cannot unmarshal %s `" STR_FMT "%s` into %s%s", tag,
                      STR_ARG(shown), v->text.n > 10 ? "..." : "", go_type, expected(go_type));
}

/* A parser's own diag gets the node's place where it has none. */
static enum err placed(const struct decode *c, const struct yaml_node *v, enum err e)
{
    if (e != OK && c->d && !c->d->line) {
        c->d->line = v->line;
        c->d->col = v->col;
    }
    return e;
}

static enum err decode_str(const struct decode *c, const struct yaml_node *v, struct str *out)
{
    if (v->kind != YAML_SCALAR) return yaml_mismatch(v, "string", c->d);
    *out = v->text;
    return OK;
}

static enum err decode_bool(const struct decode *c, const struct yaml_node *v, bool *out)
{
    return yaml_bool_of(v, out) ? OK : yaml_mismatch(v, "bool", c->d);
}

static enum err decode_int(const struct decode *c, const struct yaml_node *v, int64_t *out)
{
    return yaml_int_of(v, out) ? OK : yaml_mismatch(v, "int", c->d);
}

static enum err decode_float(const struct decode *c, const struct yaml_node *v, double *out)
{
    return yaml_float_of(v, out) ? OK : yaml_mismatch(v, "float64", c->d);
}

/* Durations and sizes: text that a codec of its own reads, with the original's text on failure. */
static enum err decode_measure(const struct decode *c, const struct yaml_node *v,
                               enum yaml_type type, int64_t *out)
{
    if (v->kind != YAML_SCALAR) return yaml_mismatch(v, "string", c->d);
    if (c->d) c->d->line = c->d->col = 0;
    switch (type) {
    case YT_DURATION: return placed(c, v, duration_parse(v->text, out, c->d));
    case YT_GO_DURATION: return placed(c, v, go_duration_parse(v->text, out, c->d));
    default: return placed(c, v, size_parse(v->text, out, c->d));
    }
}

static enum err decode_strs(const struct decode *c, const struct yaml_node *v,
                            struct yaml_strs *out)
{
    if (v->kind != YAML_SEQ) return yaml_mismatch(v, "[]string", c->d);
    struct str *list = arena_array(c->a, v->n, sizeof(*list));
    for (size_t i = 0; i < v->n; i++) {
        if (v->items[i]->kind != YAML_SCALAR) return yaml_mismatch(v->items[i], "string", c->d);
        list[i] = yaml_is_null(v->items[i]) ? STR("") : v->items[i]->text;
    }
    *out = (struct yaml_strs){ list, v->n };
    return OK;
}

static enum err decode_pairs(const struct decode *c, const struct yaml_node *v,
                             struct yaml_pairs *out)
{
    if (v->kind != YAML_MAP) return yaml_mismatch(v, "map[string]string", c->d);
    struct yaml_pair *list = arena_array(c->a, v->n, sizeof(*list));
    for (size_t i = 0; i < v->n; i++) {
        const struct yaml_node *key = v->items[2 * i], *value = v->items[2 * i + 1];
        if (key->kind != YAML_SCALAR) return yaml_mismatch(key, "string", c->d);
        if (value->kind != YAML_SCALAR) return yaml_mismatch(value, "string", c->d);
        for (size_t j = 0; c->flavour == YAML_V2 && j < i; j++) {
            if (str_eq(list[j].key, key->text)) {
                return yaml_error(key, c->d, ERR_SYNTAX, "key \"" STR_FMT "\" already set in map",
                                  STR_ARG(key->text));
            }
        }
        list[i] = (struct yaml_pair){ key->text, yaml_is_null(value) ? STR("") : value->text,
                                      value };
    }
    *out = (struct yaml_pairs){ list, v->n };
    return OK;
}

static enum err decode_structs(const struct decode *c, const struct yaml_node *v,
                               const struct yaml_table *sub, struct yaml_list *out)
{
    if (v->kind != YAML_SEQ) {
        struct str type = arena_fmt(c->a, "[]%s", sub->go_type);
        return yaml_mismatch(v, type.p, c->d);
    }
    char *list = arena_array(c->a, v->n, sub->size);
    for (size_t i = 0; i < v->n; i++) {
        if (sub->null_item && yaml_is_null(v->items[i])) {
            return yaml_error(v->items[i], c->d, ERR_SYNTAX, "%s", sub->null_item);
        }
        TRY(decode_struct(c, v->items[i], sub, list + i * sub->size));
    }
    *out = (struct yaml_list){ list, v->n };
    return OK;
}

static enum err decode_ptr(const struct decode *c, const struct yaml_node *v,
                           const struct yaml_table *sub, void **out)
{
    void *it = arena_alloc(c->a, sub->size);
    TRY(decode_struct(c, v, sub, it));
    *out = it;
    return OK;
}

static enum err decode_custom(const struct decode *c, const struct yaml_node *v,
                              const struct yaml_field *f, void *to)
{
    if (c->d) c->d->line = c->d->col = 0;
    return placed(c, v, f->custom(c->a, v, to, c->d));
}

static enum err decode_field(const struct decode *c, const struct yaml_node *v,
                             const struct yaml_field *f, void *to)
{
    if (f->type == YT_NODE) {
        *(const struct yaml_node **)to = v;
        return OK;
    }
    if (yaml_is_null(v)) return OK;
    switch (f->type) {
    case YT_STR: return decode_str(c, v, to);
    case YT_SECRET: {
        struct str s = { 0 };
        TRY(decode_str(c, v, &s));
        *(struct secret *)to = secret_of(s);
        return OK;
    }
    case YT_BOOL: return decode_bool(c, v, to);
    case YT_INT: return decode_int(c, v, to);
    case YT_FLOAT: return decode_float(c, v, to);
    case YT_DURATION:
    case YT_GO_DURATION:
    case YT_SIZE: return decode_measure(c, v, f->type, to);
    case YT_STRS: return decode_strs(c, v, to);
    case YT_MAP: return decode_pairs(c, v, to);
    case YT_STRUCT: return decode_struct(c, v, f->sub, to);
    case YT_STRUCT_PTR: return decode_ptr(c, v, f->sub, to);
    case YT_STRUCTS: return decode_structs(c, v, f->sub, to);
    case YT_CUSTOM: return decode_custom(c, v, f, to);
    case YT_NODE:
    case YT_INLINE: break;
    }
    return OK;
}

static bool is_self(const struct yaml_field *f) { return strcmp(f->key, YAML_SELF) == 0; }

/* The field of a key in a table or in what stands inline in it, and where its value goes. */
static const struct yaml_field *find_field(const struct yaml_table *table, struct str key,
                                           void *base, void **to)
{
    for (const struct yaml_field *f = table->fields; f->key; f++) {
        if (f->type == YT_INLINE) {
            const struct yaml_field *in = find_field(f->sub, key, (char *)base + f->offset, to);
            if (in) return in;
        } else if (str_eqc(key, f->key) && !is_self(f)) {
            *to = (char *)base + f->offset;
            return f;
        }
    }
    return NULL;
}

/* Edits between two short words; only "one slip or two" matters. */
static size_t distance(struct str x, struct str y)
{
    enum { WORD_MAX = 48 };
    size_t row[WORD_MAX + 1];
    if (x.n > WORD_MAX || y.n > WORD_MAX) return SIZE_MAX;
    for (size_t j = 0; j <= y.n; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= x.n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= y.n; j++) {
            size_t best = diagonal + (x.p[i - 1] != y.p[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[y.n];
}

static void nearest(const struct yaml_table *table, struct str key, const char **word, size_t *best)
{
    for (const struct yaml_field *f = table->fields; f->key; f++) {
        if (f->type == YT_INLINE) {
            nearest(f->sub, key, word, best);
            continue;
        }
        size_t far = is_self(f) ? SIZE_MAX : distance(key, str_c(f->key));
        if (far < *best) {
            *best = far;
            *word = f->key;
        }
    }
}

/* All keys of a table, for one that resembles none of them. */
static void put_keys(const struct yaml_table *table, struct buf *b)
{
    for (const struct yaml_field *f = table->fields; f->key; f++) {
        if (f->type == YT_INLINE) {
            put_keys(f->sub, b);
        } else if (!is_self(f) && !f->unsupported) {
            buf_fmt(b, "%s%s", b->n ? ", " : "", f->key);
        }
    }
}

static enum err unknown_field(const struct decode *c, const struct yaml_node *key,
                              const struct yaml_table *table)
{
    const char *word = NULL;
    size_t best = 3;
    nearest(table, key->text, &word, &best);
    if (word) {
        return yaml_error(key, c->d, ERR_SYNTAX,
                          "field " STR_FMT " not found in type %s; did you mean \"%s\"?",
                          STR_ARG(key->text), table->go_type, word);
    }
    BUF(keys, 0);
    put_keys(table, &keys);
    return yaml_error(key, c->d, ERR_SYNTAX,
                      "field " STR_FMT " not found in type %s; expected one of " STR_FMT,
                      STR_ARG(key->text), table->go_type, STR_ARG(buf_str(&keys)));
}

/* Known keys are few, so a repeated one is found before this grows quadratic. */
static bool seen_before(const struct yaml_node *v, size_t pair)
{
    for (size_t i = 0; i < pair; i++) {
        if (str_eq(v->items[2 * i]->text, v->items[2 * pair]->text)) return true;
    }
    return false;
}

static enum err decode_pair(const struct decode *c, const struct yaml_node *v, size_t pair,
                            const struct yaml_table *table, void *out)
{
    const struct yaml_node *key = v->items[2 * pair], *value = v->items[2 * pair + 1];
    if (key->kind != YAML_SCALAR) return yaml_mismatch(key, "string", c->d);
    void *to = NULL;
    const struct yaml_field *f = find_field(table, key->text, out, &to);
    if (!f) return c->flavour == YAML_LENIENT ? OK : unknown_field(c, key, table);
    if (c->flavour == YAML_V2 && seen_before(v, pair)) {
        return yaml_error(key, c->d, ERR_SYNTAX, "field " STR_FMT " already set in type %s",
                          STR_ARG(key->text), table->go_type);
    }
    if (f->unsupported) return yaml_error(key, c->d, ERR_UNSUPPORTED, "%s", f->unsupported);
    return decode_field(c, value, f, to);
}

static void set_defaults(const struct yaml_table *table, const struct yaml_node *self, void *out)
{
    memset(out, 0, table->size);
    if (table->defaults) table->defaults(out);
    for (const struct yaml_field *f = table->fields; f->key; f++) {
        void *to = (char *)out + f->offset;
        if (f->type == YT_INLINE) set_defaults(f->sub, self, to);
        if (f->type == YT_STRUCT && f->sub->defaults) set_defaults(f->sub, NULL, to);
        if (is_self(f)) *(const struct yaml_node **)to = self;
    }
}

static enum err run_checks(const struct decode *c, const struct yaml_node *v,
                           const struct yaml_table *table, void *out)
{
    for (const struct yaml_field *f = table->fields; f->key; f++) {
        if (f->type == YT_INLINE) TRY(run_checks(c, v, f->sub, (char *)out + f->offset));
    }
    if (!table->check) return OK;
    if (c->d) c->d->line = c->d->col = 0;
    enum err e = table->check(c->a, v, out, c->d);
    return v ? placed(c, v, e) : e;
}

static enum err decode_struct(const struct decode *c, const struct yaml_node *v,
                              const struct yaml_table *table, void *out)
{
    set_defaults(table, v, out);
    if (!yaml_is_null(v)) {
        if (v->kind != YAML_MAP) return yaml_mismatch(v, table->go_type, c->d);
        for (size_t i = 0; i < v->n; i++) {
            TRY(decode_pair(c, v, i, table, out));
        }
    }
    return run_checks(c, v, table, out);
}

enum err yaml_decode(struct arena *a, const struct yaml_node *v, const struct yaml_table *table,
                     enum yaml_flavour flavour, void *out, struct diag *d)
{
    struct decode c = { a, flavour, d };
    void *fresh = arena_alloc(a, table->size);
    TRY(decode_struct(&c, v, table, fresh));
    memcpy(out, fresh, table->size);
    return OK;
}
