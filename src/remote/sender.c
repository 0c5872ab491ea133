/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/sender.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/map.h"
#include "codec/snap.h"
#include "codec/walrec.h"
#include "io/file.h"
#include "io/loop.h"
#include "model/sample.h"
#include "remote/courier.h"
#include "remote/pace.h"
#include "remote/place.h"
#include "remote/tail.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
    STEP_SAMPLES = 50000, /* a step reads no more: it shares its worker with rules */
    STEP_RECORDS = 2000,  /* of old ones, that only name series */
    PACE_MS = 10000,
    PLACE_MS = 200, /* between two writes of the place */
    CHECKPOINT_MS = 5000,
    LOG_EVERY_MS = 60000, /* the same complaint */
};

/* A series as the log names it. */
struct named {
    uint64_t ref;
    uint64_t segment; /* the newest that names it, a checkpoint counts as its number */
    size_t waiting;   /* samples in shards that point here */
    bool dropped;     /* by write_relabel_configs */
    uint32_t n;
    char labels[]; /* n bytes, encoded */
};

struct item {
    struct named *series;
    int64_t t;
    double v;
    uint64_t place;
};

/* A ring of samples; the first `out` are in the courier's body. */
struct shard {
    struct courier courier;
    struct item *ring;
    size_t at, n, out;
    size_t limit; /* of the next batch; below the option's while a refused batch is taken apart */
    int64_t since_ms; /* the first sample not yet in a body came then */
};

struct sender {
    struct sender_env env;
    struct remote_write_options o;
    struct courier_route route;
    struct arena arena; /* for the life: the strings above */
    struct tail *tail;
    struct map64 series;
    struct arena scratch;
    struct str place_path;
    uint64_t place_saved, recovered_until;
    int64_t place_ms, checkpoint_ms, pace_ms;
    uint64_t checkpoint;

    struct shard *shards;
    size_t shards_n, shards_wish; /* differ while the old ones run dry */
    bool draining;
    size_t ring_cap;

    struct tail_record record; /* being worked through */
    struct walrec_samples walk;
    bool in_record, caught_up;
    struct walrec_sample next;
    bool has_next;

    struct courier metadata;
    struct remotepb_metadata *metas; /* of the round under way, in meta_arena */
    size_t metas_n, metas_at;
    struct arena meta_arena;
    int64_t metadata_ms;

    struct pace pace;
    uint64_t pace_seen, pace_sent, pace_dropped, pace_took;
    _Atomic(uint64_t) samples, failed, retried, dropped_series, dropped_old, dropped_unknown;
    _Atomic(uint64_t) meta_sent, meta_failed, meta_retried, bytes, meta_bytes, full, seen;
    _Atomic(uint64_t) batches, took_ms;
    _Atomic(int64_t) pending, shards_now, wish_milli, newest_ms, newest_sent_ms, last_sent_ms;
    _Atomic(int64_t) now_ms;
    int64_t complained_ms; /* of the loop's complaints */
};

#define COUNT(s, field, by) atomic_fetch_add_explicit(&(s)->field, (by), memory_order_relaxed)
#define GET(s, field)       atomic_load_explicit(&(s)->field, memory_order_relaxed)
#define SET(s, field, to)   atomic_store_explicit(&(s)->field, (to), memory_order_relaxed)

/* --- couriers' side: the loop --- */

static void on_back(void *ctx)
{
    struct sender *s = ctx;
    s->env.wake(s->env.ctx);
}

static void on_retry(void *ctx, size_t items, int status, const char *why)
{
    struct sender *s = ctx;
    COUNT(s, retried, items);
    int64_t now = s->now_ms;
    if (s->complained_ms && now - s->complained_ms < LOG_EVERY_MS) return;
    s->complained_ms = now;
    LOG(WARN, "Failed to send batch, retrying", kv("component", "remote"),
        kv("remote_name", s->o.to.name), kv("url", s->o.to.url), kv("status", status),
        kv("err", why));
}

/* --- shards --- */

static void shards_make(struct sender *s, size_t n)
{
    s->shards = calloc(n, sizeof(*s->shards));
    ASSERT(s->shards != NULL);
    s->shards_n = s->shards_wish = n;
    SET(s, shards_now, (int64_t)n);
    for (size_t i = 0; i < n; i++) {
        courier_init(&s->shards[i].courier, &s->route);
        s->shards[i].limit = (size_t)s->o.queue.max_samples_per_send;
    }
}

static void shards_free(struct sender *s)
{
    for (size_t i = 0; i < s->shards_n; i++) {
        courier_done(&s->shards[i].courier);
        free(s->shards[i].ring);
    }
    free(s->shards);
    s->shards = NULL;
    s->shards_n = 0;
}

static struct item *item_at(const struct sender *s, const struct shard *sh, size_t i)
{
    size_t at = sh->at + i;
    return &sh->ring[at < s->ring_cap ? at : at - s->ring_cap];
}

static bool shard_push(struct sender *s, struct shard *sh, const struct item *it)
{
    if (sh->n == s->ring_cap) return false;
    if (!sh->ring) {
        sh->ring = calloc(s->ring_cap, sizeof(*sh->ring));
        ASSERT(sh->ring != NULL);
    }
    if (sh->n == sh->out) sh->since_ms = s->now_ms;
    *item_at(s, sh, sh->n++) = *it;
    it->series->waiting++;
    SET(s, pending, GET(s, pending) + 1);
    return true;
}

static void shard_pop(struct sender *s, struct shard *sh, size_t n)
{
    for (size_t i = 0; i < n; i++) item_at(s, sh, i)->series->waiting--;
    sh->at = (sh->at + n) % s->ring_cap;
    sh->n -= n;
    sh->out = 0;
    sh->since_ms = s->now_ms;
    SET(s, pending, GET(s, pending) - (int64_t)n);
}

/* --- answers --- */

static void note_newest_sent(struct sender *s, const struct shard *sh)
{
    for (size_t i = 0; i < sh->out; i++) {
        int64_t t = item_at(s, sh, i)->t;
        if (t > GET(s, newest_sent_ms)) SET(s, newest_sent_ms, t);
    }
}

static void taken(struct sender *s, struct shard *sh)
{
    COUNT(s, samples, sh->courier.items);
    COUNT(s, batches, 1);
    COUNT(s, took_ms, (uint64_t)sh->courier.took_ms);
    SET(s, last_sent_ms, s->now_ms);
    note_newest_sent(s, sh);
    shard_pop(s, sh, sh->out);
    size_t max = (size_t)s->o.queue.max_samples_per_send;
    sh->limit = sh->limit * 2 < max ? sh->limit * 2 : max;
}

/*
 * What was on its way when the process before this one died may have arrived: it goes out again, and a receiver that
 * refuses a whole request for one sample it has already would lose the others. So such a batch is taken apart.
 */
static bool take_apart(struct sender *s, struct shard *sh)
{
    if (sh->out <= 1 || sh->courier.status != 400) return false;
    if (item_at(s, sh, 0)->place >= s->recovered_until) return false;
    sh->limit = sh->out / 2;
    sh->out = 0;
    return true;
}

static void refused(struct sender *s, struct shard *sh)
{
    if (take_apart(s, sh)) return;
    bool again = sh->out && item_at(s, sh, 0)->place < s->recovered_until;
    if (!again) {
        COUNT(s, failed, sh->courier.items);
        LOG(ERROR, "non-recoverable error", kv("component", "remote"),
            kv("remote_name", s->o.to.name), kv("url", s->o.to.url),
            kv("failed_sample_count", sh->courier.items), kv("err", sh->courier.why));
    }
    shard_pop(s, sh, sh->out);
}

static void settle(struct sender *s, struct shard *sh)
{
    struct courier *c = &sh->courier;
    if (c->state != COURIER_BACK) return;
    switch (c->end) {
    case COURIER_TAKEN: taken(s, sh); break;
    case COURIER_REFUSED: refused(s, sh); break;
    case COURIER_CALLED_OFF: sh->out = 0; break;
    }
    buf_reset(&c->body);
    c->state = COURIER_FREE;
}

/* --- batches --- */

static bool too_old(const struct sender *s, const struct item *it)
{
    return s->o.queue.age_limit_ms && it->t < s->now_ms - s->o.queue.age_limit_ms;
}

static bool due(const struct sender *s, const struct shard *sh)
{
    if (!sh->n) return false;
    return sh->n >= sh->limit || s->draining ||
           s->now_ms - sh->since_ms >= s->o.queue.batch_deadline_ms;
}

static void build(struct sender *s, struct shard *sh)
{
    struct courier *c = &sh->courier;
    BUF(plain, 0);
    if (c->state != COURIER_FREE || !due(s, sh)) return;
    c->items = 0;
    sh->out = sh->n < sh->limit ? sh->n : sh->limit;
    for (size_t i = 0; i < sh->out; i++) {
        const struct item *it = item_at(s, sh, i);
        if (too_old(s, it)) {
            COUNT(s, dropped_old, 1);
            continue;
        }
        const struct remotepb_sample sample = { it->t, it->v };
        remotepb_put_series(&plain, str_make(it->series->labels, it->series->n), &sample, 1);
        c->items++;
    }
    sh->since_ms = s->now_ms;
    if (!c->items) {
        shard_pop(s, sh, sh->out);
        return;
    }
    buf_reset(&c->body);
    snap_pack(buf_str(&plain), &c->body);
    COUNT(s, bytes, c->body.n);
    c->state = COURIER_READY;
}

/* --- names --- */

static void put_named(struct sender *s, struct named *x) { free(map64_put(&s->series, x->ref, x)); }

/* External labels where absent, then write_relabel_configs, encoded. */
static struct named *name_series(struct sender *s, uint64_t ref, const struct walrec_label *l,
                                 size_t n, uint64_t segment)
{
    struct labels_builder b;
    struct label *v = arena_array(&s->scratch, n, sizeof(*v));
    for (size_t i = 0; i < n; i++) v[i] = (struct label){ l[i].name, l[i].value };
    labels_builder_init(&b, &s->scratch, (struct labels){ v, n });
    for (size_t i = 0; i < s->o.external.n; i++) {
        const struct label *e = &s->o.external.v[i];
        if (!labels_builder_get(&b, e->name).n) labels_set(&b, e->name, e->value);
    }
    bool keep = relabel_apply(&b, s->o.relabel, s->o.relabel_n);
    struct labels lb = keep ? labels_build(&b) : (struct labels){ 0 };
    BUF(out, 0);
    for (size_t i = 0; i < lb.n; i++) remotepb_put_label(&out, lb.v[i].name, lb.v[i].value);
    struct named *x = malloc(sizeof(*x) + out.n);
    ASSERT(x != NULL);
    *x = (struct named){ .ref = ref, .segment = segment, .dropped = !lb.n, .n = (uint32_t)out.n };
    if (out.n) memcpy(x->labels, out.p, out.n);
    return x;
}

static void read_series(struct sender *s, struct str record, uint64_t segment)
{
    struct str left = str_from(record, 1);
    while (left.n) {
        uint64_t ref;
        struct walrec_label *l;
        size_t n;
        arena_reset(&s->scratch);
        if (walrec_read_series(&left, &s->scratch, &ref, &l, &n) != OK) return;
        struct named *known = map64_get(&s->series, ref);
        if (known) {
            if (segment > known->segment) known->segment = segment;
        } else {
            put_named(s, name_series(s, ref, l, n, segment));
        }
    }
}

static void name_from_checkpoint(void *ctx, struct str record)
{
    struct sender *s = ctx;
    if (walrec_type(record) == WALREC_SERIES) read_series(s, record, s->checkpoint);
}

/* A new checkpoint names the series that live; what neither it nor a later segment names is gone. */
static void forget_series(struct sender *s)
{
    uint64_t number;
    if (s->in_record || s->now_ms - s->checkpoint_ms < CHECKPOINT_MS) return;
    s->checkpoint_ms = s->now_ms;
    if (!tail_checkpoint(s->tail, &number) || number == s->checkpoint) return;
    if (tail_segment(s->tail) <= number) return; /* still reading what it replaces */
    s->checkpoint = number;
    if (tail_read_checkpoint(s->tail, number, name_from_checkpoint, s) != OK) return;
    struct map64 kept = { 0 };
    MAP_FOR(it, &s->series) {
        struct named *x = it->value;
        if (x->segment < number && !x->waiting) {
            free(x);
        } else {
            (void)map64_put(&kept, x->ref, x);
        }
    }
    map64_done(&s->series);
    s->series = kept;
}

/* --- reading --- */

/* False: its shard is full. */
static bool pass_on(struct sender *s, const struct walrec_sample *w)
{
    struct named *x = map64_get(&s->series, w->ref);
    if (!x || x->dropped) {
        COUNT(s, dropped_unknown, !x);
        COUNT(s, dropped_series, x != NULL);
        return true;
    }
    const struct item it = { x, w->t, double_of_bits(w->v), s->record.place };
    return shard_push(s, &s->shards[w->ref % s->shards_n], &it);
}

/* Works through the record in hand. False: a shard is full. */
static bool empty_record(struct sender *s, size_t *budget)
{
    while (s->has_next || walrec_samples_next(&s->walk, &s->next) == OK) {
        s->has_next = true;
        if (!pass_on(s, &s->next)) {
            COUNT(s, full, 1);
            return false;
        }
        s->has_next = false;
        COUNT(s, seen, 1);
        if (s->next.t > GET(s, newest_ms)) SET(s, newest_ms, s->next.t);
        if (*budget) (*budget)--;
    }
    s->in_record = false;
    return true;
}

static void begin_record(struct sender *s)
{
    unsigned type = walrec_type(s->record.bytes);
    if (type == WALREC_SERIES) read_series(s, s->record.bytes, tail_segment(s->tail));
    if (s->record.old || (type != WALREC_SAMPLES && type != WALREC_SAMPLES_V2)) return;
    s->in_record = walrec_samples_begin(s->record.bytes, &s->walk) == OK;
    s->has_next = false;
}

/* True: the budget ended the reading, there is more. */
static bool read_log(struct sender *s)
{
    size_t budget = STEP_SAMPLES, records = STEP_RECORDS;
    while (budget && records) {
        if (s->in_record) {
            if (!empty_record(s, &budget)) return false;
            continue;
        }
        s->caught_up = tail_next(s->tail, &s->record) != OK;
        if (s->caught_up) return false;
        if (s->record.old) records--;
        begin_record(s);
    }
    return true;
}

/* --- the place --- */

static uint64_t oldest_place(const struct sender *s)
{
    uint64_t place = s->in_record ? s->record.place : tail_place(s->tail);
    for (size_t i = 0; i < s->shards_n; i++) {
        const struct shard *sh = &s->shards[i];
        if (sh->n && item_at(s, sh, 0)->place < place) place = item_at(s, sh, 0)->place;
    }
    return place;
}

static void save_place(struct sender *s)
{
    if (s->now_ms - s->place_ms < PLACE_MS) return;
    s->place_ms = s->now_ms;
    uint64_t place = oldest_place(s);
    if (place <= s->place_saved) return;
    if (place_write(s->place_path, place) == OK) s->place_saved = place;
}

/* --- metadata --- */

static void settle_metadata(struct sender *s)
{
    struct courier *c = &s->metadata;
    if (c->state != COURIER_BACK) return;
    if (c->end == COURIER_TAKEN) COUNT(s, meta_sent, c->items);
    if (c->end == COURIER_REFUSED) COUNT(s, meta_failed, c->items);
    buf_reset(&c->body);
    c->state = COURIER_FREE;
}

static void build_metadata(struct sender *s)
{
    struct courier *c = &s->metadata;
    if (!s->o.metadata || !s->env.metadata || c->state != COURIER_FREE) return;
    if (s->metas_at == s->metas_n) {
        if (s->now_ms < s->metadata_ms) return;
        s->metadata_ms = s->now_ms + s->o.metadata_interval_ms;
        arena_reset(&s->meta_arena);
        s->metas_n = s->env.metadata(s->env.ctx, &s->meta_arena, &s->metas);
        s->metas_at = 0;
        if (!s->metas_n) return;
    }
    BUF(plain, 0);
    c->items = 0;
    for (; s->metas_at < s->metas_n && c->items < (size_t)s->o.metadata_max; s->metas_at++) {
        remotepb_put_metadata(&plain, &s->metas[s->metas_at]);
        c->items++;
    }
    snap_pack(buf_str(&plain), &c->body);
    COUNT(s, meta_bytes, c->body.n);
    c->state = COURIER_READY;
}

/* --- the number of shards --- */

static void reconsider(struct sender *s)
{
    if (s->now_ms - s->pace_ms < PACE_MS || s->shards_wish != s->shards_n) return;
    uint64_t seen = GET(s, seen), sent = GET(s, samples),
             dropped = GET(s, dropped_series) + GET(s, dropped_old);
    static const double MS = 1000;
    const struct pace_tick t = {
        .in = seen - s->pace_seen,
        .out = sent - s->pace_sent,
        .dropped = dropped - s->pace_dropped,
        .took_ms = (int64_t)(GET(s, took_ms) - s->pace_took),
        .seconds = (double)(s->now_ms - s->pace_ms) / MS,
        .behind_s = (double)(GET(s, newest_ms) - GET(s, newest_sent_ms)) / MS,
    };
    static const int64_t IDLE_MS = (int64_t)2 * PACE_MS;
    double wish = (double)s->shards_n;
    int64_t n = (int64_t)s->shards_n;
    s->pace_seen = seen;
    s->pace_sent = sent;
    s->pace_dropped = dropped;
    s->pace_took = GET(s, took_ms);
    s->pace_ms = s->now_ms;
    n = pace_tick(&s->pace, &t, n, s->o.queue.min_shards, s->o.queue.max_shards, &wish);
    SET(s, wish_milli, (int64_t)(wish * MS));
    if (s->now_ms - GET(s, last_sent_ms) > IDLE_MS) return; /* it would only spread the waiting */
    s->shards_wish = (size_t)n;
}

static bool dry(const struct sender *s)
{
    for (size_t i = 0; i < s->shards_n; i++) {
        if (s->shards[i].n || s->shards[i].courier.state != COURIER_FREE) return false;
    }
    return true;
}

/* A series' samples must stay in order: another number of shards begins when the old ones have run dry. */
static void reshard(struct sender *s)
{
    if (s->shards_wish == s->shards_n || !dry(s)) return;
    size_t n = s->shards_wish;
    LOG(INFO, "Remote storage resharding", kv("remote_name", s->o.to.name), kv("from", s->shards_n),
        kv("to", n));
    shards_free(s);
    shards_make(s, n);
}

static void dispatch(struct courier *c)
{
    if (c->state == COURIER_READY) courier_set_out(c);
}

void sender_dispatch(struct sender *s)
{
    reshard(s);
    for (size_t i = 0; i < s->shards_n; i++) dispatch(&s->shards[i].courier);
    dispatch(&s->metadata);
}

/* --- a step --- */

bool sender_step(struct sender *s, int64_t now_ms)
{
    s->now_ms = now_ms;
    for (size_t i = 0; i < s->shards_n; i++) settle(s, &s->shards[i]);
    settle_metadata(s);
    s->draining = s->shards_wish != s->shards_n;
    bool more = !s->draining && read_log(s);
    for (size_t i = 0; i < s->shards_n; i++) build(s, &s->shards[i]);
    build_metadata(s);
    save_place(s);
    forget_series(s);
    reconsider(s);
    return more;
}

/* --- life --- */

static void copy_strings(struct sender *s)
{
    struct arena *a = &s->arena;
    s->env.wal_dir = arena_dup(a, s->env.wal_dir);
    s->env.place_dir = arena_dup(a, s->env.place_dir);
    s->env.agent = arena_dup(a, s->env.agent);
}

static void open_log(struct sender *s)
{
    uint64_t place = PLACE_NOW;
    struct diag d = { 0 };
    enum err e = dir_make(s->env.place_dir, &d);
    s->place_path = place_file(&s->arena, s->env.place_dir, s->o.to.url, s->o.to.name);
    if (e == OK) e = place_read(s->place_path, &place);
    if (e != OK) place = PLACE_NOW;
    s->tail = tail_open(s->env.wal_dir, place);
    if (place != PLACE_NOW && place > tail_end(s->tail)) { /* of another log */
        tail_close(s->tail);
        place = PLACE_NOW;
        s->tail = tail_open(s->env.wal_dir, place);
    }
    s->recovered_until = place == PLACE_NOW ? 0 : tail_end(s->tail);
    LOG(INFO, "Starting WAL watcher", kv("component", "remote"), kv("remote_name", s->o.to.name),
        kv("url", s->o.to.url), kv("from_segment", tail_from(s->tail) >> 32),
        kv("from_offset", tail_from(s->tail) & UINT32_MAX));
}

struct sender *sender_new(const struct sender_env *env, const struct remote_write_options *o,
                          int64_t now_ms)
{
    struct sender *s = calloc(1, sizeof(*s));
    ASSERT(s != NULL);
    s->env = *env;
    s->o = *o;
    copy_strings(s);
    s->route = (struct courier_route){
        .to = &s->o.to,
        .queue = &s->o.queue,
        .agent = s->env.agent,
        .loop = env->loop,
        .client = env->client,
        .on_back = on_back,
        .on_retry = on_retry,
        .ctx = s,
    };
    s->ring_cap = (size_t)(o->queue.capacity > o->queue.max_samples_per_send
                               ? o->queue.capacity
                               : o->queue.max_samples_per_send);
    s->now_ms = s->pace_ms = s->checkpoint_ms = now_ms;
    s->checkpoint = UINT64_MAX;
    open_log(s);
    shards_make(s, (size_t)o->queue.min_shards);
    courier_init(&s->metadata, &s->route);
    return s;
}

void sender_free(struct sender *s)
{
    if (!s) return;
    s->place_ms = INT64_MIN / 2;
    save_place(s);
    shards_free(s);
    courier_done(&s->metadata);
    tail_close(s->tail);
    MAP_FOR(it, &s->series) {
        free(it->value);
    }
    map64_done(&s->series);
    arena_done(&s->scratch);
    arena_done(&s->meta_arena);
    arena_done(&s->arena);
    free(s);
}

const struct remote_write_options *sender_options(const struct sender *s) { return &s->o; }

/* Nothing is left in the log and in the shards. */
static bool flushed(const struct sender *s) { return s->caught_up && !s->in_record && dry(s); }

void sender_flush(struct sender *s, int64_t (*mono_ms)(void), int64_t (*now_ms)(void),
                  int64_t deadline_ms)
{
    int64_t end = mono_ms() + deadline_ms;
    s->o.metadata = false;
    s->shards_wish = s->shards_n;
    s->o.queue.batch_deadline_ms = 0;
    courier_call_off(&s->metadata);
    for (size_t i = 0; i < s->shards_n; i++) courier_call_off(&s->shards[i].courier);
    for (;;) {
        (void)sender_step(s, now_ms());
        if (flushed(s)) return;
        for (size_t i = 0; i < s->shards_n; i++) {
            struct courier *c = &s->shards[i].courier;
            int64_t left = end - mono_ms();
            if (c->state != COURIER_READY) continue;
            if (left <= 0 || !courier_walk(c, left)) return; /* the place is kept */
        }
    }
}

void sender_counts(struct sender *s, struct sender_counts *out)
{
    *out = (struct sender_counts){
        .samples = GET(s, samples),
        .failed = GET(s, failed),
        .retried = GET(s, retried),
        .dropped_series = GET(s, dropped_series),
        .dropped_old = GET(s, dropped_old),
        .dropped_unknown = GET(s, dropped_unknown),
        .metadata = GET(s, meta_sent),
        .metadata_failed = GET(s, meta_failed),
        .metadata_retried = GET(s, meta_retried),
        .bytes = GET(s, bytes),
        .metadata_bytes = GET(s, meta_bytes),
        .enqueue_retries = GET(s, full),
        .seen = GET(s, seen),
        .pending = GET(s, pending),
        .shards = GET(s, shards_now),
        .shards_wanted_milli = GET(s, wish_milli),
        .newest_ms = GET(s, newest_ms),
        .newest_sent_ms = GET(s, newest_sent_ms),
        .batches = GET(s, batches),
        .batches_took_ms = GET(s, took_ms),
    };
}
