/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_kafka.h - a cluster in memory with a clock turned by hand, for tests of the collector
 *
 * A test fills a struct fake with brokers, topics and groups, says who misbehaves, and turns the clock; every request
 * that a broker got stands in the log with its time. Frames are written with our own tables: that these are right is
 * shown elsewhere, against Kafka's definitions and a real broker.
 */
#ifndef TESTS_FAKE_KAFKA_H
#define TESTS_FAKE_KAFKA_H

#include "base/assert.h"
#include "base/bits.h"
#include "kafka/collector.h"
#include "kafka/frame.h"

#include <stdio.h>
#include <stdlib.h>

enum { FAKE_BROKERS = 4, FAKE_LINKS = 256, FAKE_LOG = 4096, FAKE_EVENTS = 512, FAKE_RTT_MS = 2 };

enum fake_mode {
    FAKE_WELL,
    FAKE_REFUSES,   /* no connection */
    FAKE_SWALLOWS,  /* connections hang */
    FAKE_SILENT_ON, /* never answers `on`, nor what comes behind it */
    FAKE_SAYS,      /* answers `on` with the bytes `says` and then closes */
    FAKE_SLOW,      /* answers to `on` (0: to everything) take slow_ms */
};

struct fake_broker {
    int32_t id;
    const char *host;
    uint16_t port;
    const char *advertised; /* NULL: host */
    enum fake_mode mode;
    enum kafka_api_id on;
    struct str says;
    int64_t slow_ms;
    int16_t most[KAFKA_API_MAX_]; /* highest version offered; -1: not offered */
    bool gone;                    /* Metadata does not name it */
    bool fenced;
};

struct fake_commit {
    const char *topic;
    int32_t partition;
    int64_t offset;
};

struct fake_group {
    const char *id, *type;
    int32_t coordinator, also_listed_by;
    struct fake_commit commits[4];
    int16_t error; /* of OffsetFetch */
};

struct fake_topic {
    const char *name;
    int32_t leaders[4]; /* 0: no such partition; -1: none */
    int64_t high;       /* of each partition; + its index */
};

struct fake_request {
    int32_t broker;
    enum kafka_api_id api;
    int16_t version;
    int64_t at_ms, timestamp; /* of ListOffsets: -1, -2 */
};

struct fake_event {
    int64_t at_ms;
    uint64_t order;
    struct fake_link *link;
    enum { FAKE_OPEN, FAKE_DATA, FAKE_END } kind;
    struct buf bytes;
    const char *why;
};

struct fake_link {
    struct fake *f;
    struct fake_broker *broker; /* NULL: nobody listens there */
    const struct stream_events *ev;
    void *owner;
    struct buf in, out;
    bool closed, deaf;  /* deaf: the broker reads no more */
    int64_t last_at_ms; /* of what was sent: a broker answers in order */
    char address[80];
};

struct fake {
    struct kafka_net net;
    struct kafka_collector *c;
    int64_t now_ms, wake_ms;
    struct fake_broker brokers[FAKE_BROKERS];
    size_t brokers_n;
    struct fake_topic topics[4];
    struct fake_group groups[6];
    struct fake_link links[FAKE_LINKS];
    size_t links_n;
    struct fake_event events[FAKE_EVENTS];
    size_t events_n;
    uint64_t order;
    struct fake_request log[FAKE_LOG];
    size_t log_n;
    size_t published;
};

/* ---- answers ---- */

static struct str fake_str(const char *z) { return z ? str_c(z) : str_make(NULL, 0); }

static void *fake_versions(const struct fake_broker *b, struct arena *a)
{
    struct kafka_api_versions_res *r = arena_new(a, struct kafka_api_versions_res);
    r->finalized_features_epoch = -1;
    r->api_keys.v = arena_array(a, KAFKA_API_MAX_, sizeof(*r->api_keys.v));
    for (size_t i = 0; i < KAFKA_API_MAX_; i++) {
        if (b->most[i] < 0) continue;
        r->api_keys.v[r->api_keys.n++] = (struct kafka_api_version){ KAFKA_APIS[i].key, 0,
                                                                     b->most[i] };
    }
    return r;
}

static void *fake_metadata(const struct fake *f, struct arena *a)
{
    struct kafka_metadata_res *r = arena_new(a, struct kafka_metadata_res);
    r->brokers.v = arena_array(a, f->brokers_n, sizeof(*r->brokers.v));
    for (size_t i = 0; i < f->brokers_n; i++) {
        const struct fake_broker *b = &f->brokers[i];
        if (b->gone || b->fenced) continue;
        r->brokers.v[r->brokers.n++] = (struct kafka_metadata_broker){
            .node_id = b->id,
            .port = b->port,
            .host = str_c(b->advertised ? b->advertised : b->host)
        };
    }
    r->topics.v = arena_array(a, ARRAY_LEN(f->topics), sizeof(*r->topics.v));
    for (size_t i = 0; i < ARRAY_LEN(f->topics) && f->topics[i].name; i++) {
        struct kafka_metadata_topic *t = &r->topics.v[r->topics.n++];
        t->name = str_c(f->topics[i].name);
        t->partitions.v = arena_array(a, 4, sizeof(*t->partitions.v));
        for (int k = 0; k < 4 && f->topics[i].leaders[k]; k++) {
            struct kafka_metadata_partition *p = &t->partitions.v[t->partitions.n++];
            p->partition_index = k;
            p->leader_id = f->topics[i].leaders[k];
            p->error_code = p->leader_id < 0 ? 5 : 0;
            p->replica_nodes.v = arena_array(a, 1, sizeof(int32_t));
            p->replica_nodes.v[0] = p->leader_id < 0 ? 9 : p->leader_id;
            p->replica_nodes.n = 1;
            p->isr_nodes = p->replica_nodes;
        }
    }
    return r;
}

static void *fake_cluster(const struct fake *f, struct arena *a)
{
    struct kafka_describe_cluster_res *r = arena_new(a, struct kafka_describe_cluster_res);
    r->brokers.v = arena_array(a, f->brokers_n, sizeof(*r->brokers.v));
    for (size_t i = 0; i < f->brokers_n; i++) {
        const struct fake_broker *b = &f->brokers[i];
        if (b->gone) continue;
        r->brokers.v[r->brokers.n++] = (struct kafka_cluster_broker){
            b->id, b->port, str_c(b->host), { NULL, 0 }, b->fenced
        };
    }
    return r;
}

static const struct fake_group *fake_group(const struct fake *f, struct str id)
{
    for (size_t i = 0; i < ARRAY_LEN(f->groups) && f->groups[i].id; i++) {
        if (str_eqc(id, f->groups[i].id)) return &f->groups[i];
    }
    return NULL;
}

static void *fake_list(const struct fake *f, const struct fake_broker *b, struct arena *a)
{
    struct kafka_list_groups_res *r = arena_new(a, struct kafka_list_groups_res);
    r->groups.v = arena_array(a, ARRAY_LEN(f->groups), sizeof(*r->groups.v));
    for (size_t i = 0; i < ARRAY_LEN(f->groups) && f->groups[i].id; i++) {
        const struct fake_group *g = &f->groups[i];
        if (g->coordinator != b->id && g->also_listed_by != b->id) continue;
        r->groups.v[r->groups.n++] = (struct kafka_listed_group){ str_c(g->id), STR("consumer"),
                                                                  STR("Stable"),
                                                                  fake_str(g->type) };
    }
    return r;
}

static void *fake_describe(const struct kafka_describe_groups_req *req, struct arena *a)
{
    struct kafka_describe_groups_res *r = arena_new(a, struct kafka_describe_groups_res);
    r->groups.v = arena_array(a, req->groups.n, sizeof(*r->groups.v));
    KARRAY_FOR(id, &req->groups)
    {
        struct kafka_described_group *g = &r->groups.v[r->groups.n++];
        g->group_id = *id;
        g->group_state = STR("Stable");
        g->protocol_type = STR("consumer");
        g->members.v = arena_array(a, 1, sizeof(*g->members.v));
        g->members.n = 1;
    }
    return r;
}

static void *fake_consumers(const struct kafka_describe_groups_req *req, struct arena *a)
{
    struct kafka_consumer_group_describe_res *r = arena_new(
        a, struct kafka_consumer_group_describe_res);
    r->groups.v = arena_array(a, req->groups.n, sizeof(*r->groups.v));
    KARRAY_FOR(id, &req->groups)
    {
        struct kafka_consumer_group *g = &r->groups.v[r->groups.n++];
        g->group_id = *id;
        g->group_state = STR("Stable");
        g->members.v = arena_array(a, 2, sizeof(*g->members.v));
        g->members.n = 2;
    }
    return r;
}

static kafka_offset_fetch_topics fake_commits(const struct fake_group *g, struct arena *a)
{
    kafka_offset_fetch_topics list = { arena_array(a, 4, sizeof(*list.v)), 0 };
    for (size_t i = 0; g && i < 4 && g->commits[i].topic; i++) {
        struct kafka_offset_fetch_topic *t = &list.v[list.n++];
        t->name = str_c(g->commits[i].topic);
        t->partitions.v = arena_array(a, 1, sizeof(*t->partitions.v));
        t->partitions.n = 1;
        t->partitions.v[0] = (struct kafka_offset_fetch_partition){ g->commits[i].partition,
                                                                    g->commits[i].offset, -1,
                                                                    STR(""), 0 };
    }
    return list;
}

static void *fake_fetch(const struct fake *f, const struct kafka_offset_fetch_req *req,
                        struct arena *a)
{
    struct kafka_offset_fetch_res *r = arena_new(a, struct kafka_offset_fetch_res);
    const struct fake_group *one = fake_group(f, req->group_id);
    r->topics = fake_commits(one, a);
    r->error_code = one ? one->error : 0;
    r->groups.v = arena_array(a, req->groups.n, sizeof(*r->groups.v));
    KARRAY_FOR(it, &req->groups)
    {
        const struct fake_group *g = fake_group(f, it->group_id);
        r->groups.v[r->groups.n++] = (struct kafka_offset_fetch_group){ it->group_id,
                                                                        fake_commits(g, a),
                                                                        g ? g->error : 0 };
    }
    return r;
}

static void *fake_offsets(const struct fake *f, const struct kafka_list_offsets_req *req,
                          struct arena *a)
{
    struct kafka_list_offsets_res *r = arena_new(a, struct kafka_list_offsets_res);
    r->topics.v = arena_array(a, req->topics.n, sizeof(*r->topics.v));
    KARRAY_FOR(t, &req->topics)
    {
        struct kafka_list_offsets_topic *to = &r->topics.v[r->topics.n++];
        to->name = t->name;
        to->partitions.v = arena_array(a, t->partitions.n, sizeof(*to->partitions.v));
        int64_t high = 0;
        for (size_t i = 0; i < ARRAY_LEN(f->topics) && f->topics[i].name; i++) {
            if (str_eqc(t->name, f->topics[i].name)) high = f->topics[i].high;
        }
        KARRAY_FOR(p, &t->partitions)
        to->partitions.v[to->partitions.n++] = (struct kafka_list_offsets_partition){
            p->partition_index, 0, -1, p->timestamp == -1 ? high + p->partition_index : 1, -1
        };
    }
    return r;
}

static void *fake_dirs(struct arena *a)
{
    struct kafka_describe_log_dirs_res *r = arena_new(a, struct kafka_describe_log_dirs_res);
    r->results.v = arena_array(a, 1, sizeof(*r->results.v));
    r->results.n = 1;
    r->results.v[0] = (struct kafka_log_dirs_result){ .log_dir = STR("/data"),
                                                      .total_bytes = 1000,
                                                      .usable_bytes = 400 };
    return r;
}

static void *fake_answer(struct fake *f, const struct fake_broker *b, enum kafka_api_id api,
                         const void *req, struct arena *a)
{
    switch (api) {
    case KAFKA_API_VERSIONS: return fake_versions(b, a);
    case KAFKA_METADATA: return fake_metadata(f, a);
    case KAFKA_DESCRIBE_CLUSTER: return fake_cluster(f, a);
    case KAFKA_LIST_GROUPS: return fake_list(f, b, a);
    case KAFKA_DESCRIBE_GROUPS: return fake_describe(req, a);
    case KAFKA_CONSUMER_GROUP_DESCRIBE:
    case KAFKA_SHARE_GROUP_DESCRIBE: return fake_consumers(req, a);
    case KAFKA_OFFSET_FETCH: return fake_fetch(f, req, a);
    case KAFKA_LIST_OFFSETS: return fake_offsets(f, req, a);
    case KAFKA_DESCRIBE_LOG_DIRS: return fake_dirs(a);
    case KAFKA_API_MAX_: break;
    }
    return NULL;
}

/* ---- links and events ---- */

static void fake_event(struct fake *f, struct fake_link *l, int64_t in_ms, int kind,
                       struct buf *bytes, const char *why)
{
    ASSERT(f->events_n < FAKE_EVENTS);
    struct fake_event *e = &f->events[f->events_n++];
    *e = (struct fake_event){ .at_ms = f->now_ms + in_ms, .order = f->order++, .link = l };
    e->kind = (__typeof__(e->kind))kind;
    e->why = why;
    if (e->at_ms < l->last_at_ms) e->at_ms = l->last_at_ms;
    l->last_at_ms = e->at_ms;
    if (bytes) e->bytes = *bytes;
}

static void *fake_connect(void *ctx, const struct stream_options *o, const struct stream_events *ev,
                          void *owner)
{
    struct fake *f = ctx;
    ASSERT(f->links_n < FAKE_LINKS);
    struct fake_link *l = &f->links[f->links_n++];
    *l = (struct fake_link){ .f = f, .ev = ev, .owner = owner };
    (void)snprintf(l->address, sizeof(l->address), STR_FMT ":%u: ", STR_ARG(o->host), o->port);
    for (size_t i = 0; i < f->brokers_n; i++) {
        if (str_eqc(o->host, f->brokers[i].host) && f->brokers[i].port == o->port) {
            l->broker = &f->brokers[i];
        }
    }
    if (!l->broker || l->broker->mode == FAKE_REFUSES) {
        fake_event(f, l, 1, FAKE_END, NULL, "connection refused");
    } else if (l->broker->mode == FAKE_SWALLOWS) {
        fake_event(f, l, o->connect_timeout_ms, FAKE_END, NULL, "no connection within 2000 ms");
    } else {
        fake_event(f, l, 1, FAKE_OPEN, NULL, NULL);
    }
    return l;
}

static void fake_reply(struct fake_link *l, enum kafka_api_id api, int16_t version,
                       int32_t correlation, const void *req, struct arena *a)
{
    struct fake *f = l->f;
    const struct fake_broker *b = l->broker;
    struct buf out = { 0 };
    char head[8] = { 0 };
    bool flexible = kafka_api_flexible(api, version);
    store_be32(head + 4, (uint32_t)correlation);
    buf_put(&out, str_make(head, 8));
    if (api == KAFKA_API_VERSIONS && version > b->most[api]) {
        buf_put(&out, str_make("\0\x23\0\0\0\0", 6)); /* UNSUPPORTED_VERSION, in version 0 */
    } else {
        if (flexible && api != KAFKA_API_VERSIONS) buf_char(&out, 0);
        kafka_fields_write(KAFKA_APIS[api].response, version, flexible,
                           fake_answer(f, b, api, req, a), &out);
    }
    store_be32(out.p, (uint32_t)(out.n - 4));
    bool slow = b->mode == FAKE_SLOW && (!b->on || b->on == api);
    fake_event(f, l, slow ? b->slow_ms : FAKE_RTT_MS, FAKE_DATA, &out, NULL);
}

static void fake_request(struct fake_link *l, struct str frame)
{
    struct fake *f = l->f;
    enum kafka_api_id api = 0;
    while (KAFKA_APIS[api].key != (int16_t)load_be16(frame.p)) api++;
    int16_t version = (int16_t)load_be16(frame.p + 2);
    int32_t correlation = (int32_t)load_be32(frame.p + 4);
    bool flexible = kafka_api_flexible(api, version);
    struct str in = str_from(frame, 10U + load_be16(frame.p + 8) + (flexible ? 1 : 0));
    ARENA(a, 0);
    void *req = arena_alloc(&a, KAFKA_APIS[api].request->size);
    ASSERT(kafka_fields_read(KAFKA_APIS[api].request, version, flexible, &in, &a, req) == OK);
    const struct kafka_list_offsets_req *lo = req;
    ASSERT(f->log_n < FAKE_LOG);
    f->log[f->log_n++] = (struct fake_request){ l->broker->id, api, version, f->now_ms,
                                                api == KAFKA_LIST_OFFSETS
                                                    ? lo->topics.v[0].partitions.v[0].timestamp
                                                    : 0 };
    if (l->broker->mode == FAKE_SILENT_ON && l->broker->on == api) l->deaf = true;
    if (l->deaf) return;
    if (l->broker->mode == FAKE_SAYS && l->broker->on == api) {
        struct buf says = { 0 };
        buf_put(&says, l->broker->says);
        fake_event(f, l, FAKE_RTT_MS, FAKE_DATA, &says, NULL);
        fake_event(f, l, FAKE_RTT_MS + 1, FAKE_END, NULL, "peer closed the connection");
        l->deaf = true;
        return;
    }
    fake_reply(l, api, version, correlation, req, &a);
}

static void fake_write(void *link, struct str bytes)
{
    struct fake_link *l = link;
    struct str frame;
    buf_put(&l->out, bytes);
    while (kafka_frame_peek(buf_str(&l->out), 1 << 20, &frame) == OK) {
        fake_request(l, frame);
        buf_drop(&l->out, 4 + frame.n);
    }
}

static struct str fake_input(void *link) { return buf_str(&((struct fake_link *)link)->in); }
static void fake_consume(void *link, size_t n) { buf_drop(&((struct fake_link *)link)->in, n); }
static void fake_close(void *link) { ((struct fake_link *)link)->closed = true; }
static int64_t fake_now(void *ctx) { return ((struct fake *)ctx)->now_ms; }
static void fake_wake(void *ctx, int64_t at)
{
    struct fake *f = ctx;
    if (at < f->wake_ms) f->wake_ms = at;
}

static void fake_deliver(struct fake *f, size_t at)
{
    struct fake_event e = f->events[at];
    f->events[at] = f->events[--f->events_n];
    struct fake_link *l = e.link;
    if (e.at_ms > f->now_ms) f->now_ms = e.at_ms;
    if (!l->closed && e.kind == FAKE_OPEN) l->ev->on_open(l->owner);
    if (!l->closed && e.kind == FAKE_DATA) {
        buf_put(&l->in, buf_str(&e.bytes));
        l->ev->on_data(l->owner);
    }
    if (!l->closed && e.kind == FAKE_END) {
        struct diag d = { 0 };
        l->closed = true;
        enum err code = diag_set(&d, ERR_SYS, "%s%s", l->address, e.why);
        l->ev->on_close(l->owner, code, &d);
    }
    buf_done(&e.bytes);
}

/* The next thing that happens, up to `until`. */
static bool fake_step(struct fake *f, int64_t until)
{
    size_t first = f->events_n;
    for (size_t i = 0; i < f->events_n; i++) {
        if (first == f->events_n || f->events[i].at_ms < f->events[first].at_ms ||
            (f->events[i].at_ms == f->events[first].at_ms &&
             f->events[i].order < f->events[first].order)) {
            first = i;
        }
    }
    if (first < f->events_n && f->events[first].at_ms <= f->wake_ms) {
        if (f->events[first].at_ms > until) return false;
        fake_deliver(f, first);
        return true;
    }
    if (f->wake_ms > until) return false;
    if (f->wake_ms > f->now_ms) f->now_ms = f->wake_ms;
    f->wake_ms = INT64_MAX;
    fake_wake(f, kafka_collector_tick(f->c, f->now_ms));
    return true;
}

/* ---- what tests use ---- */

static void fake_on_publish(void *ctx, const struct kafka_snapshot *s)
{
    (void)s;
    ((struct fake *)ctx)->published++;
}

static struct fake *fake_new(size_t brokers)
{
    static const char *const HOSTS[] = { "k1", "k2", "k3", "k4" };
    struct fake *f = calloc(1, sizeof(*f));
    ASSERT(f && brokers <= FAKE_BROKERS);
    f->net = (struct kafka_net){ f,          fake_connect, fake_write, fake_input, fake_consume,
                                 fake_close, fake_now,     fake_wake };
    f->wake_ms = INT64_MAX;
    f->brokers_n = brokers;
    for (size_t i = 0; i < brokers; i++) {
        f->brokers[i] = (struct fake_broker){ .id = (int32_t)i + 1,
                                              .host = HOSTS[i],
                                              .port = 9092 };
        for (size_t k = 0; k < KAFKA_API_MAX_; k++) f->brokers[i].most[k] = KAFKA_APIS[k].max;
    }
    return f;
}

static void fake_start(struct fake *f, const char *server)
{
    struct str servers[] = { str_c(server), STR("k1:9092") };
    struct kafka_collector_options o = { .servers = servers,
                                         .servers_n = server ? 1 : 2,
                                         .interval_ms = 10000,
                                         .log_dirs_ms = 30000,
                                         .connect_timeout_ms = 2000,
                                         .request_timeout_ms = 5000,
                                         .response_max = 1 << 20,
                                         .client_id = STR("test"),
                                         .on_publish = fake_on_publish,
                                         .ctx = f };
    struct diag d;
    if (!server) {
        o.servers = servers + 1;
        o.servers_n = 1;
    }
    ASSERT(kafka_collector_start(&f->net, &o, &f->c, &d) == OK);
}

/* Turns the clock until one more snapshot is out, which the caller unrefs. */
static const struct kafka_snapshot *fake_cycle(struct fake *f)
{
    size_t before = f->published;
    while (f->published == before) ASSERT(fake_step(f, f->now_ms + 60000));
    return kafka_collector_snapshot(f->c);
}

static void fake_free(struct fake *f)
{
    kafka_collector_stop(f->c);
    for (size_t i = 0; i < f->links_n; i++) {
        ASSERT(f->links[i].closed);
        buf_done(&f->links[i].in);
        buf_done(&f->links[i].out);
    }
    for (size_t i = 0; i < f->events_n; i++) buf_done(&f->events[i].bytes);
    free(f);
}

static size_t fake_count(const struct fake *f, int32_t broker, enum kafka_api_id api)
{
    size_t n = 0;
    for (size_t i = 0; i < f->log_n; i++) {
        n += (!broker || f->log[i].broker == broker) && f->log[i].api == api;
    }
    return n;
}

#endif
