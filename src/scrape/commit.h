/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commit.h - a scrape's transaction: its samples, the staleness of what is gone, the series about the scrape itself
 *
 * Shape:   commit_run() is everything between opening an appender and its end. It uses a page, a cache and the store
 *          and nothing else, so it runs on a worker while their owner waits.
 * Errors:  samples that the store refuses alone (out of order, duplicate, out of bounds) are counted; the rest stays.
 *          A page that failed, here or before, counts as empty: what was live goes stale, up is 0.
 * Source:  scrape/scrape.go scrapeAndReport, append, report.
 */
#ifndef SCRAPE_COMMIT_H
#define SCRAPE_COMMIT_H

#include "model/storage.h"
#include "scrape/page.h"

enum report {
    REPORT_UP,
    REPORT_DURATION,
    REPORT_SAMPLES,
    REPORT_POST_RELABEL,
    REPORT_ADDED,
    REPORT_TIMEOUT, /* this and what follows: with extra_scrape_metrics */
    REPORT_SAMPLE_LIMIT,
    REPORT_BODY_SIZE,
    REPORT_MAX_,
};

/* References of the report series, kept by the scraper; 0: not asked for yet. */
struct report_refs {
    uint64_t v[REPORT_MAX_];
};

struct commit {
    struct appendable *store;
    const struct scrape_config *config;
    struct labels target;
    struct page *page; /* NULL: nothing was read */
    struct cache *cache;
    struct report_refs *refs;
    int64_t t; /* ms, of the scrape */
    double duration_s, timeout_s;
    bool
        good; /* the page was read to its end; commit_run() clears it when the store refuses a series */
    bool end_of_life; /* the target is gone: only staleness, of the reports too */

    /* Results */
    struct append_result appended;
    size_t future; /* samples too far ahead of the scrape */
    size_t added;  /* series that the store had not known by this cache */
    bool failed;   /* the transaction did not end well: nothing of it is stored */
    struct diag d; /* why good was cleared, or failed */
};

void commit_run(struct commit *c);

#endif
