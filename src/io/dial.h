/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dial.h - one TCP or TLS connection that blocks its worker, each step with a deadline
 *
 * For jobs that hold a short conversation and want to know at which step it failed: name, connection, TLS, bytes. What
 * lives on a loop is stream.h.
 * Threads: one at a time, never a loop's. Names are looked up on a thread of their own, so that a silent name server
 *          costs no more than the deadline.
 */
#ifndef IO_DIAL_H
#define IO_DIAL_H

#include "base/buf.h"
#include "base/err.h"

struct dial;

struct dial_options {
    struct str host;
    uint16_t port;
    int64_t
        timeout_ms; /* of the look-up and the connection together; each later step has its own */
};

/*
 * Errors: ERR_MISSING the name is not known; ERR_TIMEOUT nobody answers; ERR_DENIED refused: nothing listens there;
 *         ERR_SYS no way to it
 */
enum err dial_open(const struct dial_options *o, struct dial **out, struct diag *d);
void dial_close(struct dial *c); /* NULL is fine */

/* What the name meant, "127.0.0.1". */
struct str dial_address(const struct dial *c);
bool dial_is_loopback(const struct dial *c);

struct dial_tls {
    struct str server_name; /* of the certificate; empty: not looked at */
    struct str ca_file;     /* empty: the system's */
    bool insecure_skip_verify;
};

/*
 * From here on everything is inside TLS.
 * Errors: ERR_SYNTAX the peer speaks something else; ERR_DENIED its certificate is not good, d says why; ERR_TIMEOUT; ERR_EOF
 */
enum err dial_start_tls(struct dial *c, const struct dial_tls *o, int64_t timeout_ms,
                        struct diag *d);

enum err dial_write(struct dial *c, struct str bytes, int64_t timeout_ms, struct diag *d);

/* Appends what comes next, at least a byte. Errors: ERR_EOF the peer hung up; ERR_TIMEOUT; ERR_SYS; ERR_LIMIT to is full */
enum err dial_read(struct dial *c, struct buf *to, int64_t timeout_ms, struct diag *d);

#endif
