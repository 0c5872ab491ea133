/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bits.h"
#include "codec/num.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void back(void (*write)(struct buf *, double), double v)
{
    BUF(b, 0);
    double again = 0;
    write(&b, v);
    if (num_parse_f64(buf_str(&b), &again) != OK) __builtin_trap();
    if (!isnan(v) && bits_of_double(again) != bits_of_double(v)) __builtin_trap();
}

/* Property: what was read is written in every form so that it reads back to the same bits. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str in = str_make((const char *)data, n);
    double v = 0;
    int64_t i = 0;
    if (num_parse_f64(in, &v) == OK) {
        back(num_write_f, v);
        back(num_write_g, v);
        back(num_write_e, v);
        back(num_write_json, v);
    }
    if (num_parse_i64(in, &i) == OK) {
        BUF(b, 0);
        int64_t again = 0;
        num_write_i64(&b, i);
        if (num_parse_i64(buf_str(&b), &again) != OK || again != i) __builtin_trap();
    }
    return 0;
}
