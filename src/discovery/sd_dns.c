/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sd_dns.c - targets from DNS records, one group a name; a look-up that fails keeps the name's group
 *
 * Source: discovery/dns/dns.go.
 */
#include "base/assert.h"
#include "discovery/provider.h"
#include "io/dns.h"

#include <stdlib.h>

struct name {
    struct dns_provider *of;
    struct dns_query *query;
    struct arena arena;
    struct sd_group group;
    bool found;
};

struct dns_provider {
    struct provider p;
    struct timer timer;
    struct name *names;
    size_t n, asked; /* look-ups under way */
    struct diag why; /* the last error of this round */
};

static enum dns_type record_type(enum dns_sd_type t)
{
    static const enum dns_type TYPES[] = { DNS_SRV, DNS_A, DNS_AAAA, DNS_MX, DNS_NS };
    return TYPES[t];
}

/* An IPv6 address stands in brackets before a port. */
static struct str host_port(struct arena *a, struct str host, int64_t port)
{
    bool v6 = str_find_char(host, ':') != STR_NONE;
    return arena_fmt(a, "%s" STR_FMT "%s:%lld", v6 ? "[" : "", STR_ARG(host), v6 ? "]" : "",
                     (long long)port);
}

static struct labels target_of(struct arena *a, const struct dns_sd *c, struct str name,
                               const struct dns_record *r)
{
    struct labels_builder b;
    struct str rooted = arena_fmt(a, STR_FMT ".", STR_ARG(r->target));
    labels_builder_init(&b, a, (struct labels){ 0 });
    labels_set(&b, STR("__meta_dns_name"), name);
    labels_set(&b, STR("__address__"),
               host_port(a, r->target, c->type == DNS_SD_SRV ? r->port : c->port));
    if (c->type == DNS_SD_SRV) {
        labels_set(&b, STR("__meta_dns_srv_record_target"), rooted);
        labels_set(&b, STR("__meta_dns_srv_record_port"), arena_fmt(a, "%u", r->port));
    }
    if (c->type == DNS_SD_MX) labels_set(&b, STR("__meta_dns_mx_record_target"), rooted);
    if (c->type == DNS_SD_NS) labels_set(&b, STR("__meta_dns_ns_record_target"), rooted);
    return labels_dup(a, labels_build(&b));
}

static void take(struct name *n, struct str name, const struct dns_answer *r)
{
    const struct dns_sd *c = n->of->p.config->is;
    struct arena a = { 0 };
    struct sd_group g = { .source = arena_dup(&a, name) };
    g.targets = arena_array(&a, r->n, sizeof(*g.targets));
    for (; g.n < r->n; g.n++) {
        g.targets[g.n] = target_of(&a, c, g.source, &r->v[g.n]);
    }
    arena_done(&n->arena);
    n->arena = a;
    n->group = g;
    n->found = true;
}

static void on_answer(void *ctx, enum err e, const struct dns_answer *r, const struct diag *d)
{
    struct name *n = ctx;
    struct dns_provider *dp = n->of;
    const struct dns_sd *c = dp->p.config->is;
    n->query = NULL;
    provider_count(&dp->p, &dp->p.d->counts.dns_lookups);
    if (e == OK) {
        take(n, c->names.v[n - dp->names], r);
    } else {
        provider_count(&dp->p, &dp->p.d->counts.dns_failures);
        dp->why = *d;
    }
    if (--dp->asked) return;
    provider_result(&dp->p, dp->why.text[0] ? &dp->why : NULL);
    provider_found(&dp->p, true);
    timer_set(&dp->timer, c->refresh_ms);
}

static void ask(void *ctx)
{
    struct dns_provider *dp = ctx;
    const struct dns_sd *c = dp->p.config->is;
    dp->why = (struct diag){ 0 };
    dp->asked = dp->n;
    for (size_t i = 0; i < dp->n; i++) {
        struct name *n = &dp->names[i];
        n->query = dns_start(dp->p.d->env.loop, c->names.v[i], record_type(c->type),
                             dp->p.d->env.dns_servers, on_answer, n);
    }
}

static void start(struct provider *p)
{
    struct dns_provider *dp = (struct dns_provider *)p;
    const struct dns_sd *c = p->config->is;
    dp->n = c->names.n;
    dp->names = calloc(dp->n, sizeof(*dp->names));
    ASSERT(dp->names != NULL);
    for (size_t i = 0; i < dp->n; i++) dp->names[i].of = dp;
    timer_init(&dp->timer, p->d->env.loop, ask, dp);
    timer_set(&dp->timer, 0);
}

static void stop(struct provider *p)
{
    struct dns_provider *dp = (struct dns_provider *)p;
    timer_done(&dp->timer);
    for (size_t i = 0; i < dp->n; i++) {
        dns_cancel(dp->names[i].query);
        arena_done(&dp->names[i].arena);
    }
    free(dp->names);
}

static void groups(struct provider *p, struct arena *a, struct group_vec *out)
{
    struct dns_provider *dp = (struct dns_provider *)p;
    for (size_t i = 0; i < dp->n; i++) {
        if (dp->names[i].found) *vec_push(a, &out->v) = dp->names[i].group;
    }
}

const struct provider_ops DNS_PROVIDER = { sizeof(struct dns_provider), start, NULL, stop, groups };
