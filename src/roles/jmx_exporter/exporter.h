/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exporter.h - what the files of this folder share: targets, the cycle, who waits for it
 *
 * Shape:   a request for /metrics joins the cycle that runs, or begins one. A cycle scrapes all targets at once; when all
 *          have ended, or time is up, a job renders the page and everybody who waits gets it. While it renders no target
 *          begins a scrape, so the job may read their samples.
 * Threads: everything on the collect loop, but for the job and the first lines of a request.
 */
#ifndef ROLES_JMX_EXPORTER_EXPORTER_H
#define ROLES_JMX_EXPORTER_EXPORTER_H

#include "base/list.h"
#include "io/http_server.h"
#include "roles/jmx_exporter/jmx_exporter.h"
#include "roles/jmx_exporter/link.h"

#define PROBE_PORTS 4

/* A host that may have JMX on one of the usual ports; once a port has answered the others are let go. */
struct probe {
    struct str host; /* malloc'ed */
    struct link *links[PROBE_PORTS];
    bool found, listed;
};

struct target_row {
    struct link *link;
    struct exporter *exporter;
    bool in_cycle, told, was_up;
    int64_t good_ms; /* what its last good scrape took; 0: none yet */
};

struct waiter {
    struct list in_waiting;
    struct exporter *exporter;
    struct http_req *req;
    int64_t deadline_ms;
};

enum cycle_state { CYCLE_IDLE, CYCLE_SCRAPING, CYCLE_RENDERING };

struct exporter {
    struct role_env env;
    struct jmx_exporter_config config; /* strings in arena */
    struct arena arena;
    struct jmx_config *rules;
    struct http_server *server;
    struct target_row **rows;
    size_t rows_n, rows_cap;
    struct probe **probes;
    size_t probes_n;
    struct str label;
    bool compat_0x, named; /* named: targets are given, none are looked for */

    enum cycle_state state;
    struct timer deadline;
    struct list waiting;
    size_t running; /* targets whose scrape this cycle still waits for */
    int64_t began_ms;
    struct render *render;
    struct jmx_config *pending; /* a reload's, taken over when the cycle is idle */
    uint64_t reloads_good, reloads_bad;
};

/* cycle.c */
void cycle_init(struct exporter *x);
void cycle_join(struct exporter *x, struct waiter *w);
void cycle_begin(struct exporter *x);
void exporter_add(struct exporter *x, struct link *k);
void exporter_add_endpoint(struct exporter *x, const struct jmx_endpoint *e);
void exporter_take_rules(struct exporter *x, struct jmx_config *c); /* now or after the cycle */
void exporter_on_scraped(void *ctx);

/* render.c */
struct render;
void render_start(struct exporter *x,
                  void (*done)(struct exporter *x, int status, struct buf *body));

void render_free(struct render *r); /* one that will not end any more; NULL is fine */

/* discover.c */
void probe_free(struct probe *p);

/* http.c */
extern const struct http_route EXPORTER_ROUTES[];
void exporter_not_found(struct http_req *req);

#endif
