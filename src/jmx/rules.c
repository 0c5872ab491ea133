/* SPDX-License-Identifier: Apache-2.0 */
#include "jmx/rules.h"

#include "base/vec.h"
#include "codec/expowrite.h"
#include "jmx/javanum.h"
#include "jmx/template.h"

#include <stdlib.h>

/* What a scratch buffer may hold: subjects carry string attributes, some of them class paths. */
#define TEXT_MAX ((size_t)1 << 20)

/* The record at hand and its subject in up to four spellings, made when a rule first asks. */
struct work {
    const struct jmx_config *c;
    const struct jmx_subject *s;
    const struct jmx_record *r;
    struct arena *a;
    struct str spellings[2][2]; /* [snake case][cache] */
    struct str value_text;
    bool value_known;
};

/* One hit: what its templates are filled from. */
struct hit {
    const struct jmx_rule *rule;
    struct str attribute; /* in snake case where the rule wants it */
    struct str subject;
    struct regex_groups groups;
};

/* An outcome in the making; its strings are in the scratch arena. */
struct draft {
    struct jmx_outcome o;
    VEC(struct jmx_label) labels;
};

static struct str lower(struct str s, struct arena *a)
{
    struct str to = arena_dup(a, s);
    char *p = (char *)(uintptr_t)to.p;
    for (size_t i = 0; i < to.n; i++) {
        if (p[i] >= 'A' && p[i] <= 'Z') p[i] = (char)(p[i] | 0x20);
    }
    return to;
}

static bool legal(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':';
}

struct str jmx_sanitise(struct str name, struct arena *a)
{
    char *to = arena_raw(a, name.n + 2);
    size_t n = 0;
    if (name.n && name.p[0] >= '0' && name.p[0] <= '9') to[n++] = '_';
    bool gap = false;
    for (size_t i = 0; i < name.n; i++) {
        bool ok = legal(name.p[i]);
        if (ok || !gap) to[n++] = ok ? name.p[i] : '_';
        gap = !ok;
    }
    return str_make(to, n);
}

/* "_" before a capital that follows no capital and no "_"; all in small letters. */
static struct str snake(struct str s, struct arena *a)
{
    char *to = arena_raw(a, 2 * s.n + 1);
    size_t n = 0;
    bool joined = true; /* no "_" wanted here */
    for (size_t i = 0; i < s.n; i++) {
        bool capital = s.p[i] >= 'A' && s.p[i] <= 'Z';
        if (capital && !joined) to[n++] = '_';
        to[n++] = (char)(capital ? s.p[i] | 0x20 : s.p[i]);
        joined = capital || s.p[i] == '_';
    }
    return str_make(to, n);
}

static struct str value_text(struct work *w)
{
    if (!w->value_known) {
        BUF(b, TEXT_MAX);
        jmx_record_text(w->r, &b);
        w->value_text = arena_dup(w->a, buf_str(&b));
        w->value_known = true;
    }
    return w->value_text;
}

static void put_properties(struct buf *b, const struct jmx_property *v, size_t n, bool *first)
{
    for (size_t i = 0; i < n; i++) {
        if (!*first) buf_put(b, STR(", "));
        *first = false;
        buf_put(b, v[i].key);
        buf_char(b, '=');
        buf_put(b, v[i].value);
    }
}

static struct str attribute_name(struct work *w, bool in_snake_case)
{
    return in_snake_case ? snake(w->r->attribute, w->a) : w->r->attribute;
}

static struct str spelling(struct work *w, bool in_snake_case, bool cache)
{
    struct str *s = &w->spellings[in_snake_case][cache];
    if (s->p) return *s;
    BUF(b, TEXT_MAX);
    bool first = true;
    buf_put(&b, w->s->domain);
    buf_char(&b, '<');
    put_properties(&b, w->s->properties, w->s->n, &first);
    put_properties(&b, w->r->rows, w->r->rows_n, &first);
    buf_put(&b, STR("><"));
    for (size_t i = 0; i < w->r->path_n; i++) {
        if (i) buf_put(&b, STR(", "));
        buf_put(&b, w->r->path[i]);
    }
    buf_char(&b, '>');
    buf_put(&b, attribute_name(w, in_snake_case));
    buf_put(&b, STR(": "));
    buf_put(&b, cache ? STR("<cache>") : value_text(w));
    *s = arena_dup(w->a, buf_str(&b));
    return *s;
}

static enum err expand(struct work *w, const struct hit *h, struct str template, struct str *out)
{
    BUF(b, TEXT_MAX);
    TRY(jmx_template(template, h->rule->re, h->rule->re ? &h->groups : NULL, w->s->host, &b));
    TRY(buf_ok(&b));
    *out = arena_dup(w->a, buf_str(&b));
    return OK;
}

static bool ends_in_total(struct str name) { return str_ends(name, STR("_total")); }

static struct str without_suffixes(struct str name)
{
    static const char *const SUFFIXES[] = { "_total", "_created", "_bucket", "_info" };
    for (size_t i = 0; i < ARRAY_LEN(SUFFIXES);) {
        struct str suffix = str_c(SUFFIXES[i++]);
        if (name.n <= suffix.n || !str_ends(name, suffix)) continue;
        name.n -= suffix.n;
        i = 0;
    }
    return name;
}

static void set_name(struct work *w, const struct jmx_rule *rule, struct draft *t, struct str name)
{
    struct jmx_outcome *o = &t->o;
    o->name = w->c->lowercase_names ? lower(name, w->a) : name;
    o->type = str_eqc(rule->type, "COUNTER") ? JMX_COUNTER
              : str_eqc(rule->type, "GAUGE") ? JMX_GAUGE
                                             : JMX_UNTYPED;
    if (w->c->infer_counter && ends_in_total(o->name)) o->type = JMX_COUNTER;
    o->family = w->c->compat_0x ? o->name : without_suffixes(o->name);
    o->drop |= o->name.n == 0;
}

static void add_label(struct work *w, struct draft *t, struct str name, struct str value)
{
    if (w->c->lowercase_labels) name = lower(name, w->a);
    *vec_push(w->a, &t->labels) = (struct jmx_label){ name, value };
}

static struct str property(const struct work *w, const char *key)
{
    for (size_t i = 0; i < w->r->rows_n; i++) {
        if (str_eqc(w->r->rows[i].key, key)) return w->r->rows[i].value;
    }
    for (size_t i = 0; i < w->s->n; i++) {
        if (str_eqc(w->s->properties[i].key, key)) return w->s->properties[i].value;
    }
    return STR("null");
}

static struct str generated_help(struct work *w)
{
    struct str about = w->r->description, name = property(w, "name"), type = property(w, "type");
    bool shown = about.p && !str_eq(about, w->r->attribute);
    return arena_fmt(w->a,
                     STR_FMT "%s" STR_FMT ":name=" STR_FMT ",type=" STR_FMT ",attribute=" STR_FMT,
                     STR_ARG(shown ? about : STR("")), shown ? " " : "", STR_ARG(w->s->domain),
                     STR_ARG(name), STR_ARG(type), STR_ARG(w->r->attribute));
}

/* Domain, the first property's value, path and attribute make the name; the other properties are labels. */
static void default_format(struct work *w, const struct hit *h, struct draft *t)
{
    BUF(b, TEXT_MAX);
    const struct jmx_subject *s = w->s;
    bool row_first = s->n == 0 && w->r->rows_n > 0;
    buf_put(&b, s->domain);
    if (s->n || row_first) {
        buf_char(&b, '_');
        buf_put(&b, s->n ? s->properties[0].value : w->r->rows[0].value);
    }
    for (size_t i = 0; i < w->r->path_n; i++) {
        buf_char(&b, '_');
        buf_put(&b, w->r->path[i]);
    }
    buf_char(&b, '_');
    buf_put(&b, h->attribute);
    set_name(w, h->rule, t, jmx_sanitise(buf_str(&b), w->a));
    for (size_t i = 1; i < s->n; i++) {
        add_label(w, t, jmx_sanitise(s->properties[i].key, w->a), s->properties[i].value);
    }
    for (size_t i = row_first; i < w->r->rows_n; i++) {
        add_label(w, t, jmx_sanitise(w->r->rows[i].key, w->a), w->r->rows[i].value);
    }
    t->o.help = generated_help(w);
}

static enum err named_format(struct work *w, const struct hit *h, struct draft *t)
{
    struct str name, value;
    TRY(expand(w, h, h->rule->name, &name));
    set_name(w, h->rule, t, jmx_sanitise(name, w->a));
    if (t->o.drop) return OK;
    for (size_t i = 0; i < h->rule->labels_n; i++) {
        TRY(expand(w, h, h->rule->labels[i].name, &name));
        TRY(expand(w, h, h->rule->labels[i].value, &value));
        name = jmx_sanitise(name, w->a);
        if (name.n && value.n) add_label(w, t, name, value);
    }
    t->o.help = generated_help(w);
    return h->rule->help.p ? expand(w, h, h->rule->help, &t->o.help) : OK;
}

/* A text that is no number drops the attribute; no later rule is tried. */
static enum err rule_value(struct work *w, const struct hit *h, struct draft *t)
{
    struct str text;
    if (h->rule->value.n == 0) {
        t->o.drop |= w->r->kind == JMX_TEXT;
        return OK;
    }
    TRY(expand(w, h, h->rule->value, &text));
    t->o.has_value = true;
    t->o.drop |= javanum_parse_double(text, &t->o.value) != OK;
    return OK;
}

static int by_name(const void *x, const void *y)
{
    const struct jmx_label *a = x, *b = y;
    return str_cmp(a->name, b->name);
}

/* Sorted; a name twice or with "__" in front is nothing a scraper takes. */
static enum err render_labels(struct work *w, struct draft *t)
{
    BUF(b, TEXT_MAX);
    bool has = w->s->label_name.n == 0;
    VEC_FOR(l, &t->labels) has |= str_eq(l->name, w->s->label_name);
    if (!has) {
        *vec_push(w->a, &t->labels) = (struct jmx_label){ w->s->label_name, w->s->label_value };
    }
    if (t->labels.n) qsort(t->labels.v, t->labels.n, sizeof(*t->labels.v), by_name);
    for (size_t i = 0; i < t->labels.n; i++) {
        const struct jmx_label *l = &t->labels.v[i];
        if (str_starts(l->name, STR("__")) || str_find_char(l->name, ':') != STR_NONE) {
            return ERR_SYNTAX;
        }
        if (i && str_eq(l->name, l[-1].name)) return ERR_EXISTS;
        if (i) buf_char(&b, ',');
        buf_put(&b, l->name);
        buf_put(&b, STR("=\""));
        expo_escape_value(&b, l->value);
        buf_char(&b, '"');
    }
    TRY(buf_ok(&b));
    t->o.labels = arena_dup(w->a, buf_str(&b));
    return OK;
}

static struct str up_to_last_colon(struct str s)
{
    size_t n = s.n;
    while (n && s.p[n - 1] != ':') n--;
    return str_first(s, n ? n - 1 : s.n);
}

static enum err make_sample(struct work *w, const struct hit *h, struct draft *t)
{
    t->o.factor = h->rule->factor;
    t->o.object_name = up_to_last_colon(h->subject);
    TRY(rule_value(w, h, t));
    if (t->o.drop) return OK;
    if (h->rule->name.p) {
        TRY(named_format(w, h, t));
    } else {
        default_format(w, h, t);
    }
    return t->o.drop ? OK : render_labels(w, t);
}

/* One block: the struct, then all its strings. */
static struct jmx_outcome *keep(const struct jmx_outcome *from)
{
    struct jmx_outcome o = *from;
    struct str *strings[] = { &o.name, &o.labels, &o.help, &o.object_name, &o.value_text };
    size_t n = sizeof(o), family = o.family.n;
    if (o.drop) o.name = o.labels = o.help = o.object_name = (struct str){ 0 };
    for (size_t i = 0; i < ARRAY_LEN(strings); i++) n += strings[i]->n;
    char *block = malloc(n);
    if (!block) abort();
    char *at = block + sizeof(o);
    for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
        if (strings[i]->n) memcpy(at, strings[i]->p, strings[i]->n);
        strings[i]->p = at;
        at += strings[i]->n;
    }
    o.family = str_first(o.name, family);
    memcpy(block, &o, sizeof(o));
    return (struct jmx_outcome *)(void *)block;
}

/* A number's text cannot change what this rule does. */
static bool value_blind(const struct work *w, const struct jmx_rule *rule)
{
    return rule->cache || !rule->re || (rule->blind && w->r->kind != JMX_TEXT);
}

static bool hits(struct work *w, const struct jmx_rule *rule, struct hit *h)
{
    h->rule = rule;
    h->subject = spelling(w, rule->snake_case, rule->cache);
    return !rule->re || regex_find(rule->re, h->subject, 0, w->a, &h->groups);
}

struct jmx_outcome *jmx_rules_apply(const struct jmx_config *c, const struct jmx_subject *s,
                                    const struct jmx_record *r, struct arena *a)
{
    struct work w = { .c = c, .s = s, .r = r, .a = a };
    struct draft t = { .o = { .fixed = true, .drop = true, .factor = 1 } };
    for (size_t i = 0; i < c->rules_n; i++) {
        struct hit h = { 0 };
        t.o.fixed &= value_blind(&w, &c->rules[i]);
        if (!hits(&w, &c->rules[i], &h)) continue;
        if (c->rules[i].cache) t.o.fixed = true; /* "positive" cache entry: kept whatever comes */
        h.attribute = attribute_name(&w, c->rules[i].snake_case);
        t.o.drop = false;
        t.o.failed = make_sample(&w, &h, &t) != OK;
        t.o.drop |= t.o.failed;
        break;
    }
    if (!t.o.fixed) t.o.value_text = value_text(&w);
    return keep(&t.o);
}

void jmx_outcome_free(struct jmx_outcome *o) { free(o); }

/* '\1' in the literal stands for any character; what goes beyond the head's end is not known and may match. */
static bool occurs(struct str literal, struct str head)
{
    for (size_t at = 0; at < head.n; at++) {
        size_t i = 0;
        while (i < literal.n && at + i < head.n &&
               (literal.p[i] == '\1' || literal.p[i] == head.p[at + i])) {
            i++;
        }
        if (i == literal.n || at + i == head.n) return true;
    }
    return false;
}

/*
 * Differs: a literal with '<' in it is looked for in domain and properties only; the original would also find it in the
 * text of a value or in the name of an attribute.
 */
static bool rule_may_match(const struct jmx_rule *rule, struct str head)
{
    if (!rule->re || rule->literal.n == 0) return true;
    if (occurs(rule->literal, head)) return true;
    return str_find_char(rule->literal, '<') == STR_NONE;
}

static bool may_match(const struct jmx_config *c, const struct jmx_subject *s, bool text)
{
    BUF(head, TEXT_MAX);
    bool first = true;
    buf_put(&head, s->domain);
    buf_char(&head, '<');
    put_properties(&head, s->properties, s->n, &first);
    for (size_t i = 0; i < head.n; i++) {
        if ((unsigned char)head.p[i] >= 128) return true; /* '.' is more than a byte here */
    }
    for (size_t i = 0; i < c->rules_n; i++) {
        if ((!text || c->rules[i].value.n) && rule_may_match(&c->rules[i], buf_str(&head))) {
            return true;
        }
    }
    return false;
}

bool jmx_rules_may_match(const struct jmx_config *c, const struct jmx_subject *s)
{
    return may_match(c, s, false);
}

bool jmx_rules_may_match_text(const struct jmx_config *c, const struct jmx_subject *s)
{
    return may_match(c, s, true);
}
