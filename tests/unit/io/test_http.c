/* SPDX-License-Identifier: Apache-2.0 */
/* Our server and our client talk to each other over loopback: each is the other's peer here. */
#include "io/http_client.h"
#include "io/http_server.h"
#include "test.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct scene {
    struct loop *loop;
    struct pool *pool;
    struct http_server *server;
    pthread_t thread;
};

static void echo(struct http_req *req)
{
    struct buf b = { 0 };
    buf_fmt(&b, STR_FMT "|" STR_FMT "|" STR_FMT "|" STR_FMT, STR_ARG(req->path_args[0]),
            STR_ARG(http_param(req, "q")), STR_ARG(http_header(req, "X-In")), STR_ARG(req->body));
    http_reply_header(req, "X-Out", STR("out"));
    http_reply(req, 200, "text/plain", &b);
}

static void large(struct http_req *req)
{
    struct buf b = { 0 };
    for (int i = 0; i < 100000; i++) buf_putc(&b, "0123456789");
    http_reply(req, 200, "text/plain", &b);
}

static _Atomic(int) releases;

static void released(void *ctx)
{
    (void)ctx;
    releases++;
}

static void shared(struct http_req *req)
{
    http_reply_shared(req, 200, "text/plain", NULL, STR("shared"), released, NULL);
}

static const struct http_route ROUTES[] = {
    { HTTP_GET | HTTP_POST, "/loop/:name", echo, ON_LOOP, "" },
    { HTTP_GET | HTTP_POST, "/job/:name", echo, ON_QUERY, "" },
    { HTTP_GET, "/rest/*", echo, ON_BACK, "" },
    { HTTP_GET, "/large", large, ON_QUERY, "" },
    { HTTP_GET, "/shared", shared, ON_RULES, "" },
    { 0 },
};

static void *run(void *ctx)
{
    loop_run(ctx);
    return NULL;
}

static int open_server(void **state)
{
    static struct scene s;
    struct diag d = { 0 };
    const struct http_server_options o = { .address = STR("127.0.0.1"),
                                           .routes = ROUTES,
                                           .body_max = 1000 };
    s.loop = loop_new("serve");
    s.pool = pool_new(2);
    if (http_server_open(s.loop, s.pool, &o, &s.server, &d) != OK) return -1;
    pthread_create(&s.thread, NULL, run, s.loop);
    *state = &s;
    return 0;
}

static int close_server(void **state)
{
    struct scene *s = *state;
    loop_stop(s->loop);
    pthread_join(s->thread, NULL);
    pool_free(s->pool);
    http_server_close(s->server);
    loop_free(s->loop);
    return 0;
}

static enum err get(struct scene *s, struct http_call call, const char *path, struct http_result *r,
                    struct diag *d)
{
    char url[256];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", http_server_port(s->server), path);
    call.url = str_c(url);
    if (!call.timeout_ms) call.timeout_ms = 20000;
    return http_fetch(&call, NULL, r, d);
}

struct row {
    const char *path, *body, *want;
    int status;
};

static const struct row ROWS[] = {
    { "/loop/a%20b?q=1%2B1", NULL, "a b|1+1|in|", 200 },
    { "/job/x?q=z", NULL, "x|z|in|", 200 },
    { "/job/x", "q=from+form", "x|from form|in|q=from+form", 200 },
    { "/rest/a/b/c?q=", NULL, "a/b/c||in|", 200 },
    { "/shared", NULL, "shared", 200 },
    { "/nothing", NULL, "404 page not found\n", 404 },
    { "/large", "x=1", "Method Not Allowed\n", 405 },
    { "/loop/a?q=%zz", NULL, "malformed request target or form", 400 },
};

static void rows_answer(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct diag d = { 0 };
        struct http_result r = { 0 };
        const struct http_pair h[] = { { STR("X-In"), STR("in") } };
        struct http_call call = { .headers = h, .headers_n = 1 };
        if (ROWS[i].body) call.method = "POST", call.body = str_c(ROWS[i].body);
        assert_int_equal(get(*state, call, ROWS[i].path, &r, &d), OK);
        assert_int_equal(r.status, ROWS[i].status);
        buf_char(&r.body, '\0');
        assert_string_equal(r.body.p, ROWS[i].want);
        buf_done(&r.body);
    }
}

static void a_large_answer_comes_whole_also_as_gzip(void **state)
{
    for (int gzip = 0; gzip < 2; gzip++) {
        struct diag d = { 0 };
        struct http_result r = { 0 };
        assert_int_equal(get(*state, (struct http_call){ .accept_gzip = gzip }, "/large", &r, &d),
                         OK);
        assert_int_equal(r.body.n, 1000000);
        assert_true(gzip ? r.wire_bytes < 100000 : r.wire_bytes == 1000000);
        buf_done(&r.body);
    }
}

static void head_has_the_length_and_no_body(void **state)
{
    struct diag d = { 0 };
    struct http_result r = { 0 };
    assert_int_equal(get(*state, (struct http_call){ .method = "HEAD" }, "/large", &r, &d), OK);
    assert_int_equal(r.status, 200);
    assert_int_equal(r.body.n, 0);
    buf_done(&r.body);
}

static void an_answer_over_the_limit_is_refused(void **state)
{
    struct diag d = { 0 };
    struct http_result r = { 0 };
    assert_int_equal(get(*state, (struct http_call){ .body_max = 5000 }, "/large", &r, &d),
                     ERR_LIMIT);
    assert_string_equal(d.text, "body size limit exceeded");
    buf_done(&r.body);
}

static void a_dead_port_is_told_as_go_does(void **state)
{
    (void)state;
    struct diag d = { 0 };
    struct http_result r = { 0 };
    const struct http_call call = { .url = STR("http://u:pw@127.0.0.1:1/metrics"),
                                    .timeout_ms = 5000 };
    assert_int_equal(http_fetch(&call, NULL, &r, &d), ERR_SYS);
    assert_string_equal(
        d.text,
        "Get \"http://u:xxxxx@127.0.0.1:1/metrics\": dial tcp 127.0.0.1:1: connect: connection refused");
    buf_done(&r.body);
}

struct asked {
    struct loop *loop;
    enum err err;
    int status;
    size_t bytes, slices;
};

static bool on_body(void *ctx, struct http_result *r, struct str slice)
{
    struct asked *k = ctx;
    k->bytes += slice.n;
    k->slices++;
    return r->status == 200;
}

static void on_done(void *ctx, enum err e, struct http_result *r, const struct diag *d)
{
    (void)d;
    struct asked *k = ctx;
    k->err = e;
    k->status = r->status;
    loop_stop(k->loop);
}

static void the_client_on_a_loop_streams_bodies(void **state)
{
    struct scene *s = *state;
    static const struct http_events EVENTS = { on_body, on_done };
    struct asked k = { .loop = loop_new("collect") };
    struct http_client *c = http_client_new(k.loop);
    char url[64];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/large", http_server_port(s->server));
    const struct http_call call = { .url = str_c(url), .timeout_ms = 20000, .accept_gzip = true };
    (void)http_client_start(c, &call, &EVENTS, &k);
    loop_run(k.loop);
    assert_int_equal(k.err, OK);
    assert_int_equal(k.bytes, 1000000);
    assert_true(k.slices > 1);
    http_client_free(c);
    loop_free(k.loop);
}

/* Bytes as they are, and what the server says to them. */
static void raw(struct scene *s, const char *request, char *answer, size_t room)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons(http_server_port(s->server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(write(fd, request, strlen(request)), (ssize_t)strlen(request));
    size_t n = 0;
    for (ssize_t r; n < room - 1 && (r = read(fd, answer + n, room - 1 - n)) > 0;) n += (size_t)r;
    answer[n] = '\0';
    (void)close(fd);
}

static void ambiguous_framing_is_refused(void **state)
{
    static const char *const BAD[] = {
        "POST /loop/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
        "POST /loop/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: +1\r\n\r\nx",
        "GET /loop/a HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        char answer[2048];
        raw(*state, BAD[i], answer, sizeof(answer));
        assert_non_null(strstr(answer, " 400 "));
    }
}

static void a_taken_port_says_what_to_do(void **state)
{
    struct scene *s = *state;
    struct http_server *second = NULL;
    struct diag d = { 0 };
    const struct http_server_options o = { .address = STR("127.0.0.1"),
                                           .port = http_server_port(s->server) };
    assert_int_equal(http_server_open(s->loop, s->pool, &o, &second, &d), ERR_EXISTS);
    assert_non_null(strstr(d.text, "address already in use"));
    assert_null(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_answer),
        cmocka_unit_test(a_large_answer_comes_whole_also_as_gzip),
        cmocka_unit_test(head_has_the_length_and_no_body),
        cmocka_unit_test(an_answer_over_the_limit_is_refused),
        cmocka_unit_test(a_dead_port_is_told_as_go_does),
        cmocka_unit_test(the_client_on_a_loop_streams_bodies),
        cmocka_unit_test(ambiguous_framing_is_refused),
        cmocka_unit_test(a_taken_port_says_what_to_do),
    };
    return cmocka_run_group_tests_name("http", tests, open_server, close_server);
}
