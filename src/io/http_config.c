/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_config.c - the keys, one row each, what contradicts what, and the way back to YAML
 */
#include "io/http_config.h"

#include "codec/goquote.h"
#include "io/file.h"

#include <stddef.h>

#define ROW(s, k, t, f) .key = (k), .type = (t), .offset = offsetof(struct s, f)
#define NO_REF(k)                                                                                  \
    {                                                                                              \
        .key = (k), .unsupported = "references to secrets are not supported; use a file"           \
    }
#define NO_JWT "OAuth 2 by JWT (grant_type jwt-bearer) is not supported yet; use client_credentials"
#define NO_JWT_KEY(k)                                                                              \
    {                                                                                              \
        .key = (k), .unsupported = NO_JWT                                                          \
    }

/* --- parts --- */

static const struct yaml_table BASIC_AUTH = {
    .go_type = "config.BasicAuth",
    .size = sizeof(struct basic_auth),
    .fields =
        (const struct yaml_field[]){
            { ROW(basic_auth, "username", YT_STR, username) },
            { ROW(basic_auth, "username_file", YT_STR, username_file) },
            { ROW(basic_auth, "password", YT_SECRET, password) },
            { ROW(basic_auth, "password_file", YT_STR, password_file) },
            NO_REF("username_ref"),
            NO_REF("password_ref"),
            { 0 },
        },
};

static const struct yaml_table AUTHORIZATION = {
    .go_type = "config.Authorization",
    .size = sizeof(struct authorization),
    .fields =
        (const struct yaml_field[]){
            { ROW(authorization, "type", YT_STR, type) },
            { ROW(authorization, "credentials", YT_SECRET, credentials) },
            { ROW(authorization, "credentials_file", YT_STR, credentials_file) },
            NO_REF("credentials_ref"),
            { 0 },
        },
};

static const char *const VERSIONS[] = {
    [TLS_1_0] = "TLS10", [TLS_1_1] = "TLS11", [TLS_1_2] = "TLS12", [TLS_1_3] = "TLS13"
};

static enum err version_decode(struct arena *a, const struct yaml_node *v, void *field,
                               struct diag *d)
{
    (void)a;
    struct str s = yaml_str(v, STR(""));
    for (size_t i = TLS_1_0; i < ARRAY_LEN(VERSIONS); i++) {
        if (!str_eqc(s, VERSIONS[i])) continue;
        *(enum tls_version *)field = (enum tls_version)i;
        return OK;
    }
    return diag_set(d, ERR_SYNTAX,
                    "unknown TLS version: " STR_FMT "; expected TLS10, TLS11, TLS12 or TLS13",
                    STR_ARG(s));
}

static size_t count(bool a, bool b) { return (a ? 1U : 0U) + (b ? 1U : 0U); }

static enum err tls_check(struct arena *a, const struct yaml_node *at, void *out, struct diag *d)
{
    const struct tls_config *c = out;
    (void)a;
    (void)at;
    if (count(c->ca.n, c->ca_file.n) > 1) {
        return diag_set(d, ERR_SYNTAX, "at most one of ca, ca_file & ca_ref must be configured");
    }
    if (count(c->cert.n, c->cert_file.n) > 1) {
        return diag_set(d, ERR_SYNTAX,
                        "at most one of cert, cert_file & cert_ref must be configured");
    }
    if (count(secret_set(c->key), c->key_file.n) > 1) {
        return diag_set(d, ERR_SYNTAX, "at most one of key and key_file must be configured");
    }
    bool cert = c->cert.n || c->cert_file.n, key = secret_set(c->key) || c->key_file.n;
    if (cert && !key) {
        return diag_set(
            d, ERR_SYNTAX,
            "exactly one of key or key_file must be configured when a client certificate is configured");
    }
    if (key && !cert) {
        return diag_set(
            d, ERR_SYNTAX,
            "exactly one of cert or cert_file must be configured when a client key is configured");
    }
    return OK;
}

const struct yaml_table TLS_CONFIG_TABLE = {
    .go_type = "config.TLSConfig",
    .size = sizeof(struct tls_config),
    .fields =
        (const struct yaml_field[]){
            { ROW(tls_config, "ca", YT_STR, ca) },
            { ROW(tls_config, "cert", YT_STR, cert) },
            { ROW(tls_config, "key", YT_SECRET, key) },
            { ROW(tls_config, "ca_file", YT_STR, ca_file) },
            { ROW(tls_config, "cert_file", YT_STR, cert_file) },
            { ROW(tls_config, "key_file", YT_STR, key_file) },
            NO_REF("ca_ref"),
            NO_REF("cert_ref"),
            NO_REF("key_ref"),
            { ROW(tls_config, "server_name", YT_STR, server_name) },
            { ROW(tls_config, "insecure_skip_verify", YT_BOOL, insecure_skip_verify) },
            { ROW(tls_config, "min_version", YT_CUSTOM, min), .custom = version_decode },
            { ROW(tls_config, "max_version", YT_CUSTOM, max), .custom = version_decode },
            { 0 },
        },
    .check = tls_check,
};

/* --- headers --- */

static const char *const RESERVED[] = {
    "Authorization",
    "Host",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "User-Agent",
    "Connection",
    "Keep-Alive",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Www-Authenticate",
    "Accept-Encoding",
    "X-Prometheus-Remote-Write-Version",
    "X-Prometheus-Remote-Read-Version",
    "X-Prometheus-Scrape-Timeout-Seconds",
    "X-Amz-Date",
    "X-Amz-Security-Token",
    "X-Amz-Content-Sha256",
};

static bool is_header_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!alnum && (!c || !strchr("!#$%&'*+-.^_`|~", c))) return false;
    }
    return s.n > 0;
}

static enum err header_name_check(const struct yaml_node *at, struct diag *d)
{
    struct str name = yaml_str(at, STR(""));
    for (size_t i = 0; i < ARRAY_LEN(RESERVED); i++) {
        if (!str_ieq(name, str_c(RESERVED[i]))) continue;
        return yaml_error(at, d, ERR_SYNTAX, "setting header \"%s\" is not allowed", RESERVED[i]);
    }
    if (is_header_name(name)) return OK;
    return yaml_error(at, d, ERR_SYNTAX, "\"" STR_FMT "\" is not a valid name of a header",
                      STR_ARG(name));
}

static const struct yaml_table HEADER = {
    .go_type = "config.Header",
    .size = sizeof(struct header_config),
    .fields =
        (const struct yaml_field[]){
            { ROW(header_config, "values", YT_STRS, values) },
            { ROW(header_config, "secrets", YT_STRS, secrets) },
            { ROW(header_config, "files", YT_STRS, files) },
            { 0 },
        },
};

static enum err headers_decode(struct arena *a, const struct yaml_node *v, void *field,
                               struct diag *d)
{
    if (v->kind != YAML_MAP) return yaml_mismatch(v, "map[string]config.Header", d);
    struct header_config *list = arena_array(a, v->n, sizeof(*list));
    for (size_t i = 0; i < v->n; i++) {
        TRY(header_name_check(v->items[2 * i], d));
        TRY(yaml_decode(a, v->items[2 * i + 1], &HEADER, YAML_V2, &list[i], d));
        list[i].name = yaml_str(v->items[2 * i], STR(""));
    }
    *(struct header_configs *)field = (struct header_configs){ list, v->n };
    return OK;
}

/* A mapping of names to lists of secret values. */
static enum err connect_headers_decode(struct arena *a, const struct yaml_node *v, void *field,
                                       struct diag *d)
{
    if (v->kind != YAML_MAP) return yaml_mismatch(v, "map[string][]config.Secret", d);
    struct header_config *list = arena_array(a, v->n, sizeof(*list));
    for (size_t i = 0; i < v->n; i++) {
        const struct yaml_node *values = v->items[2 * i + 1];
        list[i].name = yaml_str(v->items[2 * i], STR(""));
        if (!is_header_name(list[i].name)) {
            return yaml_error(v->items[2 * i], d, ERR_SYNTAX,
                              "\"" STR_FMT "\" is not a valid name of a header",
                              STR_ARG(list[i].name));
        }
        if (yaml_is_null(values)) continue;
        if (values->kind != YAML_SEQ) return yaml_mismatch(values, "[]config.Secret", d);
        struct str *texts = arena_array(a, values->n, sizeof(*texts));
        for (size_t j = 0; j < values->n; j++) {
            texts[j] = yaml_str(values->items[j], STR(""));
        }
        list[i].secrets = (struct yaml_strs){ texts, values->n };
    }
    *(struct header_configs *)field = (struct header_configs){ list, v->n };
    return OK;
}

/* --- proxy --- */

static enum err proxy_check(struct arena *a, const struct yaml_node *at, void *out, struct diag *d)
{
    const struct proxy_config *c = out;
    (void)a;
    (void)at;
    if (c->connect_header.n && !c->from_environment && !c->url.n) {
        return diag_set(d, ERR_SYNTAX,
                        "if proxy_connect_header is configured, proxy_url or "
                        "proxy_from_environment must also be configured");
    }
    if (c->from_environment && c->url.n) {
        return diag_set(
            d, ERR_SYNTAX,
            "if proxy_from_environment is configured, proxy_url must not be configured");
    }
    if (c->from_environment && c->no_proxy.n) {
        return diag_set(d, ERR_SYNTAX,
                        "if proxy_from_environment is configured, no_proxy must not be configured");
    }
    if (!c->url.n && c->no_proxy.n) {
        return diag_set(d, ERR_SYNTAX,
                        "if no_proxy is configured, proxy_url must also be configured");
    }
    return OK;
}

static const struct yaml_table PROXY = {
    .go_type = "config.ProxyConfig",
    .size = sizeof(struct proxy_config),
    .fields =
        (const struct yaml_field[]){
            { ROW(proxy_config, "proxy_url", YT_STR, url) },
            { ROW(proxy_config, "no_proxy", YT_STR, no_proxy) },
            { ROW(proxy_config, "proxy_from_environment", YT_BOOL, from_environment) },
            { ROW(proxy_config, "proxy_connect_header", YT_CUSTOM, connect_header),
              .custom = connect_headers_decode },
            { 0 },
        },
    .check = proxy_check,
};

/* --- OAuth 2 --- */

static enum err oauth2_check(struct arena *a, const struct yaml_node *at, void *out, struct diag *d)
{
    const struct oauth2 *c = out;
    (void)a;
    if (c->grant_type.n && !str_eqc(c->grant_type, "client_credentials")) {
        const struct yaml_node *v = yaml_get(at, "grant_type");
        return str_eqc(c->grant_type, "jwt-bearer") ||
                       str_eqc(c->grant_type, "urn:ietf:params:oauth:grant-type:jwt-bearer")
                   ? yaml_error(v, d, ERR_UNSUPPORTED, "%s", NO_JWT)
                   : yaml_error(v, d, ERR_SYNTAX,
                                "unknown grant_type \"" STR_FMT "\"; expected client_credentials",
                                STR_ARG(c->grant_type));
    }
    if (!c->client_id.n) return diag_set(d, ERR_SYNTAX, "oauth2 client_id must be configured");
    if (!c->token_url.n) return diag_set(d, ERR_SYNTAX, "oauth2 token_url must be configured");
    if (secret_set(c->client_secret) && c->client_secret_file.n) {
        return diag_set(d, ERR_SYNTAX,
                        "at most one of oauth2 client_secret, client_secret_file & "
                        "client_secret_ref must be configured");
    }
    return OK;
}

static const struct yaml_table OAUTH2 = {
    .go_type = "config.plain",
    .size = sizeof(struct oauth2),
    .fields =
        (const struct yaml_field[]){
            { ROW(oauth2, "client_id", YT_STR, client_id) },
            { ROW(oauth2, "client_secret", YT_SECRET, client_secret) },
            { ROW(oauth2, "client_secret_file", YT_STR, client_secret_file) },
            NO_REF("client_secret_ref"),
            { ROW(oauth2, "grant_type", YT_STR, grant_type) },
            NO_JWT_KEY("client_certificate_key_id"),
            NO_JWT_KEY("client_certificate_key"),
            NO_JWT_KEY("client_certificate_key_file"),
            NO_JWT_KEY("client_certificate_key_ref"),
            NO_JWT_KEY("signature_algorithm"),
            NO_JWT_KEY("iss"),
            NO_JWT_KEY("audience"),
            NO_JWT_KEY("claims"),
            { ROW(oauth2, "scopes", YT_STRS, scopes) },
            { ROW(oauth2, "token_url", YT_STR, token_url) },
            { ROW(oauth2, "endpoint_params", YT_MAP, endpoint_params) },
            { ROW(oauth2, "tls_config", YT_STRUCT, tls), .sub = &TLS_CONFIG_TABLE },
            { ROW(oauth2, "<inline>", YT_INLINE, proxy), .sub = &PROXY },
            { 0 },
        },
    .check = oauth2_check,
};

/* --- all --- */

static enum err basic_check(const struct basic_auth *b, struct diag *d)
{
    if (!b) return OK;
    if (count(b->username.n, b->username_file.n) > 1) {
        return diag_set(
            d, ERR_SYNTAX,
            "at most one of basic_auth username, username_file & username_ref must be configured");
    }
    if (count(secret_set(b->password), b->password_file.n) > 1) {
        return diag_set(
            d, ERR_SYNTAX,
            "at most one of basic_auth password, password_file & password_ref must be configured");
    }
    return OK;
}

static enum err authorization_check(const struct http_config *c, bool bearer, struct diag *d)
{
    const struct authorization *auth = c->authorization;
    if (!auth) return OK;
    if (bearer) {
        return diag_set(d, ERR_SYNTAX,
                        "authorization is not compatible with bearer_token & bearer_token_file");
    }
    if (count(secret_set(auth->credentials), auth->credentials_file.n) > 1) {
        return diag_set(
            d, ERR_SYNTAX,
            "at most one of authorization credentials & credentials_file must be configured");
    }
    if (str_ieq(auth->type, STR("basic"))) {
        return diag_set(
            d, ERR_SYNTAX,
            "authorization type cannot be set to \"basic\", use \"basic_auth\" instead");
    }
    if (c->basic || c->oauth2) {
        return diag_set(d, ERR_SYNTAX,
                        "at most one of basic_auth, oauth2 & authorization must be configured");
    }
    return OK;
}

enum err http_config_check(struct arena *a, struct http_config *c, struct diag *d)
{
    bool token = secret_set(c->bearer_token), file = c->bearer_token_file.n > 0;
    if (token && file) {
        return diag_set(d, ERR_SYNTAX,
                        "at most one of bearer_token & bearer_token_file must be configured");
    }
    if ((c->basic || c->oauth2) && (token || file)) {
        return diag_set(
            d, ERR_SYNTAX,
            "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured");
    }
    TRY(basic_check(c->basic, d));
    TRY(authorization_check(c, token || file, d));
    if (c->basic && c->oauth2) {
        return diag_set(d, ERR_SYNTAX,
                        "at most one of basic_auth, oauth2 & authorization must be configured");
    }
    if (token || file) {
        c->authorization = arena_new(a, struct authorization);
        c->authorization->credentials = c->bearer_token;
        c->authorization->credentials_file = c->bearer_token_file;
    }
    if (c->authorization && !c->authorization->type.n) c->authorization->type = STR("Bearer");
    return OK;
}

static enum err check(struct arena *a, const struct yaml_node *at, void *out, struct diag *d)
{
    (void)at;
    return http_config_check(a, out, d);
}

void http_config_defaults(struct http_config *c)
{
    *c = (struct http_config){ .follow_redirects = true, .enable_http2 = true };
}

static void defaults(void *out) { http_config_defaults(out); }

static void no_http2_defaults(void *out)
{
    http_config_defaults(out);
    ((struct http_config *)out)->enable_http2 = false;
}

static const struct yaml_field FIELDS[] = {
    { ROW(http_config, "basic_auth", YT_STRUCT_PTR, basic), .sub = &BASIC_AUTH },
    { ROW(http_config, "authorization", YT_STRUCT_PTR, authorization), .sub = &AUTHORIZATION },
    { ROW(http_config, "oauth2", YT_STRUCT_PTR, oauth2), .sub = &OAUTH2 },
    { ROW(http_config, "bearer_token", YT_SECRET, bearer_token) },
    { ROW(http_config, "bearer_token_file", YT_STR, bearer_token_file) },
    { ROW(http_config, "tls_config", YT_STRUCT, tls), .sub = &TLS_CONFIG_TABLE },
    { ROW(http_config, "follow_redirects", YT_BOOL, follow_redirects) },
    { ROW(http_config, "enable_http2", YT_BOOL, enable_http2) },
    { ROW(http_config, "<inline>", YT_INLINE, proxy), .sub = &PROXY },
    { ROW(http_config, "http_headers", YT_CUSTOM, headers), .custom = headers_decode },
    { 0 },
};

const struct yaml_table HTTP_CONFIG_TABLE = { .go_type = "config.HTTPClientConfig",
                                              .size = sizeof(struct http_config),
                                              .fields = FIELDS,
                                              .defaults = defaults,
                                              .check = check };

const struct yaml_table HTTP_CONFIG_NO_HTTP2_TABLE = { .go_type = "config.HTTPClientConfig",
                                                       .size = sizeof(struct http_config),
                                                       .fields = FIELDS,
                                                       .defaults = no_http2_defaults,
                                                       .check = check };

/* --- paths --- */

static void resolve(struct arena *a, struct str dir, struct str *path)
{
    if (dir.n && path->n) *path = path_join(a, dir, *path);
}

static void resolve_tls(struct arena *a, struct str dir, struct tls_config *c)
{
    resolve(a, dir, &c->ca_file);
    resolve(a, dir, &c->cert_file);
    resolve(a, dir, &c->key_file);
}

void http_config_resolve(struct arena *a, struct str dir, struct http_config *c)
{
    if (c->basic) {
        resolve(a, dir, &c->basic->username_file);
        resolve(a, dir, &c->basic->password_file);
    }
    if (c->authorization) resolve(a, dir, &c->authorization->credentials_file);
    if (c->oauth2) {
        resolve(a, dir, &c->oauth2->client_secret_file);
        resolve_tls(a, dir, &c->oauth2->tls);
    }
    resolve_tls(a, dir, &c->tls);
    for (size_t i = 0; i < c->headers.n; i++) {
        for (size_t j = 0; j < c->headers.v[i].files.n; j++) {
            resolve(a, dir, &c->headers.v[i].files.v[j]);
        }
    }
}

/* --- back to YAML --- */

void tls_config_print(struct yaml_printer *p, const struct tls_config *c)
{
    bool given = c->ca.n || c->cert.n || secret_set(c->key) || c->ca_file.n || c->cert_file.n ||
                 c->key_file.n || c->server_name.n || c->insecure_skip_verify || c->min || c->max;
    if (!given) return;
    yp_in(p, "tls_config");
    yp_str(p, "ca", c->ca);
    yp_str(p, "cert", c->cert);
    yp_secret(p, "key", c->key);
    yp_str(p, "ca_file", c->ca_file);
    yp_str(p, "cert_file", c->cert_file);
    yp_str(p, "key_file", c->key_file);
    yp_str(p, "server_name", c->server_name);
    yp_bool(p, "insecure_skip_verify", c->insecure_skip_verify);
    yp_c(p, "min_version", VERSIONS[c->min]);
    yp_c(p, "max_version", VERSIONS[c->max]);
    yp_out(p);
}

static void print_proxy(struct yaml_printer *p, const struct proxy_config *c)
{
    BUF(shown, 0);
    struct str before, after, user = c->url, host = { 0 };
    size_t scheme = str_find(c->url, STR("://"));
    /* A password in the address is shown as Go's URL.Redacted shows it. */
    if (scheme != STR_NONE && str_cut(str_from(c->url, scheme + 3), '@', &user, &host) &&
        str_cut(user, ':', &before, &after)) {
        buf_fmt(&shown, STR_FMT STR_FMT ":xxxxx@" STR_FMT, STR_ARG(str_first(c->url, scheme + 3)),
                STR_ARG(before), STR_ARG(host));
    } else {
        buf_put(&shown, c->url);
    }
    yp_str(p, "proxy_url", buf_str(&shown));
    yp_str(p, "no_proxy", c->no_proxy);
    yp_true(p, "proxy_from_environment", c->from_environment);
    if (!c->connect_header.n) return;
    yp_in(p, "proxy_connect_header");
    for (size_t i = 0; i < c->connect_header.n; i++) {
        struct str name = c->connect_header.v[i].name;
        yp_key_str(p, name);
        buf_char(p->b, '\n');
        for (size_t j = 0; j < c->connect_header.v[i].secrets.n; j++) {
            yp_list_item(p, SECRET_SHOWN);
        }
    }
    yp_out(p);
}

static void print_oauth2(struct yaml_printer *p, const struct oauth2 *c)
{
    yp_in(p, "oauth2");
    yp_text(p, "client_id", c->client_id);
    yp_text(p, "client_secret", secret_set(c->client_secret) ? SECRET_SHOWN : STR(""));
    yp_text(p, "client_secret_file", c->client_secret_file);
    yp_str(p, "grant_type", c->grant_type);
    yp_strs(p, "scopes", c->scopes);
    yp_text(p, "token_url", c->token_url);
    if (c->endpoint_params.n) {
        yp_in(p, "endpoint_params");
        for (size_t i = 0; i < c->endpoint_params.n; i++) {
            yp_key_str(p, c->endpoint_params.v[i].key);
            buf_char(p->b, ' ');
            yaml_write_str(p->b, c->endpoint_params.v[i].value, false);
            buf_char(p->b, '\n');
        }
        yp_out(p);
    }
    tls_config_print(p, &c->tls);
    print_proxy(p, &c->proxy);
    yp_out(p);
}

static void print_headers(struct yaml_printer *p, const struct header_configs *c)
{
    if (!c->n) return;
    yp_in(p, "http_headers");
    for (size_t i = 0; i < c->n; i++) {
        yp_key_str(p, c->v[i].name);
        buf_char(p->b, '\n');
        p->depth++;
        yp_strs(p, "values", c->v[i].values);
        yp_secrets(p, "secrets", c->v[i].secrets.n);
        yp_strs(p, "files", c->v[i].files);
        p->depth--;
    }
    yp_out(p);
}

void http_config_print(struct yaml_printer *p, const struct http_config *c)
{
    if (c->basic) {
        yp_in(p, "basic_auth");
        yp_str(p, "username", c->basic->username);
        yp_str(p, "username_file", c->basic->username_file);
        yp_secret(p, "password", c->basic->password);
        yp_str(p, "password_file", c->basic->password_file);
        yp_out(p);
    }
    if (c->authorization) {
        yp_in(p, "authorization");
        yp_str(p, "type", c->authorization->type);
        yp_secret(p, "credentials", c->authorization->credentials);
        yp_str(p, "credentials_file", c->authorization->credentials_file);
        yp_out(p);
    }
    if (c->oauth2) print_oauth2(p, c->oauth2);
    tls_config_print(p, &c->tls);
    yp_bool(p, "follow_redirects", c->follow_redirects);
    yp_bool(p, "enable_http2", c->enable_http2);
    print_proxy(p, &c->proxy);
    print_headers(p, &c->headers);
}
