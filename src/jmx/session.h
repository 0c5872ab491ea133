/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h - one JMX connection as a conversation over bytes: hello, look-up, login, then pipelined calls
 *
 * Shape:  the owner of the socket calls session_opened(), feeds session_read() and writes what is in `out`. Calls are answered
 *         in the order in which they were written, so a ring of them is all that ties a return to its call.
 * Owns:   its buffers. A zeroed session with an endpoint is closed.
 */
#ifndef JMX_SESSION_H
#define JMX_SESSION_H

#include "jmx/config.h"
#include "jmx/jrmp.h"

enum session_state { SESSION_CLOSED, SESSION_HELLO, SESSION_LOOKUP, SESSION_LOGIN, SESSION_READY };

/* What a call was for: the caller's own words. */
struct session_call {
    int kind;
    uint32_t index, asked, attribute;
};

struct session {
    enum session_state state;
    struct buf out;
    bool has_server;          /* the server's stub is known, but lives at another port */
    struct jrmp_objid server; /* RMIServer */
    struct jrmp_objid conn;   /* RMIConnection */
    struct session_call *calls;
    size_t first, n, cap; /* ring */
};

enum session_event {
    SESSION_PROGRESS, /* a step of the login */
    SESSION_LOGGED_IN,
    SESSION_REDIAL, /* the server lives at *dial_port: hang up and connect there */
    SESSION_RETURN, /* *call was answered by *ret */
};

void session_done(struct session *s);
void session_opened(struct session *s, struct str name);
void session_closed(struct session *s, bool keep_server);

/* The caller has appended a request to s->out; this is what its answer is for. */
void session_called(struct session *s, struct session_call call);

/* The oldest call that has no answer yet, or NULL. */
const struct session_call *session_waiting(const struct session *s);

/*
 * Takes one message off the front of *in.
 * Errors: ERR_SHORT not there yet; else the connection is of no use: ERR_MISSING nothing bound under the name, ERR_DENIED,
 *         and jrmp_read_return's
 */
enum err session_read(struct session *s, struct str *in, struct str name, uint16_t port,
                      struct arena *a, enum session_event *event, struct session_call *call,
                      struct jrmp_return *ret, uint16_t *dial_port, struct diag *d);

#endif
