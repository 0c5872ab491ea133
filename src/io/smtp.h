/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smtp.h - one mail, by libcurl; blocks the calling worker
 *
 * Errors: ERR_DENIED authentication, ERR_TIMEOUT, ERR_UNSUPPORTED (STARTTLS wanted, not offered), ERR_SYS no connection;
 *         d holds the server's words, never a password.
 */
#ifndef IO_SMTP_H
#define IO_SMTP_H

#include "base/err.h"
#include "base/secret.h"

struct smtp_mail {
    struct str host;
    uint16_t port;
    struct str hello; /* EHLO name; empty: the host's */
    bool require_tls; /* STARTTLS or nothing; port 465 begins with TLS */
    bool insecure_skip_verify;
    struct str ca_file;
    struct str user; /* empty: no authentication */
    struct secret password;
    struct str from; /* envelope: bare addresses */
    const struct str *to;
    size_t to_n;
    struct str message; /* whole, headers and body, CRLF */
    int64_t timeout_ms;
};

enum err smtp_send(const struct smtp_mail *m, const _Atomic(bool) *cancel, struct diag *d);

#endif
