/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expo.c - a target to scrape: `expo PORT THOUSANDS` serves about that many thousand Kafka-like series on 127.0.0.1
 *
 * Shape:  topics x partitions offsets (integer counters), groups x topics x partitions lags (small gauges, half unchanged a
 *         scrape), request counters and latencies. Values move a step with each answer; numbers are printed as Go's client does.
 *         One thread, one connection at a time is enough: the scrapers take turns.
 */
#include "base/buf.h"
#include "codec/num.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static uint64_t mixed(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdU;
    x ^= x >> 33;
    return x * 0xc4ceb9fe1a85ec53U;
}

struct model {
    uint64_t step, series, made;
    struct buf *b;
};

static void line(struct model *m, double v)
{
    buf_char(m->b, ' ');
    num_write_g(m->b, v);
    buf_char(m->b, '\n');
    m->made++;
}

static double counter(const struct model *m, uint64_t id)
{
    return (double)(mixed(id) % 5000000 + m->step * (mixed(id) % 97));
}

/* Half of the gauges stand still from one scrape to the next. */
static double gauge(const struct model *m, uint64_t id)
{
    return (double)(mixed(id ^ (m->step + id % 2) / 2) % 2000);
}

static void offsets(struct model *m, uint64_t topics)
{
    buf_putc(
        m->b,
        "# HELP kafka_topic_partition_current_offset Current Offset of a Broker at Topic/Partition\n"
        "# TYPE kafka_topic_partition_current_offset gauge\n");
    for (uint64_t t = 0; t < topics; t++) {
        for (uint64_t p = 0; p < 10; p++) {
            buf_fmt(
                m->b,
                "kafka_topic_partition_current_offset{partition=\"%llu\",topic=\"orders.events.v1.%03llu\"}",
                (unsigned long long)p, (unsigned long long)t);
            line(m, counter(m, t * 10 + p));
        }
    }
}

static void lags(struct model *m, const char *name, uint64_t groups, bool lag)
{
    buf_fmt(m->b, "# HELP %s of a ConsumerGroup at Topic/Partition\n# TYPE %s gauge\n", name, name);
    for (uint64_t g = 0; g < groups; g++) {
        for (uint64_t i = 0; i < 600; i++) {
            uint64_t id = 1000000 + g * 600 + i;
            buf_fmt(
                m->b,
                "%s{consumergroup=\"svc-%03llu-consumer\",partition=\"%llu\",topic=\"orders.events.v1.%03llu\"}",
                name, (unsigned long long)g, (unsigned long long)(i % 10),
                (unsigned long long)(i / 10));
            line(m, lag ? gauge(m, id) : counter(m, id));
        }
    }
}

static void page(struct model *m)
{
    buf_reset(m->b);
    m->made = 0;
    uint64_t groups = m->series / 1200;
    offsets(m, (m->series - groups * 1200) / 10 + 1);
    lags(m, "kafka_consumergroup_current_offset", groups, false);
    lags(m, "kafka_consumergroup_lag", groups, true);
    m->step++;
}

static int listener(uint16_t port)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(fd, 16) != 0) {
        perror("expo");
        exit(EXIT_FAILURE);
    }
    return fd;
}

static bool send_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t w = write(fd, p, n);
        if (w <= 0) return false;
        p += w;
        n -= (size_t)w;
    }
    return true;
}

/* Answers each request on the connection until the peer closes it. */
static void serve(int fd, struct model *m)
{
    char request[8192];
    while (read(fd, request, sizeof(request)) > 0) { /* a scraper's request fits one packet */
        char head[128];
        page(m);
        int n = snprintf(
            head, sizeof(head),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: %zu\r\n\r\n",
            m->b->n);
        if (!send_all(fd, head, (size_t)n) || !send_all(fd, m->b->p, m->b->n)) break;
    }
    (void)close(fd);
}

int main(int argc, char **argv)
{
    uint64_t port, thousands;
    if (argc != 3 || num_parse_u64(str_c(argv[1]), &port) != OK ||
        num_parse_u64(str_c(argv[2]), &thousands) != OK) {
        (void)fprintf(stderr, "usage: expo PORT THOUSANDS_OF_SERIES\n");
        return EXIT_FAILURE;
    }
    BUF(b, 0);
    struct model m = { .series = thousands * 1000, .b = &b };
    int fd = listener((uint16_t)port);
    page(&m);
    (void)fprintf(stderr, "expo: %llu series, %zu bytes on 127.0.0.1:%llu\n",
                  (unsigned long long)m.made, b.n, (unsigned long long)port);
    for (;;) {
        int c = accept(fd, NULL, NULL);
        if (c >= 0) serve(c, &m);
    }
}
