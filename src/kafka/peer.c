/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/collector_priv.h"

#include "base/assert.h"
#include "codec/num.h"

#include <stdio.h>
#include <stdlib.h>

static struct str copied(struct str s)
{
    char *p = malloc(s.n + 1);
    ASSERT(p != NULL);
    if (s.n) memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return str_make(p, s.n);
}

static void freed(struct str *s)
{
    free((char *)(uintptr_t)s->p);
    *s = str_make(NULL, 0);
}

struct peer *peer_new(struct kafka_collector *c, int32_t id, struct str host, uint16_t port)
{
    struct peer *p = calloc(1, sizeof(*p));
    ASSERT(p != NULL);
    *p = (struct peer){ .c = c,
                        .id = id,
                        .host = copied(host),
                        .port = port,
                        .advertised = copied(host),
                        .advertised_port = port,
                        .dirs_at_ms = INT64_MIN };
    list_add_tail(&c->peers, &p->in_peers);
    return p;
}

void peer_remove(struct peer *p)
{
    kafka_conn_close(p->conn);
    p->conn = NULL;
    list_remove(&p->in_peers);
    list_add_tail(&p->c->gone, &p->in_peers);
}

void peer_reap(struct kafka_collector *c)
{
    LIST_FOR(it, &c->gone) {
        struct peer *p = CONTAINER_OF(it, struct peer, in_peers);
        list_remove(it);
        freed(&p->host);
        freed(&p->advertised);
        arena_done(&p->dirs_mem);
        free(p);
    }
}

void peer_note(struct peer *p, const struct diag *d)
{
    if (p->problem[0] && !p->problem_old) return;
    (void)snprintf(p->problem, sizeof(p->problem), "%s", d->text);
    p->problem_old = false;
}

/* ---- the connection ---- */

static void on_ready(void *ctx) { collector_on_ready(ctx); }

static bool is_loopback(struct str host)
{
    return str_ieq(host, STR("localhost")) || str_starts(host, STR("127.")) || str_eqc(host, "::1");
}

/* A broker that tells its clients "localhost" works only for those beside it. */
static bool advertises_itself_only(const struct peer *p)
{
    if (p->id < 0 || !is_loopback(p->host)) return false;
    for (size_t i = 0; i < p->c->o.servers_n; i++) {
        struct str host, port;
        (void)str_cut(p->c->o.servers[i], ':', &host, &port);
        if (is_loopback(host)) return false;
    }
    return true;
}

static void on_down(void *ctx, enum err e, const struct diag *d)
{
    struct peer *p = ctx;
    (void)e;
    p->conn = NULL;
    p->failures++;
    struct diag told = *d;
    if (advertises_itself_only(p)) {
        (void)diag_set(&told, e,
                       "%s; that address is what the broker advertises to its clients: set "
                       "advertised.listeners to one that other hosts reach",
                       d->text);
    }
    p->problem[0] = 0; /* of all that may have gone wrong, this ends it */
    peer_note(p, &told);
    collector_on_down(p);
}

static void on_sent(void *ctx, enum kafka_api_id api)
{
    struct peer *p = ctx;
    p->requests[api]++;
}

static const struct kafka_conn_events CONN_EVENTS = { on_ready, on_down, on_sent };

void peer_connect(struct peer *p)
{
    if (p->conn || p->tried) return;
    const struct kafka_collector_options *o = &p->c->o;
    char who[32];
    if (p->id < 0) {
        (void)snprintf(who, sizeof(who), "bootstrap server");
    } else {
        (void)snprintf(who, sizeof(who), "broker %d", p->id);
    }
    p->tried = true;
    struct kafka_conn_options to = { .who = str_c(who),
                                     .host = p->host,
                                     .port = p->port,
                                     .client_id = o->client_id,
                                     .connect_timeout_ms = o->connect_timeout_ms,
                                     .request_timeout_ms = o->request_timeout_ms,
                                     .response_max = o->response_max };
    p->conn = kafka_conn_open(p->c->net, &to, &CONN_EVENTS, p);
}

/* Without these a broker tells nothing of use; the others came with later releases and are done without. */
static bool needed(enum kafka_api_id api)
{
    return api == KAFKA_METADATA || api == KAFKA_LIST_GROUPS || api == KAFKA_DESCRIBE_GROUPS ||
           api == KAFKA_OFFSET_FETCH || api == KAFKA_LIST_OFFSETS;
}

bool peer_ask(struct peer *p, enum kafka_api_id api, const void *req, enum stage stage,
              kafka_answer *answer, uint64_t arg)
{
    struct diag d = { 0 };
    struct kafka_tag tag = { .owner = p, .cycle = p->c->cycle, .arg = arg };
    if (kafka_conn_send(p->conn, api, req, answer, tag, &d) == OK) {
        p->owes[stage]++;
        return true;
    }
    if (needed(api)) peer_note(p, &d);
    return false;
}

bool peer_answered(const struct kafka_tag *tag, enum stage stage, enum err e)
{
    struct peer *p = tag->owner;
    bool now = tag->cycle == p->c->cycle;
    if (now) {
        ASSERT(p->owes[stage] > 0);
        p->owes[stage]--;
    }
    if (e != OK) return false; /* on_down says why */
    int64_t took = p->c->net->now_ms(p->c->net->ctx) - tag->sent_ms;
    int64_t faded = p->took_ms - p->took_ms / 4;
    p->took_ms = took > faded ? took : faded;
    p->suspect = false;
    if (now) p->answered++;
    return now && p->c->phase != PHASE_IDLE;
}

/* ---- which peers there are ---- */

static struct peer *find_id(struct kafka_collector *c, int32_t id)
{
    PEER_FOR(p, c)
    {
        if (p->id == id) return p;
    }
    return NULL;
}

static struct peer *find_address(struct kafka_collector *c, struct str host, uint16_t port,
                                 bool bootstrap)
{
    PEER_FOR(p, c)
    {
        if (str_eq(p->host, host) && p->port == port && (!bootstrap || p->id < 0)) return p;
    }
    return NULL;
}

static void follow_one(struct kafka_collector *c, const struct kafka_broker *b)
{
    struct peer *p = find_id(c, b->id);
    if (p && str_eq(p->advertised, b->host) && p->advertised_port == b->port) return;
    if (p) peer_remove(p); /* it moved */
    p = find_address(c, b->host, b->port, true);
    if (p) {
        p->id = b->id;
    } else {
        (void)peer_new(c, b->id, b->host, b->port);
    }
}

void peers_follow(struct kafka_collector *c, const struct kafka_snapshot *topology)
{
    for (size_t i = 0; i < topology->brokers_n; i++) follow_one(c, &topology->brokers[i]);
    PEER_FOR(p, c)
    {
        bool named = p->id < 0;
        for (size_t i = 0; !named && i < topology->brokers_n; i++) {
            named = topology->brokers[i].id == p->id;
        }
        if (!named) peer_remove(p);
    }
}

void peers_bootstrap(struct kafka_collector *c)
{
    for (size_t i = 0; i < c->o.servers_n; i++) {
        struct str host, port;
        uint64_t number = 0;
        size_t colon = c->o.servers[i].n;
        while (colon && c->o.servers[i].p[colon - 1] != ':') colon--;
        host = str_first(c->o.servers[i], colon - 1);
        port = str_from(c->o.servers[i], colon);
        ASSERT(num_parse_u64(port, &number) == OK); /* the start checked it */
        if (host.n > 2 && host.p[0] == '[') host = str_make(host.p + 1, host.n - 2);
        if (!find_address(c, host, (uint16_t)number, false)) {
            (void)peer_new(c, -1, host, (uint16_t)number);
        }
    }
}
