/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Damaged files: the store always starts, never shows a sample that was not written, says where it cut, and what it
 * left behind is whole.
 */
#include "unit/tsdb/store.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { SERIES = 8, COMMITS = 3000, ROUNDS = 150, FILES_MAX = 64, LATER = 100 };

static const struct tsdb_options SMALL = { .segment_bytes = 64 * 1024, .chunk_range_ms = 200000 };

static struct store original;

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

/* Commit k gives series i the sample (1000 k, k * 1.1 + i). */
static double value_of(int64_t k, int64_t i) { return (double)k * 1.1 + (double)i; }

static void put_commits(struct store *s, int64_t from, int64_t to)
{
    ARENA(a, 0);
    for (int64_t k = from; k < to; k++) {
        struct appender *ap = store_appender(s);
        for (int i = 0; i < SERIES; i++) {
            struct str name = arena_fmt(&a, "s%d", i);
            uint64_t ref = store_series(ap, LABELS(&a, "__name__", name.p, "job", "x"));
            assert_int_equal(ap->ops->add(ap, ref, k * 1000, value_of(k, i)), OK);
        }
        assert_int_equal(store_commit(ap).added, SERIES);
        arena_reset(&a);
    }
}

static int make_original(void **state)
{
    (void)state;
    store_folder(&original);
    store_open_with(&original, SMALL);
    for (int64_t k = 1; k <= COMMITS; k += 100) {
        put_commits(&original, k, k + 100);
        (void)tsdb_tick(original.db, k * 100000);
    }
    store_close(&original);
    return 0;
}

static int remove_original(void **state)
{
    (void)state;
    store_remove(&original);
    return 0;
}

static void copy_original(struct store *s)
{
    char cmd[200];
    store_folder(s);
    (void)snprintf(cmd, sizeof(cmd), "cp -r '%s/.' '%s'", original.dir, s->dir);
    assert_int_equal(system(cmd), 0); /* NOLINT(concurrency-mt-unsafe,cert-env33-c) */
}

/* The files of wal/ and chunks_head/, with their folder in front. */
static size_t list_files(const struct store *s, struct arena *a, struct str *out)
{
    static const char *const FOLDERS[] = { "wal", "chunks_head" };
    size_t n = 0;
    for (size_t f = 0; f < ARRAY_LEN(FOLDERS); f++) {
        struct str *names;
        size_t count;
        struct str dir = path_join(a, str_c(s->dir), str_c(FOLDERS[f]));
        assert_int_equal(dir_list(a, dir, &names, &count, NULL), OK);
        for (size_t i = 0; i < count && n < FILES_MAX; i++) {
            out[n++] = arena_fmt(a, "%s/" STR_FMT, FOLDERS[f], STR_ARG(names[i]));
        }
    }
    return n;
}

/* Samples in all series together, each as it was written, ascending; the shortest and the longest series. */
static size_t check_samples(struct store *s, size_t *shortest)
{
    ARENA(a, 0);
    struct column c = { 0 };
    struct querier *q = store_querier(s);
    struct series *v;
    size_t n = store_select(q, &a, NULL, 0, &v), total = 0;
    *shortest = n < SERIES ? 0 : SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        c.n = 0;
        assert_int_equal(q->ops->read(q, &v[i], INT64_MIN, INT64_MAX, &c), OK);
        int64_t series = labels_get(v[i].lb, METRIC_NAME).p[1] - '0';
        for (size_t k = 0; k < c.n; k++) {
            assert_true(c.v[k] == value_of(c.t[k] / 1000, series));
            if (k > 0) assert_true(c.t[k] > c.t[k - 1]);
        }
        if (c.n < *shortest) *shortest = c.n;
        total += c.n;
    }
    column_done(&c);
    q->ops->close(q);
    return total;
}

static void check_survives(struct store *s, size_t *total)
{
    size_t shortest, again;
    store_open_with(s, SMALL);
    *total = check_samples(s, &shortest);
    put_commits(s, COMMITS + LATER, COMMITS + LATER + 40);
    (void)tsdb_tick(s->db, INT64_C(1) << 40);
    assert_int_equal(check_samples(s, &shortest), *total + 40 * SERIES);
    store_close(s);
    store_open_with(s, SMALL); /* what the first start left is whole, and so is what was added */
    if (s->reports) fail_msg("second start reports: %s", s->last_text);
    again = check_samples(s, &shortest);
    assert_int_equal(again, *total + 40 * SERIES);
    assert_true(shortest >= 40);
}

static void whole_without_damage(void **state)
{
    (void)state;
    struct store s;
    size_t total;
    copy_original(&s);
    check_survives(&s, &total);
    assert_int_equal(total, SERIES * COMMITS);
    store_remove(&s);
}

static void damage(const char *path, uint64_t *rng, size_t size)
{
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    off_t at = (off_t)(next_random(rng) % size);
    unsigned char bytes[512] = { 0 };
    switch (next_random(rng) % 4) {
    case 0: assert_int_equal(ftruncate(fd, at), 0); break;
    case 1:
        assert_int_equal(pread(fd, bytes, 1, at), 1);
        bytes[0] ^= (unsigned char)(1U << next_random(rng) % 8);
        assert_int_equal(pwrite(fd, bytes, 1, at), 1);
        break;
    case 2: assert_int_equal(pwrite(fd, bytes, sizeof(bytes), at), sizeof(bytes)); break;
    default:
        for (size_t i = 0; i < sizeof(bytes); i++) bytes[i] = (unsigned char)next_random(rng);
        assert_true(pwrite(fd, bytes, 1 + next_random(rng) % 511, (off_t)size) > 0);
        break;
    }
    (void)close(fd);
}

static void starts_with_any_damage(void **state)
{
    (void)state;
    uint64_t rng = 99;
    for (int i = 0; i < ROUNDS; i++) {
        ARENA(a, 0);
        struct store s;
        struct stat st;
        struct str files[FILES_MAX];
        copy_original(&s);
        size_t n = list_files(&s, &a, files), total;
        struct str file = files[next_random(&rng) % n];
        struct str path = path_join(&a, str_c(s.dir), file);
        assert_int_equal(stat(path.p, &st), 0);
        damage(path.p, &rng, (size_t)st.st_size);
        check_survives(&s, &total);
        /* The log has all that chunks_head has. */
        if (str_starts(file, STR("chunks_head"))) assert_int_equal(total, SERIES * COMMITS);
        store_remove(&s);
    }
}

/* A log whose last segment is cut anywhere keeps every commit that ends before the cut. */
static void keeps_what_is_before_the_cut(void **state)
{
    (void)state;
    uint64_t rng = 5;
    size_t before = 0;
    off_t was = 0;
    for (int i = 0; i < 40; i++) {
        ARENA(a, 0);
        struct store s;
        struct stat st;
        struct str files[FILES_MAX];
        copy_original(&s);
        size_t n = list_files(&s, &a, files), last = 0, shortest;
        while (last + 1 < n && str_starts(files[last + 1], STR("wal/"))) last++;
        struct str path = path_join(&a, str_c(s.dir), files[last]);
        assert_int_equal(stat(path.p, &st), 0);
        off_t at = i == 0 ? st.st_size : (off_t)(next_random(&rng) % (uint64_t)st.st_size);
        assert_int_equal(truncate(path.p, at), 0);
        store_open_with(&s, SMALL);
        size_t total = check_samples(&s, &shortest);
        if (s.reports) {
            assert_int_equal(s.reports, 1);
            assert_true(str_eqc(files[last], s.last_file));
            assert_true(s.last.offset <= (uint64_t)at);
            assert_int_equal(s.last.offset + s.last.dropped, at);
            assert_non_null(strstr(s.last_text, "torn record at offset"));
        }
        if (i > 0) assert_true(at < was ? total <= before : total >= before);
        was = at;
        before = total;
        store_remove(&s);
    }
}

static void refuses_a_second_owner(void **state)
{
    (void)state;
    struct store s;
    store_folder(&s);
    store_open(&s);
    struct tsdb_options o = { .dir = str_c(s.dir) };
    struct tsdb *second = NULL;
    struct diag d = { 0 };
    assert_int_equal(tsdb_open(&o, &second, &d), ERR_EXISTS);
    assert_null(second);
    struct stat st;
    assert_int_equal(stat(s.dir, &st), 0);
    assert_int_equal(st.st_mode & 077, 0);
    store_remove(&s);
}

static void leaves_damaged_blocks_aside(void **state)
{
    (void)state;
    struct store s;
    store_folder(&s);
    char path[160];
    (void)snprintf(path, sizeof(path), "%s/01BKGV7JBM69T2G1BGBGM6KB12", s.dir);
    assert_int_equal(mkdir(path, 0700), 0);
    store_open(&s);
    assert_int_equal(s.reports, 1);
    assert_non_null(strstr(s.last_text, "block 01BKGV7JBM69T2G1BGBGM6KB12 is left aside"));
    assert_int_equal(access(path, F_OK), 0);
    store_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_without_damage),         cmocka_unit_test(starts_with_any_damage),
        cmocka_unit_test(keeps_what_is_before_the_cut), cmocka_unit_test(refuses_a_second_owner),
        cmocka_unit_test(leaves_damaged_blocks_aside),
    };
    return cmocka_run_group_tests_name("damage", tests, make_original, remove_original);
}
