/* SPDX-License-Identifier: Apache-2.0 */
#include "io/dial.h"

#include "base/assert.h"
#include "io/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ADDRESSES_MAX = 8, READ_ROOM = 16384 };

struct dial {
    int fd;
    SSL_CTX *ctx;
    SSL *ssl; /* NULL: plain */
    bool loopback;
    char address[INET6_ADDRSTRLEN];
};

/* --- names --- */

/* A look-up that its asker may leave behind: the last of the two frees it. */
struct look_up {
    pthread_mutex_t lock;
    pthread_cond_t done_cond;
    bool done, left;
    char host[256], service[8];
    int error;
    struct addrinfo *found;
};

static void look_up_free(struct look_up *k)
{
    if (k->found) freeaddrinfo(k->found);
    pthread_mutex_destroy(&k->lock);
    pthread_cond_destroy(&k->done_cond);
    free(k);
}

static void ask(struct look_up *k, int flags)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
                                    .ai_flags = flags | AI_NUMERICSERV };
    k->error = getaddrinfo(k->host, k->service, &hints, &k->found);
}

static void *on_thread(void *ctx)
{
    struct look_up *k = ctx;
    ask(k, AI_ADDRCONFIG);
    pthread_mutex_lock(&k->lock);
    k->done = true;
    bool left = k->left;
    pthread_cond_signal(&k->done_cond);
    pthread_mutex_unlock(&k->lock);
    if (left) look_up_free(k);
    return NULL;
}

static bool start_thread(struct look_up *k)
{
    pthread_attr_t attr;
    pthread_t thread;
    pthread_attr_init(&attr);
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attr, 256 * 1024);
    int e = pthread_create(&thread, &attr, on_thread, k);
    pthread_attr_destroy(&attr);
    return e == 0;
}

static struct look_up *look_up_new(struct str host, uint16_t port)
{
    struct look_up *k = calloc(1, sizeof(*k));
    pthread_condattr_t attr;
    ASSERT(k != NULL);
    pthread_mutex_init(&k->lock, NULL);
    pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&k->done_cond, &attr);
    pthread_condattr_destroy(&attr);
    (void)snprintf(k->host, sizeof(k->host), STR_FMT, STR_ARG(host));
    (void)snprintf(k->service, sizeof(k->service), "%u", port);
    return k;
}

/* False: not within that time, and k is the thread's now. */
static bool wait_for(struct look_up *k, int64_t timeout_ms)
{
    struct timespec end;
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += timeout_ms / 1000;
    end.tv_nsec += timeout_ms % 1000 * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&k->lock);
    while (!k->done && pthread_cond_timedwait(&k->done_cond, &k->lock, &end) == 0) {
    }
    bool done = k->done;
    k->left = !done;
    pthread_mutex_unlock(&k->lock);
    return done;
}

static enum err resolve(struct str host, uint16_t port, int64_t timeout_ms, struct look_up **out,
                        struct diag *d)
{
    struct look_up *k = look_up_new(host, port);
    ask(k, AI_NUMERICHOST);
    if (k->error) {
        if (!start_thread(k)) {
            look_up_free(k);
            return diag_set(d, ERR_SYS, "no thread to spare for a name look-up");
        }
        if (!wait_for(k, timeout_ms)) {
            return diag_set(d, ERR_TIMEOUT, "no answer from the name server within %.1f s",
                            (double)timeout_ms / 1000);
        }
    }
    if (k->error) {
        enum err e = diag_set(d, ERR_MISSING, "cannot resolve host " STR_FMT ": %s", STR_ARG(host),
                              gai_strerror(k->error));
        look_up_free(k);
        return e;
    }
    *out = k;
    return OK;
}

/* --- connection --- */

static bool is_loopback(const struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)sa;
        return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    }
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)sa;
    return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

/* False: the time is over. */
static bool wait_fd(int fd, short what, int64_t end_ms)
{
    for (;;) {
        struct pollfd p = { .fd = fd, .events = what };
        int64_t left = end_ms - clock_mono_ms();
        int n = poll(&p, 1, left > 0 ? (int)left : 0);
        if (n > 0) return true;
        if (n == 0) return false;
        if (errno != EINTR) return true; /* the call behind says what is wrong */
    }
}

/* 0, or the errno of this address. */
static int connect_one(const struct addrinfo *to, int64_t end_ms, int *out)
{
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), e = 0;
    socklen_t n = sizeof(e);
    if (fd < 0) return errno;
    if (connect(fd, to->ai_addr, to->ai_addrlen) != 0) {
        if (errno != EINPROGRESS) {
            e = errno;
        } else if (!wait_fd(fd, POLLOUT, end_ms)) {
            e = ETIMEDOUT;
        } else {
            (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &n);
        }
    }
    if (e) {
        (void)close(fd);
        return e;
    }
    *out = fd;
    return 0;
}

static enum err explain_connect(int e, const struct dial_options *o, struct diag *d)
{
    if (e == ETIMEDOUT) {
        return diag_set(d, ERR_TIMEOUT, STR_FMT ":%u: no answer within %.1f s", STR_ARG(o->host),
                        o->port, (double)o->timeout_ms / 1000);
    }
    return diag_set(d, e == ECONNREFUSED ? ERR_DENIED : ERR_SYS, STR_FMT ":%u: %s",
                    STR_ARG(o->host), o->port, strerrordesc_np(e));
}

enum err dial_open(const struct dial_options *o, struct dial **out, struct diag *d)
{
    int64_t end = clock_mono_ms() + o->timeout_ms;
    struct look_up *k = NULL;
    TRY(resolve(o->host, o->port, o->timeout_ms, &k, d));
    ASSERT(k != NULL);
    int error = ETIMEDOUT, fd = -1;
    const struct addrinfo *to = NULL;
    int64_t n = 0;
    for (const struct addrinfo *it = k->found; it && n < ADDRESSES_MAX; it = it->ai_next) n++;
    for (const struct addrinfo *it = k->found; it && n > 0 && !to; it = it->ai_next, n--) {
        /* One silent address leaves time for the next. */
        int64_t share = (end - clock_mono_ms()) / n;
        error = connect_one(it, clock_mono_ms() + share, &fd);
        if (!error) to = it;
    }
    if (!to) {
        look_up_free(k);
        return explain_connect(error, o, d);
    }
    struct dial *c = calloc(1, sizeof(*c));
    ASSERT(c != NULL);
    c->fd = fd;
    c->loopback = is_loopback(to->ai_addr);
    (void)getnameinfo(to->ai_addr, to->ai_addrlen, c->address, sizeof(c->address), NULL, 0,
                      NI_NUMERICHOST);
    look_up_free(k);
    *out = c;
    return OK;
}

void dial_close(struct dial *c)
{
    if (!c) return;
    if (c->ssl) SSL_free(c->ssl);
    if (c->ctx) SSL_CTX_free(c->ctx);
    (void)close(c->fd);
    free(c);
}

struct str dial_address(const struct dial *c) { return str_c(c->address); }
bool dial_is_loopback(const struct dial *c) { return c->loopback; }

/* --- TLS --- */

/* What SSL wants before it goes on; OK: call again. */
static enum err ssl_step(struct dial *c, int result, int64_t end_ms)
{
    switch (SSL_get_error(c->ssl, result)) {
    case SSL_ERROR_WANT_READ: return wait_fd(c->fd, POLLIN, end_ms) ? OK : ERR_TIMEOUT;
    case SSL_ERROR_WANT_WRITE: return wait_fd(c->fd, POLLOUT, end_ms) ? OK : ERR_TIMEOUT;
    case SSL_ERROR_ZERO_RETURN: return ERR_EOF;
    case SSL_ERROR_SYSCALL: return errno ? ERR_SYS : ERR_EOF;
    default: return ERR_SYNTAX;
    }
}

static enum err explain_tls(const struct dial *c, enum err e, struct diag *d)
{
    unsigned long code = ERR_peek_last_error();
    long verdict = SSL_get_verify_result(c->ssl);
    const char *reason = ERR_reason_error_string(code);
    if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED && verdict != X509_V_OK) {
        return diag_set(d, ERR_DENIED, "the certificate is not good: %s",
                        X509_verify_cert_error_string(verdict));
    }
    if (e == ERR_TIMEOUT) return diag_set(d, e, "no answer to a TLS handshake");
    bool cut = ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    if (e == ERR_EOF || e == ERR_SYS || cut) {
        return diag_set(d, ERR_EOF, "the peer hung up at a TLS handshake");
    }
    return diag_set(d, ERR_SYNTAX, "no TLS: %s", reason ? reason : "unknown answer");
}

static void expect_name(SSL *ssl, struct str name)
{
    char z[256];
    unsigned char ip[16];
    (void)snprintf(z, sizeof(z), STR_FMT, STR_ARG(name));
    if (inet_pton(AF_INET, z, ip) == 1 || inet_pton(AF_INET6, z, ip) == 1) {
        (void)X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), z);
    } else {
        (void)SSL_set_tlsext_host_name(ssl, z);
        (void)SSL_set1_host(ssl, z);
    }
}

static enum err ssl_open(struct dial *c, const struct dial_tls *o, struct diag *d)
{
    char file[4096];
    c->ctx = SSL_CTX_new(TLS_client_method());
    ASSERT(c->ctx != NULL);
    (void)snprintf(file, sizeof(file), STR_FMT, STR_ARG(o->ca_file));
    int read = o->ca_file.n ? SSL_CTX_load_verify_locations(c->ctx, file, NULL)
                            : SSL_CTX_set_default_verify_paths(c->ctx);
    if (read != 1) return diag_set(d, ERR_MISSING, "cannot read certificates of %s", file);
    SSL_CTX_set_verify(c->ctx, o->insecure_skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    c->ssl = SSL_new(c->ctx);
    ASSERT(c->ssl != NULL && SSL_set_fd(c->ssl, c->fd) == 1);
    if (o->server_name.n) expect_name(c->ssl, o->server_name);
    return OK;
}

enum err dial_start_tls(struct dial *c, const struct dial_tls *o, int64_t timeout_ms,
                        struct diag *d)
{
    int64_t end = clock_mono_ms() + timeout_ms;
    ASSERT(c->ssl == NULL);
    TRY(ssl_open(c, o, d));
    for (;;) {
        ERR_clear_error();
        errno = 0;
        int r = SSL_connect(c->ssl);
        if (r == 1) return OK;
        enum err e = ssl_step(c, r, end);
        if (e != OK) return explain_tls(c, e, d);
    }
}

/* --- bytes --- */

enum err dial_write(struct dial *c, struct str bytes, int64_t timeout_ms, struct diag *d)
{
    int64_t end = clock_mono_ms() + timeout_ms;
    while (bytes.n) {
        ssize_t n;
        enum err e = OK;
        errno = 0;
        if (c->ssl) {
            ERR_clear_error();
            n = SSL_write(c->ssl, bytes.p, bytes.n < INT32_MAX ? (int)bytes.n : INT32_MAX);
            if (n <= 0) e = ssl_step(c, (int)n, end);
        } else {
            n = send(c->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
            if (n < 0 && errno != EAGAIN) e = ERR_SYS;
            if (n < 0 && e == OK && !wait_fd(c->fd, POLLOUT, end)) e = ERR_TIMEOUT;
        }
        if (e != OK) return diag_set(d, e, "cannot send: %s", err_name(e));
        if (n > 0) bytes = str_from(bytes, (size_t)n);
    }
    return OK;
}

enum err dial_read(struct dial *c, struct buf *to, int64_t timeout_ms, struct diag *d)
{
    int64_t end = clock_mono_ms() + timeout_ms;
    for (;;) {
        char *room = buf_room(to, READ_ROOM);
        if (!room) return diag_set(d, ERR_LIMIT, "the answer is longer than %zu bytes", to->max);
        ssize_t n;
        enum err e;
        errno = 0;
        if (c->ssl) {
            ERR_clear_error();
            n = SSL_read(c->ssl, room, READ_ROOM);
            e = n > 0 ? OK : ssl_step(c, (int)n, end);
        } else {
            n = recv(c->fd, room, READ_ROOM, 0);
            e = n > 0                         ? OK
                : n == 0                      ? ERR_EOF
                : errno != EAGAIN             ? ERR_SYS
                : wait_fd(c->fd, POLLIN, end) ? OK
                                              : ERR_TIMEOUT;
        }
        if (n > 0) {
            buf_add(to, (size_t)n);
            return OK;
        }
        if (e == ERR_EOF || (e == ERR_SYS && errno == ECONNRESET)) {
            return diag_set(d, ERR_EOF, "the peer hung up");
        }
        if (e == ERR_TIMEOUT) {
            return diag_set(d, e, "no answer within %.1f s", (double)timeout_ms / 1000);
        }
        if (e != OK) return diag_set(d, e, "cannot read: %s", strerrordesc_np(errno));
    }
}
