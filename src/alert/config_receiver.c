/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_receiver.c - receivers by the tables of kinds.h: types, inheritance, ${...}, templates
 */
#include "alert/config_priv.h"
#include "base/assert.h"
#include "codec/goquote.h"
#include "codec/gotime.h"

/* ---- http_config ---- */
static struct str resolve(struct loading *l, struct str text, enum expand_where where,
                          struct str *unset)
{
    struct expanded out = { .text = text };
    if (l->o->expand != EXPAND_OFF) expand(l->a, text, where, l->o->lookup, l->o->lookup_ctx, &out);
    if (out.unset.n && unset && !unset->n) *unset = out.unset;
    return out.text;
}

static struct secret resolve_secret(struct loading *l, struct secret s, struct str *unset)
{
    return secret_of(resolve(l, secret_reveal(s), EXPAND_ANYWHERE, unset));
}

static enum err load_http(struct loading *l, const struct yaml_node *v, struct http_config *out,
                          struct str *unset, struct diag *d)
{
    struct http_config h;
    TRY(yaml_decode(l->a, v, &HTTP_CONFIG_TABLE, YAML_V2, &h, d));
    if (h.basic) {
        h.basic->username = resolve(l, h.basic->username, EXPAND_ANYWHERE, unset);
        h.basic->password = resolve_secret(l, h.basic->password, unset);
    }
    if (h.authorization) {
        h.authorization->credentials = resolve_secret(l, h.authorization->credentials, unset);
    }
    if (h.oauth2) h.oauth2->client_secret = resolve_secret(l, h.oauth2->client_secret, unset);
    h.proxy.url = resolve(l, h.proxy.url, EXPAND_URL, unset);
    http_config_resolve(l->a, l->o->dir, &h);
    *out = h;
    return OK;
}

/* ---- one value by its row ---- */
static bool is_template(enum field_type t)
{
    return t == FT_TEMPLATE || t == FT_ADDRESS_TEMPLATE || t == FT_SECRET_TEMPLATE;
}

static enum expand_where where_of(enum field_type t)
{
    switch (t) {
    case FT_URL:
    case FT_SECRET_URL: return EXPAND_URL;
    case FT_ADDRESS:
    case FT_ADDRESS_TEMPLATE:
    case FT_SECRET:
    case FT_SECRET_TEMPLATE: return EXPAND_ANYWHERE;
    default: return EXPAND_WHOLE;
    }
}

/* A host as url.Parse takes it. Differs: its sentence begins with the URL, which may hold a secret. */
static enum err check_host(const struct yaml_node *at, struct str after, struct diag *d)
{
    size_t n = 0, port = STR_NONE;
    for (; n < after.n; n++) {
        char c = after.p[n];
        if (c == '/' || c == '?' || c == '#') break;
        if (c == ' ') {
            return yaml_error(at, d, ERR_SYNTAX, "invalid character \" \" in host name");
        }
        if (c == ':') port = n;
        if (c == '@' || c == ']') port = STR_NONE;
    }
    for (size_t i = port == STR_NONE ? n : port + 1; i < n; i++) {
        if (after.p[i] >= '0' && after.p[i] <= '9') continue;
        return yaml_error(at, d, ERR_SYNTAX, "invalid port after host");
    }
    return OK;
}

/* What url.Parse and the scheme check say; a templated URL is looked at when it is rendered. */
static enum err check_url(const struct yaml_node *at, struct str s, struct diag *d)
{
    if (str_eq(s, STR("<secret>")) || str_find(s, STR("{{")) != STR_NONE) return OK;
    struct str scheme, rest;
    bool has = str_cut(s, ':', &scheme, &rest);
    if (!has || !(str_ieq(scheme, STR("http")) || str_ieq(scheme, STR("https")))) {
        if (!has || str_find_char(scheme, '/') != STR_NONE ||
            str_find_char(scheme, '$') != STR_NONE) {
            scheme = STR("");
        }
        BUF(q, 0);
        go_quote(&q, scheme);
        return yaml_error(at, d, ERR_SYNTAX, "unsupported scheme " STR_FMT " for URL",
                          STR_ARG(buf_str(&q)));
    }
    if (!str_starts(rest, STR("//")) || rest.n == 2 || rest.p[2] == '/') {
        return yaml_error(at, d, ERR_SYNTAX, "missing host for URL");
    }
    return check_host(at, str_from(rest, 2), d);
}

static enum err load_number(const struct kind_field *f, const struct yaml_node *v, struct diag *d)
{
    int64_t ignored;
    struct diag why = { 0 };
    bool flag;
    switch (f->type) {
    case FT_BOOL: return yaml_bool_of(v, &flag) ? OK : yaml_mismatch(v, "bool", d);
    case FT_INT: return yaml_int_of(v, &ignored) ? OK : yaml_mismatch(v, "int", d);
    case FT_DURATION:
        if (duration_parse(v->text, &ignored, &why) == OK) return OK;
        return yaml_error(v, d, ERR_SYNTAX, "%s", why.text);
    case FT_GO_DURATION:
        if (go_duration_parse(v->text, &ignored, &why) == OK) return OK;
        return yaml_error(v, d, ERR_SYNTAX, "%s", why.text);
    default: return OK;
    }
}

static enum err load_text(struct loading *l, const struct kind_field *f, const struct yaml_node *v,
                          struct setting *s, struct str *unset, struct diag *d)
{
    bool flag = false;
    if (v->kind != YAML_SCALAR) return yaml_mismatch(v, "string", d);
    struct str missing = { 0 };
    s->text = resolve(l, v->text, where_of(f->type), &missing);
    s->literal = s->text.p != v->text.p && str_find(s->text, STR("{{")) == STR_NONE;
    if (str_starts(v->text, STR("${")) && s->text.p != v->text.p) s->literal = true;
    if (missing.n) {
        if (!unset->n) {
            *unset = arena_fmt(l->a, STR_FMT " (%s, line %u)", STR_ARG(missing), f->key, v->line);
        }
        return OK;
    }
    TRY(load_number(f, v, d));
    if (f->type == FT_BOOL) {
        (void)yaml_bool_of(v, &flag);
        s->text = flag ? STR("true") : STR("false");
    }
    if ((f->type == FT_URL || f->type == FT_SECRET_URL) && s->text.n) {
        enum err e = check_url(v, s->text, d);
        if (e != OK && s->text.p != v->text.p) {
            /* A variable's value is never shown and never stops the server. */
            *unset = arena_fmt(
                l->a,
                "the value for %s (line %u) is not a URL that begins with http:// or https://",
                f->key, v->line);
            return OK;
        }
        return e;
    }
    return OK;
}

/* Known keys, and none that mails would ignore. */
static enum err check_mail_tls(struct loading *l, const struct yaml_node *v, struct diag *d)
{
    struct tls_config t;
    TRY(yaml_decode(l->a, v, &TLS_CONFIG_TABLE, YAML_V2, &t, d));
    if (t.ca.n || t.cert.n || t.cert_file.n || t.server_name.n || t.min || t.max) {
        config_warn(l, v,
                    "tls_config of mails: only ca_file and insecure_skip_verify count yet; the "
                    "other keys are not done");
    }
    return OK;
}

static enum err load_setting(struct loading *l, const struct kind_field *f,
                             const struct yaml_node *v, struct setting *s, struct str *unset,
                             struct diag *d)
{
    s->node = v;
    if (yaml_is_null(v)) return OK;
    s->set = true;
    switch (f->type) {
    case FT_HTTP:
    case FT_NODE: return OK;
    case FT_TLS: return check_mail_tls(l, v, d);
    case FT_STRINGS: return v->kind == YAML_SEQ ? OK : yaml_mismatch(v, "[]string", d);
    case FT_MAP: return v->kind == YAML_MAP ? OK : yaml_mismatch(v, "map[string]string", d);
    default: return load_text(l, f, v, s, unset, d);
    }
}

static size_t row_of(const struct kind_field *rows, struct str key)
{
    for (size_t i = 0; rows[i].key; i++) {
        if (str_eqc(key, rows[i].key)) return i;
    }
    return STR_NONE;
}
size_t global_row(const char *key) { return row_of(global_fields, str_c(key)); }

static size_t count_rows(const struct kind_field *rows)
{
    size_t n = 0;
    while (rows[n].key) n++;
    return n;
}

/* Fills settings from a mapping; *send_resolved NULL where there is no such key. */
static enum err load_rows(struct loading *l, const struct kind_field *rows, const char *go_type,
                          const struct yaml_node *v, struct setting *settings, bool *send_resolved,
                          struct str *unset, struct diag *d)
{
    if (yaml_is_null(v)) return OK;
    if (v->kind != YAML_MAP) return yaml_mismatch(v, go_type, d);
    for (size_t i = 0; i < v->n; i++) {
        const struct yaml_node *key = v->items[2 * i], *value = v->items[2 * i + 1];
        size_t row = row_of(rows, key->text);
        for (size_t k = 0; k < i; k++) {
            if (str_eq(v->items[2 * k]->text, key->text)) {
                return yaml_error(key, d, ERR_EXISTS, "field " STR_FMT " already set in type %s",
                                  STR_ARG(key->text), go_type);
            }
        }
        if (send_resolved && str_eqc(key->text, "send_resolved")) {
            if (!yaml_bool_of(value, send_resolved)) return yaml_mismatch(value, "bool", d);
        } else if (row == STR_NONE) {
            return yaml_error(key, d, ERR_SYNTAX, "field " STR_FMT " not found in type %s",
                              STR_ARG(key->text), go_type);
        } else {
            TRY(load_setting(l, &rows[row], value, &settings[row], unset, d));
        }
    }
    return OK;
}

/* ---- what belongs together ---- */
static bool has(const struct kind_field *rows, const struct setting *s, struct str key)
{
    size_t row = row_of(rows, key);
    return row != STR_NONE && s[row].set && (s[row].text.n || s[row].node);
}

/* "x & x_file". */
static enum err check_pairs(const struct kind_field *rows, const struct setting *s,
                            const char *const *pairs, const struct yaml_node *at, struct diag *d)
{
    for (; pairs && *pairs; pairs++) {
        struct str pair = str_c(*pairs);
        size_t amp = str_find(pair, STR(" & "));
        if (!has(rows, s, str_first(pair, amp)) || !has(rows, s, str_from(pair, amp + 3))) continue;
        return yaml_error(at, d, ERR_SYNTAX, "at most one of %s must be configured", *pairs);
    }
    return OK;
}

static const char *const global_pairs[] = { "slack_api_url & slack_api_url_file",
                                            "slack_app_token & slack_app_token_file",
                                            "opsgenie_api_key & opsgenie_api_key_file",
                                            "victorops_api_key & victorops_api_key_file",
                                            "smtp_auth_password & smtp_auth_password_file",
                                            "smtp_auth_secret & smtp_auth_secret_file",
                                            "telegram_bot_token & telegram_bot_token_file",
                                            "rocketchat_token & rocketchat_token_file",
                                            "rocketchat_token_id & rocketchat_token_id_file",
                                            "mattermost_webhook_url & mattermost_webhook_url_file",
                                            "wechat_api_secret & wechat_api_secret_file",
                                            NULL };

enum err config_build_global(struct loading *l, struct diag *d)
{
    const struct yaml_node *v = l->raw.global;
    l->global = arena_array(l->a, count_rows(global_fields), sizeof(*l->global));
    TRY(load_rows(l, global_fields, "config.plain", v, l->global, NULL, &(struct str){ 0 }, d));
    /* An unset variable is told by the integrations that inherit it: find them again by the row. */
    for (size_t i = 0; global_fields[i].key; i++) {
        struct setting *s = &l->global[i];
        if (!s->set && global_fields[i].deflt) s->text = str_c(global_fields[i].deflt);
    }
    static const struct {
        const char *x, *y;
        const char *text;
    } both[] = { { "slack_app_token", "slack_api_url",
                   "slack_app_token/slack_app_token_file & slack_api_url/slack_api_url_file" } };
    if (v) TRY(check_pairs(global_fields, l->global, global_pairs, v, d));
    bool app = has(global_fields, l->global, STR("slack_app_token")) ||
               has(global_fields, l->global, STR("slack_app_token_file"));
    bool api = has(global_fields, l->global, STR("slack_api_url")) ||
               has(global_fields, l->global, STR("slack_api_url_file"));
    bool same = str_eq(l->global[global_row("slack_api_url")].text,
                       l->global[global_row("slack_app_url")].text);
    if (app && api && !same) {
        return yaml_error(v, d, ERR_SYNTAX, "at most one of %s must be configured", both[0].text);
    }
    l->global_http_node = l->global[global_row("http_config")].node;
    TRY(load_http(l, l->global_http_node, &l->global_http, &(struct str){ 0 }, d));
    const struct setting *timeout = &l->global[global_row("resolve_timeout")];
    return duration_parse(timeout->text, &l->c->resolve_timeout_ms, d);
}

/* A row without a value takes the global one; passwords and their files as a pair. */
static enum err inherit(struct loading *l, struct integration *in, struct diag *d)
{
    const struct kind_field *rows = in->kind->fields;
    bool own_token = has(rows, in->settings, STR("api_url")) ||
                     has(rows, in->settings, STR("api_url_file")) ||
                     has(rows, in->settings, STR("app_token")) ||
                     has(rows, in->settings, STR("app_token_file"));
    bool slack = str_eqc(str_c(in->kind->name), "slack");
    for (size_t i = 0; rows[i].key; i++) {
        struct setting *s = &in->settings[i];
        if (s->set || !rows[i].global) continue;
        struct str key = str_c(rows[i].key);
        struct str pair = str_ends(key, STR("_file")) ? str_first(key, key.n - 5)
                                                      : arena_fmt(l->a, "%s_file", rows[i].key);
        size_t other = row_of(rows, pair);
        if (other != STR_NONE && in->settings[other].set && in->settings[other].node &&
            yaml_get(in->node, rows[other].key)) {
            continue;
        }
        /* Slack: a token or a URL of one's own keeps both global ones away. */
        if (slack && own_token && !str_eqc(key, "app_url")) continue;
        const struct kind_field *g = &global_fields[global_row(rows[i].global)];
        const struct setting *from = &l->global[global_row(rows[i].global)];
        s->text = from->text;
        s->node = from->node;
        s->set = from->set || from->text.n;
        s->literal = from->literal;
        if (from->set && from->node && from->node->kind == YAML_SCALAR) {
            TRY(load_text(l, g, from->node, s, &in->unset, d));
        }
    }
    return OK;
}

/* The key or its _file. */
static bool have_key(const struct integration *in, const char *key)
{
    const struct kind_field *rows = in->kind->fields;
    struct str name = str_c(key);
    for (size_t i = 0; rows[i].key; i++) {
        struct str row = str_c(rows[i].key);
        bool same = str_eq(row, name) ||
                    (str_starts(row, name) && str_eqc(str_from(row, name.n), "_file"));
        if (same && has(rows, in->settings, row)) return true;
    }
    return false;
}

static enum err check_email(const struct integration *in, struct diag *d)
{
    if (!setting_text(in, "to").n) {
        return yaml_error(in->node, d, ERR_MISSING, "missing to address in email config");
    }
    const struct yaml_node *h = setting_of(in, "headers")->node;
    for (size_t i = 0; h && i < h->n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (!str_ieq(h->items[2 * i]->text, h->items[2 * k]->text)) continue;
            struct str name = h->items[2 * i]->text;
            char shown[64];
            size_t n = name.n < sizeof(shown) ? name.n : sizeof(shown);
            for (size_t c = 0; c < n; c++) {
                char ch = name.p[c];
                bool up = c == 0 || name.p[c - 1] == '-';
                shown[c] = up && ch >= 'a' && ch <= 'z'    ? (char)(ch - 32)
                           : !up && ch >= 'A' && ch <= 'Z' ? (char)(ch + 32)
                                                           : ch;
            }
            return yaml_error(h->items[2 * i], d, ERR_EXISTS,
                              "duplicate header \"" STR_FMT "\" in email config",
                              STR_ARG(str_make(shown, n)));
        }
    }
    return OK;
}
static enum err check_email_global(const struct integration *in, struct diag *d)
{
    struct str host, port;
    struct str smarthost = setting_text(in, "smarthost");
    if (!smarthost.n) return yaml_error(in->node, d, ERR_MISSING, "no global SMTP smarthost set");
    if (!str_cut(smarthost, ':', &host, &port) || !port.n) {
        return yaml_error(in->node, d, ERR_SYNTAX, "address " STR_FMT ": missing port in address",
                          STR_ARG(smarthost));
    }
    if (!setting_text(in, "from").n) {
        return yaml_error(in->node, d, ERR_MISSING, "no global SMTP from set");
    }
    return OK;
}

static enum err check_slack(const struct integration *in, struct diag *d)
{
    bool api = have_key(in, "api_url"), app = have_key(in, "app_token");
    bool own = yaml_get(in->node, "api_url") || yaml_get(in->node, "api_url_file");
    if (api && app && own) {
        return yaml_error(
            in->node, d, ERR_SYNTAX,
            "at most one of api_url/api_url_file & app_token/app_token_file must be configured");
    }
    const struct yaml_node *fields = setting_of(in, "fields")->node;
    for (size_t i = 0; fields && fields->kind == YAML_SEQ && i < fields->n; i++) {
        if (!yaml_str(yaml_get(fields->items[i], "title"), STR("")).n) {
            return yaml_error(fields->items[i], d, ERR_MISSING,
                              "missing title in Slack field configuration");
        }
        if (!yaml_str(yaml_get(fields->items[i], "value"), STR("")).n) {
            return yaml_error(fields->items[i], d, ERR_MISSING,
                              "missing value in Slack field configuration");
        }
    }
    return OK;
}
static enum err check_slack_global(const struct integration *in, struct diag *d)
{
    if (setting_bool(in, "update_message") &&
        !str_eqc(setting_text(in, "api_url"), "https://slack.com/api/chat.postMessage") &&
        !have_key(in, "app_token")) {
        return yaml_error(
            in->node, d, ERR_SYNTAX,
            "update_message can only be used with bot tokens. api_url must be set to https://slack.com/api/chat.postMessage");
    }
    return OK;
}

/* ---- templates ---- */
static enum err compile(struct loading *l, struct integration *in, struct diag *d)
{
    const struct kind_field *rows = in->kind->fields;
    for (size_t i = 0; rows[i].key; i++) {
        struct setting *s = &in->settings[i];
        if (!is_template(rows[i].type) && rows[i].type != FT_SECRET_URL) continue;
        if (s->literal || !s->text.n) continue;
        struct tmpl_set *set = tmpl_set_child(l->a, l->c->templates);
        struct diag why = { 0 };
        if (tmpl_parse(set, STR(""), s->text, &why) != OK) {
            /* As the original: found when a notification is rendered. We say it now, too. */
            config_warn(l, s->node ? s->node : in->node,
                        "%s_configs of receiver " STR_FMT ": %s: %s", in->kind->name,
                        STR_ARG(in->receiver->name), rows[i].key, why.text);
            continue;
        }
        s->tmpl = set;
    }
    (void)d;
    return OK;
}

static enum err build_integration(struct loading *l, struct integration *in, struct diag *d)
{
    const struct kind *k = in->kind;
    in->settings = arena_array(l->a, count_rows(k->fields), sizeof(*in->settings));
    in->send_resolved = k->send_resolved;
    for (size_t i = 0; k->fields[i].key; i++) {
        if (k->fields[i].deflt) in->settings[i].text = str_c(k->fields[i].deflt);
    }
    TRY(load_rows(l, k->fields, k->go_type, in->node, in->settings, &in->send_resolved, &in->unset,
                  d));
    TRY(check_pairs(k->fields, in->settings, k->one_of, in->node, d));
    bool email = str_eqc(str_c(k->name), "email"), slack = str_eqc(str_c(k->name), "slack");
    if (email) TRY(check_email(in, d));
    if (slack) TRY(check_slack(in, d));
    TRY(inherit(l, in, d));
    if (k->need_error && !have_key(in, k->need[0]) && !(k->need[1] && have_key(in, k->need[1]))) {
        return yaml_error(in->node, d, ERR_MISSING, "%s", k->need_error);
    }
    if (str_eqc(str_c(k->name), "rocketchat") && !have_key(in, "token")) {
        return yaml_error(in->node, d, ERR_MISSING,
                          "no global Rocketchat Token set either inline or in a file");
    }
    if (email) TRY(check_email_global(in, d));
    if (slack) TRY(check_slack_global(in, d));
    in->http = l->global_http;
    const struct yaml_node *http = yaml_get(in->node, "http_config");
    if (http && !yaml_is_null(http)) TRY(load_http(l, http, &in->http, &in->unset, d));
    if (in->unset.n) {
        l->c->unset_n++;
        config_warn(l, in->node, "receiver " STR_FMT ": %s is off: " STR_FMT,
                    STR_ARG(in->receiver->name), k->section, STR_ARG(in->unset));
        if (l->o->expand == EXPAND_STRICT) {
            return yaml_error(in->node, d, ERR_MISSING, STR_FMT, STR_ARG(in->unset));
        }
    }
    if (!k->sent) {
        config_warn(l, in->node, "receiver " STR_FMT ": receiver kind %s is not yet sent",
                    STR_ARG(in->receiver->name), k->name);
    }
    return compile(l, in, d);
}

static enum err build_sections(struct loading *l, const struct raw_receiver *raw,
                               struct receiver *r, struct diag *d)
{
    size_t total = 0;
    for (size_t k = 0; k < KINDS_N; k++) total += raw->sections[k] ? raw->sections[k]->n : 0;
    r->v = arena_array(l->a, total, sizeof(*r->v));
    for (size_t k = 0; k < KINDS_N; k++) {
        const struct yaml_node *v = raw->sections[k];
        if (!v || yaml_is_null(v)) continue;
        if (v->kind != YAML_SEQ) {
            return yaml_error(
                v, d, ERR_SYNTAX,
                "cannot unmarshal into []*%s; expected a list (lines that begin with '- ')",
                kinds[k].go_type);
        }
        for (size_t i = 0; i < v->n; i++) {
            if (yaml_is_null(v->items[i]) && kinds[k].missing) {
                return yaml_error(v->items[i], d, ERR_MISSING, "%s", kinds[k].missing);
            }
            struct integration *in = &r->v[r->n++];
            *in = (struct integration){
                .kind = &kinds[k], .receiver = r, .index = i, .node = v->items[i]
            };
            TRY(build_integration(l, in, d));
        }
    }
    return OK;
}

static enum err build_labels(struct loading *l, const struct raw_receiver *raw, struct receiver *r,
                             struct diag *d)
{
    struct yaml_pair *v = arena_array(l->a, raw->labels.n + 1, sizeof(*v));
    size_t n = 0;
    bool named = false;
    for (size_t i = 0; i < raw->labels.n; i++) {
        v[n++] = raw->labels.v[i];
        if (!str_eqc(raw->labels.v[i].key, "name")) continue;
        named = true;
        if (str_eq(raw->labels.v[i].value, r->name)) continue;
        return yaml_error(raw->labels.v[i].at, d, ERR_SYNTAX,
                          "receiver label \"name\" must match receiver name \"" STR_FMT
                          "\", got \"" STR_FMT "\"",
                          STR_ARG(r->name), STR_ARG(raw->labels.v[i].value));
    }
    if (!named) v[n++] = (struct yaml_pair){ STR("name"), r->name, NULL };
    r->labels = (struct yaml_pairs){ v, n };
    return OK;
}

enum err config_build_receivers(struct loading *l, struct diag *d)
{
    const struct raw_receiver *raw = l->raw.receivers.v;
    struct alert_config *c = l->c;
    c->receivers = arena_array(l->a, l->raw.receivers.n, sizeof(*c->receivers));
    for (size_t i = 0; i < l->raw.receivers.n; i++, raw++) {
        if (config_receiver(c, raw->name)) {
            return yaml_error(raw->self, d, ERR_EXISTS,
                              "notification config name \"" STR_FMT "\" is not unique",
                              STR_ARG(raw->name));
        }
        struct receiver *r = &c->receivers[c->receivers_n++];
        r->name = raw->name;
        TRY(build_labels(l, raw, r, d));
        TRY(build_sections(l, raw, r, d));
    }
    return OK;
}

const struct setting *setting_of(const struct integration *in, const char *key)
{
    size_t row = row_of(in->kind->fields, str_c(key));
    ASSERT(row != STR_NONE);
    return &in->settings[row];
}
struct str setting_text(const struct integration *in, const char *key)
{
    return setting_of(in, key)->text;
}
bool setting_bool(const struct integration *in, const char *key)
{
    return str_eqc(setting_text(in, key), "true");
}
