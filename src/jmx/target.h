/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target.h - one JVM: its connection, its beans, its scrapes; no socket in here
 *
 * Shape:   a state machine over bytes. Whoever owns the socket feeds opened, bytes and closed, writes what is in `out`, dials
 *          where `dial` says when `wants_dial` is set, hangs up when `wants_hangup` is, and calls jmx_target_tick at `due_ms`.
 *              down -> dialling -> hello -> login -> ready <-> query -> info -> read -> ready
 * Costs:   a steady scrape is one query per include pattern and one call per bean, all pipelined; attributes that no rule
 *          wants are not asked for.
 * Threads: one; the samples may be read elsewhere while no scrape runs.
 */
#ifndef JMX_TARGET_H
#define JMX_TARGET_H

#include "jmx/page.h"

enum jmx_target_state {
    JMX_DOWN,     /* waits until retry */
    JMX_DIALLING, /* wants_dial was honoured, not open yet */
    JMX_HELLO,
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

struct jmx_target *jmx_target_new(struct jmx_config *c, const struct jmx_endpoint *e);
void jmx_target_free(struct jmx_target *t);

/* A scrape begins, or begins as soon as the connection is up. done(ctx) is called once, when it ended either way. */
void jmx_target_scrape(struct jmx_target *t, int64_t now_ms, void (*done)(void *ctx), void *ctx);
bool jmx_target_scraping(const struct jmx_target *t);
void jmx_target_cancel(struct jmx_target *t, int64_t now_ms,
                       const char *why); /* its time is over */

/* The owner of the socket */
bool jmx_target_wants_dial(const struct jmx_target *t, struct jmx_dial *out);
bool jmx_target_wants_hangup(const struct jmx_target *t);
struct buf *jmx_target_out(struct jmx_target *t);
void jmx_target_dialling(struct jmx_target *t, int64_t now_ms);
void jmx_target_opened(struct jmx_target *t, int64_t now_ms);
void jmx_target_bytes(struct jmx_target *t, struct str *in,
                      int64_t now_ms); /* takes whole messages off */
void jmx_target_closed(struct jmx_target *t, const char *why, int64_t now_ms);
int64_t jmx_target_tick(struct jmx_target *t, int64_t now_ms); /* returns when it is due again */

/* Of the last whole scrape; valid until the next one begins. */
void jmx_target_samples(const struct jmx_target *t, struct jmx_samples *out, struct arena *a);
const struct jmx_target_stats *jmx_target_stats(const struct jmx_target *t);
const struct jmx_endpoint *jmx_target_endpoint(const struct jmx_target *t);
enum jmx_target_state jmx_target_state(const struct jmx_target *t);

#endif
