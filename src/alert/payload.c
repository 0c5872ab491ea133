/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/payload.h"

#include "alert/kinds.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "codec/json.h"
#include "codec/num.h"

#define BODY_MAX    ((size_t)8 << 20)
#define SLACK_TITLE 1024
#define NEST_MAX    32

struct rendering {
    const struct notification *nt;
    struct arena *a;
    struct data_ctx ctx;
    struct tmpl_value data;
    size_t dropped; /* by max_alerts */
};

struct str truncate_runes(struct arena *a, struct str s, size_t n, bool *cut)
{
    struct str rest = s;
    for (size_t i = 0; i < n && rest.n; i++) (void)utf8_next(&rest);
    *cut = rest.n > 0;
    if (!*cut) return s;
    rest = s;
    size_t keep = n > 3 ? n - 1 : n;
    for (size_t i = 0; i < keep; i++) (void)utf8_next(&rest);
    return arena_fmt(a, STR_FMT "%s", STR_ARG(str_first(s, s.n - rest.n)),
                     n > 3 ? "\xe2\x80\xa6" : "");
}

/* A field's text, or the error in its place. */
static struct str field_mode(struct rendering *r, const char *key, enum tmpl_mode mode)
{
    struct str out = STR("");
    struct diag d = { 0 };
    if (setting_render(setting_of(r->nt->integration, key), mode, r->a, &r->ctx, &out, &d) == OK) {
        return out;
    }
    return arena_fmt(r->a, "[template of %s failed: %s]", key, d.text);
}
static struct str field(struct rendering *r, const char *key)
{
    return field_mode(r, key, TMPL_TEXT);
}
static struct str loose(struct rendering *r, struct str text)
{
    struct str out = STR("");
    struct diag d = { 0 };
    if (text_render(r->nt->config->templates, text, TMPL_TEXT, r->a, &r->ctx, &out, &d) == OK) {
        return out;
    }
    return arena_fmt(r->a, "[template failed: %s]", d.text);
}
static enum err address(struct rendering *r, const char *key, struct str *out, struct diag *d)
{
    return setting_render(setting_of(r->nt->integration, key), TMPL_TEXT, r->a, &r->ctx, out, d);
}

/* ---- JSON ---- */
static void put_text(struct buf *b, struct str s)
{
    struct tmpl_value v = tmpl_str(s);
    tmpl_json(b, &v);
}
static void put_key(struct buf *b, const char *key)
{
    if (b->n && b->p[b->n - 1] != '{') buf_char(b, ',');
    buf_fmt(b, "\"%s\":", key);
}
static void put_field(struct buf *b, const char *key, struct str s)
{
    put_key(b, key);
    put_text(b, s);
}
static void put_nonempty(struct buf *b, const char *key, struct str s)
{
    if (s.n) put_field(b, key, s);
}

/* ---- webhook ---- */
/* A custom payload: its texts are run as templates, and what comes out is read as YAML again. */
static void put_node(struct rendering *r, struct buf *b, const struct yaml_node *v, bool run,
                     unsigned depth);

static void put_plain(struct rendering *r, struct buf *b, const struct yaml_node *v)
{
    bool flag;
    int64_t i;
    double f;
    BUF(n, 64);
    (void)r;
    if (v->quoted) {
        put_text(b, v->text);
    } else if (yaml_is_null(v)) {
        buf_putc(b, "null");
    } else if (yaml_bool_of(v, &flag)) {
        buf_putc(b, flag ? "true" : "false");
    } else if (yaml_int_of(v, &i)) {
        num_write_i64(b, i);
    } else if (yaml_float_of(v, &f)) {
        num_write_json(&n, f);
        buf_put(b, buf_str(&n));
    } else {
        put_text(b, v->text);
    }
}

static void put_scalar(struct rendering *r, struct buf *b, const struct yaml_node *v, bool run,
                       unsigned depth)
{
    bool text = v->quoted || str_find(v->text, STR("{{")) != STR_NONE;
    if (!run || !text) {
        put_plain(r, b, v);
        return;
    }
    struct str out = loose(r, v->text);
    struct yaml_node *again = NULL;
    bool whole = out.n && yaml_parse(r->a, out, YAML_V2, &again, NULL, NULL) == OK && again;
    if (!whole ||
        (again->kind == YAML_SCALAR && !again->quoted && str_eq(again->text, out) == false)) {
        put_text(b, out);
    } else {
        put_node(r, b, again, false, depth + 1);
    }
}

static void put_node(struct rendering *r, struct buf *b, const struct yaml_node *v, bool run,
                     unsigned depth)
{
    if (depth > NEST_MAX) {
        buf_putc(b, "null");
        return;
    }
    if (v->kind == YAML_SCALAR) {
        put_scalar(r, b, v, run, depth);
        return;
    }
    buf_char(b, v->kind == YAML_SEQ ? '[' : '{');
    for (size_t i = 0; i < v->n; i++) {
        if (i) buf_char(b, ',');
        if (v->kind == YAML_MAP) {
            put_text(b, run ? loose(r, v->items[2 * i]->text) : v->items[2 * i]->text);
            buf_char(b, ':');
        }
        put_node(r, b, v->kind == YAML_MAP ? v->items[2 * i + 1] : v->items[i], run, depth + 1);
    }
    buf_char(b, v->kind == YAML_SEQ ? ']' : '}');
}

static void put_webhook(struct rendering *r, struct buf *b)
{
    const struct tmpl_value *f = r->data.fields;
    const struct {
        const char *key;
        const struct tmpl_value *v;
    } rows[] = { { "receiver", &f[DATA_RECEIVER] },
                 { "status", &f[DATA_STATUS] },
                 { "alerts", &f[DATA_ALERTS] },
                 { "notification_reason", &f[DATA_REASON] },
                 { "groupLabels", &f[DATA_GROUP_LABELS] },
                 { "commonLabels", &f[DATA_COMMON_LABELS] },
                 { "commonAnnotations", &f[DATA_COMMON_ANNOTATIONS] },
                 { "routeLabels", &f[DATA_ROUTE_LABELS] },
                 { "externalURL", &f[DATA_EXTERNAL_URL] } };
    buf_char(b, '{');
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        put_key(b, rows[i].key);
        tmpl_json(b, rows[i].v);
    }
    put_field(b, "version", STR("4"));
    put_field(b, "groupKey", r->nt->group_key);
    put_key(b, "truncatedAlerts");
    buf_fmt(b, "%zu}\n", r->dropped);
}

static enum err webhook(struct rendering *r, struct buf *b, struct message *out, struct diag *d)
{
    const struct setting *payload = setting_of(r->nt->integration, "payload");
    TRY(address(r, "url", &out->url, d));
    if (payload->node && !yaml_is_null(payload->node)) {
        put_node(r, b, payload->node, true, 0);
        buf_char(b, '\n');
    } else {
        put_webhook(r, b);
    }
    return OK;
}

/* ---- Slack ---- */
static void slack_fields(struct rendering *r, struct buf *b)
{
    const struct yaml_node *v = setting_of(r->nt->integration, "fields")->node;
    if (!v || v->kind != YAML_SEQ || !v->n) return;
    put_key(b, "fields");
    buf_char(b, '[');
    for (size_t i = 0; i < v->n; i++) {
        bool small = setting_bool(r->nt->integration, "short_fields");
        const struct yaml_node *own = yaml_get(v->items[i], "short");
        if (own) (void)yaml_bool_of(own, &small);
        BUF(one, BODY_MAX);
        buf_char(&one, '{');
        put_field(&one, "title", loose(r, yaml_str(yaml_get(v->items[i], "title"), STR(""))));
        put_field(&one, "value", loose(r, yaml_str(yaml_get(v->items[i], "value"), STR(""))));
        put_key(&one, "short");
        buf_putc(&one, small ? "true}" : "false}");
        if (i) buf_char(b, ',');
        buf_put(b, buf_str(&one));
    }
    buf_char(b, ']');
}

static void slack_actions(struct rendering *r, struct buf *b)
{
    static const char *const keys[] = { "type", "text", "url", "style", "name", "value" };
    const struct yaml_node *v = setting_of(r->nt->integration, "actions")->node;
    if (!v || v->kind != YAML_SEQ || !v->n) return;
    put_key(b, "actions");
    buf_char(b, '[');
    for (size_t i = 0; i < v->n; i++) {
        BUF(one, BODY_MAX);
        buf_char(&one, '{');
        for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
            put_nonempty(&one, keys[k],
                         loose(r, yaml_str(yaml_get(v->items[i], keys[k]), STR(""))));
        }
        const struct yaml_node *confirm = yaml_get(v->items[i], "confirm");
        if (confirm) {
            put_key(&one, "confirm");
            put_node(r, &one, confirm, true, 0);
        }
        buf_char(&one, '}');
        if (i) buf_char(b, ',');
        buf_put(b, buf_str(&one));
    }
    buf_char(b, ']');
}

static void slack_markdown(struct rendering *r, struct buf *b)
{
    static const char *const usual[] = { "fallback", "pretext", "text" };
    const struct yaml_node *v = setting_of(r->nt->integration, "mrkdwn_in")->node;
    size_t n = v && v->kind == YAML_SEQ ? v->n : ARRAY_LEN(usual);
    put_key(b, "mrkdwn_in");
    buf_char(b, '[');
    for (size_t i = 0; i < n; i++) {
        if (i) buf_char(b, ',');
        put_text(b, v && v->kind == YAML_SEQ ? v->items[i]->text : str_c(usual[i]));
    }
    buf_char(b, ']');
}

static enum err slack(struct rendering *r, struct buf *b, struct message *out, struct diag *d)
{
    const struct integration *in = r->nt->integration;
    struct str channel;
    bool cut;
    TRY(address(r, "channel", &channel, d));
    out->url = setting_text(in, "api_url");
    buf_char(b, '{');
    put_nonempty(b, "channel", channel);
    put_nonempty(b, "username", field(r, "username"));
    put_nonempty(b, "icon_emoji", field(r, "icon_emoji"));
    put_nonempty(b, "icon_url", field(r, "icon_url"));
    if (setting_bool(in, "link_names")) {
        put_key(b, "link_names");
        buf_putc(b, "true");
    }
    put_nonempty(b, "text", field(r, "message_text"));
    put_key(b, "attachments");
    BUF(at, BODY_MAX);
    buf_char(&at, '{');
    put_field(&at, "title", truncate_runes(r->a, field(r, "title"), SLACK_TITLE, &cut));
    put_field(&at, "title_link", field(r, "title_link"));
    put_nonempty(&at, "pretext", field(r, "pretext"));
    put_field(&at, "text", field(r, "text"));
    put_field(&at, "fallback", field(r, "fallback"));
    put_field(&at, "callback_id", field(r, "callback_id"));
    slack_fields(r, &at);
    slack_actions(r, &at);
    put_nonempty(&at, "image_url", field(r, "image_url"));
    put_nonempty(&at, "thumb_url", field(r, "thumb_url"));
    put_field(&at, "footer", field(r, "footer"));
    put_nonempty(&at, "color", field(r, "color"));
    slack_markdown(r, &at);
    buf_fmt(b, "[" STR_FMT "}]}\n", STR_ARG(buf_str(&at)));
    return OK;
}

/* ---- mail ---- */
/* RFC 2047 Q encoding where the text is not plain ASCII; words of at most 75 bytes. */
static void put_header_text(struct buf *b, struct str s)
{
    static const char digits[] = "0123456789ABCDEF";
    bool plain = true;
    for (size_t i = 0; i < s.n; i++) {
        plain = plain && ((s.p[i] >= ' ' && s.p[i] <= '~') || s.p[i] == '\t');
    }
    if (plain) {
        buf_put(b, s);
        return;
    }
    size_t room = 0;
    while (s.n) {
        struct str at = s;
        (void)utf8_next(&s);
        size_t bytes = at.n - s.n;
        if (room < bytes * 3) {
            if (room || b->p[b->n - 1] == '=') buf_putc(b, "?= ");
            buf_putc(b, "=?utf-8?q?");
            room = 63;
        }
        for (size_t i = 0; i < bytes; i++) {
            unsigned char c = (unsigned char)at.p[i];
            bool keep = c > ' ' && c <= '~' && c != '=' && c != '?' && c != '_';
            if (c == ' ') {
                buf_char(b, '_');
            } else if (keep) {
                buf_char(b, (char)c);
            } else {
                buf_char(b, '=');
                buf_char(b, digits[c >> 4]);
                buf_char(b, digits[c & 15]);
                room -= 2;
            }
            room--;
        }
    }
    buf_putc(b, "?=");
}

static void put_header(struct buf *b, struct str name, struct str value)
{
    buf_fmt(b, STR_FMT ": ", STR_ARG(name));
    BUF(one_line, BODY_MAX);
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] != '\r' && value.p[i] != '\n') buf_char(&one_line, value.p[i]);
    }
    put_header_text(b, buf_str(&one_line));
    buf_putc(b, "\r\n");
}

/* Quoted-printable, lines of at most 76 bytes. */
static void put_printable(struct buf *b, struct str s)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t column = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '\r' && i + 1 < s.n && s.p[i + 1] == '\n') continue;
        if (c == '\n') {
            buf_putc(b, "\r\n");
            column = 0;
            continue;
        }
        bool at_end = i + 1 >= s.n || s.p[i + 1] == '\n' || s.p[i + 1] == '\r';
        bool keep = (c >= ' ' && c <= '~' && c != '=') || c == '\t';
        if ((c == ' ' || c == '\t') && at_end) keep = false;
        size_t width = keep ? 1 : 3;
        if (column + width > 75) {
            buf_putc(b, "=\r\n");
            column = 0;
        }
        if (keep) {
            buf_char(b, (char)c);
        } else {
            buf_char(b, '=');
            buf_char(b, digits[c >> 4]);
            buf_char(b, digits[c & 15]);
        }
        column += width;
    }
}

/* The bare address of `Name <a@b>` or `a@b`; empty where there is none. */
static struct str bare_address(struct str s)
{
    size_t open = str_find_char(s, '<');
    s = str_trim(s);
    if (open != STR_NONE) {
        struct str rest = str_from(s, str_find_char(s, '<') + 1);
        s = str_first(rest, str_find_char(rest, '>'));
    }
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] == '<' || s.p[i] == '>') return STR("");
    }
    size_t at = str_find_char(s, '@');
    return at != STR_NONE && at > 0 && at + 1 < s.n ? s : STR("");
}

static enum err recipients(struct rendering *r, struct str to, struct message *out, struct diag *d)
{
    struct {
        struct str *v;
        size_t n, cap;
    } list = { 0 };
    bool quoted = false;
    size_t from = 0;
    for (size_t i = 0; i <= to.n; i++) {
        if (i < to.n && to.p[i] == '"') quoted = !quoted;
        if (i < to.n && (to.p[i] != ',' || quoted)) continue;
        struct str one = str_trim(str_make(to.p + from, i - from));
        from = i + 1;
        if (!one.n) continue;
        struct str bare = bare_address(one);
        if (!bare.n) {
            return diag_set(d, ERR_SYNTAX, "parse 'to' addresses: not an address: " STR_FMT,
                            STR_ARG(one));
        }
        *vec_push(r->a, &list) = bare;
    }
    if (!list.n) return diag_set(d, ERR_SYNTAX, "parse 'to' addresses: no address");
    out->to = list.v;
    out->to_n = list.n;
    return OK;
}

/* Headers of the configuration; true where it has this one. */
static bool own_header(const struct yaml_node *headers, const char *name)
{
    for (size_t i = 0; headers && headers->kind == YAML_MAP && i < headers->n; i++) {
        if (str_ieq(headers->items[2 * i]->text, str_c(name))) return true;
    }
    return false;
}

static void mail_headers(struct rendering *r, struct buf *b, struct str from, struct str to,
                         uint64_t unique)
{
    const struct yaml_node *h = setting_of(r->nt->integration, "headers")->node;
    if (!own_header(h, "From")) put_header(b, STR("From"), from);
    if (!own_header(h, "To")) put_header(b, STR("To"), to);
    if (!own_header(h, "Subject")) {
        put_header(b, STR("Subject"), loose(r, STR("{{ template \"email.default.subject\" . }}")));
    }
    for (size_t i = 0; h && h->kind == YAML_MAP && i < h->n; i++) {
        put_header(b, h->items[2 * i]->text, loose(r, h->items[2 * i + 1]->text));
    }
    struct str domain = str_from(bare_address(from), str_find_char(bare_address(from), '@') + 1);
    if (!own_header(h, "Message-Id")) {
        buf_fmt(b, "Message-Id: <%lld.%llu@" STR_FMT ">\r\n", (long long)r->nt->now,
                (unsigned long long)unique, STR_ARG(domain));
    }
    struct tmpl_value now = tmpl_time_ms(r->a, r->nt->now);
    BUF(date, 64);
    tmpl_time_format(&date, now.time, STR("Mon, 02 Jan 2006 15:04:05 -0700"));
    put_header(b, STR("Date"), buf_str(&date));
    if (!own_header(h, "Auto-Submitted")) {
        put_header(b, STR("Auto-Submitted"), STR("auto-generated"));
    }
}

static void mail_part(struct buf *b, struct str boundary, const char *type, struct str text)
{
    if (!text.n) return;
    buf_fmt(
        b,
        "--" STR_FMT
        "\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: %s; charset=UTF-8\r\n\r\n",
        STR_ARG(boundary), type);
    put_printable(b, text);
    buf_putc(b, "\r\n");
}

static enum err mail(struct rendering *r, uint64_t unique, struct buf *b, struct message *out,
                     struct diag *d)
{
    const struct integration *in = r->nt->integration;
    struct str from, to, smarthost = setting_text(in, "smarthost");
    uint64_t port = 0;
    TRY(address(r, "from", &from, d));
    TRY(address(r, "to", &to, d));
    out->is_mail = true;
    out->from = bare_address(from);
    if (!out->from.n) {
        return diag_set(d, ERR_SYNTAX, "parse 'from' addresses: not an address: " STR_FMT,
                        STR_ARG(from));
    }
    TRY(recipients(r, to, out, d));
    size_t colon = smarthost.n;
    while (colon && smarthost.p[colon - 1] != ':') colon--;
    if (!colon || num_parse_u64(str_from(smarthost, colon), &port) != OK || port > 65535) {
        return diag_set(d, ERR_SYNTAX, "smarthost " STR_FMT " has no port", STR_ARG(smarthost));
    }
    out->port = (uint16_t)port;
    out->host = str_first(smarthost, colon - 1);
    if (out->host.n > 2 && out->host.p[0] == '[') {
        out->host = str_make(out->host.p + 1, out->host.n - 2);
    }
    out->hello = setting_text(in, "hello");
    out->user = setting_text(in, "auth_username");
    struct str boundary = arena_fmt(r->a, "vigie-%016llx", (unsigned long long)unique);
    mail_headers(r, b, from, to, unique);
    buf_fmt(b,
            "Content-Type: multipart/alternative;  boundary=" STR_FMT
            "\r\nMIME-Version: 1.0\r\n\r\n",
            STR_ARG(boundary));
    mail_part(b, boundary, "text/plain", field(r, "text"));
    mail_part(b, boundary, "text/html", field_mode(r, "html", TMPL_HTML));
    buf_fmt(b, "--" STR_FMT "--\r\n", STR_ARG(boundary));
    return OK;
}

enum err message_render(const struct notification *nt, uint64_t unique, struct arena *a,
                        struct message *out, struct diag *d)
{
    struct rendering r = { .nt = nt, .a = a };
    BUF(b, BODY_MAX);
    /* What max_alerts leaves out is not in the common labels either. */
    struct notification cut = *nt;
    int64_t max = 0;
    bool is_webhook = str_eqc(str_c(nt->integration->kind->name), "webhook");
    if (is_webhook) (void)num_parse_i64(setting_text(nt->integration, "max_alerts"), &max);
    if (max > 0 && nt->n > (size_t)max) cut.n = (size_t)max;
    r.nt = &cut;
    r.dropped = nt->n - cut.n;
    r.data = alert_data(a, &cut);
    r.ctx = (struct data_ctx){ .now_ms = nt->now, .data = &r.data };
    *out = (struct message){ 0 };
    struct str kind = str_c(nt->integration->kind->name);
    enum err e = str_eqc(kind, "webhook") ? webhook(&r, &b, out, d)
                 : str_eqc(kind, "slack") ? slack(&r, &b, out, d)
                                          : mail(&r, unique, &b, out, d);
    TRY(e);
    if (b.over) {
        return diag_set(d, ERR_LIMIT, "the notification is larger than %zu bytes", BODY_MAX);
    }
    struct str all = arena_dup(a, buf_str(&b));
    if (out->is_mail) {
        out->message = all;
    } else {
        out->body = all;
    }
    return OK;
}

/* ---- answers ---- */
static const char *reason_of(int status)
{
    if (status == 401 || status == 403) return "authError";
    if (status == 429) return "rateLimited";
    if (status / 100 == 4) return "clientError";
    return status / 100 == 5 ? "serverError" : "other";
}

/* Slack says no with status 200, too. */
static bool slack_refused(struct str body, struct diag *d)
{
    ARENA(a, (size_t)1 << 20);
    const struct json *v;
    body = str_trim(body);
    if (!body.n || body.p[0] != '{' || json_parse(&a, body, &v, NULL) != OK) {
        if (!body.n || str_eqc(body, "ok")) return false;
        (void)diag_set(d, ERR_SYNTAX, "received an error response from Slack: " STR_FMT,
                       STR_ARG(str_first(body, 200)));
        return true;
    }
    if (json_bool(json_get(v, "ok"), true)) return false;
    (void)diag_set(d, ERR_SYNTAX, "error response from Slack: " STR_FMT,
                   STR_ARG(json_str(json_get(v, "error"), STR("?"))));
    return true;
}

struct verdict http_verdict(const struct integration *in, int status, struct str body,
                            struct diag *d)
{
    struct verdict v = { .ok = status / 100 == 2, .reason = reason_of(status) };
    bool is_slack = str_eqc(str_c(in->kind->name), "slack");
    if (v.ok) {
        if (is_slack && slack_refused(body, d)) v = (struct verdict){ .reason = "clientError" };
        return v;
    }
    /* Differs: the original gives up on Slack's 429. */
    v.retry = status / 100 == 5 || (is_slack && status == 429);
    body = str_first(str_trim(body), 160);
    (void)diag_set(d, ERR_SYS, "unexpected status code %d%s" STR_FMT, status, body.n ? ": " : "",
                   STR_ARG(body));
    return v;
}
