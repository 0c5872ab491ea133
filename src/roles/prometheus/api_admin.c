/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /api/v1/admin/tsdb/...: deleting series, cleaning up behind that, snapshots. Only with --web.enable-admin-api.
 *
 * Source: Prometheus web/api/v1/api.go deleteSeries, snapshot, cleanTombstones
 */
#include "io/clock.h"
#include "roles/prometheus/prometheus_priv.h"

static bool enabled(struct http_req *req)
{
    if (prometheus_of(req)->cfg->admin_api) return true;
    api_error(req, API_UNAVAILABLE, "admin APIs disabled");
    return false;
}

static void no_content(struct http_req *req) { http_reply(req, 204, NULL, &(struct buf){ 0 }); }

/* One selector; false when the error was sent. */
static bool delete_selected(struct http_req *req, struct str selector, int64_t start, int64_t end)
{
    struct matcher *m;
    size_t n;
    struct diag d = { 0 };
    if (promql_parse_matchers(selector, &req->arena, &m, &n, &d) != OK) {
        api_error(req, API_BAD_DATA, "invalid parameter \"match[]\": %s", d.text);
        return false;
    }
    enum err e = tsdb_delete(prometheus_of(req)->tsdb, start, end, m, n, &d);
    for (size_t i = 0; i < n; i++) matcher_done(&m[i]);
    if (e != OK) api_error(req, API_INTERNAL, "%s", d.text);
    return e == OK;
}

void api_delete_series(struct http_req *req)
{
    int64_t start, end;
    size_t given = 0;
    if (!enabled(req)) return;
    for (size_t i = 0; i < req->params_n; i++) given += str_eqc(req->params[i].name, "match[]");
    if (!given) {
        api_error(req, API_BAD_DATA, "no match[] parameter provided");
        return;
    }
    if (!api_time_param(req, "start", API_MIN_TIME, &start) ||
        !api_time_param(req, "end", API_MAX_TIME, &end))
        return;
    for (size_t i = 0; i < req->params_n; i++) {
        if (!str_eqc(req->params[i].name, "match[]")) continue;
        if (!delete_selected(req, req->params[i].value, start, end)) return;
    }
    no_content(req);
}

void api_clean_tombstones(struct http_req *req)
{
    struct diag d = { 0 };
    if (!enabled(req)) return;
    if (tsdb_clean_tombstones(prometheus_of(req)->tsdb, clock_now_ms(), &d) != OK) {
        api_error(req, API_INTERNAL, "%s", d.text);
        return;
    }
    no_content(req);
}

void api_snapshot(struct http_req *req)
{
    struct str skip = http_param(req, "skip_head"), name;
    struct diag d = { 0 };
    if (!enabled(req)) return;
    bool without = str_eqc(skip, "true") || str_eqc(skip, "1") || str_eqc(skip, "t");
    if (skip.n && !without && !str_eqc(skip, "false") && !str_eqc(skip, "0")) {
        api_error(req, API_BAD_DATA,
                  "invalid parameter \"skip_head\": unable to parse boolean: "
                  "strconv.ParseBool: parsing \"" STR_FMT "\": invalid syntax",
                  STR_ARG(skip));
        return;
    }
    if (tsdb_snapshot(prometheus_of(req)->tsdb, !without, clock_now_ms(), &req->arena, &name, &d) !=
        OK) {
        api_error(req, API_INTERNAL, "create snapshot: %s", d.text);
        return;
    }
    struct buf b = { 0 };
    struct json_writer w = api_begin(&b);
    json_open(&w, '{');
    api_field(&w, "name", name);
    json_close(&w, '}');
    api_end(req, &b, NULL);
}
