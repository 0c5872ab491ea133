/* SPDX-License-Identifier: Apache-2.0 */
#include "scrape/net.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/list.h"
#include "io/clock.h"
#include "io/http_client.h"
#include "io/pool.h"

#include <stdlib.h>
#include <unistd.h>

struct scrape_net {
    struct loop *loop;
    struct pool *pool;
    struct http_client *client;
    struct str user_agent;
    void (*on_wake)(void *ctx);
    void *ctx;
    struct list offloaded; /* not yet told to be done */
};

/* --- requests --- */

struct request {
    struct scraper *s;
    struct http_ticket *ticket;
};

static struct scrape_reply reply_of(const struct http_result *r, enum err e, const struct diag *d)
{
    return (struct scrape_reply){ .err = e,
                                  .why = d ? str_c(d->text) : STR(""),
                                  .status = r->status,
                                  .content_type = r->content_type };
}

static bool on_body(void *ctx, struct http_result *so_far, struct str slice)
{
    struct request *rq = ctx;
    struct scrape_reply head = reply_of(so_far, OK, NULL);
    return scrape_on_body(rq->s, &head, slice);
}

static void on_done(void *ctx, enum err e, struct http_result *res, const struct diag *d)
{
    struct request *rq = ctx;
    struct scrape_reply reply = reply_of(res, e, d);
    scrape_on_done(rq->s, &reply);
    free(rq);
}

static const struct http_events EVENTS = { on_body, on_done };

static size_t put_headers(struct scrape_net *n, struct arena *a, const struct scrape_request *req,
                          struct http_pair *h)
{
    size_t count = 0;
    h[count++] = (struct http_pair){ STR("Accept"), req->accept };
    h[count++] = (struct http_pair){ STR("User-Agent"), n->user_agent };
    h[count++] = (struct http_pair){
        STR("X-Prometheus-Scrape-Timeout-Seconds"),
        req->timeout_ms % 1000 ? arena_fmt(a, "%lld.%03d", (long long)(req->timeout_ms / 1000),
                                           (int)(req->timeout_ms % 1000))
                               : arena_fmt(a, "%lld", (long long)(req->timeout_ms / 1000))
    };
    return count;
}

static void *fetch(void *ctx, const struct scrape_request *req, struct scraper *s)
{
    struct scrape_net *n = ctx;
    struct request *rq = calloc(1, sizeof(*rq));
    ASSERT(rq);
    ARENA(a, 0);
    struct http_pair headers[3];
    struct http_call call = {
        .url = req->url,
        .headers = headers,
        .headers_n = put_headers(n, &a, req, headers),
        .timeout_ms = req->timeout_ms,
        .body_max = req->body_max,
        .accept_gzip = req->gzip,
        .config = req->http,
    };
    rq->s = s;
    rq->ticket = http_client_start(n->client, &call, &EVENTS, rq);
    return rq;
}

static void cancel(void *ctx, void *ticket)
{
    (void)ctx;
    struct request *rq = ticket;
    if (!rq) return;
    http_client_cancel(rq->ticket);
    free(rq);
}

/* --- jobs --- */

struct offloaded {
    struct job job;
    struct list in_net;
    bool ran;
    void (*work)(void *arg);
    void (*done)(void *arg);
    void *arg;
};

static void run(struct job *j)
{
    struct offloaded *o = (struct offloaded *)j;
    o->work(o->arg);
    o->ran = true;
}

/* Not told to the engine where the pool closed before the work began: the process is ending. */
static void done(struct job *j)
{
    struct offloaded *o = (struct offloaded *)j;
    list_remove(&o->in_net);
    if (o->ran) o->done(o->arg);
    free(o);
}

/* In the rules' lane: samples are what rules are about, and the lane always has a worker. */
static void offload(void *ctx, void (*work)(void *arg), void (*when_done)(void *arg), void *arg)
{
    struct scrape_net *n = ctx;
    struct offloaded *o = calloc(1, sizeof(*o));
    ASSERT(o);
    *o = (struct offloaded){
        .job = { .lane = LANE_RULES, .run = run, .done = done, .loop = n->loop },
        .work = work,
        .done = when_done,
        .arg = arg
    };
    list_add_tail(&n->offloaded, &o->in_net);
    pool_submit(n->pool, &o->job);
}

static int64_t now_ms(void *ctx)
{
    (void)ctx;
    return clock_now_ms();
}

static int64_t mono_ns(void *ctx)
{
    (void)ctx;
    return clock_mono_ns();
}

static void wake(void *ctx)
{
    struct scrape_net *n = ctx;
    if (n->on_wake) n->on_wake(n->ctx);
}

/* --- life --- */

struct scrape_net *scrape_net_new(struct loop *l, struct pool *p, struct str user_agent,
                                  void (*on_wake)(void *ctx), void *ctx)
{
    struct scrape_net *n = calloc(1, sizeof(*n));
    ASSERT(n);
    *n = (struct scrape_net){ .loop = l,
                              .pool = p,
                              .client = http_client_new(l),
                              .user_agent = user_agent,
                              .on_wake = on_wake,
                              .ctx = ctx };
    list_init(&n->offloaded);
    return n;
}

void scrape_net_free(struct scrape_net *n)
{
    if (!n) return;
    LIST_FOR(it,
             &n->offloaded) { /* their done() stayed in the mailbox of a loop that had stopped */
        free(CONTAINER_OF(it, struct offloaded, in_net));
    }
    http_client_free(n->client);
    free(n);
}

struct scrape_env scrape_net_env(struct scrape_net *n)
{
    return (struct scrape_env){ .ctx = n,
                                .fetch = fetch,
                                .cancel = cancel,
                                .offload = offload,
                                .now_ms = now_ms,
                                .mono_ns = mono_ns,
                                .wake = wake };
}

uint64_t scrape_offset_seed(struct labels external_labels)
{
    char host[256] = "";
    BUF(b, 0);
    (void)gethostname(host, sizeof(host) - 1);
    labels_write(&b, external_labels);
    return hash_fnv1a(hash_fnv1a(FNV1A_INIT, str_c(host)), buf_str(&b));
}
