/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discover.c - sections of the configuration to the discoveries, what they find to the scrapes and the notifier
 */
#include "base/log.h"
#include "base/vec.h"
#include "codec/expowrite.h"
#include "io/clock.h"
#include "roles/prometheus/prometheus_priv.h"

struct set_vec {
    VEC(struct discovery_set) v;
};

/* A job's set bears its name; an Alertmanager section's that of its place, as in the original. */
static struct str alertmanager_set(struct arena *a, size_t i)
{
    return arena_fmt(a, "config-%zu", i);
}

static void on_changed(void *ctx)
{
    struct prometheus *p = ctx;
    const struct prom_config *c = p->config; /* only this loop changes it */
    int64_t now = clock_now_ms();
    ARENA(a, 0);
    for (size_t i = 0; i < c->scrape_configs.n; i++) {
        const struct scrape_config *job = &c->scrape_configs.v[i];
        struct sd_groups found = discovery_groups(p->discovery, "scrape", job->job_name, &a);
        scrape_manager_found(p->scrape, job->job_name, found, now);
    }
    for (size_t i = 0; i < c->alertmanagers.n; i++) {
        struct str set = alertmanager_set(&a, i);
        notify_found(p->notify, i, discovery_groups(p->discovery, "notify", set, &a));
    }
    prometheus_targets_changed(p);
}

static void on_report(void *ctx, struct str what, const struct diag *d)
{
    (void)ctx;
    if (d) {
        LOG(ERROR, "Unable to refresh target groups", kv("discovery", what), kv("err", d->text));
    } else {
        LOG(INFO, "target groups are refreshed", kv("discovery", what));
    }
}

void prometheus_discovery_start(struct prometheus *p, struct str user_agent)
{
    const struct discovery_env env = {
        .loop = p->env.collect,
        .user_agent = user_agent,
        .interval_ms = p->cfg->discovery_ms,
        .changed = on_changed,
        .report = on_report,
        .ctx = p,
    };
    p->discovery = discovery_new(&env);
}

void prometheus_discovery_apply(struct prometheus *p, const struct prom_config *c)
{
    ARENA(a, 0);
    struct set_vec sets = { 0 };
    for (size_t i = 0; i < c->scrape_configs.n; i++) {
        const struct scrape_config *job = &c->scrape_configs.v[i];
        *vec_push(&a, &sets.v) = (struct discovery_set){ "scrape", job->job_name, job->sd };
    }
    for (size_t i = 0; i < c->alertmanagers.n; i++) {
        *vec_push(&a, &sets.v) = (struct discovery_set){ "notify", alertmanager_set(&a, i),
                                                         c->alertmanagers.v[i].sd };
    }
    discovery_apply(p->discovery, sets.v.v, sets.v.n);
}

void prometheus_pool_metrics(struct prometheus *p, struct buf *b)
{
    static const struct {
        const char *name, *help, *type;
    } ROWS[] = {
        { "prometheus_target_scrape_pool_targets", "Current number of targets in this scrape pool.",
          "gauge" },
        { "prometheus_target_scrape_pool_sync_total",
          "Total number of syncs that were executed on a scrape pool.", "counter" },
        { "prometheus_target_scrape_pool_target_limit",
          "Maximum number of targets allowed in this scrape pool.", "gauge" },
    };
    ARENA(a, 0);
    struct pool_status *pools;
    size_t n;
    scrape_pools(p->scrape, &a, &pools, &n);
    for (size_t r = 0; r < ARRAY_LEN(ROWS); r++) {
        expo_family(b, str_c(ROWS[r].name), str_c(ROWS[r].help), ROWS[r].type);
        for (size_t i = 0; i < n; i++) {
            const struct expo_label job = { STR("scrape_job"), pools[i].job };
            double v = r == 0   ? (double)pools[i].targets
                       : r == 1 ? (double)pools[i].syncs
                                : (double)pools[i].target_limit;
            expo_sample(b, str_c(ROWS[r].name), &job, 1, v);
        }
    }
}
