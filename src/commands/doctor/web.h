/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web.h - one GET, step by step, so that it is known where it failed: name, connection, TLS, HTTP
 *
 * Shape:  HTTP/1.0, so that nothing comes in chunks; the first bytes of the body are enough to know what it is.
 * Limits: WEB_BODY_MAX bytes, the step's time for each step.
 */
#ifndef COMMANDS_DOCTOR_WEB_H
#define COMMANDS_DOCTOR_WEB_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "commands/doctor/words.h"

enum { WEB_BODY_MAX = 512 << 10 };

struct url {
    bool tls;
    struct str host, path; /* path with its query, at least "/" */
    uint16_t port;
};

/* http://..., https://...; what stands before an @ is left out. False: it is no such address. */
bool url_split(struct arena *a, struct str text, struct url *out);

struct web_reply {
    int status;
    struct str content_type, body;
    int64_t date_ms; /* of its Date header; 0: none */
};

enum web_stage { WEB_CONNECT, WEB_TLS, WEB_HTTP, WEB_DONE };

struct web_login {
    struct str user, password, bearer;
};

/*
 * Errors: dial_open's at WEB_CONNECT, dial_start_tls's at WEB_TLS; at WEB_HTTP ERR_TIMEOUT, ERR_EOF, ERR_SYNTAX (d says what
 *         came instead)
 */
enum err web_get(struct arena *a, const struct url *u, const struct web_login *login,
                 int64_t step_ms, struct web_reply *out, enum web_stage *stage, struct diag *d);

/* The head and what there is of the body. Errors: ERR_SHORT the head is not whole; ERR_SYNTAX it is no HTTP */
enum err web_reply_parse(struct str bytes, struct web_reply *out);

/* Sun, 06 Nov 1994 08:49:37 GMT. Errors: ERR_SYNTAX */
enum err web_date_parse(struct str text, int64_t *ms);

/* Does a body look like metrics: is one of its lines a sample? */
bool looks_like_metrics(struct str body);

/* Why dial_open() failed, and what to do; texts are in a. */
struct saying unreached_why(struct arena *a, enum err e, struct str host, int64_t timeout_ms);
struct saying unreached_fix(struct arena *a, enum err e, struct str host, uint16_t port);

#endif
