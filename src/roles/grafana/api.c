/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/expowrite.h"
#include "codec/gotime.h"
#include "io/proc.h"
#include "roles/grafana/grafana_priv.h"

#include <stdarg.h>
#include <stdio.h>

void grafana_reply_json(struct http_req *req, int status, struct buf *b)
{
    http_reply_header(req, "Cache-Control", STR("no-store"));
    http_reply(req, status, "application/json; charset=UTF-8", b);
}

void grafana_reply_message(struct http_req *req, int status, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    struct buf b = { 0 };
    struct json_writer w = json_writer(&b);
    json_open(&w, '{');
    json_key(&w, "message");
    json_put_c(&w, text);
    json_close(&w, '}');
    grafana_reply_json(req, status, &b);
}

static const struct grafana *grafana_of(const struct http_req *req) { return req->ctx; }

static void get_health(struct http_req *req)
{
    struct buf b = { 0 };
    struct json_writer w = json_writer(&b);
    json_open(&w, '{');
    json_key(&w, "commit");
    json_put_c(&w, "vigie");
    json_key(&w, "database");
    json_put_c(&w, "ok");
    json_key(&w, "version");
    json_put_c(&w, grafana_of(req)->env.version);
    json_close(&w, '}');
    grafana_reply_json(req, 200, &b);
}

static void get_healthz(struct http_req *req) { http_reply_text(req, 200, "Ok"); }

static void get_metrics(struct http_req *req)
{
    struct buf b = { 0 };
    const struct expo_label labels[] = { { STR("edition"), STR("oss") },
                                         { STR("version"), str_c(grafana_of(req)->env.version) } };
    expo_family(
        &b, STR("grafana_build_info"),
        STR("A metric with a constant '1' value labeled by version, revision, branch, and goversion from which Grafana was built."),
        "gauge");
    expo_sample(&b, STR("grafana_build_info"), labels, 2, 1);
    proc_write_metrics(&b);
    http_reply(req, 200, EXPO_CONTENT_TYPE, &b);
}

static void get_login_ping(struct http_req *req) { grafana_reply_message(req, 200, "Logged in"); }

static void get_user(struct http_req *req)
{
    const struct user *u = req->user;
    struct buf b = { 0 };
    struct json_writer w = json_writer(&b);
    json_open(&w, '{');
    json_key(&w, "id");
    json_put_i64(&w, u->id);
    json_key(&w, "email");
    json_put_str(&w, u->email);
    json_key(&w, "name");
    json_put_str(&w, u->name);
    json_key(&w, "login");
    json_put_str(&w, u->login);
    json_key(&w, "theme");
    json_put_c(&w, "");
    json_key(&w, "orgId");
    json_put_i64(&w, 1);
    json_key(&w, "isGrafanaAdmin");
    json_put_bool(&w, true);
    json_key(&w, "isDisabled");
    json_put_bool(&w, false);
    json_key(&w, "isExternal");
    json_put_bool(&w, false);
    json_key(&w, "authLabels");
    json_put_raw(&w, STR("[]"));
    json_key(&w, "updatedAt");
    json_put_c(&w, "0001-01-01T00:00:00Z");
    json_key(&w, "createdAt");
    json_put_c(&w, "0001-01-01T00:00:00Z");
    json_key(&w, "avatarUrl");
    json_put_c(&w, "");
    json_close(&w, '}');
    grafana_reply_json(req, 200, &b);
}

/* Known to everybody: nothing of the cluster, nothing of the users but whether a login exists. */
static void get_settings(struct http_req *req)
{
    const struct grafana *g = grafana_of(req);
    const struct user *u = req->user;
    bool must = u && u->default_password && users_address_kind(req->remote) != ADDRESS_LOOPBACK;
    struct buf b = { 0 };
    struct json_writer w = json_writer(&b);
    json_open(&w, '{');
    json_key(&w, "buildInfo");
    json_open(&w, '{');
    json_key(&w, "version");
    json_put_c(&w, g->env.version);
    json_key(&w, "commit");
    json_put_c(&w, "vigie");
    json_key(&w, "env");
    json_put_c(&w, "production");
    json_close(&w, '}');
    json_key(&w, "vigie");
    json_open(&w, '{');
    json_key(&w, "lang");
    json_put_str(&w, g->cfg.language);
    json_key(&w, "defaultPassword");
    json_put_bool(&w, u && u->default_password);
    json_key(&w, "mustChangePassword");
    json_put_bool(&w, must);
    json_close(&w, '}');
    json_close(&w, '}');
    grafana_reply_json(req, 200, &b);
}

static void get_org(struct http_req *req)
{
    struct buf b = { 0 };
    buf_putc(
        &b,
        "{\"id\":1,\"name\":\"Main Org.\",\"address\":{\"address1\":\"\",\"address2\":\"\",\"city\":\"\",\"zipCode\":\"\",\"state\":\"\",\"country\":\"\"}}");
    grafana_reply_json(req, 200, &b);
}

static void get_empty_list(struct http_req *req)
{
    struct buf b = { 0 };
    buf_putc(&b, "[]");
    grafana_reply_json(req, 200, &b);
}

static void no_such_api(struct http_req *req) { grafana_reply_message(req, 404, "Not found"); }

enum {
    READ = HTTP_GET,
    WRITE = HTTP_POST,
    ANY = HTTP_GET | HTTP_POST | HTTP_PUT | HTTP_DELETE | HTTP_PATCH
};

const struct http_route GRAFANA_ROUTES[] = {
    { READ, "/api/health", get_health, ON_LOOP, "is the server and its database well" },
    { READ, "/healthz", get_healthz, ON_LOOP, "is the server there" },
    { READ, "/metrics", get_metrics, ON_LOOP, "own metrics" },
    { WRITE, "/login", grafana_login, ON_BACK, "begins a session" },
    { READ, "/logout", grafana_logout, ON_BACK, "ends it" },
    { READ, "/api/login/ping", get_login_ping, ON_LOOP, "is the session alive" },
    { READ, "/api/user", get_user, ON_LOOP, "who am I" },
    { HTTP_PUT, "/api/user/password", grafana_change_password, ON_BACK, "changes the password" },
    { READ, "/api/frontend/settings", get_settings, ON_LOOP,
      "what the page needs before the login" },
    { READ, "/api/org", get_org, ON_LOOP, "the one organisation" },
    { READ, "/api/search", grafana_search, ON_QUERY, "dashboards by title" },
    { READ, "/api/dashboards/uid/:uid", grafana_get_dashboard, ON_QUERY, "one dashboard" },
    { HTTP_DELETE, "/api/dashboards/uid/:uid", grafana_delete_dashboard, ON_QUERY,
      "deletes a saved one" },
    { WRITE, "/api/dashboards/db", grafana_save_dashboard, ON_QUERY, "saves a model" },
    { WRITE, "/api/dashboards/import", grafana_import_dashboard, ON_QUERY,
      "saves a model, inputs filled in" },
    { READ, "/api/datasources", grafana_list_sources, ON_LOOP, "all data sources" },
    { READ, "/api/datasources/uid/:key", grafana_get_source, ON_LOOP, "one by uid" },
    { READ, "/api/datasources/name/:key", grafana_get_source, ON_LOOP, "one by name" },
    { READ, "/api/datasources/uid/:uid/health", grafana_source_health, ON_LOOP, "asks the source" },
    { HTTP_GET | HTTP_POST, "/api/datasources/uid/:uid/resources/*", grafana_resources, ON_LOOP,
      "the source's own API" },
    { ANY, "/api/datasources/proxy/uid/:uid/*", grafana_proxy_uid, ON_LOOP,
      "the source's own API" },
    { ANY, "/api/datasources/proxy/:id/*", grafana_proxy_id, ON_LOOP, "the source's own API" },
    { READ, "/api/folders", get_empty_list, ON_LOOP, "folders" },
    { READ, "/api/annotations", get_empty_list, ON_LOOP, "annotations" },
    { READ, "/api/vigie/doctor", grafana_doctor, ON_LOOP, "what `vigie doctor --json` says" },
    { ANY, "/api/*", no_such_api, ON_LOOP, "anything else of the API" },
    { READ, "/public/*", grafana_asset, ON_LOOP, "the page's parts" },
    { READ, "/*", grafana_page, ON_LOOP, "the page" },
    { 0 },
};
