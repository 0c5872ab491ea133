/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain pages for people who open :9090 in a browser: tables, no script. The real page is the grafana role's.
 */
#include "codec/gotime.h"
#include "codec/num.h"
#include "io/clock.h"
#include "roles/prometheus/prometheus_priv.h"

static void put_escaped(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '<': buf_putc(b, "&lt;"); break;
        case '>': buf_putc(b, "&gt;"); break;
        case '&': buf_putc(b, "&amp;"); break;
        case '"': buf_putc(b, "&#34;"); break;
        default: buf_char(b, s.p[i]);
        }
    }
}

static void begin(struct http_req *req, struct buf *b, const char *title)
{
    static const char *const LINKS[] = { "query",  "alerts", "targets", "rules",
                                         "status", "config", "flags" };
    struct str prefix = prometheus_of(req)->links;
    buf_putc(
        b,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>");
    put_escaped(b, prometheus_of(req)->cfg->page_title);
    buf_putc(b, "</title>");
    buf_putc(
        b,
        "<style>body{font:14px system-ui,sans-serif;margin:1rem;color-scheme:light dark}table{border-collapse:collapse}td,th{text-align:left;"
        "padding:.25rem .75rem .25rem 0;border-bottom:1px solid #8884;vertical-align:top}pre{overflow:auto}.down,.firing{color:#c4162a}"
        ".up,.inactive{color:#2b7a0b}.pending{color:#a86500}input{font:inherit;width:60%}nav a{margin-right:1rem}</style><nav>");
    for (size_t i = 0; i < ARRAY_LEN(LINKS); i++)
        buf_fmt(b, "<a href=\"" STR_FMT "/%s\">%s</a>", STR_ARG(prefix), LINKS[i], LINKS[i]);
    buf_fmt(b, "</nav><h1>%s</h1>", title);
}

static void cell(struct buf *b, struct str s)
{
    buf_putc(b, "<td>");
    put_escaped(b, s);
}

static void state_cell(struct buf *b, const char *state)
{
    buf_fmt(b, "<td class=\"%s\">%s", state, state);
}

static void labels_cell(struct buf *b, struct labels lb)
{
    BUF(text, 0);
    labels_write(&text, lb);
    cell(b, buf_str(&text));
}

static void time_cell(struct buf *b, int64_t ms)
{
    BUF(text, 64);
    if (ms) {
        buf_putc(&text, "");
        go_duration_write(&text, (clock_now_ms() - ms) * 1000000);
        buf_putc(&text, " ago");
    } else {
        buf_putc(&text, "never");
    }
    cell(b, buf_str(&text));
}

static void send_page(struct http_req *req, struct buf *b)
{
    http_reply(req, 200, "text/html; charset=utf-8", b);
}

/* --- query --- */

static void vector_rows(struct buf *b, const struct value *v)
{
    for (size_t i = 0; i < v->vector.n; i++) {
        BUF(number, 64);
        num_write_json(&number, v->vector.v[i].v);
        buf_putc(b, "<tr>");
        labels_cell(b, v->vector.v[i].lb);
        cell(b, buf_str(&number));
    }
}

static void result(struct buf *b, struct http_req *req, struct str text)
{
    struct evaluator *ev = prometheus_of(req)->evaluator;
    struct expr *e = NULL;
    struct diag d = { 0 };
    struct value v = { 0 };
    struct eval_range r = { 0 };
    r.start = r.end = clock_now_ms();
    enum err code = ev->ops->compile(ev, text, &e, &d);
    if (code == OK) code = ev->ops->eval(ev, e, &r, &req->arena, req->gone, &v, &d);
    if (e) ev->ops->release(ev, e);
    if (code != OK) {
        buf_putc(b, "<p class=down>");
        put_escaped(b, str_c(d.text));
        return;
    }
    BUF(number, 64);
    if (v.kind == VALUE_SCALAR) num_write_json(&number, v.scalar.v);
    buf_putc(b, "<table><tr><th>series<th>value");
    if (v.kind == VALUE_VECTOR) vector_rows(b, &v);
    if (v.kind == VALUE_SCALAR) buf_fmt(b, "<tr><td>scalar<td>" STR_FMT, STR_ARG(buf_str(&number)));
    if (v.kind == VALUE_MATRIX) buf_fmt(b, "<tr><td>%zu series of a range vector<td>", v.matrix.n);
    buf_putc(b, "</table>");
}

void page_query(struct http_req *req)
{
    struct buf b = { 0 };
    struct str text = http_param(req, "g0.expr");
    begin(req, &b, "Query");
    buf_putc(&b, "<form><input name=\"g0.expr\" autofocus placeholder=\"Expression\" value=\"");
    put_escaped(&b, text);
    buf_putc(&b, "\"> <button>Execute</button></form>");
    if (text.n) result(&b, req, text);
    send_page(req, &b);
}

/* --- tables --- */

void page_targets(struct http_req *req)
{
    struct targets_status t;
    struct buf b = { 0 };
    scrape_targets(prometheus_of(req)->scrape, &req->arena, &t);
    begin(req, &b, "Targets");
    buf_putc(&b, "<table><tr><th>job<th>endpoint<th>state<th>labels<th>last scrape<th>error");
    for (size_t i = 0; i < t.active_n; i++) {
        buf_putc(&b, "<tr>");
        cell(&b, t.active[i].job);
        cell(&b, t.active[i].url);
        state_cell(&b, target_health_text(t.active[i].health));
        labels_cell(&b, t.active[i].labels);
        time_cell(&b, t.active[i].last_scrape_ms);
        cell(&b, t.active[i].last_error);
    }
    buf_putc(&b, "</table>");
    send_page(req, &b);
}

static void rule_row(struct buf *b, const struct group_view *g, const struct rule_view *r)
{
    buf_putc(b, "<tr>");
    cell(b, g->name);
    cell(b, r->name);
    state_cell(b, r->alerting ? alert_state_text(r->state) : rule_health_text(r->health));
    cell(b, r->query);
    cell(b, r->error);
}

static void alert_rows(struct buf *b, const struct rule_view *r)
{
    for (size_t i = 0; i < r->alerts_n; i++) {
        const struct alert_view *v = &r->alerts[i];
        if (v->state != ALERT_PENDING && v->state != ALERT_FIRING) continue;
        buf_putc(b, "<tr>");
        cell(b, r->name);
        state_cell(b, alert_state_text(v->state));
        labels_cell(b, v->labels);
        time_cell(b, v->active_at);
        cell(b, labels_get(v->annotations, STR("summary")));
    }
}

void page_rules(struct http_req *req)
{
    struct rules_view *view = rules_view(prometheus_of(req)->rules);
    struct buf b = { 0 };
    begin(req, &b, "Rules");
    buf_putc(&b, "<table><tr><th>group<th>rule<th>state<th>expression<th>error");
    for (size_t g = 0; g < view->n; g++) {
        for (size_t i = 0; i < view->v[g]->rules_n; i++)
            rule_row(&b, view->v[g], &view->v[g]->rules[i]);
    }
    buf_putc(&b, "</table>");
    rules_view_unref(view);
    send_page(req, &b);
}

void page_alerts(struct http_req *req)
{
    struct rules_view *view = rules_view(prometheus_of(req)->rules);
    struct buf b = { 0 };
    begin(req, &b, "Alerts");
    buf_putc(&b, "<table><tr><th>alert<th>state<th>labels<th>active since<th>summary");
    for (size_t g = 0; g < view->n; g++) {
        for (size_t i = 0; i < view->v[g]->rules_n; i++) alert_rows(&b, &view->v[g]->rules[i]);
    }
    buf_putc(&b, "</table>");
    rules_view_unref(view);
    send_page(req, &b);
}

void page_config(struct http_req *req)
{
    struct prom_config *c = prometheus_config(prometheus_of(req));
    BUF(yaml, 0);
    prom_config_print(&yaml, c);
    prom_config_unref(c);
    struct buf b = { 0 };
    begin(req, &b, "Configuration");
    buf_putc(&b, "<pre>");
    put_escaped(&b, buf_str(&yaml));
    buf_putc(&b, "</pre>");
    send_page(req, &b);
}

static void flag_row(void *ctx, const char *name, struct str value)
{
    struct buf *b = ctx;
    buf_putc(b, "<tr>");
    cell(b, str_c(name));
    cell(b, value);
}

void page_flags(struct http_req *req)
{
    struct buf b = { 0 };
    begin(req, &b, "Flags");
    buf_putc(&b, "<table>");
    flags_each(PROMETHEUS_FLAGS, prometheus_of(req)->cfg, &req->arena, flag_row, &b);
    buf_putc(&b, "</table>");
    send_page(req, &b);
}

void page_status(struct http_req *req)
{
    struct prometheus *p = prometheus_of(req);
    struct tsdb_status s;
    struct buf b = { 0 };
    tsdb_status(p->tsdb, &req->arena, 10, &s);
    begin(req, &b, "Status");
    buf_fmt(
        &b,
        "<table><tr><td>version<td>%s<tr><td>series in the head<td>%llu<tr><td>chunks<td>%llu<tr><td>label pairs<td>%llu</table>",
        p->env.version, (unsigned long long)s.series, (unsigned long long)s.chunks,
        (unsigned long long)s.label_pairs);
    buf_putc(&b, "<h2>Series by metric</h2><table>");
    for (size_t i = 0; i < s.metrics.n; i++) {
        buf_putc(&b, "<tr>");
        cell(&b, s.metrics.v[i].name);
        buf_fmt(&b, "<td>%llu", (unsigned long long)s.metrics.v[i].value);
    }
    buf_putc(&b, "</table>");
    send_page(req, &b);
}
