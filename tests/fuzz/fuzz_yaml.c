/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Every node has a place in the text and the tree is no deeper than promised. */
static void walk(const struct yaml_node *v, unsigned depth)
{
    if (depth > 101 || v->line < 1 || v->col < 1) __builtin_trap();
    if (v->kind == YAML_SCALAR) return;
    for (size_t i = 0; i < (v->kind == YAML_MAP ? 2 * v->n : v->n); i++) {
        walk(v->items[i], depth + 1);
    }
}

/* Properties: what strict takes, lenient takes; a failure has a text and leaves the output alone. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n > 4096) return 0;
    ARENA(a, 0);
    struct str in = str_make((const char *)data, n);
    struct yaml_node untouched, *v = &untouched;
    struct diag d = { 0 };
    enum err strict = yaml_parse(&a, in, YAML_V3, &v, NULL, &d);
    if (strict == OK && v) walk(v, 0);
    if (strict != OK && (v != &untouched || !d.text[0])) __builtin_trap();
    struct yaml_warning *w = NULL;
    enum err lenient = yaml_parse(&a, in, YAML_LENIENT, &v, &w, NULL);
    if (strict == OK && lenient != OK) __builtin_trap();
    if (lenient == OK && v) walk(v, 0);
    return 0;
}
