/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_client.h"

#include "base/assert.h"
#include "base/list.h"
#include "io/clock.h"
#include "io/curl_easy.h"
#include "io/http_token.h"

#include <event2/event.h>
#include <stdlib.h>

/*
 * A body may hold the loop this long in one turn, then the others have theirs. Half of what a loop may take.
 */
enum { TURN_NS = 500 * 1000, TIMEOUT_DEFAULT_MS = 10000 };

struct http_client {
    struct loop *loop;
    CURLM *multi;
    struct timer timer; /* curl's */
    struct timer
        resumer; /* the next turn of those that paused; and the end of those that could not begin */
    struct turn turn;
    struct list open, failed;
};

struct http_ticket {
    struct list in_client; /* open or failed */
    struct http_client *client;
    struct transfer t; /* t.easy: NULL while there is none */
    const struct http_events *ev;
    void *ctx;
    struct arena arena; /* what is kept while a token is asked for */
    struct http_call call;
    struct http_kit kit;
    bool for_token; /* the transfer under way asks for a token */
    enum token_style style;
    int64_t end_ms;
    enum err failed; /* before anything was sent: told in the next turn */
    struct diag why;
};

static void drop_transfer(struct http_ticket *k)
{
    if (!k->t.easy) return;
    (void)curl_multi_remove_handle(k->client->multi, k->t.easy);
    transfer_done(&k->t);
    buf_done(&k->t.result.body);
}

static void ticket_free(struct http_ticket *k)
{
    list_remove(&k->in_client);
    drop_transfer(k);
    arena_done(&k->arena);
    free(k);
}

static void begin_turn(struct http_client *c) { c->turn.until_ns = clock_mono_ns() + TURN_NS; }

static void add(struct http_ticket *k)
{
    (void)curl_easy_setopt(k->t.easy, CURLOPT_PRIVATE, k);
    CURLMcode e = curl_multi_add_handle(k->client->multi, k->t.easy);
    ASSERT(e == CURLM_OK);
}

static bool pass_on(void *ctx, struct http_result *r, struct str slice)
{
    struct http_ticket *k = ctx;
    return k->ev->on_body(k->ctx, r, slice);
}

static void send_call(struct http_ticket *k)
{
    k->for_token = false;
    int64_t left = k->end_ms - clock_mono_ms();
    k->call.timeout_ms = left > 1 ? left : 1;
    transfer_init(&k->t, &k->call, &k->kit, k->ev->on_body ? pass_on : NULL, k);
    k->t.turn = &k->client->turn;
    add(k);
}

/* The token's own request: its own TLS and proxy, no other of the call's options. */
static void send_for_token(struct http_ticket *k)
{
    struct http_pair headers[2];
    struct http_call call;
    int64_t left = k->end_ms - clock_mono_ms();
    const struct token_kit *t = k->kit.token;
    const struct http_kit kit = { .tls = t->tls,
                                  .proxy = t->proxy,
                                  .follow_redirects = true,
                                  .http2 = true,
                                  .from_config = true };
    token_call(&k->arena, t, k->style, left > 1 ? left : 1, headers, &call);
    k->for_token = true;
    transfer_init(&k->t, &call, &kit, NULL, NULL);
    add(k);
}

/* With what the cache knows, or by asking first. */
static void send_first(struct http_ticket *k)
{
    struct http_kit *kit = &k->kit;
    if (!kit->token) {
        send_call(k);
        return;
    }
    kit->authorization = token_cached(&k->arena, kit->token, clock_mono_ms());
    if (kit->authorization.n) {
        send_call(k);
    } else {
        send_for_token(k);
    }
}

static void tell(struct http_ticket *k, enum err e, const struct diag *d)
{
    k->ev->on_done(k->ctx, e, &k->t.result, d);
    ticket_free(k);
}

/* In the words of Go's client, which names the request that could not be made and not the one for the token. */
static enum err no_token(struct http_ticket *k, enum err e, struct diag *d)
{
    struct diag why = *d;
    return diag_set(d, e, "Get \"" STR_FMT "\": %s",
                    STR_ARG(transfer_shown_url(&k->arena, k->call.url)), why.text);
}

static void token_came(struct http_ticket *k, CURLcode code)
{
    struct diag d = { 0 };
    enum err e = transfer_end(&k->t, code, &d);
    int status = k->t.result.status;
    struct str body = arena_dup(&k->arena, buf_str(&k->t.result.body));
    drop_transfer(k);
    k->t = (struct transfer){ 0 };
    if (e == OK && status / 100 == 4 && k->style + 1 < TOKEN_STYLES) {
        k->style++;
        send_for_token(k);
        return;
    }
    if (e == OK) {
        e = token_take(&k->arena, k->kit.token, status, body, clock_mono_ms(),
                       &k->kit.authorization, &d);
    }
    if (e == OK) {
        send_call(k);
    } else {
        e = no_token(k, e, &d);
        tell(k, e, &d);
    }
}

static void finish(struct http_ticket *k, CURLcode code)
{
    if (transfer_redirected(&k->t, code)) {
        (void)curl_multi_remove_handle(k->client->multi, k->t.easy);
        add(k);
        return;
    }
    if (k->for_token) {
        token_came(k, code);
        return;
    }
    struct diag d = { 0 };
    enum err e = transfer_end(&k->t, code, &d);
    tell(k, e, &d);
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
    if (!list_empty(&c->turn.paused)) timer_set(&c->resumer, 0);
}

static void act(struct http_client *c, curl_socket_t fd, int what)
{
    int running;
    begin_turn(c);
    (void)curl_multi_socket_action(c->multi, fd, what, &running);
    collect_finished(c);
}

static void resume_one(struct http_ticket *k)
{
    CURLcode code = transfer_resume(&k->t);
    if (code == CURLE_OK) return;
    (void)curl_multi_remove_handle(k->client->multi, k->t.easy);
    finish(k, code);
}

static void on_resume(void *ctx)
{
    struct http_client *c = ctx;
    begin_turn(c);
    while (!list_empty(&c->failed)) { /* being told, one may cancel another */
        struct http_ticket *k = CONTAINER_OF(c->failed.next, struct http_ticket, in_client);
        tell(k, k->failed, &k->why);
    }
    while (!list_empty(&c->turn.paused) && clock_mono_ns() < c->turn.until_ns) {
        resume_one(CONTAINER_OF(c->turn.paused.next, struct http_ticket, t.in_turn));
    }
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
    list_init(&c->failed);
    list_init(&c->turn.paused);
    timer_init(&c->timer, l, on_timer, c);
    timer_init(&c->resumer, l, on_resume, c);
    (void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    (void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    (void)curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, watch_time);
    (void)curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    return c;
}

static void cancel_all(struct list *tickets)
{
    LIST_FOR(it, tickets) {
        struct diag d = { 0 };
        enum err e = diag_set(&d, ERR_CANCELED, "context canceled");
        tell(CONTAINER_OF(it, struct http_ticket, in_client), e, &d);
    }
}

void http_client_free(struct http_client *c)
{
    if (!c) return;
    cancel_all(&c->open);
    cancel_all(&c->failed);
    (void)curl_multi_cleanup(c->multi);
    timer_done(&c->timer);
    timer_done(&c->resumer);
    free(c);
}

/* Into a: a call that waits for its token outlives its caller's memory. */
static struct http_call call_copy(struct arena *a, const struct http_call *from)
{
    struct http_call c = *from;
    struct http_pair *h = arena_array(a, c.headers_n, sizeof(*h));
    for (size_t i = 0; i < c.headers_n; i++) {
        h[i] = (struct http_pair){ arena_dup(a, c.headers[i].name),
                                   arena_dup(a, c.headers[i].value) };
    }
    c.headers = h;
    c.url = arena_dup(a, c.url);
    c.body = arena_dup(a, c.body);
    c.unix_socket = arena_dup(a, c.unix_socket);
    c.config = NULL; /* the kit has what it said */
    return c;
}

static enum err make_kit(struct arena *a, const struct http_call *call, struct http_kit *out,
                         struct diag *d)
{
    struct diag why = { 0 };
    enum err e = http_kit_make(a, call, out, &why);
    if (e == OK) return OK;
    struct str url = transfer_shown_url(a, call->url);
    const char *method = call->method && strcmp(call->method, "POST") == 0 ? "Post" : "Get";
    return diag_set(d, e, "%s \"" STR_FMT "\": %s", method, STR_ARG(url), why.text);
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
    k->end_ms = clock_mono_ms() + (call->timeout_ms > 0 ? call->timeout_ms : TIMEOUT_DEFAULT_MS);
    k->failed = make_kit(&k->arena, call, &k->kit, &k->why);
    list_add_tail(k->failed == OK ? &c->open : &c->failed, &k->in_client);
    if (k->failed != OK) {
        timer_set(&c->resumer, 0);
        return k;
    }
    k->call = k->kit.token ? call_copy(&k->arena, call) : *call;
    send_first(k);
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

/* One request with its redirects. */
static enum err perform(const struct http_call *call, const struct http_kit *kit,
                        const _Atomic(bool) *cancel, struct http_result *out, struct diag *d)
{
    struct transfer t;
    struct waiting w = { cancel };
    transfer_init(&t, call, kit, NULL, NULL);
    if (cancel) {
        (void)curl_easy_setopt(t.easy, CURLOPT_NOPROGRESS, 0L);
        (void)curl_easy_setopt(t.easy, CURLOPT_XFERINFOFUNCTION, still_wanted);
        (void)curl_easy_setopt(t.easy, CURLOPT_XFERINFODATA, &w);
    }
    CURLcode code;
    do {
        code = curl_easy_perform(t.easy);
    } while (transfer_redirected(&t, code));
    enum err e = transfer_end(&t, code, d);
    *out = t.result; /* the body goes along, also of a call that failed half way */
    struct str type = str_first(t.result.content_type, sizeof(out->media) - 1);
    if (type.n) memcpy(out->media, type.p, type.n);
    out->content_type = str_make(out->media, type.n);
    transfer_done(&t);
    return e;
}

static enum err fetch_token(struct arena *a, struct http_kit *kit, int64_t timeout_ms,
                            const _Atomic(bool) *cancel, struct diag *d)
{
    const struct token_kit *t = kit->token;
    const struct http_kit own = { .tls = t->tls,
                                  .proxy = t->proxy,
                                  .follow_redirects = true,
                                  .http2 = true,
                                  .from_config = true };
    kit->authorization = token_cached(a, t, clock_mono_ms());
    for (int style = 0; !kit->authorization.n; style++) {
        struct http_pair headers[2];
        struct http_call call;
        struct http_result res = { 0 };
        token_call(a, t, (enum token_style)style, timeout_ms, headers, &call);
        enum err e = perform(&call, &own, cancel, &res, d);
        if (e == OK && (res.status / 100 != 4 || style + 1 == TOKEN_STYLES)) {
            e = token_take(a, t, res.status, buf_str(&res.body), clock_mono_ms(),
                           &kit->authorization, d);
        }
        buf_done(&res.body);
        TRY(e);
    }
    return OK;
}

enum err http_fetch(const struct http_call *call, const _Atomic(bool) *cancel,
                    struct http_result *out, struct diag *d)
{
    ARENA(a, 0);
    struct http_kit kit;
    struct http_call c = *call;
    int64_t began = clock_mono_ms();
    curl_ready();
    *out = (struct http_result){ 0 };
    TRY(make_kit(&a, call, &kit, d));
    if (c.timeout_ms <= 0) c.timeout_ms = TIMEOUT_DEFAULT_MS;
    if (kit.token) {
        TRY(fetch_token(&a, &kit, c.timeout_ms, cancel, d));
        int64_t left = c.timeout_ms - (clock_mono_ms() - began);
        c.timeout_ms = left > 1 ? left : 1;
    }
    return perform(&c, &kit, cancel, out, d);
}
