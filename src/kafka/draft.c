/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/draft.h"

#include "base/assert.h"
#include "kafka/assignment.h"
#include "kafka/error.h"

#include <stdlib.h>

void kafka_draft_init(struct kafka_draft *x, const struct kafka_filter *filter)
{
    *x = (struct kafka_draft){ .filter = *filter, .snap = kafka_snapshot_new() };
}

void kafka_draft_done(struct kafka_draft *x)
{
    map_done(&x->by_name);
    map_done(&x->by_id);
    kafka_snapshot_unref(x->snap);
    *x = (struct kafka_draft){ 0 };
}

static struct arena *mem(struct kafka_draft *x) { return &x->snap->arena; }

/* Indexes as map values: never NULL. */
static void *boxed(size_t index) { return (void *)(uintptr_t)(index + 1); }
static bool unboxed(void *value, size_t *index)
{
    if (!value) return false;
    *index = (size_t)(uintptr_t)value - 1;
    return true;
}

/* ---- error codes of one answer, told as one sentence ---- */

struct tally {
    int16_t code;
    size_t n;
    struct str first; /* what it was about, borrowed */
};

static void tally_add(struct tally *t, int16_t code, struct str about)
{
    if (!code) return;
    if (!t->n) *t = (struct tally){ code, 0, about };
    t->n++;
}

static enum err tally_say(const struct tally *t, const char *request, struct diag *d)
{
    if (!t->n) return OK;
    const char *name = kafka_error_name(t->code);
    enum err e = t->code == 29 || t->code == 30 || t->code == 31 ? ERR_DENIED : ERR_MISSING;
    const char *hint = t->code == 29   ? " (this user lacks DESCRIBE on the topic)"
                       : t->code == 30 ? " (this user lacks DESCRIBE on the group)"
                       : t->code == 31 ? " (this user lacks DESCRIBE on the cluster)"
                                       : "";
    struct diag code = { 0 };
    (void)diag_set(&code, OK, "error %d", t->code);
    if (!t->first.n) {
        return diag_set(d, e, "%s was answered with %s%s", request, name ? name : code.text, hint);
    }
    return diag_set(d, e, "%s was answered with %s for " STR_FMT "%s%s", request,
                    name ? name : code.text, STR_ARG(str_first(t->first, 100)),
                    t->n > 1 ? " and others" : "", hint);
}

/* ---- Metadata ---- */

static int by_index(const void *a, const void *b)
{
    const struct kafka_partition *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

static int by_name(const void *a, const void *b)
{
    const struct kafka_topic *x = a, *y = b;
    return str_cmp(x->name, y->name);
}

static int by_broker(const void *a, const void *b)
{
    const struct kafka_broker *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static struct kafka_partition partition_of(const struct kafka_metadata_partition *p)
{
    return (struct kafka_partition){
        .index = p->partition_index,
        .leader = p->leader_id,
        .preferred = p->replica_nodes.n ? p->replica_nodes.v[0] : -1,
        .replicas = (int32_t)p->replica_nodes.n,
        .in_sync = (int32_t)p->isr_nodes.n,
        .offline = (int32_t)p->offline_replicas.n,
        .error = p->error_code,
        .high = KAFKA_UNKNOWN,
        .low = KAFKA_UNKNOWN,
    };
}

static void keep_offsets_leaders(struct kafka_draft *x, const struct kafka_topic *t)
{
    if (!str_eqc(t->name, "__consumer_offsets")) return;
    x->offsets_led_n = t->partitions_n;
    x->offsets_led = arena_array(mem(x), t->partitions_n, sizeof(*x->offsets_led));
    for (size_t i = 0; i < t->partitions_n; i++) x->offsets_led[i] = t->partitions[i].leader;
}

static struct kafka_topic topic_of(struct kafka_draft *x, const struct kafka_metadata_topic *in)
{
    struct kafka_partition *v = arena_array(mem(x), in->partitions.n, sizeof(*v));
    for (size_t i = 0; i < in->partitions.n; i++) v[i] = partition_of(&in->partitions.v[i]);
    qsort(v, in->partitions.n, sizeof(*v), by_index);
    return (struct kafka_topic){ .name = arena_dup(mem(x), in->name),
                                 .internal = in->is_internal,
                                 .error = in->error_code,
                                 .partitions = v,
                                 .partitions_n = in->partitions.n };
}

static void lay_out_topics(struct kafka_draft *x, const struct kafka_metadata_res *res)
{
    struct kafka_topic *v = arena_array(mem(x), res->topics.n, sizeof(*v));
    size_t n = 0;
    KARRAY_FOR(it, &res->topics)
    {
        bool wanted = !x->filter.want_topic || x->filter.want_topic(x->filter.ctx, it->name);
        if (!wanted && !str_eqc(it->name, "__consumer_offsets")) continue;
        struct kafka_topic t = topic_of(x, it);
        keep_offsets_leaders(x, &t);
        if (wanted) v[n++] = t;
    }
    if (n) qsort(v, n, sizeof(*v), by_name);
    for (size_t i = 0; i < n; i++) (void)map_put(&x->by_name, v[i].name, boxed(i));
    x->topics = v;
    x->snap->topics = v;
    x->snap->topics_n = n;
}

enum err kafka_draft_metadata(struct kafka_draft *x, const struct kafka_metadata_res *res,
                              struct diag *d)
{
    struct tally t = { 0 };
    tally_add(&t, res->error_code, STR(""));
    TRY(tally_say(&t, "Metadata", d));
    if (!res->brokers.n) {
        return diag_set(d, ERR_AGAIN, "Metadata names no broker yet: it is still starting");
    }
    struct kafka_broker *v = arena_array(mem(x), res->brokers.n, sizeof(*v));
    for (size_t i = 0; i < res->brokers.n; i++) {
        const struct kafka_metadata_broker *b = &res->brokers.v[i];
        v[i] = (struct kafka_broker){ .id = b->node_id,
                                      .host = arena_dup(mem(x), b->host),
                                      .rack = arena_dup(mem(x), b->rack),
                                      .port = (uint16_t)b->port };
    }
    qsort(v, res->brokers.n, sizeof(*v), by_broker);
    x->snap->brokers = v;
    x->snap->brokers_n = res->brokers.n;
    x->snap->cluster_id = arena_dup(mem(x), res->cluster_id);
    x->snap->controller = res->controller_id;
    lay_out_topics(x, res);
    return OK;
}

/* ---- groups ---- */

static const struct {
    const char *name;
    enum kafka_group_type type;
} TYPES[] = {
    { "", KAFKA_GROUP_CLASSIC }, /* before ListGroups 5 there was no other */
    { "classic", KAFKA_GROUP_CLASSIC }, { "consumer", KAFKA_GROUP_CONSUMER },
    { "share", KAFKA_GROUP_SHARE },     { "streams", KAFKA_GROUP_STREAMS },
};

static enum kafka_group_type type_of(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(TYPES); i++) {
        if (str_ieq(name, str_c(TYPES[i].name))) return TYPES[i].type;
    }
    return KAFKA_GROUP_OTHER;
}

static struct draft_group *find_group(struct kafka_draft *x, struct str id)
{
    size_t i;
    return unboxed(map_get(&x->by_id, id), &i) ? &x->groups.v[i] : NULL;
}

/* The group, if it is this broker's to tell about. */
static struct draft_group *group_of(struct kafka_draft *x, struct str id, int32_t broker)
{
    struct draft_group *g = find_group(x, id);
    return g && g->g.coordinator == broker ? g : NULL;
}

static bool is_coordinator(const struct kafka_draft *x, struct str id, int32_t broker)
{
    int32_t p = kafka_group_partition(id, (int32_t)x->offsets_led_n);
    return p >= 0 && x->offsets_led[p] == broker;
}

static void add_group(struct kafka_draft *x, int32_t broker, const struct kafka_listed_group *in)
{
    struct draft_group *g = find_group(x, in->group_id);
    if (g) {
        x->snap->duplicate_groups++;
        if (!is_coordinator(x, in->group_id, broker)) return;
        struct str id = g->g.id;
        *g = (struct draft_group){ .g.id = id }; /* what the other one said is void */
    } else {
        size_t at = x->groups.n;
        g = vec_push(mem(x), &x->groups);
        g->g.id = arena_dup(mem(x), in->group_id);
        (void)map_put(&x->by_id, g->g.id, boxed(at));
    }
    g->g.state = arena_dup(mem(x), in->group_state);
    g->g.protocol_type = arena_dup(mem(x), in->protocol_type);
    g->g.type = type_of(in->group_type);
    g->g.coordinator = broker;
    g->g.members = KAFKA_UNKNOWN;
}

enum err kafka_draft_listed(struct kafka_draft *x, int32_t broker,
                            const struct kafka_list_groups_res *res, struct diag *d)
{
    KARRAY_FOR(it, &res->groups)
    {
        if (!x->filter.want_group || x->filter.want_group(x->filter.ctx, it->group_id)) {
            add_group(x, broker, it);
        }
    }
    struct tally t = { 0 };
    tally_add(&t, res->error_code, STR(""));
    return tally_say(&t, "ListGroups", d);
}

static bool asked_for(const struct kafka_group *g, enum draft_ask kind)
{
    switch (kind) {
    case DRAFT_ASK_CLASSIC: return g->type == KAFKA_GROUP_CLASSIC;
    case DRAFT_ASK_CONSUMER: return g->type == KAFKA_GROUP_CONSUMER;
    case DRAFT_ASK_SHARE: return g->type == KAFKA_GROUP_SHARE;
    case DRAFT_ASK_OFFSETS: return g->type != KAFKA_GROUP_SHARE; /* it commits nothing */
    }
    return false;
}

bool kafka_draft_groups(struct kafka_draft *x, int32_t broker, enum draft_ask kind, size_t max,
                        size_t *at, struct arena *a, kafka_strs *out)
{
    VEC(struct str) ids = { 0 };
    for (; *at < x->groups.n && ids.n < max; ++*at) {
        const struct kafka_group *g = &x->groups.v[*at].g;
        if (g->coordinator == broker && asked_for(g, kind)) *vec_push(a, &ids) = g->id;
    }
    *out = (kafka_strs){ ids.v, ids.n };
    return ids.n > 0;
}

/* The pair's place in the group, or NULL for a topic or partition that no filter wants or that is gone. */
static struct kafka_commit *add_commit(struct kafka_draft *x, struct draft_group *g,
                                       struct str topic, int32_t partition)
{
    size_t t;
    if (!unboxed(map_get(&x->by_name, topic), &t)) return NULL;
    size_t p = kafka_topic_partition(&x->topics[t], partition);
    if (p == STR_NONE) return NULL;
    struct kafka_commit *c = vec_push(mem(x), &g->commits);
    *c = (struct kafka_commit){ .topic = (uint32_t)t, .partition = (uint32_t)p, .offset = -1 };
    return c;
}

static void add_assigned(struct kafka_draft *x, struct draft_group *g, struct str topic,
                         const int32_t *partitions, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct kafka_commit *c = add_commit(x, g, topic, partitions[i]);
        if (c) c->assigned = true;
    }
}

static void add_member(struct kafka_draft *x, struct draft_group *g, struct str assignment)
{
    ARENA(scratch, 0);
    kafka_assigned_list list;
    /* Another protocol's bytes may stand here; then the assignment is not known, and nothing is wrong. */
    if (kafka_assignment_read(assignment, &scratch, &list) != OK) return;
    KARRAY_FOR(it, &list) add_assigned(x, g, it->topic, it->partitions.v, it->partitions.n);
}

enum err kafka_draft_described(struct kafka_draft *x, int32_t broker,
                               const struct kafka_describe_groups_res *res, struct diag *d)
{
    struct tally t = { 0 };
    KARRAY_FOR(it, &res->groups)
    {
        struct draft_group *g = group_of(x, it->group_id, broker);
        if (it->error_code) tally_add(&t, it->error_code, it->group_id);
        if (!g || it->error_code) continue;
        g->g.state = arena_dup(mem(x), it->group_state);
        g->g.members = (int64_t)it->members.n;
        bool consumer = str_eqc(it->protocol_type, "consumer");
        KARRAY_FOR(m, &it->members)
        {
            if (consumer) add_member(x, g, m->member_assignment);
        }
    }
    return tally_say(&t, "DescribeGroups", d);
}

enum err kafka_draft_consumers(struct kafka_draft *x, int32_t broker,
                               const struct kafka_consumer_group_describe_res *res, struct diag *d)
{
    struct tally t = { 0 };
    KARRAY_FOR(it, &res->groups)
    {
        struct draft_group *g = group_of(x, it->group_id, broker);
        if (it->error_code) tally_add(&t, it->error_code, it->group_id);
        if (!g || it->error_code) continue;
        g->g.state = arena_dup(mem(x), it->group_state);
        g->g.members = (int64_t)it->members.n;
        KARRAY_FOR(m, &it->members)
        {
            KARRAY_FOR(tp, &m->assignment.topic_partitions)
            add_assigned(x, g, tp->topic_name, tp->partitions.v, tp->partitions.n);
        }
    }
    return tally_say(&t, "ConsumerGroupDescribe", d);
}

static void take_commits(struct kafka_draft *x, struct draft_group *g,
                         const kafka_offset_fetch_topics *topics, struct tally *t)
{
    KARRAY_FOR(topic, topics)
    {
        KARRAY_FOR(p, &topic->partitions)
        {
            tally_add(t, p->error_code, topic->name);
            if (p->error_code || p->committed_offset < 0) continue;
            struct kafka_commit *c = add_commit(x, g, topic->name, p->partition_index);
            if (c) c->offset = p->committed_offset;
        }
    }
}

enum err kafka_draft_committed(struct kafka_draft *x, int32_t broker, struct str group,
                               const struct kafka_offset_fetch_res *res, struct diag *d)
{
    struct tally t = { 0 };
    struct draft_group *g = group.n ? group_of(x, group, broker) : NULL;
    tally_add(&t, res->error_code, group);
    if (g && !res->error_code) {
        take_commits(x, g, &res->topics, &t);
        g->g.offsets_known = true;
    }
    KARRAY_FOR(it, &res->groups)
    {
        tally_add(&t, it->error_code, it->group_id);
        g = group_of(x, it->group_id, broker);
        if (!g || it->error_code) continue;
        take_commits(x, g, &it->topics, &t);
        g->g.offsets_known = true;
    }
    return tally_say(&t, "OffsetFetch", d);
}

/* ---- offsets of partitions ---- */

static size_t led_in_topic(const struct kafka_topic *t, int32_t leader, size_t max, int64_t when,
                           size_t *at, struct kafka_list_offsets_req_partition *out)
{
    size_t n = 0;
    for (; *at < t->partitions_n && n < max; ++*at) {
        if (t->partitions[*at].leader != leader) continue;
        out[n++] = (struct kafka_list_offsets_req_partition){ t->partitions[*at].index, -1, when };
    }
    return n;
}

bool kafka_draft_led(struct kafka_draft *x, int32_t leader, size_t max, int64_t timestamp,
                     struct draft_cursor *at, struct arena *a, struct kafka_list_offsets_req *out)
{
    VEC(struct kafka_list_offsets_req_topic) topics = { 0 };
    size_t total = 0;
    while (at->topic < x->snap->topics_n && total < max) {
        const struct kafka_topic *t = &x->topics[at->topic];
        size_t room = t->partitions_n - at->partition;
        struct kafka_list_offsets_req_partition *v = arena_array(a, room, sizeof(*v));
        size_t n = led_in_topic(t, leader, max - total, timestamp, &at->partition, v);
        if (n) {
            struct kafka_list_offsets_req_topic *to = vec_push(a, &topics);
            to->name = t->name;
            to->partitions.v = v;
            to->partitions.n = n;
            total += n;
        }
        if (at->partition < t->partitions_n) break;
        at->topic++;
        at->partition = 0;
    }
    *out = (struct kafka_list_offsets_req){ .replica_id = -1, .timeout_ms = 5000 };
    out->topics.v = topics.v;
    out->topics.n = topics.n;
    return total > 0;
}

enum err kafka_draft_offsets(struct kafka_draft *x, const struct kafka_list_offsets_res *res,
                             bool latest, struct diag *d)
{
    struct tally t = { 0 };
    KARRAY_FOR(topic, &res->topics)
    {
        size_t i;
        if (!unboxed(map_get(&x->by_name, topic->name), &i)) continue;
        KARRAY_FOR(p, &topic->partitions)
        {
            size_t k = kafka_topic_partition(&x->topics[i], p->partition_index);
            if (k == STR_NONE) continue;
            struct kafka_partition *to = (struct kafka_partition *)(uintptr_t)&x->topics[i]
                                             .partitions[k];
            tally_add(&t, p->error_code, topic->name);
            if (p->error_code) {
                to->error = p->error_code;
            } else if (latest) {
                to->high = p->offset;
            } else {
                to->low = p->offset;
            }
        }
    }
    return tally_say(&t, "ListOffsets", d);
}

/* ---- the end ---- */

static int by_pair(const void *a, const void *b)
{
    const struct kafka_commit *x = a, *y = b;
    if (x->topic != y->topic) return x->topic < y->topic ? -1 : 1;
    return (x->partition > y->partition) - (x->partition < y->partition);
}

/* Sorts, and makes one of the two that one pair may have: what is assigned and what is committed. */
static void settle_commits(struct draft_group *g)
{
    struct kafka_commit *v = g->commits.v;
    size_t n = 0;
    if (g->commits.n) qsort(v, g->commits.n, sizeof(*v), by_pair);
    for (size_t i = 0; i < g->commits.n; i++) {
        if (n && by_pair(&v[n - 1], &v[i]) == 0) {
            v[n - 1].assigned |= v[i].assigned;
            if (v[i].offset >= 0) v[n - 1].offset = v[i].offset;
        } else {
            v[n++] = v[i];
        }
    }
    g->g.commits = v;
    g->g.commits_n = n;
}

static int by_id(const void *a, const void *b)
{
    const struct kafka_group *x = a, *y = b;
    return str_cmp(x->id, y->id);
}

struct kafka_snapshot *kafka_draft_take(struct kafka_draft *x)
{
    size_t n = x->groups.n;
    struct kafka_group *v = arena_array(mem(x), n, sizeof(*v));
    for (size_t i = 0; i < n; i++) {
        settle_commits(&x->groups.v[i]);
        v[i] = x->groups.v[i].g;
    }
    if (n) qsort(v, n, sizeof(*v), by_id);
    x->snap->groups = v;
    x->snap->groups_n = n;
    return TAKE(x->snap);
}
