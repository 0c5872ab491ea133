/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smaller endpoints of 3.x: steps of relabelling, blocks on disk, notifications, features
 *
 * Source: Prometheus web/api/v1/api.go
 */
#include "codec/json.h"
#include "io/file.h"
#include "roles/prometheus/prometheus_priv.h"

enum { META_MAX = 1 << 20, ULID_LENGTH = 26 };

/* --- relabelling, step by step --- */

static const char *action_name(enum relabel_action a)
{
    static const char *const NAMES[] = {
        [RELABEL_REPLACE] = "replace",     [RELABEL_KEEP] = "keep",
        [RELABEL_DROP] = "drop",           [RELABEL_KEEPEQUAL] = "keepequal",
        [RELABEL_DROPEQUAL] = "dropequal", [RELABEL_HASHMOD] = "hashmod",
        [RELABEL_LABELMAP] = "labelmap",   [RELABEL_LABELDROP] = "labeldrop",
        [RELABEL_LABELKEEP] = "labelkeep", [RELABEL_LOWERCASE] = "lowercase",
        [RELABEL_UPPERCASE] = "uppercase",
    };
    return NAMES[a];
}

static void field_if(struct json_writer *w, const char *key, struct str s)
{
    if (s.n) api_field(w, key, s);
}

static void put_rule(struct json_writer *w, const struct relabel_rule *r)
{
    json_open(w, '{');
    if (r->source_n) {
        json_key(w, "source_labels");
        json_open(w, '[');
        for (size_t i = 0; i < r->source_n; i++) api_put(w, r->source_labels[i]);
        json_close(w, ']');
    }
    field_if(w, "separator", r->separator);
    field_if(w, "regex", r->regex_text);
    if (r->modulus) api_field_raw(w, "modulus", "%llu", (unsigned long long)r->modulus);
    field_if(w, "target_label", r->target_label);
    field_if(w, "replacement", r->replacement);
    api_field(w, "action", str_c(action_name(r->action)));
    json_close(w, '}');
}

static void put_steps(struct json_writer *w, struct arena *a, const struct scrape_config *job,
                      struct labels lb)
{
    json_open(w, '[');
    bool keep = true;
    for (size_t i = 0; i < job->relabel.n && keep; i++) {
        struct labels_builder lbs;
        labels_builder_init(&lbs, a, lb);
        keep = relabel_apply(&lbs, &job->relabel.v[i], 1);
        lb = keep ? labels_dup(a, labels_build(&lbs)) : (struct labels){ 0 };
        json_open(w, '{');
        json_key(w, "rule");
        put_rule(w, &job->relabel.v[i]);
        json_key(w, "output");
        api_put_labels(w, lb);
        json_key(w, "keep");
        json_put_bool(w, keep);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static bool labels_of(struct http_req *req, struct labels *out)
{
    struct diag d = { 0 };
    const struct json *doc;
    struct str text = http_param(req, "labels");
    if (json_parse(&req->arena, text, &doc, &d) != OK || doc->kind != JSON_OBJECT) {
        api_error(req, API_BAD_DATA, "invalid parameter \"labels\": %s",
                  d.text[0] ? d.text : "an object of names and values is expected");
        return false;
    }
    struct label *v = arena_array(&req->arena, doc->n, sizeof(*v));
    for (size_t i = 0; i < doc->n; i++) {
        v[i] = (struct label){ doc->members[i].key, json_str(&doc->members[i].value, STR("")) };
    }
    *out = labels_from(v, doc->n);
    return true;
}

static void reply_steps(struct http_req *req, const struct prom_config *c, struct str pool,
                        struct labels lb)
{
    for (size_t i = 0; i < c->scrape_configs.n; i++) {
        const struct scrape_config *job = &c->scrape_configs.v[i];
        if (!str_eq(job->job_name, pool)) continue;
        struct buf b = { 0 };
        struct json_writer w = api_begin(&b);
        json_open(&w, '{');
        json_key(&w, "steps");
        put_steps(&w, &req->arena, job, lb);
        json_close(&w, '}');
        api_end(req, &b, NULL);
        return;
    }
    api_error(req, API_NOT_FOUND, "scrape pool not found: " STR_FMT, STR_ARG(pool));
}

void api_relabel_steps(struct http_req *req)
{
    struct str pool = http_param(req, "scrapePool");
    struct labels lb;
    if (!pool.n) {
        api_error(req, API_BAD_DATA, "no scrapePool parameter provided");
        return;
    }
    if (!labels_of(req, &lb)) return;
    struct prom_config *c = prometheus_config(prometheus_of(req));
    reply_steps(req, c, pool, lb);
    prom_config_unref(c);
}

/* --- blocks --- */

static bool is_ulid(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool digit = s.p[i] >= '0' && s.p[i] <= '9', letter = s.p[i] >= 'A' && s.p[i] <= 'Z';
        if (!digit && !letter) return false;
    }
    return s.n == ULID_LENGTH;
}

/* What their meta.json say, as they say it. */
void api_status_blocks(struct http_req *req)
{
    struct str dir = prometheus_of(req)->cfg->storage_path, *names;
    size_t n = 0;
    struct diag d = { 0 };
    struct buf b = { 0 };
    struct json_writer w = api_begin(&b);
    json_open(&w, '{');
    json_key(&w, "blocks");
    json_open(&w, '[');
    if (dir_list(&req->arena, dir, &names, &n, &d) != OK) n = 0;
    for (size_t i = 0; i < n; i++) {
        struct str text, path = path_join(&req->arena, dir, names[i]);
        const struct json *doc;
        if (!is_ulid(names[i])) continue;
        path = path_join(&req->arena, path, STR("meta.json"));
        if (file_read(&req->arena, path, META_MAX, &text, &d) != OK) continue; /* just removed */
        if (json_parse(&req->arena, text, &doc, &d) == OK) json_put_raw(&w, str_trim(text));
    }
    json_close(&w, ']');
    json_close(&w, '}');
    api_end(req, &b, NULL);
}

/* --- notifications, features --- */

void api_notifications(struct http_req *req)
{
    struct prometheus *p = prometheus_of(req);
    pthread_mutex_lock(&p->lock);
    bool ok = p->config_ok;
    int64_t since = p->config_tried_ms;
    pthread_mutex_unlock(&p->lock);
    struct buf b = { 0 };
    struct json_writer w = api_begin(&b);
    json_open(&w, '[');
    if (!ok) {
        json_open(&w, '{');
        api_field(&w, "text", STR("Configuration reload has failed."));
        json_key(&w, "date");
        api_put_time(&w, since);
        json_key(&w, "active");
        json_put_bool(&w, true);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    api_end(req, &b, NULL);
}

/* As if all places for subscribers were taken: the page asks for the list instead. */
void api_notifications_live(struct http_req *req)
{
    http_reply(req, 204, NULL, &(struct buf){ 0 });
}

void api_features(struct http_req *req)
{
    const struct prometheus_config *cfg = prometheus_of(req)->cfg;
    const struct {
        const char *group, *name;
        bool on;
    } ALL[] = {
        { "api", "admin", cfg->admin_api },
        { "api", "exclude_alerts", true },
        { "api", "lifecycle", cfg->lifecycle },
        { "api", "remote_write_receiver", cfg->remote_write_receiver },
        { "promql", "at_modifier", true },
        { "promql", "negative_offset", true },
        { "promql", "subqueries", true },
        { "tsdb", "isolation", true },
    };
    struct buf b = { 0 };
    struct json_writer w = api_begin(&b);
    json_open(&w, '{');
    for (size_t i = 0; i < ARRAY_LEN(ALL); i++) {
        if (!i || strcmp(ALL[i].group, ALL[i - 1].group) != 0) {
            if (i) json_close(&w, '}');
            json_key(&w, ALL[i].group);
            json_open(&w, '{');
        }
        json_key(&w, ALL[i].name);
        json_put_bool(&w, ALL[i].on);
    }
    json_close(&w, '}');
    json_close(&w, '}');
    api_end(req, &b, NULL);
}
