/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_listen.h - a listening TCP socket, non-blocking, with TCP_NODELAY that accepted sockets inherit
 */
#ifndef IO_HTTP_LISTEN_H
#define IO_HTTP_LISTEN_H

#include "base/err.h"
#include "base/str.h"

/*
 * address: "" for all (both families), an address, [v6] or a name; port 0: any, *bound tells.
 * Errors: ERR_EXISTS in use, ERR_DENIED, ERR_SYNTAX, ERR_SYS; d says which address and what to do.
 */
enum err http_listen(struct str address, uint16_t port, int *fd, uint16_t *bound, struct diag *d);

#endif
