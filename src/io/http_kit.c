/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_kit.h"

#include "base/vec.h"
#include "codec/base64.h"
#include "io/file.h"

enum { SECRET_FILE_MAX = 64 << 10, PEM_FILE_MAX = 4 << 20 };

void form_escape(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (alnum || (c && strchr("-_.~", c))) {
            buf_char(b, (char)c);
        } else if (c == ' ') {
            buf_char(b, '+');
        } else {
            buf_fmt(b, "%%%02X", c);
        }
    }
}

/* A line break in a value would begin a header of its own. */
static enum err header_value(struct str s, const char *what, struct diag *d)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '\t' || (c >= ' ' && c != 0x7f)) continue;
        return diag_set(d, ERR_SYNTAX, "%s holds a line break or another control character", what);
    }
    return OK;
}

/* The file's text without white space at its ends, or the text given in its place. */
static enum err secret_text(struct arena *a, struct str text, struct str path, const char *what,
                            struct str *out, struct diag *d)
{
    struct diag why = { 0 };
    struct str read = text;
    if (path.n) {
        enum err e = file_read(a, path, SECRET_FILE_MAX, &read, &why);
        if (e != OK) return diag_set(d, e, "unable to read %s: %s", what, why.text);
        read = str_trim(read);
    }
    *out = arena_dup(a, read);
    return OK;
}

static enum err pem_text(struct arena *a, struct str text, struct str path, const char *what,
                         struct str *out, struct diag *d)
{
    struct diag why = { 0 };
    struct str read = text;
    if (path.n) {
        enum err e = file_read(a, path, PEM_FILE_MAX, &read, &why);
        if (e != OK) return diag_set(d, e, "unable to load specified %s: %s", what, why.text);
    }
    if ((path.n || text.n) && str_find(read, STR("-----BEGIN")) == STR_NONE) {
        return diag_set(d, ERR_SYNTAX, "unable to use specified %s " STR_FMT ": it holds no PEM",
                        what, STR_ARG(path));
    }
    *out = arena_dup(a, read);
    return OK;
}

static enum err tls_make(struct arena *a, const struct tls_config *c, struct tls_kit *out,
                         struct diag *d)
{
    *out = (struct tls_kit){ .insecure = c->insecure_skip_verify, .min = c->min, .max = c->max };
    TRY(pem_text(a, c->ca, c->ca_file, "CA cert", &out->ca, d));
    TRY(pem_text(a, c->cert, c->cert_file, "client cert", &out->cert, d));
    TRY(pem_text(a, secret_reveal(c->key), c->key_file, "client key", &out->key, d));
    out->server_name = arena_dup(a, c->server_name);
    return OK;
}

static struct proxy_config proxy_copy(struct arena *a, const struct proxy_config *c)
{
    struct proxy_config out = { .url = arena_dup(a, c->url),
                                .no_proxy = arena_dup(a, c->no_proxy),
                                .from_environment = c->from_environment };
    out.connect_header.v = arena_array(a, c->connect_header.n, sizeof(*out.connect_header.v));
    for (size_t i = 0; i < c->connect_header.n; i++) {
        const struct header_config *from = &c->connect_header.v[i];
        struct header_config *to = &out.connect_header.v[out.connect_header.n++];
        to->name = arena_dup(a, from->name);
        to->secrets.v = arena_array(a, from->secrets.n, sizeof(*to->secrets.v));
        for (size_t j = 0; j < from->secrets.n; j++) {
            if (header_value(from->secrets.v[j], "", NULL) != OK) continue;
            to->secrets.v[to->secrets.n++] = arena_dup(a, from->secrets.v[j]);
        }
    }
    return out;
}

struct pairs {
    VEC(struct http_pair) v;
};

static enum err add_header(struct arena *a, struct pairs *to, struct str name, struct str value,
                           struct diag *d)
{
    struct str what = arena_fmt(a, "a value of header " STR_FMT, STR_ARG(name));
    TRY(header_value(value, what.p, d));
    *vec_push(a, &to->v) = (struct http_pair){ arena_dup(a, name), arena_dup(a, value) };
    return OK;
}

static enum err headers_make(struct arena *a, const struct header_configs *c, struct pairs *out,
                             struct diag *d)
{
    for (size_t i = 0; i < c->n; i++) {
        const struct header_config *h = &c->v[i];
        for (size_t j = 0; j < h->values.n; j++) {
            TRY(add_header(a, out, h->name, h->values.v[j], d));
        }
        for (size_t j = 0; j < h->secrets.n; j++) {
            TRY(add_header(a, out, h->name, h->secrets.v[j], d));
        }
        for (size_t j = 0; j < h->files.n; j++) {
            struct str text;
            TRY(secret_text(a, STR(""), h->files.v[j], "headers file", &text, d));
            TRY(add_header(a, out, h->name, text, d));
        }
    }
    return OK;
}

static struct str basic_header(struct arena *a, struct str user, struct str password)
{
    BUF(login, 0);
    BUF(out, 0);
    buf_put(&login, user);
    buf_char(&login, ':');
    buf_put(&login, password);
    buf_putc(&out, "Basic ");
    base64_write(&out, buf_str(&login));
    return arena_dup(a, buf_str(&out));
}

static enum err basic_make(struct arena *a, const struct basic_auth *c, struct http_kit *out,
                           struct diag *d)
{
    struct str user, password;
    TRY(secret_text(a, c->username, c->username_file, "basic auth username", &user, d));
    TRY(secret_text(a, secret_reveal(c->password), c->password_file, "basic auth password",
                    &password, d));
    out->authorization = basic_header(a, user, password);
    return OK;
}

static enum err authorization_make(struct arena *a, const struct authorization *c,
                                   struct http_kit *out, struct diag *d)
{
    struct str text;
    TRY(secret_text(a, secret_reveal(c->credentials), c->credentials_file,
                    "authorization credentials", &text, d));
    TRY(header_value(text, "authorization credentials", d));
    TRY(header_value(c->type, "authorization type", d));
    out->authorization = arena_fmt(a, STR_FMT " " STR_FMT, STR_ARG(c->type), STR_ARG(text));
    return OK;
}

static enum err token_make(struct arena *a, const struct oauth2 *c, struct token_kit **out,
                           struct diag *d)
{
    struct token_kit *t = arena_new(a, struct token_kit);
    struct str text;
    BUF(params, 0);
    BUF(scope, 0);
    TRY(secret_text(a, secret_reveal(c->client_secret), c->client_secret_file,
                    "oauth2 client secret", &text, d));
    TRY(tls_make(a, &c->tls, &t->tls, d));
    for (size_t i = 0; i < c->scopes.n; i++) {
        if (i) buf_char(&scope, ' ');
        buf_put(&scope, c->scopes.v[i]);
    }
    for (size_t i = 0; i < c->endpoint_params.n; i++) {
        buf_char(&params, '&');
        form_escape(&params, c->endpoint_params.v[i].key);
        buf_char(&params, '=');
        form_escape(&params, c->endpoint_params.v[i].value);
    }
    t->url = arena_dup(a, c->token_url);
    t->client_id = arena_dup(a, c->client_id);
    t->client_secret = secret_of(text);
    t->scope = arena_dup(a, buf_str(&scope));
    t->params = arena_dup(a, buf_str(&params));
    t->proxy = proxy_copy(a, &c->proxy);
    t->key = arena_fmt(a, STR_FMT "\n" STR_FMT "\n" STR_FMT "\n" STR_FMT "\n" STR_FMT,
                       STR_ARG(t->url), STR_ARG(t->client_id), STR_ARG(text), STR_ARG(t->scope),
                       STR_ARG(t->params));
    *out = t;
    return OK;
}

/* As a caller without a configuration asks. */
static void plain(struct arena *a, const struct http_call *call, struct http_kit *out)
{
    out->follow_redirects = call->follow_redirects;
    out->http2 = true;
    out->proxy.url = arena_dup(a, call->proxy);
}

enum err http_kit_make(struct arena *a, const struct http_call *call, struct http_kit *out,
                       struct diag *d)
{
    const struct http_config *c = call->config;
    struct pairs headers = { 0 };
    struct http_kit k = { 0 };
    if (call->user.n) {
        k.authorization = basic_header(a, call->user, secret_reveal(call->password));
    }
    if (!c) {
        plain(a, call, &k);
        *out = k;
        return OK;
    }
    k.from_config = true;
    k.follow_redirects = c->follow_redirects;
    k.http2 = c->enable_http2;
    if (c->basic) TRY(basic_make(a, c->basic, &k, d));
    if (c->authorization) TRY(authorization_make(a, c->authorization, &k, d));
    if (c->oauth2) TRY(token_make(a, c->oauth2, &k.token, d));
    TRY(tls_make(a, &c->tls, &k.tls, d));
    TRY(headers_make(a, &c->headers, &headers, d));
    k.proxy = proxy_copy(a, &c->proxy);
    k.headers = headers.v.v;
    k.headers_n = headers.v.n;
    *out = k;
    return OK;
}
