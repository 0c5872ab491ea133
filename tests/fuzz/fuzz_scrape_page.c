/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "base/bits.h"
#include "scrape/page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct reading {
    struct page page;
    struct cache cache;
    struct meta_table meta;
};

static void read_page(struct reading *r, struct str body, size_t step)
{
    static const struct scrape_config CONFIG = { .honor_timestamps = true };
    static const struct label TARGET[] = { { { "job", 3 }, { "j", 1 } } };
    page_begin(&r->page, &CONFIG, (struct labels){ TARGET, 1 }, &r->cache, &r->meta, EXPO_TEXT);
    for (size_t at = 0; at < body.n; at += step) {
        if (!page_feed(&r->page, str_first(str_from(body, at), step))) break;
    }
    enum err e = page_end(&r->page);
    for (size_t i = 0; i < r->page.fresh_n; i++) {
        r->cache.v[r->page.fresh[i].entry].ref = r->page.fresh[i].entry + 1;
    }
    cache_end(&r->cache, e == OK);
}

static void reading_done(struct reading *r)
{
    page_done(&r->page);
    cache_done(&r->cache);
    meta_done(&r->meta);
}

/* The same text of a series is the same entry, whose hash says which. */
static void same(const struct reading *a, const struct reading *b)
{
    const struct page *x = &a->page, *y = &b->page;
    ASSERT(x->err == y->err && x->total == y->total && x->kept == y->kept);
    ASSERT(x->duplicates == y->duplicates && x->staged_n == y->staged_n);
    for (size_t i = 0; i < x->staged_n; i++) {
        const struct staged *s = &x->staged[i], *t = &y->staged[i];
        ASSERT(bits_of_double(s->value) == bits_of_double(t->value) && s->t == t->t);
        ASSERT(a->cache.v[s->entry].hash == b->cache.v[t->entry].hash);
    }
}

/* Property: whatever page came before, and in whatever pieces, a page reads as it does for the first time. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2 || n > 4096) return 0;
    size_t step = data[0] + 1U, first = (n - 2) * data[1] / 256;
    struct str before = str_make((const char *)data + 2, first);
    struct str after = str_make((const char *)data + 2 + first, n - 2 - first);
    struct reading warm = { 0 }, cold = { 0 };
    read_page(&warm, before, step);
    read_page(&warm, after, 4096);
    read_page(&warm, before, 4096);
    read_page(&warm, after, step);
    read_page(&cold, after, 4096);
    same(&warm, &cold);
    reading_done(&warm);
    reading_done(&cold);
    return 0;
}
