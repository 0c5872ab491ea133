/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that ends anywhere, and a disk that refuses anything.
 *
 * The functions by which the store changes files are taken over here: each change is noted with its bytes. A run with
 * compactions, checkpoints and truncations is recorded; then its changes are made again one by one in another folder, and
 * after each (and in the middle of each write) a copy of that folder is opened: it must start, and have every sample that
 * was acknowledged by then. A second reading cuts what was not synced, as a power failure may.
 * In another test the n-th change fails, for all n: what was acknowledged is there all the same, at once and after a start.
 *
 * VIGIE_CRASH=1 (`make crash`) visits every point, otherwise some of them.
 */
#undef _FORTIFY_SOURCE
#include "unit/tsdb/store.h"

#include "codec/num.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { SERIES = 6, STEP = 1000, FDS = 1024, OPS_MAX = 1 << 17 };

static const struct tsdb_options SMALL = { .segment_bytes = 32 * 1024, .chunk_range_ms = 40000 };

/*
 * The shim
 */

enum kind { CREATE, WRITE, CUT, MKDIR, RMDIR, RENAME, UNLINK, SYNC, ACK };

struct op {
    enum kind kind;
    char *path, *to;
    uint64_t at; /* offset; size of CUT; number of ACK */
    char *data;
    size_t n;
};

static struct {
    bool recording;
    struct op *ops;
    size_t n;
    char *fds[FDS];
    char root[80];
    long fail_at; /* changes from now to the first that fails; 0: none */
    long fail_n;  /* how many then fail */
    int why;
    long changes;
} shim;

static bool ours(const char *path) { return strncmp(path, shim.root, strlen(shim.root)) == 0; }

/* Counts a change; true when it is to fail. */
static bool refused(void)
{
    shim.changes++;
    if (!shim.fail_at || shim.changes < shim.fail_at ||
        shim.changes >= shim.fail_at + shim.fail_n) {
        return false;
    }
    errno = shim.why;
    return true;
}

static struct op *note(enum kind kind, const char *path)
{
    static struct op nowhere;
    if (!shim.recording || (path && !ours(path))) return &nowhere;
    assert_true(shim.n < OPS_MAX);
    struct op *o = &shim.ops[shim.n++];
    *o = (struct op){ .kind = kind };
    if (path) o->path = strdup(path + strlen(shim.root));
    return o;
}

static void note_write(int fd, const void *p, size_t n, uint64_t at)
{
    if (!shim.recording || fd >= FDS || !shim.fds[fd]) return;
    struct op *o = note(WRITE, shim.fds[fd]);
    o->at = at;
    o->n = n;
    o->data = malloc(n + 1);
    memcpy(o->data, p, n);
}

static void name_fd(int fd, const char *path)
{
    if (fd < 0 || fd >= FDS) return;
    free(shim.fds[fd]);
    shim.fds[fd] = ours(path) ? strdup(path) : NULL;
}

static const char *name_of(int fd) { return fd >= 0 && fd < FDS ? shim.fds[fd] : NULL; }

int open(const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    bool changes = shim.root[0] && ours(path) && flags & (O_CREAT | O_TRUNC);
    if (changes && refused()) return -1;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd >= 0 && shim.root[0]) name_fd(fd, path);
    if (fd >= 0 && changes) (void)note(CREATE, path)->at;
    return fd;
}

int mkostemp(char *pattern, int flags)
{
    static unsigned counter;
    if (refused()) return -1;
    (void)snprintf(pattern + strlen(pattern) - 6, 7, "%06u", counter++ % 1000000);
    return open(pattern, O_RDWR | O_CREAT | O_EXCL | flags, 0600);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    if (name_of(fd) && refused()) {
        if (shim.why != ENOSPC || n < 2) return -1;
        n /= 2; /* a full disk takes what fits */
    }
    ssize_t got = syscall(SYS_pwrite64, fd, p, n, at);
    if (got > 0) note_write(fd, p, (size_t)got, (uint64_t)at);
    return got;
}

ssize_t write(int fd, const void *p, size_t n)
{
    if (name_of(fd) && refused()) return -1;
    off_t at = name_of(fd) ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t got = syscall(SYS_write, fd, p, n);
    if (got > 0) note_write(fd, p, (size_t)got, (uint64_t)at);
    return got;
}

int ftruncate(int fd, off_t size)
{
    if (name_of(fd) && refused()) return -1;
    int e = (int)syscall(SYS_ftruncate, fd, size);
    if (e == 0 && name_of(fd)) note(CUT, name_of(fd))->at = (uint64_t)size;
    return e;
}

int truncate(const char *path, off_t size)
{
    if (ours(path) && refused()) return -1;
    int e = (int)syscall(SYS_truncate, path, size);
    if (e == 0) note(CUT, path)->at = (uint64_t)size;
    return e;
}

static int by_path(long call, enum kind kind, const char *path)
{
    if (ours(path) && refused()) return -1;
    int e = call == SYS_mkdir ? (int)syscall(call, path, 0700) : (int)syscall(call, path);
    if (e == 0) (void)note(kind, path)->at;
    return e;
}

int mkdir(const char *path, mode_t mode)
{
    (void)mode;
    return by_path(SYS_mkdir, MKDIR, path);
}
int rmdir(const char *path) { return by_path(SYS_rmdir, RMDIR, path); }
int unlink(const char *path) { return by_path(SYS_unlink, UNLINK, path); }

int rename(const char *from, const char *to)
{
    if (ours(from) && refused()) return -1;
    int e = (int)syscall(SYS_rename, from, to);
    if (e != 0 || !shim.recording) return e;
    note(RENAME, from)->to = strdup(to + strlen(shim.root));
    return 0;
}

static int sync_fd(long call, int fd)
{
    if (name_of(fd) && refused()) return -1;
    int e = (int)syscall(call, fd);
    if (e == 0 && name_of(fd)) (void)note(SYNC, name_of(fd))->at;
    return e;
}

int fsync(int fd) { return sync_fd(SYS_fsync, fd); }
int fdatasync(int fd) { return sync_fd(SYS_fdatasync, fd); }

static void shim_begin(const struct store *s)
{
    (void)snprintf(shim.root, sizeof(shim.root), "%s", s->dir);
    if (!shim.ops) shim.ops = calloc(OPS_MAX, sizeof(*shim.ops));
    shim.changes = 0;
}

static void shim_end(void)
{
    for (size_t i = 0; i < shim.n; i++) {
        free(shim.ops[i].path);
        free(shim.ops[i].to);
        free(shim.ops[i].data);
    }
    for (int fd = 0; fd < FDS; fd++) {
        free(shim.fds[fd]);
        shim.fds[fd] = NULL;
    }
    shim.n = 0;
    shim.recording = false;
    shim.fail_at = 0;
    shim.root[0] = 0;
}

/*
 * What is run: commit k gives each series (1000 k, k + series); windows of 40 commits
 */

static bool put_commit(struct store *s, int64_t k)
{
    ARENA(a, 0);
    struct appender *ap = store_appender(s);
    for (int i = 0; i < SERIES; i++) {
        struct str name = arena_fmt(&a, "s%d", i);
        uint64_t ref = store_series(ap, LABELS(&a, "__name__", name.p));
        assert_int_equal(ap->ops->add(ap, ref, k * STEP, (double)(k + i)), OK);
    }
    struct append_result res = { 0 };
    struct diag d;
    enum err e = ap->ops->commit(ap, &res, &d);
    if (e == OK) assert_int_equal(res.added, SERIES);
    return e == OK;
}

static void upkeep(struct store *s, int64_t now)
{
    for (int i = 0; i < 20 && tsdb_upkeep(s->db, now) == now; i++) {
    }
}

/* Goes on from k; returns the last commit that was acknowledged. now runs faster than samples, so that all timers do. */
static int64_t run(struct store *s, int64_t k, int commits)
{
    for (int i = 0; i < commits; i++) {
        if (put_commit(s, k + 1)) {
            k++;
            struct op *o = note(ACK, NULL);
            o->at = (uint64_t)k;
        }
        int64_t now = (k + i) * 20000;
        if (i % 3 == 0) (void)tsdb_tick(s->db, now);
        if (i % 10 == 0) upkeep(s, now);
    }
    return k;
}

/* Each series holds 1..n; returns the least n, and what all have when `even`. */
static int64_t check_all(struct store *s, bool even)
{
    ARENA(a, 0);
    struct column c = { 0 };
    struct querier *q = store_querier(s);
    int64_t least = INT64_MAX, most = 0;
    for (int i = 0; i < SERIES; i++) {
        struct series v;
        struct str name = arena_fmt(&a, "s%d", i);
        column_clear(&c);
        if (store_find(q, &a, name.p, &v)) {
            assert_int_equal(q->ops->read(q, &v, INT64_MIN, INT64_MAX, &c), OK);
        }
        for (size_t k = 0; k < c.n; k++) {
            if (c.t[k] != ((int64_t)k + 1) * STEP) {
                fail_msg("%s: %lld at place %zu", name.p, (long long)c.t[k], k);
            }
            assert_true(c.v[k] == (double)((int64_t)k + 1 + i));
        }
        if ((int64_t)c.n < least) least = (int64_t)c.n;
        if ((int64_t)c.n > most) most = (int64_t)c.n;
    }
    if (even) assert_int_equal(least, most);
    q->ops->close(q);
    column_done(&c);
    return least;
}

/*
 * Folders
 */

static void remove_tree(const char *path)
{
    DIR *d = opendir(path);
    if (!d) return;
    for (struct dirent *e; (e = readdir(d));) {
        char at[600];
        if (e->d_name[0] == '.') continue;
        (void)snprintf(at, sizeof(at), "%.300s/%.255s", path, e->d_name);
        if (unlink(at) != 0) remove_tree(at);
    }
    (void)closedir(d);
    (void)rmdir(path);
}

static void copy_file(const char *from, const char *to)
{
    static char bytes[1 << 20];
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(in >= 0 && out >= 0);
    for (ssize_t n; (n = read(in, bytes, sizeof(bytes))) > 0;) {
        assert_int_equal(write(out, bytes, (size_t)n), n);
    }
    (void)close(in);
    (void)close(out);
}

static void copy_tree(const char *from, const char *to)
{
    (void)mkdir(to, 0700);
    DIR *d = opendir(from);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        char a[600], b[600];
        struct stat st;
        if (e->d_name[0] == '.') continue;
        (void)snprintf(a, sizeof(a), "%.300s/%.255s", from, e->d_name);
        (void)snprintf(b, sizeof(b), "%.300s/%.255s", to, e->d_name);
        assert_int_equal(stat(a, &st), 0);
        if (S_ISDIR(st.st_mode)) {
            copy_tree(a, b);
        } else {
            copy_file(a, b);
        }
    }
    (void)closedir(d);
}

/*
 * Making the changes again
 */

static void apply_write(const char *path, const struct op *o, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, o->data, n, (off_t)o->at), n);
    (void)close(fd);
}

/* Of a write the first n bytes. */
static void apply(const char *root, const struct op *o, size_t n)
{
    char path[400], to[400];
    (void)snprintf(path, sizeof(path), "%.79s%.300s", root, o->path ? o->path : "");
    (void)snprintf(to, sizeof(to), "%.79s%.300s", root, o->to ? o->to : "");
    switch (o->kind) {
    case CREATE: (void)close(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600)); break;
    case WRITE: apply_write(path, o, n); break;
    case CUT: assert_int_equal(truncate(path, (off_t)o->at), 0); break;
    case MKDIR: (void)mkdir(path, 0700); break;
    case RMDIR: (void)rmdir(path); break;
    case RENAME: assert_int_equal(rename(path, to), 0); break;
    case UNLINK: (void)unlink(path); break;
    case SYNC:
    case ACK: break;
    }
}

struct replaying {
    struct store at;       /* the folder as it was after `done` changes */
    int64_t acked, synced; /* synced: acknowledged before the log's last sync */
    size_t points, power_points;
};

static void check_opens(const struct replaying *r, struct store *copy, bool power)
{
    store_open_with(copy, SMALL);
    if (copy->reports && !power && !strstr(copy->last_text, ": torn ")) {
        fail_msg("%s", copy->last_text);
    }
    int64_t have = check_all(copy, !power);
    int64_t least = power ? r->synced : r->acked;
    if (have < least) {
        fail_msg("acknowledged %lld, found %lld", (long long)least, (long long)have);
    }
    if (!power) assert_true(have <= r->acked + 1);
    upkeep(copy, INT64_C(1) << 50); /* and it goes on */
    assert_int_equal(check_all(copy, !power), have);
    store_close(copy);
}

static void visit(struct replaying *r)
{
    struct store copy;
    store_folder(&copy);
    copy_tree(r->at.dir, copy.dir);
    check_opens(r, &copy, false);
    remove_tree(copy.dir);
    r->points++;
}

/* Every file ends where it was synced last, or somewhere behind that. */
static void cut_unsynced(const char *root, size_t until, uint64_t *rng)
{
    for (size_t i = 0; i < until; i++) {
        const struct op *o = &shim.ops[i];
        if (o->kind != WRITE) continue;
        bool synced = false;
        const char *path = o->path;
        for (size_t k = i + 1; k < until; k++) {
            const struct op *x = &shim.ops[k];
            if (!x->path || strcmp(x->path, path) != 0) continue;
            if (x->kind == SYNC) synced = true;
            if (x->kind == UNLINK || x->kind == CREATE || x->kind == RENAME) synced = true;
        }
        if (synced) continue;
        char at[400];
        struct stat st;
        (void)snprintf(at, sizeof(at), "%.79s%.300s", root, path);
        if (stat(at, &st) != 0 || (uint64_t)st.st_size <= o->at) continue;
        *rng = *rng * UINT64_C(6364136223846793005) + 1442695040888963407;
        uint64_t left = (uint64_t)st.st_size - o->at;
        assert_int_equal(truncate(at, (off_t)(o->at + (*rng >> 33) % (left + 1))), 0);
        return cut_unsynced(root, i, rng);
    }
}

static void visit_power_cut(struct replaying *r, size_t until, uint64_t *rng)
{
    struct store copy;
    store_folder(&copy);
    copy_tree(r->at.dir, copy.dir);
    cut_unsynced(copy.dir, until, rng);
    check_opens(r, &copy, true);
    remove_tree(copy.dir);
    r->power_points++;
}

static bool is_log(const char *path) { return path && strncmp(path, "/wal/0", 6) == 0; }

static void survives_every_prefix(void **state)
{
    (void)state;
    bool all = getenv("VIGIE_CRASH") != NULL; /* NOLINT(concurrency-mt-unsafe) */
    int commits = all ? 1900 : 400;
    size_t stride = all ? 1 : 4;
    struct store s;
    uint64_t rng = 5;
    store_folder(&s);
    shim_begin(&s);
    shim.recording = true;
    store_open_with(&s, SMALL);
    (void)run(&s, 0, commits / 2);
    store_close(&s);
    store_open_with(&s, SMALL);
    (void)run(&s, commits / 2, commits / 2);
    struct tsdb_stats st;
    tsdb_stats(s.db, &st);
    assert_true(st.compactions > 4 && st.checkpoints > 1 && st.head_truncations > 3);
    store_close(&s);
    shim.recording = false;
    shim.root[0] = 0;
    remove_tree(s.dir);
    struct replaying r = { 0 };
    int64_t acked = 0;
    store_folder(&r.at);
    for (size_t i = 0; i < shim.n; i++) {
        const struct op *o = &shim.ops[i];
        bool look = i % stride == 0;
        if (o->kind == WRITE && o->n > 1 && look) {
            size_t cuts[] = { 1, o->n / 2, o->n - 1 };
            for (size_t c = all ? 0 : 1; c < (all ? 3U : 2U); c++) {
                apply(r.at.dir, o, cuts[c]);
                visit(&r);
            }
        }
        apply(r.at.dir, o, o->n);
        if (o->kind == ACK) acked = r.acked = (int64_t)o->at;
        if (o->kind == SYNC && is_log(o->path)) r.synced = acked;
        if (o->kind == ACK || o->kind == SYNC) continue;
        if (look) visit(&r);
        if (i % (stride * 7) == 0) visit_power_cut(&r, i + 1, &rng);
    }
    print_message("%zu changes, %zu points, %zu of a power cut: nothing lost\n", shim.n, r.points,
                  r.power_points);
    remove_tree(r.at.dir);
    shim_end();
}

/*
 * Failing calls
 */

static long count_changes(void)
{
    struct store s;
    store_folder(&s);
    shim_begin(&s);
    store_open_with(&s, SMALL);
    shim.changes = 0;
    (void)run(&s, 0, 150);
    long n = shim.changes;
    store_close(&s);
    shim_end();
    remove_tree(s.dir);
    return n;
}

static void fail_from(long at, long n, int why)
{
    struct store s;
    store_folder(&s);
    shim_begin(&s);
    store_open_with(&s, SMALL);
    shim.changes = 0;
    shim.fail_at = at;
    shim.fail_n = n;
    shim.why = why;
    int64_t k = run(&s, 0, 150);
    assert_int_equal(check_all(&s, true), k);
    shim.fail_at = 0;
    k = run(&s, k, 60); /* it works again */
    assert_true(k >= 60);
    assert_int_equal(check_all(&s, true), k);
    store_close(&s);
    store_open_with(&s, SMALL);
    if (s.reports) fail_msg("after failure %ld (%d): %s", at, why, s.last_text);
    assert_int_equal(check_all(&s, true), k);
    store_close(&s);
    shim_end();
    remove_tree(s.dir);
}

static void survives_failing_calls(void **state)
{
    (void)state;
    bool all = getenv("VIGIE_CRASH") != NULL; /* NOLINT(concurrency-mt-unsafe) */
    long n = count_changes(), runs = 0;
    static const int WHY[] = { ENOSPC, EIO };
    static const long HOW_MANY[] = { 1, 25 };
    for (long at = 1; at <= n; at += all ? 1 : 17) {
        for (size_t i = 0; i < 4; i++, runs++) fail_from(at, HOW_MANY[i / 2], WHY[i % 2]);
    }
    print_message("%ld changes, %ld runs with a failure: nothing lost\n", n, runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_every_prefix),
        cmocka_unit_test(survives_failing_calls),
    };
    int failed = cmocka_run_group_tests_name("prefix", tests, NULL, NULL);
    free(shim.ops);
    return failed;
}
