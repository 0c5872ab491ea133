/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The query engine alone, over series in memory: milliseconds of each query, best of five.
 *     cmake --preset release -DBENCH=ON && cmake --build --preset release --target bench_promql && build/release/bench_promql
 */
#include "promql/promql.h"

#include "../tests/promql_store.h"

#include <stdio.h>
#include <time.h>

enum {
    SERIES = 10000,
    STEP_MS = 15000,
    SAMPLES = 261, /* an hour at 15 s and the five minutes before it */
    GAUGES = 30000,
};

static const int64_t END = (int64_t)(SAMPLES - 1) * STEP_MS;

static const char *only; /* a word of the line to run alone */

static double now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static struct store_series *add(struct store *s, const char *metric, int i, const char *extra)
{
    struct label *v = arena_array(&s->a, 8, sizeof(*v));
    size_t n = 0;
    v[n++] = (struct label){ METRIC_NAME, str_c(metric) };
    v[n++] = (struct label){ STR("broker"), arena_fmt(&s->a, "%d", i % 3) };
    v[n++] = (struct label){ STR("instance"),
                             arena_fmt(&s->a, "10.0.%d.%d:9308", i / 100 % 100, i % 10) };
    v[n++] = (struct label){ STR("job"), STR("kafka-exporter") };
    v[n++] = (struct label){ STR("partition"), arena_fmt(&s->a, "%d", i % 100) };
    v[n++] = (struct label){ STR("topic"), arena_fmt(&s->a, "topic-%d", i / 100) };
    if (extra) v[n++] = (struct label){ STR("consumergroup"), str_c(extra) };
    struct store_series *x = arena_new(&s->a, struct store_series);
    x->lb = labels_from(v, n);
    *vec_push(&s->a, &s->v) = x;
    return x;
}

/* Counters with a jittered slope, a few of which reset. */
static void fill(struct store *s)
{
    uint64_t seed = 1;
    for (int i = 0; i < SERIES; i++) {
        struct store_series *a = add(s, "kafka_topic_partition_current_offset", i, NULL);
        struct store_series *b = add(s, "kafka_topic_partition_oldest_offset", i, NULL);
        double v = i, w = 0;
        for (int k = 0; k < SAMPLES; k++) {
            seed = seed * 6364136223846793005U + 1442695040888963407U;
            v += (double)(seed >> 60);
            w += (double)(seed >> 61);
            if (i % 50 == 0 && k == 100) v = 0;
            column_push(&a->c, (int64_t)k * STEP_MS, v);
            column_push(&b->c, (int64_t)k * STEP_MS, w);
        }
    }
    for (int i = 0; i < GAUGES; i++) {
        struct store_series *g = add(s, "kafka_consumergroup_lag", i, "group-a");
        for (int k = SAMPLES - 4; k < SAMPLES; k++)
            column_push(&g->c, (int64_t)k * STEP_MS, i % 5000);
    }
}

static void run(struct evaluator *ev, const char *what, const char *query, bool range)
{
    struct expr *e = NULL;
    struct diag d = { 0 };
    double best = 1e9;
    size_t rows = 0, bytes = 0;
    if (only && !strstr(what, only)) return;
    if (ev->ops->compile(ev, str_c(query), &e, &d) != OK) {
        (void)printf("%s: %s\n", query, d.text);
        return;
    }
    struct arena a;
    arena_init(&a, 0);
    for (int i = 0; i < 5; i++) {
        struct value v;
        struct eval_range r = { range ? END - 3600000 : END, END, range ? STEP_MS : 0 };
        arena_reset(&a);
        double start = now_ms();
        enum err failed = ev->ops->eval(ev, e, &r, &a, NULL, &v, &d);
        double took = now_ms() - start;
        if (failed != OK) {
            (void)printf("%s: %s\n", query, d.text);
            break;
        }
        if (took < best) best = took;
        rows = v.kind == VALUE_MATRIX ? v.matrix.n : v.vector.n;
        bytes = a.used;
    }
    (void)printf("%-34s %8.2f ms  %6zu series  %6.1f MB\n", what, best, rows, (double)bytes / 1e6);
    arena_done(&a);
    ev->ops->release(ev, e);
}

int main(int argc, char **argv)
{
    if (argc > 1) only = argv[1];
    static struct store s;
    store_init(&s);
    fill(&s);
    struct evaluator *ev = promql_new(&s.qa, NULL);
    (void)printf("%d counters over 1 h at 15 s (241 steps), %d gauges\n", SERIES, GAUGES);
#define CURRENT "kafka_topic_partition_current_offset"
#define OLDEST  "kafka_topic_partition_oldest_offset"
#define LAG     "kafka_consumergroup_lag"
    run(ev, "selecting alone (no such topic)", CURRENT "{topic=\"none\"}", false);
    run(ev, "rate[5m] of 10k, range", "rate(" CURRENT "[5m])", true);
    run(ev, "sum by (topic)(rate[5m]), range", "sum by (topic) (rate(" CURRENT "[5m]))", true);
    run(ev, "sum(10k), range", "sum(" CURRENT ")", true);
    run(ev, "max_over_time[5m], range", "max_over_time(" CURRENT "[5m])", true);
    run(ev, "avg_over_time[5m], range", "avg_over_time(" CURRENT "[5m])", true);
    run(ev, "topk(10, rate[5m]), range", "topk(10, rate(" CURRENT "[5m]))", true);
    run(ev, "10k - 10k, range", CURRENT " - " OLDEST, true);
    run(ev, "group_left, range", CURRENT " * on (topic) group_left sum by (topic) (" OLDEST ")",
        true);
    run(ev, "30k selector, instant", LAG, false);
    run(ev, "30k > 1000, instant", LAG " > 1000", false);
    run(ev, "sum by (consumergroup, topic), inst.", "sum by (consumergroup, topic) (" LAG ")",
        false);
    run(ev, "sum(rate[5m]) of 10k, instant", "sum(rate(" CURRENT "[5m]))", false);
    run(ev, "topk(10, 30k), instant", "topk(10, " LAG ")", false);
    promql_free(ev);
    store_done(&s);
    return 0;
}
