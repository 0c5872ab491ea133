/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_token.h"

#include "codec/base64.h"
#include "codec/json.h"
#include "codec/num.h"

#include <pthread.h>
#include <stdlib.h>

enum { TOKENS_MAX = 64, EARLY_MS = 10000, TOKEN_BYTES_MAX = 64 << 10 };

struct token {
    char *text; /* key, NUL, header's value, NUL; NULL: free */
    const char *authorization;
    int64_t end_ms;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct token tokens[TOKENS_MAX];

static struct token *find(const struct token_kit *t)
{
    for (size_t i = 0; i < TOKENS_MAX; i++) {
        if (tokens[i].text && str_eqc(t->key, tokens[i].text)) return &tokens[i];
    }
    return NULL;
}

/* Its own, a free one, or that of the token that ends first. */
static struct token *slot_for(const struct token_kit *t)
{
    struct token *to = find(t);
    for (size_t i = 0; !to && i < TOKENS_MAX; i++) {
        if (!tokens[i].text) to = &tokens[i];
    }
    if (to) return to;
    to = &tokens[0];
    for (size_t i = 1; i < TOKENS_MAX; i++) {
        if (tokens[i].end_ms < to->end_ms) to = &tokens[i];
    }
    return to;
}

struct str token_cached(struct arena *a, const struct token_kit *t, int64_t mono_ms)
{
    struct str out = { 0 };
    pthread_mutex_lock(&lock);
    const struct token *k = find(t);
    if (k && mono_ms < k->end_ms) out = arena_dup(a, str_c(k->authorization));
    pthread_mutex_unlock(&lock);
    return out;
}

static void keep(const struct token_kit *t, struct str authorization, int64_t end_ms)
{
    char *text = malloc(t->key.n + authorization.n + 2);
    if (!text) abort();
    memcpy(text, t->key.p, t->key.n);
    text[t->key.n] = 0;
    memcpy(text + t->key.n + 1, authorization.p, authorization.n);
    text[t->key.n + 1 + authorization.n] = 0;
    pthread_mutex_lock(&lock);
    struct token *to = slot_for(t);
    free(to->text);
    *to = (struct token){ text, text + t->key.n + 1, end_ms };
    pthread_mutex_unlock(&lock);
}

void token_call(struct arena *a, const struct token_kit *t, enum token_style style,
                int64_t timeout_ms, struct http_pair pair[2], struct http_call *out)
{
    BUF(body, 0);
    buf_putc(&body, "grant_type=client_credentials");
    if (t->scope.n) {
        buf_putc(&body, "&scope=");
        form_escape(&body, t->scope);
    }
    buf_put(&body, t->params);
    pair[0] = (struct http_pair){ STR("Content-Type"), STR("application/x-www-form-urlencoded") };
    *out = (struct http_call){ .method = "POST",
                               .url = t->url,
                               .headers = pair,
                               .headers_n = 1,
                               .timeout_ms = timeout_ms,
                               .body_max = 1 << 20 };
    BUF(login, 0);
    if (style == TOKEN_IN_HEADER) {
        form_escape(&login, t->client_id);
        buf_char(&login, ':');
        form_escape(&login, secret_reveal(t->client_secret));
        BUF(b64, 0);
        base64_write(&b64, buf_str(&login));
        pair[1] = (struct http_pair){ STR("Authorization"),
                                      arena_fmt(a, "Basic " STR_FMT, STR_ARG(buf_str(&b64))) };
        out->headers_n = 2;
    } else {
        buf_putc(&body, "&client_id=");
        form_escape(&body, t->client_id);
        buf_putc(&body, "&client_secret=");
        form_escape(&body, secret_reveal(t->client_secret));
    }
    out->body = arena_dup(a, buf_str(&body));
}

/* Servers write 3600 or "3600". */
static int64_t seconds_of(const struct json *v)
{
    double n = json_num(v, 0);
    int64_t text;
    if (num_parse_i64(json_str(v, STR("")), &text) == OK) n = (double)text;
    return n > 0 && n < 1e9 ? (int64_t)n : 0;
}

static struct str type_of(const struct json *answer)
{
    struct str type = json_str(json_get(answer, "token_type"), STR("Bearer"));
    if (!type.n || str_ieq(type, STR("bearer"))) return STR("Bearer");
    return str_ieq(type, STR("mac"))     ? STR("MAC")
           : str_ieq(type, STR("basic")) ? STR("Basic")
                                         : type;
}

static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f) return false;
    }
    return true;
}

enum err token_parse(struct arena *a, struct str body, struct str *authorization, int64_t *life_s,
                     struct diag *d)
{
    const struct json *v = NULL;
    if (json_parse(a, body, &v, NULL) != OK) {
        return diag_set(d, ERR_SYNTAX, "oauth2: cannot parse json: the answer is no JSON");
    }
    struct str token = json_str(json_get(v, "access_token"), STR(""));
    if (!token.n) {
        return diag_set(d, ERR_SYNTAX, "oauth2: server response missing access_token");
    }
    if (token.n > TOKEN_BYTES_MAX || !is_plain(token) || !is_plain(type_of(v))) {
        return diag_set(d, ERR_SYNTAX, "oauth2: the access_token cannot stand in a header");
    }
    *life_s = seconds_of(json_get(v, "expires_in"));
    *authorization = arena_fmt(a, STR_FMT " " STR_FMT, STR_ARG(type_of(v)), STR_ARG(token));
    return OK;
}

enum err token_take(struct arena *a, const struct token_kit *t, int status, struct str body,
                    int64_t mono_ms, struct str *authorization, struct diag *d)
{
    struct str text = { 0 };
    int64_t life_s = 0;
    if (status / 100 != 2) {
        return diag_set(d, ERR_DENIED, "oauth2: cannot fetch token: server returned HTTP status %d",
                        status);
    }
    TRY(token_parse(a, body, &text, &life_s, d));
    keep(t, text, life_s ? mono_ms + life_s * 1000 - EARLY_MS : INT64_MAX);
    *authorization = text;
    return OK;
}
