/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page.c - alerts and silences for people, without a script
 */
#include "codec/gotime.h"
#include "codec/gotmpl.h"
#include "io/clock.h"
#include "roles/alertmanager/manager.h"

static void escaped(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '<' || c == '>' || c == '&' || c == '"' || c == '\'') {
            buf_fmt(b, "&#%d;", c);
        } else {
            buf_char(b, c);
        }
    }
}

static void pairs(struct buf *b, struct labels lb)
{
    for (size_t i = 0; i < lb.n; i++) {
        buf_putc(b, "<code>");
        escaped(b, lb.v[i].name);
        buf_char(b, '=');
        escaped(b, lb.v[i].value);
        buf_putc(b, "</code> ");
    }
}

static void when(struct buf *b, int64_t ms)
{
    BUF(t, 64);
    rfc3339_write(&t, ms / 1000 * 1000);
    buf_put(b, buf_str(&t));
}

static void alert_rows(struct buf *b, struct manager *m, struct arena *a, int64_t now)
{
    struct group_view *v;
    size_t n;
    alert_groups(m->engine, now, a, &v, &n);
    if (!n) buf_putc(b, "<p>No alert fires.</p>");
    for (size_t i = 0; i < n; i++) {
        buf_putc(b, "<h3>");
        pairs(b, v[i].labels);
        buf_putc(b, "&rarr; ");
        escaped(b, v[i].receiver);
        buf_putc(b, "</h3><table>");
        for (size_t k = 0; k < v[i].alerts.n; k++) {
            const struct alert_view *av = &v[i].alerts.v[k];
            const char *state = av->silenced_n    ? "silenced"
                                : av->inhibited_n ? "inhibited"
                                : av->muted_n     ? "muted"
                                                  : "active";
            buf_fmt(b, "<tr><td class=%s>%s<td>", state, state);
            when(b, av->alert->starts_at);
            buf_putc(b, "<td>");
            pairs(b, av->alert->labels);
            struct str text = labels_get(av->alert->annotations, STR("description"));
            buf_putc(b, "<br>");
            escaped(b, text.n ? text : labels_get(av->alert->annotations, STR("summary")));
        }
        buf_putc(b, "</table>");
        alert_views_done(&v[i].alerts);
    }
}

static void silence_rows(struct buf *b, struct manager *m, struct arena *a, int64_t now)
{
    struct silence **v;
    size_t n, shown = 0;
    alert_silences(m->engine, STR(""), a, &v, &n);
    buf_putc(b, "<table>");
    for (size_t i = 0; i < n; i++) {
        if (silence_state(v[i], now) == SILENCE_EXPIRED) continue;
        shown++;
        buf_fmt(b, "<tr><td>%s<td>until ",
                silence_state(v[i], now) == SILENCE_ACTIVE ? "active" : "pending");
        when(b, v[i]->ends_at);
        buf_putc(b, "<td>");
        for (size_t k = 0; k < v[i]->sets_n; k++) {
            BUF(text, 0);
            matchers_write(&text, &v[i]->sets[k]);
            buf_putc(b, "<code>");
            escaped(b, buf_str(&text));
            buf_putc(b, "</code> ");
        }
        escaped(b, v[i]->created_by);
        buf_putc(b, ": ");
        escaped(b, v[i]->comment);
    }
    buf_putc(b, "</table>");
    if (!shown) buf_putc(b, "<p>None.</p>");
}

void on_am_page(struct http_req *req)
{
    struct manager *m = req->ctx;
    int64_t now = clock_now_ms();
    BUF(b, 0);
    buf_putc(
        &b,
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'><title>Alertmanager</title>"
        "<style>body{font:14px/1.5 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em;color:#222;background:#fff}code{background:#eef;padding:0 .3em;border-radius:3px}"
        "table{border-collapse:collapse;width:100%}td{border-top:1px solid #ddd;padding:.4em;vertical-align:top}.active{color:#b00020}.silenced,.inhibited,.muted{color:#666}"
        "@media(prefers-color-scheme:dark){body{color:#ddd;background:#181b1f}code{background:#2a2e35}td{border-color:#333}.active{color:#ff6b6b}}</style><h1>Alertmanager</h1><h2>Alerts</h2>");
    alert_rows(&b, m, &req->arena, now);
    buf_putc(&b, "<h2>Silences</h2>");
    silence_rows(&b, m, &req->arena, now);
    struct alert_config *c = alert_engine_config(m->engine);
    if (c->warnings_n) buf_putc(&b, "<h2>Configuration</h2><ul>");
    for (size_t i = 0; i < c->warnings_n; i++) {
        buf_putc(&b, "<li>");
        escaped(&b, c->warnings[i].text);
    }
    alert_config_unref(c);
    buf_putc(&b, "</html>\n");
    http_reply(req, 200, "text/html; charset=utf-8", &b);
}
