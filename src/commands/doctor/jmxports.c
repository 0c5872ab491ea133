/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jmxports.c - JMX: the registry, the stub that it hands out and where that leads, the login
 *
 * Vigie stays with the host it was given, as the server does not check it; other clients go where the stub says. Both ways are tried.
 */
#include "commands/doctor/exam.h"
#include "commands/doctor/files.h"
#include "commands/doctor/web.h"
#include "io/dial.h"
#include "jmx/config.h"
#include "jmx/jrmp.h"

enum { SEARCH_MS = 1200 }; /* for each of the usual ports, one after the other */
static const uint16_t USUAL_PORTS[] = { 9999, 5555, 9010, 1099 };

struct jmx_place {
    struct str text, host, name;
    uint16_t port;
};

/* One call on a connection: what was put into `out` is sent, one return is read. */
static enum err call(struct dial *c, struct str out, bool hello, struct arena *a,
                     struct jrmp_return *ret, struct diag *d)
{
    enum { RETURN_MAX = 1 << 20 };
    BUF(in, RETURN_MAX);
    TRY(dial_write(c, out, STEP_MS, d));
    for (;;) {
        TRY(dial_read(c, &in, STEP_MS, d));
        struct str rest = arena_dup(a, buf_str(&in)); /* the tree points into it */
        if (hello) {
            enum err e = jrmp_read_hello(&rest, d);
            if (e == ERR_SHORT) continue;
            TRY(e);
        }
        enum err e = jrmp_read_return(&rest, a, ret, d);
        if (e != ERR_SHORT) return e;
    }
}

static bool answers(struct str host, uint16_t port, int64_t timeout_ms)
{
    struct dial *c;
    const struct dial_options o = { .host = host, .port = port, .timeout_ms = timeout_ms };
    if (dial_open(&o, &c, NULL) != OK) return false;
    dial_close(c);
    return true;
}

/* Does the address in the stub lead to it? Ours does, as we came from there. */
static void check_stub(struct exam *x, const struct jmx_place *p, const struct jrmp_stub *stub,
                       struct str address)
{
    ARENA(a, 0);
    if (str_eq(stub->host, p->host) || str_eq(stub->host, address)) return;
    if (answers(stub->host, stub->port, STEP_MS)) return;
    exam_report(
        x, CHECK_JMX, SEV_WARNING,
        SAY(W_JMX_STUB, p->text, arena_fmt(&a, STR_FMT ":%u", STR_ARG(stub->host), stub->port)),
        SAY(W_JMX_STUB_WHY, STR("")), SAY(W_FIX_JMX_STUB, p->host, arena_fmt(&a, "%u", p->port)),
        STR(""));
}

static void check_login(struct exam *x, const struct jmx_place *p, const struct jrmp_stub *stub)
{
    ARENA(a, 0);
    struct dial *c;
    struct diag d = { 0 };
    struct jrmp_return ret;
    struct str port = arena_fmt(&a, "%u", stub->port);
    const struct dial_options o = { .host = p->host, .port = stub->port, .timeout_ms = STEP_MS };
    if (dial_open(&o, &c, &d) != OK) {
        exam_report(x, CHECK_JMX, SEV_ERROR, SAY(W_JMX_RMI_PORT, p->text, port),
                    SAY(W_JMX_RMI_PORT_WHY, STR("")),
                    SAY(W_FIX_JMX_RMI_PORT, arena_fmt(&a, "%u", p->port)), str_c(d.text));
        return;
    }
    BUF(out, 0);
    jrmp_put_hello(&out);
    jrmp_put_new_client(&out, &stub->id);
    enum err e = call(c, buf_str(&out), true, &a, &ret, &d);
    dial_close(c);
    if (e != OK) {
        exam_report(x, CHECK_JMX, SEV_ERROR, SAY(W_JMX_OTHER, p->text),
                    SAY(W_JMX_OTHER_WHY, STR("")), SAY(W_FIX_LISTENING, p->host, port),
                    d.text[0] ? str_c(d.text) : str_c(err_name(e)));
    } else if (ret.exception) {
        BUF(why, sizeof(d.text));
        jrmp_exception_text(ret.value, &why);
        exam_report(x, CHECK_JMX, SEV_ERROR, SAY(W_JMX_LOGIN, p->text),
                    SAY(W_JMX_LOGIN_WHY, STR("")), SAY(W_FIX_JMX_PLAIN, STR("")), buf_str(&why));
    }
}

static void look_up(struct exam *x, const struct jmx_place *p, struct dial *c)
{
    ARENA(a, 0);
    struct diag d = { 0 };
    struct jrmp_return ret;
    struct jrmp_stub stub;
    BUF(out, 0);
    jrmp_put_hello(&out);
    jrmp_put_lookup(&out, p->name);
    enum err e = call(c, buf_str(&out), true, &a, &ret, &d);
    if (e == OK && !ret.exception) e = jrmp_read_stub(ret.value, &a, &stub, &d);
    if (e == OK && ret.exception) {
        BUF(why, sizeof(d.text));
        jrmp_exception_text(ret.value, &why);
        e = diag_set(&d, ERR_MISSING, STR_FMT, STR_ARG(buf_str(&why)));
    }
    if (str_find(str_c(d.text), STR("TLS")) != STR_NONE || (e == OK && stub.tls)) {
        exam_report(x, CHECK_JMX, SEV_ERROR, SAY(W_JMX_TLS, p->text), SAY(W_JMX_TLS_WHY, STR("")),
                    SAY(W_FIX_JMX_PLAIN, STR("")), STR(""));
    } else if (e != OK) {
        exam_report(x, CHECK_JMX, SEV_ERROR, SAY(W_JMX_OTHER, p->text),
                    SAY(W_JMX_OTHER_WHY, STR("")),
                    SAY(W_FIX_LISTENING, p->host, arena_fmt(&a, "%u", p->port)),
                    d.text[0] ? str_c(d.text) : str_c(err_name(e)));
    } else {
        check_stub(x, p, &stub, dial_address(c));
        check_login(x, p, &stub);
    }
}

static void examine_port(struct exam *x, void *ctx)
{
    const struct jmx_place *p = ctx;
    ARENA(a, 0);
    struct dial *c;
    struct diag d = { 0 };
    const struct dial_options o = { .host = p->host, .port = p->port, .timeout_ms = STEP_MS };
    enum err e = dial_open(&o, &c, &d);
    if (e != OK) {
        exam_report(x, CHECK_JMX, SEV_ERROR, SAY(W_JMX_UNREACHED, p->text),
                    unreached_why(&a, e, p->host, STEP_MS),
                    e == ERR_DENIED ? SAY(W_FIX_JMX_PORT, p->host)
                                    : unreached_fix(&a, e, p->host, p->port),
                    str_c(d.text));
        return;
    }
    look_up(x, p, c);
    dial_close(c);
}

static void begin(struct exam *x, struct str text, struct str host, uint16_t port, struct str name)
{
    struct jmx_place *p = exam_alloc(x, sizeof(*p));
    *p = (struct jmx_place){ .text = exam_dup(x, text),
                             .host = exam_dup(x, host),
                             .name = exam_dup(x, name),
                             .port = port };
    exam_probe(x, CHECK_JMX, p->text, examine_port, p);
}

static void say_ports(struct exam *x, size_t n)
{
    ARENA(a, 0);
    exam_figure(x, CHECK_JMX, SAY(W_FIG_JMX, arena_fmt(&a, "%zu", n)));
}

bool examine_jmx_endpoints(struct exam *x, const struct jmx_config *c)
{
    struct str host;
    uint16_t port;
    for (size_t i = 0; i < x->in->jmx_n; i++) {
        if (split_address(x->in->jmx[i], 9999, &host, &port)) {
            begin(x, x->in->jmx[i], host, port, STR("jmxrmi"));
        }
    }
    if (x->in->jmx_n) {
        say_ports(x, x->in->jmx_n);
        return true;
    }
    for (size_t i = 0; c && i < c->endpoints_n; i++) {
        const struct jmx_endpoint *e = &c->endpoints[i];
        begin(x, e->target, e->host, e->port, e->name);
    }
    if (c && c->endpoints_n) say_ports(x, c->endpoints_n);
    return c && c->endpoints_n;
}

/* --- nobody said where it is: the brokers' hosts, on the usual ports, as the role itself looks --- */

static void search_host(struct exam *x, void *ctx)
{
    const struct str *host = ctx;
    ARENA(a, 0);
    for (size_t i = 0; i < ARRAY_LEN(USUAL_PORTS); i++) {
        if (!answers(*host, USUAL_PORTS[i], SEARCH_MS)) continue;
        begin(x, arena_fmt(&a, STR_FMT ":%u", STR_ARG(*host), USUAL_PORTS[i]), *host,
              USUAL_PORTS[i], STR("jmxrmi"));
        say_ports(x, 1);
        return;
    }
    exam_report(x, CHECK_JMX, SEV_WARNING, SAY(W_JMX_NOWHERE, *host),
                SAY(W_JMX_NOWHERE_WHY, STR("9999, 5555, 9010, 1099")), SAY(W_FIX_JMX_PORT, *host),
                STR(""));
}

void examine_jmx_hosts(struct exam *x, const struct str *hosts, size_t n)
{
    ARENA(a, 0);
    if (x->jmx_named) return;
    for (size_t i = 0; i < n; i++) {
        if (!exam_once(x, arena_fmt(&a, "jmx " STR_FMT, STR_ARG(hosts[i])))) continue;
        struct str *host = exam_alloc(x, sizeof(*host));
        *host = exam_dup(x, hosts[i]);
        exam_probe(x, CHECK_JMX, *host, search_host, host);
    }
}
