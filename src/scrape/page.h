/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page.h - one page being read: pieces in, staged samples out
 *
 * Shape:   a line that the cache predicts costs a hash at a known length and its number; others go through the reader.
 *          Samples are staged by cache entry; a series without a reference in the store has its labels in `fresh`.
 * Limits:  an entry of a page may be 1 MiB long; samples and labels as the job says.
 * Threads: one at a time.
 * Owns:    buffers that stay from page to page.
 */
#ifndef SCRAPE_PAGE_H
#define SCRAPE_PAGE_H

#include "base/buf.h"
#include "codec/expo_proto.h"
#include "scrape/cache.h"
#include "scrape/meta.h"
#include "scrape/series.h"

struct staged {
    double value;
    int64_t t; /* ms; PAGE_NO_TIME: that of the scrape */
    uint32_t entry;
};
#define PAGE_NO_TIME INT64_MIN

struct fresh_series {
    uint32_t entry;
    struct labels lb;
};

/* Which limit ended the page; counted apart. */
enum page_limit { LIMIT_NONE, LIMIT_SAMPLES, LIMIT_LABELS };

struct page {
    const struct scrape_config *config;
    struct labels target;
    struct cache *cache;
    struct meta_table *meta;

    struct expo_reader reader;
    struct expo_proto proto; /* of pages in protocol buffers, in the reader's place */
    struct buf pending;
    struct staged *staged;
    size_t staged_n, staged_cap;
    struct fresh_series *fresh;
    size_t fresh_n, fresh_cap;
    struct arena labels;  /* of fresh, until the transaction has ended */
    struct arena scratch; /* of one series */

    size_t bytes, total, kept, duplicates; /* series on the page; after relabelling */
    enum page_limit limit;
    enum err err; /* OK so far; else d says why, and the rest is not read */
    struct diag d;
    bool ended;
};

void page_done(struct page *p); /* zeroed is fine */
void page_begin(struct page *p, const struct scrape_config *c, struct labels target,
                struct cache *cache, struct meta_table *meta, enum expo_format format);

/* False: the page has failed; the rest need not come. */
bool page_feed(struct page *p, struct str slice);

/* The page is complete. The result is p->err, too. */
enum err page_end(struct page *p);

#endif
