/* SPDX-License-Identifier: Apache-2.0 */
#include "io/stream.h"

#include "base/assert.h"
#include "io/resolve.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

enum { MAGIC = 0x57e4a111, INPUT_MAX = 64 << 20 };

enum stream_state { RESOLVING, CONNECTING, STREAMING, CLOSING };

struct stream {
    uint32_t magic;
    enum stream_state state;
    struct loop *loop;
    const struct stream_events *ev;
    void *ctx;
    struct bufferevent *bev;
    struct resolve *lookup;
    struct timer deadline;
    struct resolved addrs;
    size_t next_addr;
    int64_t connect_timeout_ms;
    size_t input_max;
    char host[256];
    uint16_t port;
};

static void stream_free(struct stream *s)
{
    resolve_cancel(s->lookup);
    timer_done(&s->deadline);
    if (s->bev) bufferevent_free(s->bev);
    s->magic = 0;
    free(s);
}

/* Tells the owner once and ends the stream. */
static void ended(struct stream *s, enum err e, const struct diag *d)
{
    const struct stream_events *ev = s->ev;
    void *ctx = s->ctx;
    stream_free(s);
    ev->on_close(ctx, e, d);
}

static void on_read(struct bufferevent *bev, void *ctx)
{
    (void)bev;
    struct stream *s = ctx;
    ASSERT(s->magic == MAGIC);
    s->ev->on_data(s->ctx);
}

static bool try_next_address(struct stream *s);

static const char *plain(int e)
{
    switch (e) {
    case ECONNREFUSED: return "connection refused";
    case ECONNRESET: return "connection reset by peer";
    case EPIPE: return "peer closed the connection";
    case EHOSTUNREACH:
    case ENETUNREACH: return "no route to host";
    case ETIMEDOUT: return "connection timed out";
    default: return NULL;
    }
}

static void failed(struct stream *s, int e)
{
    struct diag d = { 0 };
    char why[128];
    const char *text = plain(e);
    if (!text) text = strerror_r(e, why, sizeof(why));
    enum err code = diag_set(&d, ERR_SYS, "%s:%u: %s", s->host, s->port, text);
    ended(s, code, &d);
}

static void on_event(struct bufferevent *bev, short what, void *ctx)
{
    struct stream *s = ctx;
    ASSERT(s->magic == MAGIC);
    if (what & BEV_EVENT_CONNECTED) {
        s->state = STREAMING;
        timer_stop(&s->deadline);
        int on = 1;
        (void)setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        s->ev->on_open(s->ctx);
        return;
    }
    int e = evutil_socket_geterror(bufferevent_getfd(bev));
    if (what & BEV_EVENT_EOF) {
        struct diag d = { 0 };
        enum err code = diag_set(&d, ERR_EOF, "%s:%u: peer closed the connection", s->host,
                                 s->port);
        ended(s, code, &d);
        return;
    }
    if (s->state == CONNECTING && try_next_address(s)) return;
    failed(s, e);
}

/* Starts on the next address of the name; false when there is none left. */
static bool try_next_address(struct stream *s)
{
    while (s->next_addr < s->addrs.n) {
        struct sockaddr_storage *to = &s->addrs.v[s->next_addr++];
        if (s->bev) bufferevent_free(s->bev);
        s->bev = bufferevent_socket_new(loop_base(s->loop), -1,
                                        BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
        ASSERT(s->bev != NULL);
        bufferevent_setcb(s->bev, on_read, NULL, on_event, s);
        bufferevent_setwatermark(s->bev, EV_READ, 0, s->input_max);
        (void)bufferevent_enable(s->bev, EV_READ | EV_WRITE);
        int len = to->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                            : sizeof(struct sockaddr_in);
        if (bufferevent_socket_connect(s->bev, (struct sockaddr *)to, len) == 0) return true;
    }
    return false;
}

static void on_resolved(void *ctx, enum err e, const struct resolved *r, const struct diag *d)
{
    struct stream *s = ctx;
    ASSERT(s->magic == MAGIC);
    s->lookup = NULL;
    if (e != OK) {
        ended(s, e, d);
        return;
    }
    s->addrs = *r;
    s->state = CONNECTING;
    if (!try_next_address(s)) failed(s, errno);
}

static void on_deadline(void *ctx)
{
    struct stream *s = ctx;
    struct diag d = { 0 };
    enum err code = diag_set(&d, ERR_TIMEOUT, "%s:%u: no connection within %lld ms%s", s->host,
                             s->port, (long long)s->connect_timeout_ms,
                             s->state == RESOLVING ? " (the name was not resolved)" : "");
    ended(s, code, &d);
}

struct stream *stream_connect(struct loop *l, const struct stream_options *o,
                              const struct stream_events *ev, void *ctx)
{
    loop_here(l);
    struct stream *s = calloc(1, sizeof(*s));
    ASSERT(s != NULL);
    s->magic = MAGIC;
    s->loop = l;
    s->ev = ev;
    s->ctx = ctx;
    s->port = o->port;
    s->connect_timeout_ms = o->connect_timeout_ms > 0 ? o->connect_timeout_ms : 5000;
    s->input_max = o->input_max ? o->input_max : INPUT_MAX;
    size_t n = o->host.n < sizeof(s->host) - 1 ? o->host.n : sizeof(s->host) - 1;
    if (n) memcpy(s->host, o->host.p, n);
    timer_init(&s->deadline, l, on_deadline, s);
    timer_set(&s->deadline, s->connect_timeout_ms);
    s->lookup = resolve_start(l, str_make(s->host, n), o->port, on_resolved, s);
    return s;
}

void stream_write(struct stream *s, struct str bytes)
{
    ASSERT(s->magic == MAGIC && s->state == STREAMING);
    (void)bufferevent_write(s->bev, bytes.p, bytes.n);
}

struct str stream_input(struct stream *s)
{
    ASSERT(s->magic == MAGIC);
    if (!s->bev) return STR("");
    struct evbuffer *in = bufferevent_get_input(s->bev);
    size_t n = evbuffer_get_length(in);
    return n ? str_make((const char *)evbuffer_pullup(in, -1), n) : STR("");
}

void stream_consume(struct stream *s, size_t n)
{
    ASSERT(s->magic == MAGIC && s->bev);
    (void)evbuffer_drain(bufferevent_get_input(s->bev), n);
}

void stream_close(struct stream *s)
{
    if (!s) return;
    ASSERT(s->magic == MAGIC);
    stream_free(s);
}
