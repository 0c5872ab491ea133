/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "base/log.h"
#include "io/clock.h"
#include "roles/jmx_exporter/exporter.h"

#include <stdlib.h>

#define LATE_MIN_MS 2000
#define LATE_FACTOR 3

void exporter_add(struct exporter *x, struct link *k)
{
    struct target_row *row = calloc(1, sizeof(*row));
    if (x->rows_n == x->rows_cap) {
        x->rows_cap = x->rows_cap ? 2 * x->rows_cap : 8;
        x->rows = realloc(x->rows, x->rows_cap * sizeof(*x->rows));
    }
    if (!row || !x->rows) abort();
    row->link = k;
    row->exporter = x;
    k->on_scraped = exporter_on_scraped;
    k->ctx = row;
    x->rows[x->rows_n++] = row;
}

void exporter_add_endpoint(struct exporter *x, const struct jmx_endpoint *e)
{
    exporter_add(x, link_new(x->env.collect, x->rules, e, x->label, NULL, NULL));
}

/* A target's state is told when it changes, not with every scrape. */
static void tell(struct target_row *row)
{
    const struct jmx_target_stats *s = jmx_target_stats(row->link->target);
    struct str target = jmx_target_endpoint(row->link->target)->target;
    if (s->up) row->good_ms = s->scrape_ms + 1;
    if (row->told && row->was_up == s->up) return;
    row->told = true;
    row->was_up = s->up;
    if (s->up) {
        LOG(INFO, "JMX target is up", kv("target", target), kv("beans", s->beans),
            kv("scrape_ms", s->scrape_ms));
    } else {
        LOG(WARN, "JMX target is down", kv("target", target), kv("err", s->why.text));
    }
}

static void finish(struct exporter *x);
static void arm_deadline(struct exporter *x);

void exporter_on_scraped(void *ctx)
{
    struct target_row *row = ctx;
    struct exporter *x = row->exporter;
    tell(row);
    if (!row->in_cycle) return; /* a cycle that is over did not wait for it */
    row->in_cycle = false;
    ASSERT(x->running > 0);
    x->running--;
    if (x->state != CYCLE_SCRAPING) return;
    if (x->running == 0) {
        finish(x);
    } else {
        arm_deadline(x);
    }
}

/* How long the others wait for this one: a multiple of what it usually takes. */
static int64_t allowance(const struct exporter *x, const struct target_row *row)
{
    if (row->good_ms == 0) return x->config.timeout_ms;
    return row->good_ms * LATE_FACTOR > LATE_MIN_MS ? row->good_ms * LATE_FACTOR : LATE_MIN_MS;
}

/* When everybody who is still under way is late; only asked once somebody has ended. */
static int64_t late_at(const struct exporter *x)
{
    int64_t longest = 0;
    for (size_t i = 0; i < x->rows_n; i++) {
        int64_t own = x->rows[i]->in_cycle ? allowance(x, x->rows[i]) : 0;
        if (own > longest) longest = own;
    }
    return x->began_ms + longest;
}

static int64_t first_deadline(struct exporter *x)
{
    int64_t first = x->began_ms + x->config.timeout_ms;
    LIST_FOR(it, &x->waiting) {
        struct waiter *w = CONTAINER_OF(it, struct waiter, in_waiting);
        if (w->deadline_ms < first) first = w->deadline_ms;
    }
    return first;
}

static void arm_deadline(struct exporter *x)
{
    int64_t at = first_deadline(x);
    bool some_ended = x->running < x->rows_n;
    if (some_ended && late_at(x) < at) at = late_at(x);
    timer_set(&x->deadline, at - clock_mono_ms());
}

/* Nobody waits twice for the same late scrape, but for the only target, or one that has never answered yet. */
static bool is_awaited(const struct exporter *x, const struct target_row *row)
{
    return !jmx_target_scraping(row->link->target) || x->rows_n == 1 || row->good_ms == 0;
}

/* Counted first, and one more: a target that nobody waits for ends its scrape before the call returns. */
void cycle_begin(struct exporter *x)
{
    ASSERT(x->state == CYCLE_IDLE);
    x->state = CYCLE_SCRAPING;
    x->began_ms = clock_mono_ms();
    x->running = 1;
    for (size_t i = 0; i < x->rows_n; i++) {
        x->rows[i]->in_cycle = is_awaited(x, x->rows[i]);
        x->running += x->rows[i]->in_cycle;
    }
    for (size_t i = 0; i < x->rows_n; i++) {
        if (!jmx_target_scraping(x->rows[i]->link->target)) link_scrape(x->rows[i]->link);
    }
    if (--x->running == 0) {
        finish(x);
    } else {
        arm_deadline(x);
    }
}

void cycle_join(struct exporter *x, struct waiter *w)
{
    list_add_tail(&x->waiting, &w->in_waiting);
    if (x->state == CYCLE_IDLE) {
        cycle_begin(x);
    } else if (x->state == CYCLE_SCRAPING) {
        arm_deadline(x);
    }
}

/* Each asker gets a copy: bodies are taken over by their replies. */
static void answer(struct waiter *w, int status, struct buf *body)
{
    struct buf copy = { 0 };
    buf_put(&copy, buf_str(body));
    http_reply(w->req, status, "text/plain; version=0.0.4; charset=utf-8", &copy);
    list_remove(&w->in_waiting);
    free(w);
}

static void rendered(struct exporter *x, int status, struct buf *body)
{
    LIST_FOR(it, &x->waiting) answer(CONTAINER_OF(it, struct waiter, in_waiting), status, body);
    x->state = CYCLE_IDLE;
    if (x->pending) {
        struct jmx_config *c = x->pending;
        x->pending = NULL;
        exporter_take_rules(x, c);
    }
}

static void finish(struct exporter *x)
{
    timer_stop(&x->deadline);
    x->state = CYCLE_RENDERING;
    for (size_t i = 0; i < x->rows_n; i++) x->rows[i]->in_cycle = false;
    x->running = 0;
    render_start(x, rendered);
}

/* Time is up: what is still under way goes on, for the next cycle. */
static void on_deadline(void *ctx)
{
    struct exporter *x = ctx;
    if (x->state == CYCLE_SCRAPING) finish(x);
}

void cycle_init(struct exporter *x)
{
    list_init(&x->waiting);
    timer_init(&x->deadline, x->env.collect, on_deadline, x);
}
