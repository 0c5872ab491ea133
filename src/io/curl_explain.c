/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curl_explain.c - how a transfer ended, in the words of Go's client where it has some
 */
#include "io/curl_easy.h"

#include <errno.h>
#include <openssl/x509_vfy.h>

/* Host and port of the URL, for "dial tcp". */
static struct str dialled(struct transfer *t, bool with_port)
{
    CURLU *u = curl_url();
    char *host = NULL, *port = NULL;
    struct str out = STR("");
    if (u && curl_url_set(u, CURLUPART_URL, t->shown_url.p, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
        out = with_port ? arena_fmt(&t->arena, "%s:%s", host, port)
                        : arena_dup(&t->arena, str_c(host));
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(u);
    return out;
}

static enum err not_connected(struct transfer *t, struct diag *d)
{
    long e = 0;
    char why[128];
    (void)curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &e);
    const char *text = e == ECONNREFUSED ? "connection refused"
                       : e               ? strerror_r((int)e, why, sizeof(why))
                                         : t->why;
    return diag_set(d, ERR_SYS, STR_FMT " \"" STR_FMT "\": dial tcp " STR_FMT ": connect: %s",
                    STR_ARG(t->method), STR_ARG(t->shown_url), STR_ARG(dialled(t, true)), text);
}

static enum err ended_early(struct transfer *t, struct diag *d)
{
    if (t->too_large) return diag_set(d, ERR_LIMIT, "body size limit exceeded");
    if (t->broken_gzip) {
        return diag_set(d, ERR_CORRUPT, "gzip: invalid data in the answer of " STR_FMT,
                        STR_ARG(t->shown_url));
    }
    return diag_set(d, t->refused ? ERR_LIMIT : ERR_SYS,
                    "the answer of " STR_FMT " was not wanted any more", STR_ARG(t->shown_url));
}

/* What is wrong with a certificate. */
static enum err not_trusted(struct transfer *t, struct diag *d)
{
    long result = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_SSL_VERIFYRESULT, &result);
    const char *text = t->why;
    switch (result) {
    case X509_V_OK:
    case X509_V_ERR_UNSPECIFIED: break; /* the name: curl says which */
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        text = "x509: certificate has expired or is not yet valid";
        break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        text = "x509: certificate signed by unknown authority";
        break;
    default: text = X509_verify_cert_error_string(result); break;
    }
    return diag_set(d, ERR_DENIED,
                    STR_FMT " \"" STR_FMT "\": tls: failed to verify certificate: %s",
                    STR_ARG(t->method), STR_ARG(t->shown_url), text);
}

static struct str go_method(const struct transfer *t)
{
    if (str_eqc(t->method, "POST")) return STR("Post");
    return str_eqc(t->method, "GET") ? STR("Get") : t->method;
}

enum err transfer_explain(struct transfer *t, CURLcode code, struct diag *d)
{
    t->method = go_method(t); /* Go's client begins its errors so */
    switch (code) {
    case CURLE_OK: return OK;
    case CURLE_OPERATION_TIMEDOUT:
        return diag_set(d, ERR_TIMEOUT, STR_FMT " \"" STR_FMT "\": context deadline exceeded",
                        STR_ARG(t->method), STR_ARG(t->shown_url));
    case CURLE_COULDNT_RESOLVE_HOST:
        return diag_set(d, ERR_MISSING,
                        STR_FMT " \"" STR_FMT "\": dial tcp: lookup " STR_FMT ": no such host",
                        STR_ARG(t->method), STR_ARG(t->shown_url), STR_ARG(dialled(t, false)));
    case CURLE_COULDNT_CONNECT: return not_connected(t, d);
    case CURLE_WRITE_ERROR: return ended_early(t, d);
    case CURLE_ABORTED_BY_CALLBACK: return diag_set(d, ERR_CANCELED, "context canceled");
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
        return diag_set(d, ERR_EOF, STR_FMT " \"" STR_FMT "\": unexpected EOF", STR_ARG(t->method),
                        STR_ARG(t->shown_url));
    case CURLE_UNSUPPORTED_PROTOCOL:
        if (strstr(t->why, "HTTP/0.9")) { /* curl's word for an answer without a status line */
            return diag_set(d, ERR_SYNTAX,
                            STR_FMT " \"" STR_FMT
                                    "\": malformed HTTP response: the port does not speak HTTP",
                            STR_ARG(t->method), STR_ARG(t->shown_url));
        }
        FALLTHROUGH;
    case CURLE_URL_MALFORMAT:
        return diag_set(d, ERR_SYNTAX,
                        "unsupported protocol scheme or malformed URL: \"" STR_FMT "\"",
                        STR_ARG(t->shown_url));
    case CURLE_PEER_FAILED_VERIFICATION: return not_trusted(t, d);
    case CURLE_TOO_MANY_REDIRECTS:
        return diag_set(d, ERR_LIMIT, STR_FMT " \"" STR_FMT "\": stopped after 10 redirects",
                        STR_ARG(t->method), STR_ARG(t->shown_url));
    default:
        return diag_set(d, ERR_SYS, STR_FMT " \"" STR_FMT "\": %s", STR_ARG(t->method),
                        STR_ARG(t->shown_url), t->why[0] ? t->why : curl_easy_strerror(code));
    }
}
