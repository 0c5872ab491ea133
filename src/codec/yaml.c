/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml.c - libyaml's events into the tree of yaml.h
 *
 * The tree is a graph without cycles: an alias is the same node as its anchor. What an alias would expand to is
 * counted, so that ten lines cannot become a billion nodes in whoever walks the tree.
 */
#include "codec/yaml.h"

#include "base/map.h"
#include "base/vec.h"
#include "codec/yaml_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <yaml.h>

#define DEPTH_MAX   100
#define EXPANDED    100000 /* nodes that aliases may add */
#define REPAIRS_MAX 1000   /* unknown escapes that the lenient flavour forgives */
#define TAG_PREFIX  "tag:yaml.org,2002:"

/* What the builder knows of a node beyond its public face; node is first, so that the two convert. */
struct built {
    struct yaml_node node;
    size_t weight; /* nodes in it, aliases expanded */
    bool open;     /* its end has not been read yet */
};

struct anchor {
    struct str name;
    struct built *node;
};

/* A backslash that the lenient flavour put in: columns behind it are one too high. */
struct repair {
    unsigned line, col;
};

struct builder {
    struct arena *a;
    yaml_parser_t *parser;
    enum yaml_flavour flavour;
    struct str text;
    VEC(struct anchor) anchors;
    VEC(struct repair) repairs;
    size_t expanded;
    struct yaml_warning **warn_at; /* NULL: nobody listens */
    struct diag *d;
};

struct items {
    VEC(struct yaml_node *) v;
};

static unsigned place_col(const struct builder *b, unsigned line, unsigned col)
{
    unsigned shift = 0;
    VEC_FOR(r, &b->repairs) {
        if (r->line == line && r->col < col) shift++;
    }
    return col - shift;
}

static void warn(struct builder *b, unsigned line, unsigned col, struct str text)
{
    if (!b->warn_at) return;
    struct yaml_warning *w = arena_new(b->a, struct yaml_warning);
    *w = (struct yaml_warning){ line, col, text, NULL };
    *b->warn_at = w;
    b->warn_at = &w->next;
}

static enum err fail_at(struct builder *b, yaml_mark_t mark, enum err e, const char *text)
{
    e = diag_set(b->d, e, "%s", text);
    if (b->d) {
        b->d->line = (unsigned)mark.line + 1;
        b->d->col = place_col(b, b->d->line, (unsigned)mark.column + 1);
    }
    return e;
}

/* The byte at a mark; libyaml's index counts characters, so that lines and columns are walked. */
static size_t offset_of(struct str text, yaml_mark_t mark)
{
    size_t at = 0;
    for (size_t line = 0; line < mark.line && at < text.n; line++) {
        size_t nl = str_find_char(str_from(text, at), '\n');
        at = nl == STR_NONE ? text.n : at + nl + 1;
    }
    for (size_t col = 0; col < mark.column && at < text.n; col++) {
        at++;
        while (at < text.n && ((unsigned char)text.p[at] & 0xc0) == 0x80) {
            at++;
        }
    }
    return at;
}

/* What a person can do about it, from the byte that libyaml stumbled over. */
static const char *hint(const char *problem, struct str at)
{
    char c = at.n ? at.p[0] : '\0';
    if (strstr(problem, "cannot start any token")) {
        if (c == '\t') return "; indent with spaces, not tabs";
        if (c == '@' || c == '`' || c == '%') return "; put the value in quotes";
    }
    if (strstr(problem, "unknown escape")) {
        return "; expected one of \\\\ \\\" \\/ \\n \\r \\t \\0 \\a \\b \\e \\f \\v \\x \\u \\U, or single quotes "
               "around the value";
    }
    if (strstr(problem, "mapping values are not allowed")) {
        return "; check the indentation, or quote a value that holds ': '";
    }
    if (strstr(problem, "did not find expected key") ||
        strstr(problem, "did not find expected '-'")) {
        return "; check the indentation";
    }
    return "";
}

/* libyaml's reader tells a byte offset only. */
static void reader_place(struct builder *b)
{
    if (!b->d) return;
    struct str head = str_first(b->text, b->parser->problem_offset);
    b->d->line = 1;
    b->d->col = 1;
    for (size_t i = 0; i < head.n; i++) {
        unsigned char c = (unsigned char)head.p[i];
        if (c == '\n') {
            b->d->line++;
            b->d->col = 1;
        } else if ((c & 0xc0) != 0x80) {
            b->d->col++;
        }
    }
}

static enum err parser_failed(struct builder *b)
{
    const yaml_parser_t *p = b->parser;
    const char *problem = p->problem ? p->problem : "cannot be read";
    if (p->error == YAML_READER_ERROR) {
        enum err e = diag_set(b->d, ERR_SYNTAX, "%s", problem);
        reader_place(b);
        return e;
    }
    struct str at = str_from(b->text, offset_of(b->text, p->problem_mark));
    struct str text;
    if (p->context && strcmp(p->context, "while scanning for the next token") != 0) {
        text = arena_fmt(
            b->a, "%s %s that began at %zu:%u%s", problem, p->context, p->context_mark.line + 1,
            place_col(b, (unsigned)p->context_mark.line + 1, (unsigned)p->context_mark.column + 1),
            hint(problem, at));
    } else {
        text = arena_fmt(b->a, "%s%s", problem, hint(problem, at));
    }
    return fail_at(b, p->problem_mark, ERR_SYNTAX, text.p);
}

static enum err next(struct builder *b, yaml_event_t *ev)
{
    if (!yaml_parser_parse(b->parser, ev)) return parser_failed(b);
    return OK;
}

static struct built *node_new(struct builder *b, enum yaml_kind kind, const yaml_event_t *ev,
                              const yaml_char_t *tag, const yaml_char_t *anchor)
{
    struct built *n = arena_new(b->a, struct built);
    n->weight = 1;
    n->node.kind = kind;
    n->node.line = (unsigned)ev->start_mark.line + 1;
    n->node.col = place_col(b, n->node.line, (unsigned)ev->start_mark.column + 1);
    struct str t = str_c((const char *)tag);
    if (str_starts(t, STR(TAG_PREFIX))) {
        struct str rest = str_from(t, sizeof(TAG_PREFIX) - 1);
        n->node.tag = arena_fmt(b->a, "!!" STR_FMT, STR_ARG(rest));
    } else if (t.n) {
        n->node.tag = arena_dup(b->a, t);
    }
    if (anchor) {
        *vec_push(b->a,
                  &b->anchors) = (struct anchor){ arena_dup(b->a, str_c((const char *)anchor)), n };
    }
    return n;
}

static enum err read_alias(struct builder *b, const yaml_event_t *ev, struct built **out)
{
    struct str name = str_c((const char *)ev->data.alias.anchor);
    for (size_t i = b->anchors.n; i-- > 0;) {
        struct anchor *it = &b->anchors.v[i];
        if (!str_eq(it->name, name)) continue;
        struct str text;
        if (it->node->open) {
            text = arena_fmt(b->a, "anchor '" STR_FMT "' value contains itself", STR_ARG(name));
            return fail_at(b, ev->start_mark, ERR_SYNTAX, text.p);
        }
        b->expanded += it->node->weight;
        if (b->expanded > EXPANDED) {
            return fail_at(b, ev->start_mark, ERR_LIMIT, "document contains excessive aliasing");
        }
        *out = it->node;
        return OK;
    }
    struct str text = arena_fmt(b->a, "unknown anchor '" STR_FMT "' referenced", STR_ARG(name));
    return fail_at(b, ev->start_mark, ERR_SYNTAX, text.p);
}

static enum err read_scalar(struct builder *b, const yaml_event_t *ev, struct built **out)
{
    struct built *n = node_new(b, YAML_SCALAR, ev, ev->data.scalar.tag, ev->data.scalar.anchor);
    struct str text = str_make((const char *)ev->data.scalar.value, (size_t)ev->data.scalar.length);
    n->node.text = arena_dup(b->a, text);
    n->node.quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (str_eq(n->node.tag, STR("!!str")) || str_eq(n->node.tag, STR("!"))) n->node.quoted = true;
    if (str_eq(n->node.tag, STR("!!binary"))) {
        if (!yaml_base64(b->a, text, &n->node.text)) {
            return fail_at(b, ev->start_mark, ERR_SYNTAX,
                           "!!binary value contains invalid base64 data");
        }
        n->node.quoted = true;
    }
    *out = n;
    return OK;
}

static enum err read_node(struct builder *b, const yaml_event_t *ev, unsigned depth,
                          struct built **out);

/* Children up to the end event of a sequence or mapping. */
static enum err read_children(struct builder *b, yaml_event_type_t end, unsigned depth,
                              struct built *parent, struct items *items)
{
    for (;;) {
        yaml_event_t ev;
        TRY(next(b, &ev));
        if (ev.type == end) {
            yaml_event_delete(&ev);
            return OK;
        }
        struct built *child = NULL;
        enum err e = read_node(b, &ev, depth, &child);
        yaml_event_delete(&ev);
        TRY(e);
        parent->weight += child->weight;
        *vec_push(b->a, &items->v) = &child->node;
    }
}

static bool is_merge(const struct yaml_node *key)
{
    return key->kind == YAML_SCALAR && !key->quoted && str_eq(key->text, STR("<<"));
}

static bool has_key(const struct items *pairs, const struct yaml_node *key)
{
    for (size_t i = 0; i < pairs->v.n; i += 2) {
        const struct yaml_node *k = pairs->v.v[i];
        if (k->kind == YAML_SCALAR && key->kind == YAML_SCALAR && str_eq(k->text, key->text)) {
            return true;
        }
    }
    return false;
}

static enum err merge_from(struct builder *b, const struct yaml_node *from, struct items *pairs)
{
    if (from->kind == YAML_SEQ) {
        for (size_t i = 0; i < from->n; i++) {
            if (from->items[i]->kind != YAML_MAP) {
                return yaml_error(from->items[i], b->d, ERR_SYNTAX,
                                  "map merge requires map or sequence of maps as the value");
            }
            TRY(merge_from(b, from->items[i], pairs));
        }
        return OK;
    }
    if (from->kind != YAML_MAP) {
        return yaml_error(from, b->d, ERR_SYNTAX,
                          "map merge requires map or sequence of maps as the value");
    }
    for (size_t i = 0; i < from->n; i++) {
        if (has_key(pairs, from->items[2 * i])) continue;
        if (++b->expanded > EXPANDED) {
            return yaml_error(from, b->d, ERR_LIMIT, "document contains excessive aliasing");
        }
        *vec_push(b->a, &pairs->v) = from->items[2 * i];
        *vec_push(b->a, &pairs->v) = from->items[2 * i + 1];
    }
    return OK;
}

/* Own pairs in order, then what `<<` brings in. */
static enum err resolve_merges(struct builder *b, struct items *pairs)
{
    bool any = false;
    for (size_t i = 0; i < pairs->v.n; i += 2) {
        any |= is_merge(pairs->v.v[i]);
    }
    if (!any) return OK;
    struct items out = { 0 };
    for (size_t i = 0; i < pairs->v.n; i += 2) {
        if (is_merge(pairs->v.v[i])) continue;
        *vec_push(b->a, &out.v) = pairs->v.v[i];
        *vec_push(b->a, &out.v) = pairs->v.v[i + 1];
    }
    for (size_t i = 0; i < pairs->v.n; i += 2) {
        if (is_merge(pairs->v.v[i])) TRY(merge_from(b, pairs->v.v[i + 1], &out));
    }
    *pairs = out;
    return OK;
}

static enum err refuse_duplicate(struct builder *b, const struct yaml_node *key,
                                 const struct yaml_node *first)
{
    return yaml_error(key, b->d, ERR_SYNTAX,
                      "mapping key \"" STR_FMT "\" already defined at line %u", STR_ARG(key->text),
                      first->line);
}

/* v3 refuses, SnakeYAML lets the last win; v2 tells them apart only when it decodes. */
static enum err check_duplicates(struct builder *b, struct items *pairs)
{
    if (b->flavour == YAML_V2) return OK;
    struct map seen = { 0 };
    enum err e = OK;
    for (size_t i = 0; i < pairs->v.n && e == OK; i += 2) {
        struct yaml_node *key = pairs->v.v[i];
        if (key->kind != YAML_SCALAR || is_merge(key)) continue;
        struct yaml_node *first = map_put(&seen, key->text, key);
        if (!first) continue;
        if (b->flavour == YAML_V3) {
            e = refuse_duplicate(b, key, first);
            continue;
        }
        warn(b, key->line, key->col,
             arena_fmt(b->a, "key " STR_FMT " stands at line %u already; this one counts",
                       STR_ARG(key->text), first->line));
        for (size_t j = 0; j < i; j += 2) {
            if (pairs->v.v[j] != first) continue;
            memmove(&pairs->v.v[j], &pairs->v.v[j + 2],
                    (pairs->v.n - j - 2) * sizeof(pairs->v.v[0]));
            pairs->v.n -= 2;
            i -= 2;
            break;
        }
    }
    map_done(&seen);
    return e;
}

static enum err read_collection(struct builder *b, struct built *n, yaml_event_type_t end,
                                unsigned depth)
{
    if (depth >= DEPTH_MAX) {
        return yaml_error(&n->node, b->d, ERR_LIMIT, "nested more than %d deep", DEPTH_MAX);
    }
    struct items items = { 0 };
    n->open = true;
    TRY(read_children(b, end, depth + 1, n, &items));
    n->open = false;
    if (end == YAML_MAPPING_END_EVENT) {
        TRY(check_duplicates(b, &items));
        TRY(resolve_merges(b, &items));
    }
    n->node.items = items.v.v;
    n->node.n = end == YAML_MAPPING_END_EVENT ? items.v.n / 2 : items.v.n;
    return OK;
}

static enum err read_node(struct builder *b, const yaml_event_t *ev, unsigned depth,
                          struct built **out)
{
    if (ev->type == YAML_ALIAS_EVENT) return read_alias(b, ev, out);
    if (ev->type == YAML_SCALAR_EVENT) return read_scalar(b, ev, out);
    bool seq = ev->type == YAML_SEQUENCE_START_EVENT;
    struct built *n = seq ? node_new(b, YAML_SEQ, ev, ev->data.sequence_start.tag,
                                     ev->data.sequence_start.anchor)
                          : node_new(b, YAML_MAP, ev, ev->data.mapping_start.tag,
                                     ev->data.mapping_start.anchor);
    TRY(read_collection(b, n, seq ? YAML_SEQUENCE_END_EVENT : YAML_MAPPING_END_EVENT, depth));
    *out = n;
    return OK;
}

/* One document between stream start and end; none gives NULL. */
static enum err read_stream(struct builder *b, struct yaml_node **out)
{
    struct built *root = NULL;
    for (bool done = false; !done;) {
        yaml_event_t ev;
        TRY(next(b, &ev));
        enum err e = OK;
        switch (ev.type) {
        case YAML_STREAM_END_EVENT: done = true; break;
        case YAML_NO_EVENT:
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT: break;
        case YAML_DOCUMENT_START_EVENT:
            if (root) {
                e = fail_at(b, ev.start_mark, ERR_SYNTAX, "expected a single document in the file");
            }
            break;
        case YAML_ALIAS_EVENT:
        case YAML_SCALAR_EVENT:
        case YAML_SEQUENCE_START_EVENT:
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_START_EVENT:
        case YAML_MAPPING_END_EVENT: e = read_node(b, &ev, 0, &root); break;
        }
        yaml_event_delete(&ev);
        TRY(e);
    }
    *out = root && !yaml_is_null(&root->node) ? &root->node : NULL;
    return OK;
}

static enum err parse_once(struct builder *b, struct yaml_node **out)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) return diag_set(b->d, ERR_SYS, "out of memory");
    b->parser = &parser;
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)b->text.p, b->text.n);
    enum err e = read_stream(b, out);
    yaml_parser_delete(&parser);
    b->parser = NULL;
    return e;
}

/* Doubles the backslash that the parser stopped at, if it did so for an unknown escape. */
static bool repair(struct builder *b, const struct diag *d)
{
    if (!str_starts(str_c(d->text), STR("found unknown escape")) || b->repairs.n >= REPAIRS_MAX) {
        return false;
    }
    unsigned col = d->col; /* of the text as given; of the repaired one it is further right */
    VEC_FOR(r, &b->repairs) {
        col += r->line == d->line && r->col < col;
    }
    yaml_mark_t mark = { 0, d->line - 1, col - 1 };
    size_t at = offset_of(b->text, mark);
    if (at + 1 >= b->text.n || b->text.p[at] != '\\') return false;
    char *copy = arena_raw(b->a, b->text.n + 1);
    memcpy(copy, b->text.p, at);
    copy[at] = '\\';
    memcpy(copy + at + 1, b->text.p + at, b->text.n - at);
    char c = copy[at + 2];
    warn(b, d->line, d->col,
         arena_fmt(b->a, "unknown escape \\%c in double quotes, kept as written",
                   c > ' ' && c < 0x7f ? c : '?'));
    b->text = str_make(copy, b->text.n + 1);
    *vec_push(b->a, &b->repairs) = (struct repair){ d->line, col };
    return true;
}

enum err yaml_parse(struct arena *a, struct str text, enum yaml_flavour flavour,
                    struct yaml_node **out, struct yaml_warning **warnings, struct diag *d)
{
    struct diag local = { 0 };
    struct yaml_warning *head = NULL;
    struct builder b = { .a = a, .flavour = flavour, .text = text, .d = &local };
    b.warn_at = &head;
    enum err e;
    for (;;) {
        struct yaml_warning **mark = b.warn_at;
        local = (struct diag){ 0 };
        b.anchors.n = 0;
        b.expanded = 0;
        e = parse_once(&b, out);
        if (e != ERR_SYNTAX || flavour != YAML_LENIENT) break;
        b.warn_at = mark; /* those of the failed attempt come again */
        *mark = NULL;
        if (!repair(&b, &local)) break;
    }
    if (e != OK && d) *d = local;
    if (e == OK && warnings) *warnings = head;
    return e;
}

struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    if (!map || map->kind != YAML_MAP) return NULL;
    for (size_t i = 0; i < map->n; i++) {
        const struct yaml_node *k = map->items[2 * i];
        if (k->kind == YAML_SCALAR && str_eqc(k->text, key)) return map->items[2 * i + 1];
    }
    return NULL;
}

bool yaml_is_null(const struct yaml_node *v)
{
    if (!v) return true;
    if (v->kind != YAML_SCALAR || v->quoted) return false;
    static const char *const NULLS[] = { "", "~", "null", "Null", "NULL" };
    for (size_t i = 0; i < ARRAY_LEN(NULLS); i++) {
        if (str_eqc(v->text, NULLS[i])) return true;
    }
    return str_eq(v->tag, STR("!!null"));
}

struct str yaml_str(const struct yaml_node *v, struct str otherwise)
{
    return v && v->kind == YAML_SCALAR && !yaml_is_null(v) ? v->text : otherwise;
}

#undef yaml_error
enum err yaml_error(const struct yaml_node *at, struct diag *d, enum err e, const char *fmt, ...)
{
    if (!d) return e;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(d->text, sizeof(d->text), fmt, args);
    va_end(args);
    d->line = at ? at->line : 0;
    d->col = at ? at->col : 0;
    return e;
}
