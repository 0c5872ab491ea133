/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send.c - one attempt: render, connect, judge the answer
 */
#include "alert/kinds.h"
#include "alert/payload.h"
#include "codec/gotime.h"
#include "io/clock.h"
#include "io/file.h"
#include "io/http_client.h"
#include "io/smtp.h"
#include "roles/alertmanager/manager.h"

#define SECRET_FILE_MAX ((size_t)64 << 10)
#define ANSWER_MAX      ((size_t)64 << 10)
#define ATTEMPT_MAX_MS  30000 /* a receiver that says nothing holds its queue no longer than this */

/* The text of key, or of the file named by key_file, read anew each time. */
static enum err secret_text(const struct integration *in, struct arena *a, const char *key,
                            const char *file_key, struct str *out, struct diag *d)
{
    struct str path = setting_text(in, file_key), text;
    *out = setting_text(in, key);
    if (out->n || !path.n) return OK;
    TRY(file_read(a, path, SECRET_FILE_MAX, &text, d));
    *out = str_trim(text);
    return OK;
}

static int64_t time_left(const struct sending *s, const struct integration *in)
{
    int64_t left = sending_deadline(s) - clock_now_ms(), own_ns = 0;
    if (left > ATTEMPT_MAX_MS) left = ATTEMPT_MAX_MS;
    if (in->kind->fields[0].type == FT_HTTP &&
        go_duration_parse(setting_text(in, "timeout"), &own_ns, NULL) == OK && own_ns > 0 &&
        own_ns / 1000000 < left) {
        left = own_ns / 1000000;
    }
    return left > 100 ? left : 100;
}

static enum send_outcome by_err(enum err e, const char **reason)
{
    *reason = e == ERR_TIMEOUT    ? "contextDeadlineExceeded"
              : e == ERR_DENIED   ? "authError"
              : e == ERR_CANCELED ? "contextCanceled"
                                  : "other";
    return e == ERR_LIMIT || e == ERR_SYNTAX ? SEND_FAIL : SEND_RETRY;
}

static enum send_outcome send_mail(const struct sending *s, const struct message *msg,
                                   struct arena *a, const _Atomic(bool) *cancel,
                                   const char **reason, struct diag *d)
{
    const struct integration *in = sending_notification(s)->integration;
    struct str password;
    bool skip = false;
    const struct yaml_node *tls = setting_of(in, "tls_config")->node;
    const struct yaml_node *skip_node = yaml_get(tls, "insecure_skip_verify");
    if (skip_node) (void)yaml_bool_of(skip_node, &skip);
    enum err e = secret_text(in, a, "auth_password", "auth_password_file", &password, d);
    if (e != OK) return by_err(e, reason);
    struct smtp_mail mail = {
        .host = msg->host,
        .port = msg->port,
        .hello = msg->hello,
        .require_tls = setting_bool(in, "require_tls"),
        .insecure_skip_verify = skip,
        .ca_file = yaml_str(yaml_get(tls, "ca_file"), STR("")),
        .user = msg->user,
        .password = secret_of(password),
        .from = msg->from,
        .to = msg->to,
        .to_n = msg->to_n,
        .message = msg->message,
        .timeout_ms = time_left(s, in),
    };
    e = smtp_send(&mail, cancel, d);
    return e == OK ? SEND_OK : by_err(e, reason);
}

/* The address and what comes with it; a token of Slack's stands in place of the configured login. */
static enum err http_secrets(const struct integration *in, struct arena *a, struct message *msg,
                             struct http_config *http, struct diag *d)
{
    struct str token = { 0 };
    *http = in->http;
    if (!str_eqc(str_c(in->kind->name), "slack")) {
        return msg->url.n ? OK : secret_text(in, a, "url", "url_file", &msg->url, d);
    }
    TRY(secret_text(in, a, "api_url", "api_url_file", &msg->url, d));
    TRY(secret_text(in, a, "app_token", "app_token_file", &token, d));
    if (!token.n) return OK;
    msg->url = setting_text(in, "app_url");
    http->basic = NULL;
    http->oauth2 = NULL;
    http->authorization = arena_new(a, struct authorization);
    http->authorization->type = STR("Bearer");
    http->authorization->credentials = secret_of(token);
    return OK;
}

/* A hook's address is its password. Alertmanager, too, writes <redacted> for every URL of a failure. */
static void hide_urls(struct diag *d)
{
    char out[sizeof(d->text)];
    size_t n = 0;
    static const char MASK[] = "<redacted>";
    for (const char *p = d->text; *p && n + sizeof(MASK) < sizeof(out);) {
        if (strncmp(p, "http://", 7) != 0 && strncmp(p, "https://", 8) != 0) {
            out[n++] = *p++;
            continue;
        }
        memcpy(out + n, MASK, sizeof(MASK) - 1);
        n += sizeof(MASK) - 1;
        p += strcspn(p, "\" ");
    }
    out[n] = 0;
    memcpy(d->text, out, n + 1);
}

static enum send_outcome send_http(const struct sending *s, struct message *msg, struct arena *a,
                                   const _Atomic(bool) *cancel, const char **reason, struct diag *d)
{
    const struct integration *in = sending_notification(s)->integration;
    struct http_config http;
    enum err e = http_secrets(in, a, msg, &http, d);
    if (e != OK) return by_err(e, reason);
    const struct http_pair headers[] = { { STR("Content-Type"), STR("application/json") },
                                         { STR("User-Agent"), STR("Alertmanager/0.34.0") } };
    struct http_call call = {
        .method = "POST",
        .url = msg->url,
        .headers = headers,
        .headers_n = ARRAY_LEN(headers),
        .body = msg->body,
        .timeout_ms = time_left(s, in),
        .body_max = ANSWER_MAX,
        .config = &http,
    };
    struct http_result res = { 0 };
    e = http_fetch(&call, cancel, &res, d);
    enum send_outcome out = SEND_OK;
    if (e != OK) {
        hide_urls(d);
        out = by_err(e, reason);
    } else {
        struct verdict v = http_verdict(in, res.status, buf_str(&res.body), d);
        *reason = v.reason;
        out = v.ok ? SEND_OK : v.retry ? SEND_RETRY : SEND_FAIL;
    }
    buf_done(&res.body);
    return out;
}

enum send_outcome manager_send(const struct sending *s, uint64_t unique,
                               const _Atomic(bool) *cancel, const char **reason, struct diag *d)
{
    ARENA(a, 0);
    struct message msg;
    *reason = "other";
    enum err e = message_render(sending_notification(s), unique, &a, &msg, d);
    if (e != OK) return SEND_FAIL;
    return msg.is_mail ? send_mail(s, &msg, &a, cancel, reason, d)
                       : send_http(s, &msg, &a, cancel, reason, d);
}
