/* SPDX-License-Identifier: Apache-2.0 */
/* Conversations that fail at a step that can be told; and this very program as a child. */
#include "io/dial.h"
#include "io/loop.h"
#include "io/spawn.h"
#include "test.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int listen_on(uint16_t *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static void test_steps(void **state)
{
    (void)state;
    struct dial *c = NULL;
    struct diag d = { 0 };
    uint16_t port;
    int fd = listen_on(&port);
    struct dial_options o = { .host = STR("127.0.0.1"), .port = port, .timeout_ms = 5000 };
    assert_int_equal(dial_open(&o, &c, &d), OK);
    assert_true(dial_is_loopback(c) && str_eqc(dial_address(c), "127.0.0.1"));
    BUF(in, 0);
    assert_int_equal(dial_read(c, &in, 20, &d), ERR_TIMEOUT);
    int peer = accept(fd, NULL, NULL);
    assert_int_equal(dial_write(c, STR("hello"), 1000, &d), OK);
    char text[8];
    assert_int_equal(read(peer, text, sizeof(text)), 5);
    assert_int_equal(write(peer, "world", 5), 5);
    assert_int_equal(dial_read(c, &in, 5000, &d), OK);
    assert_true(str_eqc(buf_str(&in), "world"));
    (void)close(peer);
    assert_int_equal(dial_read(c, &in, 5000, &d), ERR_EOF);
    dial_close(c);
    (void)close(fd);
    assert_int_equal(dial_open(&o, &c, &d), ERR_DENIED);
    o.host = STR("nowhere.invalid");
    assert_int_equal(dial_open(&o, &c, &d), ERR_MISSING);
}

/* --- children --- */

struct outcome {
    struct loop *loop;
    enum err err;
    int code;
    size_t n;
    bool hello;
};

static void on_done(void *ctx, enum err e, int code, struct str out, const struct diag *d)
{
    struct outcome *o = ctx;
    (void)d;
    o->err = e;
    o->code = code;
    o->n = out.n;
    o->hello = str_eqc(out, "hello");
    loop_stop(o->loop);
}

static struct outcome run_child(const char *what, int64_t timeout_ms, size_t max)
{
    struct outcome o = { .loop = loop_new("test"), .code = -2 };
    char *argv[] = { (char *)(uintptr_t) "test", (char *)(uintptr_t)what, NULL };
    const struct spawn_options options = { argv, timeout_ms, max };
    (void)spawn_start(o.loop, &options, on_done, &o);
    loop_run(o.loop);
    loop_free(o.loop);
    return o;
}

static void test_child(void **state)
{
    (void)state;
    struct outcome o = run_child("say", 30000, 1000);
    assert_int_equal(o.err, OK);
    assert_true(o.code == 3 && o.hello);
    assert_int_equal(run_child("hang", 50, 1000).err, ERR_TIMEOUT);
    assert_int_equal(run_child("flood", 30000, 1000).err, ERR_LIMIT);
    assert_int_equal(run_child("die", 30000, 1000).err, ERR_SYS);
}

static void test_cancel(void **state)
{
    (void)state;
    struct outcome o = { .loop = loop_new("test"), .code = -2 };
    char *argv[] = { (char *)(uintptr_t) "test", (char *)(uintptr_t) "hang", NULL };
    const struct spawn_options options = { argv, 30000, 1000 };
    spawn_cancel(spawn_start(o.loop, &options, on_done, &o));
    spawn_cancel(NULL);
    assert_int_equal(o.code, -2);
    loop_free(o.loop);
}

static int be_child(const char *what)
{
    if (strcmp(what, "hang") == 0) (void)pause();
    if (strcmp(what, "die") == 0) (void)raise(SIGKILL);
    for (int i = 0; strcmp(what, "flood") == 0 && i < 100000; i++) (void)printf("flood\n");
    (void)printf("hello");
    return 3;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_child),
        cmocka_unit_test(test_cancel),
    };
    if (argc > 1) return be_child(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
