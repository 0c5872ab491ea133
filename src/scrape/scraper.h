/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scraper.h - one target's life: due, fetching, committing, idle; and its slow end
 *
 * Shape:   the manager owns scrapers and calls them when they are due; a scraper knows its manager only by the fields
 *          of struct scrape_shared.
 * Threads: the collect loop; fields under `lock` are copied by the API.
 */
#ifndef SCRAPE_SCRAPER_H
#define SCRAPE_SCRAPER_H

#include "scrape/commit.h"
#include "scrape/scrape.h"
#include "scrape/target.h"

#include <pthread.h>

/* What all scrapers of a manager share. */
struct scrape_shared {
    struct scrape_options o;
    pthread_mutex_t lock; /* status and metadata of scrapers, the manager's lists, stats */
    struct scrape_stats stats;
};

enum scraper_state { SCRAPER_IDLE, SCRAPER_FETCHING, SCRAPER_COMMITTING };

#define SCRAPER_MAGIC 0x5c2a9e01U

struct scraper {
    uint32_t magic;
    struct scrape_shared *shared;
    struct prom_config *holder; /* keeps config and regular expressions */
    const struct scrape_config *config;
    struct arena arena; /* target, request */
    struct prom_config
        *old_holder;        /* a reload came while a scrape was under way, which still uses */
    struct arena old_arena; /* these; NULL when none */
    struct target target;
    struct str accept;
    bool over_target_limit;
    struct str target_limit_text;

    /* Of the scrape under way, which a reload must not change. */
    const struct scrape_config *used;
    struct labels used_labels;

    enum scraper_state state;
    int64_t tick_ms;  /* the ideal time of the next scrape */
    int64_t began_ms; /* timestamp of the one under way */
    int64_t began_ns;
    void *ticket;
    bool started;     /* the page has begun */
    bool dying, dead; /* out of the configuration; its last staleness is written, too */
    int64_t stale_ms; /* dying: the time of the staleness markers */
    int64_t last_good_ms;
    struct diag error; /* of the scrape under way, before its commit */
    bool failed;

    struct page page;
    struct cache cache;
    struct meta_table meta;
    struct report_refs refs;
    struct commit commit;

    struct target_status status; /* under lock; last_error is in error_text */
    struct buf error_text;
};

/* Takes a reference on holder. */
struct scraper *scraper_new(struct scrape_shared *sh, struct prom_config *holder,
                            const struct scrape_config *c, const struct target *t);
/* Cancels a fetch. Of a commit the work has ended; that nobody was told any more (the loop had stopped) is fine. */
void scraper_free(struct scraper *s);

/* The next due time by the target's place in the interval. */
void scraper_schedule(struct scraper *s, int64_t now_ms);

/* The same target under a new configuration that reads pages alike; keeps cache and tick. */
void scraper_adopt(struct scraper *s, struct prom_config *holder, const struct scrape_config *c,
                   const struct target *t, int64_t now_ms);

/* Would pages give the same series under both? */
bool scraper_reads_alike(const struct scrape_config *a, const struct scrape_config *b);

/*
 * From now on no scrapes. The markers bear the time of the scrape that would have come next and are written an interval
 * and a tenth later: where a successor feeds the same series by then, the store refuses them as out of order.
 */
void scraper_bury(struct scraper *s, int64_t now_ms);

/* Does what is due. Returns the next due time. */
int64_t scraper_tick(struct scraper *s, int64_t now_ms);

/* Which parser reads such a reply. Errors: ERR_UNSUPPORTED, texts of the original */
enum err scraper_format(const struct scrape_config *c, struct str content_type,
                        enum expo_format *out, struct diag *d);
struct str scraper_accept(struct arena *a, const struct scrape_config *c);

#endif
