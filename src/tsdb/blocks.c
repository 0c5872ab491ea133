/* SPDX-License-Identifier: Apache-2.0 */
#include "tsdb/blocks.h"

#include "base/assert.h"
#include "io/file.h"
#include "tsdb/dirs.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

void blocks_init(struct blocks *bs, struct str dir, const struct tsdb_options *o)
{
    *bs = (struct blocks){ .dir = dir, .o = o };
    pthread_mutex_init(&bs->lock, NULL);
    arena_init(&bs->names, 0);
    bs->now = calloc(1, sizeof(*bs->now));
    ASSERT(bs->now != NULL);
    atomic_store(&bs->now->refs, 1);
    atomic_store(&bs->mint, INT64_MAX);
    atomic_store(&bs->maxt, INT64_MIN);
}

void blocks_done(struct blocks *bs)
{
    block_list_unref(bs->now);
    map_done(&bs->refused);
    arena_done(&bs->names);
    pthread_mutex_destroy(&bs->lock);
}

struct block_list *blocks_list(struct blocks *bs)
{
    pthread_mutex_lock(&bs->lock);
    struct block_list *l = bs->now;
    atomic_fetch_add(&l->refs, 1);
    pthread_mutex_unlock(&bs->lock);
    return l;
}

void block_list_unref(struct block_list *l)
{
    if (!l || atomic_fetch_sub(&l->refs, 1) != 1) return;
    for (size_t i = 0; i < l->n; i++) {
        block_unref(l->v[i].b);
        tombs_unref(l->v[i].tombs);
    }
    free(l);
}

static struct block_list *list_new(size_t cap)
{
    struct block_list *l = calloc(1, sizeof(*l) + cap * sizeof(l->v[0]));
    ASSERT(l != NULL);
    atomic_store(&l->refs, 1);
    return l;
}

static void publish(struct blocks *bs, struct block_list *l)
{
    uint64_t bytes = 0;
    int64_t mint = INT64_MAX, maxt = INT64_MIN;
    for (size_t i = 0; i < l->n; i++) {
        const struct block *b = l->v[i].b;
        bytes += b->bytes;
        if (b->meta.mint < mint) mint = b->meta.mint;
        if (b->meta.maxt > maxt) maxt = b->meta.maxt;
    }
    atomic_store(&bs->bytes, bytes);
    atomic_store(&bs->loaded, l->n);
    atomic_store(&bs->mint, mint);
    atomic_store(&bs->maxt, maxt);
    pthread_mutex_lock(&bs->lock);
    struct block_list *old = bs->now;
    bs->now = l;
    pthread_mutex_unlock(&bs->lock);
    block_list_unref(old);
}

static int by_time(const void *a, const void *b)
{
    const struct blockmeta *x = &((const struct block_view *)a)->b->meta;
    const struct blockmeta *y = &((const struct block_view *)b)->b->meta;
    if (x->mint != y->mint) return x->mint < y->mint ? -1 : 1;
    return (x->maxt > y->maxt) - (x->maxt < y->maxt);
}

/*
 * What is on disk
 */

void blocks_sweep(struct blocks *bs)
{
    ARENA(a, 0);
    struct str *names;
    size_t n;
    if (dir_list(&a, bs->dir, &names, &n, NULL) != OK) return;
    for (size_t i = 0; i < n; i++) {
        struct str s = names[i];
        if (s.n <= ULID_CHARS || !ulid_ok(str_first(s, ULID_CHARS))) continue;
        struct str rest = str_from(s, ULID_CHARS);
        if (str_eqc(rest, BLOCK_CREATING) || str_eqc(rest, BLOCK_DELETING) ||
            str_eqc(rest, ".tmp")) {
            block_remove_tree(path_join(&a, bs->dir, s).p);
        }
    }
}

static const struct block_view *find(const struct block_list *l, struct str ulid)
{
    for (size_t i = 0; i < l->n; i++) {
        if (str_eq(l->v[i].b->meta.ulid, ulid)) return &l->v[i];
    }
    return NULL;
}

bool blocks_have(struct blocks *bs, struct str ulid)
{
    struct block_list *l = blocks_list(bs);
    bool have = find(l, ulid) != NULL;
    block_list_unref(l);
    return have;
}

static void refuse(struct blocks *bs, struct str name, const struct diag *d)
{
    if (map_get(&bs->refused, name)) return;
    (void)map_put(&bs->refused, arena_dup(&bs->names, name), bs);
    atomic_fetch_add(&bs->failed, 1);
    if (!bs->o->report) return;
    ARENA(a, 0);
    struct str text = arena_fmt(&a, "block " STR_FMT " is left aside, its samples are not read: %s",
                                STR_ARG(name), d->text);
    bs->o->report(bs->o->ctx, &(struct tsdb_report){ .file = name, .text = text.p });
}

static void add_folder(struct blocks *bs, struct block_list *l, const struct block_list *old,
                       struct str name)
{
    const struct block_view *have = find(old, name);
    if (have) {
        l->v[l->n++] = (struct block_view){ block_ref(have->b), tombs_ref(have->tombs) };
        return;
    }
    ARENA(a, 0);
    struct diag d = { 0 };
    struct block *b;
    enum err e = block_open(path_join(&a, bs->dir, name), &b, &d);
    if (e == OK && !str_eq(b->meta.ulid, name)) {
        e = diag_set(&d, ERR_CORRUPT, "meta.json names another block");
        block_unref(b);
    }
    if (e != OK) {
        refuse(bs, name, &d);
        return;
    }
    l->v[l->n++] = (struct block_view){ b, tombs_ref(b->tombs) };
}

static struct block_list *scan(struct blocks *bs, const struct block_list *old)
{
    ARENA(a, 0);
    struct str *names = NULL;
    size_t n = 0;
    if (dir_list(&a, bs->dir, &names, &n, NULL) != OK) return NULL;
    struct block_list *l = list_new(n);
    for (size_t i = 0; i < n; i++) {
        if (ulid_ok(names[i])) add_folder(bs, l, old, names[i]);
    }
    if (l->n) qsort(l->v, l->n, sizeof(l->v[0]), by_time);
    return l;
}

/* A block whose samples are all in another loaded one: that names it as a parent. */
static bool replaced(const struct block_list *l, const struct block *b)
{
    if (b->meta.deletable) return true;
    for (size_t i = 0; i < l->n; i++) {
        const struct blockmeta *m = &l->v[i].b->meta;
        for (size_t k = 0; k < m->parents_n; k++) {
            if (str_eq(m->parents[k].ulid, b->meta.ulid)) return true;
        }
    }
    return false;
}

static struct block_list *without(const struct block_list *l, const struct str *ulids, size_t n)
{
    struct block_list *to = list_new(l->n);
    for (size_t i = 0; i < l->n; i++) {
        bool goes = false;
        for (size_t k = 0; k < n && !goes; k++) goes = str_eq(ulids[k], l->v[i].b->meta.ulid);
        if (goes) continue;
        to->v[to->n++] = (struct block_view){ block_ref(l->v[i].b), tombs_ref(l->v[i].tombs) };
    }
    return to;
}

static void remove_folders(struct blocks *bs, const struct str *ulids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct diag d = { 0 };
        if (block_remove(bs->dir, ulids[i], &d) == OK || !bs->o->report) continue;
        bs->o->report(bs->o->ctx, &(struct tsdb_report){ .file = ulids[i], .text = d.text });
    }
}

void blocks_remove(struct blocks *bs, const struct str *ulids, size_t n)
{
    if (!n) return;
    struct block_list *old = blocks_list(bs);
    publish(bs, without(old, ulids, n));
    remove_folders(bs, ulids, n); /* names may be the old list's */
    block_list_unref(old);
}

void blocks_reload(struct blocks *bs)
{
    struct block_list *old = blocks_list(bs), *l = scan(bs, old);
    atomic_fetch_add(&bs->reloads, 1);
    if (!l) {
        atomic_fetch_add(&bs->reloads_failed, 1);
        block_list_unref(old);
        return;
    }
    ARENA(a, 0);
    struct str *gone = arena_array(&a, l->n, sizeof(*gone));
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++) {
        if (replaced(l, l->v[i].b)) gone[n++] = arena_dup(&a, l->v[i].b->meta.ulid);
    }
    publish(bs, l);
    block_list_unref(old);
    blocks_remove(bs, gone, n);
}

void blocks_set_tombs(struct blocks *bs, const struct block *b, struct tombs *t)
{
    struct block_list *old = blocks_list(bs), *l = without(old, NULL, 0);
    for (size_t i = 0; i < l->n; i++) {
        if (l->v[i].b != b) continue;
        tombs_unref(l->v[i].tombs);
        l->v[i].tombs = tombs_ref(t);
    }
    tombs_unref(t);
    publish(bs, l);
    block_list_unref(old);
}
