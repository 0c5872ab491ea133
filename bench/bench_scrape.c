/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading pages alone, without network and store: nanoseconds a line, best of seven.
 *     cmake --preset release -DBENCH=ON && cmake --build --preset release --target bench_scrape && build/release/bench_scrape
 * The page has the shape of a Kafka exporter's with 100,000 series: long names and labels, counters in exponent form.
 */
#include "codec/num.h"
#include "scrape/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TOPICS = 1000, PARTITIONS = 14, METRICS = 7, ROUNDS = 7, SLICE = 256 * 1024 };

static uint64_t seed = 88172645463325252U;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static double now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void put_line(struct buf *b, int metric, int topic, int partition)
{
    static const char *const NAMES[METRICS] = { "current_offset",
                                                "oldest_offset",
                                                "leader",
                                                "leader_is_preferred",
                                                "replicas",
                                                "in_sync_replica",
                                                "under_replicated_partition" };
    buf_fmt(b, "kafka_topic_partition_%s{partition=\"%d\",topic=\"orders.events.v%d.topic-%04d\"} ",
            NAMES[metric], partition, topic % 3, topic);
    if (metric < 2) {
        num_write_expo(b, (double)(100000 + next_random() % 100000000));
    } else {
        num_write_i64(b, (int64_t)(next_random() % 4));
    }
    buf_char(b, '\n');
}

/* moved: the topics of each metric begin somewhere else, and every eighth is swapped with its neighbour. */
static size_t make_page(struct buf *b, bool moved)
{
    size_t lines = 0;
    buf_reset(b);
    for (int m = 0; m < METRICS; m++) {
        int first = moved ? (int)(next_random() % TOPICS) : 0;
        buf_fmt(b, "# HELP kafka_m%d Synthetic help text\n# TYPE kafka_m%d gauge\n", m, m);
        for (int t = 0; t < TOPICS; t++) {
            int topic = (t + first) % TOPICS;
            if (moved && topic % 8 < 2) topic ^= 1;
            for (int p = 0; p < PARTITIONS; p++, lines++) {
                put_line(b, m, topic, p);
            }
        }
        lines += 2;
    }
    return lines;
}

struct bench {
    struct page page;
    struct cache cache;
    struct meta_table meta;
    struct scrape_config config;
    struct labels target;
};

static double read_page(struct bench *x, struct str body)
{
    double begin = now_ns();
    page_begin(&x->page, &x->config, x->target, &x->cache, &x->meta, EXPO_TEXT);
    for (size_t at = 0; at < body.n; at += SLICE) {
        if (!page_feed(&x->page, str_first(str_from(body, at), SLICE))) abort();
    }
    if (page_end(&x->page) != OK) abort();
    double took = now_ns() - begin;
    for (size_t i = 0; i < x->page.fresh_n; i++) {
        x->cache.v[x->page.fresh[i].entry].ref = i + 1; /* what the store would have said */
    }
    cache_end(&x->cache, true);
    return took;
}

static void bench_init(struct bench *x)
{
    static const struct label TARGET[] = { { { "instance", 8 }, { "localhost:9308", 14 } },
                                           { { "job", 3 }, { "kafka-exporter", 14 } } };
    *x = (struct bench){ .target = { TARGET, 2 } };
    x->config.honor_timestamps = true;
    expo_reader_init(&x->page.reader, EXPO_TEXT);
}

static void bench_done(struct bench *x)
{
    page_done(&x->page);
    cache_done(&x->cache);
    meta_done(&x->meta);
}

static void tell(const char *what, double best, size_t lines, size_t bytes)
{
    printf("%-28s %8.2f ms %7.1f ns/line %6.2f GB/s\n", what, best / 1e6, best / (double)lines,
           (double)bytes / best);
}

static void repeated(const char *what, bool moved)
{
    struct bench x;
    struct buf body = { 0 };
    double best = 1e18;
    bench_init(&x);
    size_t lines = make_page(&body, false);
    (void)read_page(&x, buf_str(&body));
    for (int i = 0; i < ROUNDS; i++) {
        lines = make_page(&body, moved);
        double took = read_page(&x, buf_str(&body));
        if (took < best) best = took;
    }
    tell(what, best, lines, body.n);
    if (!moved) {
        printf("%-28s %8.1f bytes/series\n", "cache",
               (double)cache_bytes(&x.cache) / (double)x.page.total);
    }
    buf_done(&body);
    bench_done(&x);
}

static void first(void)
{
    struct buf body = { 0 };
    double best = 1e18;
    size_t lines = make_page(&body, false);
    for (int i = 0; i < ROUNDS; i++) {
        struct bench x;
        bench_init(&x);
        double took = read_page(&x, buf_str(&body));
        if (took < best) best = took;
        bench_done(&x);
    }
    tell("first page (all series new)", best, lines, body.n);
    buf_done(&body);
}

int main(void)
{
    repeated("same order", false);
    repeated("moved lines", true);
    first();
    return 0;
}
