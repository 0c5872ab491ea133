/* SPDX-License-Identifier: Apache-2.0 */
#include "model/labels.h"
#include "model/sample.h"
#include "test.h"

#define L(name, value)                                                                             \
    {                                                                                              \
        { name, sizeof(name) - 1 }, { value, sizeof(value) - 1 }                                   \
    }

static void shows(struct labels lb, const char *text)
{
    BUF(b, 0);
    labels_write(&b, lb);
    buf_char(&b, 0);
    assert_string_equal(b.p, text);
}

static void from_sorts_and_drops(void **state)
{
    (void)state;
    struct label v[] = { L("b", "1"), L("__name__", "up"), L("a", ""), L("b", "2"),
                         L("c", "x\"y") };
    struct labels lb = labels_from(v, ARRAY_LEN(v));
    shows(lb, "up{b=\"2\", c=\"x\\\"y\"}");
    assert_null(labels_get(lb, STR("a")).p);
}

static void many_labels_sort_alike(void **state)
{
    (void)state;
    ARENA(a, 0);
    enum { N = 300 };
    struct label *v = arena_array(&a, N, sizeof(*v));
    for (unsigned i = 0; i < N; i++) {
        v[i] = (struct label){ arena_fmt(&a, "l%03u", i * 7 % 150), arena_fmt(&a, "%u", i) };
    }
    struct labels lb = labels_from(v, N);
    assert_int_equal(lb.n, 150);
    assert_true(str_eq(lb.v[0].value, STR("150"))); /* the last l000 wins */
    for (size_t i = 1; i < lb.n; i++) assert_true(str_cmp(lb.v[i - 1].name, lb.v[i].name) < 0);
}

static void odd_names_are_quoted(void **state)
{
    (void)state;
    struct label v[] = { L("__name__", "a.b"), L("le gume", "1") };
    shows(labels_from(v, 2), "{\"a.b\", \"le gume\"=\"1\"}");
    shows((struct labels){ NULL, 0 }, "{}");
    struct label up[] = { L("__name__", "up") };
    shows(labels_from(up, 1), "up");
}

static void builder_changes_a_base(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct label v[] = { L("a", "1"), L("b", "2") };
    struct labels_builder b;
    labels_builder_init(&b, &a, labels_from(v, 2));
    labels_set(&b, STR("c"), STR("3"));
    labels_set(&b, STR("a"), STR(""));
    labels_set(&b, STR("b"), STR("4"));
    for (unsigned i = 0; i < 20; i++) labels_set(&b, arena_fmt(&a, "z%02u", i), STR("v"));
    labels_del(&b, STR("c"));
    struct labels lb = labels_build(&b);
    assert_int_equal(lb.n, 21);
    assert_true(str_eq(labels_get(lb, STR("b")), STR("4")));
    assert_true(str_eq(v[1].value, STR("2")));
}

static void order_and_identity(void **state)
{
    (void)state;
    struct label x[] = { L("a", "1") }, y[] = { L("a", "1"), L("b", "0") }, z[] = { L("a", "2") };
    struct labels lx = { x, 1 }, ly = { y, 2 }, lz = { z, 1 };
    assert_true(labels_cmp(lx, ly) < 0);
    assert_true(labels_cmp(ly, lz) < 0);
    assert_true(labels_cmp(lz, lz) == 0);
    assert_true(labels_eq(lx, lx));
    assert_false(labels_eq(lx, lz));
    assert_true(labels_hash(lx) != labels_hash(lz));
}

/* Alertmanager shows these for the same sets. */
static void fingerprints_are_the_originals(void **state)
{
    (void)state;
    assert_true(labels_fingerprint((struct labels){ NULL, 0 }) == UINT64_C(0xcbf29ce484222325));
}

static void keep_and_without(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct label v[] = { L("__name__", "m"), L("a", "1"), L("b", "2") };
    struct labels lb = labels_from(v, 3);
    struct str names[] = { STR("a") };
    shows(labels_keep(&a, lb, names, 1), "{a=\"1\"}");
    shows(labels_without(&a, lb, names, 1), "{b=\"2\"}");
}

static void names(void **state)
{
    (void)state;
    assert_true(label_name_valid_legacy(STR("_a1")));
    assert_false(label_name_valid_legacy(STR("1a")));
    assert_false(label_name_valid_legacy(STR("a:b")));
    assert_true(metric_name_valid_legacy(STR(":a")));
    assert_false(metric_name_valid_legacy(STR("")));
}

static void columns_grow(void **state)
{
    (void)state;
    struct column c = { 0 };
    for (int i = 0; i < 1000; i++) column_push(&c, i, i * 0.5);
    assert_int_equal(c.n, 1000);
    assert_int_equal(c.t[999], 999);
    column_done(&c);
    assert_true(is_stale_nan(stale_nan()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_sorts_and_drops), cmocka_unit_test(many_labels_sort_alike),
        cmocka_unit_test(odd_names_are_quoted), cmocka_unit_test(builder_changes_a_base),
        cmocka_unit_test(order_and_identity),   cmocka_unit_test(fingerprints_are_the_originals),
        cmocka_unit_test(keep_and_without),     cmocka_unit_test(names),
        cmocka_unit_test(columns_grow),
    };
    return cmocka_run_group_tests_name("labels", tests, NULL, NULL);
}
