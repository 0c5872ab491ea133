/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kube_watch.h - one list of objects kept up to date: listed page by page, then watched from where the list ended
 *
 * States:  waiting (before a first or another try) -> listing -> watching -> watching again, or listing where the server has
 *          forgotten where we were (410 Gone).
 * Limits:  pages of 100 objects and 64 MiB, an event 4 MiB; tries 1 s apart, doubling to 30 s.
 * Threads: the loop's own.
 * Source:  Kubernetes API concepts (resourceVersion, bookmarks, 410), client-go tools/cache/reflector.go.
 */
#ifndef DISCOVERY_KUBE_WATCH_H
#define DISCOVERY_KUBE_WATCH_H

#include "discovery/kube_access.h"
#include "discovery/kube_objects.h"
#include "io/http_client.h"
#include "io/loop.h"

enum kube_change { KUBE_ADDED, KUBE_UPDATED, KUBE_DELETED };

struct kube_watch_events {
    void (*change)(void *ctx, enum kube_kind kind, enum kube_change change);
    void (*listed)(void *ctx); /* a list is complete */
    void (*failed)(void *ctx, const struct diag *d);
};

struct kube_watch_want {
    enum kube_kind kind;
    struct str ns;             /* "": all */
    struct str labels, fields; /* selectors, or empty */
};

struct kube_watch;

/* access, objects and events live longer; want is copied. Begins at the loop's next turn. */
struct kube_watch *kube_watch_new(struct loop *l, struct http_client *client, struct str user_agent,
                                  const struct kube_access *access, struct kube_objects *objects,
                                  const struct kube_watch_want *want,
                                  const struct kube_watch_events *ev, void *ctx);
void kube_watch_free(struct kube_watch *w); /* its objects stay */
bool kube_watch_listed(const struct kube_watch *w);

/*
 * One line of a watch applied. rv: the resource version it brings, unchanged where it brings none.
 * Errors: ERR_MISSING the server has forgotten where we were; ERR_SYNTAX; ERR_SYS an error event (d says)
 */
enum err kube_event(struct arena *a, struct str line, enum kube_kind kind, const void *owner,
                    uint32_t mark, struct kube_objects *objects, enum kube_change *change,
                    bool *changed, struct str *rv, struct diag *d);

#endif
