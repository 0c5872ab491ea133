/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/tail.h"

#include "base/assert.h"
#include "codec/num.h"
#include "codec/walpage.h"
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WINDOW = 1 << 20, RECORD_MAX = 256 << 20 };

/* One file of pages, read by windows that begin at a page. */
struct pages {
    int fd;
    uint64_t window_at;
    uint64_t at; /* of the next record */
    struct buf window;
    struct walpage_reader r;
    size_t want; /* bytes of the next window */
    bool cut;    /* the file goes on behind the window */
};

struct tail {
    char *dir;
    uint64_t from;
    uint64_t segment;
    bool opened;   /* segment's file is open in p */
    bool last_try; /* the next segment was there before the last look at this one */
    /* The store takes back what a full disk let it write by half: then a place may be no record's any more. */
    uint64_t resynced, skip; /* the place that was given up; what lies before it is skipped */
    struct pages p;
    struct buf plain;
    uint64_t checkpoint; /* read first; CHECKPOINT_NONE */
    struct str *files;   /* of the checkpoint that is being read */
    size_t files_n, files_i;
    struct arena a;
    struct tail_counts n;
};

#define CHECKPOINT_NONE UINT64_MAX

/* --- pages --- */

static void pages_close(struct pages *p)
{
    if (p->fd >= 0) (void)close(p->fd);
    p->fd = -1;
    walpage_reader_done(&p->r);
    p->r = (struct walpage_reader){ 0 };
    buf_reset(&p->window);
}

static enum err pages_open(struct pages *p, const char *path, uint64_t at)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? ERR_MISSING : ERR_SYS;
    pages_close(p);
    p->fd = fd;
    p->at = at;
    p->want = WINDOW;
    return OK;
}

/* Reads a window from the page of p->at on. */
static enum err pages_load(struct pages *p)
{
    p->window_at = p->at - p->at % WALPAGE_SIZE;
    buf_reset(&p->window);
    char *to = buf_room(&p->window, p->want);
    ASSERT(to != NULL);
    size_t got = 0;
    while (got < p->want) {
        ssize_t n = pread(p->fd, to + got, p->want - got, (off_t)(p->window_at + got));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return ERR_SYS;
        if (n == 0) break;
        got += (size_t)n;
    }
    buf_add(&p->window, got);
    p->cut = got == p->want;
    struct buf join = p->r.join;
    walpage_reader_init(&p->r, buf_str(&p->window));
    p->r.join = join;
    p->r.at = p->r.good = (size_t)(p->at - p->window_at) < got ? (size_t)(p->at - p->window_at)
                                                               : got;
    return OK;
}

/*
 * The next record in the window, or after loading another one.
 * Errors: ERR_EOF, ERR_SHORT where the file ends now; ERR_CORRUPT; ERR_SYS
 */
static enum err pages_next(struct pages *p, struct str *record, enum walpage_packing *packing)
{
    for (;;) {
        enum err e = p->r.seg.n ? walpage_next(&p->r, record, packing) : ERR_EOF;
        if (e == OK) {
            p->at = p->window_at + p->r.good;
            p->want = WINDOW;
            return OK;
        }
        if (e != ERR_EOF && e != ERR_SHORT) return e;
        bool first_of_window = p->window_at + p->r.good == p->at && p->r.seg.n && p->cut;
        if (first_of_window && p->at - p->window_at < WALPAGE_SIZE) p->want *= 2;
        if (p->want > RECORD_MAX) return ERR_CORRUPT;
        size_t had = p->window.n;
        uint64_t had_at = p->window_at;
        bool was_cut = p->cut;
        TRY(pages_load(p));
        bool grown = p->window_at != had_at || p->window.n > had || was_cut;
        if (!grown || !p->window.n) return e == ERR_EOF ? ERR_EOF : ERR_SHORT;
    }
}

/* --- places --- */

static void path_of_segment(const struct tail *t, uint64_t n, char path[FILE_PATH_MAX])
{
    (void)snprintf(path, FILE_PATH_MAX, "%s/%08llu", t->dir, (unsigned long long)n);
}

static bool segment_exists(const struct tail *t, uint64_t n)
{
    char path[FILE_PATH_MAX];
    path_of_segment(t, n, path);
    return access(path, F_OK) == 0;
}

static bool is_number(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    }
    return s.n > 0;
}

/* Names of the folder that are `prefix` and digits: the lowest and highest number. False: none. */
static bool numbers(struct tail *t, const char *prefix, uint64_t *low, uint64_t *high)
{
    ARENA(a, 0);
    struct str *names;
    size_t n;
    struct diag d;
    bool any = false;
    if (dir_list(&a, str_c(t->dir), &names, &n, &d) != OK) return false;
    for (size_t i = 0; i < n; i++) {
        uint64_t v;
        if (!str_starts(names[i], str_c(prefix))) continue;
        struct str digits = str_from(names[i], strlen(prefix));
        if (!is_number(digits) || num_parse_u64(digits, &v) != OK) continue;
        if (!any || v < *low) *low = v;
        if (!any || v > *high) *high = v;
        any = true;
    }
    return any;
}

bool tail_checkpoint(struct tail *t, uint64_t *number)
{
    uint64_t low;
    return numbers(t, "checkpoint.", &low, number);
}

static uint64_t end_of_log(struct tail *t)
{
    uint64_t low, high;
    char path[FILE_PATH_MAX];
    struct stat st;
    if (!numbers(t, "", &low, &high)) return 0;
    path_of_segment(t, high, path);
    uint64_t size = stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
    return high << 32 | size;
}

uint64_t tail_place(const struct tail *t) { return t->segment << 32 | (t->opened ? t->p.at : 0); }
uint64_t tail_from(const struct tail *t) { return t->from; }
uint64_t tail_end(struct tail *t) { return end_of_log(t); }
uint64_t tail_segment(const struct tail *t) { return t->segment; }
struct tail_counts tail_counts(const struct tail *t) { return t->n; }

/* --- checkpoints --- */

static void checkpoint_dir(const struct tail *t, uint64_t number, char path[FILE_PATH_MAX])
{
    (void)snprintf(path, FILE_PATH_MAX, "%s/checkpoint.%08llu", t->dir, (unsigned long long)number);
}

static enum err open_checkpoint(struct tail *t, uint64_t number)
{
    char path[FILE_PATH_MAX];
    struct diag d;
    checkpoint_dir(t, number, path);
    arena_reset(&t->a);
    t->files_i = 0;
    return dir_list(&t->a, str_c(path), &t->files, &t->files_n, &d);
}

/* The next record of the checkpoint's files in turn. Errors: ERR_EOF; a damaged file ends itself, not the others. */
static enum err checkpoint_next(struct tail *t, struct pages *p, uint64_t number,
                                struct str *record)
{
    enum walpage_packing packing;
    struct str packed;
    for (;;) {
        enum err e = p->fd >= 0 ? pages_next(p, &packed, &packing) : ERR_EOF;
        if (e == OK && walpage_unpack(packed, packing, RECORD_MAX, &t->plain, record) == OK) {
            return OK;
        }
        t->n.damaged += e != ERR_EOF;
        if (t->files_i == t->files_n) return ERR_EOF;
        char dir[FILE_PATH_MAX];
        checkpoint_dir(t, number, dir);
        struct str path = path_join(&t->a, str_c(dir), t->files[t->files_i++]);
        TRY(pages_open(p, arena_dup(&t->a, path).p, 0));
    }
}

enum err tail_read_checkpoint(struct tail *t, uint64_t number,
                              void (*on_record)(void *ctx, struct str record), void *ctx)
{
    struct pages p = { .fd = -1 };
    struct str record;
    enum err e = open_checkpoint(t, number);
    while (e == OK && (e = checkpoint_next(t, &p, number, &record)) == OK) on_record(ctx, record);
    pages_close(&p);
    buf_done(&p.window);
    return e == ERR_EOF ? OK : e;
}

/* --- the log --- */

struct tail *tail_open(struct str dir, uint64_t from)
{
    struct tail *t = calloc(1, sizeof(*t));
    ASSERT(t != NULL);
    t->dir = strndup(dir.p, dir.n);
    ASSERT(t->dir != NULL);
    t->p.fd = -1;
    t->from = from == PLACE_NOW ? end_of_log(t) : from;
    uint64_t low = 0, high = 0;
    (void)numbers(t, "", &low, &high);
    t->segment = low;
    t->checkpoint = CHECKPOINT_NONE;
    uint64_t number;
    if (tail_checkpoint(t, &number) && open_checkpoint(t, number) == OK) {
        t->checkpoint = number;
        if (number + 1 > low) t->segment = number + 1;
    }
    return t;
}

void tail_close(struct tail *t)
{
    if (!t) return;
    pages_close(&t->p);
    buf_done(&t->p.window);
    buf_done(&t->plain);
    arena_done(&t->a);
    free(t->dir);
    free(t);
}

/* To the next segment there is: numbers have a gap where a checkpoint took segments that were not read yet. */
static enum err advance(struct tail *t)
{
    uint64_t low, high;
    if (!numbers(t, "", &low, &high)) return ERR_AGAIN;
    uint64_t next = t->segment + 1;
    if (next < low) {
        t->n.lost_segments += low - next;
        next = low;
    }
    if (next > high) return ERR_AGAIN;
    pages_close(&t->p);
    t->opened = t->last_try = false;
    t->segment = next;
    return OK;
}

static enum err open_segment(struct tail *t)
{
    char path[FILE_PATH_MAX];
    path_of_segment(t, t->segment, path);
    enum err e = pages_open(&t->p, path, 0);
    if (e == ERR_MISSING) {
        uint64_t low, high;
        if (!numbers(t, "", &low, &high) || high <= t->segment) return ERR_AGAIN;
        t->n.lost_segments++;
        return advance(t);
    }
    TRY(e);
    t->opened = true;
    return OK;
}

/* The file ends here for now. OK: on to the next one, or look again. */
static enum err at_end(struct tail *t, enum err why)
{
    if (t->last_try) {
        t->n.damaged += why != ERR_EOF;
        return advance(t);
    }
    if (!segment_exists(t, t->segment + 1)) {
        uint64_t low, high;
        if (!numbers(t, "", &low, &high) || high <= t->segment) return ERR_AGAIN;
    }
    t->last_try = true; /* it was complete before the next one came: one more look */
    return OK;
}

/* True: reading begins anew at the segment's first byte, to find a record's beginning again. */
static bool resync(struct tail *t, enum err e)
{
    struct stat st;
    bool shrunk = fstat(t->p.fd, &st) == 0 && (uint64_t)st.st_size < t->p.at;
    if ((e != ERR_CORRUPT && !shrunk) || t->resynced == tail_place(t)) return false;
    t->resynced = tail_place(t);
    t->skip = shrunk ? t->segment << 32 | (uint64_t)st.st_size : t->resynced;
    t->p.at = 0;
    t->p.r.seg = (struct str){ 0 };
    t->n.damaged++;
    return true;
}

static enum err next_of_log(struct tail *t, struct tail_record *out)
{
    enum walpage_packing packing;
    struct str packed;
    for (;;) {
        if (!t->opened) TRY(open_segment(t));
        if (!t->opened) continue;
        uint64_t place = tail_place(t);
        enum err e = pages_next(&t->p, &packed, &packing);
        if (e == OK && walpage_unpack(packed, packing, RECORD_MAX, &t->plain, &out->bytes) == OK) {
            out->place = place;
            out->old = place < t->from;
            if (place < t->skip) continue;
            t->n.records++;
            return OK;
        }
        if (e == OK) t->n.damaged++; /* its checksum was right: the next one may be read */
        if (e == ERR_SYS) return e;
        if (e != OK && !resync(t, e)) TRY(at_end(t, e));
    }
}

enum err tail_next(struct tail *t, struct tail_record *out)
{
    if (t->checkpoint != CHECKPOINT_NONE) {
        enum err e = checkpoint_next(t, &t->p, t->checkpoint, &out->bytes);
        if (e == OK) {
            out->place = 0;
            out->old = true;
            return OK;
        }
        t->checkpoint = CHECKPOINT_NONE;
        pages_close(&t->p);
    }
    return next_of_log(t, out);
}
