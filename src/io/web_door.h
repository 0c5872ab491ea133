/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_door.h - the file of --web.config.file (web_config.h) put to work in front of a listener: TLS, passwords, headers
 *
 * Shape:   the file and the files it names are looked at for each connection and each request and read again when they have
 *          changed; one that does not load keeps what was there before (at the start it is an error).
 * Passwords are bcrypt or what else crypt(3) takes. An answer about one costs a hash once, in the queries' lane (compaction may hold the background one for minutes); then it is
 *          cached by the hash of user, password and stored hash.
 * Threads: the serve loop; the check itself runs on a worker.
 * Source:  prometheus/exporter-toolkit web/tls_config.go, docs/web-configuration.md (caching, answers)
 */
#ifndef IO_WEB_DOOR_H
#define IO_WEB_DOOR_H

#include "io/http_server.h"

struct web_door;
struct ssl_st;

/* Errors: ERR_SYNTAX, ERR_UNSUPPORTED, ERR_MISSING, ERR_SYS; d has a sentence. "" as path: *out is NULL. */
enum err web_door_open(struct str path, struct web_door **out, struct diag *d);
void web_door_free(struct web_door *w); /* NULL is fine; after the server that uses it */

bool web_door_tls(const struct web_door *w);

/* A server's side of a new connection, the caller's; NULL: the handshake cannot be had (no certificate can be read). */
struct ssl_st *web_door_ssl(struct web_door *w);

/* As http_server_options.before: sets headers, asks for a password. */
bool web_door_before(struct web_door *w, struct pool *p, struct loop *l, struct http_req *req,
                     void (*go_on)(struct http_req *req));

#endif
