/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receivers.c - everybody whom alertmanager.yml tells, as far as one can go without telling them anything
 *
 * Mail: connection, greeting, EHLO, STARTTLS, AUTH offered, QUIT. Web hooks: name, connection, TLS. Nothing is sent, and of an
 * address only the host is shown: its path is the password of a hook.
 */
#include "alert/config.h"
#include "alert/kinds.h"
#include "commands/doctor/files.h"
#include "commands/doctor/peers.h"
#include "commands/doctor/web.h"
#include "io/dial.h"
#include "io/file.h"

struct post {
    const struct integration *in;
    struct str receiver, kind, host, text; /* text: host:port */
    uint16_t port;
    bool tls;
};

/* --- mail --- */

struct session {
    struct exam *x;
    const struct post *p;
    struct dial *c;
    struct buf in;
    struct arena a;
    struct diag d;
    struct smtp_reply reply;
};

static enum err reply(struct session *s)
{
    for (;;) {
        struct str rest = buf_str(&s->in);
        enum err e = smtp_reply_take(&rest, &s->reply);
        if (e == OK) {
            s->reply.text = arena_dup(&s->a, s->reply.text);
            buf_drop(&s->in, s->in.n - rest.n);
            return OK;
        }
        if (e != ERR_SHORT) return diag_set(&s->d, e, "it does not speak SMTP");
        TRY(dial_read(s->c, &s->in, STEP_MS, &s->d));
    }
}

static enum err command(struct session *s, struct str line)
{
    TRY(dial_write(s->c, line, STEP_MS, &s->d));
    TRY(reply(s));
    if (s->reply.code < 400) return OK;
    return diag_set(&s->d, ERR_DENIED, STR_FMT, STR_ARG(s->reply.text));
}

static enum err hello(struct session *s)
{
    struct str name = setting_text(s->p->in, "hello");
    return command(
        s, arena_fmt(&s->a, "EHLO " STR_FMT "\r\n", STR_ARG(name.n ? name : STR("localhost"))));
}

static enum err start_tls(struct session *s)
{
    bool skip = false;
    const struct yaml_node *tls = setting_of(s->p->in, "tls_config")->node;
    const struct yaml_node *node = yaml_get(tls, "insecure_skip_verify");
    if (node) (void)yaml_bool_of(node, &skip);
    const struct dial_tls o = { .server_name = yaml_str(yaml_get(tls, "server_name"), s->p->host),
                                .ca_file = yaml_str(yaml_get(tls, "ca_file"), STR("")),
                                .insecure_skip_verify = skip };
    return dial_start_tls(s->c, &o, STEP_MS, &s->d);
}

static void mail_report(struct session *s, enum word title, struct saying cause, struct saying fix,
                        struct str evidence)
{
    exam_report(s->x, CHECK_RECEIVERS, SEV_ERROR, SAY(title, s->p->text, s->p->receiver), cause,
                fix, evidence);
}

static void mute(struct session *s)
{
    mail_report(s, W_MAIL_MUTE, SAY(W_MAIL_MUTE_WHY, STR("")),
                SAY(W_FIX_MAIL_PORT, s->p->host, arena_fmt(&s->a, "%u", s->p->port)),
                str_c(s->d.text));
}

static void tls_failed(struct session *s, enum err e)
{
    if (e != ERR_DENIED) {
        mute(s);
        return;
    }
    mail_report(s, W_MAIL_CERT, SAY(W_CERT_WHY, STR("")),
                SAY(W_FIX_MAIL_PORT, s->p->host, arena_fmt(&s->a, "%u", s->p->port)),
                str_c(s->d.text));
}

static void check_auth(struct session *s)
{
    struct str mechanisms;
    if (!setting_text(s->p->in, "auth_username").n) return;
    if (smtp_offers(&s->reply, STR("AUTH"), &mechanisms)) return;
    mail_report(s, W_MAIL_NO_AUTH, SAY(W_MAIL_NO_AUTH_WHY, STR("")),
                SAY(W_FIX_NO_AUTH, s->p->receiver, s->p->host), s->reply.text);
}

static void talk(struct session *s)
{
    struct str rest;
    bool implicit = s->p->port == 465 || setting_bool(s->p->in, "force_implicit_tls");
    enum err e = implicit ? start_tls(s) : OK;
    if (e != OK) {
        tls_failed(s, e);
        return;
    }
    if (reply(s) != OK || hello(s) != OK) {
        mute(s);
        return;
    }
    bool offered = smtp_offers(&s->reply, STR("STARTTLS"), &rest);
    if (!implicit && !offered && setting_bool(s->p->in, "require_tls")) {
        mail_report(s, W_MAIL_NO_STARTTLS, SAY(W_MAIL_NO_STARTTLS_WHY, STR("")),
                    SAY(W_FIX_NO_TLS, s->p->receiver), s->reply.text);
        return;
    }
    if (!implicit && offered) {
        if (command(s, STR("STARTTLS\r\n")) != OK) {
            mute(s);
            return;
        }
        e = start_tls(s);
        if (e != OK) {
            tls_failed(s, e);
            return;
        }
        if (hello(s) != OK) {
            mute(s);
            return;
        }
    }
    check_auth(s);
    (void)command(s, STR("QUIT\r\n"));
}

static void examine_mail(struct exam *x, void *ctx)
{
    struct session s = { .x = x, .p = ctx, .in.max = 1 << 16 };
    const struct dial_options o = { .host = s.p->host, .port = s.p->port, .timeout_ms = STEP_MS };
    enum err e = dial_open(&o, &s.c, &s.d);
    if (e != OK) {
        mail_report(&s, W_MAIL_UNREACHED, unreached_why(&s.a, e, s.p->host, STEP_MS),
                    unreached_fix(&s.a, e, s.p->host, s.p->port), str_c(s.d.text));
    } else {
        talk(&s);
    }
    dial_close(s.c);
    buf_done(&s.in);
    arena_done(&s.a);
}

/* --- web hooks --- */

static void examine_hook(struct exam *x, void *ctx)
{
    const struct post *p = ctx;
    ARENA(a, 0);
    struct dial *c = NULL;
    struct diag d = { 0 };
    struct saying fix = SAY(W_FIX_HOOK, p->tls ? STR("https") : STR("http"), p->host,
                            arena_fmt(&a, "%u", p->port));
    const struct dial_options o = { .host = p->host, .port = p->port, .timeout_ms = STEP_MS };
    enum err e = dial_open(&o, &c, &d);
    if (e != OK) {
        exam_report(x, CHECK_RECEIVERS, SEV_ERROR,
                    SAY(W_HOOK_UNREACHED, p->text, p->kind, p->receiver),
                    unreached_why(&a, e, p->host, STEP_MS), fix, str_c(d.text));
        return;
    }
    const struct tls_config *h = &p->in->http.tls;
    const struct dial_tls tls = { .server_name = h->server_name.n ? h->server_name : p->host,
                                  .ca_file = h->ca_file,
                                  .insecure_skip_verify = h->insecure_skip_verify };
    if (p->tls) e = dial_start_tls(c, &tls, STEP_MS, &d);
    if (e != OK) {
        bool cert = e == ERR_DENIED;
        exam_report(x, CHECK_RECEIVERS, SEV_ERROR,
                    SAY(cert ? W_HOOK_CERT : W_HOOK_NO_TLS, p->text, p->kind, p->receiver),
                    SAY(cert ? W_CERT_WHY : W_HOOK_NO_TLS_WHY, STR("")), fix, str_c(d.text));
    }
    dial_close(c);
}

/* --- who there is --- */

static void report_unset(struct exam *x, const struct integration *in)
{
    struct str text = in->unset, name, rest; /* "NAME is not set (auth_password, line 23)" */
    ARENA(a, 0);
    (void)str_cut(text, ' ', &name, &rest);
    struct str folder = path_dir(&a, x->in->alertmanager.path);
    struct str place = arena_fmt(&a, STR_FMT ":%u:%u  " STR_FMT, STR_ARG(x->in->alertmanager.shown),
                                 in->node->line, in->node->col, STR_ARG(text));
    exam_report_file(x, CHECK_RECEIVERS, SEV_WARNING,
                     SAY(W_RECEIVER_UNSET, in->receiver->name, str_c(in->kind->name), name),
                     SAY(W_RECEIVER_UNSET_WHY, STR("")),
                     SAY(W_FIX_ENV, name, arena_fmt(&a, STR_FMT "/.env", STR_ARG(folder))), place,
                     x->in->alertmanager.shown);
}

static struct post *post_new(struct exam *x, const struct integration *in)
{
    struct post *p = exam_alloc(x, sizeof(*p));
    *p = (struct post){ .in = in, .receiver = in->receiver->name, .kind = str_c(in->kind->name) };
    return p;
}

static void begin_mail(struct exam *x, const struct integration *in)
{
    struct post *p = post_new(x, in);
    p->text = setting_text(in, "smarthost");
    if (split_address(p->text, 25, &p->host, &p->port)) {
        exam_probe(x, CHECK_RECEIVERS, p->text, examine_mail, p);
    }
}

/* The first address among its settings: url, api_url, webhook_url. */
static void begin_hook(struct exam *x, const struct integration *in)
{
    static const char *const KEYS[] = { "url", "webhook_url", "api_url", "app_url" };
    ARENA(a, 0);
    struct url u;
    for (size_t i = 0; i < ARRAY_LEN(KEYS); i++) {
        const struct kind_field *f = in->kind->fields;
        while (f->key && strcmp(f->key, KEYS[i]) != 0) f++;
        if (!f->key || !url_split(&a, setting_text(in, KEYS[i]), &u)) continue;
        own_address(x, &u);
        struct post *p = post_new(x, in);
        p->host = exam_dup(x, u.host);
        p->port = u.port;
        p->tls = u.tls;
        p->text = exam_dup(x, arena_fmt(&a, STR_FMT ":%u", STR_ARG(u.host), u.port));
        exam_probe(x, CHECK_RECEIVERS, p->text, examine_hook, p);
        return;
    }
}

void examine_receivers(struct exam *x, const struct config_files *f)
{
    BUF(names, 0);
    const struct alert_config *c = f->alert;
    if (!c) return;
    for (size_t i = 0; i < c->receivers_n; i++) {
        const struct receiver *r = &c->receivers[i];
        for (size_t k = 0; k < r->n; k++) {
            const struct integration *in = &r->v[k];
            if (in->unset.n) {
                report_unset(x, in);
            } else if (str_eqc(str_c(in->kind->name), "email")) {
                begin_mail(x, in);
            } else {
                begin_hook(x, in);
            }
            if (str_find(buf_str(&names), str_c(in->kind->name)) != STR_NONE) continue;
            buf_fmt(&names, "%s%s", names.n ? ", " : "", in->kind->name);
        }
    }
    exam_figure(x, CHECK_RECEIVERS, SAY(W_FIG_NAMES, buf_str(&names)));
    const struct receiver *first = config_receiver(c, c->root->receiver);
    if (first && !first->n) {
        exam_report_file(x, CHECK_RECEIVERS, SEV_WARNING, SAY(W_RECEIVER_NOBODY, STR("")),
                         SAY(W_RECEIVER_NOBODY_WHY, first->name), SAY(W_FIX_RECEIVER, first->name),
                         STR(""), x->in->alertmanager.shown);
    }
}
