/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/journal.h"

#include "alert/records.h"
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define JOURNAL_MAX ((size_t)1 << 30)

struct journal {
    pthread_mutex_t lock;
    struct arena arena;
    struct str path;
    int fd;
    size_t size;
    struct buf unwritten; /* records that a full disk refused; the next flush begins with them */
};

static enum err open_fd(struct journal *j, struct diag *d)
{
    j->fd = open(j->path.p, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (j->fd >= 0) return OK;
    return diag_set(d, ERR_SYS, "cannot open " STR_FMT ": %m", STR_ARG(j->path));
}

/* Bytes of the whole records. */
static size_t read_all(struct str bytes, bool (*each)(void *ctx, struct str message), void *ctx)
{
    struct str in = bytes, before = in, message;
    while (record_next(&in, &message) == OK && each(ctx, message)) before = in;
    return bytes.n - before.n;
}

static enum err load(struct journal *j, bool (*each)(void *ctx, struct str message), void *ctx,
                     size_t *cut, struct diag *d)
{
    ARENA(a, 0);
    struct str bytes = STR("");
    enum err e = file_read(&a, j->path, JOURNAL_MAX, &bytes, d);
    if (e != OK && e != ERR_MISSING) return e;
    j->size = read_all(bytes, each, ctx);
    *cut = bytes.n - j->size;
    TRY(open_fd(j, d));
    if (*cut && ftruncate(j->fd, (off_t)j->size) != 0) {
        return diag_set(d, ERR_SYS, "cannot cut " STR_FMT ": %m", STR_ARG(j->path));
    }
    return OK;
}

enum err journal_open(struct str path, bool (*each)(void *ctx, struct str message), void *ctx,
                      struct journal **out, size_t *cut, struct diag *d)
{
    struct journal *j = calloc(1, sizeof(*j));
    if (!j) abort();
    j->fd = -1;
    (void)pthread_mutex_init(&j->lock, NULL);
    arena_init(&j->arena, 0);
    buf_init(&j->unwritten, JOURNAL_MAX);
    j->path = arena_dup(&j->arena, path);
    enum err e = load(j, each, ctx, cut, d);
    if (e != OK) {
        journal_close(j);
        return e;
    }
    *out = j;
    return OK;
}

void journal_close(struct journal *j)
{
    if (!j) return;
    fd_close(&j->fd);
    buf_done(&j->unwritten);
    (void)pthread_mutex_destroy(&j->lock);
    arena_done(&j->arena);
    free(j);
}

/* A short write leaves half a record: the next one would be unreadable, so it is cut off again. */
static enum err append(struct journal *j, struct str bytes, bool sync, struct diag *d)
{
    if (fd_write_all(j->fd, bytes) != OK) {
        int why = errno;
        (void)!ftruncate(j->fd, (off_t)j->size);
        errno = why;
        return diag_set(d, ERR_SYS, "cannot write " STR_FMT ": %m", STR_ARG(j->path));
    }
    j->size += bytes.n;
    if (sync && fdatasync(j->fd) != 0) {
        return diag_set(d, ERR_SYS, "cannot sync " STR_FMT ": %m", STR_ARG(j->path));
    }
    return OK;
}

enum err journal_flush(struct journal *j, void (*take)(void *ctx, struct buf *b), void *ctx,
                       bool sync, struct diag *d)
{
    BUF(b, JOURNAL_MAX);
    (void)pthread_mutex_lock(&j->lock);
    buf_put(&b, buf_str(&j->unwritten));
    buf_reset(&j->unwritten);
    take(ctx, &b);
    enum err e = b.n ? append(j, buf_str(&b), sync, d) : OK;
    if (e != OK) buf_put(&j->unwritten, buf_str(&b));
    (void)pthread_mutex_unlock(&j->lock);
    return e;
}

enum err journal_rewrite(struct journal *j, void (*all)(void *ctx, struct buf *b), void *ctx,
                         struct diag *d)
{
    BUF(b, JOURNAL_MAX);
    (void)pthread_mutex_lock(&j->lock);
    all(ctx, &b);
    enum err e = buf_ok(&b);
    if (e == OK) e = file_write_atomic(j->path, buf_str(&b), d);
    if (e == OK) {
        fd_close(&j->fd);
        j->size = b.n;
        buf_reset(&j->unwritten);
        e = open_fd(j, d);
    }
    (void)pthread_mutex_unlock(&j->lock);
    return e;
}

size_t journal_size(struct journal *j)
{
    (void)pthread_mutex_lock(&j->lock);
    size_t n = j->size;
    (void)pthread_mutex_unlock(&j->lock);
    return n;
}
