/* SPDX-License-Identifier: Apache-2.0 */
/* Records of silences and the notification log: what is read is written so that it reads the same. */
#include "alert/records.h"
#include "base/assert.h"

static void silence_round(struct str message)
{
    struct silence *s, *t;
    BUF(b, 0);
    BUF(c, 0);
    if (silence_read(message, &s) != OK) return;
    silence_write(&b, s);
    struct str in = buf_str(&b), again;
    ASSERT(record_next(&in, &again) == OK && in.n == 0);
    ASSERT(silence_read(again, &t) == OK);
    ASSERT(str_eq(s->id, t->id) && s->ends_at == t->ends_at && s->sets_n == t->sets_n);
    silence_write(&c, t);
    ASSERT(str_eq(buf_str(&b), buf_str(&c)));
    silence_free(s);
    silence_free(t);
}

static void entry_round(struct str message)
{
    struct log_entry *e, *f;
    BUF(b, 0);
    if (log_entry_read(message, &e) != OK) return;
    log_entry_write(&b, e);
    struct str in = buf_str(&b), again;
    ASSERT(record_next(&in, &again) == OK && in.n == 0);
    ASSERT(log_entry_read(again, &f) == OK);
    ASSERT(str_eq(e->key, f->key) && e->firing_n == f->firing_n && e->resolved_n == f->resolved_n);
    log_entry_free(e);
    log_entry_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_make((const char *)data, size), message;
    while (in.n) {
        struct str before = in;
        if (record_next(&in, &message) != OK) {
            ASSERT(in.p == before.p && in.n == before.n);
            break;
        }
        silence_round(message);
        entry_round(message);
    }
    return 0;
}
