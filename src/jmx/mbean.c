/* SPDX-License-Identifier: Apache-2.0 */
#include "jmx/mbean.h"

#include "base/bits.h"
#include "codec/num.h"
#include "jmx/javanum.h"

/* What a collection holds: the items its write method added, without the blocks that only tell sizes. */
static size_t elements(const struct javaser_value *v, const char *class_name, struct arena *a,
                       const struct javaser_value ***out)
{
    const struct javaser_part *p = javaser_part(v, class_name);
    if (!p) return 0;
    const struct javaser_value **items = arena_array(a, p->n, sizeof(struct javaser_value *));
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (p->items[i]->kind != JAVASER_BLOCK) items[n++] = p->items[i];
    }
    *out = items;
    return n;
}

/* ObjectName's custom contents are its text. */
static struct str object_name_text(const struct javaser_value *v)
{
    const struct javaser_part *p = javaser_part(v, "javax.management.ObjectName");
    if (!p || p->n != 1 || p->items[0]->kind != JAVASER_STRING) return str_make(NULL, 0);
    return p->items[0]->text;
}

enum err jmx_read_query(const struct javaser_value *v, struct arena *a, struct jmx_found **out,
                        size_t *n, struct diag *d)
{
    if (!javaser_is(v, "java.util.HashSet")) {
        return diag_set(d, ERR_SYNTAX, "expected a set of MBeans");
    }
    const struct javaser_value **items = NULL;
    size_t count = elements(v, "java.util.HashSet", a, &items);
    struct jmx_found *found = arena_array(a, count, sizeof(*found));
    for (size_t i = 0; i < count; i++) {
        bool instance = javaser_is(items[i], "javax.management.ObjectInstance");
        found[i].name = object_name_text(instance ? javaser_object(items[i], "name") : items[i]);
        found[i].class_name = instance ? javaser_text(items[i], "className") : STR("");
        if (!found[i].name.p) return diag_set(d, ERR_SYNTAX, "expected the name of an MBean");
    }
    *out = found;
    *n = count;
    return OK;
}

/*
 * A descriptor follows as custom contents: a block whose byte 1 announces its names and values as two arrays,
 * whose byte 0 announces a Descriptor object, which we do not look into.
 */
static bool says_immutable(const struct javaser_value *info)
{
    const struct javaser_part *p = javaser_part(info, "javax.management.MBeanInfo");
    if (!p || p->n < 3 || p->items[1]->kind != JAVASER_ARRAY ||
        p->items[2]->kind != JAVASER_ARRAY) {
        return false;
    }
    const struct javaser_value *names = p->items[1], *values = p->items[2];
    for (size_t i = 0; i < names->n && i < values->n; i++) {
        if (str_ieq(names->items[i]->text, STR("immutableInfo"))) {
            return str_ieq(values->items[i]->text, STR("true"));
        }
    }
    return false;
}

enum err jmx_read_info(const struct javaser_value *v, struct arena *a, struct jmx_info *out,
                       struct diag *d)
{
    const struct javaser_value *list = javaser_object(v, "attributes");
    if (!javaser_is(v, "javax.management.MBeanInfo") || list->kind != JAVASER_ARRAY) {
        return diag_set(d, ERR_SYNTAX, "expected an MBeanInfo");
    }
    struct jmx_info info = {
        .class_name = javaser_text(v, "className"),
        .immutable = says_immutable(v),
        .attributes = arena_array(a, list->n, sizeof(struct jmx_attribute)),
    };
    for (size_t i = 0; i < list->n; i++) {
        const struct javaser_value *item = list->items[i];
        const struct javaser_slot *readable = javaser_field(item, "isRead");
        struct str name = javaser_text(item, "name");
        if (!readable || !readable->integer || !name.p) continue;
        info.attributes[info.n++] = (struct jmx_attribute){
            .name = name,
            .type = javaser_text(item, "attributeType"),
            .description = javaser_text(item, "description"),
        };
    }
    *out = info;
    return OK;
}

enum err jmx_read_attributes(const struct javaser_value *v, struct arena *a, struct jmx_value **out,
                             size_t *n, struct diag *d)
{
    if (!javaser_is(v, "java.util.ArrayList")) {
        return diag_set(d, ERR_SYNTAX, "expected a list of attributes");
    }
    const struct javaser_value **items = NULL;
    size_t count = elements(v, "java.util.ArrayList", a, &items);
    struct jmx_value *values = arena_array(a, count, sizeof(*values));
    for (size_t i = 0; i < count; i++) {
        values[i].name = javaser_text(items[i], "name");
        values[i].value = javaser_object(items[i], "value");
        if (!values[i].name.p) return diag_set(d, ERR_SYNTAX, "expected an attribute with a name");
    }
    *out = values;
    *n = count;
    return OK;
}

/* Values */

#define NESTED_MAX 16

struct walk {
    const struct jmx_attribute *attribute;
    struct arena *a;
    jmx_record_fn *fn;
    void *ctx;
    unsigned depth;
};

/* Where a value stands below its attribute. */
struct place {
    struct str name, description;
    const struct str *path;
    size_t path_n;
    const struct jmx_property *rows;
    size_t rows_n;
};

static bool visit(struct walk *w, const struct place *at, const struct javaser_value *v);

/* Magnitude in base 2^8 to decimal text, most significant digit first. */
static struct str decimal_of_bytes(struct str magnitude, bool negative, struct arena *a)
{
    size_t room = magnitude.n * 5 / 2 + 3, n = 0; /* log10(256) < 2.5 */
    char *digits = arena_alloc(a, room);
    for (size_t i = 0; i < magnitude.n; i++) {
        unsigned carry = (unsigned char)magnitude.p[i];
        for (size_t k = 0; k < n; k++) {
            carry += (unsigned)digits[k] << 8;
            digits[k] = (char)(carry % 10);
            carry /= 10;
        }
        for (; carry; carry /= 10) digits[n++] = (char)(carry % 10);
    }
    if (n == 0) digits[n++] = 0;
    char *text = arena_alloc(a, n + 2);
    size_t at = 0;
    if (negative) text[at++] = '-';
    while (n) text[at++] = (char)('0' + digits[--n]);
    return str_make(text, at);
}

#define BIG_BYTES_MAX 256 /* 616 digits: more than any double holds */

static bool big_integer(const struct javaser_value *v, struct arena *a, struct str *out)
{
    const struct javaser_slot *sign = javaser_field(v, "signum");
    const struct javaser_value *magnitude = javaser_object(v, "magnitude");
    if (!sign || magnitude->kind != JAVASER_ARRAY || magnitude->text.n > BIG_BYTES_MAX) {
        return false;
    }
    *out = decimal_of_bytes(magnitude->text, sign->integer < 0, a);
    return true;
}

/* BigDecimal.toString: scientific when the scale is negative or the exponent below -6. */
static struct str decimal_text(struct str digits, int64_t scale, struct arena *a)
{
    BUF(b, 4096);
    bool negative = digits.n && digits.p[0] == '-';
    if (negative) {
        buf_char(&b, '-');
        digits = str_from(digits, 1);
    }
    int64_t exponent = (int64_t)digits.n - 1 - scale;
    if (scale == 0) {
        buf_put(&b, digits);
    } else if (scale > 0 && exponent >= -6) {
        int64_t before = (int64_t)digits.n - scale;
        if (before > 0) {
            buf_put(&b, str_first(digits, (size_t)before));
        } else {
            buf_char(&b, '0');
        }
        buf_char(&b, '.');
        for (int64_t i = before; i < 0; i++) buf_char(&b, '0');
        buf_put(&b, str_from(digits, before > 0 ? (size_t)before : 0));
    } else {
        buf_put(&b, str_first(digits, 1));
        if (digits.n > 1) {
            buf_char(&b, '.');
            buf_put(&b, str_from(digits, 1));
        }
        buf_char(&b, 'E');
        if (exponent > 0) buf_char(&b, '+');
        num_write_i64(&b, exponent);
    }
    return arena_dup(a, buf_str(&b));
}

static bool big_number(const struct javaser_value *v, struct arena *a, struct jmx_record *r)
{
    struct str digits;
    const struct javaser_slot *scale = javaser_field(v, "scale");
    if (!big_integer(scale ? javaser_object(v, "intVal") : v, a, &digits)) return false;
    r->number = JMX_BIG;
    r->text = scale ? decimal_text(digits, scale->integer, a) : digits;
    return javanum_parse_double(r->text, &r->value) == OK;
}

static bool number(const struct javaser_value *v, struct arena *a, struct jmx_record *r)
{
    const struct javaser_slot *s = javaser_field(v, "value");
    r->kind = JMX_NUMBER;
    if (!s) return big_number(v, a, r);
    const struct javaser_class *class = v->class;
    if (str_eqc(class->name, "java.lang.Double")) {
        r->number = JMX_DOUBLE;
        r->value = s->real;
    } else if (str_eqc(class->name, "java.lang.Float")) {
        r->number = JMX_FLOAT;
        r->value = s->real;
    } else {
        r->number = JMX_INTEGER;
        r->integer = s->integer;
        r->value = (double)s->integer;
    }
    return true;
}

/* Milliseconds since 1970, in eight raw bytes of custom contents; exported as seconds. */
static bool date(const struct javaser_value *v, struct jmx_record *r)
{
    const struct javaser_part *p = javaser_part(v, "java.util.Date");
    if (!p || p->n < 1 || p->items[0]->kind != JAVASER_BLOCK || p->items[0]->text.n != 8) {
        return false;
    }
    r->kind = JMX_NUMBER;
    r->number = JMX_DOUBLE;
    r->value = (double)(int64_t)load_be64(p->items[0]->text.p) / 1000.0;
    return true;
}

static bool scalar(const struct javaser_value *v, struct arena *a, struct jmx_record *r)
{
    if (v->kind == JAVASER_STRING || v->kind == JAVASER_ENUM) {
        r->kind = JMX_TEXT;
        r->text = v->text;
        return true;
    }
    if (v->kind != JAVASER_OBJECT) return false;
    if (javaser_is(v, "java.lang.Boolean")) {
        const struct javaser_slot *s = javaser_field(v, "value");
        r->kind = JMX_BOOLEAN;
        r->value = s && s->integer ? 1 : 0;
        return s != NULL;
    }
    if (javaser_is(v, "java.util.Date")) return date(v, r);
    return javaser_is(v, "java.lang.Number") && number(v, a, r);
}

/* Keys and values of composite data: a TreeMap's contents alternate, in alphabetical order. */
static size_t composite(const struct javaser_value *v, struct arena *a,
                        const struct javaser_value ***pairs)
{
    const struct javaser_value *map = javaser_object(v, "contents");
    size_t n = elements(map, "java.util.TreeMap", a, pairs);
    if (n == 0) n = elements(map, "java.util.HashMap", a, pairs);
    return n / 2;
}

static const struct str *path_with(const struct place *at, struct arena *a)
{
    struct str *path = arena_array(a, at->path_n + 1, sizeof(*path));
    for (size_t i = 0; i < at->path_n; i++) path[i] = at->path[i];
    path[at->path_n] = at->name;
    return path;
}

static void visit_composite(struct walk *w, const struct place *at, const struct javaser_value *v)
{
    const struct javaser_value **pairs = NULL;
    size_t n = composite(v, w->a, &pairs);
    struct place below = *at;
    below.path = path_with(at, w->a);
    below.path_n++;
    below.description = javaser_text(javaser_object(v, "compositeType"), "description");
    for (size_t i = 0; i < n; i++) {
        if (pairs[2 * i]->kind != JAVASER_STRING) continue;
        below.name = pairs[2 * i]->text;
        (void)visit(w, &below, pairs[2 * i + 1]);
    }
}

static bool is_index(const struct javaser_value *const *names, size_t n, struct str key)
{
    for (size_t i = 0; i < n; i++) {
        if (names[i]->kind == JAVASER_STRING && str_eq(names[i]->text, key)) return true;
    }
    return false;
}

static bool row_has(const struct jmx_property *rows, size_t n, struct str key)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(rows[i].key, key)) return true;
    }
    return false;
}

struct row {
    VEC(struct jmx_property) properties;
};

static void row_add(struct walk *w, struct row *row, struct str key, const struct javaser_value *v)
{
    struct jmx_record r = { 0 };
    BUF(text, 1 << 20);
    if (!scalar(v, w->a, &r)) return;
    jmx_record_text(&r, &text);
    while (row_has(row->properties.v, row->properties.n, key)) {
        key = arena_fmt(w->a, STR_FMT "_", STR_ARG(key));
    }
    *vec_push(w->a,
              &row->properties) = (struct jmx_property){ .key = key,
                                                         .value = arena_dup(w->a, buf_str(&text)) };
}

/* An index column that is composite itself gives a property a key of it. */
static void row_add_index(struct walk *w, struct row *row, struct str key,
                          const struct javaser_value *v)
{
    const struct javaser_value **pairs = NULL;
    if (!javaser_is(v, "javax.management.openmbean.CompositeDataSupport")) {
        row_add(w, row, key, v);
        return;
    }
    size_t n = composite(v, w->a, &pairs);
    for (size_t i = 0; i < n; i++) {
        row_add(w, row,
                arena_fmt(w->a, STR_FMT "_" STR_FMT, STR_ARG(key), STR_ARG(pairs[2 * i]->text)),
                pairs[2 * i + 1]);
    }
}

static void visit_row(struct walk *w, const struct place *at, const struct javaser_value *row,
                      const struct javaser_value *const *index, size_t index_n)
{
    const struct javaser_value **pairs = NULL;
    size_t n = composite(row, w->a, &pairs);
    struct row props = { 0 };
    for (size_t i = 0; i < at->rows_n; i++) *vec_push(w->a, &props.properties) = at->rows[i];
    for (size_t k = 0; k < index_n; k++) {
        for (size_t i = 0; i < n; i++) {
            if (index[k]->kind == JAVASER_STRING && str_eq(pairs[2 * i]->text, index[k]->text)) {
                row_add_index(w, &props, pairs[2 * i]->text, pairs[2 * i + 1]);
            }
        }
    }
    struct place below = *at;
    below.rows = props.properties.v;
    below.rows_n = props.properties.n;
    const struct str *path = path_with(at, w->a);
    for (size_t i = 0; i < n; i++) {
        struct str key = pairs[2 * i]->text;
        if (is_index(index, index_n, key)) continue;
        bool own_name = str_ieq(key,
                                STR("value")); /* the column "value" speaks for the attribute */
        below.name = own_name ? at->name : key;
        below.path = own_name ? at->path : path;
        below.path_n = own_name ? at->path_n : at->path_n + 1;
        (void)visit(w, &below, pairs[2 * i + 1]);
    }
}

/* The names of the index columns: a list inside what makes it unmodifiable. */
static size_t index_names(const struct javaser_value *type, struct arena *a,
                          const struct javaser_value ***out)
{
    const struct javaser_value *list = javaser_object(type, "indexNames");
    for (int i = 0; i < 4; i++) {
        if (javaser_is(list, "java.util.ArrayList")) {
            return elements(list, "java.util.ArrayList", a, out);
        }
        const struct javaser_value *array = javaser_object(list, "a"); /* Arrays$ArrayList */
        if (array->kind == JAVASER_ARRAY) {
            *out = array->items;
            return array->n;
        }
        list = javaser_object(list, "list"); /* Collections$UnmodifiableList */
    }
    return 0;
}

static void visit_table(struct walk *w, const struct place *at, const struct javaser_value *v)
{
    const struct javaser_value **rows = NULL, **index = NULL;
    size_t index_n = index_names(javaser_object(v, "tabularType"), w->a, &index);
    size_t n = elements(javaser_object(v, "dataMap"), "java.util.HashMap", w->a, &rows);
    for (size_t i = 0; i + 1 < n; i += 2) {
        if (javaser_is(rows[i + 1], "javax.management.openmbean.CompositeDataSupport")) {
            visit_row(w, at, rows[i + 1], index, index_n);
        }
    }
}

static bool visit(struct walk *w, const struct place *at, const struct javaser_value *v)
{
    struct jmx_record r = {
        .attribute = at->name,
        .description = at->description,
        .path = at->path,
        .path_n = at->path_n,
        .rows = at->rows,
        .rows_n = at->rows_n,
    };
    if (v->kind == JAVASER_NULL) return true;
    if (scalar(v, w->a, &r)) {
        w->fn(w->ctx, &r);
        return true;
    }
    bool table = javaser_is(v, "javax.management.openmbean.TabularDataSupport");
    if (!table && !javaser_is(v, "javax.management.openmbean.CompositeDataSupport")) return false;
    if (w->depth >= NESTED_MAX) return true; /* data may refer to itself */
    w->depth++;
    if (table) {
        visit_table(w, at, v);
    } else {
        visit_composite(w, at, v);
    }
    w->depth--;
    return true;
}

bool jmx_each_record(const struct jmx_attribute *attribute, const struct javaser_value *v,
                     struct arena *a, jmx_record_fn *fn, void *ctx)
{
    struct walk w = { .attribute = attribute, .a = a, .fn = fn, .ctx = ctx };
    struct place at = { .name = attribute->name, .description = attribute->description };
    return visit(&w, &at, v);
}

void jmx_record_text(const struct jmx_record *r, struct buf *b)
{
    if (r->kind == JMX_TEXT) {
        buf_put(b, r->text);
    } else if (r->kind == JMX_BOOLEAN) {
        buf_putc(b, r->value != 0 ? "true" : "false");
    } else if (r->number == JMX_INTEGER) {
        num_write_i64(b, r->integer);
    } else if (r->number == JMX_BIG) {
        buf_put(b, r->text);
    } else if (r->number == JMX_FLOAT) {
        javanum_write_float(b, (float)r->value);
    } else {
        javanum_write_double(b, r->value);
    }
}
