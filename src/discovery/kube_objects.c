/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery/kube_objects.h"

#include "base/assert.h"

#include <stdlib.h>

static void object_free(struct kube_object *k)
{
    struct arena a = k->arena;
    arena_done(&a);
}

void kube_objects_done(struct kube_objects *o)
{
    for (size_t i = 0; i < KIND_MAX_; i++) {
        MAP_FOR(slot, &o->by_key[i]) {
            object_free(slot->value);
        }
        map_done(&o->by_key[i]);
    }
}

static struct str key_of(struct arena *a, struct str ns, struct str name)
{
    return ns.n ? arena_fmt(a, STR_FMT "/" STR_FMT, STR_ARG(ns), STR_ARG(name))
                : arena_dup(a, name);
}

enum err kube_key(struct arena *a, const struct json *v, struct str *out)
{
    const struct json *meta = json_get(v, "metadata");
    struct str name = json_str(json_get(meta, "name"), STR(""));
    if (!name.n) return ERR_SYNTAX;
    *out = key_of(a, json_str(json_get(meta, "namespace"), STR("")), name);
    return OK;
}

/* A copy by way of its text: an object outlives the page or the event that brought it. */
static struct kube_object *copy_of(const struct json *v, enum err *e)
{
    struct arena a = { 0 };
    *e = ERR_SYNTAX;
    if (!v) return NULL; /* an event without an object */
    struct kube_object *k = arena_new(&a, struct kube_object);
    BUF(text, 0);
    json_write(&text, v);
    *e = json_parse(&a, arena_dup(&a, buf_str(&text)), &k->v, NULL);
    if (*e == OK) *e = kube_key(&a, k->v, &k->key);
    if (*e != OK) {
        arena_done(&a);
        return NULL;
    }
    k->arena = a;
    return k;
}

bool kube_objects_put(struct kube_objects *o, enum kube_kind kind, const struct json *v,
                      const void *owner, uint32_t mark, enum err *e)
{
    struct kube_object *k = copy_of(v, e);
    if (!k) return false;
    k->owner = owner;
    k->mark = mark;
    struct kube_object *was = map_put(&o->by_key[kind], k->key, k);
    if (was) object_free(was);
    return !was;
}

bool kube_objects_del(struct kube_objects *o, enum kube_kind kind, struct str key)
{
    struct kube_object *was = map_del(&o->by_key[kind], key);
    if (was) object_free(was);
    return was != NULL;
}

size_t kube_objects_sweep(struct kube_objects *o, enum kube_kind kind, const void *owner,
                          uint32_t mark)
{
    ARENA(a, 0);
    size_t n, gone = 0;
    const struct kube_object **all = kube_objects_all(o, kind, &a, &n);
    for (size_t i = 0; i < n; i++) {
        if (all[i]->owner != owner || all[i]->mark == mark) continue;
        struct str key = arena_dup(&a, all[i]->key);
        if (kube_objects_del(o, kind, key)) gone++;
    }
    return gone;
}

const struct json *kube_objects_get(const struct kube_objects *o, enum kube_kind kind,
                                    struct str ns, struct str name)
{
    ARENA(a, 0);
    const struct kube_object *k = map_get(&o->by_key[kind], key_of(&a, ns, name));
    return k ? k->v : NULL;
}

static int by_key(const void *x, const void *y)
{
    const struct kube_object *const *a = x, *const *b = y;
    return str_cmp((*a)->key, (*b)->key);
}

const struct kube_object **kube_objects_all(const struct kube_objects *o, enum kube_kind kind,
                                            struct arena *a, size_t *n)
{
    struct map m = o->by_key[kind];
    const struct kube_object **all = arena_array(a, m.n, sizeof(*all));
    *n = 0;
    MAP_FOR(slot, &m) {
        all[(*n)++] = slot->value;
    }
    qsort(all, *n, sizeof(struct kube_object *), by_key);
    return all;
}
