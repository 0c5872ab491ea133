/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"
#include "codec/gotime.h"
#include "codec/num.h"
#include "io/proc.h"
#include "roles/prometheus/prometheus_priv.h"

#include <stdlib.h>

static void put_duration(struct json_writer *w, const char *key, int64_t ms)
{
    BUF(b, 64);
    duration_write(&b, ms);
    json_key(w, key);
    json_put_str(w, buf_str(&b));
}

/* A host that means "this machine" only here becomes the name of this machine. */
static struct str global_url(struct http_req *req, struct str url)
{
    static const char *const LOCAL[] = { "localhost", "127.0.0.1", "[::1]" };
    size_t scheme = str_find(url, STR("://"));
    if (scheme == STR_NONE) return url;
    struct str rest = str_from(url, scheme + 3);
    for (size_t i = 0; i < ARRAY_LEN(LOCAL); i++) {
        struct str host = str_c(LOCAL[i]);
        if (!str_starts(rest, host) || rest.n == host.n ||
            (rest.p[host.n] != ':' && rest.p[host.n] != '/')) {
            continue;
        }
        return arena_fmt(&req->arena, STR_FMT "%s" STR_FMT, STR_ARG(str_first(url, scheme + 3)),
                         proc_hostname(), STR_ARG(str_from(rest, host.n)));
    }
    return url;
}

static void put_target(struct json_writer *w, struct http_req *req, const struct target_status *t)
{
    json_open(w, '{');
    json_key(w, "discoveredLabels");
    api_put_labels(w, t->discovered);
    json_key(w, "labels");
    api_put_labels(w, t->labels);
    api_field(w, "scrapePool", t->job);
    api_field(w, "scrapeUrl", t->url);
    api_field(w, "globalUrl", global_url(req, t->url));
    api_field(w, "lastError", t->last_error);
    json_key(w, "lastScrape");
    api_put_time(w, t->last_scrape_ms);
    json_key(w, "lastScrapeDuration");
    json_put_f64(w, t->last_duration_s);
    api_field(w, "health", str_c(target_health_text(t->health)));
    put_duration(w, "scrapeInterval", t->interval_ms);
    put_duration(w, "scrapeTimeout", t->timeout_ms);
    json_close(w, '}');
}

static bool in_pool(struct http_req *req, struct str job)
{
    struct str pool = http_param(req, "scrapePool");
    return !pool.n || str_eq(pool, job);
}

/* By job, as the original lists pools; within one in the order of the configuration. */
static int by_job(const void *a, const void *b)
{
    const struct target_status *const *x = a, *const *y = b;
    int c = str_cmp((*x)->job, (*y)->job);
    return c ? c : (*x > *y) - (*x < *y);
}

static const struct target_status **sorted_targets(struct arena *a, const struct targets_status *t)
{
    const struct target_status **v = arena_array(a, t->active_n, sizeof(*v));
    for (size_t i = 0; i < t->active_n; i++) v[i] = &t->active[i];
    if (t->active_n) qsort(v, t->active_n, sizeof(*v), by_job);
    return v;
}

static int by_count_job(const void *a, const void *b)
{
    return str_cmp(((const struct dropped_count *)a)->job, ((const struct dropped_count *)b)->job);
}

void api_targets(struct http_req *req)
{
    struct targets_status t;
    struct str state = http_param(req, "state");
    bool any = !state.n || str_ieq(state, STR("any"));
    scrape_targets(prometheus_of(req)->scrape, &req->arena, &t);
    const struct target_status **active = sorted_targets(&req->arena, &t);
    if (t.counts_n) qsort(t.counts, t.counts_n, sizeof(*t.counts), by_count_job);
    struct buf b = { 0 };
    struct json_writer w = api_begin(&b);
    json_open(&w, '{');
    json_key(&w, "activeTargets");
    json_open(&w, '[');
    for (size_t i = 0; (any || str_ieq(state, STR("active"))) && i < t.active_n; i++) {
        if (in_pool(req, active[i]->job)) put_target(&w, req, active[i]);
    }
    json_close(&w, ']');
    json_key(&w, "droppedTargets");
    json_open(&w, '[');
    for (size_t i = 0; (any || str_ieq(state, STR("dropped"))) && i < t.dropped_n; i++) {
        if (!in_pool(req, t.dropped[i].job)) continue;
        json_open(&w, '{');
        json_key(&w, "discoveredLabels");
        api_put_labels(&w, t.dropped[i].discovered);
        api_field(&w, "scrapePool", t.dropped[i].job);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_key(&w, "droppedTargetCounts");
    json_open(&w, '{');
    for (size_t i = 0; i < t.counts_n; i++) {
        json_key_str(&w, t.counts[i].job);
        json_put_i64(&w, (int64_t)t.counts[i].n);
    }
    json_close(&w, '}');
    json_close(&w, '}');
    api_end(req, &b, NULL);
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

void api_scrape_pools(struct http_req *req)
{
    struct prom_config *c = prometheus_config(prometheus_of(req));
    struct buf b = { 0 };
    struct json_writer w = api_begin(&b);
    json_open(&w, '{');
    json_key(&w, "scrapePools");
    json_open(&w, '[');
    struct str *names = arena_array(&req->arena, c->scrape_configs.n, sizeof(*names));
    for (size_t i = 0; i < c->scrape_configs.n; i++) names[i] = c->scrape_configs.v[i].job_name;
    if (c->scrape_configs.n) qsort(names, c->scrape_configs.n, sizeof(*names), by_text);
    for (size_t i = 0; i < c->scrape_configs.n; i++) api_put(&w, names[i]);
    json_close(&w, ']');
    json_close(&w, '}');
    prom_config_unref(c);
    api_end(req, &b, NULL);
}

/* --- metadata --- */

static int by_metric(const void *a, const void *b)
{
    const struct metric_metadata *x = a, *y = b;
    int c = str_cmp(x->metric, y->metric);
    if (!c) c = (int)x->type - (int)y->type;
    if (!c) c = str_cmp(x->help, y->help);
    return c ? c : str_cmp(x->unit, y->unit);
}

static bool same_text(const struct metric_metadata *a, const struct metric_metadata *b)
{
    return a->type == b->type && str_eq(a->help, b->help) && str_eq(a->unit, b->unit);
}

static void put_texts(struct json_writer *w, const struct metric_metadata *m)
{
    api_field(w, "type", str_c(expo_type_name(m->type)));
    api_field(w, "help", m->help);
    api_field(w, "unit", m->unit);
}

/* -1 without one; false when the error was sent. */
static bool number_param(struct http_req *req, const char *name, int64_t *v)
{
    struct str s = http_param(req, name);
    *v = -1;
    if (!s.n || num_parse_i64(s, v) == OK) return true;
    api_error(req, API_BAD_DATA, "%s must be a number", name);
    return false;
}

void api_metadata(struct http_req *req)
{
    struct metric_metadata *v;
    size_t n;
    struct str metric = http_param(req, "metric");
    int64_t limit, per_metric, metrics = 0;
    if (!number_param(req, "limit", &limit)) return;
    if (!number_param(req, "limit_per_metric", &per_metric)) return;
    scrape_metadata(prometheus_of(req)->scrape, &req->arena, metric.n ? metric : (struct str){ 0 },
                    &v, &n);
    if (n) qsort(v, n, sizeof(*v), by_metric);
    struct buf b = { 0 };
    struct json_writer w = api_begin(&b);
    json_open(&w, '{');
    for (size_t i = 0, end; i < n && (limit <= 0 || metrics < limit); i = end, metrics++) {
        int64_t texts = 0;
        json_key_str(&w, v[i].metric);
        json_open(&w, '[');
        for (end = i; end < n && str_eq(v[end].metric, v[i].metric); end++) {
            if ((end > i && same_text(&v[end], &v[end - 1])) ||
                (per_metric > 0 && texts >= per_metric)) {
                continue;
            }
            json_open(&w, '{');
            put_texts(&w, &v[end]);
            json_close(&w, '}');
            texts++;
        }
        json_close(&w, ']');
    }
    json_close(&w, '}');
    api_end(req, &b, NULL);
}

void api_targets_metadata(struct http_req *req)
{
    struct metric_metadata *v;
    struct matcher *m = NULL;
    size_t n, matchers = 0;
    struct diag d = { 0 };
    struct str metric = http_param(req, "metric"), match = http_param(req, "match_target");
    int64_t limit, given = 0;
    if (!number_param(req, "limit", &limit)) return;
    if (match.n && promql_parse_matchers(match, &req->arena, &m, &matchers, &d) != OK) {
        api_error(req, API_BAD_DATA, "invalid parameter \"match_target\": %s", d.text);
        return;
    }
    scrape_metadata(prometheus_of(req)->scrape, &req->arena, metric.n ? metric : (struct str){ 0 },
                    &v, &n);
    struct buf b = { 0 };
    struct json_writer w = api_begin(&b);
    json_open(&w, '[');
    for (size_t i = 0; i < n && (limit <= 0 || given < limit); i++) {
        if (!matchers_match(m, matchers, v[i].target)) continue;
        given++;
        json_open(&w, '{');
        json_key(&w, "target");
        api_put_labels(&w, v[i].target);
        if (!metric.n) api_field(&w, "metric", v[i].metric);
        put_texts(&w, &v[i]);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    for (size_t i = 0; i < matchers; i++) matcher_done(&m[i]);
    api_end(req, &b, NULL);
}

void api_alertmanagers(struct http_req *req)
{
    struct str *urls;
    size_t n = notify_urls(prometheus_of(req)->notify, &req->arena, &urls);
    struct buf b = { 0 };
    struct json_writer w = api_begin(&b);
    json_open(&w, '{');
    json_key(&w, "activeAlertmanagers");
    json_open(&w, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(&w, '{');
        api_field(&w, "url", urls[i]);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_key(&w, "droppedAlertmanagers");
    json_open(&w, '[');
    json_close(&w, ']');
    json_close(&w, '}');
    api_end(req, &b, NULL);
}
