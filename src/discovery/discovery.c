/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "codec/expowrite.h"
#include "discovery/provider.h"
#include "io/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum { INTERVAL_MS = 5000 };

struct set {
    const char *consumer;
    struct str name; /* malloc'ed */
    struct provider **v;
    size_t n;
    size_t targets; /* at the last discovery_groups(); under the lock */
};

static struct str keep(struct str s)
{
    char *p = malloc(s.n + 1);
    ASSERT(p != NULL);
    if (s.n) memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return str_make(p, s.n);
}

static void drop(struct str s) { free((void *)(uintptr_t)s.p); }

/* --- telling --- */

static void tell(void *ctx)
{
    struct discovery *d = ctx;
    d->told_ms = clock_mono_ms();
    d->grace_ms = 0;
    pthread_mutex_lock(&d->lock);
    d->updates++;
    pthread_mutex_unlock(&d->lock);
    d->env.changed(d->env.ctx);
}

static bool all_answered(const struct discovery *d)
{
    LIST_FOR(it, &d->providers) {
        if (!CONTAINER_OF(it, struct provider, in_discovery)->answered) return false;
    }
    return true;
}

static void tell_soon(struct discovery *d)
{
    int64_t now = clock_mono_ms(), left = d->told_ms + d->env.interval_ms - now;
    if (now < d->grace_ms) {
        if (!all_answered(d)) return; /* told when they have, or at the end of the grace */
        d->grace_ms = 0;
        left = 0;
    }
    timer_set(&d->teller, d->told_ms && left > 0 ? left : 0);
}

void provider_found(struct provider *p, bool changed)
{
    struct discovery *d = p->d;
    pthread_mutex_lock(&d->lock);
    d->received++;
    pthread_mutex_unlock(&d->lock);
    bool first = !p->answered;
    p->answered = true;
    if (changed || first) tell_soon(d);
}

void provider_result(struct provider *p, const struct diag *why)
{
    struct discovery *d = p->d;
    pthread_mutex_lock(&d->lock);
    d->counts.refreshes[p->config->kind]++;
    if (why) d->counts.refresh_failures[p->config->kind]++;
    pthread_mutex_unlock(&d->lock);
    if (why && !p->answered) {
        p->answered = true;
        tell_soon(d);
    }
    bool news = (why != NULL) != p->failing;
    p->failing = why != NULL;
    if (!news) return;
    BUF(what, 0);
    buf_put(&what, p->name);
    for (size_t i = 0; i < d->sets_n; i++) {
        for (size_t j = 0; j < d->sets[i].n; j++) {
            if (d->sets[i].v[j] != p) continue;
            buf_fmt(&what, " (" STR_FMT ")", STR_ARG(d->sets[i].name));
        }
    }
    d->env.report(d->env.ctx, buf_str(&what), why);
}

void provider_count(struct provider *p, uint64_t *field)
{
    pthread_mutex_lock(&p->d->lock);
    ++*field;
    pthread_mutex_unlock(&p->d->lock);
}

/* --- life --- */

struct discovery *discovery_new(const struct discovery_env *env)
{
    struct discovery *d = calloc(1, sizeof(*d));
    ASSERT(d && env->changed && env->report);
    d->env = *env;
    if (!d->env.interval_ms) d->env.interval_ms = INTERVAL_MS;
    d->client = http_client_new(env->loop);
    list_init(&d->providers);
    timer_init(&d->teller, env->loop, tell, d);
    pthread_mutex_init(&d->lock, NULL);
    return d;
}

static const struct provider_ops *ops_of(enum sd_kind kind)
{
    static const struct provider_ops *const ALL[] = { [SD_DNS] = &DNS_PROVIDER,
                                                      [SD_FILE] = &FILE_PROVIDER,
                                                      [SD_HTTP] = &HTTP_PROVIDER,
                                                      [SD_KUBERNETES] = &KUBE_PROVIDER };
    return ALL[kind];
}

static struct provider *provider_new(struct discovery *d, const struct sd_config *c)
{
    const struct provider_ops *ops = ops_of(c->kind);
    struct provider *p = calloc(1, ops->size);
    char name[64];
    ASSERT(p != NULL);
    int n = snprintf(name, sizeof(name), "%s/%zu", sd_kind_name(c->kind), d->next_number++);
    p->ops = ops;
    p->d = d;
    p->config = c;
    p->key = keep(c->key);
    p->name = keep(str_make(name, (size_t)n));
    list_add_tail(&d->providers, &p->in_discovery);
    return p;
}

static void provider_free(struct provider *p)
{
    list_remove(&p->in_discovery);
    p->ops->stop(p);
    drop(p->key);
    drop(p->name);
    free(p);
}

static void drop_sets(struct discovery *d)
{
    for (size_t i = 0; i < d->sets_n; i++) {
        drop(d->sets[i].name);
        free(d->sets[i].v);
    }
    free(d->sets);
    d->sets = NULL;
    d->sets_n = 0;
}

void discovery_free(struct discovery *d)
{
    if (!d) return;
    LIST_FOR(it, &d->providers) {
        provider_free(CONTAINER_OF(it, struct provider, in_discovery));
    }
    drop_sets(d);
    http_client_free(d->client);
    timer_done(&d->teller);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

static struct provider *find(const struct discovery *d, struct str key)
{
    LIST_FOR(it, &d->providers) {
        struct provider *p = CONTAINER_OF(it, struct provider, in_discovery);
        if (str_eq(p->key, key)) return p;
    }
    return NULL;
}

/* New providers are started only when all sets are in place: their first error names the jobs. */
static void make_set(struct discovery *d, const struct discovery_set *from, struct set *to,
                     struct arena *a, struct provider_vec *fresh)
{
    to->consumer = from->consumer;
    to->name = keep(from->name);
    to->v = calloc(from->configs.n + 1, sizeof(struct provider *));
    ASSERT(to->v != NULL);
    for (size_t i = 0; i < from->configs.n; i++) {
        const struct sd_config *c = &from->configs.v[i];
        struct provider *p = find(d, c->key);
        if (!p) {
            p = provider_new(d, c);
            *vec_push(a, &fresh->v) = p;
        }
        bool adopted = p->config != c && p->ops->adopted;
        p->config = c;
        if (adopted) p->ops->adopted(p);
        p->kept = true;
        to->v[to->n++] = p;
    }
}

void discovery_apply(struct discovery *d, const struct discovery_set *sets, size_t n)
{
    ARENA(a, 0);
    struct provider_vec fresh = { 0 };
    struct set *made = calloc(n + 1, sizeof(*made));
    ASSERT(made != NULL);
    LIST_FOR(it, &d->providers) {
        CONTAINER_OF(it, struct provider, in_discovery)->kept = false;
    }
    for (size_t i = 0; i < n; i++) {
        make_set(d, &sets[i], &made[i], &a, &fresh);
    }
    pthread_mutex_lock(&d->lock);
    drop_sets(d);
    d->sets = made;
    d->sets_n = n;
    pthread_mutex_unlock(&d->lock);
    LIST_FOR(it, &d->providers) {
        struct provider *p = CONTAINER_OF(it, struct provider, in_discovery);
        if (!p->kept) provider_free(p);
    }
    for (size_t i = 0; i < fresh.v.n; i++) {
        fresh.v.v[i]->ops->start(fresh.v.v[i]);
    }
    /* Sets keep what they had until the new providers have said something. */
    d->grace_ms = clock_mono_ms() + d->env.interval_ms;
    timer_set(&d->teller, all_answered(d) ? 0 : d->env.interval_ms);
}

struct sd_groups discovery_groups(struct discovery *d, const char *consumer, struct str set,
                                  struct arena *a)
{
    struct group_vec all = { 0 };
    size_t targets = 0;
    ARENA(scratch, 0);
    for (size_t i = 0; i < d->sets_n; i++) {
        bool it = strcmp(d->sets[i].consumer, consumer) == 0 && str_eq(d->sets[i].name, set);
        if (!it) continue;
        for (size_t j = 0; j < d->sets[i].n; j++) {
            struct provider *p = d->sets[i].v[j];
            p->ops->groups(p, &scratch, &all);
        }
        for (size_t g = 0; g < all.v.n; g++) targets += all.v.v[g].n;
        pthread_mutex_lock(&d->lock);
        d->sets[i].targets = targets;
        pthread_mutex_unlock(&d->lock);
    }
    return sd_groups_copy(a, (struct sd_groups){ all.v.v, all.v.n });
}

/* --- metrics --- */

static void counter(struct buf *b, const char *name, const char *help, double v)
{
    expo_family(b, str_c(name), str_c(help), "counter");
    expo_sample(b, str_c(name), NULL, 0, v);
}

static void by_mechanism(struct buf *b, const char *name, const char *help, const uint64_t *v)
{
    expo_family(b, str_c(name), str_c(help), "counter");
    for (size_t k = 0; k < SD_KINDS; k++) {
        const struct expo_label lb = { STR("mechanism"), str_c(sd_kind_name((enum sd_kind)k)) };
        expo_sample(b, str_c(name), &lb, 1, (double)v[k]);
    }
}

static void kube_metrics(struct buf *b, const struct sd_counts *c)
{
    static const char *const ROLES[] = { "",     "pod",    "service", "endpoints", "endpointslice",
                                         "node", "ingress" };
    static const char *const EVENTS[] = { "add", "update", "delete" };
    expo_family(b, STR("prometheus_sd_kubernetes_events_total"),
                STR("The number of Kubernetes events handled."), "counter");
    for (size_t r = KUBE_POD; r < KUBE_ROLES; r++) {
        for (size_t e = 0; e < ARRAY_LEN(EVENTS); e++) {
            const struct expo_label lb[] = { { STR("event"), str_c(EVENTS[e]) },
                                             { STR("role"), str_c(ROLES[r]) } };
            expo_sample(b, STR("prometheus_sd_kubernetes_events_total"), lb, 2,
                        (double)c->kube_events[r][e]);
        }
    }
    counter(b, "prometheus_sd_kubernetes_failures_total",
            "The number of failed WATCH/LIST requests.", (double)c->kube_failures);
}

void discovery_metrics(struct discovery *d, struct buf *b)
{
    const struct expo_label name = { STR("name"), STR("scrape") };
    pthread_mutex_lock(&d->lock);
    struct sd_counts c = d->counts;
    uint64_t received = d->received, updates = d->updates;
    expo_family(b, STR("prometheus_sd_discovered_targets"),
                STR("Current number of discovered targets."), "gauge");
    for (size_t i = 0; i < d->sets_n; i++) {
        const struct expo_label lb[] = { { STR("config"), d->sets[i].name },
                                         { STR("name"), str_c(d->sets[i].consumer) } };
        expo_sample(b, STR("prometheus_sd_discovered_targets"), lb, 2, (double)d->sets[i].targets);
    }
    pthread_mutex_unlock(&d->lock);
    expo_family(b, STR("prometheus_sd_received_updates_total"),
                STR("Total number of update events received from the SD providers."), "counter");
    expo_sample(b, STR("prometheus_sd_received_updates_total"), &name, 1, (double)received);
    expo_family(b, STR("prometheus_sd_updates_total"),
                STR("Total number of update events sent to the SD consumers."), "counter");
    expo_sample(b, STR("prometheus_sd_updates_total"), &name, 1, (double)updates);
    expo_family(b, STR("prometheus_sd_failed_configs"),
                STR("Current number of service discovery configurations that failed to load."),
                "gauge");
    expo_sample(b, STR("prometheus_sd_failed_configs"), &name, 1, 0);
    by_mechanism(b, "prometheus_sd_refresh_failures_total",
                 "Number of refresh failures for the given SD mechanism.", c.refresh_failures);
    counter(b, "prometheus_sd_file_read_errors_total", "The number of File-SD read errors.",
            (double)c.file_read_errors);
    counter(b, "prometheus_sd_http_failures_total",
            "Number of HTTP service discovery refresh failures.", (double)c.http_failures);
    counter(b, "prometheus_sd_dns_lookups_total", "The number of DNS-SD lookups.",
            (double)c.dns_lookups);
    counter(b, "prometheus_sd_dns_lookup_failures_total", "The number of DNS-SD lookup failures.",
            (double)c.dns_failures);
    kube_metrics(b, &c);
}
