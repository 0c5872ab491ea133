/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/alert.h"

#include "base/hash.h"

#include <stdlib.h>

static size_t text_size(struct labels lb)
{
    size_t n = 0;
    for (size_t i = 0; i < lb.n; i++) n += lb.v[i].name.n + lb.v[i].value.n;
    return n;
}

static struct str put(char **at, struct str s)
{
    char *p = *at;
    if (s.n) memcpy(p, s.p, s.n);
    *at += s.n;
    return str_make(p, s.n);
}

static struct labels put_labels(struct label **v, char **at, struct labels lb)
{
    struct label *first = *v;
    for (size_t i = 0; i < lb.n; i++) {
        struct str name = put(at, lb.v[i].name);
        *(*v)++ = (struct label){ name, put(at, lb.v[i].value) };
    }
    return (struct labels){ first, lb.n };
}

struct alert *alert_make(const struct alert *from)
{
    size_t labels_n = from->labels.n + from->annotations.n;
    size_t size = sizeof(struct alert) + labels_n * sizeof(struct label) + text_size(from->labels) +
                  text_size(from->annotations) + from->generator_url.n;
    struct alert *a = malloc(size);
    if (!a) abort();
    struct label *v = (struct label *)(void *)(a + 1);
    char *at = (char *)(v + labels_n);
    a->labels = put_labels(&v, &at, from->labels);
    a->annotations = put_labels(&v, &at, from->annotations);
    a->generator_url = put(&at, from->generator_url);
    a->fingerprint = labels_fingerprint(a->labels);
    a->starts_at = from->starts_at;
    a->ends_at = from->ends_at;
    a->updated_at = from->updated_at;
    a->timeout = from->timeout;
    atomic_init(&a->refs, 1);
    return a;
}

struct alert *alert_ref(struct alert *a)
{
    a->refs++;
    return a;
}

void alert_unref(struct alert *a)
{
    if (a && --a->refs == 0) free(a);
}

struct alert *alert_merge(const struct alert *older, const struct alert *younger, int64_t now)
{
    struct alert *m = alert_make(younger);
    if (older->starts_at < m->starts_at) m->starts_at = older->starts_at;
    if (alert_resolved(younger, now)) {
        if (alert_resolved(older, now) && older->ends_at > m->ends_at) m->ends_at = older->ends_at;
    } else if (older->ends_at > m->ends_at && !older->timeout) {
        m->ends_at = older->ends_at;
    }
    return m;
}

uint64_t alert_log_hash(struct labels lb)
{
    BUF(b, 0);
    for (size_t i = 0; i < lb.n; i++) {
        buf_put(&b, lb.v[i].name);
        buf_char(&b, (char)0xff);
        buf_put(&b, lb.v[i].value);
        buf_char(&b, (char)0xff);
    }
    return hash_xxh64(buf_str(&b));
}
