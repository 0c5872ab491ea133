/* SPDX-License-Identifier: Apache-2.0 */
#include "io/file.h"

#include "base/buf.h"
#include "base/vec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_STEP = 16384 };

/* A NUL-ended copy on the stack for system calls. */
struct cpath {
    char z[FILE_PATH_MAX];
};

static enum err cpath_of(struct str path, struct cpath *out, struct diag *d)
{
    if (!path.n || path.n >= sizeof(out->z) || str_find_char(path, '\0') != STR_NONE) {
        return diag_set(d, ERR_SYNTAX, "not a usable path: \"" STR_FMT "\"",
                        STR_ARG(str_first(path, 100)));
    }
    memcpy(out->z, path.p, path.n);
    out->z[path.n] = '\0';
    return OK;
}

static enum err code_of_errno(int e)
{
    switch (e) {
    case ENOENT:
    case ENOTDIR: return ERR_MISSING;
    case EACCES:
    case EPERM:
    case EROFS: return ERR_DENIED;
    case EEXIST: return ERR_EXISTS;
    default: return ERR_SYS;
    }
}

/* "open /x: no such file or directory", as Go words it. */
static enum err sys_failed(struct diag *d, const char *what, const char *path)
{
    int e = errno;
    char why[128];
    const char *text = strerror_r(e, why, sizeof(why));
    char first = text[0] >= 'A' && text[0] <= 'Z' ? (char)(text[0] + 32) : text[0];
    enum err code = diag_set(d, code_of_errno(e), "%s %s: %c%s", what, path, first, text + 1);
    errno = e;
    return code;
}

void fd_close(int *fd)
{
    if (*fd >= 0) (void)close(*fd);
    *fd = -1;
}

enum err fd_write_all(int fd, struct str bytes)
{
    while (bytes.n) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return ERR_SYS;
        bytes = str_from(bytes, (size_t)n);
    }
    return OK;
}

enum err fd_read_full(int fd, char *to, size_t n, size_t *got)
{
    size_t at = 0;
    while (at < n) {
        ssize_t r = read(fd, to + at, n - at);
        if (r < 0 && errno == EINTR) continue;
        if (r < 0) return ERR_SYS;
        if (r == 0) break;
        at += (size_t)r;
    }
    *got = at;
    return OK;
}

enum err file_read(struct arena *a, struct str path, size_t max, struct str *out, struct diag *d)
{
    struct cpath c;
    TRY(cpath_of(path, &c, d));
    CLEANUP(fd_close) int fd = open(c.z, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return sys_failed(d, "open", c.z);
    struct stat st;
    if (fstat(fd, &st) != 0) return sys_failed(d, "stat", c.z);
    if (S_ISDIR(st.st_mode)) return diag_set(d, ERR_SYS, "read %s: is a directory", c.z);
    BUF(b, max + READ_STEP);
    ssize_t n;
    do { /* until the end: a size is only a hint, /proc files say 0 */
        char *to = buf_room(&b, READ_STEP);
        n = to ? read(fd, to, READ_STEP) : 0;
        if (n < 0 && errno != EINTR) return sys_failed(d, "read", c.z);
        if (n > 0) buf_add(&b, (size_t)n);
    } while (n != 0 && b.n <= max);
    if (b.n > max) return diag_set(d, ERR_LIMIT, "%s is larger than %zu bytes", c.z, max);
    *out = arena_dup(a, buf_str(&b));
    return OK;
}

static enum err sync_dir_of(const char *path, struct diag *d)
{
    char dir[FILE_PATH_MAX];
    (void)snprintf(dir, sizeof(dir), "%s", path);
    char *slash = strrchr(dir, '/');
    if (!slash) {
        (void)snprintf(dir, sizeof(dir), ".");
    } else {
        slash[slash == dir] = '\0';
    }
    CLEANUP(fd_close) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) return sys_failed(d, "sync", dir);
    return OK;
}

static enum err write_and_rename(int fd, const char *tmp, const char *path, struct str bytes,
                                 struct diag *d)
{
    if (fd_write_all(fd, bytes) != OK || fsync(fd) != 0) return sys_failed(d, "write", path);
    if (rename(tmp, path) != 0) return sys_failed(d, "rename", path);
    return sync_dir_of(path, d);
}

enum err file_write_atomic(struct str path, struct str bytes, struct diag *d)
{
    struct cpath c;
    TRY(cpath_of(path, &c, d));
    char tmp[FILE_PATH_MAX + 16];
    (void)snprintf(tmp, sizeof(tmp), "%s.XXXXXX", c.z);
    CLEANUP(fd_close) int fd = mkostemp(tmp, O_CLOEXEC); /* makes it 0600 */
    if (fd < 0) return sys_failed(d, "create", c.z);
    enum err e = write_and_rename(fd, tmp, c.z, bytes, d);
    if (e != OK) (void)unlink(tmp);
    return e;
}

enum err dir_make(struct str path, struct diag *d)
{
    struct cpath c;
    TRY(cpath_of(path, &c, d));
    for (size_t i = 1; i <= path.n; i++) {
        if (c.z[i] != '/' && c.z[i] != '\0') continue;
        char was = c.z[i];
        c.z[i] = '\0';
        if (mkdir(c.z, 0700) != 0 && errno != EEXIST) return sys_failed(d, "mkdir", c.z);
        c.z[i] = was;
    }
    struct stat st;
    if (stat(c.z, &st) != 0) return sys_failed(d, "stat", c.z);
    if (!S_ISDIR(st.st_mode)) return diag_set(d, ERR_SYS, "mkdir %s: not a directory", c.z);
    return OK;
}

struct names {
    VEC(struct str) all;
};

static int by_name(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void dir_close(DIR **dir)
{
    if (*dir) (void)closedir(*dir);
}

enum err dir_list(struct arena *a, struct str path, struct str **out, size_t *n, struct diag *d)
{
    struct cpath c;
    TRY(cpath_of(path, &c, d));
    CLEANUP(dir_close) DIR *dir = opendir(c.z);
    if (!dir) return sys_failed(d, "open", c.z);
    struct names names = { 0 };
    for (struct dirent *it; (it = readdir(dir));) {
        if (strcmp(it->d_name, ".") == 0 || strcmp(it->d_name, "..") == 0) continue;
        *vec_push(a, &names.all) = arena_dup(a, str_c(it->d_name));
    }
    if (names.all.n) qsort(names.all.v, names.all.n, sizeof(struct str), by_name);
    *out = names.all.v;
    *n = names.all.n;
    return OK;
}

enum err file_glob(struct arena *a, struct str pattern, struct str **out, size_t *n, struct diag *d)
{
    struct cpath c;
    TRY(cpath_of(pattern, &c, d));
    glob_t g;
    int e = glob(c.z, 0, NULL, &g);
    if (e != 0 && e != GLOB_NOMATCH) return diag_set(d, ERR_SYS, "cannot list files of %s", c.z);
    struct names names = { 0 };
    for (size_t i = 0; e == 0 && i < g.gl_pathc; i++) {
        *vec_push(a, &names.all) = arena_dup(a, str_c(g.gl_pathv[i]));
    }
    globfree(&g);
    *out = names.all.v;
    *n = names.all.n;
    return OK;
}

bool file_exists(struct str path)
{
    struct cpath c;
    return cpath_of(path, &c, NULL) == OK && access(c.z, F_OK) == 0;
}

struct str path_join(struct arena *a, struct str dir, struct str name)
{
    if (!dir.n || (name.n && name.p[0] == '/')) return arena_dup(a, name);
    bool slash = dir.p[dir.n - 1] == '/';
    return arena_fmt(a, STR_FMT "%s" STR_FMT, STR_ARG(dir), slash ? "" : "/", STR_ARG(name));
}

struct str path_dir(struct arena *a, struct str path)
{
    for (size_t i = path.n; i > 0; i--) {
        if (path.p[i - 1] == '/') return arena_dup(a, str_first(path, i > 1 ? i - 1 : 1));
    }
    return STR(".");
}

enum err file_lock(struct str path, int *out, struct diag *d)
{
    struct cpath c;
    TRY(cpath_of(path, &c, d));
    CLEANUP(fd_close) int fd = open(c.z, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return sys_failed(d, "open", c.z);
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    if (fcntl(fd, F_SETLK, &lock) != 0) {
        struct flock holder = lock;
        (void)fcntl(fd, F_GETLK, &holder);
        return diag_set(d, ERR_EXISTS, "%s is held by another process (pid %d)", c.z,
                        (int)holder.l_pid);
    }
    /* The other kind of lock, which Go programs take: Prometheus on the same data directory. */
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        return diag_set(d, ERR_EXISTS, "%s is held by another process", c.z);
    }
    *out = fd;
    fd = -1;
    return OK;
}

void file_unlock(int fd) { fd_close(&fd); }
