/* SPDX-License-Identifier: Apache-2.0 */
#include "promql/promql.h"

#include "../promql_store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct store store;

static void add(const char *metric, const char *label, const char *value, double first, double step)
{
    struct label lb[3] = { { METRIC_NAME, str_c(metric) },
                           { STR("job"), STR("j") },
                           { str_c(label), str_c(value) } };
    struct store_series *s = store_series(&store, labels_from(lb, 3));
    for (int i = 0; i < 20; i++) column_push(&s->c, i * 15000, first + step * (i % 7));
    column_push(&s->c, 20 * 15000, stale_nan());
}

static void fill(void)
{
    store_init(&store);
    add("a", "x", "1", 0, 1);
    add("a", "x", "2", 5, -1);
    add("b", "x", "1", 1e300, 1e308);
    add("b", "y", "2", -0.0, 0);
    add("h_bucket", "le", "0.1", 1, 1);
    add("h_bucket", "le", "+Inf", 2, 3);
    add("target_info", "instance", "i", 1, 0);
}

static bool same_number(double a, double b)
{
    return bits_of_double(a) == bits_of_double(b) || (a != a && b != b);
}

/* A range query's value at a time is the instant query's at that time. */
static void compare(const struct value *range, const struct value *instant, int64_t t)
{
    size_t found = 0;
    for (size_t i = 0; i < range->matrix.n; i++) {
        const struct matrix_series *m = &range->matrix.v[i];
        for (size_t k = 0; k < m->n; k++) {
            if (m->t[k] != t) continue;
            found++;
            bool same = false;
            for (size_t j = 0; j < instant->vector.n; j++) {
                const struct vector_sample *s = &instant->vector.v[j];
                same |= labels_eq(s->lb, m->lb) && same_number(s->v, m->v[k]);
            }
            if (!same) __builtin_trap();
        }
    }
    if (found != instant->vector.n) __builtin_trap();
}

/* start(), end(), step() and range() depend on the whole query, limitk and sorting on nothing that is fixed. */
static bool comparable(struct str text)
{
    static const char *const WORDS[] = { "start", "end", "step", "range" };
    char lower[256];
    if (text.n >= sizeof(lower)) return false;
    for (size_t i = 0; i < text.n; i++) lower[i] = (char)(text.p[i] | 0x20);
    struct str s = str_make(lower, text.n);
    for (size_t i = 0; i < ARRAY_LEN(WORDS); i++) {
        if (str_find(s, str_c(WORDS[i])) != STR_NONE) return false;
    }
    return true;
}

static void run(struct evaluator *ev, const struct expr *e, struct str text)
{
    ARENA(a, 16 << 20);
    struct eval_range range = { 0, 300000, 60000 }, at = { 120000, 120000, 0 };
    struct value whole, one;
    struct diag d = { 0 };
    enum err first = ev->ops->eval(ev, e, &range, &a, NULL, &whole, &d);
    if (first != OK && !d.text[0]) __builtin_trap();
    enum err second = ev->ops->eval(ev, e, &at, &a, NULL, &one, &d);
    bool both = first == OK && second == OK && promql_kind(e) == VALUE_VECTOR;
    if (both && comparable(text)) compare(&whole, &one, 120000);
}

/* Property: evaluation ends with a value or an error that says why, within its limits; instant and range agree. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct promql_options o = { .max_samples = 20000, .features = UINT32_MAX };
    struct expr *e = NULL;
    struct diag d;
    struct str text = str_make((const char *)data, n);
    if (n > 512) return 0;
    if (!store.v.n) fill();
    struct evaluator *ev = promql_new(&store.qa, &o);
    if (ev->ops->compile(ev, text, &e, &d) == OK) {
        run(ev, e, text);
        ev->ops->release(ev, e);
    }
    promql_free(ev);
    return 0;
}
