/* SPDX-License-Identifier: Apache-2.0 */
#include "tsdb/outfile.h"

#include "base/assert.h"
#include "io/file.h"
#include "tsdb/dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STEP_BYTES = 1 << 20 };

enum err outfile_open(struct outfile *f, const char *path, struct diag *d)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return diag_set(d, ERR_SYS, "%s: cannot create: %m", path);
    *f = (struct outfile){ .path = strdup(path), .fd = fd };
    ASSERT(f->path != NULL);
    return OK;
}

static void write_out(struct outfile *f)
{
    if (f->failed == OK) {
        f->failed = fd_write_at(f->fd, buf_str(&f->b), f->written);
        f->why = errno;
    }
    f->written += f->b.n;
    buf_reset(&f->b);
}

void outfile_step(struct outfile *f)
{
    if (f->b.n >= STEP_BYTES) write_out(f);
}

void outfile_align(struct outfile *f, unsigned n)
{
    while (outfile_at(f) % n) buf_char(&f->b, 0);
}

enum err outfile_close(struct outfile *f, struct diag *d)
{
    write_out(f);
    if (f->failed == OK && fsync(f->fd) != 0) {
        f->failed = ERR_SYS;
        f->why = errno;
    }
    enum err e = f->failed;
    if (e != OK) {
        errno = f->why;
        e = diag_set(d, ERR_SYS, "%s: cannot write: %m", f->path);
    }
    outfile_abort(f);
    return e;
}

void outfile_abort(struct outfile *f)
{
    if (!f->path) return;
    fd_close(&f->fd);
    buf_done(&f->b);
    free(f->path);
    *f = (struct outfile){ .fd = -1 };
}
