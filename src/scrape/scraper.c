/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scraper.c - the states of one target
 *
 *   IDLE --tick--> FETCHING --scrape_on_done--> COMMITTING --done on the loop--> IDLE
 *
 * A scrape that is due while one is under way is skipped and counted; the ideal ticks go on.
 */
#include "scrape/scraper.h"

#include "base/assert.h"
#include "codec/goquote.h"

#include <stdlib.h>

#define TICK_TOLERANCE_MS 2
#define FORGET_AFTER_MS                                                                            \
    (INT64_C(20) * 60 * 1000) /* of failing: references may be gone from the store */

/* --- life --- */

static void let_go_old(struct scraper *s)
{
    arena_done(&s->old_arena);
    prom_config_unref(TAKE(s->old_holder));
}

/* What the scrape under way began with stays until it has ended; what came in between nobody uses. */
static void let_go(struct scraper *s)
{
    if (s->state != SCRAPER_IDLE && !s->old_holder) {
        s->old_holder = TAKE(s->holder);
        s->old_arena = s->arena;
        s->arena = (struct arena){ 0 };
        return;
    }
    arena_reset(&s->arena);
    prom_config_unref(TAKE(s->holder));
}

static void set_config(struct scraper *s, struct prom_config *holder, const struct scrape_config *c,
                       const struct target *t)
{
    let_go(s);
    s->holder = prom_config_ref(holder);
    s->config = c;
    s->target = *t;
    s->target.labels = labels_dup(&s->arena, t->labels);
    s->target.discovered = labels_dup(&s->arena, t->discovered);
    s->target.url = arena_dup(&s->arena, t->url);
    s->accept = scraper_accept(&s->arena, c);
    s->status.job = c->job_name;
    s->status.url = s->target.url;
    s->status.labels = s->target.labels;
    s->status.discovered = s->target.discovered;
    s->status.interval_ms = s->target.interval_ms;
    s->status.timeout_ms = s->target.timeout_ms;
}

struct scraper *scraper_new(struct scrape_shared *sh, struct prom_config *holder,
                            const struct scrape_config *c, const struct target *t)
{
    struct scraper *s = calloc(1, sizeof(*s));
    ASSERT(s);
    s->magic = SCRAPER_MAGIC;
    s->shared = sh;
    set_config(s, holder, c, t);
    expo_reader_init(&s->page.reader, EXPO_TEXT);
    return s;
}

void scraper_free(struct scraper *s)
{
    if (!s) return;
    ASSERT(s->magic == SCRAPER_MAGIC);
    if (s->state == SCRAPER_FETCHING) {
        s->shared->o.env.cancel(s->shared->o.env.ctx, s->ticket);
    }
    page_done(&s->page);
    cache_done(&s->cache);
    meta_done(&s->meta);
    buf_done(&s->error_text);
    prom_config_unref(s->holder);
    arena_done(&s->arena);
    let_go_old(s);
    s->magic = 0;
    free(s);
}

/* --- time --- */

/* Source: scrape/target.go offset: a fixed place in the interval, whatever the time of the start. */
void scraper_schedule(struct scraper *s, int64_t now_ms)
{
    uint64_t interval = (uint64_t)s->target.interval_ms * 1000000;
    uint64_t base = interval - (uint64_t)now_ms * 1000000 % interval;
    uint64_t next = base + (s->target.hash ^ s->shared->o.offset_seed) % interval;
    if (next > interval) next -= interval;
    s->tick_ms = now_ms +
                 (int64_t)((next + 999999) / 1000000); /* up: the place itself is behind us */
}

/* The ideal time where we are close enough to it: equal distances cost the store nothing. */
static int64_t aligned(const struct scraper *s, int64_t now_ms)
{
    int64_t tolerance = s->target.interval_ms / 100;
    if (tolerance > TICK_TOLERANCE_MS) tolerance = TICK_TOLERANCE_MS;
    return now_ms - s->tick_ms <= tolerance ? s->tick_ms : now_ms;
}

static void next_tick(struct scraper *s, int64_t now_ms)
{
    int64_t behind = now_ms - s->tick_ms;
    s->tick_ms += (behind / s->target.interval_ms + 1) * s->target.interval_ms;
}

/* --- configuration --- */

static bool same_rules(struct relabel_rules a, struct relabel_rules b)
{
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++) {
        const struct relabel_rule *x = &a.v[i], *y = &b.v[i];
        if (x->action != y->action || x->modulus != y->modulus || x->source_n != y->source_n ||
            !str_eq(x->separator, y->separator) || !str_eq(x->target_label, y->target_label) ||
            !str_eq(x->replacement, y->replacement) || !str_eq(x->regex_text, y->regex_text)) {
            return false;
        }
        for (size_t j = 0; j < x->source_n; j++) {
            if (!str_eq(x->source_labels[j], y->source_labels[j])) return false;
        }
    }
    return true;
}

bool scraper_reads_alike(const struct scrape_config *a, const struct scrape_config *b)
{
    return a->honor_labels == b->honor_labels && a->names == b->names &&
           same_rules(a->metric_relabel, b->metric_relabel);
}

void scraper_adopt(struct scraper *s, struct prom_config *holder, const struct scrape_config *c,
                   const struct target *t, int64_t now_ms)
{
    bool moved = t->interval_ms != s->target.interval_ms;
    pthread_mutex_lock(&s->shared->lock);
    set_config(s, holder, c, t);
    pthread_mutex_unlock(&s->shared->lock);
    if (moved) scraper_schedule(s, now_ms);
}

void scraper_bury(struct scraper *s, int64_t now_ms)
{
    s->dying = true;
    s->stale_ms = s->tick_ms > now_ms ? s->tick_ms : now_ms;
    s->tick_ms = s->stale_ms + s->target.interval_ms + s->target.interval_ms / 10;
}

/* --- replies --- */

static bool media_is(struct str type, struct str name)
{
    struct str media, rest;
    (void)str_cut(type, ';', &media, &rest);
    return str_ieq(str_trim(media), name);
}

static enum err use_fallback(const struct scrape_config *c, const char *before, struct str type,
                             const char *after, enum expo_format *out, struct diag *d)
{
    static const char NONE[] = " and no fallback_scrape_protocol specified for target";
    switch (c->fallback_protocol) {
    case PROTOCOL_TEXT_0_0_4:
    case PROTOCOL_TEXT_1_0_0: *out = EXPO_TEXT; return OK;
    case PROTOCOL_OM_0_0_1:
    case PROTOCOL_OM_1_0_0: *out = EXPO_OPENMETRICS; return OK;
    case PROTOCOL_PROTO: *out = EXPO_PROTOBUF; return OK;
    case PROTOCOL_NONE:
    case PROTOCOL_MAX_: break;
    }
    if (!type.n) return diag_set(d, ERR_UNSUPPORTED, "%s%s", before, NONE);
    struct diag quoted;
    (void)diag_quoted(&quoted, ERR_UNSUPPORTED, before, str_first(type, 200), after);
    return diag_set(d, ERR_UNSUPPORTED, "%s%s", quoted.text, NONE);
}

enum err scraper_format(const struct scrape_config *c, struct str type, enum expo_format *out,
                        struct diag *d)
{
    if (!type.n) {
        return use_fallback(c, "non-compliant scrape target sending blank Content-Type", type, "",
                            out, d);
    }
    if (media_is(type, STR("application/openmetrics-text"))) {
        *out = EXPO_OPENMETRICS;
        return OK;
    }
    if (media_is(type, STR("application/vnd.google.protobuf"))) {
        *out = EXPO_PROTOBUF;
        return OK;
    }
    if (media_is(type, STR("text/plain"))) {
        *out = EXPO_TEXT;
        return OK;
    }
    return use_fallback(c, "received unsupported Content-Type ", type, "", out, d);
}

static void put_protocol(struct buf *b, const struct scrape_config *c, enum scrape_protocol p)
{
    static const char *const MEDIA[PROTOCOL_MAX_] = {
        [PROTOCOL_OM_0_0_1] = "application/openmetrics-text;version=0.0.1",
        [PROTOCOL_OM_1_0_0] = "application/openmetrics-text;version=1.0.0",
        [PROTOCOL_PROTO] = "application/vnd.google.protobuf;"
                           "proto=io.prometheus.client.MetricFamily;encoding=delimited",
        [PROTOCOL_TEXT_0_0_4] = "text/plain;version=0.0.4",
        [PROTOCOL_TEXT_1_0_0] = "text/plain;version=1.0.0",
    };
    static const char *const ESCAPING[] = { NULL, "allow-utf-8", "underscores", "dots", "values" };
    buf_putc(b, MEDIA[p]);
    bool escapes = p == PROTOCOL_OM_1_0_0 || p == PROTOCOL_TEXT_1_0_0;
    if (escapes && ESCAPING[c->escaping]) buf_fmt(b, ";escaping=%s", ESCAPING[c->escaping]);
}

/* Weights fall from 0.6 by a tenth. Source: scrape/scrape.go acceptHeader */
struct str scraper_accept(struct arena *a, const struct scrape_config *c)
{
    BUF(b, 4096);
    int weight = 6;
    for (size_t i = 0; i < c->protocols.n; i++) {
        put_protocol(&b, c, c->protocols.v[i]);
        buf_fmt(&b, ";q=0.%d,", weight--);
    }
    buf_fmt(&b, "*/*;q=0.%d", weight);
    return arena_dup(a, buf_str(&b));
}

static const char *reason(int status)
{
    static const struct {
        int status;
        const char *text;
    } REASONS[] = {
        { 204, "No Content" },          { 206, "Partial Content" },
        { 301, "Moved Permanently" },   { 302, "Found" },
        { 303, "See Other" },           { 304, "Not Modified" },
        { 307, "Temporary Redirect" },  { 308, "Permanent Redirect" },
        { 400, "Bad Request" },         { 401, "Unauthorized" },
        { 403, "Forbidden" },           { 404, "Not Found" },
        { 405, "Method Not Allowed" },  { 406, "Not Acceptable" },
        { 408, "Request Timeout" },     { 410, "Gone" },
        { 429, "Too Many Requests" },   { 500, "Internal Server Error" },
        { 501, "Not Implemented" },     { 502, "Bad Gateway" },
        { 503, "Service Unavailable" }, { 504, "Gateway Timeout" },
    };
    for (size_t i = 0; i < ARRAY_LEN(REASONS); i++) {
        if (REASONS[i].status == status) return REASONS[i].text;
    }
    return "";
}

static void fail(struct scraper *s, const struct diag *d)
{
    if (s->failed) return;
    s->failed = true;
    s->error = *d;
}

/* Is it a page, and which? The first bytes or the end ask. */
static void start_page(struct scraper *s, const struct scrape_reply *head)
{
    struct diag d = { 0 };
    enum expo_format format = EXPO_TEXT;
    s->started = true;
    if (head->status != 200) {
        const char *text = reason(head->status);
        (void)diag_set(&d, ERR_UNSUPPORTED, "server returned HTTP status %d%s%s", head->status,
                       *text ? " " : "", text);
        fail(s, &d);
    } else if (scraper_format(s->used, head->content_type, &format, &d) != OK) {
        fail(s, &d);
    }
    page_begin(&s->page, s->used, s->used_labels, &s->cache, &s->meta, format);
}

/* The line of the page goes into the text: Prometheus' parser tells none, a person wants it. */
static void page_failed(struct scraper *s)
{
    struct diag d = s->page.d;
    if (d.line) {
        struct str text = arena_fmt(&s->page.labels, "%s", d.text);
        (void)diag_set(&d, s->page.err, STR_FMT " (line %u of the page)", STR_ARG(text), d.line);
    }
    fail(s, &d);
}

bool scrape_on_body(struct scraper *s, const struct scrape_reply *head, struct str slice)
{
    ASSERT(s->magic == SCRAPER_MAGIC && s->state == SCRAPER_FETCHING);
    if (!s->started) start_page(s, head);
    if (s->failed) return false;
    int64_t limit = s->used->limits.body_size;
    if (limit > 0 && s->page.bytes + slice.n >= (size_t)limit) {
        struct diag d = { 0 };
        (void)diag_set(&d, ERR_LIMIT, "body size limit exceeded");
        fail(s, &d);
        return false;
    }
    pthread_mutex_lock(&s->shared->lock);
    bool more = page_feed(&s->page, slice);
    pthread_mutex_unlock(&s->shared->lock);
    if (!more) page_failed(s);
    return more;
}

/* --- commit --- */

static void commit_work(void *arg) { commit_run(&((struct scraper *)arg)->commit); }

static void count_limits(struct scrape_stats *st, const struct scraper *s)
{
    st->exceeded_sample_limit += s->page.limit == LIMIT_SAMPLES;
    st->exceeded_label_limit += s->page.limit == LIMIT_LABELS;
    st->exceeded_target_limit += s->over_target_limit;
    st->exceeded_body_limit += s->failed && strcmp(s->error.text, "body size limit exceeded") == 0;
}

static void set_status(struct scraper *s, const struct commit *c)
{
    struct scrape_stats *st = &s->shared->stats;
    struct target_status *now = &s->status;
    bool good = c->good && !c->failed;
    const char *text = s->failed ? s->error.text : c->d.text;
    now->health = good ? HEALTH_UP : HEALTH_DOWN;
    buf_reset(&s->error_text);
    if (!good) buf_putc(&s->error_text, text);
    now->last_error = good ? STR("") : buf_str(&s->error_text);
    now->last_scrape_ms = s->began_ms;
    now->last_duration_s = c->duration_s;
    now->samples = s->page.total;
    now->series = s->cache.n - s->cache.free_n;
    now->cache_bytes = cache_bytes(&s->cache);
    st->scrapes++;
    st->scrapes_failed += !good;
    st->samples += good ? c->appended.added : 0;
    st->duplicate_timestamp += c->appended.duplicate + s->page.duplicates;
    st->out_of_order += c->appended.out_of_order;
    st->out_of_bounds += c->appended.out_of_bounds;
    count_limits(st, s);
}

static void expire_meta(struct scraper *s)
{
    if (!meta_expire(&s->meta, s->cache.round)) return;
    /* Indexes moved: lines of metadata are read again on the next page. */
    cache_forget_meta(&s->cache);
}

static void commit_done(void *arg)
{
    struct scraper *s = arg;
    ASSERT(s->magic == SCRAPER_MAGIC && s->state == SCRAPER_COMMITTING);
    const struct commit *c = &s->commit;
    bool good = c->good && !c->failed;
    s->state = SCRAPER_IDLE;
    if (s->dying && c->end_of_life) s->dead = true;
    if (!c->end_of_life) {
        cache_end(&s->cache, good);
        pthread_mutex_lock(&s->shared->lock);
        if (good) expire_meta(s);
        set_status(s, c);
        pthread_mutex_unlock(&s->shared->lock);
        if (good) s->last_good_ms = s->began_ms;
    }
    if (!good && s->began_ms - s->last_good_ms > FORGET_AFTER_MS) {
        cache_clear(&s->cache);
    }
    arena_reset(&s->page.labels);
    let_go_old(s);
    const struct scrape_env *env = &s->shared->o.env;
    if (env->wake) env->wake(env->ctx);
}

static void start_commit(struct scraper *s, bool end_of_life)
{
    const struct scrape_env *env = &s->shared->o.env;
    s->commit = (struct commit){
        .store = s->shared->o.store,
        .config = s->used,
        .target = s->used_labels,
        .page = end_of_life ? NULL : &s->page,
        .cache = &s->cache,
        .refs = &s->refs,
        .t = s->began_ms,
        .duration_s = (double)(env->mono_ns(env->ctx) - s->began_ns) / 1e9,
        .timeout_s = (double)s->target.timeout_ms / 1e3,
        .good = !s->failed && !end_of_life,
        .end_of_life = end_of_life,
    };
    s->state = SCRAPER_COMMITTING;
    env->offload(env->ctx, commit_work, commit_done, s);
}

static void end_page(struct scraper *s, const struct scrape_reply *reply)
{
    if (!s->started) start_page(s, reply); /* also of a reply without a body */
    if (s->failed) return;
    pthread_mutex_lock(&s->shared->lock);
    enum err e = page_end(&s->page);
    pthread_mutex_unlock(&s->shared->lock);
    if (e != OK) page_failed(s);
}

void scrape_on_done(struct scraper *s, const struct scrape_reply *reply)
{
    ASSERT(s->magic == SCRAPER_MAGIC && s->state == SCRAPER_FETCHING);
    s->ticket = NULL;
    if (reply->err != OK && !s->failed) {
        struct diag d = { 0 };
        (void)diag_set(&d, reply->err, STR_FMT, STR_ARG(reply->why));
        fail(s, &d);
    }
    if (!s->started && s->failed) {
        page_begin(&s->page, s->used, s->used_labels, &s->cache, &s->meta, EXPO_TEXT);
        s->started = true;
    }
    end_page(s, reply);
    start_commit(s, false);
}

/* --- ticks --- */

static void begin(struct scraper *s, int64_t now_ms)
{
    const struct scrape_env *env = &s->shared->o.env;
    s->began_ms = aligned(s, now_ms);
    s->began_ns = env->mono_ns(env->ctx);
    s->started = s->failed = false;
    s->error = (struct diag){ 0 };
    if (!s->last_good_ms) s->last_good_ms = now_ms;
    s->used = s->config;
    s->used_labels = s->target.labels;
    s->state = SCRAPER_FETCHING;
    next_tick(s, now_ms);
}

/*
 * Of a page whose job sets no body_size_limit. Differs: Prometheus has none, and an endless page takes its memory,
 * and with it all other targets.
 */
enum { BODY_MAX = 256 << 20 };

static void fetch(struct scraper *s)
{
    const struct scrape_env *env = &s->shared->o.env;
    int64_t limit = s->config->limits.body_size;
    struct scrape_request req = {
        .url = s->target.url,
        .accept = s->accept,
        .timeout_ms = s->target.timeout_ms,
        .body_max = limit > 0 ? (size_t)limit : BODY_MAX,
        .gzip = s->config->enable_compression,
        .http = &s->config->http,
    };
    s->ticket = env->fetch(env->ctx, &req, s);
}

/* More targets than the job may have: each is an error, none is asked. */
static void refuse(struct scraper *s)
{
    struct scrape_reply none = { .err = ERR_LIMIT, .why = s->target_limit_text };
    scrape_on_done(s, &none);
}

int64_t scraper_tick(struct scraper *s, int64_t now_ms)
{
    if (s->dead) return INT64_MAX;
    if (now_ms < s->tick_ms) return s->tick_ms;
    if (s->state != SCRAPER_IDLE) {
        pthread_mutex_lock(&s->shared->lock);
        s->shared->stats.skipped++;
        pthread_mutex_unlock(&s->shared->lock);
        next_tick(s, now_ms);
        return s->tick_ms;
    }
    begin(s, now_ms);
    if (s->dying) {
        s->began_ms = s->stale_ms;
        start_commit(s, true);
    } else if (s->over_target_limit) {
        refuse(s);
    } else {
        fetch(s);
    }
    return s->dead ? INT64_MAX : s->tick_ms;
}
