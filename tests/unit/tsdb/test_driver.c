/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store without a role around it, for tests/integ/test_tsdb_twin.py:
 *     unit_tsdb_driver write DIR T0 T1   series of all kinds, a sample each 15 s from T0 to T1 (ms); ends without closing
 *     unit_tsdb_driver live DIR T0 T1    the same with upkeep, each minute as it would be; blocks of two hours are left as they are
 *     unit_tsdb_driver compact DIR NOW   upkeep until nothing is left to do
 *     unit_tsdb_driver dump DIR          all samples: labels, then t=bits for each, a series a line
 * Without arguments it tests itself: what is written is what is dumped.
 */
#include "unit/tsdb/store.h"

#include "codec/num.h"

#include <inttypes.h>
#include <math.h>

enum { STEP_MS = 15000, KINDS = 12 };

static double value_of(int kind, int64_t k, uint64_t *rng)
{
    *rng ^= *rng << 13;
    *rng ^= *rng >> 7;
    *rng ^= *rng << 17;
    switch (kind) {
    case 0: return 1;
    case 1: return (double)k;
    case 2: return double_of_bits(*rng);
    case 3: return k % 5 ? (double)(*rng % 100) : stale_nan();
    case 4: return (double)(*rng % 1000000) / 1e3;
    case 5: return k % 2 ? (double)INFINITY : -(double)INFINITY;
    case 6: return k % 3 ? (double)NAN : 0.0;
    case 7: return -0.0;
    default: return (double)k * 1234.5;
    }
}

static uint64_t series_of(struct appender *ap, struct arena *a, int kind)
{
    struct str id = arena_fmt(a, "%d", kind);
    const char *job = kind % 2 ? "odd \"quoted\" \\ \n é" : "even";
    return store_series(ap, LABELS(a, "__name__", "twin", "id", id.p, "job", job));
}

static void upkeep(struct store *s, int64_t now)
{
    while (tsdb_upkeep(s->db, now) == now) {
    }
}

static void write_all(struct store *s, int64_t from, int64_t to, bool live)
{
    ARENA(a, 0);
    uint64_t rng = 12345;
    int64_t k = 0;
    for (int64_t t = from; t <= to; t += STEP_MS, k++) {
        struct appender *ap = store_appender(s);
        for (int kind = 0; kind < KINDS; kind++) {
            /* Kind 8 starts late, kind 9 jitters, kind 10 pauses. */
            if (kind == 8 && k < 100) continue;
            if (kind == 10 && k % 150 > 100) continue;
            int64_t jitter = kind == 9 ? (int64_t)(rng % 900) : 0;
            double v = value_of(kind, k, &rng);
            if (ap->ops->add(ap, series_of(ap, &a, kind), t + jitter, v) != OK) abort();
        }
        store_commit(ap);
        (void)tsdb_tick(s->db, t);
        if (live && k % 4 == 0) upkeep(s, t);
        arena_reset(&a);
    }
}

static void dump_series(struct querier *q, const struct series *s, struct buf *out)
{
    struct column c = { 0 };
    if (q->ops->read(q, s, INT64_MIN, INT64_MAX, &c) != OK) abort();
    labels_write(out, s->lb);
    for (size_t i = 0; i < c.n; i++) {
        buf_fmt(out, "\t%" PRId64 "=%016" PRIx64, c.t[i], bits_of_double(c.v[i]));
    }
    buf_char(out, '\n');
    column_done(&c);
}

static void dump_all(struct store *s, struct buf *out)
{
    ARENA(a, 0);
    struct querier *q = store_querier(s);
    struct series *v;
    size_t n = store_select(q, &a, NULL, 0, &v);
    for (size_t i = 0; i < n; i++) dump_series(q, &v[i], out);
    q->ops->close(q);
}

static void dumps_what_was_written(void **state)
{
    (void)state;
    struct store s;
    BUF(before, 0);
    BUF(after, 0);
    store_folder(&s);
    store_open(&s);
    write_all(&s, 1700000000000, 1700009000000, false);
    dump_all(&s, &before);
    store_close(&s);
    store_open(&s);
    dump_all(&s, &after);
    assert_true(before.n > 10000);
    assert_true(str_eq(buf_str(&before), buf_str(&after)));
    store_remove(&s);
}

static void on_report(void *ctx, const struct tsdb_report *r)
{
    (void)ctx;
    (void)fprintf(stderr, "report: %s\n", r->text);
}

static int open_at(struct store *s, const char *dir, int64_t max_range_ms)
{
    struct tsdb_options o = { .dir = str_c(dir),
                              .report = on_report,
                              .max_range_ms = max_range_ms };
    struct diag d = { 0 };
    if (tsdb_open(&o, &s->db, &d) == OK) return 0;
    (void)fprintf(stderr, "%s\n", d.text);
    return 1;
}

int main(int argc, char **argv)
{
    struct store s = { 0 };
    if (argc == 5 && (strcmp(argv[1], "write") == 0 || strcmp(argv[1], "live") == 0)) {
        bool live = argv[1][0] == 'l';
        int64_t from, to;
        if (num_parse_i64(str_c(argv[3]), &from) != OK) return 2;
        if (num_parse_i64(str_c(argv[4]), &to) != OK) return 2;
        if (open_at(&s, argv[2], live ? 1 : 0) != 0) return 1;
        write_all(&s, from, to, live);
        _exit(0); /* as killed: the log has what was committed */
    }
    if (argc == 4 && strcmp(argv[1], "compact") == 0) {
        int64_t now;
        if (num_parse_i64(str_c(argv[3]), &now) != OK) return 2;
        if (open_at(&s, argv[2], 0) != 0) return 1;
        upkeep(&s, now);
        tsdb_close(s.db);
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "dump") == 0) {
        BUF(out, 0);
        if (open_at(&s, argv[2], 0) != 0) return 1;
        dump_all(&s, &out);
        (void)fwrite(out.p, 1, out.n, stdout);
        tsdb_close(s.db);
        return 0;
    }
    const struct CMUnitTest tests[] = { cmocka_unit_test(dumps_what_was_written) };
    return cmocka_run_group_tests_name("driver", tests, NULL, NULL);
}
