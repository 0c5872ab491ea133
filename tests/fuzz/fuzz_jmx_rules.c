/* SPDX-License-Identifier: Apache-2.0 */
#include "jmx/page.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct str applied(const struct jmx_config *c, const struct jmx_subject *s, int64_t value,
                          bool *fixed, struct arena *a)
{
    struct jmx_record r = { .attribute = STR("Count"), .integer = value, .value = (double)value };
    struct jmx_outcome *o = jmx_rules_apply(c, s, &r, a);
    struct str all = arena_fmt(a, "%d " STR_FMT " " STR_FMT " " STR_FMT " %a", o->drop,
                               STR_ARG(o->name), STR_ARG(o->labels), STR_ARG(o->help),
                               o->has_value ? o->value : 0);
    *fixed = o->fixed;
    jmx_outcome_free(o);
    return all;
}

/*
 * A configuration, a NUL, the name of a bean. Property: what is kept as independent of the value is the same for every value,
 * and a bean that no rule may match gets no sample.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const int64_t VALUES[] = { 0, 17, -1234567890123, 90210 };
    ARENA(a, 16 << 20);
    struct str yaml, name, all = str_make((const char *)data, n < 4096 ? n : 4096);
    struct jmx_config *c;
    struct objectname bean;
    if (!str_cut(all, '\0', &yaml, &name) || jmx_config_parse(yaml, &c, NULL) != OK) return 0;
    if (objectname_parse(name, &a, &bean, NULL) == OK) {
        struct jmx_subject s = { .domain = bean.domain,
                                 .properties = bean.properties,
                                 .n = bean.n };
        bool fixed, again;
        struct str first = applied(c, &s, VALUES[0], &fixed, &a);
        if (!jmx_rules_may_match(c, &s) && first.p[0] != '1') __builtin_trap();
        for (size_t i = 1; fixed && i < ARRAY_LEN(VALUES); i++) {
            if (!str_eq(applied(c, &s, VALUES[i], &again, &a), first)) __builtin_trap();
        }
    }
    jmx_config_unref(c);
    return 0;
}
