/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sd_http.c - target groups from an HTTP server, asked at intervals; an error keeps the list
 *
 * Source: discovery/http/http.go.
 */
#include "base/assert.h"
#include "codec/num.h"
#include "discovery/groups.h"
#include "discovery/provider.h"

struct http_provider {
    struct provider p;
    struct timer timer;
    struct http_ticket *ticket;
    struct arena arena;
    struct sd_groups groups;
};

/* application/json, perhaps with charset=utf-8. */
static bool is_json(struct str type)
{
    struct str media, rest, name, value;
    bool more = str_cut(type, ';', &media, &rest);
    if (!str_ieq(media, STR("application/json"))) return false;
    if (!more) return true;
    if (!str_cut(str_trim(rest), '=', &name, &value)) return false;
    return str_ieq(name, STR("charset")) &&
           (str_ieq(value, STR("utf-8")) || str_ieq(value, STR("\"utf-8\"")));
}

static enum err take(struct http_provider *hp, const struct http_result *r, struct diag *d)
{
    const struct http_sd *c = hp->p.config->is;
    struct arena a = { 0 };
    struct sd_groups groups;
    if (r->status != 200) {
        return diag_set(d, ERR_DENIED, "server returned HTTP status %d", r->status);
    }
    if (!is_json(str_trim(r->content_type))) {
        return diag_set(d, ERR_SYNTAX, "unsupported content type \"" STR_FMT "\"",
                        STR_ARG(r->content_type));
    }
    struct str url = arena_dup(&a, c->url);
    struct label from = { STR("__meta_url"), url };
    struct str text = arena_dup(&a, buf_str(&r->body));
    enum err e = groups_from_json(&a, text, url, from, &groups, d);
    if (e != OK) {
        arena_done(&a);
        return e;
    }
    arena_done(&hp->arena);
    hp->arena = a;
    hp->groups = groups;
    return OK;
}

static void on_done(void *ctx, enum err e, struct http_result *r, const struct diag *d)
{
    struct http_provider *hp = ctx;
    struct diag why = *d;
    hp->ticket = NULL;
    if (e == ERR_CANCELED) return;
    if (e == OK) e = take(hp, r, &why);
    if (e != OK) provider_count(&hp->p, &hp->p.d->counts.http_failures);
    provider_result(&hp->p, e == OK ? NULL : &why);
    if (e == OK) provider_found(&hp->p, true);
    timer_set(&hp->timer, ((const struct http_sd *)hp->p.config->is)->refresh_ms);
}

static const struct http_events EVENTS = { .on_done = on_done };

static void ask(void *ctx)
{
    struct http_provider *hp = ctx;
    const struct http_sd *c = hp->p.config->is;
    BUF(seconds, 64);
    num_write_f(&seconds, (double)c->refresh_ms / 1000);
    const struct http_pair headers[] = {
        { STR("User-Agent"), hp->p.d->env.user_agent },
        { STR("Accept"), STR("application/json") },
        { STR("X-Prometheus-Refresh-Interval-Seconds"), buf_str(&seconds) },
    };
    const struct http_call call = { .url = c->url,
                                    .headers = headers,
                                    .headers_n = ARRAY_LEN(headers),
                                    .timeout_ms = c->refresh_ms,
                                    .body_max = GROUPS_TEXT_MAX,
                                    .accept_gzip = true,
                                    .config = &c->http };
    hp->ticket = http_client_start(hp->p.d->client, &call, &EVENTS, hp);
}

static void start(struct provider *p)
{
    struct http_provider *hp = (struct http_provider *)p;
    timer_init(&hp->timer, p->d->env.loop, ask, hp);
    timer_set(&hp->timer, 0);
}

static void stop(struct provider *p)
{
    struct http_provider *hp = (struct http_provider *)p;
    http_client_cancel(hp->ticket);
    timer_done(&hp->timer);
    arena_done(&hp->arena);
}

static void groups(struct provider *p, struct arena *a, struct group_vec *out)
{
    struct http_provider *hp = (struct http_provider *)p;
    for (size_t i = 0; i < hp->groups.n; i++) {
        *vec_push(a, &out->v) = hp->groups.v[i];
    }
}

const struct provider_ops HTTP_PROVIDER = { sizeof(struct http_provider), start, NULL, stop,
                                            groups };
