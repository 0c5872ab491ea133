/* SPDX-License-Identifier: Apache-2.0 */
#include "io/stream.h"
#include "test.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A listener on loopback whose one client is served by a thread. */
struct echo {
    int fd;
    uint16_t port;
    pthread_t thread;
};

static void *serve(void *ctx)
{
    struct echo *e = ctx;
    int c = accept(e->fd, NULL, NULL);
    char text[64];
    ssize_t n = read(c, text, sizeof(text));
    if (n > 0) (void)!write(c, text, (size_t)n);
    (void)close(c);
    return NULL;
}

static void listen_on_loopback(struct echo *e)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof(a);
    e->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(e->fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(e->fd, 1), 0);
    assert_int_equal(getsockname(e->fd, (struct sockaddr *)&a, &n), 0);
    e->port = ntohs(a.sin_port);
}

struct client {
    struct loop *loop;
    struct stream *s;
    char got[64];
    size_t n;
    bool opened;
    enum err err;
    char why[248];
};

static void on_open(void *ctx)
{
    struct client *c = ctx;
    c->opened = true;
    stream_write(c->s, STR("hello"));
}

static void on_data(void *ctx)
{
    struct client *c = ctx;
    struct str in = stream_input(c->s);
    memcpy(c->got, in.p, in.n);
    c->n = in.n;
    stream_consume(c->s, in.n);
}

static void on_close(void *ctx, enum err e, const struct diag *d)
{
    struct client *c = ctx;
    c->err = e;
    memcpy(c->why, d->text, sizeof(c->why));
    loop_stop(c->loop);
}

static const struct stream_events EVENTS = { on_open, on_data, on_close };

static struct client talk(const char *host, uint16_t port, int64_t timeout_ms)
{
    struct client c = { .loop = loop_new("t") };
    const struct stream_options o = { .host = str_c(host),
                                      .port = port,
                                      .connect_timeout_ms = timeout_ms };
    c.s = stream_connect(c.loop, &o, &EVENTS, &c);
    loop_run(c.loop);
    loop_free(c.loop);
    return c;
}

static void bytes_come_back_then_the_end(void **state)
{
    (void)state;
    struct echo e;
    listen_on_loopback(&e);
    pthread_create(&e.thread, NULL, serve, &e);
    struct client c = talk("localhost", e.port, 5000);
    pthread_join(e.thread, NULL);
    (void)close(e.fd);
    assert_true(c.opened);
    assert_int_equal(c.n, 5);
    assert_memory_equal(c.got, "hello", 5);
    assert_int_equal(c.err, ERR_EOF);
}

static void a_closed_port_says_so(void **state)
{
    (void)state;
    struct echo e;
    listen_on_loopback(&e);
    (void)close(e.fd);
    struct client c = talk("127.0.0.1", e.port, 5000);
    assert_int_equal(c.err, ERR_SYS);
    assert_non_null(strstr(c.why, "connection refused"));
}

static void an_unknown_name_says_so(void **state)
{
    (void)state;
    struct client c = talk("no-such-host.invalid", 9, 20000);
    assert_false(c.opened);
    assert_non_null(strstr(c.why, "resolve"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_come_back_then_the_end),
        cmocka_unit_test(a_closed_port_says_so),
        cmocka_unit_test(an_unknown_name_says_so),
    };
    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
