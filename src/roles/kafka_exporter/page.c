/* SPDX-License-Identifier: Apache-2.0 */
#include "roles/kafka_exporter/page.h"

#include "base/assert.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "codec/num.h"
#include "io/proc.h"

#include <stdlib.h>

enum { LABELS_MAX = 8 /* of a family, without constant ones */ };

/* A family's own labels, with the constant ones sorted in; slot[i] is where the family's i-th label stands. */
struct shape {
    struct expo_label labels[PAGE_CONST_MAX + LABELS_MAX];
    size_t n, slot[LABELS_MAX];
};

struct page {
    struct buf *b;
    const struct page_options *o;
    const struct kafka_snapshot *s;
    struct arena a; /* names made fit for the text, numbers as text */
    struct str *topics, *groups;
    struct str family;
    const char *help, *type; /* of the family, until its first sample is written */
    struct shape shape;
    struct str partition_text[256];
};

/* ---- labels ---- */

static bool label_name(struct str s)
{
    if (!s.n || (s.p[0] >= '0' && s.p[0] <= '9') || str_starts(s, STR("__"))) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_';
        if (!ok) return false;
    }
    return true;
}

static const char *const OURS[] = { "address", "api",       "broker", "consumergroup", "id",
                                    "log_dir", "partition", "state",  "topic" };

static int by_name(const void *a, const void *b)
{
    const struct expo_label *x = a, *y = b;
    return str_cmp(x->name, y->name);
}

static enum err add_label(struct page_options *o, struct str name, struct str value, struct diag *d)
{
    if (!label_name(name)) {
        return diag_set(d, ERR_SYNTAX, "kafka.labels: \"" STR_FMT "\" is not a label name",
                        STR_ARG(name));
    }
    for (size_t i = 0; i < ARRAY_LEN(OURS); i++) {
        if (str_eqc(name, OURS[i])) {
            return diag_set(d, ERR_EXISTS,
                            "kafka.labels: label \"%s\" is one that the metrics have themselves",
                            OURS[i]);
        }
    }
    size_t at = 0;
    while (at < o->constant_n && !str_eq(o->constant[at].name, name)) at++;
    if (at == PAGE_CONST_MAX) {
        return diag_set(d, ERR_LIMIT, "kafka.labels: more than %d labels", PAGE_CONST_MAX);
    }
    o->constant[at] = (struct expo_label){ name, value };
    if (at == o->constant_n) o->constant_n++;
    return OK;
}

enum err page_labels(struct str text, struct page_options *out, struct diag *d)
{
    struct str item, rest = text;
    while (rest.n) {
        struct str name, value, more;
        (void)str_cut(rest, ',', &item, &rest);
        if (!str_cut(item, '=', &name, &value)) continue;
        (void)str_cut(value, '=', &value, &more);
        TRY(add_label(out, name, value, d));
    }
    qsort(out->constant, out->constant_n, sizeof(out->constant[0]), by_name);
    return OK;
}

/* ---- writing ---- */

/* Label names in the order in which values will be given; NULL ends. A family without samples is not written. */
static void family(struct page *p, const char *name, const char *type, const char *help,
                   const char *const *labels)
{
    struct shape *sh = &p->shape;
    size_t own = 0;
    p->family = str_c(name);
    p->help = help;
    p->type = type;
    sh->n = p->o->constant_n;
    memcpy(sh->labels, p->o->constant, sh->n * sizeof(sh->labels[0]));
    for (; labels && labels[own]; own++) {
        sh->labels[sh->n++] = (struct expo_label){ .name = str_c(labels[own]) };
    }
    qsort(sh->labels, sh->n, sizeof(sh->labels[0]), by_name);
    for (size_t i = 0; i < own; i++) {
        for (size_t k = 0; k < sh->n; k++) {
            if (str_eqc(sh->labels[k].name, labels[i])) sh->slot[i] = k;
        }
    }
}

static void sample(struct page *p, const struct str *values, size_t n, double v)
{
    if (p->help) expo_family(p->b, p->family, str_c(p->help), p->type);
    p->help = NULL;
    for (size_t i = 0; i < n; i++) p->shape.labels[p->shape.slot[i]].value = values[i];
    expo_sample(p->b, p->family, p->shape.labels, p->shape.n, v);
}

#define SAMPLE(p, v, ...)                                                                          \
    do {                                                                                           \
        const struct str values_[] = { __VA_ARGS__ };                                              \
        sample((p), values_, ARRAY_LEN(values_), (double)(v));                                     \
    } while (0)
#define LABELS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static struct str number(struct page *p, int64_t v)
{
    BUF(b, 32);
    num_write_i64(&b, v);
    return arena_dup(&p->a, buf_str(&b));
}

/* A partition's number; the small ones, nearly all, are made once a page. */
static struct str partition(struct page *p, int32_t index)
{
    if (index < 0 || (size_t)index >= ARRAY_LEN(p->partition_text)) return number(p, index);
    struct str *s = &p->partition_text[index];
    if (!s->n) *s = number(p, index);
    return *s;
}

/* Kafka's names may hold any byte, the text format only UTF-8. */
static struct str fit(struct page *p, struct str s)
{
    if (utf8_valid(s)) return s;
    BUF(b, 0);
    while (s.n) utf8_put(&b, utf8_next(&s));
    return arena_dup(&p->a, buf_str(&b));
}

/* ---- brokers ---- */

static struct str address(struct page *p, const struct kafka_broker *b)
{
    bool v6 = str_find_char(b->host, ':') != STR_NONE;
    return fit(
        p, arena_fmt(&p->a, v6 ? "[" STR_FMT "]:%u" : STR_FMT ":%u", STR_ARG(b->host), b->port));
}

static void write_brokers(struct page *p)
{
    const struct kafka_snapshot *s = p->s;
    size_t listed = 0;
    family(p, "kafka_broker_info", "gauge", "Information about the Kafka Broker.",
           LABELS("address", "id"));
    for (size_t i = 0; i < s->brokers_n; i++) {
        if (s->brokers[i].fenced) continue;
        SAMPLE(p, 1, address(p, &s->brokers[i]), number(p, s->brokers[i].id));
        listed++;
    }
    family(p, "kafka_broker_up", "gauge",
           "1 if the broker answered in the newest cycle of requests, 0 if not.", LABELS("broker"));
    for (size_t i = 0; i < s->brokers_n; i++) {
        SAMPLE(p, s->brokers[i].up, number(p, s->brokers[i].id));
    }
    family(p, "kafka_brokers", "gauge", "Number of Brokers in the Kafka Cluster.", NULL);
    sample(p, NULL, 0, s->reachable ? (double)listed : 0);
}

static void write_log_dirs(struct page *p)
{
    const struct kafka_snapshot *s = p->s;
    for (int limit = 0; limit < 2; limit++) {
        if (limit) {
            family(p, "kafka_log_size_limit_bytes", "gauge",
                   "Size of the volume that holds a log dir of a broker.",
                   LABELS("broker", "log_dir"));
        } else {
            family(p, "kafka_log_size_bytes", "gauge",
                   "Used bytes of the volume that holds a log dir of a broker.",
                   LABELS("broker", "log_dir"));
        }
        for (size_t i = 0; i < s->brokers_n; i++) {
            const struct kafka_broker *b = &s->brokers[i];
            for (size_t k = 0; k < b->dirs_n; k++) {
                const struct kafka_log_dir *dir = &b->dirs[k];
                if (dir->total_bytes == KAFKA_UNKNOWN) continue;
                int64_t v = limit ? dir->total_bytes : dir->total_bytes - dir->usable_bytes;
                SAMPLE(p, v, number(p, b->id), fit(p, dir->path));
            }
        }
    }
}

/* ---- groups ---- */

/* One topic of one group, as the original asks for it. */
struct consumed {
    const struct kafka_group *g;
    uint32_t topic;
    const struct kafka_commit *v; /* of this topic */
    size_t n;
    bool assigned_only;
};

/*
 * The commit of a partition: an offset, -1 for none, KAFKA_UNKNOWN for a partition that is not asked for. With
 * offset.show-all every partition of the topic is; without, those that living members hold, or, in a group of which
 * nobody holds any, those that have a commit.
 */
static int64_t committed(const struct consumed *c, uint32_t part, bool show_all)
{
    size_t lo = 0, hi = c->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (c->v[mid].partition < part) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    if (lo == c->n || c->v[lo].partition != part) return show_all ? -1 : KAFKA_UNKNOWN;
    if (show_all || (c->assigned_only ? c->v[lo].assigned : c->v[lo].offset >= 0)) {
        return c->v[lo].offset;
    }
    return KAFKA_UNKNOWN;
}

static int64_t lag_of(const struct kafka_partition *part, int64_t offset)
{
    if (offset < 0) return -1;
    return part->high == KAFKA_UNKNOWN ? KAFKA_UNKNOWN : part->high - offset;
}

/* What a family says of one topic of one group. */
typedef void topic_writer(struct page *p, const struct consumed *c);

static void each_partition(struct page *p, const struct consumed *c, bool lag)
{
    const struct kafka_topic *t = &p->s->topics[c->topic];
    size_t g = (size_t)(c->g - p->s->groups);
    for (uint32_t i = 0; i < t->partitions_n; i++) {
        int64_t offset = committed(c, i, p->o->show_all);
        if (offset == KAFKA_UNKNOWN) continue;
        int64_t v = lag ? lag_of(&t->partitions[i], offset) : offset;
        if (v == KAFKA_UNKNOWN) continue;
        SAMPLE(p, v, p->groups[g], partition(p, t->partitions[i].index), p->topics[c->topic]);
    }
}

static void write_offset(struct page *p, const struct consumed *c) { each_partition(p, c, false); }
static void write_lag(struct page *p, const struct consumed *c) { each_partition(p, c, true); }

/*
 * Differs: the original adds the -1 of every partition without a commit to current_offset_sum; the sum is then too small
 * by their number.
 */
static void sum(struct page *p, const struct consumed *c, bool lag)
{
    const struct kafka_topic *t = &p->s->topics[c->topic];
    int64_t total = 0;
    for (uint32_t i = 0; i < t->partitions_n; i++) {
        int64_t offset = committed(c, i, p->o->show_all);
        if (offset < 0) continue; /* none, or not asked for */
        int64_t v = lag ? lag_of(&t->partitions[i], offset) : offset;
        if (v != KAFKA_UNKNOWN) total += v;
    }
    SAMPLE(p, total, p->groups[c->g - p->s->groups], p->topics[c->topic]);
}

static void write_offset_sum(struct page *p, const struct consumed *c) { sum(p, c, false); }
static void write_lag_sum(struct page *p, const struct consumed *c) { sum(p, c, true); }

/* A topic counts as consumed when one of the partitions asked for has a commit. */
static bool consumed_at_all(const struct page *p, const struct consumed *c)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->v[i].offset >= 0 && committed(c, c->v[i].partition, p->o->show_all) >= 0) {
            return true;
        }
    }
    return false;
}

static void each_consumed(struct page *p, topic_writer *write)
{
    for (size_t i = 0; i < p->s->groups_n; i++) {
        const struct kafka_group *g = &p->s->groups[i];
        struct consumed c = { .g = g };
        if (!g->offsets_known) continue;
        for (size_t k = 0; k < g->commits_n; k++) c.assigned_only |= g->commits[k].assigned;
        for (size_t k = 0; k < g->commits_n; k += c.n) {
            c.v = &g->commits[k];
            c.topic = c.v->topic;
            for (c.n = 1; k + c.n < g->commits_n && c.v[c.n].topic == c.topic;) c.n++;
            if (consumed_at_all(p, &c)) write(p, &c);
        }
    }
}

static void write_members(struct page *p)
{
    family(p, "kafka_consumergroup_members", "gauge", "Amount of members in a consumer group",
           LABELS("consumergroup"));
    for (size_t i = 0; i < p->s->groups_n; i++) {
        if (p->s->groups[i].members != KAFKA_UNKNOWN) {
            SAMPLE(p, p->s->groups[i].members, p->groups[i]);
        }
    }
}

static void write_state(struct page *p)
{
    family(p, "kafka_consumergroup_state", "gauge",
           "1 for the state that a consumer group is in (Stable, Empty, Dead, ...).",
           LABELS("consumergroup", "state"));
    for (size_t i = 0; i < p->s->groups_n; i++) {
        if (p->s->groups[i].state.n) SAMPLE(p, 1, p->groups[i], fit(p, p->s->groups[i].state));
    }
}

/*
 * Differs: the two _sum families are of type untyped, gauge in the original: promtool takes no gauge of that name.
 * kafka_consumergroup_offset is the name that the monitoring guide uses for current_offset.
 */
static const struct {
    const char *name, *type, *help;
    bool of_partition;
    topic_writer *write;
} CONSUMED[] = {
    { "kafka_consumergroup_current_offset", "gauge",
      "Current Offset of a ConsumerGroup at Topic/Partition", true, write_offset },
    { "kafka_consumergroup_current_offset_sum", "untyped",
      "Current Offset of a ConsumerGroup at Topic for all partitions", false, write_offset_sum },
    { "kafka_consumergroup_lag", "gauge",
      "Current Approximate Lag of a ConsumerGroup at Topic/Partition", true, write_lag },
    { "kafka_consumergroup_lag_sum", "untyped",
      "Current Approximate Lag of a ConsumerGroup at Topic for all partitions", false,
      write_lag_sum },
    { "kafka_consumergroup_offset", "gauge",
      "The same as kafka_consumergroup_current_offset, under another name", true, write_offset },
};

static void write_consumed(struct page *p, size_t i)
{
    family(p, CONSUMED[i].name, CONSUMED[i].type, CONSUMED[i].help,
           CONSUMED[i].of_partition ? LABELS("consumergroup", "partition", "topic")
                                    : LABELS("consumergroup", "topic"));
    each_consumed(p, CONSUMED[i].write);
}

static void write_groups(struct page *p)
{
    for (size_t i = 0; i < ARRAY_LEN(CONSUMED) - 1; i++) write_consumed(p, i);
    write_members(p);
    write_consumed(p, ARRAY_LEN(CONSUMED) - 1);
    write_state(p);
}

/* ---- topics ---- */

static int64_t current_offset(const struct kafka_partition *x) { return x->high; }
static int64_t oldest_offset(const struct kafka_partition *x) { return x->low; }
static int64_t in_sync(const struct kafka_partition *x) { return x->in_sync; }
static int64_t replicas(const struct kafka_partition *x) { return x->replicas; }
static int64_t leader(const struct kafka_partition *x)
{
    return x->leader < 0 ? KAFKA_UNKNOWN : x->leader;
}
static int64_t is_preferred(const struct kafka_partition *x)
{
    return x->leader >= 0 && x->leader == x->preferred;
}
static int64_t under_replicated(const struct kafka_partition *x)
{
    return x->in_sync < x->replicas;
}

static const struct {
    const char *name, *help;
    int64_t (*value)(const struct kafka_partition *x);
} PARTITION[] = {
    { "kafka_topic_partition_current_offset", "Current Offset of a Broker at Topic/Partition",
      current_offset },
    { "kafka_topic_partition_in_sync_replica",
      "Number of In-Sync Replicas for this Topic/Partition", in_sync },
    { "kafka_topic_partition_leader", "Leader Broker ID of this Topic/Partition", leader },
    { "kafka_topic_partition_leader_is_preferred",
      "1 if Topic/Partition is using the Preferred Broker", is_preferred },
    { "kafka_topic_partition_oldest_offset", "Oldest Offset of a Broker at Topic/Partition",
      oldest_offset },
    { "kafka_topic_partition_replicas", "Number of Replicas for this Topic/Partition", replicas },
    { "kafka_topic_partition_under_replicated_partition",
      "1 if Topic/Partition is under Replicated", under_replicated },
};

static void write_topics(struct page *p)
{
    for (size_t f = 0; f < ARRAY_LEN(PARTITION); f++) {
        family(p, PARTITION[f].name, "gauge", PARTITION[f].help, LABELS("partition", "topic"));
        for (size_t i = 0; i < p->s->topics_n; i++) {
            const struct kafka_topic *t = &p->s->topics[i];
            for (size_t k = 0; k < t->partitions_n; k++) {
                int64_t v = PARTITION[f].value(&t->partitions[k]);
                if (v != KAFKA_UNKNOWN) {
                    SAMPLE(p, v, partition(p, t->partitions[k].index), p->topics[i]);
                }
            }
        }
    }
    family(p, "kafka_topic_partitions", "gauge", "Number of partitions for this Topic",
           LABELS("topic"));
    for (size_t i = 0; i < p->s->topics_n; i++) {
        if (p->s->topics[i].partitions_n) SAMPLE(p, p->s->topics[i].partitions_n, p->topics[i]);
    }
}

/* ---- the exporter itself ---- */

static void write_self(struct page *p, int64_t now_ms)
{
    const struct kafka_snapshot *s = p->s;
    family(p, "kafka_exporter_build_info", "gauge",
           "A metric with a constant '1' value labeled by version, revision, branch, goversion "
           "from which kafka_exporter was built, and the goos and goarch for the build.",
           LABELS("branch", "goarch", "goos", "goversion", "revision", "tags", "version"));
    SAMPLE(p, 1, STR(""), STR("amd64"), STR("linux"), STR(""), STR("unknown"), STR("vigie"),
           p->o->version);
    family(p, "kafka_exporter_collect_duration_seconds", "gauge",
           "How long the newest cycle of requests to the brokers took.", NULL);
    sample(p, NULL, 0, (double)s->duration_ms / 1000);
    family(p, "kafka_exporter_duplicate_groups", "gauge",
           "Groups that two brokers listed; the coordinator's answer was taken.", NULL);
    sample(p, NULL, 0, (double)s->duplicate_groups);
    family(p, "kafka_exporter_request_failures_total", "counter",
           "Connections to a broker that failed or ended.", LABELS("broker"));
    for (size_t i = 0; i < s->brokers_n; i++) {
        SAMPLE(p, s->brokers[i].failures, number(p, s->brokers[i].id));
    }
    family(p, "kafka_exporter_requests_total", "counter", "Requests sent to a broker.",
           LABELS("api", "broker"));
    for (size_t i = 0; i < s->brokers_n; i++) {
        for (size_t k = 0; k < KAFKA_API_MAX_; k++) {
            uint64_t n = s->brokers[i].requests[k];
            if (n) SAMPLE(p, n, str_c(KAFKA_APIS[k].name), number(p, s->brokers[i].id));
        }
    }
    family(p, "kafka_exporter_snapshot_age_seconds", "gauge",
           "Age of what this page tells of topics and groups.", NULL);
    sample(p, NULL, 0, (double)(now_ms - s->taken_ms + s->data_age_ms) / 1000);
}

/* A sentence may quote a peer's bytes: they must not begin a line of their own. */
static void write_problem(struct page *p, struct str text)
{
    if (!text.n) return;
    buf_put(p->b, STR("# problem: "));
    text = fit(p, text);
    for (size_t i = 0; i < text.n; i++) {
        buf_char(p->b, text.p[i] < ' ' && text.p[i] >= 0 ? '?' : text.p[i]);
    }
    buf_char(p->b, '\n');
}

/* For whoever reads the page: what went wrong, in words. Comments are legal in the format. */
static void write_problems(struct page *p)
{
    write_problem(p, p->s->problem);
    for (size_t i = 0; i < p->s->brokers_n; i++) {
        if (!str_eq(p->s->brokers[i].problem, p->s->problem)) {
            write_problem(p, p->s->brokers[i].problem);
        }
    }
}

static void prepare_names(struct page *p)
{
    p->topics = arena_array(&p->a, p->s->topics_n, sizeof(*p->topics));
    p->groups = arena_array(&p->a, p->s->groups_n, sizeof(*p->groups));
    for (size_t i = 0; i < p->s->topics_n; i++) p->topics[i] = fit(p, p->s->topics[i].name);
    for (size_t i = 0; i < p->s->groups_n; i++) p->groups[i] = fit(p, p->s->groups[i].id);
}

void page_write(struct buf *b, const struct page_options *o, const struct kafka_snapshot *s,
                int64_t now_ms)
{
    struct page *p = calloc(1, sizeof(*p));
    ASSERT(p != NULL);
    p->b = b;
    p->o = o;
    p->s = s;
    arena_init(&p->a, 0);
    prepare_names(p);
    write_brokers(p);
    write_groups(p);
    write_self(p, now_ms);
    write_log_dirs(p);
    write_topics(p);
    proc_write_metrics(b);
    write_problems(p);
    arena_done(&p->a);
    free(p);
}
