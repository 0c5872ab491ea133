/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_client.h"

#include "base/assert.h"
#include "base/list.h"
#include "io/clock.h"
#include "io/curl_easy.h"

#include <event2/event.h>
#include <stdlib.h>

struct http_client {
    struct loop *loop;
    CURLM *multi;
    struct timer timer;
    struct list open;
};

struct http_ticket {
    struct list in_client;
    struct http_client *client;
    struct transfer t;
    const struct http_events *ev;
    void *ctx;
};

static void ticket_free(struct http_ticket *k)
{
    list_remove(&k->in_client);
    (void)curl_multi_remove_handle(k->client->multi, k->t.easy);
    transfer_done(&k->t);
    buf_done(&k->t.result.body);
    free(k);
}

static void finish(struct http_ticket *k, CURLcode code)
{
    struct diag d = { 0 };
    enum err e = transfer_end(&k->t, code, &d);
    k->ev->on_done(k->ctx, e, &k->t.result, &d);
    ticket_free(k);
}

static void collect_finished(struct http_client *c)
{
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(c->multi, &left));) {
        if (m->msg != CURLMSG_DONE) continue;
        struct http_ticket *k = NULL;
        CURLcode code = m->data.result;
        (void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&k);
        finish(k, code);
    }
}

static void act(struct http_client *c, curl_socket_t fd, int what)
{
    int running;
    (void)curl_multi_socket_action(c->multi, fd, what, &running);
    collect_finished(c);
}

static void on_timer(void *ctx) { act(ctx, CURL_SOCKET_TIMEOUT, 0); }

static void on_socket(evutil_socket_t fd, short what, void *ctx)
{
    act(ctx, fd,
        ((what & EV_READ) ? CURL_CSELECT_IN : 0) | ((what & EV_WRITE) ? CURL_CSELECT_OUT : 0));
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
    (void)easy;
    struct http_client *c = ctx;
    struct event *ev = socket_ctx;
    if (ev) event_free(ev);
    ev = NULL;
    if (what != CURL_POLL_REMOVE) {
        short events = (short)(EV_PERSIST | ((what & CURL_POLL_IN) ? EV_READ : 0) |
                               ((what & CURL_POLL_OUT) ? EV_WRITE : 0));
        ev = event_new(loop_base(c->loop), fd, events, on_socket, c);
        ASSERT(ev != NULL);
        (void)event_add(ev, NULL);
    }
    (void)curl_multi_assign(c->multi, fd, ev);
    return 0;
}

static int watch_time(CURLM *multi, long ms, void *ctx)
{
    (void)multi;
    struct http_client *c = ctx;
    if (ms < 0) {
        timer_stop(&c->timer);
    } else {
        timer_set(&c->timer, ms);
    }
    return 0;
}

struct http_client *http_client_new(struct loop *l)
{
    struct http_client *c = calloc(1, sizeof(*c));
    ASSERT(c != NULL);
    curl_ready();
    c->loop = l;
    c->multi = curl_multi_init();
    ASSERT(c->multi != NULL);
    list_init(&c->open);
    timer_init(&c->timer, l, on_timer, c);
    (void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    (void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    (void)curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, watch_time);
    (void)curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    return c;
}

void http_client_free(struct http_client *c)
{
    if (!c) return;
    LIST_FOR(it, &c->open) {
        struct http_ticket *k = CONTAINER_OF(it, struct http_ticket, in_client);
        struct diag d = { 0 };
        enum err e = diag_set(&d, ERR_CANCELED, "context canceled");
        k->ev->on_done(k->ctx, e, &k->t.result, &d);
        ticket_free(k);
    }
    (void)curl_multi_cleanup(c->multi);
    timer_done(&c->timer);
    free(c);
}

static bool pass_on(void *ctx, struct http_result *r, struct str slice)
{
    struct http_ticket *k = ctx;
    return k->ev->on_body(k->ctx, r, slice);
}

struct http_ticket *http_client_start(struct http_client *c, const struct http_call *call,
                                      const struct http_events *ev, void *ctx)
{
    loop_here(c->loop);
    struct http_ticket *k = calloc(1, sizeof(*k));
    ASSERT(k != NULL);
    k->client = c;
    k->ev = ev;
    k->ctx = ctx;
    transfer_init(&k->t, call, ev->on_body ? pass_on : NULL, k);
    (void)curl_easy_setopt(k->t.easy, CURLOPT_PRIVATE, k);
    list_add_tail(&c->open, &k->in_client);
    CURLMcode e = curl_multi_add_handle(c->multi, k->t.easy);
    ASSERT(e == CURLM_OK);
    return k;
}

void http_client_cancel(struct http_ticket *k)
{
    if (k) ticket_free(k);
}

struct waiting {
    const _Atomic(bool) *cancel;
};

static int still_wanted(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a, (void)b, (void)c, (void)d;
    const struct waiting *w = ctx;
    return *w->cancel ? 1 : 0;
}

enum err http_fetch(const struct http_call *call, const _Atomic(bool) *cancel,
                    struct http_result *out, struct diag *d)
{
    curl_ready();
    struct transfer t;
    struct waiting w = { cancel };
    transfer_init(&t, call, NULL, NULL);
    if (cancel) {
        (void)curl_easy_setopt(t.easy, CURLOPT_NOPROGRESS, 0L);
        (void)curl_easy_setopt(t.easy, CURLOPT_XFERINFOFUNCTION, still_wanted);
        (void)curl_easy_setopt(t.easy, CURLOPT_XFERINFODATA, &w);
    }
    CURLcode code = curl_easy_perform(t.easy);
    enum err e = transfer_end(&t, code, d);
    *out = t.result; /* the body goes along, also of a call that failed half way */
    out->content_type = (struct str){ 0 };
    transfer_done(&t);
    return e;
}
