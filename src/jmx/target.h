/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target.h - one JVM: its connection, its beans, its scrapes; no socket in here
 *
 * Shape:   a state machine over bytes; whoever owns the socket feeds it.
 *              down -> dialling -> login -> ready; a scrape: ready -> query -> info -> read -> ready
 * Costs:   a steady scrape is one query per include pattern and one call per bean, all pipelined; attributes that no rule
 *          wants are not asked for.
 * Threads: one; the samples may be read elsewhere while no scrape runs.
 */
#ifndef JMX_TARGET_H
#define JMX_TARGET_H

#include "jmx/page.h"

enum jmx_target_state {
    JMX_DOWN,     /* waits until it is time to try again */
    JMX_DIALLING, /* wants a connection, or one is being made */
    JMX_LOGIN,
    JMX_READY, /* idle, connected */
    JMX_QUERY,
    JMX_INFO,
    JMX_READ,
};

struct jmx_target;

struct jmx_dial {
    struct str host;
    uint16_t port;
};

struct jmx_target_stats {
    bool up;                /* the last scrape ended well */
    size_t beans, requests; /* of the last scrape */
    size_t bytes;           /* read since the start */
    size_t connects, samples_failed, cached;
    size_t attributes_excluded;
    int64_t scrape_ms;
    struct diag why; /* of the last failure */
};

/* label: added to every sample, its value the broker's id or else host:port; empty: none. */
struct jmx_target *jmx_target_new(struct jmx_config *c, const struct jmx_endpoint *e,
                                  struct str label);
void jmx_target_free(struct jmx_target *t);

/* A scrape begins, or begins as soon as the connection is up. done(ctx) is called once, when it ended either way. */
void jmx_target_scrape(struct jmx_target *t, int64_t now_ms, void (*done)(void *ctx), void *ctx);
bool jmx_target_scraping(const struct jmx_target *t);
void jmx_target_cancel(struct jmx_target *t, int64_t now_ms,
                       const char *why); /* its time is over */

/*
 * The owner of the socket: after every call below it first hangs up if that is wanted, then dials if that is wanted, else
 * writes what is in jmx_target_out(), and asks jmx_target_due() when to call jmx_target_tick() again.
 */
bool jmx_target_take_hangup(struct jmx_target *t);
bool jmx_target_take_dial(struct jmx_target *t, struct jmx_dial *out);
struct buf *jmx_target_out(struct jmx_target *t);
void jmx_target_opened(struct jmx_target *t, int64_t now_ms);
void jmx_target_closed(struct jmx_target *t, const char *why, int64_t now_ms);

/* Takes whole messages off. True: there is more to do with these bytes, call again soon. */
bool jmx_target_bytes(struct jmx_target *t, struct str *in, int64_t now_ms);
void jmx_target_tick(struct jmx_target *t, int64_t now_ms);
/* It waits for the rest of a large reply: no need to look at each packet before it is due. */
bool jmx_target_patient(const struct jmx_target *t);
int64_t jmx_target_due(const struct jmx_target *t);

/* Of the scrape that ended last; with `last_good` of the last whole one, even if the target has gone since. */
void jmx_target_samples(const struct jmx_target *t, bool last_good, struct jmx_samples *out,
                        struct arena *a);
const struct jmx_target_stats *jmx_target_stats(const struct jmx_target *t);
const struct jmx_endpoint *jmx_target_endpoint(const struct jmx_target *t);
enum jmx_target_state jmx_target_state(const struct jmx_target *t);

#endif
