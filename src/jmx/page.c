/* SPDX-License-Identifier: Apache-2.0 */
#include "jmx/page.h"

#include "codec/expowrite.h"
#include "jmx/javanum.h"

#include <stdlib.h>

struct page {
    struct buf *b;
    const struct jmx_page_options *o;
    size_t dropped;
};

/* A family as it is being written: under its own name, or once more under another. */
struct family {
    const struct jmx_sample *v;
    size_t n;
    enum jmx_type type;
    bool object_names;
    struct str name;
};

static int by_family_and_labels(const void *x, const void *y)
{
    const struct jmx_sample *a = x, *b = y;
    int order = str_cmp(a->outcome->family, b->outcome->family);
    if (order == 0) order = str_cmp(a->outcome->labels, b->outcome->labels);
    return order ? order : str_cmp(a->outcome->object_name, b->outcome->object_name);
}

static bool same_labels(const struct jmx_sample *a, const struct jmx_sample *b)
{
    return str_eq(a->outcome->labels, b->outcome->labels);
}

static bool same_series(const struct jmx_sample *a, const struct jmx_sample *b)
{
    return same_labels(a, b) && str_eq(a->outcome->object_name, b->outcome->object_name);
}

static bool has_duplicates(const struct jmx_sample *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (same_labels(&v[i - 1], &v[i])) return true;
    }
    return false;
}

/* Samples that disagree make the family untyped; before 1.0 the first one decided. */
static enum jmx_type type_of(const struct page *p, const struct jmx_sample *v, size_t n)
{
    for (size_t i = 1; i < n && !p->o->compat_0x; i++) {
        if (v[i].outcome->type != v[0].outcome->type) return JMX_UNTYPED;
    }
    return v[0].outcome->type;
}

/* Bytes of the first label of a rendered list, with the comma behind it. */
static size_t label_size(struct str labels)
{
    size_t i = str_find_char(labels, '"') + 1;
    while (i < labels.n && labels.p[i] != '"') i += labels.p[i] == '\\' ? 2 : 1;
    i++;
    return i < labels.n ? i + 1 : labels.n;
}

static void put_object_name(struct page *p, struct str subject)
{
    buf_put(p->b, STR("_objectname=\""));
    expo_escape_value(p->b, subject);
    buf_char(p->b, '"');
}

/* At its place in the order of names. */
static void put_labels_and_object_name(struct page *p, const struct jmx_outcome *o)
{
    struct str rest = o->labels;
    while (rest.n && str_cmp(str_first(rest, str_find_char(rest, '=')), STR("_objectname")) < 0) {
        size_t n = label_size(rest);
        buf_put(p->b, str_first(rest, n));
        if (n == rest.n) buf_char(p->b, ',');
        rest = str_from(rest, n);
    }
    put_object_name(p, o->object_name);
    if (rest.n) buf_char(p->b, ',');
    buf_put(p->b, rest);
}

static void put_sample(struct page *p, const struct family *f, const struct jmx_sample *s)
{
    buf_put(p->b, f->name);
    if (s->outcome->labels.n || f->object_names) {
        buf_char(p->b, '{');
        if (f->object_names) {
            put_labels_and_object_name(p, s->outcome);
        } else {
            buf_put(p->b, s->outcome->labels);
        }
        buf_char(p->b, '}');
    }
    buf_char(p->b, ' ');
    javanum_write_sample(p->b, s->value);
    buf_char(p->b, '\n');
}

/* Before 1.0 a counter without `_total` was announced with it, and its samples were not. */
static void put_head_name(struct page *p, const struct family *f)
{
    buf_put(p->b, f->name);
    if (f->type == JMX_COUNTER && !str_ends(f->name, STR("_total"))) buf_put(p->b, STR("_total"));
}

static void put_head(struct page *p, const struct family *f)
{
    static const char *const WORDS[] = {
        [JMX_UNTYPED] = "untyped", [JMX_COUNTER] = "counter", [JMX_GAUGE] = "gauge"
    };
    buf_put(p->b, STR("# HELP "));
    put_head_name(p, f);
    buf_char(p->b, ' ');
    expo_escape_help(p->b, f->v[0].outcome->help);
    buf_put(p->b, STR("\n# TYPE "));
    put_head_name(p, f);
    buf_char(p->b, ' ');
    buf_putc(p->b, WORDS[f->type]);
    buf_char(p->b, '\n');
}

/* Returns how many samples were left out as duplicates. */
static size_t put_as(struct page *p, const struct family *f)
{
    size_t dropped = 0;
    put_head(p, f);
    for (size_t i = 0; i < f->n; i++) {
        const struct jmx_sample *s = &f->v[i];
        bool twice = i && (f->object_names ? same_series(s - 1, s) : same_labels(s - 1, s));
        if (twice) {
            dropped++;
        } else {
            put_sample(p, f, s);
        }
    }
    return dropped;
}

static void put_family(struct page *p, const struct jmx_sample *v, size_t n)
{
    struct family f = { .v = v, .n = n, .type = type_of(p, v, n) };
    BUF(name, 0);
    f.object_names = !p->o->compat_0x && has_duplicates(v, n);
    buf_put(&name, v[0].outcome->family);
    if (f.type == JMX_COUNTER && !p->o->compat_0x) buf_put(&name, STR("_total"));
    f.name = buf_str(&name);
    p->dropped += put_as(p, &f);
    for (size_t i = 0; i < p->o->aliases_n; i++) {
        struct family again = f;
        again.name = p->o->aliases[i].name;
        if (str_eq(p->o->aliases[i].of, f.name)) (void)put_as(p, &again);
    }
}

void jmx_page_write(struct buf *b, struct jmx_sample *samples, size_t n,
                    const struct jmx_page_options *o, size_t *dropped)
{
    struct page p = { .b = b, .o = o };
    if (n) qsort(samples, n, sizeof(*samples), by_family_and_labels);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n; end++) {
            if (!str_eq(samples[end].outcome->family, samples[i].outcome->family)) break;
        }
        put_family(&p, samples + i, end - i);
    }
    *dropped = p.dropped;
}
