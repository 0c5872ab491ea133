/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_remote [SERIES [STEPS [DIR]]] - what a sample of remote write costs the receiver
 *
 * Workload: series as a Kafka of many topics makes them (8 labels), each once in a step of 15 s, 10,000 a request, snappy.
 * Requests are made before the clock starts; CPU time of the process from the first byte of a body to the sample in the
 * log and in the head. With DIR the store stays there, for a look at its replay.
 */
#include "codec/remotepb.h"
#include "codec/snap.h"
#include "remote/receive.h"
#include "tsdb/tsdb.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { STEP_MS = 15000, PER_REQUEST = 10000 };

static double cpu_s(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void must(enum err e, const struct diag *d)
{
    if (e == OK) return;
    (void)fprintf(stderr, "%s: %s\n", err_name(e), d->text);
    abort();
}

static void put_series(struct buf *b, size_t i, int64_t t, double v)
{
    BUF(l, 0);
    char topic[32], partition[16], name[32];
    (void)snprintf(name, sizeof(name), "kafka_metric_%02zu", i % 40);
    (void)snprintf(topic, sizeof(topic), "topic-%05zu", i / 400);
    (void)snprintf(partition, sizeof(partition), "%zu", i / 40 % 10);
    remotepb_put_label(&l, STR("__name__"), str_c(name));
    remotepb_put_label(&l, STR("cluster"), STR("production"));
    remotepb_put_label(&l, STR("environment"), STR("prod"));
    remotepb_put_label(&l, STR("instance"), STR("kafka-exporter:9308"));
    remotepb_put_label(&l, STR("job"), STR("kafka"));
    remotepb_put_label(&l, STR("partition"), str_c(partition));
    remotepb_put_label(&l, STR("team"), STR("platform"));
    remotepb_put_label(&l, STR("topic"), str_c(topic));
    const struct remotepb_sample s = { t, v };
    remotepb_put_series(b, buf_str(&l), &s, 1);
}

int main(int argc, char **argv)
{
    size_t series = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
    size_t steps = argc > 2 ? strtoul(argv[2], NULL, 10) : 40;
    char made[] = "/tmp/vigie-bench-remote-XXXXXX";
    const char *dir = argc > 3 ? argv[3] : mkdtemp(made);
    struct diag d = { 0 };
    struct tsdb *db;
    const struct tsdb_options o = { .dir = str_c(dir) };
    must(tsdb_open(&o, &db, &d), &d);
    struct remote_receiver *r = remote_receiver_new(tsdb_appendable(db));
    double first = 0, rest = 0;
    size_t bytes = 0;
    int64_t t = 1700000000000;
    for (size_t step = 0; step < steps; step++, t += STEP_MS) {
        for (size_t at = 0; at < series; at += PER_REQUEST) {
            BUF(plain, 0);
            BUF(body, 0);
            for (size_t i = at; i < series && i < at + PER_REQUEST; i++) {
                put_series(&plain, i, t, (double)(step * (i % 100)));
            }
            snap_pack(buf_str(&plain), &body);
            bytes += body.n;
            struct remote_received got;
            double begin = cpu_s();
            must(remote_receive(r, buf_str(&body), t, &got, &d), &d);
            *(step ? &rest : &first) += cpu_s() - begin;
        }
    }
    (void)printf("%zu series, %zu steps, %.1f bytes a sample on the wire\n", series, steps,
                 (double)bytes / (double)(series * steps));
    (void)printf("new series      %.3f us each\n", first / (double)series * 1e6);
    (void)printf("remote write    %.3f us a sample\n",
                 steps > 1 ? rest / (double)(series * (steps - 1)) * 1e6 : 0);
    remote_receiver_free(r);
    tsdb_close(db);
    if (argc <= 3) {
        char cmd[128];
        (void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
        if (system(cmd) != 0) return 1; /* NOLINT(concurrency-mt-unsafe,cert-env33-c) */
    }
    return 0;
}
