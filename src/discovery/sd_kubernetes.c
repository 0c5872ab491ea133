/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sd_kubernetes.c - which objects a role needs, watched; targets made of them when somebody asks
 */
#include "base/assert.h"
#include "discovery/kube_targets.h"
#include "discovery/kube_watch.h"
#include "discovery/provider.h"

#include <stdlib.h>

enum { ACCESS_RETRY_MS = 10000 };

struct kube_provider {
    struct provider p;
    struct timer timer; /* until there is an access */
    struct arena arena;
    struct kube_access access;
    struct kube_objects objects;
    struct kube_watch **watches;
    size_t n;
};

static bool all_listed(const struct kube_provider *kp)
{
    for (size_t i = 0; i < kp->n; i++) {
        if (!kube_watch_listed(kp->watches[i])) return false;
    }
    return kp->n > 0;
}

static enum kube_role role_of(enum kube_kind kind)
{
    static const enum kube_role ROLES[] = {
        [KIND_POD] = KUBE_POD,
        [KIND_SERVICE] = KUBE_SERVICE,
        [KIND_ENDPOINTS] = KUBE_ENDPOINTS,
        [KIND_SLICE] = KUBE_ENDPOINTSLICE,
        [KIND_NODE] = KUBE_NODE,
        [KIND_INGRESS] = KUBE_INGRESS,
        [KIND_NAMESPACE] = KUBE_NONE,
    };
    return ROLES[kind];
}

static void on_change(void *ctx, enum kube_kind kind, enum kube_change change)
{
    struct kube_provider *kp = ctx;
    provider_count(&kp->p, &kp->p.d->counts.kube_events[role_of(kind)][change]);
    if (all_listed(kp)) provider_found(&kp->p, true);
}

static void on_listed(void *ctx)
{
    struct kube_provider *kp = ctx;
    if (!all_listed(kp)) return;
    provider_result(&kp->p, NULL);
    provider_found(&kp->p, true);
}

static void on_failed(void *ctx, const struct diag *d)
{
    struct kube_provider *kp = ctx;
    provider_count(&kp->p, &kp->p.d->counts.kube_failures);
    provider_result(&kp->p, d);
}

static const struct kube_watch_events EVENTS = { on_change, on_listed, on_failed };

/* Kinds a role needs, its own first. */
static size_t kinds_of(const struct kubernetes_sd *c, enum kube_kind out[KIND_MAX_])
{
    static const struct {
        enum kube_kind v[3];
        size_t n;
    } NEEDS[] = {
        [KUBE_POD] = { { KIND_POD }, 1 },
        [KUBE_SERVICE] = { { KIND_SERVICE }, 1 },
        [KUBE_ENDPOINTS] = { { KIND_ENDPOINTS, KIND_SERVICE, KIND_POD }, 3 },
        [KUBE_ENDPOINTSLICE] = { { KIND_SLICE, KIND_SERVICE, KIND_POD }, 3 },
        [KUBE_NODE] = { { KIND_NODE }, 1 },
        [KUBE_INGRESS] = { { KIND_INGRESS }, 1 },
    };
    size_t n = NEEDS[c->role].n;
    for (size_t i = 0; i < n; i++) out[i] = NEEDS[c->role].v[i];
    if (c->attach_node && c->role != KUBE_NODE) out[n++] = KIND_NODE;
    if (c->attach_namespace && c->role != KUBE_NODE) out[n++] = KIND_NAMESPACE;
    return n;
}

static void add_watch(struct kube_provider *kp, enum kube_kind kind, struct str ns)
{
    const struct kubernetes_sd *c = kp->p.config->is;
    struct kube_watch_want want = { .kind = kind, .ns = ns };
    for (size_t i = 0; i < c->selectors_n; i++) {
        if (c->selectors[i].role != role_of(kind)) continue;
        want.labels = c->selectors[i].label;
        want.fields = c->selectors[i].field;
    }
    kp->watches[kp->n++] = kube_watch_new(kp->p.d->env.loop, kp->p.d->client,
                                          kp->p.d->env.user_agent, &kp->access, &kp->objects, &want,
                                          &EVENTS, kp);
}

/* Each kind in each namespace; cluster-wide kinds once. */
static void watch_all(struct kube_provider *kp)
{
    const struct kubernetes_sd *c = kp->p.config->is;
    enum kube_kind kinds[KIND_MAX_];
    size_t kinds_n = kinds_of(c, kinds), ns_n = c->namespaces.n + (c->own_namespace ? 1 : 0);
    kp->watches = calloc(kinds_n * (ns_n + 1), sizeof(struct kube_watch *));
    ASSERT(kp->watches != NULL);
    for (size_t k = 0; k < kinds_n; k++) {
        bool wide = kinds[k] == KIND_NODE || kinds[k] == KIND_NAMESPACE || !ns_n;
        if (wide) add_watch(kp, kinds[k], STR(""));
        if (!wide && c->own_namespace) add_watch(kp, kinds[k], kp->access.own_namespace);
        for (size_t i = 0; !wide && i < c->namespaces.n; i++) {
            add_watch(kp, kinds[k], c->namespaces.v[i]);
        }
    }
}

/* Outside a cluster, or before its files are there: tried again, as files and environment may come. */
static void begin(void *ctx)
{
    struct kube_provider *kp = ctx;
    struct diag d = { 0 };
    arena_reset(&kp->arena);
    if (kube_access_of(&kp->arena, kp->p.config->is, &kp->access, &d) == OK) {
        kp->access.url = arena_dup(&kp->arena, kp->access.url);
        watch_all(kp);
        return;
    }
    on_failed(kp, &d);
    timer_set(&kp->timer, ACCESS_RETRY_MS);
}

static void start(struct provider *p)
{
    struct kube_provider *kp = (struct kube_provider *)p;
    timer_init(&kp->timer, p->d->env.loop, begin, kp);
    timer_set(&kp->timer, 0);
}

/* What was taken from the section itself has moved. */
static void adopted(struct provider *p)
{
    struct kube_provider *kp = (struct kube_provider *)p;
    const struct kubernetes_sd *c = p->config->is;
    if (c->api_server.n) kp->access.http = c->http;
}

static void stop(struct provider *p)
{
    struct kube_provider *kp = (struct kube_provider *)p;
    timer_done(&kp->timer);
    for (size_t i = 0; i < kp->n; i++) {
        kube_watch_free(kp->watches[i]);
    }
    free(kp->watches);
    kube_objects_done(&kp->objects);
    arena_done(&kp->arena);
}

/* Nothing before all is listed: an endpoint without its pod would be another target a second later. */
static void groups(struct provider *p, struct arena *a, struct group_vec *out)
{
    struct kube_provider *kp = (struct kube_provider *)p;
    if (!all_listed(kp)) return;
    kube_targets(a, p->config->is, &kp->objects, out);
}

const struct provider_ops KUBE_PROVIDER = { sizeof(struct kube_provider), start, adopted, stop,
                                            groups };
