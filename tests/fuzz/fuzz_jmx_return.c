/* SPDX-License-Identifier: Apache-2.0 */
#include "jmx/jrmp.h"
#include "jmx/mbean.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void count(void *ctx, const struct jmx_record *r)
{
    BUF(b, 1 << 20);
    jmx_record_text(r, &b);
    *(size_t *)ctx += b.n;
}

/* Everything that is ever done with a reply; none of it may trust it. */
static void use(const struct javaser_value *v, struct arena *a)
{
    struct jrmp_stub stub;
    struct jmx_found *found;
    struct jmx_info info;
    struct jmx_value *values;
    size_t n, sum = 0;
    BUF(b, 1 << 20);
    jrmp_exception_text(v, &b);
    (void)jrmp_read_stub(v, a, &stub, NULL);
    (void)jmx_read_query(v, a, &found, &n, NULL);
    (void)jmx_read_info(v, a, &info, NULL);
    if (jmx_read_attributes(v, a, &values, &n, NULL) != OK) return;
    for (size_t i = 0; i < n; i++) {
        struct jmx_attribute attribute = { .name = values[i].name };
        (void)jmx_each_record(&attribute, values[i].value, a, count, &sum);
    }
}

/* Property: a failure leaves the input alone; a return read whole is read alike without the bytes behind it, and not at all without its last. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    ARENA(a, 16 << 20);
    struct jrmp_return r;
    struct str in = str_make((const char *)data, n), before = in;
    if (jrmp_read_return(&in, &a, &r, NULL) != OK) {
        if (in.p != before.p || in.n != before.n) __builtin_trap();
        return 0;
    }
    use(r.value, &a);
    ARENA(b, 16 << 20);
    struct str exact = str_first(before, before.n - in.n);
    struct str cut = str_first(exact, exact.n - 1);
    if (jrmp_read_return(&cut, &b, &r, NULL) != ERR_SHORT) __builtin_trap();
    if (jrmp_read_return(&exact, &b, &r, NULL) != OK || exact.n) __builtin_trap();
    return 0;
}
