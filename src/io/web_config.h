/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_config.h - the file of --web.config.file: TLS, headers, users; read and checked
 *
 * Shape:   one arena, immutable. Paths are resolved against the file's folder.
 * Errors:  d has line and column, and the original's sentence ("unknown TLS version: TLS9").
 * Source:  prometheus/exporter-toolkit web/tls_config.go; docs/configuration/https.
 */
#ifndef IO_WEB_CONFIG_H
#define IO_WEB_CONFIG_H

#include "base/secret.h"
#include "codec/yaml.h"

enum web_client_auth {
    CLIENT_AUTH_NONE,
    CLIENT_AUTH_REQUEST,
    CLIENT_AUTH_REQUIRE_ANY,
    CLIENT_AUTH_VERIFY_IF_GIVEN,
    CLIENT_AUTH_REQUIRE_AND_VERIFY,
};

struct web_tls {
    const struct yaml_node *at;
    struct str cert, cert_file, key_file, client_ca, client_ca_file, client_auth_type;
    struct secret key;
    enum web_client_auth client_auth;
    struct str min_version, max_version;
    struct yaml_strs cipher_suites, curves, client_allowed_sans;
    bool prefer_server_cipher_suites;
};

struct web_config {
    struct arena arena;
    struct web_tls *tls; /* NULL: plain HTTP */
    bool http2;
    struct yaml_pairs headers, users; /* users: name to bcrypt hash */
};

/* dir: what relative paths are resolved against. Files it names are not opened. */
enum err web_config_parse(struct str text, struct str dir, struct web_config **out, struct diag *d);
void web_config_free(struct web_config *c); /* NULL is fine */

/* Opens certificate and key: they are there, readable, and belong to each other. */
enum err web_config_check_files(const struct web_config *c, struct diag *d);

#endif
