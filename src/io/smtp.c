/* SPDX-License-Identifier: Apache-2.0 */
#include "io/smtp.h"

#include "base/arena.h"
#include "base/assert.h"
#include "io/curl_easy.h"

/* What curl reads the message from. */
struct upload {
    struct str left;
    const _Atomic(bool) *cancel;
};

static size_t on_read(char *to, size_t size, size_t n, void *ctx)
{
    struct upload *u = ctx;
    n *= size;
    if (n > u->left.n) n = u->left.n;
    if (n) memcpy(to, u->left.p, n);
    u->left = str_from(u->left, n);
    return n;
}

static int still_wanted(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a, (void)b, (void)c, (void)d;
    const struct upload *u = ctx;
    return u->cancel && *u->cancel ? 1 : 0;
}

/* Collects the server's last words, for the error's text. */
struct dialogue {
    char last[160];
};

static int on_debug(CURL *easy, curl_infotype type, char *p, size_t n, void *ctx)
{
    (void)easy;
    struct dialogue *g = ctx;
    if (type != CURLINFO_HEADER_IN) {
        return 0; /* what the server said; what we said may hold a password */
    }
    struct str line = str_trim(str_make(p, n));
    size_t keep = line.n < sizeof(g->last) - 1 ? line.n : sizeof(g->last) - 1;
    memcpy(g->last, line.p, keep);
    g->last[keep] = '\0';
    return 0;
}

static void set_security(CURL *c, const struct smtp_mail *m, struct arena *a)
{
    if (m->require_tls) (void)curl_easy_setopt(c, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
    if (m->insecure_skip_verify) {
        (void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
        (void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (m->ca_file.n) (void)curl_easy_setopt(c, CURLOPT_CAINFO, arena_dup(a, m->ca_file).p);
    if (!m->user.n) return;
    (void)curl_easy_setopt(c, CURLOPT_USERNAME, arena_dup(a, m->user).p);
    (void)curl_easy_setopt(c, CURLOPT_PASSWORD, arena_dup(a, secret_reveal(m->password)).p);
}

static void set_address(CURL *c, const struct smtp_mail *m, struct arena *a)
{
    const char *scheme = m->port == 465 ? "smtps" : "smtp";
    struct str url = m->hello.n
                         ? arena_fmt(a, "%s://" STR_FMT ":%u/" STR_FMT, scheme, STR_ARG(m->host),
                                     m->port, STR_ARG(m->hello))
                         : arena_fmt(a, "%s://" STR_FMT ":%u", scheme, STR_ARG(m->host), m->port);
    (void)curl_easy_setopt(c, CURLOPT_URL, url.p);
    (void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    (void)curl_easy_setopt(c, CURLOPT_MAIL_FROM, arena_fmt(a, "<" STR_FMT ">", STR_ARG(m->from)).p);
}

static enum err explain(CURLcode code, const struct smtp_mail *m, const char *why, const char *said,
                        struct diag *d)
{
    enum err e = ERR_SYS;
    switch (code) {
    case CURLE_OK: return OK;
    case CURLE_LOGIN_DENIED: e = ERR_DENIED; break;
    case CURLE_OPERATION_TIMEDOUT: e = ERR_TIMEOUT; break;
    case CURLE_USE_SSL_FAILED: e = ERR_UNSUPPORTED; break;
    case CURLE_ABORTED_BY_CALLBACK: e = ERR_CANCELED; break;
    default: break;
    }
    return diag_set(d, e, "smtp " STR_FMT ":%u: %s%s%s%s", STR_ARG(m->host), m->port,
                    why[0] ? why : curl_easy_strerror(code), said[0] ? " (server: " : "", said,
                    said[0] ? ")" : "");
}

enum err smtp_send(const struct smtp_mail *m, const _Atomic(bool) *cancel, struct diag *d)
{
    curl_ready();
    ARENA(a, 0);
    CURL *c = curl_easy_init();
    ASSERT(c != NULL);
    char why[CURL_ERROR_SIZE] = "";
    struct upload up = { m->message, cancel };
    struct dialogue said = { "" };
    struct curl_slist *to = NULL;
    for (size_t i = 0; i < m->to_n; i++) {
        to = curl_slist_append(to, arena_fmt(&a, "<" STR_FMT ">", STR_ARG(m->to[i])).p);
    }
    set_address(c, m, &a);
    set_security(c, m, &a);
    (void)curl_easy_setopt(c, CURLOPT_MAIL_RCPT, to);
    (void)curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
    (void)curl_easy_setopt(c, CURLOPT_READFUNCTION, on_read);
    (void)curl_easy_setopt(c, CURLOPT_READDATA, &up);
    (void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(c, CURLOPT_TIMEOUT_MS,
                           (long)(m->timeout_ms > 0 ? m->timeout_ms : 30000));
    (void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
    (void)curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    (void)curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, still_wanted);
    (void)curl_easy_setopt(c, CURLOPT_XFERINFODATA, &up);
    (void)curl_easy_setopt(c, CURLOPT_VERBOSE, 1L);
    (void)curl_easy_setopt(c, CURLOPT_DEBUGFUNCTION, on_debug);
    (void)curl_easy_setopt(c, CURLOPT_DEBUGDATA, &said);
    enum err e = explain(curl_easy_perform(c), m, why, said.last, d);
    curl_easy_cleanup(c);
    curl_slist_free_all(to);
    return e;
}
