/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/collector_priv.h"

#include "base/assert.h"
#include "codec/num.h"
#include "kafka/error.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    /* Another broker is asked for Metadata when the first does not answer within this. */
    HEDGE_MS = 300,
    /* So long the others wait for a broker that gave no reason to wait longer or shorter. */
    PATIENCE_MS = 900,
    GROUPS_A_REQUEST = 250,
    PARTITIONS_A_REQUEST = 5000,
    LATEST = -1,
    EARLIEST = -2,
};

static int64_t now_ms(const struct kafka_collector *c) { return c->net->now_ms(c->net->ctx); }
static void advance(struct kafka_collector *c);

/* ---- topology: Metadata of whoever answers first ---- */

static void on_cluster(const struct kafka_tag *tag, enum err e, const void *res,
                       const struct diag *d)
{
    struct peer *p = tag->owner;
    struct kafka_collector *c = p->c;
    const struct kafka_describe_cluster_res *r = res;
    (void)d;
    if (!peer_answered(tag, STAGE_REST, e)) return;
    struct arena *a = &c->draft.snap->arena;
    c->fenced.n = 0; /* two brokers may have been asked */
    KARRAY_FOR(it, &r->brokers)
    {
        if (!it->is_fenced) continue;
        *vec_push(a, &c->fenced) = (struct kafka_broker){
            .id = it->broker_id,
            .host = arena_dup(a, it->host),
            .port = (uint16_t)it->port,
            .fenced = true,
            .problem = STR("fenced: the controller hears nothing of it")
        };
    }
    advance(c);
}

static void enter_groups(struct kafka_collector *c);

static void on_metadata(const struct kafka_tag *tag, enum err e, const void *res,
                        const struct diag *d)
{
    struct peer *p = tag->owner;
    struct kafka_collector *c = p->c;
    struct diag why = { 0 };
    (void)d;
    if (!peer_answered(tag, STAGE_REST, e)) return;
    if (c->phase == PHASE_TOPOLOGY) {
        if (kafka_draft_metadata(&c->draft, res, &why) == OK) {
            c->topology_known = true;
            peers_follow(c, c->draft.snap);
            enter_groups(c);
        } else {
            peer_note(p, &why);
            c->topology_asked_ms = INT64_MIN; /* ask the next one */
        }
    }
    advance(c);
}

static void ask_topology(struct kafka_collector *c)
{
    static const struct kafka_metadata_req ALL = { .allow_auto_topic_creation = false };
    static const struct kafka_describe_cluster_req CLUSTER = { .endpoint_type = 1,
                                                               .include_fenced_brokers = true };
    int64_t now = now_ms(c);
    if (c->topology_asked_ms != INT64_MIN && now < c->topology_asked_ms + HEDGE_MS) return;
    struct peer *best = NULL;
    PEER_FOR(p, c)
    {
        if (peer_ready(p) && !p->asked_topology && (!best || (best->suspect && !p->suspect))) {
            best = p;
        }
    }
    if (!best) return;
    best->asked_topology = true;
    if (!peer_ask(best, KAFKA_METADATA, &ALL, STAGE_REST, on_metadata, 0)) {
        ask_topology(c); /* the next one; each is asked once */
        return;
    }
    (void)peer_ask(best, KAFKA_DESCRIBE_CLUSTER, &CLUSTER, STAGE_REST, on_cluster, 0);
    c->topology_asked_ms = now;
}

/* ---- T0: groups, their commits, log starts, log dirs ---- */

static void on_described(const struct kafka_tag *tag, enum err e, const void *res,
                         const struct diag *d)
{
    struct peer *p = tag->owner;
    struct diag why = { 0 };
    (void)d;
    if (!peer_answered(tag, STAGE_GROUPS, e)) return;
    if (kafka_draft_described(&p->c->draft, p->id, res, &why) != OK) peer_note(p, &why);
    advance(p->c);
}

static void on_consumers(const struct kafka_tag *tag, enum err e, const void *res,
                         const struct diag *d)
{
    struct peer *p = tag->owner;
    struct diag why = { 0 };
    (void)d;
    if (!peer_answered(tag, STAGE_GROUPS, e)) return;
    if (kafka_draft_consumers(&p->c->draft, p->id, res, &why) != OK) peer_note(p, &why);
    advance(p->c);
}

static void on_committed(const struct kafka_tag *tag, enum err e, const void *res,
                         const struct diag *d)
{
    struct peer *p = tag->owner;
    struct kafka_draft *x = &p->c->draft;
    struct diag why = { 0 };
    (void)d;
    if (!peer_answered(tag, STAGE_GROUPS, e)) return;
    if (p->c->phase != PHASE_GROUPS) {
        return; /* the ends were asked before it: lag could be negative */
    }
    struct str group = tag->arg ? x->groups.v[tag->arg - 1].g.id : str_make(NULL, 0);
    if (kafka_draft_committed(x, p->id, group, res, &why) != OK) peer_note(p, &why);
    advance(p->c);
}

static void describe(struct peer *p, enum draft_ask kind, enum kafka_api_id api,
                     kafka_answer *answer)
{
    ARENA(a, 0);
    size_t at = 0;
    struct kafka_describe_groups_req req = { 0 };
    while (kafka_draft_groups(&p->c->draft, p->id, kind, GROUPS_A_REQUEST, &at, &a, &req.groups)) {
        (void)peer_ask(p, api, &req, STAGE_GROUPS, answer, 0);
    }
}

/* From version 8 on many groups a request; before, one each, and the tag remembers which. */
static void fetch_commits(struct peer *p)
{
    ARENA(a, 0);
    size_t at = 0;
    kafka_strs ids;
    bool many = kafka_conn_version(p->conn, KAFKA_OFFSET_FETCH) >= 8;
    size_t most = many ? GROUPS_A_REQUEST : 1;
    while (kafka_draft_groups(&p->c->draft, p->id, DRAFT_ASK_OFFSETS, most, &at, &a, &ids)) {
        struct kafka_offset_fetch_req req = { .group_id = ids.v[0] };
        req.groups.n = ids.n;
        req.groups.v = arena_array(&a, ids.n, sizeof(*req.groups.v));
        for (size_t i = 0; i < ids.n; i++) {
            req.groups.v[i] = (struct kafka_offset_fetch_req_group){ .group_id = ids.v[i],
                                                                     .member_epoch = -1 };
        }
        (void)peer_ask(p, KAFKA_OFFSET_FETCH, &req, STAGE_GROUPS, on_committed, many ? 0 : at);
    }
}

static void on_listed(const struct kafka_tag *tag, enum err e, const void *res,
                      const struct diag *d)
{
    struct peer *p = tag->owner;
    struct diag why = { 0 };
    (void)d;
    if (!peer_answered(tag, STAGE_GROUPS, e)) return;
    if (kafka_draft_listed(&p->c->draft, p->id, res, &why) != OK) peer_note(p, &why);
    if (p->c->phase == PHASE_GROUPS) { /* later, its commits would be compared with older ends */
        fetch_commits(p);
        describe(p, DRAFT_ASK_CLASSIC, KAFKA_DESCRIBE_GROUPS, on_described);
        describe(p, DRAFT_ASK_CONSUMER, KAFKA_CONSUMER_GROUP_DESCRIBE, on_consumers);
        describe(p, DRAFT_ASK_SHARE, KAFKA_SHARE_GROUP_DESCRIBE, on_consumers);
    }
    advance(p->c);
}

static void on_offsets(const struct kafka_tag *tag, enum err e, const void *res,
                       const struct diag *d)
{
    struct peer *p = tag->owner;
    struct diag why = { 0 };
    (void)d;
    if (!peer_answered(tag, STAGE_REST, e)) return;
    if (kafka_draft_offsets(&p->c->draft, res, tag->arg != 0, &why) != OK) peer_note(p, &why);
    advance(p->c);
}

static void ask_offsets(struct peer *p, int64_t which)
{
    ARENA(a, 0);
    struct draft_cursor at = { 0 };
    struct kafka_list_offsets_req req;
    while (kafka_draft_led(&p->c->draft, p->id, PARTITIONS_A_REQUEST, which, &at, &a, &req)) {
        (void)peer_ask(p, KAFKA_LIST_OFFSETS, &req, STAGE_REST, on_offsets, which == LATEST);
    }
}

static void on_dirs(const struct kafka_tag *tag, enum err e, const void *res, const struct diag *d)
{
    struct peer *p = tag->owner;
    const struct kafka_describe_log_dirs_res *r = res;
    (void)d;
    if (!peer_answered(tag, STAGE_REST, e)) return;
    arena_reset(&p->dirs_mem);
    p->dirs = arena_array(&p->dirs_mem, r->results.n, sizeof(*p->dirs));
    p->dirs_n = r->results.n;
    for (size_t i = 0; i < p->dirs_n; i++) {
        const struct kafka_log_dirs_result *in = &r->results.v[i];
        bool known = !in->error_code && in->total_bytes >= 0 && in->usable_bytes >= 0;
        p->dirs[i] = (struct kafka_log_dir){ arena_dup(&p->dirs_mem, in->log_dir), in->error_code,
                                             known ? in->total_bytes : KAFKA_UNKNOWN,
                                             known ? in->usable_bytes : KAFKA_UNKNOWN };
    }
    struct diag why = { 0 };
    const char *name = kafka_error_name(r->error_code);
    if (r->error_code) {
        (void)diag_set(&why, ERR_DENIED, "DescribeLogDirs was answered with %s (error %d)",
                       name ? name : "an error", r->error_code);
        peer_note(p, &why);
    }
    advance(p->c);
}

/* Without topics: the volumes are all we want to know, and the answer stays small. Version 4 has them first. */
static void ask_dirs(struct peer *p)
{
    enum { WITH_CAPACITY = 4 };
    int64_t now = now_ms(p->c);
    if (kafka_conn_version(p->conn, KAFKA_DESCRIBE_LOG_DIRS) < WITH_CAPACITY) return;
    if (p->dirs_at_ms != INT64_MIN && now < p->dirs_at_ms + p->c->o.log_dirs_ms) return;
    p->dirs_at_ms = now;
    struct kafka_log_dirs_req_topic none[1];
    struct kafka_describe_log_dirs_req req = { .topics = { none, 0 } };
    (void)peer_ask(p, KAFKA_DESCRIBE_LOG_DIRS, &req, STAGE_REST, on_dirs, 0);
}

static void begin_groups(struct peer *p)
{
    static const struct kafka_list_groups_req ALL = { 0 };
    p->began = true;
    (void)peer_ask(p, KAFKA_LIST_GROUPS, &ALL, STAGE_GROUPS, on_listed, 0);
    ask_offsets(p, EARLIEST);
    ask_dirs(p);
}

static void enter_groups(struct kafka_collector *c)
{
    c->phase = PHASE_GROUPS;
    c->phase_at_ms = now_ms(c);
    PEER_FOR(p, c)
    {
        if (p->id < 0) continue;
        peer_connect(p);
        if (peer_ready(p)) begin_groups(p);
    }
}

/* ---- T1: high watermarks ---- */

static void begin_ends(struct peer *p)
{
    if (!p->began) { /* connected too late for T0: its groups have to wait for the next cycle */
        p->began = true;
        ask_offsets(p, EARLIEST);
        ask_dirs(p);
    }
    ask_offsets(p, LATEST);
}

static void enter_ends(struct kafka_collector *c)
{
    c->phase = PHASE_ENDS;
    c->phase_at_ms = now_ms(c);
    PEER_FOR(p, c)
    {
        if (p->id >= 0 && peer_ready(p)) begin_ends(p);
    }
}

/* ---- barriers ---- */

static bool settled(const struct peer *p, enum phase phase)
{
    if (!p->conn) return true;
    if (!peer_ready(p)) return false;
    return !p->owes[STAGE_GROUPS] && (phase == PHASE_GROUPS || !p->owes[STAGE_REST]);
}

/* When the others stop waiting for p in this phase. */
static int64_t patience_ends(const struct peer *p)
{
    const struct kafka_collector *c = p->c;
    int64_t wait = 3 * p->took_ms; /* two requests in a row, and some more */
    if (wait < PATIENCE_MS) wait = PATIENCE_MS;
    if (wait > c->o.request_timeout_ms) wait = c->o.request_timeout_ms;
    return p->suspect || p->dropped ? INT64_MIN : c->phase_at_ms + wait;
}

/*
 * True when the phase may end: everybody is done or down, or somebody is and the rest had their time. While nobody is
 * done, all wait as long as connections last. *due is when to look again.
 */
static bool phase_over(struct kafka_collector *c, int64_t *due)
{
    int64_t now = now_ms(c);
    bool any = false, late = false;
    *due = INT64_MAX;
    PEER_FOR(p, c)
    {
        if (p->id < 0) continue;
        if (settled(p, c->phase)) {
            any |= peer_ready(p);
            continue;
        }
        int64_t until = patience_ends(p);
        late = true;
        if (now < until && until < *due) *due = until;
    }
    return !late || (any && *due == INT64_MAX);
}

/* Who is waited for in vain once is not waited for again in this cycle. */
static void drop_late(struct kafka_collector *c)
{
    PEER_FOR(p, c)
    {
        if (p->id >= 0 && !settled(p, c->phase)) p->dropped = true;
    }
}

/* ---- begin and end of a cycle ---- */

/* Whether anybody may still answer Metadata. */
static bool any_hope(struct kafka_collector *c)
{
    PEER_FOR(p, c)
    {
        if (p->conn && (!peer_ready(p) || !p->asked_topology || p->owes[STAGE_REST])) return true;
    }
    return false;
}

static void begin_cycle(struct kafka_collector *c)
{
    struct kafka_filter filter = { c->o.want_topic, c->o.want_group, c->o.ctx };
    c->cycle++;
    c->cycle_at_ms = c->phase_at_ms = now_ms(c);
    c->phase = PHASE_TOPOLOGY;
    c->topology_asked_ms = INT64_MIN;
    c->topology_known = false;
    kafka_draft_init(&c->draft, &filter);
    memset(&c->fenced, 0, sizeof(c->fenced));
    bool ready = false;
    PEER_FOR(p, c)
    {
        p->tried = p->asked_topology = p->began = p->dropped = false;
        p->owes[STAGE_GROUPS] = p->owes[STAGE_REST] = 0;
        p->answered = 0;
        p->problem_old = true;
        ready |= p->id >= 0 && peer_ready(p);
    }
    if (!ready) peers_bootstrap(c);
    PEER_FOR(p, c) { peer_connect(p); }
}

/* What is wrong with a peer, in words; nothing when it is well. An old problem ends with a cycle that went well. */
static struct str trouble(struct peer *p)
{
    bool well = p->answered && !p->dropped && !p->owes[STAGE_GROUPS] && !p->owes[STAGE_REST];
    if (well && p->conn && p->problem_old) p->problem[0] = 0;
    if (p->problem[0]) return str_c(p->problem);
    if (!p->answered) return STR("no answer in this cycle yet; its requests are under way");
    if (p->dropped) return STR("slow: some of its answers came too late for this cycle");
    return str_c(p->notice);
}

static struct kafka_broker broker_of(struct peer *p, struct arena *a)
{
    struct kafka_broker b = { .id = p->id,
                              .host = arena_dup(a, p->advertised),
                              .port = p->advertised_port,
                              .up = p->answered > 0 && p->conn,
                              .problem = arena_dup(a, trouble(p)),
                              .failures = p->failures };
    memcpy(b.requests, p->requests, sizeof(b.requests));
    if (!b.up) return b;
    struct kafka_log_dir *dirs = arena_array(a, p->dirs_n, sizeof(*dirs));
    for (size_t i = 0; i < p->dirs_n; i++) {
        dirs[i] = p->dirs[i];
        dirs[i].path = arena_dup(a, p->dirs[i].path);
    }
    b.dirs = dirs;
    b.dirs_n = p->dirs_n;
    return b;
}

static int by_id(const void *a, const void *b)
{
    const struct kafka_broker *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* Peers as they ended, racks as Metadata had them, and who is registered but fenced. */
static void add_brokers(struct kafka_collector *c, struct kafka_snapshot *s)
{
    struct arena *a = &s->arena;
    VEC(struct kafka_broker) v = { 0 };
    PEER_FOR(p, c)
    {
        if (p->id < 0) continue;
        struct kafka_broker *b = vec_push(a, &v);
        *b = broker_of(p, a);
        s->reachable |= b->up;
        for (size_t i = 0; i < s->brokers_n; i++) {
            if (s->brokers[i].id == b->id) b->rack = s->brokers[i].rack;
        }
    }
    VEC_FOR(it, &c->fenced) {
        *vec_push(a, &v) = *it;
    }
    if (v.n) qsort(v.v, v.n, sizeof(*v.v), by_id);
    s->brokers = v.v;
    s->brokers_n = v.n;
}

/* One sentence for a cycle that came to nothing: what the first that failed said. */
static void say_problem(struct kafka_collector *c, struct kafka_snapshot *s)
{
    PEER_FOR(p, c)
    {
        if (p->problem[0] && !s->problem.n) s->problem = arena_dup(&s->arena, str_c(p->problem));
    }
    if (!s->problem.n) s->problem = STR("no broker answered");
}

static void keep_older(struct kafka_collector *c, struct kafka_snapshot *s)
{
    if (!c->last_good || c->topology_known) return;
    s->older = kafka_snapshot_ref(c->last_good);
    s->topics = c->last_good->topics;
    s->topics_n = c->last_good->topics_n;
    s->groups = c->last_good->groups;
    s->groups_n = c->last_good->groups_n;
    s->cluster_id = c->last_good->cluster_id;
    s->data_age_ms = s->taken_ms - c->last_good->taken_ms;
}

static void forget_bootstrap(struct kafka_collector *c)
{
    PEER_FOR(p, c)
    {
        p->suspect = p->answered == 0;
        if (p->id < 0) peer_remove(p);
    }
}

static void finish_cycle(struct kafka_collector *c)
{
    struct kafka_snapshot *s = kafka_draft_take(&c->draft);
    s->cycle = c->cycle;
    s->taken_ms = now_ms(c);
    s->duration_ms = s->taken_ms - c->cycle_at_ms;
    add_brokers(c, s);
    if (s->reachable) {
        kafka_snapshot_unref(c->last_good);
        c->last_good = kafka_snapshot_ref(s);
    } else {
        say_problem(c, s);
        keep_older(c, s);
    }
    forget_bootstrap(c);
    kafka_draft_done(&c->draft);
    c->phase = PHASE_IDLE;
    c->next_cycle_ms = c->cycle_at_ms + c->o.interval_ms;
    kafka_shelf_put(c->shelf, s);
    if (c->o.on_publish) c->o.on_publish(c->o.ctx, s);
}

/* Moves on as far as what came allows, and asks to be woken when time alone would. */
static void advance(struct kafka_collector *c)
{
    int64_t due = INT64_MAX;
    if (c->phase == PHASE_TOPOLOGY) {
        ask_topology(c);
        if (!any_hope(c)) finish_cycle(c);
        int64_t hedge = c->topology_asked_ms + HEDGE_MS;
        if (c->topology_asked_ms != INT64_MIN && now_ms(c) < hedge) due = hedge;
    }
    if (c->phase == PHASE_GROUPS && phase_over(c, &due)) {
        drop_late(c);
        enter_ends(c);
    }
    if (c->phase == PHASE_ENDS && phase_over(c, &due)) {
        drop_late(c);
        finish_cycle(c);
    }
    if (c->phase == PHASE_IDLE) due = c->next_cycle_ms;
    if (due != INT64_MAX) c->net->wake(c->net->ctx, due);
}

void collector_on_ready(struct peer *p)
{
    struct kafka_collector *c = p->c;
    if (p->id >= 0 && c->phase == PHASE_GROUPS) begin_groups(p);
    if (p->id >= 0 && c->phase == PHASE_ENDS) begin_ends(p);
    advance(c);
}

/*
 * The one broker of a cluster advertises an address that does not work from here, but its bootstrap
 * address does: then that is where we talk to it.
 */
static bool stand_in(struct peer *p)
{
    struct kafka_collector *c = p->c;
    if (p->id < 0 || c->phase == PHASE_TOPOLOGY || c->draft.snap == NULL ||
        c->draft.snap->brokers_n != 1) {
        return false;
    }
    PEER_FOR(other, c)
    {
        if (other->id >= 0 || !peer_ready(other)) continue;
        struct str tmp = other->advertised;
        other->advertised = p->advertised;
        p->advertised = tmp;
        other->advertised_port = p->advertised_port;
        other->id = p->id;
        (void)snprintf(other->notice, sizeof(other->notice),
                       "%.180s; the bootstrap address is used in its place", p->problem);
        peer_remove(p);
        collector_on_ready(other);
        return true;
    }
    return false;
}

void collector_on_down(struct peer *p)
{
    if (p->c->phase != PHASE_IDLE && stand_in(p)) return;
    advance(p->c);
}

/* ---- from outside ---- */

static enum err check_server(struct str s, struct diag *d)
{
    size_t colon = s.n;
    uint64_t port = 0;
    while (colon && s.p[colon - 1] != ':') colon--;
    if (colon < 2 || num_parse_u64(str_from(s, colon), &port) != OK || !port || port > 65535) {
        return diag_set(d, ERR_SYNTAX, "kafka.server \"" STR_FMT "\": expected host:port",
                        STR_ARG(s));
    }
    return OK;
}

enum err kafka_collector_start(const struct kafka_net *net, const struct kafka_collector_options *o,
                               struct kafka_collector **out, struct diag *d)
{
    for (size_t i = 0; i < o->servers_n; i++) TRY(check_server(o->servers[i], d));
    struct kafka_collector *c = calloc(1, sizeof(*c));
    ASSERT(c != NULL && o->servers_n > 0);
    c->net = net;
    c->o = *o;
    struct str *servers = arena_array(&c->mem, o->servers_n, sizeof(*servers));
    for (size_t i = 0; i < o->servers_n; i++) servers[i] = arena_dup(&c->mem, o->servers[i]);
    c->o.servers = servers;
    c->o.client_id = arena_dup(&c->mem, o->client_id);
    c->shelf = kafka_shelf_new();
    list_init(&c->peers);
    list_init(&c->gone);
    c->next_cycle_ms = INT64_MIN; /* at once */
    net->wake(net->ctx, now_ms(c));
    *out = c;
    return OK;
}

/* What ends here may end the cycle and with it other peers, so each look begins anew. */
static bool end_one_overdue(struct kafka_collector *c, int64_t now)
{
    PEER_FOR(p, c)
    {
        if (p->conn && kafka_conn_due(p->conn) <= now) {
            kafka_conn_tick(p->conn, now);
            return true;
        }
    }
    return false;
}

int64_t kafka_collector_tick(struct kafka_collector *c, int64_t now)
{
    peer_reap(c);
    while (end_one_overdue(c, now)) {
    }
    if (c->phase == PHASE_IDLE && now >= c->next_cycle_ms) begin_cycle(c);
    advance(c);
    int64_t due = c->phase == PHASE_IDLE ? c->next_cycle_ms : INT64_MAX;
    PEER_FOR(p, c)
    {
        int64_t x = p->conn ? kafka_conn_due(p->conn) : INT64_MAX;
        if (x < due) due = x;
    }
    return due;
}

void kafka_collector_stop(struct kafka_collector *c)
{
    if (!c) return;
    PEER_FOR(p, c) { peer_remove(p); }
    peer_reap(c);
    if (c->draft.snap) kafka_draft_done(&c->draft);
    kafka_snapshot_unref(c->last_good);
    kafka_shelf_free(c->shelf);
    arena_done(&c->mem);
    free(c);
}

const struct kafka_snapshot *kafka_collector_snapshot(struct kafka_collector *c)
{
    return kafka_shelf_get(c->shelf);
}
