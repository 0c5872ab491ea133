/* SPDX-License-Identifier: Apache-2.0 */
#include "io/web_config.h"

#include "base/assert.h"
#include "codec/goquote.h"
#include "io/file.h"

#include <openssl/ssl.h>
#include <stdlib.h>

struct raw_http {
    bool http2;
    const struct yaml_node *headers;
};

struct raw {
    const struct yaml_node *self;
    struct web_tls *tls;
    struct raw_http http;
    struct yaml_pairs users;
};

#define TLS(name, kind, member)                                                                    \
    {                                                                                              \
        .key = (name), .type = (kind), .offset = offsetof(struct web_tls, member)                  \
    }
static const struct yaml_field TLS_FIELDS[] = {
    TLS(YAML_SELF, YT_NODE, at),
    TLS("cert", YT_STR, cert),
    TLS("key", YT_SECRET, key),
    TLS("cert_file", YT_STR, cert_file),
    TLS("key_file", YT_STR, key_file),
    TLS("client_auth_type", YT_STR, client_auth_type),
    TLS("client_ca", YT_STR, client_ca),
    TLS("client_ca_file", YT_STR, client_ca_file),
    TLS("client_allowed_sans", YT_STRS, client_allowed_sans),
    TLS("min_version", YT_STR, min_version),
    TLS("max_version", YT_STR, max_version),
    TLS("cipher_suites", YT_STRS, cipher_suites),
    TLS("curve_preferences", YT_STRS, curves),
    TLS("prefer_server_cipher_suites", YT_BOOL, prefer_server_cipher_suites),
    { .key = NULL },
};

static void tls_defaults(void *out)
{
    *(struct web_tls *)out = (struct web_tls){ .min_version = STR("TLS12"),
                                               .max_version = STR("TLS13"),
                                               .prefer_server_cipher_suites = true };
}

static const struct yaml_table TLS_TABLE = { .go_type = "web.TLSConfig",
                                             .size = sizeof(struct web_tls),
                                             .fields = TLS_FIELDS,
                                             .defaults = tls_defaults };

static const struct yaml_field HTTP_FIELDS[] = {
    { .key = "http2", .type = YT_BOOL, .offset = offsetof(struct raw_http, http2) },
    { .key = "headers", .type = YT_NODE, .offset = offsetof(struct raw_http, headers) },
    { .key = NULL },
};
static void http_defaults(void *out) { *(struct raw_http *)out = (struct raw_http){ true, NULL }; }
static const struct yaml_table HTTP_TABLE = { .go_type = "web.HTTPConfig",
                                              .size = sizeof(struct raw_http),
                                              .fields = HTTP_FIELDS,
                                              .defaults = http_defaults };

static const struct yaml_field FIELDS[] = {
    { .key = YAML_SELF, .type = YT_NODE, .offset = offsetof(struct raw, self) },
    { .key = "tls_server_config",
      .type = YT_STRUCT_PTR,
      .offset = offsetof(struct raw, tls),
      .sub = &TLS_TABLE },
    { .key = "http_server_config",
      .type = YT_STRUCT,
      .offset = offsetof(struct raw, http),
      .sub = &HTTP_TABLE },
    { .key = "basic_auth_users", .type = YT_MAP, .offset = offsetof(struct raw, users) },
    { .key = NULL },
};
static void raw_defaults(void *out) { *(struct raw *)out = (struct raw){ .http = { true, NULL } }; }
static const struct yaml_table TABLE = {
    .go_type = "web.Config", .size = sizeof(struct raw), .fields = FIELDS, .defaults = raw_defaults
};

/* --- names --- */

static const char *const VERSIONS[] = { "TLS10", "TLS11", "TLS12", "TLS13", NULL };
static const char *const CURVES[] = { "CurveP256", "CurveP384", "CurveP521", "X25519", NULL };
static const char *const CLIENT_AUTH[] = { "NoClientCert",
                                           "RequestClientCert",
                                           "RequireAnyClientCert",
                                           "VerifyClientCertIfGiven",
                                           "RequireAndVerifyClientCert",
                                           NULL };
/* What Go's crypto/tls offers; those of TLS 1.3 may be named and change nothing. */
static const char *const CIPHERS[] = {
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    NULL,
};

static ptrdiff_t index_of(struct str name, const char *const *list)
{
    for (ptrdiff_t i = 0; list[i]; i++) {
        if (str_eqc(name, list[i])) return i;
    }
    return -1;
}

static const struct yaml_node *key_of(const struct web_tls *t, const char *key)
{
    const struct yaml_node *v = yaml_get(t->at, key);
    return v ? v : t->at;
}

static enum err known(const struct web_tls *t, const char *key, struct str name,
                      const char *const *list, const char *what, struct diag *d)
{
    if (index_of(name, list) >= 0) return OK;
    return yaml_error(key_of(t, key), d, ERR_SYNTAX, "unknown %s: " STR_FMT, what, STR_ARG(name));
}

static enum err all_known(const struct web_tls *t, const char *key, const struct yaml_strs *names,
                          const char *const *list, const char *what, struct diag *d)
{
    for (size_t i = 0; i < names->n; i++) TRY(known(t, key, names->v[i], list, what, d));
    return OK;
}

/* --- checks --- */

static enum err check_client(struct web_tls *t, struct diag *d)
{
    if (t->client_auth_type.n) {
        ptrdiff_t i = index_of(t->client_auth_type, CLIENT_AUTH);
        if (i < 0) {
            return yaml_error(key_of(t, "client_auth_type"), d, ERR_SYNTAX,
                              "Invalid ClientAuth: " STR_FMT, STR_ARG(t->client_auth_type));
        }
        t->client_auth = (enum web_client_auth)i;
    }
    if ((t->client_ca.n || t->client_ca_file.n) && t->client_auth == CLIENT_AUTH_NONE) {
        return yaml_error(t->at, d, ERR_SYNTAX,
                          "Client CA's have been configured without a Client Auth Policy");
    }
    return OK;
}

static enum err check_tls(struct web_tls *t, struct diag *d)
{
    TRY(known(t, "min_version", t->min_version, VERSIONS, "TLS version", d));
    TRY(known(t, "max_version", t->max_version, VERSIONS, "TLS version", d));
    TRY(all_known(t, "cipher_suites", &t->cipher_suites, CIPHERS, "cipher", d));
    TRY(all_known(t, "curve_preferences", &t->curves, CURVES, "curve", d));
    bool cert = t->cert.n || t->cert_file.n, key = secret_set(t->key) || t->key_file.n;
    if (!cert && !key && !t->client_auth_type.n) return OK;
    if (!cert) return yaml_error(t->at, d, ERR_MISSING, "missing cert_file");
    if (!key) return yaml_error(t->at, d, ERR_MISSING, "missing key_file");
    return check_client(t, d);
}

static const struct header {
    const char *name;
    const char *values[4]; /* allowed; none: any */
} HEADERS[] = {
    { "Strict-Transport-Security", { NULL } },       { "X-Content-Type-Options", { "nosniff" } },
    { "X-Frame-Options", { "deny", "sameorigin" } }, { "X-XSS-Protection", { NULL } },
    { "Content-Security-Policy", { NULL } },
};

static enum err bad_header(const struct yaml_node *v, const struct header *h, struct diag *d)
{
    BUF(b, 0);
    buf_fmt(&b, "invalid value for %s. Expected one of: [", h->name);
    for (size_t i = 0; h->values[i]; i++) buf_fmt(&b, "%s\"%s\"", i ? " " : "", h->values[i]);
    buf_putc(&b, "], but got: ");
    go_quote(&b, v->text);
    return yaml_error(v, d, ERR_SYNTAX, STR_FMT, STR_ARG(buf_str(&b)));
}

static enum err check_header(const struct yaml_node *key, const struct yaml_node *value,
                             struct diag *d)
{
    for (size_t i = 0; i < ARRAY_LEN(HEADERS); i++) {
        const struct header *h = &HEADERS[i];
        if (!str_eqc(key->text, h->name)) continue;
        if (value->kind != YAML_SCALAR) return yaml_mismatch(value, "string", d);
        if (!h->values[0] || !value->text.n || index_of(value->text, h->values) >= 0) return OK;
        return bad_header(value, h, d);
    }
    return yaml_error(key, d, ERR_SYNTAX, "HTTP header \"" STR_FMT "\" can not be configured",
                      STR_ARG(key->text));
}

static enum err headers(struct arena *a, const struct yaml_node *map, struct yaml_pairs *out,
                        struct diag *d)
{
    if (yaml_is_null(map)) return OK;
    if (map->kind != YAML_MAP) return yaml_mismatch(map, "map[string]string", d);
    out->v = arena_array(a, map->n, sizeof(*out->v));
    for (size_t i = 0; i < map->n; i++) {
        const struct yaml_node *key = map->items[2 * i], *value = map->items[2 * i + 1];
        TRY(check_header(key, value, d));
        out->v[out->n++] = (struct yaml_pair){ key->text, value->text, value };
    }
    return OK;
}

/* $2y$10$ and 53 characters. Source: golang.org/x/crypto/bcrypt, newFromHash. */
static enum err check_hash(const struct yaml_pair *u, struct diag *d)
{
    enum { HASH_MIN = 59, COST_MIN = 4, COST_MAX = 31 };
    struct str h = u->value;
    if (h.n < HASH_MIN) {
        return yaml_error(u->at, d, ERR_SYNTAX,
                          "crypto/bcrypt: hashedSecret too short to be a bcrypted password");
    }
    if (h.p[0] != '$') {
        return yaml_error(
            u->at, d, ERR_SYNTAX,
            "crypto/bcrypt: bcrypt hashes must start with '$', but hashedSecret started with '%c'",
            h.p[0] >= ' ' && h.p[0] <= '~' ? h.p[0] : '?');
    }
    if (h.p[1] > '2') {
        return yaml_error(u->at, d, ERR_UNSUPPORTED,
                          "crypto/bcrypt: bcrypt algorithm version '%c' requested is newer than "
                          "current version '2'",
                          h.p[1] <= '~' ? h.p[1] : '?');
    }
    size_t at = h.p[2] == '$' ? 3 : 4;
    int cost = 0;
    bool digits = true;
    for (size_t i = at; i < at + 2; i++) {
        digits &= h.p[i] >= '0' && h.p[i] <= '9';
        cost = cost * 10 + (h.p[i] - '0');
    }
    if (!digits) {
        return yaml_error(u->at, d, ERR_SYNTAX, "crypto/bcrypt: the cost is not a number");
    }
    if (cost < COST_MIN || cost > COST_MAX) {
        return yaml_error(u->at, d, ERR_RANGE,
                          "crypto/bcrypt: cost %d is outside allowed inclusive range %d..%d", cost,
                          COST_MIN, COST_MAX);
    }
    return OK;
}

static void resolve(struct arena *a, struct str dir, struct str *path)
{
    if (path->n && dir.n) *path = path_join(a, dir, *path);
}

static enum err fill(struct web_config *c, struct str text, struct str dir, struct diag *d)
{
    struct arena *a = &c->arena;
    struct yaml_node *root = NULL;
    struct raw r;
    TRY(yaml_parse(a, arena_dup(a, text), YAML_V2, &root, NULL, d));
    TRY(yaml_decode(a, root, &TABLE, YAML_V2, &r, d));
    c->http2 = r.http.http2;
    c->users = r.users;
    c->tls = r.tls;
    if (r.tls) {
        TRY(check_tls(r.tls, d));
        resolve(a, dir, &r.tls->cert_file);
        resolve(a, dir, &r.tls->key_file);
        resolve(a, dir, &r.tls->client_ca_file);
        bool any = r.tls->cert.n || r.tls->cert_file.n;
        if (!any) c->tls = NULL;
    }
    for (size_t i = 0; i < r.users.n; i++) TRY(check_hash(&r.users.v[i], d));
    return headers(a, r.http.headers, &c->headers, d);
}

enum err web_config_parse(struct str text, struct str dir, struct web_config **out, struct diag *d)
{
    struct web_config *c = calloc(1, sizeof(*c));
    ASSERT(c != NULL);
    arena_init(&c->arena, 0);
    enum err e = fill(c, text, dir, d);
    if (e != OK) {
        web_config_free(c);
        return e;
    }
    *out = c;
    return OK;
}

void web_config_free(struct web_config *c)
{
    if (!c) return;
    arena_done(&c->arena);
    free(c);
}

/* --- files --- */

static enum err must_open(struct str path, const char *what, struct diag *d)
{
    ARENA(a, 0);
    struct str bytes;
    enum { PEM_MAX = 1 << 20 };
    enum err e = path.n ? file_read(&a, path, PEM_MAX, &bytes, NULL) : OK;
    if (e == OK) return OK;
    return diag_set(d, e, "%s: open " STR_FMT ": %s", what, STR_ARG(path),
                    e == ERR_MISSING ? "no such file or directory" : err_name(e));
}

static enum err check_pair(const struct web_tls *t, struct diag *d)
{
    ARENA(a, 0);
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    ASSERT(ctx != NULL);
    enum err e = OK;
    if (SSL_CTX_use_certificate_chain_file(ctx, arena_dup(&a, t->cert_file).p) != 1) {
        e = diag_set(d, ERR_SYNTAX, "failed to load X509KeyPair: " STR_FMT " holds no certificate",
                     STR_ARG(t->cert_file));
    } else if (SSL_CTX_use_PrivateKey_file(ctx, arena_dup(&a, t->key_file).p, SSL_FILETYPE_PEM) !=
               1) {
        e = diag_set(d, ERR_SYNTAX,
                     "failed to load X509KeyPair: " STR_FMT
                     " holds no key, or one that does not belong to " STR_FMT,
                     STR_ARG(t->key_file), STR_ARG(t->cert_file));
    }
    SSL_CTX_free(ctx);
    return e;
}

enum err web_config_check_files(const struct web_config *c, struct diag *d)
{
    const struct web_tls *t = c->tls;
    if (!t) return OK;
    TRY(must_open(t->cert_file, "failed to load X509KeyPair", d));
    TRY(must_open(t->key_file, "failed to load X509KeyPair", d));
    if (t->cert_file.n && t->key_file.n) TRY(check_pair(t, d));
    return must_open(t->client_ca_file, "failed to read the client's CA", d);
}
