/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_priv.h - the engine's insides: store, groups, sendings, silences, log
 *
 * A flush is one look at a group at one time. For each integration it makes at most one sending; when all of a flush's
 * sendings went well, what it saw resolved leaves the group, and an empty group ends.
 */
#ifndef ALERT_ENGINE_PRIV_H
#define ALERT_ENGINE_PRIV_H

#include "alert/engine.h"
#include "alert/journal.h"
#include "alert/kinds.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "base/vec.h"

#include <pthread.h>

/* Sources of one inhibition rule: alerts in buckets by the hash of their equal labels. */
struct bucket {
    struct alert **v;
    size_t n, cap;
};
struct rule_cache {
    struct map64 buckets; /* struct bucket */
};

struct group {
    struct heap_node due;
    struct arena arena;
    struct str id, key; /* id tells equal siblings' groups apart */
    const struct route *route;
    const struct receiver *receiver;
    struct labels labels;
    struct map64 alerts;       /* by fingerprint, a reference each */
    struct sending **sendings; /* one an integration, NULL: none under way */
    bool flushed;
};

struct flush {
    struct group *group; /* NULL once the group is gone */
    struct notified *v;  /* all alerts at its time, a reference each */
    size_t n;
    size_t open; /* sendings not ended, and one while it is built */
    bool failed;
};

struct sending {
    struct list ready;      /* in engine.ready while it waits for a worker */
    struct heap_node retry; /* in engine.retries while it pauses */
    struct arena arena;
    struct notification nt;
    struct flush *flush;
    struct group *group; /* NULL once the group is gone */
    int64_t deadline, pause_ms;
    bool busy;
    uint64_t *firing, *resolved;
    size_t firing_n, resolved_n;
};

struct alert_engine {
    pthread_mutex_t lock;
    struct engine_options o;
    struct arena arena; /* of options' texts */
    struct alert_config *config;
    struct map64 alerts; /* by fingerprint, a reference each */
    struct map groups;   /* by id */
    struct heap due, retries;
    struct list ready;
    struct {
        const struct integration **v;
        size_t n, cap;
    } busy;
    struct rule_cache *rules;
    size_t rules_n;
    struct map silences, log;
    struct buf silences_waiting, log_waiting; /* records for the journals */
    struct journal *silences_file, *log_file;
    int64_t started_at, next_gc;
    uint64_t random;
    struct engine_stats stats;
    size_t pending;
};

void engine_lock(struct alert_engine *e);
void engine_unlock(struct alert_engine *e);
uint64_t engine_random(struct alert_engine *e);

/* All below: with the lock held. */
void inhibit_init(struct alert_engine *e);
void inhibit_done(struct alert_engine *e);
void inhibit_put(struct alert_engine *e, struct alert *a);
void inhibit_gc(struct alert_engine *e, int64_t now);
const struct alert *inhibit_source(const struct alert_engine *e, struct labels lb,
                                   int64_t now); /* NULL: not inhibited */

bool silence_matches(const struct silence *s, struct labels lb);
bool silenced(struct alert_engine *e, struct labels lb, int64_t now);

void groups_add(struct alert_engine *e, struct alert *a, int64_t now);
void groups_clear(struct alert_engine *e);
void group_flush(struct alert_engine *e, struct group *g, int64_t now);
void sending_end(struct alert_engine *e, struct sending *s, bool ok);

#endif
