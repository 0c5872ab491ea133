/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache.h - what a target's page looked like last time: its lines in order, each with the series it feeds
 *
 * Shape:   entries of 40 bytes in an array, found by the hash of their text: a series' bytes without value, or a whole
 *          metadata line. `order` lists them as they stood on the page; reading follows it and hashes, at a known length,
 *          what should come next. No text is kept: 64 seeded bits decide.
 * Rounds:  a read is a round. An entry bears the round that saw it last. A round that ends well forgets what it did not
 *          see (after commit.c has written the staleness markers of what is live); one that failed forgets nothing
 *          that stands in order.
 * Threads: one at a time.
 * Source:  scrape/scrape.go scrapeCache (what is kept, when it goes).
 */
#ifndef SCRAPE_CACHE_H
#define SCRAPE_CACHE_H

#include "base/map.h"
#include "base/str.h"

enum entry_kind {
    ENTRY_FREE,
    ENTRY_SERIES,
    ENTRY_DROPPED, /* a series that metric_relabel_configs drops */
    ENTRY_META,    /* HELP, TYPE, UNIT */
    ENTRY_COMMENT,
};

#define NO_ENTRY UINT32_MAX

struct cache_entry {
    uint64_t hash;
    uint64_t ref; /* of the store; 0: not asked for yet */
    uint32_t len; /* bytes of the text */
    uint32_t round;
    uint32_t pos;   /* in order; of an entry that is in it */
    uint32_t extra; /* META: index in the table of metadata */
    uint8_t kind;
    uint8_t type; /* META of a TYPE line: the enum expo_type it set; else EXPO_TYPE_MAX_ */
    bool tracked; /* in this round: no timestamp of its own, so that its end will be marked */
    bool live;    /* the store has samples of it that no staleness marker ended */
};

struct cache {
    struct cache_entry *v;
    size_t n, cap;
    uint32_t *order, *next; /* entries of the last good round; of this one, once it differs */
    size_t order_n, next_n, order_cap, next_cap;
    uint32_t *free;
    size_t free_n, free_cap;
    struct map64 by_hash; /* hash to index + 1 */
    uint32_t round;
    size_t expect; /* position in order of what should come next */
    size_t seen;   /* entries seen in this round */
    bool diverged; /* next is being written */
};

void cache_init(struct cache *c);
void cache_done(struct cache *c);
void cache_clear(struct cache *c); /* as new, but for the count of rounds */

void cache_begin(struct cache *c);

/* The entry that should come next, or NULL. */
static inline struct cache_entry *cache_expected(struct cache *c)
{
    return c->expect < c->order_n ? &c->v[c->order[c->expect]] : NULL;
}

struct cache_entry *cache_find(struct cache *c, uint64_t hash);

/* A new entry, zeroed but for hash and len; pointers to others may move. */
struct cache_entry *cache_add(struct cache *c, uint64_t hash, uint32_t len);

/* The next line of the page is this entry's. False: it was seen in this round already. */
bool cache_see(struct cache *c, struct cache_entry *e);

/* Ends the round; good: what it did not see is forgotten. Staleness must have been dealt with before. */
void cache_end(struct cache *c, bool good);

/* Lines of metadata are unknown again; between rounds. */
void cache_forget_meta(struct cache *c);

size_t cache_bytes(const struct cache *c);

#endif
