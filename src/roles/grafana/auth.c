/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks: a session cookie, or HTTP basic. Cookies are checked on the loop; a basic password that the cache does not
 * know is hashed in a job, and the request goes on afterwards.
 *
 * While the password is still the default, loopback may work with it as the document says; from private addresses only
 * the page that changes it opens; from elsewhere nothing does (architecture, decision 6).
 */
#include "base/assert.h"
#include "codec/base64.h"
#include "io/clock.h"
#include "roles/grafana/grafana_priv.h"

#include <stdarg.h>
#include <stdlib.h>

static struct grafana *grafana_of(const struct http_req *req) { return req->ctx; }

/* Paths that anybody may ask for: they hold nothing of the cluster. */
static const char *const OPEN_PATHS[] = { "/api/health", "/healthz",    "/login",
                                          "/logout",     "/robots.txt", "/api/frontend/settings",
                                          "/metrics" };

static bool open_path(struct str path)
{
    for (size_t i = 0; i < ARRAY_LEN(OPEN_PATHS); i++) {
        if (str_eqc(path, OPEN_PATHS[i])) return true;
    }
    return !str_starts(path, STR("/api/")); /* the page itself and its assets */
}

/* What the change of a default password needs. */
static bool password_path(struct str path)
{
    return open_path(path) || str_eqc(path, "/api/user") || str_eqc(path, "/api/user/password");
}

/* A request that changes something must come from our own page or from a program without a browser. */
static bool foreign_origin(const struct http_req *req)
{
    if (req->method == HTTP_GET || req->method == HTTP_HEAD || req->method == HTTP_OPTIONS) {
        return false;
    }
    struct str site = http_header(req, "Sec-Fetch-Site");
    if (site.p) return !str_eqc(site, "same-origin") && !str_eqc(site, "none");
    struct str origin = http_header(req, "Origin"), host = http_header(req, "Host");
    size_t scheme = str_find(origin, STR("://"));
    return origin.p && (scheme == STR_NONE || !str_eq(str_from(origin, scheme + 3), host));
}

static void security_headers(struct http_req *req)
{
    http_reply_header(req, "X-Content-Type-Options", STR("nosniff"));
    http_reply_header(req, "X-Frame-Options", STR("deny"));
    http_reply_header(req, "Referrer-Policy", STR("same-origin"));
}

/* May this user, from there, ask for that? Replies when not. */
static bool refuse_default_password(struct http_req *req, const struct user *u)
{
    if (!u->default_password) return false;
    switch (users_address_kind(req->remote)) {
    case ADDRESS_LOOPBACK: return false;
    case ADDRESS_PRIVATE:
        if (password_path(req->path)) return false;
        grafana_reply_message(
            req, 403,
            "The default password must be changed before anything else opens from this address");
        return true;
    case ADDRESS_PUBLIC: break;
    }
    grafana_reply_message(
        req, 403,
        "The default password does not open anything from this address: set GF_SECURITY_ADMIN_PASSWORD, or change it from the machine itself");
    return true;
}

/* True when replied. */
static bool admit(struct http_req *req, const struct user *u)
{
    if (refuse_default_password(req, u)) return true;
    struct user *kept = arena_new(&req->arena, struct user);
    *kept = *u;
    req->user = kept;
    return false;
}

/* --- basic --- */

struct basic {
    struct job job;
    struct http_req *req;
    struct str login;
    struct secret password;
    enum err err;
    struct user who;
};

static bool read_basic(struct http_req *req, struct str *login, struct secret *password)
{
    struct str h = http_header(req, "Authorization"), text, pw;
    if (!str_starts(h, STR("Basic "))) return false;
    if (base64_decode(&req->arena, str_trim(str_from(h, 6)), &text) != OK) return false;
    if (!str_cut(text, ':', login, &pw)) return false;
    *password = secret_of(pw);
    return true;
}

static void check_basic(struct job *j)
{
    struct basic *b = (struct basic *)(void *)j;
    b->err = users_check(grafana_of(b->req)->users, b->login, b->password, clock_now_ms(), &b->who);
}

static void basic_done(struct job *j)
{
    struct basic *b = (struct basic *)(void *)j;
    struct http_req *req = b->req;
    if (j->cancel) return; /* the server ends, and the request with it */
    if (b->err != OK) {
        grafana_reply_message(req, 401, "Invalid username or password");
    } else if (!admit(req, &b->who)) {
        http_continue(req);
    }
}

/* True: replied or on its way. */
static bool start_basic(struct http_req *req, struct str login, struct secret password)
{
    struct grafana *g = grafana_of(req);
    struct user who;
    if (users_cached(g->users, login, password, clock_now_ms(), &who)) return admit(req, &who);
    struct basic *b = arena_new(&req->arena, struct basic);
    *b = (struct basic){ .req = req, .login = login, .password = password };
    b->job = (struct job){
        .lane = LANE_BACK, .run = check_basic, .done = basic_done, .loop = g->env.serve
    };
    pool_submit(g->env.pool, &b->job);
    return true;
}

bool grafana_before(struct http_req *req)
{
    struct grafana *g = grafana_of(req);
    struct str login;
    struct secret password;
    struct user who;
    security_headers(req);
    if (foreign_origin(req)) {
        grafana_reply_message(req, 403, "origin not allowed");
        return true;
    }
    if (users_session(g->users, http_cookie(req, "grafana_session"), clock_now_ms(), &who)) {
        return admit(req, &who);
    }
    if (open_path(req->path)) return false;
    if (read_basic(req, &login, &password)) return start_basic(req, login, password);
    grafana_reply_message(req, 401, "Unauthorized");
    return true;
}

/* --- login --- */

static void set_session_cookie(struct http_req *req, const char *token, int64_t max_age_s)
{
    struct str v = arena_fmt(&req->arena,
                             "grafana_session=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Lax",
                             token, (long long)max_age_s);
    http_reply_header(req, "Set-Cookie", v);
}

/* A job: hashes and writes. */
void grafana_login(struct http_req *req)
{
    struct grafana *g = grafana_of(req);
    const struct json *v = NULL;
    struct diag d = { 0 };
    if (json_parse(&req->arena, req->body, &v, &d) != OK) {
        grafana_reply_message(req, 400, "bad login data");
        return;
    }
    char token[SESSION_TOKEN_CHARS + 1];
    struct str login = json_str(json_get(v, "user"), STR(""));
    struct secret password = secret_of(json_str(json_get(v, "password"), STR("")));
    bool default_from_afar = str_eqc(secret_reveal(password), "admin") &&
                             users_address_kind(req->remote) == ADDRESS_PUBLIC;
    enum err e = default_from_afar
                     ? diag_set(&d, ERR_DENIED,
                                "The default password does not open anything from this address")
                     : users_login(g->users, login, password, clock_now_ms(), token, &d);
    if (e != OK) {
        grafana_reply_message(req, e == ERR_SYS ? 500 : 401, "%s", d.text);
        return;
    }
    struct buf b = { 0 };
    set_session_cookie(req, token, 30 * 24 * 3600);
    buf_putc(&b, "{\"message\":\"Logged in\",\"redirectUrl\":\"/\"}");
    grafana_reply_json(req, 200, &b);
}

void grafana_logout(struct http_req *req)
{
    users_logout(grafana_of(req)->users, http_cookie(req, "grafana_session"));
    set_session_cookie(req, "", 0);
    http_reply_redirect(req, 302, STR("/login"));
}

void grafana_change_password(struct http_req *req)
{
    struct grafana *g = grafana_of(req);
    const struct user *u = req->user;
    const struct json *v = NULL;
    struct diag d = { 0 };
    if (json_parse(&req->arena, req->body, &v, &d) != OK) {
        grafana_reply_message(req, 400, "bad request data");
        return;
    }
    struct secret old = secret_of(json_str(json_get(v, "oldPassword"), STR("")));
    struct str fresh = json_str(json_get(v, "newPassword"), STR(""));
    if (!str_eq(fresh, json_str(json_get(v, "confirmNew"), fresh))) {
        grafana_reply_message(req, 400, "New password and its repetition differ");
        return;
    }
    enum err e = users_change_password(g->users, u->id, old, secret_of(fresh), clock_now_ms(), &d);
    if (e != OK) {
        grafana_reply_message(req, e == ERR_DENIED ? 401 : e == ERR_SYS ? 500 : 400, "%s", d.text);
        return;
    }
    char token[SESSION_TOKEN_CHARS +
               1]; /* the old sessions are gone: this browser goes on with a new one */
    if (users_login(g->users, u->login, secret_of(fresh), clock_now_ms(), token, &d) == OK) {
        set_session_cookie(req, token, 30 * 24 * 3600);
    }
    grafana_reply_message(req, 200, "User password changed");
}
