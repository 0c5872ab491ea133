/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/*
 * First byte: the API, second: its version, then a body. Property: a body is refused and the input left alone, or it is
 * read, and what we write of it is read again and written as the same bytes. What is decoded stays in proportion.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2) return 0;
    const struct kafka_api *api = &KAFKA_APIS[data[0] % KAFKA_API_MAX_];
    int16_t version = (int16_t)(api->min + data[1] % (api->max - api->min + 1));
    bool flexible = version >= api->flexible_from;
    const struct kafka_fields *f = data[0] & 0x80 ? api->request : api->response;
    struct str in = str_make((const char *)data + 2, n - 2), before = in;

    ARENA(a, 64 * n + 4096);
    void *msg = arena_alloc(&a, f->size);
    enum err e = kafka_fields_read(f, version, flexible, &in, &a, msg);
    if (a.used > 256 * n + 65536) __builtin_trap();
    if (e != OK) {
        if (in.p != before.p || in.n != before.n) __builtin_trap();
        return 0;
    }
    BUF(once, 0);
    BUF(twice, 0);
    kafka_fields_write(f, version, flexible, msg, &once);
    struct str again = buf_str(&once);
    ARENA(b, 0);
    if (kafka_fields_read(f, version, flexible, &again, &b, msg) != OK || again.n) __builtin_trap();
    kafka_fields_write(f, version, flexible, msg, &twice);
    if (!str_eq(buf_str(&once), buf_str(&twice))) __builtin_trap();

    struct str frame;
    (void)kafka_frame_peek(before, 1 << 20, &frame);
    (void)kafka_frame_stranger(before);
    return 0;
}
