/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outfile.h - a new file that is written from front to back, with a buffer
 *
 * Errors stick: writers need no check per put, outfile_close() says it.
 */
#ifndef TSDB_OUTFILE_H
#define TSDB_OUTFILE_H

#include "base/buf.h"
#include "base/err.h"

struct outfile {
    char *path;
    int fd; /* -1: not open */
    uint64_t written;
    struct buf b; /* behind what is written: put into it, then outfile_step */
    enum err failed;
    int why; /* errno of the failure */
};

enum err outfile_open(struct outfile *f, const char *path, struct diag *d);

static inline uint64_t outfile_at(const struct outfile *f) { return f->written + f->b.n; }

/* Writes the buffer when it is large. */
void outfile_step(struct outfile *f);

/* Zeros up to a multiple of n. */
void outfile_align(struct outfile *f, unsigned n);

/* Writes, syncs, closes. Errors: ERR_SYS, of now or of earlier */
enum err outfile_close(struct outfile *f, struct diag *d);
void outfile_abort(struct outfile *f); /* closed or never opened is fine */

#endif
