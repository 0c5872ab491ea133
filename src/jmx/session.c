/* SPDX-License-Identifier: Apache-2.0 */
#include "jmx/session.h"

#include "base/assert.h"

#include <stdlib.h>

void session_done(struct session *s)
{
    buf_done(&s->out);
    free(s->calls);
    s->calls = NULL;
    s->n = s->cap = 0;
}

/* Header and first call leave together: the server answers both without being asked twice. */
void session_opened(struct session *s, struct str name)
{
    buf_reset(&s->out);
    s->n = 0;
    s->state = SESSION_HELLO;
    jrmp_put_hello(&s->out);
    if (s->has_server) {
        jrmp_put_new_client(&s->out, &s->server);
    } else {
        jrmp_put_lookup(&s->out, name);
    }
}

void session_closed(struct session *s, bool keep_server)
{
    s->state = SESSION_CLOSED;
    s->has_server &= keep_server;
    s->n = 0;
    buf_reset(&s->out);
}

void session_called(struct session *s, struct session_call call)
{
    if (s->n == s->cap) {
        size_t cap = s->cap ? 2 * s->cap : 64;
        struct session_call *calls = malloc(cap * sizeof(*calls));
        if (!calls) abort();
        for (size_t i = 0; i < s->n; i++) calls[i] = s->calls[(s->first + i) % s->cap];
        free(s->calls);
        s->calls = calls;
        s->cap = cap;
        s->first = 0;
    }
    s->calls[(s->first + s->n++) % s->cap] = call;
}

const struct session_call *session_waiting(const struct session *s)
{
    return s->n ? &s->calls[s->first] : NULL;
}

static enum err looked_up(struct session *s, const struct jrmp_return *r, struct str name,
                          uint16_t port, struct arena *a, enum session_event *event,
                          uint16_t *dial_port, struct diag *d)
{
    struct jrmp_stub stub;
    BUF(text, sizeof(d->text));
    if (r->exception) {
        jrmp_exception_text(r->value, &text);
        return diag_set(d, ERR_MISSING, "no JMX server is registered as \"%.*s\" there: %.*s",
                        STR_ARG(name), STR_ARG(buf_str(&text)));
    }
    TRY(jrmp_read_stub(r->value, a, &stub, d));
    if (stub.tls) {
        return diag_set(d, ERR_UNSUPPORTED,
                        "this JMX server wants TLS, which is not supported yet");
    }
    s->server = stub.id;
    if (stub.port != port) {
        s->has_server = true;
        *dial_port = stub.port;
        *event = SESSION_REDIAL;
        return OK;
    }
    jrmp_put_dgc_ack(&s->out, &r->uid);
    jrmp_put_new_client(&s->out, &s->server);
    s->state = SESSION_LOGIN;
    *event = SESSION_PROGRESS;
    return OK;
}

static enum err logged_in(struct session *s, const struct jrmp_return *r, struct arena *a,
                          enum session_event *event, struct diag *d)
{
    struct jrmp_stub stub;
    BUF(text, sizeof(d->text));
    if (r->exception) {
        bool denied = str_eqc(jrmp_exception_class(r->value), "java.lang.SecurityException");
        jrmp_exception_text(r->value, &text);
        return diag_set(d, denied ? ERR_DENIED : ERR_SYNTAX, "%s: %.*s",
                        denied ? "this JMX server asks for a login, which is not supported yet"
                               : "the JMX server refuses the connection",
                        STR_ARG(buf_str(&text)));
    }
    TRY(jrmp_read_stub(r->value, a, &stub, d));
    s->conn = stub.id;
    jrmp_put_dgc_ack(&s->out, &r->uid);
    s->state = SESSION_READY;
    *event = SESSION_LOGGED_IN;
    return OK;
}

enum err session_read(struct session *s, struct str *in, struct str name, uint16_t port,
                      struct arena *a, enum session_event *event, struct session_call *call,
                      struct jrmp_return *ret, uint16_t *dial_port, struct diag *d)
{
    struct jrmp_return r;
    ASSERT(s->state != SESSION_CLOSED);
    if (s->state == SESSION_HELLO) {
        TRY(jrmp_read_hello(in, d));
        s->state = s->has_server ? SESSION_LOGIN : SESSION_LOOKUP;
        *event = SESSION_PROGRESS;
        return OK;
    }
    if (s->state == SESSION_READY && s->n == 0) {
        return in->n ? diag_set(d, ERR_SYNTAX, "the peer sends an answer that nobody asked for")
                     : ERR_SHORT;
    }
    TRY(jrmp_read_return(in, a, &r, d));
    if (s->state == SESSION_LOOKUP) return looked_up(s, &r, name, port, a, event, dial_port, d);
    if (s->state == SESSION_LOGIN) return logged_in(s, &r, a, event, d);
    *call = s->calls[s->first];
    s->first = (s->first + 1) % s->cap;
    s->n--;
    *ret = r;
    *event = SESSION_RETURN;
    return OK;
}
