/* SPDX-License-Identifier: Apache-2.0 */
/*
 * collector_priv.h - what collector.c (the cycle) and peer.c (brokers and their connections) share
 */
#ifndef KAFKA_COLLECTOR_PRIV_H
#define KAFKA_COLLECTOR_PRIV_H

#include "base/list.h"
#include "kafka/collector.h"
#include "kafka/conn.h"
#include "kafka/draft.h"

enum phase {
    PHASE_IDLE,
    PHASE_TOPOLOGY, /* who answers Metadata first? */
    PHASE_GROUPS,   /* T0: groups and commits, log starts, log dirs */
    PHASE_ENDS,     /* T1: high watermarks, asked after every commit came */
};

/* What a peer still owes in this cycle, by the barrier that waits for it. */
enum stage { STAGE_GROUPS, STAGE_REST, STAGE_MAX_ };

/* A broker, or (id -1) a bootstrap server of which nobody knows yet which broker it is. */
struct peer {
    struct list in_peers;
    struct kafka_collector *c;
    int32_t id;
    struct str host, advertised; /* where we connect; what Metadata says; both of malloc */
    uint16_t port, advertised_port;
    struct kafka_conn *conn;
    char problem[sizeof(((struct diag *)0)->text)];
    bool
        problem_old; /* of an earlier cycle: it stands until a cycle goes well or a newer one comes */
    char notice[sizeof(
        ((struct diag *)0)->text)]; /* lasts: we talk to another address than advertised */

    /* Of this cycle. */
    bool tried, asked_topology, began, dropped;
    unsigned owes[STAGE_MAX_];
    uint64_t answered;

    /* Longer. */
    bool suspect; /* nothing came of it in its last cycle: nobody waits for it */
    int64_t took_ms;
    struct arena dirs_mem;
    struct kafka_log_dir *dirs;
    size_t dirs_n;
    int64_t dirs_at_ms; /* when they were asked for; INT64_MIN: never */
    uint64_t requests[KAFKA_API_MAX_], failures;
};

struct kafka_collector {
    const struct kafka_net *net;
    struct kafka_collector_options o;
    struct arena mem; /* of the options */
    struct kafka_shelf *shelf;
    struct list peers, gone; /* gone: to be freed outside of any callback */

    enum phase phase;
    uint64_t cycle;
    int64_t cycle_at_ms, phase_at_ms, next_cycle_ms;
    int64_t topology_asked_ms;
    bool topology_known;
    struct kafka_draft draft;
    VEC(struct kafka_broker) fenced; /* in the draft's memory */
    const struct kafka_snapshot *last_good;
};

/* ---- peer.c ---- */

struct peer *peer_new(struct kafka_collector *c, int32_t id, struct str host, uint16_t port);
void peer_remove(struct peer *p); /* out of the list; freed later */
void peer_reap(struct kafka_collector *c);
void peer_connect(struct peer *p); /* unless it is connected, or was tried in this cycle */
void peer_note(struct peer *p, const struct diag *d); /* the first problem of a cycle stays */
static inline bool peer_ready(const struct peer *p) { return p->conn && kafka_conn_ready(p->conn); }

/* Sends where the broker offers it; false when it does not. The answer comes with tag.owner = p. */
bool peer_ask(struct peer *p, enum kafka_api_id api, const void *req, enum stage stage,
              kafka_answer *answer, uint64_t arg);

/* Every answer passes here first: settles what p owes; false when it is of an earlier cycle or none came. */
bool peer_answered(const struct kafka_tag *tag, enum stage stage, enum err e);

/* Makes the peers those that Metadata names: keeps, adopts bootstrap servers, adds, removes. */
void peers_follow(struct kafka_collector *c, const struct kafka_snapshot *topology);
void peers_bootstrap(struct kafka_collector *c);

#define PEER_FOR(p, c)                                                                             \
    LIST_FOR(p##_it, &(c)->peers)                                                                  \
        for (struct peer *p = CONTAINER_OF(p##_it, struct peer, in_peers); p; p = NULL)

/* ---- collector.c, called by peer.c ---- */

void collector_on_ready(struct peer *p);
void collector_on_down(struct peer *p);

#endif
