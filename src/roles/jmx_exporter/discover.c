/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discover.c - brokers' hosts, tried on the ports where JMX usually is
 */
#include "base/log.h"
#include "roles/jmx_exporter/exporter.h"

#include <stdlib.h>

static const uint16_t PORTS[PROBE_PORTS] = { 9999, 5555, 9010, 1099 };

/* The first port that lets us in is the host's; its link becomes a target, the others end. */
static void on_up(void *ctx, struct link *k)
{
    struct exporter *x = ctx;
    for (size_t i = 0; i < x->probes_n; i++) {
        struct probe *p = x->probes[i];
        bool mine = false;
        for (size_t n = 0; n < PROBE_PORTS; n++) mine |= p->links[n] == k;
        if (!mine) continue;
        p->found = true;
        for (size_t n = 0; n < PROBE_PORTS; n++) {
            if (p->links[n] != k) link_free(p->links[n]);
            p->links[n] = NULL;
        }
    }
    LOG(INFO, "JMX found", kv("target", jmx_target_endpoint(k->target)->target));
    exporter_add(x, k);
}

static void probe_add(struct exporter *x, struct str host)
{
    ARENA(a, 0);
    struct probe *p = calloc(1, sizeof(*p));
    char *copy = malloc(host.n + 1);
    struct probe **list = realloc(x->probes, (x->probes_n + 1) * sizeof(*list));
    if (!p || !copy || !list) abort();
    memcpy(copy, host.p, host.n);
    p->host = str_make(copy, host.n);
    p->listed = true;
    x->probes = list;
    x->probes[x->probes_n++] = p;
    bool v6 = str_find_char(host, ':') != STR_NONE;
    for (size_t i = 0; i < PROBE_PORTS; i++) {
        struct jmx_endpoint e = {
            .host = host,
            .port = PORTS[i],
            .name = STR("jmxrmi"),
            .target = arena_fmt(&a, v6 ? "[" STR_FMT "]:%u" : STR_FMT ":%u", STR_ARG(host),
                                (unsigned)PORTS[i]),
        };
        p->links[i] = link_new(x->env.collect, x->rules, &e, x->label, NULL, NULL);
        p->links[i]->on_up = on_up;
        p->links[i]->up_ctx = x;
    }
    LOG(INFO, "looking for JMX", kv("host", host), kv("ports", "9999, 5555, 9010, 1099"),
        kv("hint", "start the broker with JMX_PORT=9999, or name the port by --jmx HOST:PORT"));
    for (size_t i = 0; i < PROBE_PORTS && !p->found; i++) link_start(p->links[i]);
}

void probe_free(struct probe *p)
{
    for (size_t i = 0; i < PROBE_PORTS; i++) link_free(p->links[i]);
    free((void *)(uintptr_t)p->host.p);
    free(p);
}

/* Ends the search for hosts that no longer belong to the cluster; a target once found stays and shows as down. */
static void forget_others(struct exporter *x)
{
    size_t kept = 0;
    for (size_t i = 0; i < x->probes_n; i++) {
        if (x->probes[i]->listed || x->probes[i]->found) {
            x->probes[kept++] = x->probes[i];
        } else {
            probe_free(x->probes[i]);
        }
    }
    x->probes_n = kept;
}

void jmx_exporter_offer(void *state, const struct str *hosts, size_t n)
{
    struct exporter *x = state;
    if (!x || x->named) return;
    loop_here(x->env.collect);
    for (size_t i = 0; i < x->probes_n; i++) x->probes[i]->listed = false;
    for (size_t i = 0; i < n; i++) {
        struct probe *known = NULL;
        for (size_t k = 0; k < x->probes_n; k++) {
            if (str_eq(x->probes[k]->host, hosts[i])) known = x->probes[k];
        }
        if (known) {
            known->listed = true;
        } else {
            probe_add(x, hosts[i]);
        }
    }
    forget_others(x);
}
