/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request's way: evhttp parses it on the serve loop; on_request checks what evhttp lets through, copies what
 * the handler may read, finds the route, and runs the handler here or as a job. The reply may come from any thread;
 * deliver() gives it to evhttp on the loop. evhttp reads nothing more from a connection while its reply is
 * pending, so the request stays valid until then.
 */
#include "io/http_server.h"

#include "base/assert.h"
#include "base/list.h"
#include "codec/query.h"
#include "io/clock.h"
#include "io/http_listen.h"
#include "io/web_door.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    HEADERS_MAX = 64 * 1024,
    BODY_MAX = 10 << 20,
    CONNECTIONS_MAX = 512,
    SWEEP_MS = 500,
    FIRST_REQUEST_MS = 30 * 1000, /* a whole request within this of the connection's start */
    NEXT_REQUEST_MS = 90 * 1000,  /* and within this of the last reply, idle time included */
    GZIP_FROM = 1400,             /* below about one packet it gains nothing */
    WRITE_MAX =
        1 << 20, /* evhttp's default of 16 KiB a write costs 2.3 times the CPU on large bodies */
};

/* One connection, for its deadline and for counting. evhttp tells nobody when it frees one, so the bufferevent is
 * held by a reference of ours, and the sweep sees that its callbacks are gone. */
struct conn {
    struct list in_server;
    struct bufferevent *bev;
    int64_t deadline; /* monotonic ms; INT64_MAX while a reply is pending */
};

struct http_server {
    struct loop *loop;
    struct pool *pool;
    struct evhttp *http;
    struct http_server_options o;
    uint16_t port;
    struct list conns, live; /* live: requests without a reply yet */
    unsigned conns_n;
    struct timer sweep;
};

/* What stands behind a struct http_req. */
struct exchange {
    struct http_req req;
    struct job job;
    struct list in_live;
    _Atomic(unsigned) holds;
    struct http_server *server;
    struct evhttp_request *ev;
    const struct http_route *route;
    struct evbuffer *body; /* of the reply */
    int status;
    bool replied, head, gzip_ok;
    struct {
        struct http_pair_out {
            struct str name, value;
        } v[16];
        size_t n;
    } headers;
};

static struct exchange *exchange_of(const struct http_req *req)
{
    return (struct exchange *)req->impl_;
}

/* The loop lets go when the reply is delivered, a worker when its job is over: the last one frees. */
static void exchange_release(struct exchange *x)
{
    if (--x->holds) return;
    if (x->body) evbuffer_free(x->body);
    struct arena a = x->req.arena; /* x lives in malloc, its strings in here */
    arena_done(&a);
    free(x);
}

/* --- connections --- */

static struct conn *conn_of(struct http_server *s, const struct evhttp_request *ev)
{
    struct bufferevent *bev = evhttp_connection_get_bufferevent(
        evhttp_request_get_connection((struct evhttp_request *)(uintptr_t)ev));
    LIST_FOR(it, &s->conns) {
        struct conn *c = CONTAINER_OF(it, struct conn, in_server);
        if (c->bev == bev) return c;
    }
    return NULL;
}

static void conn_deadline(struct http_server *s, const struct evhttp_request *ev, int64_t at)
{
    struct conn *c = conn_of(s, ev);
    if (c) c->deadline = at;
}

static void conn_forget(struct http_server *s, struct conn *c)
{
    list_remove(&c->in_server);
    s->conns_n--;
    bufferevent_decref(c->bev);
    free(c);
}

static void hang_up(struct bufferevent *bev)
{
    bufferevent_trigger_event(bev, BEV_EVENT_EOF | BEV_EVENT_READING, BEV_TRIG_DEFER_CALLBACKS);
}

static bool freed_by_evhttp(struct bufferevent *bev)
{
    bufferevent_data_cb read, write;
    bufferevent_event_cb event;
    void *ctx;
    bufferevent_getcb(bev, &read, &write, &event, &ctx);
    return !event;
}

static void on_sweep(void *ctx)
{
    struct http_server *s = ctx;
    int64_t now = clock_mono_ms();
    LIST_FOR(it, &s->conns) {
        struct conn *c = CONTAINER_OF(it, struct conn, in_server);
        if (freed_by_evhttp(c->bev)) {
            conn_forget(s, c);
        } else if (now > c->deadline) {
            c->deadline = INT64_MAX;
            hang_up(c->bev);
        }
    }
    if (s->conns_n) timer_set(&s->sweep, SWEEP_MS);
}

static struct bufferevent *new_bufferevent(struct http_server *s, struct event_base *base)
{
    if (!web_door_tls(s->o.web)) {
        return bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    }
    struct ssl_st *ssl = web_door_ssl(s->o.web);
    ASSERT(ssl != NULL);
    struct bufferevent *bev = bufferevent_openssl_socket_new(
        base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    if (bev) bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
    return bev;
}

static struct bufferevent *on_accept(struct event_base *base, void *ctx)
{
    struct http_server *s = ctx;
    if (s->conns_n >= s->o.max_connections) on_sweep(s); /* some may be gone without our knowing */
    struct bufferevent *bev = new_bufferevent(s, base);
    struct conn *c = calloc(1, sizeof(*c));
    ASSERT(bev && c);
    (void)bufferevent_set_max_single_write(bev, WRITE_MAX);
    bufferevent_incref(bev);
    c->bev = bev;
    c->deadline = clock_mono_ms() + FIRST_REQUEST_MS;
    list_add_tail(&s->conns, &c->in_server);
    if (s->conns_n++ == 0) timer_set(&s->sweep, SWEEP_MS);
    if (s->conns_n > s->o.max_connections) hang_up(bev);
    return bev;
}

/* --- requests --- */

static const struct {
    enum evhttp_cmd_type ev;
    enum http_method method;
} METHODS[] = {
    { EVHTTP_REQ_GET, HTTP_GET },         { EVHTTP_REQ_POST, HTTP_POST },
    { EVHTTP_REQ_PUT, HTTP_PUT },         { EVHTTP_REQ_DELETE, HTTP_DELETE },
    { EVHTTP_REQ_OPTIONS, HTTP_OPTIONS }, { EVHTTP_REQ_HEAD, HTTP_HEAD },
    { EVHTTP_REQ_PATCH, HTTP_PATCH },
};

static enum http_method method_of(struct evhttp_request *ev)
{
    for (size_t i = 0; i < ARRAY_LEN(METHODS); i++) {
        if (METHODS[i].ev == evhttp_request_get_command(ev)) return METHODS[i].method;
    }
    return HTTP_GET; /* evhttp_set_allowed_methods lets no other through */
}

static bool digits_only(const char *z)
{
    if (!*z) return false;
    for (; *z; z++) {
        if (*z < '0' || *z > '9') return false;
    }
    return true;
}

/* evhttp accepts what lets two servers in a row disagree on where a request ends; we do not. */
static const char *framing_fault(struct evhttp_request *ev)
{
    unsigned lengths = 0, hosts = 0;
    for (struct evkeyval *it = evhttp_request_get_input_headers(ev)->tqh_first; it;
         it = it->next.tqe_next) {
        struct str key = str_c(it->key);
        if (str_ieq(key, STR("content-length"))) {
            lengths++;
            if (!digits_only(it->value)) return "malformed Content-Length";
        }
        if (str_ieq(key, STR("host"))) hosts++;
        if (key.n && (key.p[key.n - 1] == ' ' || key.p[key.n - 1] == '\t')) {
            return "white space before a header's colon";
        }
    }
    if (lengths > 1) return "more than one Content-Length";
    if (hosts > 1) return "more than one Host";
    return NULL;
}

static bool form_body(const struct exchange *x)
{
    struct str type = http_header(&x->req, "Content-Type");
    return str_starts(type, STR("application/x-www-form-urlencoded"));
}

static enum err read_request(struct exchange *x)
{
    struct http_req *req = &x->req;
    struct arena *a = &req->arena;
    struct str path, query;
    req->target = arena_dup(a, str_c(evhttp_request_get_uri(x->ev)));
    (void)str_cut(req->target, '#', &path, &query);
    (void)str_cut(path, '?', &path, &query);
    TRY(query_decode(a, path, false, &req->path));
    struct evbuffer *in = evhttp_request_get_input_buffer(x->ev);
    size_t n = evbuffer_get_length(in);
    req->body = n ? str_make((const char *)evbuffer_pullup(in, -1), n) : STR("");
    struct query_params params = { 0 };
    TRY(query_parse(a, query, &params));
    if (form_body(x)) TRY(query_parse(a, req->body, &params));
    _Static_assert(sizeof(struct query_param) == sizeof(struct http_param),
                   "one shape, two floors");
    req->params = (const struct http_param *)(const void *)params.v;
    req->params_n = params.n;
    return OK;
}

static void set_remote(struct exchange *x)
{
    char *address = NULL;
    uint16_t port = 0;
    evhttp_connection_get_peer(evhttp_request_get_connection(x->ev), &address, &port);
    struct str s = str_c(address);
    if (str_starts(s, STR("::ffff:"))) s = str_from(s, 7);
    x->req.remote = arena_dup(&x->req.arena, s);
}

/* Matches "/a/:x/b" and a trailing "*"; fills args on success. */
static bool path_matches(const char *pattern, struct str path, struct str *args)
{
    struct str p = str_c(pattern);
    size_t n = 0;
    while (p.n) {
        if (p.p[0] == '*' && p.n == 1) {
            args[n] = path;
            return true;
        }
        if (p.p[0] == ':') {
            struct str name, value, rest;
            (void)str_cut(p, '/', &name, &rest);
            (void)str_cut(path, '/', &value, &rest);
            if (!value.n || n == 4) return false;
            args[n++] = value;
            p = str_from(p, name.n);
            path = str_from(path, value.n);
            continue;
        }
        if (!path.n || path.p[0] != p.p[0]) return false;
        p = str_from(p, 1);
        path = str_from(path, 1);
    }
    return path.n == 0;
}

static bool method_fits(const struct http_route *r, enum http_method m)
{
    return (r->methods & m) || (m == HTTP_HEAD && (r->methods & HTTP_GET));
}

/* NULL: none; *wrong_method tells that the path exists for others. */
static const struct http_route *find_route(struct exchange *x, bool *wrong_method)
{
    for (const struct http_route *r = x->server->o.routes; r && r->methods; r++) {
        struct str args[4] = { { 0 } };
        if (!path_matches(r->path, x->req.path, args)) continue;
        if (!method_fits(r, x->req.method)) {
            *wrong_method = true;
            continue;
        }
        memcpy(x->req.path_args, args, sizeof(args));
        return r;
    }
    return NULL;
}

static void run_handler(struct job *j)
{
    struct exchange *x = CONTAINER_OF(j, struct exchange, job);
    x->route->handle(&x->req);
}

static void job_over(struct job *j) { exchange_release(CONTAINER_OF(j, struct exchange, job)); }

static enum lane lane_of(const struct http_route *r)
{
    if (r->where == ON_RULES) return LANE_RULES;
    return r->where == ON_QUERY ? LANE_QUERY : LANE_BACK;
}

void http_continue(struct http_req *req)
{
    struct exchange *x = exchange_of(req);
    struct http_server *s = x->server;
    bool wrong_method = false;
    loop_here(s->loop);
    x->route = find_route(x, &wrong_method);
    if (!x->route) {
        if (wrong_method) {
            http_reply_text(&x->req, 405, "Method Not Allowed\n");
        } else if (s->o.not_found) {
            s->o.not_found(&x->req);
        } else {
            http_reply_text(&x->req, 404, "404 page not found\n");
        }
        return;
    }
    if (x->route->where == ON_LOOP) {
        x->route->handle(&x->req);
        return;
    }
    x->holds++;
    x->job.lane = lane_of(x->route);
    x->job.run = run_handler;
    x->job.done = job_over;
    pool_submit(s->pool, &x->job);
}

/* Past the listener's own door. */
static void let_in(struct http_req *req)
{
    struct http_server *s = exchange_of(req)->server;
    if (!s->o.before || !s->o.before(req)) http_continue(req);
}

static void on_request(struct evhttp_request *ev, void *ctx)
{
    struct http_server *s = ctx;
    struct exchange *x = calloc(1, sizeof(*x));
    ASSERT(x != NULL);
    x->server = s;
    x->ev = ev;
    x->holds = 1;
    x->req.impl_ = x;
    x->req.gone = &x->job.cancel;
    x->req.ctx = s->o.ctx;
    x->req.method = method_of(ev);
    x->head = x->req.method == HTTP_HEAD;
    list_add_tail(&s->live, &x->in_live);
    conn_deadline(s, ev, INT64_MAX);
    set_remote(x);
    x->gzip_ok = str_find(http_header(&x->req, "Accept-Encoding"), STR("gzip")) != STR_NONE;
    const char *fault = framing_fault(ev);
    if (!fault && read_request(x) != OK) fault = "malformed request target or form";
    if (fault) {
        http_reply_text(&x->req, 400, fault);
        return;
    }
    if (s->o.web && web_door_before(s->o.web, s->pool, s->loop, &x->req, let_in)) return;
    let_in(&x->req);
}

struct str http_header(const struct http_req *req, const char *name)
{
    return str_c(evhttp_find_header(evhttp_request_get_input_headers(exchange_of(req)->ev), name));
}

struct str http_param(const struct http_req *req, const char *name)
{
    for (size_t i = 0; i < req->params_n; i++) {
        if (str_eqc(req->params[i].name, name)) return req->params[i].value;
    }
    return (struct str){ 0 };
}

struct str http_cookie(const struct http_req *req, const char *name)
{
    struct str rest = http_header(req, "Cookie"), pair, key, value;
    while (rest.n) {
        (void)str_cut(rest, ';', &pair, &rest);
        if (str_cut(str_trim(pair), '=', &key, &value) && str_eqc(key, name)) return value;
    }
    return (struct str){ 0 };
}

/* --- replies --- */

void http_reply_header(struct http_req *req, const char *name, struct str value)
{
    struct exchange *x = exchange_of(req);
    ASSERT(!x->replied && x->headers.n < ARRAY_LEN(x->headers.v));
    struct http_pair_out *h = &x->headers.v[x->headers.n++];
    h->name = arena_dup(&req->arena, str_c(name));
    h->value = arena_dup(&req->arena, value);
}

/* On the loop: hands the reply to evhttp and ends the exchange. */
static void deliver(void *ctx)
{
    struct exchange *x = ctx;
    struct evkeyvalq *out = evhttp_request_get_output_headers(x->ev);
    for (size_t i = 0; i < x->headers.n; i++) {
        (void)evhttp_add_header(out, x->headers.v[i].name.p,
                                x->headers.v[i].value.p); /* refuses line breaks */
    }
    conn_deadline(x->server, x->ev, clock_mono_ms() + x->server->o.idle_ms);
    if (x->head) {
        char length[24];
        (void)evutil_snprintf(length, sizeof(length), "%zu", evbuffer_get_length(x->body));
        (void)evhttp_add_header(out, "Content-Length", length);
    }
    evhttp_send_reply(x->ev, x->status, NULL, x->head ? NULL : x->body);
    evbuffer_free(x->body); /* here, not on the worker that may let go last */
    x->body = NULL;
    list_remove(&x->in_live);
    exchange_release(x);
}

/* Status, body and content type are set: off it goes. */
static void send_off(struct exchange *x, int status, const char *content_type)
{
    if (content_type) http_reply_header(&x->req, "Content-Type", str_c(content_type));
    x->status = status;
    x->replied = true;
    if (loop_is_here(x->server->loop)) {
        deliver(x);
    } else {
        loop_post(x->server->loop, deliver, x);
    }
}

static void release_buf(const void *data, size_t n, void *extra)
{
    (void)n;
    (void)extra;
    free((void *)(uintptr_t)data);
}

static bool worth_gzip(const struct exchange *x, const char *content_type, size_t n)
{
    if (!x->gzip_ok || n < GZIP_FROM || !content_type) return false;
    return strstr(content_type, "text/") || strstr(content_type, "json") ||
           strstr(content_type, "javascript");
}

/* Replaces the bytes by their gzip form; leaves them when that is no smaller. */
static bool gzip_body(struct buf *body)
{
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(1);
    if (!c) return false;
    size_t room = body->n;
    char *to = malloc(room);
    size_t n = to ? libdeflate_gzip_compress(c, body->p, body->n, to, room) : 0;
    libdeflate_free_compressor(c);
    if (!n) {
        free(to);
        return false;
    }
    buf_done(body);
    *body = (struct buf){ .p = to, .n = n, .cap = room, .max = body->max };
    return true;
}

void http_reply(struct http_req *req, int status, const char *content_type, struct buf *body)
{
    struct exchange *x = exchange_of(req);
    if (body->over) {
        buf_done(body);
        http_reply_text(req, 500, "the answer is larger than this server builds\n");
        return;
    }
    if (worth_gzip(x, content_type, body->n)) {
        http_reply_header(req, "Vary", STR("Accept-Encoding"));
        if (gzip_body(body)) http_reply_header(req, "Content-Encoding", STR("gzip"));
    }
    size_t n;
    char *bytes = buf_take(body, &n);
    x->body = evbuffer_new();
    ASSERT(x->body != NULL);
    if (bytes) (void)evbuffer_add_reference(x->body, bytes, n, release_buf, NULL);
    send_off(x, status, content_type);
}

void http_reply_text(struct http_req *req, int status, const char *text)
{
    struct buf b = { 0 };
    buf_putc(&b, text);
    http_reply(req, status, "text/plain; charset=utf-8", &b);
}

void http_reply_redirect(struct http_req *req, int status, struct str location)
{
    struct buf b = { 0 };
    http_reply_header(req, "Location", location);
    http_reply(req, status, "text/plain; charset=utf-8", &b);
}

struct shared {
    void (*release)(void *ctx);
    void *ctx;
};

static void release_shared(const void *data, size_t n, void *extra)
{
    (void)data;
    (void)n;
    struct shared *s = extra;
    if (s->release) s->release(s->ctx);
    free(s);
}

void http_reply_shared(struct http_req *req, int status, const char *content_type,
                       const char *content_encoding, struct str body, void (*release)(void *ctx),
                       void *ctx)
{
    struct exchange *x = exchange_of(req);
    struct shared *s = malloc(sizeof(*s));
    x->body = evbuffer_new();
    ASSERT(x->body && s);
    *s = (struct shared){ release, ctx };
    if (content_encoding) http_reply_header(req, "Content-Encoding", str_c(content_encoding));
    if (!body.n) {
        release_shared(NULL, 0, s);
    } else {
        (void)evbuffer_add_reference(x->body, body.p, body.n, release_shared, s);
    }
    send_off(x, status, content_type);
}

/* --- server --- */

static void set_limits(struct http_server *s)
{
    evhttp_set_max_headers_size(s->http, HEADERS_MAX);
    evhttp_set_max_body_size(s->http, (ev_ssize_t)s->o.body_max);
    evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
                                            EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
                                            EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
    evhttp_set_timeout(s->http, (int)(s->o.idle_ms / 1000) + 1);
}

enum err http_server_open(struct loop *l, struct pool *p, const struct http_server_options *o,
                          struct http_server **out, struct diag *d)
{
    int fd;
    uint16_t port;
    TRY(http_listen(o->address, o->port, &fd, &port, d));
    struct http_server *s = calloc(1, sizeof(*s));
    ASSERT(s != NULL);
    s->loop = l;
    s->pool = p;
    s->o = *o;
    s->port = port;
    if (!s->o.body_max) s->o.body_max = BODY_MAX;
    if (!s->o.idle_ms) s->o.idle_ms = NEXT_REQUEST_MS;
    if (!s->o.max_connections) s->o.max_connections = CONNECTIONS_MAX;
    list_init(&s->conns);
    list_init(&s->live);
    timer_init(&s->sweep, l, on_sweep, s);
    s->http = evhttp_new(loop_base(l));
    ASSERT(s->http != NULL);
    set_limits(s);
    evhttp_set_bevcb(s->http, on_accept, s);
    evhttp_set_gencb(s->http, on_request, s);
    if (evhttp_accept_socket(s->http, fd) != 0) {
        (void)close(fd);
        http_server_close(s);
        return diag_set(d, ERR_SYS, "cannot accept connections on port %u", port);
    }
    *out = s;
    return OK;
}

uint16_t http_server_port(const struct http_server *s) { return s->port; }

void http_server_close(struct http_server *s)
{
    if (!s) return;
    LIST_FOR(it, &s->live) {
        list_remove(it);
        exchange_release(CONTAINER_OF(it, struct exchange, in_live));
    }
    evhttp_free(s->http);
    LIST_FOR(it, &s->conns) {
        conn_forget(s, CONTAINER_OF(it, struct conn, in_server));
    }
    timer_done(&s->sweep);
    free(s);
}
