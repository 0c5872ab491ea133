/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net.h - the outside world of the scrape engine: io's HTTP client and worker pool
 *
 * Threads: the loop's own.
 * Owns:    an HTTP client with one connection kept a target.
 */
#ifndef SCRAPE_NET_H
#define SCRAPE_NET_H

#include "scrape/scrape.h"

struct loop;
struct pool;
struct scrape_net;

/* on_wake(ctx): a scrape ended; the role arms its timer by scrape_manager_tick(). */
struct scrape_net *scrape_net_new(struct loop *l, struct pool *p, struct str user_agent,
                                  void (*on_wake)(void *ctx), void *ctx);
void scrape_net_free(struct scrape_net *n); /* after scrape_manager_free() */
struct scrape_env scrape_net_env(struct scrape_net *n);

/* FNV-1a of the host's name and the external labels: the offset_seed of this server. */
uint64_t scrape_offset_seed(struct labels external_labels);

#endif
