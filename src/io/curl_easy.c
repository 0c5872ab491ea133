/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curl_easy.c - a request set up on a curl handle, and set up again where an answer sends us elsewhere
 *
 * Redirects are followed here and not by curl, which would take every header along to wherever it is sent.
 */
#include "io/curl_easy.h"

#include "base/assert.h"
#include "io/clock.h"
#include "io/http_proxy.h"

#include <pthread.h>

enum { BODY_MAX = 64 << 20, READ_SIZE = 128 * 1024, HOPS_MAX = 10, TIMEOUT_DEFAULT_MS = 10000 };

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_curl(void) { ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); }

void curl_ready(void) { (void)pthread_once(&once, init_curl); }

/* --- URLs --- */

/* scheme://user:pw@host becomes scheme://user:xxxxx@host, as Go's URL.Redacted. */
struct str transfer_shown_url(struct arena *a, struct str url)
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

static struct str url_part(struct arena *a, CURLU *u, CURLUPart part, unsigned flags)
{
    char *text = NULL;
    struct str out = { 0 };
    if (curl_url_get(u, part, &text, flags) == CURLUE_OK) out = arena_dup(a, str_c(text));
    curl_free(text);
    return out;
}

/* scheme, host and port in one text; empty where there is no URL. */
static struct str origin_of(struct arena *a, struct str url)
{
    CURLU *u = curl_url();
    struct str out = STR("");
    if (u && curl_url_set(u, CURLUPART_URL, arena_dup(a, url).p, 0) == CURLUE_OK) {
        out = arena_fmt(a, STR_FMT "://" STR_FMT ":" STR_FMT,
                        STR_ARG(url_part(a, u, CURLUPART_SCHEME, 0)),
                        STR_ARG(url_part(a, u, CURLUPART_HOST, 0)),
                        STR_ARG(url_part(a, u, CURLUPART_PORT, CURLU_DEFAULT_PORT)));
    }
    curl_url_cleanup(u);
    return out;
}

/* Another name is asked for, and expected in the certificate, than the host that is connected to. */
static struct str under_name(struct transfer *t, struct str name, struct str *host)
{
    CURLU *u = curl_url();
    struct arena *a = &t->arena;
    struct str out = t->url;
    *host = (struct str){ 0 };
    if (u && str_starts(t->url, STR("https://")) &&
        curl_url_set(u, CURLUPART_URL, arena_dup(a, t->url).p, 0) == CURLUE_OK) {
        struct str was = url_part(a, u, CURLUPART_HOST, 0),
                   given = url_part(a, u, CURLUPART_PORT, 0),
                   port = url_part(a, u, CURLUPART_PORT, CURLU_DEFAULT_PORT);
        if (curl_url_set(u, CURLUPART_HOST, arena_dup(a, name).p, 0) == CURLUE_OK) {
            struct str line = arena_fmt(a, STR_FMT ":" STR_FMT ":" STR_FMT ":" STR_FMT,
                                        STR_ARG(name), STR_ARG(port), STR_ARG(was), STR_ARG(port));
            t->connect_to = curl_slist_append(t->connect_to, line.p);
            *host = given.n ? arena_fmt(a, STR_FMT ":" STR_FMT, STR_ARG(was), STR_ARG(given)) : was;
            out = url_part(a, u, CURLUPART_URL, 0);
        }
    }
    curl_url_cleanup(u);
    return out;
}

/* --- headers --- */

static void add_line(struct transfer *t, struct curl_slist **to, struct str name, struct str value)
{
    /* "Name;" is curl's way to send a header without a value. */
    struct str line = value.n ? arena_fmt(&t->arena, STR_FMT ": " STR_FMT, STR_ARG(name),
                                          STR_ARG(value))
                              : arena_fmt(&t->arena, STR_FMT ";", STR_ARG(name));
    *to = curl_slist_append(*to, line.p);
}

static bool is_credential(struct str name)
{
    return str_ieq(name, STR("authorization")) || str_ieq(name, STR("cookie"));
}

static void set_headers(struct transfer *t, struct str host)
{
    curl_slist_free_all(t->headers);
    t->headers = NULL;
    for (size_t i = 0; i < t->call_headers_n; i++) {
        const struct http_pair *h = &t->call_headers[i];
        if (!t->strayed || !is_credential(h->name)) add_line(t, &t->headers, h->name, h->value);
    }
    for (size_t i = 0; !t->strayed && i < t->kit.headers_n; i++) {
        add_line(t, &t->headers, t->kit.headers[i].name, t->kit.headers[i].value);
    }
    if (!t->strayed && t->kit.authorization.n) {
        add_line(t, &t->headers, STR("Authorization"), t->kit.authorization);
    }
    if (host.n) add_line(t, &t->headers, STR("Host"), host);
    t->headers = curl_slist_append(t->headers, "Expect:"); /* no 100-continue round trip */
    if (t->accept_gzip || t->pass_gzip) {
        t->headers = curl_slist_append(t->headers, "Accept-Encoding: gzip");
    }
    (void)curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
}

static void set_method(struct transfer *t)
{
    bool post = str_eqc(t->method, "POST");
    (void)curl_easy_setopt(t->easy, CURLOPT_NOBODY, 0L);
    (void)curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L);
    if (str_eqc(t->method, "HEAD")) {
        (void)curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (t->body.n || post) {
        (void)curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body.n);
        (void)curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->body.n ? t->body.p : "");
    }
    (void)curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, t->method.p);
}

/* --- TLS --- */

static void set_blob(CURL *easy, CURLoption option, struct str pem)
{
    if (!pem.n) return;
    struct curl_blob blob = { (void *)(uintptr_t)pem.p, pem.n, CURL_BLOB_NOCOPY };
    (void)curl_easy_setopt(easy, option, &blob);
}

static long version_bits(enum tls_version v)
{
    static const long BITS[] = { [TLS_DEFAULT] = CURL_SSLVERSION_TLSv1_2,
                                 [TLS_1_0] = CURL_SSLVERSION_TLSv1_0,
                                 [TLS_1_1] = CURL_SSLVERSION_TLSv1_1,
                                 [TLS_1_2] = CURL_SSLVERSION_TLSv1_2,
                                 [TLS_1_3] = CURL_SSLVERSION_TLSv1_3 };
    return BITS[v];
}

static long max_version_bits(enum tls_version v)
{
    static const long BITS[] = { [TLS_DEFAULT] = CURL_SSLVERSION_MAX_DEFAULT,
                                 [TLS_1_0] = CURL_SSLVERSION_MAX_TLSv1_0,
                                 [TLS_1_1] = CURL_SSLVERSION_MAX_TLSv1_1,
                                 [TLS_1_2] = CURL_SSLVERSION_MAX_TLSv1_2,
                                 [TLS_1_3] = CURL_SSLVERSION_MAX_TLSv1_3 };
    return BITS[v];
}

/* A CA of our own is the only one: Debian's folder of certificates does not count beside it. */
static void set_tls(struct transfer *t)
{
    const struct tls_kit *k = &t->kit.tls;
    set_blob(t->easy, CURLOPT_CAINFO_BLOB, k->ca);
    set_blob(t->easy, CURLOPT_PROXY_CAINFO_BLOB, k->ca);
    set_blob(t->easy, CURLOPT_SSLCERT_BLOB, k->cert);
    set_blob(t->easy, CURLOPT_SSLKEY_BLOB, k->key);
    if (k->ca.n) {
        (void)curl_easy_setopt(t->easy, CURLOPT_CAINFO, NULL);
        (void)curl_easy_setopt(t->easy, CURLOPT_CAPATH, NULL);
        (void)curl_easy_setopt(t->easy, CURLOPT_PROXY_CAINFO, NULL);
        (void)curl_easy_setopt(t->easy, CURLOPT_PROXY_CAPATH, NULL);
    }
    if (k->insecure) {
        (void)curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYPEER, 0L);
        (void)curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYHOST, 0L);
        (void)curl_easy_setopt(t->easy, CURLOPT_PROXY_SSL_VERIFYPEER, 0L);
        (void)curl_easy_setopt(t->easy, CURLOPT_PROXY_SSL_VERIFYHOST, 0L);
    }
    if (k->min || k->max) {
        (void)curl_easy_setopt(t->easy, CURLOPT_SSLVERSION,
                               version_bits(k->min) | max_version_bits(k->max));
    }
}

static void set_proxy(struct transfer *t)
{
    const struct proxy_config *c = &t->kit.proxy;
    struct str proxy = http_proxy_for(&t->arena, c, t->url);
    if (t->kit.from_config || proxy.n) {
        (void)curl_easy_setopt(t->easy, CURLOPT_PROXY, arena_dup(&t->arena, proxy).p);
    }
    if (t->kit.from_config) (void)curl_easy_setopt(t->easy, CURLOPT_NOPROXY, "");
    curl_slist_free_all(t->proxy_headers);
    t->proxy_headers = NULL;
    /* Only for CONNECT: a request that the proxy reads itself has nothing to do with them. */
    for (size_t i = 0; str_starts(t->url, STR("https://")) && i < c->connect_header.n; i++) {
        const struct header_config *h = &c->connect_header.v[i];
        for (size_t j = 0; j < h->secrets.n; j++) {
            add_line(t, &t->proxy_headers, h->name, h->secrets.v[j]);
        }
    }
    (void)curl_easy_setopt(t->easy, CURLOPT_PROXYHEADER, t->proxy_headers);
}

/* --- requests --- */

static struct curl_slist *aliases; /* NAME:PORT:ADDRESS:PORT; never changed while threads run */

void http_alias(const char *name, const char *address)
{
    ARENA(a, 0);
    struct curl_slist *more = curl_slist_append(aliases, arena_fmt(&a, "%s:%s", name, address).p);
    ASSERT(more != NULL);
    aliases = more;
}

/* Everything that depends on where the request goes. */
static void aim(struct transfer *t)
{
    struct str host = { 0 }, url = t->url;
    curl_slist_free_all(t->connect_to);
    t->connect_to = NULL;
    if (t->kit.tls.server_name.n) url = under_name(t, t->kit.tls.server_name, &host);
    (void)curl_easy_setopt(t->easy, CURLOPT_CONNECT_TO, t->connect_to ? t->connect_to : aliases);
    (void)curl_easy_setopt(t->easy, CURLOPT_URL, arena_dup(&t->arena, url).p);
    set_method(t);
    set_headers(t, host);
    set_proxy(t);
}

static void copy_call(struct transfer *t, const struct http_call *call)
{
    struct arena *a = &t->arena;
    struct http_pair *h = arena_array(a, call->headers_n, sizeof(*h));
    for (size_t i = 0; i < call->headers_n; i++) {
        h[i] = (struct http_pair){ arena_dup(a, call->headers[i].name),
                                   arena_dup(a, call->headers[i].value) };
    }
    t->call_headers = h;
    t->call_headers_n = call->headers_n;
    t->method = arena_dup(a, str_c(call->method ? call->method : "GET"));
    t->body = arena_dup(a, call->body);
    t->url = t->first_url = arena_dup(a, call->url);
    t->shown_url = transfer_shown_url(a, call->url);
    t->unix_socket = arena_dup(a, call->unix_socket);
}

/* What stays the same wherever the request goes. */
static void set_fixed(struct transfer *t)
{
    CURL *easy = t->easy;
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->why);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "Vigie");
    (void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)READ_SIZE);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)t->timeout_ms);
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                           (long)(t->kit.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, transfer_on_bytes);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, transfer_on_header);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
    if (t->unix_socket.n) {
        (void)curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, t->unix_socket.p);
    }
    set_tls(t);
}

void transfer_init(struct transfer *t, const struct http_call *call, const struct http_kit *kit,
                   bool (*on_body)(void *ctx, struct http_result *so_far, struct str slice),
                   void *ctx)
{
    *t = (struct transfer){ .on_body = on_body, .ctx = ctx, .began_ms = clock_mono_ms() };
    list_init(&t->in_turn);
    t->kit = *kit;
    t->timeout_ms = call->timeout_ms > 0 ? call->timeout_ms : TIMEOUT_DEFAULT_MS;
    t->accept_gzip = call->accept_gzip;
    t->pass_gzip = call->pass_gzip;
    t->body_max = call->body_max ? call->body_max : BODY_MAX;
    buf_init(&t->result.body, t->body_max);
    t->easy = curl_easy_init();
    ASSERT(t->easy != NULL);
    copy_call(t, call);
    set_fixed(t);
    aim(t);
}

/* --- redirects --- */

bool transfer_wants_redirect(const struct transfer *t, int status)
{
    bool moved = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    return moved && t->location.n && t->kit.follow_redirects && t->hops <= HOPS_MAX;
}

/* A location is relative to the URL whose answer it is. */
static struct str next_url(struct transfer *t)
{
    CURLU *u = curl_url();
    struct str out = { 0 };
    if (u && curl_url_set(u, CURLUPART_URL, t->url.p, 0) == CURLUE_OK &&
        curl_url_set(u, CURLUPART_URL, t->location.p, 0) == CURLUE_OK) {
        out = url_part(&t->arena, u, CURLUPART_URL, 0);
    }
    curl_url_cleanup(u);
    return out;
}

/* Everything but 307 and 308 asks for a GET without a body. */
static void as_get(struct transfer *t)
{
    if (str_eqc(t->method, "HEAD")) return;
    t->method = STR("GET");
    t->body = (struct str){ 0 };
    struct http_pair *kept = arena_array(&t->arena, t->call_headers_n, sizeof(*kept));
    size_t n = 0;
    for (size_t i = 0; i < t->call_headers_n; i++) {
        struct str name = t->call_headers[i].name;
        if (name.n > 8 && str_ieq(str_first(name, 8), STR("content-"))) continue;
        kept[n++] = t->call_headers[i];
    }
    t->call_headers = kept;
    t->call_headers_n = n;
}

bool transfer_redirected(struct transfer *t, CURLcode code)
{
    long status = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK || !transfer_wants_redirect(t, (int)status)) return false;
    if (t->hops++ == HOPS_MAX) return false; /* transfer_end() says so */
    struct str url = next_url(t);
    int64_t left = t->timeout_ms - (clock_mono_ms() - t->began_ms);
    if (!url.n) return false;
    if (!str_eq(origin_of(&t->arena, url), origin_of(&t->arena, t->first_url))) t->strayed = true;
    if (status < 307) as_get(t);
    t->url = url;
    t->shown_url = transfer_shown_url(&t->arena, url);
    t->result.wire_bytes = 0;
    (void)curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)(left > 1 ? left : 1));
    aim(t);
    return true;
}

/* --- ends --- */

enum err transfer_end(struct transfer *t, CURLcode code, struct diag *d)
{
    if (!t->result.wire_bytes) transfer_learn_head(t);
    t->result.took_ms = clock_mono_ms() - t->began_ms;
    curl_off_t after = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &after);
    t->result.retry_after_ms = (int64_t)after * 1000;
    if (code == CURLE_OK && t->hops > HOPS_MAX) code = CURLE_TOO_MANY_REDIRECTS;
    /* curl knows the length of what is packed, not whether that is whole. */
    bool cut = code == CURLE_OK && t->gzip && t->result.wire_bytes && !inflater_ended(t->gzip);
    return transfer_explain(t, cut ? CURLE_PARTIAL_FILE : code, d);
}

void transfer_done(struct transfer *t)
{
    list_remove(&t->in_turn);
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
    curl_slist_free_all(t->proxy_headers);
    curl_slist_free_all(t->connect_to);
    inflater_free(t->gzip);
    arena_done(&t->arena);
    t->easy = NULL;
    t->headers = t->proxy_headers = t->connect_to = NULL;
    t->gzip = NULL;
}
