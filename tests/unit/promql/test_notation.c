/* SPDX-License-Identifier: Apache-2.0 */
/* Series as unit test files write them. */
#include "promql/notation.h"

#include "codec/num.h"
#include "model/sample.h"
#include "test.h"

struct row {
    const char *in, *out; /* out: "1 _ stale", or the error behind '!' */
};

static const struct row ROWS[] = {
    { "", "" },
    { "1 2.5 -3", "1 2.5 -3" },
    { "1x2", "1 1 1" },
    { "0x2", "0 0 0" },
    { "1+2x2", "1 3 5" },
    { "5-2x2 0", "5 3 1 0" },
    { "-1+0x1", "-1 -1" },
    { "1e1+1e1x1", "10 20" },
    { "_ _x2 1", "_ _ _ 1" },
    { "1 stale 2", "1 stale 2" },
    { "NaN Inf -Inf +Inf", "NaN +Inf -Inf +Inf" },
    { "  1\n 2\t3 ", "1 2 3" },
    { "1+2", "!unexpected \"1+2\"" },
    { "a", "!unexpected \"a\"" },
    { "1x", "!unexpected \"1x\"" },
    { "_3", "!unexpected \"_3\"" },
    { "{{schema:0}}", "!native histograms" },
    { "1x999999999999", "!more than" },
};

static void values(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        ARENA(a, 0);
        BUF(b, 0);
        struct notated *v = NULL;
        struct diag d = { 0 };
        size_t n = 0;
        if (notation_values(&a, str_c(ROWS[i].in), &v, &n, &d) != OK) {
            if (ROWS[i].out[0] != '!' || !strstr(d.text, ROWS[i].out + 1)) {
                fail_msg("%s: %s", ROWS[i].in, d.text);
            }
            continue;
        }
        for (size_t k = 0; k < n; k++) {
            if (k) buf_char(&b, ' ');
            if (v[k].gap) {
                buf_char(&b, '_');
            } else if (is_stale_nan(v[k].v)) {
                buf_putc(&b, "stale");
            } else {
                num_write_g(&b, v[k].v);
            }
        }
        if (!str_eqc(buf_str(&b), ROWS[i].out)) {
            fail_msg("%s: " STR_FMT, ROWS[i].in, STR_ARG(buf_str(&b)));
        }
    }
}

static void metrics(void **state)
{
    (void)state;
    ARENA(a, 0);
    BUF(b, 0);
    struct labels lb;
    struct diag d = { 0 };
    assert_int_equal(notation_metric(&a, STR(" up{job=\"a\", b='c'} "), &lb, &d), OK);
    labels_write(&b, lb);
    assert_true(str_eqc(buf_str(&b), "up{b=\"c\", job=\"a\"}"));
    assert_int_equal(notation_metric(&a, STR("{}"), &lb, &d), OK);
    assert_int_equal(lb.n, 0);
    assert_int_equal(notation_metric(&a, STR("up{a=~\"b\"}"), &lb, &d), ERR_SYNTAX);
    assert_int_equal(notation_metric(&a, STR("up{a=\"b\""), &lb, &d), ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(values), cmocka_unit_test(metrics) };
    return cmocka_run_group_tests_name("notation", tests, NULL, NULL);
}
