/* SPDX-License-Identifier: Apache-2.0 */
#include "tsdb/chunkfiles.h"

#include "base/bits.h"
#include "codec/crc32c.h"
#include "codec/varint.h"
#include "io/file.h"
#include "tsdb/dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FIXED_BYTES = 25, /* ref, mint, maxt, encoding */
    CRC_BYTES = 4,
    VERSION = 1,
};

/*
 * The format
 */

bool chunkfile_header_ok(struct str file)
{
    return file.n >= CHUNKFILE_HEADER && load_be32(file.p) == CHUNKFILE_MAGIC &&
           file.p[4] == VERSION;
}

static bool all_zero(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i]) return false;
    }
    return true;
}

enum err chunkfile_next(struct str file, size_t *at, struct chunkfile_entry *out)
{
    struct str in = str_from(file, *at);
    if (!in.n) return ERR_EOF;
    if (in.n < FIXED_BYTES) return all_zero(in) ? ERR_EOF : ERR_SHORT;
    if (load_be64(in.p) == 0) return all_zero(in) ? ERR_EOF : ERR_CORRUPT;
    struct chunkfile_entry e = {
        .ref = load_be64(in.p),
        .mint = (int64_t)load_be64(in.p + 8),
        .maxt = (int64_t)load_be64(in.p + 16),
        .encoding = (unsigned char)in.p[24],
    };
    struct str rest = str_from(in, FIXED_BYTES);
    uint64_t n;
    enum err err = varint_read_u64(&rest, &n);
    if (err != OK) return err == ERR_SHORT ? ERR_SHORT : ERR_CORRUPT;
    if (n > CHUNKFILE_MAX) return ERR_CORRUPT;
    if (rest.n < CRC_BYTES || n > rest.n - CRC_BYTES) return ERR_SHORT;
    e.data = str_first(rest, n);
    size_t summed = (size_t)(e.data.p + n - in.p);
    if (crc32c(0, str_first(in, summed)) != load_be32(in.p + summed)) return ERR_CORRUPT;
    if (e.mint > e.maxt) return ERR_CORRUPT;
    *at += summed + CRC_BYTES;
    *out = e;
    return OK;
}

void chunkfile_put_header(struct buf *b)
{
    char *to = buf_room(b, CHUNKFILE_HEADER);
    if (!to) return;
    store_be32(to, CHUNKFILE_MAGIC);
    store_be32(to + 4, (uint32_t)VERSION << 24);
    buf_add(b, CHUNKFILE_HEADER);
}

void chunkfile_put(struct buf *b, uint64_t ref, int64_t mint, int64_t maxt, unsigned encoding,
                   struct str data)
{
    char *begin = buf_room(b, FIXED_BYTES + 10 + data.n + CRC_BYTES);
    if (!begin) return;
    store_be64(begin, ref);
    store_be64(begin + 8, (uint64_t)mint);
    store_be64(begin + 16, (uint64_t)maxt);
    begin[24] = (char)encoding;
    char *to = begin + FIXED_BYTES;
    size_t n = data.n;
    for (; n >= 0x80; n >>= 7) *to++ = (char)(n | 0x80);
    *to++ = (char)n;
    memcpy(to, data.p, data.n);
    to += data.n;
    store_be32(to, crc32c(0, str_make(begin, (size_t)(to - begin))));
    buf_add(b, (size_t)(to - begin) + CRC_BYTES);
}

/*
 * The folder
 */

static struct chunkfile *file_at(const struct chunkfiles *c, uint32_t i)
{
    return paged_at(&c->files, i, sizeof(struct chunkfile));
}

static void path_of(const struct chunkfiles *c, uint32_t seq, char *to)
{
    (void)snprintf(to, FILE_PATH_MAX, "%s/%06u", c->dir, seq);
}

/* Address space for a whole file at once: what is appended later is in the map without another call. */
static enum err map_file(struct chunkfiles *c, int fd, uint64_t bytes)
{
    size_t n = bytes > CHUNKFILE_MAX ? bytes : CHUNKFILE_MAX;
    void *p = mmap(NULL, n, PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED) return ERR_SYS;
    struct chunkfile *f = file_at(c, paged_add(&c->files));
    f->map = p;
    f->map_bytes = n;
    atomic_store_explicit(&f->bytes, bytes, memory_order_release);
    c->total += bytes;
    return OK;
}

static void unmap_last(struct chunkfiles *c)
{
    struct chunkfile *f = file_at(c, --c->files.n);
    if (!f->map_bytes) return; /* let go before */
    (void)munmap((void *)(uintptr_t)f->map, f->map_bytes);
    c->total -= atomic_load(&f->bytes);
    *f = (struct chunkfile){ 0 };
}

static void report_cut(const struct chunkfiles_scan *scan, uint32_t seq, uint64_t at,
                       uint64_t dropped, const char *why)
{
    if (!scan->report) return;
    char file[32], text[200];
    int n = snprintf(file, sizeof(file), "chunks_head/%06u", seq);
    (void)snprintf(text, sizeof(text),
                   "%s: %s at offset %llu; cut there (%llu bytes, the log still has the samples)",
                   file, why, (unsigned long long)at, (unsigned long long)dropped);
    struct tsdb_report r = { str_make(file, (size_t)n), at, dropped, text };
    scan->report(scan->ctx, &r);
}

/* Walks the file just mapped. False: it was damaged and is cut; later ones must go. */
static bool scan_file(struct chunkfiles *c, uint32_t seq, int fd,
                      const struct chunkfiles_scan *scan)
{
    struct chunkfile *f = file_at(c, c->files.n - 1);
    uint64_t bytes = atomic_load(&f->bytes);
    struct str file = str_make(f->map, bytes);
    if (!chunkfile_header_ok(file)) {
        const char *why = bytes < CHUNKFILE_HEADER ? "torn header" : "not a file of head chunks";
        if (bytes) report_cut(scan, seq, 0, bytes, why);
        return false;
    }
    size_t at = CHUNKFILE_HEADER;
    struct chunkfile_entry e;
    enum err err;
    for (;;) {
        uint64_t chunk = (uint64_t)seq << 32 | at;
        if ((err = chunkfile_next(file, &at, &e)) != OK) break;
        scan->found(scan->ctx, chunk, &e);
    }
    if (err == ERR_CORRUPT) report_cut(scan, seq, at, bytes - at, "damaged chunk");
    if (err == ERR_SHORT) report_cut(scan, seq, at, bytes - at, "torn chunk");
    if (at < bytes && fd_cut(fd, at)) {
        atomic_store(&f->bytes, at);
        c->total -= bytes - at;
    }
    return err == ERR_EOF;
}

static void remove_files(struct chunkfiles *c, const uint64_t *v, size_t n,
                         const struct chunkfiles_scan *scan)
{
    for (size_t i = 0; i < n; i++) {
        char path[FILE_PATH_MAX];
        struct stat st = { 0 };
        path_of(c, (uint32_t)v[i], path);
        (void)stat(path, &st);
        if (st.st_size) report_cut(scan, (uint32_t)v[i], 0, (uint64_t)st.st_size, "follows damage");
        (void)unlink(path);
    }
}

/* *ok turns false at the first file after which none can be trusted; *keep says whether that one stays. */
static enum err open_file(struct chunkfiles *c, uint32_t seq, const struct chunkfiles_scan *scan,
                          bool *ok, bool *keep, struct diag *d)
{
    char path[FILE_PATH_MAX];
    path_of(c, seq, path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0 || map_file(c, fd, (uint64_t)st.st_size) != OK) {
        fd_close(&fd);
        return diag_set(d, ERR_SYS, "%s: %m", path);
    }
    *ok = scan_file(c, seq, fd, scan);
    *keep = atomic_load(&file_at(c, c->files.n - 1)->bytes) >= CHUNKFILE_HEADER &&
            chunkfile_header_ok(str_make(file_at(c, c->files.n - 1)->map, CHUNKFILE_HEADER));
    if (!*keep) unmap_last(c);
    fd_close(&c->fd);
    if (*keep) {
        c->fd = fd;
    } else {
        fd_close(&fd);
    }
    return OK;
}

static enum err open_files(struct chunkfiles *c, const uint64_t *v, size_t n,
                           const struct chunkfiles_scan *scan, struct diag *d)
{
    for (size_t i = 0; i < n; i++) {
        bool ok = i == 0 || v[i] == v[i - 1] + 1, keep = false;
        bool scanned = ok;
        if (ok) TRY(open_file(c, (uint32_t)v[i], scan, &ok, &keep, d));
        if (!ok && !keep && scanned) { /* told already */
            char path[FILE_PATH_MAX];
            path_of(c, (uint32_t)v[i], path);
            (void)unlink(path);
            keep = true;
        }
        if (!ok) {
            remove_files(c, v + i + keep, n - i - keep, scan);
            return OK;
        }
    }
    return OK;
}

enum err chunkfiles_open(struct chunkfiles *c, struct str dir, const struct chunkfiles_scan *scan,
                         struct diag *d)
{
    TRY(dir_make(dir, d));
    ARENA(a, 0);
    uint64_t *v;
    size_t n;
    TRY(dir_numbers(&a, dir, STR(""), &v, &n, d));
    *c = (struct chunkfiles){ .dir = strndup(dir.p, dir.n), .fd = -1, .base = 1 };
    ASSERT(c->dir != NULL);
    paged_init(&c->files, sizeof(struct chunkfile));
    if (n) c->base = (uint32_t)v[0];
    c->first = c->base;
    enum err e = open_files(c, v, n, scan, d);
    if (e != OK) chunkfiles_close(c);
    return e;
}

void chunkfiles_close(struct chunkfiles *c)
{
    if (!c->dir) return;
    while (c->files.n) unmap_last(c);
    paged_done(&c->files);
    if (c->fd >= 0) (void)fdatasync(c->fd);
    fd_close(&c->fd);
    buf_done(&c->batch);
    free(c->dir);
    *c = (struct chunkfiles){ .fd = -1 };
}

/*
 * Appending
 */

static uint64_t end_of_last(const struct chunkfiles *c)
{
    return c->files.n
               ? atomic_load_explicit(&file_at(c, c->files.n - 1)->bytes, memory_order_relaxed)
               : 0;
}

static enum err next_file(struct chunkfiles *c)
{
    char path[FILE_PATH_MAX];
    path_of(c, c->base + c->files.n, path);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return ERR_SYS;
    BUF(header, CHUNKFILE_HEADER);
    chunkfile_put_header(&header);
    enum err e = fd_write_all(fd, buf_str(&header));
    if (e == OK) e = map_file(c, fd, CHUNKFILE_HEADER);
    if (e != OK) {
        (void)close(fd);
        (void)unlink(path);
        return e;
    }
    fd_close(&c->fd);
    c->fd = fd;
    return OK;
}

enum err chunkfiles_add(struct chunkfiles *c, uint64_t ref, int64_t mint, int64_t maxt,
                        struct str data, uint64_t *chunk)
{
    uint64_t room = FIXED_BYTES + 10 + CRC_BYTES + data.n;
    if (c->fd < 0 || end_of_last(c) + c->batch.n + room > CHUNKFILE_MAX) {
        if (c->batch.n) return ERR_LIMIT;
        TRY(next_file(c));
    }
    *chunk = (uint64_t)(c->base + c->files.n - 1) << 32 | (end_of_last(c) + c->batch.n);
    chunkfile_put(&c->batch, ref, mint, maxt, CHUNK_ENCODE_XOR, data);
    return OK;
}

enum err chunkfiles_flush(struct chunkfiles *c)
{
    if (!c->batch.n) return OK;
    uint64_t end = end_of_last(c);
    enum err e = fd_write_at(c->fd, buf_str(&c->batch), end);
    if (e != OK) {
        (void)fd_cut(c->fd, end); /* half a chunk is cut at the next start in any case */
    } else {
        c->total += c->batch.n;
        atomic_store_explicit(&file_at(c, c->files.n - 1)->bytes, end + c->batch.n,
                              memory_order_release);
    }
    buf_reset(&c->batch);
    return e;
}

struct old_map {
    void *p;
    size_t n;
};

static void unmap_old(void *p)
{
    struct old_map *m = p;
    (void)munmap(m->p, m->n);
    free(m);
}

static void let_go(struct chunkfiles *c, struct chunkfile *f, struct readers *r)
{
    struct old_map *m = malloc(sizeof(*m));
    ASSERT(m != NULL);
    *m = (struct old_map){ (void *)(uintptr_t)f->map, f->map_bytes };
    c->total -= atomic_load(&f->bytes);
    f->map_bytes = 0; /* its readers have the pointer; nobody new has a reference into it */
    readers_retire(r, m, unmap_old);
}

void chunkfiles_truncate(struct chunkfiles *c, uint64_t chunk, struct readers *r)
{
    uint64_t until = chunk >> 32, end = (uint64_t)c->base + c->files.n;
    if (chunk == UINT64_MAX || until > end) until = end;
    if (c->fd >= 0 && end_of_last(c) > CHUNKFILE_HEADER) {
        (void)fdatasync(c->fd);
        fd_close(&c->fd);
    }
    if (c->fd >= 0 && until == end) until--; /* empty, and written next */
    for (; c->first < until; c->first++) {
        char path[FILE_PATH_MAX];
        path_of(c, c->first, path);
        if (unlink(path) != 0 && errno != ENOENT) return;
        let_go(c, file_at(c, c->first - c->base), r);
    }
}

enum err chunkfiles_read(const struct chunkfiles *c, uint64_t chunk, struct str *data)
{
    uint64_t i = (chunk >> 32) - c->base, at = chunk & UINT32_MAX;
    const struct chunkfile *f = file_at(c, (uint32_t)i);
    uint64_t bytes = atomic_load_explicit(&f->bytes, memory_order_acquire);
    if (at + FIXED_BYTES > bytes) return ERR_CORRUPT;
    struct str rest = str_make(f->map + at + FIXED_BYTES, bytes - at - FIXED_BYTES);
    uint64_t n;
    if ((unsigned char)rest.p[-1] != CHUNK_ENCODE_XOR) return ERR_UNSUPPORTED;
    if (varint_read_u64(&rest, &n) != OK || n > rest.n) return ERR_CORRUPT;
    *data = str_first(rest, n);
    return OK;
}
