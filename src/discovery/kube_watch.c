/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery/kube_watch.h"

#include "base/assert.h"
#include "io/clock.h"

#include <stdlib.h>

enum {
    PAGE_OBJECTS = 100,
    PAGE_BYTES_MAX = 64 << 20,
    EVENT_BYTES_MAX = 4 << 20,
    RETRY_MS = 1000,
    RETRY_MAX_MS = 30000,
    LIST_TIMEOUT_MS = 60000,
    WATCH_S = 300,
    WATCH_GRACE_MS = 30000,
};

enum state { WAITING, LISTING, WATCHING };

struct kube_watch {
    struct loop *loop;
    struct http_client *client;
    const struct kube_access *access;
    struct kube_objects *objects;
    struct kube_watch_want want;
    const struct kube_watch_events *ev;
    void *ctx;
    struct arena arena; /* want, user agent */
    struct str user_agent;
    enum state state;
    struct http_ticket *ticket;
    struct timer timer;
    int64_t retry_ms;
    struct buf version, next; /* resource version; continue token of a list */
    uint32_t mark;            /* of the present list */
    bool listed;
    struct buf line; /* a watch's event so far */
    enum err event_err;
    struct diag event_why;
};

/* --- URLs --- */

static const char *group_of(enum kube_kind k)
{
    return k == KIND_SLICE     ? "/apis/discovery.k8s.io/v1"
           : k == KIND_INGRESS ? "/apis/networking.k8s.io/v1"
                               : "/api/v1";
}

static const char *resource_of(enum kube_kind k)
{
    static const char *const NAMES[] = {
        [KIND_POD] = "pods",
        [KIND_SERVICE] = "services",
        [KIND_ENDPOINTS] = "endpoints",
        [KIND_SLICE] = "endpointslices",
        [KIND_NODE] = "nodes",
        [KIND_INGRESS] = "ingresses",
        [KIND_NAMESPACE] = "namespaces",
    };
    return NAMES[k];
}

static void put_query(struct buf *b, char before, const char *name, struct str value)
{
    if (!value.n) return;
    buf_fmt(b, "%c%s=", before, name);
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c && strchr("-_.~", c));
        if (plain) {
            buf_char(b, (char)c);
        } else {
            buf_fmt(b, "%%%02X", c);
        }
    }
}

static void put_url(const struct kube_watch *w, struct buf *b)
{
    const struct kube_watch_want *want = &w->want;
    buf_put(b, w->access->url);
    buf_putc(b, group_of(want->kind));
    bool cluster_wide = want->kind == KIND_NODE || want->kind == KIND_NAMESPACE;
    if (want->ns.n && !cluster_wide) buf_fmt(b, "/namespaces/" STR_FMT, STR_ARG(want->ns));
    buf_fmt(b, "/%s", resource_of(want->kind));
    if (w->state == WATCHING) {
        buf_fmt(b, "?watch=true&allowWatchBookmarks=true&timeoutSeconds=%d", WATCH_S);
        put_query(b, '&', "resourceVersion", buf_str(&w->version));
    } else {
        buf_fmt(b, "?limit=%d", PAGE_OBJECTS);
        put_query(b, '&', "continue", buf_str(&w->next));
    }
    put_query(b, '&', "labelSelector", want->labels);
    put_query(b, '&', "fieldSelector", want->fields);
}

/* --- states --- */

static void send(struct kube_watch *w);

static void on_timer(void *ctx)
{
    struct kube_watch *w = ctx;
    if (w->state == WAITING) w->state = LISTING;
    send(w);
}

static void begin_list(struct kube_watch *w)
{
    w->state = LISTING;
    w->mark++;
    buf_reset(&w->next);
    timer_set(&w->timer, 0);
}

static void try_later(struct kube_watch *w, const struct diag *d)
{
    w->ev->failed(w->ctx, d);
    if (w->state == LISTING) begin_list(w); /* from its first page */
    timer_set(&w->timer, w->retry_ms);
    w->retry_ms = w->retry_ms * 2 < RETRY_MAX_MS ? w->retry_ms * 2 : RETRY_MAX_MS;
}

static void set_text(struct buf *b, struct str s)
{
    buf_reset(b);
    buf_put(b, s);
}

/* --- lists --- */

static enum err take_page(struct kube_watch *w, struct str body, bool *more, struct diag *d)
{
    ARENA(a, 0);
    const struct json *v = NULL, *items = NULL, *meta = NULL;
    TRY(json_parse(&a, arena_dup(&a, body), &v, d));
    items = json_get(v, "items");
    meta = json_get(v, "metadata");
    if (!items || (items->kind != JSON_ARRAY && items->kind != JSON_NULL)) {
        return diag_set(d, ERR_SYNTAX, "the answer is no list of objects");
    }
    for (size_t i = 0; items->kind == JSON_ARRAY && i < items->n; i++) {
        enum err e = OK;
        bool fresh = kube_objects_put(w->objects, w->want.kind, &items->items[i], w, w->mark, &e);
        if (e != OK) continue; /* nobody's: it has no name */
        w->ev->change(w->ctx, w->want.kind, fresh ? KUBE_ADDED : KUBE_UPDATED);
    }
    set_text(&w->version, json_str(json_get(meta, "resourceVersion"), STR("")));
    set_text(&w->next, json_str(json_get(meta, "continue"), STR("")));
    *more = w->next.n > 0;
    return OK;
}

static void list_done(struct kube_watch *w)
{
    size_t gone = kube_objects_sweep(w->objects, w->want.kind, w, w->mark);
    while (gone--) w->ev->change(w->ctx, w->want.kind, KUBE_DELETED);
    w->listed = true;
    w->retry_ms = RETRY_MS;
    w->state = WATCHING;
    w->ev->listed(w->ctx);
    timer_set(&w->timer, 0);
}

static void page_came(struct kube_watch *w, const struct http_result *r)
{
    struct diag d = { 0 };
    bool more = false;
    if (r->status == 410) { /* the continue token is too old */
        begin_list(w);
        timer_set(&w->timer, w->retry_ms);
        return;
    }
    enum err e = r->status != 200 ? diag_set(&d, ERR_DENIED, "listing %s: the server answered %d",
                                             resource_of(w->want.kind), r->status)
                                  : take_page(w, buf_str(&r->body), &more, &d);
    if (e != OK) {
        try_later(w, &d);
    } else if (more) {
        timer_set(&w->timer, 0);
    } else {
        list_done(w);
    }
}

/* --- watches --- */

enum err kube_event(struct arena *a, struct str line, enum kube_kind kind, const void *owner,
                    uint32_t mark, struct kube_objects *objects, enum kube_change *change,
                    bool *changed, struct str *rv, struct diag *d)
{
    const struct json *v = NULL;
    struct str key;
    enum err e = OK;
    *changed = false;
    TRY(json_parse(a, line, &v, d));
    struct str type = json_str(json_get(v, "type"), STR(""));
    const struct json *object = json_get(v, "object");
    struct str version = json_str(json_get(json_get(object, "metadata"), "resourceVersion"),
                                  STR(""));
    if (str_eqc(type, "ERROR")) {
        if (json_num(json_get(object, "code"), 0) == 410.0) return ERR_MISSING;
        return diag_set(d, ERR_SYS, "watching: " STR_FMT,
                        STR_ARG(json_str(json_get(object, "message"), STR("an error event"))));
    }
    if (str_eqc(type, "ADDED") || str_eqc(type, "MODIFIED")) {
        bool fresh = kube_objects_put(objects, kind, object, owner, mark, &e);
        if (e != OK) return diag_set(d, e, "an event's object has no name");
        *change = fresh ? KUBE_ADDED : KUBE_UPDATED;
        *changed = true;
    } else if (str_eqc(type, "DELETED")) {
        if (kube_key(a, object, &key) != OK) {
            return diag_set(d, ERR_SYNTAX, "an event's object has no name");
        }
        *change = KUBE_DELETED;
        *changed = kube_objects_del(objects, kind, key);
    } else if (!str_eqc(type, "BOOKMARK")) {
        return diag_set(d, ERR_SYNTAX, "an event of unknown type \"" STR_FMT "\"", STR_ARG(type));
    }
    if (version.n) *rv = version;
    return OK;
}

static enum err take_line(struct kube_watch *w, struct str line)
{
    ARENA(a, 0);
    struct str rv = { 0 };
    enum kube_change change;
    bool changed;
    if (!str_trim(line).n) return OK;
    enum err e = kube_event(&a, arena_dup(&a, line), w->want.kind, w, w->mark, w->objects, &change,
                            &changed, &rv, &w->event_why);
    if (e != OK) return e;
    w->retry_ms = RETRY_MS;
    if (rv.n) set_text(&w->version, rv);
    if (changed) w->ev->change(w->ctx, w->want.kind, change);
    return OK;
}

/* Events stand a line each; the last may be cut. */
static bool on_events(struct kube_watch *w, struct str slice)
{
    struct str head, rest;
    while (str_cut(slice, '\n', &head, &rest)) {
        buf_put(&w->line, head);
        w->event_err = take_line(w, buf_str(&w->line));
        buf_reset(&w->line);
        if (w->event_err != OK) return false;
        slice = rest;
    }
    buf_put(&w->line, slice);
    if (!w->line.over) return true;
    w->event_err = diag_set(&w->event_why, ERR_LIMIT, "an event is larger than 4 MiB");
    return false;
}

static void watch_ended(struct kube_watch *w, enum err e, const struct http_result *r,
                        const struct diag *why)
{
    struct diag d = *why;
    if (w->event_err == ERR_MISSING || (e == OK && r->status == 410)) {
        begin_list(w);
        timer_set(&w->timer, RETRY_MS); /* a server that always forgets is not asked without end */
        return;
    }
    if (w->event_err != OK) {
        d = w->event_why;
        e = w->event_err;
    } else if (e == OK && r->status != 200) {
        e = diag_set(&d, ERR_DENIED, "watching %s: the server answered %d",
                     resource_of(w->want.kind), r->status);
    }
    bool quiet = e == OK || e == ERR_EOF || e == ERR_TIMEOUT;
    if (!quiet) {
        try_later(w, &d);
        return;
    }
    timer_set(&w->timer, RETRY_MS); /* on from where it ended */
}

static bool on_body(void *ctx, struct http_result *so_far, struct str slice)
{
    struct kube_watch *w = ctx;
    if (w->state == WATCHING) return so_far->status != 200 || on_events(w, slice);
    buf_put(&so_far->body, slice);
    return !so_far->body.over;
}

static void on_done(void *ctx, enum err e, struct http_result *r, const struct diag *d)
{
    struct kube_watch *w = ctx;
    w->ticket = NULL;
    if (e == ERR_CANCELED) return;
    if (w->state == WATCHING) {
        watch_ended(w, e, r, d);
    } else if (e != OK) {
        try_later(w, d);
    } else {
        page_came(w, r);
    }
}

static const struct http_events EVENTS = { on_body, on_done };

static void send(struct kube_watch *w)
{
    BUF(url, 0);
    const struct http_pair headers[] = { { STR("User-Agent"), w->user_agent },
                                         { STR("Accept"), STR("application/json") } };
    put_url(w, &url);
    buf_reset(&w->line);
    w->event_err = OK;
    w->event_why = (struct diag){ 0 };
    const struct http_call call = {
        .url = buf_str(&url),
        .headers = headers,
        .headers_n = ARRAY_LEN(headers),
        .timeout_ms = w->state == WATCHING ? WATCH_S * 1000 + WATCH_GRACE_MS : LIST_TIMEOUT_MS,
        .body_max = w->state == WATCHING ? SIZE_MAX / 2 : PAGE_BYTES_MAX,
        .accept_gzip = w->state != WATCHING, /* events are to come when they happen */
        .config = &w->access->http,
    };
    w->ticket = http_client_start(w->client, &call, &EVENTS, w);
}

/* --- life --- */

struct kube_watch *kube_watch_new(struct loop *l, struct http_client *client, struct str user_agent,
                                  const struct kube_access *access, struct kube_objects *objects,
                                  const struct kube_watch_want *want,
                                  const struct kube_watch_events *ev, void *ctx)
{
    struct kube_watch *w = calloc(1, sizeof(*w));
    ASSERT(w != NULL);
    *w = (struct kube_watch){ .loop = l,
                              .client = client,
                              .access = access,
                              .objects = objects,
                              .ev = ev,
                              .ctx = ctx,
                              .retry_ms = RETRY_MS };
    w->user_agent = arena_dup(&w->arena, user_agent);
    w->want = *want;
    w->want.ns = arena_dup(&w->arena, want->ns);
    w->want.labels = arena_dup(&w->arena, want->labels);
    w->want.fields = arena_dup(&w->arena, want->fields);
    buf_init(&w->version, 4096);
    buf_init(&w->next, 64 << 10);
    buf_init(&w->line, EVENT_BYTES_MAX);
    timer_init(&w->timer, l, on_timer, w);
    begin_list(w);
    return w;
}

void kube_watch_free(struct kube_watch *w)
{
    if (!w) return;
    http_client_cancel(w->ticket);
    timer_done(&w->timer);
    buf_done(&w->version);
    buf_done(&w->next);
    buf_done(&w->line);
    arena_done(&w->arena);
    free(w);
}

bool kube_watch_listed(const struct kube_watch *w) { return w->listed; }
