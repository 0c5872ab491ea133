/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/writer.h"

#include "base/assert.h"
#include "base/list.h"
#include "codec/expowrite.h"
#include "io/clock.h"
#include "io/pool.h"

#include <pthread.h>
#include <stdlib.h>

enum { STEP_EVERY_MS = 100 };

struct slot {
    struct job job;
    struct remote_writer *w;
    struct sender *s;
    bool stepping, more, wanted, gone;
    void *keep;
    void (*give_back)(void *keep);
    struct slot *next;
};

struct remote_writer {
    struct remote_writer_env env;
    struct arena arena;
    struct http_client *client;
    struct timer timer;
    struct slot *slots; /* changed on the loop under lock; read elsewhere under lock */
    pthread_mutex_t lock;
};

/* --- steps --- */

static void slot_free(struct slot *x)
{
    sender_free(x->s);
    if (x->give_back) x->give_back(x->keep);
    free(x);
}

static void run_step(struct job *j)
{
    struct slot *x = CONTAINER_OF(j, struct slot, job);
    x->more = sender_step(x->s, clock_now_ms());
}

static void step(struct slot *x);

static void step_done(struct job *j)
{
    struct slot *x = CONTAINER_OF(j, struct slot, job);
    x->stepping = false;
    if (j->cancel) return; /* the process ends */
    if (x->gone) {
        slot_free(x);
        return;
    }
    sender_dispatch(x->s);
    if (x->more || x->wanted) step(x);
}

static void step(struct slot *x)
{
    x->wanted = x->stepping;
    if (x->stepping) return;
    x->stepping = true;
    x->job = (struct job){
        .lane = LANE_RULES, .run = run_step, .done = step_done, .loop = x->w->env.loop
    };
    pool_submit(x->w->env.pool, &x->job);
}

static void wake(void *ctx) { step(ctx); }

static void on_timer(void *ctx)
{
    struct remote_writer *w = ctx;
    for (struct slot *x = w->slots; x; x = x->next) {
        if (!x->stepping) step(x);
    }
    if (w->slots) timer_set(&w->timer, STEP_EVERY_MS);
}

/* --- entries --- */

struct remote_writer *remote_writer_new(const struct remote_writer_env *env)
{
    struct remote_writer *w = calloc(1, sizeof(*w));
    ASSERT(w != NULL);
    w->env = *env;
    w->env.wal_dir = arena_dup(&w->arena, env->wal_dir);
    w->env.place_dir = arena_dup(&w->arena, env->place_dir);
    w->env.agent = arena_dup(&w->arena, env->agent);
    w->client = http_client_new(env->loop);
    pthread_mutex_init(&w->lock, NULL);
    timer_init(&w->timer, env->loop, on_timer, w);
    return w;
}

static size_t metadata_for(void *ctx, struct arena *a, struct remotepb_metadata **out)
{
    const struct remote_writer_env *env = &((struct slot *)ctx)->w->env;
    return env->metadata(env->ctx, a, out);
}

static struct slot *slot_new(struct remote_writer *w, const struct remote_write_options *o)
{
    struct slot *x = calloc(1, sizeof(*x));
    ASSERT(x != NULL);
    const struct sender_env env = {
        .loop = w->env.loop,
        .client = w->client,
        .wal_dir = w->env.wal_dir,
        .place_dir = w->env.place_dir,
        .agent = w->env.agent,
        .wake = wake,
        .metadata = w->env.metadata ? metadata_for : NULL,
        .ctx = x,
    };
    x->w = w;
    x->s = sender_new(&env, o, clock_now_ms());
    return x;
}

/* Takes the slot of that identity out of the list. */
static struct slot *take_slot(struct slot **list, struct str identity)
{
    for (; *list; list = &(*list)->next) {
        struct slot *x = *list;
        if (!str_eq(sender_options(x->s)->identity, identity)) continue;
        *list = x->next;
        return x;
    }
    return NULL;
}

static void slot_end(struct slot *x)
{
    x->gone = true;
    if (!x->stepping) slot_free(x);
}

void remote_writer_apply(struct remote_writer *w, const struct remote_write_options *o, size_t n,
                         void *keep, void *(*take)(void *keep), void (*give_back)(void *keep))
{
    pthread_mutex_lock(&w->lock);
    struct slot *old = w->slots, *list = NULL, **last = &list;
    struct slot **made = calloc(n + 1, sizeof(struct slot *));
    ASSERT(made != NULL);
    for (size_t i = 0; i < n; i++) made[i] = take_slot(&old, o[i].identity);
    w->slots = NULL;
    pthread_mutex_unlock(&w->lock);
    while (old) { /* before the new ones: they may go on at the old ones' place */
        struct slot *x = old;
        old = x->next;
        slot_end(x);
    }
    for (size_t i = 0; i < n; i++) {
        struct slot *x = made[i] ? made[i] : slot_new(w, &o[i]);
        if (!made[i]) {
            x->keep = take(keep);
            x->give_back = give_back;
        }
        x->next = NULL;
        *last = x;
        last = &x->next;
    }
    free(made);
    pthread_mutex_lock(&w->lock);
    w->slots = list;
    pthread_mutex_unlock(&w->lock);
    timer_set(&w->timer, 0);
}

void remote_writer_free(struct remote_writer *w, int64_t deadline_ms)
{
    if (!w) return;
    timer_done(&w->timer);
    int64_t end = clock_mono_ms() + deadline_ms;
    while (w->slots) {
        struct slot *x = w->slots;
        int64_t left = end - clock_mono_ms();
        w->slots = x->next;
        sender_flush(x->s, clock_mono_ms, clock_now_ms, left > 0 ? left : 0);
        slot_free(x);
    }
    http_client_free(w->client);
    pthread_mutex_destroy(&w->lock);
    arena_done(&w->arena);
    free(w);
}

/* --- metrics --- */

enum row_kind { ROW_U64, ROW_I64, ROW_MS, ROW_MILLI, ROW_OPTION, ROW_BATCHES };

struct row {
    const char *name, *help, *type;
    enum row_kind kind;
    size_t offset;      /* in struct sender_counts; of ROW_OPTION in struct queue_options */
    const char *reason; /* a label */
};

#define C(f) offsetof(struct sender_counts, f)
#define O(f) offsetof(struct queue_options, f)
#define P    "prometheus_remote_storage_"

static const char DROPPED[] =
    "Total number of samples which were dropped after being read from the "
    "WAL before being sent via remote write, either via relabelling, due to "
    "being too old or unintentionally because of an unknown reference ID.";

static const struct row ROWS[] = {
    { P "samples_total", "Total number of samples sent to remote storage.", "counter", ROW_U64,
      C(samples), NULL },
    { P "metadata_total", "Total number of metadata entries sent to remote storage.", "counter",
      ROW_U64, C(metadata), NULL },
    { P "samples_failed_total",
      "Total number of samples which failed on send to remote storage, non-recoverable errors.",
      "counter", ROW_U64, C(failed), NULL },
    { P "metadata_failed_total",
      "Total number of metadata entries which failed on send to remote storage, non-recoverable "
      "errors.",
      "counter", ROW_U64, C(metadata_failed), NULL },
    { P "samples_retried_total",
      "Total number of samples which failed on send to remote storage but were retried because the "
      "send error was recoverable.",
      "counter", ROW_U64, C(retried), NULL },
    { P "metadata_retried_total",
      "Total number of metadata entries which failed on send to remote storage but were retried "
      "because the send error was recoverable.",
      "counter", ROW_U64, C(metadata_retried), NULL },
    { P "samples_dropped_total", DROPPED, "counter", ROW_U64, C(dropped_series), "dropped_series" },
    { P "samples_dropped_total", DROPPED, "counter", ROW_U64, C(dropped_old), "too_old" },
    { P "samples_dropped_total", DROPPED, "counter", ROW_U64, C(dropped_unknown),
      "unintentionally_dropped_series" },
    { P "enqueue_retries_total",
      "Total number of times enqueue has failed because a shards queue was full.", "counter",
      ROW_U64, C(enqueue_retries), NULL },
    { P "sent_batch_duration_seconds", "Duration of send calls to the remote storage.", "histogram",
      ROW_BATCHES, 0, NULL },
    { P "queue_highest_timestamp_seconds",
      "Highest timestamp that was enqueued, in seconds since epoch.", "gauge", ROW_MS, C(newest_ms),
      NULL },
    { P "queue_highest_sent_timestamp_seconds",
      "Timestamp from a WAL sample, the highest timestamp successfully sent by this queue, in "
      "seconds since epoch.",
      "gauge", ROW_MS, C(newest_sent_ms), NULL },
    { P "samples_pending",
      "The number of samples pending in the queues shards to be sent to the remote storage.",
      "gauge", ROW_I64, C(pending), NULL },
    { P "shard_capacity",
      "The capacity of each shard of the queue used for parallel sending to the remote storage.",
      "gauge", ROW_OPTION, O(capacity), NULL },
    { P "shards", "The number of shards used for parallel sending to the remote storage.", "gauge",
      ROW_I64, C(shards), NULL },
    { P "shards_max", "The maximum number of shards that the queue is allowed to run.", "gauge",
      ROW_OPTION, O(max_shards), NULL },
    { P "shards_min", "The minimum number of shards that the queue is allowed to run.", "gauge",
      ROW_OPTION, O(min_shards), NULL },
    { P "shards_desired",
      "The number of shards that the queues shard calculation wants to run based on the rate of "
      "samples in vs. samples out.",
      "gauge", ROW_MILLI, C(shards_wanted_milli), NULL },
    { P "bytes_total",
      "The total number of bytes of data (not metadata) sent by the queue after compression. Note "
      "that when exemplars over remote write is enabled the exemplars included in a remote write "
      "request count towards this metric.",
      "counter", ROW_U64, C(bytes), NULL },
    { P "metadata_bytes_total",
      "The total number of bytes of metadata sent by the queue after compression.", "counter",
      ROW_U64, C(metadata_bytes), NULL },
    { P "max_samples_per_send",
      "The maximum number of samples to be sent, in a single request, to the remote storage. Note "
      "that, when sending of exemplars over remote write is enabled, exemplars count towards this "
      "limt.",
      "gauge", ROW_OPTION, O(max_samples_per_send), NULL },
};

static int64_t i64_at(const void *base, size_t offset)
{
    int64_t v;
    memcpy(&v, (const char *)base + offset, sizeof(v));
    return v;
}

static void put_row(struct buf *b, const struct row *r, const struct remote_write_options *o,
                    const struct sender_counts *n)
{
    static const double MS = 1000;
    struct expo_label l[3];
    size_t k = 0;
    if (r->reason) l[k++] = (struct expo_label){ STR("reason"), str_c(r->reason) };
    l[k++] = (struct expo_label){ STR("remote_name"), o->to.name };
    l[k++] = (struct expo_label){ STR("url"), o->to.url };
    if (r->kind == ROW_BATCHES) {
        expo_sample(b, STR(P "sent_batch_duration_seconds_sum"), l, k,
                    (double)n->batches_took_ms / MS);
        expo_sample(b, STR(P "sent_batch_duration_seconds_count"), l, k, (double)n->batches);
        return;
    }
    double v = (double)i64_at(r->kind == ROW_OPTION ? (const void *)&o->queue : n, r->offset);
    if (r->kind == ROW_MS || r->kind == ROW_MILLI) v /= MS;
    expo_sample(b, str_c(r->name), l, k, v);
}

static void put_totals(struct buf *b, const struct sender_counts *sum)
{
    expo_family(b, STR(P "samples_in_total"),
                STR("Samples in to remote storage, compare to samples out for queue managers."),
                "counter");
    expo_sample(b, STR(P "samples_in_total"), NULL, 0, (double)sum->seen);
    expo_family(b, STR(P "highest_timestamp_in_seconds"),
                STR("Highest timestamp that has come into the remote storage via the Appender "
                    "interface, in seconds since epoch. Initialized to 0 when no data has been "
                    "received yet."),
                "gauge");
    expo_sample(b, STR(P "highest_timestamp_in_seconds"), NULL, 0, (double)(sum->newest_ms / 1000));
}

void remote_writer_write_metrics(struct remote_writer *w, struct buf *b)
{
    struct sender_counts sum = { 0 };
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < ARRAY_LEN(ROWS) && w->slots; i++) {
        if (!i || strcmp(ROWS[i].name, ROWS[i - 1].name) != 0) {
            expo_family(b, str_c(ROWS[i].name), str_c(ROWS[i].help), ROWS[i].type);
        }
        for (struct slot *x = w->slots; x; x = x->next) {
            struct sender_counts n;
            sender_counts(x->s, &n);
            put_row(b, &ROWS[i], sender_options(x->s), &n);
            if (n.seen > sum.seen) sum.seen = n.seen;
            if (n.newest_ms > sum.newest_ms) sum.newest_ms = n.newest_ms;
        }
    }
    pthread_mutex_unlock(&w->lock);
    put_totals(b, &sum);
}
