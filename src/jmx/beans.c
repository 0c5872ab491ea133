/* SPDX-License-Identifier: Apache-2.0 */
#include "jmx/beans.h"

#include "base/vec.h"

#include <stdlib.h>

static void *must(void *p)
{
    if (!p) abort();
    return p;
}

/* Domains that excludeJvmMetrics means. Source: jmx_exporter JmxCollector. */
static const char *const JVM_DOMAINS[] = {
    "com.sun.management", "com.sun.management.jmxremote",
    "java.lang",          "java.nio",
    "java.util.logging",  "javax.management",
    "jdk.internal",       "javax.management.remote",
    "jdk.management",     "jdk.management.jfr",
    "sun.management",
};

/* Nothing of them is exported, and their replies are large (55 kB and 205 kB). */
static const char *const NEVER[] = {
    "com.sun.management:type=DiagnosticCommand",
    "jdk.management.jfr:type=FlightRecorder",
};

static const char *const RUNTIME_NEVER[] = { "SystemProperties", "ClassPath", "BootClassPath",
                                             "LibraryPath" };

void beans_init(struct beans *b, struct jmx_config *c) { *b = (struct beans){ .config = c }; }

static void attribute_clear(struct bean_attribute *t)
{
    for (size_t i = 0; i < t->n; i++) {
        free(t->slots[i].key);
        jmx_outcome_free(t->slots[i].outcome);
    }
    free(t->slots);
    *t = (struct bean_attribute){ 0 };
}

static void info_free(struct bean_info *info) { free(info); } /* one block with its strings */

static void bean_detach(struct bean *bean)
{
    for (size_t i = 0; bean->info && i < bean->info->n; i++) attribute_clear(&bean->attributes[i]);
    free(bean->attributes);
    if (bean->info && !bean->info->shared) info_free(bean->info);
    bean->attributes = NULL;
    bean->info = NULL;
}

static void bean_free(struct bean *bean)
{
    bean_detach(bean);
    free(bean); /* one block with its name and properties */
}

void beans_done(struct beans *b)
{
    for (size_t i = 0; i < b->n; i++) bean_free(b->v[i]);
    MAP_FOR(it, &b->classes) {
        struct bean_class *class = it->value;
        if (class->info) info_free(class->info);
        free(class);
    }
    free(b->v);
    map_done(&b->by_name);
    map_done(&b->classes);
}

void beans_begin(struct beans *b)
{
    b->generation++;
    b->failed = b->cached = 0;
}

static struct bean_class *class_of(struct beans *b, struct str name)
{
    struct bean_class *class = map_get(&b->classes, name);
    if (class) return class;
    class = must(calloc(1, sizeof(*class) + name.n));
    char *text = (char *)(class + 1);
    if (name.n) memcpy(text, name.p, name.n);
    class->name = str_make(text, name.n);
    map_put(&b->classes, class->name, class);
    return class;
}

static bool matches_any(const struct jmx_objectnames *patterns, const struct objectname *name)
{
    for (size_t i = 0; i < patterns->n; i++) {
        if (objectname_match(&patterns->v[i], name)) return true;
    }
    return false;
}

/* An explicit include, not a pattern, keeps a bean that excludeJvmMetrics would drop. */
static bool named_exactly(const struct jmx_objectnames *patterns, const struct objectname *name)
{
    for (size_t i = 0; i < patterns->n; i++) {
        if (!patterns->v[i].open && objectname_eq(&patterns->v[i], name)) return true;
    }
    return false;
}

static bool is_jvm_domain(struct str domain)
{
    for (size_t i = 0; i < ARRAY_LEN(JVM_DOMAINS); i++) {
        if (str_eqc(domain, JVM_DOMAINS[i])) return true;
    }
    return false;
}

static bool is_never(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(NEVER); i++) {
        if (str_eqc(name, NEVER[i])) return true;
    }
    return false;
}

static const struct jmx_bean_attributes *filter_for(const struct jmx_bean_attributes *v, size_t n,
                                                    const struct objectname *name)
{
    for (size_t i = 0; i < n; i++) {
        if (objectname_eq(&v[i].bean, name)) return &v[i];
    }
    return NULL;
}

static bool filtered_out(const struct jmx_config *c, struct str text, const struct objectname *name)
{
    if (is_never(text) || matches_any(&c->exclude, name)) return true;
    if (c->exclude_jvm && is_jvm_domain(name->domain) && !named_exactly(&c->include, name)) {
        return true;
    }
    return c->include_attributes_n &&
           !filter_for(c->include_attributes, c->include_attributes_n, name);
}

/* Strings inside `from`, moved to the same place in `to`. */
static struct str moved(struct str s, struct str from, const char *to)
{
    return s.p ? str_make(to + (s.p - from.p), s.n) : s;
}

static struct bean *bean_new(struct beans *b, const struct jmx_found *f, struct arena *a)
{
    struct objectname name;
    if (objectname_parse(f->name, a, &name, NULL) != OK) return NULL;
    size_t list = name.n * sizeof(struct jmx_property);
    struct bean *bean = must(calloc(1, sizeof(*bean) + list + f->name.n));
    struct jmx_property *properties = (struct jmx_property *)(void *)(bean + 1);
    char *text = (char *)(properties + name.n);
    if (f->name.n) memcpy(text, f->name.p, f->name.n);
    for (size_t i = 0; i < name.n; i++) {
        properties[i].key = moved(name.properties[i].key, f->name, text);
        properties[i].value = moved(name.properties[i].value, f->name, text);
    }
    bean->name = str_make(text, f->name.n);
    bean->subject = (struct jmx_subject){
        .domain = moved(name.domain, f->name, text),
        .properties = properties,
        .n = name.n,
    };
    bean->class = class_of(b, f->class_name);
    bean->skip = filtered_out(b->config, f->name, &name) ||
                 !jmx_rules_may_match(b->config, &bean->subject);
    bean->text_wanted = b->config->text_rules &&
                        jmx_rules_may_match_text(b->config, &bean->subject);
    return bean;
}

static void bean_add(struct beans *b, struct bean *bean)
{
    if (b->n == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 64;
        b->v = must(realloc(b->v, b->cap * sizeof(struct bean *)));
    }
    b->v[b->n++] = bean;
    map_put(&b->by_name, bean->name, bean);
}

void beans_found(struct beans *b, const struct jmx_found *found, size_t n, struct arena *a)
{
    for (size_t i = 0; i < n; i++) {
        struct bean *bean = map_get(&b->by_name, found[i].name);
        if (!bean) {
            bean = bean_new(b, &found[i], a);
            if (!bean) continue;
            bean_add(b, bean);
        } else if (!str_eq(bean->class->name, found[i].class_name)) {
            bean_detach(bean); /* another bean took the name over */
            bean->class = class_of(b, found[i].class_name);
            bean->careful = false;
        }
        bean->generation = b->generation;
    }
}

void beans_sweep(struct beans *b)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->n; i++) {
        struct bean *bean = b->v[i];
        if (bean->generation == b->generation) {
            b->v[kept++] = bean;
        } else {
            map_del(&b->by_name, bean->name);
            bean_free(bean);
        }
    }
    b->n = kept;
}

void beans_forget_questions(struct beans *b)
{
    MAP_FOR(it, &b->classes) {
        struct bean_class *class = it->value;
        if (class->state == CLASS_ASKED) class->state = CLASS_UNKNOWN;
    }
}

void beans_forget_outcomes(struct beans *b)
{
    for (size_t i = 0; i < b->n; i++) {
        for (size_t k = 0; b->v[i]->info && k < b->v[i]->info->n; k++) {
            if (!b->v[i]->attributes[k].dead) attribute_clear(&b->v[i]->attributes[k]);
        }
    }
}

/* One block: the struct, the attributes, their strings. */
static struct bean_info *info_new(const struct jmx_info *from, bool shared)
{
    size_t size = sizeof(struct bean_info) + from->n * sizeof(struct jmx_attribute), at = size;
    for (size_t i = 0; i < from->n; i++) {
        const struct jmx_attribute *t = &from->attributes[i];
        size += t->name.n + t->type.n + t->description.n;
    }
    char *block = must(malloc(size + 1));
    struct bean_info *info = (struct bean_info *)(void *)block;
    *info = (struct bean_info){
        .attributes = (struct jmx_attribute *)(void *)(info + 1),
        .n = from->n,
        .shared = shared,
    };
    for (size_t i = 0; i < from->n; i++) {
        struct jmx_attribute t = from->attributes[i];
        struct str *strings[] = { &t.name, &t.type, &t.description };
        for (size_t k = 0; k < ARRAY_LEN(strings); k++) {
            if (!strings[k]->p) continue;
            memcpy(block + at, strings[k]->p, strings[k]->n);
            strings[k]->p = block + at;
            at += strings[k]->n;
        }
        info->attributes[i] = t;
    }
    return info;
}

static bool listed(const struct str *v, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(v[i], name)) return true;
    }
    return false;
}

/* Types whose values are never exported: asking would only cost the broker. */
static bool never_exported(struct str type)
{
    return str_starts(type, STR("[")) || str_eqc(type, "char") ||
           str_eqc(type, "java.lang.Character") || str_eqc(type, "java.lang.Class") ||
           str_eqc(type, "javax.management.ObjectName");
}

static bool attribute_filtered(const struct jmx_config *c, const struct bean *bean,
                               const struct jmx_attribute *t)
{
    struct objectname name = {
        .domain = bean->subject.domain,
        .properties = (struct jmx_property *)(uintptr_t)bean->subject.properties,
        .n = bean->subject.n
    };
    const struct jmx_bean_attributes *only = filter_for(c->include_attributes,
                                                        c->include_attributes_n, &name);
    const struct jmx_bean_attributes *without = filter_for(c->exclude_attributes,
                                                           c->exclude_attributes_n, &name);
    if (only && !listed(only->attributes, only->n, t->name)) return true;
    if (without && listed(without->attributes, without->n, t->name)) return true;
    if (!str_eqc(bean->name, "java.lang:type=Runtime")) return false;
    for (size_t i = 0; i < ARRAY_LEN(RUNTIME_NEVER); i++) {
        if (str_ieq(t->name, str_c(RUNTIME_NEVER[i]))) return true;
    }
    return false;
}

/* Takes over what is known of an attribute under its name. */
static void inherit(struct bean *from, struct bean *to, size_t i)
{
    size_t k = from->info ? bean_attribute_index(from, to->info->attributes[i].name) : STR_NONE;
    if (k == STR_NONE) return;
    to->attributes[i] = from->attributes[k];
    from->attributes[k] = (struct bean_attribute){ 0 };
}

void bean_attach(struct beans *b, struct bean *bean, struct bean_info *info)
{
    struct bean old = *bean;
    bean->info = info;
    bean->attributes = must(calloc(info->n + 1, sizeof(*bean->attributes)));
    for (size_t i = 0; i < info->n; i++) {
        const struct jmx_attribute *t = &info->attributes[i];
        inherit(&old, bean, i);
        bean->attributes[i].dead |= never_exported(t->type) ||
                                    attribute_filtered(b->config, bean, t);
    }
    bean->stale = false;
    bean_detach(&old);
}

void bean_describe(struct beans *b, struct bean *bean, const struct jmx_info *info)
{
    struct bean_info *mine = info_new(info, info->immutable);
    bean->class->state = info->immutable ? CLASS_IMMUTABLE : CLASS_MUTABLE;
    if (info->immutable) {
        if (bean->class->info) { /* two beans of the class were asked at once */
            info_free(mine);
            mine = bean->class->info;
        }
        bean->class->info = mine;
    }
    bean_attach(b, bean, mine);
}

size_t bean_wanted(const struct bean *bean, struct str *out)
{
    size_t n = 0;
    for (size_t i = 0; bean->info && i < bean->info->n; i++) {
        if (!bean->attributes[i].dead) out[n++] = bean->info->attributes[i].name;
    }
    return n;
}

size_t bean_attribute_index(const struct bean *bean, struct str name)
{
    for (size_t i = 0; bean->info && i < bean->info->n; i++) {
        if (str_eq(bean->info->attributes[i].name, name)) return i;
    }
    return STR_NONE;
}

/* Values of one attribute on their way to its slots. */
struct arrival {
    struct beans *b;
    struct bean *bean;
    struct bean_attribute *attribute;
    struct arena *a;
    size_t next;       /* the slot expected for the next record: they come in the same order */
    bool still_wanted; /* some record is, or may become, a sample */
};

static bool key_is(const struct bean_slot *s, struct str key)
{
    return s->key_n == key.n && (key.n == 0 || memcmp(s->key, key.p, key.n) == 0);
}

static struct str record_key(const struct jmx_record *r, struct arena *a)
{
    if (r->path_n == 0 && r->rows_n == 0) return STR("");
    BUF(b, 1 << 20);
    for (size_t i = 0; i < r->path_n; i++) {
        buf_put(&b, r->path[i]);
        buf_char(&b, 0);
    }
    buf_put(&b, r->attribute);
    for (size_t i = 0; i < r->rows_n; i++) {
        buf_char(&b, 0);
        buf_put(&b, r->rows[i].key);
        buf_char(&b, 1);
        buf_put(&b, r->rows[i].value);
    }
    return arena_dup(a, buf_str(&b));
}

static struct bean_slot *slot_new(struct bean_attribute *t, struct str key)
{
    t->slots = must(realloc(t->slots, (t->n + 1) * sizeof(*t->slots)));
    struct bean_slot *s = &t->slots[t->n++];
    *s = (struct bean_slot){ .key_n = key.n };
    if (key.n) {
        s->key = must(malloc(key.n));
        memcpy(s->key, key.p, key.n);
    }
    return s;
}

static struct bean_slot *slot_for(struct arrival *x, const struct jmx_record *r)
{
    struct bean_attribute *t = x->attribute;
    struct str key = record_key(r, x->a);
    for (size_t i = 0; i < t->n; i++) {
        size_t at = (x->next + i) % t->n;
        if (!key_is(&t->slots[at], key)) continue;
        x->next = at + 1;
        return &t->slots[at];
    }
    x->next = t->n + 1;
    return slot_new(t, key);
}

static bool still_holds(const struct jmx_outcome *o, const struct jmx_record *r)
{
    if (!o) return false;
    if (o->fixed) return true;
    BUF(text, 1 << 20);
    jmx_record_text(r, &text);
    return str_eq(buf_str(&text), o->value_text);
}

static void tell_failure(struct arrival *x, const struct jmx_record *r)
{
    x->b->failed++;
    (void)diag_set(&x->b->failure, OK, "a rule cannot be filled in for attribute %.*s of %.*s",
                   STR_ARG(r->attribute), STR_ARG(x->bean->name));
}

static void on_record(void *ctx, const struct jmx_record *r)
{
    struct arrival *x = ctx;
    if (r->kind == JMX_TEXT && !x->bean->text_wanted) return;
    struct bean_slot *s = slot_for(x, r);
    if (!still_holds(s->outcome, r)) {
        struct jmx_subject subject = x->bean->subject;
        subject.label_name = x->b->label_name;
        subject.label_value = x->b->label_value;
        subject.host = x->b->host;
        jmx_outcome_free(s->outcome);
        s->outcome = jmx_rules_apply(x->b->config, &subject, r, x->a);
    }
    const struct jmx_outcome *o = s->outcome;
    s->seen = x->b->generation;
    s->value = (o->has_value ? o->value : r->value);
    if (o->has_value || r->kind == JMX_NUMBER) s->value *= o->factor;
    if (o->failed) tell_failure(x, r);
    x->b->cached += x->b->config->cache_rules && o->fixed;
    x->still_wanted |= !o->drop || !o->fixed || r->rows_n > 0;
}

/* Rows that are gone for good would pile up. */
static void drop_old_slots(struct bean_attribute *t, unsigned generation)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->n; i++) {
        if (t->slots[i].seen == generation) {
            t->slots[kept++] = t->slots[i];
        } else {
            free(t->slots[i].key);
            jmx_outcome_free(t->slots[i].outcome);
        }
    }
    t->n = kept;
}

void bean_value(struct beans *b, struct bean *bean, size_t attribute, const struct javaser_value *v,
                struct arena *a)
{
    struct bean_attribute *t = &bean->attributes[attribute];
    struct arrival x = { .b = b, .bean = bean, .attribute = t, .a = a };
    bool exportable = jmx_each_record(&bean->info->attributes[attribute], v, a, on_record, &x);
    if (t->n > 1) drop_old_slots(t, b->generation);
    if (v->kind == JAVASER_NULL) return; /* may be something another time */
    if (!exportable) b->excluded++;
    bool table = javaser_is(v, "javax.management.openmbean.TabularDataSupport");
    if (!exportable || (!x.still_wanted && !table)) {
        attribute_clear(t);
        t->dead = true;
    }
}

void beans_samples(const struct beans *b, unsigned generation, struct jmx_samples *out,
                   struct arena *a)
{
    VEC(struct jmx_sample) all = { 0 };
    for (size_t i = 0; i < b->n; i++) {
        const struct bean *bean = b->v[i];
        for (size_t k = 0; bean->info && !bean->skip && k < bean->info->n; k++) {
            const struct bean_attribute *t = &bean->attributes[k];
            for (size_t j = 0; j < t->n; j++) {
                const struct bean_slot *s = &t->slots[j];
                if (s->seen != generation || s->outcome->drop) continue;
                *vec_push(a, &all) = (struct jmx_sample){ s->outcome, s->value };
            }
        }
    }
    *out = (struct jmx_samples){ all.v, all.n, all.cap };
}
