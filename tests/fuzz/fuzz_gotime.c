/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/gotime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

typedef enum err (*read_fn)(struct str, int64_t *, struct diag *);
typedef void (*write_fn)(struct buf *, int64_t);

static void back(struct str in, read_fn read, write_fn write)
{
    int64_t v = 0, again = 0;
    struct diag d;
    if (read(in, &v, &d) != OK) return;
    BUF(b, 0);
    write(&b, v);
    /* sizes are written with several units, which the reader does not take */
    if (write != size_write && (read(buf_str(&b), &again, &d) != OK || again != v)) {
        __builtin_trap();
    }
}

static enum err read_time(struct str s, int64_t *ms, struct diag *d)
{
    (void)d;
    return rfc3339_parse(s, ms);
}

/* Property: durations and times that were read are written so that they read back to the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str in = str_make((const char *)data, n);
    int64_t ms = 0;
    back(in, duration_parse_signed, duration_write);
    back(in, go_duration_parse, go_duration_write);
    back(in, size_parse, size_write);
    if (rfc3339_parse(in, &ms) == OK && ms >= -62167219200000) back(in, read_time, rfc3339_write);
    (void)api_time_parse(in, &ms);
    BUF(b, 1 << 20);
    go_time_format(&b, 1353755652000, in);
    return 0;
}
