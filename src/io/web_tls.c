/* SPDX-License-Identifier: Apache-2.0 */
#include "io/web_tls.h"

#include "base/assert.h"
#include "io/file.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>

/* --- certificate and key --- */

enum { PEM_MAX = 1 << 20 };

/* The text given, or the file's. */
static enum err pem_of(struct arena *a, struct str text, struct str file, struct str *out,
                       struct diag *d)
{
    if (text.n) {
        *out = text;
        return OK;
    }
    return file_read(a, file, PEM_MAX, out, d);
}

static enum err ssl_failed(const char *what, struct diag *d)
{
    char why[256];
    ERR_error_string_n(ERR_get_error(), why, sizeof(why));
    ERR_clear_error();
    return diag_set(d, ERR_SYNTAX, "%s: %s", what, why);
}

static enum err use_chain(SSL_CTX *ctx, struct str pem, struct diag *d)
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    X509 *leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    bool ok = leaf && SSL_CTX_use_certificate(ctx, leaf) == 1;
    X509_free(leaf);
    for (X509 *more; ok && (more = PEM_read_bio_X509(bio, NULL, NULL, NULL));) {
        ok = SSL_CTX_add0_chain_cert(ctx, more) == 1;
    }
    BIO_free(bio);
    if (!ok) return ssl_failed("failed to load the certificate", d);
    ERR_clear_error(); /* the end of the file is no error */
    return OK;
}

static enum err use_key(SSL_CTX *ctx, struct str pem, struct diag *d)
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    bool ok = key && SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    return ok ? OK : ssl_failed("failed to load the private key", d);
}

static enum err use_pair(SSL_CTX *ctx, const struct web_tls *r, struct diag *d)
{
    ARENA(a, 0);
    struct str cert, key;
    TRY(pem_of(&a, r->cert, r->cert_file, &cert, d));
    TRY(use_chain(ctx, cert, d));
    TRY(pem_of(&a, secret_reveal(r->key), r->key_file, &key, d));
    return use_key(ctx, key, d);
}

/* --- clients --- */

static const struct {
    int mode;
    bool check;
} AUTH[] = {
    [CLIENT_AUTH_NONE] = { SSL_VERIFY_NONE, false },
    [CLIENT_AUTH_REQUEST] = { SSL_VERIFY_PEER, false },
    [CLIENT_AUTH_REQUIRE_ANY] = { SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, false },
    [CLIENT_AUTH_VERIFY_IF_GIVEN] = { SSL_VERIFY_PEER, true },
    [CLIENT_AUTH_REQUIRE_AND_VERIFY] = { SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, true },
};

static int accept_any(int ok, X509_STORE_CTX *store)
{
    (void)ok;
    (void)store;
    return 1;
}

static enum err use_client_ca(SSL_CTX *ctx, const struct web_tls *r, struct diag *d)
{
    ARENA(a, 0);
    struct str pem;
    TRY(pem_of(&a, r->client_ca, r->client_ca_file, &pem, d));
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    size_t n = 0;
    for (X509 *ca; (ca = PEM_read_bio_X509(bio, NULL, NULL, NULL)); n++) {
        (void)X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca);
        (void)SSL_CTX_add_client_CA(ctx, ca);
        X509_free(ca);
    }
    BIO_free(bio);
    ERR_clear_error();
    return n ? OK : diag_set(d, ERR_SYNTAX, "client_ca holds no certificate");
}

static enum err use_client_auth(SSL_CTX *ctx, const struct web_tls *r, struct diag *d)
{
    bool ca = r->client_ca.n || r->client_ca_file.n;
    SSL_CTX_set_verify(ctx, AUTH[r->client_auth].mode,
                       AUTH[r->client_auth].check ? NULL : accept_any);
    return ca ? use_client_ca(ctx, r, d) : OK;
}

/* --- protocol --- */

static enum err version_of(struct str name, int *out, struct diag *d)
{
    static const struct {
        const char *name;
        int version;
    } VERSIONS[] = { { "TLS10", TLS1_VERSION },
                     { "TLS11", TLS1_1_VERSION },
                     { "TLS12", TLS1_2_VERSION },
                     { "TLS13", TLS1_3_VERSION } };
    for (size_t i = 0; i < ARRAY_LEN(VERSIONS); i++) {
        if (!str_eqc(name, VERSIONS[i].name)) continue;
        *out = VERSIONS[i].version;
        return OK;
    }
    return diag_set(d, ERR_SYNTAX, "unknown TLS version: " STR_FMT, STR_ARG(name));
}

/* Go's names are the registry's; OpenSSL wants its own. */
static const char *openssl_cipher(SSL_CTX *ctx, struct str name)
{
    STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(ctx);
    for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
        const SSL_CIPHER *c = sk_SSL_CIPHER_value(all, i);
        const char *standard = SSL_CIPHER_standard_name(c);
        struct str given = name;
        /* Go leaves the hash off two names of the registry. */
        if (standard && str_starts(str_c(standard), given) &&
            (strlen(standard) == given.n || strcmp(standard + given.n, "_SHA256") == 0)) {
            return SSL_CIPHER_get_name(c);
        }
    }
    return NULL;
}

static enum err use_ciphers(SSL_CTX *ctx, struct yaml_strs names, struct diag *d)
{
    BUF(list, 0);
    (void)SSL_CTX_set_cipher_list(ctx, "ALL");
    for (size_t i = 0; i < names.n; i++) {
        const char *name = openssl_cipher(ctx, names.v[i]);
        if (name && strncmp(name, "TLS_", 4) == 0) continue; /* of 1.3: not chosen here */
        if (!name) {
            return diag_set(d, ERR_SYNTAX, "unknown cipher: " STR_FMT, STR_ARG(names.v[i]));
        }
        buf_fmt(&list, "%s%s", list.n ? ":" : "", name);
    }
    if (!list.n) buf_putc(&list, "DEFAULT");
    buf_char(&list, '\0');
    return SSL_CTX_set_cipher_list(ctx, list.p) == 1 ? OK : ssl_failed("cipher_suites", d);
}

static enum err use_curves(SSL_CTX *ctx, struct yaml_strs names, struct diag *d)
{
    static const struct {
        const char *name, *group;
    } CURVES[] = { { "CurveP256", "P-256" },
                   { "CurveP384", "P-384" },
                   { "CurveP521", "P-521" },
                   { "X25519", "X25519" } };
    BUF(list, 0);
    if (!names.n) return OK;
    for (size_t i = 0; i < names.n; i++) {
        const char *group = NULL;
        for (size_t k = 0; k < ARRAY_LEN(CURVES); k++) {
            if (str_eqc(names.v[i], CURVES[k].name)) group = CURVES[k].group;
        }
        if (!group) {
            return diag_set(d, ERR_SYNTAX, "unknown curve: " STR_FMT, STR_ARG(names.v[i]));
        }
        buf_fmt(&list, "%s%s", i ? ":" : "", group);
    }
    buf_char(&list, '\0');
    return SSL_CTX_set1_groups_list(ctx, list.p) == 1 ? OK : ssl_failed("curve_preferences", d);
}

static enum err set_up(SSL_CTX *ctx, const struct web_tls *r, struct diag *d)
{
    int low, high;
    TRY(use_pair(ctx, r, d));
    TRY(use_client_auth(ctx, r, d));
    TRY(version_of(r->min_version, &low, d));
    TRY(version_of(r->max_version, &high, d));
    (void)SSL_CTX_set_min_proto_version(ctx, low);
    (void)SSL_CTX_set_max_proto_version(ctx, high);
    TRY(use_ciphers(ctx, r->cipher_suites, d));
    TRY(use_curves(ctx, r->curves, d));
    if (r->prefer_server_cipher_suites)
        (void)SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    (void)SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"vigie", 5);
    return OK;
}

enum err web_tls_context(const struct web_tls *r, struct ssl_ctx_st **out, struct diag *d)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    ASSERT(ctx != NULL);
    if (r->client_allowed_sans.n) {
        SSL_CTX_free(ctx);
        return diag_set(d, ERR_UNSUPPORTED,
                        "client_allowed_sans is not supported yet; use a client_ca of its own");
    }
    enum err e = set_up(ctx, r, d);
    if (e != OK) {
        SSL_CTX_free(ctx);
        return e;
    }
    *out = ctx;
    return OK;
}
