/* SPDX-License-Identifier: Apache-2.0 */
#include "promql/parse.h"
#include "promql/print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool parse_and_print(struct arena *a, struct str text, struct str *out)
{
    struct parse p;
    struct node *root = NULL;
    struct diag d = { 0 };
    enum err e = parse_expression(&p, a, text, UINT32_MAX, &root, &d);
    if (e == OK) {
        BUF(b, 0);
        BUF(other, 0);
        print_node(&b, root);
        print_json(&other, root);
        if (text.n < 2000) print_pretty(&other, root, 20);
        *out = arena_dup(a, buf_str(&b));
    } else if (!d.text[0] || !p.notes.n) {
        __builtin_trap(); /* a refusal says why */
    }
    parse_done(&p);
    return e == OK;
}

/* Property: what parses is printed to something that parses and prints the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    ARENA(a, 0);
    struct str once, twice;
    if (n > 4096) return 0;
    if (!parse_and_print(&a, str_make((const char *)data, n), &once)) return 0;
    if (!parse_and_print(&a, once, &twice) || !str_eq(once, twice)) __builtin_trap();
    return 0;
}
