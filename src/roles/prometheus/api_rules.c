/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/num.h"
#include "roles/prometheus/prometheus_priv.h"

static void put_seconds(struct json_writer *w, const char *key, double s)
{
    json_key(w, key);
    json_put_f64(w, s);
}

static void put_alert(struct json_writer *w, const struct alert_view *v)
{
    BUF(value, 64);
    num_write_e(&value, v->value);
    json_open(w, '{');
    json_key(w, "labels");
    api_put_labels(w, v->labels);
    json_key(w, "annotations");
    api_put_labels(w, v->annotations);
    api_field(w, "state", str_c(alert_state_text(v->state)));
    json_key(w, "activeAt");
    api_put_time(w, v->active_at);
    if (v->keep_firing_since) {
        json_key(w, "keepFiringSince");
        api_put_time(w, v->keep_firing_since);
    }
    api_field(w, "value", buf_str(&value));
    json_close(w, '}');
}

static bool shown(const struct alert_view *v)
{
    return v->state == ALERT_PENDING || v->state == ALERT_FIRING;
}

static void put_alerts(struct json_writer *w, const struct rule_view *r)
{
    for (size_t i = 0; i < r->alerts_n; i++) {
        if (shown(&r->alerts[i])) put_alert(w, &r->alerts[i]);
    }
}

void api_alerts(struct http_req *req)
{
    struct rules_view *view = rules_view(prometheus_of(req)->rules);
    struct buf b = { 0 };
    struct json_writer w = api_begin(&b);
    json_open(&w, '{');
    json_key(&w, "alerts");
    json_open(&w, '[');
    for (size_t g = 0; g < view->n; g++) {
        for (size_t i = 0; i < view->v[g]->rules_n; i++) put_alerts(&w, &view->v[g]->rules[i]);
    }
    json_close(&w, ']');
    json_close(&w, '}');
    rules_view_unref(view);
    api_end(req, &b, NULL);
}

static void put_end_of_rule(struct json_writer *w, const struct rule_view *r)
{
    api_field(w, "health", str_c(rule_health_text(r->health)));
    if (r->error.n) api_field(w, "lastError", r->error);
    put_seconds(w, "evaluationTime", (double)r->eval_ns / 1e9);
    json_key(w, "lastEvaluation");
    api_put_time(w, r->last_eval);
    api_field(w, "type", r->alerting ? STR("alerting") : STR("recording"));
    json_close(w, '}');
}

static void put_alerting(struct json_writer *w, const struct rule_view *r, bool with_alerts)
{
    json_open(w, '{');
    api_field(w, "state", str_c(alert_state_text(r->state)));
    api_field(w, "name", r->name);
    api_field(w, "query", r->query);
    put_seconds(w, "duration", (double)r->for_ms / 1000);
    put_seconds(w, "keepFiringFor", (double)r->keep_firing_ms / 1000);
    json_key(w, "labels");
    api_put_labels(w, r->labels);
    json_key(w, "annotations");
    api_put_labels(w, r->annotations);
    json_key(w, "alerts");
    if (with_alerts) {
        json_open(w, '[');
        put_alerts(w, r);
        json_close(w, ']');
    } else {
        json_put_null(w);
    }
    put_end_of_rule(w, r);
}

static void put_recording(struct json_writer *w, const struct rule_view *r)
{
    json_open(w, '{');
    api_field(w, "name", r->name);
    api_field(w, "query", r->query);
    if (r->labels.n) {
        json_key(w, "labels");
        api_put_labels(w, r->labels);
    }
    put_end_of_rule(w, r);
}

/* --- filters --- */

struct filters {
    struct http_req *req;
    bool alerting, recording, with_alerts;
};

/* True when no such parameter was given, or one of its values is s. */
static bool listed(const struct filters *f, const char *param, struct str s)
{
    bool any = false;
    for (size_t i = 0; i < f->req->params_n; i++) {
        if (!str_eqc(f->req->params[i].name, param)) continue;
        if (str_eq(f->req->params[i].value, s)) return true;
        any = true;
    }
    return !any;
}

static bool wanted(const struct filters *f, const struct rule_view *r)
{
    return (r->alerting ? f->alerting : f->recording) && listed(f, "rule_name[]", r->name);
}

static bool read_filters(struct http_req *req, struct filters *f)
{
    struct str type = http_param(req, "type"), exclude = http_param(req, "exclude_alerts");
    *f = (struct filters){ req, !type.n || str_eqc(type, "alert"),
                           !type.n || str_eqc(type, "record"), true };
    if (type.n && !f->alerting && !f->recording) {
        api_error(req, API_BAD_DATA,
                  "invalid parameter \"type\": not supported value \"" STR_FMT "\"", STR_ARG(type));
        return false;
    }
    if (exclude.n && !str_eqc(exclude, "true") && !str_eqc(exclude, "false") &&
        !str_eqc(exclude, "1") && !str_eqc(exclude, "0")) {
        api_error(
            req, API_BAD_DATA,
            "invalid parameter \"exclude_alerts\": error converting exclude_alerts: strconv.ParseBool: parsing \"" STR_FMT
            "\": invalid syntax",
            STR_ARG(exclude));
        return false;
    }
    f->with_alerts = !str_eqc(exclude, "true") && !str_eqc(exclude, "1");
    return true;
}

static size_t count_wanted(const struct filters *f, const struct group_view *g)
{
    size_t n = 0;
    for (size_t i = 0; i < g->rules_n; i++) n += wanted(f, &g->rules[i]);
    return n;
}

static void put_group(struct json_writer *w, const struct filters *f, const struct group_view *g)
{
    json_open(w, '{');
    api_field(w, "name", g->name);
    api_field(w, "file", g->file);
    json_key(w, "rules");
    json_open(w, '[');
    for (size_t i = 0; i < g->rules_n; i++) {
        if (!wanted(f, &g->rules[i])) continue;
        if (g->rules[i].alerting) {
            put_alerting(w, &g->rules[i], f->with_alerts);
        } else {
            put_recording(w, &g->rules[i]);
        }
    }
    json_close(w, ']');
    put_seconds(w, "interval", (double)g->interval_ms / 1000);
    json_key(w, "limit");
    json_put_i64(w, g->limit);
    put_seconds(w, "evaluationTime", (double)g->eval_ns / 1e9);
    json_key(w, "lastEvaluation");
    api_put_time(w, g->last_eval);
    json_close(w, '}');
}

void api_rules(struct http_req *req)
{
    struct filters f;
    if (!read_filters(req, &f)) return;
    struct rules_view *view = rules_view(prometheus_of(req)->rules);
    struct buf b = { 0 };
    struct json_writer w = api_begin(&b);
    json_open(&w, '{');
    json_key(&w, "groups");
    json_open(&w, '[');
    for (size_t i = 0; i < view->n; i++) {
        const struct group_view *g = view->v[i];
        bool all = f.alerting && f.recording;
        if (!listed(&f, "rule_group[]", g->name) || !listed(&f, "file[]", g->file)) continue;
        if (count_wanted(&f, g) || (all && !g->rules_n)) put_group(&w, &f, g);
    }
    json_close(&w, ']');
    json_close(&w, '}');
    rules_view_unref(view);
    api_end(req, &b, NULL);
}
