/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's life over days: head to blocks, blocks to larger ones, the log cut, retention, deletion, snapshots. Whatever
 * upkeep does, queries see each sample once and as it was written.
 */
#include "tsdb/block.h"
#include "tsdb/plan.h"
#include "unit/tsdb/store.h"

#include "codec/num.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/stat.h>

enum {
    SERIES = 12,
    STEP = 60000,
    HOUR = 3600000,
    DAY = 24 * HOUR,
};

#define BEGIN INT64_C(1699999200000) /* on the hour, not on a window's edge */

static const struct tsdb_options LIFE = { .segment_bytes = 256 * 1024 };

static double value_of(int i, int64_t k) { return (double)k * 0.25 + i; }

/* Series 0-3 live always, the others for three hours in turn: they die and come back. */
static bool lives(int i, int64_t k) { return i < 4 || (k / 180) % (SERIES - 4) == i - 4; }

static void upkeep(struct store *s, int64_t now)
{
    for (int i = 0; i < 100 && tsdb_upkeep(s->db, now) == now; i++) {
    }
}

static void put_step(struct store *s, int64_t k, uint64_t *refs)
{
    ARENA(a, 0);
    struct appender *ap = store_appender(s);
    for (int i = 0; i < SERIES; i++) {
        if (!lives(i, k)) continue;
        enum err e = refs[i] ? ap->ops->add(ap, refs[i], BEGIN + k * STEP, value_of(i, k))
                             : ERR_MISSING;
        if (e == ERR_MISSING) {
            struct str name = arena_fmt(&a, "s%d", i);
            refs[i] = store_series(ap, LABELS(&a, "__name__", name.p, "job", "life"));
            e = ap->ops->add(ap, refs[i], BEGIN + k * STEP, value_of(i, k));
        }
        assert_int_equal(e, OK);
    }
    struct append_result res = store_commit(ap);
    assert_int_equal(res.out_of_bounds + res.out_of_order, 0);
}

static void live(struct store *s, int64_t from, int64_t to)
{
    uint64_t refs[SERIES] = { 0 };
    for (int64_t k = from; k < to; k++) {
        put_step(s, k, refs);
        if (k % 5 == 0) {
            (void)tsdb_tick(s->db, BEGIN + k * STEP);
            upkeep(s, BEGIN + k * STEP);
        }
    }
}

/* Every sample of [from, to) steps once, in order, but those that `gone` says were deleted. */
static void check(struct store *s, int64_t from, int64_t to, bool (*gone)(int i, int64_t k))
{
    ARENA(a, 0);
    struct column c = { 0 };
    struct querier *q = store_querier(s);
    for (int i = 0; i < SERIES; i++) {
        struct str name = arena_fmt(&a, "s%d", i);
        struct series v;
        column_clear(&c);
        if (store_find(q, &a, name.p, &v)) {
            assert_int_equal(q->ops->read(q, &v, INT64_MIN, INT64_MAX, &c), OK);
        }
        size_t at = 0;
        for (int64_t k = from; k < to; k++) {
            if (!lives(i, k) || (gone && gone(i, k))) continue;
            if (at == c.n || c.t[at] != BEGIN + k * STEP) {
                fail_msg("%s: step %lld is missing (%zu of %zu)", name.p, (long long)k, at, c.n);
            }
            assert_true(c.v[at] == value_of(i, k));
            at++;
        }
        assert_int_equal(at, c.n);
        struct sample last;
        if (c.n) {
            assert_true(q->ops->last(q, &v, INT64_MIN, INT64_MAX, &last));
            assert_int_equal(last.t, c.t[c.n - 1]);
            int64_t mid = c.t[c.n / 2];
            assert_true(q->ops->last(q, &v, INT64_MIN, mid, &last));
            assert_int_equal(last.t, mid);
        }
    }
    q->ops->close(q);
    column_done(&c);
}

static size_t count_entries(const struct store *s, const char *below)
{
    ARENA(a, 0);
    struct str *names;
    size_t n;
    assert_int_equal(dir_list(&a, arena_fmt(&a, "%s/%s", s->dir, below), &names, &n, NULL), OK);
    return n;
}

static void moves_a_day_to_blocks(void **state)
{
    (void)state;
    struct store s;
    store_folder(&s);
    store_open_with(&s, LIFE);
    live(&s, 0, DAY / STEP);
    if (s.reports) fail_msg("%s", s.last_text);
    struct tsdb_stats st;
    tsdb_stats(s.db, &st);
    assert_true(st.blocks >= 3 && st.blocks <= 9); /* 2 h and 6 h, and 18 h of them */
    assert_true(st.compactions > st.blocks);
    assert_true(st.checkpoints > 0);
    assert_true(st.max_time - st.min_time < 4 * HOUR);
    assert_true(st.series < SERIES);
    assert_true(count_entries(&s, "wal") < 8);
    assert_true(count_entries(&s, "chunks_head") < 4);
    check(&s, 0, DAY / STEP, NULL);
    store_close(&s);
    store_open_with(&s, LIFE);
    if (s.reports) fail_msg("%s", s.last_text);
    check(&s, 0, DAY / STEP, NULL);
    live(&s, DAY / STEP, (DAY + 5 * HOUR) / STEP);
    check(&s, 0, (DAY + 5 * HOUR) / STEP, NULL);
    store_close(&s);
    store_open_with(&s, LIFE);
    if (s.reports) fail_msg("%s", s.last_text);
    check(&s, 0, (DAY + 5 * HOUR) / STEP, NULL);
    store_remove(&s);
}

static void lets_old_blocks_go(void **state)
{
    (void)state;
    struct store s;
    struct tsdb_options o = LIFE;
    o.retention_ms = 8 * HOUR;
    o.max_range_ms = 2 * HOUR;
    store_folder(&s);
    store_open_with(&s, o);
    live(&s, 0, DAY / STEP);
    struct tsdb_stats st;
    tsdb_stats(s.db, &st);
    assert_true(st.blocks >= 4 && st.blocks <= 6);
    assert_true(st.retention_time > 0);
    assert_true(BEGIN + DAY - st.lowest_time < 14 * HOUR);
    uint64_t before = st.blocks;
    tsdb_set_retention(s.db, 0, st.block_bytes / 2 + st.wal_bytes + st.head_chunk_bytes);
    upkeep(&s, BEGIN + 2 * DAY);
    tsdb_stats(s.db, &st);
    assert_true(st.blocks > 0 && st.blocks < before);
    assert_true(st.retention_size > 0);
    store_remove(&s);
}

/* Thanos' shipper has not uploaded them yet: blocks stay as they are. */
static void waits_for_the_shipper(void **state)
{
    (void)state;
    struct store s;
    struct tsdb_stats st;
    char path[128];
    store_folder(&s);
    (void)snprintf(path, sizeof(path), "%s/thanos.shipper.json", s.dir);
    struct tsdb_options o = LIFE;
    o.delay_compact_file = str_c(path);
    store_open_with(&s, o);
    live(&s, 0, DAY / STEP);
    tsdb_stats(s.db, &st);
    assert_true(st.blocks >= 10);
    ARENA(a, 0);
    BUF(b, 0);
    struct str *names;
    size_t n;
    struct diag d;
    assert_int_equal(dir_list(&a, str_c(s.dir), &names, &n, &d), OK);
    buf_putc(&b, "{\"version\":1,\"uploaded\":[\"x\"");
    for (size_t i = 0; i < n; i++) {
        if (ulid_ok(names[i])) buf_fmt(&b, ",\"" STR_FMT "\"", STR_ARG(names[i]));
    }
    buf_putc(&b, "]}");
    assert_int_equal(file_write_atomic(str_c(path), buf_str(&b), &d), OK);
    upkeep(&s, BEGIN + DAY);
    tsdb_stats(s.db, &st);
    assert_true(st.blocks < 10);
    check(&s, 0, DAY / STEP, NULL);
    store_remove(&s);
}

/* Series 1 lost hours 1-20, series 2 all. */
static bool deleted(int i, int64_t k)
{
    return i == 2 || (i == 1 && k * STEP >= HOUR && k * STEP <= 20 * HOUR);
}

static void delete_name(struct store *s, const char *name, int64_t mint, int64_t maxt)
{
    struct matcher m;
    struct diag d = { 0 };
    assert_int_equal(matcher_init(&m, MATCH_EQ, METRIC_NAME, str_c(name), &d), OK);
    if (tsdb_delete(s->db, mint, maxt, &m, 1, &d) != OK) fail_msg("%s", d.text);
    matcher_done(&m);
}

static void deletes(void **state)
{
    (void)state;
    struct store s;
    struct diag d = { 0 };
    store_folder(&s);
    store_open_with(&s, LIFE);
    live(&s, 0, DAY / STEP);
    delete_name(&s, "s1", BEGIN + HOUR, BEGIN + 20 * HOUR);
    delete_name(&s, "s2", INT64_MIN, INT64_MAX);
    check(&s, 0, DAY / STEP, deleted);
    store_close(&s);
    store_open_with(&s, LIFE);
    check(&s, 0, DAY / STEP, deleted);
    if (tsdb_clean_tombstones(s.db, BEGIN + DAY, &d) != OK) fail_msg("%s", d.text);
    check(&s, 0, DAY / STEP, deleted);
    upkeep(&s, BEGIN + DAY);
    check(&s, 0, DAY / STEP, deleted);
    store_close(&s);
    store_open_with(&s, LIFE);
    if (s.reports) fail_msg("%s", s.last_text);
    check(&s, 0, DAY / STEP, deleted);
    store_remove(&s);
}

static void snapshots(void **state)
{
    (void)state;
    struct store s, copy = { 0 };
    struct diag d = { 0 };
    ARENA(a, 0);
    store_folder(&s);
    store_open_with(&s, LIFE);
    live(&s, 0, 9 * HOUR / STEP);
    struct str name;
    if (tsdb_snapshot(s.db, true, BEGIN + DAY, &a, &name, &d) != OK) fail_msg("%s", d.text);
    struct str dir = arena_fmt(&a, "%s/snapshots/%s", s.dir, name.p);
    assert_true(dir.n < sizeof(copy.dir));
    memcpy(copy.dir, dir.p, dir.n);
    store_open_with(&copy, LIFE);
    if (copy.reports) fail_msg("%s", copy.last_text);
    check(&copy, 0, 9 * HOUR / STEP, NULL);
    store_close(&copy);
    check(&s, 0, 9 * HOUR / STEP, NULL);
    store_remove(&s);
}

/*
 * Readers beside upkeep: a query that began before keeps its view, and one that begins at any moment sees all.
 */

struct reading {
    struct store *s;
    int64_t steps;
    _Atomic(bool) end;
    unsigned rounds;
};

static void *read_on(void *arg)
{
    struct reading *r = arg;
    while (!r->end || r->rounds < 3) {
        check(r->s, 0, r->steps, NULL);
        r->rounds++;
    }
    return NULL;
}

static void hides_nothing_meanwhile(void **state)
{
    (void)state;
    struct store s;
    struct tsdb_options o = LIFE;
    uint64_t refs[SERIES] = { 0 };
    store_folder(&s);
    store_open_with(&s, o);
    for (int64_t k = 0; k < 8 * HOUR / STEP; k++) put_step(&s, k, refs); /* and no upkeep yet */
    struct reading r = { .s = &s, .steps = 8 * HOUR / STEP };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, read_on, &r), 0);
    struct tsdb_stats st = { 0 };
    while (st.blocks < 2 || st.head_truncations < 3) {
        (void)tsdb_upkeep(s.db, BEGIN + DAY);
        tsdb_stats(s.db, &st);
    }
    r.end = true;
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(r.rounds >= 3);
    store_remove(&s);
}

/*
 * Pods that come and go: each window has series of its own. Their memory goes with them, what stays keeps its handles.
 */
static void gives_memory_back(void **state)
{
    (void)state;
    enum { PODS = 3000, WINDOWS = 12 };
    struct store s;
    uint64_t refs[SERIES] = { 0 }, peak = 0;
    struct tsdb_stats st;
    store_folder(&s);
    store_open_with(&s, LIFE);
    for (int64_t w = 0; w < WINDOWS; w++) {
        for (int64_t k = w * 120; k < (w + 1) * 120; k += 5) {
            ARENA(a, 0);
            put_step(&s, k, refs);
            struct appender *ap = store_appender(&s);
            struct querier *q = store_querier(&s); /* keeps whichever head there is */
            for (int64_t i = 0; i < PODS && k % 120 < 40; i++) {
                struct str pod = arena_fmt(&a, "pod-%lld-%lld", (long long)w, (long long)i);
                uint64_t ref = store_series(ap, LABELS(&a, "__name__", "up", "pod", pod.p));
                assert_int_equal(ap->ops->add(ap, ref, BEGIN + k * STEP, 1), OK);
            }
            q->ops->close(q);
            assert_int_equal(tsdb_upkeep(s.db, BEGIN + k * STEP) >= 0, 1); /* beside the appender */
            store_commit(ap);
            upkeep(&s, BEGIN + k * STEP);
        }
        tsdb_stats(s.db, &st);
        if (w == 3) peak = st.head_memory_bytes;
        if (w > 3) assert_true(st.head_memory_bytes < peak + peak / 2);
    }
    assert_true(st.head_moves > 3);
    assert_true(st.series < 3 * PODS + SERIES);
    ARENA(a, 0);
    struct querier *q = store_querier(&s);
    struct series *v;
    assert_true(store_select(q, &a, NULL, 0, &v) >= WINDOWS * PODS);
    q->ops->close(q);
    store_close(&s);
    store_open_with(&s, LIFE);
    if (s.reports) fail_msg("%s", s.last_text);
    store_remove(&s);
}

/*
 * Damage and clocks
 */

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static void flip_a_byte(const char *path, uint64_t *rng)
{
    FILE *f = fopen(path, "r+");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    long at = (long)(next_random(rng) % (uint64_t)ftell(f));
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    int was = fgetc(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    (void)fputc(was ^ (1 << next_random(rng) % 8), f);
    assert_int_equal(fclose(f), 0);
}

/* Whatever is wrong with a block: the store starts, and what it shows was written. */
static void starts_with_damaged_blocks(void **state)
{
    (void)state;
    static const char *const FILES[] = { "index", "chunks/000001", "tombstones", "meta.json" };
    struct store s;
    uint64_t rng = 3;
    store_folder(&s);
    store_open_with(&s, LIFE);
    live(&s, 0, 9 * HOUR / STEP);
    store_close(&s);
    for (int round = 0; round < 120; round++) {
        ARENA(a, 0);
        struct store copy;
        struct str *names;
        size_t n;
        store_folder(&copy);
        struct str cmd = arena_fmt(&a, "cp -r '%s/.' '%s'", s.dir, copy.dir);
        assert_int_equal(system(cmd.p), 0); /* NOLINT(concurrency-mt-unsafe,cert-env33-c) */
        assert_int_equal(dir_list(&a, str_c(copy.dir), &names, &n, NULL), OK);
        assert_int_equal(names[0].n, ULID_CHARS); /* digits come first */
        struct str path = arena_fmt(&a, "%s/%s/%s", copy.dir, names[0].p, FILES[round % 4]);
        flip_a_byte(path.p, &rng);
        store_open_with(&copy, LIFE);
        upkeep(&copy, BEGIN + DAY);
        struct querier *q = store_querier(&copy);
        struct series *v = NULL;
        struct column c = { 0 };
        struct diag d;
        n = 0;
        if (q->ops->select(q, &a, NULL, 0, INT64_MIN, INT64_MAX, &v, &n, &d) != OK) n = 0;
        for (size_t i = 0; i < n; i++) {
            column_clear(&c);
            if (q->ops->read(q, &v[i], INT64_MIN, INT64_MAX, &c) != OK) continue;
            int64_t series;
            struct str name = str_from(labels_get(v[i].lb, METRIC_NAME), 1);
            assert_int_equal(num_parse_i64(name, &series), OK);
            for (size_t k = 0; k < c.n; k++) {
                assert_true(c.v[k] == value_of((int)series, (c.t[k] - BEGIN) / STEP));
            }
        }
        column_done(&c);
        q->ops->close(q);
        store_remove(&copy);
    }
    store_remove(&s);
}

/* The clock goes back, far ahead, and samples come from a year that is not ours. */
static void bears_clock_jumps(void **state)
{
    (void)state;
    struct store s;
    uint64_t refs[SERIES] = { 0 };
    store_folder(&s);
    store_open_with(&s, LIFE);
    live(&s, 0, 5 * HOUR / STEP);
    (void)tsdb_tick(s.db, 0);
    upkeep(&s, 0);
    (void)tsdb_tick(s.db, INT64_MAX / 2);
    upkeep(&s, INT64_MAX / 2);
    live(&s, 5 * HOUR / STEP, 6 * HOUR / STEP);
    check(&s, 0, 6 * HOUR / STEP, NULL);
    int64_t years = INT64_C(3) * 365 * 24 * 60;
    put_step(&s, years, refs);
    upkeep(&s, BEGIN + DAY); /* not a block for each window of three years */
    struct tsdb_stats st;
    tsdb_stats(s.db, &st);
    assert_true(st.blocks < 6);
    struct append_result r = store_put(&s, refs[0], INT64_MAX - 5, 1);
    assert_int_equal(r.added, 1);
    upkeep(&s, BEGIN + DAY);
    store_close(&s);
    store_open_with(&s, LIFE);
    upkeep(&s, BEGIN + DAY);
    if (s.reports) fail_msg("%s", s.last_text);
    store_remove(&s);
}

/*
 * The planner, as a table: blocks in hours, what is merged
 */

struct plan_row {
    const char *name;
    struct {
        int mint, maxt, tombstones;
    } in[8];
    size_t n;
    size_t want[8];
    size_t want_n;
};

static const struct plan_row PLANS[] = {
    { "nothing", { { 0 } }, 0, { 0 }, 0 },
    { "one alone", { { 0, 2, 0 } }, 1, { 0 }, 0 },
    { "two of three", { { 0, 2, 0 }, { 2, 4, 0 }, { 4, 6, 0 } }, 3, { 0 }, 0 },
    { "three full, one newer",
      { { 0, 2, 0 }, { 2, 4, 0 }, { 4, 6, 0 }, { 6, 8, 0 } },
      4,
      { 0, 1, 2 },
      3 },
    { "a gap, newer behind", { { 0, 2, 0 }, { 4, 6, 0 }, { 6, 8, 0 } }, 3, { 0, 1 }, 2 },
    { "not aligned: 2-8 is not one stretch",
      { { 2, 4, 0 }, { 4, 6, 0 }, { 6, 8, 0 }, { 8, 10, 0 } },
      4,
      { 0, 1 },
      2 },
    { "second level",
      { { 0, 6, 0 }, { 6, 12, 0 }, { 12, 18, 0 }, { 18, 20, 0 } },
      4,
      { 0, 1, 2 },
      3 },
    { "overlap first", { { 0, 2, 0 }, { 1, 3, 0 }, { 4, 6, 0 } }, 3, { 0, 1 }, 2 },
    { "overlap inside a long one",
      { { 0, 9, 0 }, { 1, 2, 0 }, { 3, 5, 0 }, { 9, 11, 0 } },
      4,
      { 0, 1, 2 },
      3 },
    { "many tombstones", { { 0, 18, 10 }, { 18, 20, 0 } }, 2, { 0 }, 1 },
    { "few tombstones", { { 0, 18, 1 }, { 18, 20, 0 } }, 2, { 0 }, 0 },
    { "tombstones in the newest", { { 0, 18, 0 }, { 18, 36, 10 } }, 2, { 0 }, 0 },
};

static void plans(void **state)
{
    (void)state;
    int64_t ranges[PLAN_LEVELS];
    assert_int_equal(plan_ranges(2 * HOUR, 36 * HOUR, ranges), 3);
    for (size_t r = 0; r < ARRAY_LEN(PLANS); r++) {
        const struct plan_row *row = &PLANS[r];
        struct plan_block v[8];
        size_t got[8];
        for (size_t i = 0; i < row->n; i++) {
            v[i] = (struct plan_block){ (int64_t)row->in[i].mint * HOUR,
                                        (int64_t)row->in[i].maxt * HOUR,
                                        99,
                                        (uint64_t)row->in[i].tombstones,
                                        0,
                                        false };
        }
        size_t n = plan_compaction(v, row->n, ranges, 3, got);
        if (n != row->want_n || (n && memcmp(got, row->want, n * sizeof(*got)) != 0)) {
            fail_msg("%s: %zu blocks", row->name, n);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans),
        cmocka_unit_test(moves_a_day_to_blocks),
        cmocka_unit_test(lets_old_blocks_go),
        cmocka_unit_test(waits_for_the_shipper),
        cmocka_unit_test(deletes),
        cmocka_unit_test(snapshots),
        cmocka_unit_test(hides_nothing_meanwhile),
        cmocka_unit_test(gives_memory_back),
        cmocka_unit_test(starts_with_damaged_blocks),
        cmocka_unit_test(bears_clock_jumps),
    };
    return cmocka_run_group_tests_name("upkeep", tests, NULL, NULL);
}
