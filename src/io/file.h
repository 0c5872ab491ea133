/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h - whole files, folders and locks; what is more special (the log, head chunks) has its own code above fd calls
 *
 * Created files are 0600, folders 0700. Errors: ERR_MISSING, ERR_DENIED, ERR_LIMIT (larger than max), ERR_SYS; d names the path.
 */
#ifndef IO_FILE_H
#define IO_FILE_H

#include "base/arena.h"
#include "base/err.h"

#define FILE_PATH_MAX 4096

enum err file_read(struct arena *a, struct str path, size_t max, struct str *out, struct diag *d);

/* By a temporary file beside it, fsync, rename, fsync of the folder: old or new, never half. */
enum err file_write_atomic(struct str path, struct str bytes, struct diag *d);

enum err dir_make(struct str path, struct diag *d); /* with parents; existing is fine */

/* Names without . and .., sorted. */
enum err dir_list(struct arena *a, struct str path, struct str **out, size_t *n, struct diag *d);

/* Shell pattern, sorted; no match is an empty list. */
enum err file_glob(struct arena *a, struct str pattern, struct str **out, size_t *n,
                   struct diag *d);

bool file_exists(struct str path);
struct str path_join(struct arena *a, struct str dir, struct str name); /* an absolute name stays */
struct str path_dir(struct arena *a, struct str path);

/* An advisory lock file held by this process. Errors: ERR_EXISTS another process holds it (its pid is in d). */
enum err file_lock(struct str path, int *out, struct diag *d);
void file_unlock(int fd);

/* read/write/pread that go on after EINTR and short counts. */
enum err fd_write_all(int fd, struct str bytes);
enum err fd_read_full(int fd, char *to, size_t n, size_t *got);

/* For CLEANUP: closes *fd when >= 0. */
void fd_close(int *fd);

#endif
