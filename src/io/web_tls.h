/* SPDX-License-Identifier: Apache-2.0 */
/* web_tls.h - the OpenSSL context that tls_server_config of web_config.h makes. Only io/ includes this. */
#ifndef IO_WEB_TLS_H
#define IO_WEB_TLS_H

#include "io/web_config.h"

struct ssl_ctx_st;

enum err web_tls_context(const struct web_tls *t, struct ssl_ctx_st **out, struct diag *d);

#endif
