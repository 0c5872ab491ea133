/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The text after the first newline is the subject. */
static void run(struct str pattern, struct str subject, enum regex_kind kind)
{
    ARENA(a, 0);
    struct regex *re;
    struct diag d = { 0 };
    if (regex_compile(pattern, kind, &re, &d) != OK) {
        if (!d.text[0]) __builtin_trap();
        return;
    }
    struct regex_groups g;
    struct regex_shape shape;
    bool match = regex_match(re, subject);
    regex_shape(re, &shape);
    if (match && !str_starts(subject, shape.prefix)) __builtin_trap();
    /* a find may give up where the DFA goes on, but must not see what a match does not */
    if (regex_find(re, subject, 0, &a, &g)) {
        if (!match || g.n != regex_group_count(re) + 1) __builtin_trap();
        for (size_t i = 0; i < g.n; i++) {
            if (g.v[i].p && subject.n &&
                (g.v[i].p < subject.p || g.v[i].p + g.v[i].n > subject.p + subject.n)) {
                __builtin_trap();
            }
        }
    }
    BUF(out, 1 << 20);
    regex_replace_all(re, subject, STR("[$1]"), &out);
    regex_free(re);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str pattern, subject;
    if (n > 256) return 0;
    (void)str_cut(str_make((const char *)data, n), '\n', &pattern, &subject);
    run(pattern, subject, REGEX_RE2);
    run(pattern, subject, REGEX_RE2_PART);
    run(pattern, subject, REGEX_JAVA);
    return 0;
}
