/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_net.c - the engine over real sockets: good pages, and peers that are no good
 *
 * One scrape of each target; the good ones must not wait for the silent one.
 */
#include "fake_store.h"
#include "io/http_server.h"
#include "io/pool.h"
#include "scrape/net.h"
#include "test.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HELD_MAX = 16 };

struct scene {
    struct loop *loop;
    struct pool *pool;
    struct http_server *server;
    struct scrape_net *net;
    struct scrape_manager *m;
    struct prom_config *config;
    struct fake_store store;
    struct timer timer;
    pthread_t loop_thread, odd_thread;
    int odd_fd, held[HELD_MAX];
    size_t held_n;
    uint16_t odd_port;
};

/* --- good pages --- */

static void page(struct http_req *req)
{
    struct buf b = { 0 };
    buf_putc(&b, "# TYPE a counter\na 1\n");
    for (int i = 0; i < 20000; i++) { /* large enough for several slices and for gzip */
        buf_fmt(&b, "metric_with_a_long_name{label=\"value-%d\"} %d\n", i, i);
    }
    http_reply(req, 200, "text/plain; version=0.0.4", &b);
}

static void unavailable(struct http_req *req)
{
    struct buf b = { 0 };
    buf_putc(&b, "a 1\n");
    http_reply(req, 503, "text/plain; version=0.0.4", &b);
}

static void json(struct http_req *req)
{
    struct buf b = { 0 };
    buf_putc(&b, "{\"status\":\"ok\"}");
    http_reply(req, 200, "application/json", &b);
}

/* Only to those who know the word and say who they are. */
static void guarded(struct http_req *req)
{
    bool known = str_eqc(http_header(req, "Authorization"), "Bearer word") &&
                 str_eqc(http_header(req, "User-Agent"), "Prometheus/3.14.0") &&
                 str_eqc(http_header(req, "X-Prometheus-Scrape-Timeout-Seconds"), "1") &&
                 str_starts(http_header(req, "Accept"), STR("application/openmetrics-text;"));
    struct buf b = { 0 };
    buf_putc(&b, "# TYPE a gauge\na 1\n# EOF\n");
    http_reply(req, known ? 200 : 401, "application/openmetrics-text; version=1.0.0", &b);
}

static void login(struct http_req *req)
{
    struct buf b = { 0 };
    buf_putc(&b, "a 1\n");
    bool known = str_eqc(http_header(req, "Authorization"), "Basic dTpwOjE="); /* u, p:1 */
    http_reply(req, known ? 200 : 401, "text/plain", &b);
}

static void empty(struct http_req *req)
{
    struct buf b = { 0 };
    http_reply(req, 200, "text/plain", &b);
}

static const struct http_route ROUTES[] = {
    { HTTP_GET, "/metrics", page, ON_QUERY, "" },
    { HTTP_GET, "/503", unavailable, ON_LOOP, "" },
    { HTTP_GET, "/json", json, ON_LOOP, "" },
    { HTTP_GET, "/guarded", guarded, ON_LOOP, "" },
    { HTTP_GET, "/login", login, ON_LOOP, "" },
    { HTTP_GET, "/empty", empty, ON_LOOP, "" },
    { 0 },
};

/* --- peers that are no good --- */

static void say(int fd, const char *text, size_t n)
{
    ssize_t sent = write(fd, text, n);
    (void)sent;
}

static void misbehave(struct scene *s, int fd, const char *request)
{
    static const char HALF[] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 99\r\n\r\na 1\nb";
    static const char TLS[] = "\x15\x03\x01\x00\x02\x02\x46";
    if (strstr(request, " /half")) say(fd, HALF, sizeof(HALF) - 1);
    if (strstr(request, " /tls")) say(fd, TLS, sizeof(TLS) - 1);
    if (strstr(request, " /silent") && s->held_n < HELD_MAX) {
        s->held[s->held_n++] = fd;
        return;
    }
    close(fd);
}

static void *serve_oddly(void *ctx)
{
    struct scene *s = ctx;
    for (int fd; (fd = accept(s->odd_fd, NULL, NULL)) >= 0;) {
        char request[4096] = "";
        ssize_t n = read(fd, request, sizeof(request) - 1);
        if (n < 0) n = 0;
        request[n] = '\0';
        misbehave(s, fd, request);
    }
    return NULL;
}

static void open_odd(struct scene *s)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t n = sizeof(at);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->odd_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(bind(s->odd_fd, (struct sockaddr *)&at, n) == 0 && listen(s->odd_fd, 16) == 0);
    assert_int_equal(getsockname(s->odd_fd, (struct sockaddr *)&at, &n), 0);
    s->odd_port = ntohs(at.sin_port);
    pthread_create(&s->odd_thread, NULL, serve_oddly, s);
}

static void close_odd(struct scene *s)
{
    (void)shutdown(s->odd_fd, SHUT_RDWR);
    pthread_join(s->odd_thread, NULL);
    close(s->odd_fd);
    for (size_t i = 0; i < s->held_n; i++) {
        close(s->held[i]);
    }
}

/* --- the engine's loop --- */

static int64_t wall_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void on_timer(void *ctx)
{
    struct scene *s = ctx;
    int64_t now = wall_ms(), due = scrape_manager_tick(s->m, now);
    if (due != INT64_MAX) timer_set(&s->timer, due - now);
}

static void *run_loop(void *ctx)
{
    struct scene *s = ctx;
    loop_run(s->loop);
    return NULL;
}

static void configure(struct scene *s, const char *jobs)
{
    BUF(b, 0);
    struct diag d = { 0 };
    for (const char *p = jobs; *p; p++) {
        if (*p == '@') {
            buf_fmt(&b, "127.0.0.1:%u", http_server_port(s->server));
        } else if (*p == '%') {
            buf_fmt(&b, "127.0.0.1:%u", s->odd_port);
        } else {
            buf_char(&b, *p);
        }
    }
    if (prom_config_parse(buf_str(&b), STR(""), NULL, &s->config, &d) != OK) {
        fail_msg("%u: %s", d.line, d.text);
    }
    scrape_manager_apply(s->m, s->config, wall_ms());
}

static void scene_open(struct scene *s, const char *jobs)
{
    struct diag d = { 0 };
    const struct http_server_options o = { .address = STR("127.0.0.1"), .routes = ROUTES };
    s->loop = loop_new("collect");
    s->pool = pool_new(2);
    fake_store_init(&s->store);
    s->store.quiet = true;
    assert_int_equal(http_server_open(s->loop, s->pool, &o, &s->server, &d), OK);
    open_odd(s);
    s->net = scrape_net_new(s->loop, s->pool, STR("Prometheus/3.14.0"), NULL, NULL);
    struct scrape_options so = { .store = &s->store.base, .env = scrape_net_env(s->net) };
    s->m = scrape_manager_new(&so);
    configure(s, jobs);
    timer_init(&s->timer, s->loop, on_timer, s);
    timer_set(&s->timer, 0);
    pthread_create(&s->loop_thread, NULL, run_loop, s);
}

/* The order of a process that ends: loops, workers, engines. */
static void end_loop(struct scene *s)
{
    loop_stop(s->loop);
    pthread_join(s->loop_thread, NULL);
}

static void end_rest(struct scene *s)
{
    pool_free(s->pool);
    http_server_close(s->server);
    timer_done(&s->timer);
    scrape_manager_free(s->m);
    scrape_net_free(s->net);
    close_odd(s);
    prom_config_unref(s->config);
    fake_store_done(&s->store);
    loop_free(s->loop);
}

static void pause_briefly(void) { (void)nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL); }

/* Every target has been scraped twice: the second time the cache knew the page. */
static void wait_for_all(struct scene *s, uint64_t scrapes)
{
    for (;;) {
        ARENA(a, 0);
        struct targets_status all;
        struct scrape_stats st;
        scrape_targets(s->m, &a, &all);
        scrape_stats(s->m, &st);
        bool known = st.scrapes >= scrapes;
        for (size_t i = 0; i < all.active_n; i++) {
            known &= all.active[i].health != HEALTH_UNKNOWN;
        }
        if (known) return;
        pause_briefly();
    }
}

struct expected {
    const char *job, *error; /* part of it; "": none */
};

static const struct expected WANT[] = {
    { "good", "" },
    { "guarded", "" },
    { "login", "" },
    { "empty", "" },
    { "503", "server returned HTTP status 503 Service Unavailable" },
    { "json", "received unsupported Content-Type \"application/json" },
    { "nobody", "dial tcp 127.0.0.1:1: connect: connection refused" },
    { "silent", "context deadline exceeded" },
    { "half", "" /* any words of the client */ },
    { "tls", "" },
};

static void everyone_is_told_apart(void **state)
{
    (void)state;
    static struct scene s;
    ARENA(a, 0);
    struct targets_status all;
    scene_open(
        &s,
        "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
        "scrape_configs:\n"
        "- {job_name: good, scrape_interval: 20s, scrape_timeout: 20s, static_configs: [{targets: ['@']}]}\n"
        "- {job_name: guarded, metrics_path: /guarded, authorization: {credentials: word}, "
        "static_configs: [{targets: ['@']}]}\n"
        "- {job_name: login, metrics_path: /login, basic_auth: {username: u, password: 'p:1'}, "
        "static_configs: [{targets: ['@']}]}\n"
        "- {job_name: empty, metrics_path: /empty, static_configs: [{targets: ['@']}]}\n"
        "- {job_name: '503', metrics_path: /503, static_configs: [{targets: ['@']}]}\n"
        "- {job_name: json, metrics_path: /json, static_configs: [{targets: ['@']}]}\n"
        "- {job_name: nobody, static_configs: [{targets: ['127.0.0.1:1']}]}\n"
        "- {job_name: silent, metrics_path: /silent, static_configs: [{targets: ['%']}]}\n"
        "- {job_name: half, metrics_path: /half, static_configs: [{targets: ['%']}]}\n"
        "- {job_name: tls, metrics_path: /tls, static_configs: [{targets: ['%']}]}\n");
    wait_for_all(&s, 30);
    scrape_targets(s.m, &a, &all);
    assert_int_equal(all.active_n, ARRAY_LEN(WANT));
    for (size_t i = 0; i < all.active_n; i++) {
        const struct target_status *t = &all.active[i];
        assert_true(str_eqc(t->job, WANT[i].job));
        bool bad = i >= 4;
        if (t->health != (bad ? HEALTH_DOWN : HEALTH_UP) ||
            str_find(t->last_error, str_c(WANT[i].error)) == STR_NONE ||
            (bad && !t->last_error.n)) {
            fail_msg(STR_FMT ": %s, " STR_FMT, STR_ARG(t->job), target_health_text(t->health),
                     STR_ARG(t->last_error));
        }
        printf("%-8s %-5s " STR_FMT "\n", WANT[i].job, target_health_text(t->health),
               STR_ARG(t->last_error));
    }
    assert_int_equal(all.active[0].samples, 20001);
    end_loop(&s);
    end_rest(&s);
}

/* A transaction is under way when the loop stops: its end reaches nobody, and nothing minds. */
static void ending_in_a_transaction(void **state)
{
    (void)state;
    static struct scene s;
    scene_open(&s, "global: {scrape_interval: 1s}\n"
                   "scrape_configs:\n"
                   "- {job_name: a, metrics_path: /empty, static_configs: [{targets: ['@']}]}\n"
                   "- {job_name: b, metrics_path: /silent, static_configs: [{targets: ['%']}]}\n"
                   "- {job_name: c, metrics_path: /login, static_configs: [{targets: ['@']}]}\n"
                   "- {job_name: d, metrics_path: /json, static_configs: [{targets: ['@']}]}\n");
    pthread_mutex_lock(&s.store.lock);
    while (s.store.opening < 2) {
        pause_briefly();
    }
    end_loop(&s);
    pthread_mutex_unlock(&s.store.lock);
    end_rest(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(everyone_is_told_apart),
                                        cmocka_unit_test(ending_in_a_transaction) };
    return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
