/* SPDX-License-Identifier: Apache-2.0 */
/* Templates of any bytes: a text that parses runs within its limits, and runs the same way twice. */
#include "base/assert.h"
#include "codec/gotmpl.h"

static struct tmpl_value sample(struct arena *a)
{
    struct tmpl_builder labels = { .a = a }, list = { .a = a }, top = { .a = a };
    tmpl_set_key(&labels, STR("a"), tmpl_str(STR("x y")));
    tmpl_set_key(&labels, STR("b"), tmpl_str(STR("<&'\"?")));
    struct tmpl_value map = tmpl_map_done(&labels, &tmpl_type_string_map);
    for (int i = 0; i < 3; i++) tmpl_add(&list, i == 1 ? map : tmpl_int(i));
    tmpl_set_key(&top, STR("L"), map);
    tmpl_set_key(&top, STR("S"), tmpl_list_done(&list, NULL));
    tmpl_set_key(&top, STR("T"), tmpl_time_ms(a, 1700000000123));
    tmpl_set_key(&top, STR("F"), tmpl_float(-1.5));
    return tmpl_map_done(&top, NULL);
}

static enum err run(const struct tmpl_set *set, enum tmpl_mode mode, struct arena *a,
                    struct buf *out)
{
    struct tmpl_exec x = { .mode = mode, .arena = a, .output_max = 1 << 16, .steps_max = 2000 };
    enum err e = tmpl_execute(set, STR("f"), sample(a), &x, out, NULL);
    ASSERT(e == OK || x.error.n > 0);
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct tmpl_func *const tables[] = { tmpl_funcs_shared };
    ARENA(a, (size_t)64 << 20);
    BUF(first, 0);
    BUF(second, 0);
    struct diag d = { 0 };
    if (!size || size > 4096) return 0;
    struct tmpl_set *set = tmpl_set_new(&a, tables, ARRAY_LEN(tables));
    if (tmpl_parse(set, STR("f"), str_make((const char *)data + 1, size - 1), &d) != OK) {
        ASSERT(d.text[0] && !tmpl_has(set, STR("f")));
        return 0;
    }
    enum tmpl_mode mode = data[0] & 1 ? TMPL_HTML : TMPL_TEXT;
    enum err e = run(set, mode, &a, &first);
    ASSERT(e == run(set, mode, &a, &second));
    ASSERT(str_eq(buf_str(&first), buf_str(&second)));
    return 0;
}
