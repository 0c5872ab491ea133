/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_proxy.h - by which proxy a URL is reached
 *
 * Shape:  pure but for proxy_from_environment, which reads HTTP_PROXY, HTTPS_PROXY, NO_PROXY (and their small letters).
 * Source: golang.org/x/net/http/httpproxy (what no_proxy means), prometheus/common ProxyConfig.
 */
#ifndef IO_HTTP_PROXY_H
#define IO_HTTP_PROXY_H

#include "io/http_config.h"

/* "": directly. The result is c's or the environment's memory, or a's. */
struct str http_proxy_for(struct arena *a, const struct proxy_config *c, struct str url);

/*
 * Is host:port excepted by the list? Entries, between commas: "*", an address, a network 10.0.0.0/8, a domain (with what is
 * below it), .domain (only what is below it), each with :port for that port alone. localhost and loopback always are.
 */
bool no_proxy_matches(struct str list, struct str host, uint16_t port);

#endif
