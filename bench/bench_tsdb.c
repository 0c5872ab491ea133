/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_tsdb [SERIES [SCRAPES]] - what a sample costs the store: appended, kept, replayed, queried
 *
 * Workload: series as a Kafka of many topics makes them (8 labels; counters, gauges of which half stay, constants,
 * floats), scraped together each 15 s. CPU time of the process, memory as the kernel sees it.
 */
#include "io/clock.h"
#include "io/file.h"
#include "tsdb/block.h"
#include "tsdb/tsdb.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { STEP_MS = 15000 };

static const int64_t T0 = 1700000000000;

struct gauge {
    uint64_t rng;
    double v;
};

static double cpu_s(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double rss_mib(bool peak)
{
    char line[128];
    double kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof(line), f)) {
        if (strncmp(line, peak ? "VmHWM:" : "RssAnon:", peak ? 6 : 8) == 0) {
            kib = (double)strtol(line + (peak ? 6 : 8), NULL, 10);
        }
    }
    if (f) (void)fclose(f);
    return kib / 1024;
}

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static double step(struct gauge *g, size_t i)
{
    uint64_t r = next_random(&g->rng);
    switch (i % 100) {
    case 0: g->v += ((double)(r % 2000001) - 1e6) / 1e6; break;
    case 1 ... 47: g->v += (double)(r % 4000); break; /* counters */
    case 48 ... 80: g->v = r & 1 ? g->v : (double)(r >> 8 & 255); break;
    default: break; /* constant */
    }
    return g->v;
}

static void must(enum err e)
{
    if (e == OK) return;
    (void)fprintf(stderr, "%s\n", err_name(e));
    abort();
}

static void remove_dir(const char *dir, const char *below)
{
    char cmd[64];
    (void)snprintf(cmd, sizeof(cmd), "rm -rf %s%s", dir, below);
    if (system(cmd) != 0) abort(); /* NOLINT(concurrency-mt-unsafe,cert-env33-c) */
}

static struct tsdb *open_store(const char *dir)
{
    struct tsdb *db;
    struct diag d;
    struct tsdb_options o = { .dir = str_c(dir) };
    must(tsdb_open(&o, &db, &d));
    return db;
}

static void make_series(struct tsdb *db, uint64_t *refs, size_t n)
{
    struct appendable *aa = tsdb_appendable(db);
    struct appender *ap = aa->ops->open(aa);
    ARENA(a, 0);
    for (size_t i = 0; i < n; i++) {
        struct label l[8] = {
            { METRIC_NAME, arena_fmt(&a, "kafka_topic_partition_metric_%zu", i / 3000) },
            { STR("cluster"), STR("production-eu") },
            { STR("consumergroup"), arena_fmt(&a, "svc-%03zu-consumer", i / 600 % 50) },
            { STR("env"), STR("prod") },
            { STR("instance"), STR("10.0.0.1:9308") },
            { STR("job"), STR("kafka-exporter") },
            { STR("partition"), arena_fmt(&a, "%zu", i % 10) },
            { STR("topic"),
              arena_fmt(&a, "orders.events.topic-%04zu", i / 10 % 300 + i / 60000 * 300) },
        };
        struct labels lb = { l, 8 };
        must(ap->ops->series(ap, lb, &refs[i], NULL));
        arena_reset(&a);
    }
    must(ap->ops->commit(ap, NULL, NULL));
}

static void scrape(struct tsdb *db, const uint64_t *refs, struct gauge *g, size_t n, int64_t t)
{
    struct appendable *aa = tsdb_appendable(db);
    struct appender *ap = aa->ops->open(aa);
    for (size_t i = 0; i < n; i++) {
        must(ap->ops->add(ap, refs[i], t, step(&g[i], i)));
    }
    must(ap->ops->commit(ap, NULL, NULL));
    (void)tsdb_tick(db, t);
}

static size_t read_all(struct tsdb *db, bool only_last, size_t *series)
{
    ARENA(a, 0);
    struct queryable *qa = tsdb_queryable(db);
    struct querier *q;
    struct series *v;
    struct column c = { 0 };
    size_t n, total = 0;
    struct sample last;
    must(qa->ops->open(qa, INT64_MIN, INT64_MAX, &q, NULL));
    must(q->ops->select(q, &a, NULL, 0, INT64_MIN, INT64_MAX, &v, &n, NULL));
    for (size_t i = 0; i < n; i++) {
        c.n = 0;
        if (only_last) {
            total += q->ops->last(q, &v[i], INT64_MIN, INT64_MAX, &last);
        } else if (q->ops->read(q, &v[i], INT64_MIN, INT64_MAX, &c) == OK) {
            total += c.n;
        }
    }
    q->ops->close(q);
    column_done(&c);
    *series = n;
    return total;
}

static void bench_query(struct tsdb *db)
{
    size_t n;
    double began = cpu_s();
    size_t last = read_all(db, true, &n);
    double select_s = cpu_s() - began;
    began = cpu_s();
    size_t total = read_all(db, false, &n);
    double read_s = cpu_s() - began - select_s;
    (void)printf("select + last     %8.0f ns/series  (%zu series, sorted)\n",
                 select_s / (double)last * 1e9, n);
    (void)printf("read all          %8.2f ns/sample  (%zu samples)\n", read_s / (double)total * 1e9,
                 total);
}

/* The head as one block: what compaction costs, and what a sample takes on disk for good. */
static void bench_block(struct tsdb *db, const char *dir, double samples)
{
    ARENA(a, 0);
    struct diag d;
    struct str name, *names;
    size_t n;
    uint64_t bytes = 0;
    double began = cpu_s();
    must(tsdb_snapshot(db, true, T0, &a, &name, &d));
    double took = cpu_s() - began;
    struct str snapshot = arena_fmt(&a, "%s/snapshots/" STR_FMT, dir, STR_ARG(name));
    must(dir_list(&a, snapshot, &names, &n, &d));
    struct block *b;
    must(block_open(path_join(&a, snapshot, names[0]), &b, &d));
    bytes = b->bytes;
    (void)printf("head to block     %8.1f ns/sample  (%.2f s)\n", took / samples * 1e9, took);
    (void)printf("block             %8.2f B/sample   of it index %.2f\n", (double)bytes / samples,
                 (double)b->index_bytes / samples);
    block_unref(b);
}

int main(int argc, char **argv)
{
    size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
    int64_t scrapes = argc > 2 ? strtol(argv[2], NULL, 10) : 240;
    char dir[] = "/tmp/bench-tsdb-XXXXXX";
    if (!mkdtemp(dir)) return 1;
    uint64_t *refs = calloc(n, sizeof(*refs));
    struct gauge *g = calloc(n, sizeof(*g));
    for (size_t i = 0; i < n; i++) g[i] = (struct gauge){ i * 2654435761U + 1, 1e6 };
    double empty = rss_mib(false);
    struct tsdb *db = open_store(dir);
    double began = cpu_s();
    make_series(db, refs, n);
    (void)printf("new series        %8.0f ns/series  (%zu, 8 labels)\n",
                 (cpu_s() - began) / (double)n * 1e9, n);
    began = cpu_s();
    for (int64_t k = 0; k < scrapes; k++) scrape(db, refs, g, n, T0 + k * STEP_MS);
    double all = cpu_s() - began;
    began = cpu_s();
    double sink = 0;
    for (int64_t k = 0; k < scrapes; k++) {
        for (size_t i = 0; i < n; i++) sink += step(&g[i], i);
    }
    all -= cpu_s() - began;
    struct tsdb_stats st;
    tsdb_stats(db, &st);
    (void)malloc_trim(0);
    double used = (rss_mib(false) - empty) * 1048576 / (double)n;
    double samples = (double)n * (double)scrapes;
    (void)printf("add + commit      %8.1f ns/sample  (log, snappy, write included)\n",
                 all / samples * 1e9);
    (void)printf("memory            %8.0f B/series   (anonymous, steady; peak of all %.0f MiB)\n",
                 used, rss_mib(true));
    (void)printf("  of it tables    %8.0f B/series\n", (double)st.head_memory_bytes / (double)n);
    (void)printf("log               %8.2f B/sample   chunks_head %.2f B/sample\n",
                 (double)st.wal_bytes / samples, (double)st.head_chunk_bytes / samples);
    bench_query(db);
    bench_block(db, dir, samples);
    tsdb_close(db);
    began = cpu_s();
    db = open_store(dir);
    (void)printf("replay            %8.1f ns/sample  (chunks_head there)\n",
                 (cpu_s() - began) / samples * 1e9);
    tsdb_close(db);
    remove_dir(dir, "/chunks_head");
    began = cpu_s();
    db = open_store(dir);
    (void)printf("replay, log alone %8.1f ns/sample\n", (cpu_s() - began) / samples * 1e9);
    tsdb_close(db);
    remove_dir(dir, "");
    free(refs);
    free(g);
    return sink < 0;
}
