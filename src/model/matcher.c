/* SPDX-License-Identifier: Apache-2.0 */
#include "model/matcher.h"

enum err matcher_init(struct matcher *m, enum match_op op, struct str name, struct str value,
                      struct diag *d)
{
    struct regex *re = NULL;
    if (op == MATCH_RE || op == MATCH_NRE) TRY(regex_compile(value, REGEX_RE2, &re, d));
    *m = (struct matcher){ op, name, value, re };
    return OK;
}

void matcher_done(struct matcher *m)
{
    regex_free(m->re);
    m->re = NULL;
}

bool matcher_match(const struct matcher *m, struct str value)
{
    switch (m->op) {
    case MATCH_EQ: return str_eq(value, m->value);
    case MATCH_NE: return !str_eq(value, m->value);
    case MATCH_RE: return regex_match(m->re, value);
    case MATCH_NRE: return !regex_match(m->re, value);
    }
    return false;
}

bool matchers_match(const struct matcher *m, size_t n, struct labels lb)
{
    for (size_t i = 0; i < n; i++) {
        if (!matcher_match(&m[i], labels_get(lb, m[i].name))) return false;
    }
    return true;
}

const char *match_op_text(enum match_op op)
{
    static const char *const TEXT[] = { "=", "!=", "=~", "!~" };
    return TEXT[op];
}
