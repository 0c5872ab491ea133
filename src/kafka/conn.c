/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/conn.h"

#include "base/assert.h"
#include "base/list.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    MAGIC = 0x6b61666b,
    WHO_MAX = 200,
    LINK_INPUT_MAX = 1 << 20, /* each read is moved into our buffer at once */
    /* An answer decoded is larger than its bytes, at most so many times; more is an attack on our memory. */
    DECODED_TIMES = 24,
    DECODED_LEAST = 1 << 20,
};

enum conn_state { CONN_CONNECTING, CONN_ASKING, CONN_READY, CONN_DOWN };

/* A request under way. */
struct pending {
    struct list in_queue;
    enum kafka_api_id api;
    int16_t version;
    int32_t correlation;
    kafka_answer *answer;
    struct kafka_tag tag;
};

struct kafka_conn {
    uint32_t magic;
    enum conn_state state;
    const struct kafka_net *net;
    void *link; /* NULL once the link is gone */
    const struct kafka_conn_events *ev;
    void *ctx;
    struct kafka_versions versions;
    struct list queue; /* of struct pending, oldest first */
    int64_t head_since_ms;
    int64_t request_timeout_ms;
    int32_t correlation;
    size_t response_max;
    bool busy, closed; /* inside a callback; closed meanwhile: freed on the way out */
    bool got_any;      /* a whole frame came once: it is Kafka */
    struct buf in;
    struct arena arena; /* of one answer */
    char client_id[64];
    char where[WHO_MAX]; /* "broker 2 (kafka2:9092)" */
    char address[WHO_MAX];
};

static void conn_free(struct kafka_conn *c)
{
    LIST_FOR(it, &c->queue) free(CONTAINER_OF(it, struct pending, in_queue));
    buf_done(&c->in);
    arena_done(&c->arena);
    c->magic = 0;
    free(c);
}

/* Leaves a stretch of callbacks; false when the conn ended in one of them and is gone now. */
static bool still_there(struct kafka_conn *c)
{
    c->busy = false;
    if (!c->closed) return true;
    conn_free(c);
    return false;
}

static const struct pending *head(const struct kafka_conn *c)
{
    return list_empty(&c->queue) ? NULL : CONTAINER_OF(c->queue.next, struct pending, in_queue);
}

/* "... to Metadata", or nothing when no request is under way. */
static const char *asked(const struct kafka_conn *c)
{
    const struct pending *p = head(c);
    return p ? KAFKA_APIS[p->api].name : "a connection";
}

/* Ends the connection: every request under way hears why, then the owner. */
static void conn_fail(struct kafka_conn *c, enum err e, const struct diag *d)
{
    if (c->state == CONN_DOWN) return;
    c->state = CONN_DOWN;
    if (c->link) c->net->close(c->link);
    c->link = NULL;
    bool outer = c->busy;
    c->busy = true;
    while (!c->closed && !list_empty(&c->queue)) {
        struct pending *p = CONTAINER_OF(c->queue.next, struct pending, in_queue);
        list_remove(&p->in_queue);
        p->answer(&p->tag, e, NULL, d);
        free(p);
    }
    if (!c->closed) {
        c->closed = true;
        c->ev->on_down(c->ctx, e, d);
    }
    if (!outer) (void)still_there(c);
}

static void on_versions(const struct kafka_tag *tag, enum err e, const void *res,
                        const struct diag *d);

static void ask_versions(struct kafka_conn *c, int16_t version)
{
    c->state = CONN_ASKING;
    c->versions.use[KAFKA_API_VERSIONS] = version;
    struct kafka_api_versions_req req = { .client_software_name = STR("vigie"),
                                          .client_software_version = STR("1") };
    struct diag d;
    ASSERT(kafka_conn_send(c, KAFKA_API_VERSIONS, &req, on_versions,
                           (struct kafka_tag){ c, 0, 0, 0 }, &d) == OK);
}

static void on_versions(const struct kafka_tag *tag, enum err e, const void *res,
                        const struct diag *d)
{
    enum { UNSUPPORTED_VERSION = 35 };
    struct kafka_conn *c = tag->owner;
    const struct kafka_api_versions_res *r = res;
    struct diag why = { 0 };
    (void)d;
    if (e != OK) return; /* conn_fail is under way */
    int16_t asked_version = c->versions.use[KAFKA_API_VERSIONS];
    if (r->error_code == UNSUPPORTED_VERSION && asked_version > 0) {
        ask_versions(c, 0);
        return;
    }
    if (r->error_code) {
        e = diag_set(&why, ERR_UNSUPPORTED, "%s: ApiVersions was answered with error %d", c->where,
                     r->error_code);
        conn_fail(c, e, &why);
        return;
    }
    kafka_versions_pick(r, &c->versions);
    c->state = CONN_READY;
    c->ev->on_ready(c->ctx);
}

static void on_open(void *ctx)
{
    struct kafka_conn *c = ctx;
    ASSERT(c->magic == MAGIC && c->state == CONN_CONNECTING);
    ask_versions(c, KAFKA_APIS[KAFKA_API_VERSIONS].max);
}

static enum err read_answer(struct kafka_conn *c, struct pending *p, struct str frame,
                            int32_t *correlation, void *res)
{
    if (p->api != KAFKA_API_VERSIONS) {
        return kafka_response_read(p->api, p->version, frame, &c->arena, correlation, res);
    }
    return kafka_api_versions_read(frame, &p->version, &c->arena, correlation, res);
}

/* One whole frame: the answer to the head of the queue. */
static enum err on_frame(struct kafka_conn *c, struct str frame, struct diag *d)
{
    c->got_any = true;
    if (list_empty(&c->queue)) {
        return diag_set(d, ERR_SYNTAX, "%s: an answer to nothing came (%zu bytes)", c->where,
                        frame.n);
    }
    struct pending *p = CONTAINER_OF(c->queue.next, struct pending, in_queue);
    const struct kafka_api *x = &KAFKA_APIS[p->api];
    arena_reset(&c->arena);
    c->arena.limit = DECODED_LEAST + DECODED_TIMES * frame.n;
    void *res = arena_alloc(&c->arena, x->response->size);
    int32_t correlation;
    enum err e = read_answer(c, p, frame, &correlation, res);
    if (e != OK) {
        return diag_set(d, e, "%s: its answer to %s version %d cannot be read: %s", c->where,
                        x->name, p->version, err_name(e));
    }
    if (correlation != p->correlation) {
        return diag_set(d, ERR_SYNTAX, "%s: answered request %d when %s, request %d, was due",
                        c->where, correlation, x->name, p->correlation);
    }
    list_remove(&p->in_queue);
    c->head_since_ms = c->net->now_ms(c->net->ctx);
    p->answer(&p->tag, OK, res, NULL);
    free(p);
    return OK;
}

/* Why the bytes at hand are no frame. */
static enum err bad_bytes(struct kafka_conn *c, enum err e, struct diag *d)
{
    const char *other = c->got_any ? NULL : kafka_frame_stranger(buf_str(&c->in));
    if (other) {
        return diag_set(d, ERR_SYNTAX,
                        "%s: speaks %s, not Kafka's protocol, in answer to %s: this is another "
                        "port%s",
                        c->where, other, asked(c),
                        strcmp(other, "TLS") == 0 ? " or a TLS listener (TLS is not supported yet)"
                                                  : "");
    }
    if (e == ERR_LIMIT) {
        return diag_set(d, e, "%s: its answer to %s would be larger than the limit of %zu bytes",
                        c->where, asked(c), c->response_max);
    }
    return diag_set(d, e, "%s: its answer to %s is not Kafka's protocol", c->where, asked(c));
}

/* Frames are taken from our own buffer: the link may be closed by what they set off. */
static void on_data(void *ctx)
{
    struct kafka_conn *c = ctx;
    ASSERT(c->magic == MAGIC);
    struct str in = c->net->input(c->link);
    buf_put(&c->in, in);
    c->net->consume(c->link, in.n);

    struct diag d = { 0 };
    size_t at = 0;
    enum err e = OK;
    c->busy = true;
    while (!c->closed && c->state != CONN_DOWN) {
        struct str frame, rest = str_from(buf_str(&c->in), at);
        e = rest.n >= KAFKA_FRAME_HEAD && !c->got_any && kafka_frame_stranger(rest)
                ? ERR_SYNTAX
                : kafka_frame_peek(rest, c->response_max, &frame);
        if (e == ERR_AGAIN) break;
        if (e != OK) {
            e = bad_bytes(c, e, &d);
        } else {
            at += KAFKA_FRAME_HEAD + frame.n;
            e = on_frame(c, frame, &d);
        }
        if (e != OK) {
            conn_fail(c, e, &d);
            break;
        }
    }
    if (!still_there(c)) return;
    buf_drop(&c->in, at);
}

/* The link ended. Its sentence begins with the address, which ours has already. */
static void on_close(void *ctx, enum err e, const struct diag *why)
{
    struct kafka_conn *c = ctx;
    ASSERT(c->magic == MAGIC);
    c->link = NULL;
    struct diag d = { 0 };
    struct str text = str_c(why->text);
    if (str_starts(text, str_c(c->address))) text = str_from(text, strlen(c->address));
    const char *hint = "";
    if (c->state == CONN_ASKING && !c->got_any) {
        hint = " (is it a Kafka port? a TLS listener or another service may do so)";
    }
    if (c->in.n) {
        e = diag_set(&d, e, "%s: " STR_FMT " in the middle of its answer to %s", c->where,
                     STR_ARG(text), asked(c));
    } else if (!list_empty(&c->queue)) {
        e = diag_set(&d, e, "%s: " STR_FMT " before it answered %s%s", c->where, STR_ARG(text),
                     asked(c), hint);
    } else {
        e = diag_set(&d, e, "%s: " STR_FMT, c->where, STR_ARG(text));
    }
    conn_fail(c, e, &d);
}

static const struct stream_events LINK_EVENTS = { on_open, on_data, on_close };

struct kafka_conn *kafka_conn_open(const struct kafka_net *net, const struct kafka_conn_options *o,
                                   const struct kafka_conn_events *ev, void *ctx)
{
    struct kafka_conn *c = calloc(1, sizeof(*c));
    ASSERT(c != NULL);
    *c = (struct kafka_conn){
        .magic = MAGIC,
        .net = net,
        .ev = ev,
        .ctx = ctx,
        .request_timeout_ms = o->request_timeout_ms,
        .response_max = o->response_max,
        .in.max = o->response_max + KAFKA_FRAME_HEAD + 2 * LINK_INPUT_MAX,
    };
    list_init(&c->queue);
    (void)snprintf(c->where, sizeof(c->where), STR_FMT " (" STR_FMT ":%u)", STR_ARG(o->who),
                   STR_ARG(o->host), o->port);
    (void)snprintf(c->address, sizeof(c->address), STR_FMT ":%u: ", STR_ARG(o->host), o->port);
    (void)snprintf(c->client_id, sizeof(c->client_id), STR_FMT, STR_ARG(o->client_id));
    struct stream_options to = { .host = o->host,
                                 .port = o->port,
                                 .connect_timeout_ms = o->connect_timeout_ms,
                                 .input_max = LINK_INPUT_MAX };
    c->link = net->connect(net->ctx, &to, &LINK_EVENTS, c);
    return c;
}

bool kafka_conn_ready(const struct kafka_conn *c) { return c && c->state == CONN_READY; }

int16_t kafka_conn_version(const struct kafka_conn *c, enum kafka_api_id api)
{
    return c->versions.use[api];
}

bool kafka_conn_has(const struct kafka_conn *c, enum kafka_api_id api)
{
    return kafka_conn_version(c, api) >= 0;
}

enum err kafka_conn_send(struct kafka_conn *c, enum kafka_api_id api, const void *req,
                         kafka_answer *answer, struct kafka_tag tag, struct diag *d)
{
    ASSERT(c->magic == MAGIC && (c->state == CONN_READY || c->state == CONN_ASKING));
    struct diag why = { 0 };
    enum err e = api == KAFKA_API_VERSIONS ? OK : kafka_versions_need(&c->versions, api, &why);
    if (e != OK) return diag_set(d, e, "%s: %s", c->where, why.text);
    int64_t now = c->net->now_ms(c->net->ctx);
    struct pending *p = calloc(1, sizeof(*p));
    ASSERT(p != NULL);
    *p = (struct pending){ .api = api,
                           .version = c->versions.use[api],
                           .correlation = ++c->correlation,
                           .answer = answer,
                           .tag = tag };
    p->tag.sent_ms = now;
    if (list_empty(&c->queue)) c->head_since_ms = now;
    list_add_tail(&c->queue, &p->in_queue);
    BUF(out, 0);
    kafka_request_write(&out, api, p->version, p->correlation, str_c(c->client_id), req);
    c->net->write(c->link, buf_str(&out));
    c->net->wake(c->net->ctx, now + c->request_timeout_ms);
    if (c->ev->on_sent) c->ev->on_sent(c->ctx, api);
    return OK;
}

int64_t kafka_conn_due(const struct kafka_conn *c)
{
    return list_empty(&c->queue) ? INT64_MAX : c->head_since_ms + c->request_timeout_ms;
}

void kafka_conn_tick(struct kafka_conn *c, int64_t now_ms)
{
    if (now_ms < kafka_conn_due(c)) return;
    struct diag d = { 0 };
    enum err e = diag_set(&d, ERR_TIMEOUT, "%s: no %sanswer to %s within %.1f s%s", c->where,
                          c->in.n ? "whole " : "", asked(c), (double)c->request_timeout_ms / 1000,
                          c->got_any ? "" : " (is it a Kafka port?)");
    conn_fail(c, e, &d);
}

void kafka_conn_close(struct kafka_conn *c)
{
    if (!c || c->closed) return;
    c->closed = true;
    c->state = CONN_DOWN;
    if (c->link) c->net->close(c->link);
    c->link = NULL;
    if (!c->busy) conn_free(c);
}
