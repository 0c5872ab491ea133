/* SPDX-License-Identifier: Apache-2.0 */
#include "tsdb/dirs.h"

#include "codec/num.h"
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

enum err dir_numbers(struct arena *a, struct str dir, struct str prefix, uint64_t **out, size_t *n,
                     struct diag *d)
{
    struct str *names;
    size_t names_n, count = 0;
    TRY(dir_list(a, dir, &names, &names_n, d));
    uint64_t *v = arena_array(a, names_n, sizeof(*v));
    for (size_t i = 0; i < names_n; i++) {
        if (!str_starts(names[i], prefix)) continue;
        uint64_t x;
        if (num_parse_u64(str_from(names[i], prefix.n), &x) != OK || x > UINT32_MAX) continue;
        v[count++] = x;
    }
    qsort(v, count, sizeof(*v), by_value);
    *out = v;
    *n = count;
    return OK;
}

void dir_remove_flat(struct str dir)
{
    ARENA(a, 0);
    struct str *names;
    size_t n;
    if (dir_list(&a, dir, &names, &n, NULL) != OK) return;
    for (size_t i = 0; i < n; i++) (void)unlink(path_join(&a, dir, names[i]).p);
    (void)rmdir(arena_dup(&a, dir).p);
}

enum err fd_write_at(int fd, struct str s, uint64_t at)
{
    while (s.n) {
        ssize_t n = pwrite(fd, s.p, s.n, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return ERR_SYS;
        s = str_from(s, (size_t)n);
        at += (uint64_t)n;
    }
    return OK;
}

bool fd_cut(int fd, uint64_t at) { return ftruncate(fd, (off_t)at) == 0; }

uint64_t file_bytes(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

void dir_sync(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    (void)fsync(fd);
    (void)close(fd);
}

enum err file_map(const char *path, struct str *out, struct diag *d)
{
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) return diag_set(d, ERR_SYS, "%s: %m", path);
    if (st.st_size == 0) {
        *out = STR("");
        return OK;
    }
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED) return diag_set(d, ERR_SYS, "%s: %m", path);
    *out = str_make(p, (size_t)st.st_size);
    return OK;
}

void file_unmap(struct str s)
{
    if (s.n) (void)munmap((void *)(uintptr_t)s.p, s.n);
}
