/* SPDX-License-Identifier: Apache-2.0 */
#include "roles/prometheus/notify.h"

#include "base/assert.h"
#include "base/list.h"
#include "base/log.h"
#include "codec/expowrite.h"
#include "codec/gotime.h"
#include "codec/json.h"
#include "io/http_client.h"
#include "io/loop.h"

#include <pthread.h>
#include <stdlib.h>

enum { TIMEOUT_DEFAULT_MS = 10000 };

/* One alert as the JSON object that is sent, with its labels for per-Alertmanager relabelling. */
struct letter {
    struct list in_queue;
    struct arena arena; /* holds the letter itself */
    struct notice notice;
};

struct receiver {
    struct notify *n;
    struct str url; /* malloc'ed; the key */
    struct prom_config *config;
    const struct alertmanager_config *am; /* in config */
    struct list queue;
    size_t queued;
    struct http_ticket *ticket;
    size_t sending; /* alerts of the batch under way */
    uint64_t sent, errors, dropped;
    bool failing, stays;
    struct receiver *next;
};

struct found {
    struct arena arena;
    struct sd_groups groups;
};

struct notify {
    struct notifier base;
    struct loop *loop;
    struct http_client *client;
    size_t capacity, batch;
    struct prom_config *config; /* the loop's */
    struct found *found;        /* one an Alertmanager section of it */
    size_t found_n;
    struct receiver *receivers; /* changed on the loop under lock; read elsewhere under lock */
    pthread_mutex_t lock;
};

static void letter_free(struct letter *l)
{
    struct arena a = l->arena;
    arena_done(&a);
}

static struct letter *letter_new(const struct notice *from)
{
    struct arena a;
    arena_init(&a, 0);
    struct letter *l = arena_new(&a, struct letter);
    l->notice = *from;
    l->notice.labels = labels_dup(&a, from->labels);
    l->notice.annotations = labels_dup(&a, from->annotations);
    l->notice.generator_url = arena_dup(&a, from->generator_url);
    l->arena = a;
    return l;
}

/* --- sending --- */

static void put_labels(struct json_writer *w, const char *key, struct labels lb)
{
    json_key(w, key);
    json_open(w, '{');
    for (size_t i = 0; i < lb.n; i++) {
        json_key_str(w, lb.v[i].name);
        json_put_str(w, lb.v[i].value);
    }
    json_close(w, '}');
}

static void put_time(struct json_writer *w, const char *key, int64_t ms)
{
    BUF(b, 64);
    rfc3339_write(&b, ms);
    json_key(w, key);
    json_put_str(w, buf_str(&b));
}

static void put_letter(struct json_writer *w, const struct notice *x, struct labels lb)
{
    json_open(w, '{');
    put_labels(w, "annotations", x->annotations);
    if (x->ends_at) put_time(w, "endsAt", x->ends_at);
    put_time(w, "startsAt", x->starts_at);
    json_key(w, "generatorURL");
    json_put_str(w, x->generator_url);
    put_labels(w, "labels", lb);
    json_close(w, '}');
}

static void send_next(struct receiver *r);

static void on_done(void *ctx, enum err e, struct http_result *res, const struct diag *d)
{
    struct receiver *r = ctx;
    r->ticket = NULL;
    if (e == ERR_CANCELED) return; /* the role ends */
    bool ok = e == OK && res->status / 100 == 2;
    pthread_mutex_lock(&r->n->lock);
    if (ok) r->sent += r->sending;
    if (!ok) r->errors += r->sending;
    pthread_mutex_unlock(&r->n->lock);
    if (!ok && !r->failing) {
        LOG(ERROR, "Error sending alerts", kv("alertmanager", r->url), kv("count", r->sending),
            kv("status", res->status), kv("err", d->text));
    }
    if (ok && r->failing) LOG(INFO, "alerts are taken again", kv("alertmanager", r->url));
    r->failing = !ok;
    send_next(r);
}

static const struct http_events EVENTS = { .on_done = on_done };

/* Takes up to a batch off the queue into w; alert_relabel_configs of this Alertmanager may drop some. */
static size_t take_batch(struct receiver *r, struct json_writer *w)
{
    size_t n = 0, taken = 0;
    ARENA(a, 0);
    json_open(w, '[');
    LIST_FOR(it, &r->queue) {
        if (taken++ == r->n->batch) break;
        struct letter *l = CONTAINER_OF(it, struct letter, in_queue);
        struct labels_builder b;
        labels_builder_init(&b, &a, l->notice.labels);
        if (relabel_apply(&b, r->am->alert_relabel.v, r->am->alert_relabel.n)) {
            put_letter(w, &l->notice, labels_build(&b));
            n++;
        }
        list_remove(it);
        r->queued--;
        letter_free(l);
    }
    json_close(w, ']');
    return n;
}

static void send_next(struct receiver *r)
{
    if (r->ticket || list_empty(&r->queue)) return;
    BUF(body, 0);
    struct json_writer w = json_writer(&body);
    pthread_mutex_lock(&r->n->lock);
    r->sending = take_batch(r, &w);
    pthread_mutex_unlock(&r->n->lock);
    if (!r->sending) return;
    const struct http_pair header = { STR("Content-Type"), STR("application/json") };
    struct http_call call = {
        .method = "POST",
        .url = r->url,
        .headers = &header,
        .headers_n = 1,
        .body = buf_str(&body),
        .timeout_ms = r->am->timeout_ms > 0 ? r->am->timeout_ms : TIMEOUT_DEFAULT_MS,
        .body_max = 1 << 20,
        .config = &r->am->http,
    };
    r->ticket = http_client_start(r->n->client, &call, &EVENTS, r);
}

/* --- queues --- */

static void enqueue(struct receiver *r, const struct notice *v)
{
    if (r->queued == r->n->capacity) {
        struct letter *oldest = CONTAINER_OF(r->queue.next, struct letter, in_queue);
        list_remove(&oldest->in_queue);
        letter_free(oldest);
        r->queued--;
        r->dropped++;
    }
    list_add_tail(&r->queue, &letter_new(v)->in_queue);
    r->queued++;
}

/* What crosses from the rules' thread: copies, with external labels and alert_relabel_configs to be applied on the loop. */
struct bundle {
    struct notify *n;
    struct list letters;
};

/* Labels as they leave: external ones where absent, then alerting.alert_relabel_configs. False: dropped. */
static bool prepare(struct notify *n, struct letter *l)
{
    struct labels_builder b;
    labels_builder_init(&b, &l->arena, l->notice.labels);
    const struct labels *external = &n->config->global.external_labels;
    for (size_t i = 0; i < external->n; i++) {
        if (!labels_get(l->notice.labels, external->v[i].name).n) {
            labels_set(&b, external->v[i].name, external->v[i].value);
        }
    }
    if (!relabel_apply(&b, n->config->alert_relabel.v, n->config->alert_relabel.n)) return false;
    l->notice.labels = labels_build(&b);
    return l->notice.labels.n > 0;
}

static void deliver(void *ctx)
{
    struct bundle *bundle = ctx;
    struct notify *n = bundle->n;
    LIST_FOR(it, &bundle->letters) {
        struct letter *l = CONTAINER_OF(it, struct letter, in_queue);
        bool keep = n->config && prepare(n, l);
        pthread_mutex_lock(&n->lock);
        for (struct receiver *r = n->receivers; keep && r; r = r->next) enqueue(r, &l->notice);
        pthread_mutex_unlock(&n->lock);
        list_remove(it);
        letter_free(l);
    }
    for (struct receiver *r = n->receivers; r; r = r->next) send_next(r);
    free(bundle);
}

static void on_send(struct notifier *base, const struct notice *v, size_t count)
{
    struct notify *n = CONTAINER_OF(base, struct notify, base);
    struct bundle *b = malloc(sizeof(*b));
    if (!count || !b) {
        free(b);
        return;
    }
    b->n = n;
    list_init(&b->letters);
    for (size_t i = 0; i < count; i++) list_add_tail(&b->letters, &letter_new(&v[i])->in_queue);
    loop_post(n->loop, deliver, b);
}

static const struct notifier_ops OPS = { .send = on_send };

struct notify *notify_new(struct loop *l, size_t queue_capacity, size_t batch_size)
{
    struct notify *n = calloc(1, sizeof(*n));
    ASSERT(n != NULL);
    *n = (struct notify){ .base = { &OPS },
                          .loop = l,
                          .capacity = queue_capacity ? queue_capacity : 1,
                          .batch = batch_size ? batch_size : 256 };
    n->client = http_client_new(l);
    pthread_mutex_init(&n->lock, NULL);
    return n;
}

struct notifier *notify_notifier(struct notify *n) { return &n->base; }

static void receiver_free(struct receiver *r)
{
    http_client_cancel(r->ticket);
    LIST_FOR(it, &r->queue) {
        letter_free(CONTAINER_OF(it, struct letter, in_queue));
    }
    prom_config_unref(r->config);
    free((void *)(uintptr_t)r->url.p);
    free(r);
}

static void forget_found(struct notify *n);

void notify_free(struct notify *n)
{
    if (!n) return;
    while (n->receivers) {
        struct receiver *r = n->receivers;
        n->receivers = r->next;
        receiver_free(r);
    }
    http_client_free(n->client);
    forget_found(n);
    prom_config_unref(n->config);
    pthread_mutex_destroy(&n->lock);
    free(n);
}

/* --- configuration --- */

/* The address of a target after relabelling, or absent. */
static struct str url_of_target(struct arena *a, const struct alertmanager_config *am,
                                struct labels group, struct labels own)
{
    struct labels_builder b;
    labels_builder_init(&b, a, group);
    for (size_t i = 0; i < own.n; i++) labels_set(&b, own.v[i].name, own.v[i].value);
    struct str prefix = am->path_prefix;
    while (prefix.n && prefix.p[prefix.n - 1] == '/') prefix.n--;
    if (!labels_builder_get(&b, STR("__scheme__")).n) {
        labels_set(&b, STR("__scheme__"), am->scheme.n ? am->scheme : STR("http"));
    }
    labels_set(&b, STR("__alerts_path__"), arena_fmt(a, STR_FMT "/api/v2/alerts", STR_ARG(prefix)));
    if (!relabel_apply(&b, am->relabel.v, am->relabel.n)) return (struct str){ 0 };
    if (!labels_builder_get(&b, STR("__address__")).n) return (struct str){ 0 };
    return arena_fmt(a, STR_FMT "://" STR_FMT STR_FMT,
                     STR_ARG(labels_builder_get(&b, STR("__scheme__"))),
                     STR_ARG(labels_builder_get(&b, STR("__address__"))),
                     STR_ARG(labels_builder_get(&b, STR("__alerts_path__"))));
}

static struct receiver *receiver_by_url(struct notify *n, struct str url)
{
    for (struct receiver *r = n->receivers; r; r = r->next) {
        if (str_eq(r->url, url)) return r;
    }
    return NULL;
}

static void keep_or_add(struct notify *n, struct prom_config *c,
                        const struct alertmanager_config *am, struct str url)
{
    struct receiver *r = receiver_by_url(n, url);
    if (!r) {
        r = calloc(1, sizeof(*r));
        char *copy = malloc(url.n + 1);
        ASSERT(r && copy);
        memcpy(copy, url.p, url.n);
        r->url = str_make(copy, url.n);
        r->n = n;
        list_init(&r->queue);
        r->next = n->receivers;
        n->receivers = r;
    }
    prom_config_unref(r->config);
    r->config = prom_config_ref(c);
    r->am = am;
    r->stays = true;
}

static void drop_others(struct notify *n)
{
    for (struct receiver **at = &n->receivers; *at;) {
        struct receiver *r = *at;
        if (r->stays) {
            at = &r->next;
            continue;
        }
        *at = r->next;
        receiver_free(r);
    }
}

static void sync_section(struct notify *n, size_t i)
{
    ARENA(a, 0);
    const struct alertmanager_config *am = &n->config->alertmanagers.v[i];
    const struct sd_groups *found = &n->found[i].groups;
    for (size_t g = 0; g < am->static_configs.n; g++) {
        const struct target_group *group = &am->static_configs.v[g];
        for (size_t t = 0; t < group->targets.n; t++) {
            const struct label address = { STR("__address__"), group->targets.v[t] };
            struct str url = url_of_target(&a, am, group->labels, (struct labels){ &address, 1 });
            if (url.n) keep_or_add(n, n->config, am, url);
        }
    }
    for (size_t g = 0; g < found->n; g++) {
        for (size_t t = 0; t < found->v[g].n; t++) {
            struct str url = url_of_target(&a, am, found->v[g].labels, found->v[g].targets[t]);
            if (url.n) keep_or_add(n, n->config, am, url);
        }
    }
}

static void sync_all(struct notify *n)
{
    pthread_mutex_lock(&n->lock);
    for (struct receiver *r = n->receivers; r; r = r->next) r->stays = false;
    for (size_t i = 0; i < n->config->alertmanagers.n; i++) sync_section(n, i);
    drop_others(n);
    pthread_mutex_unlock(&n->lock);
}

static void forget_found(struct notify *n)
{
    for (size_t i = 0; i < n->found_n; i++) arena_done(&n->found[i].arena);
    free(n->found);
    n->found = NULL;
    n->found_n = 0;
}

/* What was found for the sections before stays until notify_found() says otherwise, where their number is the same. */
void notify_apply(struct notify *n, struct prom_config *c)
{
    struct prom_config *was = n->config;
    n->config = prom_config_ref(c);
    if (n->found_n != c->alertmanagers.n || !n->found) {
        forget_found(n);
        n->found_n = c->alertmanagers.n;
        n->found = calloc(n->found_n + 1, sizeof(*n->found));
        ASSERT(n->found != NULL);
    }
    sync_all(n);
    prom_config_unref(was);
}

void notify_found(struct notify *n, size_t i, struct sd_groups groups)
{
    ASSERT(i < n->found_n);
    struct arena a = { 0 };
    struct sd_groups copy = sd_groups_copy(&a, groups);
    arena_done(&n->found[i].arena);
    n->found[i] = (struct found){ a, copy };
    sync_all(n);
}

/* --- what others see --- */

size_t notify_urls(struct notify *n, struct arena *a, struct str **urls)
{
    size_t count = 0;
    pthread_mutex_lock(&n->lock);
    for (struct receiver *r = n->receivers; r; r = r->next) count++;
    *urls = arena_array(a, count, sizeof(struct str));
    size_t i = count; /* added at the front: the configuration's order is from the end */
    for (struct receiver *r = n->receivers; r; r = r->next) (*urls)[--i] = arena_dup(a, r->url);
    pthread_mutex_unlock(&n->lock);
    return count;
}

void notify_write_metrics(struct notify *n, struct buf *b)
{
    static const struct {
        const char *name, *help, *type;
        size_t offset;
    } ROWS[] = {
        { "prometheus_notifications_sent_total", "Total number of alerts sent.", "counter",
          offsetof(struct receiver, sent) },
        { "prometheus_notifications_errors_total",
          "Total number of sent alerts affected by errors.", "counter",
          offsetof(struct receiver, errors) },
        { "prometheus_notifications_dropped_total",
          "Total number of alerts dropped due to errors when sending to Alertmanager.", "counter",
          offsetof(struct receiver, dropped) },
        { "prometheus_notifications_queue_length",
          "The number of alert notifications in the queue.", "gauge",
          offsetof(struct receiver, queued) },
    };
    size_t count = 0;
    pthread_mutex_lock(&n->lock);
    for (struct receiver *r = n->receivers; r; r = r->next) count++;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        expo_family(b, str_c(ROWS[i].name), str_c(ROWS[i].help), ROWS[i].type);
        for (struct receiver *r = n->receivers; r; r = r->next) {
            const struct expo_label label = { STR("alertmanager"), r->url };
            uint64_t value;
            memcpy(&value, (const char *)r + ROWS[i].offset, sizeof(value));
            expo_sample(b, str_c(ROWS[i].name), &label, 1, (double)value);
        }
    }
    pthread_mutex_unlock(&n->lock);
    expo_family(b, STR("prometheus_notifications_queue_capacity"),
                STR("The capacity of the alert notifications queue."), "gauge");
    expo_sample(b, STR("prometheus_notifications_queue_capacity"), NULL, 0, (double)n->capacity);
    expo_family(b, STR("prometheus_notifications_alertmanagers_discovered"),
                STR("The number of alertmanagers discovered and active."), "gauge");
    expo_sample(b, STR("prometheus_notifications_alertmanagers_discovered"), NULL, 0,
                (double)count);
}
