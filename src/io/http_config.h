/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_config.h - how to speak HTTP to somebody: the options that scrape jobs, discoveries, remote storage and notifiers share
 *
 * Shape:   HTTP_CONFIG_TABLE reads the keys, inline among a section's own (YT_INLINE) or as a mapping of their own. Put
 *          the result into http_call.config: the client does the rest, token requests included.
 * Files:   named ones are read at every use, so that rotated secrets and certificates need no reload. One that cannot be
 *          read fails the request with a sentence.
 * Secrets: are struct secret; credentials and http_headers are not sent on where a redirect leads to another origin.
 * Owns:    nothing; all memory is the arena's the configuration was read into.
 * Source:  prometheus/common config/http_config.go, headers.go (keys, checks, texts), Prometheus 3.14.0 docs.
 */
#ifndef IO_HTTP_CONFIG_H
#define IO_HTTP_CONFIG_H

#include "base/secret.h"
#include "codec/yaml.h"
#include "codec/yaml_printer.h"

struct basic_auth {
    struct str username, username_file, password_file;
    struct secret password;
};

struct authorization {
    struct str type, credentials_file;
    struct secret credentials;
};

enum tls_version { TLS_DEFAULT, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 };

struct tls_config {
    struct str ca, cert; /* PEM */
    struct secret key;
    struct str ca_file, cert_file, key_file;
    struct str server_name; /* asked for and expected in place of the URL's host */
    bool insecure_skip_verify;
    enum tls_version min, max;
};

/* A header's values: the plain ones, the secret ones, then what the files hold. */
struct header_config {
    struct str name;
    struct yaml_strs values, secrets, files;
};
struct header_configs {
    struct header_config *v;
    size_t n;
};

struct proxy_config {
    struct str url, no_proxy;
    bool from_environment;
    struct header_configs connect_header; /* secrets only */
};

struct oauth2 {
    struct str client_id, client_secret_file, token_url, grant_type;
    struct secret client_secret;
    struct yaml_strs scopes;
    struct yaml_pairs endpoint_params;
    struct tls_config tls;
    struct proxy_config proxy;
};

struct http_config {
    struct basic_auth *basic;
    struct authorization *authorization; /* bearer_token and bearer_token_file end up here */
    struct oauth2 *oauth2;
    struct secret bearer_token; /* of the file */
    struct str bearer_token_file;
    struct tls_config tls;
    bool follow_redirects, enable_http2;
    struct proxy_config proxy;
    struct header_configs headers;
};

/* Into struct http_config; its check refuses what contradicts itself. Defaults: follows redirects, HTTP/2 where offered. */
extern const struct yaml_table HTTP_CONFIG_TABLE;
/* The same with enable_http2 false: remote storage. */
extern const struct yaml_table HTTP_CONFIG_NO_HTTP2_TABLE;
/* tls_config alone, into struct tls_config: mail servers. */
extern const struct yaml_table TLS_CONFIG_TABLE;

/* For a table that reads the keys by other means: what contradicts itself; fills authorization. */
enum err http_config_check(struct arena *a, struct http_config *c, struct diag *d);

/* Makes the paths of files relative to dir, "" keeps them. */
void http_config_resolve(struct arena *a, struct str dir, struct http_config *c);

/* Nothing is configured that needs TLS, a token or a proxy: as if there were no configuration. */
void http_config_defaults(struct http_config *c);

/* The keys in the original's order, secrets as <secret>. */
void http_config_print(struct yaml_printer *p, const struct http_config *c);
void tls_config_print(struct yaml_printer *p, const struct tls_config *c);

#endif
