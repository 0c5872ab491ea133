/* SPDX-License-Identifier: Apache-2.0 */
#include "scrape/commit.h"

#define FUTURE_MAX_MS (INT64_C(10) * 60 * 1000) /* samples later than this are out of bounds */

static const struct str REPORTS[REPORT_MAX_] = {
    [REPORT_UP] = { "up", 2 },
    [REPORT_DURATION] = { "scrape_duration_seconds", 23 },
    [REPORT_SAMPLES] = { "scrape_samples_scraped", 22 },
    [REPORT_POST_RELABEL] = { "scrape_samples_post_metric_relabeling", 37 },
    [REPORT_ADDED] = { "scrape_series_added", 19 },
    [REPORT_TIMEOUT] = { "scrape_timeout_seconds", 22 },
    [REPORT_SAMPLE_LIMIT] = { "scrape_sample_limit", 19 },
    [REPORT_BODY_SIZE] = { "scrape_body_size_bytes", 22 },
};

/* What the store refuses alone it counts itself; everything else ends the transaction. */
static enum err refused_alone(enum err e)
{
    return e == ERR_RANGE || e == ERR_EXISTS || e == ERR_LIMIT ? OK : e;
}

static enum err add(struct commit *c, struct appender *ap, uint64_t ref, int64_t t, double v)
{
    if (t > c->t + FUTURE_MAX_MS) {
        c->future++;
        return OK;
    }
    return refused_alone(ap->ops->add(ap, ref, t, v));
}

/* --- samples --- */

static enum err name_fresh(struct commit *c, struct appender *ap)
{
    for (size_t i = 0; i < c->page->fresh_n; i++) {
        const struct fresh_series *f = &c->page->fresh[i];
        uint64_t ref;
        TRY(ap->ops->series(ap, f->lb, &ref, &c->d));
        c->cache->v[f->entry].ref = ref;
        c->added++;
    }
    return OK;
}

static enum err add_staged(struct commit *c, struct appender *ap)
{
    for (size_t i = 0; i < c->page->staged_n; i++) {
        const struct staged *s = &c->page->staged[i];
        struct cache_entry *e = &c->cache->v[s->entry];
        int64_t t = s->t == PAGE_NO_TIME ? c->t : s->t;
        enum err err = add(c, ap, e->ref, t, s->value);
        if (err == ERR_MISSING) { /* forgotten by the store: the next page asks for it again */
            e->ref = 0;
            continue;
        }
        TRY(err);
    }
    return OK;
}

/* --- staleness --- */

static bool carries_on(const struct commit *c, const struct cache_entry *e)
{
    return c->good && e->kind == ENTRY_SERIES && e->round == c->cache->round && e->tracked;
}

static enum err end_series(struct commit *c, struct appender *ap)
{
    for (size_t i = 0; i < c->cache->n; i++) {
        struct cache_entry *e = &c->cache->v[i];
        if (!e->live || !e->ref || carries_on(c, e)) continue;
        enum err err = refused_alone(ap->ops->add(ap, e->ref, c->t, stale_nan()));
        if (err != OK && err != ERR_MISSING) return err;
    }
    return OK;
}

/* Once the transaction is in the store. */
static void mark_live(struct commit *c)
{
    for (size_t i = 0; i < c->cache->n; i++) {
        struct cache_entry *e = &c->cache->v[i];
        e->live = carries_on(c, e);
    }
}

/* --- the scrape itself --- */

static enum err report_ref(struct commit *c, struct appender *ap, enum report which)
{
    ARENA(a, 0);
    struct labels_builder b;
    labels_builder_init(&b, &a, c->target);
    labels_set(&b, METRIC_NAME, REPORTS[which]);
    return ap->ops->series(ap, labels_build(&b), &c->refs->v[which], &c->d);
}

static enum err report_one(struct commit *c, struct appender *ap, enum report which, double v)
{
    if (!c->refs->v[which]) TRY(report_ref(c, ap, which));
    enum err e = ap->ops->add(ap, c->refs->v[which], c->t, v);
    if (e == ERR_MISSING) {
        TRY(report_ref(c, ap, which));
        e = ap->ops->add(ap, c->refs->v[which], c->t, v);
    }
    return refused_alone(e);
}

static double report_value(const struct commit *c, enum report which)
{
    const struct page *p = c->page;
    if (c->end_of_life) return stale_nan();
    switch (which) {
    case REPORT_UP: return c->good ? 1 : 0;
    case REPORT_DURATION: return c->duration_s;
    case REPORT_SAMPLES: return p ? (double)p->total : 0;
    case REPORT_POST_RELABEL: return p ? (double)p->kept : 0;
    case REPORT_ADDED: return (double)c->added;
    case REPORT_TIMEOUT: return c->timeout_s;
    case REPORT_SAMPLE_LIMIT: return (double)c->config->limits.samples;
    case REPORT_BODY_SIZE: return p ? (double)p->bytes : 0;
    case REPORT_MAX_: break;
    }
    return 0;
}

static enum err report(struct commit *c, struct appender *ap)
{
    bool extra = c->config->histograms.extra_metrics == TRI_ON;
    for (size_t i = 0; i < (extra ? REPORT_MAX_ : REPORT_TIMEOUT); i++) {
        TRY(report_one(c, ap, (enum report)i, report_value(c, (enum report)i)));
    }
    return OK;
}

/* --- all of it --- */

static enum err fill(struct commit *c, struct appender *ap)
{
    if (c->good) {
        TRY(name_fresh(c, ap));
        TRY(add_staged(c, ap));
    }
    TRY(end_series(c, ap));
    return report(c, ap);
}

/* References of series that were asked for in a transaction that is rolled back may be gone with it. */
static void forget_fresh(struct commit *c)
{
    for (size_t i = 0; c->page && i < c->page->fresh_n; i++) {
        c->cache->v[c->page->fresh[i].entry].ref = 0;
    }
    c->added = c->future = 0;
}

static void give_up(struct commit *c, enum err e)
{
    if (!c->d.text[0]) (void)diag_set(&c->d, e, "%s", err_name(e));
    c->failed = true;
    c->good = false;
}

static void finish(struct commit *c, struct appender *ap)
{
    enum err e = ap->ops->commit(ap, &c->appended, &c->d);
    if (e != OK) {
        forget_fresh(c);
        give_up(c, e);
        return;
    }
    c->appended.out_of_bounds += c->future;
    mark_live(c);
}

void commit_run(struct commit *c)
{
    struct appender *ap = c->store->ops->open(c->store);
    enum err e = fill(c, ap);
    if (e != OK && c->good) { /* a page that the store does not take is as good as none */
        ap->ops->rollback(ap);
        forget_fresh(c);
        if (!c->d.text[0]) (void)diag_set(&c->d, e, "%s", err_name(e));
        c->good = false;
        ap = c->store->ops->open(c->store);
        e = fill(c, ap);
    }
    if (e != OK) {
        ap->ops->rollback(ap);
        forget_fresh(c);
        give_up(c, e);
        return;
    }
    finish(c, ap);
}
