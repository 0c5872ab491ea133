/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nothing acknowledged is lost: by kill -9 at random points, and by a disk that is full.
 */
#include "unit/tsdb/store.h"

#include "codec/num.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#ifdef WITH_ASAN
#define KILLS 60 /* the sanitizer's fork is slow; the plain build does the 200 */
#else
#define KILLS 200
#endif

enum {
    KILLS_A_FOLDER = 20,
    SERIES = 40,
    COMMITS_MAX = 100000,
    ACKS_MAX = 300,
    SPIN_MAX = 200000,
};

/* Commit k gives every series the sample (1000 k, k + series). Small segments and windows, so that all is cut often. */
static const struct tsdb_options SMALL = { .segment_bytes = 64 * 1024, .chunk_range_ms = 50000 };

static void put_commit(struct store *s, const uint64_t *refs, int64_t k)
{
    struct appender *ap = store_appender(s);
    for (int i = 0; i < SERIES; i++) {
        if (ap->ops->add(ap, refs[i], k * 1000, (double)(k + i)) != OK) _exit(3);
    }
    struct append_result res;
    struct diag d;
    if (ap->ops->commit(ap, &res, &d) != OK || res.added != SERIES) _exit(4);
}

static void find_series(struct store *s, uint64_t *refs)
{
    ARENA(a, 0);
    struct appender *ap = store_appender(s);
    for (int i = 0; i < SERIES; i++) {
        struct str name = arena_fmt(&a, "s%d", i);
        refs[i] = store_series(ap, LABELS(&a, "__name__", name.p));
    }
    ap->ops->rollback(ap);
}

/* The child: commits from k on and acknowledges each to the pipe until it is killed. */
static void write_until_killed(struct store *s, int64_t k, int ack)
{
    uint64_t refs[SERIES];
    store_open_with(s, SMALL);
    find_series(s, refs);
    for (; k < COMMITS_MAX; k++) {
        put_commit(s, refs, k);
        if (write(ack, &k, sizeof(k)) != sizeof(k)) _exit(5);
        if (k % 16 == 0) (void)tsdb_tick(s->db, k * 10000);                 /* syncs and stores */
        while (k % 16 == 0 && tsdb_upkeep(s->db, k * 10000) == k * 10000) { /* writes blocks */
        }
    }
    _exit(0);
}

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

/* Kills after some acknowledgements and some more work; returns the last commit acknowledged, or `before`. */
static int64_t run_and_kill(struct store *s, int64_t before, uint64_t *rng)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(fds[0]);
        write_until_killed(s, before + 1, fds[1]);
    }
    (void)close(fds[1]);
    int64_t acked = before;
    for (uint64_t n = next_random(rng) % ACKS_MAX; n > 0; n--) {
        assert_int_equal(read(fds[0], &acked, sizeof(acked)), sizeof(acked));
    }
    for (volatile uint64_t spin = next_random(rng) % SPIN_MAX; spin > 0;) spin = spin - 1;
    assert_int_equal(kill(child, SIGKILL), 0);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    while (read(fds[0], &acked, sizeof(acked)) == sizeof(acked)) {
    }
    (void)close(fds[0]);
    return acked;
}

/* All series hold 1..n without a gap; returns n. */
static int64_t check_all(struct store *s)
{
    ARENA(a, 0);
    struct column c = { 0 };
    struct querier *q = store_querier(s);
    struct series *v;
    size_t n = store_select(q, &a, NULL, 0, &v);
    int64_t newest = 0;
    for (size_t i = 0; i < n; i++) {
        c.n = 0;
        assert_int_equal(q->ops->read(q, &v[i], INT64_MIN, INT64_MAX, &c), OK);
        int64_t offset;
        struct str name = str_from(labels_get(v[i].lb, METRIC_NAME), 1);
        assert_int_equal(num_parse_i64(name, &offset), OK);
        for (size_t k = 0; k < c.n; k++) {
            assert_int_equal(c.t[k], ((int64_t)k + 1) * 1000);
            assert_true(c.v[k] == (double)((int64_t)k + 1 + offset));
        }
        if (i > 0) assert_int_equal(c.n, newest);
        newest = (int64_t)c.n;
    }
    column_done(&c);
    q->ops->close(q);
    return newest;
}

static void survives_kill_9(void **state)
{
    (void)state;
    uint64_t rng = 7;
    for (int folder = 0; folder < KILLS / KILLS_A_FOLDER; folder++) {
        struct store s;
        store_folder(&s);
        int64_t have = 0;
        for (int i = 0; i < KILLS_A_FOLDER; i++) {
            int64_t acked = run_and_kill(&s, have, &rng);
            store_open_with(&s, SMALL);
            /* Nothing but a write that the kill cut short: of the log, or of chunks_head. */
            if (s.reports && !strstr(s.last_text, ": torn ")) fail_msg("%s", s.last_text);
            have = check_all(&s);
            if (have < acked) fail_msg("acknowledged %d, found %d", (int)acked, (int)have);
            assert_true(have <= acked + 1); /* one may have been written and not yet acknowledged */
            store_close(&s);
        }
        store_remove(&s);
    }
}

/*
 * A full disk: RLIMIT_FSIZE makes write(2) stop inside a batch, as a full file system does.
 */

static void limit_files(rlim_t bytes)
{
    struct rlimit r;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
    r.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static bool try_commit(struct store *s, const uint64_t *refs, int64_t k, struct diag *d)
{
    struct appender *ap = store_appender(s);
    for (int i = 0; i < SERIES; i++) {
        assert_int_equal(ap->ops->add(ap, refs[i], k * 1000, (double)(k + i)), OK);
    }
    struct append_result res = { 0 };
    enum err e = ap->ops->commit(ap, &res, d);
    assert_true(e == OK ? res.added == SERIES : e == ERR_SYS && res.added == 0);
    return e == OK;
}

static void survives_a_full_disk(void **state)
{
    (void)state;
    struct store s;
    store_folder(&s);
    store_open_with(&s, SMALL);
    uint64_t refs[SERIES];
    find_series(&s, refs);
    (void)signal(SIGXFSZ, SIG_IGN);
    struct diag d = { 0 };
    int64_t k = 0, failed = 0;
    uint64_t counted = 0;
    for (int round = 0; round < 20; round++) {
        limit_files(1000 + (rlim_t)round * 4099);
        for (int i = 0; i < 30; i++) {
            if (try_commit(&s, refs, k + 1, &d)) {
                k++;
            } else {
                failed++;
            }
            if (i % 8 == 0) (void)tsdb_tick(s.db, (k + failed) * 10000);
            assert_int_equal(check_all(&s), k);
        }
        struct tsdb_stats st;
        tsdb_stats(s.db, &st);
        counted += st.wal_writes_failed;
        limit_files(RLIM_INFINITY);
        store_close(&s);
        store_open_with(
            &s, SMALL); /* the half-written commit is not in the log, not even as a torn tail */
        assert_int_equal(s.reports, 0);
        assert_int_equal(check_all(&s), k);
        find_series(&s, refs);
        assert_true(try_commit(&s, refs, ++k, &d));
        assert_int_equal(check_all(&s), k);
    }
    assert_true(failed > 30);
    assert_non_null(strstr(d.text, "cannot write the log: File too large"));
    assert_int_equal(counted, failed);
    store_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_a_full_disk),
        cmocka_unit_test(survives_kill_9),
    };
    return cmocka_run_group_tests_name("crash", tests, NULL, NULL);
}
