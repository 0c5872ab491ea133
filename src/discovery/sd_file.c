/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sd_file.c - target groups from files, read again when they change
 *
 * Files are looked at every second (name, time, size) and read when that differs, and all of them at the refresh interval.
 * A file that cannot be read, or holds no list, keeps what it held; one that is gone takes its targets along.
 * Source: discovery/file/file.go.
 */
#include "base/assert.h"
#include "discovery/groups.h"
#include "discovery/provider.h"
#include "io/clock.h"
#include "io/file.h"

#include <stdlib.h>
#include <sys/stat.h>

enum { LOOK_MS = 1000 };

struct watched {
    struct list in_provider;
    struct str path; /* malloc'ed */
    struct timespec changed;
    off_t size;
    ino_t inode;
    bool seen; /* during a look */
    struct arena arena;
    struct sd_groups groups;
};

struct file_provider {
    struct provider p;
    struct timer timer;
    struct list files;
    int64_t refresh_at; /* monotonic ms: then everything is read */
};

static void forget(struct watched *f)
{
    list_remove(&f->in_provider);
    arena_done(&f->arena);
    free((void *)(uintptr_t)f->path.p);
    free(f);
}

static struct watched *file_of(struct file_provider *fp, struct str path)
{
    LIST_FOR(it, &fp->files) {
        struct watched *f = CONTAINER_OF(it, struct watched, in_provider);
        if (str_eq(f->path, path)) return f;
    }
    struct watched *f = calloc(1, sizeof(*f));
    char *copy = malloc(path.n + 1);
    ASSERT(f && copy);
    memcpy(copy, path.p, path.n);
    copy[path.n] = 0;
    f->path = str_make(copy, path.n);
    list_add_tail(&fp->files, &f->in_provider);
    return f;
}

/* Whether it is another file than at the last look; remembers it. */
static bool is_news(struct watched *f)
{
    struct stat st;
    if (stat(f->path.p, &st) != 0) return true; /* reading it says why */
    bool same = st.st_mtim.tv_sec == f->changed.tv_sec &&
                st.st_mtim.tv_nsec == f->changed.tv_nsec && st.st_size == f->size &&
                st.st_ino == f->inode;
    f->changed = st.st_mtim;
    f->size = st.st_size;
    f->inode = st.st_ino;
    return !same;
}

static enum err read_file(struct watched *f, struct diag *d)
{
    struct arena a = { 0 };
    struct str text;
    struct sd_groups groups;
    struct label path = { STR("__meta_filepath"), f->path };
    bool json = str_ends(f->path, STR(".json")) || str_ends(f->path, STR(".JSON"));
    enum err e = file_read(&a, f->path, GROUPS_TEXT_MAX, &text, d);
    if (e == OK) {
        e = json ? groups_from_json(&a, text, f->path, path, &groups, d)
                 : groups_from_yaml(&a, text, f->path, path, &groups, d);
    }
    if (e != OK) {
        arena_done(&a);
        return e;
    }
    arena_done(&f->arena);
    f->arena = a;
    f->groups = groups;
    return OK;
}

static bool look_at(struct file_provider *fp, struct str path, bool all, struct diag *why)
{
    struct watched *f = file_of(fp, path);
    struct diag d = { 0 };
    f->seen = true;
    if (!is_news(f) && !all) return false;
    if (read_file(f, &d) == OK) return true;
    provider_count(&fp->p, &fp->p.d->counts.file_read_errors);
    (void)diag_set(why, ERR_SYNTAX, "error reading file " STR_FMT ": %s", STR_ARG(path), d.text);
    return false;
}

static bool forget_unseen(struct file_provider *fp)
{
    bool any = false;
    LIST_FOR(it, &fp->files) {
        struct watched *f = CONTAINER_OF(it, struct watched, in_provider);
        if (!f->seen) {
            forget(f);
            any = true;
        }
    }
    return any;
}

static void look(void *ctx)
{
    struct file_provider *fp = ctx;
    const struct file_sd *c = fp->p.config->is;
    struct diag why = { 0 };
    ARENA(a, 0);
    int64_t now = clock_mono_ms();
    bool all = now >= fp->refresh_at, news = false;
    if (all) fp->refresh_at = now + c->refresh_ms;
    LIST_FOR(it, &fp->files) {
        CONTAINER_OF(it, struct watched, in_provider)->seen = false;
    }
    for (size_t i = 0; i < c->files.n; i++) {
        struct str *paths;
        size_t n = 0;
        if (file_glob(&a, c->files.v[i], &paths, &n, &why) != OK) continue;
        for (size_t j = 0; j < n; j++) {
            if (look_at(fp, paths[j], all, &why)) news = true;
        }
    }
    if (forget_unseen(fp)) news = true;
    if (news || all || why.text[0]) provider_result(&fp->p, why.text[0] ? &why : NULL);
    if (news || !fp->p.answered) provider_found(&fp->p, true);
    timer_set(&fp->timer, LOOK_MS);
}

static void start(struct provider *p)
{
    struct file_provider *fp = (struct file_provider *)p;
    list_init(&fp->files);
    timer_init(&fp->timer, p->d->env.loop, look, fp);
    timer_set(&fp->timer, 0);
}

static void stop(struct provider *p)
{
    struct file_provider *fp = (struct file_provider *)p;
    timer_done(&fp->timer);
    LIST_FOR(it, &fp->files) {
        forget(CONTAINER_OF(it, struct watched, in_provider));
    }
}

static void groups(struct provider *p, struct arena *a, struct group_vec *out)
{
    struct file_provider *fp = (struct file_provider *)p;
    LIST_FOR(it, &fp->files) {
        const struct watched *f = CONTAINER_OF(it, struct watched, in_provider);
        for (size_t i = 0; i < f->groups.n; i++) {
            *vec_push(a, &out->v) = f->groups.v[i];
        }
    }
}

const struct provider_ops FILE_PROVIDER = { sizeof(struct file_provider), start, NULL, stop,
                                            groups };
