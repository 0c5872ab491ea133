/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/gotime.h"
#include "io/clock.h"
#include "roles/grafana/grafana_priv.h"

static struct grafana *grafana_of(const struct http_req *req) { return req->ctx; }

static void put_time(struct json_writer *w, int64_t ms)
{
    BUF(b, 64);
    rfc3339_write(&b, ms);
    json_put_str(w, buf_str(&b));
}

static void put_text(struct json_writer *w, const char *key, struct str s)
{
    json_key(w, key);
    json_put_str(w, s);
}

static void put_flag(struct json_writer *w, const char *key, bool v)
{
    json_key(w, key);
    json_put_bool(w, v);
}

static struct str url_of(struct http_req *req, struct str uid, struct str slug)
{
    return arena_fmt(&req->arena, "/d/" STR_FMT "/" STR_FMT, STR_ARG(uid), STR_ARG(slug));
}

static void put_meta(struct json_writer *w, struct http_req *req, const struct dashboard *it)
{
    json_key(w, "meta");
    json_open(w, '{');
    put_text(w, "type", STR("db"));
    put_flag(w, "canSave", it->can_save);
    put_flag(w, "canEdit", true);
    put_flag(w, "canAdmin", true);
    put_flag(w, "canStar", false);
    put_flag(w, "canDelete", it->can_save && !it->file.n);
    put_text(w, "slug", it->slug);
    put_text(w, "url", url_of(req, it->uid, it->slug));
    put_text(w, "expires", STR("0001-01-01T00:00:00Z"));
    json_key(w, "created");
    put_time(w, it->created_ms);
    json_key(w, "updated");
    put_time(w, it->updated_ms);
    put_text(w, "updatedBy", STR("admin"));
    put_text(w, "createdBy", STR("admin"));
    json_key(w, "version");
    json_put_i64(w, it->version);
    put_flag(w, "hasAcl", false);
    put_flag(w, "isFolder", false);
    json_key(w, "folderId");
    json_put_i64(w, 0);
    put_text(w, "folderUid", STR(""));
    put_text(w, "folderTitle", it->folder.n ? it->folder : STR("Dashboards"));
    put_text(w, "folderUrl", STR(""));
    put_flag(w, "provisioned", it->provisioned);
    put_text(w, "provisionedExternalId", it->file);
    json_close(w, '}');
}

void grafana_get_dashboard(struct http_req *req)
{
    struct dashboard it;
    if (dash_catalog_get(grafana_of(req)->catalog, &req->arena, req->path_args[0], &it) != OK) {
        grafana_reply_message(req, 404, "Dashboard not found");
        return;
    }
    struct buf b = { 0 };
    struct json_writer w = json_writer(&b);
    json_open(&w, '{');
    put_meta(&w, req, &it);
    json_key(&w, "dashboard");
    if (dashboard_write_model(&b, &it) != OK) {
        buf_done(&b);
        grafana_reply_message(req, 500, "the dashboard's JSON cannot be read any more");
        return;
    }
    w.comma = true;
    json_close(&w, '}');
    grafana_reply_json(req, 200, &b);
}

static int status_of(enum err e)
{
    switch (e) {
    case ERR_EXISTS: return 412;
    case ERR_MISSING: return 404;
    case ERR_SYS: return 500;
    default: return 400;
    }
}

static bool read_body(struct http_req *req, const struct json **v)
{
    struct diag d = { 0 };
    if (json_parse(&req->arena, req->body, v, &d) == OK && (*v)->kind == JSON_OBJECT) return true;
    if (d.line) {
        grafana_reply_message(req, 400, "bad request data: %u:%u: %s", d.line, d.col, d.text);
    } else {
        grafana_reply_message(req, 400, "bad request data: a JSON object is expected");
    }
    return false;
}

static struct str text_of(struct http_req *req, const struct json *v)
{
    BUF(b, 0);
    json_write(&b, v);
    return arena_dup(&req->arena, buf_str(&b));
}

void grafana_save_dashboard(struct http_req *req)
{
    const struct json *v;
    struct diag d = { 0 };
    struct dash_saved saved;
    if (!read_body(req, &v)) return;
    const struct json *model = json_get(v, "dashboard");
    enum err e = model
                     ? dash_catalog_save(grafana_of(req)->catalog, &req->arena, text_of(req, model),
                                         json_bool(json_get(v, "overwrite"), false), clock_now_ms(),
                                         &saved, &d)
                     : diag_set(&d, ERR_SYNTAX, "bad request data: \"dashboard\" is missing");
    if (e != OK) {
        grafana_reply_message(req, status_of(e), "%s", d.text);
        return;
    }
    struct buf b = { 0 };
    struct json_writer w = json_writer(&b);
    json_open(&w, '{');
    json_key(&w, "id");
    json_put_i64(&w, saved.id);
    put_text(&w, "uid", saved.uid);
    put_text(&w, "url", url_of(req, saved.uid, saved.slug));
    put_text(&w, "status", STR("success"));
    json_key(&w, "version");
    json_put_i64(&w, saved.version);
    put_text(&w, "slug", saved.slug);
    json_close(&w, '}');
    grafana_reply_json(req, 200, &b);
}

/* "${DS_PROMETHEUS}" by the input's value, all over the model's text: a JSON string's inside stays one. */
static struct str fill_inputs(struct http_req *req, struct str model, const struct json *inputs)
{
    for (size_t i = 0; inputs && inputs->kind == JSON_ARRAY && i < inputs->n; i++) {
        struct str name = json_str(json_get(&inputs->items[i], "name"), STR(""));
        struct str value = json_str(json_get(&inputs->items[i], "value"), STR(""));
        if (!name.n) continue;
        struct str what = arena_fmt(&req->arena, "${" STR_FMT "}", STR_ARG(name));
        BUF(escaped, 0);
        BUF(out, DASHBOARD_MAX_BYTES);
        json_escape(&escaped, value);
        for (size_t at; (at = str_find(model, what)) != STR_NONE;
             model = str_from(model, at + what.n)) {
            buf_put(&out, str_first(model, at));
            buf_put(&out, buf_str(&escaped));
        }
        buf_put(&out, model);
        model = arena_dup(&req->arena, buf_str(&out));
    }
    return model;
}

/* {dashboard, inputs, overwrite}, or a bare model as people post it with curl -d @file. */
void grafana_import_dashboard(struct http_req *req)
{
    const struct json *v;
    struct diag d = { 0 };
    struct dash_saved saved;
    if (!read_body(req, &v)) return;
    const struct json *model = json_get(v, "dashboard");
    bool bare = !model || model->kind != JSON_OBJECT;
    struct str text = fill_inputs(req, text_of(req, bare ? v : model),
                                  bare ? NULL : json_get(v, "inputs"));
    enum err e = dash_catalog_save(grafana_of(req)->catalog, &req->arena, text,
                                   bare || json_bool(json_get(v, "overwrite"), false),
                                   clock_now_ms(), &saved, &d);
    if (e != OK) {
        grafana_reply_message(req, status_of(e), "%s", d.text);
        return;
    }
    struct str url = url_of(req, saved.uid, saved.slug);
    struct buf b = { 0 };
    struct json_writer w = json_writer(&b);
    json_open(&w, '{');
    put_text(&w, "uid", saved.uid);
    put_text(&w, "pluginId", STR(""));
    put_text(&w, "title", saved.title);
    put_flag(&w, "imported", true);
    put_text(&w, "importedUri", arena_fmt(&req->arena, "db/" STR_FMT, STR_ARG(saved.slug)));
    put_text(&w, "importedUrl", url);
    put_text(&w, "slug", saved.slug);
    json_key(&w, "dashboardId");
    json_put_i64(&w, saved.id);
    json_key(&w, "folderId");
    json_put_i64(&w, 0);
    put_text(&w, "folderUid", STR(""));
    json_key(&w, "importedRevision");
    json_put_i64(&w, 1);
    json_key(&w, "revision");
    json_put_i64(&w, 1);
    put_text(&w, "description", STR(""));
    put_text(&w, "path", STR(""));
    put_flag(&w, "removed", false);
    json_close(&w, '}');
    grafana_reply_json(req, 200, &b);
}

void grafana_delete_dashboard(struct http_req *req)
{
    struct str title;
    struct diag d = { 0 };
    enum err e = dash_catalog_delete(grafana_of(req)->catalog, &req->arena, req->path_args[0],
                                     &title, &d);
    if (e != OK) {
        grafana_reply_message(req, status_of(e), "%s", d.text);
        return;
    }
    struct buf b = { 0 };
    struct json_writer w = json_writer(&b);
    json_open(&w, '{');
    put_text(&w, "title", title);
    put_text(&w, "message",
             arena_fmt(&req->arena, "Dashboard " STR_FMT " deleted", STR_ARG(title)));
    put_text(&w, "uid", req->path_args[0]);
    json_close(&w, '}');
    grafana_reply_json(req, 200, &b);
}

static void put_hit(struct json_writer *w, struct http_req *req, const struct dashboard *it)
{
    json_open(w, '{');
    json_key(w, "id");
    json_put_i64(w, it->id);
    put_text(w, "uid", it->uid);
    put_text(w, "title", it->title);
    put_text(w, "uri", arena_fmt(&req->arena, "db/" STR_FMT, STR_ARG(it->slug)));
    put_text(w, "url", url_of(req, it->uid, it->slug));
    put_text(w, "slug", STR(""));
    put_text(w, "type", STR("dash-db"));
    json_key(w, "tags");
    json_put_raw(w, it->tags);
    put_flag(w, "isStarred", false);
    json_key(w, "sortMeta");
    json_put_i64(w, 0);
    if (it->folder.n) put_text(w, "folderTitle", it->folder);
    json_close(w, '}');
}

void grafana_search(struct http_req *req)
{
    struct dashboard *v = NULL;
    size_t n = 0;
    bool folders_only = str_eqc(http_param(req, "type"), "dash-folder");
    if (!folders_only) {
        (void)dash_catalog_search(grafana_of(req)->catalog, &req->arena, http_param(req, "query"),
                                  &v, &n);
    }
    struct buf b = { 0 };
    struct json_writer w = json_writer(&b);
    json_open(&w, '[');
    for (size_t i = 0; i < n; i++) put_hit(&w, req, &v[i]);
    json_close(&w, ']');
    grafana_reply_json(req, 200, &b);
}
