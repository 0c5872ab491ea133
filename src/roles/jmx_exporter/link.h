/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.h - a target's connection: the socket and the clock that src/jmx does without
 *
 * Threads: the collect loop's.
 * Owns:    the target and its stream.
 */
#ifndef ROLES_JMX_EXPORTER_LINK_H
#define ROLES_JMX_EXPORTER_LINK_H

#include "io/loop.h"
#include "jmx/target.h"

struct stream;

struct link {
    struct loop *loop;
    struct jmx_target *target;
    struct stream *stream;
    bool open;
    struct timer timer;
    void (*on_scraped)(void *ctx); /* a scrape that link_scrape() began has ended */
    void *ctx;
    void (*on_up)(void *ctx,
                  struct link *k); /* once, when the first login has succeeded; may be NULL */
    void *up_ctx;
};

struct link *link_new(struct loop *l, struct jmx_config *c, const struct jmx_endpoint *e,
                      struct str label, void (*on_scraped)(void *ctx), void *ctx);
void link_free(struct link *k); /* NULL is fine; no further callback */

/* Dials when it is time to; needed once, after that the link looks after itself. */
void link_start(struct link *k);
void link_scrape(struct link *k);

#endif
