/* SPDX-License-Identifier: Apache-2.0 */
#include "io/curl_easy.h"

#include "base/assert.h"
#include "io/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <zlib.h>

enum { BODY_MAX = 64 << 20, READ_SIZE = 256 * 1024, INFLATE_STEP = 64 * 1024 };

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_curl(void) { ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); }

void curl_ready(void) { (void)pthread_once(&once, init_curl); }

/* --- bodies --- */

struct inflater {
    z_stream z;
    bool ended; /* the stream said that it is complete */
    char out[INFLATE_STEP];
};

static struct inflater *inflater_new(void)
{
    struct inflater *f = calloc(1, sizeof(*f));
    ASSERT(f && inflateInit2(&f->z, 16 + MAX_WBITS) == Z_OK); /* 16: gzip */
    return f;
}

static void inflater_free(struct inflater *f)
{
    if (!f) return;
    (void)inflateEnd(&f->z);
    free(f);
}

static bool give(struct transfer *t, struct str slice)
{
    t->body_seen += slice.n;
    if (t->body_seen > t->body_max) {
        t->too_large = true;
        return false;
    }
    if (t->on_body) {
        t->refused = !t->on_body(t->ctx, &t->result, slice);
        return !t->refused;
    }
    buf_put(&t->result.body, slice);
    return true;
}

static bool give_inflated(struct transfer *t, struct str in)
{
    struct inflater *f = t->gzip;
    f->z.next_in = (unsigned char *)(uintptr_t)in.p;
    f->z.avail_in = (unsigned)in.n;
    do {
        f->z.next_out = (unsigned char *)f->out;
        f->z.avail_out = sizeof(f->out);
        int e = inflate(&f->z, Z_NO_FLUSH);
        if (e != Z_OK && e != Z_STREAM_END && e != Z_BUF_ERROR) {
            t->broken_gzip = true;
            return false;
        }
        if (e == Z_STREAM_END) f->ended = true;
        size_t n = sizeof(f->out) - f->z.avail_out;
        if (n && !give(t, str_make(f->out, n))) return false;
        if (e == Z_STREAM_END || (e == Z_BUF_ERROR && !n)) break;
    } while (f->z.avail_in || !f->z.avail_out);
    return true;
}

/* First bytes of the body: status and type are known now. */
static void learn_head(struct transfer *t)
{
    long status = 0;
    char *type = NULL;
    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
    t->result.status = (int)status;
    t->result.content_type = arena_dup(&t->arena, str_c(type));
}

static size_t on_bytes(char *p, size_t size, size_t n, void *ctx)
{
    struct transfer *t = ctx;
    n *= size;
    if (!t->result.wire_bytes) learn_head(t);
    t->result.wire_bytes += n;
    bool ok = t->gzip ? give_inflated(t, str_make(p, n)) : give(t, str_make(p, n));
    return ok ? n : 0;
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
    struct transfer *t = ctx;
    struct str name, value;
    if (str_cut(str_make(p, size * n), ':', &name, &value) &&
        str_ieq(name, STR("content-encoding")) && !t->gzip) {
        value = str_trim(value);
        if (!str_ieq(value, STR("gzip")) && !str_ieq(value, STR("x-gzip"))) return size * n;
        if (t->pass_gzip) {
            t->result.content_encoding = STR("gzip");
        } else {
            t->gzip = inflater_new();
        }
    }
    return size * n;
}

/* --- requests --- */

/* scheme://user:pw@host becomes scheme://user:xxxxx@host, as Go's URL.Redacted. */
static struct str without_password(struct arena *a, struct str url)
{
    size_t scheme = str_find(url, STR("://"));
    if (scheme == STR_NONE) return arena_dup(a, url);
    struct str rest = str_from(url, scheme + 3);
    size_t end = 0;
    while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?' && rest.p[end] != '#') end++;
    size_t at = str_find_char(str_first(rest, end), '@'),
           colon = str_find_char(str_first(rest, end), ':');
    if (at == STR_NONE || colon == STR_NONE || colon > at) return arena_dup(a, url);
    return arena_fmt(a, STR_FMT ":xxxxx" STR_FMT, STR_ARG(str_first(url, scheme + 3 + colon)),
                     STR_ARG(str_from(rest, at)));
}

static void set_headers(struct transfer *t, const struct http_call *call)
{
    for (size_t i = 0; i < call->headers_n; i++) {
        const struct http_pair *h = &call->headers[i];
        struct str line = arena_fmt(&t->arena, STR_FMT ": " STR_FMT, STR_ARG(h->name),
                                    STR_ARG(h->value));
        t->headers = curl_slist_append(t->headers, line.p);
    }
    t->headers = curl_slist_append(t->headers, "Expect:"); /* no 100-continue round trip */
    if (call->accept_gzip || call->pass_gzip)
        t->headers = curl_slist_append(t->headers, "Accept-Encoding: gzip");
    (void)curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
}

static void set_method(struct transfer *t, const struct http_call *call)
{
    const char *method = call->method ? call->method : "GET";
    t->method = arena_dup(&t->arena, str_c(method));
    if (strcmp(method, "HEAD") == 0) {
        (void)curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
    } else if (call->body.n || strcmp(method, "POST") == 0) {
        (void)curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.n);
        (void)curl_easy_setopt(t->easy, CURLOPT_COPYPOSTFIELDS, call->body.n ? call->body.p : "");
        (void)curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, t->method.p);
    } else {
        (void)curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, t->method.p);
    }
}

static void set_login(struct transfer *t, const struct http_call *call)
{
    if (!call->user.n) return;
    (void)curl_easy_setopt(t->easy, CURLOPT_USERNAME, arena_dup(&t->arena, call->user).p);
    (void)curl_easy_setopt(t->easy, CURLOPT_PASSWORD,
                           arena_dup(&t->arena, secret_reveal(call->password)).p);
}

void transfer_init(struct transfer *t, const struct http_call *call,
                   bool (*on_body)(void *ctx, struct http_result *so_far, struct str slice),
                   void *ctx)
{
    *t = (struct transfer){
        .on_body = on_body, .ctx = ctx, .began_ms = clock_mono_ms(), .timeout_ms = call->timeout_ms
    };
    t->pass_gzip = call->pass_gzip;
    t->body_max = call->body_max ? call->body_max : BODY_MAX;
    buf_init(&t->result.body, t->body_max);
    t->easy = curl_easy_init();
    ASSERT(t->easy != NULL);
    t->url = without_password(&t->arena, call->url);
    (void)curl_easy_setopt(t->easy, CURLOPT_URL, arena_dup(&t->arena, call->url).p);
    (void)curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->why);
    (void)curl_easy_setopt(t->easy, CURLOPT_USERAGENT, "Vigie");
    (void)curl_easy_setopt(t->easy, CURLOPT_BUFFERSIZE, (long)READ_SIZE);
    (void)curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS,
                           (long)(call->timeout_ms > 0 ? call->timeout_ms : 10000));
    (void)curl_easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, call->follow_redirects ? 1L : 0L);
    (void)curl_easy_setopt(t->easy, CURLOPT_MAXREDIRS, 10L);
    (void)curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_bytes);
    (void)curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    (void)curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
    if (call->proxy.n) {
        (void)curl_easy_setopt(t->easy, CURLOPT_PROXY, arena_dup(&t->arena, call->proxy).p);
    }
    set_method(t, call);
    set_headers(t, call);
    set_login(t, call);
}

/* --- ends --- */

/* Host and port of the URL, for "dial tcp". */
static struct str dialled(struct transfer *t, bool with_port)
{
    CURLU *u = curl_url();
    char *host = NULL, *port = NULL;
    struct str out = STR("");
    if (u && curl_url_set(u, CURLUPART_URL, t->url.p, 0) == CURLUE_OK &&
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
                    STR_ARG(t->method), STR_ARG(t->url), STR_ARG(dialled(t, true)), text);
}

static enum err ended_early(struct transfer *t, struct diag *d)
{
    if (t->too_large) return diag_set(d, ERR_LIMIT, "body size limit exceeded");
    if (t->broken_gzip) {
        return diag_set(d, ERR_CORRUPT, "gzip: invalid data in the answer of " STR_FMT,
                        STR_ARG(t->url));
    }
    return diag_set(d, t->refused ? ERR_LIMIT : ERR_SYS,
                    "the answer of " STR_FMT " was not wanted any more", STR_ARG(t->url));
}

static struct str go_method(const struct transfer *t)
{
    if (str_eqc(t->method, "POST")) return STR("Post");
    return str_eqc(t->method, "GET") ? STR("Get") : t->method;
}

static enum err explain(struct transfer *t, CURLcode code, struct diag *d)
{
    t->method = go_method(t); /* Go's client begins its errors so */
    switch (code) {
    case CURLE_OK: return OK;
    case CURLE_OPERATION_TIMEDOUT:
        return diag_set(d, ERR_TIMEOUT, STR_FMT " \"" STR_FMT "\": context deadline exceeded",
                        STR_ARG(t->method), STR_ARG(t->url));
    case CURLE_COULDNT_RESOLVE_HOST:
        return diag_set(d, ERR_MISSING,
                        STR_FMT " \"" STR_FMT "\": dial tcp: lookup " STR_FMT ": no such host",
                        STR_ARG(t->method), STR_ARG(t->url), STR_ARG(dialled(t, false)));
    case CURLE_COULDNT_CONNECT: return not_connected(t, d);
    case CURLE_WRITE_ERROR: return ended_early(t, d);
    case CURLE_ABORTED_BY_CALLBACK: return diag_set(d, ERR_CANCELED, "context canceled");
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
        return diag_set(d, ERR_EOF, STR_FMT " \"" STR_FMT "\": unexpected EOF", STR_ARG(t->method),
                        STR_ARG(t->url));
    case CURLE_UNSUPPORTED_PROTOCOL:
        if (strstr(t->why, "HTTP/0.9")) { /* curl's word for an answer without a status line */
            return diag_set(d, ERR_SYNTAX,
                            STR_FMT " \"" STR_FMT
                                    "\": malformed HTTP response: the port does not speak HTTP",
                            STR_ARG(t->method), STR_ARG(t->url));
        }
        FALLTHROUGH;
    case CURLE_URL_MALFORMAT:
        return diag_set(d, ERR_SYNTAX,
                        "unsupported protocol scheme or malformed URL: \"" STR_FMT "\"",
                        STR_ARG(t->url));
    default:
        return diag_set(d, ERR_SYS, STR_FMT " \"" STR_FMT "\": %s", STR_ARG(t->method),
                        STR_ARG(t->url), t->why[0] ? t->why : curl_easy_strerror(code));
    }
}

enum err transfer_end(struct transfer *t, CURLcode code, struct diag *d)
{
    if (!t->result.wire_bytes) learn_head(t);
    t->result.took_ms = clock_mono_ms() - t->began_ms;
    /* curl knows the length of what is packed, not whether that is whole. */
    bool cut = code == CURLE_OK && t->gzip && t->result.wire_bytes && !t->gzip->ended;
    return explain(t, cut ? CURLE_PARTIAL_FILE : code, d);
}

void transfer_done(struct transfer *t)
{
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
    inflater_free(t->gzip);
    arena_done(&t->arena);
    t->easy = NULL;
    t->headers = NULL;
    t->gzip = NULL;
}
