/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider.h - one section at work, as discovery.c sees it
 *
 * Threads: the collect loop. Only files of discovery/ include this.
 */
#ifndef DISCOVERY_PROVIDER_H
#define DISCOVERY_PROVIDER_H

#include "base/list.h"
#include "base/vec.h"
#include "discovery/discovery.h"
#include "io/http_client.h"

#include <pthread.h>

struct provider;

struct group_vec {
    VEC(struct sd_group) v;
};

struct provider_vec {
    VEC(struct provider *) v;
};

struct provider_ops {
    size_t size; /* bytes of the provider's struct, which begins with struct provider */
    void (*start)(struct provider *p);
    void (*adopted)(
        struct provider *p);          /* its section is another configuration's now; may be NULL */
    void (*stop)(struct provider *p); /* frees what it holds, not itself */
    /* What it found, appended; strings are the provider's and hold until it runs again. */
    void (*groups)(struct provider *p, struct arena *a, struct group_vec *out);
};

/* What the mechanisms count; under discovery.lock. */
struct sd_counts {
    uint64_t refresh_failures[SD_KINDS], refreshes[SD_KINDS];
    uint64_t file_read_errors, http_failures, dns_lookups, dns_failures;
    uint64_t kube_events[KUBE_ROLES][3], kube_failures; /* add, update, delete */
};

struct provider {
    struct list in_discovery;
    const struct provider_ops *ops;
    struct discovery *d;
    const struct sd_config *config; /* of the configuration that counts now */
    struct str key, name;           /* malloc'ed; name: "file/0" */
    bool kept;                      /* during apply() */
    bool answered;                  /* it has found something, or met an error */
    bool failing;
};

struct discovery {
    struct discovery_env env;
    struct http_client *client;
    struct list providers;
    struct timer teller;
    int64_t told_ms;  /* monotonic */
    int64_t grace_ms; /* until then providers that are new may keep their sets as they were */
    struct set *sets;
    size_t sets_n, next_number;
    pthread_mutex_t lock;
    struct sd_counts counts;
    uint64_t received, updates;
};

/* The provider found something new, or the same again. */
void provider_found(struct provider *p, bool changed);

/* d NULL: it went well. Tells the log where that is news. */
void provider_result(struct provider *p, const struct diag *d);

/* Adds one to a field of counts. */
void provider_count(struct provider *p, uint64_t *field);

extern const struct provider_ops FILE_PROVIDER, HTTP_PROVIDER, DNS_PROVIDER, KUBE_PROVIDER;

#endif
