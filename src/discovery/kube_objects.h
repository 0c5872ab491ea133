/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kube_objects.h - what is known of a cluster: objects by kind, namespace and name
 *
 * Shape:   an object is its JSON in an arena of its own. What a list no longer has is swept by marks.
 * Threads: one at a time.
 */
#ifndef DISCOVERY_KUBE_OBJECTS_H
#define DISCOVERY_KUBE_OBJECTS_H

#include "base/map.h"
#include "codec/json.h"

enum kube_kind {
    KIND_POD,
    KIND_SERVICE,
    KIND_ENDPOINTS,
    KIND_SLICE,
    KIND_NODE,
    KIND_INGRESS,
    KIND_NAMESPACE,
    KIND_MAX_,
};

struct kube_object {
    struct arena arena; /* holds the object itself */
    struct str key;     /* "namespace/name", or "name" */
    const struct json *v;
    const void *owner; /* whose list it is from */
    uint32_t mark;
};

struct kube_objects {
    struct map by_key[KIND_MAX_];
};

void kube_objects_done(struct kube_objects *o);

/* "namespace/name" of an object's metadata. Errors: ERR_SYNTAX it has no name */
enum err kube_key(struct arena *a, const struct json *v, struct str *out);

/* Takes a copy. True: it is new. Errors in *e: ERR_SYNTAX it has no name */
bool kube_objects_put(struct kube_objects *o, enum kube_kind kind, const struct json *v,
                      const void *owner, uint32_t mark, enum err *e);
/* False: there was none. */
bool kube_objects_del(struct kube_objects *o, enum kube_kind kind, struct str key);

/* Removes the owner's objects that bear another mark. Returns how many. */
size_t kube_objects_sweep(struct kube_objects *o, enum kube_kind kind, const void *owner,
                          uint32_t mark);

const struct json *kube_objects_get(const struct kube_objects *o, enum kube_kind kind,
                                    struct str ns, struct str name);

/* All of a kind, sorted by key. */
const struct kube_object **kube_objects_all(const struct kube_objects *o, enum kube_kind kind,
                                            struct arena *a, size_t *n);

#endif
